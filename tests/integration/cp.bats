#!/usr/bin/env bats
# cp.bats - bawn cp: into a sandbox and out of it, what it keeps, and what a sender inside can't do.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" stop --time 0 box >/dev/null 2>&1 || :
	bawn_teardown
}

box() {
	"$BAWN" create --name box shell . >/dev/null
}

inside() {
	"$BAWN" exec box sh -c "$1"
}

# running: while it runs.
running() {
	"$BAWN" run -q box -- bash -c 'touch up; while [ ! -e stop ]; do sleep 0.1; done' </dev/null 3>&- &
	SERVERS+=("$!")
	eventually test -e up
}

@test "cp: a file and a tree, into a stopped sandbox and back, byte for byte" {
	box
	mkdir -p "$T/src/a/b" "$T/src/empty"
	head -c 3000000 /dev/urandom >"$T/src/a/big"
	: >"$T/src/a/b/none"
	echo x >"$T/src/"$'odd\n\e name'
	ln -s a/big "$T/src/link"
	ln "$T/src/a/big" "$T/src/second"
	run "$BAWN" cp "$T/src" box:"$HOME"
	assert_status 0
	[ -z "$output" ] || fail said
	run inside 'cd ~/src && find . | sort | wc -l && readlink link && cmp a/big second'
	[ "${lines[0]}" = 9 ] && [ "${lines[1]}" = a/big ]
	run "$BAWN" cp box:"$HOME/src" "$T/back"
	assert_status 0
	diff -r --no-dereference "$T/src" "$T/back"
	# nothing is left of it inside but what was copied
	run inside 'find / -xdev -name ".bawn-cp*" 2>/dev/null; find ~ -name ".bawn-cp*"'
	[ -z "$output" ]
}

@test "cp: where the target is a directory, a file, a new name, the content of a directory" {
	box
	running
	mkdir -p d/sub "$T/out"
	echo 1 >d/f
	"$BAWN" cp d/f box:/tmp/new
	"$BAWN" cp d/f box:/tmp/
	"$BAWN" cp d box:/tmp/tree
	"$BAWN" cp d box:/tmp/tree
	"$BAWN" cp d/. box:/tmp/content
	"$BAWN" cp d/. box:/tmp/content
	run inside 'cd /tmp && ls new f tree/f tree/sub tree/d/f content/f && ls content | wc -l'
	assert_status 0
	[ "${lines[-1]}" = 2 ]
	(cd d && "$BAWN" cp . box:/tmp/dot)
	(cd d && "$BAWN" cp .. box:/tmp/up && inside 'test -d /tmp/up/d')
	"$BAWN" cp box:/tmp/tree "$T/out"
	[ -f "$T/out/tree/f" ] && [ -f "$T/out/tree/d/f" ]
	"$BAWN" cp box:/tmp/tree/. "$T/out"
	[ -f "$T/out/f" ]
	echo old >"$T/out/g"
	"$BAWN" cp box:/tmp/new "$T/out/g"
	[ "$(cat "$T/out/g")" = 1 ]
	(cd "$T/out" && "$BAWN" cp box:/tmp/new . && "$BAWN" cp box:/tmp/new h && [ -f new ] && [ -f h ])
	touch stop
}

@test "cp: modes and times with -a, the umask without, never a set-ID bit" {
	box
	mkdir d
	echo x >d/f
	chmod 6755 d/f
	chmod 2750 d
	touch -d '2001-02-03 04:05:06' d/f d
	(umask 027 && "$BAWN" cp d box:/tmp/plain && "$BAWN" cp -a d box:"$HOME/kept")
	run inside 'stat -c "%a %Y" ~/kept ~/kept/f'
	[ "${lines[0]}" = "750 $(date -d '2001-02-03 04:05:06' +%s)" ]
	[ "${lines[1]}" = "755 $(date -d '2001-02-03 04:05:06' +%s)" ]
	inside 'cp -a ~/kept ~/evil; chmod 6777 ~/evil/f; chmod 7777 ~/evil'
	(umask 022 && "$BAWN" cp box:"$HOME/evil" "$T/plain" && "$BAWN" cp -a box:"$HOME/evil" "$T/kept")
	[ "$(stat -c %a "$T/plain/f" "$T/plain" "$T/kept/f" "$T/kept" | xargs)" = '755 755 777 777' ]
	# a directory that can't be written is filled all the same
	inside 'mkdir ~/ro; echo y >~/ro/f; chmod 555 ~/ro'
	"$BAWN" cp -a box:"$HOME/ro" "$T/ro"
	[ "$(stat -c %a "$T/ro")" = 555 ] && [ -f "$T/ro/f" ]
}

@test "cp: links are copied, not followed; -L follows the one that is named" {
	box
	plant "$HOME/secret"
	mkdir d
	ln -s "$HOME/secret" d/link
	"$BAWN" cp d box:/tmp/
	run "$BAWN" exec box cat /tmp/d/link
	refute_canary
	run "$BAWN" cp -L d/link box:"$HOME/followed"
	assert_status 0
	[ "$(inside 'cat ~/followed')" = "$CANARY" ]
	# out: what leads out of what is copied stays, and is said
	inside "mkdir ~/t ~/t/s; cd ~/t; ln -s $HOME/secret abs; ln -s ../../x up; ln -s s/../../y over
		ln -s s ok; ln -s ../f s/ok2; ln -s ../../z s/out; echo f >f"
	run "$BAWN" cp box:"$HOME/t" "$T/t"
	assert_status 1
	[ "$(find "$T/t" -type l -printf '%f\n' | sort | xargs)" = 'ok ok2' ]
	[ "$(grep -c 'leads out of what is copied' <<<"$output")" = 4 ]
}

@test "cp: special files and unreadable ones are left out, and said; the rest comes" {
	box
	mkdir d
	mkfifo d/fifo
	echo x >d/f
	echo y >d/locked
	chmod 000 d/locked
	run "$BAWN" cp d box:"$HOME/d"
	assert_status 1
	assert_output 'bawn: not copied: fifo: a FIFO is not copied'
	assert_output 'bawn: not copied: locked: Permission denied'
	[ "$(inside 'ls ~/d')" = f ]
	run "$BAWN" cp -q d box:"$HOME/d"
	assert_status 1
	[ -z "$output" ]
	inside 'mkfifo ~/d/pipe; printf "x\033]0;evil\007" >"$HOME/d/$(printf "n\033[2J\n.")"; chmod 0 ~/d/n*'
	run "$BAWN" cp box:"$HOME/d" "$T/d"
	assert_status 1
	assert_output 'n\x1b[2J\x0a.: Permission denied'
}

@test "cp: what can't be done is said with its remedy, and starts no sandbox" {
	box
	local words
	echo x >f
	echo x >"$T/f"
	for words in "f g" "box:/a box:/b" "f -" "- box:/x" "f box:rel" "f box:" "none box:/tmp/x" "f"; do
		# shellcheck disable=SC2086  # two words
		run "$BAWN" cp $words
		assert_status 125
		[[ $output == 'bawn: '* ]]
	done
	run "$BAWN" cp f nobody:/tmp/x
	assert_status 125
	assert_output "there is no sandbox 'nobody'"
	[ ! -e "$XDG_DATA_HOME/bawn/sandboxes/box/log" ]
	run "$BAWN" cp f box:/none/x
	assert_status 125
	assert_output 'No such file'
	run "$BAWN" cp f box:/usr/x
	[ "$status" != 0 ]
	run "$BAWN" cp box:/none "$T/x"
	assert_status 125
	assert_output 'No such file'
	run "$BAWN" cp box:/etc/hosts "$T/none/x"
	assert_status 125
	mkdir "$T/ro"
	chmod 555 "$T/ro"
	run "$BAWN" cp box:/etc/hosts "$T/ro/x"
	[ "$status" != 0 ]
	# a file does not replace a directory, nor the other way
	mkdir -p "$T/o/hosts"
	run "$BAWN" cp box:/etc/hosts "$T/o"
	assert_status 1
	assert_output hosts
	echo 1 >"$T/o/etc"
	run "$BAWN" cp box:/etc "$T/o/"
	assert_status 1
	[ "$(cat "$T/o/etc")" = 1 ]
	# why there was no session counts, not that the receiver saw none
	cd "$T" && mv "$WS" "$T/moved"
	for words in "$T/f box:/tmp/x" "box:/etc/hosts $T/x"; do
		# shellcheck disable=SC2086  # two words
		run "$BAWN" cp $words
		assert_status 125
		assert_output "the workspace of sandbox box"
		assert_output "put it back, or remove the sandbox: bawn rm box"
	done
}

@test "cp: no link of the agent's leads a copy elsewhere on the host" {
	box
	mkdir "$HOME/elsewhere"
	plant "$HOME/elsewhere/f"
	inside "echo evil >f; ln -s $HOME/elsewhere dir; ln -s $HOME/elsewhere/f file"
	run "$BAWN" cp box:"$WS/f" dir
	assert_status 125
	assert_output 'link on the way'
	run "$BAWN" cp box:"$WS/f" dir/new
	assert_status 125
	run "$BAWN" cp box:"$WS/f" file
	assert_status 125
	assert_output 'is a link'
	mkdir out
	inside "mkdir -p ~/t/dir; echo evil >~/t/dir/f; ln -s $HOME/elsewhere out/dir; ln -s $HOME/elsewhere/f out/top"
	run "$BAWN" cp box:"$HOME/t/." out
	[ "$status" != 0 ]
	inside 'echo evil >~/t/top; rm -r ~/t/dir'
	run "$BAWN" cp box:"$HOME/t/." out
	assert_status 0
	[ "$(cat out/top)" = evil ] && [ ! -L out/top ]
	assert_untouched "$HOME/elsewhere/f"
	[ "$(ls "$HOME/elsewhere")" = f ]
}

# stream RECORD...: what the receiver outside makes of it; its directory is $T/in.
stream() {
	mkdir -p "$T/in"
	python3 "$BATS_TEST_DIRNAME/copy-stream.py" "$@" |
		timeout 10 "$BAWN_BUILDDIR/bawn-copy" -o -x -b top receive "$T/in" >"$T/status" && status=0 || status=$?
	output=$(tr -d '\0' <"$T/status")
}

@test "cp: a hostile stream writes nothing outside, and leaves nothing half" {
	local name
	# what an honest one does
	stream dir file,name=f,mode=6777 data,data=hello close,mode=644 end
	[ "$status" = 0 ] && [ "$(cat "$T/in/top/f")" = hello ] && [ "$(stat -c %a "$T/in/top/f")" = 777 ]
	for name in ../x /etc/x a/../../x . .. a//b a/ a/. ./a x%00y; do
		stream dir "file,name=$name" data,data=evil close end
		[ "$status" = 2 ] || fail "$name: $status"
		assert_output 'sends nonsense'
	done
	# a directory that is a link by then
	stream dir link,name=l,data=/etc dir,name=l file,name=l/x data,data=evil close end
	[ ! -e "$T/in/top/l" ] || [ -d "$T/in/top/l" ] && [ ! -L "$T/in/top/l" ]
	ln -s "$T" "$T/in/top/given"
	stream dir file,name=given/x data,data=evil close end
	[ ! -e "$T/x" ]
	# nonsense, each way
	for name in raw=00 raw=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff \
		dir,magic=1 99 file,n_name=5000 file,n_data=4294967295 data,data=x close \
		link,name=z,data=%00 link,name=z,n_data=0 dir,data=x; do
		stream dir "$name" end
		[ "$status" = 2 ] || fail "$name: $status"
	done
	stream dir file,name=a file,name=b close end
	[ "$status" = 2 ]
	# cut short
	stream dir file,name=half data,data=part
	[ "$status" = 2 ]
	assert_output 'stopped in the middle'
	stream dir file,name=half data,data=part close,bad=1 skip,name=half end
	[ "$status" = 1 ]
	[ "$(find "$T/in" -name '*half*' -o -name '.bawn*' | wc -l)" = 0 ]
	[ "$(find "$T" -newer "$T/status" -type f -not -path "$T/in/*" | wc -l)" = 0 ]
}

@test "cp: the receiver outside can do nothing but write below its directory" {
	mkdir -p "$T/in"
	mkfifo "$T/stream"
	"$BAWN_BUILDDIR/bawn-copy" -o -b top receive "$T/in" <"$T/stream" >/dev/null 3>&- &
	exec 4>"$T/stream"
	eventually grep -q '^Seccomp:.*2' "/proc/$!/status"
	grep -q '^NoNewPrivs:.*1' "/proc/$!/status"
	exec 4>&-
	wait "$!" || :
}

@test "cp: interrupted or killed, it leaves no part behind" {
	box
	# too big to be through before it is killed, however busy the machine is
	truncate -s 30G "$T/big"
	"$BAWN" cp "$T/big" box:"$HOME/big" 3>&- &
	eventually inside 'test -e ~/.bawn-cp.tmp'
	kill -9 "$!"
	eventually bash -c '"$BAWN" inspect box | grep -q "\"status\": \"stopped\""'
	run inside 'ls -A ~ | grep -E "big|bawn-cp"'
	[ -z "$output" ] || fail left
	inside 'truncate -s 30G ~/huge'
	"$BAWN" cp box:"$HOME/huge" "$T/huge" 3>&- &
	eventually test -e "$T/.bawn-cp.tmp"
	kill -9 "$!"
	eventually bash -c '"$BAWN" inspect box | grep -q "\"status\": \"stopped\""'
	eventually test ! -e "$T/.bawn-cp.tmp"
	[ ! -e "$T/huge" ]
}
