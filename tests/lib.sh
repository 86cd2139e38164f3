# shellcheck shell=bash disable=SC2154  # status, output: set by bats
# lib.sh - what every integration test starts with; load it as the first line of a .bats file:
#
#	load ../lib.sh
#	setup() { bawn_setup; }
#	teardown() { bawn_teardown; }
#
# Conventions
#   * Tests run as an ordinary user (run-bats sees to it) and never touch the user's own home:
#     bawn_setup makes a scratch HOME with its own XDG directories and a workspace $WS.
#   * $BAWN is the executable of the build directory; `in_sandbox CMD...` runs CMD in
#     `bawn run --rm shell`, `in_sandbox_sh 'SCRIPT'` a script.
#   * A promise is tested from inside by an attempt and from outside by a canary: plant one with
#     `plant FILE` and look for it with `refute_canary`.
#   * Every test file says in its test names which ids of the attack corpus or which promise it is
#     about ("FS-01 ...").
#   * What a machine can't do is skipped by `need`; with BAWN_MUST_WORK=1 a skip is a failure.
#   * Servers listen on the host's loopback: serve_tcp, serve_http; their logs show who came.
#   * $PROBE is the small C program that makes raw system calls from inside; it is bound into the
#     workspace by `with_probe`.
#   * with_agents puts the four real agents into PATH; tests/agents/model.mjs leads them.
#   * $DENY CALL=ERRNO,... CMD makes system calls fail as on a machine without them (tests/deny-call.c).

BAWN_SRCDIR=${BAWN_SRCDIR:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
BAWN_BUILDDIR=${BAWN_BUILDDIR:-$PWD}
BAWN=${BAWN:-$BAWN_BUILDDIR/bawn}
PROBE=${PROBE:-$BAWN_BUILDDIR/tests/probe}
DENY=$BAWN_BUILDDIR/tests/deny-call
export BAWN BAWN_SRCDIR BAWN_BUILDDIR PROBE DENY

# ---- set-up -------------------------------------------------------------------------------------

bawn_setup() {
	local base
	base=${BAWN_TEST_TMP:-$HOME/.cache}/bawn-test
	# ext4: each home's inodes in a place of their own.  Where it has no journal it takes long to
	# find one that was not freed a moment ago, as those of the test before were.
	[ -d "$base" ] || { mkdir -p "$base" && { chattr +T "$base" 2>/dev/null || :; }; }
	T=$(mktemp -d "$base/XXXXXXXX")
	REAL_HOME=$HOME
	HOME=$T/home
	WS=$HOME/project
	SERVERS=()
	CANARY=canary-$RANDOM$RANDOM$RANDOM-bawn
	mkdir -p "$WS"
	mkdir -m 0700 "$T/run"
	export HOME WS CANARY REAL_HOME
	export XDG_CONFIG_HOME=$HOME/.config XDG_DATA_HOME=$HOME/.local/share
	export XDG_CACHE_HOME=$HOME/.cache XDG_STATE_HOME=$HOME/.local/state XDG_RUNTIME_DIR=$T/run
	export GIT_CONFIG_NOSYSTEM=1
	unset GIT_DIR GIT_WORK_TREE SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY
	unset ANTHROPIC_API_KEY OPENAI_API_KEY CODEX_API_KEY GEMINI_API_KEY
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS MAKE_TERMOUT MAKE_TERMERR
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY all_proxy ALL_PROXY
	AUDIT=$XDG_DATA_HOME/bawn/audit.jsonl
	cd "$WS" || return 1
}

bawn_teardown() {
	local pid
	for pid in "${SERVERS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	cd / || return 1
	[ -n "${T:-}" ] || return 0
	# what was ended with its terminal may still be writing its last
	local i
	for ((i = 0; i < 100; i++)); do
		rm -rf "$T" 2>/dev/null && return 0
		chmod -R u+rwX "$T" 2>/dev/null
		((i == 0)) || sleep 0.1
	done
	rm -rf "$T"
}

# need CONDITION-COMMAND... -- MESSAGE: skip where the machine can't (an error when it must).
need() {
	local cmd=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		cmd+=("$1")
		shift
	done
	"${cmd[@]}" >/dev/null 2>&1 && return 0
	if [ "${BAWN_MUST_WORK:-}" = 1 ]; then
		fail "needed here: ${*:2}"
	else
		skip "${*:2}"
	fi
}

# ---- running ------------------------------------------------------------------------------------

# Extra options of `bawn run` for in_sandbox: BAWN_OPTS=(--allow x); in_sandbox ...
BAWN_OPTS=()

in_sandbox() {
	"$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- "$@"
}

in_sandbox_sh() {
	in_sandbox sh -c "$1"
}

# copy_bawn DIR: bawn as it is built, as files of one's own.  What `make dist` leaves beside it, an
# archive or, interrupted, a directory, is no part of it.
copy_bawn() {
	mkdir -p "$1"
	find -L "$BAWN_BUILDDIR" -maxdepth 1 \( -name bawn -o -name 'bawn-*' \) -type f -perm -u+x \
		-exec cp -L -t "$1" {} +
	cp -rL "$BAWN_BUILDDIR/share" "$1/"
}

# A git repository with one commit in $1 (default: the workspace).
git_repo() {
	local dir=${1:-$WS}
	mkdir -p "$dir"
	git -C "$dir" init -q -b main
	git -C "$dir" config user.name 'Test User'
	git -C "$dir" config user.email test@example.com
	echo hello >"$dir/README"
	git -C "$dir" add README
	git -C "$dir" commit -qm first
}

# The real agents, at the versions of tests/agents/package-lock.json, first in PATH (bootstrap
# installs them and a node that is new enough; with make check alone set BAWN_AGENTS).
with_agents() {
	local dir=${BAWN_AGENTS:-$BAWN_BUILDDIR/agents}
	need test -x "$dir/node_modules/.bin/claude" -- "the agents' npm packages (./bootstrap check)"
	[ ! -x "$dir/../node/bin/node" ] || PATH=$(realpath "$dir/../node/bin"):$PATH
	PATH=$dir/node_modules/.bin:$PATH
	export PATH
}

# Put the probe where the sandbox can run it; sets P to its path.
with_probe() {
	[ -x "$PROBE" ] || fail "no probe at $PROBE: make check builds it"
	cp "$PROBE" "$WS/.probe"
	# shellcheck disable=SC2034  # used by the tests
	P=$WS/.probe
}

# ---- saying what is wrong -----------------------------------------------------------------------

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	[ -n "${output:-}" ] && printf 'output: %s\n' "$output" >&2
	return 1
}

assert_status() {
	[ "$status" -eq "$1" ] || fail "status is $status, wanted $1"
}

# Each word as it stands: none is a pattern.
assert_output() {
	local word
	for word; do
		case $output in
		*"$word"*) ;;
		*) fail "output lacks: $word" ;;
		esac || return 1
	done
}

refute_output() {
	local word
	for word; do
		case $output in
		*"$word"*) fail "output has: $word" ;;
		esac || return 1
	done
}

# ---- canaries -----------------------------------------------------------------------------------

# plant FILE [MODE]: a file on the host that nothing inside may ever read.
plant() {
	mkdir -p "$(dirname "$1")"
	printf '%s\n' "$CANARY" >"$1"
	chmod "${2:-600}" "$1"
}

# The canary is not in the last output, nor in the files given.
refute_canary() {
	refute_output "$CANARY" || return 1
	local f
	for f; do
		if grep -rqsF -- "$CANARY" "$f"; then
			fail "canary found in $f"
			return 1
		fi
	done
	return 0
}

# The file still holds the canary and nothing else.
assert_untouched() {
	[ "$(cat "$1")" = "$CANARY" ] || fail "$1 was changed"
}

# ---- servers on the host's loopback -------------------------------------------------------------

# serve_tcp SHELL-COMMAND [ADDR]: every connection runs the command with the socket as stdin and
# stdout.  Sets PORT; connections are logged, one line each, in $T/server.PORT.log.
serve_tcp() {
	local addr=${2:-127.0.0.1} kind=TCP4-LISTEN log=$T/server.$RANDOM$RANDOM.out i
	local script=$log.sh
	case $addr in *:*) kind=TCP6-LISTEN addr="[$addr]" ;; esac
	: >"$log"
	# shellcheck disable=SC2016  # for the inner shell
	printf '#!/bin/bash\necho "from $SOCAT_PEERADDR:$SOCAT_PEERPORT" >>"$1"\n%s\n' "$1" \
		>"$script"
	chmod 0700 "$script"
	# 3>&-: bats waits for whoever holds its descriptor 3
	socat -d -d "$kind:0,bind=$addr,reuseaddr,fork" "EXEC:$script $log.log,nofork" \
		2>"$log" 3>&- </dev/null &
	SERVERS+=("$!")
	for ((i = 0; i < 100; i++)); do
		PORT=$(sed -n 's/.*listening on AF=[0-9]* .*:\([0-9][0-9]*\)$/\1/p' "$log" | head -1)
		[ -n "$PORT" ] && break
		sleep 0.05
	done
	[ -n "$PORT" ] || fail "server did not start: $(cat "$log")"
	: >>"$log.log"
	ln -sf "$log.log" "$T/server.$PORT.log"
}

# serve_http [BODY] [ADDR]: answers every request with BODY.
serve_http() {
	local body=${1:-hello}
	serve_tcp "$(
		cat <<-EOF
			while IFS= read -r line && [ "\${line%\$'\\r'}" ]; do :; done
			printf 'HTTP/1.1 200 OK\\r\\nContent-Length: ${#body}\\r\\nConnection: close\\r\\n\\r\\n%s' '$body'
		EOF
	)" "${2:-127.0.0.1}"
}

# How many connections the server on PORT has seen.
server_hits() {
	wc -l <"$T/server.$1.log"
}

# ---- what is left behind ------------------------------------------------------------------------

# No process of ours, no mount, no run state: what SIGKILL at any instant must leave within 1 s.
assert_no_leftovers() {
	local i left
	for ((i = 0; i < 20; i++)); do
		left=$(grep -lzs "^HOME=$HOME\$" /proc/[0-9]*/environ | while read -r f; do
			tr '\0' ' ' <"${f%environ}cmdline" 2>/dev/null |
				grep -E '(^|/)bawn(-[a-z]+)? ' || :
		done) || : # nothing found is well: bats runs with errexit
		[ -z "$left" ] && break
		sleep 0.05
	done
	[ -z "$left" ] || fail "still running: $left"
	if grep -F "$T" /proc/self/mountinfo; then
		fail "mounts are left on the host"
	fi
}

# Wait until COMMAND... succeeds, 10 s at most.
eventually() {
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	fail "did not happen in 10 s: $*"
}

# All audit lines of an event, as JSON.
audit_events() {
	grep -F "\"event\":\"$1\"" "$AUDIT"
}
