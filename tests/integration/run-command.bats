#!/usr/bin/env bats
# run-command.bats - `bawn run` as a command: where arguments and flags go, standard streams, exit
# codes, signals, and every option once in use and once misused.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# ---- a fifth tool: one file, no rebuild ---------------------------------------------------------

# fifth_tool YAML-LINES: a tool that prints its arguments, one a line, in brackets.
fifth_tool() {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles" "$HOME/.local/bin"
	cat >"$HOME/.local/bin/fifth" <<-'EOT'
		#!/bin/sh
		printf '[%s]' "$@"
		echo
	EOT
	chmod +x "$HOME/.local/bin/fifth"
	{
		printf 'summary: a fifth tool\ncommand: [fifth]\nfind: [~/.local/bin/fifth]\n'
		cat
	} >"$XDG_CONFIG_HOME/bawn/profiles/fifth.yaml"
}

# argv WANTED ARGS...: how the tool is called.
argv() {
	local wanted=$1
	shift
	run "$BAWN" run --rm -q "${OPTS[@]}" fifth -- "$@"
	assert_status 0 || return 1
	[ "$output" = "$wanted" ] || fail "got $output, wanted $wanted"
}

@test "a fifth tool is one YAML file, found, started, with its settings and its key" {
	fifth_tool <<-EOT
		keys: [FIFTH_KEY]
		env: {pass: [FIFTH_*], set: {IN_BAWN: "yes"}}
		state:
		  - path: ~/.fifth/config.json
		    format: json
		    keep: [theme]
		files:
		  - path: ~/.fifth/config.json
		    format: json
		    content: '{"trusted": "\${WORKSPACE}"}'
	EOT
	printf '#!/bin/sh\nenv; cat ~/.fifth/config.json\n' >"$HOME/.local/bin/fifth"
	mkdir "$HOME/.fifth"
	echo '{"theme": "dark", "token": "x", "secret": "'"$CANARY"'"}' >"$HOME/.fifth/config.json"
	FIFTH_KEY=key-of-the-fifth FIFTH_MODE=fast OTHER=$CANARY run "$BAWN" run --rm fifth
	assert_status 0
	for w in key-of-the-fifth FIFTH_MODE=fast IN_BAWN=yes dark "$WS"; do
		assert_output "$w" || return 1
	done
	refute_canary
	run "$BAWN" profile ls
	assert_output fifth
}

@test "yolo: the flags come first, once, and not with --no-yolo" {
	fifth_tool <<<'yolo: [--yes, --deep, "3"]'
	argv '[--yes][--deep][3]'
	argv '[--yes][--deep][3][a][b c][]' a 'b c' ''
	argv '[--deep][3][--yes][a]' --yes a
	argv '[--deep][3][a][--yes]' a --yes
	argv '[--yes][--deep=4]' --deep=4
	argv '[--yes][--deep][3][--][--yes]' -- --yes
	OPTS=(--no-yolo)
	argv '[a]' a
	argv '[--yes][a]' --yes a
}

@test "yolo: behind a subcommand where the tool wants it there" {
	fifth_tool <<-'EOT'
		yolo: [--auto]
		yolo-after: [run]
	EOT
	argv '[--auto]'
	argv '[run][--auto][go]' run go
	argv '[run][--auto][go]' run --auto go
	argv '[--model][m][run][--auto][go]' --model m run go
	argv '[auth][list]' auth list
	OPTS=(--no-yolo)
	argv '[run][go]' run go
}

@test "yolo: left out where a flag of the user's stands in its way; a subcommand's own flags" {
	fifth_tool <<-'EOT'
		yolo: [--yes]
		yolo-unless: [--ask, -a]
		subcommands: {exec: [--anywhere]}
	EOT
	argv '[--ask][x]' --ask x
	argv '[-a]' -a
	argv '[--ask=never]' --ask=never
	argv '[--yes][exec][--anywhere][x]' exec x
	argv '[--yes][exec][--anywhere][x]' exec --anywhere x
	argv '[exec][--anywhere][--yes][x]' --yes exec x || argv '[--yes][exec][--anywhere][x]' --yes exec x
}

# The shipped profiles, with a tool of that name that prints its arguments.
shipped() {
	mkdir -p "$HOME/.local/bin"
	printf '#!/bin/sh\nprintf "[%%s]" "$@"\necho\n' >"$HOME/.local/bin/$1"
	chmod +x "$HOME/.local/bin/$1"
	PATH=$HOME/.local/bin:$PATH
	local tool=$1 wanted=$2
	shift 2
	run "$BAWN" run --rm -q "${OPTS[@]}" "$tool" -- "$@"
	[ "$output" = "$wanted" ] || fail "got $output, wanted $wanted"
}

@test "yolo: the four agents' flags stand where each takes them" {
	shipped claude '[--dangerously-skip-permissions][-p][x]' -p x
	shipped claude '[--dangerously-skip-permissions][-p][x]' --dangerously-skip-permissions -p x
	shipped claude '[--permission-mode][plan]' --permission-mode plan
	local y=--dangerously-bypass-approvals-and-sandbox
	local h=--dangerously-bypass-hook-trust
	shipped codex "[$y][$h]"
	shipped codex "[$y][$h][exec][--skip-git-repo-check][x]" exec x
	shipped codex "[$h][$y][exec][--skip-git-repo-check][x]" $y exec x
	shipped gemini '[--yolo][-p][x]' -p x
	shipped gemini '[--approval-mode=yolo][-p][x]' --approval-mode=yolo -p x
	shipped opencode '[--auto]'
	shipped opencode '[run][--auto][x]' run x
	shipped opencode '[run][--auto][x]' run --auto x
	OPTS=(--no-yolo)
	shipped claude '[-p][x]' -p x
	shipped gemini '[-p][x]' -p x
	shipped opencode '[run][x]' run x
}

# ---- streams, exit codes, signals ---------------------------------------------------------------

@test "standard streams pass as they are: bytes, end of file, order, nothing added to stdout" {
	head -c 3000000 /dev/urandom >"$T/in"
	"$BAWN" run --rm shell -- cat <"$T/in" >"$T/out" 2>"$T/err"
	cmp "$T/in" "$T/out"
	printf 'a\0b\r\n' | "$BAWN" run --rm shell -- cat >"$T/out"
	[ "$(od -An -c "$T/out" | tr -d ' ')" = 'a\0b\r\n' ]
	"$BAWN" run --rm shell -- sh -c 'echo out; echo err >&2' >"$T/out" 2>"$T/err"
	[ "$(cat "$T/out")" = out ]
	grep -qx err "$T/err"
	"$BAWN" run --rm -q shell -- sh -c 'echo out; echo err >&2' >"$T/out" 2>"$T/err"
	[ "$(cat "$T/err")" = err ]
	# a reader that ends early ends the writer
	timeout 20 "$BAWN" run --rm -q shell -- yes 2>/dev/null | head -1 | grep -qx y
}

@test "stdin is a pipe and stdout a terminal" {
	need command -v script -- "script is not installed"
	echo 'from the pipe' >"$T/p"
	cat >"$T/go" <<-EOT
		cat $T/p | "$BAWN" run --rm -q shell -- sh -c 'cat; test -t 1 && echo stdout is a terminal; test -t 0 || echo stdin is not'
	EOT
	run timeout 20 script -qec "sh $T/go" /dev/null </dev/null
	assert_output 'from the pipe'
	assert_output 'stdout is a terminal'
	assert_output 'stdin is not'
}

@test "exit codes: the agent's own, 128+n, 126, 127, 125" {
	for n in 0 1 2 77 124 200 255; do
		run -"$n" in_sandbox_sh "exit $n"
	done
	run -130 in_sandbox_sh 'kill -INT $$'
	run -137 in_sandbox_sh 'kill -KILL $$'
	run -143 in_sandbox_sh 'kill -TERM $$'
	run -139 in_sandbox_sh 'kill -SEGV $$'
	printf 'no program\n' >"$WS/file"
	run -126 in_sandbox ./file
	chmod +x "$WS/file"
	run -126 in_sandbox ./file
	assert_output 'Exec format error'
	assert_output 'no script that begins with #!'
	run -126 in_sandbox "$WS"
	run -127 in_sandbox ./nowhere
	run -127 in_sandbox no-such-command
	run -125 "$BAWN" run --rm no-such-profile
	run -125 "$BAWN" run
	run -125 "$BAWN" no-such-command
}

# agent_up SCRIPT: start it in the background as the only thing in $BG.
agent_up() {
	rm -f "$T/out"
	"$BAWN" run --rm -q shell -- bash -c "$1" >"$T/out" 2>&1 </dev/null 3>&- &
	BG=$!
	SERVERS+=("$BG")
	eventually grep -q up "$T/out"
}

ended() {
	status=0
	wait "$BG" || status=$?
	assert_status "$1"
}

@test "signals sent to bawn reach the agent" {
	for s in INT TERM HUP QUIT USR1 USR2; do
		agent_up "trap 'echo got $s; exit 7' $s; echo up; while :; do sleep 0.1; done"
		kill -"$s" "$BG"
		ended 7 || return 1
		grep -q "got $s" "$T/out" || fail "$s did not arrive" || return 1
	done
	agent_up 'echo up; exec sleep 60'
	kill "$BG"
	ended 143
}

@test "under nohup a hang-up ends nothing" {
	(trap '' HUP && exec "$BAWN" run shell "$WS" -- sh -c 'echo up; sleep 1; echo "still here"') >"$T/out" 2>&1 &
	local pid=$!
	eventually grep -q up "$T/out"
	kill -HUP "$pid"
	wait "$pid"
	grep -q 'still here' "$T/out"
}

@test "a second SIGTERM kills an agent that does not listen" {
	agent_up 'trap "" TERM; echo up; while :; do sleep 0.1; done'
	kill "$BG"
	sleep 0.5
	kill -0 "$BG"
	kill "$BG"
	ended 137
	assert_no_leftovers
}

@test "ten seconds after SIGTERM the agent is killed" {
	agent_up 'trap "" TERM; echo up; while :; do sleep 0.1; done'
	local t=$SECONDS
	kill "$BG"
	ended 137
	[ $((SECONDS - t)) -ge 9 ] && [ $((SECONDS - t)) -le 13 ] || fail "after $((SECONDS - t)) s"
}

@test "a signal to the whole group is the agent's to act on: the network works to the end" {
	serve_http 'STILL HERE'
	setsid "$BAWN" run --rm --allow "late.test:$PORT" --connect-to "late.test:$PORT:127.0.0.1:$PORT" \
		shell -- bash -c "trap 'curl -sS -m 5 http://late.test:$PORT/; echo; exit 3' INT
			curl -s http://late.test:$PORT/ >/dev/null; echo up; while :; do sleep 0.1; done" \
		>"$T/out" 2>&1 </dev/null 3>&- &
	BG=$!
	eventually grep -q up "$T/out"
	# the session's leader has the pid of its group
	kill -INT -- "-$BG"
	ended 3
	grep -q 'STILL HERE' "$T/out" || fail "$(cat "$T/out")"
}

# ---- options ------------------------------------------------------------------------------------

@test "-e and --env-file: set, pass, override; bad ones are named" {
	export PASSED='from the host' WITHHELD=$CANARY
	printf '# comment\nFROM_FILE=a=b c\n\nPASSED\r\n  INDENTED=1\n' >"$T/env"
	BAWN_OPTS=(-e A=1 -e 'B=two words' -e EMPTY= -e PASSED -e NOT_SET --env-file "$T/env" -e HOME=/elsewhere)
	run in_sandbox env
	for w in A=1 'B=two words' 'EMPTY=' 'PASSED=from the host' 'FROM_FILE=a=b c' INDENTED=1 HOME=/elsewhere; do
		grep -qx -- "$w" <<<"$output" || fail "no $w" || return 1
	done
	refute_output NOT_SET
	refute_canary
	BAWN_OPTS=(-e '1X=2')
	run -125 in_sandbox true
	assert_output "'1X' is not a variable name"
	printf 'OK=1\nnot ok=2\n' >"$T/env"
	BAWN_OPTS=(--env-file "$T/env")
	run -125 in_sandbox true
	assert_output "$T/env:2"
	printf 'export A=1\n' >"$T/env"
	run -125 in_sandbox true
	assert_output "$T/env:1: 'export A' is not a variable name"
	assert_output 'leave "export" out'
	BAWN_OPTS=(--env-file "$T/none")
	run -125 in_sandbox true
	assert_output "$T/none"
}

@test "-e HOME is the agent's: your settings come from where yours is" {
	export -n XDG_CONFIG_HOME
	git config --global user.name Somebody
	run "$BAWN" run --rm -e HOME="$T/nowhere" shell -- sh -c "echo \$HOME; HOME='$HOME' git config user.name"
	assert_status 0
	assert_output "$T/nowhere"
	assert_output Somebody
}

@test "--mask: untracked files read as empty, tracked ones do not, others stay" {
	git_repo
	plant "$WS/notes.private" 644
	plant "$WS/deep/er/x.private" 644
	echo open >"$WS/notes.public"
	BAWN_OPTS=(--mask '**/*.private')
	run in_sandbox_sh 'cat notes.private deep/er/x.private; cat notes.public; echo try >notes.private; wc -c <notes.private'
	refute_canary
	assert_output open
	assert_untouched "$WS/notes.private"
	assert_untouched "$WS/deep/er/x.private"
	# a shell's alternatives would be one name that no file has: nothing would be masked
	BAWN_OPTS=(--mask '{notes,other}.private')
	run -125 in_sandbox cat notes.private
	refute_canary
	assert_output 'each as a pattern of its own'
	echo "$CANARY" >'a{b,c}.txt'
	BAWN_OPTS=(--mask 'a\{b,c}.txt')
	run in_sandbox_sh 'cat a*.txt && echo read'
	refute_canary
	assert_output read
}

@test "a file that the arguments name and that is not inside is said, with what brings it" {
	mkdir -p "$HOME/notes" "$HOME/.claude/commands"
	echo NOTED >"$HOME/notes/p.md"
	ln -s notes "$HOME/linked"
	run "$BAWN" run --rm shell "$WS" -- cat "$HOME/notes/p.md"
	assert_status 1
	assert_output "bawn: $HOME/notes/p.md is not inside (a further PATH brings it: $HOME/notes/p.md:ro)"
	run "$BAWN" run --rm shell "$WS" "$HOME/notes/p.md:ro" -- cat "$HOME/notes/p.md"
	assert_status 0
	assert_output NOTED
	refute_output 'is not inside'
	# as a value, by a link, a directory; of many not all
	run "$BAWN" run --rm shell "$WS" -- true "--prompt=$HOME/notes/p.md" "$HOME" "$HOME/linked" "$HOME/notes"
	assert_output "$HOME/linked is not inside" "$HOME/notes is not inside" "$HOME/notes/p.md is not inside"
	[ "$(grep -c 'is not inside' <<<"$output")" = 3 ] || fail "$output"
	# what is there: the workspace, the system, what came along; what is no file, and a command that is a word
	echo MINE >"$HOME/.claude/commands/x.md"
	touch "$WS/f"
	run look claude "cat $HOME/.claude/commands/x.md" --offline
	run "$BAWN" run --rm --offline claude-look "$WS" -- true "$HOME/.claude/commands/x.md" "$WS/f" /usr/bin/env \
		/dev/null /proc/self/status "$HOME/absent" /review /etc "$BAWN_SRCDIR" / -
	refute_output "is not inside: $HOME" 'x.md is not' 'f is not' 'absent is not' '/etc is not' '/ is not'
	run "$BAWN" run --rm -q shell "$WS" -- true "$HOME/notes/p.md"
	[ -z "$output" ] || fail "$output"
}

@test "further paths: a directory, a file, and :ro of both" {
	mkdir -p "$HOME/lib" "$HOME/data"
	echo lib >"$HOME/lib/a"
	echo data >"$HOME/data/a"
	echo one >"$HOME/one.txt"
	echo two >"$HOME/two.txt"
	run "$BAWN" run --rm shell "$WS" "$HOME/lib" "$HOME/data:ro" "$HOME/one.txt" "$HOME/two.txt:ro" -- sh -c "
		cat $HOME/lib/a $HOME/data/a $HOME/one.txt $HOME/two.txt
		echo new >$HOME/lib/a && echo lib-written
		echo new >$HOME/data/a && echo data-written
		echo new >$HOME/one.txt && echo one-written
		echo new >$HOME/two.txt && echo two-written
		rm -f $HOME/data/a && echo data-removed
		true"
	assert_status 0
	for w in lib data one two lib-written one-written; do assert_output "$w" || return 1; done
	for w in data-written two-written data-removed; do refute_output "$w" || return 1; done
	[ "$(cat "$HOME/lib/a" "$HOME/data/a" "$HOME/one.txt" "$HOME/two.txt" | tr '\n' ' ')" = 'new data new two ' ]
	# options may stand behind the profile as well
	run "$BAWN" run --rm shell -q "$WS" "$HOME/data:ro" -- cat "$HOME/data/a"
	[ "$output" = data ]
	run -125 "$BAWN" run --rm shell "$WS:ro" -- true
	assert_output "can't be read-only"
	run -125 "$BAWN" run --rm shell "$WS" "$HOME/nothing" -- true
	assert_output "$HOME/nothing"
}

@test "a start in a subdirectory of a git work tree takes the tree and keeps the directory" {
	git_repo
	mkdir -p "$WS/a/b"
	cd "$WS/a/b"
	run "$BAWN" run --rm -q shell -- sh -c 'pwd; cat ../../README; echo x >../../top'
	[ "${lines[0]}" = "$WS/a/b" ]
	[ "${lines[1]}" = hello ]
	[ -e "$WS/top" ]
}

@test "--host-port: the host's loopback at that port, and no other" {
	serve_http 'FROM THE HOST'
	local a=$PORT
	serve_http 'OTHER'
	run "$BAWN" run --rm --host-port "$a" shell -- sh -c "curl -s -m 5 http://127.0.0.1:$a/; curl -s -m 5 http://127.0.0.1:$PORT/; true"
	assert_output 'FROM THE HOST'
	refute_output OTHER
	[ "$(server_hits "$PORT")" -eq 0 ]
	for bad in 0 65536 x -1 ''; do
		run -125 "$BAWN" run --rm --host-port "$bad" shell -- true
	done
}

@test "--pids bounds processes and threads" {
	run "$BAWN" run --rm --pids 30 shell -- bash -c 'for i in {1..60}; do sleep 5 & done 2>&1; jobs -p | wc -l; kill $(jobs -p)'
	assert_output 'Resource temporarily unavailable'
	for bad in 1 x -5 99999999999; do run -125 "$BAWN" run --rm --pids "$bad" shell -- true; done
}

@test "--dry-run shows the plan and starts nothing; --json is JSON" {
	run "$BAWN" run --rm --dry-run --allow example.org shell -- touch "$WS/ran"
	assert_status 0
	assert_output "$WS"
	[ ! -e "$WS/ran" ]
	run --separate-stderr "$BAWN" run --rm --dry-run --json shell -- touch "$WS/ran"
	assert_status 0
	/usr/bin/python3 -c 'import json, sys
p = json.load(sys.stdin)
assert p["workspace"] == sys.argv[1] and p["program"] == "/usr/bin/touch", p
assert any(m["destination"] == sys.argv[1] for m in p["mounts"]), p["mounts"]' "$WS" <<<"$output"
	[ ! -e "$WS/ran" ]
	[ -z "$(ls "$XDG_DATA_HOME/bawn/sandboxes" 2>/dev/null)" ]
	run -125 "$BAWN" run --rm --json shell
}

@test "CFG-13 how many variables are withheld is said where there are any" {
	printf 'summary: a tool\ncommand: [sh]\n' >"$T/tool.yaml"
	chmod 0600 "$T/tool.yaml"
	plain() { run env -i HOME="$HOME" PATH="$PATH" "$@" "$BAWN" run --rm "$T/tool.yaml" "$WS" -- -c 'echo ran'; }
	plain
	assert_output ran
	refute_output withheld
	plain ONE_NAME=x
	assert_output '1 of your environment variables is withheld (-v names them)'
	plain ONE_NAME=x ANOTHER=y
	assert_output '2 of your environment variables are withheld'
	refute_output ONE_NAME
}

@test "--timing, --audit, -v and -q" {
	export WITHHELD_NAME=x
	run "$BAWN" run --rm --timing shell -- true
	assert_output "from Enter to the agent's program"
	"$BAWN" run --rm --audit "$T/audit" shell -- true
	grep -q '"event":"start"' "$T/audit"
	grep -q '"event":"exit"' "$T/audit"
	run "$BAWN" log --file "$T/audit"
	assert_output exit
	run "$BAWN" run --rm -v shell -- true
	assert_output 'withheld: WITHHELD_NAME'
	run "$BAWN" run --rm -q shell -- curl -sS -m 5 https://denied.example.org/
	refute_output 'bawn:'
	run -125 "$BAWN" run --rm -q no-such-profile
	assert_output 'bawn:'
	run -125 "$BAWN" run --rm --audit /nonexistent/dir/audit shell -- true
	assert_output /nonexistent
}

@test "--connect-to in curl's grammar, and what isn't" {
	serve_http 'BY ANOTHER NAME'
	run "$BAWN" run --rm --allow "name.test:80" --connect-to "name.test:80:127.0.0.1:$PORT" shell -- curl -s -m 5 http://name.test/
	assert_output 'BY ANOTHER NAME'
	# the rules still decide about the first
	run "$BAWN" run --rm --connect-to "name.test:80:127.0.0.1:$PORT" shell -- curl -s -m 5 http://name.test/
	refute_output 'BY ANOTHER NAME'
	for bad in '' name name:80 name:80:x 'name:80:[::1:5' 'name:99999:h:1' 'a b:80:h:1' name:80:h:x; do
		run -125 "$BAWN" run --rm --connect-to "$bad" shell -- true
	done
}

@test "the command in a denial, pasted, works" {
	serve_http 'ALLOWED NOW'
	run "$BAWN" run --rm --connect-to "paste.example.org:$PORT:127.0.0.1:$PORT" shell "$WS" -- curl -s -m 5 "http://paste.example.org:$PORT/"
	refute_output 'ALLOWED NOW'
	local line
	line=$(sed -n 's/^      to allow it: //p' <<<"$output" | head -1)
	[[ $line == "bawn run --allow paste.example.org:$PORT "* ]] || fail "$line"
	cd /
	PATH=$BAWN_BUILDDIR:$PATH run bash -c "$line"
	assert_output 'ALLOWED NOW'
}

@test "as many arguments as the kernel takes, in a denial too" {
	local ask='curl -s -m 5 http://denied.example >/dev/null' line quotes
	# shellcheck disable=SC2046
	run "$BAWN" run --rm shell "$WS" -- sh -c "$ask; echo \$#" x $(seq 1 100000)
	assert_status 0
	assert_output 100000
	assert_output 'to allow it: bawn run --allow denied.example:80 ...'
	quotes=$(head -c 30000 /dev/zero | tr '\0' "'")
	run "$BAWN" run --rm shell "$WS" -- sh -c "$ask; echo \${#1}" x "$quotes"
	assert_output 30000
	line=$(sed -n 's/^      to allow it: //p' <<<"$output" | head -1)
	PATH=$BAWN_BUILDDIR:$PATH run bash -c "$line"
	assert_output 30000
}

@test "directories that hold one another: :ro, masks and git's files hold in each" {
	git_repo
	mkdir -p "$WS/sub/deep" "$HOME/src/other/sub"
	plant "$WS/sub/.env"
	echo keep >"$WS/sub/deep/f"
	# A masked file pins its directories; what is mounted below them must stay mounted.
	run "$BAWN" run --rm -q shell "$WS" "$WS/sub/deep:ro" -- sh -c '
		cat sub/.env; echo x >>sub/deep/f && echo appended; touch sub/deep/new && echo made; touch sub/ok && echo beside'
	refute_canary
	refute_output appended
	refute_output made
	assert_output beside
	[ "$(cat "$WS/sub/deep/f")" = keep ]
	# The workspace within a further directory: its own index says what is tracked.
	git init -q "$HOME/src/ws"
	git init -q "$HOME/src/other"
	echo tracked-secret >"$HOME/src/ws/.env"
	git -C "$HOME/src/ws" add -f .env
	plant "$HOME/src/other/sub/.env"
	local up
	for up in "$HOME/src" "$HOME/src/other" "$HOME/src:ro"; do
		run "$BAWN" run --rm -q shell "$HOME/src/ws" "$up" -- sh -c '
			cat .env ../other/sub/.env
			for d in . ../other; do
				echo x >$d/.git/hooks/pre-commit && echo hooked
			done
			git config branch.b.merge refs/heads/b && git config core.pager x'
		assert_status 0 || return 1
		refute_canary
		refute_output hooked || return 1
		assert_output tracked-secret || return 1
		[ "$(git -C "$HOME/src/ws" config branch.b.merge)" = refs/heads/b ] || fail "with $up"
		run git -C "$HOME/src/ws" config core.pager
		assert_status 1 || return 1
		git -C "$HOME/src/ws" config --unset branch.b.merge
	done
}

@test "a .git that is a further path has its hooks and its configuration guarded" {
	git init -q "$HOME/other"
	run "$BAWN" run --rm -q shell "$WS" "$HOME/other/.git" -- sh -c "
		echo x >$HOME/other/.git/hooks/pre-commit && echo hooked
		git --git-dir=$HOME/other/.git config core.pager evil
		touch $HOME/other/.git/objects/ok && echo otherwise-writable"
	refute_output hooked
	assert_output otherwise-writable
	run git -C "$HOME/other" config core.pager
	assert_status 1
}

@test "a profile, a policy and variables given by their path can't be changed by the agent" {
	printf 'command: [sh]\n' >"$WS/tool.yaml"
	printf 'allow: [example.com]\n' >"$WS/net.yaml"
	echo A=1 >"$WS/vars"
	run sh -c "cd '$WS' && '$BAWN' run --rm -q --policy ./net.yaml --env-file vars ./tool.yaml -- -c '
		for f in tool.yaml net.yaml vars; do
			echo x >>\$f && echo W-appended; rm -f \$f && echo W-removed; mv \$f other && echo W-moved
		done
		touch beside && echo A=\$A'"
	assert_output A=1
	refute_output W-
	[ "$(cat "$WS/net.yaml" "$WS/vars" | tr '\n' ' ')" = 'allow: [example.com] A=1 ' ]
	[ -e "$WS/beside" ]
}

@test "a profile in the workspace, and a policy that it names, stay as they are in every later session" {
	local try='echo x >>tool.yaml && echo W-profile; echo x >>net.yaml && echo W-policy; echo tried'
	cd "$WS"
	printf 'allow: [example.com]\n' >net.yaml
	printf 'command: [sh]\npolicies: [%s]\n' "$WS/net.yaml" >tool.yaml
	sha256sum tool.yaml net.yaml >"$T/before"
	sessions() {
		"$BAWN" run --name box ./tool.yaml . -- -c "$try" # which makes it
		"$BAWN" run box -- -c "$try"
		"$BAWN" exec box sh -c "$try"
		"$BAWN" fork box second && "$BAWN" run second -- -c "$try"
		"$BAWN" loop --until true ./tool.yaml . -- -c "$try"
		"$BAWN" learn --name learnt ./tool.yaml . -- -c "$try"
	}
	run sessions
	[ "$(grep -cx tried <<<"$output")" = 6 ] || fail "not every session ran"
	# a sandbox of another profile has it as a file like others: never without a word
	[ "$(grep -c "$WS/tool.yaml says what may be done, and lies where agents write" <<<"$output")" = 6 ]
	refute_output W-
	sha256sum -c --quiet "$T/before"
}

@test "--audit: not where the agent works, by whatever path" {
	mkdir -p "$WS/sub" "$HOME/lib"
	ln -s "$WS" "$HOME/link"
	local f
	for f in "$WS/a.jsonl" a.jsonl sub/new/a.jsonl "$HOME/link/a.jsonl" "$HOME/lib/a.jsonl"; do
		run sh -c "cd '$WS' && '$BAWN' run --rm --audit '$f' shell . '$HOME/lib' -- echo ran"
		[ "$status" = 125 ] || fail "$f: status $status"
		assert_output "can't lie in" || return 1
		refute_output ran || return 1
	done
	[ -z "$(find "$WS" "$HOME/lib" -name '*.jsonl')" ]
	run sh -c "cd '$WS' && '$BAWN' run --rm --audit '$T/a.jsonl' shell -- echo ran"
	assert_output ran
	[ -s "$T/a.jsonl" ]
}

@test "an empty PATH or command is an unset variable, not the current directory" {
	cd "$WS"
	run -125 "$BAWN" run --rm shell "" -- echo ran
	assert_output 'PATH is empty'
	run -125 "$BAWN" run --rm shell . "" -- echo ran
	assert_output 'PATH is empty'
	run -127 "$BAWN" run --rm shell -- ""
	assert_output 'name is empty'
}

@test "a value that is none says so, and moves no cursor" {
	local o
	for o in --host-port --pids --memory --cpus --allow-degraded --workspace -e --env-file --expose-key --connect-to; do
		run "$BAWN" run --rm "$o" $'a\e[31m\x7f\xc2\x9bb' shell -- true
		assert_status 125
		[[ $output != *[$'\e\x7f']* && $output != *$'\xc2\x9b'* ]] || fail "$o: $output" || return 1
	done
	run "$BAWN" run --rm --audit '' shell -- true
	assert_status 125
	assert_output "'' names no file"
	run "$BAWN" run --rm --result '' shell -- true
	assert_output "--result '' names no file"
	run "$BAWN" run --rm --env-file /dev/null shell -- echo "nothing set"
	assert_output 'nothing set'
	run "$BAWN" run --rm --env-file /dev/zero shell -- true
	assert_output 'lines KEY=VALUE'
}

@test "--env-file takes a pipe, a byte order mark, and no zero byte" {
	cd "$WS"
	printf '\xef\xbb\xbfA=marked\r\n' >"$T/bom"
	run "$BAWN" run --rm -q --env-file "$T/bom" shell -- printenv A
	[ "$output" = marked ] || fail "$output"
	run "$BAWN" run --rm -q --env-file <(echo A=piped) shell -- printenv A
	[ "$output" = piped ] || fail "$output"
	printf 'A=1\0\nB=2\n' >"$T/zero"
	run -125 "$BAWN" run --rm --env-file "$T/zero" shell -- true
	assert_output 'zero byte'
	run -125 "$BAWN" run --rm --env-file "$WS" shell -- true
	assert_output 'neither a file nor a pipe'
	# a pipe nobody writes to is left by a signal
	mkfifo "$T/fifo"
	run timeout -s INT 1 "$BAWN" run --rm --env-file "$T/fifo" shell -- true
	assert_status 124
}

@test "unknown, doubled and incomplete options are told, with the nearest one" {
	run -125 "$BAWN" run --rm shell -e
	assert_output '--env needs an argument'
	run -125 "$BAWN" run --rm -e -- true
	assert_output '--env needs an argument'
	run -125 "$BAWN" run --rm=1 shell
	assert_output '--rm takes no value'
	run -125 "$BAWN" run --rm --polcy open shell
	assert_output 'did you mean --policy?'
	run -125 "$BAWN" run --rm -x shell
	assert_output 'unknown option -x'
	run -125 "$BAWN" run --rm --connect-to 'x:80:no host!:80' shell
	assert_output 'neither an address nor a host name'
	run "$BAWN" run --rm -q --host-port 5432 --host-port 5432 shell "$WS" -- echo twice
	assert_output twice
	run -125 "$BAWN" run --rm --no-yollo shell
	assert_output no-yollo
	run -125 "$BAWN" run --rm shell --allow
	run -125 "$BAWN" run --rm --allow 'http://x y' shell
	run -125 "$BAWN" run --rm --policy no-such-policy shell -- true
	run -125 "$BAWN" run --rm --allow-degraded seccomp shell -- true
	assert_output 'only landlock'
	run -125 "$BAWN" run --rm --as-user nobody shell -- true
	assert_output 'for root'
	run "$BAWN" run --rm --help
	assert_status 0
	assert_output 'Usage: bawn run'
	local way
	for way in version --version -V; do
		run "$BAWN" "$way"
		assert_status 0
		[[ $output =~ ^'bawn '[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$output"
		run -125 "$BAWN" "$way" more
		assert_output 'one word too many: more'
	done
}

@test "yolo-since: an older version is started without the flag, a newer or an unknown one with it" {
	local pkg=$HOME/.local/lib/node_modules/fifth
	fifth_tool <<<'yolo: [--yes, --deep, "3"]
yolo-since: {--deep: "1.18"}'
	mkdir -p "$pkg/bin"
	mv "$HOME/.local/bin/fifth" "$pkg/bin/fifth"
	ln -s ../lib/node_modules/fifth/bin/fifth "$HOME/.local/bin/fifth"
	argv '[--yes][--deep][3][go]' go
	echo '{"name": "fifth", "version": "1.2.6"}' >"$pkg/package.json"
	argv '[--yes][go]' go
	run "$BAWN" run -v --dry-run fifth -- go
	assert_output 'fifth 1.2.6 does not know --deep (since 1.18): not passed'
	echo '{"name": "fifth", "dependencies": {"version": "1.0.0"}, "version": "1.18.0"}' >"$pkg/package.json"
	argv '[--yes][--deep][3][go]' go
	echo '{"version": "0.0.0-main-202611"}' >"$pkg/package.json"
	argv '[--yes][--deep][3][go]' go
	# what the user gives himself is his own affair
	echo '{"version": "1.2.6"}' >"$pkg/package.json"
	argv '[--yes][--deep][go]' --deep go
	fifth_tool <<<'yolo-since: {deep: "1"}'
	run -125 "$BAWN" run fifth
	assert_output '"deep" is not a flag'
	fifth_tool <<<'yolo-since: {--deep: new}'
	run -125 "$BAWN" run fifth
	assert_output '"new" is not a version'
	fifth_tool <<<'yolo-since: {--deep: "1"}'
	run "$BAWN" profile lint fifth
	assert_output 'yolo-since names "--deep", which yolo has not'
}
