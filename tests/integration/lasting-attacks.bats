#!/usr/bin/env bats
# lasting-attacks.bats - what an agent may try that a life of its own makes possible: against the
# sessions that join it, against its own end, and against what bawn does with what it left.
# run-bats: alone
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

BOXES() {
	echo "$XDG_DATA_HOME/bawn/sandboxes"
}

# The supervisor of NAME: who listens at its socket.
supervisor() {
	python3 - "$(BOXES)/$1" <<-'EOF'
		import os, socket, struct, sys
		os.chdir(sys.argv[1])
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.connect("control.sock")
		print(struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
	EOF
}

# wait_for COMMAND...: until it succeeds, ten seconds at most.
wait_for() {
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" && return
		sleep 0.05
	done
	fail "not within ten seconds: $*"
}

# ms COMMAND...: how long it takes.
ms() {
	local begin
	begin=$(date +%s%N)
	"$@" >/dev/null || return
	echo $((($(date +%s%N) - begin) / 1000000))
}

@test "NS-04 who stops all that is started inside holds up neither pid 1 nor the end" {
	cat >"$WS/stopper.py" <<-'EOF'
		import os, signal
		while True:
		    try:
		        os.kill(-1, signal.SIGSTOP)
		    except OSError:
		        pass
	EOF
	"$BAWN" run -d --name stopper shell -- python3 stopper.py
	local i took
	for i in 1 2 3 4; do
		"$BAWN" exec stopper sleep 0.1 </dev/null >/dev/null 2>&1 3>&- &
	done
	sleep 1
	# a pid 1 that waits for a process which has been stopped would have to be killed after 5 s
	took=$(ms "$BAWN" stop --time 0 stopper)
	((took < 2500)) || fail "it took $took ms"
	wait
	run -0 "$BAWN" exec stopper echo alive
}

# hold PID: traces it from outside, so that it takes a second longer to end once it is killed.
hold() {
	/usr/bin/python3 - "$1" "$T/held" <<-'EOF' 3>&- &
		import ctypes, os, sys, time
		SEIZE, CONT, TRACEEXIT = 0x4206, 7, 0x40
		libc = ctypes.CDLL(None, use_errno=True)
		libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
		pid = int(sys.argv[1])
		if libc.ptrace(SEIZE, pid, None, TRACEEXIT) != 0:
		    sys.exit(f"trace {pid}: {os.strerror(ctypes.get_errno())}")
		open(sys.argv[2], "w").close()
		os.waitpid(pid, 0)
		time.sleep(1)
		libc.ptrace(CONT, pid, None, None)
	EOF
	wait_for test -e "$T/held"
}

@test "NS-05 whoever comes after a supervisor that was killed waits for what ran inside" {
	cat >"$WS/many.py" <<-'EOF'
		import os, time
		for i in range(20):
		    if os.fork() == 0:
		        break
		else:
		    open("there", "w").close()
		while True:
		    time.sleep(9)
	EOF
	"$BAWN" run -d --name many shell -- python3 many.py
	wait_for test -e "$WS/there"
	hold "$(pgrep -n -u "$(id -u)" -f 'python3 many\.py')"
	kill -KILL "$(supervisor many)"
	"$BAWN" rm -f many
	run pgrep -u "$(id -u)" -f 'python3 many\.py'
	[ -z "$output" ] || fail "they live on: $output"
}

@test "PER-09 what a session left whose supervisor was killed is told of by the next one" {
	git_repo
	echo all: >Makefile
	sleep 0.05
	"$BAWN" run --name cut shell -- bash -c 'echo evil >.envrc; echo evil >>Makefile; : >there; exec sleep 60' >"$T/out" 2>&1 &
	wait_for test -e "$WS/there"
	kill -KILL "$(supervisor cut)"
	wait $! || :
	grep -q 'the next session in this sandbox tells' "$T/out" || fail "its client says: $(cat "$T/out")"
	run -0 "$BAWN" run --name cut shell -- true
	assert_output "the last session was cut short"
	assert_output ".envrc (direnv)"
	assert_output "changed Makefile (make)"
	# that was all
	run -0 "$BAWN" run --name cut shell -- true
	refute_output "cut short"
	refute_output Makefile
	# with the sandbox goes the next session
	"$BAWN" run -d --name cut-too shell -- sleep 60
	kill -KILL "$(supervisor cut-too)"
	run -0 "$BAWN" rm -f cut-too
	assert_output "cut-too was cut short: what it left in its workspace was not looked through"
	# nothing ran of one that could not start
	run -127 "$BAWN" exec cut /no/such/program
	[ "$(stat -c %Y "$(BOXES)/cut/unseen")" = 0 ]
}

@test "NS-13 what is noted of pid 1 is believed of no other program" {
	"$BAWN" run --name noted shell -- true
	sleep 60 3>&- &
	local other=$!
	SERVERS+=("$other")
	ln -sfn "$other 1" "$(BOXES)/noted/pid1"
	[ "$(ms "$BAWN" exec noted true)" -lt 3000 ]
	local bad
	for bad in garbage '-1 5' '1 1' "$other" ''; do
		rm -f "$(BOXES)/noted/pid1"
		[ -z "$bad" ] || ln -sn -- "$bad" "$(BOXES)/noted/pid1"
		run -0 "$BAWN" exec noted echo alive
	done
	kill -0 "$other"
}

@test "NS-04 rm -f ends a sandbox whose supervisor does not answer" {
	"$BAWN" run -d --name deaf shell -- sleep 100
	kill -STOP "$(supervisor deaf)"
	run -0 timeout 30 "$BAWN" rm -f deaf
	run pgrep -u "$(id -u)" -f 'sleep 100'
	[ -z "$output" ] || fail "it lives on: $output"
	[ -z "$("$BAWN" ls -q)" ]
}

@test "RES-07 RES-03 who writes on when its session has ended fills no log and keeps nobody waiting" {
	cat >"$WS/flood.py" <<-'EOF'
		import os, signal, time
		signal.signal(signal.SIGHUP, signal.SIG_IGN)
		for i in range(8):
		    if os.fork() == 0:
		        while True:
		            try:
		                os.write(1, b"x" * 65536)
		            except OSError:
		                pass
		time.sleep(0.5)
		os._exit(0)
	EOF
	"$BAWN" run -d --name flood shell -- sleep 100
	"$BAWN" exec -d flood python3 flood.py
	sleep 2
	[ "$(ms "$BAWN" exec flood true)" -lt 3000 ]
	[ "$(ms "$BAWN" stop --time 0 flood)" -lt 3000 ]
	(($(stat -c %s "$(BOXES)/flood/log") <= (17 << 20))) || fail "$(ls -l "$(BOXES)/flood")"
}

@test "NS-12 a storm of orphans does not keep pid 1 from ending the sandbox" {
	"$BAWN" run -d --name orphans shell -- sh -c 'while :; do (true & true &) ; done'
	sleep 1
	[ "$(ms "$BAWN" exec orphans true)" -lt 3000 ]
	[ "$(ms "$BAWN" stop --time 0 orphans)" -lt 3000 ]
}

@test "RES-01 rm -f ends a fork bomb" {
	"$BAWN" run -d --name bomb --pids 200 shell -- python3 -c '
import os
while True:
    try:
        os.fork()
    except OSError:
        pass'
	sleep 1
	[ "$(ms timeout 20 "$BAWN" rm -f bomb)" -lt 10000 ]
	run pgrep -u "$(id -u)" -f 'os.fork'
	[ -z "$output" ] || fail "it lives on"
}

@test "(checkpoint) R: who wakes itself while a checkpoint is taken gets files of several instants, and no more" {
	cat >"$WS/wake.c" <<-'EOF'
		#include <fcntl.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/stat.h>
		#include <time.h>
		#include <unistd.h>
		/* a timer that is always about to send SIGCONT, and names that change what they are */
		int main(void)
		{
			timer_t t;
			struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT};
			struct itimerspec i = {.it_value.tv_nsec = 2000000};
			if (chdir(getenv("HOME")) < 0 || timer_create(CLOCK_MONOTONIC, &e, &t) < 0)
				return 1;
			for (unsigned int n = 0;; n++) {
				timer_settime(t, 0, &i, NULL);
				unlink("it");
				rmdir("it");
				if (n % 4 == 0)
					symlink("/etc", "it");
				else if (n % 4 == 1)
					mkfifo("it", 0600);
				else if (n % 4 == 2)
					mkdir("it", 0700);
				else
					close(open("it", O_WRONLY | O_CREAT, 0600));
			}
		}
	EOF
	cc -o "$WS/wake" "$WS/wake.c"
	plant "$HOME/secret"
	"$BAWN" run --name waker shell -- sh -c 'for i in $(seq 300); do head -c 100000 /dev/zero >~/f$i; done; echo kept >~/note'
	"$BAWN" exec -d waker ./wake
	local i
	# it may say that something changed under it; it never hangs, follows nothing, loses nothing
	for i in 1 2 3 4 5 6; do
		timeout 20 "$BAWN" checkpoint waker "c$i" 2>"$T/said" || {
			(($? < 124 || $? == 125)) && grep -q '^bawn: ' "$T/said" || fail "$(cat "$T/said")"
		}
	done
	! grep -rqs "$CANARY" "$XDG_DATA_HOME/bawn" || fail "the canary came along"
	run -0 "$BAWN" stop --time 0 waker
	run -0 "$BAWN" exec waker sh -c 'cat ~/note'
	assert_output kept
}

@test "FS-18 IPC-09 a directory as standard input, output or error is no way out: it is refused" {
	mkdir -p "$HOME/out/sub"
	plant "$HOME/out/secret"
	cat >"$WS/out.py" <<-'EOF'
		import os, sys
		for fd in 0, 1, 2:
		    try:
		        os.chdir("/proc/self/fd/%d/.." % fd)
		        open("/tmp/found", "a").write(str(os.stat("secret").st_size))
		    except OSError:
		        pass
	EOF
	"$BAWN" run -d --name inside shell -- sleep 100
	local cmd
	for cmd in 'run --rm shell --' 'run --name fresh shell --' 'run inside --' 'exec inside'; do
		# shellcheck disable=SC2086  # words
		run -125 "$BAWN" $cmd sh -c 'exec 5<&0; python3 -c "import os; os.chdir(\"/proc/self/fd/5/..\"); print(os.stat(\"secret\"))" </dev/null' <"$HOME/out/sub"
		assert_output 'standard input is a directory'
		refute_output st_size
	done
	run -0 "$BAWN" exec inside sh -c 'ls /proc/self/fd' </dev/null
	# a run that was refused left nothing
	run "$BAWN" ls -q
	refute_output fresh
}

@test "NET-07 FS-18 a socket as standard input, output or error leads nowhere else: only a UNIX stream is taken" {
	cat >"$T/caller.py" <<-'EOF'
		import os, socket, subprocess, sys
		def listener():
		    s = socket.create_server(("127.0.0.1", 0))
		    s.settimeout(1)
		    return s
		canary, other, kind = listener(), listener(), sys.argv[1]
		keep = []
		if kind == "tcp":
		    s = socket.create_connection(other.getsockname())
		elif kind == "listening":
		    s = listener()
		elif kind == "udp":
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		elif kind == "netlink":
		    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
		elif kind == "abstract":
		    s = socket.socket(socket.AF_UNIX)
		elif kind == "unix-listening":
		    s = socket.socket(socket.AF_UNIX)
		    s.bind("")
		    s.listen()
		elif kind == "datagrams":
		    s, p = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
		    keep.append(p)
		else:
		    s, p = socket.socketpair()
		    p.send(b"hello")
		    if kind == "pair":
		        keep.append(p)
		    p.shutdown(socket.SHUT_WR) if kind == "pair" else p.close()
		inside = """
		import ctypes, socket, sys
		ctypes.CDLL(None).connect(0, bytes(16), 16)
		try:
		    socket.socket(fileno=0).connect(("127.0.0.1", %d))
		    print("CONNECTED")
		except OSError:
		    pass
		""" % canary.getsockname()[1]
		program = ["cat"] if kind in ("pair", "ended") else ["python3", "-c", inside]
		bawn = [os.environ["BAWN"]] + (sys.argv[3:] or ["run", "--rm", "-q", "shell", "--"])
		p = subprocess.run(bawn + program, **{sys.argv[2]: s})
		try:
		    canary.accept()
		    print("REACHED")
		except OSError:
		    pass
		sys.exit(p.returncode)
	EOF
	export BAWN
	local kind
	for kind in tcp listening udp netlink abstract unix-listening datagrams; do
		run -125 /usr/bin/python3 "$T/caller.py" "$kind" stdin
		assert_output 'standard input is a socket that could be connected anew'
		refute_output 'CONNECTED|REACHED'
	done
	for kind in pair ended; do
		run -0 /usr/bin/python3 "$T/caller.py" "$kind" stdin
		[ "$output" = hello ] || fail "$kind: $output"
	done
	"$BAWN" run -d --name inside shell -- sleep 100
	run -125 /usr/bin/python3 "$T/caller.py" tcp stdin exec inside
	refute_output 'CONNECTED|REACHED'
	run -125 /usr/bin/python3 "$T/caller.py" udp stderr
	refute_output 'CONNECTED|REACHED'
}

@test "TERM-01 TERM-03 what another session writes to a joined terminal is filtered, and nothing is typed into it" {
	cat >"$WS/writer.py" <<-'EOF'
		import fcntl, glob, os, termios, time
		typed = 0
		while True:
		    for path in glob.glob("/dev/pts/[0-9]*"):
		        try:
		            fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
		        except OSError:
		            continue
		        os.write(fd, b"HELLO\x1b]52;c;aGk=\x07\x1b[21t")
		        for c in b"touch typed\n":
		            try:
		                fcntl.ioctl(fd, termios.TIOCSTI, bytes([c]))
		                open("typed", "w").close()
		            except OSError:
		                pass
		        os.close(fd)
		    open("ready", "w").close()
		    time.sleep(0.05)
	EOF
	"$BAWN" run -d --name shared shell -- sh -c 'exec python3 writer.py </dev/null >/dev/null 2>&1'
	wait_for test -e "$WS/ready"
	run timeout 30 /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- "$BAWN" exec shared sleep 1
	assert_output HELLO
	refute_output $'\x1b]52'
	refute_output $'\x1b[21t'
	[ ! -e "$WS/typed" ]
}

@test "(sessions) R: what one session is given, another can read" {
	"$BAWN" run -d --name shared shell -- sleep 100
	"$BAWN" exec -d -e WORD=told-to-one shared sleep 100
	run -0 "$BAWN" exec shared sh -c 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\0" "\n"'
	assert_output WORD=told-to-one
	# but what ended has left nothing, in pid 1 neither
	"$BAWN" exec -e OTHER=told-and-gone shared true
	run "$BAWN" exec shared sh -c 'cat /proc/[0-9]*/environ /proc/1/mem /proc/1/maps 2>/dev/null | tr "\0" "\n"'
	refute_output told-and-gone
}

@test "apply of a fork, or of what was copied while it ran, overwrites no edit of the host's" {
	echo one >"$WS/file"
	sleep 0.1
	"$BAWN" run --name first --workspace cow shell -- sh -c 'echo agent >>file'
	sleep 0.1
	echo host >>"$WS/file"
	sleep 0.1
	"$BAWN" fork first second
	# also before it was ever started
	run -1 "$BAWN" apply second </dev/null
	assert_output "host's was changed meanwhile"
	"$BAWN" exec second true
	run -1 "$BAWN" apply second </dev/null
	assert_output "host's was changed meanwhile"
	"$BAWN" exec -d first sleep 100
	"$BAWN" checkpoint first running
	"$BAWN" fork first third
	"$BAWN" stop --time 0 first
	"$BAWN" restore first running
	local name
	for name in first third; do
		"$BAWN" exec "$name" true
		run -1 "$BAWN" apply "$name" </dev/null
		assert_output "host's was changed meanwhile" || fail "$name" || return 1
	done
	[ "$(cat "$WS/file")" = "one"$'\n'"host" ]
	# what was landed before the fork is no conflict in it
	"$BAWN" apply --overwrite file first </dev/null
	"$BAWN" fork first fourth
	"$BAWN" exec fourth sh -c 'echo more >>file'
	run -0 "$BAWN" apply fourth </dev/null
	[ "$(cat "$WS/file")" = "one"$'\n'"agent"$'\n'"more" ]
}

@test "PER-02 links among the private copies of git's config lead neither the next start nor the end anywhere" {
	git init -q "$WS"
	mkdir "$HOME/.ssh" "$HOME/other"
	echo precious >"$HOME/.ssh/config"
	printf '[branch "x"]\n\tdescription = %s\n' "$CANARY" >"$HOME/other/config"
	local to
	for to in "$HOME/.ssh" "$HOME/other"; do
		"$BAWN" run --name linked shell -- sh -c "cd /run/bawn/git && rm -rf 0 && ln -s '$to' 0"
		run ! grep -q "$CANARY" "$WS/.git/config"
		run -0 "$BAWN" exec linked git -C "$WS" status --short
		[ "$(cat "$HOME/.ssh/config")" = precious ]
		grep -q "$CANARY" "$HOME/other/config"
		# a link in the place of the file alone
		"$BAWN" run --name linked shell -- sh -c "cd /run/bawn/git/0 && rm -f config && ln -s '$to/config' config"
		run -0 "$BAWN" exec linked git -C "$WS" status --short
		[ "$(cat "$HOME/.ssh/config")" = precious ]
		run ! grep -q "$CANARY" "$WS/.git/config"
	done
	[ -z "$(find "$HOME/.ssh" -mindepth 1 ! -name config)" ]
	# what is written there in good faith still comes along
	"$BAWN" exec linked git -C "$WS" config branch.main.description told
	[ "$(git -C "$WS" config branch.main.description)" = told ]
}
