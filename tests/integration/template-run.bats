#!/usr/bin/env bats
# template-run.bats - a template as the root: who one is in there, what is there, what stays, what of
# it never counts outside.  Attack corpus: TPL-12, TPL-13, TPL-17, TPL-19, FS-25.
# shellcheck disable=SC2153  # LAYER: templates.sh
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# A template "base" of one layer.
base() {
	template_layer
	template_debian
	template_commit base
}

in_base() {
	"$BAWN" run --rm -q --template base shell "$WS" -- "$@"
}

# All that the store has: names, modes, content.
store_digest() {
	(cd "$TEMPLATES" && find layers images tags -printf '%p %m %l %T@\n' | LC_ALL=C sort && find layers images tags -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum
}

@test "the agent is uid 1000 at its workspace, in the template's root and in nothing of the host's" {
	base
	plant "$HOME/.ssh/canary"
	mkdir -p "$HOME/.cargo/bin" "$HOME/.local/bin"
	printf '#!/bin/sh\necho of the host\n' >"$HOME/.cargo/bin/hosttool"
	chmod +x "$HOME/.cargo/bin/hosttool"
	PATH=$HOME/.cargo/bin:$PATH run in_base sh -c "id; pwd; echo \$HOME \$USER; cat /etc/image-file /etc/passwd
		cat $HOME/.ssh/canary; ls $HOME/.cargo; command -v hosttool python3 git; echo made >here; stat -c '%u %a' here / /tmp"
	assert_output "uid=1000(agent) gid=1000(agent) groups=1000(agent)"
	assert_output "$WS"
	assert_output "/home/agent agent"
	assert_output image-only
	assert_output "agent:x:1000:1000::/home/agent:/bin/bash"
	assert_output "1000 755"
	assert_output "1000 1777"
	refute_canary
	refute_output hosttool
	refute_output /python3
	[ "$(cat "$WS/here")" = made ]
	[ "$(stat -c %u "$WS/here")" = "$(id -u)" ]
}

@test "the image's own account of uid 1000 is who one is" {
	template_layer
	template_debian
	printf 'agent:x:999:999::/nonexistent:/bin/false\nnode:x:1000:100:Node:/srv/node home:/bin/sh\n' >>"$LAYER/etc/passwd"
	mkdir -p "$LAYER/srv/node home"
	echo theirs >"$LAYER/srv/node home/file"
	template_commit base
	run in_base sh -c 'id -un; echo "$HOME"; cat ~/file; grep -c : /etc/passwd; echo new >~/.profile; ls -A ~'
	assert_output "node
/srv/node home
theirs
3"
	# a name that another number has is not taken
	template_layer
	mkdir "$LAYER/etc"
	printf 'root:x:0:0:root:/root:/bin/sh\nagent:x:999:999::/x:/bin/false' >"$LAYER/etc/passwd"
	printf 'bawn-no-newline:x:5:' >"$LAYER/etc/group"
	template_commit other
	run "$BAWN" run --rm -q --template other shell . -- sh -c 'id; cat /etc/passwd /etc/group'
	assert_output "uid=1000(bawn) gid=1000(bawn)"
	assert_output "
bawn:x:1000:1000::/home/agent:/bin/bash"
	assert_output "bawn-no-newline:x:5:
bawn:x:1000:"
}

@test "what an account says that can't be used is not: homes of ours, dots, no path" {
	local home
	for home in / /proc /tmp/x /run/user ../up relative /a/../../b /a//b /a/; do
		LAYERS=()
		template_layer
		[ -d "$LAYER/usr" ] || template_debian
		printf 'root:x:0:0::/root:/bin/sh\n-x$(y):x:1000:1000::%s:sh\n' "$home" >"$LAYER/etc/passwd"
		rm -f "$TEMPLATES/tags"
		template_commit base
		run in_base sh -c 'echo "$HOME $USER $SHELL"'
		assert_output "/home/agent agent /bin/bash"
	done
}

@test "names of the network are bawn's, and what is changed inside stays" {
	template_layer
	template_debian
	ln -s /run/systemd/resolve/stub-resolv.conf "$LAYER/etc/resolv.conf"
	echo '6.6.6.6 localhost' >"$LAYER/etc/hosts"
	template_commit base
	"$BAWN" create --name box --template base shell .
	run "$BAWN" exec box sh -c 'cat /etc/resolv.conf /etc/hosts /etc/hostname'
	assert_output "nameserver 127.0.0.53"
	assert_output "127.0.1.1	bawn"
	refute_output 6.6.6.6
	run "$BAWN" exec box sh -c 'echo 10.1.2.3 mine >>/etc/hosts; echo me:x:2000:2000::/:/bin/sh >>/etc/passwd; rm /etc/image-file; echo more >/usr/bin/more; mkdir -p /opt/x; echo y >~/y'
	[ "$status" -eq 0 ]
	run "$BAWN" exec box sh -c 'cat /etc/hosts /usr/bin/more ~/y; grep me: /etc/passwd; grep agent /etc/passwd; ls -d /opt/x; cat /etc/image-file'
	assert_output "10.1.2.3 mine"
	assert_output "127.0.1.1	bawn"
	assert_output "more
y
me:x:2000"
	assert_output "agent:x:1000"
	assert_output /opt/x
	assert_output "/etc/image-file: No such file"
	# mounts are no part of what was written
	run find "$XDG_DATA_HOME/bawn/sandboxes/box/up/root" -path "*project*" -o -name proc -o -name dev -o -name run -o -name tmp -o -name sys -o -name resolv.conf
	[ -z "$output" ] || fail "in the upper: $output"
}

@test "/proc, /dev, /tmp, /run and /sys are the sandbox's, whatever a template has there" {
	template_layer
	template_debian
	mkdir -p "$LAYER/sys/kernel" "$LAYER/dev/bad" "$LAYER/run/old" "$LAYER/tmp/old"
	echo fake >"$LAYER/dev/null"
	template_commit base
	run in_base sh -c 'ls /sys /run /tmp; stat -c %F /dev/null; ls /dev/bad; touch /dev/x; touch /sys/x; echo t >/tmp/t && echo s >/dev/shm/s && echo r >/run/r && cat /tmp/t /dev/shm/s /run/r; [ -d /proc/self/ns ] && echo proc; echo x >/dev/null && echo null'
	assert_output "character special file"
	assert_output "t
s
r
proc
null"
	assert_output "touch: cannot touch '/dev/x': Read-only file system"
	assert_output "touch: cannot touch '/sys/x': Read-only file system"
	refute_output old
	refute_output kernel
}

@test "a template of links and files in the way of mounts starts, and nothing outside is touched" {
	local canary=$T/outside
	mkdir "$canary"
	plant "$canary/file"
	template_layer
	template_debian
	rm -rf "${LAYER:?}"/{etc,home,var}
	ln -s "$canary" "$LAYER/etc"
	ln -s "$canary" "$LAYER/home"
	ln -s "$canary" "$LAYER/run"
	ln -s / "$LAYER/tmp"
	ln -s /proc/self/root "$LAYER/dev"
	ln -s ../../../../../../../../../.. "$LAYER/sys"
	echo file >"$LAYER/proc"
	template_commit base
	run in_base sh -c 'id -u; pwd; echo x >/etc/file; echo x >~/file; echo x >/run/file; cat /etc/hosts; ls -d /dev/null /proc/self'
	[ "$status" -eq 0 ]
	assert_output "1000
$WS"
	assert_output "127.0.1.1"
	assert_untouched "$canary/file"
	[ "$(ls "$canary")" = file ]
}

@test "TPL-12 the image's variables count inside, and for nothing of bawn's" {
	template_layer
	template_debian
	cat >"$T/evil.c" <<-'C'
		#include <stdio.h>
		#include <stdlib.h>
		__attribute__((constructor)) static void go(void) { FILE *f = fopen("/tmp/loaded", "a"); if (f) { fputs("loaded\n", f); fclose(f); } }
	C
	cc -shared -fPIC -o "$LAYER/usr/lib/evil.so" "$T/evil.c"
	mkdir -p "$LAYER/image/bin"
	printf '#!/bin/sh\necho of the image "$@"\n' >"$LAYER/image/bin/hello"
	chmod +x "$LAYER/image/bin/hello"
	template_commit base 'env PATH=/image/bin:/usr/bin' 'env LD_PRELOAD=/usr/lib/evil.so' \
		'env GREETING=two words\nand a line' 'env HOME=/wrong' 'env LANG=xx_YY' 'env TERM=image' \
		'env BAWN_SANDBOX=no' 'env EDITOR=ed' 'env BASH_ENV=/nothing'
	rm -f /tmp/loaded
	EDITOR=vi LC_ALL=de_DE.UTF-8 TERM=vt100 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt run in_base sh -c 'hello inside; cat /tmp/loaded; echo "$GREETING"; case ${SSL_CERT_FILE-none} in none | /run/bawn/*) own=none ;; *) own=$SSL_CERT_FILE ;; esac; echo "$HOME $TERM $EDITOR $LANG ${LC_ALL-none} $own"; echo "$PATH"'
	[ "$status" -eq 0 ]
	assert_output "of the image inside"
	assert_output loaded
	assert_output "two words
and a line
/home/agent vt100 ed xx_YY none none"
	assert_output "/image/bin:/usr/bin:/run/bawn/bin"
	[ ! -e /tmp/loaded ]
	# -e has the last word
	run "$BAWN" run --rm -q --template base -e LD_PRELOAD= -e LANG=C shell . -- sh -c 'echo "$LANG$LD_PRELOAD"'
	[ "$output" = C ] || fail "$output"
}

@test "TPL-13 bawn opens nothing of a template to execute or load it" {
	need command -v strace -- "strace"
	template_layer
	template_debian
	for f in usr/lib/libnss_files.so.2 usr/bin/nft usr/bin/git usr/lib/x86_64-linux-gnu/libnss_dns.so.2 usr/lib/gconv/gconv-modules; do
		mkdir -p "$LAYER/$(dirname "$f")"
		echo bad >"$LAYER/$f"
		chmod +x "$LAYER/$f"
	done
	template_commit base 'env LD_LIBRARY_PATH=/usr/lib' 'env PATH=/usr/bin'
	strace -f -y -qq -e trace=execve,execveat,mmap,openat,open,openat2 -o "$T/trace" \
		"$BAWN" run --rm -q --template base shell . -- sh -c 'echo ran' >"$T/out"
	[ "$(cat "$T/out")" = ran ]
	# executed out here: bawn's own programs, until pid 1 starts the agent
	run sh -c "grep -h 'execve' '$T/trace' | grep -v ENOENT | grep -o 'execve([^,]*' | sort -u"
	while read -r line; do
		case $line in
		execve\(\"$BAWN_BUILDDIR/bawn*|execve\(\"/usr/bin/sh\"*|execve\(\"/usr/bin/git\"*|execve\(\"$BAWN\"*) ;;
		*) fail "executed: $line" ;;
		esac
	done <<<"$output"
	# files of a layer are read as text alone: never mapped to execute
	if grep -E "mmap\(.*PROT_EXEC.*$TEMPLATES" "$T/trace"; then fail "mapped"; fi
	# pid 1 shows no path of the host's behind the pivot: what sh maps is named from its own root
	run grep -c "openat.*$TEMPLATES/layers/.*/fs.*O_RDONLY" "$T/trace"
	[ "$output" -lt 20 ] || fail "$output files of the template were opened"
}

@test "FS-25 a template is never written, by one sandbox or by several" {
	base
	local before
	before=$(store_digest)
	"$BAWN" create --name one --template base shell .
	"$BAWN" create --name two --template base shell .
	"$BAWN" exec one sh -c 'rm -rf /etc/image-file /var /root; echo changed >/etc/passwd; chmod 0700 /usr; mv /usr/bin/cp /usr/bin/cp2; touch /usr/lib; ln /usr/bin/cat /usr/bin/cat2; echo >>/usr/bin/env'
	run "$BAWN" exec two sh -c 'cat /etc/image-file /etc/passwd; ls -d /var /root /usr/bin/cp /usr/bin/cp2; stat -c %a /usr'
	assert_output image-only
	assert_output root:x:0
	assert_output "cannot access '/usr/bin/cp2'"
	assert_output 755
	[ "$(store_digest)" = "$before" ]
}

@test "100 layers: the new mount calls, and mount(2)" {
	base
	local i
	for ((i = 1; i < 100; i++)); do
		template_layer
		mkdir -p "$LAYER/etc/n"
		echo "$i" >"$LAYER/etc/n/$i"
		echo "$i" >"$LAYER/etc/last"
	done
	template_commit hundred 'env PATH=/usr/bin'
	"$BAWN" create --name box --template hundred shell .
	run "$BAWN" exec box sh -c 'cat /etc/n/* | sha256sum; cat /etc/last; echo new >/etc/last'
	[ "$status" -eq 0 ]
	assert_output "$(for ((i = 1; i < 100; i++)); do echo "$i"; done | LC_ALL=C sort | sha256sum | cut -d' ' -f1)"
	assert_output 99
	run "$DENY" fsconfig=EINVAL "$BAWN" exec box sh -c 'cat /etc/n/99 /etc/n/1 /etc/last; touch /sys/x; echo more >/etc/more'
	[ "$status" -eq 0 ]
	assert_output "99
1
new
touch: cannot touch '/sys/x': Read-only file system"
	run "$DENY" fsopen=ENOSYS "$BAWN" exec box sh -c 'cat /etc/n/50 /etc/more'
	[ "$output" = "50
more" ] || fail "$output"
}

@test "layers: files hide files, whiteouts and opaque directories hide what is below" {
	base
	mkdir -p "$LAYER/usr/bin/sub" "$LAYER/data/old"
	template_layer
	mkdir -p "$LAYER/etc" "$LAYER/data" "$LAYER/opt/bin"
	setfattr -n user.overlay.opaque -v y "$LAYER/data"
	mknod "$LAYER/etc/image-file" c 0 0
	printf '#!/bin/sh\necho tool of the image\n' >"$LAYER/opt/bin/codex"
	chmod +x "$LAYER/opt/bin/codex"
	template_commit two 'env PATH=/opt/link:/usr/bin'
	run "$BAWN" run --rm -q --template two shell . -- sh -c 'ls /data; ls /etc/image-file'
	refute_output old
	assert_output "No such file"
	# the program is found through a link, as inside
	template_layer
	mkdir -p "$LAYER/opt"
	ln -s ../opt/bin "$LAYER/opt/link"
	template_commit three 'env PATH=/opt/link:/usr/bin'
	run "$BAWN" run --rm -q --template three codex .
	assert_output "tool of the image"
	# and not where a layer on top has taken it away
	template_layer
	mkdir -p "$LAYER/opt/bin"
	mknod "$LAYER/opt/bin/codex" c 0 0
	template_commit four 'env PATH=/opt/link:/usr/bin'
	run -127 "$BAWN" run --rm -q --template four codex .
	assert_output "template four:latest has no program codex"
}

@test "a template without the tool: which program, which template, and what to do" {
	base
	run -127 "$BAWN" run --template base claude .
	assert_output "template base:latest has no program claude"
	assert_output "bawn template build"
	run "$BAWN" ls -q
	[ -z "$output" ] || fail "left: $output"
	run -127 in_base nosuch
	# installed inside, it is found the next time
	"$BAWN" create --name box --template base codex .
	"$BAWN" exec box sh -c 'mkdir -p /usr/local/bin; printf "#!/bin/sh\necho I am here \$1\n" >/usr/local/bin/codex; chmod +x /usr/local/bin/codex'
	run "$BAWN" run -q --no-yolo box
	assert_output "I am here"
	run "$BAWN" exec box sh -c 'chmod -x /usr/local/bin/codex'
	run "$BAWN" run -q box
	assert_status 126
	assert_output "not executable"
}

@test "TPL-17 names that name no template" {
	local name
	base
	for name in ../../x -rf '' 'a b' "$(printf 'x%.0s' {1..5000})" 'ünï' A:B:C /etc 'x@sha256:1' "$TEMPLATES"; do
		run "$BAWN" run --rm "--template=$name" shell . -- sh -c 'echo ran'
		[ "$status" -eq 125 ] || fail "$name: $status"
		refute_output ran
		[ "${#output}" -lt 1000 ] || fail "the message is ${#output} long"
	done
	run "$BAWN" create --pull never --template nosuch:v9 shell .
	assert_status 125
	assert_output "there is no template 'nosuch:v9'"
	run "$BAWN" ls -q
	[ -z "$output" ] || fail "$output"
}

@test "TPL-19 what a template plants reaches no other template and no host" {
	base
	template_layer
	mkdir -p "$LAYER/etc/profile.d" "$LAYER/home/agent"
	echo 'echo planted' >"$LAYER/home/agent/.bashrc"
	echo 'echo planted' >"$LAYER/etc/profile.d/x.sh"
	template_commit bad 'env BASH_ENV=/etc/profile.d/x.sh'
	run "$BAWN" run --rm -q --template bad shell . -- bash -c 'echo ran'
	assert_output planted
	run in_base bash -c 'echo ran; ls /etc/profile.d'
	refute_output planted
	run in_sandbox bash -c 'echo ran'
	[ "$output" = ran ] || fail "$output"
	[ ! -e "$HOME/.bashrc" ]
}

@test "--dry-run names the template and makes nothing" {
	base
	run "$BAWN" run --dry-run --template base shell .
	assert_output "template   base:latest (sha256:$TEMPLATE_ID)"
	assert_output "uid 1000"
	assert_output "layers/"
	[ -z "$(ls "$XDG_DATA_HOME/bawn/sandboxes")" ]
	run "$BAWN" run --dry-run --json --rm --template base shell .
	assert_output '"template": "base:latest"'
	assert_output '"destination": "/"'
}

# What the last start has left, with a mark in it.
marked() {
	KEPT=$(echo "$XDG_CACHE_HOME"/bawn/spare-root/*)/seed-root
	[ -e "$KEPT/etc/passwd" ] && echo "$KEPT" >"$KEPT/etc/mark"
}

@test "what bawn puts into the root is kept for the next start of the same kind, without what was written" {
	base
	printf '[user]\n\tname = First Name\n\temail = a@b.test\n' >"$HOME/.gitconfig"
	run in_base sh -c 'echo left >/etc/left; echo left >~/left; echo left >>/etc/passwd; rm /etc/hosts; mkdir -p /opt/left; cat ~/.gitconfig ~/.config/git/config'
	assert_output "First Name"
	marked
	[ -z "$(find "$KEPT"/home/agent/* "$KEPT"/../up/root/* "$KEPT"/../work/root/* 2>/dev/null)" ]
	printf '[user]\n\tname = Second Name\n\temail = a@b.test\n' >"$HOME/.gitconfig"
	# shellcheck disable=SC2016  # inside
	run in_base sh -c 'cat /etc/mark /etc/passwd /etc/hosts ~/.gitconfig ~/.config/git/config; ls -A ~ /opt /etc'
	assert_output "$KEPT"
	assert_output "agent:x:1000"
	assert_output "127.0.1.1"
	assert_output "Second Name"
	refute_output left
	refute_output "First Name"
	rm "$HOME/.gitconfig"
	run in_base sh -c 'cat /etc/mark; ls -A ~; cat ~/.gitconfig ~/.config/git/config'
	assert_output "$KEPT"
	refute_output Name
}

@test "what an earlier boot of the machine has left is not taken: nobody synced it" {
	base
	in_base sh -c :
	marked
	local kept=${KEPT%/seed-root} boot
	boot=$(cat /proc/sys/kernel/random/boot_id)
	[[ ${kept##*/} == "$boot"-* ]] || fail "$kept"
	mv "$kept" "${kept%/*}/00000000-0000-0000-0000-000000000000-${kept#*"$boot"-}"
	run in_base cat /etc/mark /etc/passwd
	assert_output "mark: No such file"
	assert_output "agent:x:1000"
}

@test "nothing is kept for another template, workspace or directory, nor of a run that was cut short" {
	base
	in_base sh -c :
	marked
	mkdir -p "$HOME/other" "$HOME/further"
	for args in "--template base shell $HOME/other" "--template base shell $WS $HOME/further"; do
		# shellcheck disable=SC2086
		run "$BAWN" run --rm -q $args -- cat /etc/mark /etc/passwd
		assert_output "mark: No such file"
		assert_output "agent:x:1000"
	done
	template_layer
	mkdir -p "$LAYER/etc"
	printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/agent:/bin/sh\n' >"$LAYER/etc/passwd"
	template_commit changed
	run "$BAWN" run --rm -q --template changed shell "$WS" -- sh -c 'id -un; cat /etc/mark'
	assert_output node
	assert_output "mark: No such file"
	rm -rf "$XDG_CACHE_HOME/bawn/spare-root"
	"$BAWN" run --rm -q --template base shell "$WS" -- sh -c 'echo >ready; sleep 1000' 3>&- &
	local pid=$!
	eventually test -e ready
	# two at once: the second one does not take what the first has
	run in_base cat /etc/passwd
	assert_output "agent:x:1000"
	kill -KILL "$pid"
	wait "$pid" || true
	marked
	# what the agent could leave on the root itself
	in_base sh -c 'chmod 750 /'
	[ -z "$(ls -A "$XDG_CACHE_HOME/bawn/spare-root")" ]
	run in_base stat -c %a /
	assert_output 755
}

@test "linked work trees that stay outside are there in a template's root, too, and in none of its layers" {
	base
	git init -q -b main "$HOME/main"
	git -C "$HOME/main" -c user.name=T -c user.email=t@example.com commit -q --allow-empty -m first
	git -C "$HOME/main" worktree add -q -b one "$HOME/trees/one"
	mkdir -p "$LAYER$HOME"
	echo image >"$LAYER$HOME/trees" # in the way
	WS=$HOME/main
	run -0 in_base sh -c "cat .git/worktrees/one/gitdir; echo in; cat '$HOME/trees'"
	assert_output "$HOME/trees/one/.git"
	assert_output $'in\nimage'
	rm "$LAYER$HOME/trees"
	run -0 in_base sh -c "ls -A '$HOME/trees/one' && wc -c <'$HOME/trees/one/.git' || stat -c %s '$HOME/trees/one/.git'"
	assert_output .git
	[ ! -e "$LAYER$HOME/trees" ]
	git -C "$HOME/main" worktree list | grep -q trees/one
}
