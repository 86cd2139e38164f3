#!/usr/bin/env bats
# login.bats - subscriptions: the user's log-ins stay on the host, inside stands a document of their
# shape; the token endpoint and the API are one server behind TLS (tests/agents/model.mjs), whose
# refresh tokens count once.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load vault.sh
setup() { bawn_setup; }
teardown() {
	[ -z "${BOXPID:-}" ] || "$BAWN" rm -f box >/dev/null 2>&1
	bawn_teardown
}

REFRESH=rt-real-0123456789abcdef-canary
ACCESS=at-real-0123456789abcdef-canary

# service LIFE [MORE-OF-OAUTH]: the server, and a tool whose log-in it knows; sets OPTS.
service() {
	make_ca api.test auth.test
	rm "$WS/ca.crt"
	export SSL_CERT_FILE=$T/ca.pem
	cp "$T/ca.pem" "$WS/up.pem" # auth.test is not terminated: inside it is known by its own
	start_model "{\"commands\":[],\"final\":\"x\",\"oauth\":{\"refresh\":\"$REFRESH\",\"access\":\"$ACCESS\",\"life\":$1${2:-}}}" tls
	OPTS=(--connect-to "api.test:443:127.0.0.1:$MODEL_PORT"
		--connect-to "auth.test:443:127.0.0.1:$MODEL_PORT")
	local c=$XDG_CONFIG_HOME/bawn
	mkdir -p "$c/policies" "$c/profiles" "$HOME/.tool"
	cat >"$c/policies/logged.yaml" <<-'Y'
		allow: [api.test, auth.test]
		credentials:
		  - secret: tool
		    hosts: [api.test]
		    header: {Authorization: "Bearer {}"}
		    login: true
		    placeholder: "at-stand-in-{32}"
	Y
	cat >"$c/profiles/tool.yaml" <<-'Y'
		command: [bash]
		exec: true
		policies: [logged]
		login:
		  - path: ~/.tool/login.json
		    name: Tool
		    run: tool login
		    token: o.access
		    expires: o.until
		    credential: tool
		    renew:
		      url: https://auth.test/oauth/token
		      client-id: the-client
		      refresh: o.refresh
		    keep: [o.access, o.until, o.plan]
		    set: '{"o": {"refresh": null}}'
	Y
	LOGIN=$HOME/.tool/login.json
}

# log_in SECONDS [REFRESH]: the host's file, with a token that ends then.
log_in() {
	local more=
	[ -z "${2-$REFRESH}" ] || more=",\"refresh\":\"${2-$REFRESH}\""
	printf '{"other":{"kept":[1,"two"]},"o":{"plan":"max","access":"%s","until":%d000%s}}' \
		"$ACCESS" "$(($(date +%s) + $1))" "$more" >"$LOGIN"
	chmod 600 "$LOGIN"
}

tool() { run timeout 60 "$BAWN" run --rm "${OPTS[@]}" tool -- bash -c "$1" </dev/null; }
ask='curl -sS -o /dev/null -w "%{http_code}\n" -H "Authorization: Bearer $(grep -o "at-[a-z0-9A-Z-]*" ~/.tool/login.json)" https://api.test/v1/models'
control() { curl -sS --cacert "$T/ca.pem" --connect-to "auth.test:443:127.0.0.1:$MODEL_PORT" -d "$1" https://auth.test/control; }
renewed() { grep -c '"renewed":true' "$MODEL_LOG" || :; }
held() { /usr/bin/python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["o"][sys.argv[2]])' "$LOGIN" "$1"; }
# The host's file is whole, has what it had beside the tokens, and these count.
current() {
	[ "$(held refresh)" = "$(control '{}' | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["refresh"])')" ] || fail 'the file has an old refresh token' || return 1
	/usr/bin/python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["other"] == {"kept": [1, "two"]}' "$LOGIN" || return 1
	[ "$(stat -Lc %a "$LOGIN")" = 600 ] || fail "mode $(stat -Lc %a "$LOGIN")" || return 1
	[ -z "$(find "$HOME/.tool" -name '*.tmp')" ] || fail 'something was left behind' || return 1
	run ! grep -q '"reuse":true' "$MODEL_LOG"
}
refute_tokens() {
	local t
	for t in "$REFRESH" "$ACCESS" "$(held access)" "$(held refresh)"; do
		[[ $output != *"$t"* ]] || fail "a token: $output" || return 1
	done
}

@test "CRED-08 a log-in stays on the host: inside is its shape, the API gets the token" {
	service 600
	log_in 3000
	tool "cat ~/.tool/login.json; $ask"
	assert_status 0
	assert_output 'using your Tool log-in (it stays on the host)'
	assert_output at-stand-in-
	assert_output '"plan": "max"'
	assert_output '"refresh": null'
	assert_output 200
	refute_output other
	refute_tokens
	[ "$(renewed)" = 0 ]
	grep -q "\"authorization\":\"Bearer $ACCESS\"" "$MODEL_LOG"
	run ! grep -q stand-in "$MODEL_LOG"
}

@test "CRED-08 a token that has ended is renewed before the start, and the host's file is current" {
	service 600
	log_in -5
	tool "$ask"
	assert_status 0
	assert_output 200
	[ "$(renewed)" = 1 ]
	grep -q '"client":"the-client","grant":"refresh_token"' "$MODEL_LOG"
	current
	refute_tokens
}

@test "CRED-08 a token is renewed ahead of its end while the sandbox runs, and no request is refused" {
	service 8
	log_in 8
	tool "for i in \$(seq 20); do $ask; sleep 1; done"
	assert_status 0
	[ "$(grep -c '^200$' <<<"$output")" = 20 ] || fail "$output"
	[ "$(renewed)" -ge 2 ] && [ "$(renewed)" -le 5 ] || fail "$(renewed) renewals"
	current
	run ! grep -q '"status":401' "$MODEL_LOG"
}

@test "CRED-08 a token that is refused is renewed: the agent is told to come again, once" {
	service 600
	log_in 3000
	tool "$ask; curl -sS --cacert $WS/up.pem https://auth.test/control -d '{\"revoke\":true}' >/dev/null; $ask; sleep 2; $ask; $ask"
	assert_status 0
	[ "$(grep -c '^200$' <<<"$output")" = 3 ] || fail "$output"
	[ "$(grep -c '^503$' <<<"$output")" = 1 ] || fail "$output"
	[ "$(renewed)" = 1 ]
	current
	audit_events login | grep -q 'renewed tool' || fail "$(cat "$AUDIT")"
}

@test "CRED-08 a token that is refused although it is new: the refusal is the agent's to see" {
	service 600
	log_in 3000
	local no="curl -sS --cacert $WS/up.pem https://auth.test/control -d '{\"revoke\":true}' >/dev/null"
	tool "$no; $ask; sleep 2; $no; $ask; sleep 2; $ask"
	assert_output '503'
	[[ $output == *401* ]] || fail "$output"
	assert_output 'the token that was just renewed is refused'
	[ "$(renewed)" = 1 ]
	current
}

@test "CRED-08 twenty sandboxes at once renew a token once, and again once when it is due" {
	# slow enough that all twenty want it before the first has it
	service 600 ',"slow":1000'
	log_in -5
	local i ok=0 pids=()
	for ((i = 0; i < 20; i++)); do
		timeout 100 "$BAWN" run --rm "${OPTS[@]}" tool -- bash -c \
			"$ask; sleep 3; $ask" >"$T/out.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for ((i = 0; i < 20; i++)); do
		[ "$(grep -c '^200$' "$T/out.$i")" = 2 ] && ok=$((ok + 1)) || cat "$T/out.$i"
	done
	[ "$ok" = 20 ]
	[ "$(renewed)" = 1 ] || fail "$(renewed) renewals"
	current
	# all of them refused at once: one more
	pids=()
	for ((i = 0; i < 20; i++)); do
		timeout 100 "$BAWN" run --rm "${OPTS[@]}" tool -- bash -c \
			"until [ -e $WS/go ]; do sleep 0.2; done; $ask; sleep 4; $ask" >"$T/out.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	sleep 6
	control '{"revoke":true}'
	: >"$WS/go"
	wait "${pids[@]}"
	ok=0
	for ((i = 0; i < 20; i++)); do
		[ "$(tail -1 "$T/out.$i")" = 200 ] && ok=$((ok + 1)) || cat "$T/out.$i"
	done
	[ "$ok" = 20 ]
	[ "$(renewed)" = 2 ] || fail "$(renewed) renewals"
	current
}

@test "CRED-08 what the host's own tool renews meanwhile is taken, not renewed again" {
	service 600
	log_in 3000
	tool "$ask; until [ -e $WS/changed ]; do sleep 0.1; done; sleep 7; $ask" &
	local pid=$!
	sleep 3
	# the tool's own renewal: the endpoint is asked, the file written
	curl -sS --cacert "$T/ca.pem" --connect-to "auth.test:443:127.0.0.1:$MODEL_PORT" \
		-H 'content-type: application/json' https://auth.test/oauth/token \
		-d "{\"grant_type\":\"refresh_token\",\"refresh_token\":\"$REFRESH\"}" >"$T/new"
	control '{}' >/dev/null
	/usr/bin/python3 - "$T/new" "$LOGIN" <<-'E'
		import json, os, sys, time
		new, d = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
		d['o'].update(access=new['access_token'], refresh=new['refresh_token'], until=int(time.time() + 600) * 1000)
		with open(sys.argv[2] + '.new', 'w') as f:
		    json.dump(d, f)
		os.chmod(sys.argv[2] + '.new', 0o600)
		os.rename(sys.argv[2] + '.new', sys.argv[2])
	E
	: >"$WS/changed"
	wait $pid
	[ "$(renewed)" = 1 ]
	grep -q "\"authorization\":\"Bearer $(held access)\"" "$MODEL_LOG" || fail "$(cat "$MODEL_LOG")"
	current
}

@test "CRED-08 the tokens are in no file, environment or memory inside" {
	service 6
	log_in -5
	tool "for i in 1 2 3 4 5 6 7; do $ask; sleep 1; done
		exec /usr/bin/python3 - <<-'E'
			import os, re
			want = re.compile(rb'(access|refresh)-[0-9]+-[0-9a-f]{24}|[ar]t-real-[0-9]')
			me = os.getpid()
			def look(name, data):
			    if want.search(data):
			        print('FOUND in', name)
			for top in ('/home', '/tmp', '/run', '/etc', '/dev/shm', '/var', os.environ['HOME']):
			    for d, subs, files in os.walk(top):
			        for f in files:
			            try:
			                look(os.path.join(d, f), open(os.path.join(d, f), 'rb').read(1 << 24))
			            except OSError:
			                pass
			for pid in filter(str.isdigit, os.listdir('/proc')):
			    if int(pid) == me:
			        continue
			    for what in ('environ', 'cmdline'):
			        try:
			            look(f'/proc/{pid}/{what}', open(f'/proc/{pid}/{what}', 'rb').read())
			        except OSError:
			            pass
			    try:
			        for line in open(f'/proc/{pid}/maps'):
			            a, b = (int(x, 16) for x in line.split()[0].split('-'))
			            with open(f'/proc/{pid}/mem', 'rb') as mem:
			                mem.seek(a)
			                look(f'{pid} {line}', mem.read(b - a))
			    except (OSError, OverflowError, ValueError):
			        pass
			print('LOOKED')
		E"
	assert_output LOOKED
	refute_output FOUND
	[ "$(grep -c '^200$' <<<"$output")" = 7 ] || fail "$output"
	[ "$(renewed)" -ge 2 ]
	refute_tokens
	local t
	for t in "$REFRESH" "$ACCESS" "$(held access)" "$(held refresh)"; do
		run ! grep -rqsaF -e "$t" "$AUDIT" "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$WS"
	done
}

@test "CRED-08 an agent that renews by itself gets nothing" {
	service 600
	log_in 3000
	tool 'curl -sS --cacert up.pem -H "content-type: application/json" -w " %{http_code}\n" https://auth.test/oauth/token -d "{\"grant_type\":\"refresh_token\",\"client_id\":\"the-client\",\"refresh_token\":\"$(grep -o "at-[a-zA-Z0-9-]*" ~/.tool/login.json)\"}"
		curl -sS --cacert up.pem -H "content-type: application/json" -w " %{http_code}\n" https://auth.test/oauth/token -d "{\"grant_type\":\"refresh_token\",\"refresh_token\":null}"'
	[ "$(grep -c 'invalid_grant.* 400' <<<"$output")" = 2 ] || fail "$output"
	[ "$(renewed)" = 0 ]
	refute_tokens
	current
}

# ---- what can go wrong ------------------------------------------------------------------------

@test "CRED-08 an ended token without a refresh token, and a refused one, say what to do" {
	service 600
	log_in -5 ""
	tool true
	assert_status 125
	assert_output 'your Tool log-in: it has expired'
	assert_output 'no refresh token'
	assert_output 'run `tool login` once on the host'
	log_in -5
	control '{"mode":"refuse"}'
	cp -p "$LOGIN" "$T/before"
	tool true
	assert_status 125
	assert_output 'could not be renewed at auth.test: it answered 400, invalid_grant'
	assert_output 'run `tool login` once on the host'
	cmp "$LOGIN" "$T/before"
	# and the run without it
	run "$BAWN" run --rm --no-login "${OPTS[@]}" tool -- bash -c 'ls ~/.tool; echo went on' </dev/null
	assert_output 'went on'
	refute_output login.json
}

@test "CRED-08 an endpoint that fails, answers a page, echoes or is not there: the file stays, no byte is shown" {
	service 600
	local mode
	for mode in error page echo; do
		log_in -5
		cp -p "$LOGIN" "$T/before"
		control "{\"mode\":\"$mode\"}"
		tool 'echo went on'
		[[ $output == *"could not be renewed at auth.test"* ]] || fail "$mode: $output"
		cmp "$LOGIN" "$T/before" || fail "$mode"
		refute_tokens || fail "$mode"
	done
	log_in -5
	OPTS=(--connect-to "auth.test:443:127.0.0.1:1")
	tool 'echo went on'
	assert_output 'connect to 127.0.0.1:1: Connection refused; it is tried again'
	assert_output 'went on'
}

@test "CRED-08 an endpoint whose certificate does not hold gets no refresh token" {
	service 600
	log_in -5
	make_ca other.test
	rm "$WS/ca.crt"
	tool true
	assert_output 'no TLS with it'
	run ! grep -q oauth "$MODEL_LOG"
}

@test "CRED-08 a file that is no JSON, a link, read-only, or removed while it runs" {
	service 600
	echo '{"o": {' >"$LOGIN"
	tool 'echo went on'
	assert_output "your Tool log-in can't be used"
	assert_output 'went on'
	# a link is followed, and stays one
	rm "$LOGIN"
	mkdir "$HOME/dots"
	ln -s ../dots/login.json "$HOME/.tool/login.json"
	log_in -5
	tool "$ask"
	assert_output 200
	[ -L "$LOGIN" ] && [ -f "$HOME/dots/login.json" ]
	current
	# read-only: nothing is spent
	rm "$LOGIN"
	log_in -5 "$(/usr/bin/python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["o"]["refresh"])' "$HOME/dots/login.json")"
	chmod 400 "$LOGIN"
	tool "$ask"
	assert_status 125
	assert_output "can't be written"
	assert_output 'chmod u+w'
	[ "$(renewed)" = 1 ]
	chmod 600 "$LOGIN"
	tool "$ask"
	assert_output 200
	[ "$(renewed)" = 2 ]
	current
	# removed: the token goes on as long as it counts
	: >"$WS/x"
	tool "$ask; until [ ! -e $WS/x ]; do sleep 0.1; done; $ask" &
	local pid=$!
	sleep 3
	rm "$LOGIN" "$WS/x"
	wait $pid
	[ ! -e "$LOGIN" ]
	[ "$(grep -c '"path":"/v1/models".*"status":200' "$MODEL_LOG")" = 4 ] || fail "$(cat "$MODEL_LOG")"
}

# The processes of bawn-login that belong to this test: they have its server in their arguments.
keepers() {
	local p
	for p in $(pgrep -u "$(id -u)" bawn-login); do
		tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q ":$MODEL_PORT" && echo "$p"
	done
}

@test "CRED-08 an endpoint that hangs: what reads it can do nothing else, and killed it leaves the file whole" {
	service 600
	log_in -5
	cp -p "$LOGIN" "$T/before"
	control '{"mode":"hang"}'
	timeout 60 "$BAWN" run --rm "${OPTS[@]}" tool -- true >"$T/out" 2>&1 </dev/null &
	local pid=$! p confined=0
	eventually grep -q '"hangs":true' "$MODEL_LOG"
	for p in $(keepers); do
		grep -q '^Seccomp:.*2' "/proc/$p/status" && grep -q '^NoNewPrivs:.*1' "/proc/$p/status" || continue
		confined=$((confined + 1))
		[ "$(cat "/proc/$p/limits" | awk '/Max processes/ {print $3}')" = 0 ] || fail limits
	done
	[ "$confined" = 1 ] || fail "$confined confined: $(keepers)"
	for p in $(keepers); do kill -9 "$p" 2>/dev/null || :; done
	local rc=0
	wait $pid || rc=$?
	[ "$rc" = 125 ] || fail "it ended with $rc"
	grep -q 'bawn-login, which looks after your log-ins, does not answer' "$T/out" || fail "$(cat "$T/out")"
	cmp "$LOGIN" "$T/before"
	# and the lock is nobody's any more
	control '{"mode":""}'
	tool "$ask"
	assert_output 200
	current
}

@test "CRED-08 bawn-login killed again and again while it renews: the file is always whole" {
	service 2
	log_in -5
	local i p
	timeout 100 "$BAWN" run --rm "${OPTS[@]}" tool -- sleep 20 >"$T/out" 2>&1 </dev/null 3>&- &
	local pid=$!
	eventually grep -q '"renewed":true' "$MODEL_LOG"
	for ((i = 0; i < 40; i++)); do
		/usr/bin/python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); assert d["o"]["refresh"] and d["other"]' "$LOGIN" || fail "$(cat "$LOGIN")"
		sleep "0.0$((i % 10))"
		if [ $((i % 8)) = 7 ]; then
			for p in $(keepers); do kill -9 "$p" 2>/dev/null || :; done
			break
		fi
		sleep 0.2
	done
	/usr/bin/python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$LOGIN"
	eventually grep -q 'bawn-login ended' "$T/out"
	wait $pid
}

@test "CRED-08 a sandbox that lasts: its supervisor renews, a session that joins brings a log-in along" {
	service 600
	log_in 3000
	cat >"$XDG_CONFIG_HOME/bawn/profiles/plain.yaml" <<-'Y'
		command: [bash]
		exec: true
		policies: [logged, keyed]
	Y
	cat >"$XDG_CONFIG_HOME/bawn/policies/keyed.yaml" <<-'Y'
		credentials:
		  - secret: other
		    hosts: [other.test]
		    header: x-api-key
		    env: [OTHER_KEY]
	Y
	# started without the log-in, with a vault; then joined by the tool
	OTHER_KEY=other-key-0123456789 "$BAWN" create --name box "${OPTS[@]}" plain >/dev/null
	BOXPID=1
	OTHER_KEY=other-key-0123456789 "$BAWN" exec box bash -c 'touch up; until [ -e stop ]; do sleep 0.1; done' </dev/null >/dev/null 2>&1 3>&- &
	eventually test -e up
	run timeout 60 "$BAWN" run --name box tool -- bash -c "$ask" </dev/null
	assert_status 0
	assert_output 200
	grep -q "\"authorization\":\"Bearer $ACCESS\"" "$MODEL_LOG"
	run timeout 60 "$BAWN" exec box bash -c "cat ~/.tool/login.json" </dev/null
	refute_tokens
	touch stop
}

@test "CRED-08 a sandbox that was started without a vault is given no log-in, and says so" {
	service 600
	log_in 3000
	cat >"$XDG_CONFIG_HOME/bawn/profiles/plain.yaml" <<-'Y'
		command: [bash]
		exec: true
		policies: [logged]
	Y
	"$BAWN" create --name box "${OPTS[@]}" plain >/dev/null
	BOXPID=1
	"$BAWN" exec box bash -c 'touch up; until [ -e stop ]; do sleep 0.1; done' </dev/null >/dev/null 2>&1 3>&- &
	eventually test -e up
	run timeout 60 "$BAWN" run --name box tool -- bash -c 'ls ~/.tool; echo went on' </dev/null
	assert_output 'your Tool log-in stays outside'
	assert_output 'bawn stop'
	assert_output 'went on'
	refute_output login.json
	touch stop
}
