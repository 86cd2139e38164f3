#!/usr/bin/env bats
# terminal-agents.bats - the first hour: each agent on a terminal, in a workspace that it has never
# seen, from Enter to its input line with no dialog; with a key, with a subscription, with neither.
load ../lib.sh
load agents.sh
load vault.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

SCENARIO='{"commands":["echo written by the agent >made.txt"],"final":"THE TOUR IS OVER"}'

# The agent is at its input line: it takes a task and works without asking.
works_from_here() {
	at_input "$1" || return 1
	settled
	say_line go
	shows 30 'THE TOUR IS OVER' || return 1
	[ "$(cat "$WS/made.txt")" = 'written by the agent' ]
}

# with_key TOOL VARIABLE HOST HEADER VALUE: a key in the environment, and nothing else.  The model plays
# the tool's own API behind TLS, and gets the key, which is nowhere inside.
with_key() {
	local tool=$1 host=$3
	need command -v tmux -- "tmux is not installed"
	need_agents
	need_runnable "$tool"
	make_ca "$host"
	rm "$WS/ca.crt"
	export SSL_CERT_FILE=$T/ca.pem "$2=$KEY"
	start_model "$SCENARIO" tls
	tui "$BAWN" run --rm "${OPTS[@]}" --connect-to "$host:443:127.0.0.1:$MODEL_PORT" "$tool"
	works_from_here "$tool" || return 1
	leave "$tool" || return 1
	key_used "$4" "$5"
}

# key_used HEADER VALUE: each question to the model had it, and no tool's answer did.
key_used() {
	node -e '
		const fs = require("fs"), [file, header, value, key] = process.argv.slice(1);
		const all = fs.readFileSync(file, "utf8").trim().split("\n").map(JSON.parse);
		const asked = all.filter((e) => e.api);
		if (!asked.length || asked.some((e) => e.auth[header] !== value))
			throw new Error(JSON.stringify(asked.map((e) => e.auth)));
		if (all.some((e) => JSON.stringify(e.last_result ?? "").includes(key)))
			throw new Error("the key is inside");' "$MODEL_LOG" "$1" "$2" "$KEY"
}

# The whole tour on a terminal, with a key: from Enter to the input line with no dialog, through all
# that a tool does and is refused, and back to the shell.
tour_with_key() {
	tour_begin
	SCENARIO=$TOUR OPTS+=("${TOUR_OPTS[@]}")
	with_key "$@" || return 1
	tour_seen || return 1
	# live in the terminal's title, as the tool has the screen, and in the list behind it
	grep -aqE $'\e\\][02];bawn denied denied\\.example\\.org:443' "$T/typescript" ||
		fail "not in the title" || return 1
	shows 5 'denied during this run:.*denied.example.org:443.*to allow it: bawn run --allow denied.example.org' ||
		return 1
	tui_end
}

@test "claude on a terminal with an API key: no dialog, the whole tour, and back to the shell" {
	tour_with_key claude ANTHROPIC_API_KEY api.anthropic.com x-api-key "$KEY"
}

@test "codex on a terminal with an API key: no dialog, the whole tour, and back to the shell" {
	tour_with_key codex CODEX_API_KEY api.openai.com authorization "Bearer $KEY"
}

@test "gemini on a terminal with an API key: no dialog, the whole tour, and back to the shell" {
	tour_with_key gemini GEMINI_API_KEY generativelanguage.googleapis.com x-goog-api-key "$KEY"
}

@test "opencode on a terminal with an API key: no dialog, the whole tour, and back to the shell" {
	OPTS=(-e OPENCODE_DISABLE_MODELS_FETCH=1)
	tour_with_key opencode ANTHROPIC_API_KEY api.anthropic.com x-api-key "$KEY"
}

@test "codex with OPENAI_API_KEY, and opencode: from Enter to the input line with no dialog" {
	with_key codex OPENAI_API_KEY api.openai.com authorization "Bearer $KEY"
	tui_end
	rm "$WS/made.txt" "$T"/tui.*
	OPTS=(-e OPENCODE_DISABLE_MODELS_FETCH=1)
	with_key opencode OPENAI_API_KEY api.openai.com authorization "Bearer $KEY"
	tui_end
}

# with_login TOOL HOST...: the log-in of the host; HOST:443 is answered by the model over TLS.  LOGIN_OF:
# which, where the tool has several.
with_login() {
	local tool=$1 h opts=() line
	need command -v tmux -- "tmux is not installed"
	need_agents
	need_runnable "$tool"
	shift
	plant_login "${LOGIN_OF:-$tool}"
	cp -p "$LOGIN_FILE" "$T/login.before"
	if [ $# -gt 0 ]; then
		make_ca "$@"
		start_model "$SCENARIO" tls
		for h; do opts+=(--connect-to "$h:443:127.0.0.1:$MODEL_PORT"); done
		rm "$WS/ca.crt"
		export SSL_CERT_FILE=$T/ca.pem
	fi
	tui "$BAWN" run --rm "${opts[@]}" "${LOGIN_OPTS[@]}" "$tool" -- "${LOGIN_ARGS[@]}"
	at_input "$tool" || return 1
	if [ $# -gt 0 ]; then
		works_from_here "$tool" || return 1
		grep -q "$ACCESS" "$MODEL_LOG" || fail 'the access token was not used' || return 1
		refute_canary "$MODEL_LOG" || return 1
	fi
	leave "$tool" || return 1
	tui_end || return 1
	cmp "$LOGIN_FILE" "$T/login.before"
}

@test "claude with a subscription: from Enter to the input line with no dialog" {
	with_login claude api.anthropic.com
}

@test "claude with a subscription reaches its input line without any network" {
	LOGIN_OPTS=(--offline)
	with_login claude
}

@test "codex with a subscription: from Enter to the input line with no dialog" {
	# a node without zstd can't read what codex compresses
	LOGIN_ARGS=(-c features.enable_request_compression=false)
	with_login codex chatgpt.com
}

@test "gemini with a subscription: from Enter to the input line with no dialog" {
	with_login gemini cloudcode-pa.googleapis.com oauth2.googleapis.com
	# it has no need to ask whose log-in it is: nothing is said to be denied
	! audit_events deny || fail 'something is denied'
}

@test "opencode with ChatGPT's log-in and with GitHub Copilot's: from Enter to the input line with no dialog" {
	LOGIN_OPTS=(-e OPENCODE_DISABLE_MODELS_FETCH=1)
	LOGIN_OF=opencode-chatgpt with_login opencode chatgpt.com auth.openai.com
	rm "$WS/made.txt" "$T"/tui.*
	LOGIN_OF=opencode-copilot with_login opencode api.githubcopilot.com
}

# with_nothing TOOL WORDS: one line says what to do.
with_nothing() {
	need command -v tmux -- "tmux is not installed"
	need_agents
	need_runnable "$1"
	# on the terminal, before the tool paints it
	tui sh -c "\"\$0\" run --rm --offline $1 2>&1 | tee $T/said" "$BAWN"
	eventually grep -qF "$2" "$T/said" || return 1
	[ "$(grep -cF "$2" "$T/said")" -eq 1 ]
}

@test "claude with neither: one line says what to do" {
	with_nothing claude 'bawn: run `bawn login claude`, or `claude` once on the host, or set ANTHROPIC_API_KEY'
}

@test "codex with neither: one line says what to do" {
	with_nothing codex 'bawn: run `bawn login codex`, or `codex login` once on the host, or set CODEX_API_KEY'
}

@test "gemini with neither: one line says what to do" {
	with_nothing gemini 'bawn: run `bawn login gemini`, or `gemini` once on the host, or set GEMINI_API_KEY'
}

@test "opencode with neither: one line says what to do" {
	with_nothing opencode 'bawn: run `opencode auth login` once on the host, or set your provider'
}

@test "an expired log-in that can't be renewed: it says to run the tool on the host" {
	need_agents
	local tool run opts
	for tool in claude codex gemini opencode; do
		plant_login "$tool" -60
		sed -i 's/"refresh\(T\|_t\)oken":/"was":/' "$LOGIN_FILE"
		opts=()
		[ "$tool" != opencode ] || opts=(--offline)
		run timeout 20 "$BAWN" run --rm "${opts[@]}" "$tool" -- --version </dev/null
		run=$tool
		[ "$tool" != opencode ] || run='opencode auth login'
		assert_output expired || return 1
		assert_output "run \`$run\` once on the host" || return 1
		rm -rf "$HOME/.claude" "$HOME/.codex" "$HOME/.gemini" "$HOME/.local/share/opencode"
	done
}

# "A start in a workspace never seen before": trust, imports, servers and hooks of the project ask
# nothing, whichever tool they are for.
strange_workspace() {
	local hooks='"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"true"}]}]}'
	local server='"mcpServers":{"own":{"command":"true"}}' d
	need command -v tmux -- "tmux is not installed"
	need_agents
	need_runnable "$1"
	git_repo
	printf '{%s}' "$server" >"$WS/.mcp.json"
	for d in CLAUDE AGENTS GEMINI; do printf '@../outside.md\nBe kind.\n' >"$WS/$d.md"; done
	for d in .claude .codex .gemini .agents; do
		mkdir -p "$WS/$d/skills/tidy"
		printf -- '---\nname: tidy\ndescription: tidies up\n---\nTidy.\n' >"$WS/$d/skills/tidy/SKILL.md"
	done
	printf '{%s,"permissions":{"allow":["Bash(ls)"]},"env":{"A":"b"}}' "$hooks" >"$WS/.claude/settings.json"
	printf '[mcp_servers.own]\ncommand = "true"\n' >"$WS/.codex/config.toml"
	printf '{%s}' "$hooks" >"$WS/.codex/hooks.json"
	printf '{%s,%s}' "$server" "$hooks" >"$WS/.gemini/settings.json"
	printf '{"permission":{"bash":"ask","edit":"ask"}}' >"$WS/opencode.json"
	start_model "$SCENARIO"
	lead_interactive "$1"
	tui "$BAWN" run --rm "${LEAD[@]}" "$1" -- "${TUI[@]}"
	works_from_here "$1" || return 1
	leave "$1"
}

@test "claude asks nothing about a workspace with servers, imports and hooks of its own" {
	strange_workspace claude
}

@test "codex asks nothing about a workspace with servers, imports and hooks of its own" {
	strange_workspace codex
}

@test "gemini asks nothing about a workspace with servers, imports and hooks of its own" {
	strange_workspace gemini
}

@test "opencode asks nothing about a workspace with servers, imports and hooks of its own" {
	strange_workspace opencode
}

@test "codex with a model that its maker would rather see replaced asks nothing about it" {
	need command -v tmux -- "tmux is not installed"
	need_agents
	mkdir -p "$HOME/.codex"
	echo 'model = "gpt-5.5"' >"$HOME/.codex/config.toml"
	CODEX_API_KEY=sk-test-codex tui "$BAWN" run --rm --offline codex
	at_input codex || return 1
	grep -qi gpt-5.5 "$T/screen" || fail "$(cat "$T/screen")"
}

@test "the terminal is as it was, whatever ends the agent" {
	need command -v tmux -- "tmux is not installed"
	need_agents
	need_runnable claude
	start_model "$SCENARIO"
	lead_interactive claude
	tui "$BAWN" run --rm "${LEAD[@]}" claude
	at_input claude || return 1
	kill -9 "$(inner_pid claude)"
	eventually test -s "$T/tui.status" || return 1
	[ "$(cat "$T/tui.status")" = 137 ] || fail "status $(cat "$T/tui.status")" || return 1
	modes_off || return 1
	# the alternate screen, bracketed paste and mouse are off, the cursor is there
	[ "$(tmux -S "$T/tmux" display -p '#{alternate_on}#{mouse_any_flag}#{cursor_flag}')" = 001 ]
}

@test "a denied host shows in the terminal's title, and in the list at the end" {
	need command -v tmux -- "tmux is not installed"
	tui "$BAWN" run --rm shell -- sh -c 'curl -sS -m 9 https://denied.example.org/; sleep 1; echo over'
	eventually title_says 'bawn denied denied.example.org:443' || return 1
	shows 5 'denied during this run:.*denied.example.org:443.*to allow it: bawn run --allow denied.example.org'
}

title_says() {
	[ "$(tmux -S "$T/tmux" display -p '#{pane_title}')" = "$1" ]
}
