#!/usr/bin/env bats
# skill.bats - bawn skill: every command that it teaches works, each agent finds it where it is
# installed, and nothing of the user's is written over.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" stop --time 0 fix-1 >/dev/null 2>&1 || :
	bawn_teardown
}

installed() {
	case $1 in
	claude) echo "$HOME/.claude/skills/bawn/SKILL.md" ;;
	codex) echo "$HOME/.codex/skills/bawn/SKILL.md" ;;
	gemini) echo "$HOME/.gemini/skills/bawn/SKILL.md" ;;
	opencode) echo "$HOME/.config/opencode/skills/bawn/SKILL.md" ;;
	esac
}

# Every line of every sh block of the skill, in order.
taught() {
	"$BAWN" skill | sed -n '/^```sh$/,/^```$/{/^```/!p}'
}

@test "skill: every command in it works as it is written" {
	local tool n=0
	mkdir -p "$HOME/.local/bin"
	for tool in "${AGENTS[@]}"; do
		printf '#!/bin/sh\necho "%s $*" >>calls\n' "$tool" >"$HOME/.local/bin/$tool"
	done
	chmod +x "$HOME"/.local/bin/*
	ln -s "$BAWN" "$HOME/.local/bin/bawn"
	PATH=$HOME/.local/bin:$PATH
	git_repo
	printf 'check:\n\t@echo CHECKED\n' >Makefile
	echo note >notes.txt
	"$BAWN" create --name fix-0 shell . >/dev/null
	taught >"$T/taught"
	# the sandbox that they make and remove has to be there for what stands below
	sed -i '/^bawn rm fix-1/d' "$T/taught"
	sed -i "s,/tmp/result.json,$T/result.json," "$T/taught"
	while IFS= read -r line; do
		n=$((n + 1))
		run bash -c "$line"
		assert_status 0 || fail "$line"
	done <"$T/taught"
	[ "$n" -ge 15 ]
	grep -q '"exit": 0' "$T/result.json"
	grep -q '^codex --dangerously.* exec .*make the tests pass' calls
	grep -q '^opencode run .*make the tests pass' calls
	run bash -c 'bawn rm fix-1'
	assert_status 0
}

@test "skill: it has the head that agents ask for" {
	run "$BAWN" skill
	[ "${lines[0]}" = --- ]
	[ "${lines[1]}" = 'name: bawn' ]
	[[ ${lines[2]} == 'description: '* ]]
	[ "${#lines[2]}" -le 1024 ]
	[ "${lines[3]}" = --- ]
}

# knows AGENT: the real one, outside, with the skill installed, names it in what it tells its model.
knows() {
	local file
	need_agents "$1"
	need_runnable "$1"
	run "$BAWN" skill --install "$1"
	assert_status 0 || return 1
	file=$(installed "$1")
	[ "$output" = "$file" ] || fail path || return 1
	cmp "$file" <("$BAWN" skill) || return 1
	git_repo
	start_model '{"commands":["true"],"final":"OVER","watch":["Put work into a bawn sandbox"]}'
	MODEL_URL=http://127.0.0.1:$MODEL_PORT
	lead "$1"
	local e env=()
	for e in "${LEAD[@]}"; do
		[[ $e != *=* ]] || env+=("$e")
	done
	case $1 in
	claude) TASK+=(--dangerously-skip-permissions) ;;
	codex) TASK=(--dangerously-bypass-approvals-and-sandbox "${TASK[@]}") ;;
	gemini) TASK+=(--yolo --skip-trust) ;;
	esac
	[ "$1" != gemini ] || printf '{"security":{"auth":{"selectedType":"gemini-api-key"}}}' \
		>"$HOME/.gemini/settings.json"
	env "${env[@]}" timeout 60 "$1" "${TASK[@]}" >"$T/out" 2>&1 </dev/null || :
	grep -q '"seen":\["Put work into a bawn sandbox"\]' "$MODEL_LOG" ||
		fail "$(cat "$T/out"; cut -c 1-300 "$MODEL_LOG")"
}

@test "skill: claude finds it" { knows claude; }
@test "skill: codex finds it" { knows codex; }
@test "skill: gemini finds it" { knows gemini; }
@test "skill: opencode finds it" { knows opencode; }

@test "skill: it stays outside" {
	local tool
	for tool in "${AGENTS[@]}"; do
		"$BAWN" skill --install "$tool"
		mkdir -p "$(dirname "$(installed "$tool")")/../other"
		echo other >"$(dirname "$(installed "$tool")")/../other/SKILL.md"
		# shellcheck disable=SC2088  # for the inner shell
		run look "$tool" "ls ~/$(realpath --relative-to="$HOME" "$(dirname "$(installed "$tool")")/..")"
		[ "${lines[-1]}" = other ] || fail "$tool"
		refute_output bawn$'\n'
	done
}

@test "skill: the variables of the tools count, ours is replaced, another's never" {
	CODEX_HOME=$T/codex run "$BAWN" skill --install codex
	[ -f "$T/codex/skills/bawn/SKILL.md" ]
	[ ! -e "$HOME/.codex" ]
	sed -i 's/^# .*/# older/' "$T/codex/skills/bawn/SKILL.md"
	CODEX_HOME=$T/codex run "$BAWN" skill --install codex
	cmp "$T/codex/skills/bawn/SKILL.md" <("$BAWN" skill)
	mkdir -p "$HOME/.claude/skills/bawn"
	echo mine >"$HOME/.claude/skills/bawn/SKILL.md"
	run "$BAWN" skill --install claude
	assert_status 125
	assert_output 'and not by bawn'
	[ "$(cat "$HOME/.claude/skills/bawn/SKILL.md")" = mine ]
	ln -sf /etc/hostname "$HOME/.claude/skills/bawn/SKILL.md"
	run "$BAWN" skill --install claude
	assert_status 125
	run "$BAWN" skill --install emacs
	assert_status 125
	assert_output "no place for skills of 'emacs' is known"
	run "$BAWN" skill more
	assert_status 125
	chmod 500 "$HOME"
	GEMINI_CLI_HOME=$HOME/none run "$BAWN" skill --install gemini
	assert_status 125
	chmod 700 "$HOME"
}
