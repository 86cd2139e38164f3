#!/usr/bin/env bats
# nested.bats - the system call policy "nested": user namespaces inside, and nothing that they would
# open.  Attack corpus: NS, NET, SEC classes from within a namespace of one's own.
load ../lib.sh
setup() {
	bawn_setup
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'command: [bash]\nexec: true\nsyscalls: nested\n' >"$XDG_CONFIG_HOME/bawn/profiles/nest.yaml"
}
teardown() { bawn_teardown; }

nested() {
	"$BAWN" run --rm -q nest "$WS" -- "$@"
}

# Tries of python, in a user and a network namespace of its own, where it has every capability: one
# "NAME: ERRNO" a line, "NAME: done" where it went through.
as_nested_root() {
	nested unshare -Urn python3 -c '
import ctypes, errno, fcntl, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
NR = dict(bpf=321, mount=165, fsopen=430, move_mount=429, open_tree=428, setns=308, unshare=272,
	keyctl=250, io_uring_setup=425, perf_event_open=298, open_by_handle_at=304, sethostname=170,
	pivot_root=155, umount2=166, ptrace=101, userfaultfd=323, quotactl=179, fanotify_init=300,
	init_module=175, kexec_load=246, pidfd_getfd=438, swapon=167, clone3=435)
def say(name, f):
	try:
		r = f()
		print(name + ":", "done" if r is None or r >= 0 else errno.errorcode[ctypes.get_errno()])
	except OSError as e:
		print(name + ":", errno.errorcode[e.errno])
def call(name, *args):
	return lambda: libc.syscall(NR[name], *args)
print("uid", os.getuid(), open("/proc/self/status").read().split("CapEff:")[1].split()[0])
for t in (b"tmpfs", b"proc", b"sysfs", b"overlay", b"cgroup2"):
	say("mount " + t.decode(), call("mount", t, b"/tmp", t, 0, None))
say("bind", call("mount", b"/", b"/mnt", None, 4096, None))
for c, a in dict(bpf=(0, 0, 0), fsopen=(b"tmpfs", 0), open_tree=(-100, b"/", 1), move_mount=(-1, b"", -1, b"", 4),
	setns=(0, 0), keyctl=(0, -3), io_uring_setup=(1, 0), perf_event_open=(0, 0, -1, -1, 0),
	open_by_handle_at=(-100, 0, 0), sethostname=(b"x", 1), pivot_root=(b".", b"."), umount2=(b"/proc", 2),
	ptrace=(16, 1, 0, 0), userfaultfd=(0,), quotactl=(0, 0, 0, 0), fanotify_init=(0, 0), init_module=(0, 0, b""),
	kexec_load=(0, 0, 0, 0), pidfd_getfd=(0, 0, 0), swapon=(b"/x", 0)).items():
	say(c, call(c, *a))
for name, flag in dict(mnt=0x20000, ipc=0x8000000, uts=0x4000000, cgroup=0x2000000, time=0x80).items():
	say("unshare " + name, call("unshare", flag))
for proto in (0, 4, 6, 12, 15, 16):
	say("netlink %d" % proto, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, proto).close())
for name, f, t, p in (("packet", 17, 3, 0), ("raw", 2, 3, 255), ("icmp", 2, 2, 1), ("vsock", 40, 1, 0), ("alg", 38, 5, 0), ("xdp", 44, 3, 0), ("key", 15, 3, 2)):
	say("socket " + name, lambda: socket.socket(f, t, p).close())
s = socket.socket()
s6 = socket.socket(socket.AF_INET6)
for o in (64, 65, 96, 97, 128, 129):
	say("setsockopt %d" % o, lambda: s.setsockopt(0, o, b"\0" * 128))
	say("getsockopt %d" % o, lambda: s.getsockopt(0, o, 128) and None)
for o in (64, 65):
	say("setsockopt6 %d" % o, lambda: s6.setsockopt(41, o, b"\0" * 128))
for i in (0x8914, 0x8916, 0x890b, 0x8946, 0x8924, 0x89a0, 0x89a2, 0x8990, 0x89f0, 0x89f1, 0x89e0, 0x8983, 0x8922, 0x8923):
	say("ioctl %x" % i, lambda: fcntl.ioctl(s, i, bytearray(128)) and None)
name = ctypes.create_string_buffer(b"br0", 16)
args = (ctypes.c_ulong * 3)(2, ctypes.addressof(name), 0) # BRCTL_ADD_BRIDGE
say("bridge", lambda: libc.ioctl(s.fileno(), 0x8940, args))
say("ioctl 8949", lambda: fcntl.ioctl(s, 0x8949, bytearray(128)) and None)
for p in ("/proc/1/mem", "/proc/1/environ", "/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/core_pattern"):
	say("write " + p, lambda: open(p, "r+b").close())
say("chroot", lambda: os.chroot("/tmp"))
print("end")
'
}

@test "nested: user, process and network namespaces, and no more of them than the policy says" {
	run nested bash -c 'unshare -Urpf --kill-child sh -c "echo pid \$\$; id -u"; unshare -Urn cat /proc/net/dev; cat /proc/sys/user/max_user_namespaces'
	assert_output "pid 1
0"
	assert_output lo:
	assert_output "
64"
	run nested bash -c 'for i in $(seq 80); do unshare -U sleep 60 & done 2>err; while [ "$(grep -c "No space" err)" -lt 16 ]; do sleep 0.05; done; echo enough; kill $(jobs -p)'
	assert_output enough
	# none without the policy
	run in_sandbox bash -c 'unshare -Ur id || unshare -Urn id || echo refused'
	assert_output refused
}

@test "nested: root of a namespace of its own reaches nothing that the default keeps from it" {
	local line
	run as_nested_root
	assert_output "uid 0 000001ffffffffff"
	assert_output "chroot: done"
	assert_output "
end"
	while read -r line; do
		case $line in
		uid*|end|"chroot: done") ;;
		*": EPERM"|*": EACCES"|*": EAFNOSUPPORT"|*": EROFS"|"clone3: ENOSYS") ;;
		*) fail "$line" ;;
		esac
	done <<<"$output"
	for line in "netlink 12: EPERM" "netlink 0: EAFNOSUPPORT" "bpf: EPERM" "mount tmpfs: EPERM" \
		"setsockopt 64: EPERM" "setsockopt6 64: EPERM" "ioctl 89a0: EPERM" "ioctl 8914: EPERM" "bridge: EPERM" "unshare mnt: EPERM" \
		"write /proc/1/mem: EACCES"; do
		assert_output "$line"
	done
}

@test "nested: masks, read-only mounts and the network's rules hold for root of a namespace" {
	plant "$WS/.env"
	plant "$HOME/.ssh/id_ed25519"
	serve_http outside
	run nested unshare -Ur bash -c "cat .env $HOME/.ssh/id_ed25519; touch /usr/x; mount -o remount,rw /usr; umount .env; echo >.env; curl -s -m 3 http://127.0.0.1:$PORT/; curl -s -m 3 http://10.0.0.1/; echo end"
	refute_canary
	refute_output outside
	assert_output end
	assert_untouched "$WS/.env"
	[ "$(server_hits "$PORT")" -eq 0 ]
}

@test "nested: what the tests of names need still works" {
	run nested bash -c 'getent hosts localhost; python3 -c "import socket; print(socket.getaddrinfo(\"localhost\", 80)[0][4][0])"; ls -d /proc/self'
	assert_output "localhost ip6-localhost"
	assert_output /proc/self
}

@test "nested: Chromium's own sandbox, which is refused without" {
	need test -x /usr/lib/chromium/chromium -- "Debian's chromium"
	echo '<p id=x></p><script>document.getElementById("x").textContent = "sum " + (40 + 2)</script>' >"$WS/page.html"
	run timeout 100 "$BAWN" run --rm -q --offline nest "$WS" -- /usr/lib/chromium/chromium --headless --disable-gpu --dump-dom "file://$WS/page.html"
	assert_output "sum 42"
	run timeout 100 "$BAWN" run --rm -q --offline shell "$WS" -- /usr/lib/chromium/chromium --headless --disable-gpu --dump-dom "file://$WS/page.html"
	refute_output "sum 42"
	assert_output "No usable sandbox"
	run timeout 100 "$BAWN" run --rm -q --offline shell "$WS" -- /usr/lib/chromium/chromium --headless --disable-gpu --no-sandbox --dump-dom "file://$WS/page.html"
	assert_output "sum 42"
}

@test "a policy's user-namespaces: is a number" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies/syscalls"
	local v
	for v in many -1 1001 '1 2' '[]'; do
		printf 'extends: nested\nuser-namespaces: %s\n' "$v" >"$XDG_CONFIG_HOME/bawn/policies/syscalls/own.yaml"
		printf 'command: [bash]\nexec: true\nsyscalls: own\n' >"$XDG_CONFIG_HOME/bawn/profiles/nest.yaml"
		run nested true
		assert_status 125
		assert_output "own.yaml:2"
	done
	printf 'extends: nested\nuser-namespaces: 3\n' >"$XDG_CONFIG_HOME/bawn/policies/syscalls/own.yaml"
	run nested cat /proc/sys/user/max_user_namespaces
	[ "$output" = 3 ] || fail "$output"
	run "$BAWN" run --dry-run --rm nest "$WS" -- true
	assert_output "at most 3 user namespaces"
}
