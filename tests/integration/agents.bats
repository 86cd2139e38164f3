#!/usr/bin/env bats
# agents.bats - the four real agents, headless in the sandbox, led by the scripted model: they work
# at full permission, reach what is allowed, and what they were refused they say.
load ../lib.sh
load agents.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# tour_of AGENT: everything about one agent, headless.
tour_of() {
	need_agents
	need_runnable "$1"
	tour_begin
	start_model "$TOUR"
	lead "$1"
	run timeout 120 "$BAWN" run --rm "${LEAD[@]}" "${TOUR_OPTS[@]}" "$1" -- "${TASK[@]}" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	tour_seen || return 1
	# bawn said it while it ran and in the list at the end, with the command that would allow it
	assert_output 'bawn: denied denied.example.org:443' || return 1
	assert_output 'bawn run --allow denied.example.org ' || return 1
	assert_no_leftovers
}

@test "claude works headless in the sandbox: files, build, allowed, denied, no key, no secret" {
	tour_of claude
}

@test "codex works headless in the sandbox: files, build, allowed, denied, no key, no secret" {
	tour_of codex
}

@test "gemini works headless in the sandbox: files, build, allowed, denied, no key, no secret" {
	tour_of gemini
}

@test "opencode works headless in the sandbox: files, build, allowed, denied, no key, no secret" {
	tour_of opencode
}

# What an agent makes of an API that answers 400.
refused_run() {
	need_agents "$1"
	need_runnable "$1"
	serve_tcp "$(
		cat <<-'EOF'
			n=0
			while IFS= read -r line && line=${line%$'\r'} && [ "$line" ]; do
				case ${line,,} in content-length:*) n=${line#*: } ;; esac
			done
			head -c "$n" >/dev/null
			body='{"error":{"type":"invalid_request_error","code":400,"status":"INVALID_ARGUMENT","message":"TEAPOT"}}'
			printf 'HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' ${#body} "$body"
		EOF
	)"
	MODEL_PORT=$PORT MODEL_URL=http://model.test:$PORT
	lead "$1"
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" "$1" "$WS" -- "${TASK[@]}" </dev/null
	assert_output TEAPOT || return 1
	[ "$status" -ne 0 ] && [ "$status" -lt 124 ] || fail "status $status"
}

@test "claude's own failure is bawn's exit code" { refused_run claude; }
@test "codex's own failure is bawn's exit code" { refused_run codex; }
@test "gemini's own failure is bawn's exit code" { refused_run gemini; }
@test "opencode's own failure is bawn's exit code" { refused_run opencode; }

@test "gemini's subcommands stay subcommands" {
	need_agents
	run timeout 60 "$BAWN" run --rm -q --offline gemini "$WS" -- mcp list </dev/null
	assert_status 0
	assert_output 'No MCP servers configured'
}

# Codex insists on a git directory, and on its flag; bawn sees to both.
codex_says() {
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" codex "$WS" -- "${TUI[@]}" "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'sandbox: danger-full-access' || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(cat "$WS/made.txt")" = made ] || return 1
	rm "$WS/made.txt"
}

@test "codex: exec with and without the flag do the same, in a git directory or not" {
	need_agents
	start_model '{"commands":["echo made >made.txt"],"final":"THE TOUR IS OVER"}'
	lead_interactive codex
	codex_says exec go
	codex_says --dangerously-bypass-approvals-and-sandbox exec go
	codex_says exec --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check go
	git_repo
	codex_says exec go
	codex_says --dangerously-bypass-approvals-and-sandbox exec go
}

@test "each agent takes its prompt from standard input, and stdout is the agent's alone" {
	need_agents
	need_runnable claude
	start_model '{"commands":["echo made >made.txt"],"final":"THE TOUR IS OVER"}'
	lead claude
	echo 'do it' >"$T/p"
	"$BAWN" run --rm "${LEAD[@]}" claude -- -p < <(cat "$T/p") >"$T/out" 2>"$T/err"
	[ "$(cat "$T/out")" = 'THE TOUR IS OVER' ] || fail "$(cat "$T/out" "$T/err")"
	lead codex
	"$BAWN" run --rm "${LEAD[@]}" codex -- "${TUI[@]}" exec - <"$T/p" >"$T/out" 2>"$T/err"
	[ "$(cat "$T/out")" = 'THE TOUR IS OVER' ] || fail "$(cat "$T/out" "$T/err")"
	lead gemini
	"$BAWN" run --rm "${LEAD[@]}" gemini -- -m gemini-2.5-flash <"$T/p" >"$T/out" 2>"$T/err"
	[ "$(cat "$T/out")" = 'THE TOUR IS OVER' ] || fail "$(cat "$T/out" "$T/err")"
	lead opencode
	"$BAWN" run --rm "${LEAD[@]}" opencode -- run <"$T/p" >"$T/out" 2>"$T/err"
	grep -q 'THE TOUR IS OVER' "$T/out" || fail "$(cat "$T/out" "$T/err")"
}

# asks_not AGENT: it works at full permission, whatever the user's own settings say of asking.
asks_not() {
	rm -f "$WS/made.txt"
	lead "$1"
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" "$1" "$WS" -- "${TASK[@]}" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(cat "$WS/made.txt")" = made ] || fail "$1 asked: $output $(tool_result 0)"
}

@test "an agent that asks on the host asks nothing inside; what the user's settings deny is refused" {
	need_agents
	need_runnable claude
	start_model '{"commands":["echo made >made.txt","mkdir refused"],"final":"THE TOUR IS OVER"}'
	mkdir -p "$HOME/.claude" "$HOME/.codex" "$HOME/.gemini" "$HOME/.config/opencode"
	cat >"$HOME/.claude/settings.json" <<-'EOT'
		{"permissions": {"defaultMode": "plan", "ask": ["Bash", "Bash(echo:*)"],
		 "deny": ["Bash(mkdir:*)"], "disableBypassPermissionsMode": "disable"}}
	EOT
	printf '%s\n' 'approval_policy = "untrusted"' 'sandbox_mode = "read-only"' >"$HOME/.codex/config.toml"
	echo '{"security": {"disableYoloMode": true}, "general": {"defaultApprovalMode": "plan"}}' \
		>"$HOME/.gemini/settings.json"
	echo '{"permission": {"bash": "ask", "edit": "ask"}}' >"$HOME/.config/opencode/opencode.json"
	asks_not claude
	assert_output 'does not come along: ~/.claude/settings.json: permissions.ask: ' \
		'permissions.disableBypassPermissionsMode: ' '--no-yolo'
	[ ! -e "$WS/refused" ] || fail "claude: permissions.deny is lost"
	asks_not codex
	asks_not gemini
	assert_output 'does not come along: ~/.gemini/settings.json: security.disableYoloMode: '
	asks_not opencode
	# nothing of it has changed on the host
	grep -q disableBypassPermissionsMode "$HOME/.claude/settings.json"
	grep -q disableYoloMode "$HOME/.gemini/settings.json"
}

# denied_api AGENT HOST TASK...: its own service is denied.  Somebody who waits must learn why at
# once: bawn says it, whatever the agent makes of it (some retry for minutes).
denied_api() {
	local agent=$1 host=$2
	need_agents
	need_runnable "$agent"
	shift 2
	"$BAWN" run --rm --deny "$host" "$agent" -- "$@" >"$T/out" 2>&1 </dev/null 3>&- &
	SERVERS+=("$!")
	eventually grep -qF "denied $host:443" "$T/out" || return 1
	kill -9 "$!"
}

@test "an agent whose own service is denied: said within 10 s" {
	export ANTHROPIC_API_KEY=sk-ant-x CODEX_API_KEY=sk-test-x GEMINI_API_KEY=test-x
	denied_api claude api.anthropic.com -p hi
	denied_api codex api.openai.com exec hi
	denied_api gemini generativelanguage.googleapis.com -p hi
	denied_api opencode api.anthropic.com run -m anthropic/claude-sonnet-4-5 hi
}
