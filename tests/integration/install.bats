#!/usr/bin/env bats
# install.bats - make install puts everything where it is looked for, also when the tree is moved.
load ../lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

@test "an installation works from any prefix" {
	make -s -C "$BAWN_BUILDDIR" install DESTDIR="$T/dest" prefix=/opt/bawn >/dev/null 2>"$T/err" ||
		fail "$(cat "$T/err")"
	root=$T/dest/opt/bawn
	for f in bin/bawn libexec/bawn/bawn-init libexec/bawn/bawn-relay libexec/bawn/bawn-resolve \
		libexec/bawn/bawn-scan libexec/bawn/bawn-copy libexec/bawn/bawn-why libexec/bawn/bawn-admin share/bawn/profiles/claude.yaml \
		share/bawn/policies/egress/balanced.yaml share/bawn/apparmor/bawn \
		share/man/man1/bawn-run.1 share/man/man5/bawn-profile.5 \
		share/bash-completion/completions/bawn share/zsh/site-functions/_bawn \
		share/fish/vendor_completions.d/bawn.fish; do
		[ -s "$root/$f" ] || fail "$f is not installed"
	done
	# each command has a page: its own, or the one that it is told of in
	for f in $("$root/bin/bawn" help | sed -nE 's/^  ([a-z]+) .*/\1/p' | grep -vxE 'help|version'); do
		page=$(echo "$root"/share/man/man[15]/"bawn-$f".?)
		page=${page%% *}
		[ -s "$page" ] || fail "there is no page bawn-$f"
		page=$root/share/man/$(sed -n '1s/^\.so //p' "$page" | grep . || echo "${page#"$root/share/man/"}")
		grep -qE "(bawn|^).*\\b$f\\b" "$page" || fail "$page does not tell of $f"
	done
	mv "$root" "$T/moved"
	run "$T/moved/bin/bawn" version
	assert_status 0
	run "$T/moved/bin/bawn" profile ls
	assert_status 0
	assert_output claude
	run "$T/moved/bin/bawn" policy check shell github.com
	assert_output "/share/bawn/policies/egress/balanced.yaml:"
	refute_output '/../'
	run "$T/moved/bin/bawn" run --rm shell -- echo "it runs"
	assert_status 0
	assert_output "it runs"
	# what its helpers start of it: a build's steps, and what a report shows of changed files
	mkdir ctx
	printf 'FROM scratch\nCOPY busybox /bin/sh\nRUN echo built > /built\n' >ctx/Dockerfile
	cp "$(command -v busybox)" ctx/busybox
	run "$T/moved/bin/bawn" template build -t moved ctx
	assert_status 0
	"$T/moved/bin/bawn" run -d --name box shell "$WS" -- sh -c 'echo changed >new-file; sleep 60' >/dev/null
	run "$T/moved/bin/bawn" report box -o "$T/report.html"
	assert_status 0
	grep -q new-file "$T/report.html" || fail "the report has no changed files"
	"$T/moved/bin/bawn" rm -f box >/dev/null
	run "$T/moved/bin/bawn" doctor --apparmor
	assert_output "$T/moved/bin/bawn"
}

@test "an installation keeps to its own helpers where another version has the configured place" {
	libexec=$(sed -n 's/^prefix = //p' "$BAWN_BUILDDIR/Makefile")/libexec/bawn
	make -s -C "$BAWN_BUILDDIR" install DESTDIR="$T/dest" prefix=/opt/bawn >/dev/null 2>"$T/err" ||
		fail "$(cat "$T/err")"
	cat >"$T/other" <<-'EOF'
		mount -t tmpfs other "$1"
		mkdir -p "$2"
		printf '#!/bin/sh\necho another version; exit 3\n' >"$2/bawn-init"
		cp "$2/bawn-init" "$2/bawn-admin"
		chmod +x "$2"/bawn-*
		"$3" profile ls
	EOF
	# that place is covered in a namespace alone: whatever stands there stays
	at=$libexec
	mkdir -p "$at" 2>/dev/null || while [ ! -d "$at" ]; do at=$(dirname "$at"); done
	run unshare -Urm sh "$T/other" "$at" "$libexec" "$T/dest/opt/bawn/bin/bawn"
	rmdir -p "$libexec" 2>/dev/null || true
	assert_status 0
	assert_output "$T/dest/opt/bawn/share/bawn/profiles/claude.yaml"
	refute_output 'another version'
}

@test "no file of the installation is writable by others or has a set-id bit" {
	make -s -C "$BAWN_BUILDDIR" install DESTDIR="$T/dest" >/dev/null 2>&1
	[ -z "$(find "$T/dest" -type f -perm /6022)" ]
}
