#!/usr/bin/env bats
# login-agents.bats - the real claude, codex and gemini with a log-in of the host that they never
# hold: the scripted model behind TLS plays their API and their token endpoint, tells whether a token
# counts, and takes a refresh token once.
load ../lib.sh
load agents.sh
load vault.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# logged_in TOOL HOST...: its log-in, ended a minute ago; all hosts are the model; sets OPTS.
logged_in() {
	local tool=$1 h jwt=
	shift
	need_agents
	need_runnable "$tool"
	make_ca "$@"
	rm "$WS/ca.crt"
	export SSL_CERT_FILE=$T/ca.pem
	plant_login "$tool" -60
	REFRESH=$(grep -oE '"refresh_?[tT]oken":"[^"]*' "$LOGIN_FILE" | cut -d'"' -f4)
	[ "$tool" != codex ] || jwt=',"jwt":true,"claims":{"email":"test@example.org","https://api.openai.com/auth":{"chatgpt_account_id":"acc","chatgpt_plan_type":"plus","chatgpt_user_id":"u","user_id":"u"}}'
	start_model "{\"commands\":[\"echo written by the agent > made-\$BAWN_SANDBOX.txt; echo made\",\"sleep ${PAUSE:-0}; cat ~/.claude/.credentials.json ~/.codex/auth.json ~/.gemini/oauth_creds.json; env; cat /proc/*/environ | tr '\\\\0' '\\\\n'; true\"],
		\"final\":\"THE TOUR IS OVER\",\"oauth\":{\"refresh\":\"$REFRESH\",\"access\":\"none\",\"life\":${LIFE:-600}$jwt}}" tls
	OPTS=()
	for h; do OPTS+=(--connect-to "$h:443:127.0.0.1:$MODEL_PORT"); done
}

renewed() { grep -c '"renewed":true' "$MODEL_LOG" || :; }

# What the server has seen: no token twice, none but its own, none inside; what the host's file has counts.
seen_well() {
	node -e '
		const fs = require("fs"), [file, log, first] = process.argv.slice(1);
		const all = fs.readFileSync(log, "utf8").trim().split("\n").map(JSON.parse);
		if (all.some((e) => e.reuse)) throw new Error("a refresh token was used twice");
		const asked = all.filter((e) => e.api);
		if (asked.length < 3) throw new Error(`${asked.length} questions`);
		const used = new Set(asked.map((e) => (e.auth.authorization ?? "").replace("Bearer ", "")));
		const d = JSON.parse(fs.readFileSync(file, "utf8"));
		const t = d.claudeAiOauth ?? d.tokens ?? d;
		const access = t.accessToken ?? t.access_token, refresh = t.refreshToken ?? t.refresh_token;
		if (!used.has(access)) throw new Error("the file has a token that was not used");
		if (refresh === first || !/^refresh-/.test(refresh)) throw new Error(`refresh ${refresh}`);
		for (const e of all) {
			const inside = JSON.stringify(e.last_result ?? "");
			for (const s of [first, refresh, ...used])
				if (inside.includes(s)) throw new Error("a token is inside");
		}' "$LOGIN_FILE" "$MODEL_LOG" "$REFRESH" || return 1
	[ "$(stat -c %a "$LOGIN_FILE")" = 600 ] || return 1
	! grep -rqsF -e "$REFRESH" "$AUDIT" "$XDG_DATA_HOME" "$WS"
}

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
