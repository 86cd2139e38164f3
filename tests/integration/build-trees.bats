#!/usr/bin/env bats
# build-trees.bats - `bawn template build`: what Dockerfiles make, against what buildah makes of the
# same (tests/build, recorded).
bats_require_minimum_version 1.5.0
load ../lib.sh
load build.sh

setup() { build_setup; }
teardown() {
	build_verify
	build_teardown
}

# What is in a template that is not in the base.
listing() { # TAG
	"$BAWN" template save -o "$BATS_TEST_TMPDIR/$1.tar" "$1" >/dev/null 2>&1 &&
		"$CASES/listing.py" "$BATS_TEST_TMPDIR/$1.tar" "$BATS_TEST_TMPDIR/base.tar"
}

one_case() { # NAME
	local d=$BATS_TEST_TMPDIR/ctx-$1
	mkdir "$d" && (cd "$d" && bash "$CASES/$1.sh") && cp "$CASES/$1.Dockerfile" "$d/Dockerfile" || return
	# shellcheck disable=SC2046  # options are words
	build -q $(sed -n 's/^# options: //p' "$CASES/$1.sh") -f "$d/Dockerfile" -t "$1" "$d" \
		>"$d.log" 2>&1 || { cat "$d.log"; return 1; }
	listing "$1" | diff "$CASES/$1.expect" - >"$d.diff" || { cat "$d.diff"; return 1; }
}

# All cases whose number leaves this rest.
some_cases() { # REST
	local f n=0 name bad=0
	for f in "$CASES"/*.Dockerfile; do
		n=$((n + 1))
		[ $((n % 2)) = "$1" ] || continue
		name=$(basename "$f" .Dockerfile)
		one_case "$name" >"$BATS_TEST_TMPDIR/$name.out" 2>&1 || {
			bad=1
			echo "--- $name"
			cat "$BATS_TEST_TMPDIR/$name.out"
		}
	done
	return $bad
}

@test "build: tree and configuration of each Dockerfile in tests/build are what buildah makes of it" {
	base
	"$BAWN" template save -o "$BATS_TEST_TMPDIR/base.tar" base >/dev/null
	local bad=0
	some_cases 0 >"$BATS_TEST_TMPDIR/even" 2>&1 &
	some_cases 1 || bad=1
	wait $! || bad=1
	cat "$BATS_TEST_TMPDIR/even"
	[ $bad = 0 ]
}
