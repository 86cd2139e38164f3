#!/usr/bin/env bats
# add-remote.bats - ADD of URLs (TPL-14): what comes of them, whom they may reach, and servers that
# mean no good.  On a small internet of its own (net/world), in which add-server.py answers.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../net/lib.sh
load build.sh
load add.sh

# What buildah 1.28 makes of the same, file by file.
@test "ADD URL: its name, its mode, its owner, its time, its content" {
	local sum tar
	echo a tar >"$WORLD/add.log.tar"
	tar=$(sha256sum <"$WORLD/add.log.tar" | cut -d' ' -f1)
	sum=$(printf 'what is there\n' | sha256sum | cut -d' ' -f1)
	dockerfile <<-E
		FROM scratch
		ARG V=file
		ADD $AT/dir/\$V?x=/y#z $AT/tar /a/
		ADD $AT/dir/with%20blank /a/
		ADD --chown=7:8 --chmod=0755 $AT/file /b/own
		ADD $AT/once /c/
		ADD $AT/file /c
	E
	run -0 build -t x "$C"
	files x | LC_ALL=C sort -u >"$T/got"
	diff - "$T/got" <<-E
		a 755 0:0
		a/file 600 0:0 1445412480 $sum
		a/tar 600 0:0 0 $tar
		a/with blank 600 0:0 1445412480 $sum
		b 755 7:8
		b/own 755 7:8 1445412480 $sum
		c 755 0:0
		c/file 600 0:0 1445412480 $sum
		c/once 600 0:0 1445412480 $sum
	E
}

@test "ADD URL: what has not changed is cached, what has is not, and nothing is left behind" {
	dockerfile <<-E
		FROM scratch
		ADD $AT/file /
	E
	run -0 build -t x "$C"
	refute_output CACHED
	run -0 build -t x "$C"
	assert_output "CACHED ADD"
	echo other >"$WORLD/add.log.body"
	run -0 build -t x "$C"
	refute_output CACHED
	run -0 files x
	assert_output "$(sha256sum <"$WORLD/add.log.body" | cut -d' ' -f1)"
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "ADD URL: where bawn itself is installed below the home" {
	copy_bawn "$HOME/own"
	printf 'FROM scratch\nADD %s/file /\n' "$AT" | dockerfile
	run -0 in_world "$HOME/own/bawn" build -t x "$C"
}

@test "ADD --checksum: what it says, or nothing; what is cached by it is not asked for" {
	local sum n
	sum=$(printf 'what is there\n' | sha256sum | cut -d' ' -f1)
	dockerfile <<-E
		FROM scratch
		ARG S
		ADD --checksum=sha256:\$S $AT/file /
	E
	run -0 build --build-arg "S=$sum" -t x "$C"
	n=$(asked)
	run -0 build --build-arg "S=$sum" -t x "$C"
	assert_output "CACHED ADD"
	[ "$(asked)" = "$n" ]
	run -125 build --build-arg "S=${sum/[0-9]/f}" -t y "$C"
	assert_output "Dockerfile:3:26: $AT/file has the digest sha256:$sum, and that is not what --checksum says"
	assert_output $'\n                           ^'
	run ! "$BAWN" template inspect y
	run -125 build --build-arg S=00 -t y "$C"
	assert_output "Dockerfile:3:5: --checksum wants sha256: and 64 hex digits"
	echo x >"$C/x"
	printf 'FROM scratch\nADD --checksum=sha256:%s x /\n' "$sum" | dockerfile
	run -125 build -t y "$C"
	assert_output "--checksum is for one source, and that a file at a URL"
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "ADD URL: an archive stays one, unless --unpack says otherwise; where it goes is a file or a directory" {
	mkdir "$C/t"
	echo in >"$C/t/inside"
	tar -C "$C/t" -czf "$WORLD/add.log.tar" inside
	dockerfile <<-E
		FROM scratch
		ADD $AT/tar /plain
		ADD --unpack=true $AT/tar /open/
		ADD $AT/file /open
		ADD --unpack=true $AT/file /none/
	E
	run -0 build -t x "$C"
	run -0 files x
	assert_output "plain 600"
	assert_output "open/inside 644"
	assert_output "open/file 600"
	assert_output "none/file 600"
	refute_output "open/tar"
	local line
	for line in "$AT/?x /" "$AT /a/" "http://u:p@add.example:8080/file /a" "$AT/a%00b /a/" \
		"$AT/%2e%2e /a/" "http:///file /a/" "\"$AT/a b\" /a/"; do
		printf 'FROM scratch\nADD ["%s"]\n' "${line/ \//\", \"\/}" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:"
		assert_output $'\n  ADD '
	done
	printf 'FROM x\nADD %s/ /open\n' "$AT" | dockerfile
	run -125 build -t y "$C"
	assert_output "/open is a directory, and no name"
}

@test "TPL-15 ADD URL: whom it may reach is said by the policy of builds, also where it is led" {
	local url
	for url in http://denied.example:8080/file http://other.test:8080/file \
		http://add.example:81/file https://add.example/file \
		"$AT/to?http://denied.example:8080/file" "$AT/to?http://8.8.8.8:8080/file" \
		"$AT/to?http://10.77.0.1:8080/file"; do
		printf 'FROM scratch\nADD %s /f\n' "$url" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:5: $url: it, or what it leads to, was denied: see above" || return 1
		assert_output "denied during this run:"
	done
	assert_output '10.77.0.1:8080: '
	printf 'FROM scratch\nADD http://other.example:81/file /f\n' | dockerfile
	run -125 build -t y "$C"
	assert_output "other.example:81: no rule allows it"
	assert_output "to allow it: bawn policy allow other.example:81"
	assert_output 'a policy "build" of your own'
	[ "$(grep -c denied.example "$WORLD/dns.log")" = 0 ]
	grep -q '"event":"deny","target":"other.example:81"' "$AUDIT"
	"$BAWN" policy allow other.example:8080
	printf 'FROM scratch\nADD http://other.example:8080/file /f\n' | dockerfile
	run -0 build -t y "$C"
}

@test "ADD URL: names that lead to this machine or its network are refused" {
	local name
	for name in loop ten lan meta own loop6 mapped nat64; do
		printf 'FROM scratch\nADD http://%s.example:8080/file /f\n' "$name" | dockerfile
		run -125 build -t y "$C"
		assert_output "denied during this run:" || return 1
		assert_output "was denied: see above" || return 1
	done
	nothing_came canary
	for name in file:///etc/passwd ftp://add.example/x http://127.0.0.1:8080/x 'http://[::1]:80/' \
		http://169.254.169.254/latest/ http://0.0.0.0:8080/; do
		printf 'FROM scratch\nADD %s/to?%s /f\n' "$AT" "$name" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:5: $AT/to?$name: " || return 1
	done
	nothing_came canary
	run ! "$BAWN" template inspect y
}

@test "ADD URL: a server that lies, breaks off, or has no end" {
	local path
	for path in "short it broke off" "huge are the most" "silent it broke off" \
		"garbage HTTP" "heads has no end" "loop leads on and on: more than 10 redirects" \
		"404 there is no such thing (404)" "401 it refuses this (401)" "500 status 500" \
		"204 status 204" "304 status 304"; do
		printf 'FROM scratch\nADD %s/%s /f\n' "$AT" "${path%% *}" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:5: $AT/${path%% *}: " || return 1
		assert_output "${path#* }" || return 1
		[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ] || return 1
	done
	run ! "$BAWN" template inspect y
	# what is said to be its length is what counts; what broke off begins anew
	printf 'FROM scratch\nADD %s/long %s/flaky /f/\n' "$AT" "$AT" | dockerfile
	run -0 build -t y "$C"
	run -0 files y
	[ "$(grep -c "$(printf 'what is there\n' | sha256sum | cut -d' ' -f1)" <<<"$output")" = 2 ]
	[ "$(grep -c /flaky "$WORLD/add.log")" = 2 ]
}

# fetch URL BYTES: bawn-registry as the sandbox runs it, on the host; its answer.
fetch() {
	rm -rf "$T/in"
	mkdir "$T/in"
	printf 'op fetch\nurl %s\nsize %s\ntries 1\nend\n' "$1" "$2" >"$T/in/request"
	in_world "$BAWN_BUILDDIR/bawn-registry" --in "$T/in"
	local code=$?
	cat "$T/in/answer"
	return $code
}

@test "ADD URL: what has no end is cut off; nor does the helper by itself go where it should not" {
	run -1 fetch "$AT/endless" 1000000
	assert_output "error it sends more than the 1000000 bytes that are the most"
	[ "$(stat -c %s "$T/in/data")" -le 1000000 ]
	run -1 fetch "$AT/file" 5
	assert_output "error it sends 14 bytes, and 5 are the most"
	run -1 fetch "$AT/to?http://127.0.0.1:8080/x" 100
	assert_output "it leads to an address of this machine"
	run -1 fetch "$AT/to?http://loop.example:8080/x" 100
	assert_output "it leads to an address of this machine"
	run -1 fetch "$AT/to?http://u:p@add.example:8080/x" 100
	assert_output "which is no https or http URL"
	run -0 fetch "$AT/asked" 1000
	run cat "$T/in/data"
	assert_output "('User-Agent', 'bawn')"
	refute_output Authorization
	# what was left there is not written over
	mkdir "$T/other"
	cp "$T/in/request" "$T/other"
	echo mine >"$T/other/data"
	run -1 in_world "$BAWN_BUILDDIR/bawn-registry" --in "$T/other"
	[ "$(cat "$T/other/data")" = mine ]
}

@test "ADD URL: by TLS, with the machine's authorities or those of SSL_CERT_FILE; never down from it" {
	local at=https://add.example:9443
	sed -i 's/^allow.*/allow: ["*.example:9443,8080"]/' "$XDG_CONFIG_HOME/bawn/policies/build.yaml"
	printf 'FROM scratch\nADD %s/some/file /\n' "$at" | dockerfile
	run -125 build -t y "$C"
	assert_output "$at/some/file: its certificate is not trusted"
	assert_output "bawn: SSL_CERT_FILE names a file"
	export SSL_CERT_FILE=$WORLD/add.crt
	run -0 build -t y "$C"
	run -0 files y
	assert_output "file 600"
	printf 'FROM scratch\nADD %s/to?%s/file /f\n' "$AT" "$at" | dockerfile
	run -0 build -t y "$C"
	printf 'FROM scratch\nADD %s/to?%s/file /f\n' "$at" "$AT" | dockerfile
	run -125 build -t y "$C"
	assert_output "it leads from https to http"
}

@test "ADD URL: a host whose TLS ends in the vault is met by the sandbox's own authority" {
	cat >"$XDG_CONFIG_HOME/bawn/policies/build.yaml" <<-'Y'
		allow: ["*.example:9443,8080", "add.example:443"]
		credentials:
		  - secret: apitest
		    hosts: ["add.example"]
		    header: x-api-key
		    env: [API_TEST_KEY]
	Y
	export API_TEST_KEY=sk-real-0123456789abcdefghijklmnop SSL_CERT_FILE=$WORLD/add.crt
	printf 'FROM scratch\nADD https://add.example/asked /f\n' | dockerfile
	run -125 build -t y "$C"
	# it is the vault that does not believe the host
	assert_output "add.example:443 (3 times): the host's certificate does not hold"
	assert_output "was denied: see above"
}

@test "a context that is an archive at a URL, or a Dockerfile" {
	printf 'FROM scratch\nCOPY f /\n' >"$C/Dockerfile"
	echo f >"$C/f"
	tar -C "$C" -czf "$WORLD/add.log.tar" .
	run -0 build -t x "$AT/tar"
	run -0 files x
	assert_output "f 6"
	printf 'FROM scratch\nADD %s/once /\n' "$AT" >"$WORLD/add.log.body"
	run -0 build -t x "$AT/dir/Dockerfile"
	run -0 files x
	assert_output "once 600"
	run -125 build -t y "$AT/404"
	assert_output "the context: $AT/404: there is no such thing (404)"
	run -125 build -t y "http://denied.example:8080/tar"
	assert_output "was denied: see above"
	run -125 build -f x -t y "$AT/file"
	assert_output "--file names a file of an archive"
	run ! "$BAWN" template inspect y
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "ADD URL: kept by ONBUILD, and where it is wrong then; one that is killed leaves nothing that runs" {
	local pid
	printf 'FROM scratch\nONBUILD ADD %s/file /on/\n' "$AT" | dockerfile
	run -0 build -t on "$C"
	printf 'FROM on\n' | dockerfile
	run -0 build -t x "$C"
	run -0 files x
	assert_output "on/file 600"
	printf 'FROM scratch\nONBUILD ADD %s/404 /on/\n' "$AT" | dockerfile
	run -0 build -t on "$C"
	printf 'FROM on\n' | dockerfile
	run -125 build -t y "$C"
	assert_output "ONBUILD of on:1:5: $AT/404: there is no such thing"
	printf 'FROM scratch\nADD %s/endless /f\n' "$AT" | dockerfile
	bg killed "$BAWN" build -t y "$C"
	eventually grep -q /endless "$WORLD/add.log"
	pid=${SERVERS[-1]}
	kill -9 "$pid"
	assert_no_leftovers
	run -0 "$BAWN" template prune
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}
