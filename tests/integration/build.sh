# shellcheck shell=bash disable=SC2154  # bats
# build.sh - what the tests of builds share.

CASES=$BAWN_SRCDIR/tests/build

build_setup() {
	bawn_setup
	umask 022
	BUSYBOX=$(command -v busybox) || skip "no busybox"
	export BUSYBOX
	mkdir "$BATS_TEST_TMPDIR/c"
	C=$BATS_TEST_TMPDIR/c
}

build_teardown() {
	chmod -R u+rwx "$BATS_TEST_TMPDIR" 2>/dev/null || :
	bawn_teardown
}

# Each layer's tree is what its tar says.
build_verify() {
	local said
	said=$("$BAWN" template verify -q 2>&1) || fail "verify: $said"
}

build() { timeout 60 "$BAWN" template build "$@"; }

base() {
	mkdir "$BATS_TEST_TMPDIR/base"
	(cd "$BATS_TEST_TMPDIR/base" && bash "$CASES/base.sh") || return
	build -q -t base "$BATS_TEST_TMPDIR/base" >/dev/null
}

dockerfile() { cat >"$C/Dockerfile"; }
