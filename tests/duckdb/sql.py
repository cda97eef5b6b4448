#!/usr/bin/env python3
"""sql.py SQL... - run statements with DuckDB's library (LH_DUCKDB), for tests that need its files."""
import ctypes
import os
import sys

duckdb = ctypes.CDLL(os.environ["LH_DUCKDB"])
database, connection = ctypes.c_void_p(), ctypes.c_void_p()
result = ctypes.create_string_buffer(256)
duckdb.duckdb_result_error.restype = ctypes.c_char_p
if duckdb.duckdb_open(None, ctypes.byref(database)) or duckdb.duckdb_connect(database, ctypes.byref(connection)):
    sys.exit("DuckDB does not start")
for sql in sys.argv[1:]:
    if duckdb.duckdb_query(connection, sql.encode(), result):
        sys.exit(duckdb.duckdb_result_error(result).decode())
    duckdb.duckdb_destroy_result(result)
