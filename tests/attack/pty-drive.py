#!/usr/bin/python3
"""pty-drive.py - run a command on a pty as a person with a terminal would, step by step.

usage: pty-drive.py [--size ROWSxCOLS] STEP... -- CMD...
Steps, in order (each "expect" waits 15 s at most):
  expect=TEXT      until TEXT has come
  send=TEXT        type TEXT (Python escapes: \\x03 is Ctrl-C)
  size=ROWSxCOLS   the window changes its size
  kill=NAME        SIGKILL to the command ("self") or to the descendants whose command line begins with NAME
  sleep=SECONDS
  modes            print the terminal's modes now
  eof              until the command has ended
  hangup           the terminal goes away, as a closed window does; must be the last
  late=TEXT        answer that arrives now: typed without waiting
  stuck=SECONDS    read nothing for that long, and print how much memory the command uses
  shell            print what a shell would now read from the terminal
Prints what was written, then one line for each thing asked for; the exit status is the command's.
The command's session leader is a shell-like parent of our own when it starts with "job": then the
command is a job in the foreground, and a stop is printed as "stopped" and continued by "fg".
"""
import atexit
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time

at = sys.argv.index("--")
steps, argv = sys.argv[1:at], sys.argv[at + 1:]
rows, cols = 24, 80
if steps and steps[0].startswith("--size="):
    rows, cols = (int(x) for x in steps.pop(0)[7:].split("x"))
master, slave = os.openpty()


def set_size(r, c):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", r, c, 0, 0))


set_size(rows, cols)
before = termios.tcgetattr(slave)
status_r, status_w = os.pipe()
cmd_r, cmd_w = os.pipe()


def shell_like():
    """The session leader: starts the job, waits, says what happened, takes the terminal back."""
    os.close(cmd_w)  # so that the end of the driver is seen, whatever ended it
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(slave, os.getpid())
        for s in (signal.SIGTTOU, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
            signal.signal(s, signal.SIG_DFL)
        for i in range(3):
            os.dup2(slave, i)
        os.closerange(3, 64)
        os.execvp(argv[0], argv)
    os.write(status_w, f"pid {pid}\n".encode())
    while True:
        _, st = os.waitpid(pid, os.WUNTRACED)
        try:
            os.tcsetpgrp(slave, os.getpgrp())
        except OSError:
            pass  # hung up
        if os.WIFSTOPPED(st):
            os.write(status_w, b"stopped\n")
            os.read(cmd_r, 1)
            os.tcsetpgrp(slave, pid)
            os.killpg(pid, signal.SIGCONT)
            continue
        code = os.waitstatus_to_exitcode(st)
        os.write(status_w, f"exit {code}\n".encode())
        break
    # stays as the session leader, as a shell does, so that the terminal is not hung up
    os.read(cmd_r, 1)
    os._exit(0)


keeper = os.fork()
if keeper == 0:
    shell_like()
# An error here must not leave the keeper behind, who holds the test's output open.
atexit.register(os.kill, keeper, signal.SIGKILL)
os.close(status_w)
os.close(cmd_r)
out, status, said = b"", b"", []
job = 0


def pump(timeout):
    global out, status, job
    r, _, _ = select.select([master, status_r], [], [], timeout)
    if master in r:
        try:
            out += os.read(master, 65536)
        except OSError:
            pass
    if status_r in r:
        more = os.read(status_r, 4096)
        if not more:
            finish("the keeper has ended")
        status += more
    if not job and b"pid " in status:
        job = int(status.split(b"pid ")[1].split()[0])
    return bool(r)


def until(what, cond, limit=15):
    end = time.monotonic() + limit
    while not cond():
        pump(0.05)
        if time.monotonic() > end:
            finish(f"TIMEOUT waiting for {what}")


def finish(extra=None):
    sys.stdout.write(out.decode(errors="backslashreplace").replace("\x1b", "<ESC>").replace("\a", "<BEL>").replace("\r\n", "\n"))
    sys.stdout.write("\n")
    for line in said:
        print(line)
    if extra:
        print(extra)
    sys.stdout.flush()
    if job:
        try:
            os.killpg(job, signal.SIGKILL)
        except ProcessLookupError:
            pass
    code = 99 if extra else 0
    if b"exit " in status:
        code = int(status.split(b"exit ")[1].split()[0]) if not extra else 99
    os.close(cmd_w)
    os.kill(keeper, signal.SIGKILL)
    os._exit(code if code >= 0 else 128 - code)


def named(command):
    return [p for p in children(job) if p != job and command_line(p).startswith(command.encode())]


def children(pid):
    found = [pid]
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                with open(f"/proc/{p}/stat") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found += children(int(p))
            except (OSError, IndexError):
                pass
    return found


def command_line(pid):
    """Its arguments, with blanks between; nothing where it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ")
    except OSError:
        return b""


def text(arg):
    return arg.encode().decode("unicode_escape").encode("latin-1")


seen = 0
for step in steps:
    name, _, arg = step.partition("=")
    if name == "expect":
        want = text(arg)
        until(repr(arg), lambda: out.find(want, seen) >= 0)
        seen = out.find(want, seen) + len(want)
    elif name == "send" or name == "late":
        os.write(master, text(arg))
    elif name == "size":
        r, c = arg.split("x")
        set_size(int(r), int(c))
    elif name == "kill":
        until("start", lambda: job)
        targets = [job] if arg == "self" else named(arg)
        until(arg, lambda: targets or named(arg))  # it may be on its way to its exec
        targets = targets or named(arg)
        said.append(f"killed {len(targets)}")
        for p in targets:
            try:
                os.kill(p, signal.SIGKILL)
            except ProcessLookupError:
                pass
    elif name == "sleep":
        end = time.monotonic() + float(arg)
        while time.monotonic() < end:
            pump(0.02)
    elif name == "stopped":
        until("stop", lambda: status.count(b"stopped") > said.count("stopped"))
        said.append("stopped")
    elif name == "fg":
        os.write(cmd_w, b"c")
    elif name == "hangup":
        os.close(slave)
        os.close(master)
        os.killpg(job, signal.SIGHUP)
        end = time.monotonic() + 15
        while b"exit " not in status and time.monotonic() < end:
            if select.select([status_r], [], [], 0.1)[0]:
                status += os.read(status_r, 4096)
        finish(None if b"exit " in status else "TIMEOUT waiting for the end after a hangup")
    elif name == "eof":
        until("end", lambda: b"exit " in status)
        end = time.monotonic() + 15
        while pump(0.1) and time.monotonic() < end:
            pass
    elif name == "modes":
        now = termios.tcgetattr(slave)
        said.append("modes " + ("as before" if now == before else f"CHANGED {now[:4]} {before[:4]}"))
    elif name == "stuck":
        time.sleep(float(arg))
        total = 0
        for p in children(job):
            try:
                for line in open(f"/proc/{p}/smaps_rollup"):
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
            except OSError:
                pass
        with open(f"/proc/{job}/status") as f:
            rss = [x for x in f if x.startswith("VmRSS")][0].split()[1]
        said.append(f"rss {rss}")
    elif name == "shell":
        # canonical or not: what is in the queue
        attr = termios.tcgetattr(slave)
        raw = attr[:]
        raw[3] &= ~termios.ICANON
        raw[6] = list(raw[6])
        raw[6][termios.VMIN] = 0
        raw[6][termios.VTIME] = 0
        termios.tcsetattr(slave, termios.TCSANOW, raw)
        left = b""
        while True:
            chunk = os.read(slave, 4096)
            if not chunk:
                break
            left += chunk
        termios.tcsetattr(slave, termios.TCSANOW, attr)
        said.append(f"shell would read {left!r}")
finish()
