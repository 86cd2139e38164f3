#!/usr/bin/python3
# browse.py - looks at a page in headless Chromium, by the DevTools protocol over a pipe, and prints as JSON
# what is there: console errors, requests, colours of screenshots in light and dark mode, the order of the tab
# key.  usage: browse.py PAGE DIRECTORY (which gets the screenshots).  Chromium's own sandbox is off: its
# profile and its page are the test's own.
import base64, json, os, select, struct, subprocess, sys, tempfile, time, zlib


class Browser:
    def __init__(self, profile):
        to_r, self.to = os.pipe()
        self.frm, from_w = os.pipe()
        # Chromium reads from 3 and writes to 4; copies out of their way first
        a, b = (os.dup2(fd, at) for fd, at in ((to_r, 30), (from_w, 31)))
        args = ["bash", "-c", 'exec 3<&30 4>&31 30<&- 31>&-; exec "$@"', "bash", "chromium", "--headless=new",
                "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
                "--user-data-dir=" + profile, "--window-size=1000,1400", "about:blank"]
        self.p = subprocess.Popen(args, pass_fds=(a, b), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (to_r, from_w, a, b):
            os.close(fd)
        self.buf, self.n, self.session, self.events = b"", 0, None, []

    def read(self, seconds):
        end = time.time() + seconds
        while b"\0" not in self.buf:
            if not select.select([self.frm], [], [], max(0, end - time.time()))[0]:
                return None
            got = os.read(self.frm, 1 << 20)
            if not got:
                raise RuntimeError("chromium ended")
            self.buf += got
        one, self.buf = self.buf.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.n += 1
        msg = {"id": self.n, "method": method, "params": params}
        if self.session:
            msg["sessionId"] = self.session
        os.write(self.to, json.dumps(msg).encode() + b"\0")
        while True:
            m = self.read(60)
            if m is None:
                raise RuntimeError("no answer to " + method)
            if m.get("id") == self.n:
                if "error" in m:
                    raise RuntimeError(method + ": " + json.dumps(m["error"]))
                return m["result"]
            self.events.append(m)

    def js(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))


def pixels(png):
    """The distinct colours of a PNG of 8 bits a channel, and the one at its corner."""
    at, data, width, depth = 8, b"", 0, 3
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, depth = struct.unpack(">I", body[:4])[0], {2: 3, 6: 4}[body[9]]
        elif kind == b"IDAT":
            data += body
        at += size + 12
    raw, line, seen, corner = zlib.decompress(data), width * depth, set(), None
    before = bytearray(line)
    for y in range(0, len(raw), line + 1):
        how, now = raw[y], bytearray(raw[y + 1:y + 1 + line])
        for x in range(line) if how else ():
            a = now[x - depth] if x >= depth else 0
            b, c = before[x], before[x - depth] if x >= depth else 0
            if how == 4:
                p = a + b - c
                d = [abs(p - a), abs(p - b), abs(p - c)]
                a = (a, b, c)[d.index(min(d))]
            now[x] = (now[x] + (a, b, (a + b) // 2, a)[how - 1]) & 255
        seen.update(bytes(now[x:x + 3]) for x in range(0, line, depth))
        corner = corner or bytes(now[-depth:][:3]).hex()
        before = now
    return len(seen), corner


def look(b, page, shots):
    target = b.call("Target.createTarget", url="about:blank")["targetId"]
    b.session = b.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        b.call(domain + ".enable")
    b.call("Page.navigate", url="file://" + os.path.abspath(page))
    end = time.time() + 30
    while b.js("document.readyState + location.protocol") != "completefile:" and time.time() < end:
        time.sleep(0.05)
    ret = {"title": b.js("document.title"), "text": b.js("document.body.innerText.length"),
           "scripts": b.js("document.scripts.length"),
           "overflow": b.js("document.documentElement.scrollWidth - innerWidth")}
    name = os.path.basename(page).split(".")[0]
    for mode in ("light", "dark"):
        b.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": mode}])
        png = base64.b64decode(b.call("Page.captureScreenshot", format="png")["data"])
        with open("%s/%s-%s.png" % (shots, name, mode), "wb") as f:
            f.write(png)
        colours, _ = pixels(png)
        ret[mode] = {"colours": colours, "background": b.js("getComputedStyle(document.body).backgroundColor")}
    ret["tabs"] = []
    for _ in range(14):
        b.key("Tab", 9)
        ret["tabs"].append(b.js("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
    b.js("document.querySelector('details:not([open]) summary').focus()")
    b.key("Enter", 13)
    ret["opened"] = b.js("document.activeElement.parentElement.open")
    while (m := b.read(0.3)) is not None:
        b.events.append(m)
    urls = [e["params"]["request"]["url"] for e in b.events if e.get("method") == "Network.requestWillBeSent"]
    ret["requests"] = len(urls)
    ret["errors"] = [e["params"] for e in b.events
                     if e.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled",
                                            "Page.javascriptDialogOpening")]
    return ret


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(profile)
    try:
        print(json.dumps(look(browser, sys.argv[1], sys.argv[2]), indent=1))
    finally:
        browser.p.kill()
        browser.p.wait()
