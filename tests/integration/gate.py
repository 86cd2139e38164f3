# gate.py - run bawn-gate on a directory and print what it says, a line each.
#
#   gate.py GATE DIR [--allow PATH]... [--harmless TEXT]... [--secret NAME=VALUE]... [--now SECONDS]
#
# The exit status is bawn-gate's.
import argparse
import os
import struct
import subprocess
import sys
import tempfile

ALLOW, HARMLESS, NOW, NAME, VALUE, LINE, FOUND, ALLOWED, UNSEEN, TOTALS, FAILED = range(1, 12)
WORDS = {FOUND: "found", ALLOWED: "allowed", UNSEEN: "unseen"}


def record(tag, data):
    d = struct.pack("II", tag, len(data)) + data
    return d + b"\0" * (-len(d) % 8)


def strings(tag, values):
    return record(tag, b"".join(v.encode() + b"\0" for v in values)) if values else b""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("gate")
    p.add_argument("dir")
    for name in ("allow", "harmless", "secret"):
        p.add_argument("--" + name, action="append", default=[])
    p.add_argument("--now", type=int, default=0)
    p.add_argument("--raw", action="store_true")
    a = p.parse_args()
    request, secrets = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    request.write(record(NOW, struct.pack("Q", a.now)) + strings(ALLOW, a.allow) +
                  strings(HARMLESS, a.harmless))
    for s in a.secret:
        name, value = s.split("=", 1)
        secrets.write(record(NAME, name.encode() + b"\0") + record(VALUE, value.encode()))
    request.flush()
    secrets.flush()
    request.seek(0)
    top = os.open(a.dir, os.O_RDONLY | os.O_DIRECTORY)

    def place():
        os.dup2(top, 63)
        os.dup2(secrets.fileno(), 62)
        os.dup2(63, 3)
        os.dup2(62, 4)

    run = subprocess.Popen([a.gate], stdin=request, stdout=None if a.raw else subprocess.PIPE,
                           preexec_fn=place, pass_fds=(3, 4), env={})
    if a.raw:
        print(run.pid, file=sys.stderr, flush=True)
        return run.wait()
    out = run.stdout.read()
    at = line = 0
    while at < len(out):
        tag, n = struct.unpack_from("II", out, at)
        data = out[at + 8:at + 8 + n]
        at += 8 + n
        at += -at % 8
        if tag == LINE:
            line = struct.unpack("Q", data)[0]
        elif tag in WORDS:
            path, member, what = data[:-1].split(b"\0")
            where = path + (b"!" + member if member else b"")
            sys.stdout.buffer.write(b"%s %s:%d: %s\n" % (WORDS[tag].encode(), where, line, what))
        elif tag == TOTALS:
            sys.stdout.buffer.write(b"totals %d %d %d %d %d %d\n" % struct.unpack("6Q", data))
        elif tag == FAILED:
            sys.stdout.buffer.write(b"failed %s\n" % data[:-1])
    sys.stdout.flush()
    return run.wait()


sys.exit(main())
