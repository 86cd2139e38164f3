#!/usr/bin/env bats
# template-vault.bats - keys that the agent never holds, in a template: the sandbox's authority is
# trusted there, in the places of several distributions, and also by what is made inside.
# shellcheck disable=SC2153  # LAYER: templates.sh
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
load agents.sh
load vault.sh
setup() {
	vault_setup
	template_layer
	template_debian
	template_program curl
	template_program tr
	local lib
	for lib in /lib/x86_64-linux-gnu /lib64; do # name resolution is loaded by libc
		[ ! -e "$lib/libnss_dns.so.2" ] || { mkdir -p "$LAYER/usr/lib/x86_64-linux-gnu" && cp -L "$lib"/libnss_{dns,files}.so.2 "$lib/libresolv.so.2" "$LAYER/usr/lib/x86_64-linux-gnu"; }
	done
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# An authority that the template alone trusts.
own_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=of the image" \
		-keyout "$T/image.key" -out "$T/image.pem" 2>/dev/null
	mkdir -p "$(dirname "$1")"
	cp "$T/image.pem" "$1"
}

in_template() {
	"$BAWN" run --rm -q --template base "${BAWN_OPTS[@]}" shell "$WS" -- "$@"
}

# By no variable: only the files of the system count.
plain_curl='unset SSL_CERT_FILE CURL_CA_BUNDLE; curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/v1'

@test "the sandbox's authority is trusted in a template, by its files and by variables" {
	own_ca "$LAYER/etc/ssl/certs/ca-certificates.crt"
	template_commit base 'env PATH=/usr/bin'
	run in_template sh -c "curl -sS -H \"x-api-key: \$API_TEST_KEY\" https://api.test/v1; echo; $plain_curl; echo; cat /etc/ssl/certs/ca-certificates.crt | tr -d '\n'"
	assert_output "hello

hello

-----BEGIN"
	assert_output "$(tr -d '\n' <"$T/image.pem")"
	refute_key
	[ "$(with_key)" = 2 ] || fail "$(cat "$UPLOG")"
}

@test "... where a bundle is a link, of another distribution, or missing" {
	own_ca "$LAYER/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
	mkdir -p "$LAYER/etc/pki/tls/certs" "$LAYER/etc/ssl"
	ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem "$LAYER/etc/pki/tls/certs/ca-bundle.crt"
	ln -s ../pki/tls/certs "$LAYER/etc/ssl/certs"
	template_commit base 'env PATH=/usr/bin'
	run in_template sh -c 'for f in /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-bundle.crt; do unset SSL_CERT_FILE CURL_CA_BUNDLE; curl -sS --cacert $f -H "x-api-key: $API_TEST_KEY" https://api.test/v1; echo; done'
	assert_output "hello

hello"
	LAYERS=("${LAYERS[0]}")
	rm -rf "${LAYER:?}/etc/pki" "$LAYER/etc/ssl"
	: >"$TEMPLATES/tags"
	template_commit base 'env PATH=/usr/bin'
	run in_template sh -c "$plain_curl"
	[ "$output" = hello ] || fail "$output"
}

@test "... and in a bundle that is made anew inside, which replaces the file" {
	need test -x /usr/sbin/update-ca-certificates -- "Debian's ca-certificates"
	template_program openssl
	template_program sed
	for f in basename cut date dirname getopt head hostname mktemp rmdir sort tail test uniq wc xargs run-parts ca-certificates perl; do
		! type -P "$f" >/dev/null || template_program "$f"
	done
	cp /usr/sbin/update-ca-certificates "$LAYER/usr/sbin/"
	mkdir -p "$LAYER/etc/ssl/certs" "$LAYER/usr/share/ca-certificates" "$LAYER/usr/local/share/ca-certificates" "$LAYER/etc/ca-certificates/update.d" "$LAYER/usr/lib/ssl"
	own_ca "$LAYER/usr/share/ca-certificates/image.crt"
	echo image.crt >"$LAYER/etc/ca-certificates.conf"
	cp "$T/image.pem" "$LAYER/etc/ssl/certs/ca-certificates.crt"
	template_commit base 'env PATH=/usr/bin:/usr/sbin'
	"$BAWN" create --name box --template base "${BAWN_OPTS[@]}" shell .
	run "$BAWN" exec box sh -c "update-ca-certificates; $plain_curl"
	assert_output "hello"
	refute_output "Device or resource busy"
	run grep -c BEGIN "$XDG_DATA_HOME/bawn/sandboxes/box/up/root/etc/ssl/certs/ca-certificates.crt"
	[ "$output" -ge 2 ] || fail "$output certificates"
	# the next start has another authority's key, and it works again
	run "$BAWN" exec box sh -c 'curl -sS -H "x-api-key: $API_TEST_KEY" https://api.test/v1'
	[ "$output" = hello ] || fail "$output"
	run "$BAWN" exec box sh -c "update-ca-certificates --fresh; $plain_curl"
	assert_output hello
}

# What this machine's administrator has added, as one line.
added() {
	cat /usr/local/share/ca-certificates/*.crt /etc/pki/ca-trust/source/anchors/* 2>/dev/null |
		sed -n '/BEGIN CERT/,/END CERT/p' | tr -d '\n'
}

@test "without a vault a template's certificates are its own, and those that this machine has added" {
	own_ca "$LAYER/etc/ssl/certs/ca-certificates.crt"
	template_commit base 'env PATH=/usr/bin'
	run "$BAWN" run --rm -q --template base --offline --policy locked shell . -- sh -c 'cat /etc/ssl/certs/ca-certificates.crt; ls /usr/local/share/ca-certificates /run/bawn; echo ${SSL_CERT_FILE-none}'
	assert_output "$(cat "$T/image.pem")"
	refute_output bawn.crt
	if [ -n "$(added)" ]; then
		assert_output /run/bawn/ca/bundle.crt
		run "$BAWN" run --rm -q --template base --offline --policy locked shell . -- sh -c \
			'cat "$SSL_CERT_FILE"; echo; cat "$NODE_EXTRA_CA_CERTS"'
		[[ $(tr -d '\n' <<<"$output") == *"$(added)"*"$(added)" ]] || fail "$output"
		assert_output "$(cat "$T/image.pem")"
	else
		refute_output "
ca
"
		assert_output none
	fi
}
