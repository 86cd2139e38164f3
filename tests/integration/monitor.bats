#!/usr/bin/env bats
# monitor.bats - bawn monitor: what it shows of connections and denials, its panes, keys and filter, the
# terminal whatever ends it, and a supervisor that tells nonsense.  Questions and answers: ask.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	tmux -S "$T/tmux" kill-server 2>/dev/null
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

need_tmux() { need command -v tmux -- "tmux is not installed"; }
watch() { # COLS ROWS [ARGUMENTS]
	tmux -S "$T/tmux" -f /dev/null new-session -d -x "$1" -y "$2" \
		"stty -a >before; TERM=xterm ${ENV:-} '$BAWN' monitor ${3:-} 2>err; echo ended \$? >ended; stty -a >after; sleep 60" 3>&- 4>&-
}
screen() { tmux -S "$T/tmux" capture-pane -p; }
coloured() { tmux -S "$T/tmux" capture-pane -p -e; }
shows() { screen | grep -qE -- "$1"; }
press() { tmux -S "$T/tmux" send-keys "$@"; }
ended() { [ -s after ]; }
# The first of its two processes: the child of the pane's shell.
monitor_pid() { pgrep -P "$(tmux -S "$T/tmux" display -p '#{pane_pid}')" -f "^$BAWN monitor *$"; }
fits() { [ "$(screen | awk '{ if (length > n) n = length } END { print (n <= '"$1"') }')" = 1 ]; }

# A server on the host that drips: what it has begun stays open.  Its port: $PORT.
serve_slowly() {
	cat >"$T/slow.py" <<-'EOF'
		import socket, sys, threading, time
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		s.listen(200)
		with open(sys.argv[1], "w") as f:
		    f.write(str(s.getsockname()[1]))
		def one(c):
		    try:
		        c.recv(4096)
		        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 70000)
		        while True:
		            time.sleep(0.1)
		            c.sendall(b"y" * 9000)
		    except OSError:
		        pass
		while True:
		    threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()
	EOF
	/usr/bin/python3 "$T/slow.py" "$T/port" >/dev/null 2>&1 3>&- 4>&- &
	SERVERS+=("$!")
	eventually test -s "$T/port"
	PORT=$(cat "$T/port")
}

start() { # NAME OPTIONS...
	local name=$1 host to=()
	shift
	for host in a.example b.example c.example; do to+=(--connect-to "$host::127.0.0.1:$PORT"); done
	timeout 30 "$BAWN" run -d --name "$name" "${to[@]}" "$@" shell "$WS" -- sleep 300 ||
		fail "it did not start"
}

# Two sandboxes with connections and denials.
two() {
	serve_slowly
	start one --allow a.example:80 --allow b.example:80
	start two --allow a.example:80 --deny c.example
	"$BAWN" exec -d one sh -c 'curl -s http://a.example/ >/dev/null & curl -s http://b.example/ >/dev/null & curl -s http://nobody.example:8080/; wait'
	"$BAWN" exec -d two sh -c 'curl -s http://a.example/ >/dev/null & for i in 1 2 3; do curl -s http://c.example/; done; wait'
	eventually all_there
}
all_there() {
	local now
	now=$("$BAWN" monitor --json --once)
	grep -q '"open":3' <<<"$now" && grep -q c.example <<<"$now" && grep -q nobody.example <<<"$now"
}

@test "monitor --json: connections with rule, bytes and age, denials with reason and fix; of the named alone" {
	two
	"$BAWN" monitor --json --once >all
	"$BAWN" monitor --json --once two >some
	/usr/bin/python3 - all some <<-'EOF'
		import json, re, sys
		a, s = (json.load(open(f)) for f in sys.argv[1:])
		assert a["running"] == ["one", "two"] and a["silent"] == [] and a["waiting"] == []
		flows = sorted((f["sandbox"], f["target"], f["rule"]) for f in a["connections"])
		assert flows == [("one", "a.example:80", "--allow a.example:80"), ("one", "b.example:80", "--allow b.example:80"),
		                 ("two", "a.example:80", "--allow a.example:80")], flows
		for f in a["connections"]:
		    assert re.fullmatch(r"curl\[\d+\]", f["process"]), f
		    assert 40 < f["up"] < 500 and f["down"] >= 70000 and f["ms"] >= 0, f
		d = {x["target"]: x for x in a["denials"]}
		assert d["c.example:80"]["count"] == 3 and "a rule denies it" in d["c.example:80"]["reason"]
		assert d["c.example:80"]["fix"] == "" and d["c.example:80"]["sandbox"] == "two"
		assert d["nobody.example:8080"]["fix"] == "bawn policy allow nobody.example:8080 --sandbox one"
		assert s["running"] == ["two"] and s["open"] == 1 and {x["sandbox"] for x in s["denials"]} == {"two"}
	EOF
	# what grows is seen to grow, what has ended goes
	sleep 1
	"$BAWN" monitor --json --once two >later
	/usr/bin/python3 - some later <<-'EOF'
		import json, sys
		a, b = (json.load(open(f))["connections"][0] for f in sys.argv[1:])
		assert b["down"] > a["down"] and b["ms"] > a["ms"], (a, b)
	EOF
	kill "${SERVERS[@]}"
	none_open() { "$BAWN" monitor --json --once | grep -q '"open":0,"connections":\[\]'; }
	eventually none_open
}

@test "monitor --json: a run with --rm shows its connections too, and a published port's are called that" {
	serve_slowly
	timeout 60 "$BAWN" run --rm --allow a.example:80 --connect-to "a.example::127.0.0.1:$PORT" shell "$WS" -- \
		sh -c 'curl -s http://a.example/ >/dev/null; curl -s http://no.example/' >/dev/null 2>&1 3>&- 4>&- &
	SERVERS+=("$!")
	rm_there() { "$BAWN" monitor --json --once | grep -q '"target":"a.example:80","rule":"--allow a.example:80"'; }
	eventually rm_there
	"$BAWN" run -d --name pub -p 127.0.0.1:0:8000 shell "$WS" -- /usr/bin/python3 -c \
		'import socket; s = socket.socket(); s.bind(("127.0.0.1", 8000)); s.listen(); c = s.accept()[0]; c.send(b"x"); c.recv(9)'
	local at
	at=$("$BAWN" ports pub | grep -oE '127.0.0.1:[0-9]+' | head -1)
	/usr/bin/python3 -c 'import socket, sys, time; s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); s.recv(1); time.sleep(20)' \
		"${at#*:}" 3>&- 4>&- &
	SERVERS+=("$!")
	pub_there() { "$BAWN" monitor --json --once pub | grep -q '"target":"published port 8000","rule":"","process":"","up":'; }
	eventually pub_there
}

@test "monitor: which program has a connection, also one that calls itself something, and none where it is gone" {
	serve_slowly
	start one --allow a.example:80
	cat >"$WS/named.py" <<-'EOF'
		import socket, time
		s = socket.create_connection(("a.example", 80))
		s.send(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
		open("/proc/self/comm", "w").write("\x1b[31m) 1 S\n")
		time.sleep(100)
	EOF
	cat >"$WS/many.py" <<-'EOF'
		import os, time
		for i in range(200):
		    os.open("/dev/null", 0)
		for i in range(300):
		    if os.fork() == 0:
		        break
		time.sleep(100)
	EOF
	"$BAWN" exec -d one /usr/bin/python3 named.py
	named() { "$BAWN" monitor --json --once | grep -qF '"process":"\u001b[31m) 1 S['; }
	eventually named
	# many processes and descriptors hold nobody up
	"$BAWN" exec -d one /usr/bin/python3 many.py
	sleep 1
	SECONDS=0
	"$BAWN" monitor --json --once >/dev/null
	[ "$SECONDS" -lt 4 ] || fail "$SECONDS s"
}

@test "monitor: hundreds of connections are bounded and counted" {
	serve_slowly
	start one --allow a.example:80
	"$BAWN" exec -d one sh -c 'for i in $(seq 150); do curl -s http://a.example/ >/dev/null & done; wait'
	many() { "$BAWN" monitor --json --once | grep -q '"open":150,'; }
	eventually many
	[ "$("$BAWN" monitor --json --once | grep -o '"target":"a.example:80"' | wc -l)" = 64 ]
}

@test "monitor: all panes at 80x24, one at 40x10; tab and numbers change it, arrows choose, enter tells all" {
	need_tmux
	two
	watch 80 24
	eventually shows '^CONNECTIONS 3 .*sent +got +age  sandbox  program'
	shows '^  a.example:80 .*K +[0-9]+s  one +curl\[[0-9]+\]'
	shows '^DENIED 2'
	shows '^ +3x  c.example:80  two: a rule denies it'
	shows '^  one +2 open, 1 denied'
	fits 80
	press 3
	eventually shows '^> .*example'
	press Down Down Down Up
	eventually shows '^> '
	press Home
	eventually shows 'bawn policy allow nobody.example:8080 --sandbox one|no option would allow it'
	tmux -S "$T/tmux" resize-window -x 40 -y 10
	eventually shows '^WAITING 0 OPEN 3 DENIED 2 RUNNING 2'
	eventually shows '^DENIED 2'
	fits 40
	refute() { ! shows "$1"; }
	refute '^CONNECTIONS'
	press Tab
	eventually shows '^RUNNING 2'
	press BTab BTab
	eventually shows '^CONNECTIONS 3 +sent +got +age'
	press Enter
	eventually shows 'bytes sent, [0-9]+'
	press Escape
	eventually shows '^CONNECTIONS 3'
	press '?'
	eventually shows 'filter; esc'
	press '?'
	tmux -S "$T/tmux" resize-window -x 80 -y 24
	eventually shows '^RUNNING 2'
	press q
	eventually ended
	[ "$(cat ended)" = "ended 0" ] && cmp before after
}

@test "monitor: the filter keeps what has its letters, and goes again" {
	need_tmux
	two
	watch 80 24
	eventually shows '^CONNECTIONS 3'
	press / B . e x
	eventually shows '^/B.ex_'
	eventually shows '^CONNECTIONS 1 '
	shows '^DENIED 0'
	press BSpace BSpace BSpace BSpace q u i t
	eventually shows '^/quit_' # in it, a key is a letter
	press Escape
	eventually shows '^CONNECTIONS 3'
	press / t w o Enter
	eventually shows 'esc: all'
	shows '^RUNNING 1'
	press q
	eventually ended
}

@test "monitor NAME: of these alone; a name that is none is told" {
	need_tmux
	two
	watch 80 24 two
	eventually shows '^CONNECTIONS 1 '
	shows '^RUNNING 1'
	run "$BAWN" monitor --json none
	assert_status 125
	assert_output "there is no sandbox 'none'"
	assert_output "bawn ls"
	run "$BAWN" monitor --json ../sandboxes
	assert_status 125
	run "$BAWN" monitor --once
	assert_status 125
	assert_output "--once is for --json"
	TERM=dumb run script -qec "'$BAWN' monitor" /dev/null
	assert_output "for a terminal that can be drawn on"
}

@test "monitor: NO_COLOR leaves no attribute, else a selected row is shown in reverse" {
	need_tmux
	serve_slowly
	start one
	watch 80 24
	eventually shows '^  one'
	coloured | grep -q $'\033\\[1m'
	press 4
	eventually shows '^> one'
	coloured | grep -q $'\033\\[7m' || coloured | grep -q $'\033\\[0;7m'
	press q
	eventually ended
	tmux -S "$T/tmux" kill-server
	rm -f after "$T/tmux"
	ENV=NO_COLOR=1 watch 80 24
	eventually shows '^WAITING 0 <'
	run ! grep -q $'\033\\[' <(coloured)
}

@test "monitor: an arrow's sequence that comes in pieces, and what is pasted, answers nothing" {
	need_tmux
	serve_slowly
	start one --ask=60
	timeout 60 "$BAWN" exec one curl -sS -m 50 http://c.example/ >answer 2>&1 3>&- 4>&- &
	SERVERS+=("$!")
	watch 80 24
	eventually shows 'c.example:80  one'
	sleep 1
	press Escape
	sleep 0.5
	press '['
	sleep 0.5
	press A
	printf 'aaaAAAsssd' | tmux -S "$T/tmux" load-buffer -
	tmux -S "$T/tmux" paste-buffer -p
	sleep 1
	shows '^> .*c.example:80  one'
	[ ! -s answer ] || fail "$(cat answer)"
	# and a key still does
	press d
	answered() { grep -q refused answer; }
	eventually answered
}

@test "monitor: the terminal is as it was, whatever ends it, SIGKILL to either of its processes too" {
	need_tmux
	serve_slowly
	start one
	local sig which pids
	for sig in TERM INT HUP QUIT KILL; do
		for which in 0 1; do
			rm -f after ended
			watch 80 24
			eventually shows '^  one'
			pids=("$(monitor_pid)")
			pids+=("$(pgrep -P "${pids[0]}" -f "^$BAWN monitor *$")")
			[ -n "${pids[1]}" ] || fail "${pids[*]}"
			kill -"$sig" "${pids[which]}"
			eventually ended
			restored() { [ "$(tmux -S "$T/tmux" display -p '#{alternate_on}#{cursor_flag}')" = 01 ]; }
			eventually restored
			sane() { [ "$(stty -a <"$(tmux -S "$T/tmux" display -p '#{pane_tty}')")" = "$(cat before)" ]; }
			eventually sane
			nobody() { ! kill -0 "${pids[0]}" 2>/dev/null && ! kill -0 "${pids[1]}" 2>/dev/null; }
			eventually nobody
			tmux -S "$T/tmux" kill-server
			rm -f "$T/tmux"
		done
	done
}

@test "monitor: stopped and gone on with, the terminal is the shell's meanwhile" {
	need_tmux
	serve_slowly
	start one
	tmux -S "$T/tmux" -f /dev/null new-session -d -x 80 -y 24 "TERM=xterm bash --norc -i" 3>&- 4>&-
	press "'$BAWN' monitor" Enter
	eventually shows '^  one'
	kill -TSTP "$(monitor_pid)"
	eventually shows 'Stopped'
	press 'echo it is $((40 + 2))' Enter
	eventually shows '^it is 42'
	press fg Enter
	eventually shows '^  one'
	press q
	press 'echo and $((40 + 3))' Enter
	eventually shows '^and 43'
}

# A supervisor that is none: it listens for the sandbox "evil" and tells what it likes.
pretend() {
	mkdir -p "$XDG_DATA_HOME/bawn/sandboxes/evil"
	cat >"$T/evil.py" <<-'EOF'
		import socket, struct, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.bind(sys.argv[1])
		s.listen(50)
		E = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\xc2\x9b31m\xe2\x80\xae\x00"
		texts = {
		    16: (b"1 30000 1 x" + E[:-1] + b".example:80\n2 99999999999999999999 1 y\nnonsense\n", 0),
		    18: (b"1 2 3 4 t" + E + b"\trule" + E + b"\n99999999999999999999999 1 1 1 z\n1 2\n\t\t\t\n", 0),
		    19: (b"5\tt" + E[:-1] + b"\treason" + E[:-1] + b"\tfix; rm -rf /" + E[:-1] + b"\nx\n\t\t\t\n", 1 << 30),
		}
		FIRST = int(sys.argv[2])
		while True:
		    c, _ = s.accept()
		    m = c.recv(4096)
		    kind = struct.unpack_from("I", m, 4)[0]
		    text, value = texts.get(kind - FIRST + 16, (b"", 0))
		    c.send(struct.pack("IIiiIBBHHH", 0x62776e73, 69, 2**31 - 1, value, 32, 0, 0, 0, 0, 0) + text[:1280].ljust(1280, b"\0"))
		    c.close()
	EOF
	/usr/bin/python3 "$T/evil.py" "$XDG_DATA_HOME/bawn/sandboxes/evil/control.sock" \
		"$(awk '/enum session_kind/ { n = 0; on = 1 } on && /^\tSESSION_[A-Z]+( = 1)?,/ { n++ } on && /SESSION_PENDING/ { print n; exit }' \
			"$BAWN_SRCDIR/src/sandbox/session.h")" >/dev/null 2>&1 3>&- 4>&- &
	SERVERS+=("$!")
	eventually test -S "$XDG_DATA_HOME/bawn/sandboxes/evil/control.sock"
}

@test "monitor: what a supervisor tells is shown inert, and holds nobody up" {
	need_tmux
	pretend
	SECONDS=0
	"$BAWN" monitor --json --once >told
	[ "$SECONDS" -lt 10 ] || fail "$SECONDS s"
	/usr/bin/python3 -c 'import json, sys; d = json.load(open("told")); assert d["running"] == ["evil"] and len(d["denials"]) <= 64 and d["denials"], d'
	run ! grep -q $'\033' told
	watch 80 24
	eventually shows 'DENIED [1-9]'
	eventually shows 'owned'
	[ "$(tmux -S "$T/tmux" display -p '#{pane_title}')" != owned ]
	run ! grep -qP '\x9b|\xe2\x80\xae|\x07' <(screen)
	press 3
	eventually shows '^> '
	press q
	eventually ended
	[ "$(cat ended)" = "ended 0" ] || fail "$(cat ended err)"
}
