#!/usr/bin/python3
"""pty-run.py - run a command on a pty of its own and print what it wrote: pty-run.py -- CMD..."""
import os
import pty
import select
import sys
import time

argv = sys.argv[sys.argv.index("--") + 1:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
end = time.monotonic() + 30
data = b""
while time.monotonic() < end:
    if not select.select([fd], [], [], 0.5)[0]:
        continue
    try:
        chunk = os.read(fd, 65536)
    except OSError:
        break
    if not chunk:
        break
    data += chunk
_, st = os.waitpid(pid, 0)
sys.stdout.write(data.decode(errors="replace").replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(st) if os.WIFEXITED(st) else 255)
