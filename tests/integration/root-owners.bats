#!/usr/bin/env bats
# root-owners.bats - the owners that an emulated root gives to files of a template's root, and apt, which
# gives many.  Attack corpus: SEC-10.
load ../lib.sh
load ../templates.sh

# The programs are copied once.
bats_require_minimum_version 1.5.0
setup_file() {
	LAYER=$BATS_FILE_TMPDIR/tree
	mkdir "$LAYER"
	template_debian
	template_program chown mknod install timeout head tty stty rmdir sed tar
}

setup() {
	bawn_setup
	template_layer
	cp -al "$BATS_FILE_TMPDIR/tree/." "$LAYER/" 2>/dev/null || cp -a "$BATS_FILE_TMPDIR/tree/." "$LAYER/"
}
teardown() { bawn_teardown; }

# FILE...: whose each is meant to be, "UID:GID" or "none", as it is kept beside the sandbox's files.
owners() {
	/usr/bin/python3 - "$XDG_DATA_HOME/bawn/sandboxes/own/up/root" "$@" <<-'P'
		import os, sys
		for f in sys.argv[2:]:
		    try:
		        v = os.getxattr(sys.argv[1] + f, "user.rootlesscontainers", follow_symlinks=False)
		    except OSError as e:
		        print(f, "none" if e.errno == 61 else e.strerror)
		        continue
		    out, i = {8: 0, 16: 0}, 0
		    while i < len(v):
		        key, n, s, i = v[i], 0, 0, i + 1
		        while True:
		            n |= (v[i] & 127) << s
		            s += 7
		            i += 1
		            if not v[i - 1] & 128:
		                break
		        out[key] = n
		    print(f, "%d:%d" % (out[8], out[16]))
	P
}

@test "owners that root gives are kept: by name, descriptor and directory, one at a time; links' are their files'" {
	template_commit t
	run "$BAWN" run -q --name own -t t shell "$WS" -- sh -c 'cd /usr; sudo sh -c "touch a b c e f; mkdir d; touch d/in; chown 1:2 a
		chown -R 33:70000 d; ln -s a l; chown -h 9:9 l; cd d; chown 5 ../b; chown :6 ../b; chown 0:0 ../c; chown 4294967294:1 ../e
		install -o 1000 -g 1000 /etc/passwd /usr/i; exec 5<>/usr/f; chown 7:7 /proc/self/fd/5 /dev/stdin" </dev/null
		chown agent /usr/c; touch mine; stat -c %u:%g a d mine'
	assert_output "1000:1000
1000:1000
1000:1000"
	run owners /usr/a /usr/b /usr/c /usr/d /usr/d/in /usr/e /usr/f /usr/i /usr/mine
	assert_output "/usr/a 1:2
/usr/b 5:6
/usr/c 0:0
/usr/d 33:70000
/usr/d/in 33:70000
/usr/e 4294967294:1
/usr/f none
/usr/i 1000:1000
/usr/mine none"
}

@test "what root copies with its owner, packs, moves or writes anew keeps it, as real root's does" {
	template_commit t
	cat >"$T/own.c" <<-'E'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/stat.h>
		#include <unistd.h>
		int main(void) { /* as useradd: shadow+ with shadow's own mode and owner, renamed over it */
			struct stat st;
			int fd = open("/etc/secret+", O_CREAT | O_WRONLY, 0640);
			return stat("/etc/secret", &st) || fchown(fd, st.st_uid, st.st_gid) || rename("/etc/secret+", "/etc/secret");
		}
	E
	cc -o "$WS/own" "$T/own.c"
	mkdir "$WS/dir"
	run "$BAWN" run -q --name own -t t shell "$WS" -- sudo sh -ec 'cd /etc; mkdir to
		for f in secret cp all inst tar mv sed; do echo x >$f; chown 33:34 $f; done
		'"$WS"'/own; cp -p cp to/cp; cp -a all to/all; install cp to/inst; sed -i s/x/y/ sed
		tar -cf a.tar tar; tar -xf a.tar -C to; mv mv /tmp/mv; mv /tmp/mv mv
		cp -p '"$WS"'/own to/own; cp -a to to2; chown 1000:1000 inst; cp -p passwd to/passwd'
	assert_status 0
	run owners /etc/secret /etc/to/{cp,all,inst,tar,own} /etc/{mv,sed} /etc/to2/{cp,own} /etc/inst /etc/to/passwd
	assert_output "/etc/secret 33:34
/etc/to/cp 33:34
/etc/to/all 33:34
/etc/to/inst none
/etc/to/tar 33:34
/etc/to/own 1000:1000
/etc/mv 33:34
/etc/sed 33:34
/etc/to2/cp 33:34
/etc/to2/own 1000:1000
/etc/inst 1000:1000
/etc/to/passwd none"
}

@test "root sees the owners that a template of it would have, by every call; the user sees itself" {
	template_commit t
	cat >"$T/see.c" <<-'E'
		#define _GNU_SOURCE
		#include <errno.h>
		#include <fcntl.h>
		#include <linux/stat.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/stat.h>
		#include <sys/syscall.h>
		#include <sys/mman.h>
		#include <unistd.h>
		#ifndef AT_EMPTY_PATH
		#define AT_EMPTY_PATH 0x1000
		#endif
		static struct stat st;
		static struct statx sx;
		static void say(const char *what, long r)
		{
			if (r < 0)
				printf("%s %s\n", what, strerrorname_np(errno));
			else
				printf("%s %u:%u %lld\n", what, st.st_uid, st.st_gid, (long long)st.st_size);
			memset(&st, 0, sizeof(st));
		}
		static void sayx(const char *what, long r)
		{
			st.st_uid = sx.stx_uid, st.st_gid = sx.stx_gid, st.st_size = (off_t)sx.stx_size;
			say(what, r);
		}
		int main(int argc, char **argv)
		{
			const char *p = argv[1];
			int fd = open(p, O_PATH), dir = open("/etc", O_PATH);
			say("newfstatat", syscall(SYS_newfstatat, AT_FDCWD, p, &st, 0));
			say("fd", syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH));
			say("fstat", syscall(SYS_fstat, fd, &st));
			say("dir", syscall(SYS_newfstatat, dir, "given", &st, AT_SYMLINK_NOFOLLOW));
			sayx("statx", syscall(SYS_statx, AT_FDCWD, p, 0, STATX_ALL, &sx));
			sayx("statx fd", syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_ALL, &sx));
		#ifdef SYS_stat
			say("stat", syscall(SYS_stat, p, &st));
			say("lstat", syscall(SYS_lstat, p, &st));
		#else
			say("stat", stat(p, &st)), say("lstat", lstat(p, &st));
		#endif
			say("absent", syscall(SYS_newfstatat, AT_FDCWD, "/etc/absent", &st, 0));
			say("no fd", syscall(SYS_fstat, 999, &st));
			say("bad name", syscall(SYS_newfstatat, AT_FDCWD, (char *)8, &st, 0));
			say("bad place", syscall(SYS_newfstatat, AT_FDCWD, p, (void *)8, 0));
			say("bad mask", syscall(SYS_statx, AT_FDCWD, p, 0, ~0u, &sx));
			char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			munmap(page + 4096, 4096);
			say("half a place", syscall(SYS_newfstatat, AT_FDCWD, p, page + 4090, 0));
			strcpy(page + 4096 - strlen(p) - 1, p);
			say("end of a page", syscall(SYS_newfstatat, AT_FDCWD, page + 4096 - strlen(p) - 1, &st, 0));
			say("self", syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/fd/0", &st, 0));
			return argc != 2;
		}
	E
	cc -static -o "$WS/see" "$T/see.c"
	echo input >"$WS/input"
	run "$BAWN" run -q --name own -t t shell "$WS" -- sudo sh -ec 'echo abc >/etc/given; chown 33:70000 /etc/given; ./see /etc/given <input'
	assert_output "newfstatat 33:70000 4
fd 33:70000 4
fstat 33:70000 4
dir 33:70000 4
statx 33:70000 4
statx fd 33:70000 4
stat 33:70000 4
lstat 33:70000 4
absent ENOENT
no fd EBADF
bad name EFAULT
bad place EFAULT
bad mask EINVAL
half a place EFAULT
end of a page 33:70000 4
self 1000:1000 6"
	run "$BAWN" exec own ./see /etc/given
	assert_output "newfstatat 1000:1000 4
fd 1000:1000 4"
	refute_output 33:
	# what nobody was given is root's, as in a template; below a home, and what is mounted, the user's
	run "$BAWN" exec own sh -c 'touch ~/mine /tmp/t; ln -s x /etc/link
		sudo stat -c "%u:%g %n" / /etc/passwd /etc/link ~ ~/mine . /tmp/t; cd /etc; sudo stat -L -c "%u:%g %F" given - <given'
	assert_output "0:0 /
0:0 /etc/passwd
0:0 /etc/link
1000:1000 /home/agent
1000:1000 /home/agent/mine
1000:1000 .
1000:1000 /tmp/t
33:70000 regular file
33:70000 regular file"
	# so in /run, where services look whose their directories are
	run "$BAWN" exec own sudo sh -c 'mkdir /run/service /run/plain; chown 33:34 /run/service; stat -c "%u:%g %n" /run /run/service /run/plain'
	assert_output "0:0 /run
33:34 /run/service
0:0 /run/plain"
	# sudo -u does not see so
	run "$BAWN" exec own sudo -u agent stat -c %u:%g /etc/given
	assert_output 1000:1000
}

@test "SEC-10 the keeper of owners: behind a chroot, or with mounts of one's own, a name is another file's" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'command: [bash]\nexec: true\nsyscalls: nested\n' >"$XDG_CONFIG_HOME/bawn/profiles/nest.yaml"
	# what a root in there sees and gives of /x, once by the sandbox's own root, once behind a chroot
	echo outer >"$LAYER/x"
	mkdir -p "$LAYER/opt/in/opt"
	echo 'of the inner one' >"$LAYER/opt/in/x"
	cp /usr/bin/busybox "$LAYER/opt/in/busybox"
	template_program unshare stat
	template_commit t
	run "$BAWN" run -q --name own -t t nest "$WS" -- sudo sh -c 'stat -c "before %s" /x
		unshare -U --root=/opt/in /busybox sh -c "/busybox stat -c \"behind %s\" /x; /busybox stat /usr; /busybox chown 5:5 /x"'
	assert_output "before 6"
	assert_output "behind 17"
	assert_output "/usr': No such file"
	run owners /x
	assert_output "/x No such file or directory"
}

@test "SEC-10 the keeper of owners: a path that changes while it is read, a process that dies, bad addresses" {
	template_commit t
	cat >"$T/race.c" <<-'E'
		#define _GNU_SOURCE
		#include <errno.h>
		#include <fcntl.h>
		#include <pthread.h>
		#include <signal.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/stat.h>
		#include <sys/syscall.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static char path[64];
		static struct stat st;
		static volatile int stop;
		static void *flip(void *x)
		{
			while (!stop) {
				strcpy(path, "/usr/ours");
				strcpy(path, "/usr/bin/nothing/there");
				strcpy(path, "/proc/1/root/usr/lent");
			}
			return x;
		}
		int main(void)
		{
			pthread_t t;
			int bad = 0;
			pthread_create(&t, NULL, flip, NULL);
			for (int i = 0; i < 3000; i++)
				bad += syscall(SYS_fchownat, AT_FDCWD, path, 5, 5, 0) != 0;
			for (int i = 0; i < 3000; i++)
				if (fstatat(AT_FDCWD, path, &st, 0) == 0 && st.st_uid != 5 && st.st_uid != 0 && st.st_uid != 1000)
					bad++;
			stop = 1;
			pthread_join(t, NULL);
			long addresses[] = {0, 1, -1, -4096, 0x7fffffffffff, (long)&main | 0xfff};
			for (int i = 0; i < 6; i++)
				bad += syscall(SYS_fchownat, AT_FDCWD, addresses[i], 5, 5, 0) != 0;
			bad += syscall(SYS_fchownat, -7, "x", 5, 5, 0) != 0;
			bad += syscall(SYS_fchown, 1 << 30, 5, 5) != 0;
			for (int i = 0; i < 100; i++) {
				pid_t pid = fork();
				if (pid == 0)
					for (;;)
						syscall(SYS_fchownat, AT_FDCWD, "/usr/ours", i, i, 0), fstatat(AT_FDCWD, "/usr/ours", &st, 0);
				usleep(2000);
				kill(pid, SIGKILL);
				waitpid(pid, NULL, 0);
			}
			printf("bad %d, then %d\n", bad, chown("/usr/ours", 8, 9));
			return 0;
		}
	E
	cc -static -pthread -o "$WS/race" "$T/race.c"
	mkdir "$T/lent"
	run "$BAWN" run -q --name own -t t shell "$WS" "$T/lent:ro" -- sh -c 'touch /usr/ours; sudo ./race; sudo id -u'
	assert_output "bad 0, then 0
0"
	run owners /usr/ours
	assert_output "/usr/ours 8:9"
}

# A package archive of one package in $LAYER/srv/archive, and apt with all it needs.
apt_tree() {
	local p=$T/package f PATH=$PATH:/usr/sbin:/sbin
	template_program apt-get dpkg dpkg-deb dpkg-split dpkg-query tar sort gzip diff groupadd useradd \
		ldconfig start-stop-daemon
	mkdir -p "$LAYER"/usr/lib/apt/methods "$LAYER"/etc/apt/{apt.conf.d,preferences.d} "$LAYER"/var/{lib/apt/lists,cache/apt/archives}/partial \
		"$LAYER"/var/lib/dpkg/{info,updates,triggers} "$LAYER"/var/log/apt "$LAYER/srv/archive" "$LAYER/etc/skel"
	: >"$LAYER/var/lib/dpkg/status"
	mkdir -p "$LAYER/usr/share"
	cp -r /usr/share/dpkg "$LAYER/usr/share/"
	for f in file copy store; do cp -L "/usr/lib/apt/methods/$f" "$LAYER/usr/lib/apt/methods/"; done
	for f in "$LAYER"/usr/lib/apt/methods/*; do
		ldd "$f" | grep -o '/[^ ]*' | while read -r lib; do
			[ -e "$LAYER$lib" ] || { mkdir -p "$LAYER$(dirname "$lib")" && cp -L "$lib" "$LAYER$lib"; }
		done
	done
	: >"$LAYER/etc/shadow"
	: >"$LAYER/etc/gshadow"
	: >"$LAYER/etc/login.defs"
	mkdir -p "$p/DEBIAN" "$p/usr/bin" "$p/usr/share/greeter"
	printf '#!/bin/sh\necho greetings\n' >"$p/usr/bin/greet"
	chmod 755 "$p/usr/bin/greet"
	chmod u+s "$p/usr/bin/greet"
	echo data >"$p/usr/share/greeter/data"
	printf '%s\n' 'Package: greeter' 'Version: 1' 'Architecture: all' 'Maintainer: nobody <nobody@example.com>' \
		'Description: for a test' >"$p/DEBIAN/control"
	printf '%s\n' '#!/bin/sh' 'set -e' '[ "$(id -u)" = 0 ]' 'groupadd -g 901 greeters' 'useradd -u 902 -g greeters -m greeter' \
		'chown greeter:greeters /usr/share/greeter/data' 'mknod /usr/share/greeter/null c 1 3' >"$p/DEBIAN/postinst"
	chmod 755 "$p/DEBIAN/postinst"
	dpkg-deb --root-owner-group -Zgzip -b "$p" "$LAYER/srv/archive/greeter.deb" >/dev/null
	{
		cat "$p/DEBIAN/control"
		printf 'Filename: ./greeter.deb\nSize: %s\nSHA256: %s\n\n' "$(stat -c %s "$LAYER/srv/archive/greeter.deb")" \
			"$(sha256sum <"$LAYER/srv/archive/greeter.deb" | cut -d' ' -f1)"
	} >"$LAYER/srv/archive/Packages"
	echo "deb [trusted=yes] file:/srv/archive ./" >"$LAYER/etc/apt/sources.list"
}

@test "sudo apt-get update and install work, their users and owners are kept, and it is there at the next start" {
	need command -v apt-get -- apt
	apt_tree
	template_commit t
	run "$BAWN" run -q --name own -t t shell "$WS" -- sh -c 'sudo apt-get -q update && sudo apt-get -q install -y greeter; echo "code $?"'
	assert_output "code 0"
	refute_output "W: "
	"$BAWN" stop own >/dev/null 2>&1
	run "$BAWN" exec own sh -c 'greet; id greeter; dpkg -s greeter | grep ^Status; stat -c %u:%g /home/greeter; cat /usr/share/greeter/data'
	assert_output "greetings
uid=902(greeter) gid=901(greeters) groups=901(greeters)
Status: install ok installed
1000:1000
data"
	run owners /usr/share/greeter/data /usr/bin/greet /home/greeter
	assert_output "/usr/share/greeter/data 902:901
/usr/bin/greet 0:0
/home/greeter 902:901"
	run "$BAWN" exec own sudo apt-get -q purge -y greeter
	assert_status 0
	run -127 "$BAWN" exec own greet
}

@test "a session that is root keeps owners as sudo does, the first of a sandbox and a later one" {
	template_commit t
	"$BAWN" create --name own -t t shell "$WS" >/dev/null
	run "$BAWN" exec -u root own sh -c 'id -u; echo a >/usr/first; chown 3:4 /usr/first; sleep 30 &'
	assert_output 0
	run "$BAWN" exec -u root own sh -c 'id -u; echo b >/usr/later; chown 5:6 /usr/later; sudo -u agent id -u'
	assert_output "0
1000"
	run owners /usr/first /usr/later
	assert_output "/usr/first 3:4
/usr/later 5:6"
}
