# shellcheck shell=bash disable=SC2154,SC2034,SC2016  # T, WS: set by lib.sh; variables for the tests
# login-agents.sh - for tests in which a real agent works with a log-in of the host that it never
# holds: the scripted model behind TLS plays its API and its token endpoint, tells whether a token
# counts, and takes a refresh token once.
#
# Load behind lib.sh, agents.sh and vault.sh.

# What is told the agent after its first command: to show all that it has.
SHOW="cat ~/.claude/.credentials.json ~/.codex/auth.json ~/.gemini/oauth_creds.json ~/.local/share/opencode/auth.json; env; cat /proc/*/environ | tr '\\\\0' '\\\\n'; true"

# logged_in TOOL HOST...: its log-in, ended a minute ago; all hosts are the model; sets OPTS.
# COMMANDS: what the agent is led to do; else it writes a file, waits PAUSE and shows what it has.
logged_in() {
	local tool=$1 h jwt=
	shift
	need_agents
	need_runnable "$tool"
	make_ca "$@"
	rm "$WS/ca.crt"
	export SSL_CERT_FILE=$T/ca.pem
	[ "$tool" != opencode ] || tool=opencode-chatgpt
	plant_login "$tool" -60
	REFRESH=$(grep -oE '"refresh(_?[tT]oken)?":"[^"]*' "$LOGIN_FILE" | head -1 | cut -d'"' -f4)
	[ "$tool" != codex ] || jwt=',"jwt":true,"claims":{"email":"test@example.org","https://api.openai.com/auth":{"chatgpt_account_id":"acc","chatgpt_plan_type":"plus","chatgpt_user_id":"u","user_id":"u"}}'
	start_model "{\"commands\":[${COMMANDS:-\"echo written by the agent > made-\$BAWN_SANDBOX.txt; echo made\",\"sleep ${PAUSE:-0}; $SHOW\"}],
		\"final\":\"THE TOUR IS OVER\",\"oauth\":{\"refresh\":\"$REFRESH\",\"access\":\"none\",\"life\":${LIFE:-600}$jwt}}" tls
	OPTS=()
	for h; do OPTS+=(--connect-to "$h:443:127.0.0.1:$MODEL_PORT"); done
}

# The hosts of each, and the arguments of one headless task.
login_of() {
	case $1 in
	claude) HOSTS=(api.anthropic.com platform.claude.com) TASK=(claude -- -p go) ;;
	codex)
		HOSTS=(chatgpt.com auth.openai.com)
		TASK=(codex -- -c features.enable_request_compression=false exec go)
		;;
	gemini)
		HOSTS=(cloudcode-pa.googleapis.com oauth2.googleapis.com www.googleapis.com)
		TASK=(gemini -- -m gemini-2.5-flash -p go)
		;;
	opencode)
		HOSTS=(chatgpt.com auth.openai.com)
		TASK=(-e OPENCODE_DISABLE_MODELS_FETCH=1 -e 'OPENCODE_CONFIG_CONTENT={"model":"openai/gpt-5.4"}'
			opencode -- run go)
		;;
	*) return 1 ;;
	esac
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
		const t = d.claudeAiOauth ?? d.tokens ?? d.openai ?? d;
		const access = t.accessToken ?? t.access_token ?? t.access;
		const refresh = t.refreshToken ?? t.refresh_token ?? t.refresh;
		// one that was renewed ahead may not have been needed any more
		if (access !== all.filter((e) => e.gave).pop()?.gave) throw new Error("the file has not the last token");
		if (refresh === first || !/^refresh-/.test(refresh)) throw new Error(`refresh ${refresh}`);
		for (const e of all) {
			const inside = JSON.stringify(e.last_result ?? "");
			for (const s of [first, refresh, ...used])
				if (inside.includes(s)) throw new Error("a token is inside");
		}' "$LOGIN_FILE" "$MODEL_LOG" "$REFRESH" || return 1
	[ "$(stat -c %a "$LOGIN_FILE")" = 600 ] || return 1
	! grep -rqsF -e "$REFRESH" "$AUDIT" "$XDG_DATA_HOME" "$WS"
}
