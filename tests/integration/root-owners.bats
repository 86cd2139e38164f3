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
	template_program chown mknod install timeout head tty stty rmdir
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

@test "an owner that was only seen and copied is nobody's; what is written anew beside stays its original's" {
	template_commit t
	cat >"$T/own.c" <<-'E'
		#include <fcntl.h>
		#include <stdio.h>
		#include <unistd.h>
		int main(void) { /* as useradd: shadow+ with shadow's own mode and owner, renamed over it */
			int fd = open("/etc/secret+", O_CREAT | O_WRONLY, 0640);
			int other = open("/etc/new", O_CREAT | O_WRONLY, 0640);
			return fchown(fd, 1000, 1000) || fchown(other, 1000, 1000) || rename("/etc/secret+", "/etc/secret");
		}
	E
	cc -o "$WS/own" "$T/own.c"
	run "$BAWN" run -q --name own -t t shell "$WS" -- sh -c 'sudo sh -c "touch /etc/secret; chown 0:42 /etc/secret; ./own && cp -p /etc/secret /etc/copied && cp -a /etc/secret /etc/all
		mkdir /etc/x; cp -a /etc/x /etc/y; chown 1000:1000 /etc/x"; echo $?'
	assert_output 0
	run owners /etc/secret /etc/new /etc/copied /etc/all /etc/y /etc/x
	assert_output "/etc/secret 0:42
/etc/new none
/etc/copied none
/etc/all 0:42
/etc/y none
/etc/x 1000:1000"
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
		#include <sys/syscall.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static char path[64];
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
						syscall(SYS_fchownat, AT_FDCWD, "/usr/ours", i, i, 0);
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
