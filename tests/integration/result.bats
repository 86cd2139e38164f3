#!/usr/bin/env bats
# result.bats - --result FILE and --timeout of run and exec: what a script learns of a session.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" stop --time 0 box >/dev/null 2>&1 || :
	bawn_teardown
}

# field NAME: of the result, as jq is not everywhere: one key a line, the first of that name.
field() {
	sed -nE "s/^ *\"$1\": (.*[^,]),?\$/\1/p" "$T/result" | head -n 1
}

assert_field() {
	[ "$(field "$1")" = "$2" ] || fail "$1 is $(field "$1"), wanted $2: $(cat "$T/result")"
}

@test "result: exit, duration, processor time, changed files, of a run that lasts and one that doesn't" {
	local mode
	for mode in "--rm shell" "--name box shell"; do
		rm -f "$T/result" new
		echo x >old
		sleep 0.1
		# shellcheck disable=SC2086  # two words
		run "$BAWN" run --result "$T/result" $mode . -- bash -c \
			'echo 1 >new; echo 2 >>old; i=0; while ((i++ < 200000)); do :; done; exit 3'
		assert_status 3
		assert_field exit 3
		assert_field end '"exited"'
		assert_field error null
		assert_field files_changed 2
		assert_field files_new 1
		assert_field complete true
		[ "$(field user_ms)" -ge 50 ] || fail "$(cat "$T/result")"
		[ "$(field user_ms)" -le "$(($(field duration_ms) * 2))" ]
		[[ $(field started) =~ ^\"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z\"$ ]]
		[ "$(date -u +%s)" -ge "$(date -u -d "$(field started | tr -d '"')" +%s)" ]
		[ "$(date -u +%s)" -le "$(($(date -u -d "$(field ended | tr -d '"')" +%s) + 5))" ]
	done
	assert_field sandbox '"box"'
}

@test "result: processor time of what a program left behind counts" {
	"$BAWN" run --result "$T/result" --name box shell . -- bash -c \
		'(setsid bash -c "i=0; while ((i++ < 300000)); do :; done" &); sleep 2.5'
	[ "$(field user_ms)" -ge 50 ] || fail "$(cat "$T/result")"
}

@test "result: traffic by host and denials, of this session alone" {
	serve_http "$(printf 'x%.0s' {1..5000})"
	local way=(--allow "ok.test:$PORT" --connect-to "ok.test:$PORT:127.0.0.1:$PORT")
	"$BAWN" create --name box "${way[@]}" shell .
	"$BAWN" run -q box -- bash -c 'while [ ! -e stop ]; do sleep 0.1; done' </dev/null 3>&- &
	SERVERS+=("$!")
	eventually "$BAWN" exec box true
	"$BAWN" exec box curl -sS -m 5 "http://ok.test:$PORT/" >/dev/null
	"$BAWN" exec box bash -c 'curl -sS -m 5 https://denied.example/' || :
	# a session beside another; traffic is told once a second
	sleep 1.2
	run "$BAWN" exec --result "$T/result" box bash -c \
		"curl -sS -m 5 http://ok.test:$PORT/ | wc -c
		for i in 1 2 3; do curl -sS -m 5 http://other.example/; done; sleep 1.5"
	assert_output 5000
	[ "$(grep -c '"target"' "$T/result")" = 2 ] || fail "$(cat "$T/result")"
	grep -q "\"target\": \"ok.test:$PORT\"" "$T/result"
	[ "$(field down)" -ge 5000 ] && [ "$(field down)" -le 6000 ] || fail "$(cat "$T/result")"
	[ "$(field up)" -ge 20 ] && [ "$(field up)" -le 500 ]
	grep -q '"target": "other.example:80"' "$T/result"
	assert_field count 3
	run ! grep -q denied.example "$T/result"
	touch stop
	wait "${SERVERS[-1]}"
	# the last session of a sandbox, and one in a sandbox without a name
	run "$BAWN" run --result "$T/result" box -- curl -sS -m 5 "http://ok.test:$PORT/"
	[ "$(field down)" -ge 5000 ] && [ "$(field down)" -le 6000 ] || fail "$(cat "$T/result")"
	run "$BAWN" run --rm "${way[@]}" --result "$T/result" shell . -- \
		curl -sS -m 5 "http://ok.test:$PORT/"
	[ "$(field down)" -ge 5000 ] && [ "$(field down)" -le 6000 ] || fail "$(cat "$T/result")"
	[ "$(grep -c '"target"' "$T/result")" = 1 ]
}

@test "result: it is written when the agent is killed, can't be found, or bawn fails" {
	run "$BAWN" run --result "$T/result" --name box shell . -- bash -c 'kill -9 $$'
	assert_status 137
	assert_field exit 137
	run -127 "$BAWN" run --result "$T/result" box -- no-such-program
	assert_field exit 127
	assert_field end '"failed"'
	[[ $(field error) == *no-such-program* ]]
	run -127 "$BAWN" exec --result "$T/result" box /no/such
	assert_field exit 127
	run "$BAWN" run --result "$T/result" nobody
	assert_status 125
	assert_field exit 125
	[[ $(field error) == *"there is no sandbox 'nobody'"* ]]
	[[ $(field remedy) == *'bawn create --name nobody'* ]]
	# the supervisor is killed under it: the one that this run starts, not an earlier one's
	"$BAWN" stop box
	"$BAWN" run --result "$T/result" box -- bash -c 'touch up; exec sleep 60' </dev/null \
		>"$T/out" 2>&1 3>&- &
	eventually test -e up
	pkill -9 -P "$!" -x bawn
	status=0
	wait "$!" || status=$?
	assert_field exit 125
	assert_field end '"failed"'
}

@test "result: a path that can't be written is said before anything starts" {
	local bad
	mkdir "$T/dir" "$T/locked"
	chmod 555 "$T/locked"
	mkfifo "$T/fifo"
	for bad in "$T/none/r" "$T/dir" "$T/dir/" "$T/fifo" "$T/locked/r" "$T/dir/.." "" "$T/$(printf '%0256d' 0)"; do
		run "$BAWN" run --rm --result "$bad" shell . -- touch started
		assert_status 125
		assert_output "--result"
		[ ! -e started ] || fail "started with --result '$bad'"
	done
	run "$BAWN" run -d --result "$T/result" --name box shell . -- touch started
	assert_status 125
	run "$BAWN" create --result "$T/result" --name box shell .
	assert_status 125
	[ ! -e started ]
	# a name as long as any may be is one
	run "$BAWN" run --rm --result "$T/$(printf '%0255d' 0)" shell . -- true
	assert_status 0
	grep -q '"exit": *0' "$T/$(printf '%0255d' 0)"
}

@test "result: nothing inside leads the write elsewhere" {
	mkdir out "$HOME/elsewhere"
	plant "$HOME/elsewhere/result"
	"$BAWN" run --rm --result out/result shell . -- bash -c \
		"mv out moved; ln -s '$HOME/elsewhere' out; ln -s '$HOME/elsewhere/result' moved/result"
	assert_untouched "$HOME/elsewhere/result"
	[ -f moved/result ] && [ ! -L moved/result ]
	grep -q '"exit": 0' moved/result
	[ "$(find moved "$HOME/elsewhere" -type f | wc -l)" = 2 ]
}

@test "timeout: the program is asked to end, and the code is 124" {
	local mode
	for mode in "--rm shell" "--name box shell"; do
		# shellcheck disable=SC2086  # two words
		run "$BAWN" run --timeout 1s --result "$T/result" $mode . -- bash -c \
			'trap "echo asked; exit 5" TERM; echo up; while :; do sleep 0.1; done'
		assert_status 124
		assert_output asked
		assert_output 'its time (1 s) was over'
		assert_field end '"timeout"'
		assert_field exit 124
		[ "$(field duration_ms)" -ge 1000 ] && [ "$(field duration_ms)" -lt 5000 ]
	done
	run "$BAWN" exec --timeout 1 box sleep 30
	assert_status 124
	run "$BAWN" exec --timeout 1m box true
	assert_status 0
}

@test "timeout: what ignores SIGTERM is killed ten seconds later" {
	local from=$SECONDS
	run "$BAWN" run --timeout 1s --name box shell . -- bash -c 'trap "" TERM; while :; do sleep 1; done'
	assert_status 124
	from=$((SECONDS - from))
	[ "$from" -ge 10 ] && [ "$from" -le 14 ] || fail "it took $from s"
}

@test "timeout: it holds for a session in the background, and for each session by itself" {
	"$BAWN" run -d --timeout 2s --name box shell . -- sleep 60
	run "$BAWN" exec --timeout 1s box sleep 30
	assert_status 124
	[ "$("$BAWN" ls -q)" = box ]
	eventually bash -c '"$BAWN" inspect box | grep -q "\"status\": \"stopped\""'
}

@test "timeout: what is no duration is said" {
	local bad
	for bad in 0 0s x 5x -1 1h30 99999999999999999999 25d ''; do
		run "$BAWN" run --rm --timeout "$bad" shell . -- touch started
		assert_status 125
		assert_output 'is not a duration'
		[ ! -e started ]
	done
}
