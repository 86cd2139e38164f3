#!/usr/bin/env bats
# template-bootstrap.bats - bawn template bootstrap with a stand-in for mmdebstrap: the tar it would
# write, with a dpkg that only notes that it ran.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh

setup() {
	bawn_setup
	STORE=$XDG_DATA_HOME/bawn/templates
	template_layer
	template_debian
	template_program sed tail
	mkdir -p "$LAYER/var/cache/apt/archives" "$LAYER/var/lib/apt/lists"
	: >"$LAYER/var/cache/apt/archives/one.deb"
	cat >"$LAYER/usr/bin/dpkg" <<-'SH'
		#!/bin/sh
		case "$*" in
		*--audit*) ;;
		*)
			echo "$*" >>/etc/dpkg-ran
			echo "dpkg: warning: ignoring"
			[ ! -e /etc/broken ] || { echo "dpkg: it is broken" >&2; exit 1; }
			;;
		esac
	SH
	chmod +x "$LAYER/usr/bin/dpkg"
	mkdir "$T/bin" "$T/root"
	cp -a "$LAYER/." "$T/root/"
	rm -rf "$STORE"
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >%q\nexec tar -C %q --owner=0 --group=0 -cf - .\n' "$T/args" "$T/root" >"$T/bin/mmdebstrap"
	chmod +x "$T/bin/mmdebstrap"
}
teardown() { bawn_teardown; }

@test "bootstrap: packages are extracted out here, and installed in a sandbox; one layer, and nothing else stays" {
	PATH=$T/bin:$PATH run -0 "$BAWN" template bootstrap -q --mirror http://mirror.example/debian debian:bookworm
	assert_output debian:bookworm
	# no script of a package ran out here
	grep -qx -- --variant=extract "$T/args"
	# what the image of that name has, with useradd, which no essential package needs since trixie
	grep -qx -- '--include=?priority(required)' "$T/args"
	grep -qx bookworm "$T/args"
	grep -qx http://mirror.example/debian "$T/args"
	run -0 "$BAWN" template ls
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[1]} =~ debian:bookworm\ .*\ 1\ +linux ]]
	run -0 "$BAWN" ls
	refute_output bootstrap
	run -0 "$BAWN" run --rm -q --template debian:bookworm shell "$WS" -- sh -c 'cat /etc/dpkg-ran; ls /var/cache/apt/archives'
	assert_output '--install ./one.deb'
	assert_output '--configure -a'
	refute_output $'\none.deb'
	# the account of the sandbox that made it is none of it
	run ! grep -rhs '^agent:' "$STORE"/layers/*/fs/etc/passwd "$STORE"/layers/*/fs/etc/group
	grep -qhs '^root:' "$STORE"/layers/*/fs/etc/passwd
	"$BAWN" template prune >/dev/null
	"$BAWN" template verify
	# without a suite it is also what recipes call debian
	PATH=$T/bin:$PATH run -0 "$BAWN" template bootstrap -q --mirror http://mirror.example/debian debian
	assert_output debian:stable
	"$BAWN" template inspect debian | grep -q debian:stable
}

@test "bootstrap: what it can't do, and what it leaves then" {
	# no name of a program in PATH that has it
	mkdir "$T/empty"
	PATH=$T/empty run -125 "$BAWN" template bootstrap debian
	assert_output 'apt-get install mmdebstrap'
	for what in fedora debian: debian:-x 'debian:a b' debian:../x; do
		PATH=$T/bin:$PATH run -125 "$BAWN" template bootstrap "$what"
	done
	# the packages can't be installed
	: >"$T/root/etc/broken"
	PATH=$T/bin:$PATH run -125 "$BAWN" template bootstrap -q debian:sid
	assert_output 'installing the packages failed'
	# dpkg's words are shown then, and only then
	assert_output 'dpkg: it is broken'
	rm "$T/root/etc/broken"
	PATH=$T/bin:$PATH run -0 "$BAWN" template bootstrap --mirror http://mirror.example/debian debian:sid
	refute_output 'dpkg:'
	"$BAWN" template rm debian:sid
	# it fails half way
	printf '#!/bin/sh\ntar -C %q -cf - etc | head -c 3000\nexit 3\n' "$T/root" >"$T/bin/mmdebstrap"
	PATH=$T/bin:$PATH run -125 "$BAWN" template bootstrap -q debian:sid
	assert_output 'mmdebstrap failed (3)'
	run -0 "$BAWN" template ls
	refute_output debian
	run -0 "$BAWN" ls
	refute_output bootstrap
	[ -z "$(ls -A "$STORE/tmp")" ]
}
