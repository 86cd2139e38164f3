#!/usr/bin/env bats
# ns.bats - attack corpus, class NS: namespaces, ids, processes; and what a kill leaves behind.
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

@test "NS-01 no namespace can be made, clone3 falls back" {
	run on_host new_userns # control
	[[ $output == *"-> ok"* ]] || skip "this host allows no user namespaces to begin with"
	run attack new_userns clone_userns new_ns=0x20000 new_ns=0x40000000 new_ns=0x20000000 \
		new_ns=0x8000000 new_ns=0x4000000 new_ns=0x2000000 new_ns=0x80
	expect_all EPERM
	run attack clone3_userns
	wants clone3_userns ENOSYS
	run in_sandbox_sh 'unshare -Ur id; unshare -Urn true; echo done'
	refute_output "uid=0"
	assert_output "done"
	BAWN_OPTS=(-q)
	run in_sandbox cat /proc/sys/user/max_user_namespaces
	[ "$output" = 0 ] || fail "nested namespaces are not limited"
}

@test "NS-02 the sandbox's own network can't be reconfigured" {
	run in_sandbox_sh 'PATH=$PATH:/usr/sbin:/sbin
		nft flush ruleset && echo FLUSHED; ip link set lo down && echo DOWN
		ip route flush table all && echo ROUTES; ip route add 1.2.3.0/24 dev lo && echo ADDED
		ip addr add 10.0.0.1/8 dev lo && echo ADDR; echo 1 >/proc/sys/net/ipv4/ip_forward && echo FWD
		ip link show lo'
	for word in FLUSHED DOWN ROUTES ADDED ADDR FWD; do refute_output "$word" || return 1; done
	assert_output "LOOPBACK,UP"
	run attack sock=16,3,12 sock=16,3,6 sock=16,3,15
	expect_all EPERM
	run attack sock=16,3,9 # audit: what PAM takes for a kernel without it
	expect_all EPROTONOSUPPORT
}

@test "NS-03 no namespace can be entered by a descriptor or pidfd" {
	run attack setns_self=net setns_self=mnt setns_self=user setns_self=pid setns_pidfd \
		pidfd_getfd_init
	expect_all EPERM
	run in_sandbox_sh 'for n in /proc/1/ns/*; do readlink $n && echo REACHED; done; ls -l /proc/self/fd'
	refute_output REACHED
	refute_output "net:["
}

@test "NS-04 kill -9 -1 and host pids: only the sandbox dies" {
	sleep 60 3>&- &
	local victim=$!
	SERVERS+=("$victim")
	run attack "kill_pid=$victim" "kill_pid=$$"
	expect_all ESRCH EPERM
	run attack stop_parent
	assert_output "ppid 1"
	run in_sandbox_sh 'kill -9 1; kill -STOP 1; kill -TERM 1; echo alive'
	assert_output alive
	run in_sandbox_sh '(sleep 50 & kill -9 -1); sleep 50'
	assert_status 137
	kill -0 "$victim"
	run in_sandbox true
	assert_status 0
}

@test "NS-04 a sandbox that stops all it can still ends with bawn" {
	run timeout -k 15 3 "$BAWN" run --rm shell "$WS" -- sh -c 'kill -STOP -1; kill -STOP 0; echo on'
	# bawn stops with its agent, as any job does, and timeout's SIGTERM reaches both
	assert_status 124
	refute_output on
	assert_no_leftovers
}

@test "NS-04 an agent that stops itself when asked to end is ended" {
	bg sh -c 'trap "kill -STOP \$\$" TERM; echo up; while :; do sleep 0.1; done'
	bg_says up
	kill -TERM "$BG"
	sleep 0.3
	kill -TERM "$BG"
	eventually eval "! kill -0 $BG"
}

@test "NS-05 daemons do not survive the end" {
	run in_sandbox_sh "setsid sh -c 'sleep 3.14159 & exec sleep 3.14159' >/dev/null 2>&1 </dev/null &
		python3 -c 'import ctypes,os,time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
ctypes.CDLL(None).prctl(1, 0); os.closerange(0, 3); time.sleep(3.14159)'
		sleep 0.2; exit 5"
	assert_status 5
	run pgrep -f 'sleep.3\.14159'
	[ -z "$output" ] || fail "a daemon lives on"
	assert_no_leftovers
}

@test "NS-05 SIGKILL of bawn kills everything inside within a second" {
	bg sh -c 'setsid sleep 271.828 & trap "" TERM HUP; echo up; (setsid setsid sleep 271.829); sleep 271.827'
	bg_says up
	eventually pgrep -f 'sleep 271\.82'
	kill -9 "$BG"
	sleep 1
	run pgrep -fa 'sleep 271\.82'
	[ -z "$output" ] || fail "still alive"
	assert_no_leftovers
	# and what is left on disk goes with the next command
	[ "$(box_dirs | wc -l)" -eq 1 ]
	in_sandbox true
	[ -z "$(box_dirs)" ] || fail "left: $(box_dirs)"
}

@test "NS-07 SysV and POSIX IPC of the host are not there" {
	local id
	id=$(ipcmk -M 4096 | grep -o '[0-9]*$')
	local key
	key=$(ipcs -m | awk -v i="$id" '$2 == i { print $1 }')
	run on_host "shm=$key"
	assert_output "-> ok" # control
	run attack "shm=$key"
	ipcrm -m "$id"
	wants "shm=$key" ENOENT
	run on_host mq=bawn-canary # name without queue: ENOENT, so that the next one means something
	/usr/bin/python3 -c 'import ctypes; ctypes.CDLL(None).mq_open(b"/bawn-canary", 0o102, 0o600, 0)'
	run on_host mq=bawn-canary
	local control=$output
	run attack mq=bawn-canary
	/usr/bin/python3 -c 'import ctypes; ctypes.CDLL(None).mq_unlink(b"/bawn-canary")'
	[[ $control == *"-> ok"* ]] || fail "control: $control"
	wants mq=bawn-canary ENOENT
}

@test "NS-07 the sandbox has SysV and POSIX IPC of its own" {
	run in_sandbox /usr/bin/python3 -c '
import ctypes, os
c = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    r = getattr(c, name)(*args)
    if r < 0: print(name, os.strerror(ctypes.get_errno()))
    return r
box = ctypes.create_string_buffer(8192)
q = call("mq_open", b"/own", 0o102, 0o600, 0)
call("mq_send", q, b"hello", 5, 0)
again = call("mq_open", b"/own", os.O_RDONLY)
print(call("mq_receive", again, box, 8192, 0), box.value.decode())
call("mq_unlink", b"/own")
q = call("msgget", 1, 0o1600)
call("msgsnd", q, b"\1\0\0\0\0\0\0\0there", 5, 0)
print(call("msgrcv", q, box, 5, 0, 0), box.raw[8:13].decode())
call("shmctl", call("shmget", 1, 4096, 0o1600), 0, None)'
	assert_status 0
	[ "$output" = $'5 hello\n5 there' ] || fail "$output"
}

@test "NS-09 set-user-id programs gain nothing" {
	run in_sandbox_sh 'grep NoNewPrivs /proc/self/status'
	assert_output "NoNewPrivs:	1"
	local su
	su=$(command -v su)
	[ -u "$su" ] || skip "su is not set-user-id here"
	run in_sandbox_sh "sleep 5 | $su -c 'sleep 5' >/dev/null 2>&1 & sleep 0.3
		for p in /proc/[0-9]*; do grep -q ^Name:.su\$ \$p/status && grep -E '^(Uid|CapEff)' \$p/status; done; kill %1; true"
	assert_output "Uid:	$(id -u)	$(id -u)	$(id -u)	$(id -u)"
	refute_output "Uid:	0"
	run in_sandbox_sh 'sudo -n id; newuidmap $$ 0 0 1 && echo MAPPED; true'
	refute_output "uid=0"
	refute_output MAPPED
}

@test "NS-10 host name and clock are out of reach" {
	run attack sys=sethostname sys=setdomainname sys=clock_settime sys=settimeofday sys=adjtimex
	expect_all EPERM
	run in_sandbox hostname
	[ "$output" != "$(hostname)" ]
}

@test "NS-11 what is made inside is the caller's own on the host" {
	in_sandbox_sh 'touch a; mkdir d; ln -s x l; chown 0:0 a 2>/dev/null; chown 65534 d 2>/dev/null; true'
	[ "$(stat -c %u:%g a d l | sort -u)" = "$(id -u):$(id -g)" ]
	run in_sandbox_sh 'chown 0 a'
	[ "$status" != 0 ]
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'cat /proc/self/uid_map /proc/self/gid_map'
	[ "$(wc -l <<<"$output")" = 2 ]
	[[ ${lines[0]} =~ ^\ *$(id -u)\ +$(id -u)\ +1$ ]]
}

@test "NS-12 a flood of zombies is reaped" {
	run attack zombies=500
	wants zombies=500 "left 0"
}

@test "NS-13 a leftover that names somebody else's process harms nobody" {
	in_sandbox true
	sleep 60 3>&- &
	local victim=$!
	SERVERS+=("$victim")
	local box=$XDG_DATA_HOME/bawn/sandboxes/shell-old-000001
	mkdir -p "$box/home"
	for f in lock pid supervisor.pid control; do echo "$victim" >"$box/$f"; done
	in_sandbox true
	kill -0 "$victim"
	[ ! -e "$box" ] || fail "the leftover was not collected"
}
