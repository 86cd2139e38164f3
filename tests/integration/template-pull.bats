#!/usr/bin/env bats
# bawn template pull and push, and --pull: against a registry that does as it is told, and in
# template-registry.bats against Debian's.
load ../lib.sh
load ../registry/lib.sh

setup_file() {
	registry_start "$BATS_FILE_TMPDIR"
	export REG ELSE
}
teardown_file() { registry_stop; }
setup() {
	bawn_setup
	AT=$(registry_at)
	registries "mirror docker.io http://$AT only" "stall 20"
	"$BAWN" template ls >/dev/null # makes the store
	ID=$(sed -n 's/^config sha256:\([0-9a-f]*\) .*/\1/p' "$REG/image")
}
teardown() { bawn_teardown; }

# refused WORDS REF: it fails, says so, and the store is as it was.
refused() {
	local before
	before=$(store_state)
	run "$BAWN" template pull -q "$2"
	assert_status 125
	assert_output "$1"
	[ "$(store_state)" = "$before" ] || fail "the store was changed: $(store_state)"
}

# pulling CMD...: in the background, until the pull is under way; its pid is $!
pulling() {
	"$@" 3>&- &
	eventually grep -q "GET /v2/loris/x/blobs/$(registry_layer 2 | sed 's/digest=//; s/ .*//')" "$REG/log"
}

@test "template pull: an image comes, by its tag and by its digest, and only what is missing" {
	run "$BAWN" template pull ok/x:v1
	assert_status 0
	assert_output "${ID:0:12}  ok/x:v1"
	[ "$(cat "$XDG_DATA_HOME"/bawn/templates/layers/*/fs/opt/hello)" = hello ]
	[ "$(wc -l <"$REG/log")" = 5 ] # the manifest, the configuration, three layers
	: >"$REG/log"
	run "$BAWN" template pull "index/y@$(sed -n 's/^manifest //p' "$REG/image")"
	assert_status 0
	none_of "$(awk '/^layer/ { print $2; exit }' "$REG/image")" "$REG/log"
	run "$BAWN" template verify
	assert_status 0
}

@test "template pull: of a manifest list, this machine's; one for others is refused" {
	run "$BAWN" template pull -q index/x
	assert_status 0
	refused "linux/s390x" foreign/x
	run "$BAWN" template pull -q --platform linux/s390x foreign/x
	assert_status 125
}

@test "template pull: of variants one that this processor can run; of what it can't, how to have it" {
	[ "$(uname -m)" = x86_64 ] || skip "variants of amd64"
	refused "this machine's processor can run up to linux/amd64/v" variants/v9
	grep -qw sse4_2 /proc/cpuinfo || skip "a processor that has v2"
	run "$BAWN" template pull -q variants/v2
	assert_status 0
	run "$BAWN" template pull -q --platform linux/amd64/v9 variants/v9
	assert_status 0
}

@test "template pull: what fails leaves the store as it was, and says why" {
	refused "404" s404/x
	refused "docker login $AT, or bawn secret set registry.127.0.0.1_${AT#*:}" s401/x
	refused "(403)" s403/x
	refused "come again in 86400 s" s429/x
	refused "more than 127 layers" many/x
	refused "no valid JSON" nojson/x
	refused "has not the digest" digestlie/x
	refused "bytes where 3146971 are due" long/x
	refused "its content is not what its digest says" wrong/x
	refused "more than the 3146971 bytes" endless/x
	refused 'leads to "file:///etc/passwd"' redirectfile/x
	refused "pull ok/x@sha256:00" "ok/x@sha256:$(printf %064d 0)"
	# one layer of three is there by then, and goes again
	run "$BAWN" template ls -q
	assert_output ""
}

@test "template pull: a layer that breaks off half-way goes on; a redirected one comes" {
	run "$BAWN" template pull -q die/x
	assert_status 0
	"$BAWN" template rm die/x
	"$BAWN" template prune
	run "$BAWN" template pull -q redirect/x
	assert_status 0
	run "$BAWN" template verify
	assert_status 0
}

@test "template pull: two of the same at once, and of others that share its layers" {
	local pids=() pid repo
	for repo in ok/x ok/x index/x redirectself/x; do
		"$BAWN" template pull -q $repo 3>&- >/dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	run "$BAWN" template verify
	assert_status 0
	[ "$(ls "$XDG_DATA_HOME/bawn/templates/layers" | wc -l)" = 3 ]
	[ "$(wc -l <"$XDG_DATA_HOME/bawn/templates/tags")" = 3 ]
	"$BAWN" template prune
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "template pull: a disk without room is said before it is tried, and one that fills up, then" {
	# a small file system of our own, in namespaces of our own
	run unshare -cm --keep-caps sh -c '
		mount -t tmpfs -o size="$1",mode=700 none "$XDG_DATA_HOME" || exit 9
		"$BAWN" template pull -q ok/x
		r=$?
		"$BAWN" template ls -q
		exit $r' sh 2500k
	assert_status 125
	assert_output "the disk of $XDG_DATA_HOME/bawn/templates has no room for that"
	[ "${#lines[@]}" = 2 ]
	# room for what is packed, and none for what comes out of it
	run unshare -cm --keep-caps sh -c '
		mount -t tmpfs -o size="$1",mode=700 none "$XDG_DATA_HOME" || exit 9
		"$BAWN" template pull -q ok/x
		r=$?
		"$BAWN" template ls -q
		ls -A "$XDG_DATA_HOME/bawn/templates/images" "$XDG_DATA_HOME/bawn/templates/layers"
		exit $r' sh 4000k
	assert_status 125
	assert_output "No space left on device"
	refute_output "${ID:0:12}"
}

@test "template pull: killed in the middle, it leaves nothing that counts, and the next one cleans up" {
	registries "mirror docker.io http://$AT only" "stall 60"
	pulling "$BAWN" template pull -q loris/x
	kill -9 $!
	wait $! || :
	run "$BAWN" template ls -q
	assert_output ""
	run "$BAWN" template pull -q ok/x
	assert_status 0
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "run: what ends a command ends it while it pulls, too, with that signal's code and nothing left" {
	registries "mirror docker.io http://$AT only" "stall 60"
	local sig
	for sig in TERM HUP; do # a shell's background job ignores SIGINT
		: >"$REG/log"
		pulling "$BAWN" run --rm --template loris/x shell "$WS" -- true
		kill "-$sig" $!
		status=0
		wait $! || status=$?
		assert_status $((128 + $(kill -l $sig)))
		assert_no_leftovers
	done
	: >"$REG/log"
	pulling "$BAWN" create --name slow --template loris/x shell "$WS"
	kill -KILL $!
	wait $! || :
	assert_no_leftovers
	[ -z "$("$BAWN" ls -q)" ]
	# Ctrl-Z stops both, fg brings both back, and Ctrl-C is heard
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" expect=pulling 'send=\x1a' stopped fg \
		sleep=0.3 'send=\x1a' stopped fg sleep=0.3 'send=\x03' eof modes -- \
		"$BAWN" run --rm --template loris/x shell "$WS" -- true
	assert_status 130
	assert_output "modes as before"
	[ "$(grep -c '^stopped' <<<"$output")" = 2 ]
	assert_no_leftovers
}

@test "template pull: mirrors come before the registry, and what they lack the next one has" {
	registries "mirror docker.io http://127.0.0.1:1" "mirror docker.io http://$AT only"
	run "$BAWN" template pull -q ok/x
	assert_status 0
	registries "mirror docker.io http://127.0.0.1:1" "mirror docker.io http://$AT only"
	run "$BAWN" template pull -q s404/x
	assert_status 125
	assert_output "the mirror before it: http://127.0.0.1:1: "
	# a mirror of another registry is none of this one, and loopback needs no TLS
	registries "mirror quay.io http://$AT"
	run "$BAWN" template pull -q "$AT/ok/x:v9"
	assert_status 0
}

@test "template pull: a file registries that is wrong, or that others can write, stops it" {
	registries "mirror docker.io ftp://x"
	refused "registries:1: 'mirror': wanted: mirror HOST http[s]://" ok/x
	registries "# fine" "mirrors x y"
	refused "registries:2: 'mirrors': unknown" ok/x
	registries "mirror docker.io http://$AT only"
	chmod g+w "$XDG_CONFIG_HOME/bawn/registries"
	refused "others can write" ok/x
}

@test "template pull: a name that is none is refused before anything is asked" {
	: >"$REG/log"
	local bad
	for bad in ../../x '' "$(printf 'x%.0s' {1..4096})" 'ünicode' 'UP/x' 'a//b'; do
		run "$BAWN" template pull -q -- "$bad"
		assert_status 125
	done
	[ ! -s "$REG/log" ]
}

@test "template pull: who we are comes from the secret store, Docker's config.json, or its helper" {
	printf 'ann:pass:word' | "$BAWN" secret set --value-stdin "registry.127.0.0.1_${AT#*:}"
	run "$BAWN" template pull -q basic/x
	assert_status 0
	"$BAWN" secret rm "registry.127.0.0.1_${AT#*:}"
	mkdir -p "$HOME/.docker" "$HOME/elsewhere" "$HOME/bin"
	# ann:pass:word
	echo "{\"auths\":{\"$AT\":{\"auth\":\"YW5uOnBhc3M6d29yZA==\"}}}" >"$HOME/.docker/config.json"
	run "$BAWN" template pull -q login/x
	assert_status 0
	echo "{\"credHelpers\":{\"$AT\":\"test\"}}" >"$HOME/elsewhere/config.json"
	cat >"$HOME/bin/docker-credential-test" <<-'EOF'
		#!/bin/sh
		echo "$1 $(cat)" >>"$HOME/asked"
		echo '{"ServerURL":"x","Username":"ann","Secret":"pass:word"}'
	EOF
	chmod +x "$HOME/bin/docker-credential-test"
	DOCKER_CONFIG=$HOME/elsewhere PATH=$HOME/bin:$PATH run "$BAWN" template pull -q basic/y
	assert_status 0
	[ "$(head -1 "$HOME/asked")" = "get $AT" ]
	DOCKER_CONFIG=$HOME/elsewhere run "$BAWN" template pull -q basic/z
	assert_status 125
	assert_output "docker-credential-test, which knows who you are to $AT, is not in PATH"
	# nor is one that an agent may have written into its workspace
	mkdir -p "$T/ws/node_modules/.bin"
	printf '#!/bin/sh\ntouch "$HOME/was-run"\n' >"$T/ws/node_modules/.bin/docker-credential-test"
	chmod +x "$T/ws/node_modules/.bin/docker-credential-test"
	cd "$T/ws"
	DOCKER_CONFIG=$HOME/elsewhere PATH=$T/ws/node_modules/.bin:$PATH run "$BAWN" template pull -q basic/z
	assert_status 125
	assert_output "is not in PATH"
	[ ! -e "$HOME/was-run" ]
	# the home is none: a helper below it serves there, too
	cd "$HOME"
	DOCKER_CONFIG=$HOME/elsewhere PATH=$HOME/bin:$PATH run "$BAWN" template pull -q basic/z
	assert_status 0
}

@test "template pull: a config.json that says nothing is none, one that can't be read has a remedy" {
	mkdir -p "$HOME/.docker"
	: >"$HOME/.docker/config.json"
	run "$BAWN" template pull -q ok/x
	assert_status 0
	echo '{"auths":' >"$HOME/.docker/config.json"
	run "$BAWN" template pull -q ok/y
	assert_status 125
	assert_output "no valid JSON"
	assert_output "docker login writes it anew"
	chmod 0 "$HOME/.docker/config.json"
	run "$BAWN" template pull -q ok/y
	assert_status 125
	assert_output "config.json: Permission denied"
	assert_output "is it yours?"
}

@test "template pull: a password of several lines, as Google's key file is one" {
	printf '_json_key:{\n  "type": "service_account",\n  "key": "a\\nb"\n}\n' >"$T/auth"
	mkdir -p "$HOME/.docker"
	echo "{\"auths\":{\"$AT\":{\"auth\":\"$(base64 <"$T/auth" | sed ':a;N;$!ba;s/\n/\\n/g')\"}}}" \
		>"$HOME/.docker/config.json"
	run "$BAWN" template pull -q basic/x
	assert_status 125
	grep -qF "Basic $(base64 -w0 <"$T/auth")" "$REG/log" || fail "not asked with it"
}

@test "template pull: a helper that knows nothing is no error, one that fails is, and says no secret" {
	mkdir -p "$HOME/.docker" "$HOME/bin"
	echo '{"credsStore":"test"}' >"$HOME/.docker/config.json"
	printf '#!/bin/sh\necho credentials not found in native keychain; exit 1\n' \
		>"$HOME/bin/docker-credential-test"
	chmod +x "$HOME/bin/docker-credential-test"
	PATH=$HOME/bin:$PATH run "$BAWN" template pull -q ok/x
	assert_status 0
	printf '#!/bin/sh\necho %s; exit 3\n' "$CANARY" >"$HOME/bin/docker-credential-test"
	PATH=$HOME/bin:$PATH run "$BAWN" template pull -q ok/y
	assert_status 125
	assert_output "docker-credential-test has ended with 3"
	printf '#!/bin/sh\necho %s\n' "$CANARY" >"$HOME/bin/docker-credential-test"
	PATH=$HOME/bin:$PATH run "$BAWN" template pull -q ok/y
	assert_status 125
	refute_canary "$XDG_DATA_HOME" "$XDG_CACHE_HOME"
}

@test "template pull: a password is in no argument, variable, message or file" {
	local password=pw-$RANDOM$RANDOM$RANDOM
	printf 'ann:%s' "$password" | "$BAWN" secret set --value-stdin "registry.127.0.0.1_${AT#*:}"
	strace -f -e trace=execve -v -s 4096 -o "$T/trace" "$BAWN" template pull -q login/x \
		>"$T/out" 2>&1 && fail "it was not refused"
	grep -q 'bawn-registry' "$T/trace"
	grep -q 'wrong password' "$T/out"
	none_of "$password" "$T/trace" "$T/out"
	refute_output "$password"
	[ -z "$(grep -rlF "$password" "$XDG_DATA_HOME" "$XDG_CACHE_HOME" 2>/dev/null)" ]
}

@test "template pull: by a proxy, where the host goes out by one" {
	registries "insecure registry.example.com"
	http_proxy=http://who:pw@$AT run "$BAWN" template pull -q registry.example.com/ok/x:v3
	assert_status 0
	# who:pw
	grep -q "PROXY http://registry.example.com/v2/ok/x/manifests/v3 Basic d2hvOnB3" "$REG/log"
	http_proxy=socks5://$AT run "$BAWN" template pull -q registry.example.com/ok/y
	assert_status 125
	assert_output "only http:// and https:// proxies"
}

@test "template build: FROM an image that is not here pulls it, once; what can't be had is named with its line" {
	echo f >f
	printf 'FROM ok/x\nCOPY f /opt/f\n' >Dockerfile
	run "$BAWN" template build -t mine .
	assert_status 0
	[ "$(cat "$XDG_DATA_HOME"/bawn/templates/layers/*/fs/opt/hello)" = hello ]
	: >"$REG/log"
	run "$BAWN" template build -t mine:2 .
	assert_status 0
	[ ! -s "$REG/log" ]
	# asked again, each name once, and only if it is said
	printf 'FROM ok/x AS a\nFROM ok/x\nCOPY --from=a /opt/hello /h\n' >two
	run "$BAWN" build --pull -t mine:2 -f two .
	assert_status 0
	[ "$(grep -c 'GET /v2/ok/x/manifests/latest' "$REG/log")" = 1 ]
	"$BAWN" template tag mine:2 s404/own:1
	printf 'FROM s404/own:1\n' >own
	run "$BAWN" build --pull -f own .
	assert_status 125
	assert_output "own:1:6: --pull: 's404/own:1' could not be pulled"
	printf 'FROM scratch AS none\nFROM %s\nCOPY f /opt/f\n' s404/x >Dockerfile
	run "$BAWN" template build -t mine:3 .
	[ "$status" -ne 0 ]
	assert_output 'Dockerfile:2'
	assert_output "s404/x"
	run "$BAWN" template ls
	refute_output mine:3
}

@test "template push: what is pushed is pulled again as it was, and known layers are not sent" {
	"$BAWN" template pull -q ok/x:v1
	run "$BAWN" template push -q ok/x:v1 "$AT/fromscratch/a:1"
	assert_status 0
	assert_output "sha256:"
	: >"$REG/log"
	# mounted from the repository that has them
	run "$BAWN" template pull -q "$AT/fromscratch/a:1"
	assert_status 0
	: >"$REG/log"
	run "$BAWN" template push -q ok/x:v1 "$AT/fromscratch/b:1"
	assert_status 0
	[ "$(grep -c 'POST /v2/fromscratch/b/blobs/uploads/?mount=.*&from=fromscratch' "$REG/log")" = 3 ]
	[ "$(grep -c '^PUT' "$REG/log")" = 2 ] # the configuration and the manifest
	"$BAWN" template rm "$AT/fromscratch/a:1" ok/x:v1
	"$BAWN" template prune
	run "$BAWN" template pull -q "$AT/fromscratch/b:1"
	assert_status 0
	assert_output "${ID:0:12}"
}

@test "template push: layers go at once, and a manifest only when all are there" {
	"$BAWN" template pull -q ok/x:v1
	: >"$REG/log"
	run timeout 60 "$BAWN" template push -q ok/x:v1 "$AT/atonce/a:1"
	assert_status 0
	[ "$(grep -c '^PUT /v2/atonce/a/blobs' "$REG/log")" = 4 ]
	[[ $(grep '^PUT' "$REG/log" | tail -1) == *"/v2/atonce/a/manifests/1 "* ]]
	: >"$REG/log"
	run timeout 60 "$BAWN" template push -q ok/x:v1 "$AT/denied/a:1"
	assert_status 125
	assert_output "layer "
	none_of '^PUT' "$REG/log"
}

@test "template push: what can't be pushed says why" {
	"$BAWN" template pull -q ok/x:v1
	run "$BAWN" template push -q ok/x:v1 "$AT/denied/x:1"
	assert_status 125
	assert_output "refuses this (403): read only"
	run "$BAWN" template push -q "${ID:0:12}"
	assert_status 125
	assert_output "an ID doesn't say where"
	run "$BAWN" template push -q nosuch:1
	assert_status 125
	run "$BAWN" template push -q ok/x:v1 "$AT/x@sha256:$(printf %064d 0)"
	assert_status 125
	assert_output "needs a tag"
	run "$BAWN" template push -q --format tar ok/x:v1
	assert_status 2
	assert_output "oci or docker"
}

@test "without a registry: what can be done about an agent's image is said, with the recipe and its base" {
	registries "mirror docker.io http://127.0.0.1:1 only"
	run "$BAWN" run codex --template docker.io/docker/sandbox-templates:codex
	assert_status 125
	assert_output "pull docker/sandbox-templates:codex: "
	assert_output "a recipe for codex"
	assert_output "bawn template bootstrap debian, then --template codex"
	run "$BAWN" create --name box --template docker.io/docker/sandbox-templates:claude-code claude .
	assert_status 125
	assert_output "then --template claude"
	run "$BAWN" run --template no/such shell . -- true
	assert_status 125
	refute_output recipe
	# the recipe itself, where its base is missing
	run "$BAWN" run codex --template codex
	assert_status 125
	assert_output "there is no template 'debian'"
	assert_output "by: bawn template bootstrap debian"
	# where it is there, that step is left out
	registries "mirror docker.io http://$AT only"
	"$BAWN" template pull -q ok/x:v1
	"$BAWN" template tag ok/x:v1 debian
	registries "mirror docker.io http://127.0.0.1:1 only"
	run "$BAWN" run codex --template docker.io/docker/sandbox-templates:codex
	assert_output "of a registry: --template codex"
}
