#!/usr/bin/env bats
# bawn-registry by itself, against a registry that does as it is told: what it takes, what it refuses,
# and what it says then.  `bawn template pull` and push are in template-pull.bats.
load ../lib.sh
load ../registry/lib.sh

setup_file() {
	registry_start "$BATS_FILE_TMPDIR"
	export REG ELSE
}
teardown_file() { registry_stop; }
setup() {
	OUT=$BATS_TEST_TMPDIR/out
	BLOB=$(registry_layer 2)
}
teardown() {
	[ ! -e "$BATS_TEST_TMPDIR/tls/pid" ] || kill "$(cat "$BATS_TEST_TMPDIR/tls/pid")" 2>/dev/null || :
}

# refused WHAT WORDS KEY=VALUE...: it says so, and no more.
refused() {
	local words=$1
	shift
	run ask tries=2 "$@"
	assert_status 1
	assert_output "error "
	assert_output "$words"
}

blob_is_whole() {
	assert_status 0
	case $BLOB in *"sha256:$(sha256sum <"$OUT" | cut -d' ' -f1)"*) ;; *) fail "not the blob" ;; esac
}

@test "registry: a manifest and a blob come whole, with their digests" {
	run ask op=manifest repo=ok/x ref=latest
	assert_status 0
	assert_output "type application/vnd.oci.image.manifest.v1+json"
	assert_output "digest $(sed -n 's/^manifest //p' "$REG/image")"
	[ "sha256:$(sha256sum <"$OUT" | cut -d' ' -f1)" = "$(sed -n 's/^manifest //p' "$REG/image")" ]
	# shellcheck disable=SC2086  # two words
	run ask op=blob repo=ok/x $BLOB
	blob_is_whole
}

@test "registry: a manifest that is asked for by its digest must have it" {
	refused "has not the digest" op=manifest repo=ok/x ref=sha256:$(printf %064d 0)
	refused "has not the digest" op=manifest repo=digestlie/x ref=latest
}

@test "registry: a blob that breaks off goes on from there, also where parts are not known" {
	for repo in die/x norange/x; do
		# shellcheck disable=SC2086
		run ask op=blob repo=$repo tries=3 $BLOB
		blob_is_whole
	done
	# asked for from its middle, not again from the beginning
	[ "$(grep -c 'GET /v2/die/x/blobs' "$REG/log")" = 3 ]
}

@test "registry: one that breaks off for ever is given up" {
	# shellcheck disable=SC2086
	refused "broke off" op=blob repo=diealways/x $BLOB
	# shellcheck disable=SC2086
	refused "another part" op=blob repo=wrongrange/x $BLOB
}

@test "registry: what has another length, no end or another content is refused" {
	local f
	# shellcheck disable=SC2086
	{
		refused "bytes where 3146971 are due" op=blob repo=long/x $BLOB
		refused "bytes where 3146971 are due" op=blob repo=short/x $BLOB
		refused "more than the 3146971 bytes" op=blob repo=endless/x $BLOB
		refused "its content is not what its digest says" op=blob repo=wrong/x $BLOB
	}
	[ "$(stat -c %s "$OUT")" -le 3146971 ]
	refused "4194304 are the most" op=manifest repo=hugemanifest/x ref=latest
	refused "the head of its answer has no end" op=manifest repo=hugehead/x ref=latest
	refused "does not answer in HTTP" op=manifest repo=nothttp/x ref=latest
}

@test "registry: what trickles is given up" {
	# shellcheck disable=SC2086
	refused "next to nothing has come for 1 s" op=blob repo=loris/x stall=1 $BLOB
}

@test "registry: 401, 403, 404, 429 and 500 are said with their remedy" {
	refused "hint where an account is needed: docker login reg.test" op=manifest repo=s401/x ref=v1 \
		host=reg.test
	refused 'refuses this (403): not for you \x1b[2J' op=manifest repo=s403/x ref=v1
	refused "no such thing (404): manifest unknown" op=manifest repo=s404/x ref=v1
	refused "come again in 86400 s" op=manifest repo=s429/x ref=v1
	refused "status 500: trouble" op=manifest repo=s500/x ref=v1
	assert_output "hint that is the registry's own trouble"
}

@test "registry: what may pass is asked for again, when it says so" {
	run ask op=manifest repo=s429-once/x ref=v1
	assert_status 0
	run ask op=manifest repo=s500-twice/x ref=v1
	assert_status 0
}

@test "registry: redirects are followed without saying who we are, and to no other scheme" {
	# shellcheck disable=SC2086
	{
		run ask op=blob repo=redirect/x secret.bearer=told-nobody-else $BLOB
		blob_is_whole
		grep -q "GET /v2/redirect/x/blobs.* Bearer told-nobody-else" "$REG/log"
		grep -q "GET /elsewhere/.* -\$" "$ELSE/log"
		none_of told-nobody-else "$ELSE/log"
		run ask op=blob repo=redirectself/x secret.bearer=told-itself $BLOB
		blob_is_whole
		grep -q "GET /elsewhere/.* Bearer told-itself" "$REG/log"
		refused 'leads to "file:///etc/passwd"' op=blob repo=redirectfile/x $BLOB
		refused 'leads to "gopher://' op=blob repo=redirectgopher/x $BLOB
		refused 'leads to "http://a:b@' op=blob repo=redirectuser/x $BLOB
		refused 'more than 5 redirects' op=blob repo=loop/x $BLOB
	}
}

@test "registry: where it leads to, nobody can ask who we are" {
	# shellcheck disable=SC2086
	for who in secret.user=ann secret.identity=refresh-7; do
		refused "the place that it leads to refuses this (401)" op=blob repo=thief/x "$who" \
			secret.pass=pass:word $BLOB
		grep -q "GET /thief/.* -\$" "$ELSE/log"
		none_of 'TOKEN|Basic|/token' "$ELSE/log"
	done
}

@test "registry: a token is asked for where the challenge says, with who we are" {
	run ask op=manifest repo=bearer/x ref=v1
	assert_status 0
	assert_output "secret bearer token-3f1c"
	grep -q 'TOKEN service=reg%2C%20of%20tests&scope=repository%3Abearer%2Fx%3Apull' "$REG/log"
	run ask op=manifest repo=login/x ref=v1 secret.user=ann secret.pass=pass:word
	assert_status 0
	run ask op=manifest repo=login/x ref=v1 secret.identity=refresh-7
	assert_status 0
	grep -q 'TOKEN who=1 grant_type=refresh_token&client_id=bawn&refresh_token=refresh-7' "$REG/log"
	run ask op=manifest repo=basic/x ref=v1 secret.user=ann secret.pass=pass:word
	assert_status 0
}

@test "registry: a wrong password is said, and not what it is" {
	run ask op=manifest repo=login/x ref=v1 secret.user=ann secret.pass=hunter-2 host=reg.test
	assert_status 1
	assert_output "wrong password"
	assert_output "kept for reg.test don't serve: renew them by docker login reg.test"
	refute_output "error hunter-2"
	[ "$(grep -c hunter-2 <<<"$output")" = 1 ] # in its memfd of secrets, from where it came
}

@test "registry: an endpoint of tokens is no file, no other host without TLS, and gives a token" {
	refused "no place for that" op=manifest repo=realmfile/x ref=v1 secret.user=ann secret.pass=p
	refused "not safe: no https" op=manifest repo=realmhttp/x ref=v1 secret.user=ann secret.pass=p
	refused "has given none" op=manifest repo=notoken/x ref=v1
	refused "has given none" op=manifest repo=hugetoken/x ref=v1
	refused "malformed" op=manifest repo=badchallenge/x ref=v1
}

@test "registry: a blob is pushed once, mounted where it can be, and again where it broke off" {
	head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/blob"
	local new
	new="digest=sha256:$(sha256sum <"$BATS_TEST_TMPDIR/blob" | cut -d' ' -f1) size=100000"
	local in=in=$BATS_TEST_TMPDIR/blob
	# shellcheck disable=SC2086
	{
		run ask op=have repo=diepush/x $new
		assert_output "status 404"
		run ask op=push-blob repo=diepush/x tries=3 $new $in
		assert_status 0
		run ask op=have repo=diepush/x $new
		assert_output "status 200"
		: >"$REG/log"
		run ask op=push-blob repo=diepush/x $new $in
		assert_status 0
		none_of '^(PUT|POST)' "$REG/log"
		run ask op=have repo=fromscratch/y from=diepush/x $new
		assert_output "status 200"
		none_of '^PUT' "$REG/log"
		head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/blob"
		new="digest=sha256:$(sha256sum <"$BATS_TEST_TMPDIR/blob" | cut -d' ' -f1) size=100000"
		refused "status 500: disk full" op=push-blob repo=push500/x $new $in
		refused "refuses this (403): read only" op=push-blob repo=denied/x $new $in
		refused "not safe to use" op=push-blob repo=place/x $new $in
	}
}

@test "registry: what can't be asked is refused before anything is" {
	: >"$REG/log"
	local evil
	for evil in ../x /x x//y 'X' ''; do
		refused "what can't be" op=manifest repo="$evil" ref=v1
	done
	refused "what can't be" op=manifest repo=ok/x ref=../../x
	refused "what can't be" op=blob repo=ok/x digest=sha256:zz size=1
	refused "another form" raw='op manifest\nevil 1\nend\n'
	[ ! -s "$REG/log" ]
}

@test "registry: its process can open no file, make no UNIX socket, and start nothing" {
	command -v strace >/dev/null || skip "strace"
	strace -f -o "$BATS_TEST_TMPDIR/trace" python3 "$BAWN_SRCDIR/tests/registry/ask.py" \
		"$BAWN_BUILDDIR/bawn-registry" "$OUT" base="http://localhost:$(cat "$REG/port")" op=manifest \
		repo=ok/x ref=v1
	# it tries these itself, once it is confined, and would not go on where one works
	grep -q 'openat(AT_FDCWD, .*O_DIRECTORY) = -1 EACCES' "$BATS_TEST_TMPDIR/trace"
	grep -q 'socket(AF_UNIX.*= -1 EAFNOSUPPORT' "$BATS_TEST_TMPDIR/trace"
	grep -q 'execve(0x.*= -1 EPERM' "$BATS_TEST_TMPDIR/trace"
}

# An authority and a certificate for localhost; and a registry that has it, in $1.
tls_registry() {
	mkdir -p "$1"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority \
		-keyout "$1/ca.key" -out "$1/ca.crt" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
		-keyout "$1/key" -out "$1/csr" 2>/dev/null
	openssl x509 -req -in "$1/csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=DNS:localhost) -out "$1/crt" 2>/dev/null
	: >"$1/log"
	REGISTRY_TLS="$1/crt $1/key" python3 "$BAWN_SRCDIR/tests/registry/registry.py" "$1" \
		"$(cat "$ELSE/port")" >/dev/null 2>&1 3>&- </dev/null &
	echo "$!" >"$1/pid"
	eventually test -e "$1/port"
}

@test "registry: by TLS only with a certificate that is trusted for the host, and no step down from there" {
	local tls=$BATS_TEST_TMPDIR/tls base
	tls_registry "$tls"
	base=base=https://localhost:$(cat "$tls/port")
	run ask "$base" op=manifest repo=ok/x ref=v1 tries=1
	assert_status 1
	assert_output "its certificate is not trusted"
	assert_output "ca HOST FILE"
	run ask "base=https://127.0.0.1:$(cat "$tls/port")" ca="$tls/ca.crt" op=manifest repo=ok/x ref=v1 tries=1
	assert_status 1
	assert_output "its certificate is not trusted"
	run ask "$base" ca="$tls/ca.crt" op=manifest repo=ok/x ref=v1
	assert_status 0
	run ask "$base" trust="$tls/ca.crt" op=manifest repo=ok/x ref=v1
	assert_status 0
	[ "$(wc -l <"$tls/log")" = 2 ]
	# shellcheck disable=SC2086
	run ask "$base" ca="$tls/ca.crt" op=blob repo=redirect/x $BLOB
	assert_status 1
	assert_output "leads from https to http"
}

@test "registry: one elsewhere can't have us ask what listens on this machine" {
	local reg=$BATS_TEST_TMPDIR/reg
	mkdir "$reg"
	: >"$reg/log"
	# a network of its own, with an address that is not loopback's
	run timeout 60 unshare -Urn sh -c '
		ip link set lo up && ip addr add 192.0.2.7/32 dev lo || exit 9
		mkdir "$1/else" && : >"$1/else/log"
		python3 "$2/registry.py" "$1/else" >/dev/null 2>&1 &
		a=$!
		while [ ! -e "$1/else/port" ]; do sleep 0.05; done
		REGISTRY_BIND=192.0.2.7 python3 "$2/registry.py" "$1" "$(cat "$1/else/port")" >/dev/null 2>&1 &
		b=$!
		while [ ! -e "$1/port" ]; do sleep 0.05; done
		python3 "$2/ask.py" "$3/bawn-registry" "$1/out" "base=http://192.0.2.7:$(cat "$1/port")" \
			op=blob repo=redirect/x $4
		r=$?
		kill $a $b
		exit $r' sh "$reg" "$BAWN_SRCDIR/tests/registry" "$BAWN_BUILDDIR" "$BLOB"
	assert_status 1
	assert_output "it leads to an address of this machine"
	[ ! -s "$reg/else/log" ]
	[ "$(grep -c 'GET /v2/redirect/x/blobs' "$reg/log")" = 1 ]
}

@test "registry: nor under an address that others see, unless the registry is here, too" {
	local dir=$BATS_TEST_TMPDIR
	# two networks: this machine has 192.0.2.7, the registry 192.0.2.1; 198.51.100.0/24 is on no
	# interface, and routed to the machine itself
	cat >"$dir/world" <<-'EOF'
		dir=$1 src=$2 build=$3 blob=$4
		ip link set lo up
		unshare -n sh -c 'echo $$ >"$1/pid.new" && mv "$1/pid.new" "$1/pid" && exec sleep 60' sh "$dir" &
		world=$!
		while [ ! -e "$dir/pid" ]; do sleep 0.05; done
		ip link add va type veth peer name vb netns "$(cat "$dir/pid")" || exit 9
		ip addr add 192.0.2.7/24 dev va && ip link set va up || exit 9
		there="nsenter -t $(cat "$dir/pid") -n" # a process of its own: $! is the server's
		$there ip addr add 192.0.2.1/24 dev vb && $there ip link set vb up || exit 9
		start() { # NAME ADDRESS OTHER [CMD]
			mkdir "$dir/$1" && : >"$dir/$1/log"
			$4 env REGISTRY_BIND=$2 python3 "$src/registry.py" "$dir/$1" $3 >/dev/null 2>&1 &
			pids="$pids $!"
			while [ ! -e "$dir/$1/port" ]; do sleep 0.05; done
		}
		ip route add local 198.51.100.0/24 dev lo src 192.0.2.7 || exit 9
		start else 0.0.0.0 ""
		start here 192.0.2.7 "192.0.2.7:$(cat "$dir/else/port")"
		start away 192.0.2.1 "192.0.2.7:$(cat "$dir/else/port")" "$there"
		start routed 192.0.2.1 "198.51.100.9:$(cat "$dir/else/port")" "$there"
		ask() { python3 "$src/ask.py" "$build/bawn-registry" "$dir/out" "base=http://$1" op=blob $blob repo="$2" tries=2; }
		ask "192.0.2.1:$(cat "$dir/away/port")" redirectself/x >"$dir/said" || echo "redirectself failed"
		ask "192.0.2.1:$(cat "$dir/away/port")" redirect/x && echo "redirect went through"
		ask "192.0.2.1:$(cat "$dir/routed/port")" redirect/x && echo "routed went through"
		grep . "$dir/else/log"
		ask "192.0.2.7:$(cat "$dir/here/port")" redirect/x >"$dir/said" || echo "here failed"
		kill $pids $world
		exit 0
	EOF
	run timeout 60 unshare -Urn sh "$dir/world" "$dir" "$BAWN_SRCDIR/tests/registry" "$BAWN_BUILDDIR" "$BLOB" 3>&-
	assert_status 0
	[ "$(grep -c "it leads to an address of this machine" <<<"$output")" = 2 ]
	refute_output failed 'went through' GET
}
