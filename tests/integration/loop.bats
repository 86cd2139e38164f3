#!/usr/bin/env bats
# loop.bats - bawn loop: the contract of exit codes, --until, --max, what an iteration is told, what is
# said of it, and how it is stopped.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" stop --time 0 box >/dev/null 2>&1 || :
	bawn_teardown
}

# loop OPTIONS... SCRIPT: SCRIPT is a bash script, its $0 the number by {n}, $1 the last result.
loop() {
	local script=${*: -1}
	"$BAWN" loop --name box "${@:1:$#-1}" shell . -- bash -c "$script" '{n}' '{last}'
}

@test "loop: 0 goes on, 2 is reached" {
	run loop 'echo "$0" >>rounds; [ "$0" -lt 3 ] || exit 2'
	assert_status 0
	[ "$(xargs <rounds)" = '1 2 3' ]
	assert_output 'bawn: iteration 1: exit 0, '
	assert_output 'bawn: iteration 3: exit 2, '
	assert_output 'bawn: reached in iteration 3'
}

@test "loop: any other code fails with it, bawn's own failures with theirs" {
	local code
	for code in 1 3 77 123; do
		run loop "echo x >>rounds; exit $code"
		assert_status "$code"
		assert_output 'failed in iteration 1'
	done
	[ "$(wc -l <rounds)" = 4 ]
	run loop 'kill -9 $$'
	assert_status 137
	run -127 "$BAWN" loop box -- no-such-program
	assert_output 'no-such-program'
	run "$BAWN" loop nobody -- x
	assert_status 125
	assert_output "there is no sandbox and no profile 'nobody'" || assert_output "there is no sandbox 'nobody'"
	run loop --timeout 1s 'sleep 30'
	assert_status 124
}

@test "loop: not reached in --max iterations is 123, and ten is the most unless told" {
	run loop --max 2 'echo x >>rounds'
	assert_status 123
	[ "$(wc -l <rounds)" = 2 ]
	assert_output 'bawn: not reached in 2 iterations (--max)'
	run loop 'echo x >>extra'
	assert_status 123
	[ "$(wc -l <extra)" = 10 ]
}

@test "loop: --until is asked in the sandbox after an iteration that went well" {
	run loop --until 'test "$(wc -l <rounds)" = 3 && test "$BAWN_SANDBOX" = box' 'echo x >>rounds'
	assert_status 0
	[ "$(wc -l <rounds)" = 3 ]
	assert_output 'reached in iteration 3'
	# after one that failed it is not
	run loop --until 'touch asked' 'exit 9'
	assert_status 9
	[ ! -e asked ]
	# it has the same walls
	plant "$HOME/secret"
	run loop --max 1 --until "cat $HOME/secret" 'true'
	assert_status 123
	refute_canary
}

@test "loop: an iteration is told its number and the last one's words, as text and as variables" {
	run loop --max 3 'printf "%s\n" "n=$0 $BAWN_ITERATION" "last=<$1>" "same=$([ "$1" = "$BAWN_LAST_RESULT" ] && echo yes)" >>told
		echo "words of $0"; echo noise >&2'
	assert_status 123
	[ "$(grep -c same=yes told)" = 3 ]
	[ "$(grep -v same told)" = 'n=1 1
last=<>
n=2 2
last=<words of 1>
n=3 3
last=<words of 2>' ] || fail "$(cat told)"
	assert_output 'words of 3'
	assert_output noise
	# what stands for itself
	run "$BAWN" loop --max 1 box -- echo '\{n}' '{n}{n}' '{m}' 'a{last}b' '{'
	assert_output '{n} 11 {m} ab {'
}

@test "loop: of a long result the end is told, and no NUL" {
	run loop --max 2 'if [ "$0" = 1 ]; then seq 1 100000; printf "\0end"; else printf "%s" "$1" >told; fi'
	[ "$(wc -c <told)" -le 16384 ] && [ "$(wc -c <told)" -ge 16000 ]
	[ "$(tail -c 9 told | head -n 1)" = 100000 ] || [ "$(tail -n 2 told | head -n 1)" = 100000 ]
	[ "$(tail -n 1 told)" = end ]
	grep -qx '[0-9]\{5\}' <(head -n 1 told)
}

@test "loop: the account counts denials and changed files; --json has an object each, alone on stdout" {
	run --separate-stderr loop --json --max 2 \
		'touch "f$0"; echo "said $0"; [ "$0" = 1 ] || { curl -sS -m 5 http://denied.example/ >/dev/null; }'
	assert_status 123
	[ "$(wc -l <<<"$output")" = 2 ]
	[ "$(grep -c '^{"iteration":[12],"sandbox":"box","checkpoint":null,"exit":0,"outcome":"continue",.*}$' <<<"$output")" = 2 ]
	[[ ${lines[0]} == *'"denials":0,"files_changed":1,"result":"said 1"}' ]]
	[[ ${lines[1]} == *'"denials":1,"files_changed":1,"result":"said 2"}' ]]
	[[ $stderr == *'said 1'* ]]
	[[ $stderr == *'iteration 2: exit 0, '*' 1 denied, 1 file changed'* ]]
}

@test "loop: --checkpoint keeps the state before each iteration" {
	run --separate-stderr loop --checkpoint --json --max 3 'echo "$0" >>~/log; [ "$0" != 2 ] || rm ~/log'
	assert_status 123
	[ "$(grep -c '"checkpoint":null' <<<"$output")" = 1 ]
	local tags
	mapfile -t tags < <(grep -o '"checkpoint":"[^"]*"' <<<"$output" | cut -d '"' -f 4)
	[ "${#tags[@]}" = 2 ]
	[[ $stderr == *"iteration 2 after checkpoint ${tags[0]}: exit 0"* ]]
	"$BAWN" restore box "${tags[0]}" >/dev/null
	[ "$("$BAWN" exec box sh -c 'cat ~/log')" = 1 ]
	# a sandbox that there is has one before the first
	run --separate-stderr loop --checkpoint --json --max 1 'true'
	[ "$(grep -c '"checkpoint":null' <<<"$output")" = 0 ]
}

@test "loop: --result describes the last iteration" {
	run loop --max 2 --result "$T/result" 'echo x >"file$0"'
	assert_status 123
	grep -q '"iteration": 2' "$T/result"
	grep -q '"files_changed": 1' "$T/result"
}

@test "loop: each iteration counts its own files, even where it follows within a tick of the clock" {
	run loop --json --max 8 'echo x >"file$0"'
	assert_status 123
	[ "$(grep -c '"files_changed":1[,}]' <<<"$output")" = 8 ] || fail "$output"
}

@test "loop: Ctrl-C ends the session and the loop, and leaves nothing" {
	local sig
	for sig in INT TERM; do
		rm -f rounds
		# bash starts background jobs with SIGINT ignored; setsid -w puts it back
		python3 -c 'import signal,os,sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
			"$BAWN" loop --name box shell . -- bash -c \
			'trap "" INT TERM; [ "$0" = 1 ] || { trap "exit 0" INT TERM; echo up >rounds; while :; do sleep 0.1; done; }' \
			'{n}' >"$T/out" 2>&1 3>&- </dev/null &
		eventually test -s rounds
		kill "-$sig" "$!"
		status=0
		wait "$!" || status=$?
		[ "$status" = "$((128 + $(kill -l "$sig")))" ] || fail "$status: $(cat "$T/out")"
		grep -q 'stopped in iteration 2' "$T/out"
		run ! grep -q 'iteration 3' "$T/out"
		eventually bash -c '"$BAWN" inspect box | grep -q "\"status\": \"stopped\""'
	done
	assert_no_leftovers
}

@test "loop: one that ignores Ctrl-C ends with the second" {
	python3 -c 'import signal,os,sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
		"$BAWN" loop --name box shell . -- bash -c \
		'trap "" INT; echo up >rounds; while :; do sleep 0.1; done' >"$T/out" 2>&1 3>&- </dev/null &
	eventually test -s rounds
	kill -INT "$!"
	sleep 0.3
	kill -INT "$!"
	status=0
	wait "$!" || status=$?
	assert_status 130
}

@test "loop: nobody types to it, and its output can't steer the terminal" {
	run loop --max 1 'cat | wc -c; [ -t 1 ] || [ -t 2 ] || echo no-terminal; cat /dev/tty' <<<'typed'
	assert_output 0
	assert_output no-terminal
	refute_output typed
	run script -qec "$(printf '%q ' "$BAWN" loop --max 1 box -- printf 'A\033]52;c;aGV5\007\033[21tB\n')" /dev/null </dev/null
	assert_output AB
}

@test "loop: what makes no sense is said before anything starts" {
	local bad
	for bad in "--max 0 shell -- touch x" "--max x shell -- touch x" "shell" "shell --" "-- touch x" \
		"--rm shell -- touch x" "-d shell -- touch x" "--until= shell -- touch x" \
		"--result /no/such/r shell -- touch x" "--max -1 shell -- touch x"; do
		# shellcheck disable=SC2086  # several words
		run "$BAWN" loop $bad
		assert_status 125
		[[ $output == 'bawn: '* ]]
		[ ! -e x ]
	done
	[ -z "$("$BAWN" ls -q)" ]
}

@test "loop: the real codex, told its number and its own last words" {
	need_agents
	start_model '{"commands":["echo round >>rounds"],"final":"LAST WORDS"}'
	lead_interactive codex
	run timeout 120 "$BAWN" loop --max 2 --name box "${LEAD[@]}" codex . -- "${TUI[@]}" exec \
		'This is round {n}. Before: {last}'
	assert_status 123
	[ "$(wc -l <rounds)" = 2 ]
	assert_output 'This is round 1. Before: '
	assert_output 'This is round 2. Before: LAST WORDS'
}
