#!/usr/bin/env bats
# git-https.bats - git over https with a token that the agent never holds, by the shipped policies:
# a private repository on git's own http server is cloned, fetched and pushed to.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load forges.sh

setup() {
	forges_setup || return 1
	git_identity
	git init -q --bare -b main "$T/root/git/me/private.git"
	git init -q -b main "$T/seed"
	echo one >"$T/seed/file"
	git -C "$T/seed" add file
	git -C "$T/seed" commit -q -m one
	git -C "$T/seed" push -q "$T/root/git/me/private.git" main
	export GH_TOKEN=$TOKEN
}
teardown() { bawn_teardown; }

git_identity() {
	git config --global user.name Tester
	git config --global user.email tester@example.org
}

# How often the server was asked with the token, with this in the path.
with_token() { grep -c "\"path\": \"[^\"]*$1[^\"]*\".*\"status\": 200" "$UPLOG" || :; }

@test "CRED clone and fetch of a private repository, with a placeholder alone" {
	run in_sandbox_sh '
		echo "has $GH_TOKEN"
		git clone -q https://github.com/me/private.git repo && cat repo/file'
	assert_status 0
	assert_output one
	[[ $output =~ has\ ghp_[A-Za-z0-9]{36} ]] || fail "no placeholder"
	refute_token
	[ "$(with_token git-upload-pack)" -ge 2 ] || fail "$(cat "$UPLOG")"
	echo two >"$T/seed/file"
	git -C "$T/seed" commit -qam two
	git -C "$T/seed" push -q "$T/root/git/me/private.git" main
	run in_sandbox_sh 'cd repo && git pull -q && cat file'
	assert_status 0
	assert_output two
	refute_token
	! grep -q '"authorization": "[^"]*ghp_' "$UPLOG" || fail "no Basic"
}

@test "CRED a user and placeholder of the agent's own in the URL come out as the token, too" {
	run in_sandbox_sh 'git clone -q "https://me:$GH_TOKEN@github.com/me/private.git" repo && cat repo/file'
	assert_status 0
	assert_output one
	refute_token
}

@test "CRED a push of a read token's sandbox is refused, and the log says by what" {
	local before
	before=$(git -C "$T/root/git/me/private.git" rev-parse main)
	run in_sandbox_sh '
		git clone -q https://github.com/me/private.git repo && cd repo && echo x >x && git add x &&
			git commit -q -m x && git push -q; echo "rc $?"'
	assert_output 'rc 1'
	assert_output 'The requested URL returned error: 403'
	assert_output 'denied POST github.com/me/private.git/git-receive-pack: the secret github goes with other requests only'
	assert_output 'to allow it: bawn run --policy github-write'
	[ "$(git -C "$T/root/git/me/private.git" rev-parse main)" = "$before" ]
	run ! grep -q '"POST".*git-receive-pack' "$UPLOG"
	run "$BAWN" log
	assert_output 'POST github.com/me/private.git/git-receive-pack'
	assert_output 'the secret github goes with other requests only'
	# nor by a request of the agent's own
	run in_sandbox_sh '
		curl -s -o body -w "%{http_code}\n" -d x https://github.com/me/private.git/git-receive-pack; cat body
		curl -s -o body -w "%{http_code}\n" -X DELETE -u "x:$GH_TOKEN" https://github.com/me/private.git; cat body'
	assert_output 403
	assert_output 'bawn: the secret github goes with other requests only; with this one by --policy github-write'
	run ! grep -q '"method": "\(DELETE\|PUT\)"\|"POST".*receive-pack' "$UPLOG"
	refute_token
}

@test "CRED --policy github-write is the one word for a push" {
	BAWN_OPTS+=(--policy github-write)
	run in_sandbox_sh '
		git clone -q https://github.com/me/private.git repo && cd repo && echo x >x && git add x &&
			git commit -q -m pushed && git push -q; echo "rc $?"'
	assert_output 'rc 0'
	refute_output denied
	[ "$(git -C "$T/root/git/me/private.git" log -1 --format=%s main)" = pushed ]
	refute_token
	# the profile's policies are there, too
	run "$BAWN" policy check --policy github-write shell https://pypi.org/
	assert_status 0
}

@test "CRED a push of megabytes, in chunks" {
	BAWN_OPTS+=(--policy github-write)
	run in_sandbox_sh '
		git clone -q https://github.com/me/private.git repo && cd repo && head -c 8000000 /dev/urandom >big &&
			git add big && git commit -q -m big && git push -q; echo "rc $?"; sha1sum <big'
	assert_output 'rc 0'
	[[ $output == *"$(git -C "$T/root/git/me/private.git" cat-file blob main:big | sha1sum)"* ]]
}

@test "CRED-10 the token is in no environment, argument, file or memory inside while git works" {
	run in_sandbox_sh "
		git clone -q https://github.com/me/private.git repo
		(cd repo && while :; do git fetch -q; done) & loop=\$!
		$search_inside
		kill \$loop"
	assert_output LOOKED
	refute_output FOUND
	refute_token
}

@test "CRED without a token github.com stays end to end, and a push is the server's affair" {
	unset GH_TOKEN
	cp "$T/ca.pem" "$WS/ca.crt"
	run in_sandbox_sh 'GIT_TERMINAL_PROMPT=0 GIT_SSL_CAINFO=$PWD/ca.crt git ls-remote https://github.com/me/private.git'
	assert_output 'could not read Username'
	refute_output denied
	grep -q '"status": 401' "$UPLOG"
}

@test "CRED a token that secret import took from gh is used" {
	unset GH_TOKEN
	mkdir "$T/bin"
	printf '#!/bin/sh\n[ "$1 $2" = "auth token" ] && echo %s\n' "$TOKEN" >"$T/bin/gh"
	chmod +x "$T/bin/gh"
	PATH=$T/bin:$PATH "$BAWN" secret import --yes
	run in_sandbox_sh 'git clone -q https://github.com/me/private.git repo && cat repo/file'
	assert_status 0
	assert_output one
	refute_token
}
