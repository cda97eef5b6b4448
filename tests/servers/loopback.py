"""What the HTTP servers of tests share: how they answer, and a socket on loopback."""
import http.server
import socket
import ssl
import struct


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status, body, kind="application/json", **headers):
        """Answer; the name of a header has _ for -."""
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        headers = {"Content_Type": kind, "Content_Length": str(len(body)), **headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.write(body)

    def write(self, body):
        self.wfile.write(body)
        self.wfile.flush()

    def reset(self):
        """End the connection as if the machine had gone."""
        resets(self.connection)
        self.close_connection = True


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    tls = None

    def handle_error(self, request, client_address):
        pass

    def get_request(self):
        connection, address = self.socket.accept()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True,
                                              do_handshake_on_connect=False)
        return connection, address


def serve(handler, port=0, tls=None, server=Server):
    """Print the port, and serve until killed.  tls: the files of a certificate and its key."""
    made = server(("127.0.0.1", port), handler)
    if tls:
        made.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.tls.load_cert_chain(*tls)
    print(made.server_address[1], flush=True)
    made.serve_forever()
