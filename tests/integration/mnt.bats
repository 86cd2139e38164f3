#!/usr/bin/env bats
# mnt.bats - attack corpus, class MNT: mounts.
# run-bats: alone
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

@test "MNT-01 a read-only mount can't be made writable" {
	run attack mount=none,/usr,,0x1020 mount=none,/etc,,0x1020 mount=none,/,,0x20 \
		mount_setattr=/usr mount_setattr=/etc mount_setattr=/
	expect_all EPERM
	run in_sandbox_sh 'unshare -Urm mount -o remount,bind,rw /usr; mount -o remount,rw /; touch /usr/x /etc/x /x; echo done'
	assert_output "Read-only file system"
	[ ! -e /usr/x ]
}

@test "MNT-02 a mask or a protection can't be unmounted" {
	plant "$WS/.env"
	run attack "umount=$WS/.env" "umount=$WS" umount=/proc/kcore umount=/proc/sys umount=/etc umount=/
	expect_all EPERM
	run in_sandbox_sh 'umount -l .env; unshare -Urm umount .env; cat .env; echo done'
	assert_output "done"
	refute_canary
}

@test "MNT-03 the parent can't be bound elsewhere to reveal what is masked" {
	plant "$WS/sub/.env"
	run attack "mount=$WS/sub,/tmp,,0x1000" "mount=$WS,/tmp,,0x5000" "open_tree=$WS/sub"
	expect_all EPERM
	run in_sandbox_sh 'mkdir /tmp/b; mount --bind sub /tmp/b; mount --rbind sub /tmp/b; cat /tmp/b/.env sub/.env; echo done'
	refute_canary
	assert_output "done"
}

@test "MNT-04 nothing propagates in either direction" {
	local before
	before=$(cat /proc/self/mountinfo)
	bg sh -c 'cat /proc/self/mountinfo; echo up; sleep 20'
	bg_says up
	[ "$before" = "$(cat /proc/self/mountinfo)" ] || fail "the host's mounts changed"
	run grep -E ' (shared|master|propagate_from):' "$BG_OUT"
	[ -z "$output" ] || fail "a mount propagates"
}

@test "MNT-05 the old root is gone" {
	plant "$HOME/.ssh/canary"
	run in_sandbox_sh 'for d in /.old /.oldroot /oldroot /old_root /mnt/* /sys/*; do ls -d "$d"; done 2>/dev/null
		ls -A /..; cat /../../../..'"$HOME"'/.ssh/canary /proc/self/root/../..'"$HOME"'/.ssh/canary; echo done'
	refute_canary
	refute_output "lost+found"
	refute_output "boot"
	assert_output "done"
	run attack chroot_break fds
	wants chroot_break EPERM
	wants fds none
	run in_sandbox_sh 'awk "\$5 == \"/\" { print \$9, \$8 }" /proc/self/mountinfo'
	[ "${#lines[@]}" = 1 ]
	refute_output ext4
}

@test "MNT-08 no console, and the pty is not looked up by a name that could be swapped" {
	run in_sandbox_sh 'ls /dev'
	refute_output console
	refute_output vda
	# A hostile /dev of one run changes nothing for a pty: it is opened by descriptor.
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- \
		"$BAWN" run --rm shell "$WS" -- sh -c 'rm -f /dev/ptmx; ln -s /etc/passwd /dev/ptmx; ln -s /etc/passwd /dev/console; tty'
	assert_output "/dev/pts/0"
	run in_sandbox_sh 'rm /dev/pts/ptmx; ln -sf /etc/hosts /dev/pts/0; ls /dev/pts'
	assert_output ptmx
	refute_output "0"$'\n'"ptmx"
}

@test "MNT-09 the new mount calls are refused" {
	run attack fsopen=tmpfs fsopen=proc fsopen=overlay open_tree=/usr mount_setattr=/usr \
		sys=fsconfig sys=fsmount sys=fspick sys=move_mount sys=quotactl sys=pivot_root sys=umount2
	expect_all EPERM
}

@test "MNT-10 no file system can be mounted" {
	run attack mount=x,/tmp,tmpfs,0 mount=x,/tmp,proc,0 mount=x,/tmp,sysfs,0 \
		mount=x,/tmp,overlay,0 mount=x,/tmp,fuse,0 mount=x,/tmp,binfmt_misc,0 \
		mount=x,/tmp,devpts,0 mount=x,/tmp,cgroup2,0 mount=x,/tmp,ramfs,0 mount=x,/tmp,bpf,0
	expect_all EPERM
	run in_sandbox_sh 'ls /dev/fuse /proc/sys/fs/binfmt_misc/register'
	[ "$status" != 0 ]
}

@test "MNT-11 no cgroup tree, no release_agent" {
	run attack mount=x,/tmp,cgroup,0 mount=x,/tmp,cgroup2,0
	expect_all EPERM
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'ls -A /sys; find / -xdev -name release_agent -o -xdev -name cgroup.procs 2>/dev/null; grep -c cgroup /proc/self/mountinfo'
	[ "$output" = 0 ]
	run in_sandbox cat /proc/self/cgroup
	refute_output ".."
}

# Kill bawn some tenths of a millisecond after its start; nothing may be left but a state directory.
kill_after() { # TENTHS-OF-A-MILLISECOND CMD...
	local tenths=$1
	shift
	"$@" >/dev/null 2>&1 3>&- </dev/null &
	local pid=$!
	sleep "$(printf '0.%04d' "$tenths")"
	kill -9 "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
}

# Nothing of this test is running: by our HOME, by bawn's names with an empty environment.
ours() {
	local p exe
	for p in /proc/[0-9]*; do
		exe=$(readlink "$p/exe" 2>/dev/null) || continue
		case $exe in
		"$BAWN" | "$BAWN"-*) echo "${p#/proc/} $exe $(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)" ;;
		esac
	done
}

nobody() {
	[ -z "$(ours)" ]
}

@test "MNT-12 SIGKILL of bawn at any instant leaves no process, no mount, and a state that the next command cleans" {
	git_repo
	plant "$WS/sub/.env"
	in_sandbox true # the pack is made: a warm start
	local before ms round left i
	before=$(cat /proc/self/mountinfo)
	for round in 1 2; do
		for ms in 0 5 10 15 20 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95 100 105 110 115 120 125 130 135 140 145 150; do
			kill_after "$ms" "$BAWN" run --rm shell "$WS" -- sleep 141.5
		done
	done
	for ((i = 0; i < 20; i++)); do
		left=$(ours)
		[ -z "$left" ] && ! pgrep -f 'sleep 141\.5' >/dev/null && break
		sleep 0.05
	done
	[ -z "$left" ] || fail "processes: $left"
	! pgrep -fa 'sleep 141\.5' || fail "the agent lives"
	[ "$before" = "$(cat /proc/self/mountinfo)" ] || fail "mounts are left"
	[ "$(box_dirs | wc -l)" -gt 0 ] || fail "no kill hit a running sandbox: the test tests nothing"
	in_sandbox true
	[ -z "$(box_dirs)" ] || fail "not collected: $(box_dirs)"
	# nothing but the workspace's own and bawn's own directories
	[ "$(git status --porcelain)" = '?? sub/' ]
	[ "$(cat sub/.env)" = "$CANARY" ]
	run find "$HOME" "$T/run" -newer "$WS/README" -path "$WS" -prune -o -type f -print
	refute_output "$T/run/"
	while IFS= read -r f; do
		case $f in "$HOME"/.cache/bawn/* | "$HOME"/.local/share/bawn/*) ;; *) fail "left: $f" ;; esac
	done <<<"$output"
}

@test "MNT-12 a kill in the middle of the first, cold start is harmless too" {
	local ms
	for ms in 0 20 50 100 200 300 400 600 800 1200; do
		eventually rm -rf "$XDG_CACHE_HOME/bawn" # what the kill left may still be writing
		kill_after "$ms" "$BAWN" run --rm shell "$WS" -- true
	done
	run in_sandbox echo well
	assert_output well
	eventually nobody
	[ -z "$(box_dirs)" ]
}

@test "MNT what of /var belongs to the machine's programs is there, read-only" {
	local d
	for d in dpkg gems ghc texmf; do
		[ ! -d /var/lib/$d ] || [ -L /var/lib/$d ] || {
			in_sandbox test -d /var/lib/$d || fail "no $d"
			run in_sandbox touch /var/lib/$d/new
			assert_output 'Read-only file system'
		}
	done
	run in_sandbox_sh 'cd /var/lib && ls'
	[ -z "$(grep -vxE 'dpkg|gems|ghc|texmf|php' <<<"$output")" ] || fail "$output"
	if [ -d /var/lib/dpkg/info ] && command -v dpkg-query >/dev/null; then
		run in_sandbox dpkg-query -W -f '${Status}' libc6
		assert_output 'install ok installed'
	fi
	if [ -d /var/lib/php/sessions ]; then # the sandbox's own
		run in_sandbox_sh 'echo x >/var/lib/php/sessions/sess_1 && ls /tmp'
		assert_output sess_1
		[ ! -e /var/lib/php/sessions/sess_1 ]
	fi
}
