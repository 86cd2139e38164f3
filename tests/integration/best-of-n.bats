#!/usr/bin/env bats
# best-of-n.bats - contrib/examples/best-of-n; and that forks share what they have in common
load ../lib.sh
setup() {
	bawn_setup
	PATH=$BAWN_BUILDDIR:$PATH
	export TMPDIR=$T
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

@test "best of three: each begins alike, the smallest change that passes is merged, nothing is left" {
	git_repo
	# the first does too much, the second what was asked for, the third fails
	cat >"$T/agent" <<-'EOF'
		cat README >seen
		case $BAWN_SANDBOX in
		*-1) seq 100 >answer ;;
		*-2) echo 42 >answer ;;
		esac
	EOF
	run "$BAWN_SRCDIR/contrib/examples/best-of-n" 3 'test -s answer && grep -q hello seen' shell sh -c "$(cat "$T/agent")"
	assert_status 0
	assert_output "-1: passes, 101 lines"
	assert_output "-2: passes, 2 lines"
	assert_output "-3: fails"
	[ "$(cat "$WS/answer")" = 42 ]
	run "$BAWN" ls -q
	[ -z "$output" ]
	run git -C "$WS" remote
	[ -z "$output" ]
}

@test "none passes: nothing is merged, nothing is left" {
	git_repo
	run "$BAWN_SRCDIR/contrib/examples/best-of-n" 2 false shell sh -c 'echo x >x'
	assert_status 1
	[ ! -e "$WS/x" ]
	[ "$(git -C "$WS" rev-list --count HEAD)" = 1 ]
	run "$BAWN" ls -q
	[ -z "$output" ]
}

@test "50 forks take no room of their own, on disk and in the page cache" {
	"$BAWN" create --name box shell "$WS" >/dev/null
	"$BAWN" exec box sh -c 'head -c 20M /dev/urandom >~/a; sync ~/a'
	run "$BAWN" fork --count 50 box f
	assert_status 0
	chmod -R u+rwx "$XDG_DATA_HOME/bawn/sandboxes"
	[ "$(du -sm "$XDG_DATA_HOME/bawn" | cut -f1)" -lt 30 ] || fail "$(du -sm "$XDG_DATA_HOME/bawn")"
	# the same file of the same file system: one page cache
	run "$BAWN" exec f-1 stat -c '%d %i' "$HOME/a"
	local a=${output##* } n
	for n in 2 25 50; do
		run "$BAWN" exec f-$n stat -c '%d %i' "$HOME/a"
		[ "${output##* }" = "$a" ]
	done
	a=$(find "$XDG_DATA_HOME/bawn/layers" -name a -size +10M | wc -l)
	[ "$a" = 1 ]
}
