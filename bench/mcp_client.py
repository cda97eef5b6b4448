"""mcp_client.py start|calls|turns N COMMAND... - a server of MCP over its pipes.

start: milliseconds from the start of the process to its answer to initialize, the median of
N.  calls: calls a second with all N of them written at once.  turns: the same, each written
after the answer to the one before.
"""
import json
import os
import statistics
import subprocess
import sys
import threading
import time

HELLO = {"jsonrpc": "2.0", "id": "h", "method": "initialize",
         "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}}


def line(message):
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def call(i):
    return line({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": "trivial", "arguments": {"text": "a"}}})


def start(command):
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    p.stdin.write(line(HELLO))
    p.stdin.flush()
    assert b'"protocolVersion"' in p.stdout.readline()
    p.stdin.write(line({"jsonrpc": "2.0", "method": "notifications/initialized"}))
    p.stdin.flush()
    return p


def turn(p, i):
    p.stdin.write(call(i))
    p.stdin.flush()
    assert b'"result"' in p.stdout.readline()


def end(p):
    p.stdin.close()
    p.kill()
    p.wait()


def write(p, n):
    p.stdin.write(b"".join(call(i) for i in range(n)))
    p.stdin.flush()


def calls(p, n):
    writer = threading.Thread(target=write, args=(p, n))
    writer.start()
    left = n
    while left:
        part = os.read(p.stdout.fileno(), 1 << 20)
        assert part
        left -= part.count(b"\n")
    writer.join()


how, n, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
if how == "start":
    times = []
    for _ in range(n):
        begin = time.perf_counter()
        server = start(command)
        times.append(time.perf_counter() - begin)
        end(server)
    print(f"{statistics.median(times) * 1000:.2f}")
else:
    server = start(command)
    for i in range(200):
        turn(server, f"warm{i}")
    begin = time.perf_counter()
    if how == "calls":
        calls(server, n)
    else:
        for i in range(n):
            turn(server, i)
    print(f"{n / (time.perf_counter() - begin):.0f}")
    end(server)
