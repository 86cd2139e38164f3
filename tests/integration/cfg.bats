#!/usr/bin/env bats
# cfg.bats - attack corpus, class CFG: configuration, state, start-up.  What doctor says about a
# machine that lacks something (CFG-10, CFG-11) is in doctor.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../attack/lib.sh
setup() {
	bawn_setup
	CONF=$XDG_CONFIG_HOME/bawn
	mkdir -p "$CONF/profiles" "$CONF/policies"
	chmod -R go-w "$CONF"
}
teardown() {
	chmod -R u+rwx "$T" 2>/dev/null
	bawn_teardown
}

profile() { # NAME, YAML on stdin
	cat >"$CONF/profiles/$1.yaml"
}

policy() {
	cat >"$CONF/policies/$1.yaml"
}

# refused [TEXT]: bawn run PROFILE... did not start anything and said TEXT.
refused() {
	assert_status 125 || return 1
	refute_output STARTED || return 1
	[ -z "${1:-}" ] || assert_output "$1"
}

@test "CFG-01 an empty allow list denies everything" {
	policy nothing <<<'allow: []'
	policy silent <<<'summary: no rule at all'
	serve_http reached
	local p
	for p in nothing silent; do
		run "$BAWN" policy check --policy "$p" shell github.com
		[ "$status" = 1 ] || [ "$status" = 2 ] || [ "$status" = 125 ] || fail "policy $p"
		run "$BAWN" run --rm --policy "$p" --connect-to "github.com:80:127.0.0.1:$PORT" shell "$WS" -- \
			sh -c 'curl -s -m 3 http://github.com/; curl -s -m 3 http://api.anthropic.com/; echo ended'
		refute_output reached
	done
	[ "$(server_hits "$PORT")" = 0 ]
	# control: the same with a rule
	policy one <<<'allow: ["github.com:80"]'
	run "$BAWN" run --rm --policy one --connect-to "github.com:80:127.0.0.1:$PORT" shell "$WS" -- \
		curl -s -m 3 http://github.com/
	assert_output reached
}

@test "CFG-02 every mistake is an error with its place, and nothing starts" {
	local n=0 text
	while IFS= read -r text; do
		n=$((n + 1))
		printf 'summary: x\n%b\n' "$text" >"$CONF/profiles/bad.yaml"
		run "$BAWN" run --rm bad "$WS" -- echo STARTED
		refused "bad.yaml:" || fail "accepted: $text"
		[[ $output =~ bad\.yaml:[0-9]+:[0-9]+ ]] || fail "no line and column: $text"
	done <<-'EOF'
		command: [bash]\ncomand: [x]
		command: bash
		command: [bash]\nexec: maybe
		command: [bash]\nexec: true\nexec: true
		command: [bash]\nenv: [A]
		command: [bash]\nenv: {pass: A}
		command: [bash]\npolicies: {a: b}
		command: [bash]\nmask: .env
		command: &a [bash]\nyolo: *a
		command: !!str bash
		command: [bash]\nenv: {set: {A: [b]}}
		command: [bash
		command: []
		command: [[bash]]
	EOF
	[ $n = 14 ]
	while IFS= read -r text; do
		printf '%b\n' "$text" >"$CONF/policies/badpol.yaml"
		run "$BAWN" run --rm --policy badpol shell "$WS" -- echo STARTED
		refused "badpol.yaml:" || fail "accepted: $text"
	done <<-'EOF'
		allowed: [a.example.com]
		allow: a.example.com
		allow: [a.example.com]\nallow: []
		allow: [{host: a}]\nx: 1
		allow: yes
		allow: [[a.example.com]]
	EOF
}

@test "CFG-03 lists mean what they contain, not that they are there" {
	policy first <<<'allow: [first.example.com]'
	policy second <<<'allow: [second.example.com]'
	run "$BAWN" policy check --policy first shell first.example.com
	assert_status 0
	run "$BAWN" policy check --policy first shell second.example.com
	assert_status 1
	run "$BAWN" policy check --policy second shell second.example.com
	assert_status 0
	profile p1 <<<$'command: [bash]\nexec: true\nmask: [one.txt]\npolicies: [first]'
	profile p2 <<<$'command: [bash]\nexec: true\nmask: [two.txt]\npolicies: [first]'
	plant "$WS/one.txt"
	plant "$WS/two.txt"
	run "$BAWN" run --rm -q p1 "$WS" -- sh -c '[ -s one.txt ] && echo one; [ -s two.txt ] && echo two; true'
	[ "$output" = two ]
	run "$BAWN" run --rm -q p2 "$WS" -- sh -c '[ -s one.txt ] && echo one; [ -s two.txt ] && echo two; true'
	[ "$output" = one ]
}

@test "CFG-04 nothing in a workspace is configuration" {
	git_repo
	local d
	for d in . .bawn .config/bawn profiles policies .bawn/profiles .config/bawn/profiles policies/egress; do
		mkdir -p "$WS/$d"
		printf 'command: [bash]\nexec: true\npolicies: [open]\nsyscalls: debug\nenv: {pass: ["*"]}\n' >"$WS/$d/shell.yaml"
		printf 'allow: ["**"]\n' >"$WS/$d/balanced.yaml"
		printf 'allow: ["**"]\n' >"$WS/$d/bawn.yaml"
	done
	export BAWN_TEST_SECRET=$CANARY
	run "$BAWN" run --rm shell -- /usr/bin/python3 -c "$(cat "$ATTACK")" ptrace_child
	wants ptrace_child EPERM
	run in_sandbox env
	refute_canary
	run "$BAWN" policy check shell denied.example.org
	assert_status 1
	run "$BAWN" policy show balanced
	refute_output '"**"'
}

@test "CFG-06 includes that climb, links and foreign writers are refused" {
	local name
	plant "$T/outside/evil.yaml"
	printf 'command: [bash]\nexec: true\npolicies: [open]\n' >"$T/outside/evil.yaml"
	for name in ../../../../outside/evil '../evil' 'a/../../evil' '' '.' '..' '-rf' "$(printf 'a\nb')"; do
		run "$BAWN" run --rm -- "$name" "$WS" -- echo STARTED
		refute_output STARTED || fail "profile '$name'"
		run "$BAWN" run --rm --policy "$name" shell "$WS" -- echo STARTED
		refused || fail "policy '$name'"
	done
	profile climbs <<<$'command: [bash]\nexec: true\npolicies: [../../../outside/evil]'
	run "$BAWN" run --rm climbs "$WS" -- echo STARTED
	refused
	profile climbs <<<$'command: [bash]\nexec: true\nsyscalls: ../../x'
	run "$BAWN" run --rm climbs "$WS" -- echo STARTED
	refused
	ln -s "$T/outside/evil.yaml" "$CONF/profiles/linked.yaml"
	run "$BAWN" run --rm linked "$WS" -- echo STARTED
	refused
	profile mine <<<$'command: [bash]\nexec: true\npolicies: [balanced]'
	run "$BAWN" run --rm mine "$WS" -- echo STARTED
	assert_output STARTED # control
	chmod 666 "$CONF/profiles/mine.yaml"
	run "$BAWN" run --rm mine "$WS" -- echo STARTED
	refused
	chmod 600 "$CONF/profiles/mine.yaml"
	chmod 777 "$CONF/profiles"
	run "$BAWN" run --rm mine "$WS" -- echo STARTED
	refused
	chmod 755 "$CONF/profiles"
}

@test "CFG-07 broken files: BOM, CRLF, NUL, huge lines, loops" {
	printf 'command: [bash]\nexec: true\n\0policies: [open]\n' | profile nul
	run "$BAWN" run --rm nul "$WS" -- echo STARTED
	refused "nul.yaml"
	{
		printf 'command: [bash]\nsummary: "'
		head -c 10485760 /dev/zero | tr '\0' a
		printf '"\n'
	} | profile huge
	run timeout 10 "$BAWN" run --rm huge "$WS" -- echo STARTED
	refused "huge"
	printf 'command: [bash]\nyolo: %s%s\n' "$(head -c 20000 /dev/zero | tr '\0' '[')" "$(head -c 20000 /dev/zero | tr '\0' ']')" | profile deep
	run timeout 10 "$BAWN" run --rm deep "$WS" -- echo STARTED
	refused "deep.yaml"
	profile loop <<<$'command: [bash]\nexec: true\npolicies: [loop1]'
	policy loop1 <<<$'include: [loop2]\nallow: [a.example.com]'
	policy loop2 <<<$'include: [loop1]\nallow: [b.example.com]'
	run timeout 10 "$BAWN" run --rm loop "$WS" -- echo STARTED
	refused
	# a BOM and CRLF are either an error or have no effect at all: never half a file
	printf '\xef\xbb\xbfcommand: [bash]\r\nexec: true\r\npolicies: [locked]\r\n' | profile bom
	run "$BAWN" policy check bom github.com
	[ "$status" != 0 ]
	printf 'allow:\r\n  - a.example.com\r\n' | policy crlf
	run "$BAWN" policy check --policy crlf shell github.com
	[ "$status" != 0 ]
	: | profile empty
	run "$BAWN" run --rm empty "$WS" -- echo STARTED
	refused "empty.yaml"
}

@test "CFG-08 rules that mean nothing or too much are errors or warned of" {
	local rule
	for rule in '*.' 'http://x' 'x/y' 'a.example.com:0' 'a.example.com:65536' '.x' 'a..b' 'a b' \
		'user@host' 'a.example.com:' 'a.example.com:https' '*a.example.com' 'a.*.example.com' '' \
		'10.0.0.0/33' '1.2.3' '::1/129' 'ex ample.com' $'a\nb' "$(head -c 300 /dev/zero | tr '\0' a).com"; do
		run "$BAWN" run --rm --allow "$rule" shell "$WS" -- echo STARTED
		refused || fail "--allow '$rule' was taken"
		run "$BAWN" run --rm --deny "$rule" shell "$WS" -- echo STARTED
		refused || fail "--deny '$rule' was taken"
	done
	policy star <<<'allow: ["*"]'
	run "$BAWN" run --rm --policy star shell "$WS" -- echo STARTED
	refused "star.yaml:1:9"
	policy wide <<<'allow: ["*.com", "**.co.uk", "**.github.io"]'
	run "$BAWN" policy lint wide
	assert_output "1:9: warning"
	assert_output "top-level domain .com"
	assert_output "below co.uk"
	assert_output "below github.io"
}

@test "CFG-09 what is writable is fixed at the start" {
	mkdir -p "$WS/sub" "$T/other"
	git_repo
	cd sub
	run "$BAWN" run --rm -q shell -- sh -c "pwd; cd /; touch $T/other/x $HOME/../escaped 2>&1; cd $T/other 2>&1; echo end"
	assert_output "$WS/sub"
	[ ! -e "$T/other/x" ]
	[ ! -e "$T/escaped" ]
	run "$BAWN" run --rm -q shell "$WS" -- bash -c "cd $T && bawn run shell $T/other -- touch x; echo end"
	[ ! -e "$T/other/x" ]
}

@test "CFG-10 what is missing ends the start; only what is named is done without, and printed" {
	local call
	for call in unshare clone nftables landlock seccomp rtnetlink pivot_root open_tree mount_setattr; do
		run "$DENY" "$call=EPERM" "$BAWN" run --rm shell "$WS" -- echo STARTED
		refused || fail "$call"
		[ -n "$output" ] || fail "no message for $call"
	done
	run "$DENY" landlock=ENOSYS "$BAWN" run --rm shell "$WS" -- echo STARTED
	refused "--allow-degraded landlock"
	run "$DENY" landlock=ENOSYS "$BAWN" run --rm --allow-degraded landlock shell "$WS" -- echo STARTED
	assert_output STARTED
	assert_output "no landlock"
	audit_events degraded | grep -q landlock
	for call in seccomp nftables userns everything ''; do
		run "$BAWN" run --rm --allow-degraded "$call" shell "$WS" -- echo STARTED
		refused || fail "--allow-degraded $call"
	done
	[ -z "$(box_dirs)" ] || fail "left: $(box_dirs)"
}

@test "CFG-12 no helper is looked up in PATH or the workspace" {
	mkdir "$WS/bin"
	local h
	for h in bawn-init bawn-relay bawn-resolve bawn-scan bawn-admin bawn-scope nft ip mount newuidmap git unshare sh env; do
		printf '#!/bin/sh\ntouch %s/RAN-%s\nexit 1\n' "$T" "$h" >"$WS/bin/$h"
		chmod +x "$WS/bin/$h"
	done
	git -C "$WS" init -q
	cp "$WS/bin/bawn-init" "$WS/bawn-init"
	cd "$WS"
	run env PATH="$WS/bin:." "$BAWN" run --rm shell "$WS" -- /bin/true
	assert_status 0
	run compgen -G "$T/RAN-*"
	[ -z "$output" ] || fail "ran: $output"
}

@test "CFG-13 no variable that runs code comes along" {
	local v
	for v in LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT NODE_OPTIONS BUN_OPTIONS PYTHONSTARTUP PYTHONPATH PERL5OPT RUBYOPT \
		BASH_ENV ENV GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_EXTERNAL_DIFF GIT_DIR PROMPT_COMMAND JAVA_TOOL_OPTIONS \
		GCONV_PATH RUSTC_WRAPPER npm_config_registry AWS_SECRET_ACCESS_KEY GITHUB_TOKEN MY_API_KEY OPENAI_API_KEY \
		SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS; do
		printf '%s=%s\n' "$v" "$T/$CANARY"
	done >"$T/vars"
	mapfile -t vars <"$T/vars"
	run env "${vars[@]}" "$BAWN" run --rm shell "$WS" -- env
	refute_canary
	assert_output "BAWN_SANDBOX="
	# of several with one name, and with names nobody expects
	run env $'A\nB=x' "$BAWN" run --rm shell "$WS" -- env
	assert_status 0
	# the user's explicit word passes
	run env FOO_BAR=word "$BAWN" run --rm -e FOO_BAR -e OTHER=given shell "$WS" -- env
	assert_output "FOO_BAR=word"
	assert_output "OTHER=given"
	# what bawn itself is started with has no say over its helpers
	printf 'int x;' >"$T/x.c"
	run env LD_PRELOAD="$T/none.so" LD_LIBRARY_PATH="$T" BASH_ENV="$T/x" "$BAWN" run --rm shell "$WS" -- echo well
	assert_output well
}

@test "CFG-14 a state directory that others may write or own is refused" {
	in_sandbox true
	local d
	for d in "$XDG_DATA_HOME/bawn" "$XDG_DATA_HOME/bawn/sandboxes"; do
		chmod 777 "$d"
		run in_sandbox echo STARTED
		refused "$d" || fail "$d"
		chmod 700 "$d"
	done
	rm -rf "$XDG_DATA_HOME/bawn/sandboxes"
	mkdir "$T/elsewhere"
	chmod 755 "$T/elsewhere"
	ln -s "$T/elsewhere" "$XDG_DATA_HOME/bawn/sandboxes"
	run in_sandbox echo STARTED
	refused
	rm "$XDG_DATA_HOME/bawn/sandboxes"
	echo file >"$XDG_DATA_HOME/bawn/sandboxes"
	run in_sandbox echo STARTED
	refused
	rm "$XDG_DATA_HOME/bawn/sandboxes"
	XDG_DATA_HOME=/var run in_sandbox echo STARTED
	refused
	# the log is no way to write through a link
	plant "$T/victim"
	rm -f "$AUDIT"
	ln -s "$T/victim" "$AUDIT"
	run in_sandbox echo STARTED
	assert_untouched "$T/victim"
}

@test "CFG-15 many starts and ends at once" {
	local i
	for i in $(seq 20); do
		in_sandbox sh -c "echo out-$i" >"$T/out.$i" 2>&1 3>&- &
	done
	wait
	for i in $(seq 20); do
		grep -q "^out-$i$" "$T/out.$i" || fail "$i: $(cat "$T/out.$i")"
	done
	[ -z "$(box_dirs)" ]
	[ "$(audit_events exit | wc -l)" = 20 ]
}

@test "CFG-16 names that begin with a dash are names where they are names" {
	mkdir "$WS/-rf" "$WS/--help"
	echo x >"$WS/-rf/keep"
	cd "$WS"
	run "$BAWN" run --rm -q shell ./-rf -- pwd
	assert_output "$WS/-rf"
	cd "$WS/--help"
	run "$BAWN" run --rm -q shell -- pwd
	assert_output "$WS/--help"
	[ -e "$WS/-rf/keep" ]
	run -127 "$BAWN" run --rm -q shell "$WS" -- --help
	run "$BAWN" run --rm -q shell "$WS" -- echo -- --rm -e X
	assert_output "-- --rm -e X"
	run "$BAWN" run --nonsense shell "$WS" -- echo STARTED
	refused nonsense
}

@test "CFG-16 an empty path is an error, not the current directory" {
	run "$BAWN" run --rm shell "" -- echo STARTED
	assert_status 125
	assert_output "a PATH is empty"
	refute_output STARTED
	run "$BAWN" run --rm shell "$WS" "" -- echo STARTED
	refute_output STARTED
}

@test "CFG-17 odd surroundings" {
	BAWN_OPTS=(-q)
	# no HOME: passwd's; a relative one is an error or passwd's
	run env -u HOME "$BAWN" run --rm -q shell "$WS" -- sh -c 'echo "home=$HOME"'
	[[ $output == *"home=$(getent passwd "$(id -u)" | cut -d: -f6)"* ]] || assert_status 125
	run env HOME=relative "$BAWN" run --rm -q shell "$WS" -- sh -c 'echo "home=$HOME"'
	refute_output "home=relative"
	# closed descriptors
	run bash -c '"$BAWN" run --rm -q shell "$WS" -- sh -c "echo out; echo err >&2" <&-'
	assert_output out
	run bash -c '"$BAWN" run --rm -q shell "$WS" -- sh -c "ls -l /proc/self/fd >$WS/fds; exit 3" <&- >&- 2>&-; echo $?'
	[ "$output" = 3 ]
	run cat "$WS/fds"
	refute_output "socket:"
	refute_output "memfd:"
	refute_output "pipe:"
	# file modes: the caller's umask is the agent's, and opens nothing of bawn's
	run bash -c 'umask 0; "$BAWN" run --rm -q shell "$WS" -- sh -c "umask; touch made"'
	assert_output 0000
	[ "$(stat -c %a "$WS/made")" = 666 ]
	[ -z "$(find "$XDG_DATA_HOME/bawn" "$XDG_CACHE_HOME/bawn" "$CONF" -perm /022 ! -type l)" ] ||
		fail "writable: $(find "$XDG_DATA_HOME/bawn" "$XDG_CACHE_HOME/bawn" -perm /022 ! -type l)"
	# tiny limits: an error or a run, never half of one
	run bash -c 'ulimit -n 12; "$BAWN" run --rm -q shell "$WS" -- echo STARTED'
	[ "$status" = 0 ] || refused
	run bash -c 'ulimit -v 60000; "$BAWN" run --rm -q shell "$WS" -- true; echo "code $?"'
	assert_output "code"
	run bash -c 'trap "" PIPE INT TERM; "$BAWN" run --rm -q shell "$WS" -- sh -c "kill -TERM \$\$; echo survived"'
	refute_output survived # ignored signals are not inherited into the sandbox
	# nor does a caller that has its children's ends ignored keep helpers' from us: here the policy is
	# compiled, as nothing is in the cache
	run env XDG_CACHE_HOME="$T/cold" /usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$BAWN" run --rm -q shell "$WS" -- sh -c 'echo STARTED; exit 3'
	assert_status 3
	assert_output STARTED
	run bash -c '"$BAWN" run --rm -q shell "$WS" -- yes | head -1'
	[ "$output" = y ]
	eventually eval '[ -z "$(box_dirs)" ]'
}

@test "CFG-18 the agent can't replace its own program or bawn on the host" {
	mkdir -p "$HOME/.local/bin" "$HOME/.local/share/claude/versions"
	printf '#!/bin/sh\nt=$(readlink -f "$0")\necho evil >"$t" && echo WROTE; rm -f "$t" && echo REMOVED; rm -f ~/.local/bin/claude; ln -s /bin/false ~/.local/bin/claude; echo ran; true\n' \
		>"$HOME/.local/share/claude/versions/1.0.0"
	chmod +x "$HOME/.local/share/claude/versions/1.0.0"
	ln -s ../share/claude/versions/1.0.0 "$HOME/.local/bin/claude"
	local before
	before=$(sha256sum "$HOME/.local/share/claude/versions/1.0.0" "$BAWN" "$BAWN-init")
	run env PATH="$HOME/.local/bin:$PATH" ANTHROPIC_API_KEY=x "$BAWN" run --rm claude "$WS"
	assert_output ran
	refute_output WROTE
	refute_output REMOVED
	[ "$(readlink "$HOME/.local/bin/claude")" = ../share/claude/versions/1.0.0 ]
	[ "$before" = "$(sha256sum "$HOME/.local/share/claude/versions/1.0.0" "$BAWN" "$BAWN-init")" ]
	run in_sandbox_sh "echo evil >$BAWN-init; rm -f $BAWN; echo end"
	[ "$before" = "$(sha256sum "$HOME/.local/share/claude/versions/1.0.0" "$BAWN" "$BAWN-init")" ]
}

@test "CFG-19 bawn inside a sandbox says so and starts nothing" {
	mkdir "$WS/inst"
	local f
	for f in "$BAWN" "$BAWN"-*; do # a tarball's directory may stand beside them
		[ ! -f "$f" ] || cp "$f" "$WS/inst"
	done
	cp -r "$BAWN_BUILDDIR/share" "$WS/inst"
	run in_sandbox "$WS/inst/bawn" run --rm shell "$WS" -- echo STARTED
	refused "inside"
	# without the variable it fails, too, and harmlessly
	run in_sandbox env -u BAWN_SANDBOX "$WS/inst/bawn" run --rm shell "$WS/inst" -- echo STARTED
	refused
}
