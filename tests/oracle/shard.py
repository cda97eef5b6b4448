"""Which lines of JSON Lines a part of a divided job takes, written from lakehouse-tools(7).

    shard.py I N [FIELD] < lines        the lines of part I of N, byte for byte
    shard.py --of N < keys              the part of each key, a line each
"""
import ctypes
import json
import sys

library = ctypes.CDLL("libxxhash.so.0")
library.XXH3_64bits.restype = ctypes.c_uint64
library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


class Number(str):
    """A number as it is written."""


def members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a repeated key")
    return dict(pairs)


def no_constant(name):
    raise ValueError(name)


def part(key, n):
    return library.XXH3_64bits(key, len(key)) % n


def key_of(line, field):
    try:
        record = json.loads(line.decode(), object_pairs_hook=members, parse_int=Number,
                            parse_float=Number, parse_constant=no_constant)
        json.dumps(record, ensure_ascii=False).encode()  # no half of a surrogate pair
        value = record.get(field) if isinstance(record, dict) else None
        return value.encode() if isinstance(value, str) else line
    except ValueError:
        return line


def main():
    if sys.argv[1] == "--of":
        for key in sys.stdin.buffer:
            print(part(key.rstrip(b"\n"), int(sys.argv[2])))
        return
    i, n = int(sys.argv[1]), int(sys.argv[2])
    field = sys.argv[3] if len(sys.argv) > 3 else "id"
    for number, whole in enumerate(sys.stdin.buffer):
        line = whole.removesuffix(b"\n")
        if number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        line = line.removesuffix(b"\r")
        if line.strip(b" \t\r") and part(key_of(line, field), n) == i:
            sys.stdout.buffer.write(whole)


main()
