#!/usr/bin/python3
"""An HTTPS server on loopback for the vault's tests: it logs what came and answers by path.

    vault-upstream.py CERTIFICATE KEY PORT-FILE LOG

  /echo      the request's headers as text: what an upstream that gives secrets away would do
  /echo-bits the same in chunks of three bytes
  /hang      half of an answer, then nothing
  /to?URL    a redirect to URL
  any other  "hello"
LOG: a JSON object a line with method, path, the headers and the body.
"""
import json
import os
import resource
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        size = int(self.headers.get("content-length", 0))
        entry = {
            "method": self.command,
            "path": self.path,
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "body": self.rfile.read(size).decode("latin-1"),
        }
        with lock, open(sys.argv[4], "a") as f:
            f.write(json.dumps(entry) + "\n")

    def say(self, status, body, extra=()):
        self.send_response(status)
        for k, v in extra:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        self.note()
        path, _, query = self.path.partition("?")
        seen = "".join(f"{k}: {v}\n" for k, v in self.headers.items()).encode()
        if path == "/echo":
            self.say(200, seen, [("X-Seen", self.headers.get("x-api-key", "none"))])
        elif path == "/echo-bits":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(0, len(seen), 3):
                part = seen[i:i + 3]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        elif path == "/hang":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half of it\n")
            self.wfile.flush()
            time.sleep(60)
        elif path == "/to":
            self.say(302, b"", [("Location", query)])
        else:
            self.say(200, b"hello\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        sock, addr = super().get_request()
        sock.settimeout(300)
        return sock, addr

    def finish_request(self, request, client_address):
        try:
            with context.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
        except OSError:
            pass

    def handle_error(self, request, client_address):
        pass


most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols(["http/1.1"])
server = Server(("127.0.0.1", 0), Handler)
with open(sys.argv[3] + ".new", "w") as f:
    f.write(str(server.server_port))

os.rename(sys.argv[3] + ".new", sys.argv[3])
server.serve_forever()
