#!/usr/bin/python3
"""attack.py - attempts from inside the sandbox, one function each.

Usage: attack.py NAME[=ARG]...   Every attempt prints one line "NAME RESULT": "ok ..." when it
succeeded (which is what the tests don't want to see), else the symbolic errno.  The bats files say
what must happen; nothing is judged here.  Raw system calls, so that no library softens an answer.
"""
import ctypes
import errno
import fcntl
import mmap
import os
import signal
import socket
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

NR = {
    "ptrace": 101, "personality": 135, "ustat": 136, "uselib": 134, "sysfs": 139, "vhangup": 153,
    "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156, "prctl": 157, "arch_prctl": 158,
    "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165,
    "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174, "init_module": 175,
    "delete_module": 176, "query_module": 178, "quotactl": 179, "nfsservctl": 180,
    "lookup_dcookie": 212, "clock_settime": 227, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279,
    "perf_event_open": 298, "fanotify_init": 300, "open_by_handle_at": 304,
    "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "kcmp": 312, "finit_module": 313, "bpf": 321, "kexec_file_load": 320, "userfaultfd": 323,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438, "mount_setattr": 442,
    "quotactl_fd": 443, "memfd_secret": 447, "syslog": 103, "seccomp": 317, "clone": 56,
    "memfd_create": 319, "execveat": 322, "mknod": 133, "mknodat": 259, "setuid": 105,
    "setgroups": 116, "pkey_alloc": 330, "name_to_handle_at": 303,
    # not in any kernel yet: must read as "does not exist"
    "nr_600": 600, "nr_1000": 1000, "nr_x32": 0x40000027, "nr_minus": -7,
}
TESTS = {}


def attack(f):
    TESTS[f.__name__] = f
    return f


def err(e=None):
    return errno.errorcode.get(ctypes.get_errno() if e is None else e, "E?")


def call(name, *args):
    """The raw call: 'ok N' or the errno."""
    ctypes.set_errno(0)
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    r = libc.syscall(ctypes.c_long(NR[name]), *args)
    return f"ok {r}" if r >= 0 else err()


def tried(f, *args, **kw):
    try:
        r = f(*args, **kw)
        return f"ok {r!r}"
    except OSError as e:
        return err(e.errno)


# ---- system calls -------------------------------------------------------------------------------

@attack
def sys(arg):
    """sys=NAME: the call with nulls."""
    return call(arg, 0, 0, 0, 0, 0, 0)


@attack
def io_uring(_):
    buf = ctypes.create_string_buffer(256)
    return call("io_uring_setup", 8, buf)


@attack
def bpf(_):
    return call("bpf", 0, ctypes.create_string_buffer(128), 72)


@attack
def perf(_):
    attr = ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 0) + bytes(112))
    return call("perf_event_open", attr, 0, -1, -1, 0)


@attack
def userfault(_):
    return call("userfaultfd", os.O_CLOEXEC | 1)  # UFFD_USER_MODE_ONLY: no privilege needed


@attack
def keys(_):
    return call("add_key", b"user", b"k", b"v", 1, -3)


@attack
def request_key(_):
    return call("request_key", b"user", b"bawn-test", b"x", -3)


@attack
def keyctl_session(_):
    return call("keyctl", 1, 0)  # JOIN_SESSION_KEYRING


@attack
def new_userns(_):
    return call("unshare", 0x10000000)


@attack
def clone_userns(_):
    r = call("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if r == "ok 0":
        os._exit(0)
    return r


@attack
def clone3_userns(_):
    args = ctypes.create_string_buffer(struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0))
    r = call("clone3", args, 64)
    if r == "ok 0":
        os._exit(0)
    return r


@attack
def new_ns(arg):
    return call("unshare", int(arg, 16))


@attack
def setns_self(arg):
    fd = os.open(f"/proc/self/ns/{arg}", os.O_RDONLY)
    return call("setns", fd, 0)


@attack
def setns_pidfd(_):
    fd = libc.syscall(434, 1, 0)
    return call("setns", fd, 0x20000) if fd >= 0 else err()


@attack
def pidfd_getfd_init(_):
    fd = libc.syscall(434, 1, 0)
    return " ".join(call("pidfd_getfd", fd, i, 0) for i in range(3, 6))


@attack
def ptrace_init(_):
    return call("ptrace", 0x4206, 1, 0, 0)  # SEIZE


@attack
def ptrace_child(_):
    pid = os.fork()
    if pid == 0:
        time.sleep(5)
        os._exit(0)
    r = call("ptrace", 0x4206, pid, 0, 0)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return r


@attack
def vm_read_init(_):
    buf = ctypes.create_string_buffer(16)
    iov = struct.pack("PP", ctypes.addressof(buf), 16)
    rem = struct.pack("PP", 0x400000, 16)
    return call("process_vm_readv", 1, iov, 1, rem, 1, 0)


@attack
def vm_write_init(_):
    buf = ctypes.create_string_buffer(16)
    iov = struct.pack("PP", ctypes.addressof(buf), 16)
    rem = struct.pack("PP", 0x400000, 16)
    return call("process_vm_writev", 1, iov, 1, rem, 1, 0)


@attack
def int80(_):
    """getpid by the 32-bit entry: mov eax,20; int 0x80; ret."""
    m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    m.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
    pid = os.fork()
    if pid == 0:
        os._exit(42 if f() == os.getpid() else 7)
    _, st = os.waitpid(pid, 0)
    return {42 << 8: "ok", 7 << 8: "refused"}.get(st, f"killed {st}")


@attack
def x32_getpid(_):
    return call("nr_x32")


@attack
def elf32(arg):
    """Run the 32-bit program at ARG."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(arg, [arg])
        except OSError as e:
            os._exit(100 + e.errno % 100)
    _, st = os.waitpid(pid, 0)
    return f"ok {st >> 8}" if os.WIFEXITED(st) and st >> 8 == 42 else f"refused {st}"


@attack
def personality(arg):
    return call("personality", int(arg, 16))


@attack
def set_mm(_):
    return call("prctl", 35, 6, 0x400000, 0, 0)


@attack
def map_vdso(_):
    return call("arch_prctl", 0x2003, 0x10000000)


@attack
def modify_ldt(_):
    return call("modify_ldt", 1, struct.pack("IIII", 0, 0, 0, 0x10), 16)


@attack
def thread_has_filter(_):
    import threading
    out = []

    def look():
        tid = threading.get_native_id()
        out.extend(line.split()[1] for line in open(f"/proc/self/task/{tid}/status")
                   if line.startswith("Seccomp:"))
        out.append(call("mount", 0, 0, 0, 0, 0))
    t = threading.Thread(target=look)
    t.start()
    t.join()
    return " ".join(out)


@attack
def listener(_):
    """A filter of our own with a listener that answers a child's mount(2) with success."""
    libc.prctl(38, 1, 0, 0, 0)
    ops = struct.pack("HBBI", 0x20, 0, 0, 0) + struct.pack("HBBI", 0x15, 0, 1, 165) + \
        struct.pack("HBBI", 6, 0, 0, 0x7fc00000) + struct.pack("HBBI", 6, 0, 0, 0x7fff0000)
    buf = ctypes.create_string_buffer(ops)
    prog = struct.pack("HxxxxxxP", 4, ctypes.addressof(buf))
    r = call("seccomp", 1, 8, prog)  # SET_MODE_FILTER, NEW_LISTENER
    return r if not r.startswith("ok") else "ok listener"


@attack
def tty_ioctl(arg):
    """tty_ioctl=NUMBER,ARG on fd 0 and /dev/tty."""
    nr, _, a = arg.partition(",")
    a = int(a or "0")
    out = []
    for path in (None, "/dev/tty"):
        try:
            fd = 0 if path is None else os.open(path, os.O_RDWR | os.O_NOCTTY)
        except OSError as e:
            out.append(err(e.errno))
            continue
        buf = ctypes.create_string_buffer(b"x" * 8) if a == 0 else ctypes.c_long(a)
        r = libc.ioctl(fd, ctypes.c_ulong(int(nr, 16)), buf)
        out.append(f"ok {r}" if r >= 0 else err())
    return " ".join(out)


@attack
def high_ioctl(_):
    """TIOCSTI with bits above the low 32 set (CVE-2019-10063)."""
    c = ctypes.create_string_buffer(b"x")
    return call_nr(16, 0, 0x100005412, c)


def call_nr(nr, *args):
    ctypes.set_errno(0)
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    r = libc.syscall(ctypes.c_long(nr), *args)
    return f"ok {r}" if r >= 0 else err()


@attack
def sock(arg):
    """sock=FAMILY,TYPE,PROTO"""
    f, t, p = (int(x) for x in arg.split(","))
    r = call_nr(41, f, t, p)
    return r


# ---- mounts -------------------------------------------------------------------------------------

@attack
def mount(arg):
    """mount=SRC,DST,TYPE,FLAGS"""
    s, d, t, f = arg.split(",")
    return call("mount", s.encode(), d.encode(), t.encode() or 0, int(f, 16), 0)


@attack
def umount(arg):
    return call("umount2", arg.encode(), 2)


@attack
def fsopen(arg):
    return call("fsopen", arg.encode(), 0)


@attack
def open_tree(arg):
    return call("open_tree", -100, arg.encode(), 1)


@attack
def mount_setattr(arg):
    return call("mount_setattr", -100, arg.encode(), 0, struct.pack("QQQQ", 0, 1, 0, 0), 32)


@attack
def chroot_break(_):
    return call("chroot", b"/tmp")


# ---- files --------------------------------------------------------------------------------------

@attack
def read(arg):
    try:
        with open(arg, "rb") as f:
            return "ok " + repr(f.read(4096))
    except OSError as e:
        return err(e.errno)


@attack
def listdir(arg):
    return tried(lambda: sorted(os.listdir(arg)))


@attack
def write(arg):
    """Append to a file, by every way there is."""
    out = []

    def one(f):
        try:
            f()
            out.append("ok")
        except OSError as e:
            out.append(err(e.errno))

    def by_fd(flags):
        p = os.open(arg, flags)
        os.write(os.open(f"/proc/self/fd/{p}", os.O_WRONLY), b"x")

    def by_mmap():
        fd = os.open(arg, os.O_RDWR)
        mmap.mmap(fd, 1)[0:1] = b"x"
    one(lambda: os.write(os.open(arg, os.O_WRONLY | os.O_APPEND), b"x"))
    one(lambda: by_fd(os.O_PATH))
    one(lambda: by_fd(os.O_RDONLY))
    one(by_mmap)
    one(lambda: os.truncate(arg, 0))
    one(lambda: os.setxattr(arg, "user.x", b"y"))
    one(lambda: os.chmod(arg, 0o777))
    one(lambda: os.utime(arg))
    one(lambda: os.unlink(arg))
    one(lambda: os.rename(arg, arg + ".moved"))
    one(lambda: os.link(arg, arg + ".link"))
    return " ".join(out)


@attack
def shared_map(arg):
    """A private fd made read-only, mapped shared and then made writable."""
    fd = os.open(arg, os.O_RDONLY)
    return tried(lambda: mmap.mmap(fd, 1, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE))


@attack
def tmpfile_link(arg):
    def go():
        fd = os.open(arg, os.O_TMPFILE | os.O_RDWR, 0o600)
        os.link(f"/proc/self/fd/{fd}", os.path.join(arg, "planted"), follow_symlinks=True)
    return tried(go)


@attack
def link_in(arg):
    """Link a file of /tmp into the directory ARG."""
    with open("/tmp/seed", "w") as f:
        f.write("x")
    return tried(os.link, "/tmp/seed", os.path.join(arg, "planted"))


@attack
def handle(arg):
    """shocker: name_to_handle_at, then open_by_handle_at on the workspace and on /usr."""
    out = []
    for path in (arg, "/usr"):
        h = ctypes.create_string_buffer(struct.pack("Ii", 120, 0) + bytes(128))
        mid = ctypes.c_int()
        r = libc.syscall(303, -100, path.encode(), h, ctypes.byref(mid), 0)
        fd = os.open(path, os.O_RDONLY)
        if r < 0:
            out.append("name:" + err())
        out.append(call("open_by_handle_at", fd, h, 0))
        # the root directory of ext4 has inode 2
        h = ctypes.create_string_buffer(struct.pack("IiII", 8, 1, 2, 0) + bytes(64))
        out.append(call("open_by_handle_at", fd, h, 0))
    return " ".join(out)


@attack
def mknods(arg):
    """mknods=DIR: a character, a block device and an overlay whiteout."""
    out = []
    for name, mode, dev in (("chr", 0o020666, os.makedev(1, 1)), ("blk", 0o060666, os.makedev(254, 0)),
                            ("wh", 0o020000, 0)):
        p = os.path.join(arg, "node-" + name).encode()
        out.append(call("mknod", p, mode, dev))
        out.append(call("mknodat", -100, p, mode, dev))
    return " ".join(out)


@attack
def whiteout(arg):
    """whiteout=FROM,TO: a rename that leaves an overlay's whiteout where FROM was."""
    a, b = arg.split(",")
    return " ".join(call_nr(316, -100, a.encode(), -100, b.encode(), flags) for flags in (4, 5, 1 << 40 | 4))


@attack
def rename(arg):
    a, b = arg.split(",")
    return tried(os.rename, a, b)


@attack
def exchange(arg):
    a, b = arg.split(",")
    return call_nr(316, -100, a.encode(), -100, b.encode(), 2)


@attack
def unlink(arg):
    return tried(os.unlink, arg)


@attack
def rmdir(arg):
    return tried(os.rmdir, arg)


@attack
def hardlink(arg):
    a, b = arg.split(",")
    return tried(os.link, a, b)


@attack
def map_read(arg):
    fd = os.open(arg, os.O_RDONLY)
    n = os.fstat(fd).st_size
    if n == 0:
        return "empty"
    return "ok " + repr(bytes(mmap.mmap(fd, n, prot=mmap.PROT_READ)))


@attack
def fds(_):
    own = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            own.add(f"{fd}:{os.readlink('/proc/self/fd/' + fd)}")
        except OSError:
            pass
    return " ".join(sorted(x for x in own if int(x.split(":")[0]) > 2)) or "none"


@attack
def xattr_cap(arg):
    cap = struct.pack("<IIIII", 0x02000001, 0xffffffff, 0, 0, 0)
    return tried(os.setxattr, arg, "security.capability", cap)


# ---- processes and limits -----------------------------------------------------------------------

@attack
def kill_all(_):
    return tried(os.kill, -1, 9)


@attack
def kill_pid(arg):
    return tried(os.kill, int(arg), 9)


@attack
def stop_parent(_):
    return f"ppid {os.getppid()} " + tried(os.kill, os.getppid(), signal.SIGSTOP)


@attack
def zombies(arg):
    """ARG orphans that end at once; how many are left as zombies after a while."""
    for _i in range(int(arg)):
        pid = os.fork()
        if pid == 0:
            if os.fork() == 0:
                os._exit(0)
            os._exit(0)
        os.waitpid(pid, 0)
    for _i in range(100):
        left = 0
        for p in os.listdir("/proc"):
            try:
                if p.isdigit() and " Z " in open(f"/proc/{p}/stat").read():
                    left += 1
            except OSError:
                pass
        if left == 0:
            break
        time.sleep(0.02)
    return f"left {left}"


@attack
def forks(arg):
    """Fork until it fails, ARG at most; how many lived."""
    pids, e = [], "none"
    for _i in range(int(arg)):
        try:
            pid = os.fork()
        except OSError as x:
            e = err(x.errno)
            break
        if pid == 0:
            signal.pause()
            os._exit(0)
        pids.append(pid)
    for p in pids:
        os.kill(p, 9)
    for p in pids:
        os.waitpid(p, 0)
    return f"{len(pids)} {e}"


@attack
def scheduling(_):
    out = [tried(os.setpriority, os.PRIO_PROCESS, 0, -20),
           tried(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1)),
           tried(os.sched_setscheduler, 0, os.SCHED_RR, os.sched_param(1))]
    r = libc.syscall(251, 1, 0, (1 << 13) | 0)  # ioprio_set RT
    out.append(f"ok {r}" if r >= 0 else err())
    return " ".join(out)


def on_process(pid):
    """A process by its number, in every way in which it can be slowed down or kept from its work."""
    limits = struct.pack("QQ", 8, 8)
    attributes = struct.pack("IIQiIQQQ", 48, 5, 1, 0, 0, 0, 0, 0)  # SCHED_IDLE, SCHED_FLAG_RESET_ON_FORK
    cpu = struct.pack("Q", 1 << min(os.sched_getaffinity(0)))
    return [call_nr(203, pid, 8, cpu), call_nr(144, pid, 3 | 1 << 30, struct.pack("i", 0)), call_nr(314, pid, attributes, 0),
            call_nr(142, pid, struct.pack("i", 0)), call_nr(141, 0, pid, 19), call_nr(251, 1, pid, 3 << 13),
            call_nr(302, pid, 7, limits, 0)]


@attack
def slow_down(arg):
    """slow_down=PID"""
    return " ".join(on_process(int(arg)))


@attack
def slow_down_self(_):
    """What is allowed with a process of one's own, by its number, and its group, also to change limits."""
    pid = os.fork()
    if pid == 0:
        bad = [r for r in on_process(os.getpid()) if not r.startswith("ok")]
        bad += [r for r in (tried(os.setpgid, 0, 0), call_nr(141, 1, 0, 19), call_nr(251, 2, os.getpid(), 3 << 13))
                if not r.startswith("ok")]
        os._exit(len(bad))
    return f"refused {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"


@attack
def slow_down_all(_):
    """pid 1 by the user and the group that it has."""
    me = os.getuid()
    return " ".join([call_nr(141, 2, 0, 19), call_nr(141, 2, me, 19), call_nr(251, 3, me, 3 << 13),
                     call_nr(251, 3, 0, 3 << 13), call_nr(141, 1, 1, 19), call_nr(251, 2, 1, 3 << 13),
                     tried(os.setpgid, 0, 1)])


@attack
def core_limit(_):
    """Try to change the core limit, then say what it is: nothing may be but 1."""
    import resource
    tried(resource.setrlimit, resource.RLIMIT_CORE, (0, 0))
    tried(resource.prlimit, 0, resource.RLIMIT_CORE, (0, 0))
    call_nr(160, 4, struct.pack("QQ", 0, 0))
    return repr(resource.getrlimit(resource.RLIMIT_CORE))


@attack
def crash(arg):
    """Crash in directory ARG."""
    os.chdir(arg)
    pid = os.fork()
    if pid == 0:
        ctypes.string_at(8)
    _, st = os.waitpid(pid, 0)
    return f"signal {st & 127} core {bool(st & 128)} files {sorted(f for f in os.listdir('.') if 'core' in f)}"


@attack
def inotify(arg):
    """As many inotify instances as there are; stays for ARG seconds."""
    n, e = 0, "none"
    while n < 5000:
        if libc.inotify_init() < 0:
            e = err()
            break
        n += 1
    print(f"inotify {n} {e}", flush=True)
    time.sleep(float(arg))
    return "done"


@attack
def fill(arg):
    """fill=FILE,MIB: write zeroes until it fails."""
    path, mib = arg.split(",")
    n = 0
    block = bytes(1 << 20)
    try:
        with open(path, "wb", buffering=0) as f:
            while n < int(mib):
                f.write(block)
                n += 1
    except OSError as e:
        return f"{err(e.errno)} after {n} MiB"
    finally:
        os.unlink(path)
    return f"ok {n}"


@attack
def fill_inodes(arg):
    d, most = arg.split(",")
    os.makedirs(d, exist_ok=True)
    for i in range(int(most)):
        try:
            os.close(os.open(f"{d}/{i}", os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as e:
            return f"{err(e.errno)} after {i}"
    return f"ok {most}"


@attack
def memfd_exec(arg):
    """memfd_exec=PROGRAM,ARG...: run a copy of it from memory."""
    words = arg.split(",")
    fd = os.memfd_create("x")
    with open(words[0], "rb") as f:
        os.write(fd, f.read())
    pid = os.fork()
    if pid == 0:
        os.execve(fd, words, dict(os.environ))
    _, st = os.waitpid(pid, 0)
    return f"status {st >> 8}"


# ---- sockets ------------------------------------------------------------------------------------

@attack
def unix(arg):
    """Connect to a unix socket; "@name" is abstract."""
    s = socket.socket(socket.AF_UNIX)
    return tried(s.connect, "\0" + arg[1:] if arg[0] == "@" else arg)


@attack
def shm(arg):
    """Attach the SysV segment with key ARG."""
    r = libc.shmget(int(arg, 16), 0, 0)
    return f"ok {r}" if r >= 0 else err()


@attack
def mq(arg):
    r = call_nr(240, arg.encode(), 0, 0, 0)
    return r


def main():
    for word in __import__("sys").argv[1:]:
        name, _, arg = word.partition("=")
        try:
            r = TESTS[name](arg)
        except OSError as e:
            r = err(e.errno)
        print(f"{word} -> {r}", flush=True)


main()
