#!/usr/bin/env bats
# log.bats - the audit log as a person reads it.
load ../lib.sh
setup() {
	bawn_setup
	mkdir -p "$XDG_DATA_HOME/bawn"
}
teardown() { bawn_teardown; }

event() { # SANDBOX EVENT FIELDS
	printf '{"time":"2026-01-02T03:04:05.000006Z","sandbox":"%s","event":"%s",%s}\n' "$@"
}

@test "log shows events, of one sandbox where asked" {
	{
		event one deny '"target":"a.example:443","reason":"no rule allows it","fix":"--allow a.example"'
		event two allow '"target":"b.example:443"'
	} >"$AUDIT"
	TZ=UTC run "$BAWN" log
	assert_status 0
	assert_output "2026-01-02 03:04:05  one"
	assert_output "a.example:443: no rule allows it; to allow it: --allow a.example"
	assert_output "b.example"
	run "$BAWN" log two
	refute_output "a.example"
	run "$BAWN" log --json one
	assert_output '"event":"deny"'
}

@test "log without a log, and of a broken one" {
	run "$BAWN" log
	assert_status 0
	[ -z "$output" ]
	{
		echo 'not json'
		event one ready '"ms":12'
		printf '{"time":"half'
	} >"$AUDIT"
	run "$BAWN" log
	assert_status 0
	assert_output "after 12 ms"
	assert_output "1 lines of"
}

@test "log of a sandbox that is none is no empty log" {
	event one deny '"target":"a.example:443","reason":"no rule allows it"' >"$AUDIT"
	run "$BAWN" log nobody
	assert_status 125
	assert_output "there is no sandbox 'nobody', and no event of one"
	run "$BAWN" log ''
	assert_status 125
	assert_output "there is no sandbox '', and no event of one"
	assert_output "bawn ls"
	# nor of one that has none yet, or of one that is long gone
	mkdir -p "$WS"
	"$BAWN" create --name new shell "$WS"
	: >"$AUDIT"
	run "$BAWN" log new
	assert_status 0
	event gone deny '"target":"a.example:443","reason":"no rule allows it"' >"$AUDIT"
	run "$BAWN" log gone
	assert_status 0
	assert_output a.example
	run "$BAWN" log --event allow gone
	assert_status 0
}

@test "TERM-09 control characters in the log are written out" {
	event one deny '"target":"\u001b]0;owned\u0007\u009b31m","reason":"\u202e"' >"$AUDIT"
	run "$BAWN" log
	if grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2\x9b|\xe2\x80\xae' <<<"$output"; then
		fail "raw control characters"
	fi
	assert_output '\x1b]0;owned'
	# nor as JSON, in which DEL may stand as it is
	printf '%s' "$(event one deny '"target":"a\u001b","reason":"DEL"')" | sed 's/DEL/x\x7fy/' >"$AUDIT"
	echo >>"$AUDIT"
	run "$BAWN" log --json
	if grep -qP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$output"; then
		fail "raw control characters"
	fi
	assert_output 'x\u007fy'
}

@test "log -f goes on, across a rotation" {
	event one ready '"ms":1' >"$AUDIT"
	"$BAWN" log -f >"$T/out" 2>&1 3>&- &
	SERVERS+=("$!")
	eventually grep -q 'after 1 ms' "$T/out"
	event one ready '"ms":2' >>"$AUDIT"
	eventually grep -q 'after 2 ms' "$T/out"
	mv "$AUDIT" "$AUDIT.1"
	event one ready '"ms":3' >"$AUDIT"
	eventually grep -q 'after 3 ms' "$T/out"
	[ "$(wc -l <"$T/out")" -eq 3 ]
}

@test "log -f starts before there is a log" {
	rm -rf "$XDG_DATA_HOME/bawn"
	"$BAWN" log -f >"$T/out" 2>&1 3>&- &
	SERVERS+=("$!")
	sleep 0.2
	mkdir -p "$XDG_DATA_HOME/bawn"
	event one ready '"ms":7' >"$AUDIT"
	eventually grep -q 'after 7 ms' "$T/out"
}

@test "log ends quietly when nobody reads any more" {
	for i in $(seq 5000); do
		event one ready "\"ms\":$i"
	done >"$AUDIT"
	run bash -o pipefail -c '"$0" log | head -1' "$BAWN"
	assert_output "after 1 ms"
	refute_output "bawn:"
}

@test "log --file reads another file; a missing or foreign one is no crash" {
	event one ready '"ms":5' >"$T/mine.jsonl"
	run "$BAWN" log --file "$T/mine.jsonl"
	assert_output "after 5 ms"
	run "$BAWN" log --file "$T"
	[ "$status" -ne 0 ]
	mkfifo "$T/fifo"
	run timeout 5 "$BAWN" log --file "$T/fifo"
	[ "$status" -ne 124 ]
}

@test "the log of one run says what it was given and what not" {
	git_repo
	plant "$WS/.env"
	export SOME_API_TOKEN=x
	BAWN_OPTS=(-q --mask '*.key')
	plant "$WS/a.key"
	run in_sandbox_sh 'git config core.editor evil; git config user.email b@example.com'
	assert_status 0
	audit_events start | grep -F "\"workspace\":\"$WS\""
	audit_events ready | grep -E '"ms":[0-9]+'
	audit_events mask | grep -F "\"path\":\"$WS/.env\""
	audit_events mask | grep -F "\"path\":\"$WS/a.key\""
	audit_events protect | grep -F "\"path\":\"$WS/.git/hooks\""
	audit_events withheld | grep -F '"kind":"env"' | grep -F SOME_API_TOKEN
	audit_events gitconfig | grep -F '"key":"core.editor","action":"not carried over"'
	audit_events gitconfig | grep -F '"action":"carried over"'
	audit_events exit | grep -F '"code":0'
	refute_canary "$AUDIT"
	# every line is one that the table knows
	run "$BAWN" log
	assert_status 0
	refute_output "are no events"
}

@test "the log says why a run failed" {
	printf '#!/no/interpreter\n' >"$WS/script"
	chmod +x "$WS/script"
	if "$BAWN" run --rm shell "$WS" -- "$WS/script"; then fail "it ran"; fi
	audit_events error | grep -F "$WS/script"
}

@test "log: a file that is not there and an option that is none are told" {
	run "$BAWN" log --file "$T/none.jsonl"
	assert_status 125
	assert_output "$T/none.jsonl"
	run "$BAWN" log --no-such
	assert_status 125
	assert_output 'bawn: unknown option --no-such'
	# the user's own log may not have begun
	run "$BAWN" log
	assert_status 0
	[ -z "$output" ]
}

@test "log: filters by kind, host and time" {
	{
		event one deny '"target":"a.example:443","reason":"no rule"'
		event one allow '"target":"b.example:443"'
		event two error '"message":"broken"'
	} >"$AUDIT"
	run "$BAWN" log --event deny,error
	assert_output a.example
	assert_output broken
	refute_output b.example
	run "$BAWN" log -e allow --host .example --json one
	assert_output '"target":"b.example:443"'
	[ "${#lines[@]}" -eq 1 ]
	event one error '"message":"just now"' | sed "s/2026-01-02T03:04:05/$(date -u +%FT%T)/" >>"$AUDIT"
	event one error '"message":"before"' |
		sed "s/2026-01-02T03:04:05/$(date -u -d '2 hours ago' +%FT%T)/" >>"$AUDIT"
	run "$BAWN" log --since 1h
	assert_output 'just now'
	[ "${#lines[@]}" -eq 1 ]
	sed -i '4,5d' "$AUDIT"
	TZ=UTC run "$BAWN" log --since 2026-01-02T03:04
	[ "${#lines[@]}" -eq 3 ]
	TZ=UTC run "$BAWN" log --since 2026-01-02T03:04:06
	[ -z "$output" ]
}

@test "log: a filter that is none is told, and how it would be one" {
	run "$BAWN" log --since yesterday-ish
	assert_status 125
	assert_output "no time or duration"
	assert_output "30m"
	run "$BAWN" log --event denny
	assert_status 125
	assert_output "did you mean deny"
	# what was typed is escaped, once
	run "$BAWN" log --event $'de\x1bny'
	assert_output "no kind of event: 'de\x1bny'"
	run "$BAWN" log --file $'no\x1b[2Jlog'
	assert_status 125
	assert_output "open 'no\x1b[2Jlog'"
	run "$BAWN" report --file "$T/none.jsonl" -o - $'no\x1bbox'
	assert_status 125
	refute_output $'\x1b'
	run "$BAWN" log --verify --event deny
	assert_status 125
	assert_output "takes no filter"
}

@test "log --verify: what runs have written is in order, what was changed since is not" {
	local i
	for i in 1 2 3; do in_sandbox true >/dev/null 2>&1 & done
	wait
	run "$BAWN" log --verify
	assert_status 0
	assert_output "lines, as they were written"
	sed -i '2s/"event":"[a-z]*"/"event":"allow"/' "$AUDIT"
	run "$BAWN" log --verify
	assert_status 1
	assert_output "audit.jsonl:2: the line was changed"
	rm "$AUDIT"
	run "$BAWN" log --verify
	assert_status 1
	assert_output "lines are missing"
}

@test "log --verify says that lines of an older bawn are not vouched for" {
	event one ready '"ms":1' >"$AUDIT"
	in_sandbox true >/dev/null 2>&1
	run "$BAWN" log --verify
	assert_status 0
	assert_output "1 lines are of a bawn that did not chain them"
}
