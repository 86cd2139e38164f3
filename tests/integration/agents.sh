# shellcheck shell=bash disable=SC2154,SC2034  # status, output: set by bats; variables for the tests
# agents.sh - for tests with the real agents of the lock file: finds them, starts the scripted model
# that leads them (tests/agents/model.mjs), knows how each is pointed at it.
#
# Load behind lib.sh.

AGENTS=(claude codex gemini opencode)

# Put the agents on PATH, or skip; sets AGENTS_DIR.
need_agents() {
	with_agents
	need command -v node -- "node is not installed"
	AGENTS_DIR=$(readlink -f "${BAWN_AGENTS:-$BAWN_BUILDDIR/agents}")
	export TERM=xterm-256color COLORTERM=truecolor LANG=C.UTF-8
}

# Claude's and OpenCode's executables want AVX; a machine without it can't run them anywhere.
need_runnable() {
	[ "$1" != claude ] || [ "$(uname -m)" != x86_64 ] || grep -qw avx /proc/cpuinfo ||
		skip "no AVX, which claude needs"
}

# start_model SCENARIO-JSON [NAME]: sets MODEL_PORT and MODEL_LOG.  With NAME it speaks TLS by the
# certificate NAME.crt, NAME.key in $T (make_ca).
start_model() {
	local i n=${#SERVERS[@]} tls=()
	[ -z "${2:-}" ] || tls=(--tls-cert "$T/$2.crt" --tls-key "$T/$2.key")
	printf '%s\n' "$1" >"$T/scenario.$n.json"
	MODEL_LOG=$T/model.$n.log
	: >"$MODEL_LOG"
	node "$BAWN_SRCDIR/tests/agents/model.mjs" --scenario "$T/scenario.$n.json" --port 0 \
		--port-file "$T/model.$n.port" --log "$MODEL_LOG" "${tls[@]}" \
		>"$T/model.$n.out" 2>&1 </dev/null 3>&- &
	SERVERS+=("$!")
	for ((i = 0; i < 200; i++)); do
		[ -s "$T/model.$n.port" ] && break
		sleep 0.05
	done
	MODEL_PORT=$(cat "$T/model.$n.port") || fail "the model did not start: $(cat "$T/model.$n.out")"
	MODEL_URL=http://model.test:$MODEL_PORT
}

# Ways to the model: bawn's options, and the agent's own arguments for one headless task.
# lead AGENT: sets LEAD (options) and TASK (arguments).
lead() {
	lead_interactive "$1"
	case $1 in
	claude) TASK=(-p go) ;;
	codex) TASK=("${TUI[@]}" exec go) ;;
	gemini) TASK=(-m gemini-2.5-flash -p go) ;;
	opencode) TASK=(run go) ;;
	esac
}

# The same for the interactive start: LEAD and TUI.
lead_interactive() {
	LEAD=(--allow "model.test:$MODEL_PORT"
		--connect-to "model.test:$MODEL_PORT:127.0.0.1:$MODEL_PORT")
	TUI=()
	case $1 in
	claude)
		export ANTHROPIC_API_KEY=sk-ant-test-0000000000000000000000
		LEAD+=(-e "ANTHROPIC_BASE_URL=$MODEL_URL")
		;;
	codex)
		export CODEX_API_KEY=sk-test-codex
		TUI=(-c "model_providers.m={name=\"m\",base_url=\"$MODEL_URL/v1\",env_key=\"CODEX_API_KEY\",wire_api=\"responses\"}"
			-c model_provider=m)
		;;
	gemini)
		export GEMINI_API_KEY=test-gemini-key
		LEAD+=(-e "GOOGLE_GEMINI_BASE_URL=$MODEL_URL")
		;;
	opencode)
		LEAD+=(-e OPENCODE_DISABLE_MODELS_FETCH=1
			-e "OPENCODE_CONFIG_CONTENT={\"model\":\"m/m\",\"provider\":{\"m\":{\"npm\":\"@ai-sdk/openai-compatible\",\"name\":\"m\",\"options\":{\"baseURL\":\"$MODEL_URL/v1\",\"apiKey\":\"fake\"},\"models\":{\"m\":{\"name\":\"m\"}}}}}")
		;;
	esac
}

# What the agent got to see of step N (from 0), as the model was told.
tool_result() {
	node -e '
		const fs = require("fs"), n = Number(process.argv[2]);
		const r = fs.readFileSync(process.argv[1], "utf8").trim().split("\n").map(JSON.parse)
			.find((e) => e.results === n + 1);
		console.log(r ? r.last_result : "(no such step)");' "$MODEL_LOG" "$1"
}

# ---- the tour -----------------------------------------------------------------------------------

# tour_begin: what every tour is about, in a git workspace: a build, an allowed host, a denied one, a
# key and an environment with a secret.  Sets TOUR (the scenario), TOUR_OPTS (bawn's options), TOUR_PORT.
tour_begin() {
	git_repo
	printf 'all:\n\techo built >out\n\t@echo BUILD DONE\n' >"$WS/Makefile"
	plant "$HOME/.ssh/id_ed25519"
	plant "$HOME/.aws/credentials"
	export PLANTED_SECRET=$CANARY AWS_SECRET_ACCESS_KEY=$CANARY
	serve_http 'GOOD DAY'
	TOUR_PORT=$PORT
	TOUR_OPTS=(--allow "ok.test:$PORT" --connect-to "ok.test:$PORT:127.0.0.1:$PORT")
	TOUR=$(
		cat <<-EOT
			{"commands": [
			 "echo written by the agent > made.txt; cat made.txt",
			 "make",
			 "curl -sS -m 10 http://ok.test:$PORT/",
			 "SECONDS=0; curl -sS -m 20 https://denied.example.org/; echo rc=\$? in \$SECONDS s",
			 "cat ~/.ssh/id_ed25519; ls -a ~/.ssh; cat $HOME/.aws/credentials; echo reads=\$?",
			 "env; cat /proc/1/environ"],
			 "final": "THE TOUR IS OVER"}
		EOT
	)
}

# tour_seen: what it must have done and seen, by the files, the server's log, what the model was told,
# and the audit log.
tour_seen() {
	# wrote and built, on the host's side too
	[ "$(cat "$WS/made.txt")" = 'written by the agent' ] || fail 'nothing was written' || return 1
	[ "$(cat "$WS/out")" = built ] || fail 'nothing was built' || return 1
	# the agent saw: its build, the allowed host, the denied one in time, no key, no secret
	[[ $(tool_result 1) == *'BUILD DONE'* ]] || fail "make: $(tool_result 1)" || return 1
	[[ $(tool_result 2) == *'GOOD DAY'* ]] || fail "allowed: $(tool_result 2)" || return 1
	[ "$(server_hits "$TOUR_PORT")" -ge 1 ] || fail 'the allowed host saw nobody' || return 1
	# an agent that reads two pipes has them in either order
	local denied
	denied=$(tool_result 3)
	[[ $denied =~ curl:\ \([0-9]+\) && $denied =~ rc=[1-9][0-9]*\ in\ [0-9]\ s ]] ||
		fail "denied: $denied" || return 1
	local keys
	keys=$(tool_result 4)
	[[ $keys == *'id_ed25519: No such file'* && $keys == *'credentials: No such file'* ]] ||
		fail "key: $keys" || return 1
	[[ $(tool_result 5) == *"HOME=$HOME"* ]] || fail "env: $(tool_result 5)" || return 1
	refute_canary "$MODEL_LOG" || return 1
	audit_events deny | grep -qF denied.example.org || fail 'no denial in the audit log' || return 1
	audit_events allow | grep -qF ok.test || fail 'no allowed host in the audit log'
}

# A profile that runs a command instead of the tool, with all that the tool's profile brings along:
# inspect_as TOOL [SCRIPT]; used by `bawn run TOOL-look -- SCRIPT...`.
look_profile() {
	local shipped=$BAWN_SRCDIR/profiles/$1.yaml
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	sed -e 's/^command: .*/command: [bash, -c]/' -e '/^find:/,/^install:/{/^install:/!d}' \
		-e '/^yolo/d' -e '/^subcommands:/,/^$/d' "$shipped" \
		>"$XDG_CONFIG_HOME/bawn/profiles/$1-look.yaml"
}

# look TOOL SCRIPT [OPTIONS...]: the script's output from inside TOOL's sandbox.
look() {
	local tool=$1 script=$2
	shift 2
	[ -e "$XDG_CONFIG_HOME/bawn/profiles/$tool-look.yaml" ] || look_profile "$tool"
	"$BAWN" run --rm "$@" "$tool-look" "$WS" -- "$script"
}

# make_ca HOST...: a test authority $WS/ca.crt (not .pem: that is masked) and a certificate $T/tls.crt for the hosts.
make_ca() {
	local san
	san=$(printf 'DNS:%s,' "$@")
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj '/CN=bawn test authority' -keyout "$T/ca.key" -out "$T/ca.pem" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$T/tls.key" -out "$T/tls.csr" 2>/dev/null
	printf 'subjectAltName=%s\n' "${san%,}" >"$T/san"
	openssl x509 -req -in "$T/tls.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial \
		-days 2 -extfile "$T/san" -out "$T/tls.crt" 2>/dev/null
	cp "$T/ca.pem" "$WS/ca.crt"
}

# ---- on a terminal ------------------------------------------------------------------------------

# tui COMMAND...: run it in a terminal of its own (tmux: 110 x 32), in the workspace; its exit status
# appears in $T/tui.status, all that it wrote in $T/typescript.
tui() {
	local q
	printf -v q '%q ' "$@"
	cat >"$T/tui.sh" <<-EOT
		cd '$WS'
		stty -g >'$T/tui.before'
		$q
		rc=\$?
		stty -g >'$T/tui.after'
		echo THE TOOL HAS ENDED
		echo \$rc >'$T/tui.status'
	EOT
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 110 -y 32 "bash $T/tui.sh; sleep 600" \; \
		pipe-pane -o "exec cat >$T/typescript" 3>&- </dev/null >/dev/null 2>&1
	SERVERS+=("$(tmux -S "$T/tmux" display -p '#{pid}')")
}

screen() {
	tmux -S "$T/tmux" capture-pane -p -t 0
}

keys() {
	tmux -S "$T/tmux" send-keys -t 0 "$@"
}

# shows SECONDS REGEXP: wait for it on the screen, whose lines are joined by spaces.
shows() {
	local i
	for ((i = 0; i < $1 * 10; i++)); do
		screen >"$T/screen" 2>&1
		tr '\n' ' ' <"$T/screen" | grep -qE -- "$2" && return 0
		sleep 0.1
	done
	output=$(cat "$T/screen")
	fail "the screen lacks: $2"
}

# What each tool's screen shows when it waits at its input line, with its prompts switched off.
# Matched against the whole screen on one line.
at_input() {
	case $1 in
	claude) shows "${2:-30}" '[❯>].*bypass permissions on' ;;
	codex) shows "${2:-30}" '(permissions: YOLO mode|\(v0\.([0-9]|10)[0-9]\.).*› [A-Z][a-z]+ ' ;;
	gemini) shows "${2:-30}" 'YOLO.*Type your message' ;;
	opencode) shows "${2:-30}" 'Ask anything.*(Build|auto)' ;;
	esac
}

# Wait until the screen has been the same for a second, 10 s at most: while a tool still starts
# its servers, some drop an Enter.
settled() {
	local i last='' now
	for ((i = 0; i < 10; i++)); do
		now=$(screen)
		[ "$now" != "$last" ] || return 0
		last=$now
		sleep 1
	done
}

# Type a line and send it; some tools take an Enter that comes at once as part of a paste.
say_line() {
	keys -l "$1"
	sleep 0.5
	keys Enter
}

# Leave by the tool's own command: its exit status must be 0, and the terminal as it was.
leave() {
	case $1 in
	claude | opencode) say_line /exit ;;
	*) say_line /quit ;;
	esac
	eventually test -s "$T/tui.status" || return 1
	[ "$(cat "$T/tui.status")" = 0 ] || fail "status $(cat "$T/tui.status")" || return 1
	modes_off
}

# The terminal's modes are what they were; of what was written to it nothing stays switched on (the
# mouse, reports of the focus, the alternate screen, bracketed paste), and the cursor is there.
modes_off() {
	local m last want=l
	# what it wrote last is on its way through the terminal and two programs
	eventually grep -q 'THE TOOL HAS ENDED' "$T/typescript" || return 1
	grep -qE $'\e\\[\\?[0-9;]+h' "$T/typescript" || fail "no mode was ever switched on" || return 1
	cmp "$T/tui.before" "$T/tui.after" || fail "modes: $(cat "$T/tui.before" "$T/tui.after")" || return 1
	for m in 1000 1002 1003 1004 1006 1049 2004 25; do
		last=$(grep -aoE $'\e\\[\\?([0-9]+;)*'"$m(;[0-9]+)*[hl]" "$T/typescript" | tail -n 1)
		[ "$m" != 25 ] || want=h
		case $last in '' | *"$want") ;; *) fail "the terminal's mode $m is left: ${last@Q}" || return 1 ;; esac
	done
}

# The tool's process as the host sees it: below our bawn, with the tool's executable.
inner_pid() {
	local p
	for p in $(pgrep -f "$AGENTS_DIR/.*$1|^$1"); do
		tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qx "HOME=$HOME" &&
			tr '\0' '\n' <"/proc/$p/environ" | grep -q ^BAWN_SANDBOX= && {
			echo "$p"
			return 0
		}
	done
	return 1
}

tui_end() {
	tmux -S "$T/tmux" kill-server 2>/dev/null
	assert_no_leftovers
}

# ---- log-ins on the host ------------------------------------------------------------------------

b64url() {
	base64 -w0 | tr '+/' '-_' | tr -d =
}

# jwt EXPIRES [SIGNATURE]: a token that looks like one of OpenAI's.
jwt() {
	printf '%s.%s.%s' "$(printf '{"alg":"RS256","typ":"JWT"}' | b64url)" \
		"$(printf '{"exp":%d,"email":"test@example.org","https://api.openai.com/auth":{"chatgpt_account_id":"acc","chatgpt_plan_type":"plus","chatgpt_user_id":"u","user_id":"u"}}' "$1" | b64url)" \
		"${2:-$(printf signature | b64url)}"
}

ACCESS=access-token-of-the-test

# plant_login TOOL [SECONDS-FROM-NOW]: a subscription log-in whose refresh token is the canary.
plant_login() {
	local at=$(($(date +%s) + ${2:-7200})) f
	case $1 in
	claude)
		f=$HOME/.claude/.credentials.json
		mkdir -p "${f%/*}"
		printf '{"claudeAiOauth":{"accessToken":"sk-ant-oat01-%s","refreshToken":"sk-ant-ort01-%s","expiresAt":%d000,"scopes":["user:inference","user:profile"],"subscriptionType":"max"}}' \
			"$ACCESS" "$CANARY" "$at" >"$f"
		printf '{"oauthAccount":{"emailAddress":"%s@example.org"},"userID":"%s"}' \
			"$CANARY" "$CANARY" >"$HOME/.claude.json"
		;;
	codex)
		f=$HOME/.codex/auth.json
		mkdir -p "${f%/*}"
		printf '{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{"id_token":"%s","access_token":"%s","refresh_token":"rt_%s","account_id":"acc"},"last_refresh":"%s"}' \
			"$(jwt "$at" "$CANARY")" "$(jwt "$at" "$ACCESS")" "$CANARY" \
			"$(date -u +%FT%TZ)" >"$f"
		;;
	gemini)
		f=$HOME/.gemini/oauth_creds.json
		mkdir -p "${f%/*}"
		printf '{"access_token":"ya29.%s","refresh_token":"1//%s","scope":"https://www.googleapis.com/auth/cloud-platform","token_type":"Bearer","id_token":"%s","expiry_date":%d000}' \
			"$ACCESS" "$CANARY" "$CANARY" "$at" >"$f"
		printf '{"active":"%s@example.org","old":[]}' "$CANARY" >"$HOME/.gemini/google_accounts.json"
		printf '{"security":{"auth":{"selectedType":"oauth-personal"}}}' >"$HOME/.gemini/settings.json"
		;;
	opencode-chatgpt)
		f=$HOME/.local/share/opencode/auth.json
		mkdir -p "${f%/*}"
		printf '{"openai":{"type":"oauth","access":"%s","refresh":"rt_%s","expires":%d000,"accountId":"acc"},"xai":{"type":"oauth","access":"x","refresh":"y","expires":1}}' \
			"$ACCESS" "$CANARY" "$at" >"$f"
		;;
	opencode-copilot)
		f=$HOME/.local/share/opencode/auth.json
		mkdir -p "${f%/*}"
		printf '{"github-copilot":{"type":"oauth","refresh":"gho_%s","access":"gho_%s","expires":0}}' \
			"$ACCESS" "$ACCESS" >"$f"
		;;
	opencode)
		f=$HOME/.local/share/opencode/auth.json
		mkdir -p "${f%/*}"
		printf '{"anthropic":{"type":"oauth","access":"%s","refresh":"%s","expires":%d000}}' \
			"$ACCESS" "$CANARY" "$at" >"$f"
		;;
	esac
	chmod 600 "$f"
	LOGIN_FILE=$f
}
