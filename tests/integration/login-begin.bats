#!/usr/bin/env bats
# login-begin.bats - bawn login: a log-in that is not there yet.  The browser is curl, the authorize
# and token endpoints are the scripted model behind TLS (tests/agents/model.mjs), which checks PKCE.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load vault.sh
setup() { bawn_setup; }
teardown() {
	chmod -R u+w "$HOME" 2>/dev/null || :
	bawn_teardown
}

# endpoint TOOL: all of its hosts are the model; sets OPTS and BROWSER.
endpoint() {
	local h
	case $1 in
	claude) HOSTS=(claude.com platform.claude.com api.anthropic.com) LOGIN=$HOME/.claude/.credentials.json ;;
	codex) HOSTS=(auth.openai.com chatgpt.com) LOGIN=$HOME/.codex/auth.json ;;
	gemini) HOSTS=(accounts.google.com oauth2.googleapis.com cloudcode-pa.googleapis.com www.googleapis.com) LOGIN=$HOME/.gemini/oauth_creds.json ;;
	esac
	make_ca "${HOSTS[@]}"
	rm "$WS/ca.crt"
	export SSL_CERT_FILE=$T/ca.pem
	local jwt=
	[ "$1" != codex ] || jwt=',"jwt":true,"claims":{"email":"test@example.org","https://api.openai.com/auth":{"chatgpt_account_id":"acc","chatgpt_plan_type":"plus","chatgpt_user_id":"u","user_id":"u"}}'
	start_model "{\"commands\":[\"echo written by the agent > made.txt\"],\"final\":\"THE TOUR IS OVER\",\"oauth\":{\"refresh\":\"none-so-far\",\"access\":\"none\",\"life\":600$jwt}}" tls
	OPTS=()
	for h in "${HOSTS[@]}"; do OPTS+=(--connect-to "$h:443:127.0.0.1:$MODEL_PORT"); done
	mkdir -p "$T/bin"
	cat >"$T/bin/browser" <<-S
		#!/bin/sh
		exec curl -sSL --noproxy '*' --cacert '$T/ca.pem' ${OPTS[*]} -w '%{http_code}\n' "\$1" >'$T/page' 2>&1
	S
	chmod +x "$T/bin/browser"
	export BROWSER=$T/bin/browser
}
control() { curl -sS --cacert "$T/ca.pem" --connect-to "${HOSTS[0]}:443:127.0.0.1:$MODEL_PORT" -d "$1" "https://${HOSTS[0]}/control"; }
login() { run timeout 60 "$BAWN" login "${OPTS[@]}" "$@" </dev/null; }

# No file, nothing beside it, and no secret was said.
nothing() {
	[ ! -e "$LOGIN" ] || fail "there is $(cat "$LOGIN")" || return 1
	[ -z "$(find "$HOME" -name '*.tmp')" ] || return 1
	unsaid
}
unsaid() {
	[[ ! $output =~ (code|access|refresh)-[0-9a-f] ]] || fail "a secret: $output"
}

# begins TOOL: logged in, in the tool's own form.
begins() {
	endpoint "$1"
	login "$1"
	assert_status 0 || return 1
	assert_output "Logged in: $LOGIN is written" || return 1
	assert_output 'A sandbox gets a placeholder' || return 1
	assert_output 'https://' || return 1
	unsaid || return 1
	grep -q 'bawn has it' "$T/page" || fail "$(cat "$T/page")" || return 1
	[ "$(stat -c %a "$LOGIN")" = 600 ] || return 1
	grep -q '"begun":true' "$MODEL_LOG" || return 1
	grep -q '"code_challenge_method":"S256"' "$MODEL_LOG" || return 1
	grep -q 'refresh-[0-9]' "$LOGIN" || return 1
}

# works ARGS...: the real agent does a task with it.
works() {
	run timeout 120 "$BAWN" run --rm "${OPTS[@]}" "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(cat "$WS/made.txt")" = 'written by the agent' ]
}

@test "CRED-06 bawn login codex: its port and path, the account of the identity token; codex works with it" {
	begins codex
	grep -q '"redirect_uri":"http://localhost:1455/auth/callback"' "$MODEL_LOG"
	grep -q '"account_id": "acc"' "$LOGIN"
	grep -q '"auth_mode": "chatgpt"' "$LOGIN"
	need_agents
	works codex -- -c features.enable_request_compression=false exec go
}

@test "CRED-06 bawn login claude: any port, and claude works with it" {
	begins claude
	grep -Eq '"redirect_uri":"http://localhost:[0-9]+/callback"' "$MODEL_LOG"
	grep -q '"user:inference"' "$LOGIN"
	need_agents
	need_runnable claude
	works claude -- -p go
}

@test "CRED-06 bawn login gemini: any port, and gemini works with it" {
	begins gemini
	grep -Eq '"redirect_uri":"http://127.0.0.1:[0-9]+/oauth2callback"' "$MODEL_LOG"
	grep -q '"token_type": "Bearer"' "$LOGIN"
	need_agents
	works gemini -- -m gemini-2.5-flash -p go
}

@test "CRED-06 bawn login claude by a browser elsewhere: the code is pasted on the terminal" {
	endpoint claude
	export TURN="curl -sS --noproxy * --cacert $T/ca.pem ${OPTS[*]} -o /dev/null -w %{redirect_url}"
	run timeout 60 /usr/bin/python3 - "$BAWN" login --no-browser --timeout 30 "${OPTS[@]}" claude <<-'E'
		import os, pty, re, subprocess, sys, urllib.parse
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		seen, sent = b'', 0
		while True:
		    try:
		        more = os.read(fd, 4096)
		    except OSError:
		        break
		    if not more:
		        break
		    seen += more
		    if sent == 0 and b'Waiting' in seen:
		        urls = re.findall(rb'https://claude.com/\S+', seen)
		        back = subprocess.run(os.environ['TURN'].split() + [urls[1].decode()], capture_output=True, text=True).stdout
		        q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
		        os.write(fd, ('%s#%sx\n' % (q['code'], q['state'])).encode())
		        sent = 1
		    if sent == 1 and b'not the code' in seen:
		        os.write(fd, ('%s#%s\n' % (q['code'], q['state'])).encode())
		        sent = 2
		print(seen.decode())
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	E
	assert_status 0
	assert_output 'That is not the code of this log-in'
	assert_output 'Logged in'
	grep -q '"redirect_uri":"https://platform.claude.com/oauth/code/callback"' "$MODEL_LOG"
	grep -q '"begun":true' "$MODEL_LOG"
	[ "$(stat -c %a "$LOGIN")" = 600 ]
}

@test "CRED-06 a wrong state or path is answered 400 and changes nothing; time goes by" {
	endpoint claude
	local mode
	for mode in state path; do
		control "{\"mode\":\"$mode\"}"
		login --timeout 4 claude
		assert_status 125
		assert_output 'did not come back within 4 seconds'
		grep -q '^400$\|>400$\|400$' "$T/page" || fail "$(cat "$T/page")"
		nothing
	done
	run ! grep -q '"grant":"authorization_code"' "$MODEL_LOG"
}

@test "CRED-06 a refused log-in, and an endpoint that refuses the code, fails, or sends a page" {
	endpoint claude
	control '{"mode":"deny"}'
	login claude
	assert_status 125
	assert_output 'did not grant the log-in: access_denied'
	refute_output '<no>'
	nothing
	local mode
	for mode in refuse error page echo; do
		control "{\"mode\":\"$mode\"}"
		login claude
		assert_status 125
		assert_output 'no log-in from platform.claude.com'
		nothing
	done
}

@test "CRED-06 a log-in that is there is left, but for --force, which keeps what is beside it" {
	endpoint claude
	mkdir -p "${LOGIN%/*}"
	echo '{"mcpOAuth":{"x":1},"claudeAiOauth":{"accessToken":"at-old-0123456789"}}' >"$LOGIN"
	cp "$LOGIN" "$T/before"
	login claude
	assert_status 125
	assert_output 'is there already'
	assert_output '--force'
	cmp "$LOGIN" "$T/before"
	[ ! -s "$MODEL_LOG" ]
	login --force claude
	assert_status 0
	grep -q mcpOAuth "$LOGIN"
	run ! grep -q at-old "$LOGIN"
	[ "$(stat -c %a "$LOGIN")" = 600 ]
}

@test "CRED-06 a home that can't be written, and a port that is taken, are said before anybody is sent" {
	endpoint codex
	mkdir "$HOME/.codex"
	chmod 500 "$HOME/.codex"
	login codex
	assert_status 125
	assert_output 'make it writable'
	chmod 700 "$HOME/.codex"
	/usr/bin/python3 -c 'import socket,time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", 1455)); s.listen(); print("up", flush=True); time.sleep(60)' >"$T/up" 3>&- &
	SERVERS+=("$!")
	eventually grep -q up "$T/up"
	login codex
	assert_status 125
	assert_output 'port 1455 of 127.0.0.1'
	assert_output 'ss -ltnp'
	[ ! -s "$MODEL_LOG" ]
	nothing
}

@test "CRED-06 a BROWSER that is a relative path, has arguments or stands in the workspace isn't started" {
	endpoint claude
	cp "$BROWSER" "$WS/browser"
	local b
	for b in ./browser "$BROWSER --new" "$WS/browser" "$T/none"; do
		BROWSER=$b login --timeout 1 claude
		assert_status 125
		assert_output 'none is opened'
		assert_output 'no terminal to show the URL in'
	done
	login --timeout 1 --no-browser claude
	assert_output 'https://claude.com/cai/oauth/authorize?response_type=code'
	[ ! -s "$MODEL_LOG" ]
	nothing
}

@test "login: without a browser and a terminal nobody is waited for" {
	endpoint codex
	mkdir -p "$T/open"
	printf '#!/bin/sh\ntouch %q\n' "$T/opened" >"$T/open/xdg-open"
	chmod +x "$T/open/xdg-open"
	local begin=$SECONDS
	BROWSER='' DISPLAY='' WAYLAND_DISPLAY='' PATH=$T/open:$PATH login codex
	assert_status 125
	assert_output 'there is no browser here, and no terminal'
	assert_output '--no-browser prints the URL'
	[ $((SECONDS - begin)) -lt 20 ]
	[ ! -e "$T/opened" ]
	# a desktop has one
	BROWSER='' DISPLAY=:9 PATH=$T/open:$PATH login --timeout 1 codex
	assert_output 'https://'
	eventually test -e "$T/opened"
	# and who asks for the URL alone gets it
	BROWSER='' DISPLAY='' login --no-browser --timeout 1 codex
	assert_output 'did not come back within 1 seconds'
	nothing
}

@test "CRED-06 a profile whose authorize URL is no https is refused; without one the command says how" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	local u
	for u in http://evil.test/a javascript:alert file:///etc/passwd '"https://a b"'; do
		sed "s|url: https://claude.com/.*|url: $u|" "$BAWN_SRCDIR/profiles/claude.yaml" >"$XDG_CONFIG_HOME/bawn/profiles/mine.yaml"
		run "$BAWN" login --timeout 2 mine </dev/null
		assert_status 125
		assert_output 'begins with "https://"'
	done
	local bad
	for bad in 'port: "1455"|port: "80"' 'port: "1455"|port: "70000"' 'host: localhost|host: evil.test' \
		'path: /auth/callback|path: auth' 'extra: id|extra: a#b' 'claim: chatgpt.*|'; do
		sed "s|      ${bad%%|*}|      ${bad#*|}|" "$BAWN_SRCDIR/profiles/codex.yaml" >"$XDG_CONFIG_HOME/bawn/profiles/mine.yaml"
		run "$BAWN" login --timeout 2 mine </dev/null
		assert_status 125
		[[ $output == *must\ be* || $output == *'go together'* ]] || fail "$bad: $output"
	done
	run "$BAWN" login opencode </dev/null
	assert_status 125
	assert_output 'opencode has no log-in that begins here'
	rm "$XDG_CONFIG_HOME/bawn/profiles/mine.yaml"
	run "$BAWN" login </dev/null
	assert_status 0
	assert_output 'needs no log-in of its own'
	assert_output 'bawn login codex'
	run "$BAWN" login --timeout 0 codex </dev/null
	assert_output '--timeout: it takes seconds'
}

@test "CRED-06 ended by Ctrl-C nothing is written and the port is free; what read requests is confined" {
	endpoint codex
	timeout 60 "$BAWN" login --no-browser "${OPTS[@]}" codex >"$T/out" 2>&1 </dev/null 3>&- &
	local pid=$! child p confined=0
	eventually grep -q Waiting "$T/out"
	exec 9<>/dev/tcp/127.0.0.1/1455
	sleep 1
	child=$(pgrep -P "$pid" bawn-login)
	for p in $(pgrep -P "$child" bawn-login); do
		grep -q '^Seccomp:.*2' "/proc/$p/status" && confined=$((confined + 1))
	done
	[ "$confined" = 1 ] || fail "$confined confined"
	# a connection that says nothing holds up nobody
	[ "$(curl -s -o /dev/null -w '%{http_code}' --noproxy '*' http://localhost:1455/)" = 400 ]
	kill -INT "$child"
	wait "$pid" || :
	exec 9>&-
	[ ! -e "$LOGIN" ]
	run ! curl -s --noproxy '*' http://127.0.0.1:1455/
}
