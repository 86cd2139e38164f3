#!/usr/bin/env bats
# run-faults.bats - bad input and a machine that lacks something: bawn says what is wrong and what to
# do, ends with 125, and leaves nothing behind.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# refused WORDS COMMAND...: 125, with these words, and nothing was started or left.
refused() {
	local words=$1
	shift
	run -125 "$@"
	assert_output "$words" || return 1
	assert_output 'bawn: ' || return 1
	[ ! -e "$WS/ran" ] || fail 'the command ran all the same' || return 1
	assert_no_leftovers || return 1
	[ -z "$(ls "$XDG_DATA_HOME/bawn/sandboxes" 2>/dev/null)" ] || fail 'a state directory is left'
}

shell() {
	"$BAWN" run --rm "$@" -- touch "$WS/ran"
}

@test "a workspace that is missing, a file, /, the home, or overlaps bawn's state" {
	refused 'No such file' shell shell "$HOME/nothing"
	touch "$HOME/file"
	refused 'not a directory' shell shell "$HOME/file"
	refused '/' shell shell /
	refused 'home' shell shell "$HOME"
	cd "$HOME"
	refused 'home' shell shell
	mkdir -p "$XDG_DATA_HOME/bawn/sandboxes" "$XDG_CONFIG_HOME/bawn"
	refused 'state' shell shell "$XDG_DATA_HOME"
	refused 'state' shell shell "$XDG_DATA_HOME/bawn/sandboxes"
	# also by way of a link
	ln -s "$XDG_DATA_HOME" "$HOME/link"
	refused 'state' shell shell "$HOME/link"
	ln -s / "$HOME/root"
	refused '/' shell shell "$HOME/root"
	# and as a further path
	refused 'state' shell shell "$WS" "$XDG_DATA_HOME"
	refused '/' shell shell "$WS" /
}

@test "a workspace whose path has odd characters works" {
	local d="$HOME/a b\$c'd\"é;#%s"
	mkdir -p "$d"
	run "$BAWN" run --rm -q shell "$d" -- sh -c 'pwd; echo x >made'
	assert_status 0
	[ "$output" = "$d" ]
	[ -e "$d/made" ]
	d="$HOME/back\\slash	tab"
	mkdir -p "$d"
	run "$BAWN" run --rm -q shell "$d" -- pwd
	[ "$output" = "$d" ]
	# the plan as well, where a cache below the home is a layer of its own
	d=$HOME/new$'\n'line
	mkdir -p "$d" "$HOME/.npm/_cacache"
	run "$BAWN" run --rm --dry-run --json shell "$d"
	assert_status 0
	python3 -c 'import json, sys; json.loads(sys.argv[1])' "$output"
}

@test "a further path that may not be read is named, with what to do" {
	mkdir -m 0 "$T/closed"
	: >"$T/shut"
	chmod 0 "$T/shut"
	refused "$T/closed: Permission denied" "$BAWN" run --rm shell "$WS" "$T/closed" -- touch "$WS/ran"
	refused 'what you may read' "$BAWN" run --rm shell "$WS" "$T/shut:ro" -- touch "$WS/ran"
}

@test "HOME unset, relative, or not there" {
	refused 'HOME' env -u HOME "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
	refused 'HOME' env HOME=relative "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
	refused "$T/gone" env HOME="$T/gone" "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
}

@test "closed standard descriptors: the agent never gets one of bawn's in their place" {
	run bash -c '"$0" run -q shell "$1" -- sh -c "ls -l /proc/self/fd >\"$1/fds\" 2>/dev/null; true" <&- >&- 2>&-' "$BAWN" "$WS"
	assert_status 0
	# its own listing, and nothing else that is open
	[ "$(sed -n 's/.* -> //p' "$WS/fds" | grep -vcE "^/dev/null$|^/proc/|^$WS/fds$")" -eq 0 ] ||
		fail "$(cat "$WS/fds")"
	for fd in '<&-' '>&-' '2>&-'; do
		bash -c "\"\$0\" run -q shell \"\$1\" -- touch \"\$1/made\" $fd" "$BAWN" "$WS"
		[ -e "$WS/made" ] || fail "with $fd" || return 1
		rm "$WS/made"
	done
	# and what else the caller has open does not pass
	exec 7<"$BAWN_SRCDIR/tests/lib.sh" 8>"$T/eight"
	run "$BAWN" run --rm -q shell -- sh -c 'ls /proc/self/fd; cat <&7; echo x >&8'
	exec 7<&- 8>&-
	refute_output 'tests'
	[ ! -s "$T/eight" ]
}

@test "no terminal, no controlling terminal, no TERM" {
	run env -u TERM setsid "$BAWN" run --rm -q shell -- sh -c 'tty; (: </dev/tty) 2>&1; echo ok' </dev/null
	assert_status 0
	assert_output 'not a tty'
	assert_output ok
}

@test "an empty environment is enough" {
	run env -i HOME="$HOME" "$BAWN" run --rm -q shell "$WS" -- sh -c 'echo $USER $SHELL; command -v ls'
	assert_status 0
	assert_output "$(id -un)"
	assert_output /ls
}

@test "user namespaces missing, each way: said with the remedy" {
	"$BAWN" run --rm shell -- true # the profile is compiled, so that the first clone is the sandbox's
	for e in EPERM EINVAL ENOSPC; do
		refused 'user namespace' "$DENY" "clone=$e,unshare=$e,clone3=$e" "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
		assert_output 'bawn doctor' || return 1
	done
}

@test "descriptors that can't be passed end a start, and leave nobody waiting" {
	"$BAWN" run --rm shell -- true
	refused 'tell bawn-init' timeout 20 "$DENY" sendmsg=ENOBUFS "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
	refused 'bawn ls' timeout 20 "$DENY" sendmsg=ETOOMANYREFS "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
}

@test "nftables missing: nothing starts without the packet filter" {
	for e in EPROTONOSUPPORT EPERM; do
		refused 'CONFIG_NF_TABLES' "$DENY" "nftables=$e" "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
	done
}

@test "rtnetlink missing: nothing starts" {
	refused 'bawn:' "$DENY" rtnetlink=EPROTONOSUPPORT "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
}

@test "Landlock missing: refused, with the option that starts without it and says so" {
	for e in ENOSYS EOPNOTSUPP; do
		refused 'Landlock' "$DENY" "landlock=$e" "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
		assert_output '--allow-degraded landlock' || return 1
	done
	run "$DENY" landlock=ENOSYS "$BAWN" run --rm --allow-degraded landlock shell "$WS" -- touch "$WS/ran"
	assert_status 0
	assert_output 'degraded, as you allowed: no landlock'
	[ -e "$WS/ran" ]
	rm "$WS/ran"
	refused 'bawn:' "$DENY" landlock_restrict_self=EPERM "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
}

@test "seccomp missing: nothing starts" {
	refused 'CONFIG_SECCOMP_FILTER' "$DENY" seccomp=ENOSYS "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
	refused 'CONFIG_SECCOMP_FILTER' "$DENY" seccomp=EINVAL "$BAWN" run --rm shell "$WS" -- touch "$WS/ran"
}

@test "mounts that fail: nothing starts half" {
	for c in mount open_tree move_mount mount_setattr pivot_root umount2 memfd_create; do
		refused 'bawn:' "$DENY" "$c=EPERM" "$BAWN" run --rm shell "$WS" -- touch "$WS/ran" || return 1
	done
}

@test "no place for the state: said with the variable that names another" {
	mkdir "$T/closed"
	chmod 555 "$T/closed"
	XDG_DATA_HOME=$T/closed refused 'set XDG_DATA_HOME' shell shell
	XDG_CACHE_HOME=$T/closed refused 'XDG_CACHE_HOME' shell shell
	XDG_DATA_HOME=/dev/null refused 'set XDG_DATA_HOME' shell shell
}

@test "disk full: said, nothing started, nothing left" {
	need unshare -Um --map-current-user --keep-caps true -- "no user namespaces for the test's own mount"
	local d=$T/small
	# an installation of the caller's own: in the test's namespace others are nobody
	mkdir -p "$d"
	copy_bawn "$T/inst"
	cat >"$T/full" <<-EOT
		mount -t tmpfs -o size=64k,nr_inodes=60 none "$d" || exit 99
		mkdir -p "$d/data" "$d/cache"
		export XDG_DATA_HOME=$d/data XDG_CACHE_HOME=$d/cache
		"$T/inst/bawn" run --rm shell "$WS" -- touch "$WS/ran"
		rc=\$?
		ls "$d/data/bawn/sandboxes" 2>/dev/null | sed 's/^/LEFT /'
		exit \$rc
	EOT
	run unshare -Um --map-current-user --keep-caps bash "$T/full"
	assert_output 'No space left'
	assert_output 'make room there'
	refute_output LEFT
	assert_status 125
	[ ! -e "$WS/ran" ]
}

@test "the audit log can't be written: nothing starts" {
	mkdir -p "$XDG_DATA_HOME/bawn"
	mkdir "$AUDIT"
	run -125 "$BAWN" run --rm shell -- touch "$WS/ran"
	assert_output audit.jsonl
	[ ! -e "$WS/ran" ]
}

@test "bawn inside bawn is refused, with what to do" {
	cp "$BAWN" "$WS/bawn-copy"
	run env BAWN_SANDBOX=outer "$BAWN" run --rm shell -- true
	assert_status 125
	assert_output 'inside sandbox outer already'
}

@test "a broken profile or policy: file, line and column, and nothing starts" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles" "$XDG_CONFIG_HOME/bawn/policies"
	printf 'command: [sh]\nyollo: [x]\n' >"$XDG_CONFIG_HOME/bawn/profiles/broken.yaml"
	run -125 "$BAWN" run --rm broken
	assert_output "profiles/broken.yaml:2:1"
	assert_output yolo
	printf 'allow:\n  - "bad host"\n' >"$XDG_CONFIG_HOME/bawn/policies/user.yaml"
	run -125 "$BAWN" run --rm shell -- touch "$WS/ran"
	assert_output "policies/user.yaml:2"
	[ ! -e "$WS/ran" ]
	assert_no_leftovers # bawn-init was started before anything was read
}

@test "a bawn-init that can't be executed: said by name" {
	local dir=$BATS_TEST_TMPDIR/broken f
	mkdir "$dir"
	for f in bawn-admin bawn-scan bawn-relay bawn-resolve bawn-why bawn-copy share; do
		ln -s "$BAWN_BUILDDIR/$f" "$dir/$f"
	done
	cp "$BAWN" "$dir/bawn"
	printf '\177ELF but no more' >"$dir/bawn-init"
	chmod +x "$dir/bawn-init"
	BAWN=$dir/bawn refused "execute $dir/bawn-init: Exec format error" shell shell
}

@test "what a killed run left is removed by the next one" {
	"$BAWN" run --rm -q shell -- sh -c 'echo up; sleep 60' >"$T/out" 3>&- &
	local pid=$!
	eventually grep -q up "$T/out"
	[ "$(ls "$XDG_DATA_HOME/bawn/sandboxes" | wc -l)" -eq 1 ]
	kill -9 "$pid"
	wait "$pid" || true
	assert_no_leftovers
	"$BAWN" run --rm -q shell -- true
	[ -z "$(ls "$XDG_DATA_HOME/bawn/sandboxes")" ]
}

@test "HOME with more slashes than it needs, with dots, or nothing there" {
	local home=$HOME h
	ln -s "$home" "$T/link"
	mkdir -p "$home/sub"
	for h in "$home/" "$home//" "/$home" "$home/./" "$home/sub/.." "$T/link/" "$T/link"; do
		HOME=$h run "$BAWN" run --rm -q shell "$WS" -- sh -c 'cd && pwd -P && [ "$HOME" = "$(pwd -L)" ]'
		assert_status 0
		case $output in
		"$home" | "$T/link") ;;
		*) fail "$h: $output" ;;
		esac
	done
	HOME=$home/none/.. run "$BAWN" run --rm -q shell "$WS" -- true
	assert_status 125
	assert_output "HOME is $home/none/..: No such file or directory"
}

@test "words for the agent without the -- before them, and a tool that PATH inside hasn't" {
	run "$BAWN" run --rm shell exec "say hello"
	assert_status 125
	assert_output "exec: No such file or directory"
	assert_output "comes behind --"
	"$BAWN" create --name box shell "$WS"
	run "$BAWN" run box exec "say hello"
	assert_status 125
	assert_output "comes behind --"
	run "$BAWN" exec box codex
	assert_status 127
	assert_output "execute codex: No such file or directory"
	assert_output "bawn run NAME -- ARGS"
	run "$BAWN" exec box /no/codex
	assert_status 127
	refute_output "bawn run NAME"
}

@test "few open files: 64 are enough for a start, the network says what it lacks, and fewer are named" {
	refused 'ulimit -n 1024' bash -c 'ulimit -n 16; "$0" run --rm shell -- touch ran' "$BAWN"
	# wherever it is that the last one is gone
	local n
	for n in {7..40}; do
		run bash -c 'ulimit -n '"$n"'; "$0" run --rm shell -- true' "$BAWN"
		[ "$status" -eq 0 ] || [ "$status" -ge 125 ] || fail "$n: $status"
		[ "$status" -eq 0 ] || assert_output 'ulimit -n 1024'
		if [ -n "$(ls "$XDG_DATA_HOME/bawn/sandboxes" 2>/dev/null)" ]; then
			assert_output 'the next bawn command tries again'
			"$BAWN" run --rm -q shell -- true
			[ -z "$(ls "$XDG_DATA_HOME/bawn/sandboxes")" ]
		fi
	done
	assert_no_leftovers
	run bash -c 'ulimit -n 64; "$0" run --rm shell -- echo ran; "$0" run --name box shell -- true; "$0" exec box echo again' "$BAWN"
	assert_status 0
	[ "$output" = ran$'\n'again ]
	run bash -c 'ulimit -n 64; "$0" run --rm shell -- getent hosts example.com' "$BAWN"
	assert_status 2
	assert_output 'the limit of open files (ulimit -n) has to be'
}

@test "a umask that leaves nothing to its own user is refused before anything is made" {
	refused 'umask 022' bash -c 'umask 0777; "$0" run --rm shell -- touch ran' "$BAWN"
	refused 'the umask 0300' bash -c 'umask 0300; "$0" ls' "$BAWN"
	[ ! -e "$XDG_DATA_HOME" ]
	run bash -c 'umask 077; "$0" run --rm shell -- sh -c "touch made; umask; cat /etc/passwd"' "$BAWN"
	assert_status 0
	[ "${lines[0]}" = 0077 ]
	[ "$(stat -c %a made)" = 600 ]
}

@test "a working directory that is too long, or that can't be entered, has its own remedy" {
	local i d
	d=$(printf 'd%.0s' {1..200})
	mkdir deep && cd deep
	for i in {1..21}; do mkdir "$d" && cd "$d"; done
	run "$BAWN" run --rm shell -- true
	assert_status 125
	assert_output '4095 bytes'
	cd "$WS" && mkdir shut && chmod 0111 shut
	refused 'you may read and enter' shell shell "$WS/shut"
}

@test "a listing that can't be written whole is a failure" {
	local c
	"$BAWN" run --name box shell -- true
	for c in ls 'ls --json' 'ls -q' help version 'inspect box' log doctor 'template ls --json' 'profile ls' skill \
		'run --dry-run --rm shell' 'run --dry-run --json --rm shell' 'checkpoints --json box' \
		'create --name two shell .' login 'doctor --apparmor' 'monitor --json --once'; do
		run bash -c "\"\$0\" $c >/dev/full" "$BAWN"
		[ "$status" = 125 ] || fail "$c: $status"
		[ "$(grep -cE 'write to standard output|could not be printed' <<<"$output")" = 1 ] || fail "$c: $output"
		grep -qE 'No space left|could not be printed' <<<"$output" || fail "$c"
	done
	# who reads no more has all he wanted, also where SIGPIPE is ignored, as under some shells
	run -0 bash -o pipefail -c 'trap "" PIPE; { sleep 0.3; "$0" help; } | true' "$BAWN"
	[ -z "$output" ] || fail "$output"
}

@test "a terminal that takes no sequences gets none of bawn's; one that does keeps its title" {
	need command -v script -- "script is not installed"
	local term
	for term in -uTERM TERM=dumb TERM=; do
		run env "$term" script -qec "'$BAWN' run --rm shell -- echo plain" /dev/null </dev/null
		assert_status 0
		assert_output plain
		[[ $output != *$'\e'* ]] || fail "$term: $(printf %q "$output")"
	done
	TERM=xterm run script -qec "'$BAWN' run --rm shell -- echo plain" /dev/null </dev/null
	[[ $output == $'\e[22;2t'*plain*$'\e[23;2t'* ]]
	# in 20 columns as well
	TERM=xterm run script -qec "stty cols 20 rows 5; '$BAWN' run --rm shell -- stty size" /dev/null </dev/null
	assert_output '5 20'
}

@test "bawn help knows itself" {
	local a b
	a=$("$BAWN" help)
	for b in 'help help' 'help --help' '--help'; do
		run bash -c "\"\$0\" $b" "$BAWN"
		assert_status 0
		[ "$output" = "$a" ]
	done
	# and each of its words
	for b in $(sed -n 's/^  \([a-z-]*\) .*/\1/p' <<<"$a"); do
		run "$BAWN" help "$b"
		assert_status 0
		[ -n "$output" ]
	done
}

@test "what a newcomer types: a profile as a command, the agent's -p as bawn's, a path as the profile" {
	run "$BAWN" claude
	assert_status 125
	assert_output 'it is a profile: bawn run claude'
	run "$BAWN" claud
	refute_output 'is a profile'
	run "$BAWN" ../profiles/claude
	refute_output 'is a profile'
	run "$BAWN" run claude -p "fix the tests"
	assert_status 125
	assert_output 'bawn run claude -- -p'
	run "$BAWN" run -p 80:x:y shell
	refute_output 'behind --'
	run "$BAWN" run .
	assert_status 125
	assert_output 'bawn run claude .'
}

@test "sixteen at once, twice: each has an empty home, and their directories are used again, once at a time" {
	local i round spare=$XDG_CACHE_HOME/bawn/spare
	"$BAWN" run --rm -q shell -- true
	for round in 1 2; do
		for i in {1..16}; do
			# it waits for the others, so that all of them are there at the same time
			"$BAWN" run --rm -q shell -- sh -c 'ls -A ~ | grep -v "^project$"; touch ~/mine-'"$i"'; sleep 1; ls ~ | grep mine' \
				>"$T/out-$round-$i" 2>&1 3>&- &
		done
		wait
		for i in {1..16}; do
			[ "$(cat "$T/out-$round-$i")" = "mine-$i" ] || fail "$round, $i: $(cat "$T/out-$round-$i")"
		done
	done
	# a pid decides where: some meet
	[ "$(ls -A "$spare"/*.more | wc -l)" -ge 4 ] || fail "$(ls -AR "$spare" | head -30)"
	[ -z "$(find "$spare" -name 'mine*')" ]
	[ -z "$(ls "$XDG_DATA_HOME/bawn/sandboxes")" ]
	# one that something was put into is not believed
	for i in "$spare"/*.more/* "$spare"/*; do [ "${i%.more}" != "$i" ] || mkdir -p "$i/home/planted"; done
	for i in {1..4}; do
		run "$BAWN" run --rm -q shell -- sh -c 'ls -A ~'
		refute_output planted
	done
}
