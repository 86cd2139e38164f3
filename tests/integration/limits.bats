#!/usr/bin/env bats
# limits.bats - --memory, --cpus and --pids: a control group of the sandbox's own.
#
# Where a group is delegated to the tests' user (run-bats makes one where the machine's tree allows it)
# the limits are tried; where there is none, that is what is tried: nothing starts without them.
load ../lib.sh
setup() {
	bawn_setup
	unset DBUS_SESSION_BUS_ADDRESS
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

delegated() {
	"$BAWN" run --rm -q --memory 64m shell "$WS" -- true 2>/dev/null
}

refused() { # OPTION...: with its remedy, and nothing has run
	run "$BAWN" run --rm "$@" shell "$WS" -- touch ran
	assert_status 125
	assert_output "${1}: "
	assert_output "systemd-run --user --scope -p Delegate=yes bawn"
	assert_output "--allow-degraded ${1#--}"
	[ ! -e ran ] || fail "it ran without its limit"
}

# Nobody's group may be changed, as on a machine where none is delegated.
undelegated() {
	local bawn=$BAWN
	printf '#!/bin/sh\nexec "%s" faccessat2=EACCES "%s" "$@"\n' "$DENY" "$bawn" >"$T/bawn"
	chmod 0700 "$T/bawn"
	BAWN=$T/bawn
}

@test "RES-09 without a delegated control group a limit is refused with the remedy, never left out" {
	undelegated
	refused --memory 64m
	refused --cpus 0.5
	run "$BAWN" run --rm --memory 64m --cpus 1 --allow-degraded memory shell "$WS" -- touch ran
	assert_status 125
	assert_output "--memory and --cpus: "
	[ ! -e ran ]
	# only what is named is left out, and each start says so
	run "$BAWN" run --rm --memory 64m --cpus 1 --allow-degraded memory --allow-degraded cpus shell "$WS" -- echo ran
	assert_status 0
	assert_output "degraded, as you allowed: no limit of memory"
	assert_output "degraded, as you allowed: no limit of cpus"
	assert_output ran
	grep -q '"event":"degraded","feature":"limit of memory"' "$AUDIT"
	# allowed, but not asked for: nothing to say
	run "$BAWN" run --rm --allow-degraded memory shell "$WS" -- echo ran
	refute_output "no limit of"
	# the number of processes needs no group
	run "$BAWN" run --rm --pids 40 shell "$WS" -- bash -c 'ulimit -u'
	assert_output 40
}

@test "limits that are none are named" {
	local bad
	for bad in 0 1 64k 1x 64mb -1 '' 99999999999999999999 18014398509481984k m; do
		run "$BAWN" run --rm --memory "$bad" shell "$WS" -- true
		assert_status 125
		assert_output "--memory"
	done
	for bad in 0 0.001 -1 1. .5 1,5 x 1e3 1.2345 10001 ''; do
		run "$BAWN" run --rm --cpus "$bad" shell "$WS" -- true
		assert_status 125
		assert_output "--cpus"
	done
	run "$BAWN" run --rm --allow-degraded seccomp shell "$WS" -- true
	assert_status 125
	assert_output "landlock, memory, cpus, core and case can be done without"
}

@test "limits are kept with the sandbox, and shown" {
	run "$BAWN" create --name kept --memory 1G --cpus 1.5 --pids 100 shell "$WS"
	assert_status 0
	run "$BAWN" inspect kept
	assert_output '"memory": 1073741824'
	assert_output '"cpus_milli": 1500'
	assert_output '"pids": 100'
	run "$BAWN" run --dry-run kept -- true
	assert_output "memory     at most 1073741824 bytes"
	assert_output "processors the time of 1.500"
	run "$BAWN" run --rm --dry-run --json --cpus 0.25 shell "$WS" -- true
	assert_output '"cpus_milli": 250'
}

@test "RES-02 --memory: who takes too much is killed, the rest of the sandbox and the host go on" {
	if ! delegated; then
		refused --memory 64m
		return
	fi
	run "$BAWN" run --rm --memory 64m shell "$WS" -- sh -c \
		'/usr/bin/python3 -c "x = bytearray(300 << 20); print(len(x))"; echo "inside $?"; echo on'
	assert_status 0
	assert_output "inside 137"
	assert_output on
	refute_output 314572800
	assert_output "1 program was killed inside: more memory than --memory allows"
	grep -q '"event":"limit","what":"killed for want of memory","count":1' "$AUDIT"
	# files in memory count as well
	run "$BAWN" run --rm --memory 64m shell "$WS" -- sh -c 'head -c 300M /dev/zero >/tmp/x; echo "size $(stat -c %s /tmp/x)"'
	refute_output "size 314572800"
	# and without the limit there is none
	run "$BAWN" run --rm shell "$WS" -- /usr/bin/python3 -c 'x = bytearray(300 << 20); print(len(x))'
	assert_output 314572800
}

@test "RES-05 --cpus: no more than the time that was given" {
	if ! delegated; then
		refused --cpus 0.3
		return
	fi
	run "$BAWN" run --rm -q --cpus 0.3 shell "$WS" -- /usr/bin/python3 -c '
import time
a, t = time.process_time(), time.monotonic()
while time.monotonic() - t < 3: pass
print("share", int((time.process_time() - a) / 3 * 100))'
	assert_status 0
	[[ $output =~ share\ ([0-9]+) ]] || fail "no share"
	[ "${BASH_REMATCH[1]}" -le 40 ] || fail "${BASH_REMATCH[1]} %"
}

@test "a control group holds all of the sandbox and nothing else, and is gone with it" {
	if ! delegated; then
		refused --memory 64m
		return
	fi
	local own group pid
	own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
	"$BAWN" run -d -q --name box --memory 64m --cpus 1.5 --pids 50 shell "$WS" -- sleep 100
	"$BAWN" exec -d box sleep 101
	group=$(echo "${own%/*}"/bawn-box-*)
	[ -d "$group" ] || fail "no group: $group"
	[ "$(cat "$group/memory.max")" = 67108864 ]
	[ "$(cat "$group/cpu.max")" = "150000 100000" ]
	[ "$(cat "$group/pids.max")" = 51 ]
	[ ! -e "$group/memory.swap.max" ] || [ "$(cat "$group/memory.swap.max")" = 0 ]
	for pid in $(cat "$group/cgroup.procs"); do
		case $(tr '\0' ' ' <"/proc/$pid/cmdline") in
		bawn-init*|sleep*) ;;
		*) fail "$(tr '\0' ' ' <"/proc/$pid/cmdline") is in it" ;;
		esac
	done
	[ "$(wc -l <"$group/cgroup.procs")" = 3 ]
	"$BAWN" stop -t 0 box
	[ ! -d "$group" ] || fail "the group is left"
	# one that was killed leaves an empty one, which the next start removes
	"$BAWN" run -d -q --name box -- sleep 100 2>/dev/null || "$BAWN" exec -d box sleep 100
	group=$(echo "${own%/*}"/bawn-box-*)
	kill -9 "${group##*-}"
	sleep 0.5
	"$BAWN" run --rm -q --memory 64m shell "$WS" -- true
	[ ! -d "$group" ] || fail "the group of one that was killed is left"
}
