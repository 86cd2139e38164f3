#!/usr/bin/python3
"""inside.py - network attempts from inside the sandbox: inside.py NAME[=A,B,...]...

Each prints one line "NAME=ARGS -> RESULT": what came back, or the symbolic errno.  Nothing is judged
here.  A word "&" between attempts makes no difference to them; "par" as the first word runs all at
once.
"""
import ctypes
import errno
import os
import socket
import ssl
import struct
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
ATTEMPTS = {}


def attempt(f):
    ATTEMPTS[f.__name__] = f
    return f


def word(e):
    if isinstance(e, socket.gaierror):
        return "no-name"
    if isinstance(e, TimeoutError):
        return "timeout"
    if isinstance(e, ssl.SSLError):
        return "tls:" + str(e.reason)
    return errno.errorcode.get(e.errno, type(e).__name__)


def dial(host, port, timeout=15):
    return socket.create_connection((host, int(port)), timeout=timeout)


def rest(s, most=1 << 20):
    data = b""
    while len(data) < most:
        more = s.recv(65536)
        if not more:
            break
        data += more
    return data


def shown(data):
    return repr(data)[1:] if data else "closed"


# ---- TCP, UDP, other sockets --------------------------------------------------------------------

@attempt
def tcp(host, port, send=""):
    with dial(host, port) as s:
        s.sendall(send.encode())
        return "open " + shown(s.recv(4096))


@attempt
def udp(host, port):
    """A datagram on a connected socket, then an answer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.connect((host, int(port)))
        s.send(b"x" * 32)
        try:
            return "answer " + shown(s.recv(4096))
        except TimeoutError:
            return "sent"


@attempt
def udp_to(host, port):
    """The same by sendto: the error comes at once or never."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        t = time.monotonic()
        try:
            s.sendto(b"x" * 32, (host, int(port)))
            return "sent"
        except OSError as e:
            return word(e) + (" at once" if time.monotonic() - t < 0.5 else " late")


@attempt
def sock(family, kind, proto):
    ctypes.set_errno(0)
    fd = libc.syscall(41, int(family), int(kind), int(proto))
    if fd < 0:
        return errno.errorcode.get(ctypes.get_errno())
    os.close(fd)
    return "open"


@attempt
def opt(level, name, value):
    """A socket option on a TCP socket, then a connection to a refused address."""
    with socket.socket() as s:
        s.settimeout(3)
        try:
            if value.isdigit():
                s.setsockopt(int(level), int(name), int(value))
            else:
                s.setsockopt(int(level), int(name), value.encode())
            r = "set"
        except OSError as e:
            r = word(e)
        try:
            s.connect(("8.8.8.8", 53))
            return r + " open"
        except OSError as e:
            return r + " " + word(e)


@attempt
def source(addr, host, port):
    """Connect from a source address that isn't ours."""
    with socket.socket() as s:
        s.settimeout(3)
        s.bind((addr, 0))
        s.connect((host, int(port)))
        return "open"


@attempt
def netlink(proto):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, int(proto)):
        return "open"


@attempt
def route_change(_=""):
    """RTM_NEWLINK: set lo down; RTM_NEWADDR is refused the same way."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        msg = struct.pack("=BxHiII", 0, 0, 1, 0, 1)
        s.send(struct.pack("=IHHII", 16 + len(msg), 16, 5, 1, 0) + msg)
        return errno.errorcode.get(-struct.unpack("=i", s.recv(4096)[16:20])[0], "done")


@attempt
def listen(addr, port, seconds):
    with socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET) as s:
        s.bind((addr, int(port)))
        s.listen()
        print("listening", flush=True)
        s.settimeout(float(seconds))
        s.accept()
        return "somebody came"


@attempt
def same_port(a, b, port):
    """Two connections from one source port, to two addresses."""
    out = []
    for name in (a, b):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.settimeout(5)
            s.bind(("127.0.0.1", 34567))
            s.connect((socket.gethostbyname(name), int(port)))
            s.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
            out.append(s.recv(4096).split(b"\r\n")[0].decode())
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return " | ".join(out)


def bound(addr, port):
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.settimeout(10)
    s.bind((addr, port))
    return s


def over(s, name, port=80):
    """The status of an answer over this socket."""
    s.connect((socket.gethostbyname(name), port))
    s.sendall(request(name))
    return status(answer(s))


@attempt
def own_listeners(name):
    """Servers of ours on the port and the addresses that a connection to the name goes to, while one
    is open; then more, from sources of all kinds."""
    addr = socket.gethostbyname(name)
    with socket.socket() as first:
        out = {over(first, name)}
        own = [bound(a, 80) for a in (addr, "0.0.0.0", "::", "127.0.0.1")]
        for s in own:
            s.listen()
        for source in ("0.0.0.0", addr, "198.18.200.200", "9.9.9.9", "127.9.9.9"):
            with bound(source, 0) as s:
                out.add(over(s, name))
    got = 0
    for s in own:
        s.setblocking(False)
        try:
            s.accept()
            got += 1
        except BlockingIOError:
            pass
    return " | ".join(sorted(out)) + f", {got} came to us"


@attempt
def own_ends(name):
    """Connections of ours that have the ends of one to the name, before that one is made: open,
    ended, and half made from both sides."""
    addr = socket.gethostbyname(name)
    out = []
    with bound("127.0.0.1", 6000) as server:
        server.listen()
        ours = bound(addr, 80)
        ours.connect(("127.0.0.1", 6000))
        theirs = server.accept()[0]
    with bound("127.0.0.1", 6000) as s:
        out.append(tries(lambda: over(s, name)))
    ours.close()  # first, so that the name's end is the one that waits
    theirs.recv(1)
    theirs.close()
    with bound("127.0.0.1", 6000) as s:
        out.append(tries(lambda: over(s, name)))
    with bound(addr, 80) as a, bound("127.0.0.1", 6001) as b:
        a.setblocking(False)
        tries(lambda: a.connect(("127.0.0.1", 6001)))
        out.append(tries(lambda: over(b, name)))
    with bound(addr, 80) as s:  # to itself
        out.append(tries(lambda: over(s, name)))
    return " | ".join(out)


# ---- HTTP ---------------------------------------------------------------------------------------

def request(host, path="/", extra=""):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode()


def status(data):
    """Status line and body of every answer in data."""
    text = data.decode(errors="replace")
    out = []
    while text.startswith("HTTP/1."):
        head, _, text = text.partition("\r\n\r\n")
        n = 0
        for line in head.split("\r\n"):
            if line.lower().startswith("content-length:"):
                n = int(line.split(":")[1])
        out.append(head.split("\r\n")[0][9:] + ": " + text[:n].strip().replace("\n", " / "))
        text = text[n:]
    return " | ".join(out) or "closed"


def answer(s):
    """One whole answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(4096)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                more = s.recv(4096)
                if not more:
                    break
                body += more
    return head + b"\r\n\r\n" + body


def tries(f):
    try:
        return f()
    except OSError as e:
        return word(e)


@attempt
def http(name, host=None, port="80", path="/"):
    with dial(name, port) as s:
        s.sendall(request(host or name, path))
        return status(answer(s))


@attempt
def http_raw(name, text):
    """text: escapes are read; %2c is a comma"""
    with dial(name, 80) as s:
        s.sendall(text.replace("%2c", ",").encode().decode("unicode_escape").encode("latin-1"))
        return status(answer(s))


@attempt
def http_again(name, second, how):
    """A kept-alive connection: the second request names another host, sent later or at once."""
    with dial(name, 80) as s:
        if how == "pipelined":
            s.sendall(request(name) + request(second, "/stolen"))
            out = [status(answer(s))]
        else:
            s.sendall(request(name))
            out = [status(answer(s))]
            s.sendall(request(second, "/stolen"))
        out.append(tries(lambda: status(answer(s))))
        return " | ".join(out)


@attempt
def websocket(name):
    with dial(name, 80) as s:
        s.sendall(request(name, "/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\n"))
        head = answer(s).split(b"\r\n")[0].decode()
        s.sendall(b"\x82\x05GET /")
        return head + " " + shown(s.recv(100))


@attempt
def sse(name):
    """Events must come as they are sent, not all at the end."""
    with dial(name, 80) as s:
        s.sendall(request(name, "/sse"))
        times, data = [], b""
        while b"data: 4" not in data:
            more = s.recv(4096)
            if not more:
                break
            data += more
            times.append(time.monotonic())
        spread = times[-1] - times[0]
        return f"{data.count(b'data: ')} events " + ("in time" if spread > 0.4 else "at once")


@attempt
def upload(name, mib, port="80"):
    n = int(mib) << 20
    with dial(name, port, 120) as s:
        if port == "80":
            s.sendall(f"POST /u HTTP/1.1\r\nHost: {name}\r\nContent-Length: {n}\r\n\r\n".encode())
        block = bytes(1 << 20)
        for _ in range(int(mib)):
            s.sendall(block)
        if port == "80":
            return status(answer(s))
        s.shutdown(socket.SHUT_WR)
        return rest(s).decode()


# ---- TLS ----------------------------------------------------------------------------------------

def context():
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    return ctx


@attempt
def tls(name, sni=None, port="443", host=None):
    with dial(name, port) as raw:
        sni = name if sni is None else sni
        with context().wrap_socket(raw, server_hostname=sni or None) as s:
            s.sendall(request(host or name))
            return status(answer(s))


@attempt
def tls_resume(name, other):
    """A session of an allowed name, taken up again under another."""
    ctx = context()
    ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    with dial(name, 443) as raw, ctx.wrap_socket(raw, server_hostname=name) as s:
        s.sendall(request(name))
        answer(s)
        session = s.session
    with dial(name, 443) as raw, ctx.wrap_socket(raw, server_hostname=name, session=session) as s:
        first = "resumed" if s.session_reused else "new"
    def again():
        with dial(name, 443) as raw, \
                ctx.wrap_socket(raw, server_hostname=other, session=session):
            return "open"
    return first + " " + tries(again)


def client_hello(sni, big=0):
    ctx = context()
    if big:
        ctx.set_alpn_protocols(["x" * 250] * (big // 251))
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = ctx.wrap_bio(a, b, server_hostname=sni)
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return b.read()


def alert_or_hello(s):
    data = s.recv(5)
    if len(data) < 5:
        return shown(data)
    body = s.recv(data[3] << 8 | data[4])
    if data[0] == 21:
        return f"alert {body[1]}"
    return "server hello" if data[0] == 22 else shown(data)


@attempt
def hello(name, sni, how):
    """The raw ClientHello: whole, bytes (one at a time), records (one a byte of it), big, cut."""
    first = client_hello(sni, 20000 if how == "big" else 0)
    if how == "records":
        body = first[5:]
        first = b"".join(b"\x16\x03\x01\0\1" + body[i:i + 1] for i in range(len(body)))
    with dial(name, 443, 30) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        t = time.monotonic()
        if how == "bytes":
            for i in range(len(first)):
                s.send(first[i:i + 1])
        elif how == "cut":
            s.sendall(first[:40])
        elif how == "slow":  # a byte a second, for ever
            try:
                for i in range(40):
                    s.send(first[i:i + 1])
                    time.sleep(1)
            except OSError as e:
                return word(e) + f" after {time.monotonic() - t:.0f} s"
        else:
            s.sendall(first)
        r = tries(lambda: alert_or_hello(s))
        if how in ("cut", "slow"):
            r += f" after {time.monotonic() - t:.0f} s"
        return r


def vec(size, data):
    return len(data).to_bytes(size, "big") + data


def sni_ext(*names, kind=0):
    return b"\0\0" + vec(2, vec(2, b"".join(bytes([kind]) + vec(2, n) for n in names)))


def hello_bytes(exts, version=b"\3\3"):
    """The handshake message of a ClientHello; exts None: as TLS 1.0 clients sent it, without any."""
    body = version + bytes(32) + vec(1, b"") + vec(2, b"\xc0\x2b\0\xff") + vec(1, b"\0")
    if exts is not None:
        body += vec(2, exts)
    return b"\1" + vec(3, body)


def record(data, kind=22):
    return bytes([kind, 3, 1]) + vec(2, data)


@attempt
def odd_hello(name, other, how):
    """A ClientHello by hand: name is where the connection goes, other what it should not get to."""
    n, o = name.encode(), other.encode()
    good = hello_bytes(sni_ext(n))
    forms = {
        "plain": record(good),
        "dot": record(hello_bytes(sni_ext(n + b"."))),
        "case": record(hello_bytes(sni_ext(n.upper()))),
        "none": record(hello_bytes(None, b"\3\1")),
        "no_sni": record(hello_bytes(b"\0\x0b\0\2\1\0")),
        "sslv2": b"\x80\x2e\1\3\1\0\x15\0\0\0\x10" + bytes(37),
        "ssl3": record(hello_bytes(None, b"\3\0")),
        "twice": record(hello_bytes(sni_ext(n) + sni_ext(o))),
        "twice_other": record(hello_bytes(sni_ext(o) + sni_ext(n))),
        "two_names": record(hello_bytes(sni_ext(n, o))),
        "other_kind": record(hello_bytes(sni_ext(n, kind=1))),
        "empty": record(hello_bytes(sni_ext(b""))),
        "empty_list": record(hello_bytes(b"\0\0\0\2\0\0")),
        "nul": record(hello_bytes(sni_ext(n + b"\0." + o))),
        "nul_end": record(hello_bytes(sni_ext(n + b"\0"))),
        "crlf": record(hello_bytes(sni_ext(n + b"\r\n"))),
        "dots": record(hello_bytes(sni_ext(n + b".."))),
        "sub": record(hello_bytes(sni_ext(b"x." + n))),
        "address": record(hello_bytes(sni_ext(b"93.184.216.34"))),
        "utf8": record(hello_bytes(sni_ext("o\u212a.example".encode()))),
        "long": record(hello_bytes(sni_ext(b"a" * 300))),
        "esni": record(hello_bytes(b"\xff\xce" + vec(2, bytes(64)))),
        "ech_alone": record(hello_bytes(b"\xfe\x0d" + vec(2, bytes(64)))),
        "short_vec": record(hello_bytes(sni_ext(n)[:-1])),
        "trailing": record(b"\1" + vec(3, good[4:] + b"\0\0")),
        "ccs_first": record(b"\1", 20) + record(good),
        "alert_between": record(good[:20]) + record(b"\1\0", 21) + record(good[20:]),
        "data_between": record(good[:20]) + record(good[20:], 23),
        "empty_record": record(b"") + record(good),
        "header_cut": record(good[:1]) + record(good[1:3]) + record(good[3:]),
        "server_hello": record(b"\2" + good[1:]),
        "hello_request": record(b"\0\0\0\0") + record(good),
        "other_first": record(hello_bytes(sni_ext(o))) + record(good),
        "http": b"GET / HTTP/1.1\r\nHost: " + n + b"\r\n\r\n",
        "proxy": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 443\r\n" + record(good),
        "starttls": b"EHLO x\r\n",
    }
    with dial(name, 443) as s:
        s.sendall(forms[how])
        return tries(lambda: alert_or_hello(s))


@attempt
def fastopen(host, port, text):
    """Data with the SYN, by the call that connects."""
    with socket.socket() as s:
        s.sendto(text.encode().decode("unicode_escape").encode(), socket.MSG_FASTOPEN,
                 (socket.gethostbyname(host), int(port)))
        s.settimeout(5)
        return "open " + shown(s.recv(100))


@attempt
def source_route(first, last, port):
    """Loose source routing over a hop that would be let through."""
    with socket.socket() as s:
        s.settimeout(3)
        try:
            hops = b"".join(socket.inet_aton(a) for a in (first, last))
            s.setsockopt(socket.IPPROTO_IP, 4, b"\1\x83" + bytes([3 + len(hops), 4]) + hops)
        except OSError as e:
            return "option " + word(e)
        s.connect((last, int(port)))
        return "open"


@attempt
def urgent(name):
    """A request with a byte out of band in it: in order or not at all."""
    with dial(name, 80) as s:
        r = request(name)
        s.sendall(r[:5])
        s.send(b"!", socket.MSG_OOB)
        s.sendall(r[5:])
        return status(answer(s))


@attempt
def urgent_between(name, n):
    """A request whose end comes later, a byte out of band, and another request, n times."""
    for i in range(int(n)):
        with dial(name, 80) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            r = request(name)
            s.sendall(r[:-2])
            time.sleep(0.002)
            s.sendall(r[-2:])
            s.send(b"!", socket.MSG_OOB)
            s.sendall(r)
            got = b""
            while got.count(b"200 OK") < 2:
                more = tries(lambda: s.recv(4096))
                if not more or isinstance(more, str):
                    return f"round {i}: {more or 'closed'} behind {status(got)}"
                got += more
    return "all answered"


@attempt
def kill_everybody(_=""):
    n = 0
    for pid in range(2, 70000):
        if pid in (os.getpid(), os.getppid()):
            continue
        try:
            os.kill(pid, 9)
            n += 1
        except OSError:
            pass
    return f"killed {n}"


@attempt
def early(name, port, sni):
    """Data right behind the ClientHello of a name that isn't to be reached by this connection."""
    with dial(name, port) as s:
        s.sendall(client_hello(sni) + b"GET /early HTTP/1.1\r\n\r\n")
        return tries(lambda: alert_or_hello(s))


# ---- relaying -----------------------------------------------------------------------------------

@attempt
def half_close(name, port):
    with dial(name, port) as s:
        s.sendall(b"abc")
        s.shutdown(socket.SHUT_WR)
        return shown(rest(s))


@attempt
def late(name, port):
    """The server ends its side first; we send afterwards."""
    with dial(name, port) as s:
        first = rest(s)
        time.sleep(0.2)
        s.sendall(b"sent afterwards")
        s.shutdown(socket.SHUT_WR)
        return shown(first)


@attempt
def nothing(name, port):
    with dial(name, port) as s:
        s.shutdown(socket.SHUT_WR)
        return shown(rest(s))


@attempt
def half_open(name, port, n):
    """n connections that say nothing, then one that does."""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    addr = socket.gethostbyname(name)
    held, failed = [], 0
    for _ in range(int(n)):
        s = socket.socket()
        s.setblocking(False)
        try:
            s.connect((addr, int(port)))
        except BlockingIOError:
            pass
        except OSError:
            failed += 1
        held.append(s)
    print(f"holding {len(held)} failed {failed}", flush=True)
    time.sleep(1)
    return http(name)


@attempt
def never_reads(name, n):
    held = []
    for _ in range(int(n)):
        s = dial(name, 80)
        s.sendall(request(name, "/endless"))
        held.append(s)
    time.sleep(2)
    print(f"holding {len(held)}", flush=True)
    time.sleep(1)
    return http(name)


@attempt
def short(name, port, n):
    """n connections, each closed by us first, by four threads."""
    addr = (socket.gethostbyname(name), int(port))
    bad = []

    def run(k):
        for _ in range(k):
            try:
                s = socket.create_connection(addr, timeout=10)
                if s.recv(1) != b"x":
                    bad.append("short")
                s.close()
            except OSError as e:
                bad.append(word(e))
    threads = [threading.Thread(target=run, args=(int(n) // 4,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return f"{int(n) - len(bad)} good, {len(bad)} bad {sorted(set(bad))}"


# ---- names --------------------------------------------------------------------------------------

TYPES = {"A": 1, "NS": 2, "SOA": 6, "NULL": 10, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
         "NAPTR": 35, "SVCB": 64, "HTTPS": 65, "AXFR": 252, "ANY": 255, "CAA": 257}


def question(name, qtype, qid=7, flags=0x0100, qd=1, ar=0):
    q = struct.pack("!HHHHHH", qid, flags, qd, 0, 0, ar)
    for label in name.split("."):
        q += bytes([len(label) & 63]) + label.encode("latin-1")
    return q + b"\0" + struct.pack("!HH", qtype, 1)


def dns_shown(a):
    rcode, an = a[3] & 15, struct.unpack("!H", a[6:8])[0]
    addr = " " + socket.inet_ntoa(a[-4:]) if an and len(a) > 16 else ""
    return ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"][rcode] + f" {an}" + addr


def ask(q, server="127.0.0.53", timeout=2):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect((server, 53))
        s.send(q)
        return s.recv(4096)


@attempt
def dns(name, qtype="A", server="127.0.0.53"):
    return dns_shown(ask(question(name, TYPES[qtype]), server))


@attempt
def dns_label(text):
    """A name given by its labels, in hexadecimal, with dots between."""
    labels = [bytes.fromhex(x) for x in text.split(".")]
    q = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    q += b"".join(bytes([len(x)]) + x for x in labels) + b"\0" + struct.pack("!HH", 1, 1)
    return dns_shown(ask(q))


@attempt
def dns_tcp(name, qtype="A", n="1"):
    """n questions at once on one connection."""
    with dial("127.0.0.53", 53) as s:
        q = question(name, TYPES[qtype])
        s.sendall((struct.pack("!H", len(q)) + q) * int(n))
        out = []
        for _ in range(int(n)):
            size, = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))
            out.append(dns_shown(s.recv(size, socket.MSG_WAITALL)))
        return " | ".join(out)


@attempt
def dns_tcp_hold(name, n):
    """n silent connections to the name server, one that only writes, then a question."""
    held = [dial("127.0.0.53", 53) for _ in range(int(n))]
    deaf = dial("127.0.0.53", 53, 3)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    q = question(name, 1)
    try:
        for _ in range(2000):
            deaf.sendall((struct.pack("!H", len(q)) + q) * 20)
    except OSError:
        pass
    return f"{len(held)} held, " + dns_tcp(name)


@attempt
def dns_broken(_=""):
    """Malformed messages; the name server must go on answering."""
    head = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    tail = struct.pack("!HH", 1, 1)
    good = question("ok.example", 1)
    cases = [head + b"\xc0\x0c" + tail, head + b"\xc0\xff" + tail, head + b"\x03ab", head, good[:-1],
             b"", b"\0", question("ok.example", 1, qd=0), question("ok.example", 1, qd=2),
             question("ok.example", 1, flags=0x2100), question("ok.example", 1, flags=0x8180),
             head + b"\x40a\0" + tail, good + b"\0" * 500, question("ok.example", 1, ar=65535),
             good + bytes.fromhex("0000290000000000000000"), os.urandom(100), os.urandom(1000)]
    out = []
    for q in cases:
        try:
            out.append(dns_shown(ask(q, timeout=0.2)).replace(" ", ":"))
        except TimeoutError:
            out.append("silence")
    with dial("127.0.0.53", 53) as s:
        s.sendall(b"\xff\xff" + b"x" * 2000)
        out.append("tcp:" + tries(lambda: shown(s.recv(10))))
    return " ".join(out) + " then " + dns_shown(ask(good))


@attempt
def flood(n, suffix):
    """n questions for as many names; how many were answered with an address."""
    good = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.53", 53))
        s.settimeout(0.05)
        for i in range(int(n)):
            s.send(question(f"n{i}.{suffix}", 1, i & 0xffff))
            try:
                good += s.recv(600)[7]
            except TimeoutError:
                pass
    return f"{good} addresses"


@attempt
def resolve(name):
    return socket.gethostbyname(name)


@attempt
def getaddrinfo(name, family):
    """Where a client of that family looks, and in which order."""
    return " ".join(a[4][0] for a in socket.getaddrinfo(name, 80, int(family), socket.SOCK_STREAM))


def run_one(w):
    name, _, args = w.partition("=")
    try:
        r = ATTEMPTS[name](*args.split(",")) if args else ATTEMPTS[name]()
    except OSError as e:
        r = word(e)
    except Exception as e:  # a failed attempt must not hide the others
        r = f"broken {e!r}"
    sys.stdout.write(f"{w} -> {r}\n")
    sys.stdout.flush()


words = sys.argv[1:]
if words and words[0] == "par":
    pool = [threading.Thread(target=run_one, args=(w,)) for w in words[1:]]
    for p in pool:
        p.start()
    for p in pool:
        p.join()
else:
    for w in words:
        run_one(w)
