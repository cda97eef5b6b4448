"""exchange.py - the files of dump --to and build --from, from the descriptions of their formats.

    exchange.py pgcopy [text|int4|int8] <FILE      a line for each tuple: id, type, values, metadata
    exchange.py fvecs <FILE                        a line for each vector: number, type, values
    exchange.py npy FILE                           the same, by NumPy itself
    exchange.py jsonl vector|halfvec <DUMP         what pgcopy prints, of a dump in JSON Lines
    exchange.py numbered <DUMP                     what fvecs and npy print
    exchange.py write TYPE ID FIELDS <RECORDS      a file of COPY: vector or halfvec, type of ids
    exchange.py npy-write DESCR [VERSION] FILE <RECORDS       by NumPy itself

Values are printed as the hexadecimal digits of their bytes, big-endian.
"""
import json
import struct
import sys

SIGNATURE = b"PGCOPY\n\xff\r\n\0"


def line(row_id, kind, data, metadata):
    print(json.dumps([row_id, kind, data.hex(), metadata], ensure_ascii=False, sort_keys=True))


def take(f, n):
    data = f.read(n)
    assert len(data) == n, "cut off"
    return data


def pgcopy(f, id_type):
    assert take(f, 11) == SIGNATURE
    flags, extension = struct.unpack(">Ii", take(f, 8))
    assert flags == 0
    take(f, extension)
    while (fields := struct.unpack(">h", take(f, 2))[0]) != -1:
        values = []
        for _ in range(fields):
            n = struct.unpack(">i", take(f, 4))[0]
            values.append(None if n == -1 else take(f, n))
        row_id, vector, metadata = values
        if id_type == "text":
            row_id = row_id.decode()
        else:
            row_id = str(struct.unpack({"int4": ">i", "int8": ">q"}[id_type], row_id)[0])
        dim, unused = struct.unpack(">HH", vector[:4])
        kind = {4: "vector", 2: "halfvec"}[(len(vector) - 4) // dim]
        assert unused == 0 and len(vector) == 4 + dim * (4 if kind == "vector" else 2)
        assert metadata is None or metadata[:1] == b"\1"
        line(row_id, kind, vector[4:], metadata and json.loads(metadata[1:]))
    assert f.read() == b"", "bytes after the end"


def fvecs(f):
    number = 0
    while head := f.read(4):
        dim = struct.unpack("<i", head)[0]
        line(str(number), "vector", struct.pack(f">{dim}f", *struct.unpack(f"<{dim}f", take(f, 4 * dim))), None)
        number += 1


def packed(values, kind):
    return struct.pack(f">{len(values)}{'f' if kind == 'vector' else 'e'}", *values)


def write(out, kind, id_type, fields):
    out.write(SIGNATURE + struct.pack(">Ii", 0, 3) + b"ext")
    for record in map(json.loads, sys.stdin):
        row_id = record["id"]
        row_id = row_id.encode() if id_type == "text" else struct.pack({"int4": ">i", "int8": ">q"}[id_type], int(row_id))
        vector = struct.pack(">HH", len(record["vector"]), 0) + packed(record["vector"], kind)
        metadata = record.get("metadata")
        metadata = None if metadata is None else b"\1" + json.dumps(metadata).encode()
        out.write(struct.pack(">h", fields))
        for value in (row_id, vector, metadata)[:fields]:
            out.write(struct.pack(">i", -1 if value is None else len(value)) + (value or b""))
    out.write(struct.pack(">h", -1))


def number(text):
    return -0.0 if text == "-0" else int(text)


def main(command, *args):
    records = (json.loads(text, parse_int=number) for text in sys.stdin)
    if command == "pgcopy":
        pgcopy(sys.stdin.buffer, *args or ["text"])
    elif command == "fvecs":
        fvecs(sys.stdin.buffer)
    elif command == "npy":
        import numpy
        rows = numpy.load(args[0], allow_pickle=False)
        assert rows.dtype == numpy.dtype("<f4") and rows.flags.c_contiguous
        for i, row in enumerate(rows):
            line(str(i), "vector", row.astype(">f4").tobytes(), None)
    elif command == "jsonl":
        for r in records:
            line(r["id"], args[0], packed(r["vector"], args[0]), r.get("metadata"))
    elif command == "numbered":
        for i, r in enumerate(records):
            line(str(i), "vector", packed(r["vector"], "vector"), None)
    elif command == "write":
        write(sys.stdout.buffer, args[0], args[1], int(args[2]))
    elif command == "npy-write":
        import numpy
        rows = numpy.array([r["vector"] for r in records], dtype=numpy.float64).astype(args[0])
        with open(args[-1], "wb") as f:
            version = (int(args[1]), 0) if len(args) > 2 else None
            numpy.lib.format.write_array(f, rows, version=version, allow_pickle=False)


main(*sys.argv[1:])
