"""cold.py INDEX QUERIES N [OPTION...] - what lh-search reads to answer one query of an index
of which nothing is in memory: bytes, by /proc/PID/io, and which sections they are in.

Each of the first N lines of QUERIES is asked by a process of its own, with the OPTIONs, after
the file has left the page cache.  Prints tab-separated lines for bench/run: medians."""
import ctypes, mmap, os, statistics, struct, subprocess, sys, time

KINDS = ("header", "parameters", "rows", "levels", "upper links", "id offsets", "ids", "id hash",
         "metadata offsets", "metadata", "exact vectors", "order", "row lengths", "terms",
         "term texts", "postings", "signs")
PAGE = 4096


def sections(index):
    """The sections of an index, as lhv(5) describes them: (name, first page, pages)."""
    with open(index, "rb") as f:
        header = f.read(PAGE)
    found = [("header", 0, 1)]
    for i in range(struct.unpack_from("<I", header, 48)[0]):
        kind, _, at, size = struct.unpack_from("<IIQQ", header, 128 + 32 * i)
        name = KINDS[kind] if kind < len(KINDS) else "section %d" % kind
        found.append((name, at // PAGE, -(-size // PAGE)))
    return found


def evict(index):
    fd = os.open(index, os.O_RDONLY)
    os.fsync(fd)			# pages that are not written yet would stay
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def resident(index):
    """A byte for each page of the file: whether it is in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(index, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE,
                                           flags=mmap.MAP_PRIVATE) as m:
        pages = ctypes.create_string_buffer(-(-len(m) // PAGE))
        at = ctypes.c_char.from_buffer(m)
        if libc.mincore(ctypes.byref(at), ctypes.c_size_t(len(m)), pages):
            raise OSError(ctypes.get_errno(), "mincore")
        del at
        return bytes(b & 1 for b in pages.raw)


def ask(index, query, options):
    """Answer one query cold: bytes read, seconds, pages in memory afterwards."""
    evict(index)
    if sum(resident(index)):
        sys.exit("%s: does not leave the page cache: it is mapped, or on a file system in memory" % index)
    start = time.monotonic()
    child = subprocess.Popen(["lh-search", "-q", *options, index], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(query)
    child.stdin.close()
    child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)	# ended, but its counts are there
    seconds = time.monotonic() - start
    with open("/proc/%d/io" % child.pid) as f:
        counts = dict(line.split(": ") for line in f)
    if child.wait():
        sys.exit("lh-search failed")
    return int(counts["read_bytes"]), seconds, resident(index)


def main():
    index, queries, n, options = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    what = os.environ.get("COLD_NAME", os.path.basename(index))
    parts = sections(index)
    with open(queries, "rb") as f:
        lines = f.readlines()[:n]
    ask(index, lines[0], options)	# the program and its libraries come into memory
    runs = [ask(index, line, options) for line in lines]
    print("%s, a cold query reads\t%.0f KiB\t%.3f s" % (
        what, statistics.median(r[0] for r in runs) / 1024, statistics.median(r[1] for r in runs)))
    for name, first, pages in parts:
        got = statistics.median(sum(r[2][first:first + pages]) for r in runs)
        if got:
            print("  %s\t%.0f KiB\tof %d" % (name, got * PAGE / 1024, pages * PAGE // 1024))


main()
