#!/usr/bin/env bats
# crash.bats - every command that changes state on disk, killed at each write, sync, rename and removal
# in turn: then there is the old state or the new one, the next command works, nothing confirmed is lost.
#
# For a test build (--enable-mutations), whose file "crash" beside the executables says at which step
# each process kills itself; "crashed" then says that one did.
load ../lib.sh
load ../registry/lib.sh
load ../templates.sh
setup() {
	bawn_setup
	rm -f "$BAWN_BUILDDIR/crash" "$BAWN_BUILDDIR/crashed"
}
teardown() {
	rm -f "$BAWN_BUILDDIR/crash" "$BAWN_BUILDDIR/crashed"
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

LAST=120 # no command has so many

# walk PREPARE COMMAND CHECK: functions or words; CHECK gets COMMAND's status in $rc.
walk() {
	local n rc
	for ((n = 1; n <= LAST; n++)); do
		$1
		rm -f "$BAWN_BUILDDIR/crashed"
		echo "$n" >"$BAWN_BUILDDIR/crash"
		rc=0
		timeout 20 bash -c "$2" >"$T/out" 2>&1 || rc=$?
		rm -f "$BAWN_BUILDDIR/crash"
		[ "$rc" != 124 ] || fail "step $n: it hangs"
		settled
		$3 || fail "step $n of: $2 (status $rc): $(cat "$T/out")"
		"$BAWN" rm -f --all >"$T/rm" 2>&1 || fail "step $n: rm: $(cat "$T/rm")"
		clean || fail "step $n: leftovers: $(find "$XDG_DATA_HOME/bawn" | head -30)"
		[ -e "$BAWN_BUILDDIR/crashed" ] || break
	done
	[ "$n" -gt "${4:-2}" ] || fail "nothing was ever killed: is it a test build?"
	[ "$n" -le "$LAST" ] || fail "it has more steps than $LAST"
	echo "# $2: $((n - 1)) steps" >&3
}

# A supervisor that outlives a killed client ends by itself.
settled() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$BAWN" ls 2>/dev/null | grep -q ' running ' || return 0
		[ -z "${RUNS:-}" ] || return 0
		sleep 0.02
	done
}

# With no sandbox left, nothing of one is left either.
clean() {
	"$BAWN" run --rm shell "$WS" -- true >/dev/null 2>&1 || return 1
	[ -z "$(find "$XDG_DATA_HOME/bawn/sandboxes" "$XDG_DATA_HOME/bawn/layers" -mindepth 1 -maxdepth 1 ! -name .lock 2>/dev/null)" ]
}

value() { "$BAWN" exec "${1:-box}" sh -c 'cat ~/f' 2>/dev/null; }
has() { "$BAWN" ls -q | grep -qx "$1"; }
put() { "$BAWN" exec box sh -c "echo $1 >~/f; rm -f ~/gone; mkdir -p ~/d/$1" >/dev/null; }

nothing() { :; }
with_tag() {
	"$BAWN" create --name box shell "$WS" >/dev/null
	"$BAWN" exec box sh -c 'echo >~/gone'
	put 1
	"$BAWN" checkpoint box t0 >/dev/null 2>&1
	put 2
}
with_two() {
	with_tag
	"$BAWN" checkpoint box t1 >/dev/null 2>&1
	put 3
}

made() {
	has box || { [ "$rc" != 0 ] && "$BAWN" create --name box shell "$WS" >/dev/null; } || return 1
	put 1 && [ "$(value)" = 1 ]
}
@test "create" { walk nothing "'$BAWN' create --name box shell '$WS'" made; }

ended() {
	if [ "$rc" = 0 ]; then [ "$(value)" = x ]; else "$BAWN" run --name box shell "$WS" -- true; fi
}
@test "run, from nothing to its end" {
	walk nothing "'$BAWN' run --name box shell '$WS' -- sh -c 'echo x >~/f'" ended
}

again() { # what was there before is there in any case
	[ "$("$BAWN" exec box sh -c 'ls ~/d')" = $'1\n2' ] || return 1
	if [ "$rc" = 0 ]; then [ "$(value)" = x ]; else case $(value) in x | 2) ;; *) return 1 ;; esac fi
}
@test "run, of what is there" { walk with_tag "'$BAWN' run box -- sh -c 'echo x >~/f'" again; }

# The box of a run that is over is taken by the next one: whole, and with nothing that was written inside.
leaves_a_box() { "$BAWN" run --rm -q --template base shell "$WS" -- sh -c 'echo x >/etc/f' >/dev/null; }
as_new() {
	[ "$("$BAWN" run --rm -q --template base shell "$WS" -- sh -c \
		'stat -c %a /; ls -A /etc ~ /opt; grep -c . /etc/hosts; grep agent: /etc/passwd' 2>/dev/null)" = "$NEW" ]
}
@test "run --rm in a template, from a box that was kept and back" {
	template_layer
	template_debian
	mkdir "$LAYER/opt"
	template_commit base
	NEW=$("$BAWN" run --rm -q --template base shell "$WS" -- sh -c \
		'stat -c %a /; ls -A /etc ~ /opt; grep -c . /etc/hosts; grep agent: /etc/passwd')
	[[ $NEW == 755*agent:* ]]
	walk leaves_a_box "'$BAWN' run --rm -q --template base shell '$WS' -- sh -c 'echo x >/etc/f; echo x >/opt/f'" as_new 5
}

kept() {
	[ "$(value)" = 2 ] || return 1
	if [ "$rc" = 0 ] || "$BAWN" checkpoints box | grep -q ' t1 '; then
		put 9
		"$BAWN" restore box t1 2>/dev/null && [ "$(value)" = 2 ] || return 1
	fi
	"$BAWN" restore box t0 2>/dev/null && [ "$(value)" = 1 ]
}
@test "checkpoint" { walk with_tag "'$BAWN' checkpoint box t1" kept 5; }

running() {
	with_tag
	"$BAWN" exec -d box sh -c 'sleep 100' >/dev/null
}
kept_running() {
	"$BAWN" exec box sh -c 'ps ax -o stat,args | grep -q "^S.*[s]leep 100"' || return 1
	"$BAWN" stop --time 0 box >/dev/null && kept
}
@test "checkpoint of one that runs" {
	RUNS=1
	walk running "'$BAWN' checkpoint box t1" kept_running 5
}

restored() {
	case $(value) in
	3) [ "$rc" != 0 ] || return 1 ;;
	1) "$BAWN" restore box undone 2>/dev/null && [ "$(value)" = 3 ] || return 1 ;;
	*) return 1 ;;
	esac
	"$BAWN" restore box t1 2>/dev/null && [ "$(value)" = 2 ]
}
@test "restore" { walk with_two "'$BAWN' restore box t0" restored 5; }
@test "undo" {
	undone() {
		case $(value) in
		3) [ "$rc" != 0 ] ;;
		2) "$BAWN" restore box undone 2>/dev/null && [ "$(value)" = 3 ] ;;
		*) return 1 ;;
		esac
	}
	walk with_two "'$BAWN' undo box" undone 5
}

forked() {
	local n
	[ "$(value)" = 2 ] || return 1
	for n in try-1 try-2; do
		if has $n; then [ "$(value $n)" = 2 ] || return 1; else [ "$rc" != 0 ] || return 1; fi
	done
	"$BAWN" restore box t0 2>/dev/null && [ "$(value)" = 1 ]
}
@test "fork" { walk with_tag "'$BAWN' fork --count 2 box try" forked 5; }

gone() {
	if has box; then [ "$rc" != 0 ] && [ "$(value)" = 2 ] || return 1; fi
	[ "$(value sister)" = 2 ] && "$BAWN" restore sister t0 2>/dev/null && [ "$(value sister)" = 1 ]
}
with_sister() {
	with_tag
	"$BAWN" fork box sister >/dev/null 2>&1
}
@test "rm" { walk with_sister "'$BAWN' rm box" gone; }
@test "checkpoints --rm" {
	dropped() { [ "$(value)" = 3 ] && "$BAWN" restore box t0 2>/dev/null && [ "$(value)" = 1 ]; }
	walk with_two "'$BAWN' checkpoints --rm t1 box" dropped
}

stopped() {
	! "$BAWN" ls | grep -q ' running ' || "$BAWN" stop --time 0 box >/dev/null
	local v
	v=$(value)
	case $v in x | 2) ;; *) fail "it is: $v" || return 1 ;; esac
	"$BAWN" restore box t0 2>/dev/null && [ "$(value)" = 1 ]
}
@test "stop, and the supervisor that ends" {
	# in one step: it is killed with no time to write what it has opened
	walk with_tag "'$BAWN' exec -d box sh -c 'echo x >~/g; mv ~/g ~/f; sleep 100' && '$BAWN' stop --time 0 box" stopped
}

squashed() { [ "$(value)" = 49 ] && "$BAWN" restore box t20 2>/dev/null && [ "$(value)" = 20 ]; }
with_many() {
	local i
	[ -e "$T/many" ] || {
		"$BAWN" create --name box shell "$WS" >/dev/null
		for ((i = 1; i <= 49; i++)); do
			"$BAWN" exec box sh -c "echo $i >~/f" 2>/dev/null
			"$BAWN" checkpoint box t$i >/dev/null 2>&1
		done
		chmod -R u+rwx "$XDG_DATA_HOME/bawn"
		cp -a "$XDG_DATA_HOME/bawn" "$T/many"
	}
	rm -rf "$XDG_DATA_HOME/bawn"
	cp -a "$T/many" "$XDG_DATA_HOME/bawn"
}
@test "the merging of many layers" { walk with_many "'$BAWN' exec box true" squashed 5; }

# The old secret or the new one, and no file with either beside it once the next is set.
one_secret() {
	local now
	now=$(tail -n +2 "$XDG_CONFIG_HOME/bawn/secrets/key")
	case $now in
	old) [ "$rc" != 0 ] || return 1 ;;
	new) ;;
	*) return 1 ;;
	esac
	printf next | "$BAWN" secret set --value-stdin key 2>/dev/null || return 1
	[ "$(ls -A "$XDG_CONFIG_HOME/bawn/secrets")" = key ]
}
old_secret() {
	rm -rf "$XDG_CONFIG_HOME/bawn/secrets"
	printf old | "$BAWN" secret set --value-stdin key 2>/dev/null
}
@test "secret set" { walk old_secret "printf new | '$BAWN' secret set --value-stdin key" one_secret 5; }

@test "secret rm" {
	removed() { case $rc in 0) [ ! -e "$XDG_CONFIG_HOME/bawn/secrets/key" ] ;; *) true ;; esac }
	walk old_secret "'$BAWN' secret rm key" removed
}

@test "rm of a sandbox with secrets of its own" {
	with_secret() {
		"$BAWN" create --name box shell "$WS" >/dev/null
		printf x | "$BAWN" secret set --sandbox box --value-stdin key 2>/dev/null
	}
	forgotten() {
		"$BAWN" rm -f box >/dev/null 2>&1
		[ ! -e "$XDG_CONFIG_HOME/bawn/secrets/@box" ]
	}
	walk with_secret "'$BAWN' rm box" forgotten 5
}

# A log that is to be rotated at the next line, and three that were before.
full_log() {
	[ -e "$T/full" ] || {
		/usr/bin/python3 - "$T/full" <<-'EOF'
			import hashlib, os, sys
			os.mkdir(sys.argv[1])
			n, prev, first, size = 0, "0" * 64, [], 0
			for name in (".2", ".1", ""):
			    first.insert(0, n + 1)
			    with open(sys.argv[1] + "/audit.jsonl" + name, "w") as f:
			        size = 0
			        while size < 16 << 20:
			            n += 1
			            line = '{"time":"2026-01-02T03:04:05.000006Z","sandbox":"s","event":"error","message":"%s",' \
			                '"n":%d,"prev":"%s"}' % ("x" * 30000, n, prev)
			            prev = hashlib.sha256(line.encode()).hexdigest()
			            size += f.write(line + "\n")
			text = "bawn-audit-1 %d %d %d %d %d 0 %s" % (n, size, *first, prev)
			with open(sys.argv[1] + "/audit.jsonl.head", "w") as f:
			    f.write(text + " " + hashlib.sha256(text.encode()).hexdigest().ljust(318 - len(text)) + "\n")
			with open(sys.argv[1] + "/lines", "w") as f:
			    f.write(str(n))
		EOF
	}
	rm -f "$XDG_DATA_HOME"/bawn/audit*
	cp "$T/full"/audit* "$XDG_DATA_HOME/bawn/"
}
log_whole() {
	"$BAWN" log --verify >"$T/verify" || fail "$(cat "$T/verify")" || return 1
	"$BAWN" run --rm shell "$WS" -- true >/dev/null 2>&1
	"$BAWN" log --verify >"$T/verify" || fail "$(cat "$T/verify")" || return 1
	[ "$(cat "$XDG_DATA_HOME/bawn"/audit.jsonl* | grep -c '"event":"error","message":"xx')" = "$(cat "$T/full/lines")" ] ||
		fail "lines are gone" || return 1
}
@test "a rotation of the audit log" {
	mkdir -p "$XDG_DATA_HOME/bawn"
	walk full_log "'$BAWN' run --rm shell '$WS' -- true" log_whole 5
}

imported() { # the old policy or the new one, whole; the new one where that was said
	local f=$XDG_CONFIG_HOME/bawn/policies/mine.yaml
	cmp -s "$T/new.yaml" "$f" || { [ "$rc" != 0 ] && cmp -s "$T/old.yaml" "$f"; } || return 1
	"$BAWN" policy lint >/dev/null && "$BAWN" policy show mine >/dev/null
}
with_policy() {
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	printf 'allow: [old.example]\n' >"$T/old.yaml"
	printf 'allow: [new.example]\n' >"$T/new.yaml"
	cp "$T/old.yaml" "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	chmod -R go-w "$XDG_CONFIG_HOME/bawn"
}
@test "policy import" {
	walk with_policy "'$BAWN' policy import --force --as mine '$T/new.yaml'" imported
}

exported() { # the old file or the new one, whole; the new one where that was said, and the next export works
	cmp -s "$T/want.yaml" "$T/out.yaml" || { [ "$rc" != 0 ] && cmp -s "$T/old.yaml" "$T/out.yaml"; } || return 1
	"$BAWN" policy export --force -o "$T/out.yaml" locked && cmp -s "$T/want.yaml" "$T/out.yaml"
}
with_export() {
	rm -f "$T"/out.yaml*
	printf 'allow: [old.example]\n' >"$T/old.yaml"
	"$BAWN" policy export locked >"$T/want.yaml"
	cp "$T/old.yaml" "$T/out.yaml"
}
@test "policy export" {
	walk with_export "'$BAWN' policy export --force -o '$T/out.yaml' locked" exported
}

# ---- templates: as images.py makes them, a:1 and b:2 with a layer in common, and c:3 ----

STORE() { echo "$XDG_DATA_HOME/bawn/templates"; }
template() { "$BAWN" template "$@"; }
no_templates() {
	rm -rf "$(STORE)"
	[ -e "$WS/two.tar" ] || /usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" several "$WS/two.tar" a:1 b:2
	[ -e "$WS/one.tar" ] || /usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" oci "$WS/one.tar" c:3
}
with_templates() {
	no_templates
	template load "$WS/two.tar" >/dev/null
}
names() { template ls | awk 'NR > 1 { print $1 }' | tr '\n' ' '; }
# Nothing is amiss, and with the next prune no garbage is left.
whole() {
	template verify -q || return 1
	template prune >/dev/null || return 1
	[ -z "$(ls "$(STORE)/tmp")" ] || return 1
	template verify -q
}

loaded() {
	local had
	had=$(names)
	whole || return 1
	[[ $rc != 0 || $had == *c:3* ]] || return 1
	[[ $had == *a:1*b:2* ]] && template load "$WS/one.tar" >/dev/null && [[ $(names) == *c:3* ]] && whole
}
@test "template load" { walk with_templates "'$BAWN' template load '$WS/one.tar'" loaded 10; }

tagged() {
	whole || return 1
	case $(names) in
	'a:1 b:2 ') [ "$rc" != 0 ] ;;
	'a:1 b:2 new:latest ') ;;
	*) return 1 ;;
	esac
}
@test "template tag" { walk with_templates "'$BAWN' template tag a:1 new" tagged 3; }

gone_template() {
	whole || return 1
	case $(names) in
	'a:1 b:2 ') [ "$rc" != 0 ] && template rm b:2 >/dev/null && [ "$(names)" = 'a:1 ' ] || return 1 ;;
	'a:1 ') ;;
	*) return 1 ;;
	esac
	# a layer that both have is there still; the other's own one is not
	[ "$(ls "$(STORE)/layers" | wc -l)" = 2 ] && template load "$WS/two.tar" >/dev/null && whole
}
@test "template rm" { walk with_templates "'$BAWN' template rm b:2" gone_template 5; }

with_garbage() {
	with_templates
	template tag a:1 b:2
}
pruned() {
	whole && [ "$(names)" = 'a:1 b:2 ' ] && [ "$(ls "$(STORE)/layers" | wc -l)" = 2 ]
}
@test "template prune" { walk with_garbage "'$BAWN' template prune" pruned 3; }

with_registry() {
	registry_start "$T"
	SERVERS+=("$(cat "$REG/pid")" "$(cat "$ELSE/pid")")
	registries "mirror docker.io http://$(registry_at) only"
}
pulled() {
	whole || return 1
	case $(names) in
	'a:1 b:2 ') [ "$rc" != 0 ] ;;
	'a:1 b:2 ok/x:latest ') ;;
	*) return 1 ;;
	esac
}
@test "template pull" {
	with_registry
	walk with_templates "'$BAWN' template pull -q ok/x" pulled 10
}

pushed() { whole && [ "$(names)" = 'a:1 b:2 ' ]; }
@test "template push" {
	with_registry
	walk with_templates "'$BAWN' template push -q a:1 $(registry_at)/fromscratch/x\$RANDOM:1" pushed 3
}
