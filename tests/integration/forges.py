#!/usr/bin/python3
"""A code host and two package registries behind TLS on loopback, which want a token.

    forges.py CERTIFICATE KEY PORT-FILE LOG ROOT TOKEN

By the Host of a request:
  github.com      git's own http-backend on the bare repositories in ROOT/git (Basic, any user)
  api.github.com  GET /repos/..., POST (Bearer or token)
  npm.test, x.npmjs.org  packuments and tarballs made of ROOT/npm/NAME-VERSION.tgz (Bearer)
  pypi.test       a simple index of ROOT/pypi (Basic, user "reader")
What has not got the token is answered with 401.  LOG: a JSON object a line with host, method, path,
authorization as it came, and status.
"""
import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CERT, KEY, PORT_FILE, LOG, ROOT, TOKEN = sys.argv[1:]
lock = threading.Lock()


def basic(value):
    """The user and password of an Authorization: Basic."""
    kind, _, coded = value.partition(" ")
    try:
        user, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:
        return None, None
    return (user, password) if kind == "Basic" else (None, None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return data

    def say(self, status, body=b"", kind="text/plain", extra=()):
        entry = {"host": self.headers["host"], "method": self.command, "path": self.path,
                 "authorization": self.headers.get("authorization", ""), "status": status}
        with lock, open(LOG, "a") as f:
            f.write(json.dumps(entry) + "\n")
        self.send_response(status)
        for k, v in (("Content-Type", kind), ("Content-Length", str(len(body))), *extra):
            self.send_header(k, v)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def wants(self, scheme):
        self.say(401, b"no token\n", extra=[("WWW-Authenticate", scheme + ' realm="test"')])

    def answer(self):
        data = self.body()
        value = self.headers.get("authorization", "")
        host = self.headers["host"]
        if host == "github.com":
            if basic(value)[1] != TOKEN:
                self.wants("Basic")
            else:
                self.git(data, basic(value)[0])
        elif host == "api.github.com":
            if value not in (f"Bearer {TOKEN}", f"token {TOKEN}"):
                self.wants("Bearer")
            else:
                self.api(data)
        elif host in ("npm.test", "x.npmjs.org"):
            if value != f"Bearer {TOKEN}":
                self.wants("Bearer")
            else:
                self.npm()
        elif basic(value) != ("reader", TOKEN):
            self.wants("Basic")
        else:
            self.pypi()

    def git(self, data, user):
        path, _, query = self.path.partition("?")
        env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": ROOT + "/git",
               "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
               "REQUEST_METHOD": self.command, "REMOTE_USER": user, "REMOTE_ADDR": "127.0.0.1",
               "CONTENT_TYPE": self.headers.get("content-type", ""),
               "CONTENT_LENGTH": str(len(data)),
               "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
               "GIT_PROTOCOL": self.headers.get("git-protocol", "")}
        out = subprocess.run(["git", "http-backend"], input=data, env=env, check=True,
                             stdout=subprocess.PIPE).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(fields.pop("Status", "200").split()[0])
        self.say(status, rest, fields.pop("Content-Type", "text/plain"), fields.items())

    def api(self, data):
        if self.command == "GET" and self.path.startswith("/repos/"):
            _, _, owner, name = self.path.split("/")[:4]
            answer = {"full_name": f"{owner}/{name}", "private": True}
        elif self.command == "POST" and self.path.endswith("/issues"):
            answer = {"number": 7, "title": json.loads(data)["title"]}
        else:
            self.say(404, b'{"message": "Not Found"}', "application/json")
            return
        self.say(200, json.dumps(answer).encode(), "application/json")

    def npm(self):
        name = self.path.strip("/").split("/")[0]
        files = {f.removeprefix(name + "-").removesuffix(".tgz"): f
                 for f in os.listdir(ROOT + "/npm") if f.startswith(name + "-")}
        if self.path.endswith(".tgz"):
            with open(f"{ROOT}/npm/{os.path.basename(self.path)}", "rb") as f:
                self.say(200, f.read(), "application/octet-stream")
        elif not files:
            self.say(404, b"{}", "application/json")
        else:
            versions = {}
            for version, file in files.items():
                with open(f"{ROOT}/npm/{file}", "rb") as f:
                    digest = base64.b64encode(hashlib.sha512(f.read()).digest()).decode()
                versions[version] = {
                    "name": name, "version": version,
                    "dist": {"tarball": f"https://{self.headers['host']}/{name}/-/{file}",
                             "integrity": "sha512-" + digest}}
            doc = {"name": name, "dist-tags": {"latest": max(versions)}, "versions": versions}
            self.say(200, json.dumps(doc).encode(), "application/json")

    def pypi(self):
        parts = self.path.strip("/").split("/")
        if parts[0] == "files":
            with open(f"{ROOT}/pypi/{os.path.basename(self.path)}", "rb") as f:
                self.say(200, f.read(), "application/octet-stream")
            return
        name = parts[-1].replace("-", "_")
        links = "".join(f'<a href="/files/{f}">{f}</a>\n' for f in os.listdir(ROOT + "/pypi")
                        if f.startswith(name + "-"))
        self.say(200 if links else 404, f"<!DOCTYPE html><html><body>{links}".encode(),
                 "text/html")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        request.settimeout(60)
        try:
            with context.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
        except OSError:
            pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
server = Server(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
