# hostile.py - cases.py's other half: what an agent does to get a secret to its eyes or a request past
# the rules, and what an upstream does to help it.
#
# usage: hostile.py CASE; exit 0 when it holds.
import base64
import os
import socket
import struct
import sys
import threading

from world import (MAGIC, NAME, RENEW, SECRET, Upstream, World, credential, echo, get, ok, rec,
                   request, rule)

AUTH = "Authorization: Bearer x\r\n"
OPEN = AUTH + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n"
SWITCH = "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"


def frame(data=b"", kind=1, fin=True, mask=None, low=0):
    """A frame; low: bits and lengths as they should not be."""
    n = len(data)
    head = bytes([fin << 7 | low | kind])
    bit = 0 if mask is None else 128
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += struct.pack(">BH", bit | 126, n)
    else:
        head += struct.pack(">BQ", bit | 127, n)
    if mask is None:
        return head + data
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def read_frame(c):
    """(kind, fin, data) of one that is not masked."""
    a, b = c.take(2)
    assert a & 0x70 == 0 and b < 128, (a, b)
    n = b
    if n == 126:
        n, = struct.unpack(">H", c.take(2))
    elif n == 127:
        n, = struct.unpack(">Q", c.take(8))
    return a & 15, a >> 7, c.take(n)


def read_message(c, control):
    kind, data = 0, b""
    while True:
        k, fin, d = read_frame(c)
        if k >= 8:
            assert fin
            control.append((k, d))
            continue
        assert (k == 0) == (kind != 0), "fragments"
        kind, data = kind or k, data + d
        if fin:
            return kind, data


def closed(c):
    """Nothing more comes but what was on its way."""
    got = b""
    try:
        while d := c.sock.recv(65536):
            got += d
    except OSError:
        pass
    return c.buf + got


def start(answer=echo, config=None, **kw):
    w = World(credential() if config is None else config, **kw)
    return w, Upstream(answer, w.ca.leaf(NAME))


def websocket():
    """A secret in a WebSocket's messages is blanked, in fragments and control frames too; all else
    comes as it was sent."""
    secret = SECRET.encode()
    star = b"*" * len(secret)
    coded = base64.b64encode(secret + b"==")
    big = os.urandom(300000)
    hole = big[:100000] + secret + big[100000:]
    noise = os.urandom(5000)
    messages = [  # what goes out, what must come
        (frame(b"<" + secret + b">"), 1, b"<" + star + b">"),
        (frame(b"a", 1, False) + frame(b"", 0, False) + frame(b"b" + secret[:3], 0), 1,
         b"ab" + secret[:3]),
        (b"".join(frame(secret[i:i + 1], 0 if i else 2, False) + frame(secret, 9)
                  for i in range(len(secret))) + frame(b"!", 0), 2, star + b"!"),
        (frame(secret[:5], 1, False) + frame(secret[5:], 0), 1, star),
        (frame(secret[:-1], 1, False) + frame(b"", 0), 1, secret[:-1]),
        (frame(hole, 2), 2, big[:100000] + star + big[100000:]),
        (frame(hole[:100007], 2, False) + frame(hole[100007:], 0), 2,
         big[:100000] + star + big[100000:]),
        (frame(coded), 1, None),
        (frame(), 1, b""),
        (b"".join(frame(noise[i:i + 7], 0 if i else 2, False) for i in range(0, 5000, 7)) +
         frame(b"", 0), 2, noise),
        (frame(b"\x03\xe8" + secret, 8) + frame(b"after"), 1, b"after"),
    ]
    seen = []

    def answer(c):
        head = c.until(b"\r\n\r\n")
        seen.append(head)
        c.send(SWITCH + "\r\n")
        step = 1 if b"/slow" in head else 7919
        for out, _, _ in messages:
            d = out if len(out) < 2000 or step > 1 else b""
            for at in range(0, len(d), step):
                c.send(d[at:at + step])
            if not d:
                c.send(out)
        c.send(frame(c.take(12), 2))  # what the agent sent, as it came
    w, up = start(answer)
    for path in ("/", "/slow"):
        c, control = w.agent(up), []
        first, f, _ = w.ask(c, get(path, OPEN + "Sec-WebSocket-Extensions: permessage-deflate\r\n"))
        assert " 101 " in first and f["upgrade"] == "websocket", f
        c.send(frame(b"client", mask=b"\x01\x02\x03\x04"))
        for out, kind, want in messages:
            k, data = read_message(c, control)
            if want is None:
                # the last group is the neighbours', too
                assert data[:len(coded) - 6] == b"*" * (len(coded) - 6), data
            else:
                assert (k, data) == (kind, want), (k, len(data), out[:40])
        assert read_message(c, control) == (2, frame(b"client", mask=b"\x01\x02\x03\x04"))
        assert control == [(9, star)] * len(secret) + [(8, b"\x03\xe8" + star)], control
    assert all(b"xtensions" not in head for head in seen) and secret in seen[0]


def frames():
    """What is no WebSocket passes on an upgraded connection in neither direction."""
    mask = b"\xa1\xb2\xc3\xd4"
    got = {}

    def answer(c):
        head = c.until(b"\r\n\r\n")
        name = head.split()[1].decode()[1:]
        if name == "extension":
            c.send(SWITCH + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        else:
            c.send(SWITCH + "\r\n")
        if name in bad_answers:
            c.send(frame(b"fine") + bad_answers[name] + frame(SECRET.encode()))
        try:
            while True:
                c.more()
        except (OSError, EOFError):
            got[name] = c.buf
    w, up = start(answer)
    bad_answers = {
        "masked": frame(b"a", mask=mask), "reserved-bit": frame(b"a", low=0x40),
        "kind": frame(b"a", 3), "control-in-pieces": frame(b"a", 9, False),
        "control-too-long": frame(b"a" * 126, 9), "nothing-to-go-on": frame(b"a", 0),
        "another-in-between": frame(b"a", 1, False) + frame(b"b"),
        "a-longer-length": b"\x81\x7e\x00\x05abcde", "a-huge-length": b"\x81\x7f" + b"\xff" * 8,
        "HTTP": b"HTTP/1.1 200 OK\r\n\r\n"}
    for name in bad_answers:
        c = w.agent(up)
        assert " 101 " in w.ask(c, get("/" + name, OPEN))[0]
        said = closed(c)
        assert SECRET.encode() not in said and said.startswith(frame(b"fine")), (name, said)
        assert b"*" * len(SECRET) not in said, (name, "it went on")
    first = w.ask(w.agent(up), get("/extension", OPEN))[0]
    assert " 502 " in first, first
    bad = {"unmasked": frame(b"a"), "request": get("/behind", AUTH),
           "reserved": frame(b"a", low=0x10, mask=mask), "kind": frame(b"a", 11, mask=mask),
           "fragment": frame(b"a", 0, mask=mask), "ping": frame(b"a", 9, False, mask=mask),
           "head": b"\x81\xfe\x00\x05" + mask + b"abcde"}
    for name, data in bad.items():
        c = w.agent(up)
        assert " 101 " in w.ask(c, get("/agent-" + name, OPEN))[0]
        good = frame(b"good", mask=mask)
        c.send(good)
        c.send(data + b"behind")
        closed(c)
        for _ in range(100):
            if "agent-" + name in got:
                break
            threading.Event().wait(0.05)
        assert got["agent-" + name] in (b"", good), (name, got)
    w.event(why="malformed", text="what was sent on an upgraded connection is no WebSocket")
    # refused upgrades leave nothing open: what stands behind is a request as any other
    w, up = start(lambda c: [ok(c) for _ in iter(c.message, None)], [credential(), rule("/open/**")])
    c = w.agent(up)
    c.send(get("/open/a", OPEN) + get("/closed") + get("/open/b"))
    assert " 200 " in c.message()[0]
    assert " 403 " in c.message()[0]
    closed(c)
    assert b"/closed" not in up.got and b"/open/b" not in up.got


def parts():
    """No half of a secret by asking for a part of what echoes it."""
    def answer(c):
        while True:
            first, f, _ = c.message()
            text = f"you are {f.get('authorization')}\n".encode()
            if "range" in f or "/anyway" in first:
                a, b = (int(x) for x in f.get("range", "bytes=17-25").split("=")[1].split("-"))
                d = text[a:b + 1]
                c.send(f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {a}-{b}/{len(text)}"
                       f"\r\nContent-Length: {len(d)}\r\n\r\n".encode() + d)
            else:
                ok(c, text)
    w, up = start(answer)
    c = w.agent(up)
    for field in ("Range", "range", "RANGE"):
        first, _, body = w.ask(c, get("/", AUTH + f"{field}: bytes=17-25\r\nIf-Range: \"a\"\r\n"))
        assert " 200 " in first and body == b"you are Bearer " + b"*" * len(SECRET) + b"\n", body
    assert b"ange:" not in up.got
    # nor from one that sends a part all the same
    first, _, body = w.ask(c, get("/anyway", AUTH))
    assert " 502 " in first and b"a part only" in body and SECRET[3:8].encode() not in body, body
    w.event(why="upstream", status=502)
    # where no secret goes along, parts are what they were
    first, f, body = w.ask(w.agent(up), get("/", "Range: bytes=4-6\r\n"))
    assert " 206 " in first and body == b"are", (first, body)


def behind_bodies():
    """What stands behind a body counts against max-upload, and says no other method or path."""
    w, up = start(lambda c: [ok(c) for _ in iter(c.message, None)],
                  [credential(), rule(most=20000, plain=True)])
    sent = 0
    for i in range(4):
        c = w.agent(up)
        c.send(get("/", "Transfer-Encoding: chunked\r\n", method="POST") +
               b"1\r\na\r\n0\r\nX-Sum: " + b"s" * 9000 + b"\r\n\r\n")
        sent += " 200 " in c.message()[0]
    assert sent == 2 and up.got.count(b"s" * 9000) == 2, sent
    w.event(why="budget")
    w.end()
    for config in ([credential(), rule("/a/**")], [credential(requests=[request("/**", ",GET,")])]):
        w, up = start(config=config)
        for field in ("X-HTTP-Method-Override: DELETE", "x_original_url: /b"):
            c = w.agent(up)
            c.send(get("/a/x", "Transfer-Encoding: chunked\r\n", method="POST") +
                   f"1\r\na\r\n0\r\n{field}\r\n\r\n".encode())
            first, _, body = c.message()
            assert " 400 " in first and b"behind a body" in body, (field, first)
        w.end()


def overrides():
    """Fields by which some servers take another path or method than the head says."""
    w, up = start(config=[credential(), rule("/open/**", ",GET,POST,")])
    for field in ("X-Original-URL: /secret", "X-Rewrite-URL: /secret", "x_rewrite_url: /secret",
                  "X-Forwarded-Uri: /secret", "X-HTTP-Method-Override: SECRET",
                  "X-Original-Method: SECRET"):
        assert " 200 " in w.ask(w.agent(up), get("/open/a", field + "\r\n"))[0]
    assert b"secret" not in bytes(up.got).lower().replace(SECRET.lower().encode(), b"")
    n = len(up.got)
    for query in ("_method=DELETE", "a=1&_method=DELETE", "%5fmethod=DELETE", "a;_METHOD=PUT",
                  "%5FMeTh%6fd=x", "X-HTTP-Method-Override=PUT"):
        first, _, body = w.ask(w.agent(up), get("/open/a?" + query, method="POST"))
        assert " 403 " in first and b"query" in body, (query, first, body)
    assert len(up.got) == n
    for query in ("a=_method", "_methods=1", "my_method=1", "method=1"):
        assert " 200 " in w.ask(w.agent(up), get("/open/a?" + query))[0], query
    w.end()
    # without rules all of that is the upstream's to know
    w, up = start()
    first, _, body = w.ask(w.agent(up), get("/?_method=a", "X-Original-URL: /there\r\n"))
    assert " 200 " in first and b"/there" in body


def former():
    """The token before the last one is blanked in every form, too."""
    old, new = "sk-former-" + os.urandom(12).hex(), "sk-newer-" + os.urandom(12).hex()

    def answer(c):
        while True:
            c.message()
            said = [base64.b64encode(f"x{old}yz".encode()).decode(), old.encode().hex(), old, new]
            ok(c, "\n".join(said).encode())
    w, up = start(answer, credential(secret=old))
    config = w.memfd(credential(secret=new) + rec(5, b"") + rec(6, old.encode()))
    m = struct.pack("=IIIHHQ256s", MAGIC, RENEW, 0, 0, 0, os.fstat(config).st_size, b"")
    socket.send_fds(w.vault_sock, [m], [config])
    body = w.ask(w.agent(up), get("/", AUTH))[2].decode()
    assert f"authorization: Bearer {new}".encode() in up.got
    for line in body.split("\n"):
        assert line.count("*") >= len(line) - 8, body


def heads():
    """Heads at their limits, and answers with a length where there is no body."""
    def answer(c):
        while True:
            first, f, _ = c.message()
            if "/204" in first:
                c.send("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
            elif "/103" in first:
                c.send("HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n" * 3)
                ok(c)
            else:
                ok(c)
    w, up = start(answer)
    c = w.agent(up)
    assert "content-length" not in w.ask(c, get("/204"))[1]
    for i in range(3):
        first, f, _ = w.ask(c, get("/103") if i == 0 else b"")
        assert " 103 " in first and "content-length" not in f
    assert " 200 " in c.message()[0]
    for n in range(32768 - 90, 32768 + 10, 3):
        c = w.agent(up)
        first = w.ask(c, get("/", "X: " + "a" * (n - len(get("/", "X: \r\n"))) + "\r\n"))[0]
        assert " 200 " in first or " 431 " in first, (n, first)
    # a request that breaks off behind its answer's beginning gets no second answer into it
    def early(c):
        c.until(b"\r\n\r\n")
        c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n!!!\r\n")
        threading.Event().wait(5)
    c = w.agent(Upstream(early, w.ca.leaf(NAME)))
    c.send(get("/", "Transfer-Encoding: chunked\r\n", method="POST"))
    c.until(b"!!!\r\n")
    c.send(b"junk\r\n")
    assert b"HTTP/1.1" not in closed(c)


CASES = {k: v for k, v in list(globals().items()) if callable(v) and getattr(
    v, "__module__", "") == "__main__" and k not in ("start", "frame", "read_frame", "read_message",
                                                     "closed")}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
    sys.stdout.flush()
    os._exit(0)
