#!/usr/bin/env python3
"""Asks bawn-registry one question, as bawn-template does: for tests.

usage: ask.py HELPER OUT KEY=VALUE... [secret.KEY=VALUE] [in=FILE]

What comes on descriptor 4 goes to OUT; in=FILE is put there instead.  Prints the answer, then what
secrets it wrote, as "secret KEY VALUE"; its exit code is bawn-registry's.
"""
import os
import sys

helper, out = sys.argv[1:3]
keys = [a.split("=", 1) for a in sys.argv[3:]]
keys = [k for i, k in enumerate(keys) if k[0] not in [x[0] for x in keys[i + 1:]]]  # the last counts
request = "".join("%s %s\n" % (k, v) for k, v in keys
                  if not k.startswith("secret.") and k not in ("in", "raw")) + "end\n"
for k, v in keys:
    if k == "raw":
        request = v.encode().decode("unicode_escape")
secrets = os.memfd_create("secrets")
os.write(secrets, "".join("%s %s\n" % (k[7:], v) for k, v in keys
                          if k.startswith("secret.")).encode())
asked = os.memfd_create("request")
os.write(asked, request.encode())
os.lseek(asked, 0, os.SEEK_SET)
source = [v for k, v in keys if k == "in"]
data = os.open(source[0], os.O_RDONLY) if source else \
    os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
rd, wr = os.pipe()
fds = [asked, wr, 2, secrets, data]
pid = os.fork()
if pid == 0:
    high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
    for i, fd in enumerate(high):
        os.dup2(fd, i)
    os.closerange(5, 200)
    os.execve(helper, ["bawn-registry"], {})
os.close(wr)
answer = b""
while True:
    piece = os.read(rd, 65536)
    if not piece:
        break
    answer += piece
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(answer.decode())
for line in os.pread(secrets, 1 << 20, 0).decode().splitlines():
    print("secret", line)
sys.exit(code if code >= 0 else 128 - code)
