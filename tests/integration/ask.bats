#!/usr/bin/env bats
# ask.bats - --ask: connections that wait for a person, who answers from outside.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	local p
	for p in ${PIDS:-}; do kill -CONT "$p" 2>/dev/null; kill "$p" 2>/dev/null; done
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

policy() { run timeout 20 "$BAWN" policy "$@"; }

# A sandbox NAME that asks; example.org and more lead to the host's PORT.
start() { # NAME OPTIONS...
	local name=$1 host to=()
	shift
	for host in example.org example.net evil.example a.example b.example; do
		to+=(--connect-to "$host::127.0.0.1:$PORT")
	done
	run timeout 30 "$BAWN" run -d --name "$name" "${to[@]}" "$@" shell "$WS" -- sleep 300
	assert_status 0
}

# In the background: what curl inside NAME says of URL, in the file OUT.
get() { # NAME URL OUT
	timeout 60 "$BAWN" exec "$1" curl -sS -m 50 "$2" >"$3" 2>&1 3>&- 4>&- &
	PIDS="${PIDS:-} $!"
	LAST=$!
}

# The ID of the question about TARGET, when it is there.
question() { # TARGET
	local i id
	for ((i = 0; i < 100; i++)); do
		id=$("$BAWN" policy pending | awk -v t="$1" '$3 == t { print $1 }')
		[ -z "$id" ] || break
		sleep 0.05
	done
	[ -n "$id" ] || fail "no question about $1: $("$BAWN" policy pending)"
	printf '%s' "$id"
}

@test "a connection that no rule allows waits, and goes on when a person allows it" {
	serve_http hello
	start box --ask
	get box http://example.org/ one
	local id
	id=$(question example.org:80)
	[ "$id" = box:1 ] || fail "$id"
	sleep 0.5
	[ ! -s one ] || fail "it did not wait: $(cat one)"
	policy answer "$id" once
	assert_status 0
	wait "$LAST"
	[ "$(cat one)" = hello ] || fail "$(cat one)"
	# it counts until the sandbox stops, and is not asked again
	run timeout 10 "$BAWN" exec box curl -sS http://example.org/
	assert_output hello
	policy ls box
	assert_output once
	policy pending
	[ -z "$output" ] || fail "$output"
	# ... who said so stands in the log
	grep -q '"event":"ask","target":"example.org:80","action":"asked","question":1' "$AUDIT" || fail "$(cat "$AUDIT")"
	grep -q '"action":"allow until it stops","question":1,"by":"' "$AUDIT" || fail "$(cat "$AUDIT")"
	grep -q '"action":"a rule counts now","question":1' "$AUDIT" || fail "$(cat "$AUDIT")"
}

@test "deny refuses what waits, and the name is not asked for again; a rule still changes that" {
	serve_http hello
	start box --ask
	get box http://example.org/ one
	get box http://example.org/ two
	local id
	id=$(question example.org:80)
	policy answer "$id" deny
	assert_status 0
	# shellcheck disable=SC2086  # a list
	wait $PIDS
	grep -q 'example.org:80 is refused: no rule allows it' one || fail "$(cat one)"
	grep -q 'example.org:80 is refused: no rule allows it' two || fail "$(cat two)"
	SECONDS=0
	run timeout 20 "$BAWN" exec box curl -sS http://example.org/
	assert_output "is refused"
	[ "$SECONDS" -lt 5 ] || fail "it waited again"
	policy answer "$id" once
	assert_status 125
	assert_output "not there (any more)"
	policy allow --sandbox box example.org:80
	run timeout 20 "$BAWN" exec box curl -sS http://example.org/
	assert_output hello
}

@test "nobody answers: denied in time, exactly as without --ask, and not held again at once" {
	serve_http hello
	start box --ask=2
	SECONDS=0
	run timeout 30 "$BAWN" exec box curl -sS http://example.org/
	assert_output "example.org:80 is refused: no rule allows it"
	[ "$SECONDS" -ge 2 ] && [ "$SECONDS" -le 8 ] || fail "after $SECONDS s"
	SECONDS=0
	run timeout 30 "$BAWN" exec box curl -sS http://example.org/
	assert_output "example.org:80 is refused: no rule allows it"
	[ "$SECONDS" -lt 2 ] || fail "held again"
	grep -q '"action":"not answered in time","question":1' "$AUDIT" || fail "$(cat "$AUDIT")"
	grep -q '"event":"deny","target":"example.org:80"' "$AUDIT"
	[ "$(server_hits "$PORT")" = 0 ]
}

@test "the answer sandbox is kept with it, always counts for every sandbox" {
	serve_http hello
	start box --ask
	start other
	get box http://example.org/ one
	policy answer "$(question example.org:80)" sandbox
	assert_status 0
	get box http://example.net/ two
	policy answer "$(question example.net:80)" always
	assert_status 0
	# shellcheck disable=SC2086  # a list
	wait $PIDS
	[ "$(cat one two)" = hellohello ] || fail "$(cat one two)"
	run timeout 10 "$BAWN" exec other curl -sS http://example.net/
	assert_output hello
	run timeout 10 "$BAWN" exec other curl -sS http://example.org/
	assert_output refused
	"$BAWN" stop -t 0 box
	run timeout 10 "$BAWN" exec box curl -sS http://example.org/
	assert_output hello
	grep -q example.net "$XDG_CONFIG_HOME/bawn/policies/user.yaml"
}

@test "a run with --rm asks too, and what waits there can be answered" {
	serve_http hello
	timeout 60 "$BAWN" run --rm --ask --connect-to "example.org::127.0.0.1:$PORT" shell "$WS" -- \
		curl -sS http://example.org/ >one 2>err 3>&- 4>&- &
	PIDS=$!
	policy answer "$(question example.org:80)" sandbox
	assert_status 0
	wait "$PIDS"
	[ "$(cat one)" = hello ] || fail "$(cat one err)"
	run ! grep -q example.org err # nothing at its own terminal
}

@test "never asked: what a rule denies, literal, private and metadata targets, --offline, a wrong name in TLS" {
	serve_http hello
	start box --ask=20 --deny evil.example:80
	SECONDS=0
	local url
	for url in http://evil.example/ http://1.1.1.1/ http://10.0.0.1/ http://169.254.169.254/ \
		http://metadata.google.internal/ http://db.internal/; do
		run timeout 30 "$BAWN" exec box curl -sS -m 10 "$url"
		refute_output hello
	done
	# a handshake that names another host is refused in any case: nothing to ask
	run timeout 30 "$BAWN" exec box curl -sS -m 10 --connect-to a.example:443:b.example:443 https://a.example/
	refute_output hello
	"$BAWN" run -d --name off --offline --ask=20 shell "$WS" -- sleep 300
	run timeout 30 "$BAWN" exec off curl -sS -m 10 http://example.org/
	refute_output hello
	[ "$SECONDS" -lt 15 ] || fail "held for $SECONDS s"
	run ! grep -q '"event":"ask"' "$AUDIT"
	[ "$(server_hits "$PORT")" = 0 ]
}

full() { [ "$("$BAWN" policy pending --json | grep -c '"id"')" = 16 ]; }

@test "a flood is bounded: one question a name, so many names, and what is allowed goes on meanwhile" {
	serve_http hello
	start box --ask=20 --allow example.net:80
	cat >flood.sh <<-'EOS'
		for i in $(seq 40); do curl -s -m 19 "http://n$((i % 20)).example/" >/dev/null & done
		for i in $(seq 40); do curl -s -m 19 "http://same.example/" >/dev/null & done
		wait
	EOS
	"$BAWN" exec -d box sh flood.sh
	eventually full
	run timeout 10 "$BAWN" exec box curl -sS http://example.net/
	assert_output hello
	full || fail "$("$BAWN" policy pending)"
	[ "$("$BAWN" policy pending | awk '{ print $3 }' | sort | uniq -d)" = "" ]
	# what is over that was denied at once
	grep -q '"event":"deny","target":"n[0-9]*.example:80"' "$AUDIT" || fail "$(cat "$AUDIT")"
	run ! grep -E '"connections": (1[7-9]|[2-9][0-9])' <("$BAWN" policy pending --json)
}

@test "IPC-09 nothing inside can answer for itself" {
	serve_http hello
	start box --ask=20 --clipboard -p 127.0.0.1:0:8000
	get box http://example.org/ one
	local id inside
	id=$(question example.org:80)
	# no socket of a supervisor can be seen or named, by path or in the abstract namespace
	run timeout 10 "$BAWN" exec box sh -c "find / -path /proc -prune -o -name control.sock -print 2>/dev/null; grep -c control.sock /proc/net/unix; ls -d $XDG_DATA_HOME/bawn/sandboxes"
	refute_output /control.sock
	assert_output "No such file"
	run ! grep -qx '[1-9][0-9]*' <<<"$output"
	# bawn itself, brought along, refuses; so it does without the variable that says where it is
	cp "$BAWN" "$WS/answerer"
	for inside in "" "env -u BAWN_SANDBOX"; do
		run timeout 10 "$BAWN" exec box sh -c "$inside ./answerer policy answer $id once"
		[ "$status" -ne 0 ] || fail "answered from inside: $output"
	done
	# what it writes to its terminal answers nothing, OSC 52 neither
	run timeout 10 "$BAWN" exec box printf '\033]52;c;%s\007a\r' "$(printf a | base64)"
	[ ! -s one ] || fail "$(cat one)"
	[ "$(question example.org:80)" = "$id" ]
}

@test "a supervisor that was stopped holds nobody up, and is named" {
	start box --ask
	local sup
	sup=$(pgrep -u "$(id -u)" -f "name box .*sleep 300" | head -1)
	[ -n "$sup" ] || skip "its supervisor was not found"
	PIDS=$sup
	kill -STOP "$sup"
	SECONDS=0
	policy pending
	kill -CONT "$sup"
	assert_status 1
	assert_output "the supervisor of box does not answer"
	[ "$SECONDS" -lt 5 ] || fail "$SECONDS s"
}

@test "bad input is said, with the remedy" {
	run "$BAWN" run --ask=0 shell "$WS"
	assert_status 125
	assert_output "is not a number from 1 to 120"
	run "$BAWN" run --ask=200 shell "$WS"
	assert_status 125
	policy answer nonsense once
	assert_status 125
	assert_output "bawn policy pending"
	policy answer ../x:1 once
	assert_status 125
	assert_output "is no question's ID"
	policy answer box:1 perhaps
	assert_status 125
	assert_output "once: until it stops"
	policy answer box:1 once
	assert_status 125
	assert_output "is not running"
	policy pending --json
	assert_status 0
	[ "$output" = "[]" ] || fail "$output"
}

# ---- bawn monitor ----

need_tmux() { need command -v tmux -- "tmux is not installed"; }

# The monitor in a terminal of COLSxROWS; what is behind it in the shell shows its end.
watch() { # [COLS ROWS]
	tmux -S "$T/tmux" -f /dev/null new-session -d -x "${1:-80}" -y "${2:-24}" \
		"stty -a >before; TERM=xterm '$BAWN' monitor; echo ended \$? >ended; stty -a >after; sleep 60" 3>&- 4>&-
}
screen() { tmux -S "$T/tmux" capture-pane -p; }
shows() { screen | grep -q -- "$1"; }
ended() { [ -s after ]; }
press() { sleep 1; tmux -S "$T/tmux" send-keys "$@"; }

@test "monitor: a held curl goes through after a, is refused after d; each is one key in another terminal" {
	need_tmux
	serve_http hello
	start box --ask
	watch
	eventually shows "nothing waits"
	eventually shows "^  box"
	get box http://example.org/ one
	eventually shows "> .*s  example.org:80  box"
	press x
	press a
	wait "$LAST"
	[ "$(cat one)" = hello ] || fail "$(cat one) $(screen)"
	eventually shows "nothing waits"
	get box http://example.net/ two
	eventually shows "example.net:80"
	press d
	wait "$LAST"
	grep -q "is refused" two || fail "$(cat two) $(screen)"
	# who answered is its terminal
	grep -q '"action":"deny","question":2,"by":"/dev/pts/' "$AUDIT" || fail "$(grep ask "$AUDIT")"
	press q
	eventually ended
	[ "$(cat ended)" = "ended 0" ] && cmp before after
	tmux -S "$T/tmux" kill-server
}

@test "monitor: the arrows choose; what is answered is what was chosen" {
	need_tmux
	serve_http hello
	start box --ask
	get box http://a.example/ one
	local first=$LAST
	question a.example:80 >/dev/null
	get box http://b.example/ two
	question b.example:80 >/dev/null
	watch
	eventually shows "> .*a.example:80"
	press Down
	eventually shows "> .*b.example:80"
	press a
	wait "$LAST"
	[ "$(cat two)" = hello ] || fail "$(cat two)"
	eventually shows "> .*a.example:80"
	[ ! -s one ] || fail "$(cat one)"
	press d
	wait "$first"
	grep -q refused one
	tmux -S "$T/tmux" kill-server
}

@test "monitor: of a name that is too long for its line the end is shown, and all of it in full" {
	need_tmux
	start box --ask
	local name=api.github.com.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.evil.example
	get box "http://$name/" one
	question "$name:80" >/dev/null
	watch
	eventually shows "> .*\\.\\.\\..*\\.evil\\.example:80  box"
	shows "box wants \\.\\.\\..*\\.evil\\.example:80" || fail "$(tmux -S "$T/tmux" capture-pane -p)"
	! shows "api.github.com" || fail "$(tmux -S "$T/tmux" capture-pane -p)"
	press Enter
	eventually shows "wants $(cut -c1-50 <<<"$name")"
	press d
	wait "$LAST"
	grep -q refused one
	tmux -S "$T/tmux" kill-server
}

@test "monitor: keys count only for what was there for a moment" {
	need_tmux
	serve_http hello
	start box --ask=20
	watch
	eventually shows "nothing waits"
	# a key that is held down as the question comes up
	get box http://example.org/ one
	local i
	for ((i = 0; i < 200; i++)); do
		shows example.org:80 && break
		sleep 0.02
	done
	tmux -S "$T/tmux" send-keys a
	sleep 1
	[ ! -s one ] || fail "$(cat one)"
	shows example.org:80
	tmux -S "$T/tmux" kill-server
}

@test "monitor: it resizes, says what is too small, and each signal leaves the terminal as it was" {
	need_tmux
	local sig
	start box
	for sig in TERM INT HUP; do
		rm -f after ended
		watch 80 24
		eventually shows "^  box"
		tmux -S "$T/tmux" resize-window -x 40 -y 10
		eventually shows "OPEN 0 DENIED 0 RUNNING 1"
		[ "$(screen | awk '{ if (length > n) n = length } END { print (n <= 40) }')" = 1 ]
		tmux -S "$T/tmux" resize-window -x 30 -y 8
		eventually shows "needs 40x10"
		tmux -S "$T/tmux" resize-window -x 80 -y 24
		eventually shows "^  box"
		kill -"$sig" "$(pgrep -P "$(tmux -S "$T/tmux" display -p '#{pane_pid}')" -f "^$BAWN monitor$")"
		eventually ended
		cmp before after
		[ "$(tmux -S "$T/tmux" display -p '#{alternate_on}#{cursor_flag}')" = 01 ]
		grep -q "ended $((128 + $(kill -l "$sig")))" ended || fail "$(cat ended)"
		tmux -S "$T/tmux" kill-server
	done
}

@test "monitor: a sandbox that ends while it is shown goes; a supervisor that was stopped is named" {
	need_tmux
	start box --ask
	start other
	watch
	eventually shows "RUNNING 2"
	"$BAWN" stop -t 0 other
	eventually shows "RUNNING 1"
	local sup
	sup=$(pgrep -u "$(id -u)" -f "name box .*sleep 300" | head -1)
	PIDS=$sup
	kill -STOP "$sup"
	eventually shows "box does not answer"
	press q
	eventually ended
	kill -CONT "$sup"
	tmux -S "$T/tmux" kill-server
}

@test "monitor: without a terminal it streams JSON, or says how" {
	start box --ask=20
	run "$BAWN" monitor </dev/null
	assert_status 125
	assert_output "bawn monitor --json"
	get box http://example.org/ one
	question example.org:80 >/dev/null
	run bash -c "timeout 10 '$BAWN' monitor --json | head -n 1"
	assert_output '{"running":["box"],"waiting":[{"id":"box:1","sandbox":"box","target":"example.org:80","connections":1,"left_ms":'
	/usr/bin/python3 -c 'import json, sys; json.loads(sys.argv[1])' "$output"
}
