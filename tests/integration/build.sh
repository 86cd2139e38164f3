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

# entries TAG EXPR...: a line for each entry e of each layer, of what these Python expressions are;
# "data" is its content.
entries() {
	local tag=$1
	shift
	"$BAWN" template save -o "$BATS_TEST_TMPDIR/x.tar" "$tag" >/dev/null
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/x.tar" "$@" <<-'P'
		import hashlib, json, sys, tarfile
		t = tarfile.open(sys.argv[1])
		for l in json.load(t.extractfile("manifest.json"))[0]["Layers"]:
		    f = tarfile.open(fileobj=t.extractfile(l))
		    for e in f:
		        data = f.extractfile(e).read() if e.isfile() else b""
		        sha = hashlib.sha256(data).hexdigest()
		        print(*[eval(x) for x in sys.argv[2:]])
	P
}
# shellcheck disable=SC2034  # what most compare of it
ENTRY=(e.name 'oct(e.mode)[2:]' 'f"{e.uid}:{e.gid}"')

build() { timeout 60 "$BAWN" template build "$@"; }

base() {
	mkdir "$BATS_TEST_TMPDIR/base"
	(cd "$BATS_TEST_TMPDIR/base" && bash "$CASES/base.sh") || return
	build -q -t base "$BATS_TEST_TMPDIR/base" >/dev/null
}

dockerfile() { cat >"$C/Dockerfile"; }
