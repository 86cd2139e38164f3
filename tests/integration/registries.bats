#!/usr/bin/env bats
# registries.bats - npm, pip, gh and git with tokens that the agent never holds, where a tool wants its
# token in a file: real tools, servers behind TLS that check it (forges.py).
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
load forges.sh

setup() { forges_setup; }
teardown() { bawn_teardown; }

# policy NAME: from stdin
policy() { cat >"$XDG_CONFIG_HOME/bawn/policies/$1.yaml"; }

store() { printf %s "$TOKEN" | "$BAWN" secret set "$1" --value-stdin; }

served() { # HOST PATTERN: requests that were answered
	grep -c "\"host\": \"$1\".*$2.*\"status\": 200" "$UPLOG" || :
}

npm_package() {
	mkdir -p "$T/package"
	echo '{"name": "private-thing", "version": "1.2.3", "main": "index.js"}' >"$T/package/package.json"
	echo 'module.exports = "from the registry";' >"$T/package/index.js"
	tar -C "$T" -czf "$T/root/npm/private-thing-1.2.3.tgz" package
}

npm_registry() {
	npm_package
	policy npmcorp <<-'Y'
		beside: true
		allow: [npm.test]
		credentials:
		  - secret: npmcorp
		    hosts: [npm.test]
		    header: {Authorization: "Bearer {}"}
		    env: CORP_NPM_TOKEN
		    file:
		      ~/.npmrc: "//npm.test/:_authToken={}"
		    placeholder: npm_{36}
	Y
	BAWN_OPTS+=(--policy npmcorp)
	NPM='npm install --no-audit --no-fund --registry https://npm.test'
}

@test "CRED npm installs from a private registry, by the token in ~/.npmrc" {
	need command -v npm -- "npm is not installed"
	npm_registry
	echo '//other.example/:_authToken=of-another-registry' >"$HOME/.npmrc"
	store npmcorp
	run in_sandbox_sh "$NPM private-thing && node -e 'console.log(require(\"private-thing\"))'; cat ~/.npmrc"
	assert_status 0
	assert_output 'from the registry'
	[[ $output =~ //npm.test/:_authToken=npm_[A-Za-z0-9]{36} ]] || fail "no placeholder"
	refute_output of-another-registry
	refute_token
	[ "$(served npm.test "Bearer $TOKEN")" = 2 ] || fail "$(cat "$UPLOG")"
	grep -q "$TOKEN" "$XDG_CONFIG_HOME/bawn/secrets/npmcorp"
}

@test "CRED npm, by a variable in the project's own .npmrc" {
	need command -v npm -- "npm is not installed"
	npm_registry
	printf '%s\n' 'registry=https://npm.test' '//npm.test/:_authToken=${CORP_NPM_TOKEN}' >"$WS/.npmrc"
	CORP_NPM_TOKEN=$TOKEN run in_sandbox_sh \
		'npm install --no-audit --no-fund private-thing && node -e "console.log(require(\"private-thing\"))"'
	assert_status 0
	assert_output 'from the registry'
	refute_token
}

@test "CRED-10 the token is nowhere inside while npm works" {
	need command -v npm -- "npm is not installed"
	npm_registry
	store npmcorp
	run in_sandbox_sh "
		(while :; do rm -rf node_modules; $NPM private-thing >/dev/null; done) & loop=\$!
		for n in \$(seq 300); do [ -e node_modules/private-thing ] && break; sleep 0.1; done
		$search_inside
		kill \$loop; wait; cat ~/.npm/_logs/*"
	assert_output LOOKED
	refute_output FOUND
	refute_token
	[ "$(served npm.test .)" -ge 1 ]
}

@test "CRED without the secret there is no file, and the registry says no" {
	need command -v npm -- "npm is not installed"
	npm_registry
	cp "$T/ca.pem" "$WS/ca.crt"
	run in_sandbox_sh "ls -A ~ | grep npmrc; $NPM --cafile=$WS/ca.crt private-thing"
	assert_output E401
	refute_output .npmrc
}

@test "CRED npm with the shipped policy, by the token that secret import took from ~/.npmrc" {
	need command -v npm -- "npm is not installed"
	npm_package
	echo "//x.npmjs.org/:_authToken=$TOKEN" >"$HOME/.npmrc"
	run "$BAWN" secret import --yes
	assert_output 'npm: imported from _authToken in ~/.npmrc'
	refute_output 'no policy sends'
	run in_sandbox_sh '
		ls -A ~ | grep npmrc
		npm install --no-audit --no-fund --registry https://x.npmjs.org private-thing &&
			node -e "console.log(require(\"private-thing\"))"
		cd node_modules/private-thing && sed -i s/1.2.3/2.0.0/ package.json && npm publish --registry https://x.npmjs.org \
			--//x.npmjs.org/:_authToken=mine; echo "rc $?"'
	assert_output 'from the registry'
	refute_output .npmrc
	assert_output 'rc 1'
	assert_output 'denied PUT x.npmjs.org/private-thing: the secret npm goes with other requests only'
	assert_output '--policy npm-write'
	run ! grep -q '"PUT"' "$UPLOG"
	refute_token
	BAWN_OPTS+=(--policy npm-write)
	in_sandbox_sh 'cd node_modules/private-thing && sed -i s/1.2.3/2.0.0/ package.json && npm publish --registry https://x.npmjs.org \
		--//x.npmjs.org/:_authToken=mine' || :
	grep -q "\"PUT\".*Bearer $TOKEN" "$UPLOG" || fail "$(cat "$UPLOG")"
}

pip_index() {
	(
		cd "$T" && mkdir private_thing-1.0.dist-info
		echo 'VALUE = "from the index"' >private_thing.py
		printf '%s\n' 'Metadata-Version: 2.1' 'Name: private-thing' 'Version: 1.0' >private_thing-1.0.dist-info/METADATA
		printf '%s\n' 'Wheel-Version: 1.0' 'Generator: test' 'Root-Is-Purelib: true' 'Tag: py3-none-any' >private_thing-1.0.dist-info/WHEEL
		printf '%s,,\n' private_thing.py private_thing-1.0.dist-info/{METADATA,WHEEL,RECORD} >private_thing-1.0.dist-info/RECORD
		/usr/bin/python3 -m zipfile -c root/pypi/private_thing-1.0-py3-none-any.whl private_thing.py private_thing-1.0.dist-info
	)
	store pypicorp
	BAWN_OPTS+=(--policy pypicorp)
	PIP='/usr/bin/python3 -m pip install --disable-pip-version-check -q --target lib private-thing'
}

@test "CRED pip installs from a private index, by user and token in pip.conf" {
	need /usr/bin/python3 -m pip --version -- "python3-pip is not installed"
	policy pypicorp <<-'Y'
		beside: true
		allow: [pypi.test]
		credentials:
		  - secret: pypicorp
		    hosts: [pypi.test]
		    basic: reader
		    file:
		      ~/.config/pip/pip.conf: |
		        [global]
		        index-url = https://reader:{}@pypi.test/simple
	Y
	pip_index
	run in_sandbox_sh "$PIP && PYTHONPATH=lib /usr/bin/python3 -c 'import private_thing as p; print(p.VALUE)'; cat ~/.config/pip/pip.conf"
	assert_status 0
	assert_output 'from the index'
	[[ $output =~ reader:[A-Za-z0-9]{40}@pypi.test ]] || fail "no placeholder"
	refute_token
	[ "$(served pypi.test private-thing)" -ge 1 ] || fail "$(cat "$UPLOG")"
	run "$BAWN" run --rm --dry-run "${BAWN_OPTS[@]}" shell "$WS" -- true
	assert_output 'a placeholder in ~/.config/pip/pip.conf'
}

@test "CRED pip, by user and token in .netrc" {
	need /usr/bin/python3 -m pip --version -- "python3-pip is not installed"
	policy pypicorp <<-'Y'
		beside: true
		allow: [pypi.test]
		credentials:
		  - secret: pypicorp
		    hosts: [pypi.test]
		    basic: reader
		    file: {~/.netrc: "machine pypi.test login reader password {}"}
	Y
	pip_index
	run in_sandbox_sh "$PIP --index-url https://pypi.test/simple && PYTHONPATH=lib /usr/bin/python3 -c 'import private_thing as p; print(p.VALUE)'"
	assert_status 0
	assert_output 'from the index'
	refute_token
}

# ---- gh -------------------------------------------------------------------------------------------

@test "CRED gh reads with a placeholder, and writes with github-write alone" {
	need command -v gh -- "gh is not installed"
	GH_TOKEN=$TOKEN run in_sandbox_sh '
		gh api repos/me/private
		gh api -X POST repos/me/private/issues -f title=x; echo "rc $?"'
	assert_output '"full_name": "me/private"'
	assert_output 'rc 1'
	assert_output 'denied POST api.github.com/repos/me/private/issues: the secret github goes with other requests only'
	run ! grep -q '"POST"' "$UPLOG"
	refute_token
	GH_TOKEN=$TOKEN run in_sandbox_sh 'gh pr list --repo me/private; echo "rc $?"'
	assert_output 'denied POST api.github.com/graphql'
	assert_output 'github-write'
	BAWN_OPTS+=(--policy github-write)
	GH_TOKEN=$TOKEN run in_sandbox_sh 'gh api -X POST repos/me/private/issues -f title=x; echo "rc $?"'
	assert_output '"number": 7'
	assert_output 'rc 0'
	refute_output denied
	refute_token
}

@test "CRED gh, by the token that secret import took from the real gh of the host" {
	need command -v gh -- "gh is not installed"
	mkdir -p "$HOME/.config/gh"
	printf '%s\n' 'github.com:' '    user: me' "    oauth_token: $TOKEN" >"$HOME/.config/gh/hosts.yml"
	run "$BAWN" secret import --yes
	assert_output 'github: imported from gh auth token'
	# gh is asked for it each time: it is not written down a second time
	run ! grep -rq "$TOKEN" "$XDG_CONFIG_HOME/bawn"
	run in_sandbox_sh 'gh api repos/me/private; ls ~/.config/gh; echo "has $GH_TOKEN"'
	assert_output '"full_name": "me/private"'
	refute_token
	[[ $output =~ has\ ghp_ ]]
}

@test "CRED gh, by the token in its hosts.yml; CRED-10 nowhere inside" {
	need command -v gh -- "gh is not installed"
	policy ghfile <<-'Y'
		allow: [api.github.com]
		credentials:
		  - secret: ghfile
		    hosts: [api.github.com]
		    header: {Authorization: "Bearer {}"}
		    file:
		      ~/.config/gh/hosts.yml: |
		        github.com:
		            user: me
		            oauth_token: {}
		            git_protocol: https
		    placeholder: gho_{36}
	Y
	store ghfile
	BAWN_OPTS+=(--policy ghfile)
	run in_sandbox_sh "
		gh api repos/me/private
		gh auth token
		$search_inside"
	assert_output '"full_name": "me/private"'
	[[ $output =~ gho_[A-Za-z0-9]{36} ]] || fail "no placeholder"
	assert_output LOOKED
	refute_output FOUND
	refute_token
}

# ---- git ------------------------------------------------------------------------------------------

@test "CRED git, by a credential helper that answers with the placeholder for its host alone" {
	git config --global user.name Tester
	git config --global user.email tester@example.org
	git init -q --bare -b main "$T/root/git/me/private.git"
	git init -q -b main "$T/seed"
	echo one >"$T/seed/file"
	git -C "$T/seed" add file
	git -C "$T/seed" commit -q -m one
	git -C "$T/seed" push -q "$T/root/git/me/private.git" main
	policy githelper <<-'Y'
		allow: [github.com]
		credentials:
		  - secret: githelper
		    hosts: [github.com]
		    basic: me
		    file:
		      ~/.config/git/config: |
		        [credential "https://github.com"]
		            helper = "!f() { echo username=me; echo password={}; }; f"
	Y
	store githelper
	BAWN_OPTS+=(--policy githelper)
	run in_sandbox_sh '
		git clone -q https://github.com/me/private.git repo && cat repo/file
		git config user.name
		printf "protocol=https\nhost=github.com\n\n" | git credential fill
		printf "protocol=https\nhost=other.example\n\n" | GIT_TERMINAL_PROMPT=0 git credential fill'
	assert_output one
	assert_output Tester
	[[ $output =~ password=[A-Za-z0-9]{40} ]] || fail "no placeholder"
	[ "$(grep -c ^password= <<<"$output")" = 1 ]
	refute_token
}

@test "CRED a token that secret import took from git's credential helper is used" {
	git config --global credential.helper store
	echo "https://me:$TOKEN@github.com" >"$HOME/.git-credentials"
	mkdir "$T/bin"
	printf '#!/bin/sh\nexit 1\n' >"$T/bin/gh" # none is logged in
	chmod +x "$T/bin/gh"
	PATH=$T/bin:$PATH run "$BAWN" secret import --yes
	assert_output "github: imported from git's credential helper for github.com"
	run in_sandbox_sh 'curl -sS -H "Authorization: Bearer $GH_TOKEN" https://api.github.com/repos/me/private; ls -A ~'
	assert_output '"full_name": "me/private"'
	refute_output .git-credentials
	refute_token
}

# ---- what a policy may say ------------------------------------------------------------------------

@test "a file of a credential that is none is refused with its place" {
	local line
	while IFS='|' read -r line want; do
		policy bad <<-Y
			allow: [a.test]
			credentials:
			  - secret: x
			    hosts: [a.test]
			    header: x-key
			    file: $line
		Y
		run "$BAWN" policy show bad
		[ "$status" -ne 0 ] || fail "taken: $line"
		assert_output 'policies/bad.yaml:'
		assert_output "$want" || return 1
	done <<-'E'
		{~/../x: "{}"}|is no file of the home
		{/etc/passwd: "{}"}|is no file of the home
		{~/a//b: "{}"}|is no file of the home
		{"~/a=b": "{}"}|is no file of the home
		{~/: "{}"}|is no file of the home
		{~/.npmrc: no hole}|have no "{}"
		{~/.npmrc: "{}\x07"}|control bytes
		{~/.npmrc: [a]}|needs text
		~/.npmrc|needs a map
		{}|names no file
	E
}

@test "a file that the sandbox has of its own gets the lines once, and they go on working" {
	policy npmcorp <<-'Y'
		beside: true
		allow: [npm.test]
		credentials:
		  - secret: npmcorp
		    hosts: [npm.test]
		    header: {Authorization: "Bearer {}"}
		    file: {~/.npmrc: "//npm.test/:_authToken={}"}
	Y
	npm_package
	local use='curl -sS -H "Authorization: Bearer $(sed -n "s/.*_authToken=//p" ~/.npmrc)" https://npm.test/private-thing'
	run "$BAWN" run --name box "${BAWN_OPTS[@]}" --policy npmcorp shell "$WS" -- sh -c 'printf fund=false >~/.npmrc'
	assert_status 0
	store npmcorp
	local i
	for i in 1 2 3; do
		run "$BAWN" run --name box shell -- sh -c "cat ~/.npmrc; echo; $use; echo '# $i' >>~/.npmrc"
		assert_output '"dist-tags"' || return 1
		assert_output $'fund=false\n//npm.test/:_authToken=' || return 1
		[ "$(grep -c _authToken= <<<"$output")" = 1 ] || fail "more than once"
	done
	[ "$(served npm.test "Bearer $TOKEN")" = 3 ]
	# what the inside has put in the way is left alone
	"$BAWN" exec box -- sh -c 'rm ~/.npmrc; ln -s /etc/hostname ~/.npmrc'
	"$BAWN" stop box
	run "$BAWN" run --name box shell -- sh -c 'readlink ~/.npmrc; rm ~/.npmrc; mkdir ~/.npmrc'
	assert_output /etc/hostname
	run "$BAWN" run --name box shell -- sh -c 'ls -ld ~/.npmrc'
	assert_status 0
	refute_token
	"$BAWN" rm -f box
}
