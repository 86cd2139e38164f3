#!/usr/bin/env bats
# proc.bats - attack corpus, class PROC: /proc and /sys.
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# A sandbox in the background that has used the network, so that every helper runs.
with_relay() {
	bg sh -c 'getent hosts denied.example.com; curl -s -m 2 http://denied.example.com >/dev/null; echo up; exec sleep 30'
	bg_says up
	eventually pgrep -P "$BG" -f bawn-relay
}

@test "PROC-01 the host's processes can't be listed" {
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'ls -d /proc/[0-9]* | wc -l; ps -eo args= 2>/dev/null'
	[ "${lines[0]}" -lt 8 ]
	refute_output bats
	refute_output "bawn run"
	run in_sandbox_sh 'for i in $(seq 2 3000); do [ -d /proc/$i ] && cat /proc/$i/cmdline | tr "\0" " "; done 2>/dev/null'
	refute_output bats
}

@test "PROC-02 pid 1 shows nothing of itself" {
	export BAWN_TEST_SECRET=$CANARY
	run in_sandbox_sh 'for f in environ mem fd exe maps auxv io stack syscall root cwd; do
			printf "%s " $f; { cat /proc/1/$f || ls /proc/1/$f || readlink /proc/1/$f; } 2>&1 | tail -1; done
		cat /proc/1/cmdline; ls -l /proc/1/fd; head -c 100 /proc/1/mem && echo READ'
	refute_output READ
	refute_canary
	refute_output "socket:"
	run attack read=/proc/1/environ read=/proc/1/mem read=/proc/1/maps read=/proc/1/auxv \
		listdir=/proc/1/fd listdir=/proc/1/root listdir=/proc/1/cwd listdir=/proc/1/map_files
	expect_all EACCES EPERM
	run in_sandbox_sh 'echo 1 >/proc/1/oom_score_adj; echo x >/proc/1/comm; echo 0 >/proc/1/coredump_filter; echo done'
	assert_output "Permission denied"
}

@test "PROC-04 nothing of /proc/sys or sysrq can be written" {
	run in_sandbox_sh 'for f in kernel/core_pattern kernel/hostname kernel/ns_last_pid user/max_user_namespaces \
			user/max_net_namespaces net/ipv4/ip_forward net/ipv4/tcp_tw_reuse vm/drop_caches fs/file-max; do
			[ -e /proc/sys/$f ] && echo 1 >/proc/sys/$f && echo "WROTE $f"; done
		echo b >/proc/sysrq-trigger && echo "WROTE sysrq"; true'
	refute_output "WROTE k"
	refute_output "WROTE u"
	refute_output "WROTE n"
	refute_output "WROTE v"
	refute_output "WROTE f"
	refute_output "WROTE s"
	assert_output "Read-only file system"
	run attack write=/proc/sys/user/max_user_namespaces
	refute_output "ok"
}

@test "PROC-05 kernel secrets of /proc read as empty" {
	run in_sandbox_sh 'for f in kcore kmsg keys key-users timer_list sched_debug kallsyms; do
		[ -e /proc/$f ] || continue; n=$(timeout 2 head -c 4096 /proc/$f 2>/dev/null | tr -d "\0" | wc -c); [ "$n" = 0 ] || echo "SHOWN $f $n"; done
		dmesg && echo "SHOWN dmesg"; true'
	refute_output SHOWN
}

@test "PROC-06 nothing of the host's /sys; /proc/net is the sandbox's own" {
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'ls -A /sys; ls /sys/firmware /sys/kernel /sys/fs/bpf /sys/class/net 2>/dev/null; true'
	[ -z "$output" ] || fail "/sys has something"
	run in_sandbox_sh 'cut -d: -s -f1 /proc/net/dev'
	[ "$(tr -d ' ' <<<"$output" | grep -v '|')" = lo ]
	serve_tcp 'cat'
	run in_sandbox cat /proc/net/tcp /proc/net/tcp6 /proc/net/unix
	refute_output "$(printf '0100007F:%04X 00000000:0000 0A' "$PORT")"
}

@test "PROC-07 R: mountinfo shows host paths, and SECURITY says so" {
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'cat /proc/self/mountinfo'
	assert_output "$WS"
	grep -q '^| PROC-07 |.*mountinfo' "$BAWN_SRCDIR/SECURITY.md"
	# paths only: no other mounts of the host's than those that were lent
	refute_output " /boot "
	refute_output "/sys/fs/cgroup"
}

@test "PROC-08 no way of starting a program changes what it may do" {
	command -v curl >/dev/null || skip "no curl"
	local curl ld
	curl=$(readlink -f "$(command -v curl)")
	ld=$(readlink -f /lib64/ld-linux-x86-64.so.2 2>/dev/null) || skip "no ld.so here"
	serve_http reached
	run in_sandbox_sh "
		u='-s -m 3 http://denied.example.com/ http://127.0.0.1:$PORT/'
		cp $curl /tmp/renamed; ln -s $curl /tmp/linked
		for c in $curl /proc/self/root$curl /tmp/renamed /tmp/linked '$ld $curl'; do \$c \$u; done
		busybox wget -T 3 -O - http://127.0.0.1:$PORT/ 2>&1; true"
	refute_output reached
	[ "$(server_hits "$PORT")" = 0 ]
	run attack "memfd_exec=$curl,-s,-m,3,http://127.0.0.1:$PORT/"
	refute_output "status 0"
	[ "$(server_hits "$PORT")" = 0 ]
	run in_sandbox_sh "cp /usr/bin/env /tmp/e; $ld /usr/bin/cat /proc/1/environ; /tmp/e cat /proc/1/environ; cat /proc/self/root/etc/shadow"
	refute_output "root:"
	[ "$(grep -c 'Permission denied' <<<"$output")" -ge 2 ]
}

@test "PROC-09 pid 1 and other sandboxes can't be traced, read or written" {
	run attack ptrace_init vm_read_init vm_write_init pidfd_getfd_init
	expect_all EPERM
	bg sh -c 'echo up; exec sleep 30'
	bg_says up
	run in_sandbox_sh 'cat /proc/[0-9]*/cmdline | tr "\0" " "'
	refute_output "sleep 30"
	kill -0 "$BG"
}

@test "PROC-10 a crash leaves no core file and calls no handler" {
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'grep "core file" /proc/self/limits'
	[[ $output =~ Max\ core\ file\ size\ +1\ +1\  ]] || fail "the limit is not 1"
	run attack "crash=$WS" crash=/tmp
	[ "$(grep -c 'signal 11 .*files \[\]' <<<"$output")" = 2 ]
	[ -z "$(find "$WS" -name '*core*')" ]
}

@test "OWN-04 a core handler behind a socket, which no limit keeps out, is refused, or allowed by name" {
	# a directory of mounts in which the machine has one
	behind() { # COMMAND...
		# shellcheck disable=SC2016  # for the shell inside
		unshare --map-current-user --keep-caps -m sh -c 'echo "@/run/core.sock" >"$0" &&
			mount --bind "$0" /proc/sys/kernel/core_pattern && exec "$@"' "$T/pattern" "$@"
	}
	run behind "$BAWN" run --rm shell "$WS" -- echo STARTED
	assert_status 125
	refute_output STARTED
	assert_output "core_pattern is @/run/core.sock"
	assert_output "--allow-degraded core"
	# with it, the start comes as far as it does in such a place
	run behind "$BAWN" run --rm --allow-degraded core shell "$WS" -- echo STARTED
	refute_output "core_pattern is"
	run behind "$BAWN" doctor
	assert_output "no limit keeps out (@/run/core.sock)"
	# where there is none, nothing is said
	run "$BAWN" run --rm --allow-degraded core shell "$WS" -- echo STARTED
	assert_status 0
	refute_output degraded
}

@test "OWN-04 the agent can't bring a piped core handler back by changing the limit" {
	run attack core_limit
	wants core_limit "(1, 1)"
	run in_sandbox_sh 'ulimit -c 0; ulimit -Hc 0; grep "core file" /proc/self/limits'
	[[ $output =~ \ 1\ +1\  ]] || fail "the limit was changed"
	# Started with a lower hard limit, 1 can't be had: refused, not ignored.
	run bash -c 'ulimit -Hc 0; "$BAWN" run --rm shell "$WS" -- echo STARTED'
	assert_status 125
	refute_output STARTED
	assert_output "ulimit -H -c"
}

@test "PROC-11 no fresh /proc without the masks" {
	run attack mount=proc,/tmp,proc,0 fsopen=proc
	expect_all EPERM
	run in_sandbox_sh 'unshare -Urpf --mount-proc cat /proc/kcore; mkdir /tmp/p; mount -t proc p /tmp/p; ls /tmp/p'
	[ -n "$output" ]
	refute_output kcore$'\n'
}

@test "OWN-03 no secret of the caller's environment in any helper" {
	export BAWN_TEST_SECRET=$CANARY ANTHROPIC_TEST_TOKEN=$CANARY
	with_relay
	# Everything of this run but bawn itself, which is the user's own
	local pids p
	mapfile -t pids < <(pgrep -P "$BG")
	[ "${#pids[@]}" -ge 2 ]
	for p in "${pids[@]}" $(pgrep -P "${pids[0]}"); do
		if tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -F "$CANARY"; then
			fail "in the environment of $p: $(tr '\0' ' ' <"/proc/$p/cmdline")"
		fi
	done
	# memory: only of those that let themselves be read by their own user
	run /usr/bin/python3 - "$CANARY" "${pids[@]}" <<-'EOF'
		import sys
		canary = sys.argv[1].encode()
		for pid in sys.argv[2:]:
		    try:
		        maps = open(f"/proc/{pid}/maps").readlines()
		        mem = open(f"/proc/{pid}/mem", "rb")
		    except OSError as e:
		        print(pid, "closed:", e.strerror)
		        continue
		    for line in maps:
		        span, perm = line.split()[:2]
		        a, b = (int(x, 16) for x in span.split("-"))
		        if perm[0] != "r" or b - a > 1 << 28:
		            continue
		        try:
		            mem.seek(a)
		            if canary in mem.read(b - a):
		                print("FOUND in", pid, line)
		        except (OSError, ValueError, OverflowError):
		            pass
	EOF
	refute_output FOUND
	run bash -c "kill $BG; true"
}

@test "OWN-06 the policy debug does not open pid 1 either" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf '%s\n' 'summary: d' 'command: [bash]' 'exec: true' 'policies: [balanced]' 'syscalls: debug' \
		>"$XDG_CONFIG_HOME/bawn/profiles/dbg.yaml"
	run "$BAWN" run --rm dbg "$WS" -- /usr/bin/python3 -c "$(cat "$ATTACK")" \
		read=/proc/1/mem pidfd_getfd_init ptrace_init vm_read_init listdir=/proc/1/fd read=/proc/1/environ
	expect_all EPERM EACCES
	if command -v gdb >/dev/null; then
		run "$BAWN" run --rm dbg "$WS" -- gdb -batch -p 1 -ex 'info proc mappings'
		refute_output bawn-init$'\n'
	fi
}

@test "OWN-07 the relay has no way to open a socket and no root" {
	bg sh -c 'getent hosts a.example; echo up; exec sleep 30' # it starts with the first question
	bg_says up
	local relay
	relay=$(pgrep -P "$BG" -f bawn-relay)
	run cat "/proc/$relay/status"
	assert_output "Seccomp:	2"
	assert_output "NoNewPrivs:	1"
	assert_output "CapEff:	0000000000000000"
	# not even its own user may look into it
	run readlink "/proc/$relay/root"
	[ "$status" != 0 ] || [ "$output" != / ]
	# it was given no addresses either: no option names one
	[ "$(tr '\0' ' ' <"/proc/$relay/cmdline")" = "bawn-relay " ]
}

@test "OWN-07 the relay connects by itself to nothing but what the user's options give by address" {
	serve_http hello
	BAWN_OPTS+=(--host-port "$PORT")
	bg sh -c "curl -sS -m 10 http://127.0.0.1:$PORT/; echo; curl -sS -m 10 http://127.0.0.1:$PORT/; echo; echo up; exec sleep 30"
	bg_says up
	local relay
	relay=$(pgrep -P "$BG" -f bawn-relay)
	[ "$(tr '\0' ' ' <"/proc/$relay/cmdline")" = "bawn-relay leases " ]
	run cat "/proc/$relay/status"
	assert_output "Seccomp:	2"
	assert_output "NoNewPrivs:	1"
	[ "$(server_hits "$PORT")" = 2 ]
	# what it may not is tried by code of ours in its place: tests/unit/test-egress-jail.c
}
