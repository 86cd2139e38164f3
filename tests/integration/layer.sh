# shellcheck shell=bash disable=SC2154,SC2119,SC2120  # bats; options that most calls leave out
# layer.sh - what the tests of bawn-layer share.

layer_setup() {
	bawn_setup
	LAYER=$BAWN_BUILDDIR/bawn-layer
	mkdir "$T/l"
}

# mktar [--no-end] <entries: as tests/integration/layer-tar.py says
mktar() {
	python3 "$BAWN_SRCDIR/tests/integration/layer-tar.py" "$@"
}

# read_layer [KEY=VALUE]... <tar: into a new $T/l; $output is the result text
read_layer() {
	rm -rf "$T/l"
	mkdir "$T/l"
	cat >"$T/read.tar"
	run "$LAYER" read "$@" 3<"$T/l" 4>&- <"$T/read.tar"
}

# again: the layer in $T/l gives the tar that was read
again() {
	"$LAYER" write none 3<"$T/l" 4>"$T/write.res" >"$T/write.tar" || fail "$(cat "$T/write.res")"
	cmp "$T/write.tar" "$T/read.tar"
}

# refuted WORDS...: it failed, and said why
refuted() {
	[ "$status" = 1 ] || fail "status $status: $output"
	[[ "$output" == error\ *"$1"* ]] || fail "$output"
}

xattr() {
	python3 -c 'import os, sys; sys.stdout.buffer.write(os.getxattr(*sys.argv[1:], follow_symlinks=False))' "$@"
}

no_xattr() {
	if xattr "$@" 2>/dev/null; then
		fail "$* is there"
	fi
}

# is_whiteout FILE
is_whiteout() {
	[ -c "$1" ] && [ "$(stat -c %t:%T "$1")" = 0:0 ]
}

# is_opaque DIR
is_opaque() {
	[ "$(xattr "$1" user.overlay.opaque)" = y ]
}
