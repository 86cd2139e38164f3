#!/usr/bin/env bats
# demo.bats - the main job as `./bootstrap demo` shows it, once all is built: contrib/demo with the
# real agents of the lock file.  What bootstrap does before is in bootstrap.bats.
load ../lib.sh
load agents.sh
setup() {
	bawn_setup
	unset "${!ANTHROPIC_@}" "${!OPENAI_@}" "${!CODEX_@}" "${!GEMINI_@}" "${!GOOGLE_@}"
	export BAWN_TEST_TMP=$T
}
teardown() { bawn_teardown; }

demo() {
	BAWN_AGENTS=$AGENTS_DIR run timeout 120 "$BAWN_SRCDIR/contrib/demo"
}

@test "demo: an agent works and is contained, the account says so, and nothing is left" {
	need_agents
	local before account
	before=$(ls -A "$T" "$HOME")
	demo
	assert_status 0
	assert_output 'demo: no API key in the environment'
	account=$(sed -n '/^--- what the agent wrote/,$p' <<<"$output")
	[ -n "$account" ] || fail "no account: $output"
	# what it wrote is listed with its content, as it ended up in the repository
	grep -q '?? greet.sh' <<<"$account" || fail "not listed: $account"
	grep -q '^    echo hello from inside$' <<<"$account" || fail "not shown: $account"
	# what it was refused, with the rule
	grep -q '^    example\.com:443: no rule' <<<"$account" || fail "no denial: $account"
	grep -q '^    ~/.ssh/id_ed25519: there is no such file inside' <<<"$account" ||
		fail "the key: $account"
	refute_output 'must not be seen'
	# how long, in parts
	sed -n '/^--- how long/,$p' <<<"$account" | grep -qE '^ .* [0-9.]+ ms' || fail "no times: $account"
	[ "$(ls -A "$T" "$HOME")" = "$before" ] || fail "left: $(ls -A "$T" "$HOME")"
	assert_no_leftovers
}

@test "demo: a key that was read is said, and it fails" {
	need_agents
	# a bawn that contains nothing: the agent's command by itself, on this host
	cat >"$T/bawn" <<-'EOT'
		#!/bin/bash
		[ "$1" = run ] || exit 0
		cd "$HOME/hello" && cat ~/.ssh/id_ed25519 >copied
	EOT
	chmod +x "$T/bawn"
	BAWN=$T/bawn demo
	assert_status 1
	assert_output '!! the planted key was read'
}

@test "demo: with a key in the environment, the agent it belongs to and the real service" {
	need_agents
	need_runnable claude
	cat >"$T/bawn" <<-'EOT'
		#!/bin/bash
		[ "$1" != run ] || printf '<%s>' "$@"
	EOT
	chmod +x "$T/bawn"
	export BAWN=$T/bawn
	local row
	for row in ANTHROPIC_API_KEY:claude CODEX_API_KEY:codex OPENAI_API_KEY:codex GEMINI_API_KEY:gemini \
		GOOGLE_API_KEY:gemini; do
		export "${row%:*}=sk-test-x"
		demo
		assert_status 0 || return 1
		assert_output "demo: ${row#*:} on the real service, with the key in \$${row%:*}" || return 1
		# it is in the environment, and on no command line
		assert_output "<${row#*:}><$T/" || return 1
		refute_output sk-test-x --host-port BASE_URL || return 1
		unset "${row%:*}"
	done
}
