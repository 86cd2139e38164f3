#!/usr/bin/env bats
# template-life.bats - sandboxes of a template: what they keep and what they are kept from, their other
# sessions, checkpoints and forks.  Attack corpus: FS-25.  What is inside: template-run.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# A template "base" of one layer.
base() {
	template_layer
	template_debian
	template_commit base
}

in_base() {
	"$BAWN" run --rm -q --template base shell "$WS" -- "$@"
}

@test "a sandbox keeps the template it was made of: another one is an error, a moved tag changes nothing" {
	base
	local first=$TEMPLATE_ID
	"$BAWN" create --name box --template base shell .
	run "$BAWN" inspect box
	assert_output '"template": "base:latest"'
	assert_output "\"digest\": \"sha256:$first\""
	template_layer
	mkdir -p "$LAYER/etc"
	echo second >"$LAYER/etc/image-file"
	: >"$TEMPLATES/tags"
	template_commit base
	run in_base cat /etc/image-file
	[ "$output" = second ] || fail "$output"
	run "$BAWN" exec box cat /etc/image-file
	[ "$output" = image-only ] || fail "$output"
	run "$BAWN" run -q --template base:latest box -- sh -c 'echo well'
	[ "$output" = well ] || fail "$output"
	run "$BAWN" run -q --template "sha256:$first" box -- sh -c 'echo well'
	[ "$output" = well ] || fail "$output"
	run "$BAWN" run --template host box -- sh -c 'echo no'
	assert_status 125
	assert_output "was created with --template base:latest"
	"$BAWN" create --name plain shell .
	run "$BAWN" run --template base plain -- sh -c 'echo no'
	assert_status 125
	assert_output "was created with --template host"
	# gone or damaged, it is said by name
	mv "$TEMPLATES/images/$first" "$T/"
	run "$BAWN" exec box sh -c 'echo no'
	assert_status 125
	assert_output "base:latest"
	refute_output "echo no"
}

@test "FS-25 a template in use can't be removed: by a sandbox at rest, by one that runs, by one that leaves nothing" {
	base
	"$BAWN" create --name box --template base shell .
	"$BAWN" fork box other
	run "$BAWN" template rm base
	assert_status 1
	assert_output box
	"$BAWN" rm box
	"$BAWN" exec -d other sleep 300
	run "$BAWN" template rm base
	assert_status 1
	assert_output other
	"$BAWN" rm -f other
	mkfifo "$WS/go"
	"$BAWN" run --rm -q --template base shell "$WS" -- sh -c 'echo up >up; read -r x <go; cat /etc/image-file' >"$T/out" 2>&1 3>&- &
	SERVERS+=("$!")
	eventually test -s "$WS/up"
	run "$BAWN" template rm base
	assert_status 1
	run "$BAWN" template prune
	[ -d "$TEMPLATES/images/$TEMPLATE_ID" ]
	echo >"$WS/go"
	wait "$!"
	[ "$(cat "$T/out")" = image-only ] || fail "$(cat "$T/out")"
	run "$BAWN" template rm base
	[ "$status" -eq 0 ] || fail "$output"
	[ ! -e "$TEMPLATES/images/$TEMPLATE_ID" ]
}

@test "a profile's template:, and --template host against it" {
	base
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'command: [sh]\nexec: true\ntemplate: base\n' >"$XDG_CONFIG_HOME/bawn/profiles/own.yaml"
	run "$BAWN" run --rm -q own . -- cat /etc/image-file
	[ "$output" = image-only ] || fail "$output"
	run "$BAWN" run -q own . -- cat /etc/image-file
	[ "$output" = image-only ] || fail "$output"
	run "$BAWN" run --rm -q --template host own . -- cat /etc/image-file
	assert_output "No such file"
	printf 'command: [sh]\nexec: true\ntemplate: ../x\n' >"$XDG_CONFIG_HOME/bawn/profiles/own.yaml"
	run "$BAWN" run --rm -q own . -- sh -c 'echo ran'
	assert_status 125
	refute_output ran
}

@test "checkpoint, restore, undo and fork of a template's sandbox" {
	base
	"$BAWN" create --name box --template base shell .
	"$BAWN" exec box sh -c 'echo one >/etc/one; echo one >~/one; rm /etc/image-file'
	"$BAWN" checkpoint box first
	"$BAWN" exec box sh -c 'echo two >/etc/two; rm /etc/one; rm -rf /var; mkdir /var; echo x >/var/x'
	"$BAWN" fork box copy
	"$BAWN" restore box first
	run "$BAWN" exec box sh -c 'cat /etc/one ~/one; ls /etc/two /etc/image-file /var/x; stat -c %a /'
	assert_output "one
one"
	assert_output "'/etc/two': No such file"
	assert_output "'/etc/image-file': No such file"
	assert_output "'/var/x': No such file"
	assert_output 755
	run "$BAWN" exec copy sh -c 'cat /etc/two /var/x; ls /etc/one'
	assert_output "two
x"
	assert_output "'/etc/one': No such file"
	"$BAWN" exec box sh -c 'rm -rf /usr/lib/x; echo three >/etc/one'
	"$BAWN" undo box
	run "$BAWN" exec box cat /etc/one
	[ "$output" = one ] || fail "$output"
	run "$BAWN" inspect copy
	assert_output "sha256:$TEMPLATE_ID"
}

@test "cp, shell, further sessions and a second profile in a template's sandbox" {
	base
	"$BAWN" create --name box --template base shell .
	run "$BAWN" exec -d box sleep 300
	echo hello >"$WS/file"
	"$BAWN" cp "$WS/file" box:/etc/copied
	"$BAWN" cp "$WS/file" box:/home/agent/copied
	run "$BAWN" exec box cat /etc/copied /home/agent/copied
	[ "$output" = "hello
hello" ] || fail "$output"
	"$BAWN" cp box:/etc/image-file "$WS/back"
	[ "$(cat "$WS/back")" = image-only ]
	run sh -c "echo 'id -un; exit 3' | '$BAWN' shell box"
	assert_status 3
	assert_output agent
	mkdir -p "$HOME/.codex"
	echo 'model = "some-model"' >"$HOME/.codex/config.toml"
	"$BAWN" exec box sh -c 'mkdir -p /usr/local/bin; printf "#!/bin/sh\ncat ~/.codex/config.toml\n" >/usr/local/bin/codex; chmod +x /usr/local/bin/codex'
	run "$BAWN" run -q --name box codex
	assert_output "some-model"
	"$BAWN" stop box
}

@test "completion knows what is in a template's sandbox: written, frozen, brought along, of the template" {
	base
	mkdir -p "$LAYER/opt/of-template/sub"
	"$BAWN" create --name box --template base shell .
	"$BAWN" exec box sh -c 'mkdir -p /opt/frozen'
	"$BAWN" checkpoint box one
	"$BAWN" exec box sh -c 'echo >/opt/written; ln -s /etc /opt/link'
	run "$BAWN" __complete cp box:/opt/
	assert_output box:/opt/of-template/
	assert_output box:/opt/frozen/
	assert_output box:/opt/written
	run "$BAWN" __complete cp box:/opt/of-template/
	assert_output box:/opt/of-template/sub/
	run "$BAWN" __complete cp box:/
	assert_output box:/etc/
	run "$BAWN" __complete cp box:/opt/link/
	refute_output image-file
}

@test "the user's settings and git identity come into the template's home, behind its own" {
	template_layer
	template_debian
	mkdir -p "$LAYER/home/agent/.codex"
	echo 'model = "of-the-image"' >"$LAYER/home/agent/.codex/config.toml"
	echo 'say please' >"$LAYER/home/agent/.codex/AGENTS.md"
	printf '#!/bin/sh\ncat ~/.codex/config.toml ~/.codex/AGENTS.md ~/.gitconfig; echo written >~/.codex/own\n' >"$LAYER/usr/bin/codex"
	chmod +x "$LAYER/usr/bin/codex"
	template_commit base
	mkdir -p "$HOME/.codex"
	printf 'model = "no"\nreview_model = "of-the-user"\n' >"$HOME/.codex/config.toml"
	git config --global user.name 'Some Body'
	git config --global user.email body@example.com
	run "$BAWN" run -q --name box --template base codex .
	assert_output 'model = "of-the-image"'
	assert_output 'review_model = "of-the-user"'
	assert_output "say please"
	assert_output "You work in a sandbox"
	assert_output "The whole system is the sandbox's own"
	refute_output "There is no sudo"
	assert_output "Some Body"
	echo 'my own words' >"$HOME/.codex/AGENTS.md"
	run "$BAWN" run -q --name box codex
	assert_output "say please"
	assert_output "my own words"
	run "$BAWN" exec box cat /home/agent/.codex/own
	[ "$output" = written ] || fail "$output"
	run "$BAWN" run --rm -q --bare-home --template base codex .
	assert_output "say please"
	refute_output "my own words"
}

@test "without a workspace one is in the image's WorkingDir, or at home" {
	template_layer
	template_debian
	mkdir -p "$LAYER/srv/app"
	template_commit base 'workdir /srv/app'
	run "$BAWN" run --rm -q --workspace none --template base shell -- sh -c pwd
	[ "$output" = /srv/app ] || fail "$output"
	"$BAWN" create --name box --workspace none --template base shell
	run "$BAWN" exec box sh -c pwd
	[ "$output" = /srv/app ] || fail "$output"
	: >"$TEMPLATES/tags"
	template_commit base 'workdir /srv/none/../..'
	run "$BAWN" run --rm -q --workspace none --template base shell -- sh -c pwd
	[ "$output" = /home/agent ] || fail "$output"
}

@test "the workspace in a template: direct with masks and git's config, cow, clone, further directories" {
	git_repo
	template_layer
	template_debian
	template_program git
	mkdir -p "$LAYER/usr/lib"
	cp -a "$(git --exec-path)" "$LAYER/usr/lib/"
	template_commit base 'env PATH=/usr/bin'
	plant "$WS/.env"
	mkdir "$T/extra"
	echo extra >"$T/extra/file"
	run "$BAWN" run --rm -q --template base shell . "$T/extra:ro" -- sh -c "cat .env $T/extra/file; touch $T/extra/x; git remote add up https://example.com/x.git; git config core.fsmonitor /tmp/evil; echo '#!/bin/sh' >.git/hooks/pre-commit; git remote"
	refute_canary
	assert_output extra
	assert_output "Read-only file system"
	assert_output up
	run git -C "$WS" config --list
	assert_output remote.up.url
	refute_output fsmonitor
	rm "$WS/.env"
	"$BAWN" create --name cow --workspace cow --template base shell .
	"$BAWN" exec cow sh -c 'echo changed >README; echo of the system >/etc/x'
	[ "$(cat README)" = hello ]
	run "$BAWN" diff cow
	assert_output "+changed"
	refute_output "of the system"
	"$BAWN" apply cow
	[ "$(cat README)" = changed ]
	git checkout -q README
	"$BAWN" create --name cl --workspace clone --template base shell .
	"$BAWN" exec cl sh -c 'echo z >z; git add z; git commit -qm "from inside"'
	git fetch -q bawn-cl
	run git log -1 --format=%s bawn-cl/bawn/cl
	[ "$output" = "from inside" ] || fail "$output"
}

@test "exec -u: the account, root by emulation, and nobody else; a shell is the account's" {
	template_layer
	template_debian
	mkdir -p "$LAYER/srv/app"
	printf 'node:x:1000:1000::/home/node:/bin/bash\nmail:x:8:8::/:/bin/sh\n' >>"$LAYER/etc/passwd"
	template_commit base 'workdir /srv/app' 'user root'
	"$BAWN" create --name box --template base shell .
	run "$BAWN" exec box sh -c 'id -u; pwd; echo $HOME $USER'
	[ "$output" = "1000
$WS
/home/node node" ] || fail "$output"
	local u
	for u in node 1000 node:node; do
		run "$BAWN" exec -u "$u" box sh -c 'id -u; pwd'
		[ "$output" = "1000
/srv/app" ] || fail "$u: $output"
	done
	for u in root 0 0:0 root:root; do
		run "$BAWN" exec -u "$u" box sh -c 'id -u; pwd; echo $HOME $USER'
		[ "$output" = "0
/srv/app
/root root" ] || fail "$u: $output"
	done
	run "$BAWN" exec -u root -w / box sh -c pwd
	[ "$output" = / ] || fail "$output"
	for u in mail 8 999999999999 -- '' ':' 1000x; do
		run "$BAWN" exec -u "$u" box sh -c 'echo ran'
		assert_status 125
		refute_output ran
	done
	run sh -c "echo 'echo \$0; id -un' | '$BAWN' shell box"
	assert_output "/bin/bash
node"
	# without a workspace the image's own user counts, but not for the agent
	"$BAWN" create --name none --workspace none --template base shell
	run "$BAWN" exec none sh -c 'id -u; pwd'
	[ "$output" = "0
/srv/app" ] || fail "$output"
	run "$BAWN" run -q none -- sh -c 'id -u'
	[ "$output" = 1000 ] || fail "$output"
	# what was added inside counts
	"$BAWN" exec -u root box sh -c 'echo second:x:1000:1000::/:/bin/sh >>/etc/passwd'
	run "$BAWN" exec -u second box id -u
	[ "$output" = 1000 ] || fail "$output"
}
