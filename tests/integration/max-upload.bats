#!/usr/bin/env bats
# max-upload.bats - TLS-14 how much a run may send to a host holds on every kind of connection: what
# stays end to end, plain HTTP, other protocols, and what the vault terminates.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load vault.sh

setup() {
	vault_setup || return 1
	unset API_TEST_KEY
	cp "$T/ca.pem" "$WS/ca.crt"
	POLICY=$XDG_CONFIG_HOME/bawn/policies/limited.yaml
	BAWN_OPTS=(--policy limited)
}
teardown() { bawn_teardown; }

# sink [BYTES]: a server that keeps all it gets in $T/got, and says when it has so many.
sink() {
	: >"$T/got"
	serve_tcp "head -c ${1:-0} >>'$T/got'; [ ${1:-0} = 0 ] || echo all is there; cat >>'$T/got'"
}

# arrived [PATH]: bytes of bodies that the upstream got
arrived() {
	python3 -c 'import json, sys
print(sum(len(e["body"]) for e in map(json.loads, open(sys.argv[1])) if sys.argv[2] in e["path"]))' \
		"$UPLOG" "${1:-}"
}

got() { stat -c %s "$T/got"; }

@test "TLS-14 a host that stays end to end: no more than that is sent, and the rule is named" {
	echo 'allow: [{host: other.test, max-upload: 100KB}]' >"$POLICY"
	BAWN_OPTS+=(--connect-to "other.test:443:127.0.0.1:$UP")
	head -c 40000 /dev/urandom | base64 -w0 >"$WS/small"
	head -c 400000 /dev/urandom | base64 -w0 >"$WS/big"
	run in_sandbox_sh '
		ls /run/bawn/ca
		for i in 1 2 3; do curl -sS --cacert ca.crt -d @small https://other.test/$i || echo "rc $?"; done
		curl -sS --cacert ca.crt https://other.test/after || echo "rc $?"'
	assert_output 'No such file' # no vault for this
	[ "$(grep -c ^hello <<<"$output")" = 1 ] || fail "one fits"
	[ "$(grep -c '^rc ' <<<"$output")" = 3 ]
	assert_output 'denied other.test:443: the policy lets a run send 100000 bytes there (max-upload), and they are used up'
	assert_output "limited.yaml:1: allow other.test"
	[ "$(arrived)" -le 100000 ] || fail "$(arrived) bytes"
	run "$BAWN" log
	assert_output 'max-upload'
	# another run has its own
	run in_sandbox_sh 'curl -sS --cacert ca.crt -d @small https://other.test/'
	assert_output hello
	# one large one
	run in_sandbox_sh 'curl -sS --cacert ca.crt -d @big https://other.test/big || echo "rc $?"'
	assert_output 'rc '
	[ "$(arrived big)" -le 100000 ] || fail "$(arrived big) bytes"
}

@test "TLS-14 a port of another protocol, many connections at once: to the byte" {
	echo 'allow: [{host: "other.test:7000", max-upload: 1MB}]' >"$POLICY"
	sink
	BAWN_OPTS+=(--connect-to "other.test:7000:127.0.0.1:$PORT")
	run in_sandbox_sh '
		for i in 1 2 3 4 5 6 7 8; do
			(head -c 300000 /dev/zero; sleep 1) | timeout 5 bash -c "cat >/dev/tcp/other.test/7000" 2>/dev/null &
		done; wait; echo done'
	assert_output done
	assert_output 'denied other.test:7000: the policy lets a run send 1000000 bytes there (max-upload)'
	[ "$(got)" -le 1000000 ] || fail "$(got) bytes"
	[ "$(got)" -ge 200000 ] || fail "$(got) bytes"
}

@test "TLS-14 raw connections, and what fits exactly" {
	echo 'allow: [{host: "other.test:443", raw: true, max-upload: 1000KiB}]' >"$POLICY"
	sink 1024000
	BAWN_OPTS+=(--connect-to "other.test:443:127.0.0.1:$PORT")
	run in_sandbox bash -c 'exec 3<>/dev/tcp/other.test/443 && head -c 1024000 /dev/zero >&3 && timeout 30 head -1 <&3'
	assert_output 'all is there'
	refute_output denied
	[ "$(got)" = 1024000 ] || fail "$(got) bytes"
	: >"$T/got"
	run in_sandbox_sh 'head -c 1024001 /dev/zero | bash -c "cat >/dev/tcp/other.test/443"; sleep 0.5'
	assert_output 'denied other.test:443: the policy lets a run send 1024000 bytes'
	[ "$(got)" -le 1024000 ] || fail "$(got) bytes"
}

@test "TLS-14 plain HTTP on port 80" {
	echo 'allow: [{host: "plain.test:80", max-upload: 50KB}]' >"$POLICY"
	serve_http PLAIN
	BAWN_OPTS+=(--connect-to "plain.test:80:127.0.0.1:$PORT")
	head -c 60000 /dev/zero | tr '\0' x >"$WS/body"
	run in_sandbox_sh '
		curl -sS http://plain.test/
		curl -sS -m 10 -d @body http://plain.test/ || echo "rc $?"'
	assert_output PLAIN
	assert_output 'denied plain.test:80: the policy lets a run send 50000 bytes there (max-upload)'
}

@test "TLS-14 on a host that the vault terminates the request is answered, and the rule named" {
	cat >"$POLICY" <<-'Y'
		allow:
		  - {host: api.test, max-upload: 50KB}
		credentials:
		  - secret: apitest
		    hosts: [api.test]
		    header: x-api-key
		    env: [API_TEST_KEY]
	Y
	export API_TEST_KEY=$KEY
	BAWN_OPTS+=(--connect-to "api.test:443:127.0.0.1:$UP")
	head -c 60000 /dev/zero | tr '\0' x >"$WS/body"
	run in_sandbox_sh '
		curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/
		curl -sS -d @body https://api.test/; curl -sS https://api.test/ -d @body'
	assert_output hello
	assert_output 'denied POST api.test/: the policy'
	assert_output 'limited.yaml:2: allow api.test'
	[ "$(arrived)" -le 50000 ] || fail "$(arrived) bytes"
}

@test "TLS-14 what went to a host end to end counts once the vault terminates it, and the other way round" {
	cat >"$POLICY" <<-'Y'
		allow:
		  - {host: other.test, max-upload: 100KB}
		  - api.test
		credentials:
		  - {secret: apitest, hosts: [api.test], header: x-api-key, env: [API_TEST_KEY]}
		  - {secret: later, hosts: [other.test], header: x-later, env: [LATER]}
	Y
	export API_TEST_KEY=$KEY
	BAWN_OPTS+=(--connect-to "api.test:443:127.0.0.1:$UP" --connect-to "other.test:443:127.0.0.1:$UP")
	head -c 45000 /dev/urandom | base64 -w0 >"$WS/body"
	head -c 8000 /dev/urandom | base64 -w0 >"$WS/little"
	local send='for i in 1 2; do curl -sS $CA -d @$BODY https://other.test/ || echo "rc $?"; done'
	"$BAWN" run --name box -d "${BAWN_OPTS[@]}" shell "$WS" -- sleep 300 >/dev/null 3>&-
	run "$BAWN" exec -e CA='--cacert ca.crt' -e BODY=body box -- sh -c "curl -sS \$CA -d @body https://other.test/"
	assert_output hello
	local before
	before=$(arrived)
	[ "$before" = 60000 ] || fail "$before"
	printf %s later-0123456789abcdef | "$BAWN" secret set later --value-stdin
	# it is terminated now: its own certificate is nowhere to be seen
	eventually "$BAWN" exec box -- curl -sS -o /dev/null https://other.test/
	run "$BAWN" exec -e CA= -e BODY=little box -- sh -c "$send"
	[ "$(grep -c ^hello <<<"$output")" = 2 ] || fail 'these fit'
	run "$BAWN" exec -e CA= -e BODY=body box -- sh -c "$send"
	refute_output hello
	[ "$(arrived)" -le 100000 ] || fail "$(arrived) bytes"
	"$BAWN" rm -f box >/dev/null 2>&1
	# and back: what went by the vault
	: >"$UPLOG"
	"$BAWN" run --name box -d "${BAWN_OPTS[@]}" shell "$WS" -- sleep 300 >/dev/null 3>&-
	run "$BAWN" exec box -- curl -sS -d @body https://other.test/
	assert_output hello
	"$BAWN" secret rm later
	eventually "$BAWN" exec box -- curl -sS --cacert ca.crt -o /dev/null https://other.test/
	run "$BAWN" exec -e CA='--cacert ca.crt' -e BODY=body box -- sh -c "$send"
	refute_output hello
	[ "$(arrived)" -le 100000 ] || fail "$(arrived) bytes"
	"$BAWN" rm -f box >/dev/null 2>&1
}

@test "rules on requests to port 80 are refused where they are written" {
	echo 'allow: ["GET plain.test:80/x"]' >"$POLICY"
	run "$BAWN" run --rm --policy limited shell "$WS" -- true
	assert_status 125
	assert_output 'limited.yaml:1:9: rule "GET plain.test:80/x": requests are read where TLS ends, not on port 80'
	run "$BAWN" run --rm --deny 'POST plain.test:443,80' shell "$WS" -- true
	assert_status 125
	assert_output 'not on port 80'
}

@test "TLS-14 it goes on while the rules of a sandbox change" {
	echo 'allow: [{host: other.test, max-upload: 100KB}]' >"$POLICY"
	BAWN_OPTS+=(--connect-to "other.test:443:127.0.0.1:$UP")
	head -c 40000 /dev/urandom | base64 -w0 >"$WS/small"
	"$BAWN" run --name box -d "${BAWN_OPTS[@]}" shell "$WS" -- sleep 300 >/dev/null 3>&-
	run "$BAWN" exec box -- curl -sS --cacert ca.crt -d @small https://other.test/1
	assert_output hello
	run "$BAWN" policy allow third.test --sandbox box
	assert_status 0
	run "$BAWN" exec box -- curl -sS --cacert ca.crt -d @small https://other.test/2
	refute_output hello
	[ "$(arrived)" -le 100000 ] || fail "$(arrived) bytes"
	"$BAWN" rm -f box >/dev/null 2>&1
}
