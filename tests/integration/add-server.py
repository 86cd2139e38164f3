#!/usr/bin/python3
"""add-server.py - what ADD of a Dockerfile is pointed at: add-server.py PORT LOG READY [TLS-PORT PEM].

Below /git/ are the repositories of the directory LOG.git, by git's own http-backend; below /dumb/
the same as plain files.  Else, by the last name of the path: some misbehave as they say, all others are a file of the words of
LOG.body where there are any.  Each request is a line of LOG.
"""
import os
import socketserver
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler

BODY = b"what is there\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, status, body=b"", **heads):
        self.send_response(status)
        for name, value in heads.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in heads:
            self.send_header("Content-Length", str(len(body)))
        # unsaid, a client might ask its next thing on a connection that is about to end
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def backend(self):
        path, _, query = self.path.partition("?")
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": LOG + ".git", "GIT_HTTP_EXPORT_ALL": "1",
               "PATH_INFO": path[len("/git"):], "QUERY_STRING": query, "REQUEST_METHOD": self.command,
               "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(data)),
               "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
        out = subprocess.run(["git", "-c", "safe.directory=*", "http-backend"], input=data, env=env,
                             check=True, stdout=subprocess.PIPE).stdout
        head, _, body = out.partition(b"\r\n\r\n")
        heads = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(heads.pop("Status", "200").split()[0])
        self.send(status, body, **heads)

    def plain(self):
        try:
            with open(LOG + ".git" + self.path.split("?")[0][len("/dumb"):], "rb") as f:
                self.send(200, f.read())
        except OSError:
            self.send(404)

    def do_POST(self):
        self.close_connection = True
        self.backend()

    def do_GET(self):
        with open(LOG, "a", encoding="utf-8") as f:
            f.write(f"{self.headers.get('Host')} {self.path}\n")
        path = self.path.split("?")[0]
        name = path.rsplit("/", 1)[1]
        self.close_connection = True
        if path.startswith("/git/"):
            self.backend()
        elif path.startswith("/dumb/"):
            self.plain()
        elif name == "short":
            self.send(200, BODY, Content_Length="1000")
        elif name == "long":
            self.send(200, BODY + b"and more than was said", Content_Length=str(len(BODY)))
        elif name == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
        elif name == "huge":
            self.send(200, b"x", Content_Length=str(1 << 50))
        elif name == "silent":
            self.wfile.write(b"")
        elif name == "garbage":
            self.wfile.write(b"\x00\x01 no HTTP at all \xff\r\n\r\n")
        elif name == "heads":
            self.send(200, BODY, **{f"X_{i}": "y" * 1000 for i in range(90)})
        elif name == "loop":
            self.send(302, Location="/loop")
        elif name == "once":
            self.send(302, b"not this", Location="/dir/file")
        elif name in ("to", "to.git"):
            self.send(302, Location=self.path.split("?", 1)[1])
        elif name.isdigit():
            self.send(int(name), b"no\n")
        elif name == "flaky":
            with open(LOG, encoding="utf-8") as f:
                first = f.read().count("/flaky\n") == 1
            if first:
                self.send(200, BODY[:5], Content_Length=str(len(BODY)))
            else:
                self.send(200, BODY)
        elif name == "tar":
            with open(LOG + ".tar", "rb") as f:
                self.send(200, f.read())
        elif name == "asked":
            self.send(200, repr(sorted(self.headers.items())).encode())
        else:
            with open(LOG + ".body", "rb") as f:
                body = f.read()
            self.send(200, body or BODY, Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


PORT, LOG, READY = sys.argv[1:4]
for name in (LOG, LOG + ".body"):
    open(name, "w", encoding="utf-8").close()
server = Server(("", int(PORT)), Handler)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[5])
    secure = Server(("", int(sys.argv[4])), Handler)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
with open(READY, "w", encoding="utf-8") as f:
    f.write(str(server.server_address[1]))
server.serve_forever()
