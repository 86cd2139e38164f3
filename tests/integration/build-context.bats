#!/usr/bin/env bats
# build-context.bats - `bawn build -`: the context as an archive on standard input, or a Dockerfile alone.
bats_require_minimum_version 1.5.0
load ../lib.sh
load build.sh

setup() { build_setup; }
teardown() {
	build_verify
	build_teardown
}

# listing TAG: what is in it, as "PATH MODE UID:GID TYPE LINK SHA256".
listing() { entries "$1" "${ENTRY[@]}" e.type e.linkname sha; }

nothing_left() { [ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]; }

@test "build -: an archive, plain or packed, is what its directory is" {
	local how
	mkdir -p "$C/a/deep" "$C/node_modules"
	echo one >"$C/a/one"
	echo two >"$C/a/deep/two"
	echo no >"$C/node_modules/no"
	ln -s one "$C/a/link"
	chmod 4755 "$C/a/one"
	chmod 0550 "$C/a/deep"
	chmod 0200 "$C/a/deep/two"
	printf 'node_modules\nDockerfile*\n' >"$C/.dockerignore"
	dockerfile <<-'E'
		FROM scratch
		COPY . /all
		ADD a/link /
		COPY --chown=5 a/deep /deep/
	E
	chmod 0600 "$C/a/deep/two"
	run -0 build -t x "$C"
	listing x >"$T/want"
	grep -q 'all/a/one 4755 0:0 ' "$T/want"
	refute_output node_modules
	for how in "" z J j; do
		run -0 build -t y - < <(tar -C "$C" --owner=7:7 -c"$how"f - .)
		listing y | diff "$T/want" - || return 1
	done
	# the same files: nothing is done again
	[ "$(grep -c CACHED <<<"$output")" = 3 ]
	nothing_left
}

@test "build -: its Dockerfile, another by -f, or the Dockerfile alone; what can't be meant" {
	echo word >"$C/f"
	printf 'FROM scratch\nCOPY f /first\n' >"$C/Dockerfile"
	mkdir "$C/sub"
	printf 'FROM scratch\nCOPY f /second\nCOPY no* f /\n' >"$C/sub/D"
	printf 'no*\nf\n!f\n' >"$C/sub/D.dockerignore"
	echo no >"$C/no"
	tar -C "$C" -cf "$T/c.tar" .
	run -0 build -t x - <"$T/c.tar"
	run listing x
	assert_output "first "
	run -0 build -f ./sub/D -t x - <"$T/c.tar"
	run listing x
	assert_output "second "
	refute_output "no "
	run -125 build -f none -t y - <"$T/c.tar"
	assert_output "open none of the context: No such file"
	run -0 build -t x - <<<$'FROM scratch\nLABEL a=b'
	run -125 build -t y - <<<$'FROM scratch\nCOPY f /'
	assert_output "Dockerfile:2:1: open f: No such file"
	assert_output $'\n  COPY f /'
	run -125 build -f - - <"$T/c.tar"
	assert_output "standard input can't be both"
	run -125 build -f sub/D - <<<'FROM scratch'
	assert_output "standard input: --file names a file of an archive, which this is not"
	run -125 build - </dev/null
	assert_output "Dockerfile"
	run -125 build - < <(head -c 3000000 /dev/zero)
	assert_output "longer than 1 MiB"
	run -125 build - < <(gzip -c "$T/c.tar" | head -c 100)
	assert_output "standard input: "
	run -125 script -qec "'$BAWN' build -" /dev/null </dev/null
	assert_output "a terminal"
	run ! "$BAWN" template inspect y
	nothing_left
}

@test "TPL-14 build -: a stranger's archive reads nothing and writes nothing outside of itself" {
	local kind
	plant "$T/secret"
	for kind in dockerfile ignore copy up absolute through hard; do
		/usr/bin/python3 - "$kind" "$T/secret" "$T/evil" >"$T/c.tar" <<-'P'
			import io, sys, tarfile
			kind, secret, evil = sys.argv[1:]
			t = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
			def put(name, data=None, link=None, type=tarfile.SYMTYPE):
			    e = tarfile.TarInfo(name)
			    if link:
			        e.type, e.linkname = type, link
			    else:
			        e.size = len(data)
			    t.addfile(e, None if link else io.BytesIO(data))
			if kind == "dockerfile":
			    put("Dockerfile", link=secret)
			elif kind == "ignore":
			    put(".dockerignore", link=secret)
			if kind != "dockerfile":
			    put("Dockerfile", b"FROM scratch\nCOPY l/ /x/\n" if kind == "copy" else b"FROM scratch\nCOPY l /x\n")
			if kind == "up":
			    put("../evil", b"evil\n")
			elif kind == "absolute":
			    put(evil, b"evil\n")
			elif kind == "through":
			    put("d", link=evil[:evil.rindex("/")])
			    put("d/evil", b"evil\n")
			elif kind == "hard":
			    put("l", link=secret, type=tarfile.LNKTYPE)
			else:
			    put("l", link=secret if kind != "copy" else secret[:secret.rindex("/")])
			t.close()
		P
		run -125 build -t y - <"$T/c.tar"
		refute_canary || return 1
		[ ! -e "$T/evil" ] || return 1
		assert_untouched "$T/secret"
		nothing_left || return 1
	done
	run ! "$BAWN" template inspect y
}
