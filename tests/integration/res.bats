#!/usr/bin/env bats
# res.bats - attack corpus, class RES: resources.
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

@test "RES-01 --pids stops a fork bomb; the host can still fork" {
	BAWN_OPTS=(--pids 64)
	run attack forks=500
	[[ $output =~ forks=500\ -\>\ ([0-9]+)\ EAGAIN ]] || fail "no limit"
	[ "${BASH_REMATCH[1]}" -lt 64 ]
	bg /usr/bin/python3 -c "$(cat "$ATTACK")" inotify=0 forks=500
	run bash -c 'for i in $(seq 50); do true & done; wait; echo forked'
	assert_output forked
	# threads count, and the limit can't be raised
	run in_sandbox_sh 'bash -c "ulimit -u 10000; ulimit -Hu 10000; ulimit -u"'
	[ "$(tail -1 <<<"$output")" = 64 ]
	# without the option there is one, too
	BAWN_OPTS=()
	run in_sandbox bash -c 'ulimit -Hu'
	[ "$output" -le 16384 ] || fail "no limit of its own"
	[ "$(ulimit -Hu)" = unlimited ] || [ "$output" -lt "$(ulimit -Hu)" ]
	# two sandboxes don't share the number
	BAWN_OPTS=(--pids 40)
	bg /usr/bin/python3 -c 'import os,time
for i in range(30):
    if os.fork() == 0: time.sleep(20); os._exit(0)
print("up", flush=True); time.sleep(20)'
	bg_says up
	run attack forks=20
	wants forks=20 "20 none"
}

@test "RES-02 temporary directories have an end" {
	local size
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'for d in /tmp /run /dev /dev/shm; do stat -fc "%b %S %c" $d; done'
	local total_kib
	total_kib=$(awk '/MemTotal/ { print $2 }' /proc/meminfo)
	while read -r blocks bsize inodes; do
		size=$((blocks * bsize / 1024))
		[ "$blocks" -gt 0 ] && [ "$size" -le $((total_kib * 3 / 4)) ] || fail "size: $blocks x $bsize"
		[ "$inodes" -gt 0 ] && [ "$inodes" -lt 5000000 ] || fail "inodes: $inodes"
	done <<<"$output"
	run attack fill=/tmp/x,8
	wants fill=/tmp/x,8 "ok 8"
	# the root itself takes nothing
	run attack fill=/x,1 fill=/mnt/x,1 fill=/usr/x,1 fill=/sys/x,1
	refute_output "-> ok"
}

@test "RES-03 when the log and the state can't grow any more, it is said and the agent goes on" {
	in_sandbox true
	# Past a file size limit a write fails as on a full disk, and needs no disk to be full.
	local i
	for i in $(seq 200); do cat "$AUDIT"; done >"$T/many"
	cat "$T/many" "$T/many" >>"$AUDIT"
	local limit=$(($(stat -c %s "$AUDIT") / 1024))
	run bash -c 'ulimit -f "$1"; "$BAWN" run --rm shell "$2" -- sh -c "trap : XFSZ; dd if=/dev/zero of=big bs=1k count=$(($1 + 9)) 2>&1; echo agent; exit 3" 2>&1 | cat; exit ${PIPESTATUS[0]}' \
		_ "$limit" "$WS"
	assert_status 3
	assert_output "agent"
	assert_output "audit log can't be written"
	[ "$(grep -c "can't be written" <<<"$output")" = 1 ]
	# and where not even the plan can be written, nothing starts
	run bash -c 'ulimit -f 0; "$BAWN" run --rm shell "$1" -- echo STARTED 2>&1 | cat; exit ${PIPESTATUS[0]}' _ "$WS"
	assert_status 125
	refute_output STARTED
	assert_output "File too large"
	[ -z "$(box_dirs)" ]
}

@test "RES-03 inodes of temporary directories end before the host's memory does" {
	run attack fill_inodes=/tmp/many,3000 fill_inodes=/dev/shm/many,3000
	assert_output "-> ok 3000"
}

@test "RES-04 what is limited per user is not all the agent's" {
	bg /usr/bin/python3 -c "$(cat "$ATTACK")" inotify=20
	bg_says "inotify "
	run on_host inotify=0
	[[ $output =~ inotify\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 8 ] || fail "the host's user has no inotify instance left: $(cat "$BG_OUT")"
	# enough for watchers of real tools, however
	[[ $(cat "$BG_OUT") =~ inotify\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 32 ]
	run attack keys new_userns
	expect_all EPERM
	# signals that wait, and with them timers
	cat >"$T/signals.py" <<-'EOF'
		import ctypes, os, signal, sys, time
		libc = ctypes.CDLL(None, use_errno=True)
		signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
		n, most = 0, int(sys.argv[1])
		while n < most and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), 0) == 0:
		    n += 1
		print("queued", n, flush=True)
		time.sleep(int(sys.argv[2]))
	EOF
	bg /usr/bin/python3 -c "$(cat "$T/signals.py")" 10000000 20
	bg_says "queued "
	run /usr/bin/python3 "$T/signals.py" 5 0
	assert_output "queued 5"
}

# The limit is a namespace's, too: that of one in which bawn starts.
without_inotify() {
	git -C "$WS" init -q
	run unshare -U --map-current-user --keep-caps sh -c '
		echo 0 >/proc/sys/user/max_inotify_instances || exit 77
		exec setpriv --inh-caps=-all --ambient-caps=-all "$@"' sh \
		"$BAWN" run --rm "$@" shell "$WS" -- echo STARTED
}

@test "RES-04 the user's inotify instances are used up: it is said, with what to do" {
	without_inotify
	assert_status 125
	refute_output STARTED
	assert_output 'fs.inotify.max_user_instances'
	without_inotify --workspace cow
	assert_status 0
	assert_output STARTED
}

@test "RES-05 no priority above the host's programs" {
	run attack scheduling
	refute_output "-> ok"
	expect_all EPERM EACCES
	run in_sandbox_sh 'nice -n -20 nice; chrt -f 1 true && echo FIFO; grep -E "Max (realtime|nice)" /proc/self/limits'
	refute_output "-20"
	refute_output FIFO
}

@test "RES-05 OWN-01 pid 1, which has to be quick when the host replaces a guarded file, can't be slowed down" {
	run attack slow_down=1 slow_down_all
	expect_all EPERM
	run in_sandbox_sh 'echo "first $$"'
	assert_output "first 5" # no number that the filter takes for pid 1's
	# its own the agent may slow down, the first process too
	run attack slow_down_self
	assert_output "refused 0"
	run in_sandbox /usr/bin/python3 -c 'import os, resource
os.sched_setaffinity(os.getpid(), {min(os.sched_getaffinity(0))})
os.setpriority(os.PRIO_PROCESS, os.getpid(), 19)
print(os.getpriority(os.PRIO_PROCESS, 0), resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE, (64, 64)))'
	assert_output "19 ("
}

@test "RES-05 R: what runs inside sets the share of the processors of its session, which pid 1 has, too" {
	[ -e /proc/self/autogroup ] || return 0 # a kernel without
	run in_sandbox_sh 'echo 19 >/proc/self/autogroup; cat /proc/1/autogroup; echo 0 >/proc/1/autogroup'
	assert_output "nice 19"
	assert_output "Permission denied"
}

@test "RES-05 PROC-04 the machine is given no triggers on its pressure to keep" {
	[ -e /proc/pressure/cpu ] || return 0 # a kernel that counts none
	run in_sandbox /usr/bin/python3 -c '
import os
for name in "cpu", "memory", "io":
    try:
        os.write(os.open("/proc/pressure/" + name, os.O_RDWR), b"some 150000 2000000")
        print("WROTE")
    except OSError as e:
        print(e.strerror)
print(open("/proc/pressure/cpu").read())'
	refute_output WROTE
	[ "$(grep -c 'Read-only file system' <<<"$output")" = 3 ]
	assert_output "some avg10="
}

@test "RES-04 R: a lock on a file that is shown inside holds up the host's programs that lock it" {
	mkdir "$T/lent"
	echo x >"$T/lent/lock"
	mkfifo "$T/in"
	exec 8<>"$T/in"
	"$BAWN" run --rm -q shell "$WS" "$T/lent:ro" -- sh -c "exec 9<$T/lent/lock; flock 9; echo locked; read -r _" \
		<&8 >"$T/said" 8>&- &
	eventually grep -q locked "$T/said"
	run flock -n "$T/lent/lock" echo got it
	refute_output "got it"
	echo >&8
	wait $!
	exec 8>&-
	run flock -w 5 "$T/lent/lock" echo got it
	assert_output "got it"
}

@test "RES-04 nobody on the host has to wait for a file that is held inside" {
	cat >"$T/lease.py" <<-'E'
		import fcntl, signal, sys, time
		signal.signal(signal.SIGIO, signal.SIG_IGN)
		f = open("held", "w")
		for lease in fcntl.F_WRLCK, fcntl.F_RDLCK:
		    try:
		        print(fcntl.fcntl(f, fcntl.F_SETLEASE, lease))
		    except OSError as e:
		        print(e.strerror, fcntl.fcntl(f, fcntl.F_GETLEASE) == fcntl.F_UNLCK, flush=True)
		time.sleep(30)
	E
	bg /usr/bin/python3 -c "$(cat "$T/lease.py")"
	bg_says "Invalid argument True"
	timeout 10 cat "$WS/held"
}

@test "RES-04 asynchronous I/O, of which there is so much for the whole machine, is refused" {
	cat >"$T/aio.py" <<-'E'
		import ctypes, errno, sys
		libc, n = ctypes.CDLL(None, use_errno=True), 0
		while n < int(sys.argv[1]) and libc.syscall(206, 8, ctypes.byref(ctypes.c_ulong())) == 0:
		    n += 1
		print("contexts", n, errno.errorcode.get(ctypes.get_errno()))
	E
	run in_sandbox /usr/bin/python3 -c "$(cat "$T/aio.py")" 20000
	assert_output "contexts 0 ENOSYS"
	run /usr/bin/python3 "$T/aio.py" 1
	assert_output "contexts 1"
}

@test "RES-04 R: descriptors in flight end at the limit of open files" {
	cat >"$T/flight.py" <<-'E'
		import array, os, resource, socket, sys
		most = int(sys.argv[1])
		keep = []
		try:
		    while most > 0:
		        a, b = socket.socketpair()
		        keep += [a, b]
		        a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [a.fileno()] * 250))])
		        most -= 250
		except OSError as e:
		    print("refused", e.strerror)
		print("passed" if most <= 0 else "", flush=True)
		if sys.argv[1] != "1":
		    sys.stdin.read()
	E
	# as many as there may be of open files, and the last message
	BAWN_OPTS=(-q)
	run in_sandbox_sh "ulimit -n 1024; exec /usr/bin/python3 -c '$(cat "$T/flight.py")' 4000 </dev/null"
	assert_output "refused Too many references"
	run /usr/bin/python3 "$T/flight.py" 1
	assert_output passed
}

@test "RES-07 a flood of denials is counted, not written one by one" {
	run in_sandbox /usr/bin/python3 -c '
import socket
for i in range(3000):
    s = socket.socket()
    try:
        s.connect(("198.51.100.7", 80 + i % 3))
    except OSError:
        pass
    s.close()
print("flooded")'
	assert_output flooded
	[ "$(audit_events deny | wc -l)" -lt 300 ] || fail "$(audit_events deny | wc -l) lines"
	[ "$(wc -l <<<"$output")" -lt 100 ]
	[ "$(audit_events deny | wc -l)" -ge 1 ] || fail "nothing was recorded"
}

@test "RES-09 what needs a cgroup is an error where it can't be had, never silent" {
	run "$BAWN" run --rm --memory 1g shell "$WS" -- echo STARTED
	assert_status 125
	refute_output STARTED
	# --pids needs none: it is an rlimit in the sandbox's own user namespace
	BAWN_OPTS=(-q --pids 50)
	run in_sandbox_sh 'grep "Max processes" /proc/self/limits'
	[[ $output =~ 50\ +50 ]]
}
