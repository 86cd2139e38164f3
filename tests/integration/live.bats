#!/usr/bin/env bats
# live.bats - rules that are added and taken back while sandboxes run.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

USER_YAML() { printf '%s' "$XDG_CONFIG_HOME/bawn/policies/user.yaml"; }

# A sandbox NAME that stays; every name of NAMES leads to the host's PORT.
start() { # NAME NAMES... [-- OPTIONS...]
	local name=$1 to=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		to+=(--connect-to "$1::127.0.0.1:$PORT")
		shift
	done
	run timeout 30 "$BAWN" run -d --name "$name" "${to[@]}" "${@:2}" shell "$WS" -- sleep 300
	assert_status 0
}

inside() { # NAME URL: the body, or why not
	run timeout 20 "$BAWN" exec "$1" curl -sS -m 10 "$2"
}

policy() {
	run timeout 20 "$BAWN" policy "$@"
}

# Something inside that exchanges a line ten times a second, and writes each to FILE.
talk() { # NAME HOST PORT FILE
	cat >talk.py <<-'EOF'
		import socket, sys, time
		out = open(sys.argv[3], "w", buffering=1)
		s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
		s.settimeout(5)
		n = 0
		try:
		    while True:
		        s.sendall(b"x")
		        if not s.recv(1):
		            break
		        n += 1
		        out.write("%d\n" % n)
		        time.sleep(0.1)
		except OSError:
		    pass
		out.write("ended\n")
	EOF
	"$BAWN" exec -d "$1" python3 talk.py "$2" "$3" "$4"
	local i
	for ((i = 0; i < 100; i++)); do [ -s "$4" ] && return 0; sleep 0.05; done
	fail "no connection to $2:$3"
}

lives() { # FILE: it goes on
	local before i
	before=$(wc -l <"$1")
	for ((i = 0; i < 60; i++)); do
		[ "$(wc -l <"$1")" -gt "$((before + 2))" ] && break
		sleep 0.05
	done
	[ "$(wc -l <"$1")" -gt "$((before + 2))" ] && ! grep -q ended "$1" || fail "$1 has ended"
}

ends() { # FILE
	local i
	for ((i = 0; i < 60; i++)); do grep -q ended "$1" && return 0; sleep 0.05; done
	fail "$1 goes on"
}

@test "the command that a denial prints, pasted while the sandbox runs, lets the same command pass" {
	serve_http hello
	start box example.org
	inside box http://example.org/
	refute_output hello
	local fix
	fix=$(sed -n 's/^To allow it, on the host: //p' <<<"$output")
	[ "$fix" = "bawn policy allow example.org:80 --sandbox box" ] || fail "$fix"
	PATH=$BAWN_BUILDDIR:$PATH run bash -c "$fix"
	assert_status 0
	inside box http://example.org/
	assert_output hello
	# ... the one for a name that no rule knows, too, which was not there before
	start priv db.internal
	inside priv http://db.internal/
	assert_output "Could not resolve"
	fix=$(sed -n 's/.*to allow it: //p' <<<"$output")
	[[ $fix == *"--private db.internal"* ]] || fail "$fix"
	PATH=$BAWN_BUILDDIR:$PATH run bash -c "$fix"
	assert_status 0
	inside priv http://db.internal/
	assert_output hello
	# it is kept
	"$BAWN" stop -t 0 box
	inside box http://example.org/
	assert_output hello
	grep -q '"event":"policy","action":"allow","rule":"example.org:80"' "$AUDIT"
}

@test "a rule for all reaches every sandbox that runs, and is kept with the file's comments" {
	serve_http hello
	mkdir -p "$(dirname "$(USER_YAML)")"
	printf '# mine\nallow:\n  - "kept.example"   # why\n\n# below\ndeny: # none yet\n' >"$(USER_YAML)"
	start one example.org
	start two example.org
	"$BAWN" create --name rests shell "$WS"
	policy allow example.org:80
	assert_status 0
	[ "$(sort <<<"$output" | tr '\n' ' ')" = "one two " ] || fail "$output"
	inside one http://example.org/
	assert_output hello
	inside two http://example.org/
	assert_output hello
	policy deny '**.evil.example'
	policy allow --private intra.example:8080
	[ "$(cat "$(USER_YAML)")" = '# mine
allow:
  - "kept.example"   # why
  - "example.org:80"
  - host: "intra.example:8080"
    private: true

# below
deny: # none yet
  - "**.evil.example"' ] || fail "$(cat "$(USER_YAML)")"
	policy rm intra.example:8080
	policy rm example.org:80
	policy rm '**.EVIL.example'
	[ "$(cat "$(USER_YAML)")" = '# mine
allow:
  - "kept.example"   # why

# below
deny: # none yet' ] || fail "$(cat "$(USER_YAML)")"
	inside one http://example.org/
	assert_output "no rule allows it"
	# the first rule makes the file
	rm "$(USER_YAML)"
	policy allow first.example
	assert_status 0
	[ "$(stat -c %a "$(USER_YAML)")" = 600 ]
	policy ls
	assert_output "user      allow  first.example"
}

@test "a file that bawn can't edit, or may not trust, stays as it is" {
	local was
	mkdir -p "$(dirname "$(USER_YAML)")"
	printf 'allow: ["a.example"]\n' >"$(USER_YAML)"
	was=$(cat "$(USER_YAML)")
	policy allow b.example
	assert_status 125
	assert_output "has a layout that bawn does not edit"
	policy rm a.example
	assert_status 125
	assert_output "has a layout that bawn does not edit"
	[ "$(cat "$(USER_YAML)")" = "$was" ]
	printf 'allow:\n  - "a.example\n' >"$(USER_YAML)"
	policy allow b.example
	assert_status 125
	assert_output "user.yaml:"
	chmod 666 "$(USER_YAML)"
	policy allow b.example
	assert_status 125
	assert_output "user.yaml"
	[ "$(find "$XDG_CONFIG_HOME" -name '.new*' | wc -l)" = 0 ]
}

@test "connections that stay allowed are not touched; those that are denied now end" {
	serve_tcp cat
	start box stay.example go.example -- --allow stay.example:7000 --allow go.example:7000
	talk box stay.example 7000 stay
	talk box go.example 7000 go
	local i
	for i in 1 2 3; do policy allow --sandbox box "more$i.example"; done
	# other addresses: the kernel's own rules are replaced under them
	policy allow --sandbox box 10.11.12.0/24:8080
	policy allow all.example
	lives stay
	lives go
	policy deny --sandbox box go.example
	assert_status 0
	ends go
	lives stay
	# deny wins, and taking it back lets new ones pass
	run "$BAWN" exec box python3 -c 'import socket; s = socket.create_connection(("go.example", 7000), 5); s.sendall(b"x"); print(s.recv(1))'
	refute_output "b'x'"
	policy rm --sandbox box go.example
	assert_status 0
	policy allow --sandbox box go.example:7000
	talk box go.example 7000 go2
	# what is allowed no more ends, too
	policy rm --sandbox box go.example:7000
	ends go2
	lives stay
	# and a deny for all
	policy deny stay.example
	ends stay
}

# OWN-07: what the relay may connect to without asking (egress/lease.h).
@test "a server on this machine: every connection is in the log, and a rule counts from the next on" {
	serve_http hello
	start box go.example -- --allow go.example:80 --host-port "$PORT"
	local many='for i in 1 2 3 4 5 6 7 8 9 10; do curl -sS -m 10 "$0"; done' i
	run timeout 60 "$BAWN" exec box sh -c "$many" http://go.example/
	[ "$output" = "$(printf 'hello%.0s' 1 2 3 4 5 6 7 8 9 10)" ] || fail "$output"
	run timeout 60 "$BAWN" exec box sh -c "$many" "http://127.0.0.1:$PORT/"
	[ "$output" = "$(printf 'hello%.0s' 1 2 3 4 5 6 7 8 9 10)" ] || fail "$output"
	[ "$(server_hits "$PORT")" = 20 ]
	policy deny --sandbox box go.example
	assert_status 0
	inside box http://go.example/
	assert_output "a rule denies it"
	[ "$(server_hits "$PORT")" = 20 ]
	policy rm --sandbox box go.example
	policy allow --sandbox box go.example:80
	inside box http://go.example/
	[ "$output" = hello ] || fail "$output"
	"$BAWN" stop box
	# the log has each answer's bytes, whoever connected
	local one='HTTP/1.1 200 OK..Content-Length: 5..Connection: close....hello'
	bytes() {
		grep "\"event\":\"flow\",\"target\":\"$1\"" "$AUDIT" |
			sed -n 's/.*"down":\([0-9]*\).*/\1/p' | awk '{ s += $1 } END { print s }'
	}
	[ "$(bytes go.example:80)" = $((11 * ${#one})) ] || fail "$(grep flow "$AUDIT")"
	[ "$(bytes "host port $PORT")" = $((10 * ${#one})) ] || fail "$(grep flow "$AUDIT")"
}

@test "names keep their addresses, also those that come to be allowed" {
	serve_http hello
	start box example.org
	local look='import socket; print(socket.gethostbyname("example.org"))'
	run "$BAWN" exec box python3 -c "$look"
	local first=$output
	[[ $first == 198.1[89].* ]] || fail "$first"
	policy allow --sandbox box example.org:80
	run "$BAWN" exec box python3 -c "$look"
	[ "$output" = "$first" ] || fail "$first became $output"
	# the address that was looked up before is good
	run "$BAWN" exec box curl -sS -m 5 --resolve "example.org:80:$first" http://example.org/
	assert_output hello
}

@test "a literal address is reached as soon as it is allowed, and no more when it isn't" {
	serve_http hello
	start box
	# of the networks of examples one that this machine is not in itself: that would be refused
	local net=198.51.100
	! ip -o addr | grep -qF "inet $net." || net=203.0.113
	local try="import socket
s = socket.create_connection(('$net.7', 8080), 3); s.settimeout(5)
print('got', s.recv(1))"
	# nothing is there: but whether it is dialled is told by the log
	run "$BAWN" exec box python3 -c "$try"
	assert_output "ConnectionRefused"
	policy allow --sandbox box $net.0/24:8080
	run timeout 20 "$BAWN" exec box python3 -c "$try"
	refute_output "ConnectionRefused"
	grep -q '"event":"allow","target":"'"$net.7:8080"'"' "$AUDIT" || fail "$(tail -5 "$AUDIT")"
	policy rm --sandbox box $net.0/24:8080
	run "$BAWN" exec box python3 -c "$try"
	assert_output "ConnectionRefused"
	# everything else is refused as before
	run "$BAWN" exec box python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('$net.7', 53)); s.send(b'x')"
	assert_output "Error"
}

@test "what is wrong with a command line is told of that verb, not of another of its name" {
	local verb
	for verb in allow deny rm ls pending answer; do
		run -125 "$BAWN" policy "$verb" --nope
		assert_output "bawn policy $verb --help lists the options"
	done
	run -2 "$BAWN" policy alow example.org
	assert_output "unknown verb 'alow'"
	for verb in allow deny rm ls pending answer show check explain lint diff export import; do
		assert_output "$verb"
		"$BAWN" policy --help | grep "^ .*bawn policy.*\<$verb\>\|^Usage: bawn policy $verb"
	done
}

@test "--once counts until the stop, and is for one that runs" {
	serve_http hello
	start box example.org
	policy allow --sandbox box --once example.org:80
	assert_status 0
	inside box http://example.org/
	assert_output hello
	policy ls box
	assert_output "once      allow  example.org:80"
	policy ls box --json
	python3 -c 'import json,sys; assert {"origin": "once", "action": "allow", "rule": "example.org:80", "private": False} in json.loads(sys.argv[1])' "$output"
	"$BAWN" stop -t 0 box
	policy ls box
	refute_output example.org
	inside box http://example.org/
	assert_output "no rule allows it"
	"$BAWN" stop -t 0 box
	policy allow --sandbox box --once example.org:80
	assert_status 125
	assert_output "sandbox box is not running"
	policy allow --once example.org:80
	assert_status 125
	assert_output "--once is for one sandbox"
	# at rest it is kept for the next start
	policy allow --sandbox box example.org:80
	assert_status 0
	inside box http://example.org/
	assert_output hello
}

@test "a bad rule is named with the reason, and changes nothing" {
	serve_http hello
	start box
	local spec
	spec=$(cat "$XDG_DATA_HOME/bawn/sandboxes/box/spec")
	local bad
	for bad in https://example.org/ 'exa mple.org' '' 1.2.3 example.org:0 example.org:x '*.*.org' 10.0.0.0/33 "$(printf 'a\nb.org')" '"x"'; do
		policy allow --sandbox box "$bad"
		assert_status 125
		assert_output rule
		policy allow "$bad"
		assert_status 125
	done
	policy allow --sandbox nothing example.org
	assert_status 125
	assert_output "there is no sandbox 'nothing'"
	policy rm --sandbox box example.org
	assert_status 125
	assert_output "sandbox box has no rule example.org"
	policy rm example.org
	assert_status 125
	assert_output "has no rule example.org"
	policy deny --private example.org
	assert_status 125
	policy allow
	assert_status 125
	[ "$(cat "$XDG_DATA_HOME/bawn/sandboxes/box/spec")" = "$spec" ]
	[ ! -e "$(USER_YAML)" ]
	# no network, no rule
	start off -- --offline
	policy allow --sandbox off example.org
	assert_status 125
	assert_output "has no network (--offline)"
	# a file of the user's that is broken: what runs goes on by what it has
	mkdir -p "$(dirname "$(USER_YAML)")"
	printf 'allow: 3\n' >"$(USER_YAML)"
	policy allow --sandbox box example.org
	assert_status 125
	assert_output "user.yaml:1"
	assert_output "stays as it was"
}

@test "twenty changes at once are all there in the end" {
	serve_http hello
	start box
	local i pids=()
	for i in $(seq 10); do
		"$BAWN" policy allow --sandbox box "a$i.example" 3>&- &
		pids+=($!)
		"$BAWN" policy allow "b$i.example" >/dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	policy ls box
	for i in $(seq 10); do
		assert_output "sandbox   allow  a$i.example"
		assert_output "user      allow  b$i.example"
	done
	policy ls
	refute_output a1.example
}

@test "nothing inside can reach the socket by which a sandbox is changed" {
	serve_http hello
	start box
	local sock=$XDG_DATA_HOME/bawn/sandboxes/box/control.sock
	[ -S "$sock" ]
	run "$BAWN" exec box ls -la "$sock"
	[ "$status" -ne 0 ]
	run "$BAWN" exec box find / -xdev -name control.sock
	refute_output control.sock
	# nor run a bawn in there
	"$BAWN" exec box "$BAWN" policy allow --sandbox box example.org && fail "changed from inside"
	policy ls box
	refute_output example.org
}

@test "a run with --rm has a rule for all at once, too, and nobody changes anything else of it" {
	serve_http hello
	"$BAWN" run --rm --connect-to "example.org::127.0.0.1:$PORT" shell "$WS" -- sh -c \
		'curl -sS -m 5 http://example.org/ >first; echo 1 >ready; while [ ! -e go ]; do sleep 0.1; done; curl -sS -m 5 http://example.org/ >second' >/dev/null 2>&1 3>&- &
	local run=$! i
	SERVERS+=("$run")
	for ((i = 0; i < 100; i++)); do [ -e ready ] && break; sleep 0.1; done
	policy allow example.org:80
	assert_status 0
	[[ $output == shell-project-* ]] || fail "$output"
	local name=$output
	policy allow --sandbox "$name" other.example
	assert_status 125
	run "$BAWN" ports "$name"
	assert_status 125
	touch go
	wait "$run"
	grep -q "is refused" first
	[ "$(cat second)" = hello ]
	# no socket is left where the next run begins
	[ -z "$(find "$XDG_DATA_HOME/bawn" -name control.sock)" ]
	run "$BAWN" run --rm shell "$WS" -- echo again
	assert_output again
}

@test "rules, ports and checkpoints that are made while it runs don't undo each other" {
	serve_http hello
	start box
	policy allow --sandbox box one.example
	"$BAWN" checkpoint box first >/dev/null
	run "$BAWN" ports box --publish 0:8000
	assert_status 0
	"$BAWN" checkpoint box second >/dev/null
	policy deny --sandbox box two.example
	"$BAWN" stop -t 0 box
	policy ls box
	assert_output "sandbox   allow  one.example"
	assert_output "sandbox   deny   two.example"
	run "$BAWN" ports box
	assert_output "-> 8000 (not running)"
	run "$BAWN" checkpoints box
	assert_output first
	assert_output second
}

@test "rules on requests of one sandbox stand beside each other, and go one by one" {
	"$BAWN" create --name box --allow 'GET api.example.org/x/**' shell . >/dev/null
	"$BAWN" policy allow --sandbox box 'POST api.example.org/x/y'
	"$BAWN" policy allow --sandbox box api.example.org
	"$BAWN" policy rm --sandbox box api.example.org
	run -0 "$BAWN" policy ls box
	assert_output 'GET api.example.org/x/**'
	assert_output 'POST api.example.org/x/y'
	"$BAWN" policy rm --sandbox box 'POST api.example.org/x/y'
	run -0 "$BAWN" policy ls box
	assert_output 'GET api.example.org/x/**'
	refute_output POST
}
