#!/usr/bin/env python3
"""A registry that does as it is told: for tests of bawn-registry and `bawn template pull`.

usage: registry.py DIR [[OTHER-HOST:]OTHER-PORT]

Listens on a port of 127.0.0.1, which it writes to DIR/port; each request becomes a line of DIR/log:
METHOD PATH AUTHORIZATION.  The image it has is the same in each repository; the first word of the
repository's path, before a "-" or "/", says what goes wrong there (FAULTS).  What is pushed is kept.
With REGISTRY_TLS="CERT KEY" in the environment it speaks TLS; REGISTRY_BIND is another address.
DIR/image holds the digests: "manifest D", "config D SIZE", "layer D SIZE DIFF-ID".
"""
import base64
import gzip
import hashlib
import io
import json
import os
import socket
import ssl
import struct
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIR = sys.argv[1]
OTHER = sys.argv[2] if len(sys.argv) > 2 else None
TOKEN = "token-3f1c"
USER, PASS = "ann", "pass:word"
OCI = "application/vnd.oci.image."
BIG = 3 << 20

counts = {}
lock = threading.Lock()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name, data, mode in files:
            info = tarfile.TarInfo(name)
            info.mode = mode
            if data is None:
                info.type = tarfile.DIRTYPE
                t.addfile(info)
            else:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    raw = raw.getvalue()
    return raw, gzip.compress(raw, 1, mtime=0)


def noise(n):
    out, block = [], b"bawn"
    while n > 0:
        block = hashlib.sha256(block).digest()
        out.append(block[:n])
        n -= len(block)
    return b"".join(out)


PASSWD = b"root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/sh\n"
LAYERS = [
    layer([("etc", None, 0o755), ("etc/passwd", PASSWD, 0o644), ("home", None, 0o755),
           ("home/agent", None, 0o755)]),
    layer([("opt", None, 0o755), ("opt/big", noise(BIG), 0o644)]),
    layer([("opt", None, 0o755), ("opt/hello", b"hello\n", 0o755)]),
]
CONFIG = json.dumps({
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "amd64"),
    "os": "linux", "config": {"User": "agent", "Env": ["PATH=/usr/bin:/bin"]},
    "rootfs": {"type": "layers", "diff_ids": [digest(r) for r, _ in LAYERS]}}).encode()


def manifest(layers=None):
    layers = layers or [{"mediaType": OCI + "layer.v1.tar+gzip", "digest": digest(z),
                         "size": len(z)} for _, z in LAYERS]
    return json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
        "config": {"mediaType": OCI + "config.v1+json", "digest": digest(CONFIG),
                   "size": len(CONFIG)}, "layers": layers}).encode()


MANIFEST = manifest()
MANY = manifest([{"mediaType": OCI + "layer.v1.tar+gzip", "digest": digest(b"%d" % i), "size": 9}
                 for i in range(100000)][:25000])
INDEX = json.dumps({
    "schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [
        {"mediaType": OCI + "manifest.v1+json", "digest": digest(b"other"), "size": 5,
         "platform": {"os": "linux", "architecture": "s390x"}},
        {"mediaType": OCI + "manifest.v1+json", "digest": digest(MANIFEST), "size": len(MANIFEST),
         "platform": {"os": "linux", "architecture": json.loads(CONFIG)["architecture"]}}]}).encode()
FOREIGN = json.dumps({
    "schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [
        {"mediaType": OCI + "manifest.v1+json", "digest": digest(b"other"), "size": 5,
         "platform": {"os": "linux", "architecture": "s390x"}}]}).encode()
def variants(*names):
    """Of amd64 alone; the manifest is the one of all."""
    return json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [
        {"mediaType": OCI + "manifest.v1+json", "digest": digest(MANIFEST), "size": len(MANIFEST),
         "platform": {"os": "linux", "architecture": "amd64", "variant": name}} for name in names]}).encode()


BLOBS = {digest(z): z for _, z in LAYERS}
BLOBS[digest(CONFIG)] = CONFIG
MANIFESTS = {}
ONE = digest(LAYERS[1][1])  # the big one, which most faults are about


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    # ---- what it says ----

    def note(self):
        """Also as a proxy: one that is asked for http://HOST/PATH is that host."""
        if self.path.startswith("http://"):
            with lock, open(DIR + "/log", "a") as f:
                f.write("PROXY %s %s\n" % (self.path, self.headers.get("Proxy-Authorization", "-")))
            self.path = "/" + self.path.split("/", 3)[3]
        with lock, open(DIR + "/log", "a") as f:
            f.write("%s %s %s\n" % (self.command, self.path, self.headers.get("Authorization", "-")))

    def nth(self, what):
        with lock:
            counts[what] = counts.get(what, 0) + 1
            return counts[what]

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            for one in v if isinstance(v, list) else [v]:
                self.send_header(k.replace("_", "-"), one)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, text, **headers):
        body = json.dumps({"errors": [{"code": code, "message": text}]}).encode()
        self.say(status, body, Content_Type="application/json", **headers)

    def drop(self):
        """As a machine that goes down: a reset, no end."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    # ---- who asks ----

    def allowed(self, fault, repo):
        auth = self.headers.get("Authorization", "")
        here = "http://127.0.0.1:%d" % self.server.server_address[1]
        if fault == "basic":
            if auth == "Basic " + base64.b64encode(("%s:%s" % (USER, PASS)).encode()).decode():
                return True
            self.refuse(401, "UNAUTHORIZED", "who are you", WWW_Authenticate='Basic realm="x"')
            return False
        realms = {"bearer": here + "/token", "login": here + "/token?who=1",
                  "realmfile": "file:///etc/passwd", "realmhttp": "http://192.0.2.1/token",
                  "notoken": here + "/notoken", "hugetoken": here + "/hugetoken"}
        if fault in realms:
            if auth == "Bearer " + TOKEN:
                return True
            self.refuse(401, "UNAUTHORIZED", "a token, please", WWW_Authenticate=[
                "Negotiate abc==", 'Bearer realm="%s",service="reg, of tests",'
                'scope="repository:%s:pull"' % (realms[fault], repo)])
            return False
        if fault == "badchallenge":
            self.refuse(401, "UNAUTHORIZED", "x", WWW_Authenticate='Bearer realm="open')
            return False
        return True

    def token(self, query):
        form = ""
        if self.command == "POST":
            form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        with lock, open(DIR + "/log", "a") as f:
            f.write("TOKEN %s %s\n" % (query, form))
        auth = self.headers.get("Authorization")
        want = "Basic " + base64.b64encode(("%s:%s" % (USER, PASS)).encode()).decode()
        if auth not in (None, want) or ("who=1" in query and not auth and "refresh-7" not in form):
            return self.refuse(401, "UNAUTHORIZED", "wrong password")
        return self.say(200, json.dumps({"token": TOKEN, "expires_in": 60}).encode())

    # ---- what it has ----

    def do_GET(self):
        self.note()
        path, _, query = self.path.partition("?")
        if path == "/token":
            return self.token(query)
        if path == "/notoken":
            return self.say(200, b'{"nothing": 1}')
        if path == "/hugetoken":
            return self.say(200, json.dumps({"token": "x" * 60000}).encode())
        if path.startswith("/thief/"):
            here = "http://127.0.0.1:%d" % self.server.server_address[1]
            return self.refuse(401, "UNAUTHORIZED", "who are you", WWW_Authenticate=[
                'Bearer realm="%s/token?who=1",service="x"' % here, 'Basic realm="x"'])
        if path.startswith("/elsewhere/"):
            data = BLOBS.get(path[len("/elsewhere/"):])
            return self.say(200, data) if data else self.say(404)
        if path.startswith("/loop/"):
            return self.say(307, Location="/loop/%d" % self.nth("loop"))
        if path == "/v2/":
            return self.say(200, b"{}")
        words = path.split("/")
        if len(words) < 5 or words[1] != "v2" or words[-2] not in ("manifests", "blobs"):
            return self.refuse(404, "NAME_UNKNOWN", "no such path")
        repo, kind, what = "/".join(words[2:-2]), words[-2], words[-1]
        fault = words[2].split("-")[0]
        if not self.allowed(fault, repo):
            return None
        if kind == "manifests":
            return self.get_manifest(fault, repo, what)
        data = BLOBS.get(what)
        if data is None:
            return self.refuse(404, "BLOB_UNKNOWN", "no such blob")
        if fault in ("fromscratch", "denied", "atonce") and (repo, what) not in MANIFESTS:
            return self.refuse(404, "BLOB_UNKNOWN", "no such blob here")
        return self.get_blob(fault, repo, what, data)

    do_HEAD = do_GET

    def get_manifest(self, fault, repo, what):
        body = MANIFESTS.get((repo, what), MANIFEST)
        kind = OCI + "manifest.v1+json"
        if (repo, what) in MANIFESTS:
            body, kind = MANIFESTS[(repo, what)]
        if fault == "index" and not what.startswith("sha256:"):
            body, kind = INDEX, OCI + "index.v1+json"
        if fault == "foreign":
            body, kind = FOREIGN, OCI + "index.v1+json"
        if fault == "variants" and not what.startswith("sha256:"):
            body, kind = variants(*repo.split("/")[1].split("_")), OCI + "index.v1+json"
        if fault == "many":
            body = MANY
        if fault == "s401":
            return self.refuse(401, "UNAUTHORIZED", "go away", WWW_Authenticate='Basic realm="x"')
        if fault == "s403":
            return self.refuse(403, "DENIED", "not for you \x1b[2J")
        if fault == "s404":
            return self.refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if fault == "s429" and self.nth(repo) <= (1 if "once" in repo else 99):
            return self.refuse(429, "TOOMANYREQUESTS", "slow down",
                               Retry_After="1" if "once" in repo else "86400")
        if fault == "s500" and self.nth(repo) <= (2 if "twice" in repo else 99):
            return self.refuse(500, "UNKNOWN", "trouble")
        if fault == "nojson":
            body = b"<html>hello</html>"
        if fault == "hugemanifest":
            body = b" " * (5 << 20)
        if fault == "digestlie":
            return self.say(200, body, Content_Type=kind, Docker_Content_Digest=digest(b"x"))
        if fault == "hugehead":
            return self.say(200, body, **{"X_%d" % i: "y" * 4000 for i in range(100)})
        if fault == "nothttp":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.close_connection = True
            return None
        return self.say(200, body, Content_Type=kind, Docker_Content_Digest=digest(body))

    def part(self, data, fault):
        """What Range asks for: status, headers, bytes."""
        r = self.headers.get("Range", "")
        if not r.startswith("bytes=") or fault == "norange":
            return 200, {}, data
        at = int(r[6:].split("-")[0])
        if fault == "wrongrange":
            return 206, {"Content_Range": "bytes 0-%d/%d" % (len(data) - 1, len(data))}, data
        return 206, {"Content_Range": "bytes %d-%d/%d" % (at, len(data) - 1, len(data))}, data[at:]

    def get_blob(self, fault, repo, what, data):
        if what != ONE:
            return self.say(200, data)
        status, headers, rest = self.part(data, fault)
        half = rest[:len(rest) // 2]
        other = "http://%s" % (OTHER if OTHER and ":" in OTHER else "127.0.0.1:%s" % OTHER)
        if fault in ("die", "norange", "wrongrange") and self.nth(repo) <= 2 or fault == "diealways":
            self.send_response(status)
            self.send_header("Content-Length", str(len(rest)))
            for k, v in headers.items():
                self.send_header(k.replace("_", "-"), v)
            self.end_headers()
            self.wfile.write(half if fault != "diealways" else rest[:1000])
            return self.drop()
        if fault == "redirect":
            return self.say(307, Location="%s/elsewhere/%s" % (other, what))
        if fault == "thief":
            return self.say(307, Location="%s/thief/%s" % (other, what))
        if fault == "redirectself":
            return self.say(302, Location="/elsewhere/" + what)
        if fault == "redirectfile":
            return self.say(307, Location="file:///etc/passwd")
        if fault == "redirectgopher":
            return self.say(307, Location="gopher://127.0.0.1:1/_x")
        if fault == "redirectuser":
            return self.say(307, Location="http://a:b@127.0.0.1:%s/elsewhere/%s" % (OTHER, what))
        if fault == "loop":
            return self.say(307, Location="/loop/0")
        if fault == "long":
            return self.say(200, rest + b"more")
        if fault == "short":
            return self.say(200, half)
        if fault == "wrong":
            return self.say(200, bytes([rest[0] ^ 1]) + rest[1:])
        if fault == "badgzip":
            return self.say(200, b"\0" * len(rest))
        if fault == "endless":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                return None
        if fault == "loris":
            self.send_response(status)
            self.send_header("Content-Length", str(len(rest)))
            for k, v in headers.items():
                self.send_header(k.replace("_", "-"), v)
            self.end_headers()
            self.close_connection = True
            try:
                for b in rest:
                    self.wfile.write(bytes([b]))
                    time.sleep(0.2)
            except OSError:
                return None
        return self.say(status, rest, **headers)

    # ---- what it is given ----

    def met(self, what, n):
        """Have n such requests been under way at once?"""
        self.nth(what)
        for _ in range(300):
            with lock:
                if counts[what] >= n:
                    return True
            time.sleep(0.1)
        return False

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def do_POST(self):
        self.note()
        path, _, query = self.path.partition("?")
        if path == "/token":
            return self.token(query)
        self.body()
        words = path.split("/")
        repo = "/".join(words[2:-3])
        fault = words[2].split("-")[0]
        if not self.allowed(fault, repo):
            return None
        if fault == "denied":
            return self.refuse(403, "DENIED", "read only")
        if fault == "place":
            return self.say(202, Location="file:///tmp/x")
        ask = dict(x.split("=", 1) for x in query.split("&") if "=" in x)
        if "mount" in ask and ask["mount"] in BLOBS and fault != "nomount":
            MANIFESTS[(repo, ask["mount"])] = True
            return self.say(201, Location="/v2/%s/blobs/%s" % (repo, ask["mount"]))
        return self.say(202, Location="/v2/%s/blobs/uploads/%d?state=a%%2Fb" % (repo, self.nth("up")))

    def do_PUT(self):
        self.note()
        path, _, query = self.path.partition("?")
        words = path.split("/")
        fault = words[2].split("-")[0]
        if not self.allowed(fault, "/".join(words[2:-2])):
            return None
        if words[-2] == "manifests":
            data = self.body()
            MANIFESTS[("/".join(words[2:-2]), words[-1])] = (data, self.headers["Content-Type"])
            return self.say(201, Docker_Content_Digest=digest(data))
        if fault == "diepush" and self.nth("diepush") <= 2:
            self.rfile.read(10)
            return self.drop()
        if fault == "push500":
            self.body()
            return self.refuse(500, "UNKNOWN", "disk full")
        data = self.body()
        if fault == "atonce" and not self.met("/".join(words[2:-3]), 3):
            return self.refuse(500, "UNKNOWN", "they come one by one")
        ask = dict(x.split("=", 1) for x in query.split("&") if "=" in x)
        if digest(data) != ask.get("digest") or "state" not in ask:
            return self.refuse(400, "DIGEST_INVALID", "not what it says")
        BLOBS[digest(data)] = data
        MANIFESTS[("/".join(words[2:-3]), digest(data))] = True
        return self.say(201, Location=path)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


server = Server((os.environ.get("REGISTRY_BIND", "127.0.0.1"), 0), Handler)
if os.environ.get("REGISTRY_TLS"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*os.environ["REGISTRY_TLS"].split())
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
with open(DIR + "/image", "w") as out:
    out.write("manifest %s\nconfig %s %d\n" % (digest(MANIFEST), digest(CONFIG), len(CONFIG)))
    for raw, packed in LAYERS:
        out.write("layer %s %d %s\n" % (digest(packed), len(packed), digest(raw)))
with open(DIR + "/port.new", "w") as out:
    out.write("%d\n" % server.server_address[1])
os.rename(DIR + "/port.new", DIR + "/port")
server.serve_forever()
