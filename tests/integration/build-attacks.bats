#!/usr/bin/env bats
# build-attacks.bats - what other builders were made to do by a hostile Dockerfile, context or stage: nothing
# of it here (TPL-14).
bats_require_minimum_version 1.5.0
load ../lib.sh
load build.sh

setup() {
	build_setup
	base
	VICTIM=$BATS_TEST_TMPDIR/victim
	mkdir -p "$VICTIM/b"
	: >"$VICTIM/e"
	echo secret >"$VICTIM/s"
	echo hi >"$C/f"
	find "$VICTIM" -printf '%p %i %s %m %T@\n' | sort >"$T/was"
}
teardown() {
	find "$VICTIM" -printf '%p %i %s %m %T@\n' | sort | diff "$T/was" - >&2 || fail "the host's files changed"
	build_verify
	build_teardown
}

@test "TPL-14 cache mounts: no id and no source is a path (CVE-2024-9675, CVE-2024-23651)" {
	local id up=../../../../../../../../../../..
	for id in "id=$up$VICTIM" "id=$VICTIM" "from=base,source=$up$VICTIM" "from=base,source=/l"; do
		printf 'FROM base\nRUN --mount=type=cache,target=/m,%s cat /m/s; touch /m/BREAKOUT\n' "$id" |
			dockerfile
		run build -t x "$C"
		run ! grep -x secret <<<"$output"
	done
}

@test "TPL-14 mount points are removed where they were made (CVE-2024-23652), and shared with nobody (CVE-2024-9407)" {
	# their directory becomes a link to one of the host's
	printf 'FROM base\nRUN --mount=type=tmpfs,target=/a/b --mount=type=bind,source=f,target=/a/e mv /a /a2; ln -s %s /a\n' "$VICTIM" |
		dockerfile
	run build -t x "$C"
	printf 'FROM base\nRUN --mount=type=bind,source=f,target=/a/e mv /a /a2 && ln -s %s /a\nRUN ls /a2\n' "$VICTIM" |
		dockerfile
	run build -t x "$C"
	dockerfile <<<$'FROM base\nRUN --mount=type=bind,source=.,target=/m,bind-propagation=shared ls /m'
	run -125 build -t x "$C"
	assert_output 'bind-propagation" is not known'
	# what is bound to be written is written for that step alone
	dockerfile <<<$'FROM base\nRUN --mount=type=bind,rw,source=.,target=/m echo evil >/m/f; rm /m/Dockerfile'
	build -t x "$C"
	[ "$(cat "$C/f")" = hi ]
	[ -e "$C/Dockerfile" ]
}

@test "TPL-14 accounts that are no file hold nobody up (CVE-2024-9676), numbers that are too large are no root (CVE-2024-40635)" {
	local what
	for what in 'mkfifo /etc/fifo; ln -s fifo /etc/passwd' 'ln -s /dev/zero /etc/passwd' \
		"ln -s $VICTIM/s /etc/passwd" 'ln -s passwd /etc/passwd' 'mkdir /etc/passwd'; do
		printf 'FROM base\nRUN rm /etc/passwd; %s\nUSER bob\nCOPY --chown=bob f /g\nRUN id\n' "$what" |
			dockerfile
		run -125 build -t x "$C"
		assert_output 'there is no user "bob"'
	done
	for what in 4294967296 -1 4294967295 2147483648; do
		printf 'FROM base\nUSER %s\nRUN id\n' "$what" | dockerfile
		run -125 build -t x "$C"
		printf 'FROM base\nCOPY --chown=%s f /g\n' "$what" | dockerfile
		run -125 build -t x "$C"
	done
}

@test "TPL-14 a stage whose directories are links to the host's" {
	local dir
	for dir in etc tmp run root home usr/lib var dev proc; do
		printf 'FROM base\nRUN rm -rf /%s 2>/dev/null; ln -s %s /%s\nRUN touch /%s/x1 ~/x2 || :\nWORKDIR /%s/x3\nCOPY f /%s/x4\nADD f /%s/x5/\n' \
			"$dir" "$VICTIM" "$dir" "$dir" "$dir" "$dir" "$dir" | dockerfile
		run build -t x "$C"
		printf 'FROM base AS s\nRUN ln -s %s /l\nFROM base\nCOPY --from=s /l/s /got\n' "$VICTIM" | dockerfile
		run -125 build -t x "$C"
	done
}

@test "TPL-14 variables that grow, and what nests, have an end" {
	local i
	{
		printf 'FROM base\nENV A=xxxxxxxxxxxxxxxx\n'
		for i in {1..34}; do echo 'ENV A=$A$A'; done
	} | dockerfile
	run -125 build -t x "$C"
	assert_output 'longer than 1 MiB'
	{
		printf 'FROM base\nENV A='
		for i in {1..3000}; do printf '${x:-'; done
		for i in {1..3000}; do printf '}'; done
	} | dockerfile
	run -125 build -t x "$C"
	assert_output 'nest too deep'
}

@test "NET-07 NET-09 TPL-14 ADD reaches nothing of this machine's, by no spelling, and no other scheme" {
	local url
	serve_http canary
	for url in "http://127.0.0.1:$PORT/s" "http://localhost:$PORT/s" "http://0x7f000001:$PORT/s" "http://2130706433:$PORT/s" \
		"http://[::ffff:127.0.0.1]:$PORT/s" "http://127.1:$PORT/x.git" http://169.254.169.254/latest/meta-data/ \
		"file://$VICTIM/s" "ext::cat $VICTIM/s" "https://a:b@127.0.0.1:$PORT/s" "http://x\\@127.0.0.1:$PORT/s" \
		"http://127.0.0.1:$PORT/x.git#-upload-pack=x"; do
		printf 'FROM base\nADD %s /got/\n' "$url" | dockerfile
		run -125 build -t x "$C"
	done
	run -125 build -t x "http://127.0.0.1:$PORT/x.git"
	run -125 build -t x "http://127.0.0.1:$PORT/s"
	[ "$(server_hits "$PORT")" = 0 ]
}
