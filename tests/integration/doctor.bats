#!/usr/bin/env bats
# doctor.bats - each thing missing is found by trying, said with its remedy, and exits with 1
# (CFG-10, CFG-11).
load ../lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# state_of ID <JSON: one check in one line.
state_of() {
	python3 -c '
import json, sys
for c in json.load(sys.stdin)["checks"]:
    if c["id"] == sys.argv[1]:
        print(c["state"], c["detail"], "->", c.get("remedy", ""))' "$1"
}

@test "doctor succeeds on a machine that can run bawn" {
	run "$BAWN" doctor
	assert_status 0
	assert_output "bawn works here"
}

@test "doctor --json is one object with every check of the manual" {
	run "$BAWN" doctor --json
	assert_status 0
	want=$(sed -nE '/^# CHECKS/,/^# RES/s/^\*([a-z0-9]+)\*$/\1/p' "$BAWN_SRCDIR/man/bawn-doctor.1.scd")
	have=$(python3 -c 'import json,sys
d=json.load(sys.stdin); assert d["ok"] is True
print("\n".join(c["id"] for c in d["checks"]))' <<<"$output")
	[ "$(sort <<<"$want")" = "$(sort <<<"$have")" ]
}

@test "doctor changes nothing on the host" {
	before=$(cat /proc/self/mountinfo; ls -A "$HOME" "$WS")
	"$BAWN" doctor >/dev/null
	[ "$before" = "$(cat /proc/self/mountinfo; ls -A "$HOME" "$WS")" ]
}

missing() { # RULES CHECK TEXT
	run "$DENY" "$1" "$BAWN" doctor --json
	assert_status 1 || return 1
	line=$(state_of "$2" <<<"$output")
	case $line in
	fail*"$3"*) ;;
	*) fail "$2: $line" ;;
	esac
}

@test "CFG-10 no user namespaces" {
	missing unshare=EPERM userns "can't be made"
	missing unshare=EINVAL userns "CONFIG_USER_NS"
}

@test "CFG-10 no nftables" {
	missing nftables=EPROTONOSUPPORT nftables "modprobe"
}

@test "CFG-10 no Landlock" {
	missing landlock=ENOSYS landlock "--allow-degraded landlock"
	missing landlock=EOPNOTSUPP landlock "lsm="
}

@test "CFG-10 no seccomp" {
	missing seccomp=EINVAL seccomp "CONFIG_SECCOMP_FILTER"
}

@test "CFG-10 old system calls" {
	missing clone3=ENOSYS calls "5.3"
	missing openat2=ENOSYS calls "5.6"
	missing move_mount=ENOSYS mounts "5.12"
}

@test "a limit of 0 user namespaces is told from a filter" {
	run unshare -Ur sh -c "echo 0 >/proc/sys/user/max_user_namespaces; '$BAWN' doctor"
	assert_status 1
	assert_output "user.max_user_namespaces"
}

@test "CFG-11 AppArmor: the clone succeeds, the mount fails, the remedy installs the profile" {
	run unshare -Urm bash -c '
		mount -t tmpfs none /proc/sys/kernel &&
		echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns &&
		exec "$0" mount=EACCES "$1" doctor' "$DENY" "$BAWN"
	assert_status 1
	assert_output "bawn doctor --apparmor | sudo tee /etc/apparmor.d/bawn"
}

@test "the AppArmor profile names this installation's executables" {
	run "$BAWN" doctor --apparmor
	assert_status 0
	assert_output "profile bawn \"$(realpath "$BAWN")\" flags=(unconfined)"
	assert_output "userns,"
	refute_output "@"
}

@test "a masked /proc, as in a container, is told with its remedy" {
	# a mount that covers a part of the outer /proc forbids a fresh one (mnt_already_visible)
	run unshare -Urm bash -c '
		mount -t tmpfs none /proc/tty && exec "$0" doctor --json' "$BAWN"
	assert_status 1
	line=$(state_of proc <<<"$output")
	case $line in
	fail*systempaths=unconfined*) ;;
	*) fail "$line" ;;
	esac
	# and so does a run end there, before anything starts
	run unshare -U --map-current-user --keep-caps -m bash -c '
		mount -t tmpfs none /proc/tty &&
		exec setpriv --ambient-caps=-all --inh-caps=-all "$0" run --rm shell "$1" -- touch started' "$BAWN" "$WS"
	assert_status 125
	assert_output systempaths=unconfined
	[ ! -e "$WS/started" ]
}

@test "a read-only /proc/sys, as in a container, is not taken for missing modules" {
	run unshare -Urm bash -c '
		mount --rbind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys &&
		exec "$0" doctor --json' "$BAWN"
	line=$(state_of nftables <<<"$output")
	case $line in
	fail*modprobe*) fail "$line" ;;
	fail*systempaths=unconfined*) ;;
	*) fail "$line" ;;
	esac
}

@test "CFG-14 a state directory that others can write is named" {
	mkdir -p "$XDG_CONFIG_HOME/bawn"
	chmod 0777 "$XDG_CONFIG_HOME/bawn"
	run "$BAWN" doctor
	assert_status 1
	assert_output "writable by others"
}

@test "wrong options are told from a failed check" {
	run "$BAWN" doctor --nonsense
	assert_status 125
	run "$BAWN" doctor extra
	assert_status 125
}
