#!/usr/bin/env bats
# checkpoint.bats - layers, bawn checkpoint, checkpoints, restore, undo, fork
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

make_box() { # [NAME]
	"$BAWN" create --name "${1:-box}" shell "$WS" >/dev/null
}

inside() { # NAME SCRIPT
	"$BAWN" exec "$1" sh -c "$2"
}

# Is what writes FILE all the time at it?
goes_on() { # FILE
	local a i
	a=$(cat "$1")
	for ((i = 0; i < 60; i++)); do
		sleep 0.05
		[ "$(cat "$1")" = "$a" ] || return 0
	done
	return 1
}

layers() { find "$XDG_DATA_HOME/bawn/layers" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l; }

@test "checkpoint, restore and undo bring back what was there, by contents, removals and modes" {
	make_box
	inside box 'cd; echo one >a; mkdir -p d/sub; echo x >d/sub/f; ln -s a link; chmod 0750 d'
	run "$BAWN" checkpoint box first
	assert_status 0
	assert_output first
	assert_output "worked on directly and is no part of it"
	inside box 'cd; echo two >a; rm -r d; mkdir d; echo new >d/new; rm link'
	run "$BAWN" checkpoint box
	assert_status 0
	assert_output cp1
	inside box 'cd; rm a; echo three >c'
	run "$BAWN" undo box
	assert_status 0
	assert_output cp1
	run inside box 'cd; cat a; ls d; ls c link'
	assert_output two
	assert_output new
	refute_output sub
	assert_output "cannot access 'c'"
	assert_output "cannot access 'link'"
	run "$BAWN" restore box first
	assert_status 0
	run inside box 'cd; cat a; cat d/sub/f; readlink link; stat -c %a d; ls d'
	assert_output $'one\nx\na\n750'
	refute_output new
	run "$BAWN" checkpoints box
	assert_output first
	assert_output cp1
	# what was there before the undo: three, and no a
	run "$BAWN" restore box cp1
	assert_status 0
	run inside box 'cd; cat a'
	assert_output two
}

@test "a second undo goes one further, then says that there is none" {
	make_box
	for i in 1 2 3; do
		inside box "echo $i >~/n"
		"$BAWN" checkpoint box "t$i"
	done
	run "$BAWN" undo box
	assert_output t2
	run "$BAWN" undo box
	assert_output t1
	run inside box 'cat ~/n'
	assert_output 1
	run "$BAWN" undo box
	assert_status 125
	assert_output "first checkpoint, t1"
	run "$BAWN" restore box t3
	run inside box 'cat ~/n'
	assert_output 3
}

@test "what a restore replaces is kept as undone, and is brought back" {
	make_box
	inside box 'echo kept >~/f'
	"$BAWN" checkpoint box t
	inside box 'echo precious >~/f'
	"$BAWN" restore box t
	run inside box 'cat ~/f'
	assert_output kept
	"$BAWN" restore box undone
	run inside box 'cat ~/f'
	assert_output precious
}

@test "forks begin alike, differ after, and outlive what they come from" {
	make_box
	inside box 'echo base >~/f'
	run "$BAWN" fork --count 2 box try
	assert_status 0
	assert_output try-1
	assert_output try-2
	inside try-1 'echo one >>~/f'
	inside try-2 'rm ~/f'
	inside box 'echo zero >>~/f'
	run inside try-1 'cat ~/f'
	assert_output $'base\none'
	run inside box 'cat ~/f'
	assert_output $'base\nzero'
	run inside try-2 'cat ~/f'
	assert_output "No such file"
	"$BAWN" rm box
	run inside try-1 'cat ~/f'
	assert_output $'base\none'
	run "$BAWN" fork try-1 try-2
	assert_status 125
	assert_output "there is a sandbox try-2 already"
	run "$BAWN" fork try-1 claude
	assert_status 125
	assert_output "profile's name"
	"$BAWN" rm try-1 try-2
	[ "$(layers)" = 0 ]
}

@test "while it runs: stopped, copied with all there is, and it goes on" {
	make_box
	"$BAWN" exec -d box sh -c 'cd; mkdir w; cd w; echo data >plain; ln plain hard; ln -s plain soft; mkfifo pipe
		truncate -s 1G sparse; echo end >>sparse; mkdir shut; echo in >shut/f; chmod 0 shut; echo secret >none; chmod 0 none
		chmod 4755 plain; touch -d "2001-02-03 04:05:06" plain; printf x >"$(printf "new\nline \033[31m")"; touch ready; i=0
		while :; do i=$((i+1)); echo $i >tick.new; mv tick.new tick; sleep 0.02; done'
	for _ in {1..100}; do [ -e "$XDG_DATA_HOME/bawn/sandboxes/box/up/home/w/ready" ] && break; sleep 0.05; done
	run "$BAWN" checkpoint box live
	assert_status 0
	assert_output "stood still for"
	goes_on "$XDG_DATA_HOME/bawn/sandboxes/box/up/home/w/tick" || fail "it did not go on"
	run "$BAWN" restore box live
	assert_status 125
	assert_output "is running"
	assert_output "bawn stop box"
	run "$BAWN" checkpoint box live
	assert_status 125
	assert_output "has a checkpoint live already"
	"$BAWN" stop --time 0 box
	inside box 'cd ~/w; chmod 700 shut; rm -rf ~/w'
	"$BAWN" restore box live
	local l
	l=$(find "$XDG_DATA_HOME/bawn/layers" -mindepth 3 -maxdepth 3 -path '*/home/w' | head -1)
	[ "$(stat -c %b "$l/sparse")" -lt 1000 ] || fail "the hole was filled"
	run inside box 'cd ~/w; stat -c "%a %h %Y" plain hard; stat -c %a shut none; readlink soft; stat -c %F pipe; stat -c %s sparse
		chmod 700 shut; cat shut/f; ls -b; cat plain'
	assert_output $'4755 2 981173106\n4755 2 981173106\n0\n0\nplain\nfifo\n1073741828\nin'
	assert_output 'new\nline\ \033[31m'
	assert_output data
}

@test "a client that is killed while everything is stopped lets it go on" {
	make_box
	"$BAWN" exec -d box sh -c 'cd; for i in $(seq 3000); do echo $i >f$i; done; touch ready; while :; do date +%s%N >tick.new; mv tick.new tick; sleep 0.02; done'
	local up=$XDG_DATA_HOME/bawn/sandboxes/box/up/home n
	for _ in {1..200}; do [ -e "$up/ready" ] && break; sleep 0.05; done
	for n in 0.005 0.02 0.05 0.1; do
		timeout -s KILL $n "$BAWN" checkpoint box "c${n#0.}" >/dev/null 2>&1 || :
		goes_on "$up/tick" || fail "still stopped after $n s"
	done
	"$BAWN" stop --time 0 box
	inside box true
	[ -z "$(find "$XDG_DATA_HOME/bawn/layers" -maxdepth 1 -name '.new-*' -o -maxdepth 1 -name '.gone-*')" ]
}

@test "a tree of 5000 directories is copied, frozen, restored and removed" {
	make_box
	"$BAWN" exec -d box sh -c 'cd; python3 -c "
import os
for i in range(5000): os.mkdir(\"deep\"); os.chdir(\"deep\")
open(\"bottom\",\"w\").write(\"x\")"; touch ready; sleep 100'
	for _ in {1..200}; do [ -e "$XDG_DATA_HOME/bawn/sandboxes/box/up/home/ready" ] && break; sleep 0.05; done
	run "$BAWN" checkpoint box live
	assert_status 0
	"$BAWN" stop --time 0 box
	"$BAWN" checkpoint box rest
	"$BAWN" restore box live
	run inside box 'cd; python3 -c "
import os
for i in range(5000): os.chdir(\"deep\")
print(open(\"bottom\").read(), \"found\")"'
	assert_output "x found"
	"$BAWN" rm box
	[ "$(layers)" = 0 ]
}

@test "many layers: whiteouts and opaque directories survive the squash, tags do too" {
	make_box
	inside box 'cd; mkdir -p a/b keep; echo 0 >a/b/old; echo 0 >gone; echo k >keep/f'
	"$BAWN" checkpoint box t0 2>/dev/null
	for i in $(seq 1 51); do
		inside box "cd; echo $i >n; echo $i >n$i; rm -f n$((i - 3))
			[ $i = 10 ] && rm -rf a; [ $i = 20 ] && mkdir -p a/b && echo new >a/b/new; [ $i = 30 ] && rm gone; [ $i = 40 ] && mkdir gone && echo d >gone/d; true"
		"$BAWN" checkpoint box "t$i" 2>/dev/null
	done
	[ "$(grep -c '^layer ' "$XDG_DATA_HOME/bawn/sandboxes/box/spec")" -le 49 ]
	run inside box 'cd; cat n; ls a/b; cat gone/d keep/f; ls'
	assert_output $'51\nnew\nd\nk'
	refute_output old
	assert_output n49
	refute_output n48
	"$BAWN" restore box t15
	run inside box 'cd; cat n gone; ls a; ls'
	assert_output $'15\n0'
	assert_output "cannot access 'a'"
	"$BAWN" restore box t51
	run inside box 'cd; cat n; ls a/b'
	assert_output $'51\nnew'
}

@test "long state paths and any character in them, by the new mount calls and by mount(2)" {
	local long i
	printf -v long '%0150d' 0
	XDG_DATA_HOME="$T/a:b,c\\d e'f/$long/$long/x:y"
	export XDG_DATA_HOME
	make_box
	for i in 1 2 3; do
		inside box "echo $i >~/f$i"
		"$BAWN" checkpoint box t$i
	done
	run inside box 'cd; cat f1 f2 f3; echo 4 >f4'
	assert_output $'1\n2\n3'
	run "$DENY" fsconfig=EINVAL "$BAWN" exec box sh -c 'cd; cat f1 f2 f3 f4; rm f1; grep " overlay " /proc/self/mountinfo'
	assert_output $'1\n2\n3\n4'
	refute_output "$long"
	run "$DENY" fsopen=ENOSYS "$BAWN" exec box sh -c 'cd; ls; cat f1'
	assert_output "f2"
	assert_output "No such file"
}

@test "errors name the remedy: unknown names and tags, malformed tags, a layer that is gone" {
	make_box
	run "$BAWN" checkpoint nobody
	assert_status 125
	assert_output "there is no sandbox 'nobody'"
	run "$BAWN" restore box nothing
	assert_status 125
	assert_output "no checkpoint 'nothing'"
	assert_output "bawn checkpoint box"
	run "$BAWN" checkpoint box $'a\nb\e[31m'
	assert_status 125
	assert_output "a\\x0ab\\x1b"
	run "$BAWN" checkpoint box undone
	assert_status 125
	run "$BAWN" undo box
	assert_status 125
	assert_output "no checkpoint before"
	run "$BAWN" fork --count 0 box new
	assert_status 125
	inside box 'echo x >~/f'
	"$BAWN" checkpoint box t
	run "$BAWN" checkpoints --json box
	assert_output '"tag": "t"'
	assert_output '"current": true'
	rm -rf "$XDG_DATA_HOME"/bawn/layers/*
	run inside box true
	assert_status 125
	assert_output "is gone"
	run "$BAWN" rm box
	assert_status 0
}

@test "what is removed by tag frees its layers; an unreadable spec stops every collection" {
	make_box
	inside box 'echo x >~/f'
	"$BAWN" checkpoint box t1
	inside box 'echo y >~/f'
	"$BAWN" checkpoint box t2
	"$BAWN" undo box
	[ "$(layers)" = 2 ]
	make_box other
	sed -i '1s/.*/bawn-sandbox 99/' "$XDG_DATA_HOME/bawn/sandboxes/other/spec"
	"$BAWN" checkpoints --rm t2 box
	[ "$(layers)" = 2 ] # the later bawn's may name it
	"$BAWN" rm -f other
	[ "$(layers)" = 1 ]
	run "$BAWN" checkpoints box
	refute_output t2
	"$BAWN" rm box
	[ "$(layers)" = 0 ]
}

@test "a copy-on-write workspace is part of it: checkpoint, undo and fork take its changes along" {
	mkdir "$WS/d"
	echo host >"$WS/d/f"
	echo gone >"$WS/gone"
	"$BAWN" create --name box --workspace cow shell "$WS" >/dev/null
	inside box 'echo one >d/f; rm gone; echo new >new'
	run "$BAWN" checkpoint box t1
	assert_status 0
	refute_output "worked on directly"
	inside box 'rm -r d; mkdir d; echo two >d/g'
	"$BAWN" fork box two >/dev/null
	run "$BAWN" undo box
	assert_output t1
	run inside box 'cat d/f new; ls d gone'
	assert_output $'one\nnew'
	refute_output "g"$'\n'
	assert_output "cannot access 'gone'"
	run inside two 'ls d; cat d/g new'
	assert_output $'g\ntwo\nnew'
	# and what the host has is as it was
	[ "$(cat "$WS/d/f" "$WS/gone")" = $'host\ngone' ]
	[ ! -e "$WS/new" ]
	run "$BAWN" diff --name-only box
	assert_status 0
	assert_output d/f
	assert_output gone
	assert_output new
}
