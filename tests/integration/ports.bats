#!/usr/bin/env bats
# ports.bats - published ports: servers inside that the host can reach.
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# A sandbox NAME with options, in which the shell SCRIPT runs in the background.
start() { # NAME SCRIPT OPTIONS...
	run timeout 30 "$BAWN" run -d --name "$1" "${@:3}" shell "$WS" -- sh -c "$2"
	assert_status 0
}

# The host's port that leads to PORT inside sandbox NAME.
port_of() { # NAME PORT
	"$BAWN" ports "$1" | sed -n "s/^.*:\([0-9]*\) -> $2\$/\1/p"
}

# A request, repeated until the server inside is up.
fetch() { # URL [CURL OPTIONS]
	local i
	for ((i = 0; i < 100; i++)); do
		run curl -sS -m 10 "${@:2}" "$1"
		[ "$status" -ne 0 ] || return 0
		sleep 0.1
	done
	fail "no answer from $1"
}

# State and address of who listens on PORT of the host, as the kernel has it.
listeners() { # PORT
	awk -v p="$(printf '%04X' "$1")" '$4 == "0A" && $2 ~ ":" p "$" { print $2 }' /proc/net/tcp /proc/net/tcp6
}

@test "a published port reaches servers at 127.0.0.1, 0.0.0.0 and ::1 inside" {
	echo content >file
	start web 'python3 -m http.server --bind 127.0.0.1 8001 & python3 -m http.server --bind 0.0.0.0 8002 &
		exec python3 -m http.server --bind ::1 8003' -p 0:8001 -p 0:8002 -p 0:8003
	# which port it chose is said
	assert_output "port 8001 inside is at 127.0.0.1:"
	local inside
	for inside in 8001 8002 8003; do
		fetch "http://127.0.0.1:$(port_of web $inside)/file"
		assert_output content
	done
	grep -q '"event":"publish","where":"127.0.0.1:[0-9]*","port":8001,"action":"published"' "$AUDIT"
	grep -q '"event":"allow","target":"port 8001 published at 127.0.0.1:' "$AUDIT"
}

@test "a published port is the host's loopback's alone, unless told otherwise" {
	start quiet 'sleep 60' -p 0:8000 -p '[::1]:0:8001'
	local p
	p=$(port_of quiet 8000)
	[ "$(listeners "$p")" = "0100007F:$(printf '%04X' "$p")" ] || fail "$(listeners "$p")"
	p=$(port_of quiet 8001)
	[ "$(listeners "$p")" = "00000000000000000000000001000000:$(printf '%04X' "$p")" ] || fail "$(listeners "$p")"
	refute_output 'other machines'
	run "$BAWN" ports quiet --publish 0.0.0.0:0:8002
	assert_status 0
	assert_output 'for other machines, too'
	p=$(port_of quiet 8002)
	[ "$(listeners "$p")" = "00000000:$(printf '%04X' "$p")" ] || fail "$(listeners "$p")"
}

@test "CRED-09 a server of an agent's own is on no port of the host unless asked, and for other machines never without a word" {
	start served 'exec python3 -m http.server --bind 0.0.0.0 4096'
	[ -z "$("$BAWN" ports served)" ]
	run curl -sS -m 3 http://127.0.0.1:4096/
	[ "$status" -ne 0 ] || fail "it answers"
	start here 'sleep 60' -p 0:4096
	refute_output 'other machines'
	start open 'sleep 60' -p 0.0.0.0:0:4096
	assert_output 'port 4096 inside is at 0.0.0.0:' 'for other machines, too: its server has to know who may use it'
}

@test "ports are published and taken back while it runs, and a restart keeps them" {
	echo content >file
	start web 'exec python3 -m http.server --bind 127.0.0.1 8000'
	run "$BAWN" ports web
	[ -z "$output" ]
	run "$BAWN" ports web --publish 0:8000
	assert_status 0
	local p
	p=$(port_of web 8000)
	fetch "http://127.0.0.1:$p/file"
	assert_output content
	# a second one that is fixed
	run "$BAWN" ports web --publish "$p:8000"
	assert_status 125
	assert_output "publish port 8000 at 127.0.0.1:$p: Address in use"
	assert_output "take another port"
	run "$BAWN" ports web --unpublish "$p" --json
	assert_status 0
	[ "$output" = "[]" ]
	run curl -sS -m 5 "http://127.0.0.1:$p/file"
	[ "$status" -eq 7 ]
	run "$BAWN" ports web --publish "$p:8000" --json
	assert_status 0
	python3 -c 'import json,sys; assert json.loads(sys.argv[1]) == [{"ip": "127.0.0.1", "host": int(sys.argv[2]), "port": 8000, "listening": True}]' "$output" "$p"
	"$BAWN" stop -t 0 web
	run "$BAWN" ports web
	[ "$output" = "127.0.0.1:$p -> 8000 (not running)" ]
	[ -z "$(listeners "$p")" ]
	"$BAWN" exec -d web python3 -m http.server --bind 127.0.0.1 8000
	fetch "http://127.0.0.1:$p/file"
	assert_output content
	# at rest
	"$BAWN" stop -t 0 web
	run "$BAWN" ports web --unpublish "$p" --publish 0:9000
	[ "$output" = "127.0.0.1:0 -> 9000 (not running)" ]
	run "$BAWN" ports web --unpublish 4711
	assert_status 125
	assert_output "does not publish 4711"
}

@test "a port that is taken is an error before anything runs" {
	serve_http hello
	run timeout 30 "$BAWN" run --rm -p "$PORT:80" shell "$WS" -- touch ran
	assert_status 125
	assert_output "publish port 80 at 127.0.0.1:$PORT: Address in use"
	run timeout 30 "$BAWN" run -d --name taken -p "$PORT:80" shell "$WS" -- touch ran
	assert_status 125
	assert_output "Address in use"
	[ ! -e ran ]
	# it was made for this start, and is gone with it
	run "$BAWN" ls -q
	[ -z "$output" ]
}

@test "what is no port, or can't be had, is named with its remedy" {
	local bad
	for bad in 80 x:80 80:0 80:70000 :80 '1.2.3:8080:80' '[::1]8080:80' '::1:8080:80' '08:80' "8080:80 "; do
		run "$BAWN" run --rm -p "$bad" shell "$WS" -- true
		assert_status 125
		assert_output "'$bad' is not [IP:]HOST:PORT"
	done
	run "$BAWN" run --rm -p 80:80 shell "$WS" -- true
	assert_status 125
	assert_output "ports below 1024 are for root"
	run "$BAWN" run --rm -p 192.0.2.1:8080:80 shell "$WS" -- true
	assert_status 125
	assert_output "it is no address of this machine"
	run "$BAWN" run --rm -p 8080:5432 --host-port 5432 shell "$WS" -- true
	assert_status 125
	assert_output "it can't be published"
	run "$BAWN" ports nothing
	assert_status 125
	assert_output "there is no sandbox 'nothing'"
	start one 'sleep 60'
	run "$BAWN" run -p 8080:80 one -- true
	assert_status 125
	assert_output "bawn ports one --publish 127.0.0.1:8080:80"
	local i args=()
	for i in $(seq 17); do args+=(-p "0:$((8000 + i))"); done
	run "$BAWN" run --rm "${args[@]}" shell "$WS" -- true
	assert_status 125
	assert_output "at most 16 published ports"
}

@test "--rm publishes too, and nothing listens when it has ended" {
	echo content >file
	mkfifo fifo
	: >said
	"$BAWN" run --rm -p 0:8000 shell "$WS" -- sh -c 'python3 -m http.server --bind 127.0.0.1 8000 & cat fifo' 2>said 3>&- &
	local run=$! i p
	SERVERS+=("$run")
	for ((i = 0; i < 100; i++)); do
		p=$(sed -n 's/.*port 8000 inside is at 127.0.0.1:\([0-9]*\).*/\1/p' said)
		[ -z "$p" ] || break
		sleep 0.05
	done
	[ -n "$p" ] || fail "the port was not said"
	fetch "http://127.0.0.1:$p/file"
	assert_output content
	echo end >fifo
	wait "$run"
	[ -z "$(listeners "$p")" ] || fail "somebody still listens"
}

@test "nothing inside can use a published port to reach the host" {
	serve_http secret
	start in 'sleep 60' -p 0:8000
	local p
	p=$(port_of in 8000)
	# neither the listener nor what else is on the host's loopback
	local target
	for target in "127.0.0.1 $p" "::1 $p" "127.0.0.1 $PORT" "192.0.2.1 $p"; do
		run "$BAWN" exec in python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)' "${target% *}" "${target#* }"
		[ "$status" -ne 0 ] || fail "connected to $target"
	done
	[ "$(server_hits "$PORT")" = 0 ]
	# nor is there a descriptor of it to be found
	run "$BAWN" exec in sh -c 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c "socket:"'
	[ "${output##*$'\n'}" = 0 ] || fail "a socket: $output"
}

@test "a closed port, one that looks like a client's, and the relay's own are refused as such" {
	start none 'sleep 60' -p 0:8000 -p 0:40000 -p 0:1 -p 0:53
	local inside
	for inside in 8000 40000 1 53; do
		run python3 - "$(port_of none $inside)" <<-'EOF'
			import socket, sys
			for i in range(20):
			    try:
			        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
			        s.settimeout(5)
			        got = s.recv(10)
			    except ConnectionResetError:
			        continue
			    print("got", got)
		EOF
		assert_status 0
		[ -z "$output" ] || fail "port $inside: $output"
	done
}

@test "each end of a published connection may end its half, or reset it" {
	cat >server.py <<-'EOF'
		import socket, struct
		l = socket.create_server(("127.0.0.1", 8000))
		open("up", "w").close()
		while True:
		    s, peer = l.accept()
		    what = s.recv(1)
		    if what == b"h":  # all of it is read before anything is answered
		        n = 0
		        while d := s.recv(65536):
		            n += len(d)
		        s.sendall(b"%d" % n)
		    elif what == b"f":  # its own half first, then reads on
		        s.sendall(b"bye")
		        s.shutdown(socket.SHUT_WR)
		        open("rest", "wb").write(s.recv(100, socket.MSG_WAITALL))
		    elif what == b"r":
		        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    elif what == b"w":  # notes how it ends
		        try:
		            end = "end" if not s.recv(1) else "data"
		        except ConnectionResetError:
		            end = "reset"
		        open("seen", "w").write(end)
		    s.close()
	EOF
	start half 'exec python3 server.py' -p 0:8000
	local i
	for ((i = 0; i < 100; i++)); do [ -e up ] && break; sleep 0.05; done
	run timeout 30 python3 - "$(port_of half 8000)" <<-'EOF'
		import os, socket, struct, sys, time
		def connect(what):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
		    s.settimeout(10)
		    s.sendall(what)
		    return s
		s = connect(b"h" + b"x" * 3000000)
		s.shutdown(socket.SHUT_WR)
		print("half", s.recv(100))
		s = connect(b"f")
		print("first", s.recv(100), s.recv(100))
		s.sendall(b"more")
		s.close()
		s = connect(b"r")
		try:
		    print("no reset", s.recv(1))
		except ConnectionResetError:
		    print("reset")
		s = connect(b"w")
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		time.sleep(0.3)
		s.close()
		for i in range(100):
		    if os.path.exists("seen") and os.path.getsize("seen"): break
		    time.sleep(0.05)
		print("seen", open("seen").read(), "rest", open("rest").read())
	EOF
	assert_status 0
	assert_output "half b'3000000'"
	assert_output "first b'bye' b''"
	assert_output "reset"
	refute_output "no reset"
	assert_output "seen reset rest more"
}

@test "taking a port back ends its connections, and those alone" {
	start echo 'socat TCP4-LISTEN:8000,bind=127.0.0.1,fork EXEC:cat & exec socat TCP4-LISTEN:8001,bind=127.0.0.1,fork EXEC:cat' -p 0:8000 -p 0:8001
	run timeout 30 python3 - "$BAWN" "$(port_of echo 8000)" "$(port_of echo 8001)" <<-'EOF'
		import socket, subprocess, sys, time
		def connect(port):
		    for i in range(100):
		        s = socket.create_connection(("127.0.0.1", int(port)), 5)
		        s.settimeout(5)
		        try:
		            s.sendall(b"a")
		            if s.recv(1) == b"a":
		                return s
		        except OSError:
		            pass
		        time.sleep(0.05)
		a, b = connect(sys.argv[2]), connect(sys.argv[3])
		subprocess.run([sys.argv[1], "ports", "echo", "--unpublish", sys.argv[2]], check=True)
		try:
		    print("open", a.recv(1))
		except ConnectionResetError:
		    print("cut")
		b.sendall(b"b")
		print("other", b.recv(1))
	EOF
	assert_status 0
	assert_output cut
	assert_output "other b'b'"
}

@test "a flood of connections to a published port leaves the sandbox its own, and a slow server blocks nobody" {
	# a server that never accepts: its queue fills, and the connections wait outside pid 1
	start slow 'exec python3 -c "
import socket, time
l = socket.socket(); l.bind((\"127.0.0.1\", 8000)); l.listen(1)
open(\"up\", \"w\").close()
time.sleep(60)"' -p 0:8000
	local i
	for ((i = 0; i < 100; i++)); do [ -e up ] && break; sleep 0.05; done
	run timeout 60 python3 - "$BAWN" "$(port_of slow 8000)" <<-'EOF'
		import socket, subprocess, sys, time
		held = []
		for i in range(300):
		    s = socket.socket()
		    s.setblocking(False)
		    s.connect_ex(("127.0.0.1", int(sys.argv[2])))
		    held.append(s)
		start = time.monotonic()
		print(subprocess.run([sys.argv[1], "exec", "slow", "echo", "alive"], capture_output=True, text=True, timeout=10).stdout)
		print(subprocess.run([sys.argv[1], "ports", "slow"], capture_output=True, text=True, timeout=10).stdout)
		print("fast" if time.monotonic() - start < 5 else "slow")
	EOF
	assert_status 0
	assert_output alive
	assert_output "-> 8000"
	assert_output fast
}

@test "create keeps -p, and inspect shows it" {
	run "$BAWN" create --name kept -p 0:8000 shell "$WS"
	assert_status 0
	run "$BAWN" inspect kept
	assert_output '"127.0.0.1:0:8000"'
	run "$BAWN" ports kept --json
	python3 -c 'import json,sys; assert json.loads(sys.argv[1]) == [{"ip": "127.0.0.1", "host": 0, "port": 8000, "listening": False}]' "$output"
}
