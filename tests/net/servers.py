#!/usr/bin/python3
"""servers.py - the listeners of the network tests: servers.py internet|host DIR (started by world).

Every line of DIR/NAME.log is something that came: dns.log (questions), tcp.log (connections: port,
destination), http.log (requests), tls.log (SNI), packets.log (every packet that entered the
internet), canary.log (connections to the host's own listeners), proxy.log (CONNECT).
"""
import base64
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

MODE, DIR = sys.argv[1:3]
PUBLIC = "93.184.216.34"
# What the name server answers: A, AAAA; anything else below .example is PUBLIC.
ZONE = {
    "six.example": ([], ["2600:80::1"]),
    "both.example": ([PUBLIC], ["2600:80::1"]),
    "broken6.example": ([PUBLIC], ["2001:db8::dead"]),
    "loop.example": (["127.0.0.1"], []),
    "ten.example": (["10.1.2.3"], []),
    "lan.example": (["10.77.0.1"], []),
    "meta.example": (["169.254.169.254"], []),
    "alibaba.example": (["100.100.100.200"], []),
    "azure.example": (["168.63.129.16"], []),
    "aws6.example": ([], ["fd00:ec2::254"]),
    "own.example": (["45.0.0.2"], []),
    "own6.example": ([], ["2600:45::2"]),
    "routed.example": (["47.0.0.9"], []),
    "routed6.example": ([], ["2600:47::9"]),
    # the host's neighbours, by the public addresses of their network
    "near.example": (["45.0.0.1"], []),
    "near6.example": ([], ["2600:45::1"]),
    "near-mixed.example": (["45.0.0.1", PUBLIC], ["2600:45::77"]),
    "loop6.example": ([], ["::1"]),
    "link6.example": ([], ["fe80::1"]),
    "mapped.example": ([], ["::ffff:127.0.0.1"]),
    "nat64.example": ([], ["64:ff9b::7f00:1"]),
    "sixtofour.example": ([], ["2002:7f00:1::1"]),
    "eks.example": (["169.254.170.23"], []),
    "oracle.example": (["192.0.0.192"], []),
    "eks6.example": ([], ["fd00:ec2::23"]),
    "gcp6.example": ([], ["fd20:ce::254"]),
    "meta64.example": ([], ["64:ff9b::a9fe:a9fe"]),
    "meta6to4.example": ([], ["2002:a9fe:a9fe::1"]),
    "printer.lan": (["10.77.0.1"], []),
    "zero.example": (["0.0.0.0"], []),
    "mixed.example": (["10.1.2.3", PUBLIC, "127.0.0.1"], ["::1"]),
    "none.example": ([], []),
    "metadata.google.internal": (["169.254.169.254"], []),
}
# Where a name leads by aliases, and what the last of them has.
ALIASES = {
    "alias.example": ["one.alias.example", "two.alias.example", "10.1.2.3"],
    "alias-meta.example": ["x.other-zone.test", "169.254.169.254"],
    "alias-good.example": ["y.other-zone.test", PUBLIC],
    "alias-loop.example": ["alias-loop.example"],
    "alias-open.example": ["nobody.test"],
}
flips = {"flip.example": 0}
lock = threading.Lock()
contexts = []  # one, so that sessions can be taken up again


def log(name, line):
    with lock, open(f"{DIR}/{name}.log", "a", encoding="utf-8") as f:
        f.write(line + "\n")


def thread(f, *args):
    threading.Thread(target=f, args=args, daemon=True).start()


# ---- name server --------------------------------------------------------------------------------

def wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def alias_answer(q, end, qtype, chain):
    rr, n, owner = b"", 0, b"\xc0\x0c"
    for to in chain:
        if to[0].isdigit():
            if qtype != 1:
                break
            kind, data = 1, socket.inet_aton(to)
        else:
            kind, data = 5, wire(to)
        rr += owner + struct.pack("!HHIH", kind, 1, 0, len(data)) + data
        owner = data
        n += 1
    return q[:2] + struct.pack("!HHHHH", 0x8180, 1, n, 0, 0) + q[12:end] + rr


def hostile_answer(q, end, name):
    """What a broken or hostile server sends; None: nothing of the kind."""
    good = q[12:end] + struct.pack("!HHHIH", 0xc00c, 1, 1, 0, 4) + socket.inet_aton(PUBLIC)
    return {
        "wrong-id.example": b"\xff\xfe" + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + good,
        "wrong-name.example": q[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + wire("ok.example") +
        q[end - 4:end] + good[end - 12:],
        "pointer-loop.example": q[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + q[12:end] +
        b"\xc0" + bytes([end]) + bytes(14),
        "cut.example": q[:2] + struct.pack("!HHHHH", 0x8180, 1, 9, 0, 0) + good,
        "lying-length.example": q[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + good[:-6] +
        b"\xff\xff" + good[-4:],
        "garbage.example": q[:2] + os.urandom(400),
        "many.example": q[:2] + struct.pack("!HHHHH", 0x8180, 1, 200, 0, 0) + q[12:end] +
        (struct.pack("!HHHIH", 0xc00c, 1, 1, 0xffffffff, 4) + socket.inet_aton("127.0.0.1")) * 199 +
        good[end - 12:],
    }.get(name)


def dns_answer(q):
    at, labels = 12, []
    while q[at]:
        labels.append(q[at + 1:at + 1 + q[at]].decode("latin-1"))
        at += 1 + q[at]
    name = ".".join(labels).lower()
    qtype, = struct.unpack("!H", q[at + 1:at + 3])
    log("dns", f"{name} {qtype}")
    if name in ALIASES:
        return alias_answer(q, at + 5, qtype, ALIASES[name])
    hostile = hostile_answer(q, at + 5, name)
    if hostile:
        return hostile
    v4, v6 = ZONE.get(name, ([PUBLIC], []) if name.endswith(".example") else (None, None))
    if name in flips and qtype == 1:
        flips[name] += 1
        v4 = [PUBLIC] if flips[name] == 1 else ["127.0.0.1"]
    rr = b""
    n = 0
    if v4 is not None:
        for a in {1: v4, 28: v6}.get(qtype, []):
            raw = socket.inet_pton(socket.AF_INET if qtype == 1 else socket.AF_INET6, a)
            rr += struct.pack("!HHHIH", 0xc00c, qtype, 1, 0, len(raw)) + raw
            n += 1
    flags = 0x8180 if v4 is not None else 0x8183
    return q[:2] + struct.pack("!HHHHH", flags, 1, n, 0, 0) + q[12:at + 5] + rr


def dns_udp(family, addr):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((addr, 53))
    while True:
        q, peer = s.recvfrom(4096)
        try:
            s.sendto(dns_answer(q), peer)
        except (OSError, IndexError, struct.error):
            pass


# ---- HTTP ---------------------------------------------------------------------------------------

def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(1)
        if not more:
            return None
        data += more
    return data.decode("latin-1")


def header(head, name):
    for line in head.split("\r\n")[1:]:
        k, _, v = line.partition(":")
        if k.lower() == name:
            return v.strip()
    return ""


def websocket(s, head):
    key = header(head, "sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    s.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               f"Sec-WebSocket-Accept: {accept}\r\n\r\n").encode())
    while True:  # frames go back as they come, unmasked or not
        data = s.recv(65536)
        if not data:
            return
        s.sendall(data)


def http(s, sni=""):
    while True:
        head = read_head(s)
        if head is None:
            return
        method, path = head.split(" ")[:2]
        log("http", f"{method} {header(head, 'host')} {path} {sni}".rstrip())
        if header(head, "upgrade").lower() == "websocket":
            websocket(s, head)
            return
        left = int(header(head, "content-length") or 0)
        got = 0
        while got < left:
            more = len(s.recv(min(left - got, 1 << 20)))
            if not more:
                return
            got += more
        if path == "/sse":
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for i in range(5):
                s.sendall(f"data: {i}\n\n".encode())
                time.sleep(0.2)
            return
        if path == "/endless":
            s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                s.sendall(bytes(1 << 16))
        body = f"hello from the internet, sni={sni} got={got}\n".encode()
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def tls_context():
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(f"{DIR}/cert.pem", f"{DIR}/key.pem")
    ctx.set_alpn_protocols(["http/1.1"])

    def seen(sock, name, _):
        sock.seen = name or "none"
    ctx.sni_callback = seen
    return ctx


def tls(s):
    with contexts[0].wrap_socket(s, server_side=True) as t:
        sni = getattr(t, "seen", "none")
        log("tls", sni)
        http(t, sni)


def echo(s):
    while True:
        data = s.recv(65536)
        if not data:
            break
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)


def count(s):
    """Count what comes until the other side has ended, then say how much it was."""
    n = 0
    while True:
        data = s.recv(1 << 20)
        if not data:
            break
        n += len(data)
    s.sendall(f"got {n}".encode())


def late(s):
    """End our side first, then go on reading."""
    s.sendall(b"first")
    s.shutdown(socket.SHUT_WR)
    data = b""
    while True:
        more = s.recv(4096)
        if not more:
            break
        data += more
    log("late", data.decode())


def reset(s):
    s.recv(1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def banner(s):
    s.sendall(b"SSH-2.0-test\r\n")
    echo(s)


def proxy(s):
    head = read_head(s)
    if head is None:
        return
    line = head.split("\r\n")[0]
    log("proxy", line + " auth=" + header(head, "proxy-authorization"))
    odd = {
        "half": b"HTTP/1.1 200 O", "huge": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000,
        "text": b"hello\r\n\r\n", "moved": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        "gone": b"", "binary": bytes(range(256)) + b"\r\n\r\n",
    }
    for word, reply in odd.items():
        if word + ".odd" in line:
            s.sendall(reply)
            if word == "half":
                time.sleep(30)
            return
    if "refused" in line:
        s.sendall(b"HTTP/1.1 407 No \x1b]0;x\x07\r\n\r\n")
        return
    s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    if ":443" in line:
        tls(s)
    else:
        http(s)


def canary(s):
    log("canary", "%s:%d" % s.getsockname()[:2])
    s.sendall(b"CANARY")


def serve(family, addr, port, handler):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((addr, port))
    s.listen(4096)

    def one(c):
        try:
            handler(c)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            c.close()

    def loop():
        while True:
            c, _ = s.accept()
            log("tcp", "%d %s" % (port, c.getsockname()[0]))
            thread(one, c)
    thread(loop)


def fast(addr, port):
    """Answers one byte and waits for the end, without a thread or a log for each."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((addr, port))
    s.listen(4096)

    def loop():
        old = []
        while True:
            c, _ = s.accept()
            c.send(b"x")
            old.append(c)
            if len(old) > 64:
                old.pop(0).close()
    thread(loop)


def sniff():
    """Every IP packet that comes in from the host."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind(("vb", 0))
    while True:
        p, who = s.recvfrom(256)
        if who[2] == socket.PACKET_OUTGOING or len(p) < 54:
            continue
        if p[12:14] == b"\x08\x00":
            ihl = (p[14] & 15) * 4
            proto, dst, l4 = p[23], socket.inet_ntoa(p[30:34]), p[14 + ihl:]
        elif p[12:14] == b"\x86\xdd":
            proto, dst, l4 = p[20], socket.inet_ntop(socket.AF_INET6, p[38:54]), p[54:]
            if proto == 58 or dst.startswith("ff"):
                continue  # neighbours
        else:
            continue
        port = struct.unpack("!H", l4[2:4])[0] if len(l4) >= 4 else 0
        if proto == 6 and not l4[13] & 2:
            continue  # only the first of a connection
        log("packets", f"{proto} {dst} {port}")


def internet():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", f"{DIR}/key.pem", "-out", f"{DIR}/cert.pem", "-days", "30",
         "-subj", "/CN=test", "-addext", "subjectAltName=DNS:*.example,DNS:*.test"],
        check=True, stderr=subprocess.DEVNULL)
    contexts.append(tls_context())
    for family, addr in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        thread(dns_udp, family, addr)
        serve(family, addr, 80, http)
        serve(family, addr, 443, tls)
        serve(family, addr, 8443, tls)
        for port, handler in ((22, banner), (53, echo), (853, echo), (7, echo), (9, count),
                              (10, late), (11, reset)):
            serve(family, addr, port, handler)
    thread(sniff)


def host():
    contexts.append(tls_context())
    serve(socket.AF_INET, "127.0.0.1", 7001, canary)
    serve(socket.AF_INET, "0.0.0.0", 7002, canary)
    serve(socket.AF_INET6, "::1", 7003, canary)
    serve(socket.AF_INET6, "::", 7004, canary)
    # where guesses at common services would go
    for port in (80, 443, 22):
        serve(socket.AF_INET, "0.0.0.0", port, canary)
        serve(socket.AF_INET6, "::", port, canary)
    serve(socket.AF_INET, "127.0.0.1", 7010, http)
    serve(socket.AF_INET, "127.0.0.1", 7011, tls)
    serve(socket.AF_INET, "127.0.0.1", 7012, echo)
    serve(socket.AF_INET, "127.0.0.1", 3128, proxy)
    fast("127.0.0.1", 7013)


for name in ("dns", "tcp", "http", "tls", "packets", "canary", "proxy", "late"):
    open(f"{DIR}/{name}.log", "a").close()
{"internet": internet, "host": host}[MODE]()
if MODE == "host":
    with open(f"{DIR}/pid.new", "w") as f:
        f.write(str(os.getpid()))
    os.rename(f"{DIR}/pid.new", f"{DIR}/pid")
else:
    open(f"{DIR}/internet.ready", "w").close()
while True:
    time.sleep(3600)
