#!/usr/bin/env bats
# profiles-mixed.bats - any profile may enter any sandbox, stopped or running: it goes on in what the
# other one left, with settings, log-in and program of its own.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
setup() { bawn_setup; }
teardown() {
	touch "$WS/stop" 2>/dev/null || :
	"$BAWN" stop --time 0 box >/dev/null 2>&1 || :
	bawn_teardown
}

# running PROFILE: the sandbox box, kept running by a program of ours in it.
running() {
	"$BAWN" run -q --name box "${LEAD[@]}" "$1" . -- "${@:2}" </dev/null >/dev/null 2>&1 3>&- || :
	"$BAWN" exec box bash -c 'touch up; while [ ! -e stop ]; do sleep 0.1; done' </dev/null 3>&- &
	SERVERS+=("$!")
	eventually test -e up
}

entered() {
	"$BAWN" inspect box | tr -d ' \n' | grep -o '"entered":\[[^]]*\]'
}

# mixed STATE: codex leaves files and a package, claude goes on with them, gemini as well.
mixed() {
	local agent
	need_agents
	need_runnable claude
	git_repo
	plant_login codex
	mkdir -p "$HOME/.claude" "$HOME/.gemini"
	echo 'CLAUDEWORDS' >"$HOME/.claude/CLAUDE.md"
	start_model '{"commands":["echo $BAWN_SANDBOX >>names; mkdir -p ~/pkg; echo x >>~/pkg/left; cat names"],
		"final":"OVER","watch":["CLAUDEWORDS"]}'
	lead codex
	local ways=("${LEAD[@]}")
	timeout 60 "$BAWN" run --name box "${ways[@]}" codex . -- "${TASK[@]}" </dev/null >"$T/out" 2>&1 ||
		fail "codex: $(cat "$T/out")" || return 1
	"$BAWN" exec box sh -c 'echo CHANGED >>~/.codex/AGENTS.md'
	if [ "$1" = running ]; then
		LEAD=("${ways[@]}")
		"$BAWN" exec box bash -c 'touch up; while [ ! -e stop ]; do sleep 0.1; done' </dev/null 3>&- &
		SERVERS+=("$!")
		eventually test -e up
	fi
	for agent in claude gemini; do
		lead "$agent"
		local env=() e
		for e in "${LEAD[@]}"; do
			[[ $e != *=http* ]] || env+=(-e "$e")
		done
		run timeout 60 "$BAWN" run --name box "${env[@]}" "$agent" -- "${TASK[@]}" </dev/null
		assert_status 0 || return 1
		assert_output OVER || return 1
	done
	[ "$(xargs <names)" = 'box box box' ] || fail "$(cat names)" || return 1
	[ "$("$BAWN" exec box sh -c 'wc -l <~/pkg/left')" = 3 ] || return 1
	grep -q '"seen":\["CLAUDEWORDS"\]' "$MODEL_LOG" || fail settings || return 1
	[ "$(entered)" = '"entered":["claude","gemini"]' ] || fail "$(entered)" || return 1
	# what was changed inside stays, and each has its own
	run "$BAWN" exec box sh -c 'cat ~/.codex/AGENTS.md; ls -d ~/.claude ~/.codex ~/.gemini'
	assert_output CHANGED || return 1
	refute_canary
}

@test "mixed: claude and gemini go on in a stopped sandbox of codex" { mixed stopped; }
@test "mixed: claude and gemini join a running sandbox of codex" { mixed running; }

# A tool of a profile of the user's, in a place that no sandbox has from the start.
tool() { # NAME DIRECTORY
	mkdir -p "$2/bin" "$XDG_CONFIG_HOME/bawn/profiles"
	printf '#!/bin/sh\necho "%s works: $*"\ncat ~/.%s/rc\n' "$1" "$1" >"$2/bin/$1"
	chmod +x "$2/bin/$1"
	mkdir -p "$HOME/.$1"
	echo "rc of $1" >"$HOME/.$1/rc"
	printf 'command: [%s]\nfind: [%s]\nstate:\n  - path: ~/.%s/rc\n' "$1" "$2/bin/$1" "$1" \
		>"$XDG_CONFIG_HOME/bawn/profiles/$1.yaml"
}

@test "mixed: a program that is not there comes along, read-only, and nothing else" {
	tool alpha "$HOME/alpha"
	tool beta "$HOME/beta"
	tool gamma "$T/gamma"
	plant "$T/secret"
	LEAD=()
	running alpha
	local name
	for name in beta gamma; do
		run "$BAWN" run --name box "$name" -- hello
		assert_status 0
		assert_output "$name works: hello"
		assert_output "rc of $name"
	done
	run "$BAWN" exec box sh -c "echo x >$HOME/beta/bin/new; echo x >>$HOME/beta/bin/beta; echo x >$T/gamma/bin/new"
	[ "$status" != 0 ]
	[ "$(ls "$HOME/beta/bin") $(ls "$T/gamma/bin")" = 'beta gamma' ]
	[ "$(wc -l <"$HOME/beta/bin/beta")" = 3 ]
	run "$BAWN" exec box sh -c "cat $T/secret 2>/dev/null; ls $T; touch /x"
	refute_canary
	refute_output secret
	assert_output Read-only
	# again, without doing it twice
	run "$BAWN" run --name box beta -- again
	assert_status 0
	[ "$("$BAWN" exec box grep -c "$HOME/beta" /proc/self/mountinfo)" -le 1 ]
	[ "$(entered)" = '"entered":["beta","gamma"]' ] || fail "$(entered)"
	# and from the start the next time
	touch stop
	wait "${SERVERS[-1]}"
	run "$BAWN" run --name box gamma -- later
	assert_output 'gamma works: later'
}

@test "mixed: what was changed inside is not written over, a log-in is" {
	tool alpha "$HOME/alpha"
	tool beta "$HOME/beta"
	LEAD=()
	running alpha
	"$BAWN" exec box sh -c 'mkdir -p ~/.beta; echo MINE >~/.beta/rc'
	run "$BAWN" run --name box beta
	assert_output MINE
	refute_output 'rc of beta'
	# a link in its way leads nowhere outside, as it is the sandbox's own
	"$BAWN" exec box sh -c 'rm -r ~/.beta; ln -s / ~/.beta'
	run "$BAWN" run --name box beta
	[ ! -e /rc ]
}

@test "mixed: a profile that is none, and one whose tool is nowhere, are said" {
	tool alpha "$HOME/alpha"
	printf 'command: [no-such-tool]\n' >"$XDG_CONFIG_HOME/bawn/profiles/none.yaml"
	LEAD=()
	running alpha
	run -127 "$BAWN" run --name box none
	assert_output no-such-tool
	run "$BAWN" run --name box nosuchprofile
	assert_status 125
	[ "$(entered)" = '"entered":[]' ]
}

@test "mixed: the hosts of a profile that joins are allowed from then on, for the others too" {
	serve_http 'HOST OF TWO'
	local conn="two.example.org:80:127.0.0.1:$PORT"
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles" "$XDG_CONFIG_HOME/bawn/policies"
	printf 'allow: []\n' >"$XDG_CONFIG_HOME/bawn/policies/none.yaml"
	printf 'allow: ["two.example.org:80"]\n' >"$XDG_CONFIG_HOME/bawn/policies/two.yaml"
	printf 'command: [sh]\nexec: true\npolicies: [none]\n' >"$XDG_CONFIG_HOME/bawn/profiles/one.yaml"
	printf 'command: [sh]\nexec: true\npolicies: [two]\n' >"$XDG_CONFIG_HOME/bawn/profiles/two.yaml"
	"$BAWN" create --name box --connect-to "$conn" one >/dev/null
	"$BAWN" exec -d box sleep 60
	run "$BAWN" exec box curl -s -m 5 http://two.example.org/
	refute_output 'HOST OF TWO'
	run "$BAWN" run --name box two -- curl -s -m 5 http://two.example.org/
	assert_output 'HOST OF TWO'
	run "$BAWN" exec box curl -s -m 5 http://two.example.org/
	assert_output 'HOST OF TWO'
	# not for the next start of the first alone
	"$BAWN" stop -t 0 box
	run "$BAWN" exec box curl -s -m 5 http://two.example.org/
	refute_output 'HOST OF TWO'
}
