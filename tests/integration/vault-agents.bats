#!/usr/bin/env bats
# vault-agents.bats - the four real agents with placeholders only: each does its task led by the
# scripted model, which plays the agent's API behind TLS and is reached through the vault; the key
# is what the model gets, and nowhere inside.
load ../lib.sh
load agents.sh
load vault.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# behind HOST: the model plays it; sets OPTS.
behind() {
	make_ca "$1"
	rm "$WS/ca.crt"
	export SSL_CERT_FILE=$T/ca.pem
	start_model '{"commands":["echo written by the agent > made.txt; cat made.txt",
		"env; cat /proc/*/environ | tr \"\\0\" \"\\n\"; cat ~/.codex/auth.json ~/.local/share/opencode/auth.json ~/.claude.json ~/.gemini/settings.json; true"],
		"final":"THE TOUR IS OVER"}' tls
	OPTS=(--connect-to "$1:443:127.0.0.1:$MODEL_PORT")
}

# keyed AGENT FIELD VALUE ARGS...: the field of the model's requests that has to hold the value.
keyed() {
	local agent=$1 field=$2 value=$3
	shift 3
	run timeout 120 "$BAWN" run --rm "${OPTS[@]}" "$agent" -- "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	refute_key || return 1
	[ "$(cat "$WS/made.txt")" = 'written by the agent' ] || fail 'nothing was written' || return 1
	# every request that had the field had the key in it
	node -e '
		const fs = require("fs"), [file, field, value, key] = process.argv.slice(1);
		const all = fs.readFileSync(file, "utf8").trim().split("\n").map(JSON.parse);
		const asked = all.filter((e) => e.api);
		if (asked.length < 3) throw new Error(`${asked.length} questions`);
		for (const e of asked)
			if (e.auth[field] !== value) throw new Error(JSON.stringify(e.auth));
		for (const e of all) {
			e.auth ??= {};
			if (JSON.stringify(e.auth).includes("stand-in") || (e.auth[field] ?? value) !== value)
				throw new Error(JSON.stringify(e));
			delete e.auth;
			if (JSON.stringify(e).includes(key)) throw new Error("the agent saw the key");
		}' "$MODEL_LOG" "$field" "$value" "$KEY" || return 1
	[[ $(tool_result 1) == *"HOME=$HOME"* ]] || fail "env: $(tool_result 1)" || return 1
	refute_key "$AUDIT" "$XDG_DATA_HOME/bawn" "$XDG_CACHE_HOME" || return 1
	audit_events request | grep -q '"credential":' || fail 'no request in the log' || return 1
	assert_no_leftovers
}

@test "CRED-08 claude works with a placeholder; its API gets the key" {
	need_agents
	need_runnable claude
	behind api.anthropic.com
	export ANTHROPIC_API_KEY=$KEY
	keyed claude x-api-key "$KEY" -p go
}

@test "CRED-08 claude with ANTHROPIC_AUTH_TOKEN, and with CLAUDE_CODE_OAUTH_TOKEN" {
	need_agents
	need_runnable claude
	behind api.anthropic.com
	ANTHROPIC_AUTH_TOKEN=$KEY keyed claude authorization "Bearer $KEY" -p go
	rm "$WS/made.txt"
	behind api.anthropic.com
	CLAUDE_CODE_OAUTH_TOKEN=$KEY keyed claude authorization "Bearer $KEY" -p go
}

@test "CRED-08 codex works with a placeholder; its API gets the key" {
	need_agents
	behind api.openai.com
	export CODEX_API_KEY=$KEY
	keyed codex authorization "Bearer $KEY" exec go
}

@test "CRED-08 codex with the key in its own file: a placeholder there, too" {
	need_agents
	behind api.openai.com
	mkdir -p "$HOME/.codex"
	printf '{"auth_mode":"apikey","OPENAI_API_KEY":"%s"}' "$KEY" >"$HOME/.codex/auth.json"
	chmod 600 "$HOME/.codex/auth.json"
	keyed codex authorization "Bearer $KEY" exec go
	grep -qF "$KEY" "$HOME/.codex/auth.json"
}

@test "CRED-08 gemini works with a placeholder; its API gets the key" {
	need_agents
	behind generativelanguage.googleapis.com
	export GEMINI_API_KEY=$KEY
	keyed gemini x-goog-api-key "$KEY" -m gemini-2.5-flash -p go
}

@test "CRED-08 opencode with the key in its own file, and in OPENCODE_AUTH_CONTENT: a placeholder there, too" {
	need_agents
	need_runnable opencode
	behind api.anthropic.com
	local auth
	auth=$(printf '{"anthropic":{"type":"api","key":"%s"}}' "$KEY")
	OPTS+=(-e OPENCODE_DISABLE_MODELS_FETCH=1
		-e 'OPENCODE_CONFIG_CONTENT={"model":"anthropic/claude-sonnet-4-5"}')
	OPENCODE_AUTH_CONTENT=$auth keyed opencode x-api-key "$KEY" run go
	rm "$WS/made.txt"
	: >"$MODEL_LOG"
	mkdir -p "$HOME/.local/share/opencode"
	printf '%s' "$auth" >"$HOME/.local/share/opencode/auth.json"
	chmod 600 "$HOME/.local/share/opencode/auth.json"
	keyed opencode x-api-key "$KEY" run go
	grep -qF "$KEY" "$HOME/.local/share/opencode/auth.json"
}

@test "CRED-08 opencode works with a placeholder; its API gets the key" {
	need_agents
	need_runnable opencode
	behind api.anthropic.com
	export ANTHROPIC_API_KEY=$KEY
	OPTS+=(-e OPENCODE_DISABLE_MODELS_FETCH=1
		-e 'OPENCODE_CONFIG_CONTENT={"model":"anthropic/claude-sonnet-4-5"}')
	keyed opencode x-api-key "$KEY" run go
}
