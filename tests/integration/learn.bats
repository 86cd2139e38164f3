#!/usr/bin/env bats
# learn.bats - bawn learn: one run observed, the smallest policy for it; nothing private is reached
# meanwhile, and what is learnt is enough.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load vault.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# learn OPTIONS... -- SCRIPT: all names lead to the server
learn() {
	local opts=()
	while [ "$1" != -- ]; do
		opts+=("$1")
		shift
	done
	run --separate-stderr timeout 60 "$BAWN" learn --connect-to "::127.0.0.1:$PORT" "${opts[@]}" \
		shell "$WS" -- sh -c "$2"
}

@test "learn: what is learnt lints clean, is no more than what was used, and is enough for the same again" {
	serve_http hello
	local script='for u in http://new.example/ http://new.example:8080/ http://a.b.new.example/ \
		http://x.debian.org/; do curl -sS "$u" || exit; done; curl -sS http://new.example/'
	learn -o "$T/learnt.yaml" -- "$script"
	assert_status 0
	[[ $stderr == *'bawn: learning: in this run every public host can be reached'* ]]
	[[ $stderr == *"learnt: 3 hosts that today's policies do not allow, 1 that they do"* ]]
	# each line says what used it, and what today's policies say
	grep -B1 -F '"new.example:80"' "$T/learnt.yaml" | grep -q '# 2 connections, [0-9]* bytes up, [0-9]* down, first by curl$'
	grep -B1 -F '"x.debian.org:80"' "$T/learnt.yaml" | grep -q 'first by curl; balanced.yaml:[0-9]*$'
	[ "$(sed -n 's/^  - //p' "$T/learnt.yaml" | sort | tr '\n' ' ')" = \
		'"a.b.new.example:80" "new.example:80" "new.example:8080" "x.debian.org:80" ' ]
	run ! grep -q '\*' "$T/learnt.yaml"
	run -0 "$BAWN" policy lint "$T/learnt.yaml"
	[ -z "$output" ] || fail lint
	# the same again, with no denial; more is denied
	run --separate-stderr timeout 60 "$BAWN" run --rm --connect-to "::127.0.0.1:$PORT" \
		--audit "$T/log" --policy "$T/learnt.yaml" shell "$WS" -- sh -c "$script"
	assert_status 0
	[ "$(grep -o hello <<<"$output" | wc -l)" = 5 ]
	run ! grep -q '"event":"deny"' "$T/log"
	run timeout 60 "$BAWN" run --rm --connect-to "::127.0.0.1:$PORT" --policy "$T/learnt.yaml" shell \
		"$WS" -- curl -sS http://other.new.example/
	assert_output 'is refused'
	# against today's: the new ones, and no more
	"$BAWN" policy diff --json profile:shell "$T/learnt.yaml" >"$T/diff" || true
	python3 - "$T/diff" <<-'E'
		import json, sys
		x = json.load(open(sys.argv[1]))
		got = sorted((m["host"], tuple(m["ports"])) for m in x["more"])
		assert got == [("a.b.new.example", (80,)), ("new.example", (80, 8080))], got
	E
}

@test "learn: nothing private, literal or denied is reached, and nothing of it learnt" {
	serve_http "$CANARY"
	learn -o "$T/learnt.yaml" -- "
		curl -sS -m 5 http://127.0.0.1:$PORT/; curl -sS -m 5 http://10.0.0.1/; curl -sS -m 5 http://1.1.1.1/
		curl -sS -m 5 http://169.254.169.254/; curl -sS -m 5 'http://[fd00:ec2::254]/'
		curl -sS -m 5 http://metadata.google.internal/; curl -sS -m 5 http://printer.local/
		curl -sS -m 5 http://statsig.anthropic.com/; curl -sS -m 5 http://intranet/
		exit 7"
	assert_status 7 # the tool's own
	[[ $output != *"$CANARY"* ]] || fail reached
	grep -q '^allow: \[\]$' "$T/learnt.yaml"
	run ! grep -q '^  - ' "$T/learnt.yaml"
	grep -q '^#   10.0.0.1:80: no rule allows it' "$T/learnt.yaml"
	grep -q '^#   statsig.anthropic.com:80: a rule denies it' "$T/learnt.yaml"
	run -0 "$BAWN" policy lint "$T/learnt.yaml"
}

@test "learn: a private rule of the user's stays the user's" {
	serve_http hello
	learn --allow-private new.example:80 -o "$T/learnt.yaml" -- 'curl -sS http://new.example/'
	assert_status 0
	[[ $output == *hello* ]]
	run ! grep -q '^  - ' "$T/learnt.yaml"
	grep -q '^#   new.example:80$' "$T/learnt.yaml"
	[[ $stderr == *'some were left out'* ]]
}

@test "learn: --name installs it, on standard output without, and bad input stops before the run" {
	serve_http hello
	learn --name mine -- 'curl -sS http://new.example/'
	assert_status 0
	grep -qF '"new.example:80"' "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	run -0 "$BAWN" policy check --policy mine shell http://new.example
	run -1 "$BAWN" policy check --policy mine shell example.com
	learn --workspace cow -- 'curl -sS http://new.example/; touch landed'
	assert_output '  - "new.example:80"'
	[ ! -e landed ]
	local -a bad
	touch "$T/there.yaml"
	for bad in '--offline' '--name mine' '--name balanced' '--name user' '--name a/b' \
		"-o $T/there.yaml" "-o $T/no/such/dir" "-o $T/" "-o $T/x --name y" '--rm' '--workspace clone' '--no-such'; do
		# shellcheck disable=SC2086,SC2128  # words
		learn $bad -- 'echo RAN'
		assert_status 125 || fail "$bad" || return 1
		[[ $output != *RAN* && $stderr == bawn:* ]] || fail "$bad: $stderr" || return 1
	done
	learn -o "$T/there.yaml" --force -- 'curl -sS http://new.example/'
	assert_status 0
	grep -qF '"new.example:80"' "$T/there.yaml"
	run -125 "$BAWN" learn
	assert_output 'which profile or sandbox?'
	run -125 "$BAWN" learn nosuchprofile -- true
	run -0 "$BAWN" learn --help
	assert_output 'Usage: bawn learn'
	# a name that can't be one: what was learnt is printed, not lost
	learn --name 'a b' -- 'curl -sS http://new.example/'
	assert_status 125
	assert_output '  - "new.example:80"'
}

@test "learn, export: a policy's file name writes no rule" {
	serve_http hello
	local odd=$'x\n  - "evil.example"\n#.yaml'
	printf 'allow: ["own.example:80"]\n' >"$T/$odd"
	learn --policy "$T/$odd" -o "$T/learnt.yaml" -- 'curl -sS http://own.example/'
	assert_status 0
	[ "$(sed -n 's/^  - //p' "$T/learnt.yaml")" = '"own.example:80"' ]
	run -0 "$BAWN" policy export "$T/$odd"
	[ "$(sed -n 's/^  - //p' <<<"$output")" = '"own.example:80"' ]
}

@test "learn: a program's own name writes no rule" {
	serve_http hello
	learn -o "$T/learnt.yaml" -- 'n=$(printf "x\n  - \"evil\""); cp "$(command -v curl)" "$HOME/$n"
		"$HOME/$n" -sS http://new.example/
		cp "$(command -v curl)" "$HOME/$(printf "\033[31m#:\"")"; "$HOME/$(printf "\033[31m#:\"")" -sS http://b.example/
		curl -sS http://c.example/'
	[ "$(sed -n 's/^  - //p' "$T/learnt.yaml" | tr '\n' ' ')" = '"b.example:80" "c.example:80" "new.example:80" ' ] ||
		fail "$(cat "$T/learnt.yaml")"
	run ! grep -q $'\033' "$T/learnt.yaml"
	grep -q ', first by x$' "$T/learnt.yaml"
	grep -q ', first by curl$' "$T/learnt.yaml"
	run -0 "$BAWN" policy lint "$T/learnt.yaml"
}

@test "learn: the tool can't lead the policy's file elsewhere" {
	serve_http hello
	mkdir "$WS/out"
	learn -o "$WS/out/learnt.yaml" -- 'curl -sS http://new.example/; mv out moved; ln -s "$HOME" out
		ln -s /etc/passwd moved/learnt.yaml'
	assert_status 0
	[ -f "$WS/moved/learnt.yaml" ] && [ ! -L "$WS/moved/learnt.yaml" ]
	[ ! -e "$HOME/learnt.yaml" ]
}

@test "learn: a sandbox lends its profile, options, workspace and rules, and stays as it is" {
	serve_http hello
	"$BAWN" create --name box --connect-to "::127.0.0.1:$PORT" --allow own.example:80 \
		--deny no.example --publish 0:3000 shell . >/dev/null
	cp "$XDG_DATA_HOME/bawn/sandboxes/box/spec" "$T/before"
	run --separate-stderr timeout 60 "$BAWN" learn -o "$T/learnt.yaml" box -- sh -c '
		curl -sS http://own.example/; curl -sS http://new.example/; curl -sS http://no.example/
		pwd; touch "$HOME/left" here'
	assert_status 0
	assert_output hello
	assert_output 'no.example:80 is refused: a rule denies it'
	assert_output "$WS"
	[ -e here ]
	grep -B1 -F '"own.example:80"' "$T/learnt.yaml" | grep -q -- '--allow$'
	grep -qF '"new.example:80"' "$T/learnt.yaml"
	grep -q '^#   no.example:80: a rule denies it' "$T/learnt.yaml"
	cmp "$T/before" "$XDG_DATA_HOME/bawn/sandboxes/box/spec"
	run -1 "$BAWN" exec box sh -c 'test -e "$HOME/left"'
	run timeout 30 "$BAWN" exec box curl -sS http://new.example/
	assert_output 'is refused'
	"$BAWN" create --name off --offline shell . >/dev/null
	run -125 "$BAWN" learn off -- true
	assert_output 'an offline run has nothing to learn from'
	run -125 "$BAWN" learn nosuch -- true
	assert_output "there is no sandbox 'nosuch'"
	git_repo
	"$BAWN" create --name apart --workspace clone shell . >/dev/null 2>&1
	run -125 "$BAWN" learn apart -- true
	assert_output 'no clone'
}

@test "learn: it is that run alone: nothing stays open" {
	serve_http hello
	learn -- 'curl -sS http://new.example/'
	assert_status 0
	run timeout 30 "$BAWN" run --rm --connect-to "::127.0.0.1:$PORT" shell "$WS" -- curl -sS http://new.example/
	assert_output 'is refused'
	[ -z "$("$BAWN" ls -q)" ]
}

# A key that goes to api.v.example, which a server behind TLS plays (.test names are nobody's to learn).
keyed_host() {
	make_ca api.v.example other.v.example
	rm "$WS/ca.crt"
	upstream "$T/tls.crt" "$T/tls.key"
	export SSL_CERT_FILE=$T/ca.pem API_TEST_KEY=$KEY
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	cat >"$XDG_CONFIG_HOME/bawn/policies/keyed.yaml" <<-'Y'
		allow: [api.v.example, other.v.example]
		credentials:
		  - secret: apitest
		    hosts: [api.v.example]
		    header: x-api-key
		    env: [API_TEST_KEY]
		    placeholder: "sk-stand-in-{32}"
	Y
	BAWN_OPTS=(--policy keyed --connect-to "api.v.example:443:127.0.0.1:$UP"
		--connect-to "other.v.example:443:127.0.0.1:$UP")
}

@test "learn: where requests are looked at, method and path are learnt, nothing private of them, and it is enough" {
	keyed_host
	local script='
		k="x-api-key: $API_TEST_KEY"
		curl -sS -H "$k" "https://api.v.example/v1/models?token=hidden-query"
		curl -sS -H "$k" -d x https://api.v.example/v1/messages
		for i in 11 12 13; do curl -sS -H "$k" https://api.v.example/users/$i/posts; done
		curl -sS -H "$k" https://api.v.example/by/me@private.example
		curl -ksS https://other.v.example/path'
	BAWN_OPTS+=(--audit "$T/log")
	run --separate-stderr timeout 60 "$BAWN" learn "${BAWN_OPTS[@]}" -o "$T/learnt.yaml" shell "$WS" -- sh -c "$script"
	assert_status 0
	[ "$(sed -n 's/^  - "//p' "$T/learnt.yaml" | sort | tr '\n' ' ')" = \
		'GET api.v.example/by/*" GET api.v.example/users/*/posts" GET api.v.example/v1/models" POST api.v.example/v1/messages" other.v.example" ' ] ||
		fail "$(cat "$T/learnt.yaml")"
	grep -A1 '# 3 requests' "$T/learnt.yaml" | grep -qF '"GET api.v.example/users/*/posts"'
	run ! grep -qE 'hidden-query|private.example|sk-real|sk-stand-in-[A-Za-z0-9]{32}' "$T/learnt.yaml"
	run -0 "$BAWN" policy lint "$T/learnt.yaml"
	[ -z "$output" ] || fail lint
	# the key stays outside by it, as it did
	run -0 "$BAWN" policy check --policy "$T/learnt.yaml" --method GET shell https://api.v.example/v1/models
	assert_output 'secret apitest goes there in x-api-key'
	# the same again, with no denial; anything else is denied
	local again=(--policy "$T/learnt.yaml" --connect-to "api.v.example:443:127.0.0.1:$UP"
		--connect-to "other.v.example:443:127.0.0.1:$UP" --audit "$T/log2")
	: >"$UPLOG"
	run --separate-stderr timeout 60 "$BAWN" run --rm "${again[@]}" shell "$WS" -- sh -c "$script"
	assert_status 0
	run ! grep -q '"event":"deny"' "$T/log2"
	[ "$(with_key)" = 6 ] || fail "$(cat "$UPLOG")"
	run timeout 60 "$BAWN" run --rm "${again[@]}" shell "$WS" -- sh -c '
		env | grep API_TEST_KEY; curl -sS -X DELETE https://api.v.example/v1/models; curl -sS https://api.v.example/v1/other'
	assert_output 'denied DELETE api.v.example/v1/models'
	assert_output 'denied GET api.v.example/v1/other'
	refute_key
}

@test "learn: what may be sent stays limited as it was, and a deny on requests stays one" {
	keyed_host
	cat >"$XDG_CONFIG_HOME/bawn/policies/limited.yaml" <<-'Y'
		allow:
		  - host: "GET,POST api.v.example/up/**"
		    max-upload: 50MB
		deny:
		  - DELETE api.v.example
	Y
	run --separate-stderr timeout 60 "$BAWN" learn --policy limited --connect-to "api.v.example:443:127.0.0.1:$UP" \
		-o "$T/learnt.yaml" shell "$WS" -- sh -c 'curl -sS -d x https://api.v.example/up/x
			curl -sS https://api.v.example/else; curl -sS -X DELETE https://api.v.example/up/x'
	grep -A1 -F '"POST api.v.example/up/x"' "$T/learnt.yaml" | grep -qF 'max-upload: 50MB'
	grep -qF '"GET api.v.example/else"' "$T/learnt.yaml"
	run ! grep -q 'DELETE api.v.example.*"$' "$T/learnt.yaml"
	grep -q '^#   DELETE api.v.example/up/x: a rule denies this request' "$T/learnt.yaml"
	run -0 "$BAWN" policy lint "$T/learnt.yaml"
}
