"""Send records through a filter, as they come, in both directions."""
import json
import subprocess
import sys
import threading


def through(argv, records, good=(0,)):
    """Yield each record that the filter writes.

    At its end, raise CalledProcessError unless its exit status is one
    of good; (0, 1) accepts rejected records.
    """
    failed = []

    def feed():
        # a thread: else two full pipes wait for each other for ever
        try:
            with child.stdin:
                for record in records:
                    line = json.dumps(record) + "\n"
                    child.stdin.write(line.encode())
        except BrokenPipeError:
            pass                    # its exit status says why
        except Exception as error:  # of records
            failed.append(error)

    child = subprocess.Popen(argv, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        with child.stdout:
            for line in child.stdout:   # bytes: only LF ends a line
                yield json.loads(line)
    except BaseException:   # also: the caller has had enough
        child.kill()
        child.wait()
        raise
    status = child.wait()
    if status in good:
        feeder.join()
    if failed:
        raise failed[0]
    if status not in good:
        raise subprocess.CalledProcessError(status, argv)


if __name__ == "__main__":
    # through.py COMMAND [ARGUMENT]... <IN >OUT
    try:
        for answer in through(sys.argv[1:],
                              map(json.loads, sys.stdin.buffer)):
            print(json.dumps(answer))
    except subprocess.CalledProcessError as error:
        sys.exit(f"through.py: {error}")
