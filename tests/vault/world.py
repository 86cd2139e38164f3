# world.py - the supervisor's part, an agent's and an upstream's, for the tests of the vault.
#
# World starts bawn-vault and bawn-front as the supervisor does, hands them descriptors, and keeps
# what they tell. Upstream is a TLS server that keeps every byte it got and answers by a function.
import array
import os
import resource
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

BUILD = os.environ["BAWN_BUILDDIR"]
MAGIC = 0x62767431
FLOW, READY, RENEW, EVENT = 1, 2, 3, 4
SECRET = "sk-REAL-" + os.urandom(12).hex()
PLACEHOLDER = "sk-placeholder-0000000000000000"
NAME = "api.example"
WHY = ["", "tls", "malformed", "host", "rule", "budget", "untrusted", "upstream", "limit",
       "requests"]
ANY = 2**64 - 1


# ---- a configuration, as policy/request-table.c and vault/config-put.c write it -----------------

def rec(tag, data):
    return struct.pack("=II", tag, len(data)) + data + bytes(-len(data) % 8)


def text(tag, s):
    return rec(tag, s.encode() + b"\0")


def credential(secret=SECRET, header="authorization", before="Bearer ", after="", basic=None,
               hosts=((NAME, 443),), always=False, kind=0, requests=(), placeholder=PLACEHOLDER):
    c = text(1, "test") + text(2, header) + text(3, before) + text(4, after)
    if basic:
        c += text(5, basic)
    c += text(7, "sk-{20}") + text(8, "test.yaml") + rec(10, struct.pack("=II", always, 1))
    for name, port in hosts:
        c += text(9, name) + rec(11, struct.pack("=II", kind, port))
    for r in requests:
        c += rec(14, r)
    return rec(1, c) + rec(2, secret.encode()) + text(3, placeholder)


def rule(path="/**", methods="", name=NAME, deny=False, plain=False, most=ANY, number=7):
    return rec(4, request(path, methods, name, deny, plain, most, number))


def request(path="/**", methods="", name=NAME, deny=False, plain=False, most=ANY, number=7):
    """What a rule holds; a credential's requests are such."""
    r = text(1, name) + text(12, methods) + text(13, path) + rec(11, b"")
    return r + rec(10, struct.pack("=QIIII", most, 0, number, deny, plain))


# ---- certificates -------------------------------------------------------------------------------

class Authority:
    """A throw-away one, made by openssl."""

    def __init__(self, d, cn="test authority"):
        self.d = d
        self.key, self.cert = d + "/ca.key", d + "/ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "2", "-subj",
                     "/CN=" + cn)

    def openssl(self, *a):
        subprocess.run(["openssl", *a], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def leaf(self, name, days=1):
        base = f"{self.d}/{name}.{days}"
        if not os.path.exists(base + ".pem"):
            with open(base + ".ext", "w") as f:
                f.write(f"subjectAltName=DNS:{name}\n")
            self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                         "-keyout", base + ".key", "-out", base + ".csr", "-subj", "/CN=" + name)
            when = ["-days", str(days)]
            self.openssl("x509", "-req", "-in", base + ".csr", "-CA", self.cert, "-CAkey",
                         self.key, "-CAcreateserial", "-out", base + ".pem", *when, "-extfile",
                         base + ".ext")
        return base + ".pem", base + ".key"


# ---- an upstream --------------------------------------------------------------------------------

class Upstream:
    """answer(conn) is called with each connection; conn.got keeps what came."""

    def __init__(self, answer, cert=None, raw=False, sealed=False):
        self.sealed = sealed
        self.answer, self.raw, self.got, self.conns = answer, raw, bytearray(), 0
        self.ctx = None
        if cert:
            self.ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.ctx.load_cert_chain(*cert)
            self.ctx.set_alpn_protocols(["http/1.1"])
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            c, _ = self.sock.accept()
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.conns += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            if self.sealed:
                c = Sealed(c, self.ctx)
            elif self.ctx and not self.raw:
                c = self.ctx.wrap_socket(c, server_side=True)
            self.answer(Conn(c, self))
        except (OSError, EOFError):
            pass
        finally:
            c.close()


class Conn:
    def __init__(self, sock, up=None):
        self.sock, self.up, self.buf = sock, up, b""

    def more(self):
        d = self.sock.recv(65536)
        if not d:
            raise EOFError
        if self.up and len(self.up.got) < 1 << 20:
            self.up.got += d
        self.buf += d

    def until(self, end):
        while end not in self.buf:
            self.more()
        at = self.buf.index(end) + len(end)
        r, self.buf = self.buf[:at], self.buf[at:]
        return r

    def take(self, n):
        while len(self.buf) < n:
            self.more()
        r, self.buf = self.buf[:n], self.buf[n:]
        return r

    def send(self, d):
        self.sock.sendall(d if isinstance(d, bytes) else d.encode())

    def chunks(self):
        out = b""
        while True:
            n = int(self.until(b"\r\n").split(b";")[0], 16)
            if n == 0:
                out_trailer = b""
                while (line := self.until(b"\r\n")) != b"\r\n":
                    out_trailer += line
                self.trailer = out_trailer
                return out
            out += self.take(n)
            assert self.take(2) == b"\r\n"

    def message(self, head_only=False):
        """(first line, fields, body) of a request or a response."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        f = {}
        for line in lines[1:]:
            if line:
                k, v = line.split(": ", 1)
                assert k.lower() not in f or k.lower() in ("set-cookie", "x-many"), k
                f[k.lower()] = v
        body = b""
        if head_only or lines[0].startswith(("HTTP/1.1 1", "HTTP/1.1 204", "HTTP/1.1 304")):
            pass
        elif f.get("transfer-encoding") == "chunked":
            body = self.chunks()
        else:
            body = self.take(int(f.get("content-length", 0)))
        return lines[0], f, body


class Sealed:
    """TLS by hand: what is written is kept, so that many records leave in one piece."""

    def __init__(self, sock, ctx, name=None):
        self.sock, self.into, self.out = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = ctx.wrap_bio(self.into, self.out, server_side=name is None,
                                server_hostname=name)
        self.wait(self.tls.do_handshake)

    def wait(self, what, *a):
        while True:
            try:
                r = what(*a)
                self.flush()
                return r
            except ssl.SSLWantReadError:
                self.flush()
                d = self.sock.recv(1 << 20)
                if not d:
                    raise EOFError from None
                self.into.write(d)

    def write(self, d, size):
        """As records of so many bytes each."""
        for at in range(0, len(d), size):
            self.tls.write(d[at:at + size])

    def flush(self):
        if d := self.out.read():
            self.sock.sendall(d)

    def recv(self, n):
        return self.wait(self.tls.read, n)

    def sendall(self, d):
        self.write(d, 16384)
        self.flush()

    def close(self):
        self.sock.close()


def ok(c, body=b"ok", more=""):
    c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)


def echo(c):
    """Says back the whole request, head and body, for ever."""
    while True:
        first, f, body = c.message()
        head = first + "\r\n" + "".join(f"{k}: {v}\r\n" for k, v in f.items())
        ok(c, head.encode() + b"\r\n" + body)


# ---- the supervisor -----------------------------------------------------------------------------

class World:
    def __init__(self, config, ca=None, trust=None, preload=None, files=None):
        self.d = tempfile.mkdtemp(dir=os.environ.get("T"))
        self.ca = ca or Authority(self.d)
        self.trust = trust or self.ca.cert
        self.config = config if isinstance(config, bytes) else b"".join(config)
        self.events, self.resume, self.flows = [], -1, 0
        self.files = files
        self.preload = {}
        if preload:
            self.preload = {"LD_PRELOAD": f"{BUILD}/tests/vault/{preload}",
                            "BAWN_TEST_CLOCK": self.d + "/clock"}
        self.ahead(0)
        self.start_vault()
        self.start_front()

    def ahead(self, seconds):
        """The helpers' clock goes so much ahead, with clock.so."""
        with open(self.d + "/clock", "r+b" if os.path.exists(self.d + "/clock") else "wb") as f:
            f.write(struct.pack("=q", seconds))

    def memfd(self, data):
        fd = os.memfd_create("config")
        os.write(fd, data)
        return fd

    def spawn(self, program, sock, fds, env):
        def place():
            high = [os.dup(f) if f >= 0 else os.open("/dev/null", os.O_RDONLY)
                    for f in [sock.fileno(), *fds]]
            moved = [os.dup2(f, 100 + i) for i, f in enumerate(high)]
            for i, f in enumerate(moved):
                os.dup2(f, 3 + i)
            if self.files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, self.files))
        return subprocess.Popen([f"{BUILD}/{program}"], env=env, close_fds=False,
                                preexec_fn=place, stdin=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def start_vault(self):
        self.vault_sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        conf = self.memfd(self.config)
        self.vault = self.spawn("bawn-vault", theirs, [conf, self.resume],
                                {"SSL_CERT_FILE": self.trust, **self.preload})
        theirs.close()
        os.close(conf)
        self.vault_sock.settimeout(10)
        data, anc, _, _ = self.vault_sock.recvmsg(4096, socket.CMSG_SPACE(8))
        if not data:
            raise RuntimeError(self.vault.stderr.read().decode())
        assert struct.unpack_from("=II", data) == (MAGIC, READY)
        fds = array.array("i")
        fds.frombytes(anc[0][2][:8])
        self.cert = os.pread(fds[0], 65536, 0).decode()
        self.resume = fds[1]
        self.listen(self.vault_sock)

    def start_front(self):
        self.front_sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.front = self.spawn("bawn-front", theirs, [], self.preload)
        theirs.close()
        self.listen(self.front_sock)

    def listen(self, sock):
        def run():
            sock.settimeout(None)
            try:
                while d := sock.recv(16384):
                    for m in struct.iter_unpack("=IIIIHBBIQ24s256s256s", d):
                        s = [x.split(b"\0")[0].decode() for x in m[9:]]
                        assert m[0] == MAGIC and m[1] == EVENT
                        self.events.append({"flow": m[2], "rule": m[3], "status": m[4],
                                            "why": WHY[m[5]], "injected": bool(m[6]),
                                            "up": m[8], "method": s[0], "path": s[1],
                                            "text": s[2]})
            except OSError:
                pass
        threading.Thread(target=run, daemon=True).start()

    def event(self, **want):
        for _ in range(100):
            for e in self.events:
                if all(e[k] == v for k, v in want.items()):
                    return e
            time.sleep(0.05)
        raise AssertionError(f"no event {want} in {self.events}")

    def flow(self, up, name=NAME, port=443, spent=0):
        """One connection's descriptors, dealt out; the agent's end comes back."""
        self.flows += 1
        tcp = up if isinstance(up, socket.socket) else socket.create_connection(
            ("127.0.0.1", up.port))
        a0, a1 = socket.socketpair()
        l0, l1 = socket.socketpair()
        m = struct.pack("=IIIHHQ256s", MAGIC, FLOW, self.flows, port, 0, spent, name.encode())
        socket.send_fds(self.vault_sock, [m], [l1.fileno(), tcp.fileno()])
        socket.send_fds(self.front_sock, [m], [a1.fileno(), l0.fileno()])
        for s in (a1, l0, l1, tcp):
            s.close()
        a0.settimeout(20)
        return a0

    def agent_context(self):
        c = ssl.create_default_context(cadata=self.cert)
        c.set_alpn_protocols(["http/1.1"])
        return c

    def agent(self, up, name=NAME, sni=None, **kw):
        s = self.agent_context().wrap_socket(self.flow(up, name, **kw),
                                             server_hostname=sni or name)
        return Conn(s)

    def ask(self, c, request, head_only=False):
        c.send(request)
        return c.message(head_only)

    def end(self):
        for p, s in ((self.vault, self.vault_sock), (self.front, self.front_sock)):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            assert p.wait(5) is not None


def get(path="/", more="", host=NAME, method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()
