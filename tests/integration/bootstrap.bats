#!/usr/bin/env bats
# bootstrap.bats - ./bootstrap on a machine that lacks packages: what it says first, what it runs, and
# what it says where it can't; and in a tree that an earlier run left. The tools are stand-ins that
# log; nothing is installed or built.
load ../lib.sh

setup() {
	bawn_setup
	need test -x "$BAWN_SRCDIR/bootstrap" -- "a tree without ./bootstrap"
	TOOLS=$T/tools
	LOG=$T/log
	mkdir "$TOOLS"
	: >"$LOG"
	export LOG
	local t
	for t in sh dirname id env cat grep true mkdir; do
		ln -s "$(type -P "$t")" "$TOOLS/$t"
	done
	# nothing is installed
	tool dpkg-query 'exit 1'
	# shellcheck disable=SC2016  # for the tool
	tool dpkg '[ "$AS_ROOT" ] || exit 2; [ "$1" != --audit ] || exit 0; echo "dpkg $*" >>"$LOG"'
	# shellcheck disable=SC2016
	tool apt-get 'echo "apt-get $*" >>"$LOG"'
	# shellcheck disable=SC2016
	tool sudo 'while [ "$1" = -n ]; do shift; done; AS_ROOT=1 exec "$@"'
}

teardown() { bawn_teardown; }

# tool NAME SCRIPT
tool() {
	printf '#!/bin/sh\n%s\n' "$2" >"$TOOLS/$1"
	chmod +x "$TOOLS/$1"
}

bootstrap() {
	run env PATH="$TOOLS" BAWN_MUST_WORK= "$TOOLS/sh" "${TREE:-$BAWN_SRCDIR}/bootstrap" "$@" </dev/null
}

# A tree whose configure and make are stand-ins, where all packages are there.
with_tree() {
	TREE=$T/tree
	mkdir "$TREE"
	cp "$BAWN_SRCDIR/bootstrap" "$TREE/"
	tool dpkg-query 'echo installed'
	# shellcheck disable=SC2016
	tool pkg-config '[ "$*" != "--exists cmocka" ] || [ -e "$LOG.cmocka" ]'
	# shellcheck disable=SC2016
	tool make 'echo "make $*" >>"$LOG"'
	cat >"$TOOLS/autoreconf" <<-'EOF'
		#!/bin/sh
		echo autoreconf >>"$LOG"
		cat >configure <<-'END'
			#!/bin/sh
			echo configure >>"$LOG"
			true >config.status
			if [ -e "$LOG.cmocka" ]; then tests=; else tests='#'; fi
			echo "HAVE_CMOCKA_TRUE = $tests" >Makefile
		END
		chmod +x configure
		true >Makefile.in
	EOF
	ln -s "$(type -P chmod)" "$TOOLS/chmod"
	chmod +x "$TOOLS/autoreconf"
}

# built STEP...: a build runs these, and make
built() {
	: >"$LOG"
	bootstrap build
	[ "$status" -eq 0 ]
	[ "$(grep -v ^make "$LOG" | tr '\n' ' ')" = "${*:+$* }" ]
	grep -q '^make -s -j' "$LOG"
}

@test "all that is missing is said, and installed, at once" {
	bootstrap deps
	[ "$status" -eq 0 ]
	[ "$(grep -c 'installing with apt-get:' <<<"$output")" -eq 1 ]
	[[ "$output" == *"installing with apt-get: gcc "*" bats "*" nodejs npm"* ]]
	[ "$(grep -c '^apt-get .* install ' "$LOG")" -eq 1 ]
	grep -q '^apt-get .* install gcc .* bats .* nodejs npm$' "$LOG"
}

@test "without sudo, one line for an administrator names all packages; nothing was begun" {
	rm "$TOOLS/sudo"
	bootstrap deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"needs root, and there is no sudo. As root, once: apt-get update && apt-get install "*" gcc "*" nodejs npm"* ]]
	[[ "$output" == *"run this again as $(id -un)"* ]]
	[ ! -s "$LOG" ]
	bootstrap check
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "0 passed, 1 failed" ]
}

@test "where sudo refuses, likewise" {
	tool sudo 'echo "sudo: a password is required" >&2; exit 1'
	bootstrap deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"sudo refused (above), with no terminal"*"apt-get install "*" gcc "* ]]
	[ ! -s "$LOG" ]
}

@test "an installation that was interrupted is finished first" {
	# shellcheck disable=SC2016
	tool dpkg '[ "$AS_ROOT" ] || exit 2; [ "$1" != --audit ] || { echo "gcc-12 is unpacked"; exit 1; }; echo "dpkg $*" >>"$LOG"'
	bootstrap deps
	[ "$status" -eq 0 ]
	[[ "$output" == *"an earlier installation was interrupted"* ]]
	[ "$(head -n 1 "$LOG")" = "dpkg --configure -a" ]
	grep -q '^apt-get .* install ' "$LOG"
}

@test "a list that can't be fetched is said, and need not matter; packages that can't are the end" {
	# shellcheck disable=SC2016
	tool apt-get 'echo "apt-get $*" >>"$LOG"; case "$*" in *update) exit 100 ;; esac'
	bootstrap deps
	[ "$status" -eq 0 ]
	[[ "$output" == *"apt-get update failed (above)"* ]]
	# shellcheck disable=SC2016
	tool apt-get 'case "$*" in *install*) echo "E: no such package" >&2; exit 100 ;; esac'
	bootstrap deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"apt-get did not install all of it"* ]]
	[[ "$output" != *"needs root"* ]]
}

@test "without apt-get the packages are named, and a tool that is not there is the end" {
	rm "$TOOLS/apt-get"
	bootstrap build
	[ "$status" -eq 1 ]
	[[ "$output" == *"no apt-get here; these Debian packages are needed: gcc "* ]]
	[ "${lines[-1]}" = "bootstrap: there is no autoreconf: install what the list names, then run this again" ]
	bootstrap deps --print
	[ "$status" -eq 0 ]
	with_tree
	for t in automake gcc; do
		tool $t ''
	done
	built autoreconf configure
}

@test "a warning ends the build for those who develop, not for those who try" {
	with_tree
	# shellcheck disable=SC2016
	sed -i 's/echo configure >>/echo "configure $*" >>/' "$TOOLS/autoreconf"
	built autoreconf "configure "
	rm -r "$TREE/build"
	: >"$LOG"
	run env PATH="$TOOLS" BAWN_MUST_WORK=1 "$TOOLS/sh" "$TREE/bootstrap" build </dev/null
	[ "$status" -eq 0 ]
	grep -qx 'configure --enable-werror' "$LOG"
}

@test "what is to be installed is only said with --print" {
	bootstrap deps --print
	[ "$status" -eq 0 ]
	[[ "$output" == *"installing with apt-get: gcc "* ]]
	[ ! -s "$LOG" ]
}

@test "what an earlier run made is made once, and again where it was interrupted" {
	with_tree
	built autoreconf configure
	built
	# between autoconf and automake; between configure and what its config.status writes
	rm "$TREE/Makefile.in"
	built autoreconf
	rm "$TREE/build/Makefile"
	built configure
	built
}

@test "a demo without cmocka, then a check: the build gets its unit tests" {
	with_tree
	built autoreconf configure
	: >"$LOG.cmocka"
	built configure
	built
}
