#!/usr/bin/env bats
# fs.bats - attack corpus, class FS: files.  Masks and protection in depth are in mask.bats and
# protect.bats; here is each row of the corpus once.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() {
	chmod -R u+rwx "$T" 2>/dev/null
	bawn_teardown
}

# Every way to read a file that the shell has; prints what it got.
read_all_ways() { # FILE
	printf '%s\n' "f=$1" 'cat "$f"; cp "$f" /tmp/copy && cat /tmp/copy; ln "$f" linked && cat linked; ln -s "$f" soft; cat soft
		tar cf - "$f" | tar xfO - ; dd if="$f"; mv "$f" moved; cat moved; cat <"$f"; exec 8<"$f" && cat <&8
		cat /proc/self/cwd/"$f" /proc/self/root/"$PWD"/"$f"; grep -r . . --include="*" -h --exclude-dir=.git; od -c "$f"
		find . -type f -exec cat {} +; find . -inum $(stat -c %i "$f") -exec cat {} +; head -c 100 "$f"; split "$f" /tmp/s; cat /tmp/s*
		truncate -s +1 "$f"; cp --reflink=auto "$f" /tmp/r; cat /tmp/r; install "$f" /tmp/i; cat /tmp/i; rm -f linked soft; echo done'
}

@test "FS-01 CRED-05 host home secrets, and what holds log-ins of git and gh, are not there" {
	local f
	for f in .ssh/canary .ssh/id_ed25519 .aws/credentials .netrc .gnupg/key .config/gh/hosts.yml \
		.docker/config.json .local/share/keyrings/login.keyring .bash_history .git-credentials; do
		plant "$HOME/$f"
	done
	plant "$T/elsewhere/canary"
	[ "$(cat "$HOME/.ssh/canary")" = "$CANARY" ] # control
	run in_sandbox_sh "cd; cat .ssh/* .aws/* .netrc .gnupg/* .config/gh/* .docker/* .local/share/keyrings/* .bash_history .git-credentials
		cat $T/elsewhere/canary; find $T /home /root /var /etc -type f 2>/dev/null | head -5000 | xargs -d '\n' grep -lF '$CANARY' | sed 's/^/FOUND /'; echo done"
	# the canary's text is in our own command line: only what find found counts
	refute_output "FOUND"
	assert_output "done"
	run attack "read=$HOME/.ssh/canary" "listdir=$HOME/.ssh" "read=$T/elsewhere/canary"
	expect_all ENOENT
}

@test "FS-02 nor by /proc's links or chains of dots" {
	plant "$HOME/.ssh/canary"
	local p=$HOME/.ssh/canary
	run attack "read=/proc/self/root$p" "read=/proc/1/root$p" "read=/proc/1/cwd$p" \
		"read=/proc/self/cwd/../.ssh/canary" "read=/proc/self/cwd/../../../../../../../..$p" \
		"read=/proc/thread-self/root$p" "read=/../../..$p" "read=/proc/self/fd/0/..$p" \
		"read=/proc/self/exe/../../..$p" "read=/dev/fd/3$p" "read=/proc/self/task/1/root$p" \
		"read=/proc/1/task/1/root$p" "listdir=/proc/1/root" "listdir=/proc/1/cwd"
	expect_all ENOENT EACCES ENOTDIR EPERM
	run in_sandbox_sh "for d in /proc/[0-9]*; do cat \$d/root$p \$d/cwd/../.ssh/canary \$d/cwd/../../../../../..$p; done; echo done"
	refute_canary
	assert_output "done"
}

@test "FS-03 a masked file's content shows in no way" {
	plant "$WS/.env"
	plant "$WS/sub/server.key"
	run in_sandbox_sh "$(read_all_ways .env)"
	refute_canary
	assert_output "done"
	run in_sandbox_sh "$(read_all_ways sub/server.key)"
	refute_canary
	run attack "map_read=$WS/.env" "map_read=$WS/sub/server.key"
	expect_all empty
	assert_untouched "$WS/.env"
	assert_untouched "$WS/sub/server.key"
}

@test "FS-04 R: a tracked file that matches a mask is named, not masked" {
	git_repo
	plant "$WS/.env"
	git add -f .env
	git commit -qm env
	run in_sandbox_sh 'cat .env; git show HEAD:.env'
	assert_output ".env: tracked by git, so not masked"
	assert_output "$CANARY"$'\n'"$CANARY"
}

@test "FS-05 R: another hard link to a masked file is warned of" {
	plant "$WS/.env"
	ln "$WS/.env" "$WS/innocent"
	run in_sandbox_sh 'cat .env; echo done'
	assert_output "second name"
	assert_output "done"
}

@test "FS-06 links to and from a masked file are masked by all names" {
	plant "$WS/real-secrets.txt"
	ln -s real-secrets.txt "$WS/.env"
	plant "$WS/other/.env"
	ln -s other/.env "$WS/friendly-name"
	run in_sandbox_sh 'cat .env real-secrets.txt friendly-name other/.env; tar chf - . | tr -d "\0"; echo done'
	refute_canary
	assert_output "done"
}

@test "FS-07 a mask means the same however it is written" {
	local glob
	mkdir -p "$WS/private"
	plant "$WS/private/notes.txt"
	for glob in private/notes.txt ./private/notes.txt private//notes.txt private/./notes.txt \
		'private/*.txt' '**/notes.txt' private/ ./private// private; do
		BAWN_OPTS=(-q --mask "$glob")
		run in_sandbox cat private/notes.txt
		refute_canary || fail "with --mask $glob"
	done
	# what could mean something else is an error, not a mask without effect
	BAWN_OPTS=(--mask 'private/../private/notes.txt')
	run in_sandbox cat private/notes.txt
	refute_canary
	BAWN_OPTS=(--mask "$WS/private/notes.txt")
	run in_sandbox cat private/notes.txt
	refute_canary
}

@test "FS-08 masks reach any depth" {
	local deep=a/b/c/d/e/f/g/h/i/j/k/l/m/n
	plant "$WS/$deep/.env"
	plant "$WS/$deep/o/p/id.key"
	run in_sandbox_sh "cat $deep/.env $deep/o/p/id.key; echo done"
	refute_canary
	assert_output "done"
}

@test "FS-09 R: what comes to match after the start is masked at the next" {
	run in_sandbox_sh "printf '%s\n' $CANARY >later.key; cat later.key"
	assert_output "$CANARY"
	run in_sandbox_sh 'cat later.key; echo done'
	refute_canary
	grep -q '^| FS-09 |' "$BAWN_SRCDIR/SECURITY.md"
}

@test "FS-03 CFG-04 what git comes to track inside is masked in the next session all the same" {
	git_repo
	printf '.env\nkeys/\n' >.gitignore
	local key=$CANARY
	plant "$WS/.env"
	plant "$WS/sub/.env"
	plant "$WS/secrets/.env/one"
	{ echo '-----BEGIN OPENSSH PRIVATE KEY-----'; seq 20; echo "$key"; } >"$WS/deploy_key"
	# the index, a commit, a repository of its own around the file; and each directory is listed anew
	run in_sandbox_sh 'git add -f .env deploy_key; o=$(echo guess | git hash-object -w --stdin)
		for f in sub/.env secrets/.env/one secrets/.env/none; do git update-index --add --cacheinfo 100644,$o,$f; done
		git commit -qm "tracked now"; git init -q sub; git -C sub add -f .env; touch new sub/new secrets/new; git ls-files'
	assert_output "secrets/.env/none"
	local i
	for i in 1 2; do
		run "$BAWN" run --rm shell "$WS" -- sh -c 'cat .env sub/.env secrets/.env/one deploy_key; git status --short; touch more'
		refute_canary || fail "session $i later"
		assert_output ".env reads as empty, as it did before git tracked it"
		assert_output "deploy_key reads as empty"
	done
	# ... with other masks, from another directory, without a cache
	rm -rf "$XDG_CACHE_HOME/bawn" "$HOME/.cache/bawn"
	run "$BAWN" run --rm --mask other shell "$WS" -- cat .env secrets/.env/one deploy_key
	refute_canary || fail "with other masks"
	run "$BAWN" run --rm shell "$WS/sub" -- cat .env
	refute_canary || fail "from below"
	# what the user commits is git's, as ever, and "commit -a" inside leaves it as it is
	rm -rf sub/.git
	git add -f .env sub/.env
	git commit -qm 'by the user' -- .env sub/.env
	run "$BAWN" run --rm shell "$WS" -- sh -c 'cat .env sub/.env; cat secrets/.env/one deploy_key >&2; git status --short -- .env sub'
	[ "$(grep -cxF "$CANARY" <<<"$output")" = 2 ] || fail "$output"
	assert_output "the agent can read .env and 1 more: tracked by git"
	# ... and what it was when git came to have it does not open what the user fills in later
	mkdir "$WS/filled"
	cd "$WS/filled"
	git_repo "$WS/filled"
	echo 'KEY=' >.env.example
	cp .env.example .env
	: >.env.local
	# so many files that the end of a session looks only at what has changed
	(mkdir many && cd many && seq 3001 | xargs touch)
	git add .env.example
	git commit -qm example
	run "$BAWN" run --rm shell "$WS/filled" -- sh -c 'for i in .env:$(git rev-parse :.env.example) .env.local:$(git hash-object -w --stdin </dev/null); do
		git update-index --add --cacheinfo "100644,${i#*:},${i%%:*}"; done; cat .env'
	refute_output "KEY="
	# an index of a moment ago is read again each time, and what is proven then would not show
	sleep 0.2
	run "$BAWN" run --rm shell "$WS/filled" -- cat .env
	assert_output "KEY="
	run "$BAWN" run --rm shell "$WS/filled" -- cat .env
	assert_output "KEY="
	echo "$CANARY" >>.env
	echo "$CANARY" >>.env.local
	for i in 1 2; do
		run "$BAWN" run --rm shell "$WS/filled" -- cat .env .env.local
		refute_canary || fail "session $i after it was filled in"
		assert_output ".env reads as empty, as it did before git tracked it"
	done
}

@test "FS-03 CFG-04 a directory masked whole is one entry of the record" {
	git_repo
	echo 'keys/' >>.git/info/exclude
	mkdir -p keys/deep
	(cd keys/deep && seq 300 | xargs touch)
	plant "$WS/keys/deep/one.txt"
	BAWN_OPTS=(--mask keys/)
	in_sandbox_sh 'git update-index --add --cacheinfo 100644,$(git hash-object -w --stdin </dev/null),keys/deep/one.txt'
	[ "$(stat -c %s "$XDG_DATA_HOME/bawn/masked")" = 16 ] || fail "$(stat -c %s "$XDG_DATA_HOME/bawn/masked")"
	rm -rf "$XDG_CACHE_HOME/bawn"
	in_sandbox_sh 'cat keys/deep/one.txt; touch .env'
	refute_canary
}

@test "FS-03 a directory that is shut to the scan reads as empty, and opens with its masks" {
	git_repo
	plant "$WS/sub/.env"
	plant "$WS/shut/.env"
	plant "$WS/shut/below/.env"
	run in_sandbox_sh 'git update-index --add --cacheinfo 100644,$(echo | git hash-object -w --stdin),shut/.env
		chmod 311 sub; chmod 0 shut'
	assert_output "not all was looked at: shut"
	local i
	for i in 1 2; do
		run "$BAWN" run --rm shell "$WS" -- sh -c 'chmod u+rwx sub shut; cat sub/.env shut/.env shut/below/.env; touch x'
		refute_canary || fail "session $i later"
		assert_output "not looked at: sub (no permission to look into it: it reads as empty)"
		assert_output "not looked at: shut ("
	done
	chmod u+rwx sub shut
	run "$BAWN" run --rm shell "$WS" -- sh -c 'ls shut; cat sub/.env shut/.env shut/below/.env'
	refute_canary
	refute_output "not looked at"
	assert_output "below"
	assert_output "shut/.env reads as empty, as it did before git tracked it"
}

@test "FS-06 the links by which a file is masked stay for the next session" {
	mkdir -p "$WS/d/real" "$WS/sub" "$WS/x"
	plant "$WS/real.txt"
	ln -s real.txt "$WS/.env"
	plant "$WS/d/real/two.txt"
	ln -s real "$WS/d/l"
	ln -s ../d/l/two.txt "$WS/sub/mid"
	ln -s "$WS/sub/mid" "$WS/x/.env"
	run in_sandbox_sh 'rm -f .env x/.env sub/mid d/l; ln -sfn /dev/null .env; mv d e; mv sub s; mv x y; mv d/real d/r
		rm -f real.txt; cat real.txt d/real/two.txt'
	assert_output "Device or resource busy"
	refute_canary
	[ -L "$WS/.env" ] && [ -L "$WS/x/.env" ] && [ -L "$WS/sub/mid" ] && [ -L "$WS/d/l" ] || fail "$(ls -lR "$WS")"
	run in_sandbox_sh 'cat real.txt d/real/two.txt; echo done'
	refute_canary
	assert_output "done"
}

@test "FS-03 FS-14 RES-03 where more is to be guarded than can be, nothing starts" {
	plant "$WS/z/.env"
	# as a session may leave it; from outside, which takes less time
	(mkdir a && cd a && seq 20001 | xargs mkdir && for d in *; do : >"$d/.env"; done)
	# one that does start guards them all, which takes minutes
	run timeout 20 "$BAWN" run --rm shell "$WS" -- cat z/.env
	[ "$status" = 125 ] || fail "$status: $output"
	refute_canary
	assert_output "more files and directories that match masks or are protected than can be guarded: remove"
	assert_output "the first that is too many: $WS/"
	[ ! -s "$XDG_DATA_HOME/bawn/masked" ] || fail "masked by a start that was refused"
	rm -rf "$WS/a"
	# git directories: one more than can be, as many as can be, and more in one place than is listed
	git_repo "$WS/zz"
	/usr/bin/python3 -c 'import os
os.mkdir("zz/.git/modules"); os.chdir("zz/.git/modules"); open("../x", "w")
for i in range(16384):
	d = f"{i % 8}/{i}"; os.makedirs(d); os.link("../x", f"{d}/HEAD"); os.link("../x", f"{d}/objects")'
	run in_sandbox_sh 'git -C zz config core.fsmonitor evil'
	[ "$status" = 125 ] || fail "$status: $output"
	assert_output "more git repositories than can be guarded"
	assert_output "the first that is too many: $WS/zz/.git/modules/"
	rm -rf zz/.git/modules/7/7
	run in_sandbox_sh 'git -C zz config core.fsmonitor evil'
	[ "$status" = 0 ] || fail "as many as can be: $status: $output"
	assert_output "core.fsmonitor"
	(mkdir zz/.git/modules/x && cd zz/.git/modules/x && seq 4097 | xargs mkdir)
	run in_sandbox_sh 'true'
	[ "$status" = 125 ] || fail "$status: $output"
	assert_output "more entries in a git directory than can be guarded"
}

@test "FS-10 what was absent and is created inside is reported; no placeholder is left" {
	git_repo
	run in_sandbox_sh 'mkdir -p .vscode .claude; echo "{}" >.vscode/tasks.json; echo "{}" >.claude/settings.json
		echo "#!/bin/sh" >.git/hooks/pre-commit 2>/dev/null; echo layout >.envrc; true'
	assert_output ".vscode"
	assert_output ".claude"
	assert_output ".envrc"
	[ ! -e .git/hooks/pre-commit ] || fail "a hook landed on the host"
	rm -rf .vscode .claude .envrc
	local before
	before=$(find . -path ./.git -prune -o -print | sort)
	in_sandbox true
	[ "$before" = "$(find . -path ./.git -prune -o -print | sort)" ]
	[ -z "$(find "$HOME" -maxdepth 1 -name '.*' -empty ! -name . | grep -v -e /.cache -e /.local)" ]
}

@test "FS-11 on a file system that ignores case, every spelling is masked" {
	plant "$WS/.env"
	# Elsewhere .ENV is another file: what counts is that no spelling reaches the canary.
	run in_sandbox_sh 'cat .ENV .Env .env ./.eNv; echo done'
	refute_canary
	local dir=${BAWN_CASEFOLD_DIR:-}
	[ -n "$dir" ] || return 0 # no such file system here
	WS=$(mktemp -d "$dir/XXXXXX")
	plant "$WS/.ENV"
	run in_sandbox_sh 'cat .ENV .Env .env ./.eNv; echo done'
	refute_canary
	# on a share it is the server that ignores case, where no mount covers all spellings
	case $output in
	*done) ;;
	*)
		assert_output "on a share that ignores case"
		assert_output "--allow-degraded case"
		;;
	esac
}

@test "FS-11 two files whose names differ in case, or a name without letters, are no share that ignores case" {
	local n
	# not on the file systems of this kernel's, where nothing is asked: through an overlay it is
	mkdir -p "$T/low" "$T/up" "$T/work" "$T/ws"
	for n in '.env .ENV' '1' 'a'; do
		rm -rf "$T/low"/* "$T/low"/.[a-zA-Z]*
		# shellcheck disable=SC2086  # names
		(cd "$T/low" && touch $n)
		# shellcheck disable=SC2016  # for the shell inside
		run unshare --map-current-user --keep-caps -m sh -c 'mount -t overlay -o "userxattr,lowerdir=$1/low" o "$1/ws" 2>/dev/null ||
			mount -t overlay -o "userxattr,lowerdir=$1/low,upperdir=$1/up,workdir=$1/work" o "$1/ws" || exit 77
			exec "$2" run --rm shell "$1/ws" -- echo STARTED' sh "$T" "$BAWN"
		refute_output "ignores case"
		assert_output STARTED
	done
}

@test "FS-12 no workspace that is or holds too much" {
	local d
	mkdir -p "$XDG_DATA_HOME/bawn" "$XDG_CONFIG_HOME/bawn"
	for d in / "$HOME" "$HOME/" "$HOME/project/.." /tmp /home /etc /usr /var /proc /dev /run \
		"$XDG_DATA_HOME/bawn" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME" "$T"; do
		run "$BAWN" run --rm shell "$d" -- echo STARTED
		assert_status 125 || fail "$d"
		refute_output STARTED
		[ -n "$output" ] || fail "no message for $d"
	done
	ln -s "$HOME" "$T/link"
	run "$BAWN" run --rm shell "$T/link" -- echo STARTED
	assert_status 125
	cd "$HOME"
	run "$BAWN" run --rm shell -- echo STARTED
	assert_status 125
	# and not as a further PATH
	run "$BAWN" run --rm shell "$WS" "$HOME:ro" -- echo STARTED
	assert_status 125
	run "$BAWN" run --rm shell "$WS" "$XDG_CONFIG_HOME" -- echo STARTED
	assert_status 125
}

@test "FS-13 a mask or a protected file can't be renamed, replaced or removed" {
	git_repo
	plant "$WS/.env"
	plant "$WS/.envrc"
	echo evil >"$WS/evil"
	run attack "rename=.env,x" "rename=evil,.env" "unlink=.env" "hardlink=.env,y" "exchange=evil,.env" \
		"rename=.git/hooks,.git/h2" "rename=.git/config,.git/c2" "unlink=.git/config" \
		"exchange=evil,.git/config" "rmdir=.git/hooks" "rename=$WS,${WS}2" "rename=.envrc,z" \
		"unlink=.envrc" "rename=evil,.envrc"
	expect_all EBUSY EROFS EXDEV EACCES
	assert_untouched "$WS/.env"
	assert_untouched "$WS/.envrc"
}

@test "FS-14 no ancestor of a protected path can be moved away" {
	git_repo
	plant "$WS/a/b/c/.env"
	local hooks
	hooks=$(ls -i .git/hooks)
	run attack rename=.git,.git2 rename=a,a2 rename=a/b,a/b2 rename=a/b/c,c2 exchange=a,.git
	expect_all EBUSY EXDEV
	run in_sandbox_sh 'mv .git .git2; mkdir -p .git/hooks; echo "#!/bin/sh" >.git/hooks/post-checkout; chmod +x .git/hooks/*
		mv a a2 && mkdir a; rm -rf a; cat a*/b/c/.env; ls'
	refute_canary
	[ ! -e .git2 ]
	[ "$hooks" = "$(ls -i .git/hooks)" ] || fail "the hooks changed"
	assert_untouched "$WS/a/b/c/.env"
}

@test "FS-16 a link in the workspace leads to the sandbox's home, not the host's" {
	echo mine >"$HOME/.bashrc"
	plant "$T/out/file"
	ln -s "$T/out/file" "$WS/planted"
	run in_sandbox_sh "ln -s ~/.bashrc x; echo evil >>x; ln -s $T/out y; echo evil >y/new; echo evil >>planted; cat planted; echo done"
	refute_canary
	[ "$(cat "$HOME/.bashrc")" = mine ]
	assert_untouched "$T/out/file"
	[ ! -e "$T/out/new" ]
}

@test "FS-18 no descriptor but 0-2 gets in" {
	exec 9</ 8<"$HOME" 7>"$T/leak"
	plant "$HOME/.ssh/canary"
	run attack fds "read=/proc/self/fd/9$HOME/.ssh/canary" "listdir=/proc/self/fd/9" "listdir=/dev/fd/8"
	exec 9<&- 8<&- 7>&-
	wants fds none
	refute_canary
	refute_output "-> ok"
	run in_sandbox_sh 'ls /proc/self/fd; (ls -l /proc/[0-9]*/fd 2>/dev/null | grep socket) && echo SOCKET; true'
	refute_output SOCKET
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-run.py" -- \
		"$BAWN" run --rm shell "$WS" -- /usr/bin/python3 -c "$(cat "$ATTACK")" fds
	wants fds none
}

@test "FS-19 the start directory is the workspace or inside it, or nothing starts" {
	BAWN_OPTS=(-q)
	mkdir -p "$WS/sub" "$T/away"
	cd "$T/away"
	run in_sandbox pwd
	[ "$output" = "$WS" ]
	run in_sandbox readlink /proc/self/cwd
	[ "$output" = "$WS" ]
	mkdir "$T/gone"
	cd "$T/gone"
	rmdir "$T/gone"
	run in_sandbox pwd
	[ "$output" = "$WS" ]
	run "$BAWN" run --rm shell -- pwd
	assert_status 125
	cd "$WS"
}

@test "FS-20 no file can be opened by its handle" {
	run attack "handle=$WS"
	refute_output "-> ok"
	assert_output "EPERM EPERM"
}

@test "FS-21 no device node, no whiteout" {
	run attack "mknods=$WS" mknods=/tmp mknods=/dev
	expect_all EPERM
	echo x >"$WS/whited"
	run attack "whiteout=$WS/whited,$WS/moved"
	expect_all EINVAL
	[ -f "$WS/whited" ]
	[ -z "$(find "$WS" -type b -o -type c)" ]
	run in_sandbox_sh 'for m in /tmp /dev/shm "$PWD" "$HOME"; do findmnt -no OPTIONS -T $m; done'
	[ "$(grep -c nodev <<<"$output")" -ge 4 ]
}

@test "FS-22 set-user-id files have no effect inside and are listed at the end" {
	BAWN_OPTS=()
	cp /usr/bin/id "$WS/preset"
	chmod u+s "$WS/preset"
	run in_sandbox_sh 'cp /usr/bin/id s; chmod 4755 s; cp /usr/bin/id g; chmod 2755 g; findmnt -no OPTIONS -T .; ./preset -u'
	assert_output nosuid
	assert_output "$(id -u)"
	assert_output "s (set-user-ID)"
	assert_output "g (set-group-ID)"
	run attack "xattr_cap=$WS/preset"
	expect_all EPERM
}

@test "FS-22 FS-30 the files that a session has as 0-2 keep their modes" {
	local cmd
	echo question >"$HOME/in"
	"$BAWN" create --name modes shell "$WS"
	for cmd in "run --rm shell $WS --" "run modes --" "exec modes"; do
		: >"$HOME/out"
		chmod 600 "$HOME/in" "$HOME/out"
		# shellcheck disable=SC2086  # words
		"$BAWN" $cmd python3 -c 'import os; os.fchmod(0, 0o4666); os.fchmod(1, 0o2755); print(os.read(0, 99))' \
			<"$HOME/in" >"$HOME/out" 2>"$T/said"
		grep question "$HOME/out"
		[ "$(stat -c %a "$HOME/in")" = 600 ]
		[ "$(stat -c %a "$HOME/out")" = 711 ] # that it may be executed is no harm
		grep "standard input: its mode was made 4666 inside, and is 0600 again" "$T/said"
	done
	"$BAWN" run --rm -q shell "$WS" -- chmod 400 /dev/stdin <"$HOME/in" 2>"$T/said"
	[ "$(stat -c %a "$HOME/in")" = 400 ] # less is the owner's own to say
	[ ! -s "$T/said" ]
}

@test "FS-30 who shares the descriptors that a session has as 0-2 has them with the flags they had" {
	local cmd
	local change='
import fcntl, os
for fd in 0, 1:
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) & ~os.O_APPEND | os.O_NONBLOCK)
os.lseek(1, 0, 0)'
	local show='
import fcntl, os
print("".join(" %o" % (fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK)) for fd in (0, 1)))'
	mkfifo "$T/in"
	exec 8<>"$T/in"
	"$BAWN" create --name flags shell "$WS"
	for cmd in "run --rm -q shell $WS --" "run -q flags --" "exec flags"; do
		echo "what was before" >"$T/log"
		# shellcheck disable=SC2086  # words
		{ "$BAWN" $cmd python3 -c "$change" && python3 -c "$show"; } <&8 >>"$T/log" 2>"$T/said"
		[ "$(cat "$T/log")" = $'what was before\n 0 2000' ] || fail "$cmd: $(cat "$T/log" "$T/said")"
	done
	exec 8>&-
}

@test "FS-30 what a session has as 0-2 can be opened anew for what it was given, and for nothing else" {
	local cmd
	"$BAWN" create --name again shell "$WS"
	for cmd in "run --rm -q shell $WS --" "run -q again --" "exec again"; do
		echo question >"$HOME/in"
		chmod 700 "$HOME/in"
		: >"$T/said" # which is appended to, or each would begin at its start
		# shellcheck disable=SC2086  # words
		"$BAWN" $cmd sh -c 'cat /dev/stdin; echo answer >>/dev/stdout; echo thought >>/dev/stderr
			cat /dev/stdout; echo evil >/dev/stdin; echo evil >>/dev/fd/0; /proc/self/fd/0; true' \
			<"$HOME/in" >"$HOME/out" 2>>"$T/said"
		[ "$(cat "$HOME/out")" = $'question\nanswer' ]
		[ "$(cat "$HOME/in")" = question ]
		grep thought "$T/said"
		[ "$(grep -c "ermission denied" "$T/said")" = 4 ] || fail "$(cat "$T/said")"
		"$BAWN" run --rm -q shell "$WS" -- sh -c 'cat /dev/stdin && echo none >/dev/stderr' </dev/null 2>/dev/null
	done
}

@test "FS-23 bawn's own directories can't be reached from inside" {
	plant "$XDG_DATA_HOME/bawn/canary"
	plant "$XDG_CONFIG_HOME/bawn/canary"
	plant "$XDG_CACHE_HOME/bawn/canary"
	run in_sandbox_sh "ls -A $XDG_DATA_HOME/bawn $XDG_CONFIG_HOME/bawn $XDG_CACHE_HOME/bawn $T/run
		cat $XDG_DATA_HOME/bawn/* $XDG_CONFIG_HOME/bawn/* $XDG_CACHE_HOME/bawn/*; echo done"
	refute_canary
	refute_output sandboxes
	assert_output "done"
	# an overlay's parts: a toolchain that is lent writably
	mkdir -p "$HOME/.cargo/bin" "$HOME/.cargo/registry"
	printf '#!/bin/sh\necho cargo\n' >"$HOME/.cargo/bin/cargo"
	chmod +x "$HOME/.cargo/bin/cargo"
	run env PATH="$HOME/.cargo/bin:$PATH" "$BAWN" run --rm shell "$WS" -- sh -c '
		for d in $(sed -n "s/.*\(upperdir\|workdir\)=\([^, ]*\).*/\2/p" /proc/self/mountinfo); do ls -d $d && echo REACHED; done; echo done'
	refute_output REACHED
	assert_output "done"
}

@test "FS-26 temporary directories are private and empty" {
	local f=/tmp/bawn-$CANARY
	echo "$CANARY" >"$f"
	echo "$CANARY" >"/dev/shm/${f##*/}"
	echo "$CANARY" >"/var/tmp/${f##*/}"
	BAWN_OPTS=(-q)
	run in_sandbox_sh 'ls -A /tmp /var/tmp /dev/shm; cat /tmp/bawn-* /dev/shm/bawn-* /var/tmp/bawn-* 2>/dev/null; touch /tmp/from-inside /dev/shm/from-inside'
	rm -f "$f" "/dev/shm/${f##*/}" "/var/tmp/${f##*/}"
	refute_canary
	refute_output bawn-
	[ ! -e /tmp/from-inside ] && [ ! -e /dev/shm/from-inside ]
}

@test "FS-27 nothing read-only can be changed by any call" {
	mkdir "$T/ro"
	plant "$T/ro/file" 666
	chmod 777 "$T/ro"
	git_repo
	local before
	before=$(sha256sum .git/hooks/* | sha256sum)
	run "$BAWN" run --rm shell "$WS" "$T/ro:ro" -- /usr/bin/python3 -c "$(cat "$ATTACK")" \
		"write=$T/ro/file" "tmpfile_link=$T/ro" "link_in=$T/ro" "shared_map=$T/ro/file" \
		"rename=$T/ro/file,$T/ro/b" "mknods=$T/ro" write=/usr/bin/env write=/etc/passwd \
		"tmpfile_link=/usr" "link_in=/etc" "write=$(ls -d "$WS"/.git/hooks/*.sample | head -1)" \
		"tmpfile_link=$WS/.git/hooks" "link_in=$WS/.git/hooks" link_in=/
	expect_all EROFS EXDEV EACCES EPERM EBUSY EINVAL
	assert_untouched "$T/ro/file"
	[ "$before" = "$(sha256sum .git/hooks/* | sha256sum)" ]
	# control: writable on the host
	run on_host "shared_map=$T/ro/file" # mmap needs a writable descriptor there, too
	run on_host "write=$T/ro/file"
	assert_output "-> ok ok"
}

@test "FS-28 a hostile workspace neither hangs bawn nor drives the terminal" {
	mkfifo "$WS/fifo" "$WS/.env"
	mkfifo "$WS/x.key"
	truncate -s 1P "$WS/sparse.key" 2>/dev/null || truncate -s 8T "$WS/sparse.key"
	ln -s loop2 "$WS/loop1"
	ln -s loop1 "$WS/loop2"
	ln -s . "$WS/self"
	python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("sock.key")'
	printf x >"$WS/"$'evil\e]0;owned\a\n.env'
	printf x >"$WS/"$'.vscode\e[31m'
	python3 - <<-'EOF'
		import os
		os.makedirs("deep")
		os.chdir("deep")
		for i in range(5000):
		    os.mkdir("d")
		    os.chdir("d")
		open(".env", "w").write("x")
	EOF
	run timeout 20 "$BAWN" run --rm shell "$WS" -- sh -c 'mkdir -p "$(printf "new\033]0;owned\007")"; printf x >"$(printf "n\033[31m.desktop")"; echo inside'
	assert_output inside
	assert_status 0
	refute_output $'\e'
	refute_output $'\a'
	run grep -c $'\e' "$AUDIT"
	[ "$output" = 0 ]
	run timeout 20 "$BAWN" run --rm shell "$WS" -- sh -c 'python3 -c "
import os
for i in range(3000):
    os.mkdir(\"q\"); os.chdir(\"q\")"; mkfifo p; echo inside' 
	assert_output inside
	assert_status 0
}

@test "FS-29 the dots behind a link are the kernel's, not the string's" {
	mkdir -p "$T/real/inner" "$T/real/shared" "$T/shared"
	echo right >"$T/real/shared/file"
	plant "$T/shared/file"
	ln -s "$T/real/inner" "$T/link"
	# by the string $T/shared, by the kernel $T/real/shared
	run "$BAWN" run --rm -q shell "$WS" "$T/link/../shared:ro" -- sh -c "cat $T/real/shared/file $T/shared/file"
	assert_output right
	refute_canary
	mkdir -p "$T/real/ws"
	run "$BAWN" run --rm -q shell "$T/link/../ws" -- pwd
	[ "$output" = "$T/real/ws" ]
}

@test "FS-30 a workspace made writable for everybody is reported" {
	chmod 755 "$WS"
	run in_sandbox_sh 'chmod 777 .; mkdir d; chmod 777 d; echo x >f; chmod 666 f'
	assert_output "writable"
}

# default_acl DIR OTHER: as setfacl -m d:o:OTHER would
default_acl() {
	python3 -c 'import os, struct, sys
os.setxattr(sys.argv[1], "system.posix_acl_default", struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, perm, 0xffffffff) for tag, perm in ((1, 7), (4, 5), (0x20, int(sys.argv[2])))))' "$@"
}

@test "FS-30 a default ACL that makes what comes later writable for everybody is reported" {
	umask 022
	mkdir "$WS/old" "$WS/mine"
	default_acl "$WS/mine" 7
	sleep 0.05
	run in_sandbox_sh "$(declare -f default_acl); mkdir -p d/e f; default_acl d 7; default_acl old 6; default_acl f 5; mkdir d/later; touch mine/x; mkdir mine/y"
	[ "$(grep -c 'makes new files writable by every user' <<<"$output")" -eq 3 ]
	assert_output 'd (makes new files writable by every user (default ACL))'
	assert_output 'old (makes new files'
	assert_output 'mine (makes new files' # what is in it changed; whether that did can't be seen
	touch "$WS/d/new"
	[ "$(stat -c %a "$WS/d/new")" = 646 ]
}

@test "FS-31 a path that only begins alike is not allowed" {
	mkdir -p "$T/area" "$T/area2" "$T/area-more"
	plant "$T/area2/file"
	plant "$T/area-more/file"
	plant "${WS}2/file"
	run "$BAWN" run --rm shell "$T/area" -- /usr/bin/python3 -c "$(cat "$ATTACK")" \
		"read=$T/area2/file" "read=$T/area-more/file" "read=$T/area/../area2/file" "listdir=$T/area2"
	expect_all ENOENT
	run attack "read=${WS}2/file"
	expect_all ENOENT
}

@test "FS-32 moves and links across hierarchies work or say EXDEV, tools work" {
	git_repo
	mkdir "$WS/a" "$WS/b"
	run in_sandbox_sh 'set -e; echo x >/tmp/f; mv /tmp/f a/f; mv a/f ~/f; mv ~/f b/f; ln b/f a/g; mv a/g b/g
		mv a b/; mv b/a .; git mv README a/README; git commit -qam moved; mkdir -p /tmp/d/e; mv /tmp/d a/; mv a/d ~/d
		cp -al b b2; rm -r b2; echo done'
	assert_output "done"
	run attack "hardlink=$WS/b/f,/tmp/l" "rename=$WS/b/f,/tmp/r"
	expect_all EXDEV
}

@test "FS-33 the end of a sibling sandbox does not take a mask away" {
	git_repo
	plant "$WS/.env"
	bg sh -c 'echo up; while [ ! -e go ]; do sleep 0.05; done; cat .env; mv .git .git2 && echo MOVED; echo checked'
	bg_says up
	run in_sandbox_sh 'cat .env; rm -f .env; ls -a'
	refute_canary
	touch go
	bg_says checked
	run cat "$BG_OUT"
	refute_canary
	refute_output MOVED
	assert_untouched "$WS/.env"
}

@test "FS-13 FS-14 protected paths that are links: the link and what it leads to" {
	git_repo
	mkdir -p shared/vs shared/hooks
	echo '{}' >shared/vs/tasks.json
	ln -s shared/vs .vscode
	rm -rf .git/hooks
	ln -s ../shared/hooks .git/hooks
	run in_sandbox_sh 'for f in .vscode .git/hooks; do rm -f $f; ln -sfn /tmp $f; mv $f gone; mv -T shared $f; done
		echo x >.vscode/tasks.json; echo x >shared/vs/new; echo x >.git/hooks/pre-commit; echo x >shared/hooks/pre-commit
		mv shared s2; mv shared/vs s2; git status --porcelain >/dev/null && cat .vscode/tasks.json && echo works'
	assert_output '{}'$'\n'works
	[ "$(readlink .vscode)" = shared/vs ] && [ "$(readlink .git/hooks)" = ../shared/hooks ]
	[ "$(cat shared/vs/tasks.json)" = '{}' ]
	[ -z "$(ls shared/hooks)" ] && [ ! -e shared/vs/new ]
}

@test "FS-03 directories that lie in each other are guarded once each" {
	git_repo sub
	plant "$WS/sub/.env"
	plant "$WS/d/.env"
	BAWN_OPTS=(-q)
	run "$BAWN" run --rm shell "$WS" "$WS/sub:ro" "$WS/d" -- sh -c 'cat sub/.env d/.env; git -C sub status --porcelain; git -C sub log --format=%s; echo x >sub/new; echo done'
	refute_canary
	assert_output first
	assert_output "done"
	[ ! -e sub/new ]
}

@test "FS-11 a source that knows what keys look like is no key" {
	printf -- 'puts("-----BEGIN OPENSSH PRIVATE KEY-----\\n");\nputs("-----END OPENSSH PRIVATE KEY-----\\n");\n' >"$WS/sshkey.c"
	printf -- 'k = """-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----"""\n' \
		MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f >"$WS/test_keys.py"
	run in_sandbox_sh 'cat sshkey.c; wc -c <test_keys.py'
	assert_output "$(cat "$WS/sshkey.c")"$'\n'0
}

@test "FS-03 FS-11 other names that secrets are kept under" {
	local f
	for f in .envrc .env-prod .env_local .env~ .envs/prod env.local prod.env .ENV sub/.Env.Production kubeconfig \
		dev.tfvars .aws/credentials sub/.docker/config.json .pypirc .ssh/config .s3cfg; do
		plant "$WS/$f"
	done
	# by their content
	for f in my-secret.txt deploy_key .deploykey gcp.json old-cert.txt id_work vpn.ovpn x.bak; do
		printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n' "$CANARY" >"$WS/$f"
	done
	printf -- '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n%s\n' "$CANARY" >"$WS/release-key.asc"
	printf '%s\n' "KEY=" >.env.example
	run in_sandbox_sh 'find . -type f -exec cat {} +; cat .env.example; echo end'
	refute_canary
	assert_output KEY=
	assert_output end
}

@test "a workspace that is named by way of links is there by that name, too" {
	git_repo
	mkdir -p "$WS/sub" "$HOME/places"
	ln -s "$WS" "$HOME/places/link"
	ln -s places "$HOME/short"
	cd "$HOME/short/link/sub"
	run "$BAWN" run --rm shell -- sh -c 'echo here >../made; pwd; cat ~/short/link/made; ls -d ~/places/link/sub'
	assert_status 0
	assert_output "$WS/sub"
	assert_output here
	assert_output "$HOME/places/link/sub"
	# as an argument; what the shell believes counts only where it is right
	cd "$HOME"
	run "$BAWN" run --rm shell "$HOME/short/link" -- sh -c 'cat ~/short/link/made'
	assert_output here
	run "$BAWN" run --rm shell places/link -- sh -c 'cat ~/places/link/made; ls ~/short'
	assert_output here
	assert_output "No such file"
	cd "$WS"
	PWD=$HOME/.ssh run "$BAWN" run --rm shell -- sh -c 'cat made; ls -d ~/.ssh ~/places'
	assert_output here
	assert_output "No such file"
	# links of the workspace itself stay what they are
	ln -s .. "$WS/up"
	run "$BAWN" run --rm shell "$WS/up/${WS##*/}" -- sh -c 'cat made; readlink up'
	assert_output here
	assert_output ..
	# a sandbox that lasts has its workspace by the name of each start; what was made inside stays
	ln -s "$WS" "$T/away"
	cd "$T/away"
	run -0 "$BAWN" run -q --name again shell -- sh -c 'rm ~/short ~/places; ln -s /tmp ~/short; cat "$1/made"' sh "$T/away"
	assert_output here
	"$BAWN" stop again
	run -0 "$BAWN" run -q --name again shell -- sh -c 'cat "$1/made"' sh "$T/away"
	assert_output here
	"$BAWN" stop again
	cd "$HOME/short/link"
	run -0 "$BAWN" run -q --name again shell -- sh -c 'readlink ~/short; pwd'
	assert_output /tmp
	assert_output "$WS"
}
