#!/usr/bin/env bats
# guards.bats - what each guard of SECURITY.md leaves to be seen, looked at from both sides; made so
# that tests/mutations can take one away and see the test fail.
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

init_of() {
	eventually pgrep -P "$1" -f bawn-init
	pgrep -P "$1" -f bawn-init | head -1
}

@test "no capability is left to pid 1 or the agent, none can be regained" {
	bg sh -c 'echo up; grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; echo over; sleep 30'
	bg_says over
	local who
	for who in "$BG_OUT" "/proc/$(init_of "$BG")/status"; do
		run cat "$who"
		for set in CapInh CapPrm CapEff CapBnd CapAmb; do
			assert_output "$set:	0000000000000000" || fail "$who"
		done
		assert_output "NoNewPrivs:	1"
		assert_output "Seccomp:	2"
	done
}

@test "every mount is nosuid, all but the devices' are nodev, system directories are read-only" {
	mkdir "$T/lent"
	"$BAWN" run --rm -q shell "$WS" "$T/lent:ro" -- cat /proc/self/mountinfo >"$T/info"
	[ "$(wc -l <"$T/info")" -gt 10 ]
	awk '$6 !~ /nosuid/ { print "not nosuid: " $5; bad = 1 } END { exit bad }' "$T/info"
	awk '$5 !~ /^\/dev(\/|$)/ && $6 !~ /nodev/ { print "not nodev: " $5; bad = 1 } END { exit bad }' "$T/info"
	awk -v l="$T/lent" '($5 == "/usr" || $5 == "/" || $5 == l) && $6 !~ /^ro/ { print "writable: " $5; bad = 1 }
		END { exit bad }' "$T/info"
}

@test "a PATH:ro can't be written, whichever of its two guards is left" {
	mkdir "$T/lent"
	plant "$T/lent/file" 666
	run "$BAWN" run --rm -q shell "$WS" "$T/lent:ro" -- sh -c \
		"echo x >>$T/lent/file; echo y >$T/lent/new; rm -f $T/lent/file; chmod 0 $T/lent/file; echo tried"
	assert_output tried
	assert_untouched "$T/lent/file"
	[ ! -e "$T/lent/new" ]
}

@test "bawn killed takes everything with it, whichever of its two guards is left" {
	bg sh -c 'echo up; exec sleep 60'
	bg_says up
	local init i
	init=$(init_of "$BG")
	kill -9 "$BG"
	gone() { ! grep -qs '^State:.[^Z]' "/proc/$init/status"; } # or waiting to be reaped
	for ((i = 0; i < 20; i++)); do
		gone && break
		sleep 0.05
	done
	if ! gone; then
		kill -9 "$init"
		fail "bawn-init lives on"
	fi
}

@test "PER-02 what runs programs is not carried over from git's config, plain keys are" {
	git_repo
	BAWN_OPTS=()
	run in_sandbox_sh 'git config user.name "Set Inside"; git config core.fsmonitor /bin/evil
		git config alias.x "!evil"; git config core.sshCommand evil; git config filter.a.clean evil
		git remote add origin https://example.com/x.git; git config --get core.fsmonitor'
	assert_output /bin/evil # inside it is set
	assert_output "not carried over into .git/config: core.fsmonitor"
	run git -C "$WS" config --list --local
	refute_output evil
	assert_output "remote.origin.url=https://example.com/x.git"
}

@test "a nested user namespace is refused by the limit and by the filter, whichever is left" {
	run attack new_userns clone_userns
	expect_all EPERM ENOSPC
	run in_sandbox_sh 'cat /proc/sys/user/max_user_namespaces; unshare -Ur id'
	refute_output "uid=0"
}

@test "CRED-06 the log-in comes along without its tokens, settings without secrets" {
	mkdir -p "$HOME/.local/bin" "$HOME/.claude"
	printf '#!/bin/sh\ncat ~/.claude/.credentials.json ~/.claude/settings.json ~/.claude.json; env\n' \
		>"$HOME/.local/bin/claude"
	chmod +x "$HOME/.local/bin/claude"
	printf '{"claudeAiOauth":{"accessToken":"access-%s","refreshToken":"refresh-%s","expiresAt":%s000,"scopes":["user:inference"],"subscriptionType":"max","extra":"%s"},"mcpOAuth":{"x":{"accessToken":"%s"}},"other":"%s"}' \
		given "$CANARY" $(($(date +%s) + 7200)) "$CANARY" "$CANARY" "$CANARY" >"$HOME/.claude/.credentials.json"
	chmod 600 "$HOME/.claude/.credentials.json"
	printf '{"theme":"dark","env":{"MY_TOKEN":"sk-ant-api03-%s"}}' "$CANARY" >"$HOME/.claude/settings.json"
	cp -r "$HOME/.claude" "$T/before"
	PATH=$HOME/.local/bin:$PATH run "$BAWN" run --rm claude "$WS" -- -p hello
	assert_output sk-ant-oat01-
	refute_output access-given
	refute_canary
	diff -r "$T/before" "$HOME/.claude"
}

@test "OWN-12 a launch pack with changed bytes is made again, or nothing starts" {
	local pack at
	in_sandbox true
	pack=$(find "$XDG_CACHE_HOME/bawn" -type f -path '*/pack/*' | head -1)
	[ -n "$pack" ] || fail "no pack"
	cp -p "$pack" "$T/good"
	for at in 100 1000 3000 -3000 -1000 -100; do
		cp -p "$T/good" "$pack"
		/usr/bin/python3 - "$pack" "$at" <<-'E'
			import os, sys
			with open(sys.argv[1], "r+b") as f:
			    at = int(sys.argv[2])
			    f.seek(at, os.SEEK_SET if at > 0 else os.SEEK_END)
			    b = f.read(1)
			    f.seek(-1, os.SEEK_CUR)
			    f.write(bytes([b[0] ^ 1]))
		E
		run in_sandbox true
		[ "$status" = 125 ] || cmp "$pack" "$T/good" || fail "used although byte $at was changed"
	done
}
