#!/usr/bin/env bats
# lasting.bats - sandboxes that last: names, re-entry, sessions, what stays and what goes.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() {
	[ ! -s "$T/stopped" ] || kill -CONT "$(<"$T/stopped")" 2>/dev/null || :
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

BOXES() {
	echo "$XDG_DATA_HOME/bawn/sandboxes"
}

# on_pty STEP... -- ARGS...: bawn ARGS on a terminal of its own.
on_pty() {
	local steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	/usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" "${steps[@]}" -- "$BAWN" "$@"
}

status_of() {
	"$BAWN" ls --json | python3 -c '
import json, sys
print({s["name"]: s["status"] for s in json.load(sys.stdin)}.get(sys.argv[1], "none"))' "$1"
}

stopped() {
	[ "$(status_of "$1")" = stopped ]
}

# ---- names --------------------------------------------------------------------------------------

@test "run makes PROFILE-DIRECTORY, comes back to it, and home stays" {
	run "$BAWN" run shell -- sh -c 'echo kept >~/note; echo $BAWN_SANDBOX'
	assert_status 0
	[ "$output" = shell-project ]
	[ "$("$BAWN" ls -q)" = shell-project ]
	run "$BAWN" run shell -- cat .. ~/note
	assert_output kept
	# by name, from elsewhere too
	cd "$HOME"
	run "$BAWN" run shell-project -- sh -c 'cat ~/note; pwd'
	[ "$output" = "kept"$'\n'"$WS" ] || fail "$output"
	# in a subdirectory of the workspace: there
	mkdir -p "$WS/sub/dir"
	cd "$WS/sub/dir"
	[ "$("$BAWN" run shell-project -- pwd)" = "$WS/sub/dir" ]
	# the same name for another directory gets a number
	mkdir -p "$HOME/other/project"
	cd "$HOME/other/project"
	[ "$("$BAWN" run shell -- sh -c 'echo $BAWN_SANDBOX')" = shell-project-2 ]
	run "$BAWN" run shell -- sh -c 'cat ~/note'
	refute_output kept
}

@test "names: the rule, no profile's name, the unknown one is told how to be made" {
	for bad in x default -a a/b 'a b' ä '' "$(printf '%065d' 1)" .ab; do
		run -125 "$BAWN" create --name="$bad" shell
		assert_output "can't be a sandbox's name" || fail "accepted: $bad" || return 1
	done
	run -125 "$BAWN" create --name claude shell
	assert_output "is a profile's name"
	for good in ab A.b_c-9 "$(printf '%064d' 1)"; do
		run -0 "$BAWN" create --name "$good" shell
		[ "$output" = "$good" ]
	done
	run -125 "$BAWN" run no-such-box
	assert_output "there is no sandbox 'no-such-box'"
	assert_output "bawn create --name no-such-box claude ."
	run -125 "$BAWN" create --name ab shell
	assert_output 'there is a sandbox ab already'
	run -125 "$BAWN" create shell -- true
	assert_output 'does not take ARGS'
	run -125 "$BAWN" create no-such-profile
	assert_output "there is no profile 'no-such-profile'"
	refute_output 'no sandbox'
	run -1 "$BAWN" rm A.b_c-8
	assert_output 'did you mean A.b_c-9?'
	for o in '--name other' --rm; do
		# shellcheck disable=SC2086  # two words
		run -125 "$BAWN" run $o A.b_c-9 -- true
		assert_output "'A.b_c-9' is a sandbox, not a profile" || return 1
		assert_output 'bawn run A.b_c-9 enters it' || return 1
	done
	run -125 "$BAWN" run --rm A.b_c-8 -- true
	assert_output 'there is no profile "A.b_c-8"'
	run -125 "$BAWN" exec ab -u root id
	assert_output "-u stands behind the sandbox's name"
	assert_output 'options come first: bawn exec -u ... ab COMMAND'
	run -125 "$BAWN" exec ab --
	assert_output 'which command?'
	# what could not be started took no time
	run -127 "$BAWN" exec ab no-such-program
	grep '"event":"exit"' "$AUDIT" | grep -Eq '"code":127,"ms":[0-9]{1,6}\b' || fail "$(tail -n 3 "$AUDIT")"
	run -125 "$BAWN" lss
	assert_output 'did you mean ls?'
	run -125 "$BAWN" rm
	assert_output 'bawn rm NAME... or --all'
	for c in exec shell attach logs; do
		run "$BAWN" "$c" no-such-box true
		[ "$status" -ne 0 ] || fail "$c of none"
	done
	# odd directory names make usual names
	d=$HOME/$'Ünï \n dir!'
	mkdir "$d"
	cd "$d"
	run -0 "$BAWN" create shell
	[[ $output =~ ^shell-[A-Za-z0-9._-]+$ ]] || fail "$output"
}

@test "names: a profile's where a sandbox's is wanted is told apart, with the sandboxes of it" {
	local verb
	run -125 "$BAWN" exec shell true
	assert_output "'shell' is a profile, not a sandbox"
	assert_output 'bawn create shell . makes one'
	"$BAWN" create shell >/dev/null
	"$BAWN" create --name other shell >/dev/null
	"$BAWN" create --name third claude >/dev/null
	for verb in shell attach stop rm diff checkpoint ports; do
		run "$BAWN" "$verb" shell
		assert_output "'shell' is a profile, not a sandbox"
		assert_output 'sandboxes of shell: other, shell-project;'
		refute_output third
	done
}

@test "names: without one, what was made aside to land nothing is not entered; another is, and says so" {
	"$BAWN" create --name aside --workspace cow shell >/dev/null
	run -0 "$BAWN" run shell -- sh -c 'echo here >"$PWD/landed"'
	[ "$(cat "$WS/landed")" = here ]
	refute_output "this is sandbox"
	[ "$("$BAWN" ls -q | sort | tr '\n' ' ')" = "aside shell-project " ]
	"$BAWN" rm shell-project
	# asked for as what it is it is meant
	run -0 "$BAWN" run --workspace cow shell -- sh -c 'echo there >"$PWD/landed"'
	assert_output "this is sandbox aside"
	[ "$(cat "$WS/landed")" = here ]
	"$BAWN" create --name other shell >/dev/null
	run -0 "$BAWN" run shell -- true
	assert_output "this is sandbox other"
	[ "$("$BAWN" ls -q | wc -l)" = 2 ]
	# the number behind a usual name is bawn's, and no name of anybody's
	mkdir -p "$HOME/x/project"
	cd "$HOME/x/project"
	"$BAWN" create --name shell-project-2 --workspace cow shell >/dev/null
	run -0 "$BAWN" run shell -- sh -c 'echo inside >f'
	[ ! -e f ] && [ "$("$BAWN" ls -q | wc -l)" = 3 ]
}

@test "options: those of the creation stay, others count for one start, a running one refuses them" {
	serve_http ALLOWED
	local conn=(--connect-to "one.test:80:127.0.0.1:$PORT")
	"$BAWN" create --name opts --allow one.test:80 "${conn[@]}" shell >/dev/null
	run "$BAWN" run opts -- curl -s -m 5 http://one.test/
	assert_output ALLOWED
	run "$BAWN" run opts -- curl -s -m 5 --connect-to "two.test:80:one.test:80" http://two.test/
	refute_output ALLOWED
	run "$BAWN" run --deny one.test:80 opts -- curl -s -m 5 http://one.test/
	refute_output ALLOWED
	run "$BAWN" run opts -- curl -s -m 5 http://one.test/
	assert_output ALLOWED
	"$BAWN" exec -d opts sleep 60
	run -125 "$BAWN" run --allow x.example.org opts -- true
	assert_output 'is running without --allow x.example.org'
	assert_output 'bawn policy allow x.example.org --sandbox opts'
	run -125 "$BAWN" run --offline opts -- true
	# the same as it has is fine
	run -0 "$BAWN" run --allow one.test:80 opts -- true
	"$BAWN" stop opts
	run -125 "$BAWN" run --name opts shell "$HOME/elsewhere" -- true
	mkdir "$HOME/elsewhere"
	run -125 "$BAWN" run --name opts shell "$HOME/elsewhere" -- true
	assert_output 'another workspace'
	# the line that would make it has all of them: the first is the workspace
	run -125 "$BAWN" run --name opts shell . "$HOME/elsewhere:ro" -- true
	assert_output "has not $HOME/elsewhere:ro"
	assert_output "bawn create --name NAME shell . $HOME/elsewhere:ro"
	run -125 "$BAWN" run --rm --name opts shell
	assert_output 'neither --name nor'
}

# A tool as its own installer puts it: a link to the version that is the newest.
tool_version() {
	local v=$HOME/.local/share/tool/versions
	mkdir -p "$v" "$HOME/.local/bin" "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'summary: a tool\ncommand: [tool]\nfind: [~/.local/bin/tool]\n' \
		>"$XDG_CONFIG_HOME/bawn/profiles/tool.yaml"
	rm -f "$v"/*
	printf '#!/bin/sh\necho version %s\n' "$1" >"$v/$1"
	chmod +x "$v/$1"
	ln -sfn "$v/$1" "$HOME/.local/bin/tool"
}

@test "the tool was updated, moved, installed otherwise on the host between two starts" {
	tool_version 1
	run "$BAWN" run -q --name up tool
	[ "$output" = 'version 1' ] || fail "$output"
	tool_version 2
	run "$BAWN" run -q --name up tool
	[ "$output" = 'version 2' ] || fail "$output"
	"$BAWN" checkpoint up >/dev/null
	tool_version 3
	run "$BAWN" run -q --name up tool
	[ "$output" = 'version 3' ] || fail "$output"
	# a file where the link was, and in a fresh home a link where a file was
	rm "$HOME/.local/bin/tool"
	cp "$HOME/.local/share/tool/versions/3" "$HOME/.local/bin/tool"
	run "$BAWN" run -q --name up tool
	[ "$output" = 'version 3' ] || fail "$output"
	"$BAWN" rm up
	"$BAWN" run --name up tool
	tool_version 4
	run "$BAWN" run -q --name up tool
	[ "$output" = 'version 4' ] || fail "$output"
	# a link in a directory that is shown is the host's own; in one that agents write to it may be theirs
	run -127 "$BAWN" run -q --rm tool "$WS" "$HOME/.local/bin"
	assert_output 'tool is a link out of what an agent writes to: it may have put it there' 'name that PATH with :ro'
	run -0 "$BAWN" run -q --name own tool "$WS" "$HOME/.local/bin:ro"
	[ "$output" = 'version 4' ] || fail "$output"
	[ "$(readlink "$HOME/.local/bin/tool")" = "$HOME/.local/share/tool/versions/4" ]
}

@test "what stands in the way of a mount is said, with what helps" {
	tool_version 1
	"$BAWN" run --name way tool
	"$BAWN" checkpoint way >/dev/null
	"$BAWN" run --name way shell -- sh -c 'mv ~/.local ~/moved && ln -s moved ~/.local'
	run -125 "$BAWN" run --name way tool
	assert_output 'bawn undo NAME'
	"$BAWN" undo way
	run -0 "$BAWN" run -q --name way tool
	[ "$output" = 'version 1' ] || fail "$output"
}

@test "another profile enters by --name; inspect names it" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'summary: another\ncommand: [cat]\n' >"$XDG_CONFIG_HOME/bawn/profiles/reader.yaml"
	"$BAWN" run --name both shell -- sh -c 'echo left >~/left'
	[ "$("$BAWN" run --name both reader -- "$HOME/left")" = left ]
	"$BAWN" run --name both reader -- /dev/null
	"$BAWN" inspect both | python3 -c '
import json, sys
s = json.load(sys.stdin)[0]
assert s["profile"] == "shell" and s["entered"] == ["reader"], s'
}

# ---- sessions -----------------------------------------------------------------------------------

@test "exec: exit codes, streams, environment, directory, the same walls; it starts a stopped one" {
	"$BAWN" create --name ex shell >/dev/null
	plant "$HOME/.ssh/id_canary"
	run "$BAWN" exec ex sh -c 'exit 7'
	assert_status 7
	run -127 "$BAWN" exec ex no-such-command
	touch "$WS/plain"
	run "$BAWN" exec ex "$WS/plain"
	assert_status 126
	run "$BAWN" exec ex ./plain
	assert_status 126
	[ "$(printf 'a\0b' | "$BAWN" exec ex cat | od -An -c | tr -d ' ')" = 'a\0b' ]
	[ "$("$BAWN" exec ex sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ]
	[ "$("$BAWN" exec ex sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" = err ]
	[ "$("$BAWN" exec -e A=1 -e B='two words' -w /tmp ex sh -c 'echo $A $B; pwd')" = "1 two words"$'\n'/tmp ]
	run -125 "$BAWN" exec -w relative ex true
	run -127 "$BAWN" exec -w /no/such ex true
	assert_output '/no/such'
	run -125 "$BAWN" exec -u nobody ex true
	assert_output 'no user nobody inside'
	[ "$("$BAWN" exec -u "$(id -u)" ex -- id -u)" = "$(id -u)" ]
	run "$BAWN" exec ex sh -c "cat $HOME/.ssh/id_canary; cat /proc/1/environ; ls /proc/self/fd | wc -l"
	refute_canary
	# a second one while the first runs: the same processes, no new way out
	"$BAWN" exec -d ex sleep 77
	[ "$("$BAWN" exec ex sh -c 'echo $BAWN_SANDBOX')" = ex ]
	run "$BAWN" exec ex sh -c 'ps ax; cat /proc/1/environ; grep -c . /proc/self/status; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; ls /proc/self/fd; unshare -U true'
	assert_output 'sleep 77'
	assert_output $'CapEff:\t0000000000000000'
	assert_output $'NoNewPrivs:\t1'
	assert_output $'Seccomp:\t2'
	assert_output 'Operation not permitted'
	run "$BAWN" exec ex sh -c 'ls /proc/self/fd | tr "\n" " "'
	[ "$output" = "0 1 2 3 " ] || fail "$output"
	run -125 "$BAWN" exec ex
	run -125 "$BAWN" exec -t ex true
	assert_output 'no terminal'
}

@test "the audit log has every session, with its program and status" {
	"$BAWN" create --name told shell >/dev/null
	"$BAWN" exec -d told sleep 60
	run "$BAWN" exec told sh -c 'exit 5'
	assert_status 5
	run on_pty sleep=0.3 'send=\x10\x11' eof -- attach told
	"$BAWN" stop -t 0 told
	"$BAWN" log --json told >"$T/log"
	grep '"event": *"session"' "$T/log" | grep '"program": *"sh"' | grep -q begins || fail "$(cat "$T/log")"
	grep '"event": *"session"' "$T/log" | grep ended | grep -q '"code": *5' || fail "$(cat "$T/log")"
	grep '"event": *"session"' "$T/log" | grep -q attached || fail "$(cat "$T/log")"
	grep '"event": *"session"' "$T/log" | grep -q detached
}

@test "a client that is killed takes what it started along, and nothing else" {
	"$BAWN" create --name group shell >/dev/null
	"$BAWN" exec -d group sleep 61
	"$BAWN" exec group sh -c 'sleep 62 & sleep 63 & echo up; wait' >"$T/out" 3>&- &
	local pid=$!
	SERVERS+=("$pid")
	eventually grep -q up "$T/out"
	kill -9 "$pid"
	wait "$pid" || true
	eventually sh -c "! '$BAWN' exec group ps ax | grep -q 'sleep 6[23]'"
	run "$BAWN" exec group ps ax
	assert_output 'sleep 61'
}

@test "a second run joins, never an error; twenty at once of one name make one sandbox" {
	local i pids=()
	for i in {1..20}; do
		"$BAWN" run shell -- sh -c "echo $i >>~/all; sleep 1; wc -l <~/all" >"$T/out.$i" 2>"$T/err.$i" 3>&- &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "$(cat "$T"/err.*)" || return 1
	done
	[ "$("$BAWN" ls -q)" = shell-project ]
	[ "$("$BAWN" run shell -- sh -c 'wc -l <~/all')" = 20 ]
	# each of them saw the same home: none of them wrote over another's
	[ "$(cat "$T"/out.* | sort -n | tail -1)" = 20 ]
}

@test "twelve at once in directories of one name: each has its own workspace" {
	local i pids=()
	for i in {1..12}; do
		mkdir -p "$T/w$i/same"
		(cd "$T/w$i/same" && exec "$BAWN" run shell -- sh -c "pwd; echo $i >mine; sleep 0.5" >"$T/out.$i" 2>"$T/err.$i" 3>&-) &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "$(cat "$T"/err.*)" || return 1
	done
	for i in {1..12}; do
		[ "$(cat "$T/out.$i")" = "$T/w$i/same" ] || fail "$i was in $(cat "$T/out.$i")" || return 1
		[ "$(cat "$T/w$i/same/mine")" = "$i" ]
	done
	[ "$("$BAWN" ls -q | sort -u | wc -l)" = 12 ] || fail "$("$BAWN" ls)"
	# made without being entered: likewise
	pids=()
	for i in {1..6}; do
		mkdir -p "$T/c$i/made"
		"$BAWN" create shell "$T/c$i/made" >"$T/out.$i" 2>"$T/err.$i" 3>&- &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "$(cat "$T"/err.*)" || return 1
	done
	[ "$(cat "$T"/out.* | sort -u | grep -c '^shell-made')" = 6 ] || fail "$(cat "$T"/out.*)"
	# of one name: one is made, and the others enter it as if it had been there
	pids=()
	for i in {1..6}; do
		(cd "$T/w$i/same" && exec "$BAWN" run --name one shell -- sh -c 'pwd; sleep 0.5' >"$T/out.$i" 2>"$T/err.$i" 3>&-) &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "$(cat "$T"/err.*)" || return 1
	done
	local place
	place=$("$BAWN" run one -- pwd)
	for i in {1..6}; do
		[ "$(cat "$T/out.$i")" = "$place" ] || fail "$i was in $(cat "$T/out.$i"), not $place" || return 1
	done
}

@test "run -d, logs, attach, detach keys" {
	run "$BAWN" run -d --name bg shell -- sh -c 'echo "from the background"; read x; echo "got $x"; sleep 60'
	assert_status 0
	[ "$output" = bg ]
	eventually sh -c "'$BAWN' logs bg | grep -q 'from the background'"
	[ "$(status_of bg)" = running ]
	run -125 "$BAWN" attach bg
	assert_output 'no terminal to attach'
	run on_pty sleep=0.5 'send=hello\r' 'expect=got hello' 'send=\x10\x11' eof modes shell -- attach bg
	assert_status 0
	assert_output 'got hello'
	assert_output 'modes as before'
	assert_output 'bg goes on; to come back: bawn attach bg'
	[ "$(status_of bg)" = running ]
	run "$BAWN" logs bg
	assert_output 'got hello'
	# other keys
	run on_pty sleep=0.3 'send=\x10\x11' sleep=0.3 'send=ab' eof -- attach --detach-keys a,b bg
	assert_status 0
	run -125 "$BAWN" attach --detach-keys 'nonsense' bg
	run "$BAWN" stop -t 1 bg
	assert_status 0
	eventually stopped bg
	run -125 on_pty eof -- attach bg
	assert_output 'is not running'
}

# A program that draws its whole screen when its size has changed, and only then.
painter() {
	cat >"$WS/painter.py" <<-'EOF'
		import os, select, shutil, signal, sys, tty
		size, r, w = None, *os.pipe()
		os.set_blocking(w, False)
		signal.signal(signal.SIGWINCH, lambda *_: None)
		signal.set_wakeup_fd(w)
		tty.setraw(0)
		sys.stdout.write("\x1b[?1049h\x1b[?2004h\x1b[?1002;1006h\x1b[>1u\x1b[?25l")
		drawn = 0
		while True:
		    now = os.get_terminal_size()
		    if now != size:
		        size, drawn = now, drawn + 1
		        sys.stdout.write(f"\x1b[2Jdrawn {drawn} at {size.lines}x{size.columns}\r\n")
		        sys.stdout.flush()
		    for fd in select.select([0, r], [], [])[0]:
		        got = os.read(fd, 99)
		        if fd == 0:
		            sys.stdout.write(f"typed {got!r}\r\n")
		            sys.stdout.flush()
	EOF
}

@test "attach: the program draws anew, with its terminal in the modes that it left it in" {
	painter
	local modes='<ESC>[?1049h<ESC>[?2004h<ESC>[?1002h<ESC>[?1006h<ESC>[>1u<ESC>[?25l'
	run on_pty --size=30x90 'expect=at 30x90' 'send=\x10\x11' eof modes shell -- \
		run --name art shell -- python3 painter.py
	assert_status 0
	assert_output 'modes as before'
	assert_output '<ESC>[?1049l'
	# of the same size, of another, and with the keys typed before it has drawn
	run on_pty --size=30x90 'expect=at 29x89' 'expect=at 30x90' 'send=x' "expect=typed b'x'" \
		'send=\x10\x11' eof modes shell -- attach art
	assert_status 0
	assert_output "$modes"
	assert_output 'modes as before'
	run on_pty --size=40x100 'expect=at 40x100' 'send=\x10\x11' eof -- attach art
	assert_output "$modes"
	refute_output 'at 39x99'
	run on_pty --size=40x110 'expect=at 39x109' 'expect=at 40x110' 'send=\x10\x11' eof -- attach art
	assert_status 0
	run on_pty --size=40x100 'expect=2004h' 'send=\x10\x11' eof -- attach art
	assert_status 0
	run on_pty --size=40x100 'expect=at 39x99' 'expect=at 40x100' 'send=\x10\x11' eof -- attach art
	assert_status 0
	# what is set while nobody is there counts too
	"$BAWN" run -d --name off shell -- sh -c 'printf "\033[?2004h\033[?1000h"; sleep 60' >/dev/null
	eventually sh -c "'$BAWN' logs --raw off | grep -q 1000h"
	run on_pty 'expect=\x1b[?2004h\x1b[?1000h' 'send=\x10\x11' eof -- attach off
	assert_status 0
}

@test "detach keys: as a keyboard protocol tells them, too; what only begins like them is the program's" {
	painter
	"$BAWN" run -d --name keyed shell -- python3 painter.py >/dev/null
	local s
	for s in '\x1b[112;5u\x1b[113;5u' '\x1b[112;5:1u\x1b[112;5:3u\x1b[113;5:1u' \
		'\x1b[57442;5u\x1b[112;5u\x1b[57442;1:3u\x1b[57442;5u\x1b[113;5u' \
		'\x1b[27;5;112~\x1b[27;5;113~' '\x1b[112;133u\x1b[113;133u' '\x10\x10\x11'; do
		run on_pty expect=drawn "send=$s" eof modes -- attach keyed
		assert_status 0
		assert_output 'modes as before' || return 1
		assert_output 'keyed goes on' || fail "$s" || return 1
	done
	run on_pty expect=drawn 'send=\x1b[112;5ua' "expect=typed b'\\\\x1b[112;5ua'" \
		'send=\x1b[112;6u\x1b[113;5u' "expect=typed b'\\\\x1b[112;6u\\\\x1b[113;5u'" \
		'send=\x10\x10a' "expect=typed b'\\\\x10\\\\x10a'" \
		'send=\x1b[A' "expect=typed b'\\\\x1b[A'" 'send=\x10\x11' eof -- attach keyed
	assert_status 0
}

@test "a terminal that goes away: a detached session goes on, another ends" {
	"$BAWN" run -d --name keep shell -- sh -c 'while :; do echo tick; sleep 0.2; done' >/dev/null
	run on_pty expect=tick kill=self eof -- attach keep
	sleep 0.5
	[ "$(status_of keep)" = running ]
	# a closed window, a broken connection: SIGHUP, which is not the program's
	run on_pty expect=tick hangup -- attach keep
	assert_status 0
	sleep 0.5
	[ "$(status_of keep)" = running ]
	run on_pty expect=tick 'send=\x10\x11' eof -- attach keep
	assert_status 0
	"$BAWN" stop -t 0 keep
	run on_pty expect=tick hangup -- run --name hung shell -- sh -c 'while :; do echo tick; sleep 0.2; done'
	assert_status 129
	eventually stopped hung
	run on_pty expect=tick kill=self eof -- run --name gone shell -- sh -c 'while :; do echo tick; sleep 0.2; done'
	eventually stopped gone
}

@test "SIGKILL of client, supervisor or pid 1: it ends whole, and starts again" {
	local what pid
	for what in client supervisor init; do
		"$BAWN" run --name victim shell -- sh -c "echo $what >>~/seen; echo up; sleep 60" >"$T/out" 2>&1 3>&- &
		pid=$!
		SERVERS+=("$pid")
		eventually grep -q up "$T/out" || return 1
		case $what in
		client) kill -9 "$pid" ;;
		supervisor) kill -9 "$(pgrep -P "$pid" -x bawn)" ;;
		init) kill -9 "$(pgrep -P "$(pgrep -P "$pid" -x bawn)" -x bawn-init)" ;;
		esac
		wait "$pid" || true
		eventually stopped victim || fail "still running after the $what" || return 1
		run "$BAWN" exec victim tail -n 1 seen -w /
		run "$BAWN" exec victim sh -c 'tail -n 1 ~/seen'
		[ "$output" = "$what" ] || fail "$output" || return 1
		rm -f "$T/out"
	done
	"$BAWN" stop victim
	"$BAWN" rm victim
	assert_no_leftovers
}

# ended SECONDS SIGNAL COMMAND...: it waits, and a signal ends it within that time
ended() {
	local within=$1 signal=$2 pid code=0
	shift 2
	timeout -s "$signal" -k $((within + 1)) 1 env --default-signal=INT "$BAWN" "$@" </dev/null >"$T/out" 2>&1 || code=$?
	[ "$code" = 124 ] || fail "$*: $code $(cat "$T/out")"
}

@test "a supervisor that something has stopped: ls lists, and what waits for it ends at a signal" {
	local sup
	"$BAWN" run -d --name held shell -- sleep 64321 >/dev/null 3>&-
	sup=$(pgrep -u "$(id -u)" -f "name held shell -- sleep 64321")
	echo "$sup" >"$T/stopped"
	kill -STOP "$sup"
	run timeout 10 "$BAWN" ls
	assert_status 0
	assert_output ' running '
	run timeout 10 "$BAWN" inspect held
	assert_status 0
	local signal
	for signal in INT TERM; do
		ended 2 "$signal" policy allow --sandbox held a.example
		ended 2 "$signal" policy ls held
		ended 2 "$signal" ports held --publish 0:80
		ended 2 "$signal" checkpoint held
		ended 2 "$signal" fork held other
		ended 2 "$signal" cp held:/etc/hosts "$T/hosts"
	done
	# a session that there is not yet: two of them, and what was said of it
	timeout -s INT -k 8 1 env --default-signal=INT "$BAWN" exec held true </dev/null >"$T/out" 2>&1 3>&- &
	local waiting=$!
	sleep 1.5
	pkill -INT -P "$waiting" -x bawn
	wait "$waiting" || :
	grep -q "supervisor has not answered yet" "$T/out"
	kill -CONT "$sup"
	run -0 "$BAWN" exec held true
	[ "$("$BAWN" ls -q)" = held ] || fail "$("$BAWN" ls)"
}

@test "NS-13 a stale socket, and a lock that another program holds the number of" {
	"$BAWN" create --name stale shell >/dev/null
	python3 -c 'import socket,sys; s=socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1])' \
		"$(BOXES)/stale/control.sock"
	sleep 60 3>&- &
	local other=$!
	SERVERS+=("$other")
	echo "$other" >"$(BOXES)/stale/lock"
	run -0 "$BAWN" stop stale
	run -0 "$BAWN" exec stale true
	kill -0 "$other" || fail "an innocent program was stopped"
}

@test "IPC-09 nothing inside reaches the control socket, the spec or the upper layer" {
	"$BAWN" create --name shut shell >/dev/null
	"$BAWN" exec -d shut sleep 60
	run "$BAWN" exec shut sh -c "ls -la '$(BOXES)' '$XDG_DATA_HOME/bawn' 2>&1; find / -name control.sock -o -name spec -path '*sandboxes*' 2>/dev/null; echo looked"
	assert_output looked
	refute_output control.sock
	refute_output sandboxes/shut
	[ -S "$(BOXES)/shut/control.sock" ]
	[ "$(stat -c %a "$(BOXES)/shut/control.sock")" = 600 ]
	run "$BAWN" exec shut python3 -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    s.connect("'"$(BOXES)/shut/control.sock"'")
    print("REACHED")
except OSError as e:
    print("no:", e.strerror)'
	assert_output 'no:'
	# and it runs no bawn of its own
	cp "$BAWN" "$WS/bawn-copy"
	run "$BAWN" exec shut ./bawn-copy ls
	assert_status 125
	assert_output 'inside sandbox shut already'
}

@test "malformed messages to the control socket change nothing" {
	"$BAWN" create --name fuzz shell >/dev/null
	"$BAWN" exec -d fuzz sleep 60
	python3 - "$(BOXES)/fuzz/control.sock" <<-'EOF'
		import os, random, socket, sys
		random.seed(7)
		for i in range(400):
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.connect(sys.argv[1])
		    size = 1312 if i % 2 else random.randrange(1, 4000)
		    data = bytearray(os.urandom(size))
		    if i % 3 == 0 and size >= 8:
		        data[0:8] = (0x62776e73).to_bytes(4, "little") + random.randrange(0, 80).to_bytes(4, "little")
		    fds = [os.open("/dev/null", os.O_RDWR) for _ in range(random.randrange(0, 7))]
		    try:
		        socket.send_fds(s, [bytes(data)], fds)
		        s.settimeout(0.05)
		        s.recv(4096)
		    except OSError:
		        pass
		    for f in fds:
		        os.close(f)
		    s.close()
	EOF
	# a stop may be among what was sent
	run "$BAWN" exec fuzz echo alive
	assert_output alive
}

@test "PER-14 R: what is left in the home counts for the next session, in no other sandbox and not outside" {
	"$BAWN" run --name led shell -- sh -c 'echo "echo TRACE" >~/.profile'
	run "$BAWN" exec led sh -l -c true
	assert_output TRACE
	"$BAWN" run --name other shell -- true
	run "$BAWN" exec other sh -l -c true
	refute_output TRACE
	run "$BAWN" run --rm shell -- sh -l -c true
	refute_output TRACE
	[ ! -e "$HOME/.profile" ]
	"$BAWN" rm led
	"$BAWN" create --name led shell >/dev/null
	run "$BAWN" exec led sh -l -c true
	refute_output TRACE
}

# ---- the end ------------------------------------------------------------------------------------

@test "stop: asked first, then killed; rm refuses what runs; rm -f, --all, prune" {
	"$BAWN" run -d --name deaf shell -- sh -c 'trap "" TERM HUP; echo up; while :; do sleep 0.1; done' >/dev/null
	"$BAWN" run -d --name kind shell -- sh -c 'trap "echo asked >~/asked; exit" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	eventually sh -c "'$BAWN' logs deaf | grep -q up" && eventually sh -c "'$BAWN' logs kind | grep -q up"
	run -1 "$BAWN" rm deaf
	assert_output 'is running'
	SECONDS=0
	run -0 "$BAWN" stop -t 2 kind deaf
	[ "$SECONDS" -le 6 ]
	[ "$("$BAWN" exec kind sh -c 'cat ~/asked')" = asked ]
	run -0 "$BAWN" rm deaf
	[ ! -e "$(BOXES)/deaf" ]
	run -1 "$BAWN" rm deaf
	run -0 "$BAWN" rm -f deaf
	run -125 "$BAWN" prune
	assert_output 'nobody to ask'
	run -0 "$BAWN" prune --dry-run
	assert_output kind
	run -0 "$BAWN" prune --dry-run --filter until=1h
	refute_output kind
	run -125 "$BAWN" prune --filter nonsense
	touch -d '2 days ago' "$(BOXES)/kind/lock"
	run -0 "$BAWN" prune --force --filter until=24h
	[ -z "$("$BAWN" ls -q)" ]
	"$BAWN" run -d --name one shell -- sleep 60 >/dev/null
	"$BAWN" create --name two shell >/dev/null
	run -0 "$BAWN" rm -f --all
	[ -z "$(ls "$(BOXES)")" ] || fail "$(ls -A "$(BOXES)")"
	assert_no_leftovers
}

@test "--rm leaves nothing, also where sandboxes last beside it" {
	"$BAWN" create --name stays shell >/dev/null
	"$BAWN" run --rm shell -- sh -c 'echo x >~/x'
	[ "$("$BAWN" ls -q)" = stays ]
	[ "$(ls "$(BOXES)")" = stays ]
}

@test "a run whose first start fails makes no sandbox; one that was there stays" {
	run -125 "$BAWN" run --mask '[' --name fails shell -- true
	[ -z "$("$BAWN" ls -q)" ]
	run -127 "$BAWN" run --name fails shell -- no-such-command
	[ -z "$("$BAWN" ls -q)" ]
	"$BAWN" create --name fails shell >/dev/null
	run -127 "$BAWN" run fails -- no-such-command
	[ "$("$BAWN" ls -q)" = fails ]
}

@test "a spec that is damaged, of a later version, or another's: said by name, rm -f works" {
	local b
	for b in garbage later other empty; do
		"$BAWN" create --name "$b" shell >/dev/null
	done
	head -c 300 /dev/urandom >"$(BOXES)/garbage/spec"
	sed -i 's/^bawn-sandbox .*/bawn-sandbox 99/' "$(BOXES)/later/spec"
	sed -i 's/^name .*/name empty/' "$(BOXES)/other/spec"
	: >"$(BOXES)/empty/spec"
	for b in garbage later other empty; do
		run -125 "$BAWN" run "$b" -- true
		assert_output "sandbox $b" || return 1
	done
	run -125 "$BAWN" run later -- true
	assert_output 'a later version of bawn'
	run -0 "$BAWN" ls
	[ "$(grep -c broken <<<"$output")" = 4 ]
	run -0 "$BAWN" ls --json
	python3 -c 'import json,sys; json.load(sys.stdin)' <<<"$output"
	run -0 "$BAWN" rm -f garbage later other empty
	[ -z "$(ls "$(BOXES)")" ]
}

@test "undeletable trees go with the sandbox" {
	"$BAWN" run --name hard shell -- python3 -c '
import os
os.chdir(os.path.expanduser("~"))
os.makedirs("locked/in")
open("locked/in/file", "w").close()
os.chmod("locked/in", 0)
os.chmod("locked", 0)
for i in range(3000):
    os.mkdir("d"); os.chdir("d")'
	run "$BAWN" rm hard
	assert_status 0
	[ -z "$(find "$(BOXES)" -mindepth 1 ! -name .lock)" ] || fail "$(ls -A "$(BOXES)")"
}

@test "settings come anew at each start unless they were changed inside; a log-in always" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles" "$HOME/.tool"
	cat >"$XDG_CONFIG_HOME/bawn/profiles/tool.yaml" <<-'EOF'
		summary: a tool
		command: [cat]
		state:
		  - path: ~/.tool/settings
		  - path: ~/.tool/other
		login:
		  - path: ~/.tool/login.json
		    name: tool
		    run: tool
		    token: token
		    expires: until
		    keep: [token, until]
	EOF
	local soon=$(($(date +%s) + 7200))
	echo first >"$HOME/.tool/settings"
	echo one >"$HOME/.tool/other"
	echo "{\"token\": \"first-token\", \"until\": $soon}" >"$HOME/.tool/login.json"
	chmod 600 "$HOME/.tool/login.json"
	local look=(sh -c 'cat ~/.tool/settings ~/.tool/other; grep -o "[a-z]*-token" ~/.tool/login.json')
	"$BAWN" create --name sync tool >/dev/null
	run --separate-stderr "$BAWN" exec sync "${look[@]}"
	[ "$output" = $'first\none\nfirst-token' ] || fail "$output"
	"$BAWN" exec sync sh -c 'echo inside >~/.tool/settings; sed -i s/first/stale/ ~/.tool/login.json'
	echo second >"$HOME/.tool/settings"
	echo two >"$HOME/.tool/other"
	echo "{\"token\": \"second-token\", \"until\": $soon}" >"$HOME/.tool/login.json"
	run --separate-stderr "$BAWN" exec sync "${look[@]}"
	[ "$output" = $'inside\ntwo\nsecond-token' ] || fail "$output"
	# what stands in the way of a log-in inside leads nowhere
	plant "$HOME/victim"
	"$BAWN" exec sync sh -c "rm -rf ~/.tool; ln -s '$HOME' ~/.tool"
	run "$BAWN" exec sync true
	assert_output 'your log-in was not brought in'
	assert_untouched "$HOME/victim"
	[ ! -e "$HOME/login.json" ]
	"$BAWN" exec sync sh -c "rm ~/.tool"
	run "$BAWN" exec sync sh -c 'ls ~/.tool'
	refute_output settings
	assert_output login.json
}

@test "Ctrl-C ends logs -f, and the terminal is as it was; a signal ends what waits" {
	"$BAWN" run -d --name ticks shell -- sh -c 'printf "\033[?25l\033[31m"; while :; do echo tick; sleep 0.1; done' >/dev/null
	run on_pty expect=tick 'send=\x03' eof modes shell -- logs -f ticks
	assert_status 130
	refute_output TIMEOUT
	assert_output '<ESC>[?25h'
	"$BAWN" stop -t 0 ticks
	run on_pty 'expect=[y/N]' 'send=\x03' eof -- prune
	assert_status 130
	[ "$("$BAWN" ls -q)" = ticks ]
	"$BAWN" run -d --name deaf shell -- sh -c 'trap "" TERM HUP; echo up; while :; do sleep 0.1; done' >/dev/null
	SECONDS=0
	run -124 timeout 1 "$BAWN" stop -t 30 deaf
	[ "$SECONDS" -le 5 ]
}
