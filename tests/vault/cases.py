# cases.py - what the vault promises, each with a supervisor, an agent and an upstream played here.
#
# usage: cases.py CASE; exit 0 when it holds.
import base64
import os
import resource
import socket
import ssl
import struct
import sys
import time

from world import (ANY, NAME, PLACEHOLDER, SECRET, Authority, Conn, Sealed, Upstream, World,
                   credential, echo, get, ok, request, rule)

AUTH = f"Authorization: Bearer {PLACEHOLDER}\r\n"


def start(answer=echo, config=None, **kw):
    w = World(credential() if config is None else config, **kw)
    return w, Upstream(answer, w.ca.leaf(NAME))


def inject():
    w, up = start(lambda c: [ok(c, b"got") for _ in iter(c.message, None)])
    c = w.agent(up)
    first, f, body = w.ask(c, get("/v1?key=" + PLACEHOLDER, AUTH + f"X-Other: {PLACEHOLDER}\r\n"))
    assert (first, body) == ("HTTP/1.1 200 OK", b"got"), first
    assert f"authorization: Bearer {SECRET}\r\n".encode() in up.got
    assert up.got.count(SECRET.encode()) == 1
    assert up.got.count(PLACEHOLDER.encode()) == 2, "the placeholder elsewhere stays"
    e = w.event(why="", status=200)
    assert e["injected"] and e["method"] == "GET" and e["path"] == "/v1", e
    # a key of the agent's own is no way to another account
    w.ask(c, get("/", "Authorization: Bearer foreign\r\nAUTHORIZATION: Bearer twice\r\n"))
    assert b"foreign" not in up.got and b"twice" not in up.got
    assert up.got.count(SECRET.encode()) == 2
    # none where none was sent
    w.ask(c, get("/plain"))
    assert up.got.count(SECRET.encode()) == 2
    assert up.conns == 1, "one connection for all three"


def forms():
    config = [credential(header="x-api-key", before="", always=True),
              credential(secret="hunter2-hunter2", basic="me", before="")]
    w, up = start(config=config)
    c = w.agent(up)
    # another name that is the same variable behind the wall does not pass beside ours
    w.ask(c, get("/", "X_Api_Key: foreign\r\nx-api_key: foreign\r\n"))
    assert b"foreign" not in up.got and up.got.count(SECRET.encode()) == 1
    got = w.ask(c, get("/", "Authorization: Basic eDp5\r\n"))[2]
    pair = base64.b64encode(b"me:hunter2-hunter2")
    assert f"x-api-key: {SECRET}".encode() in up.got
    assert b"authorization: Basic " + pair in up.got
    assert SECRET.encode() not in got and pair not in got and b"****" in got


def several():
    """Two secrets for one header: the placeholder says which."""
    one, two = "sk-first-0123456789", "sk-second-0123456789"
    config = [credential(secret=one, placeholder="stand-in-one-0001"),
              credential(secret=two, basic="me", before="", placeholder="stand-in-two-0002",
                         requests=[request("/**", ",GET,")])]
    w, up = start(config=config)
    c = w.agent(up)
    pair = b"Basic " + base64.b64encode(b"me:" + two.encode())

    def sent(value, method="GET"):
        n = len(up.got)
        first = w.ask(c, get("/", f"Authorization: {value}\r\n" if value else "", method=method))[0]
        return first, up.got[n:]

    def b64(s):
        return base64.b64encode(s.encode()).decode()

    assert f"authorization: Bearer {one}\r\n".encode() in sent("Bearer stand-in-one-0001")[1]
    for value in ("Bearer stand-in-two-0002", "Basic " + b64("x:stand-in-two-0002"),
                  "basic " + b64("stand-in-two-0002:x-oauth-basic")):
        got = sent(value)[1]
        assert b"authorization: " + pair + b"\r\n" in got and one.encode() not in got, got
    # what is neither is the first's, and nothing foreign passes
    for value in ("Bearer foreign", "Basic " + b64("me:foreign"), "Basic !", "Basic",
                  "Basic " + "A" * 5000):
        got = sent(value)[1]
        assert f"authorization: Bearer {one}\r\n".encode() in got, got
        assert got.lower().count(b"authorization") == 1, got
    assert b"authorization" not in sent("")[1].lower()
    # the limits are those of the one that is asked for
    assert sent("Bearer stand-in-one-0001", "POST")[0].endswith("200 OK")
    n = len(up.got)
    c2 = w.agent(up)
    first = w.ask(c2, get("/", "Authorization: Bearer stand-in-two-0002\r\n", method="POST"))[0]
    assert first.endswith("403 Forbidden") and len(up.got) == n, first
    w.end()


def behind():
    """A key of the agent's own does not come behind a body either."""
    w, up = start(config=credential(header="x-token", before="", always=True))
    for field in ("X-Token", "x_token"):
        c = w.agent(up)
        c.send(get("/", "Transfer-Encoding: chunked\r\n", method="POST") +
               f"2\r\nab\r\n0\r\n{field}: foreign\r\n\r\n".encode())
        first, _, body = c.message()
        assert " 400 " in first and b"behind a body" in body, (first, body)
        w.event(why="malformed", status=400)
    assert b"foreign" not in up.got
    # other fields do
    c = w.agent(up)
    w.ask(c, get("/", "Transfer-Encoding: chunked\r\n", method="POST") +
          b"2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n")
    assert b"X-Sum: 1\r\n" in up.got


def elsewhere():
    # not to another host, another port, or below the host
    for name, port in (("other.example", 443), (NAME, 8443), ("sub." + NAME, 443)):
        w = World(credential(always=True))
        up = Upstream(echo, w.ca.leaf(name))
        c = w.agent(up, name, port=port)
        host = name if port == 443 else f"{name}:{port}"
        first, _, body = w.ask(c, get("/", AUTH, host=host))
        assert first.endswith("200 OK") and PLACEHOLDER.encode() in body, first
        assert SECRET.encode() not in up.got
        w.end()


def limited():
    reads = [request("/**", ",GET,HEAD,"), request("/**/git-upload-pack", ",POST,")]
    for always in (True, False):
        w, up = start(config=credential(always=always, requests=reads))
        sent = 0
        for method, path, extra in (
                ("GET", "/a", ""), ("POST", "/me/x.git/git-upload-pack", "")):
            w.ask(w.agent(up), get(path, AUTH + extra, method=method))
            sent += 1
            assert up.got.count(SECRET.encode()) == sent, (method, path)
        got = len(up.got)
        for method, path in (
                ("POST", "/me/x.git/git-receive-pack"), ("POST", "/graphql"), ("PUT", "/a"),
                ("DELETE", "/a"), ("POST", "/me/git-upload-pack/../git-receive-pack"),
                ("POST", "/me/git-receive-pack%2fgit-upload-pack/..")):
            first, _, body = w.ask(w.agent(up), get(path, AUTH, method=method))
            assert first.endswith("403 Forbidden") and b"other requests only" in body, first
            w.event(why="requests", method=method, path=path)
        assert len(up.got) == got, "and nothing of it went out"
        # what doesn't ask for the secret: only where it goes with everything is that asking, too
        first, _, _ = w.ask(w.agent(up), get("/a", method="DELETE"))
        assert first.endswith("403 Forbidden" if always else "200 OK"), first
        # nor by a method behind the method
        w.ask(w.agent(up), get("/a", AUTH + "X-HTTP-Method-Override: PATCH\r\n"))
        assert b"PATCH" not in up.got
        assert up.got.count(SECRET.encode()) == sent + 1
        assert b"placeholder" not in up.got[got:], "and nothing stands in its place"
        w.end()


def redirect():
    def answer(c):
        c.message()
        c.send(f"HTTP/1.1 302 Found\r\nLocation: https://evil.example/?k={SECRET}\r\n"
               "Content-Length: 0\r\n\r\n")
    w, up = start(answer)
    first, f, _ = w.ask(w.agent(up), get("/", AUTH))
    assert first.endswith("302 Found") and SECRET not in str(f), f
    assert f["location"].startswith("https://evil.example/?k=****")


def scrub():
    # the secret in every cut: one byte a chunk, one byte a record, by length, to the end
    def answer(c):
        while True:
            how = c.message()[0].split()[1]
            s = b"<" + SECRET.encode() + b"|" + SECRET[:-1].encode() + b">"
            if how == "/chunks":
                c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for b in s:
                    c.send(b"1\r\n" + bytes([b]) + b"\r\n")
                c.send(f"0\r\nX-Trailer: {SECRET}\r\n\r\n")
            elif how == "/length":
                c.send(f"HTTP/1.1 200 OK\r\nX-Many: {SECRET}\r\nContent-Length: {len(s)}\r\n\r\n")
                for b in s:
                    c.send(bytes([b]))
            else:
                c.send("HTTP/1.1 200 OK\r\n\r\n")
                for at in range(0, len(s), 7):
                    c.send(s[at:at + 7])
                return
    w, up = start(answer)
    c = w.agent(up)
    want = b"<" + b"*" * len(SECRET) + b"|" + SECRET[:-1].encode() + b">"
    for how in ("/chunks", "/length", "/end"):
        _, f, body = w.ask(c, get(how, AUTH))
        assert body == want, (how, body)
        assert SECRET not in str(f) + str(getattr(c, "trailer", ""))
    assert f["connection"] == "close"


def written_down():
    """A secret that comes back as others write it: base64, hex, percent-encoded; or compressed."""
    import gzip
    from urllib.parse import quote
    secret = SECRET + "+/=&"
    user = base64.b64encode(f"me:{secret}".encode()).decode()
    forms = [user, base64.b64encode(secret.encode()).decode(),
             base64.urlsafe_b64encode(f"x{secret}".encode()).decode(), secret.encode().hex(),
             secret.encode().hex().upper(), quote(secret, safe=""), secret.replace("/", "\\/")]

    def answer(c):
        while True:
            first, f, _ = c.message()
            assert f["accept-encoding"] == "identity", f
            if "gzip" not in first:
                d = "\n".join(forms).encode()
                for at in range(0, len(d), 11):
                    if at == 0:
                        c.send(f"HTTP/1.1 200 OK\r\nX-Echo: {user}\r\n"
                               f"Content-Length: {len(d)}\r\n\r\n")
                    c.send(d[at:at + 11])
                continue
            ok(c, gzip.compress(secret.encode()), "Content-Encoding: gzip\r\n")
    w, up = start(answer, credential(secret=secret))
    c = w.agent(up)
    _, f, body = w.ask(c, get("/", AUTH))
    said = body.decode().split("\n")
    assert len(said) == len(forms)
    for was, now in zip(forms, said):
        # what is left at the ends is of the group that the secret shares with its neighbours
        assert len(was) == len(now) and now.count("*") >= len(was) - 8, (was, now)
        assert not any(now[at:at + 8] in was and "*" not in now[at:at + 8]
                       for at in range(len(now) - 7)), (was, now)
    assert "*" * 40 in f["x-echo"], f
    # with the key, nothing that can't be looked through; without it, it may be compressed
    first, _, body = w.ask(c, get("/gzip", AUTH))
    assert " 502 " in first and b"compresses" in body, (first, body)
    w.event(why="upstream", status=502)
    first, _, body = w.ask(w.agent(up), get("/gzip"))
    assert " 200 " in first and gzip.decompress(body) == secret.encode()


def streaming():
    # server-sent events come one by one, while the response goes on
    def answer(c):
        c.message()
        c.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
               "Transfer-Encoding: chunked\r\n\r\n")
        for i in range(5):
            c.send(f"{len('data: n') + 2:x}\r\ndata: {i}\n\n\r\n")
            c.up.step.wait(10)
            c.up.step.clear()
        c.send("0\r\n\r\n")
    import threading
    w, up = start(answer)
    up.step = threading.Event()
    c = w.agent(up)
    c.send(get("/", AUTH))
    c.until(b"\r\n\r\n")
    for i in range(5):
        c.until(f"data: {i}\n\n".encode())
        up.step.set()
    c.until(b"0\r\n\r\n")


def smuggling():
    bodies = {
        "cl and te": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        "equal lengths": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        "list of lengths": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4, 4\r\n\r\nabcd",
        "signed length": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: +4\r\n\r\nabcd",
        "huge length": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "obs-fold": "GET / HTTP/1.1\r\nHost: {h}\r\nX-A: b\r\n Content-Length: 4\r\n\r\n",
        "space before colon": "GET / HTTP/1.1\r\nHost: {h}\r\nContent-Length : 4\r\n\r\nabcd",
        "bare lf": "GET / HTTP/1.1\nHost: {h}\n\n",
        "bare lf in a field": "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n",
        "bare cr": "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
        "nul": "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\0b\r\n\r\n",
        "te other": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "te twice": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "te hidden": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "te tab": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        "no host": "GET / HTTP/1.1\r\n\r\n",
        "two hosts": "GET / HTTP/1.1\r\nHost: {h}\r\nHost: {h}\r\n\r\n",
        "absolute form": "GET https://{h}/ HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "absolute elsewhere": "GET http://evil.example/ HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "authority form": "GET {h}:443 HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "asterisk": "GET * HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "space in target": "GET / a HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "h2c": "GET / HTTP/1.1\r\nHost: {h}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        "empty line first": "\r\nGET / HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "h2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "expectation": "POST / HTTP/1.1\r\nHost: {h}\r\nExpect: magic\r\nContent-Length: 1\r\n\r\na",
        "chunk size": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n",
        "chunk sign": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "chunk overflow": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000004\r\nabcd\r\n",
        "chunk end": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcdX\r\n0\r\n\r\n",
        "chunk lf": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n",
        "trailer length": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n",
        "connect": "CONNECT {h}:443 HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "trace": "TRACE / HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "http 1.0": "GET / HTTP/1.0\r\nHost: {h}\r\n\r\n",
        "huge head": "GET / HTTP/1.1\r\nHost: {h}\r\nX: " + "a" * 40000 + "\r\n\r\n",
        "many fields": "GET / HTTP/1.1\r\nHost: {h}\r\n" + "a: b\r\n" * 200 + "\r\n",
        "te other way": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "te second": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "te quoted": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "te space before colon": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "te space before": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "te space before, first": "POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: {h}\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "te folded": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "te underscore": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
        "length underscore": "POST / HTTP/1.1\r\nHost: {h}\r\nContent_Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "length empty": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length:\r\n\r\n",
        "length hex": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0x4\r\n\r\nabcd",
        "length separated": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4 4\r\n\r\nabcd",
        "length in another case": "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\ncontent-length: 0\r\n\r\nabcd",
        "host with another behind": "GET / HTTP/1.1\r\nHost: {h}\r\nhost: evil.example\r\n\r\n",
        "lf cr": "GET / HTTP/1.1\r\nHost: {h}\r\nX: a\n\r\n\r\n",
        "cr cr lf": "GET / HTTP/1.1\r\nHost: {h}\r\r\n\r\n",
        "bare lf at the end": "GET / HTTP/1.1\r\nHost: {h}\r\n\n",
        "no colon": "GET / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding\r\n\r\n",
        "no name": "GET / HTTP/1.1\r\nHost: {h}\r\n: chunked\r\n\r\n",
        "tab in the request line": "GET\t/ HTTP/1.1\r\nHost: {h}\r\n\r\n",
        "version": "GET / HTTP/1.2\r\nHost: {h}\r\n\r\n",
        "no version": "GET /\r\nHost: {h}\r\n\r\n",
        "chunk space": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n4 \r\nabcd\r\n0\r\n\r\n",
        "chunk none": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n;a=b\r\nabcd\r\n0\r\n\r\n",
        "chunk extension lf": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n4;a\nabcd\r\n0\r\n\r\n",
        "chunk extension cr": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n4;a\rb\r\nabcd\r\n0\r\n\r\n",
        "chunk extension long": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n4;" + "a" * 5000 + "\r\nabcd\r\n0\r\n\r\n",
        "chunk size long": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n" + "0" * 300 + "4\r\nabcd\r\n0\r\n\r\n",
        "chunk one short": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcd\r\n0\r\n\r\n",
        "trailer host": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: evil.example\r\n\r\n",
        "trailer te": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "trailer key": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer a\r\n\r\n",
        "trailer fold": "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n\r\n",
        "http 1.0 kept": "GET / HTTP/1.0\r\nHost: {h}\r\nConnection: keep-alive\r\n\r\n",
        "other host": "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "other port": "GET / HTTP/1.1\r\nHost: {h}:444\r\n\r\n",
    }
    status = {"connect": 405, "trace": 405, "http 1.0": 505, "http 1.0 kept": 505, "huge head": 431, "many fields": 431,
              "other host": 421, "other port": 421}
    # The lenient one takes a line for ended at LF and does not mind what else stands in a head; the
    # strict one is the reader of this test. What either sees must be the one request behind.
    lenient_saw = []

    def lenient(c):
        while True:
            line = c.until(b"\n").strip()
            if line.split(b" ")[-1].startswith(b"HTTP/"):
                lenient_saw.append(line)
            if not line:
                ok(c)
    w = World(credential(always=True))
    for answer in (echo, lenient):
        up = Upstream(answer, w.ca.leaf(NAME))
        for form, request in bodies.items():
            c = w.agent(up)
            # behind it, at once, what a smuggler would want to be seen
            c.send(request.format(h=NAME).encode("latin-1") + get("/smuggled"))
            first, f, _ = c.message()
            want = status.get(form, 400)
            assert f" {want} " in first and f["connection"] == "close", (form, first)
            try:
                assert c.sock.recv(100) == b"", form
            except (ssl.SSLError, ConnectionResetError):
                pass
            assert b"/smuggled" not in up.got, form
    assert not [line for line in lenient_saw if b"smuggled" in line]
    w.event(why="host")
    w.event(why="malformed")
    assert w.ask(w.agent(up), get("/after"))[0].endswith("200 OK")


def identity():
    w, up = start()
    for sni in ("evil.example", "sub." + NAME):
        ctx = w.agent_context()
        ctx.check_hostname = False
        try:
            ctx.wrap_socket(w.flow(up), server_hostname=sni)
            raise AssertionError("SNI " + sni)
        except ssl.SSLError as e:
            assert "UNRECOGNIZED_NAME" in str(e), e
    ctx = ssl.create_default_context(cadata=w.cert)
    ctx.check_hostname = False
    try:
        ctx.wrap_socket(w.flow(up))
        raise AssertionError("no SNI")
    except ssl.SSLError:
        pass
    for alpn in (["h2"], ["http/1.0"]):
        ctx = w.agent_context()
        ctx.set_alpn_protocols(alpn)
        try:
            ctx.wrap_socket(w.flow(up), server_hostname=NAME)
            raise AssertionError("ALPN")
        except ssl.SSLError:
            pass
    ctx = w.agent_context()
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    try:
        ctx.wrap_socket(w.flow(up), server_hostname=NAME)
        raise AssertionError("TLS 1.1")
    except ssl.SSLError:
        pass
    w.event(why="tls")
    # the leaf: for this name alone, short-lived, by an authority that is this start's
    ctx = w.agent_context()
    ctx.set_alpn_protocols(["h2", "http/1.1"])
    s = ctx.wrap_socket(w.flow(up), server_hostname=NAME)
    assert s.selected_alpn_protocol() == "http/1.1"
    cert = s.getpeercert()
    assert cert["subjectAltName"] == (("DNS", NAME),), cert
    life = ssl.cert_time_to_seconds(cert["notAfter"]) - time.time()
    assert 22 * 3600 < life < 25 * 3600, life
    assert World(credential()).cert != w.cert
    # a restart keeps it
    old = w.cert
    w.end()
    w.start_vault()
    w.start_front()
    assert w.cert == old
    assert w.ask(w.agent(up), get("/", AUTH))[0].endswith("200 OK")


def untrusted():
    w = World(credential(always=True))
    other = Authority(__import__("tempfile").mkdtemp(dir=w.d), "another")
    bad = {"self-signed": Upstream(echo, other.leaf(NAME)),
           "wrong host": Upstream(echo, w.ca.leaf("other.example")),
           "expired": Upstream(echo, w.ca.leaf(NAME, -1))}
    for what, up in bad.items():
        first, _, body = w.ask(w.agent(up), get("/", AUTH))
        assert first.endswith("502 Bad Gateway"), (what, first)
        assert b"certificate does not hold" in body, body
        assert not up.got
        w.events.clear
    w.event(why="untrusted", status=502)


def bodies():
    w, up = start()
    c = w.agent(up)
    # chunks with extensions, trailers, a body by length; keep-alive through all of it
    r = w.ask(c, get("/c", "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n", method="POST") +
              b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n")[2]
    assert r.endswith(b"abcde") and b"X-Sum: 7\r\n" in up.got, r
    r = w.ask(c, get("/l", "Content-Length: 5\r\n", method="PUT") + b"12345")[2]
    assert r.endswith(b"12345")
    # two at once: answered one after the other
    c.send(get("/one") + get("/two"))
    assert b"/one" in c.message()[2] and b"/two" in c.message()[2]
    assert b"accept-encoding: identity" in r.lower()
    r = w.ask(c, get("/z", "Accept-Encoding: gzip, br\r\nTE: trailers\r\nKeep-Alive: 5\r\n"
                     "Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\n"))[2].lower()
    assert b"gzip" not in r and b"x-hop" not in r and b"keep-alive" not in r
    assert up.conns == 1


def empties():
    def answer(c):
        while True:
            first, _, _ = c.message()
            path = first.split()[1]
            if path == "/204":
                c.send("HTTP/1.1 204 No Content\r\n\r\n")
            elif path == "/304":
                c.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n")
            elif path == "/head":
                c.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
            elif path == "/103":
                c.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                ok(c)
            else:
                ok(c, b"")
    w, up = start(answer)
    c = w.agent(up)
    assert " 204 " in w.ask(c, get("/204"))[0]
    assert " 304 " in w.ask(c, get("/304"))[0]
    assert w.ask(c, get("/head", method="HEAD"), True)[1]["content-length"] == "99"
    assert " 103 " in w.ask(c, get("/103"))[0] and " 200 " in c.message()[0]
    assert w.ask(c, get("/none"))[2] == b""
    assert up.conns == 1


def continues():
    def answer(c):
        while True:
            head = c.until(b"\r\n\r\n")
            if b"/no" in head:
                c.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
                continue
            c.send("HTTP/1.1 100 Continue\r\n\r\n")
            ok(c, c.take(4))
    w, up = start(answer)
    c = w.agent(up)
    more = "Expect: 100-continue\r\nContent-Length: 4\r\n"
    assert " 100 " in w.ask(c, get("/", more, method="POST"))[0]
    c.send(b"body")
    assert c.message()[2] == b"body"
    first, f, _ = w.ask(c, get("/no", more, method="POST"))
    assert " 417 " in first and f["connection"] == "close"


def websocket():
    """Frames pass both ways, of all sizes; what comes with the upgrade, too (see hostile.py)."""
    def answer(c):
        head = c.until(b"\r\n\r\n")
        if b"/h2c" in head:
            c.send("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            return
        assert b"Upgrade: websocket\r\n" in head and SECRET.encode() in head
        c.send(f"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
               f"X-Echo: {SECRET}\r\n\r\n".encode() + b"\x81\x05early")
        while True:
            a, b = c.take(2)
            assert a == 0x82 and b == 0xff
            n, = struct.unpack(">Q", c.take(8))
            assert c.take(4) == b"\0" * 4
            c.send(struct.pack(">BBQ", 0x82, 127, n) + c.take(n))
    w, up = start(answer)
    ask = AUTH + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n"
    c = w.agent(up)
    first, f, _ = w.ask(c, get("/ws", ask))
    assert " 101 " in first and f["upgrade"] == "websocket" and SECRET not in f["x-echo"], f
    assert c.take(7) == b"\x81\x05early"
    for n in (65536, 70000, 300000):
        head, block = struct.pack(">BBQ", 0x82, 127, n), os.urandom(n)
        c.send(b"\x82\xff" + head[2:] + b"\0" * 4 + block)
        assert c.take(n + 10) == head + block
    assert " 502 " in w.ask(w.agent(up), get("/h2c", ask))[0]


def big():
    # both ways at once the memory stays what it is
    n = int(os.environ.get("BAWN_BIG", str(512 << 20)))
    block = os.urandom(1 << 20)

    def answer(c):
        first, f, _ = c.message() if False else (c.until(b"\r\n\r\n"), None, None)
        left = n
        left -= len(c.buf)
        c.buf = b""
        while left > 0:
            left -= len(c.sock.recv(1 << 20))
        c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n")
        for _ in range(n >> 20):
            c.send(block)
    w, up = start(answer)
    before = memory(w)
    c = w.agent(up)
    c.send(get("/", f"Content-Length: {n}\r\n{AUTH}", method="POST"))
    began = time.time()
    for _ in range(n >> 20):
        c.send(block)
    c.until(b"\r\n\r\n")
    left = n - len(c.buf)
    while left > 0:
        d = c.sock.recv(1 << 20)
        assert d, left
        left -= len(d)
    grown = memory(w) - before
    print(f"# {2 * n >> 20} MiB in {time.time() - began:.1f} s, memory +{grown} KiB")
    assert grown < 4096, grown


def memory(w):
    kib = 0
    for p in (w.front, w.vault):
        with open(f"/proc/{p.pid}/statm") as f:
            kib += int(f.read().split()[1]) * 4
    return kib


def idle():
    # connections that do nothing cost little, and last
    n = int(os.environ.get("BAWN_IDLE", "1000"))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    n = min(n, (most - 100) // 3)
    w, up = start(lambda c: [ok(c) for _ in iter(c.message, None)])
    warm = [w.agent(up) for _ in range(10)]
    for c in warm:
        w.ask(c, get("/", AUTH))
    before = memory(w)
    cs = [w.agent(up) for _ in range(n)]
    for c in cs:
        w.ask(c, get("/", AUTH))
    each = (memory(w) - before) / n
    print(f"# {each:.1f} KiB for each of {n} idle connections, both processes together")
    assert each <= 64, each
    time.sleep(2)
    for c in cs:
        assert w.ask(c, get("/", AUTH))[0].endswith("200 OK")


def hour():
    """Whoever is in the middle of something, or waits, is still there after an hour; what was never
    finished is not."""
    import threading
    go = threading.Event()

    def answer(c):
        while True:
            head = c.until(b"\r\n\r\n")
            if b"/ws" in head:
                c.send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
                assert c.take(7) == b"\x81\x81\0\0\0\0a"
                c.send(b"\x81\x01a")
                c.more()
            if b"/slow" in head:
                go.wait(20)
            if b"/events" in head:
                c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata\n\n\r\n")
                go.wait(20)
                c.send("6\r\nmore\n\n\r\n0\r\n\r\n")
                continue
            ok(c)
    w, up = start(answer, preload="clock.so")
    still, ws, slow, events, half = (w.agent(up) for _ in range(5))
    w.ask(still, get("/", AUTH))
    ask = AUTH + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n"
    assert " 101 " in w.ask(ws, get("/ws", ask))[0]
    slow.send(get("/slow"))
    events.send(get("/events"))
    events.until(b"data\n\n")
    half.send(b"GET / HTTP/1.1\r\nHost: ")
    never = w.flow(up)
    never.send(b"\x16\x03\x01")
    serial = still.sock.getpeercert()["serialNumber"]
    assert ws.sock.getpeercert()["serialNumber"] == serial
    time.sleep(0.3)
    w.ahead(3600)
    time.sleep(1.2)
    assert never.recv(10) == b"" and half.sock.recv(10) == b"", "what was never finished"
    w.event(why="malformed", text="no whole request in time")
    w.event(why="tls", text="no TLS handshake in time")
    go.set()
    assert " 200 " in slow.message()[0]
    events.until(b"more\n\n")
    ws.send(b"\x81\x81\0\0\0\0a")
    assert ws.take(3) == b"\x81\x01a"
    assert w.ask(still, get("/", AUTH))[0].endswith("200 OK")
    assert up.conns == 6
    # and a leaf is handed out for no longer
    c = w.agent(up)
    assert c.sock.getpeercert()["serialNumber"] != serial
    assert w.ask(c, get("/", AUTH))[0].endswith("200 OK")


def many():
    """10,000 connections, one after the other: most come to nothing, and nothing stays of them."""
    import threading
    n = int(os.environ.get("BAWN_MANY", "10000"))
    w, up = start(preload="dumpable.so")

    def fds():
        return [len(os.listdir(f"/proc/{p.pid}/fd")) for p in (w.front, w.vault)]

    def loop():
        while True:
            shut.accept()[0].close()
    shut = socket.create_server(("127.0.0.1", 0), backlog=1024)
    threading.Thread(target=loop, daemon=True).start()
    nothing = type("", (), {"port": shut.getsockname()[1]})
    first = w.agent(up)
    w.ask(first, get("/", AUTH))
    hello = ssl.MemoryBIO()
    o = w.agent_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname=NAME)
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        hello = hello.read()
    before, began = None, time.time()
    for i in range(n):
        if i == n // 10:
            time.sleep(1)
            before = (fds(), memory(w))
        if i % 100 == 0:
            c = w.agent(up)
            assert w.ask(c, get("/", AUTH))[0].endswith("200 OK"), i
        else:
            c = w.flow(nothing)
            c.send((b"", hello[:i % len(hello)], hello, b"GET / HTTP/1.1\r\n")[i % 4])
        (c.sock if i % 100 == 0 else c).close()
    print(f"# {n} connections in {time.time() - began:.1f} s")
    for _ in range(100):
        if fds() == before[0]:
            break
        time.sleep(0.1)
    assert fds() == before[0], (fds(), before)
    assert memory(w) - before[1] < 4096, (memory(w), before)
    assert w.ask(first, get("/", AUTH))[0].endswith("200 OK")


SIZES = (0, 1, 2, 100, 4095, 4096, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 150000)


def blob(n, seed):
    return (b"%x." % seed * (n // 2 + 1))[:n]


def storm():
    """Requests of all sizes, many records and many requests in one piece: none is left lying."""
    import random
    import threading
    n, threads, broken = int(os.environ.get("BAWN_STORM", "3000")), 6, []

    def answer(c):
        rnd = random.Random(c.up.conns)
        while True:
            first, f, body = c.message()
            mine, seed = (int(x) for x in first.split()[1][1:].split("-"))
            assert body == blob(len(body), seed), "the upstream got something else"
            d = blob(mine, seed)
            if mine and seed % 2:
                d = b"".join(b"%x\r\n%s\r\n" % (len(d[i:i + 5000]), d[i:i + 5000])
                             for i in range(0, mine, 5000)) + b"0\r\n\r\n"
                head = "Transfer-Encoding: chunked"
            else:
                head = f"Content-Length: {mine}"
            d = f"HTTP/1.1 200 OK\r\nX-Got: {len(body)}\r\n{head}\r\n\r\n".encode() + d
            c.sock.write(d, rnd.choice((1000, 5000, 16384)) if mine > 9 else 20)
            c.sock.flush()

    def agent(which):
        rnd = random.Random(which)
        s = Sealed(w.flow(up), w.agent_context(), NAME)
        c, left = Conn(s), n // threads
        while left > 0:
            # a few at once, the last of them with a body: their records in one piece (not more
            # than fits into buffers, as nothing is read meanwhile)
            more = rnd.choice((0, 0, 1, 7))
            sizes = SIZES[:9] if more else SIZES
            want = [(0, rnd.choice(sizes), rnd.randrange(1 << 20)) for _ in range(more)]
            want.append((rnd.choice(sizes), rnd.choice(sizes), rnd.randrange(1 << 20)))
            d = b""
            for up_n, down_n, seed in want:
                more = f"Content-Length: {up_n}\r\n{AUTH}" if up_n else AUTH
                d += get(f"/{down_n}-{seed}", more, method="POST" if up_n else "GET")
                d += blob(up_n, seed)
            s.write(d, rnd.choice((50, 1000, 16384)) if len(d) < 20000 else 16384)
            s.flush()
            for up_n, down_n, seed in want:
                first, f, body = c.message()
                assert first.endswith("200 OK"), first
                assert f["x-got"] == str(up_n) and body == blob(down_n, seed), (up_n, down_n)
            left -= len(want)

    def run(which):
        try:
            agent(which)
        except BaseException as e:
            broken.append(repr(e))
    w = World(credential())
    up = Upstream(answer, w.ca.leaf(NAME), sealed=True)
    ts = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    began = time.time()
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    assert not broken, broken
    print(f"# {n} requests in {time.time() - began:.1f} s")
    assert up.conns == threads


def crowd():
    """More connections than there are descriptors: those that are stay, the others end."""
    w, up = start(files=128)
    first = w.agent(up)
    w.ask(first, get())
    kept, ended = [], 0
    for _ in range(80):
        try:
            c = w.agent(up)
            w.ask(c, get())
            kept.append(c)
        except OSError:
            ended += 1
    assert 40 < len(kept) < 64 and ended == 80 - len(kept), (len(kept), ended)
    w.event(why="limit")
    assert w.ask(first, get())[0].endswith("200 OK")
    for c in kept:
        c.sock.close()
    time.sleep(0.5)
    assert w.ask(w.agent(up), get())[0].endswith("200 OK")


def rules():
    config = [credential(always=True), rule("/repos/me/**", ",GET,HEAD,"), rule("/open/*"),
              rule("/repos/me/private/**", deny=True, number=9)]
    w, up = start(config=config)

    def status(path, method="GET"):
        return int(w.ask(w.agent(up), get(path, method=method))[0].split()[1])
    for path in ("/repos/me/a", "/repos/me/a/b?x=/../..", "/open/x"):
        assert status(path) == 200, path
    assert status("/open/x", "DELETE") == 200
    got = len(up.got)
    for path in ("/", "/repos/you/a", "/repos/me/../you/a", "/repos/me/%2e%2e/you",
                 "/repos/me/..%2fyou", "/repos/me/%252e%252e/you", "/repos/me//private/x",
                 "/repos/me/private/x", "/repos/me/PRIVATE/x", "/repos/me/a/..;/../../you/x",
                 "/repos/me/%70rivate/x", "/repos/me/a%00", "/repos/me/..\\..\\you",
                 "/open/x/y", "/open/x%2fy"):
        assert status(path) == 403, path
    assert status("/repos/me/a", "POST") == 403
    assert len(up.got) == got, "nothing of it went upstream"
    assert w.event(why="rule", path="/repos/me/private/x")["rule"] == 9
    # a method that is another one behind the wall
    w.ask(w.agent(up), get("/repos/me/a", "X-HTTP-Method-Override: DELETE\r\n"))
    assert b"DELETE" not in up.got[got:]


def budget():
    w, up = start(config=[credential(), rule(most=3000, plain=True)])
    c = w.agent(up)
    assert " 200 " in w.ask(c, get("/", "Content-Length: 1000\r\n", method="POST") +
                            b"a" * 1000)[0]
    spent = w.event(status=200)["up"]
    assert 1000 < spent < 1500, spent
    # all connections together, and bodies of unknown length
    c = w.agent(up)
    c.send(get("/", "Transfer-Encoding: chunked\r\n", method="POST"))
    c.send(b"7d0\r\n" + b"b" * 2000 + b"\r\n0\r\n\r\n")
    first, _, body = c.message()
    assert " 403 " in first and b"max-upload" in body, body
    assert b"bbbb" not in up.got
    w.event(why="budget")
    # and before a restart
    w.end()
    w.start_vault()
    w.start_front()
    assert " 403 " in w.ask(w.agent(up, spent=2990), get("/"))[0]


def killed():
    def answer(c):
        c.message()
        c.up.sock.settimeout(5)
        time.sleep(5)
    w, up = start(answer)
    up2 = Upstream(echo, w.ca.leaf(NAME))
    c = w.agent(up)
    idle_one = w.agent(up2)
    w.ask(idle_one, get("/", AUTH))
    c.send(get("/", AUTH))
    time.sleep(0.3)
    w.vault.kill()
    w.vault.wait()
    assert " 502 " in c.message()[0]
    assert idle_one.sock.recv(10) == b""
    assert w.front.poll() is None
    w.start_vault()
    first, _, body = w.ask(w.agent(up2), get("/", AUTH))
    assert " 200 " in first and b"****" in body and SECRET.encode() not in body


def faults():
    w = World(credential())
    cert = w.ca.leaf(NAME)

    def reset(c):
        c.message()
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(c.sock)

    def half(c):
        c.message()
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    def drip(c):
        c.message()
        for b in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndrip":
            c.send(bytes([b]))
            time.sleep(0.01)
    for what, reply in {
            "junk": "SSH-2.0-OpenSSH\r\n\r\n", "two lengths":
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "both": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "fold": "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "huge": "HTTP/1.1 200 OK\r\nA: " + "b" * 70000}.items():
        def bad(c, reply=reply):
            c.message()
            c.send(reply)
            time.sleep(1)
        first = w.ask(w.agent(Upstream(bad, cert)), get())[0]
        assert " 502 " in first, (what, first)
    assert " 502 " in w.ask(w.agent(Upstream(reset, cert)), get())[0]
    assert w.ask(w.agent(Upstream(drip, cert)), get())[2] == b"drip"
    c = w.agent(Upstream(half, cert))
    try:
        w.ask(c, get())
        raise AssertionError("half a body is no whole one")
    except (EOFError, OSError):
        pass
    # a response too many does not become the next request's
    def twice(c):
        c.message()
        ok(c)
        ok(c, b"stray")
        time.sleep(1)
    c = w.agent(Upstream(twice, cert))
    assert w.ask(c, get())[2] == b"ok"
    time.sleep(0.3)
    try:
        c.send(get())
        assert b"stray" not in c.message()[2]
    except (EOFError, OSError):
        pass
    # one that ends an idle connection just when the next request comes: no answer is made up
    def once(c):
        c.message()
        ok(c)
        c.message()
    c = w.agent(Upstream(once, cert))
    w.ask(c, get())
    c.send(get())
    try:
        raise AssertionError(c.message()[0])
    except (EOFError, OSError):
        pass
    # no TLS at all, and one that closes at once
    assert " 502 " in w.ask(w.agent(Upstream(lambda c: c.send("HTTP/1.1 200 OK\r\n\r\n"))),
                            get())[0]
    assert " 502 " in w.ask(w.agent(Upstream(lambda c: None)), get())[0]
    # an agent that goes while its upstream thinks: the upstream sees it
    seen = []

    def think(c):
        c.message()
        c.sock.settimeout(10)
        seen.append(c.sock.recv(1))
    c = w.agent(Upstream(think, cert))
    c.send(get())
    time.sleep(0.3)
    c.sock.close()
    for _ in range(50):
        if seen:
            break
        time.sleep(0.1)
    assert seen == [b""], seen


def pieces():
    # the ClientHello, and all else of the agent's, one byte at a time
    w, up = start()
    a = w.flow(up)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = w.agent_context().wrap_bio(into, out, server_hostname=NAME)

    def flush():
        for b in out.read():
            a.send(bytes([b]))
    while True:
        try:
            o.do_handshake()
            flush()
            break
        except ssl.SSLWantReadError:
            flush()
            into.write(a.recv(65536))
    o.write(get("/", AUTH))
    flush()
    got = b""
    while b"****" not in got:
        try:
            got += o.read(65536)
        except ssl.SSLWantReadError:
            into.write(a.recv(65536))
    # junk instead of one
    b = w.flow(up)
    b.send(b"GET / HTTP/1.1\r\n\r\n")
    try:
        while d := b.recv(100):
            assert b"HTTP/1.1" not in d
    except ConnectionResetError:
        pass
    w.event(why="tls")


def never():
    # a handshake that is never finished ends
    w, up = start()
    a = w.flow(up)
    a.send(b"\x16\x03\x01\x02\x00\x01")
    began = time.time()
    a.settimeout(30)
    assert a.recv(10) == b""
    assert 10 < time.time() - began < 20
    w.event(why="tls", text="no TLS handshake in time")


def confined():
    w, up = start()
    w.ask(w.agent(up), get("/", AUTH))
    for p in (w.front, w.vault):
        with open(f"/proc/{p.pid}/status") as f:
            s = f.read()
        assert "\nSeccomp:\t2\n" in s and "\nNoNewPrivs:\t1\n" in s, s
        try:
            open(f"/proc/{p.pid}/mem", "rb").close()
            raise AssertionError("its memory can be read")
        except PermissionError:
            pass
    with open(f"/proc/{w.vault.pid}/cmdline", "rb") as f:
        assert SECRET.encode() not in f.read()
    w.end()


def contents(p, *what):
    """How often each is in a process's memory."""
    n = [0] * len(what)
    with open(f"/proc/{p.pid}/maps") as maps, open(f"/proc/{p.pid}/mem", "rb") as mem:
        for line in maps:
            at, perms = line.split()[:2]
            lo, hi = (int(x, 16) for x in at.split("-"))
            if "r" not in perms or "[v" in line:
                continue
            mem.seek(lo)
            data = mem.read(hi - lo)
            n = [k + data.count(w) for k, w in zip(n, what)]
    return n


def hangs():
    """An upstream that takes the connection and says nothing."""
    w, up = start()
    up = Upstream(lambda c: time.sleep(40))
    began = time.time()
    c = w.agent(up)
    c.sock.settimeout(40)
    first, _, body = w.ask(c, get())
    assert " 502 " in first and b"in time" in body, first
    assert 15 < time.time() - began < 25
    w.event(why="upstream", status=502)


def search():
    """No byte of the secret in the front's memory, with an upstream that echoes it."""
    mark = b"in-the-clear-4711"
    w, up = start(preload="dumpable.so")
    # of the authority's key (PKCS #8 of P-256) the secret number, as it is written and as it is kept
    der = base64.b64decode(os.pread(w.resume, 65536, 0).split(b"-----")[2])
    key = der[36:68]
    assert der[34:36] == b"\x04\x20", der.hex()
    keys = [key[:16], key[::-1][:16]]
    c = w.agent(up)
    more = AUTH + f"X-Mark: {mark.decode()}\r\n"
    for _ in range(20):
        assert b"****" in w.ask(c, get("/", more))[2]
    c.send(get("/", more + "Content-Length: 9\r\n", method="POST") + mark[:8])
    time.sleep(0.3)
    half = SECRET[8:20].encode()
    found = contents(w.front, mark, SECRET.encode(), half, *keys)
    assert found[0] > 0, "the search finds nothing at all"
    assert found[1:] == [0, 0, 0, 0], found
    found = contents(w.vault, SECRET.encode(), *keys)
    assert found[0] > 0 and found[1] + found[2] > 0, "and not what is there"


CASES = {k: v for k, v in list(globals().items()) if callable(v) and getattr(
    v, "__module__", "") == "__main__" and k not in ("start", "memory", "contents", "blob")}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
    # at once: the interpreter's own end is not made for threads that still read
    sys.stdout.flush()
    os._exit(0)
