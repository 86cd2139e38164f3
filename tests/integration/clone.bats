#!/usr/bin/env bats
# clone.bats - --workspace clone and --workspace none
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

make_clone() {
	[ -e "$WS/.git" ] || git_repo
	"$BAWN" create --name box --workspace clone shell "$WS"
}

@test "a clone: what is committed, on a branch of its own, at the same path; nothing else" {
	git_repo
	plant "$WS/.env"
	plant "$WS/untracked"
	plant "$WS/ignored.log"
	echo '*.log' >"$WS/.gitignore"
	echo changed >>"$WS/README"
	git -C "$WS" branch other
	git -C "$WS" tag v1
	run "$BAWN" create --name box --workspace clone shell "$WS"
	assert_status 0
	assert_output "without your changed files"
	assert_output "untracked files"
	run "$BAWN" exec box sh -c "pwd; cat README; ls -A; git branch --show-current; git branch -r; git tag; git status --short; git config user.name"
	assert_status 0
	assert_output "$WS"
	assert_output hello
	refute_output changed
	refute_output untracked
	refute_canary
	assert_output bawn/box
	assert_output host/other
	assert_output v1
	assert_output "Test User"
	[ "$(git -C "$WS" status --short | wc -l)" = 4 ] # the host's is as it was
}

@test "commits reach the host by the remote, stopped and running; rm takes the remote away" {
	make_clone
	"$BAWN" exec box sh -c 'echo one >one; git add one; git commit -qm one'
	run git -C "$WS" fetch bawn-box
	assert_status 0
	[ "$(git -C "$WS" show bawn-box/bawn/box:one)" = one ]
	[ ! -e "$WS/one" ]
	"$BAWN" exec -d box sh -c 'echo two >two; git add two; git commit -qm two; touch /tmp/done; sleep 100'
	for _ in {1..100}; do "$BAWN" exec box test -e /tmp/done && break; sleep 0.05; done
	run git -C "$WS" fetch bawn-box
	assert_status 0
	[ "$(git -C "$WS" show bawn-box/bawn/box:two)" = two ]
	run git -C "$WS" push bawn-box main
	[ "$status" != 0 ]
	assert_output "nothing can be pushed into a sandbox"
	"$BAWN" stop --time 0 box
	"$BAWN" rm box
	run git -C "$WS" remote
	refute_output bawn-box
	git -C "$WS" rev-parse -q --verify refs/remotes/bawn-box/bawn/box # what was fetched stays
}

@test "many clones of one repository at once: each has its remote, and rm at once takes them all" {
	local i pids=()
	git_repo
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		"$BAWN" create --name "many$i" --workspace clone shell >/dev/null
	done
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		"$BAWN" exec "many$i" true 2>"$T/err$i" 3>&- &
		pids+=("$!")
	done
	wait "${pids[@]}"
	run cat "$T"/err*
	[ -z "$output" ] || fail "$output"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		[ "$(git -C "$WS" config --get-regexp "^remote\.bawn-many$i\." | wc -l)" = 5 ] || fail "$i"
	done
	pids=()
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		"$BAWN" rm "many$i" >/dev/null 3>&- &
		pids+=("$!")
	done
	wait "${pids[@]}"
	[ -z "$(git -C "$WS" remote)" ] || fail "$(git -C "$WS" remote)"
	[ ! -e "$WS/.git/config.lock" ]
}

@test "while it is cloned nobody is let in: run, exec and rules wait for the whole of it" {
	local i
	git_repo
	mkdir "$WS"/d{0..39}
	for ((i = 0; i < 4000; i++)); do
		echo "$i" >"$WS/d$((i / 100))/f$i"
	done
	git -C "$WS" add -A
	git -C "$WS" commit -qm many
	"$BAWN" create --name box --workspace clone shell "$WS" >/dev/null 3>&- &
	local making=$!
	eventually test -S "$XDG_DATA_HOME/bawn/sandboxes/box/control.sock"
	"$BAWN" policy allow --sandbox box one.example 3>&- &
	local allowing=$!
	run "$BAWN" exec box sh -c 'git status --short; git log --oneline | wc -l; ls d39 | wc -l; bawn-why github.com'
	assert_status 0
	assert_output $'2\n100\nallowed: github.com:443'
	wait "$making" "$allowing"
	run "$BAWN" policy ls box
	assert_output 'allow  one.example'
	# it was not joined, and had no network; the next one has
	run "$BAWN" log --event session box
	refute_output '1 begins'
}

@test "exec waits for a checkpoint that is taken meanwhile" {
	git_repo
	"$BAWN" run --name box shell -- sh -c 'head -c 300000000 /dev/zero >~/big; touch ~/there; sleep 60' 3>&- &
	SERVERS+=("$!")
	eventually sh -c '"$BAWN" exec box test -e "$HOME/there"'
	"$BAWN" checkpoint box one >/dev/null 2>&1 3>&- &
	local taking=$! i
	for i in 1 2 3 4 5 6; do
		run "$BAWN" exec box echo joined
		assert_status 0
		assert_output joined
	done
	wait "$taking"
	run "$BAWN" checkpoints box
	assert_output one
}

@test "PER-08 a hostile clone runs nothing on the host and leaks none of its files" {
	make_clone
	plant "$HOME/secret/objects/info/canary"
	git_repo "$HOME/other"
	plant "$HOME/other/f"
	git -C "$HOME/other" add f && git -C "$HOME/other" commit -qm secret
	local blob commit
	blob=$(git -C "$HOME/other" rev-parse HEAD:f) commit=$(git -C "$HOME/other" rev-parse HEAD)
	cat >"$T/evil" <<-EVIL
		cd .git
		git config uploadpack.packObjectsHook 'touch $T/ran; echo' ; git config core.fsmonitor 'touch $T/ran'
		git config core.sshCommand 'touch $T/ran'; git config core.hooksPath "\$PWD/hooks"; git config core.alternateRefsCommand 'touch $T/ran'
		git config include.path $HOME/other/.git/config; git config core.pager 'touch $T/ran'; git config filter.x.smudge 'touch $T/ran'
		mkdir -p hooks; for h in post-checkout pre-auto-gc post-update reference-transaction; do printf '#!/bin/sh\ntouch $T/ran\n' >hooks/\$h; chmod +x hooks/\$h; done
		echo $HOME/other/.git/objects >>objects/info/alternates
		mkdir -p refs/heads/leak; echo $commit >refs/heads/leak/it; ln -s $HOME/other/.git/refs/heads/main refs/heads/link
		ln -s $HOME/other/.git/objects/${blob:0:2} objects/${blob:0:2} || :
	EVIL
	"$BAWN" exec box sh -c "$(cat "$T/evil")"
	run git -C "$WS" fetch bawn-box
	run git -C "$WS" fetch bawn-box bawn/box
	[ ! -e "$T/ran" ] || fail "something ran on the host"
	run git -C "$WS" cat-file -p "$blob"
	[ "$status" != 0 ] || fail "the host's object came in"
	refute_canary
	run git -C "$WS" cat-file -e "$commit"
	[ "$status" != 0 ]
	# nor when the directory itself is taken for a repository
	run git -C "$XDG_DATA_HOME/bawn/sandboxes/box" rev-parse --git-dir
	refute_output "sandboxes/box"
}

@test "PER-08 filters and monitors that the repository names don't run on the host" {
	git_repo
	printf '* filter=evil diff=evil\n' >"$WS/.gitattributes"
	printf '#!/bin/sh\ntouch %s/ran\ncat\n' "$T" >"$T/tool"
	chmod +x "$T/tool"
	git -C "$WS" add .gitattributes && git -C "$WS" commit -qm attributes
	git -C "$WS" config filter.evil.clean "$T/tool"
	git -C "$WS" config filter.evil.smudge "$T/tool"
	git -C "$WS" config core.fsmonitor "$T/tool"
	git -C "$WS" config diff.evil.textconv "$T/tool"
	git -C "$WS" config core.hooksPath "$T"
	touch -d '2001-01-01' "$WS/README"
	make_clone
	"$BAWN" fork box box2
	"$BAWN" rm box box2
	[ ! -e "$T/ran" ] || fail "a program of the repository's ran"
}

@test "checkpoint, restore and fork take the clone along; each fork has its remote" {
	make_clone
	"$BAWN" exec box sh -c 'echo base >f; git add f; git commit -qm base'
	"$BAWN" checkpoint box t
	run "$BAWN" fork --count 2 box try
	assert_status 0
	"$BAWN" exec try-1 sh -c 'echo one >f; git commit -qam one'
	"$BAWN" exec try-2 sh -c 'echo two >f; git commit -qam two'
	"$BAWN" exec box sh -c 'rm -rf .git f'
	"$BAWN" restore box t
	run "$BAWN" exec box sh -c 'git log --oneline | wc -l; cat f; git status --short'
	assert_output $'2\nbase'
	git -C "$WS" fetch -q bawn-try-1
	git -C "$WS" fetch -q bawn-try-2
	[ "$(git -C "$WS" show bawn-try-1/bawn/box:f)" = one ]
	[ "$(git -C "$WS" show bawn-try-2/bawn/box:f)" = two ]
	git -C "$WS" merge -q --ff-only bawn-try-2/bawn/box
	[ "$(cat "$WS/f")" = two ]
}

@test "a linked work tree and a shallow repository can be cloned, too" {
	git_repo
	echo 2 >"$WS/README" && git -C "$WS" commit -qam second
	git -C "$WS" worktree add -q "$HOME/linked"
	"$BAWN" create --name link --workspace clone shell "$HOME/linked"
	run "$BAWN" exec link git log --oneline
	assert_output second
	git clone -q --depth 1 "file://$WS" "$HOME/shallow"
	"$BAWN" create --name flat --workspace clone shell "$HOME/shallow"
	run "$BAWN" exec flat sh -c 'git log --oneline; git fsck --connectivity-only && echo whole'
	assert_output second
	assert_output whole
}

@test "what can't be cloned is refused with the remedy, and leaves nothing" {
	run "$BAWN" create --name box --workspace clone shell "$WS"
	assert_status 125
	assert_output "no git repository"
	assert_output "git init"
	git -C "$WS" init -q
	run "$BAWN" create --name box --workspace clone shell "$WS"
	assert_status 125
	assert_output "no commit"
	git_repo
	mkdir -p "$HOME/secret"
	echo "$HOME/secret" >"$WS/.git/objects/info/alternates"
	run "$BAWN" run --name box --workspace clone shell "$WS" -- true
	assert_status 125
	assert_output "borrows objects"
	assert_output "repack"
	rm "$WS/.git/objects/info/alternates"
	run "$BAWN" run --rm --workspace clone shell "$WS" -- true
	assert_status 125
	assert_output "with all its commits"
	run "$BAWN" run --workspace sideways shell "$WS" -- true
	assert_status 125
	assert_output "direct"
	run "$BAWN" ls -q
	[ -z "$output" ]
	run git -C "$WS" remote
	[ -z "$output" ]
}

@test "what is killed while it clones is cloned again; what is there is never made again" {
	git_repo
	for i in $(seq 50); do echo "$i" >"$WS/f$i"; done
	git -C "$WS" add . && git -C "$WS" commit -qm many
	for t in 0.005 0.01 0.02 0.04; do
		timeout -s KILL $t "$BAWN" create --name box --workspace clone shell "$WS" >/dev/null 2>&1 || :
		sleep 0.2
		run "$BAWN" run --name box --workspace clone shell "$WS" -- sh -c 'ls | wc -l; git status --short | wc -l; echo mine >mine; git add mine; git commit -qm mine'
		assert_status 0
		assert_output $'51\n0'
		run "$BAWN" exec box git log --oneline
		assert_output mine
		"$BAWN" rm box
	done
}

@test "no workspace: the home is where it starts, nothing of the directory is there" {
	plant "$WS/file"
	run "$BAWN" run --rm --workspace none shell -- sh -c "pwd; ls -A $WS; cat $WS/file; touch here && echo writable"
	assert_status 0
	assert_output "$HOME"
	assert_output writable
	refute_canary
	run "$BAWN" create --workspace none shell
	assert_output shell-none
	"$BAWN" exec shell-none sh -c 'echo kept >~/f'
	run "$BAWN" run --workspace none shell -- sh -c 'pwd; cat ~/f; ls -A .'
	assert_output kept
	refute_output project
	run "$BAWN" log --event start shell-none
	assert_output 'shell: '
	refute_output '/run/bawn'
	run "$BAWN" ls
	assert_output none
	run "$BAWN" checkpoint shell-none
	assert_status 0
	refute_output "worked on directly"
	mkdir "$HOME/extra" && echo e >"$HOME/extra/e"
	run "$BAWN" run --rm --workspace none shell "$HOME/extra:ro" -- sh -c "cat $HOME/extra/e; touch $HOME/extra/n; pwd"
	assert_output e
	assert_output "Read-only"
}

@test "clone: a machine without git says that, and cow needs none" {
	git_repo
	local uid
	uid=$(id -u)
	# as it would be, in a mount namespace of this user's
	without_git() {
		unshare -Urm sh -c 'mount --bind /dev/null /usr/bin/git && u=$1 && shift && exec unshare -U --map-user="$u" --map-group="$u" "$@"' _ "$uid" "$@"
	}
	need without_git true -- "no user namespaces in user namespaces"
	run without_git "$BAWN" run --name box --workspace clone shell -- true
	assert_status 125
	assert_output 'there is no git on this machine'
	assert_output '--workspace cow'
	refute_output commit
	run "$BAWN" ls -q
	[ -z "$output" ]
	run without_git "$BAWN" run --name box --workspace cow shell -- sh -c 'echo more >>README'
	assert_status 0
	run without_git "$BAWN" diff box
	assert_status 0
	assert_output '+more'
}

@test "a clone has the files of Git LFS, from what the host has of them" {
	need command -v git-lfs -- "git-lfs"
	git lfs install --skip-repo >/dev/null
	git_repo
	(cd "$WS" && git lfs track '*.bin') >/dev/null
	head -c 5000 /dev/zero >"$WS/a.bin"
	git -C "$WS" add -A
	git -C "$WS" commit -qm lfs
	make_clone
	run "$BAWN" exec box sh -c 'wc -c <a.bin; git status --porcelain; echo x >/run/bawn/lfs/objects/x || echo refused; echo b >b.bin; git add b.bin; git show :b.bin'
	assert_output 5000
	refute_output 'M a.bin'
	assert_output refused
	assert_output 'version https://git-lfs'
	"$BAWN" rm -f box
	# what is not there, or not where it always is, stays a pointer
	plant "$HOME/.ssh/lfs"
	mv "$WS/.git/lfs/objects" "$HOME/objects"
	ln -s "$HOME/.ssh" "$WS/.git/lfs/objects"
	make_clone
	run "$BAWN" exec box sh -c 'cat a.bin; ls /run/bawn'
	assert_status 0
	assert_output 'version https://git-lfs'
	refute_output lfs/objects
	run "$BAWN" exec box cat /run/bawn/lfs/objects/lfs
	refute_canary
}
