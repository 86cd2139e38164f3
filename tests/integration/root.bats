#!/usr/bin/env bats
# root.bats - being root in a template's root: by emulation, for whoever asks, over the sandbox's own
# files alone.  Attack corpus: OWN-05, OWN-06, NS-09, NS-11, SEC-12.
load ../lib.sh
load ../templates.sh

# The programs are copied once.
bats_require_minimum_version 1.5.0
setup_file() {
	LAYER=$BATS_FILE_TMPDIR/tree
	mkdir "$LAYER"
	template_debian
	template_program chown mknod install timeout head tty stty rmdir
}

setup() {
	bawn_setup
	template_layer
	cp -al "$BATS_FILE_TMPDIR/tree/." "$LAYER/" 2>/dev/null || cp -a "$BATS_FILE_TMPDIR/tree/." "$LAYER/"
	PROFILE=shell
}
teardown() { bawn_teardown; }

# A command in a sandbox of the template t, which setup has begun.
in_root() {
	[ -n "${TEMPLATE_ID:-}" ] || template_commit t
	"$BAWN" run --rm -q -t t "$PROFILE" "$WS" -- "$@"
}

in_root_sh() {
	in_root sh -c "$1"
}

# The policy for debuggers: the calls that the default one refuses are the kernel's to refuse.
debuggers() {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'summary: d\ncommand: [bash]\nexec: true\npolicies: [balanced]\nsyscalls: debug\n' >"$XDG_CONFIG_HOME/bawn/profiles/gdb.yaml"
	PROFILE=gdb
}

@test "sudo: root by emulation, with three capabilities over the sandbox's own files; nobody else has one" {
	local set
	run in_root_sh 'id -u; cat /proc/self/status'
	assert_output 1000
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do assert_output "$set:	0000000000000000"; done
	assert_output "NoNewPrivs:	1"
	run in_root sudo cat /proc/self/status
	for set in CapInh CapPrm CapEff CapAmb; do assert_output "$set:	000000000000001a"; done
	assert_output "CapBnd:	0000000000000000"
	assert_output "NoNewPrivs:	1"
	run in_root cat /proc/1/status # none that works for itself
	for set in CapEff CapBnd; do assert_output "$set:	0000000000000000"; done
	run in_root_sh 'sudo id; sudo sudo id -u; sudo sh -c "sudo -u agent id"'
	assert_output "uid=0(root) gid=0(root) groups=0(root)
0
uid=1000(agent) gid=1000(agent) groups=1000(agent)"
}

@test "sudo: what it gives is gone where one becomes the user again" {
	local set
	run in_root sudo sudo -u '#1000' cat /proc/self/status
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do assert_output "$set:	0000000000000000"; done
	assert_output "Seccomp_filters:	1"
}

@test "sudo: descriptors, directory, exit codes and signals are the command's" {
	run in_root_sh 'mkdir d; cd d; echo in | sudo cat; sudo sh -c "pwd; echo err >&2; exit 7" 2>e; echo $?; cat e
		sudo sh -c "kill -TERM \$\$"; echo $?; sudo nosuch; echo $?; sudo /etc/passwd; echo $?; sudo -u nobodyhere true; echo $?
		x=$(sudo id -u); echo "got $x"; umask 0077; sudo sh -c umask; rmdir ../d/x 2>/dev/null; cd ..; rm -r d'
	assert_output "in
$WS/d
7
err"
	assert_output "143
sudo: nosuch: command not found
1
sudo: execute /etc/passwd: Permission denied
1
sudo: unknown user: nobodyhere
1
got 0
0077"
}

@test "sudo: a command that is killed, timed out or left takes nothing along and leaves nothing behind" {
	run in_root_sh 'sleeping() { grep -lx sleep /proc/[0-9]*/comm 2>/dev/null; }
		timeout 1 sudo sleep 1000; echo $?; timeout -s KILL 1 sudo sleep 1000; echo $?
		i=0; while [ "$(sleeping)" ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done 2>/dev/null
		sleeping; sudo -b sleep 1000; echo $?; sleeping | while read -r one; do echo one; done'
	assert_output "124
137
0
one"
	[ "$(grep -c one <<<"$output")" -eq 1 ]
}

@test "sudo: variables as sudo has them, HOME and PATH root's, none of the caller's" {
	run in_root_sh 'export SECRET=x LD_PRELOAD= LANG=C.UTF-8 BASH_ENV=/nowhere SSL_CERT_FILE=/ca
		sudo env; echo --; sudo -E env | grep -E "SECRET|BASH_ENV|^HOME"; echo --; sudo A=1 -E B=2 -- sh -c "echo \$A\$B\$SECRET"
		echo --; sudo --preserve-env=SECRET env | grep SECRET; sudo -H -E sh -c "echo \$HOME"; sudo -u agent sh -c "echo \$HOME \$USER"
		sudo -i pwd; sudo -i echo "a b" "\$HOME"; sudo -s id -u; sudo -l; sudo -v && sudo -k && echo ok'
	[[ $output == *PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin* ]] || fail PATH
	[[ ${output%%--*} != *SECRET* ]] || fail "SECRET passed"
	assert_output HOME=/root
	assert_output USER=root
	assert_output SUDO_USER=agent
	assert_output SUDO_UID=1000
	assert_output LANG=C.UTF-8
	assert_output SSL_CERT_FILE=/ca
	assert_output "--
SECRET=x
HOME=/home/agent
--
12x
--
SECRET=x
/root
/home/agent agent
/root
a b /root
0"
	assert_output NOPASSWD
	assert_output ok
	refute_output BASH_ENV
}

@test "su: to root and to a user, with a command, a shell and a login" {
	run in_root_sh 'su -c "id -u; echo \$HOME"; su - agent -c "id -un; pwd"; sudo su agent -c "id -un"
		su -s /bin/sh root -c "echo \$0 \$1" x y; su nobodyhere -c true; echo $?'
	assert_output "0
/root
agent
/home/agent
agent
x y
su: user nobodyhere does not exist
1"
}

@test "sudo: a terminal of its own, Ctrl-C and Ctrl-Z, and the size" {
	need command -v expect -- expect
	template_commit t
	cat >"$T/tty" <<-'E'
		set timeout 20
		spawn {*}$argv
		expect "ready>"
		send "sudo sh -c 'tty; test -t 0 -a -t 1 && echo is''-tty; echo </dev/tty >/dev/null || echo none; stty size 2>/dev/null'\r"
		expect "is-tty"
		send "\r"
		expect "ready>"
		send "sudo sh -c 'echo be''gun; exec sleep 1000'\r"
		expect "begun"
		send "\003"
		expect "ready>"
		send "echo co''de \$?\r"
		expect "code 130"
		send "sudo sh -c 'echo be''gun; exec sleep 1001'\r"
		expect "begun"
		send "\032"
		expect "topped"
		send "kill %1; fg; echo en''ded \$?\r"
		expect "ended 143"
		send "exit\r"
		expect eof
	E
	run env PS1='ready>' expect "$T/tty" "$BAWN" run --rm -q -t t -e "PS1=ready>" shell "$WS" -- bash --norc -i
	assert_output is-tty
	assert_output "code 130"
	assert_output topped
	assert_output "ended 143"
}

@test "OWN-05 both filters count: what was refused stays so, what fills memory tells the truth" {
	with_probe
	run in_root_sh 'for p in mount unshare-newns bpf keyctl io_uring_setup; do sudo ./.probe $p; done
		sudo sh -c "grep ^Uid /proc/self/status; grep ^Seccomp_filters /proc/self/status"'
	refute_output ": ok"
	assert_output EPERM
	assert_output "Uid:	1000	1000	1000	1000"
	assert_output "Seccomp_filters:	2"
}

@test "SEC-12 R: a program that gives root up is told that it has, and goes on as root; sudo -u does end it" {
	cat >"$T/drop.c" <<-'E'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <grp.h>
		#include <stdio.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			uid_t r, e, s;
			printf("drop %d %d %d\n", setgroups(0, NULL), setresgid(33, 33, 33), setresuid(33, 33, 33));
			getresuid(&r, &e, &s);
			printf("euid %u, in truth %u\n", geteuid(), e);
			for (int i = 1; i < argc; i++)
				printf("%s %s\n", argv[i], open(argv[i], O_RDWR) < 0 ? "closed" : "open");
			return 0;
		}
	E
	cc -static -o "$WS/drop" "$T/drop.c"
	mkdir "$T/lent"
	plant "$T/lent/file"
	template_commit t
	run "$BAWN" run --rm -q -t t shell "$WS" "$T/lent:ro" -- sh -c "echo x >/usr/closed; chmod 0 /usr/closed
		sudo ./drop /usr/closed $T/lent/file /proc/1/mem /dev/mem; sudo sudo -u agent ./drop /usr/closed"
	assert_output "drop 0 0 0
euid 33, in truth 1000
/usr/closed open
$T/lent/file closed
/proc/1/mem closed
/dev/mem closed
drop -1 -1 -1
euid 1000, in truth 1000
/usr/closed closed"
}

@test "who becomes somebody else is told so, and can't go back; what it executes then is the user" {
	cat >"$T/ids.c" <<-'E'
		#define _GNU_SOURCE
		#include <errno.h>
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/resource.h>
		#include <sys/stat.h>
		#include <sys/syscall.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void say(const char *what, int r)
		{
			const char *e = r ? strerrorname_np(errno) : "ok";
			printf("%s %s %u %u %u %u\n", what, e, getuid(), geteuid(), getgid(), getegid());
			fflush(stdout);
		}
		static void in_child(const char *what, int (*f)(uid_t, uid_t), uid_t a, uid_t b)
		{
			if (fork() == 0) {
				say(what, f(a, b));
				say("... root", setreuid(0, 0));
				_exit(0);
			}
			wait(NULL);
		}
		static int save(uid_t a, uid_t b)
		{
			return setresuid(a, b, 0);
		}
		static void *thread(void *x)
		{
			say("thread", 0);
			return x;
		}
		int main(int argc, char **argv)
		{
			struct stat st = {0};
			pthread_t t;
			if (argc > 1) {
				say(argv[1], 0);
				int r = setuid(0);
				if (stat("/usr/of-33", &st) < 0)
					return 1;
				printf("root %d, file %u, given %d %s\n", r, st.st_uid, chown("/usr/of-33", 0, 0), strerrorname_np(errno));
				return 0;
			}
			say("begin", 0);
			say("seteuid", seteuid(33));
			say("back", seteuid(0));
			in_child("real", setreuid, 40, -1);
			in_child("both", setreuid, 41, 41);
			in_child("saved", save, 42, 42);
			in_child("large", setreuid, 4000000, 4000000);
			say("setgid", setgid(34));
			say("setuid", setuid(33));
			stat("/usr/of-33", &st);
			printf("file %u\n", st.st_uid);
			say("root", setuid(0));
			say("other", setresuid(-1, 35, -1));
			say("same", setresuid(33, -1, 33));
			pthread_create(&t, NULL, thread, NULL);
			pthread_join(t, NULL);
			if (fork() == 0) {
				say("child", 0);
				execl(argv[0], argv[0], "executed", NULL);
			}
			wait(NULL);
			return 0;
		}
	E
	cc -static -pthread -o "$WS/ids" "$T/ids.c"
	run in_root sudo sh -c 'echo x >/usr/of-33; chown 33:33 /usr/of-33; ./ids; id -u'
	assert_output "begin ok 0 0 0 0
seteuid ok 0 33 0 0
back ok 0 0 0 0
real ok 40 0 0 0
... root ok 0 0 0 0
both ok 41 41 0 0
... root EPERM 41 41 0 0
saved ok 42 42 0 0
... root ok 0 0 0 0
large ok 0 0 0 0
... root ok 0 0 0 0
setgid ok 0 0 34 34
setuid ok 33 33 34 34
file 33
root EPERM 33 33 34 34
other EPERM 33 33 34 34
same ok 33 33 34 34
thread ok 33 33 34 34
child ok 33 33 34 34
executed ok 1000 1000 1000 1000
root -1, file 1000, given -1 EINVAL
0"
}

@test "OWN-06 a sudoed process does not get at pid 1, under the policy for debuggers neither" {
	local p
	with_probe
	for p in default debug; do
		[ $p = default ] || debuggers
		run in_root_sh 'for w in "" sudo; do for p in ptrace-init vm-read-init vm-write-init pidfd_getfd-init init-stack; do
				$w ./.probe $p; done; $w cat /proc/1/environ; $w head -c 8 /proc/1/mem; $w ls /proc/1/fd /proc/1/map_files; done; true'
		refute_output ": ok"
		assert_output "pidfd_getfd-init: EPERM"
		assert_output "ptrace-init: EPERM"
		[ "$(grep -c 'EPERM\|EACCES' <<<"$output")" -ge 10 ] || fail "$p"
		refute_output socket:
	done
	# control: there they may trace others
	run in_root_sh './.probe ptrace; sudo ./.probe ptrace'
	assert_output "ptrace: ok"
	refute_output EPERM
}

@test "OWN-06 the keeper of a command is as closed as pid 1" {
	debuggers
	run in_root_sh 'sudo sh -c "k=\$PPID; head -c 8 /proc/\$k/mem; ls /proc/\$k/fd; cat /proc/\$k/environ; readlink /proc/\$k/exe; echo tried"'
	assert_output tried
	assert_output "Permission denied"
	refute_output bawn-init
	refute_output socket:
}

@test "RES-05 OWN-01 no thread of pid 1 can be slowed down, nor its limits changed: by the user, by root" {
	cat >"$T/slow.c" <<-'E'
		#define _GNU_SOURCE
		#include <dirent.h>
		#include <sched.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/resource.h>
		#include <unistd.h>
		int main(void)
		{
			DIR *d = opendir("/proc/1/task");
			int threads = 0, done = 0;
			cpu_set_t one, all;
			struct rlimit l = {8, 8};
			struct sched_param p = {0};
			sched_getaffinity(0, sizeof(all), &all);
			CPU_ZERO(&one);
			for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
				if (CPU_ISSET(i, &all))
					CPU_SET(i, &one);
			for (struct dirent *e; (e = readdir(d));) {
				int tid = atoi(e->d_name);
				if (tid <= 0)
					continue;
				threads++;
				done += !prlimit(tid, RLIMIT_NOFILE, &l, NULL) + !sched_setaffinity(tid, sizeof(one), &one);
				done += !setpriority(PRIO_PROCESS, tid, 19) + !sched_setscheduler(tid, SCHED_IDLE | SCHED_RESET_ON_FORK, &p);
			}
			printf("%d threads, %d done\n", threads, done);
			return 0;
		}
	E
	cc -static -o "$WS/slow" "$T/slow.c"
	run in_root_sh 'echo "first $$"; ./slow; sudo ./slow; sudo id -u >/dev/null; ./slow'
	assert_output "first 5
3 threads, 0 done
3 threads, 0 done
3 threads, 0 done"
	"$BAWN" create --name own -t t "$PROFILE" "$WS" >/dev/null
	run "$BAWN" exec -u root own ./slow # the first of all is root
	assert_output "3 threads, 0 done"
}

@test "NS-11 owners are given inside and nothing changes on the host; device nodes are made by nobody" {
	run in_root_sh 'echo x >mine; sudo chown 0:0 mine && echo given; sudo chown root mine; sudo install -o root -g root -m 600 mine copy && echo installed
		sudo mknod dev c 1 3 && echo made; sudo mknod /tmp/dev b 8 0; [ -c dev ] && echo DEVICE; sudo chown 1:1 /etc/passwd && echo passwd
		ln -s mine link; sudo chown -h 5:6 link && sudo stat -c "host %u" link; sudo ln -s mine /link; sudo chown -h 5:6 /link; sudo stat -c "own %u:%g" /link; true'
	assert_output given
	assert_output installed
	assert_output "own 5:6"
	refute_output "host 5"
	refute_output DEVICE
	[ "$(stat -c %u:%g "$WS/mine" "$WS/copy" | sort -u)" = "$(id -u):$(id -g)" ]
	[ ! -c "$WS/dev" ]
	[ -z "$(/usr/bin/python3 -c 'import os, sys; print(*(a for f in sys.argv[1:] for a in os.listxattr(f)))' "$WS" "$WS/mine" "$WS/copy")" ]
}

@test "root reaches what modes keep the user from, and nothing that is mounted read-only" {
	mkdir "$T/lent"
	plant "$T/lent/file"
	run in_root_sh 'mkdir d; echo in >d/f; chmod 0 d/f d; cat d/f; sudo cat d/f; sudo chmod 755 d; rm -rf d
		sudo sh -c "echo x >>/run/bawn/bin/bawn-why; echo x >/proc/sys/kernel/hostname; rm -f /run/bawn/bin/bawn-sudo; echo tried"'
	assert_output "d/f: Permission denied"
	assert_output "in
"
	assert_output tried
	assert_output "Read-only"
}

@test "NS-09 set-user-id programs give nothing; sudo by its path is the sandbox's" {
	cp /bin/cat "$LAYER/usr/bin/sudo"
	chmod 4755 "$LAYER/usr/bin/sudo"
	cp "$LAYER/usr/bin/id" "$LAYER/usr/bin/setid"
	chmod 4755 "$LAYER/usr/bin/setid"
	run in_root_sh 'setid -u; /usr/bin/sudo id -u; /bin/sudo id -u; readlink /usr/bin/sudo'
	assert_output "1000
0
0
/run/bawn/bin/bawn-sudo"
}

@test "NS-09 root sees the set-ID bits that a template means, gives them to copies and takes them away; nobody gets anything" {
	need command -v python3 -- python3
	local f
	for f in meant other; do
		cp "$LAYER/usr/bin/id" "$LAYER/usr/bin/$f"
		chmod 755 "$LAYER/usr/bin/$f"
		python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.bawn.mode", b"6755")' "$LAYER/usr/bin/$f"
	done
	mkdir "$LAYER/srv"
	run in_root_sh 'cd /usr/bin; stat -c "user %a" meant; sudo stat -c "root %a" meant; meant -u
		sudo find /usr/bin -perm -6000; sudo cp -p meant copy; sudo stat -c "copy %a" copy; ./copy -u
		sudo sh -c "chmod 755 meant; stat -c \"numeric %a\" meant; chmod u-s,g+w other; stat -c \"letters %a\" other; chmod u+s meant; stat -c \"again %a\" meant"
		meant -u; sudo meant -u'
	[ "$output" = "user 755
root 6755
1000
/usr/bin/meant
/usr/bin/other
copy 6755
1000
numeric 755
letters 2775
again 4755
1000
0" ] || fail "$output"
}

@test "a sandbox with the host's root has no root: sudo says that it takes a template" {
	run "$BAWN" run --rm -q shell "$WS" "$BAWN_BUILDDIR:ro" -- "$BAWN_BUILDDIR/bawn-sudo" id
	assert_status 1
	assert_output "start it from a template"
}

@test "pid 1 hangs up on what is no request, and answers the next" {
	need command -v python3 -- python3
	cat >"$WS/junk.py" <<-'E'
		import socket, array, os, sys
		def conn():
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.connect("/run/bawn/sudo.sock")
		    return s
		quiet = [conn() for _ in range(40)]
		import struct
		for data, fds in ((b"x", 0), (b"x" * 5000, 0), (struct.pack("II", 0x62776e73, 1), 0), (struct.pack("II", 0x62776e73, 1), 4),
		                  (struct.pack("II", 0x62776e73, 8), 5), (struct.pack("II", 0, 1), 5), (struct.pack("II", 0x62776e73, 1), 5),
		                  (struct.pack("II", 0x62776e73, 7), 5), (struct.pack("II", 0x62776e73, 1), 200)):
		    s = conn()
		    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * fds))] if fds else []
		    s.sendmsg([data], rights)
		    s.settimeout(20)
		    print(len(data), fds, s.recv(600)[:4])
	E
	template_program python3
	cp -r /usr/lib/python3* "$LAYER/usr/lib/"
	run in_root_sh 'python3 junk.py; sudo id -u'
	[ "${lines[-1]}" = 0 ] || fail "pid 1 does not answer"
	[ "$(grep -c "b''" <<<"$output")" -ge 6 ] || fail "something was taken"
}

@test "a descriptor that takes its time to be closed holds up nobody but sudo" {
	need command -v python3 -- python3
	cat >"$WS/linger.py" <<-'P'
		import socket, array, os, struct, time
		# The last reference has to be pid 1's.  Who sends it ends at once, which closes without waiting;
		# either may be first, so it is done several times.
		l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
		l.bind(("127.0.0.1", 0)); l.listen(30)
		def child():
		    c = socket.socket(); c.connect(l.getsockname()); c.setblocking(False)
		    for _ in range(5): # until nothing fits any more, on either side
		        try:
		            while True: c.send(b"x" * 65536)
		        except BlockingIOError: time.sleep(0.02)
		    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1 << 20))
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(0.5)
		    try: s.connect("/run/bawn/sudo.sock")
		    except OSError: os._exit(9) # nobody listens any more: it is held up
		    s.sendmsg([struct.pack("II", 0, 1)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [c.fileno()]))])
		    os._exit(0)
		kept = []
		for _ in range(30):
		    pid = os.fork()
		    if pid == 0: child()
		    kept.append(l.accept())
		    if os.waitpid(pid, 0)[1]: break
		open("sent", "w").close()
		time.sleep(1000)
	P
	template_program python3
	cp -r /usr/lib/python3* "$LAYER/usr/lib/"
	template_commit t
	"$BAWN" run -d --name held --template t shell . -- python3 linger.py
	eventually test -e sent
	run timeout 60 "$BAWN" exec held sh -c 'echo alive'
	assert_output alive
	# what guards can still stop everything, and it ends at once
	run timeout 60 "$BAWN" checkpoint held
	assert_status 0
	run timeout 60 "$BAWN" rm -f held
	assert_status 0
}

@test "a command that its sender can still write is not read" {
	need command -v python3 -- python3
	cat >"$WS/unsealed.py" <<-'P'
		import socket, array, struct, os
		fd = os.memfd_create("x"); os.write(fd, b"\0" * 64)
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect("/run/bawn/sudo.sock")
		s.sendmsg([struct.pack("II", 0x62776e73, 1)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd, 0, 0, 1, 2]))])
		s.settimeout(20)
		kind, value, text = struct.unpack("Ii504s", s.recv(512))
		print(kind, text.split(b"\0")[0].decode())
	P
	template_program python3
	cp -r /usr/lib/python3* "$LAYER/usr/lib/"
	run in_root_sh 'python3 unsealed.py; sudo id -u'
	assert_output "not sealed"
	[ "${lines[-1]}" = 0 ] || fail "pid 1 does not answer"
}
