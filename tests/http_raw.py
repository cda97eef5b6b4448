"""http_raw - a client for HTTP/1.1 that sends exactly the bytes it is told to, for tests of
lh-serve.  Base Python only.

    from http_raw import Client, ask, must
    c = Client()                    # to PORT of the environment
    c.send(b"GET /health HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    a = c.answer()                  # a.status, a.headers, a.body, a.json()
    must(c.ends())                  # the server closed the connection
"""
import json
import os
import socket
import sys
import time

PATIENCE = int(os.environ.get("LH_PATIENCE", "600"))


def must(what, *why):
    """Fail with what was found."""
    if not what:
        sys.exit("must hold, line %d: %s" % (sys._getframe(1).f_lineno, " ".join(repr(w)[:600] for w in why)))


class Answer:
    """A response: status, version, headers (lower case; a list for each name), body."""

    def __init__(self, head):
        lines = head.split(b"\r\n")
        self.version, status, _ = lines[0].decode().split(" ", 2)
        self.status = int(status)
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            self.headers.setdefault(name.lower(), []).append(value.strip())
        self.body = b""

    def get(self, name):
        """The only field of that name, or None."""
        values = self.headers.get(name, [None])
        must(len(values) == 1, name, values)
        return values[0]

    def json(self):
        return json.loads(self.body)


class Client:
    def __init__(self, port=None, timeout=PATIENCE):
        self.socket = socket.create_connection(("127.0.0.1", int(port or os.environ["PORT"])), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part if isinstance(part, bytes) else part.encode())
        return self

    def more(self):
        part = self.socket.recv(65536)
        self.data += part
        return part

    def take(self, n):
        while len(self.data) < n:
            if not self.more():
                raise EOFError("the answer is cut off")
        out, self.data = self.data[:n], self.data[n:]
        return out

    def line(self):
        while b"\r\n" not in self.data:
            if not self.more():
                raise EOFError("the connection ended")
        line, _, self.data = self.data.partition(b"\r\n")
        return line

    def head(self):
        while b"\r\n\r\n" not in self.data:
            if not self.more():
                raise EOFError("the connection ended without an answer")
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return Answer(head)

    def chunk(self):
        """The next chunk of a body, b"" at its end."""
        n = int(self.line(), 16)
        part = self.take(n)
        while True:
            end = self.line()
            if n or not end:
                return part

    def answer(self, method="GET"):
        """Read one response; those that say "go on" are skipped and counted."""
        went_on = 0
        a = self.head()
        while a.status == 100:
            went_on += 1
            a = self.head()
        a.went_on = went_on
        if method == "HEAD" or a.status in (204, 304):
            return a
        if "transfer-encoding" in a.headers:
            while True:
                part = self.chunk()
                if not part:
                    return a
                a.body += part
        if "content-length" in a.headers:
            a.body = self.take(int(a.get("content-length")))
        else:
            while self.more():
                pass
            a.body, self.data = self.data, b""
        return a

    def ends(self, timeout=PATIENCE):
        """Whether the server ends the connection without another byte."""
        patience = self.socket.gettimeout()
        self.socket.settimeout(timeout)
        try:
            return not self.data and not self.socket.recv(1)
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False
        finally:
            self.socket.settimeout(patience)

    def close(self):
        self.socket.close()


def request(method, target, body=None, headers=(), version="HTTP/1.1"):
    """A request as bytes; a body has its length and is JSON unless headers say otherwise."""
    lines = ["%s %s %s" % (method, target, version), "Host: localhost"]
    names = [h.split(":")[0].lower() for h in headers]
    if body is not None and "content-length" not in names and "transfer-encoding" not in names:
        lines.append("Content-Length: %d" % len(body))
    if body is not None and "content-type" not in names:
        lines.append("Content-Type: application/json")
    head = "\r\n".join(lines + list(headers)) + "\r\n\r\n"
    return head.encode("latin-1") + (body or b"")


def ask(method, target, body=None, headers=(), version="HTTP/1.1", port=None):
    """One request on a connection of its own."""
    if isinstance(body, str):
        body = body.encode()
    c = Client(port)
    c.send(request(method, target, body, headers, version))
    a = c.answer(method)
    c.close()
    return a


def chunked(body, sizes, extension=b"", trailer=b""):
    """The body in chunks of these sizes, again and again."""
    out, at, i = [], 0, 0
    while at < len(body):
        n = min(sizes[i % len(sizes)], len(body) - at)
        out.append(b"%x%s\r\n%s\r\n" % (n, extension, body[at:at + n]))
        at += n
        i += 1
    return b"".join(out) + b"0\r\n" + trailer + b"\r\n"


def until(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not what():
        must(time.monotonic() < end, "never came true")
        time.sleep(0.02)
