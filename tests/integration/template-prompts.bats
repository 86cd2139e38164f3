#!/usr/bin/env bats
# template-prompts.bats - the real agents in a template, led by the scripted model: instructions, a model and
# an MCP server that stand in the template's own files are in what the agent sends.
load ../lib.sh
load ../templates.sh
load agents.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# A file of build/agents at a place of the template's, without a copy where that can be.
bring() { # FROM TO
	mkdir -p "$(dirname "$LAYER$2")"
	cp -alL "$1" "$LAYER$2" 2>/dev/null && return
	rm -rf "${LAYER:?}$2"
	cp -aL "$1" "$LAYER$2"
}

# Put a tool of the lock file into the template.
bring_tool() {
	local m=$AGENTS_DIR/node_modules f
	case $1 in
	claude)
		bring "$(realpath "$m/.bin/claude")" /usr/bin/claude
		template_libraries "$(realpath "$m/.bin/claude")"
		;;
	opencode)
		bring "$(realpath "$m/.bin/opencode")" /usr/bin/opencode
		template_libraries "$(realpath "$m/.bin/opencode")"
		;;
	codex)
		f=$(find "$m/@openai/" -name codex -type f -perm -u+x | head -1)
		bring "$f" /usr/bin/codex
		;;
	gemini)
		bring "$m/@google" /opt/node_modules/@google
		f=$(type -P node)
		bring "$(realpath "$f")" /usr/bin/node
		template_libraries "$(realpath "$f")"
		ln -s /opt/node_modules/@google/gemini-cli/bundle/gemini.js "$LAYER/usr/bin/gemini"
		;;
	esac
}

# An MCP server with one tool, plantedtool; its only program is bash.
put_server() {
	cat >"$LAYER/opt/server" <<-'EOT'
		#!/bin/bash
		while read -r line; do
			[[ $line =~ \"id\":\ *([0-9]+) ]] || continue
			id=${BASH_REMATCH[1]}
			case $line in
			*'"initialize"'*)
				[[ $line =~ \"protocolVersion\":\ *(\"[^\"]*\") ]]
				result="{\"protocolVersion\":${BASH_REMATCH[1]},\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"own\",\"version\":\"1\"}}"
				;;
			*'"tools/list"'*) result='{"tools":[{"name":"plantedtool","description":"a tool","inputSchema":{"type":"object","properties":{}}}]}' ;;
			*)
				printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}\n' "$id"
				continue
				;;
			esac
			printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
			case $line in *'"tools/list"'*) : >/tmp/server-was-asked ;; esac
		done
	EOT
	chmod +x "$LAYER/opt/server"
}

# said TOOL [WORD...]: what was planted stood in its requests
said() {
	local tool=$1 word words=(TEAMPROMPT USERPROMPT planted-model plantedtool 'bawn sandbox named' "${@:2}")
	# some ask their servers beside the first request
	start_model '{"commands":["for i in {1..200}; do [ -e /tmp/server-was-asked ] && break; sleep 0.1; done", "sleep 0.4", "sleep 0.4", "sleep 0.4", "sleep 0.4"],
		"final":"OVER","watch":['"$(printf '"%s",' "${words[@]}")"'"-"]}'
	lead "$tool"
	run timeout 120 "$BAWN" run --rm --template base "${LEAD[@]}" "$tool" -- "${TASK[@]}" </dev/null
	assert_status 0 || return 1
	assert_output OVER || return 1
	refute_output 'does not count' || return 1
	for word in "${words[@]}"; do
		grep -q "\"seen\":[^]]*\"$word\"" "$MODEL_LOG" ||
			fail "$word is in no request: $(grep -o '"seen":[^]]*]' "$MODEL_LOG")" || return 1
	done
}

prepare() {
	need_agents
	need_runnable "$1"
	template_layer
	template_debian
	template_program head tail sed tr uname dirname basename ps
	H=$LAYER/home/agent
	mkdir -p "$H" "$LAYER/opt"
	bring_tool "$1"
	put_server
}

@test "prompts: codex in a template says what stands in its AGENTS.md and config.toml" {
	prepare codex
	mkdir -p "$H/.codex" "$HOME/.codex"
	echo TEAMPROMPT >"$H/.codex/AGENTS.md"
	echo USERPROMPT >"$HOME/.codex/AGENTS.md"
	echo 'model = "of-the-user"' >"$HOME/.codex/config.toml"
	printf 'model = "planted-model"\nmcp_servers = { own = { command = "/opt/server" } }\n' >"$H/.codex/config.toml"
	mkdir "$LAYER/etc/codex"
	echo 'developer_instructions = "ETCPROMPT"' >"$LAYER/etc/codex/config.toml"
	template_commit base
	said codex ETCPROMPT
}

@test "prompts: claude in a template says what stands in its CLAUDE.md and settings, and in managed ones" {
	prepare claude
	mkdir -p "$H/.claude" "$HOME/.claude"
	echo TEAMPROMPT >"$H/.claude/CLAUDE.md"
	echo USERPROMPT >"$HOME/.claude/CLAUDE.md"
	echo '{"model": "of-the-user"}' >"$HOME/.claude/settings.json"
	echo '{"language": "planted-language"}' >"$H/.claude/settings.json"
	echo '{"mcpServers": {"own": {"command": "/opt/server"}}}' >"$H/.claude.json"
	mkdir "$LAYER/etc/claude-code"
	echo MANAGEDPROMPT >"$LAYER/etc/claude-code/CLAUDE.md"
	echo '{"model": "planted-model"}' >"$LAYER/etc/claude-code/managed-settings.json"
	template_commit base
	said claude planted-language MANAGEDPROMPT
}

@test "prompts: gemini in a template says what stands in its GEMINI.md and settings" {
	prepare gemini
	mkdir -p "$H/.gemini" "$HOME/.gemini"
	echo TEAMPROMPT >"$H/.gemini/GEMINI.md"
	echo USERPROMPT >"$HOME/.gemini/GEMINI.md"
	# the model's name is no part of a request's body: its words are
	echo '{"mcpServers": {"own": {"command": "/opt/server"}, "planted-model": {"command": "/opt/server"}}}' >"$H/.gemini/settings.json"
	template_commit base
	said gemini
}

@test "prompts: opencode in a template says what stands in its AGENTS.md and opencode.json" {
	prepare opencode
	mkdir -p "$H/.config/opencode" "$HOME/.config/opencode"
	echo TEAMPROMPT >"$H/.config/opencode/AGENTS.md"
	echo USERPROMPT >"$HOME/.config/opencode/AGENTS.md"
	echo '{"mcp": {"own": {"type": "local", "command": ["/opt/server"]}}, "agent": {"build": {"prompt": "planted-model"}}}' >"$H/.config/opencode/opencode.json"
	template_commit base
	said opencode
}
