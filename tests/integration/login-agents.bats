#!/usr/bin/env bats
# login-agents.bats - the real claude, codex and gemini with a log-in of the host that they never
# hold: the scripted model behind TLS plays their API and their token endpoint, tells whether a token
# counts, and takes a refresh token once.
load ../lib.sh
load agents.sh
load vault.sh
load login-agents.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# works ARGS...: one task with a token that had ended before the start.
works() {
	run timeout 120 "$BAWN" run --rm "${OPTS[@]}" "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(cat "$WS"/made-*.txt)" = 'written by the agent' ] || return 1
	[ "$(renewed)" = 1 ] || fail "$(renewed) renewals" || return 1
	seen_well || return 1
	assert_no_leftovers
}

@test "CRED-08 claude with a subscription that it never holds" {
	logged_in claude api.anthropic.com platform.claude.com
	works claude -- -p go
	grep -q '"subscriptionType": "max"' "$LOGIN_FILE"
}

@test "CRED-08 codex with a subscription that it never holds; the account id is right" {
	logged_in codex chatgpt.com auth.openai.com
	works codex -- -c features.enable_request_compression=false exec go
	grep -q '"chatgpt-account-id":"acc"' "$MODEL_LOG"
}

@test "CRED-08 gemini with a log-in that it never holds" {
	logged_in gemini cloudcode-pa.googleapis.com oauth2.googleapis.com www.googleapis.com
	works gemini -- -m gemini-2.5-flash -p go
	grep -q '"client":"681255809395-' "$MODEL_LOG"
}

@test "CRED-08 opencode with ChatGPT's log-in that it never holds" {
	login_of opencode
	logged_in opencode "${HOSTS[@]}"
	works "${TASK[@]}"
	grep -q '"client":"app_EMoamEEZ73f0CkXaXp7hrann"' "$MODEL_LOG"
	grep -q '"xai": {' "$LOGIN_FILE"
}

# over TOOL ARGS...: tokens that end while it works: renewed ahead, nothing is refused.
over() {
	run timeout 120 "$BAWN" run --rm "${OPTS[@]}" "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(renewed)" -ge 2 ] || fail "$(renewed) renewals" || return 1
	! grep '"status":401' "$MODEL_LOG" | grep -q authorization || return 1
	seen_well
}

@test "CRED-08 claude's token ends while it works" {
	LIFE=8 PAUSE=12
	logged_in claude api.anthropic.com platform.claude.com
	over claude -- -p go
}

@test "CRED-08 codex' token ends while it works" {
	LIFE=8 PAUSE=12
	logged_in codex chatgpt.com auth.openai.com
	over codex -- -c features.enable_request_compression=false exec go
}

@test "CRED-08 gemini's token ends while it works" {
	LIFE=8 PAUSE=12
	logged_in gemini cloudcode-pa.googleapis.com oauth2.googleapis.com www.googleapis.com
	over gemini -- -m gemini-2.5-flash -p go
}

# twenty ARGS...: as many at once, whose token has ended: one renewal, and all do their task.
twenty() {
	local i done=0 pids=()
	for ((i = 0; i < 20; i++)); do
		mkdir "$WS/$i"
		(cd "$WS/$i" && timeout 400 "$BAWN" run --rm "${OPTS[@]}" "$@") >"$T/out.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for ((i = 0; i < 20; i++)); do
		grep -q 'THE TOUR IS OVER' "$T/out.$i" && done=$((done + 1)) || cat "$T/out.$i"
	done
	[ "$done" = 20 ] || fail "$done of 20" || return 1
	[ "$(cat "$WS"/*/made-*.txt | wc -l)" = 20 ] || return 1
	[ "$(renewed)" = 1 ] || fail "$(renewed) renewals" || return 1
	seen_well
}

@test "CRED-08 twenty claudes at once renew their log-in once" {
	logged_in claude api.anthropic.com platform.claude.com
	twenty claude -- -p go
}

@test "CRED-08 twenty codexes at once renew their log-in once" {
	logged_in codex chatgpt.com auth.openai.com
	twenty codex -- -c features.enable_request_compression=false exec go
}

@test "CRED-08 twenty geminis at once renew their log-in once" {
	logged_in gemini cloudcode-pa.googleapis.com oauth2.googleapis.com www.googleapis.com
	twenty gemini -- -m gemini-2.5-flash -p go
}
