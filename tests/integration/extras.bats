#!/usr/bin/env bats
# Further directories: masked, protected and accounted for like the workspace.

load ../lib.sh

setup() {
	bawn_setup
	EXTRA=$HOME/extra
	RO=$HOME/ro
	plant "$EXTRA/.env"
	plant "$RO/.env"
	git init -q "$EXTRA"
	git -C "$EXTRA" config user.name before
}
teardown() { bawn_teardown; }

@test "FS-03 masks hold in further directories, writable or not" {
	run "$BAWN" run -q shell . "$EXTRA" "$RO:ro" -- \
		sh -c "cat '$EXTRA/.env' '$RO/.env'; mv '$EXTRA/.env' '$EXTRA/x'"
	[ "$status" -ne 0 ]
	[[ $output != *$CANARY* ]]
	[ "$(cat "$EXTRA/.env")" = "$CANARY" ]
}

@test "PER-01 PER-02 git hooks and configuration are guarded in further directories" {
	run "$BAWN" run -q shell . "$EXTRA" -- sh -c "
		echo evil >'$EXTRA/.git/hooks/post-commit'
		cd '$EXTRA' && git config user.name after && git config core.fsmonitor /tmp/evil"
	[ ! -e "$EXTRA/.git/hooks/post-commit" ]
	[ "$(git -C "$EXTRA" config user.name)" = after ]
	run git -C "$EXTRA" config core.fsmonitor
	[ "$status" -ne 0 ]
}

@test "PER-09 what was planted in a further directory is named at the end" {
	run "$BAWN" run shell . "$EXTRA" -- sh -c "echo x >'$EXTRA/.envrc'"
	[[ $output == *"$EXTRA/.envrc"* ]]
}
