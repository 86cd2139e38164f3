#!/usr/bin/env bats
# sec.bats - attack corpus, class SEC: system calls.  Raw attempts from inside (attack/attack.py).
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

@test "SEC-01 io_uring is refused" {
	run on_host io_uring # control: it would work, or the kernel has it switched off
	case $output in *"-> ok"* | *EPERM* | *ENOSYS*) ;; *) fail "control" ;; esac
	run attack io_uring sys=io_uring_setup sys=io_uring_enter sys=io_uring_register
	expect_all EPERM ENOSYS
}

@test "SEC-03 32-bit and x32 entries are refused, for running code and for programs" {
	run attack int80
	refute_output "-> ok"
	run attack x32_getpid
	wants x32_getpid ENOSYS
	# exit(42) by int 0x80, as an i386 ELF file
	python3 - "$WS/elf32" <<-'EOF'
		import os, struct, sys
		code = b"\xbb\x2a\x00\x00\x00\xb8\x01\x00\x00\x00\xcd\x80\xf4"
		base = 0x8048000
		head = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1,
		    base + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
		ph = struct.pack("<IIIIIIII", 1, 0, base, base, 84 + len(code), 84 + len(code), 5, 4096)
		open(sys.argv[1], "wb").write(head + ph + code)
		os.chmod(sys.argv[1], 0o755)
	EOF
	run "$WS/elf32"
	case $status in # control: the kernel runs it, or not, or has no way in by int 0x80
	42 | 126 | 139) ;;
	*) fail "control" ;;
	esac
	run attack "elf32=$WS/elf32"
	assert_output "-> refused"
}

@test "SEC-05 terminal ioctls that type, paste, take consoles or disciplines are refused" {
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- \
		"$BAWN" run --rm shell "$WS" -- /usr/bin/python3 -c "$(cat "$ATTACK")" \
		tty_ioctl=0x5412 high_ioctl tty_ioctl=0x541c tty_ioctl=0x541d tty_ioctl=0x540e,1
	expect_all EPERM
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- \
		"$BAWN" run --rm shell "$WS" -- /usr/bin/python3 -c "$(cat "$ATTACK")" tty_ioctl=0x5423
	expect_all EPERM
}

@test "SEC-05 a terminal that is free can be taken as Go does, that of another session can't" {
	cat >"$T/take.py" <<-'E'
		import errno, fcntl, os, sys, termios
		def take(name, fd):
		    if os.fork():
		        os.wait()
		        return
		    os.setsid()
		    try:
		        fcntl.ioctl(fd, termios.TIOCSCTTY, 1)
		        print(name, "-> ok", flush=True)
		    except OSError as e:
		        print(name, "->", errno.errorcode[e.errno], flush=True)
		    if name == "free":
		        take("taken", fd)
		    os._exit(0)
		take("free", os.openpty()[1])
		if sys.argv[1:]:
		    take("own", 0)
	E
	run in_sandbox /usr/bin/python3 -c "$(cat "$T/take.py")"
	[ "$output" = $'free -> ok\ntaken -> EPERM' ] || fail "$output"
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- \
		"$BAWN" run --rm -q shell "$WS" -- /usr/bin/python3 -c "$(cat "$T/take.py")" terminal
	assert_output "taken -> EPERM"
	assert_output "own -> EPERM"
}

@test "SEC-05 FS-03 no snapshot of a workspace, which would hold the masked files" {
	run in_sandbox /usr/bin/python3 -c '
import errno, fcntl, os
d = os.open(".", os.O_RDONLY)
for cmd in (0x50009401, 0x50009417, 0x4020bc10):
    try:
        fcntl.ioctl(d, cmd, 0)
        print("snapshot", hex(cmd), "-> ok")
    except OSError as e:
        print("snapshot", hex(cmd), "->", errno.errorcode[e.errno])'
	expect_all EPERM
	# another number of the same kind is the file system's own to answer
	run in_sandbox /usr/bin/python3 -c 'import fcntl, os; fcntl.ioctl(os.open(".", 0), 0x50009402, 0)'
	assert_output "Inappropriate ioctl"
}

@test "SEC-05 RES-04 the keys of encrypted directories, which are the user's, stay as they are" {
	cat >"$T/fscrypt.py" <<-'E'
		import errno, fcntl, os
		d = os.open(".", os.O_RDONLY)
		for cmd in (0x800c6613, 0xc0506617, 0xc0406618, 0xc0406619):
		    try:
		        fcntl.ioctl(d, cmd, bytearray(80))
		        print("fscrypt", hex(cmd), "-> ok")
		    except OSError as e:
		        print("fscrypt", hex(cmd), "->", errno.errorcode[e.errno])
	E
	run in_sandbox /usr/bin/python3 -c "$(cat "$T/fscrypt.py")"
	expect_all EPERM
	[ "${#lines[@]}" -eq 4 ]
	# control: outside it is the file system that answers
	run /usr/bin/python3 "$T/fscrypt.py"
	refute_output "0xc0506617 -> EPERM"
	# asking whether a directory is encrypted is nobody's loss
	run in_sandbox /usr/bin/python3 -c 'import fcntl, os; fcntl.ioctl(os.open(".", 0), 0x400c6615, bytearray(80))'
	refute_output "Operation not permitted"
}

@test "SEC-06 NET-13 no other protocol of the kernel can be put on a TCP socket" {
	# a name of no length is EINVAL where the kernel reads it
	local try='
import errno, socket
for ulp in (b"", b"tls", b"smc", b"espintcp", b"mptcp"):
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.socket(family).setsockopt(6, 31, ulp)
            print(ulp, "-> ok")
        except OSError as e:
            print(ulp, "->", errno.errorcode[e.errno])'
	run in_sandbox /usr/bin/python3 -c "$try"
	expect_all ENOENT
	[ "${#lines[@]}" -eq 10 ]
	run /usr/bin/python3 -c "$try"
	assert_output "b'' -> EINVAL" # control
}

@test "SEC-06 NET-13 no socket is handed to the kernel's IPsec, L2TP or cryptography" {
	local try='
import errno, socket, struct
def put(kind, level, option, value):
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.socket(family, kind).setsockopt(level, option, value)
            print(level, option, "-> ok")
        except OSError as e:
            print(level, option, "->", errno.errorcode[e.errno])
for encap in (1, 2, 3, 6): # ESP, twice, L2TP, RxRPC
    put(socket.SOCK_DGRAM, 17, 100, encap)
for option in (14, 32, 38, 39, 40, 42): # MD5, MD5 with prefix, AO: add, delete, info, repair
    put(socket.SOCK_STREAM, 6, option, bytes(512))'
	run in_sandbox /usr/bin/python3 -c "$try"
	expect_all ENOPROTOOPT
	[ "${#lines[@]}" -eq 20 ]
	run /usr/bin/python3 -c "$try"
	assert_output "17 100 -> ok" # control
	# what else there is to be set, is
	run in_sandbox /usr/bin/python3 -c '
import socket
t, u = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
t.setsockopt(6, 13, b"reno")
u.setsockopt(17, 103, 1000) # UDP_SEGMENT
print(t.getsockopt(6, 13, 4), u.getsockopt(17, 103))'
	assert_output "b'reno' 1000"
}

@test "RES-05 nobody on the host is kept off the other half of a processor's core" {
	local try='
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.prctl(62, 1, 0, 0, 0), ctypes.get_errno())' # PR_SCHED_CORE_CREATE
	run in_sandbox /usr/bin/python3 -c "$try"
	assert_output "-1 1"
	run /usr/bin/python3 -c "$try"
	refute_output "-1 1" # control: 0, or a kernel or a processor without
}

@test "SEC-06 no module is loaded by asking a socket about bridges or VLANs" {
	run in_sandbox /usr/bin/python3 -c '
import errno, fcntl, socket
s = socket.socket()
for cmd in (0x8940, 0x8941, 0x8982, 0x8983, 0x89a0, 0x89a1):
    try:
        fcntl.ioctl(s, cmd, bytearray(24)) # BRCTL_GET_VERSION
        print(hex(cmd), "-> ok")
    except OSError as e:
        print(hex(cmd), "->", errno.errorcode[e.errno])'
	expect_all EPERM
	[ "${#lines[@]}" -eq 6 ]
}

@test "SEC-05 the host's control: TIOCSTI works where nothing refuses it" {
	[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1)" = 1 ] ||
		skip "this kernel refuses TIOCSTI itself"
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- \
		/usr/bin/python3 "$ATTACK" tty_ioctl=0x5412
	assert_output "-> ok"
}

@test "SEC-06 dangerous system calls are refused, each" {
	local calls=(
		bpf perf_event_open kexec_load kexec_file_load init_module finit_module delete_module
		iopl ioperm swapon swapoff reboot acct add_key request_key keyctl open_by_handle_at
		fanotify_init userfaultfd quotactl quotactl_fd settimeofday clock_settime adjtimex
		clock_adjtime process_vm_readv process_vm_writev kcmp ptrace move_pages migrate_pages
		memfd_secret syslog vhangup lookup_dcookie mount umount2 pivot_root chroot setns
		sethostname setdomainname fsopen fsconfig fsmount fspick open_tree move_mount
		mount_setattr pidfd_getfd modify_ldt
	)
	run attack "${calls[@]/#/sys=}"
	expect_all EPERM
	[ "$(grep -c -- '->' <<<"$output")" = ${#calls[@]} ]
	run attack bpf perf userfault keys request_key keyctl_session modify_ldt
	expect_all EPERM
	calls=(create_module query_module nfsservctl _sysctl uselib ustat sysfs)
	run attack "${calls[@]/#/sys=}"
	expect_all ENOSYS
	# control: some of these work for an ordinary user outside
	run on_host keys keyctl_session
	assert_output "-> ok"
}

@test "SEC-07 ptrace of an own child: refused by default, allowed by the policy debug" {
	run attack ptrace_child
	wants ptrace_child EPERM
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	cat >"$XDG_CONFIG_HOME/bawn/profiles/dbg.yaml" <<-'EOF'
		summary: A shell for debugging
		command: [bash]
		exec: true
		policies: [balanced]
		syscalls: debug
	EOF
	run "$BAWN" run --rm dbg "$WS" -- /usr/bin/python3 -c "$(cat "$ATTACK")" \
		ptrace_child ptrace_init vm_read_init vm_write_init pidfd_getfd_init \
		sys=mount sys=bpf sys=io_uring_setup
	wants ptrace_child "ok"
	wants ptrace_init EPERM
	wants vm_read_init EPERM
	wants vm_write_init EPERM
	wants pidfd_getfd_init "EPERM EPERM EPERM"
	wants sys=mount EPERM
	wants sys=bpf EPERM
	wants sys=io_uring_setup EPERM
}

@test "SEC-08 every process and thread has the filter" {
	run attack thread_has_filter
	wants thread_has_filter "2 EPERM"
	run in_sandbox_sh 'cat /proc/[0-9]*/task/*/status | grep ^Seccomp: | sort | uniq -c'
	[ "${#lines[@]}" = 1 ]
	assert_output "Seccomp:	2"
}

@test "SEC-09 calls that no kernel has read as ENOSYS, not EPERM" {
	run attack sys=nr_600 sys=nr_1000 sys=nr_minus
	expect_all ENOSYS
	run attack clone3_userns
	wants clone3_userns ENOSYS
}

@test "SEC-10 no notifier decides about calls: nothing to race, steal or kill" {
	# A filter with a notifier would show as a descriptor of kind seccomp notify somewhere.
	bg sleep 20
	eventually pgrep -P "$BG"
	sleep 0.3
	run bash -c "for p in $BG \$(pgrep -P $BG); do ls -l /proc/\$p/fd 2>/dev/null; done"
	refute_output "seccomp notify"
}

@test "SEC-11 a notifier of the agent's own can't make a refused call work" {
	run attack listener sys=bpf
	wants sys=bpf EPERM
	run in_sandbox_sh 'unshare -r id; mount -t tmpfs x /mnt; echo done'
	refute_output "uid=0"
	assert_output "done"
}

@test "SEC-12 no faked ids outside image builds: setuid fails as it should" {
	run attack sys=setgroups
	expect_all EPERM
	run in_sandbox_sh 'setpriv --reuid 0 id || python3 -c "import os; os.setuid(0)"'
	[ "$status" != 0 ]
	refute_output "uid=0"
	run in_sandbox_sh 'id -u'
	[ "$output" = "$(id -u)" ]
}

@test "SEC-13 personality, PR_SET_MM, arch_prctl, modify_ldt" {
	run attack personality=0x0400000 personality=0x0020000 personality=0x0040000 set_mm map_vdso \
		modify_ldt
	expect_all EPERM
	run attack personality=0xffffffff personality=0x8
	assert_output "personality=0x8 -> ok"
	run on_host personality=0x0400000
	assert_output "-> ok"
}

@test "SEC-14 what programs do at their start works" {
	run in_sandbox_sh '
		python3 -c "import threading,select,socket,multiprocessing as m; m.Pipe(); \
			s=socket.socket(); s.close(); socket.socketpair(); select.epoll(); \
			t=threading.Thread(target=print); t.start(); t.join()" &&
		perl -e "print 1" >/dev/null && git --version >/dev/null && bash -c "ulimit -a" >/dev/null &&
		timeout 5 sleep 0 && nice -n 5 true && ionice -c 3 true && setsid true && chrt -p $$ >/dev/null &&
		taskset -p $$ >/dev/null && stat -f / >/dev/null && mkfifo /tmp/f && touch /tmp/a &&
		ln /tmp/a /tmp/b && flock /tmp/a true && truncate -s 1G /tmp/sparse && getent hosts localhost >/dev/null &&
		script -qec true /dev/null >/dev/null && echo all-well'
	assert_output "all-well"
	if command -v node >/dev/null; then
		run in_sandbox node -e 'const w=require("worker_threads");new w.Worker("",{eval:true}).on("exit",()=>console.log("node-well"))'
		assert_output "node-well"
	fi
}

@test "SEC-15 without seccomp nothing starts" {
	for e in EINVAL ENOSYS EPERM; do
		run "$DENY" "seccomp=$e" "$BAWN" run --rm shell "$WS" -- echo STARTED
		assert_status 125
		refute_output STARTED
	done
}
