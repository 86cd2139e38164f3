#!/usr/bin/env bats
# article.bats - the commands that people have in their scripts for another sandbox tool, with bawn in
# its place: run PROFILE, run PROFILE -- exec, create, run NAME -- exec, and a loop around them.
load ../lib.sh
load agents.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" stop --time 0 ralph-env >/dev/null 2>&1 || :
	bawn_teardown
}

LOOP=$BATS_TEST_DIRNAME/short-loop.sh

# A codex that needs no model: it notes how it was called, writes what was asked to -o, and ends
# with the number that stands first in the file next.
fake_codex() {
	mkdir -p "$HOME/.local/bin"
	cat >"$HOME/.local/bin/codex" <<-'EOT'
		#!/bin/bash
		{
			printf 'call:'
			printf ' <%s>' "$@"
			echo
		} >>calls
		while [ $# -gt 1 ]; do
			[ "$1" != -o ] || echo "left by $$ $(wc -l <calls)" >"$2"
			shift
		done
		status=$(head -n 1 next 2>/dev/null)
		sed -i 1d next
		exit "${status:-0}"
	EOT
	chmod +x "$HOME/.local/bin/codex"
	PATH=$HOME/.local/bin:$PATH
	export SANDBOX_TOOL=$BAWN
}

@test "article: the loop goes on at 0 and ends well at 2, each round knowing the last one's words" {
	fake_codex
	printf '0\n0\n2\n0\n' >next
	run "$BAWN" create --name ralph-env codex .
	assert_status 0
	run bash "$LOOP" "hey ai"
	assert_status 0
	assert_output 'round 3 of 5'
	assert_output reached
	refute_output 'round 4'
	[ "$(grep -c '^call:' calls)" = 3 ]
	grep -q 'What the round before left:$' calls
	[ "$(grep -c '^left by [0-9]* [0-9]*' calls)" = 2 ]
	# what the script says and what the profile says is said once
	[ "$(head -1 calls | grep -o dangerously-bypass-approvals | wc -l)" = 1 ]
	head -1 calls | grep -q '<--dangerously-bypass-approvals-and-sandbox> .*<exec>'
	head -1 calls | grep -qF '<-c> <model_reasoning_effort="medium"> <-o> <output.txt>'
}

@test "article: the loop ends with the status of a round that failed" {
	fake_codex
	printf '0\n7\n0\n' >next
	"$BAWN" create --name ralph-env codex .
	run bash "$LOOP" "hey ai"
	assert_status 7
	assert_output 'round 2 failed'
	[ "$(grep -c '^call:' calls)" = 2 ]
}

@test "article: the loop stops after its rounds, and an unknown sandbox is its own failure" {
	fake_codex
	run bash "$LOOP" "hey ai"
	assert_status 125
	assert_output "bawn create --name ralph-env"
	[ ! -e calls ]
	"$BAWN" create --name ralph-env codex .
	ROUNDS=2 run bash "$LOOP" "hey ai"
	assert_status 0
	refute_output reached
	[ "$(grep -c '^call:' calls)" = 2 ]
}

@test "article: a bare first word behind -- keeps the flags that switch the prompts off" {
	fake_codex
	run "$BAWN" run codex -- exec "create a clone, no mistakes"
	assert_status 0
	grep -q '<--dangerously-bypass-approvals-and-sandbox> .*<exec> <--skip-git-repo-check> <create a clone, no mistakes>' calls
	# the same profile on the same directory is the same sandbox, and its name enters it as well
	run "$BAWN" run codex
	assert_status 0
	run "$BAWN" run codex-project -- exec "again"
	assert_status 0
	[ "$("$BAWN" ls -q)" = codex-project ]
	[ "$(grep -c '^call:' calls)" = 3 ]
}

@test "article: create with a name and a template, then run by that name" {
	fake_codex
	run "$BAWN" create --name codex-playwright --template host codex .
	assert_status 0
	[ "$output" = codex-playwright ]
	run "$BAWN" run codex-playwright -- exec "run the video smoke spec"
	assert_status 0
	grep -qF '<run the video smoke spec>' calls
	run "$BAWN" create --name codex-playwright codex .
	assert_status 125
	assert_output 'there is a sandbox codex-playwright already'
	run "$BAWN" create --name other --template no-such-template codex .
	assert_status 125
	assert_output no-such-template
}

# The real one from npm.  A script's command line has no room for the way to the model: that stands
# in the sandbox's own settings, which stay.
@test "article: the loop runs with the real codex, led by the scripted model" {
	need_agents
	start_model '{"commands":["echo round >>rounds"],"final":"THE ROUND IS OVER"}'
	lead_interactive codex
	export SANDBOX_TOOL=$BAWN
	"$BAWN" create --name ralph-env "${LEAD[@]}" codex .
	"$BAWN" exec ralph-env sh -c 'mkdir -p ~/.codex && cat >~/.codex/config.toml' <<-EOT
		model_provider = "m"
		[model_providers.m]
		name = "m"
		base_url = "$MODEL_URL/v1"
		env_key = "CODEX_API_KEY"
		wire_api = "responses"
		[projects."$WS"]
		trust_level = "trusted"
	EOT
	ROUNDS=2 run timeout 120 bash "$LOOP" "hey ai"
	assert_status 0
	assert_output 'round 2 of 2'
	[ "$(wc -l <rounds)" = 2 ]
	[ "$(cat output.txt)" = 'THE ROUND IS OVER' ]
	# the second round was told what the first one said, and its number
	grep -q 'sandbox: danger-full-access' <<<"$output"
	grep -q 'This is round 2' <<<"$output"
	[ "$(grep -c 'THE ROUND IS OVER' <<<"$output")" -ge 3 ]
}
