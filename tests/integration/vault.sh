# shellcheck shell=bash disable=SC2154,SC2034  # status, output: set by bats; variables for the tests
# vault.sh - for tests of keys that the agent never holds: a key, a policy that binds it to
# api.test, and a server behind TLS that plays api.test (vault-upstream.py).
#
# Load behind lib.sh and agents.sh (make_ca).

KEY=sk-real-0123456789abcdefghijklmnop-canary

# vault_setup: $UP is the server's port, $UPLOG its log; the policy is "keyed"; API_TEST_KEY is set,
# and the host trusts the server's authority.
vault_setup() {
	bawn_setup || return 1
	make_ca api.test other.test plain.test
	rm "$WS/ca.crt" # nothing of it is known inside but through bawn
	upstream "$T/tls.crt" "$T/tls.key"
	export SSL_CERT_FILE=$T/ca.pem API_TEST_KEY=$KEY
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	cat >"$XDG_CONFIG_HOME/bawn/policies/keyed.yaml" <<-'Y'
		allow:
		  - api.test
		  - other.test
		  - "plain.test:443,80"
		  - "api.test:80"
		credentials:
		  - secret: apitest
		    hosts: [api.test]
		    header: x-api-key
		    env: [API_TEST_KEY]
		    placeholder: "sk-stand-in-{32}"
	Y
	BAWN_OPTS=(--policy keyed)
	local h
	for h in api.test other.test plain.test; do
		BAWN_OPTS+=(--connect-to "$h:443:127.0.0.1:$UP")
	done
}

# upstream CERTIFICATE KEY: sets UP and UPLOG.
upstream() {
	local i n=${#SERVERS[@]}
	UPLOG=$T/upstream.$n.log
	: >"$UPLOG"
	/usr/bin/python3 "$BAWN_SRCDIR/tests/integration/vault-upstream.py" "$1" "$2" \
		"$T/upstream.$n.port" "$UPLOG" >"$T/upstream.$n.out" 2>&1 </dev/null 3>&- &
	SERVERS+=("$!")
	for ((i = 0; i < 200; i++)); do
		[ -s "$T/upstream.$n.port" ] && break
		sleep 0.05
	done
	UP=$(cat "$T/upstream.$n.port") || fail "no upstream: $(cat "$T/upstream.$n.out")"
}

# The key is nowhere in the last output, nor in the files given, however it is written.
refute_key() {
	local f
	refute_output "$KEY" || return 1
	for f; do
		if grep -rqsaF -e "$KEY" -e "$(printf '%s' "$KEY" | base64 -w0 | tr -d =)" -- "$f"; then
			fail "the key stands in $f"
			return 1
		fi
	done
}

# How many requests the upstream has seen with the key; with anything else in that header.
with_key() { grep -c "\"x-api-key\": \"$KEY\"" "$UPLOG" || :; }
requests() { wc -l <"$UPLOG"; }
