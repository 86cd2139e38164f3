#!/usr/bin/env bats
# template-hostile.bats - archives that a stranger might write, and names that are none.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() {
	bawn_setup
	STORE=$XDG_DATA_HOME/bawn/templates
}
teardown() { bawn_teardown; }

image() { # KIND [TAG...]: $WS/KIND.tar
	/usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" "$1" "$WS/$1.tar" "${@:2}"
}
template() { "$BAWN" template "$@"; }

# All that is in the store, but for what only its making shows.
store_list() {
	(cd "$STORE" && find . -path ./tmp -prune -o -printf '%p %y %l %m\n' | sort)
	cat "$STORE/tags" 2>/dev/null
}
nothing_half() {
	[ -z "$(ls -A "$STORE/tmp")" ]
	template verify -q
}

@test "TPL-12 what an image says of itself is kept as text, and its own users are found" {
	image docker x
	LD_PRELOAD='' run -0 template load "$WS/docker.tar"
	run -0 template inspect x
	[[ $output == *"LD_PRELOAD=/evil.so"* && $output == *'TEXT=one\x0atwo'* ]]
	[[ $output == *"agent:1000:1000:/home/agent:/bin/sh"* ]]
	run -0 bash -c "'$BAWN' template inspect --json x | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)[0]
assert d[\"env\"][2] == \"TEXT=one\\ntwo\", d
assert d[\"cmd\"] == [\"a\", \"b c\"] and d[\"user\"] == \"agent\" and d[\"workdir\"] == \"/w\"
assert len(d[\"layers\"]) == 2 and d[\"size\"] > 100000'"
}

@test "TPL-09 what a stranger's archive names is a member with the right digest, or it is refused" {
	local kind before
	image large x
	template load "$WS/large.tar"
	before=$(store_list)
	for kind in $(/usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" kinds bad_); do
		image "$kind" bad:1
		run -125 template load "$WS/$kind.tar"
		[[ $output == "bawn: load: "* ]] || fail "$kind: $output"
		[ "$before" = "$(store_list)" ] || fail "$kind: $(diff <(echo "$before") <(store_list))"
	done
	[ "$(find "$WS" -name 'bad_*' | wc -l)" -ge 20 ]
	[ -z "$(find "$T" -name canary)" ]
	nothing_half
}

@test "TPL-09 bawn-image, which parses it, is confined, and can open no file" {
	run -0 /usr/bin/python3 - "$BAWN_BUILDDIR/bawn-image" <<-'PY'
		import os, struct, subprocess, sys, time
		def record(tag, data):
		    return struct.pack("=II", tag, len(data)) + data + bytes(-len(data) % 8)
		# a configuration whose answer is more than a pipe holds: it waits in the middle of it
		doc = b'{"rootfs":{"type":"layers"},"config":{"Env":["A=' + b"x" * 100000 + b'"]}}'
		fd = os.memfd_create("request")
		os.write(fd, record(1, struct.pack("=Q", 4)) + record(2, doc) + record(8, bytes(8)))
		p = subprocess.Popen([sys.argv[1]], stdin=fd, stdout=subprocess.PIPE)
		for _ in range(1000):
		    status = dict(l.split(":\t", 1) for l in open(f"/proc/{p.pid}/status").read().splitlines() if ":\t" in l)
		    if open(f"/proc/{p.pid}/wchan").read().startswith(("pipe_write", "anon_pipe_write")) or status["State"][0] == "S":
		        break
		    time.sleep(0.02)
		assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
		assert p.stdout.read().endswith(b"done -\n") and p.wait() == 0
	PY
	# what it is not asked by us, it doesn't answer
	run -1 bash -c "echo nonsense | '$BAWN_BUILDDIR/bawn-image'"
	[[ $output == *"started by bawn"* ]]
}

@test "TPL-09 no archive: a directory, a device, a text, nothing, half of one" {
	image docker x
	local input
	mkdir "$WS/dir"
	echo text >"$WS/text"
	: >"$WS/empty"
	head -c 3000 "$WS/docker.tar" >"$WS/half"
	gzip -c "$WS/docker.tar" | head -c 600 >"$WS/half.gz"
	for input in dir text empty half half.gz absent /dev/null /dev/zero; do
		[[ $input = /* ]] || input=$WS/$input
		run -125 timeout 20 "$BAWN" template load "$input"
		[[ $output == "bawn: "* && ${#lines[@]} -le 3 ]] || fail "$input: $output"
	done
	run -2 template load
	nothing_half
}

@test "TPL-17 names: what is none is refused, in every verb" {
	local name
	image docker x
	template load "$WS/docker.tar"
	for name in ../../x '' . /x x:y:z X 'x y' $'x\ny' "$(printf 'a%.0s' {1..4096})" $'\xc3\xa4' x@sha256:00; do
		run -125 template tag x "$name"
		run -1 template inspect "$name"
		run -125 template load -t "$name" "$WS/docker.tar"
		run -1 template rm "$name"
	done
	run -2 template tag x -rf
	run -125 template tag x -- -rf
	[[ $output == *"can't be a template's name"* ]]
	[ "$(wc -l <"$STORE/tags")" = 1 ]
}
