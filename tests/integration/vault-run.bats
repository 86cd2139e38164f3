#!/usr/bin/env bats
# vault-run.bats - keys that the agent never holds: what it sees instead, where the key goes and where
# not, and what becomes of it when the vault dies, the key changes, or the upstream is not who it
# says.  The engine alone: vault.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load vault.sh
setup() { vault_setup; }
teardown() {
	[ -z "${BOXPID:-}" ] || "$BAWN" rm -f box >/dev/null 2>&1
	bawn_teardown
}

# ---- what is seen inside --------------------------------------------------------------------------

@test "CRED-08 the agent has a placeholder, the upstream gets the key" {
	run in_sandbox_sh 'echo "has $API_TEST_KEY"; curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/v1'
	assert_status 0
	assert_output hello
	[[ $output =~ has\ sk-stand-in-[A-Za-z0-9]{32} ]] || fail "no placeholder"
	refute_key
	[ "$(with_key)" = 1 ] || fail "$(cat "$UPLOG")"
	run ! grep -q sk-stand-in "$UPLOG"
}

@test "CRED-01 what the agent has is not the key, in whatever variable" {
	run in_sandbox_sh 'env; cat /proc/*/environ 2>/dev/null | tr "\0" "\n"'
	assert_output API_TEST_KEY=sk-stand-in-
	refute_key
}

@test "CRED-01 CRED-10 the key is in no file, environment, memory or argument inside, with an upstream that echoes it" {
	run in_sandbox_sh "
		curl -sS -i -H \"x-api-key: \$API_TEST_KEY\" https://api.test/echo
		curl -sS -i -H \"x-api-key: \$API_TEST_KEY\" https://api.test/echo-bits
		curl -sS -D head -o body -H \"x-api-key: \$API_TEST_KEY\" https://api.test/echo
		exec /usr/bin/python3 - ${KEY:0:20} ${KEY:20} <<-'E'
			import os, sys
			want = (sys.argv[1] + sys.argv[2]).encode()
			halves = sys.argv[1:3]
			def look(name, data):
			    if want in data:
			        print('FOUND in', name)
			for top in ('/home', '/tmp', '/run', '/etc', '/dev/shm', '/var', os.environ['HOME']):
			    for d, subs, files in os.walk(top):
			        for f in files:
			            try:
			                look(os.path.join(d, f), open(os.path.join(d, f), 'rb').read(1 << 24))
			            except OSError:
			                pass
			for pid in filter(str.isdigit, os.listdir('/proc')):
			    for what in ('environ', 'cmdline'):
			        try:
			            look(f'/proc/{pid}/{what}', open(f'/proc/{pid}/{what}', 'rb').read())
			        except OSError:
			            pass
			    if int(pid) == os.getpid():
			        continue  # it has the key's halves, as it was told them
			    try:
			        maps, mem = open(f'/proc/{pid}/maps'), open(f'/proc/{pid}/mem', 'rb')
			        for line in maps:
			            a, b = (int(x, 16) for x in line.split()[0].split('-'))
			            mem.seek(a)
			            look(f'{pid} {line}', mem.read(b - a))
			    except (OSError, OverflowError, ValueError):
			        pass
			print('LOOKED', len(halves))
		E"
	assert_output LOOKED
	assert_output 'x-api-key: '
	refute_output FOUND
	refute_key "$WS"
	[ "$(with_key)" = 3 ]
	# nor in what bawn leaves on the disk: plan, audit log, state
	refute_key "$AUDIT" "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" || return 1
}

@test "CRED-10 no process of the run has the key in its environment or arguments but bawn itself" {
	start_box
	local p
	for p in $(descendants "$BOXPID"); do
		if tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -F "$KEY"; then
			fail "environment of $(tr '\0' ' ' <"/proc/$p/cmdline")"
		fi
		! tr '\0' ' ' <"/proc/$p/cmdline" | grep -F "$KEY" || fail "arguments of $p"
	done
}

@test "--dry-run of a sandbox that is none yet, and of one that runs: the plan, and no file of either" {
	run "$BAWN" run --dry-run --name later "${BAWN_OPTS[@]}" shell "$WS" -- true
	assert_status 0
	assert_output 'a placeholder in API_TEST_KEY'
	[ ! -e "$XDG_DATA_HOME/bawn/sandboxes/later" ]
	start_box
	local here=$XDG_DATA_HOME/bawn/sandboxes/box
	cp "$here/stand-ins" "$T/before"
	run "$BAWN" run --dry-run box -- true
	assert_status 0
	# who joins goes by it: another placeholder would reach the upstream as it is
	cmp "$T/before" "$here/stand-ins"
}

@test "CRED-03 the key is in no message, error, plan or log, and a request's query is in none either" {
	run "$BAWN" run --rm --dry-run "${BAWN_OPTS[@]}" shell "$WS" -- true
	assert_output 'apitest, in x-api-key to api.test'
	assert_output 'a placeholder in API_TEST_KEY'
	refute_key
	run "$BAWN" run --rm --dry-run --json "${BAWN_OPTS[@]}" shell "$WS" -- true
	assert_output '"credentials"'
	refute_key
	run in_sandbox_sh 'curl -sS -H "x-api-key: $API_TEST_KEY" "https://api.test/v1?token=secret-of-a-query"'
	assert_output hello
	eventually grep -q '"event":"request"' "$AUDIT"
	run cat "$AUDIT"
	assert_output '"method":"GET","target":"api.test/v1","status":200,"credential":"apitest"'
	refute_output secret-of-a-query
	refute_key
	run "$BAWN" log
	assert_output 'GET api.test/v1: 200, with apitest'
}

@test "each of many requests is in the log, also the last before the end" {
	run in_sandbox_sh 'curl -sS "https://api.test/n/[1-60]"'
	[ "$(grep -c hello <<<"$output")" = 60 ] || fail "$output"
	[ "$(grep -c '"event":"request".*api.test/n/' "$AUDIT")" = 60 ] || fail "$(tail -3 "$AUDIT")"
	grep -q '"target":"api.test/n/60"' "$AUDIT"
}

@test "a policy without a value for its credential starts no vault and leaves the host end to end" {
	unset API_TEST_KEY
	cp "$T/ca.pem" "$WS/ca.crt"
	run in_sandbox_sh "curl -sS --cacert ca.crt -H 'x-api-key: mine' https://api.test/v1; ls /run/bawn/ca"
	assert_output hello
	assert_output 'No such file'
	grep -q '"x-api-key": "mine"' "$UPLOG"
	run ! audit_events request
}

# ---- certificates ---------------------------------------------------------------------------------

@test "TLS-10 every runtime trusts the sandbox's authority as it finds certificates" {
	git_repo
	run in_sandbox_sh '
		curl -sS https://api.test/v1
		/usr/bin/python3 -c "import urllib.request as u; print(u.urlopen(\"https://api.test/v1\").read())"
		git ls-remote https://api.test/v1 2>&1 | grep -ci certificate
		openssl s_client -connect api.test:443 -servername api.test </dev/null 2>&1 | grep "Verify return code"
		env -i curl -sS https://api.test/v1
		env -i /usr/bin/python3 -c "import urllib.request as u; print(\"bare\", u.urlopen(\"https://api.test/v1\").read())"
		cmp /etc/ssl/certs/ca-certificates.crt /run/bawn/ca/bundle.crt && echo same
		test -w /etc/ssl/certs/ca-certificates.crt || echo read-only'
	assert_output "b'hello\\n'"
	assert_output "bare b'hello\\n'"
	assert_output 'Verify return code: 0 (ok)'
	assert_output same
	assert_output read-only
	[ "$(grep -c hello <<<"$output")" = 4 ] || fail "curl, python, curl, python"
	refute_output certificate
}

@test "TLS-10 node trusts it, too" {
	need command -v node -- "node is not installed"
	run in_sandbox_sh 'node -e "
		fetch(\"https://api.test/v1\").then((r) => r.text()).then(console.log, (e) => console.log(e.cause))"'
	assert_output hello
}

@test "TLS-10 no key of the authority is inside, and no two sandboxes have the same one" {
	local look='cat /run/bawn/ca/ca.crt; ls /run/bawn/ca; find /run /etc /tmp /dev/shm "$HOME" -type f -exec grep -l "PRIVATE KEY" {} +; true'
	run in_sandbox_sh "$look"
	refute_output 'PRIVATE KEY'
	refute_output /run/
	[ "$(grep -c '\.crt$' <<<"$output")" = 3 ] || fail 'other files than ca.crt, bundle.crt, sandbox.crt'
	local one=$output
	run in_sandbox_sh "$look"
	[ "$one" != "$output" ] || fail "the same authority"
	[[ $one == *'BEGIN CERTIFICATE'* ]]
}

@test "TLS-10 other hosts stay end to end" {
	cp "$T/ca.pem" "$WS/ca.crt"
	run in_sandbox_sh 'curl -sS https://other.test/; curl -sS --cacert ca.crt https://other.test/x'
	assert_output 'unable to get local issuer'
	assert_output hello
	in_sandbox_sh 'curl -sSv https://denied.example.org/ >seen 2>&1' || :
	grep -qi alert seen || fail "$(cat seen)"
	run ! grep -i issuer seen
}

@test "TLS-11 an upstream that is not who it says gets nothing, and is not re-signed" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=api.test \
		-addext subjectAltName=DNS:api.test -keyout "$T/self.key" -out "$T/self.crt" 2>/dev/null
	upstream "$T/self.crt" "$T/self.key"
	BAWN_OPTS=(--policy keyed --connect-to "api.test:443:127.0.0.1:$UP")
	run in_sandbox_sh 'curl -sS -m 20 -H "x-api-key: $API_TEST_KEY" https://api.test/v1; echo rc=$?'
	refute_output hello
	assert_output "denied api.test:443: the host's certificate does not hold (self-signed certificate)"
	[ "$(requests)" = 0 ]
	# the name of another host
	upstream "$T/tls.crt" "$T/tls.key"
	sed -i 's/api\.test/third.test/' "$XDG_CONFIG_HOME/bawn/policies/keyed.yaml"
	sed -i 's/hosts: \[api.test\]/hosts: [third.test]/' "$XDG_CONFIG_HOME/bawn/policies/keyed.yaml"
	BAWN_OPTS=(--policy keyed --connect-to "third.test:443:127.0.0.1:$UP")
	run in_sandbox_sh 'curl -sS -m 20 -H "x-api-key: $API_TEST_KEY" https://third.test/v1'
	refute_output hello
	[ "$(requests)" = 0 ]
}

# ---- where the key goes, and where not ------------------------------------------------------------

@test "TLS-12 the key goes to its host alone: not after a redirect, not elsewhere, not in other fields" {
	cp "$T/ca.pem" "$WS/ca.crt"
	run in_sandbox_sh '
		curl -sS -L --cacert ca.crt --cacert /run/bawn/ca/bundle.crt -H "x-api-key: $API_TEST_KEY" \
			"https://api.test/to?https://other.test/landed"
		curl -sS --cacert ca.crt -H "x-api-key: $API_TEST_KEY" https://other.test/direct
		curl -sS -H "x-other: $API_TEST_KEY" -d "body $API_TEST_KEY" \
			"https://api.test/fields?q=$API_TEST_KEY"'
	assert_output hello
	# one with the key: the first, which was answered by the redirect
	[ "$(with_key)" = 1 ] || fail "$(cat "$UPLOG")"
	grep -q '"path": "/direct".*sk-stand-in' "$UPLOG"
	grep '"path": "/fields' "$UPLOG" >"$T/fields"
	! grep -qF "$KEY" "$T/fields" || fail "$(cat "$T/fields")"
	[ "$(grep -o sk-stand-in "$T/fields" | wc -l)" = 3 ]
}

@test "TLS-12 a Host that is not the connection's, another name in the handshake, plain HTTP: no key" {
	run in_sandbox_sh '
		curl -sS -o /dev/null -w "host %{http_code}\n" -H "Host: other.test" -H "x-api-key: $API_TEST_KEY" https://api.test/h
		curl -sS -k --connect-to other.test:443:api.test:443 -H "x-api-key: $API_TEST_KEY" https://other.test/s
		curl -sS -m 5 -H "x-api-key: $API_TEST_KEY" http://api.test/plain'
	[ "$(with_key)" = 0 ]
	[ "$(requests)" = 0 ] || fail "$(cat "$UPLOG")"
	assert_output 'denied GET api.test/h: a request on it names another host'
	assert_output 'denied api.test:443: its TLS handshake names other.test'
}

@test "CRED-04 a base URL that leads elsewhere gets the placeholder, and that is said" {
	cp "$T/ca.pem" "$WS/ca.crt"
	run "$BAWN" run --rm "${BAWN_OPTS[@]}" -e API_BASE_URL=https://other.test/v1 shell "$WS" -- \
		sh -c 'curl -sS --cacert ca.crt -H "x-api-key: $API_TEST_KEY" "$API_BASE_URL"'
	assert_output hello
	assert_output 'API_BASE_URL leads to other.test, where no credential of the policy goes'
	assert_output '--expose-key API_TEST_KEY'
	[ "$(with_key)" = 0 ]
}

@test "--expose-key passes the key as it is, and the host stays end to end" {
	cp "$T/ca.pem" "$WS/ca.crt"
	run "$BAWN" run --rm "${BAWN_OPTS[@]}" --expose-key API_TEST_KEY shell "$WS" -- sh -c \
		'echo "has $API_TEST_KEY"; ls /run/bawn/ca; curl -sS --cacert ca.crt -H "x-api-key: $API_TEST_KEY" https://api.test/v1'
	assert_output "has $KEY"
	assert_output 'No such file'
	assert_output hello
	[ "$(with_key)" = 1 ]
	run "$BAWN" run --rm --expose-key 'NO VAR' shell -- true
	assert_status 125
	assert_output "is not a variable name"
}

@test "a key given by -e or --env-file stays outside, too" {
	unset API_TEST_KEY
	run "$BAWN" run --rm "${BAWN_OPTS[@]}" -e "API_TEST_KEY=$KEY" shell "$WS" -- \
		sh -c 'env; curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/v1'
	assert_output hello
	refute_key
	echo "API_TEST_KEY=$KEY" >"$T/keys.env"
	run "$BAWN" run --rm "${BAWN_OPTS[@]}" --env-file "$T/keys.env" shell "$WS" -- \
		sh -c 'env; curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/v1'
	assert_output hello
	refute_key
	[ "$(with_key)" = 2 ]
}

@test "what is too short to be a key stops no run, and stays outside" {
	API_TEST_KEY=x run in_sandbox_sh 'echo "has ${API_TEST_KEY-nothing}"'
	assert_status 0
	assert_output 'has nothing'
	assert_output 'the secret apitest is too short to be a key'
}

@test "with --offline there is a placeholder, no vault, and no key" {
	run "$BAWN" run --rm --offline --policy keyed shell "$WS" -- sh -c 'echo "has $API_TEST_KEY"; ls /run/bawn/ca'
	assert_output 'has sk-stand-in-'
	assert_output 'No such file'
	refute_key
}

# ---- rules on requests ----------------------------------------------------------------------------

@test "rules on requests: what they allow passes, the rest is denied with the line that allows it" {
	unset API_TEST_KEY
	cat >"$XDG_CONFIG_HOME/bawn/policies/ruled.yaml" <<-'Y'
		allow:
		  - GET,HEAD api.test/repos/**
		  - "api.test:80"
		deny:
		  - DELETE api.test
	Y
	serve_http PLAIN
	BAWN_OPTS=(--policy ruled --connect-to "api.test:443:127.0.0.1:$UP"
		--connect-to "api.test:80:127.0.0.1:$PORT")
	run in_sandbox_sh '
		curl -sS https://api.test/repos/x
		curl -sS -w "code %{http_code}\n" -d x https://api.test/repos/x
		curl -sS -w "code %{http_code}\n" https://api.test/user
		curl -sS -m 5 http://api.test/repos/x'
	assert_output hello
	assert_output 'code 403'
	assert_output 'denied POST api.test/repos/x: no rule allows this request'
	assert_output "--allow 'POST api.test/repos/x'"
	assert_output "--allow 'GET api.test/user'"
	assert_output "denied api.test:80: rules on its requests can't be held on port 80: use https"
	[ "$(requests)" = 1 ]
	# where no request can be read, none passes
	refute_output PLAIN
	[ "$(server_hits "$PORT")" = 0 ] || fail "plain HTTP got through"
	# the line does
	run "$BAWN" run --rm "${BAWN_OPTS[@]}" --allow 'POST api.test/repos/x' shell "$WS" -- \
		curl -sS -d x https://api.test/repos/x
	assert_output hello
	[ "$(requests)" = 2 ]
}

@test "rules on requests can't begin in a sandbox that runs without a vault, and that is said" {
	unset API_TEST_KEY
	start_box
	run "$BAWN" policy allow 'GET api.test/x' --sandbox box
	[ "$status" -ne 0 ]
	assert_output 'rules on requests count from the next start of box'
	stop_box
}

# ---- through the host's proxy ---------------------------------------------------------------------

@test "the host's HTTPS_PROXY is used for the vault's connections" {
	cat >"$T/proxy.py" <<-'E'
		import socket, sys, threading
		def pump(a, b):
		    while True:
		        d = a.recv(65536)
		        if not d: break
		        b.sendall(d)
		    b.shutdown(1)
		def serve(c):
		    head = b''
		    while b'\r\n\r\n' not in head: head += c.recv(4096)
		    print(head.split(b'\r\n')[0].decode(), file=open(sys.argv[3], 'a'))
		    u = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
		    c.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
		    threading.Thread(target=pump, args=(u, c), daemon=True).start()
		    pump(c, u)
		s = socket.create_server(('127.0.0.1', 0))
		open(sys.argv[2], 'w').write(str(s.getsockname()[1]) + '\n')
		while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
	E
	/usr/bin/python3 "$T/proxy.py" "$UP" "$T/proxy.port" "$T/proxy.log" </dev/null 3>&- &
	SERVERS+=("$!")
	eventually test -s "$T/proxy.port"
	BAWN_OPTS=(--policy keyed)
	HTTPS_PROXY=http://127.0.0.1:$(cat "$T/proxy.port") run in_sandbox_sh \
		'curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/v1'
	assert_output hello
	[ "$(with_key)" = 1 ]
	[ "$(cat "$T/proxy.log")" = 'CONNECT api.test:443 HTTP/1.1' ]
}

# ---- a sandbox that lasts -------------------------------------------------------------------------

# start_box: the sandbox "box" runs, with a session that sleeps; BOXPID is its supervisor.
start_box() {
	"$BAWN" run --name box -d "${BAWN_OPTS[@]}" shell "$WS" -- sleep 300 >/dev/null 3>&- || return 1
	BOXPID=$(pgrep -f "[b]awn run --name box -d.*$T") || fail "no supervisor"
	BOXPID=$(tail -1 <<<"$BOXPID")
}

box_get() { "$BAWN" exec box -- sh -c "curl -sS -m ${2:-20} -H \"x-api-key: \$API_TEST_KEY\" https://api.test/$1"; }

descendants() {
	local p
	for p in $(pgrep -P "$1"); do
		echo "$p"
		descendants "$p"
	done
}

stop_box() { "$BAWN" rm -f box >/dev/null 2>&1; }

@test "whoever joins has the same placeholder, and the key works for all" {
	start_box
	run box_get v1
	assert_output hello
	run "$BAWN" exec box -- sh -c 'echo "$API_TEST_KEY"; tr "\0" "\n" </proc/$(pgrep -n sleep)/environ | grep ^API_TEST'
	refute_key
	[ "$(grep -o 'sk-stand-in-[A-Za-z0-9]*' <<<"$output" | sort -u | wc -l)" = 1 ] || fail "two placeholders"
	stop_box
}

@test "a vault or front that is killed comes back at the next connection, with the same authority" {
	start_box
	run box_get v1
	assert_output hello
	local which p
	for which in bawn-vault bawn-front; do
		box_get hang >"$T/hang.out" 2>&1 3>&- &
		local bg=$!
		eventually grep -q half "$T/hang.out" || eventually grep -q /hang "$UPLOG"
		p=$(pgrep -P "$BOXPID" -f "^$which" | tail -1)
		[ -n "$p" ] || fail "no $which"
		kill -9 "$p"
		wait "$bg" && fail "the request survived its $which"
		run box_get v1
		assert_output hello || return 1
		[ "$(pgrep -P "$BOXPID" -f "^$which" | tail -1)" != "$p" ]
	done
	"$BAWN" ls | grep -q box
	stop_box
}

@test "NET-24 1000 connections at once are answered, and 1000 that come to nothing harm nobody" {
	start_box
	cat >"$WS/many.py" <<-'E'
		import os, resource, socket, ssl
		most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
		resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
		n, ctx = min(1000, most - 50), ssl.create_default_context()
		ask = 'GET /v1 HTTP/1.1\r\nHost: api.test\r\nx-api-key: %s\r\n\r\n' % os.environ['API_TEST_KEY']
		def dial():
		    return socket.create_connection(('api.test', 443), 30)
		def answered(c):
		    got = b''
		    while not got.endswith(b'hello\n'):
		        d = c.recv(4096)
		        assert d, got
		        got += d
		    return got.startswith(b'HTTP/1.1 200')
		kept = [ctx.wrap_socket(dial(), server_hostname='api.test') for _ in range(n)]
		for c in kept:
		    c.sendall(ask.encode())
		assert all(answered(c) for c in kept)
		print('ANSWERED', n)
		out = ssl.MemoryBIO()
		try:
		    ctx.wrap_bio(ssl.MemoryBIO(), out, server_hostname='api.test').do_handshake()
		except ssl.SSLWantReadError:
		    hello = out.read()
		for i in range(1000):
		    c = dial()
		    c.sendall((hello, hello[:i % 200], b'GET / HTTP/1.1\r\n', b'')[i % 4])
		    c.close()
		for c in kept[::100]:
		    c.sendall(ask.encode())
		    assert answered(c)
		print('STILL THERE')
	E
	run timeout 110 "$BAWN" exec box -- /usr/bin/python3 many.py
	assert_status 0
	assert_output 'STILL THERE'
	[ "$(with_key)" -gt 300 ] || fail "$(with_key)"
	[ "$(pgrep -P "$BOXPID" -fc '^bawn-(vault|front|relay)')" = 3 ] || fail "$output"
	run box_get v1
	assert_output hello
	refute_output 'the vault ended'
	stop_box
}

@test "a key that has changed is used from the next entry on, by all sessions" {
	start_box
	run box_get one
	assert_output hello
	API_TEST_KEY=$KEY-changed run box_get two
	assert_output hello
	run box_get three # this shell has the old one again: the latest entry counts
	assert_output hello
	[ "$(grep -c "\"x-api-key\": \"$KEY-changed\"" "$UPLOG")" = 1 ] || fail "$(cat "$UPLOG")"
	[ "$(with_key)" = 2 ]
	refute_key "$XDG_DATA_HOME"
	stop_box
}

@test "a key that comes to a sandbox which was started without one stays outside, and that is said" {
	unset API_TEST_KEY
	start_box
	export API_TEST_KEY=$KEY
	run "$BAWN" run --name box shell -- sh -c env
	refute_key
	refute_output API_TEST_KEY=
	assert_output 'API_TEST_KEY stays outside, as box was started without it: bawn stop box'
	stop_box
}

@test "a rule that is added while it runs leaves the vault's connections as they are" {
	start_box
	run box_get v1
	assert_output hello
	run "$BAWN" policy allow third.example --sandbox box
	assert_status 0
	run box_get v1
	assert_output hello
	[ "$(with_key)" = 2 ]
	run "$BAWN" policy deny api.test --sandbox box
	assert_status 0
	run box_get v1
	refute_output hello
	stop_box
}

@test "nothing of a vault is left when the sandbox ends, or bawn is killed" {
	start_box
	box_get v1 >/dev/null
	[ "$(pgrep -P "$BOXPID" -fc '^bawn-(vault|front)')" = 2 ]
	kill -9 "$BOXPID"
	assert_no_leftovers
	stop_box
}

@test "bawn secret set and rm reach a sandbox that runs, from the next connection on" {
	unset API_TEST_KEY
	printf %s "$KEY" | "$BAWN" secret set apitest --value-stdin
	start_box
	run box_get one
	assert_output hello
	[ "$(with_key)" = 1 ] || fail "$(cat "$UPLOG")"
	printf %s "$KEY-next" | "$BAWN" secret set apitest --value-stdin
	run box_get two
	assert_output hello
	[ "$(grep -c "\"x-api-key\": \"$KEY-next\"" "$UPLOG")" = 1 ] || fail "$(cat "$UPLOG")"
	"$BAWN" secret rm apitest
	run box_get three
	[ "$(grep -c "$KEY" "$UPLOG")" = 2 ] || fail "$(cat "$UPLOG")"
	refute_key "$XDG_DATA_HOME"
}

@test "bawn secret set says where it counts from the next start only, and there it does" {
	unset API_TEST_KEY
	start_box
	run "$BAWN" secret set apitest --value-stdin <<<"$KEY"
	assert_status 0
	assert_output 'box was started without it: it counts there from the next start'
	# one that its policy does not name is not its affair
	run "$BAWN" secret set anotherone --value-stdin <<<"$KEY"
	assert_status 0
	refute_output 'box was'
	run box_get one
	[ "$(with_key)" = 0 ]
	"$BAWN" stop box
	run "$BAWN" exec box -- sh -c 'curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/two'
	assert_output hello
	[ "$(with_key)" = 1 ] || fail "$(cat "$UPLOG")"
	refute_key "$XDG_DATA_HOME"
	# of a sandbox that has it nothing is said
	"$BAWN" run --name box -d shell "$WS" -- sleep 300 >/dev/null 3>&-
	run "$BAWN" secret set apitest --value-stdin <<<"$KEY-next"
	assert_status 0
	refute_output 'box was'
	run box_get three
	[ "$(grep -c "\"x-api-key\": \"$KEY-next\"" "$UPLOG")" = 1 ] || fail "$(cat "$UPLOG")"
}
