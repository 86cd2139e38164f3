# shellcheck shell=bash disable=SC2154  # bats
# per.sh - what the tests of class PER share: each row is played three times: outside without bawn (the
# control: the host's action really runs it), inside, and then the host's action on what the inside
# left.  Either the attempt was blocked and nothing runs, or the exit report and the audit log name the
# place.

per_setup() {
	bawn_setup
	RAN=$T/ran
	# what every planted program does: a trace that only the host's file system can show
	EVIL=$T/evil
	printf '#!/bin/sh\ncat >/dev/null 2>&1 </dev/null\n: >>%s\nexit 0\n' "$RAN" >"$EVIL"
	chmod +x "$EVIL"
	export EVIL RAN
	CTL=$T/control
	FIXTURE=git_repo
}

# The script as the inside runs it, with the paths of the evil program written out.
script_for() {
	printf 'EVIL=%q\nexec 2>/dev/null\n%s\ntrue\n' "$EVIL" "$1"
}

fresh() {
	chmod -R u+rwX "$1" 2>/dev/null || :
	rm -rf "$1"
	mkdir -p "$1"
	"$FIXTURE" "$1"
}

# control SCRIPT ACTION: without bawn, the action runs the program.
control() {
	fresh "$CTL"
	rm -f "$RAN"
	(cd "$CTL" && bash -c "$(script_for "$1")")
	(cd "$CTL" && bash -c "$2") >/dev/null 2>&1 </dev/null || :
	[ -e "$RAN" ] || fail "the control does not run anything: $1 / $2"
	rm -f "$RAN"
}

# Inside, then the host's action; sets ran.
attempt() {
	fresh "$WS"
	cd "$WS" || return 1
	rm -f "$RAN"
	rm -f "$AUDIT"
	run in_sandbox bash -c "$(script_for "$1")"
	assert_status 0 || return 1
	ran=no
	[ -z "$2" ] || (cd "$WS" && bash -c "$2") >/dev/null 2>&1 </dev/null || :
	[ ! -e "$RAN" ] || ran=yes
}

# blocked SCRIPT ACTION
blocked() {
	control "$1" "$2" || return 1
	attempt "$1" "$2" || return 1
	[ "$ran" = no ] || fail "the host ran it: $1"
}

# listed PER-NN PATH...: the report names each; the log with its class.
names() {
	local class=$1 p
	shift
	for p; do
		grep -F '"event":"persist"' "$AUDIT" | grep -F "\"class\":\"$class\"" | grep -qF "$p\"" ||
			fail "$class: the log lacks $p" || return 1
		grep -qF "$p" <<<"$output" || grep -q 'more: bawn log' <<<"$output" ||
			fail "$class: the report lacks $p" || return 1
	done
}

# never_silent CLASS SCRIPT ACTION PATH...: the control runs it; after bawn it is blocked or named.
never_silent() {
	local class=$1 script=$2 action=$3
	shift 3
	control "$script" "$action" || return 1
	attempt "$script" "$action" || return 1
	[ "$ran" = no ] || names "$class" "$@"
}

# listed CLASS SCRIPT PATH...: no program at hand that runs it; it has to be named.
listed() {
	local class=$1 script=$2
	shift 2
	attempt "$script" "" || return 1
	names "$class" "$@"
}

# name | CLASS: files of tools that are mostly not here; made new, then changed
lists() { # CLASS FILE...
	local class=$1 f script="" change=""
	shift
	for f; do
		script+="mkdir -p \"\$(dirname '$f')\"; echo '{}' >'$f'; chmod +x '$f'; "
	done
	listed "$class" "$script" "$@" || return 1
	for f; do
		change+="echo '# more' >>'$f' || mv '$f' '$f.x'; "
	done
	# now they exist: changed in place, they are either held or named again
	rm -f "$AUDIT"
	cp -r "$WS" "$T/before"
	sleep 0.05
	run in_sandbox bash -c "$change true"
	for f; do
		cmp -s "$f" "$T/before/$f" || names "$class" "$f" || return 1
	done
	rm -rf "$T/before"
}
