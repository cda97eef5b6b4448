#!/usr/bin/env python3
"""A witness on loopback that cosigns well, or answers badly in one way.

    witness.py NAME [--log FILE] [--go FILE]

NAME is w1 or w2, whose key it has (tests/oracle/transparency.py).  Prints its port on stdout and
serves until it is killed.  POST /MODE/add-checkpoint is answered in that mode; --log gets a line
for each request: NAME, the mode, the old size.  In the mode held it answers well once the file of
--go is there.
"""
import argparse
import os
import sys
import time

import loopback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import transparency as t  # noqa: E402


class Witness(loopback.Handler):
    cosigned = (0, None)

    def start(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def do_POST(self):
        request = self.body().decode()
        head, _, note = request.partition("\n\n")
        self.old, self.note = t.number(head.split("\n")[0][4:]), note
        self.path_hashes = [t.unb64(line, 32) for line in head.split("\n")[1:]]
        self.text, self.lines = t.parse_note(note)
        self.origin, self.size, self.root = t.parse_checkpoint(self.text)
        mode = self.path.split("/")[1]
        with open(args.log, "a") as f:
            f.write("%s %s %d\n" % (args.name, mode, self.old))
        try:
            getattr(self, "do_" + mode)()
        except OSError:
            pass

    def do_ok(self):
        cls = type(self)
        if self.path.split("/")[2] != "add-checkpoint":
            self.send(404, "another path\n")
        elif self.old != cls.cosigned[0]:
            self.send(409, "%d\n" % cls.cosigned[0], Content_Type="text/x.tlog.size")
        else:
            try:
                if self.old:
                    t.check_growth(self.old, cls.cosigned[1], self.size, self.root, self.path_hashes)
            except t.Bad as e:
                self.send(422, "%s\n" % e)
                return
            cls.cosigned = self.size, self.root
            self.send(200, key.sign(self.text) + "\n")

    def do_held(self):
        while not os.path.exists(args.go):
            time.sleep(0.01)
        self.do_ok()

    # -- bad answers --

    def do_flipped(self):
        """The signature has a bit that is wrong."""
        line = key.sign(self.text)
        start, _, data = line.rpartition(" ")
        data = bytearray(t.unb64(data))
        data[40] ^= 1
        self.send(200, "%s %s\n" % (start, t.b64(bytes(data))))

    def do_otherbody(self):
        self.send(200, key.sign("x" + self.text) + "\n")

    def do_timeless(self):
        self.send(200, key.sign(self.text, 0) + "\n")

    def do_stranger(self):
        self.send(200, t.STRANGER.sign(self.text) + "\n")

    def do_otherwitness(self):
        """The line of the other witness, under this one's URL."""
        other = t.W2 if key is t.W1 else t.W1
        self.send(200, other.sign(self.text) + "\n")

    def do_log(self):
        """The log's own line."""
        self.send(200, t.LOG.sign(self.text) + "\n")

    def do_empty(self):
        self.send(200, "")

    def do_garbage(self):
        self.send(200, b"\xff\0<html>\x1b[31m" * 20)

    def do_unended(self):
        self.send(200, key.sign(self.text))

    def do_note(self):
        """A whole note, not its lines."""
        self.send(200, self.note + key.sign(self.text) + "\n")

    def do_many(self):
        self.send(200, (t.STRANGER.sign(self.text) + "\n") * 65 + key.sign(self.text) + "\n")

    def do_large(self):
        self.send(200, (key.sign(self.text) + "\n") * 10000)

    def do_endless(self):
        self.start()
        while True:
            self.wfile.write((t.STRANGER.sign(self.text) + "\n").encode())

    def do_drip(self):
        self.start()
        while True:
            self.wfile.write(b"\xe2\x80\x94")
            self.wfile.flush()
            time.sleep(0.1)

    def do_silent(self):
        time.sleep(3600)

    def do_reset(self):
        self.close_connection = True

    def do_conflict(self):
        """409 for ever, with the size that was given."""
        self.send(409, "%d\n" % self.old)

    def do_sizes(self):
        """409 for ever, with other sizes."""
        self.send(409, "%d\n" % ((self.old + 1) % (self.size + 1)))

    def do_ahead(self):
        self.send(409, "%d\n" % (self.size + 1))

    def do_nosize(self):
        self.send(409, "none\n")

    def do_minus(self):
        self.send(409, "-1\n")

    def do_huge(self):
        self.send(409, "18446744073709551615\n")

    def do_noline(self):
        self.send(409, "0")

    def do_moved(self):
        self.send(302, "", Location="http://127.0.0.2:9/ok/add-checkpoint")

    def do_loop(self):
        self.send(302, "", Location=self.path)

    def do_refused(self):
        self.send(403, "who are you\n")

    def do_invalid(self):
        self.send(422, "no\n")

    def do_failing(self):
        self.send(500, "no\n")

    def do_created(self):
        self.send(201, key.sign(self.text) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--log", default="/dev/null")
    parser.add_argument("--go")
    args = parser.parse_args()
    key = {"w1": t.W1, "w2": t.W2}[args.name]
    loopback.serve(Witness)
