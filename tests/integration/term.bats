#!/usr/bin/env bats
# term.bats - attack corpus, class TERM: the terminal, on a real pty (attack/pty-drive.py).
# term-lasting.bats is a link to this: the same with a sandbox that lasts, where a client has the
# terminal and not the supervisor.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../attack/lib.sh
setup() {
	bawn_setup
	case $BATS_TEST_FILENAME in
	*-lasting.bats) RUN=(run --name termbox) ;;
	*) RUN=(run --rm) ;;
	esac
}
teardown() { bawn_teardown; }

# drive STEP... -- CMD...: in the sandbox, on a terminal; a quiet bawn.
drive() {
	local steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	/usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" "${steps[@]}" -- \
		"$BAWN" "${RUN[@]}" "${BAWN_OPTS[@]}" shell "$WS" -- "$@"
}

@test "TERM-01 nothing can be typed into the host's terminal" {
	run drive eof shell -- /usr/bin/python3 -c "$(cat "$ATTACK")" tty_ioctl=0x5412 high_ioctl
	assert_output "tty_ioctl=0x5412 -> EPERM EPERM"
	assert_output "high_ioctl -> EPERM"
	assert_output "shell would read b''"
	# and from a child in a session of its own
	run drive eof shell -- setsid -c /usr/bin/python3 -c "$(cat "$ATTACK")" tty_ioctl=0x5412
	refute_output "-> ok"
	assert_output "shell would read b''"
}

@test "TERM-02 the host's terminals can't be opened or written" {
	# a pty of the host's with a reader
	/usr/bin/python3 - "$T/got" "$T/name" 3>&- <<-'EOF' &
		import os, sys, time
		m, s = os.openpty()
		os.set_blocking(m, False)
		open(sys.argv[2], "w").write(os.ttyname(s))
		end = time.monotonic() + 8
		while time.monotonic() < end:
		    try:
		        open(sys.argv[1], "ab").write(os.read(m, 4096))
		    except OSError:
		        pass
		    time.sleep(0.05)
	EOF
	SERVERS+=("$!")
	eventually test -s "$T/name"
	local tty
	tty=$(cat "$T/name")
	echo control >"$tty"
	eventually grep -q control "$T/got"
	run drive eof -- sh -c "ls /dev/pts; for p in $tty /dev/pts/*; do [ \"\$p\" = \"\$(tty)\" ] || echo attack >\$p; done; tty; echo done"
	assert_output "done"
	assert_output "/dev/pts/0"
	sleep 0.3
	! grep attack "$T/got" || fail "the host's pty was written"
	run in_sandbox_sh "ls -A /dev/pts; ls -l /proc/*/fd | grep -c pts/"
	assert_output ptmx
	refute_output "${tty##*/}"$'\n'
}

@test "TERM-03 the clipboard can't be read, and written only by option" {
	run drive eof -- printf 'A\033]52;c;?\007B\033]52;c;aGk=\007C\033]52;c;?\033\\D\302\23552;c;?\007E\n'
	# the 8-bit introducer goes, what followed it is text then
	assert_output "ABCD52;c;?<BEL>E"
	refute_output $'\u9d'
	refute_output "]52"
	BAWN_OPTS=(--clipboard)
	run drive eof -- printf 'A\033]52;c;?\007B\033]52;c;aGk=\007C\n'
	assert_output "AB<ESC>]52;c;aGk=<BEL>C"
	refute_output ";?"
}

@test "TERM-04 no answer to a query of the agent's lands on the prompt" {
	# reports of what the agent itself has set are not even asked for
	run drive eof -- printf 'A\033]0;rm -rf x\007\033[21tB\033[20tC\005D\033P$qq\033\\E\n'
	refute_output "<ESC>[21t"
	refute_output "<ESC>[20t"
	# an answer that comes while the agent ends, or just after
	run drive expect=Q 'late=\x1b[?1;2c\x1b]11;rgb:0000/0000/0000\x1b\\' eof shell modes -- \
		printf '\033[c\033]11;?\033\\Q'
	assert_output "shell would read b''"
	assert_output "modes as before"
	run drive expect=Q 'sleep=0.02' 'late=\x1b[?62c' eof shell -- printf '\033[c\033[>qQ'
	assert_output "shell would read b''"
	# one whose input is no terminal would not read the answer: it asks nothing, and leaves no title
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- sh -c \
		'"$BAWN" run -q --rm shell "$WS" -- printf "A\033[c\033]11;?\007\033[6n\033]0;t\007B\033[1mC\n" </dev/null'
	assert_output $'AB\033[1mC'
	# what a person typed ahead for the agent is not for the shell either
	run drive expect=up 'send=echo owned\r' eof shell -- sh -c 'echo up; sleep 0.4'
	assert_output "shell would read b''"
}

@test "TERM-06 modes are restored at the end, and when the agent, or bawn, is killed" {
	local what
	local on='printf "\033[?1049h\033[?1000h\033[?1006h\033[?2004h\033[?25lup"; stty raw -echo; exec sleep 30'
	for what in 'sleep 30' self; do
		run drive expect=up "kill=$what" eof sleep=0.4 modes -- sh -c "$on"
		assert_output "killed 1"
		assert_output "modes as before"
		for seq in '[?1049l' '[?1000l' '[?2004l' '[?25h'; do
			assert_output "<ESC>$seq" || fail "$seq after SIGKILL of $what"
		done
	done
	run drive expect=up modes eof modes -- sh -c 'printf "\033[?1049h\033[?2004hup"; sleep 0.3'
	assert_output "<ESC>[?1049l"
	assert_output "<ESC>[?2004l"
	assert_output "modes as before"
	assert_output "modes CHANGED" # raw while it ran: the test could fail
	# the supervisor's other helpers killed
	run drive expect=up kill=bawn-relay sleep=0.2 send=x eof modes -- sh -c 'getent hosts api.anthropic.com; echo up; stty raw; head -c 1'
	assert_output "killed 1" "modes as before"
	run drive expect=up kill=bawn-init eof modes -- sh -c 'stty raw; echo up; sleep 30'
	assert_output "killed 1" "modes as before"
}

@test "TERM-07 initial size and its changes" {
	run drive --size=33x101 eof -- stty size
	assert_output "33 101"
	run drive expect=up size=40x120 expect=winch eof -- bash -c 'trap "echo winch; stty size; exit" WINCH; echo up; while :; do sleep 0.05; done'
	assert_output "40 120"
	# outputs that are not terminals stay what they are
	run bash -c '"$BAWN" run --rm -q shell "$WS" -- sh -c "test -t 1 || echo pipe" </dev/null'
	assert_output pipe
}

@test "TERM-07 Ctrl-C, Ctrl-backslash and hangup" {
	run drive expect=up 'send=\x03' eof -- bash -c 'trap "echo caught; exit 7" INT; echo up; while :; do sleep 0.05; done'
	assert_output caught
	assert_status 7
	# exec: a shell can lose the signal between its fork and the program's start
	run drive expect=up 'send=\x03' eof modes -- sh -c 'echo up; exec sleep 30'
	assert_status 130
	assert_output "modes as before"
	run drive expect=up 'send=\x1c' eof -- sh -c 'echo up; exec sleep 30'
	assert_status 131
	# the terminal goes away
	/usr/bin/python3 - "$BAWN" "$WS" <<-'EOF'
		import os, pty, sys, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], ["bawn", "run", "--rm", "shell", sys.argv[2], "--", "sh", "-c", "echo up; sleep 161.8"])
		data = b""
		while b"up" not in data:
		    data += os.read(fd, 1000)
		os.close(fd)
		end = time.monotonic() + 12
		while time.monotonic() < end and os.waitpid(pid, os.WNOHANG)[0] == 0:
		    time.sleep(0.05)
	EOF
	run pgrep -f 'sleep 161\.8'
	[ -z "$output" ] || fail "the agent outlived its terminal"
}

@test "TERM-07 Ctrl-C while it starts ends it, without a word" {
	git_repo # something to be looked through
	run /usr/bin/python3 - "$BAWN" "$WS" <<-'EOF'
		import os, pty, sys, time
		for i in range(60):
		    pid, fd = pty.fork()
		    if pid == 0:
		        os.execv("/bin/sh", ["sh", "-c", "echo; exec \"$@\"", "", sys.argv[1], "run", "--rm", "shell", sys.argv[2], "--", "sleep", "20"])
		    os.read(fd, 1)
		    time.sleep(i % 20 * 0.0006)
		    os.write(fd, b"\x03")
		    begin, data = time.monotonic(), b""
		    try:
		        while chunk := os.read(fd, 1000):
		            data += chunk
		    except OSError:
		        pass
		    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		    # -2: it was the shell still
		    if status not in (130, -2) or b"bawn" in data:
		        print(f"after {i % 20 * 0.6:.1f} ms: {status} {data}")
	EOF
	assert_status 0
	[ "$output" = '' ] || fail
}

@test "TERM-07 Ctrl-Z stops the job, fg brings it back" {
	run drive expect=up 'send=\x1a' stopped modes fg sleep=0.2 'send=go\r' expect=got eof modes -- \
		bash -c 'echo up; read x; echo "got $x"'
	assert_output "stopped"
	assert_output "got go"
	assert_status 0
	[ "$(grep -c 'modes as before' <<<"$output")" = 2 ]
	# an interactive shell inside has its own jobs, and Ctrl-Z is its own
	run drive expect=\$ 'send=sleep 30\r' sleep=0.3 'send=\x1a' expect=Stopped sleep=0.2 'send=fg\r' expect=sleep sleep=0.3 'send=\x03' sleep=0.3 'send=exit 4\r' eof -- \
		env PS1='$ ' bash --norc -i
	assert_output "Stopped"
	refute_output "job control"
	assert_status 4
}

@test "TERM-07 a job begun in the background takes the terminal when it is brought to the foreground" {
	cat >"$T/bg.py" <<-'EOF'
		import os, pty, select, sys, time
		args = " ".join(sys.argv[1:])
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvpe("bash", ["bash", "--norc", "-i"], {**os.environ, "PS1": "$ "})
		seen = b""
		def until(what, send):
		    global seen
		    os.write(fd, send)
		    end = time.monotonic() + 15
		    while what not in seen and time.monotonic() < end:
		        if select.select([fd], [], [], 0.1)[0]:
		            try: seen += os.read(fd, 4096)
		            except OSError: break
		    ok = what in seen
		    print("saw" if ok else "MISSED", what, "" if ok else seen)
		    seen = seen.partition(what)[2]
		until(b"up!", f"{args} -- sh -c 'echo up!; read x; echo got-$x; stty size' &\r".encode())
		os.write(fd, b"fg\r")
		time.sleep(1.5)
		until(b"got-again", b"again\r")
		time.sleep(1.5)
		until(b"rc=0", b"echo rc=$?\r")
	EOF
	run timeout 60 /usr/bin/python3 "$T/bg.py" "$BAWN" run --rm -q shell "$WS"
	assert_output "saw b'got-again'"
	assert_output "saw b'rc=0'"
	run timeout 60 /usr/bin/python3 "$T/bg.py" "$BAWN" run -q --name jobs shell "$WS"
	assert_output "saw b'got-again'"
}

@test "TERM-07 SIGALRM reaches the agent" {
	run timeout -s ALRM 1 "$BAWN" run --rm -q shell -- bash -c 'trap "echo rang; exit 7" ALRM; sleep 20 & wait'
	assert_output rang
}

@test "TERM-08 file transfers and reports are filtered, links pass" {
	run drive eof -- printf 'A\033]1337;File=name=eA==:aGk=\007B\033]5113;ac=send\033\\C\033]8;;http://x/\007l\033]8;;\007D\033[1;1;1;1;1;1*yE\n'
	refute_output "]1337"
	refute_output "]5113"
	refute_output "*y"
	assert_output "]8;;http://x/"
	# a string that never ends does not take the end of the run with it
	run drive eof modes -- printf 'A\033]0;never-ending'
	assert_output "modes as before"
	assert_status 0
}

@test "TERM-09 what bawn itself prints of the agent's is escaped" {
	run in_sandbox_sh 'printf x >"$(printf "a\033]0;owned\007\n.desktop")"
		curl -s -m 2 "http://$(printf "ev\033[31mil").example.com/" >/dev/null 2>&1; true'
	refute_output $'\e'
	refute_output $'\a'
	run "$BAWN" log
	refute_output $'\e['31m
	run "$BAWN" run --rm shell "$WS/"$'no\e[31msuch' -- true
	refute_output $'\e[31m'
	run -127 "$BAWN" run --rm shell "$WS" -- $'no\e[31msuch'
	refute_output $'\e[31m'
	# and in the title of the terminal
	run drive eof -- sh -c 'curl -s -m 2 http://denied.example.com/ >/dev/null; true'
	refute_output '<ESC>]2;<ESC>'
}

@test "TERM-10 bawn asks nothing on the terminal, so no question of the agent's can pass for one" {
	run drive expect=allow 'send=y\r' eof -- bash -c '
		printf "bawn: allow denied.example.com? [y/N] "; read a
		curl -s -m 3 -o /dev/null -w "code %{http_code}\n" http://denied.example.com/; true'
	refute_output "code 200"
	run bash -c 'yes | "$BAWN" run --rm shell "$WS" -- sh -c "curl -s -m 3 -o /dev/null -w \"code %{http_code}\" http://denied.example.com/"'
	refute_output "code 200"
}

@test "TERM-11 a flood of output against a terminal that does not read stays bounded" {
	run drive expect=up stuck=1.5 sleep=0.5 kill=self eof -- sh -c 'echo up; exec yes flooooooood'
	[[ $output =~ rss\ ([0-9]+) ]] || fail "no measure"
	[ "${BASH_REMATCH[1]}" -lt 16384 ] || fail "bawn grew to ${BASH_REMATCH[1]} KiB"
	# nothing of a long output is lost
	run drive eof -- sh -c 'i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done'
	[ "$(grep -c 'line-[0-9]*$' <<<"$output")" = 20000 ]
	assert_output line-19999
}

@test "a terminal that is another user's, as after su: the session's own works, another is refused with the remedy" {
	# what its owner may not open is to him as another's is
	local command
	printf -v command ' %q' "$BAWN" "${RUN[@]}" shell "$WS" -- sh -c 'tty; stty size; echo seen'
	run -0 script -qec "chmod 0 \$(tty); stty rows 33 cols 77; $command" /dev/null </dev/null
	assert_output /dev/pts/0
	assert_output "33 77"
	assert_output seen
	run -125 script -qec "chmod 0 \$(tty); setsid -w $command" /dev/null </dev/null
	assert_output "open the terminal: Permission denied"
	assert_output "su --pty"
	refute_output seen
}
