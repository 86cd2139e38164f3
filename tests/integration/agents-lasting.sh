# shellcheck shell=bash disable=SC2034,SC2154  # variables of lib.sh and agents.sh, and for the tests
# agents-lasting.sh - a real agent through the whole life of a sandbox that lasts, in each workspace
# mode: what the model has it do, and each step with what must be seen after it.
#
# Load behind agents.sh.

# Options of `create` that stay with the sandbox, and those (variables) that belong to a start.
# life_lead AGENT: sets KEPT, LEAD, TUI and TASK.
life_lead() {
	local i
	lead "$1"
	KEPT=()
	GIVEN=()
	for ((i = 0; i < ${#LEAD[@]}; i += 2)); do
		case ${LEAD[i]} in
		-e) GIVEN+=("${LEAD[@]:i:2}") ;;
		*) KEPT+=("${LEAD[@]:i:2}") ;;
		esac
	done
}

# The steps: a file, a commit where there is git, then a host that nobody has allowed yet, asked for
# until it answers.  $1: its port.  No $(), which gemini takes for an injection, and for any shell: the
# user's is what agents take.
life_scenario() {
	cat <<-EOT
		{"commands": [
		 "echo \$BAWN_SANDBOX >who.txt; echo kept >~/kept; if git rev-parse -q --git-dir; then git add who.txt && git commit -qm \"by \$BAWN_SANDBOX\"; fi; git log --oneline; true",
		 {"run": "seq 100 | while read -r i; do curl -sS -m 5 http://later.test:$1/ 2>&1 | tee ~/answer | grep OPENED && break; sleep 0.2; done", "timeout": 30}],
		 "final": "THE TOUR IS OVER"}
	EOT
}

box() {
	"$BAWN" "$@"
}

box_is() {
	[ "$("$BAWN" ls --json | python3 -c '
import json, sys
print({s["name"]: s["status"] for s in json.load(sys.stdin)}.get(sys.argv[1], "none"))' "$1")" = "$2" ]
}

# The tour asks the host that is denied: it was told so, in the log of what its program wrote.
was_denied() {
	"$BAWN" log --json "$1" | grep -q '"event":"deny".*later.test'
}

# leave_running: the keys that detach.
leave_running() {
	rm -f "$T/tui.status"
	keys C-p
	keys C-q
	eventually test -s "$T/tui.status" || return 1
	[ "$(cat "$T/tui.status")" = 0 ] || fail "left with $(cat "$T/tui.status")" || return 1
	tmux -S "$T/tmux" kill-server 2>/dev/null
	rm -f "$T/tui.status"
}

# ask NAME ARGS...: one headless task of the agent in that sandbox; its words in $output.
ask() {
	local name=$1
	shift
	run timeout 60 "$BAWN" run "${GIVEN[@]}" "$name" -- "${TASK[@]}" "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER'
}

# At the terminal: a task, left while it works, looked at, let out, taken up again, ended.
life_on_terminal() {
	local agent=$1
	tui "$BAWN" run "${GIVEN[@]}" box -- "${TUI[@]}"
	at_input "$agent" || return 1
	settled
	say_line go
	eventually was_denied box || return 1
	leave_running || return 1
	box_is box running || return 1
	# beside it
	[ "$(box exec box cat who.txt)" = box ] || fail 'exec sees no file' || return 1
	run box logs box
	assert_output 'who.txt' || return 1
	[ "$(server_hits "$LATER")" = 0 ] || fail 'the host was reached before it was allowed' || return 1
	run box policy allow --sandbox box --once "later.test:$LATER"
	assert_status 0 || return 1
	eventually box exec box grep -q OPENED "$HOME/answer" || return 1
	# back, with its screen as it would be had one stayed
	tui "$BAWN" attach box
	shows 20 'THE TOUR IS OVER' || return 1
	leave "$agent" || return 1
	tmux -S "$T/tmux" kill-server 2>/dev/null
	box_is box stopped || fail 'it is not stopped'
}

# The whole life.  life AGENT MODE
life() {
	local agent=$1 mode=$2
	need command -v tmux -- "tmux is not installed"
	need_agents
	need_runnable "$agent"
	git_repo
	serve_http OPENED
	LATER=$PORT
	start_model "$(life_scenario "$LATER")"
	life_lead "$agent"
	KEPT+=(--connect-to "later.test:$LATER:127.0.0.1:$LATER")
	run box create --name box --workspace "$mode" "${KEPT[@]}" "$agent"
	assert_status 0 || return 1
	life_on_terminal "$agent" || return 1
	# the state of then, and two that go on from there
	[ "$(box checkpoint box as-it-was 2>"$T/said")" = as-it-was ] || fail "$(cat "$T/said")" || return 1
	if [ "$mode" = direct ]; then
		grep -q 'is worked on directly and is no part of it' "$T/said" || fail "$(cat "$T/said")" || return 1
	fi
	run box fork --count 2 box try
	assert_status 0 || return 1
	run box exec try-1 cat "$HOME/kept"
	assert_output kept || return 1
	box policy allow --sandbox try-1 "later.test:$LATER" >/dev/null || return 1
	box policy allow --sandbox try-2 "later.test:$LATER" >/dev/null || return 1
	ask try-1 || return 1
	ask try-2 || return 1
	"life_$mode" || return 1
	# gone, with all of it
	run box rm box try-1 try-2
	assert_status 0 || return 1
	[ -z "$(box ls -q)" ] || fail "left: $(box ls)" || return 1
	run git -C "$WS" remote
	[ -z "$output" ] || fail "remotes are left" || return 1
	assert_no_leftovers
}

life_direct() {
	[ "$(cat "$WS/who.txt")" = try-2 ] || return 1
	[ "$(git -C "$WS" log --format=%s | tr '\n' ' ')" = 'by try-2 by try-1 by box first ' ] ||
		fail "$(git -C "$WS" log --format=%s)" || return 1
	run box diff --name-only try-2
	assert_status 0 || return 1
	assert_output who.txt || return 1
	run box apply try-2
	assert_output 'has a direct workspace: what it writes there is there already'
}

life_cow() {
	local n
	[ ! -e "$WS/who.txt" ] || fail 'written through' || return 1
	for n in 1 2; do
		run box diff "try-$n"
		assert_status 0 || return 1
		assert_output "+try-$n" || return 1
	done
	run box apply try-2
	assert_status 0 || return 1
	[ "$(cat "$WS/who.txt")" = try-2 ] || return 1
	[ -z "$(box diff --name-only try-2)" ] || fail 'what was landed is a change still' || return 1
	[ "$(git -C "$WS" log -1 --format=%s)" = 'by try-2' ] || fail "$(git -C "$WS" log --oneline)" || return 1
	[ -z "$(git -C "$WS" status --porcelain)" ] || fail "$(git -C "$WS" status --porcelain)" || return 1
	git -C "$WS" fsck --strict || return 1
	box discard --all try-1
	[ -z "$(box diff --name-only try-1)" ] || fail 'what was discarded is there still'
}

life_clone() {
	local n
	[ ! -e "$WS/who.txt" ] || fail 'written through' || return 1
	for n in 1 2; do
		git -C "$WS" fetch -q "bawn-try-$n" || return 1
		[ "$(git -C "$WS" show "bawn-try-$n/bawn/box:who.txt" 2>/dev/null ||
			git -C "$WS" show "bawn-try-$n/bawn/try-$n:who.txt")" = "try-$n" ] ||
			fail "$(git -C "$WS" branch -a)" || return 1
	done
	git -C "$WS" merge -q "$(git -C "$WS" branch -r --format='%(refname:short)' | grep '^bawn-try-2/bawn/')" || return 1
	[ "$(cat "$WS/who.txt")" = try-2 ] || return 1
	run box apply try-2
	[ "$status" -ne 0 ] || fail 'apply of a clone'
	assert_output 'git fetch bawn-try-2'
}

life_none() {
	[ ! -e "$WS/who.txt" ] || fail 'written through' || return 1
	[ "$(box exec try-1 cat who.txt)" = try-1 ] || return 1
	[ "$(box exec try-2 cat who.txt)" = try-2 ] || return 1
	[ "$(box exec box cat who.txt)" = box ] || return 1
	run box diff try-1
	[ "$status" -ne 0 ] || fail 'a diff of no workspace' || return 1
	assert_output 'no workspace'
}
