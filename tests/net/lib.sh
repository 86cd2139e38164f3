# shellcheck shell=bash disable=SC2154,SC2034  # status, output: set by bats; BAWN_OPTS: for lib.sh
# net/lib.sh - what the network tests share.
#
# A file that loads this gets a small internet (world) of its own, which each of its tests enters:
# setup and teardown stand here.  `net ATTEMPT...` runs inside.py's attempts in the sandbox, `wants ATTEMPT RESULT` looks at one
# of its lines, `came LOG PATTERN` and `nothing_came LOG [PATTERN]` at what arrived outside.

setup_file() { world_start; }
teardown_file() { world_stop; }
setup() {
	bawn_setup
	world_enter
}
teardown() { bawn_teardown; }

world_start() {
	local i base
	base=${BAWN_TEST_TMP:-$HOME/.cache}/bawn-test
	mkdir -p "$base"
	WORLD=$(mktemp -d "$base/world.XXXXXX")
	export WORLD
	"$BAWN_SRCDIR/tests/net/world" "$WORLD" >"$WORLD/out" 2>&1 3>&- </dev/null &
	echo $! >"$WORLD/world.pid"
	for ((i = 0; i < 200; i++)); do
		[ -e "$WORLD/pid" ] && break
		sleep 0.05
	done
	if [ ! -e "$WORLD/pid" ]; then
		cat "$WORLD/out" >&2
		return 1
	fi
	# in there root's files belong to nobody, and nobody's rules are not taken
	if [ ! -O "$BAWN" ]; then
		copy_bawn "$WORLD/bawn"
		[ ! -e "$BAWN_BUILDDIR/mutation" ] || cp "$BAWN_BUILDDIR/mutation" "$WORLD/bawn/"
	fi
}

world_stop() {
	kill "$(cat "$WORLD/world.pid")" 2>/dev/null
	case $WORLD in */bawn-test/world.*) rm -rf "$WORLD" ;; esac
}

# in_world CMD: as the user, on the host of the small internet.
in_world() {
	nsenter -t "$(cat "$WORLD/pid")" -U -n -m --preserve-credentials --wd="$PWD" "$@"
}

# From here on $BAWN runs there; the logs begin anew.
world_enter() {
	local f exe=$BAWN
	[ ! -e "$WORLD/bawn/bawn" ] || exe=$WORLD/bawn/bawn
	mkdir -p "$T/bin"
	# shellcheck disable=SC2016  # for the script
	printf '#!/bin/sh\nexec nsenter -t %s -U -n -m --preserve-credentials --wd="$PWD" %s "$@"\n' \
		"$(cat "$WORLD/pid")" "$exe" >"$T/bin/bawn"
	chmod 0755 "$T/bin/bawn"
	BAWN=$T/bin/bawn
	for f in "$WORLD"/*.log; do : >"$f"; done
	BAWN_OPTS=(-q)
}

# net ATTEMPT...: inside; bawn's own messages are in $T/messages.
net() {
	in_sandbox /usr/bin/python3 -c "$(cat "$BAWN_SRCDIR/tests/net/inside.py")" "$@" 2>"$T/messages"
}

# wants ATTEMPT RESULT: the line of that attempt begins with RESULT.
wants() {
	case $'\n'$output in
	*$'\n'"$1 -> $2"*) ;;
	*) fail "wanted: $1 -> $2" ;;
	esac
}

# each RESULT...: every attempt ended with one of these.
each() {
	local line r ok
	while IFS= read -r line; do
		case $line in *' -> '*) ;; *) continue ;; esac
		ok=
		for r; do
			case ${line#* -> } in "$r"*) ok=1 ;; esac
		done
		[ "$ok" ] || fail "not as wanted ($*): $line" || return 1
	done <<<"$output"
	case $output in *' -> '*) ;; *) fail "no attempt was made" ;; esac
}

came() { # LOG PATTERN
	eventually grep -qE -- "$2" "$WORLD/$1.log"
}

nothing_came() { # LOG [PATTERN]
	if grep -E -- "${2:-.}" "$WORLD/$1.log" >"$T/came"; then
		fail "came out, $1: $(head -5 "$T/came")"
	fi
}

# audit PATTERN: a line of the audit log.
audit() {
	eventually grep -qE -- "$1" "$AUDIT"
}

# bg NAME CMD...: a sandbox in the background; its output is in $T/NAME.
bg() {
	local name=$1
	shift
	"$@" >"$T/$name" 2>&1 3>&- </dev/null &
	SERVERS+=("$!")
}

# The pid of the bawn-init below a process.
init_of() {
	eventually pgrep -P "$1" bawn-init
	pgrep -P "$1" bawn-init | head -1
}
