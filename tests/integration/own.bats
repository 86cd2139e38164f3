#!/usr/bin/env bats
# own.bats - attack corpus, class OWN: found by trying this design.  OWN-03, 04, 06, 07 are in
# proc.bats; OWN-09 to 11 (the network) in net.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# An agent that looks at FILE all the time and says when it saw the canary.
watcher() { # FILE
	bg sh -c "echo up; n=0; while [ ! -e stop ]; do grep -qs '$CANARY' '$1' && { echo LEAKED; break; }; sleep 0.01; done; echo over"
	bg_says up
}

@test "OWN-01 R: a masked file that the host replaces is masked again, or the run ends" {
	plant "$WS/.env"
	local i
	watcher .env
	for i in 1 2 3 4 5; do
		plant "$WS/.env.tmp"
		mv "$WS/.env.tmp" "$WS/.env"
		sleep 0.2
	done
	# after the window nothing shows
	touch stop
	eventually eval "! kill -0 $BG"
	local seen
	seen=$(cat "$BG_OUT")
	[[ $seen == *"guarded again"* || $seen == *"run was ended"* ]] || fail "nothing was noticed: $seen"
	# and by the time bawn has said so, the file is closed again
	rm -f stop
	bg sh -c "echo up; while [ ! -e replaced ]; do sleep 0.02; done; sleep 0.5; cat .env; echo over"
	bg_says up
	plant "$WS/.env.tmp"
	mv "$WS/.env.tmp" "$WS/.env"
	eventually grep -qE 'guarded again|run was ended' "$BG_OUT"
	touch replaced
	eventually eval "! kill -0 $BG"
	run cat "$BG_OUT"
	refute_canary
	assert_untouched "$WS/.env"
	grep -q '^| OWN-01 |' "$BAWN_SRCDIR/SECURITY.md"
}

@test "OWN-01 R: git config and hooks replaced by the host stay guarded" {
	git_repo
	bg sh -c 'echo up; while [ ! -e go ]; do sleep 0.02; done; sleep 0.5
		echo "[core] fsmonitor = evil" >>.git/config; git config core.fsmonitor evil; mv .git/config .git/c2
		echo "#!/bin/sh" >.git/hooks/pre-commit && echo HOOKED; echo over'
	bg_says up
	git config user.name 'Changed Outside'
	mv .git/hooks .git/hooks.old
	cp -r .git/hooks.old .git/hooks
	rm -rf .git/hooks.old
	eventually grep -qE 'guarded again|run was ended' "$BG_OUT"
	touch go
	eventually eval "! kill -0 $BG"
	run cat "$BG_OUT"
	refute_output HOOKED
	[ ! -e .git/hooks/pre-commit ]
	run git config --get core.fsmonitor
	[ -z "$output" ]
	[ "$(git config user.name)" = 'Changed Outside' ]
}

@test "OWN-01 R: the directory of a masked or protected file replaced by the host is guarded again" {
	mkdir -p a/b .vscode
	plant "$WS/a/b/.env"
	echo '{}' >.vscode/tasks.json
	bg sh -c 'echo up; for n in 1 2 3; do while [ ! -e go$n ]; do sleep 0.02; done; sleep 0.5
		cat a/b/.env; echo evil >a/b/../../.vscode/tasks.json; mv a a2; touch done$n; done; echo over'
	bg_says up
	# moved away and made anew, the file itself last
	mv a a.old
	mkdir -p a/b
	sleep 0.2
	plant "$WS/a/b/.env"
	touch go1
	eventually test -e done1
	# removed, and another moved to its place
	rm -rf a
	cp -r a.old a.new
	mv a.new a
	mv .vscode .v2
	cp -r .v2 .vscode
	touch go2
	eventually test -e done2
	# replaced within a directory that is itself new
	plant "$WS/a/b/.env.tmp"
	mv a/b/.env.tmp a/b/.env
	touch go3
	eventually eval "! kill -0 $BG"
	run cat "$BG_OUT"
	assert_output "guarded again"
	refute_canary
	[ "$(cat .vscode/tasks.json)" = '{}' ]
	[ -e a/b/.env ] && [ ! -e a2 ]
}

@test "OWN-01 NS-04 TERM-07 an agent that stops itself stops no guard, and can be ended" {
	plant "$WS/.env"
	bg sh -c 'echo up; (while [ ! -e go ]; do sleep 0.02; done; sleep 0.5; cat .env; touch over) & kill -STOP $$; wait'
	bg_says up
	sleep 0.3
	[[ $(cut -d" " -f3 "/proc/$BG/stat") = [SR] ]] || fail "bawn stopped with the agent"
	plant "$WS/.env.tmp"
	mv "$WS/.env.tmp" "$WS/.env"
	touch go
	eventually test -e over
	kill -CONT "$BG" 2>/dev/null || : # putting the guard back continued it
	eventually eval "! kill -0 $BG"
	run cat "$BG_OUT"
	assert_output "guarded again"
	refute_canary
	# stopped by the host, nothing inside runs on without bawn
	rm -f go over
	bg sh -c 'echo up; while :; do echo x >>beats; sleep 0.02; done'
	bg_says up
	kill -TSTP "$BG"
	eventually grep -q '^State:.T' "/proc/$BG/status"
	local n
	n=$(wc -l <beats)
	sleep 0.3
	[ "$(wc -l <beats)" = "$n" ] || fail "the agent runs while bawn is stopped"
	kill -CONT "$BG"
	eventually eval '[ "$(wc -l <beats)" -gt '"$n"' ]'
	kill -TERM "$BG"
	eventually eval "! kill -0 $BG"
}

@test "OWN-02 no plan maps root" {
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'awk "\$2 == 0" /proc/self/uid_map /proc/self/gid_map'
	[ -z "$output" ]
	run "$BAWN" run --rm --as-user root shell "$WS" -- echo STARTED
	assert_status 125
	# root of a user namespace is the nearest to root that an ordinary user can be here
	need unshare -Ur true -- "user namespaces"
	run unshare -Ur "$BAWN" run --rm shell "$WS" -- echo STARTED
	assert_status 125
	refute_output STARTED
	run unshare -Ur "$BAWN" run --rm --as-user root shell "$WS" -- echo STARTED
	assert_status 125
	run unshare -Ur env SUDO_UID=0 "$BAWN" run --rm shell "$WS" -- echo STARTED
	assert_status 125
	run in_sandbox_sh 'cat /etc/shadow; find /etc -perm /022 ! -type l; echo end'
	refute_output "root:"
}

# Root of a user namespace that has other users: what an ordinary user can have of a host's root.  The
# commands of standard input run as that, with "dev", 1000, in /etc/passwd, whose home is $T/dev.
as_root() {
	need unshare --map-root-user --map-auto true -- "subordinate ids (uidmap)"
	mkdir -p "$T/dev/work"
	printf '%s\n' root:x:0:0::/root:/bin/sh "dev:x:1000:1000::$T/dev:/bin/sh" >"$T/passwd"
	printf '%s\n' root:x:0:root,dev dev:x:1000: extra:x:1001:dev >"$T/group"
	chmod o+x "$HOME" "$T"
	{
		# the directories above may be shut to others, so they are others here
		local p n=0 top
		echo 'mount -t tmpfs none /mnt || exit 98'
		for p in "$BAWN_SRCDIR" "$BAWN_BUILDDIR" "$T"; do
			p=$(realpath "$p") n=$((n + 1))
			echo "mkdir /mnt/$n && mount --rbind '$p' /mnt/$n || exit 98"
		done
		for top in $(for p in "$BAWN_SRCDIR" "$BAWN_BUILDDIR" "$T"; do realpath "$p"; done | cut -d/ -f2 | sort -u); do
			echo "mount -t tmpfs -o mode=0755 none '/$top' || exit 98"
		done
		n=0
		for p in "$BAWN_SRCDIR" "$BAWN_BUILDDIR" "$T"; do
			p=$(realpath "$p") n=$((n + 1))
			echo "mkdir -p '$p' && mount --rbind /mnt/$n '$p' || exit 98"
		done
		printf 'trap "chown -R 0:0 %q" EXIT\n' "$T/dev"
		echo "mount --bind '$T/passwd' /etc/passwd && mount --bind '$T/group' /etc/group &&"
		echo "chown -R 1000:1000 '$T/dev' && cd '$T/dev/work' || exit 99"
		cat
	} >"$T/root.sh"
	run unshare --map-root-user --map-auto -m env -u SUDO_UID HOME=/root XDG_DATA_HOME=/root/data \
		XDG_CONFIG_HOME=/root/config XDG_CACHE_HOME=/root/cache sh "$T/root.sh"
}

@test "OWN-02 started by root: it is the user from the first thing on, with nothing of root's" {
	local sees='id -u; id -g; id -G; pwd; echo $HOME $USER; grep CapEff /proc/self/status; env'
	local how
	plant "$T/of-root"
	for how in '--as-user dev' '--as-user 1000' SUDO; do
		as_root <<-EOT
			chown 0:0 '$T/of-root'; chmod 0600 '$T/of-root'
			grep Groups: /proc/self/status
			export SUDO_COMMAND=/bin/x
			[ '$how' = SUDO ] && export SUDO_UID=1000 SUDO_GID=0 SUDO_USER=root
			# what it may write and read is the user's, on the host's side as well
			'$BAWN' run --rm -q --audit audit ${how#SUDO} shell . '$T/of-root' -- sh -c '$sees; cat "$T/of-root"'
			'$BAWN' run --rm -q ${how#SUDO} shell -- sh -c '$sees; echo made >made'
			echo "status \$?"
			stat -c 'it is of %u:%g' made
			find '$T/dev' ! -user 1000 -printf 'not the user: %p\n'
			ls -A /root 2>/dev/null | sed 's/^/in root: /'
		EOT
		assert_status 0 || return 1
		assert_output "$T/dev/work" "$T/dev dev" 'CapEff:	0000000000000000' 'status 0' \
			'it is of 1000:1000' || return 1
		[ "$(grep -cx 1000 <<<"$output")" -ge 3 ] || fail "ids: $output" || return 1
		refute_output "$CANARY" 'not the user' 'in root:' SUDO_ /root/ || return 1
	done
}

@test "a package cache in which the host has something mounted is there, to be read" {
	as_root <<-EOT
		mkdir -p '$T/dev/.npm/_cacache/disk' && mount -t tmpfs none '$T/dev/.npm/_cacache/disk' || exit 97
		echo INDEXWORDS >'$T/dev/.npm/_cacache/index'; echo DISKWORDS >'$T/dev/.npm/_cacache/disk/x'
		chown -R 1000:1000 '$T/dev/.npm'
		'$BAWN' run --rm -q --as-user dev shell -- sh -c 'cd ~/.npm/_cacache && cat index disk/x; touch new; mkdir ../beside && echo made'
		echo "status \$?"
		umount '$T/dev/.npm/_cacache/disk'
	EOT
	assert_status 0
	assert_output INDEXWORDS DISKWORDS made 'status 0' 'Read-only file system'
	[ ! -e "$T/dev/.npm/_cacache/new" ]
}

@test "a workspace in which the host has something mounted: that is there, and guarded as all of it" {
	as_root <<-EOT
		cd '$T/dev/work' && mkdir disk 'a b' deep proc sub deep/disk again ../lib ../lib/disk
		mount -t tmpfs none disk && mount -t tmpfs none 'a b' && mount -t tmpfs none deep/disk &&
			mount -t tmpfs none ../lib/disk || exit 97
		echo DISKWORDS >disk/x; echo $CANARY >disk/.env; echo $CANARY >deep/.env; echo $CANARY >'a b/.env'
		chown -R 1000:1000 '$T/dev'
		'$BAWN' run --rm -q --as-user dev shell . ../lib:ro -- sh -c 'cat disk/* */.env; touch disk/new "a b/new" deep/disk/new deep/new && echo made
			umount disk; rm disk/.env; mv deep other; touch ../lib/disk/new; grep -c "/work/.* rw,nosuid,nodev" /proc/self/mountinfo'
		echo "status \$?"
		ls disk
		'$BAWN' run --rm -q --as-user dev --workspace cow shell . -- true
		echo "status \$?"
		mount --bind '$T/dev' again
		'$BAWN' run --rm -q --as-user dev shell . -- echo STARTED
		umount again
		mount --rbind /dev/pts proc || exit 97
		'$BAWN' run --rm -q --as-user dev shell . -- echo STARTED
		umount proc disk 'a b' deep/disk ../lib/disk
	EOT
	assert_status 0
	assert_output DISKWORDS made 'status 0' $'\nnew\n' "cannot remove 'disk/.env': Device or resource busy" \
		"cannot move 'deep' to" "../lib/disk/new': Read-only file system" 'something mounted' \
		'again is mounted in what comes along, and holds that directory itself' \
		'proc is mounted in what comes along, and shows this machine instead of files'
	refute_output STARTED "$CANARY"
}

@test "OWN-02 started by root that names nobody, nobody who exists or itself: refused, nothing is made" {
	local how
	for how in '' SUDO_UID=77 SUDO_UID=0 SUDO_UID=dev '--as-user nobody-here' '--as-user root' '--as-user 0'; do
		as_root <<-EOT
			case '$how' in SUDO*) export $how; set -- ;; *) set -- $how ;; esac
			'$BAWN' run --rm "\$@" shell -- echo STARTED
			echo "status \$?"
			find '$T/dev' -mindepth 1 ! -name work
		EOT
		assert_output 'status 125' '--as-user NAME' || return 1
		refute_output STARTED "$T/dev/" || return 1
	done
}

@test "OWN-08 two sandboxes never share an upper directory" {
	mkdir -p "$HOME/.cargo/bin" "$HOME/.cargo/registry"
	printf '#!/bin/sh\n' >"$HOME/.cargo/bin/cargo"
	chmod +x "$HOME/.cargo/bin/cargo"
	export PATH=$HOME/.cargo/bin:$PATH
	bg sh -c 'touch ~/.cargo/registry/mine ~/.cargo/mine ~/mine; echo up; sleep 20'
	bg_says up
	run in_sandbox_sh 'ls ~/.cargo/registry ~/.cargo ~; echo end'
	refute_output mine
	[ "$(box_dirs | wc -l)" -ge 1 ]
	[ ! -e "$HOME/.cargo/mine" ] && [ ! -e "$HOME/.cargo/registry/mine" ] && [ ! -e "$HOME/mine" ]
}

# The files that hold compiled rules and filters.
packs() {
	find "$XDG_CACHE_HOME/bawn/pack" -type f
}

@test "OWN-12 a cached filter or pack that was changed is rebuilt or refused, never used" {
	in_sandbox true
	local f n=0 how
	while IFS= read -r f; do
		n=$((n + 1))
		for how in truncate flip empty garbage allow; do
			cp -p "$f" "$T/good"
			case $how in
			truncate) truncate -s -100 "$f" ;;
			flip) printf '\xff\xff\xff\xff' | dd of="$f" bs=1 seek=$(($(stat -c %s "$f") / 2)) conv=notrunc status=none ;;
			empty) : >"$f" ;;
			allow) # the filter itself: every "EPERM" becomes "go on"
				/usr/bin/python3 - "$f" <<-'EOF'
					import sys
					b = open(sys.argv[1], "rb").read()
					open(sys.argv[1], "r+b").write(b.replace(b"\x01\0\5\0", b"\0\0\xff\x7f"))
				EOF
				! cmp -s "$f" "$T/good" || fail "the filter was not found in $f" ;;
			garbage) head -c "$(stat -c %s "$f")" /dev/urandom >"$f" ;;
			esac
			run attack sys=mount sys=bpf io_uring "sock=16,3,12" "sock=40,1,0"
			[ "$status" = 125 ] || {
				wants sys=mount EPERM && wants sys=bpf EPERM && wants io_uring EPERM &&
					wants sock=16,3,12 EPERM && wants sock=40,1,0 EAFNOSUPPORT
			} || fail "$how $f"
			[ -e "$f" ] && cp -p "$T/good" "$f"
		done
	done < <(packs)
	[ $n -ge 1 ] || fail "no cache was found"
	# writable by others, or a link
	f=$(packs | head -1)
	chmod 666 "$f"
	run attack sys=mount
	[ "$status" = 125 ] || wants sys=mount EPERM
	[ ! -e "$f" ] || [ "$status" = 125 ] || [ "$(stat -c %a "$f")" != 666 ] || fail "used although anyone may write it"
}

@test "OWN-13 bawn's directories and the workspace never overlap, links resolved" {
	local v
	for v in XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME; do
		mkdir -p "$WS/inner/bawn"
		chmod 700 "$WS/inner" "$WS/inner/bawn"
		run env "$v=$WS/inner" "$BAWN" run --rm shell "$WS" -- echo STARTED
		assert_status 125 || fail "$v inside the workspace"
		refute_output STARTED
		ln -sfn "$WS/inner" "$T/link"
		run env "$v=$T/link" "$BAWN" run --rm shell "$WS" -- echo STARTED
		assert_status 125 || fail "$v inside the workspace by a link"
		mkdir -p "$T/state/bawn/project"
		chmod 700 "$T/state" "$T/state/bawn"
		run env "$v=$T/state" "$BAWN" run --rm shell "$T/state/bawn/project" -- echo STARTED
		assert_status 125 || fail "workspace inside $v"
		ln -sfn "$T/state/bawn/project" "$T/ws"
		run env "$v=$T/state" "$BAWN" run --rm shell "$T/ws" -- echo STARTED
		assert_status 125 || fail "workspace inside $v by a link"
		run env "$v=$T/state" "$BAWN" run --rm shell "$WS" "$T/state" -- echo STARTED
		assert_status 125 || fail "a further PATH around $v"
		rm -rf "$WS/inner" "$T/state"
	done
}

@test "OWN-14 tracked files that match a mask behave as outside" {
	git_repo
	plant "$WS/.env"
	plant "$WS/untracked.key"
	echo tracked >"$WS/server.key"
	git add -f .env server.key
	git commit -qm 'with secrets'
	echo change >>README
	local outside
	outside=$(git status --porcelain)
	run "$BAWN" run --rm -q shell "$WS" -- sh -c 'git status --porcelain; git clean -n'
	[[ $output == "$outside"* ]] || fail "status differs: $outside"
	run in_sandbox_sh 'git -c user.name=a -c user.email=a@example.com commit -qam inside && git show --stat HEAD && git stash -u && git checkout -q HEAD~1 && git checkout -q main && git stash pop'
	[ "$(git show HEAD:.env)" = "$CANARY" ]
	[ "$(git show HEAD:server.key)" = tracked ]
	[ "$(git log -1 --format=%s)" = inside ]
	run git log --all --format=%h -- untracked.key
	assert_untouched "$WS/.env"
	assert_untouched "$WS/untracked.key"
}

@test "OWN-15 twenty sandboxes with the host's log-in leave its file alone, no refresh token inside" {
	mkdir -p "$HOME/.local/bin" "$HOME/.claude"
	cat >"$HOME/.local/bin/claude" <<-'EOF'
		#!/bin/sh
		grep -rlE "refresh-canary" ~ /tmp /run /proc/[0-9]*/environ 2>/dev/null | grep -v '/proc/self' && echo FOUND
		cat ~/.claude/.credentials.json 2>/dev/null
		echo spoiled >~/.claude/.credentials.json
		echo ran
	EOF
	chmod +x "$HOME/.local/bin/claude"
	printf '{"claudeAiOauth":{"accessToken":"access-%s","refreshToken":"refresh-%s","expiresAt":%s000,"scopes":["user:inference"],"subscriptionType":"max"}}' \
		"$CANARY" "$CANARY" "$(($(date +%s) + 86400))" >"$HOME/.claude/.credentials.json"
	chmod 600 "$HOME/.claude/.credentials.json"
	local before i
	before=$(sha256sum "$HOME/.claude/.credentials.json"; stat -c '%i %a %Y' "$HOME/.claude/.credentials.json")
	export PATH=$HOME/.local/bin:$PATH
	for i in $(seq 20); do
		"$BAWN" run --rm claude "$WS" -- "x$CANARY" >"$T/out.$i" 2>&1 3>&- </dev/null &
	done
	wait
	for i in $(seq 20); do
		grep -q ran "$T/out.$i" || fail "$i: $(cat "$T/out.$i")"
		! grep -q "refresh-$CANARY" "$T/out.$i" || fail "refresh token: $(cat "$T/out.$i")"
	done
	grep -q sk-ant-oat01- "$T/out.1" || fail "nothing in the log-in's place: $(cat "$T/out.1")"
	! grep -l "access-$CANARY" "$T"/out.* || fail 'an access token is inside'
	[ "$before" = "$(sha256sum "$HOME/.claude/.credentials.json"; stat -c '%i %a %Y' "$HOME/.claude/.credentials.json")" ] || fail "changed"
}
