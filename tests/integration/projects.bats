#!/usr/bin/env bats
# projects.bats - ten real projects (tests/projects/list), built and tested with their own commands,
# outside and inside with no option: the same exit code and the same number of tests.
load ../lib.sh

# The sources are fetched once: into the build directory, or where that can't be written (a build
# by root) into the user's cache.
setup_file() {
	BAWN_PROJECTS=${BAWN_PROJECTS:-$BAWN_BUILDDIR/projects}
	if [ ! -e "$BAWN_PROJECTS/qs/.complete" ] && ! mkdir -p "$BAWN_PROJECTS/.try" 2>/dev/null; then
		BAWN_PROJECTS=$HOME/.cache/bawn-test/projects
	fi
	export BAWN_PROJECTS
	bash "$BAWN_SRCDIR/tests/projects/prepare" "$BAWN_PROJECTS" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- ||
		sed 's/^/# /' "$BATS_FILE_TMPDIR/log" >&3
}

setup() { bawn_setup; }
teardown() { bawn_teardown; }

# How many lines of a run's output are a test.
count() {
	grep -cE -- "$1" "$2" || :
}

same() {
	local name from version hash command test line
	line=$(grep "^$1|" "$BAWN_SRCDIR/tests/projects/list")
	IFS='|' read -r name from version hash command test <<<"$line"
	need test -e "$BAWN_PROJECTS/$name/.complete" -- "$name $version ($from, ${hash:0:8}) can't be fetched"
	# both at the same path, one after the other: paths count in some tests
	local where out in
	for where in outside inside; do
		rm -rf "$WS"
		# links for node_modules, which has thousands of files that nobody writes to
		if [ "$from" != npm ] || ! cp -al "$BAWN_PROJECTS/$name" "$WS" 2>/dev/null; then
			rm -rf "$WS"
			cp -a "$BAWN_PROJECTS/$name" "$WS"
		fi
		cd "$WS" || return 1
		if [ $where = outside ]; then
			out=0
			sh -c "$command" >"$T/$where" 2>&1 </dev/null || out=$?
		else
			in=0
			"$BAWN" run --rm shell -- sh -c "$command" >"$T/$where" 2>&1 </dev/null || in=$?
		fi
	done
	local n m
	n=$(count "$test" "$T/outside")
	m=$(count "$test" "$T/inside")
	[ "$out" = 0 ] || fail "outside it ends with $out: $(tail -5 "$T/outside")"
	[ "$n" -gt 0 ] || fail "no test is counted outside: $(tail -5 "$T/outside")"
	[ "$in" = "$out" ] || fail "inside it ends with $in: $(tail -20 "$T/inside")"
	[ "$m" = "$n" ] || fail "$m tests inside, $n outside"
}

@test "project: hello (configure, make, make check)" { same hello; }
@test "project: zlib (configure, make, make test)" { same zlib; }
@test "project: bzip2 (make)" { same bzip2; }
@test "project: ply (Python)" { same ply; }
@test "project: pyasn1 (Python, setup.py and unittest)" { same pyasn1; }
@test "project: colorama (Python, unittest)" { same python-colorama; }
@test "project: minimist (npm, tape, nyc)" { same minimist; }
@test "project: object-inspect (npm, tape, nyc)" { same object-inspect; }
@test "project: qs (npm, tape, nyc)" { same qs; }
@test "project: deep-equal (npm, tape, nyc)" { same deep-equal; }

@test "project: the list, these tests and the lock file name the same" {
	[ "$(grep -c '|' "$BAWN_SRCDIR/tests/projects/list")" -ge 10 ]
	local name from version
	while IFS='|' read -r name from version _; do
		[[ $from == npm || $from == debian ]] || continue
		grep -q "same $name;" "$BATS_TEST_FILENAME" || fail "$name has no test"
		[ "$from" = debian ] || grep -q "\"$name\": \"$version\"" "$BAWN_SRCDIR/tests/projects/package.json" ||
			fail "$name is not pinned"
	done < <(grep '|' "$BAWN_SRCDIR/tests/projects/list")
}
