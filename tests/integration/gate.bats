#!/usr/bin/env bats
# What bawn-gate finds in a directory, and what it takes for harmless (TPL-16, CRED-07).
#
# The keys here are nobody's; they are put together here, so that no scanner takes this file for a leak.
load ../lib.sh

setup() {
	bawn_setup
	need python3
	TREE=$T/tree
	H=$TREE/home/agent
	mkdir -p "$H"
	GHP=ghp'_q7Zk2Xw9Lm4Tb8Vc1Rd6f3Hs8Kp1Yw6Nj4Ge'
	ANT=sk'-ant-api03-q7Zk2Xw9Lm4Tb8Vc1Rd6f3Hs8Kp1Yw6Nj4Ge-AA'
}
teardown() { bawn_teardown; }

gate() { run timeout 60 python3 "$BATS_TEST_DIRNAME/gate.py" "$BAWN_BUILDDIR/bawn-gate" "$TREE" "$@"; }

# path:line: and what is said there
found() { assert_line "found $1: $2"; }
assert_line() { grep -qF -- "$1" <<<"$output" || fail "not in it: $1"; }

private_key() {
	printf -- '-----BEGIN %s-----\n%s\n%s\n-----END %s-----\n' "$1" \
		MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj \
		MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu "$1"
}

@test "TPL-16 the gate: what is there for credentials, and what looks like one, by line" {
	mkdir -p "$H/.config/gh" "$H/.aws" "$H/.docker" "$H/.kube" "$H/.ssh" "$H/.config/gcloud" \
		"$H/repo/.git" "$TREE/etc"
	printf '# mine\nmachine git.local login me password s3cret\n' >"$H/.netrc"
	echo "https://me:pw12@git.local" >"$H/.git-credentials"
	printf 'registry=x\n//r.local/:_authToken=abcdef\n' >"$H/.npmrc"
	echo 'github.com: {oauth_token: x}' >"$H/.config/gh/hosts.yml"
	printf '[default]\naws_access_key_id = A\naws_secret_access_key = abcd/efgh\n' >"$H/.aws/credentials"
	echo '{"auths":{"r.local":{"auth":"bWU6cHcxMg=="}}}' >"$H/.docker/config.json"
	printf 'users:\n- user:\n    token: abcdefg\n' >"$H/.kube/config"
	echo x >"$H/.config/gcloud/credentials.db"
	private_key 'OPENSSH PRIVATE KEY' >"$H/.ssh/id_ed25519"
	printf '[remote "o"]\n\turl = https://me:pw12@git.local/x\n' >"$H/repo/.git/config"
	printf 'a\nb\nkey: %s\n' "$ANT" >"$TREE/etc/app.conf"
	printf 'DEPLOY_TOKEN=q7Zk2Xw9Lm4Tb8Vc1Rd6\n' >"$H/deploy.sh"
	printf 'x = 1\npassword = "q7Zk2Xw9Lm4Tb8Vc1Rd6"\n' >"$H/x.py"
	gate
	[ "$status" = 1 ]
	found home/agent/.netrc:2 'a password'
	found home/agent/.git-credentials:0 "git's stored passwords"
	found home/agent/.npmrc:2 'a credential'
	found home/agent/.config/gh/hosts.yml:0 'a log-in of GitHub'
	found home/agent/.aws/credentials:3 'a credential'
	found home/agent/.docker/config.json:1 'a credential'
	found home/agent/.kube/config:3 'a credential'
	found home/agent/.config/gcloud/credentials.db:0 'a log-in of Google Cloud'
	found home/agent/.ssh/id_ed25519:1 'a private key'
	found home/agent/repo/.git/config:2 'a URL with a password in it'
	found etc/app.conf:3 'an Anthropic key'
	found home/agent/deploy.sh:1 'a value that looks like a secret'
	found home/agent/x.py:2 'a value that looks like a secret'
	# and tells none of them
	refute_output "$ANT" s3cret pw12 abcdef q7Zk2 MIIEvQ
}

@test "TPL-16 the gate: keys of services, by their beginning and length" {
	local form n=0 hex=3f9a0c71e5b2d8460c9e1a7f35b8d240 word=q7Zk2Xw9Lm4Tb8Vc1Rd6f3Hs8Kp1Yw6Nj4Ge
	hex+=$hex$hex word+=$word$word
	for form in glft-:w20 nfp_:w36 bkua_:h40 CLOJARS_:h60 CFPAT-:w43 glc_:w60 AKCp:w69 cio:w32 dckr_oat_:w27 \
		doo_v1_:h64 dp.ct.:w43 sk_:h48 csk-:w48 phx_:w43 sb_secret_:w31 napi_:w60 lin_oauth_:h64 pcsk_:w69 \
		AstraCS:w24 EAAA:w60 shippo_live_:h40 sgp_:h40 pnu_:w36 ico-:w32 EZAK:w54 wandb_v1_:w60 fio-u-:w64 \
		hvb.:w100 vcp_:w56 cfut_:w40 key-:h32 rt_:w80 FwoGZXIvYXdzE:w108 SK:h32; do
		local before=${form%:*} length=${form##*:} from=$word
		[ "${length:0:1}" = w ] || from=$hex
		[ "$before" != AstraCS ] || before=AstraCS:
		echo "x ${before}${from:0:${length:1}} y" >"$TREE/$n"
		n=$((n + 1))
	done
	echo "secret_key_base: $hex" >"$TREE/$n"
	n=$((n + 1))
	gate
	[ "$(grep -c '^found ' <<<"$output")" = "$n" ] || fail "of $n"
}

@test "TPL-16 the gate: what is short, oddly named, or has a second name" {
	mkdir -p "$H/app" "$TREE/usr/share/doc/x"
	printf 'DB_PASSWORD=hunter22x\n' >"$H/app/prod.env"
	printf 'export PGPASSWORD=$ecret123x\n' >"$H/app/.envrc"
	printf 'API_TOKEN=9f3c17aa04be5d6672c1f0a9338844de\n' >"$H/app/secrets.txt"
	printf 'API_TOKEN=9f3c17aa04be5d6672c1f0a9338844de\n' >"$H/app/notes.txt"
	printf -- '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----\n' >"$H/app/tls.pem"
	# one file, two names: the harmless one may come first
	printf 'DB_PASSWORD=hunter33x\n' >"$H/app/.env"
	for n in 0 1 2 3 a z; do ln "$H/app/.env" "$H/app/$n"; done
	# variables are no values
	printf 'A_PASSWORD=$NAME\nB_TOKEN=${TOKEN}\n' >"$H/other.env"
	gate
	for n in prod.env .envrc secrets.txt notes.txt tls.pem .env; do
		grep -qF "found home/agent/app/$n" <<<"$output" || fail "$n is not found: $output"
	done
	if grep -qF other.env <<<"$output"; then fail "a variable is taken for a value"; fi
}

@test "TPL-16 the gate: in names, targets of links, attributes, archives of archives" {
	printf hello >"$H/$GHP.txt"
	ln -s "https://x/?t=$GHP" "$H/link"
	echo hello >"$H/attr"
	setfattr -n user.note -v "$GHP" "$H/attr"
	mkdir "$T/in"
	echo "_authToken=abcdef" >"$T/in/.npmrc"
	echo "x $GHP" >"$T/in/notes"
	tar -C "$T/in" -czf "$T/in.tgz" .npmrc notes
	(cd "$T" && python3 -m zipfile -c "$H/out.zip" in.tgz)
	printf 'a\n%s\n' "$GHP" | gzip >"$H/log.gz"
	tar -C "$T/in" -cJf "$H/b.tar.xz" notes
	tar -C "$T/in" -c notes | xz --format=lzma >"$H/b.tar.lzma"
	printf '\0\0%s\0' "$GHP" >"$H/binary"
	gate
	[ "$status" = 1 ]
	found "home/agent/$GHP.txt:0" 'a GitHub token, in its name'
	found home/agent/link:0 "a GitHub token, in a link's target"
	found home/agent/attr:0 'a GitHub token, in attribute user.note'
	found 'home/agent/out.zip!in.tgz!.npmrc:1' 'a credential'
	found 'home/agent/out.zip!in.tgz!notes:1' 'a GitHub token'
	found 'home/agent/log.gz:2' 'a GitHub token'
	found 'home/agent/b.tar.xz!notes:1' 'a GitHub token'
	found 'home/agent/b.tar.lzma!notes:1' 'a GitHub token'
	found 'home/agent/binary:1' 'a GitHub token'
}

@test "TPL-16 the gate: what was committed and taken out again, in objects of git" {
	local git=(git -c user.name=a -c user.email=a@b.test -c core.compression=-1 -C "$H/repo")
	git init -q "$H/repo"
	printf 'x %s\n' "$GHP" >"$H/repo/cfg"
	printf 'y\nA_TOKEN=q7Zk2Xw9Lm4Tb8Vc1Rd6\n' | gzip -n >"$H/repo/log.gz"
	"${git[@]}" add .
	"${git[@]}" commit -qm one
	"${git[@]}" rm -q cfg log.gz
	"${git[@]}" commit -qm "two, without $ANT"
	gate --secret 'the secret x=a@b.test'
	[ "$status" = 1 ]
	grep -q 'found home/agent/repo/.git/objects/../.*!an object of git:1: a GitHub token' <<<"$output"
	grep -q 'found home/agent/repo/.git/objects/../.*!an object of git:2: a value that looks' <<<"$output"
	grep -q 'found home/agent/repo/.git/objects/../.*!an object of git:6: an Anthropic key' <<<"$output"
	grep -q 'found home/agent/repo/.git/objects/../.*!an object of git:3: the secret x' <<<"$output"
	refute_output unseen failed
	# what is packed is named, as is a bundle
	"${git[@]}" bundle create -q "$H/b.bundle" HEAD
	"${git[@]}" gc -q --prune=now
	gate
	grep -q '^unseen home/agent/repo/.git/objects/pack/.*.pack:0: packed' <<<"$output"
	assert_line 'unseen home/agent/b.bundle:0: a bundle of a git repository'
	# other streams of zlib, and what only begins like one
	python3 -c 'import sys, zlib
for level in 1, 6, 9: open(sys.argv[1] + "/z%d" % level, "wb").write(zlib.compress(sys.argv[2].encode(), level))
open(sys.argv[1] + "/cut", "wb").write(zlib.compress(sys.argv[2].encode())[:20])' "$H" "a $GHP b"
	printf 'x\001 no stream\n' >"$H/none"
	gate
	for n in 1 6 9; do found "home/agent/z$n:1" 'a GitHub token'; done
	assert_line 'unseen home/agent/cut:0: an archive that is damaged'
	assert_line 'unseen home/agent/none:0: an archive that is damaged'
}

@test "TPL-16 the gate: keys in binary, and none where only certificates are" {
	openssl genpkey -quiet -algorithm ed25519 -outform DER -out "$H/a.der" 2>/dev/null ||
		openssl genpkey -algorithm ed25519 -outform DER -out "$H/a.der"
	openssl pkey -inform DER -in "$H/a.der" -pubout -outform DER -out "$H/pub.der"
	openssl pkey -inform DER -in "$H/a.der" -out "$T/a.pem"
	openssl req -x509 -key "$T/a.pem" -subj /CN=x -outform DER -out "$H/cert.der"
	openssl req -x509 -key "$T/a.pem" -subj /CN=x -out "$H/cert.pem"
	openssl ecparam -name prime256v1 -genkey -noout -outform DER -out "$H/ec.der"
	openssl pkcs12 -export -inkey "$T/a.pem" -in "$H/cert.pem" -passout pass:x -out "$H/a.p12"
	gate
	[ "$status" = 1 ]
	found home/agent/a.der:0 'a private key'
	found home/agent/ec.der:0 'a private key'
	found home/agent/a.p12:0 'private keys (PKCS#12)'
	refute_output 'found home/agent/pub' 'found home/agent/cert'
}

@test "TPL-16 the gate: known secrets in each writing, across the edges of what is read at once" {
	local v='tr/4ub+our-"9x' n
	local -a known=(--secret "the secret x=$v")
	echo "..$v.." >"$H/a"
	printf %s "user:$v" | base64 >"$H/b"
	printf %s "$v" | od -An -tx1 | tr -d ' \n' >"$H/c"
	echo 'tr%2F4ub%2Bour-%229x' >"$H/d"
	echo '{"k":"tr\/4ub+our-\"9x"}' >"$H/e"
	printf %s "..$v" | iconv -t UTF-16LE >"$H/f"
	# a megabyte is read at once: one byte more at a time
	for n in 0 1 2 3 5 8 13; do
		{
			head -c $((1048576 - 8 + n)) /dev/zero | tr '\0' a
			printf '%s\n' "$v"
		} >"$H/w$n"
	done
	gate "${known[@]}" --secret 'the secret y=short'
	[ "$status" = 1 ]
	found home/agent/a:1 'the secret x'
	found home/agent/b:1 'the secret x, as base64'
	found home/agent/c:1 'the secret x, as hexadecimal'
	found home/agent/d:1 'the secret x, as percent-encoded'
	found home/agent/e:1 'the secret x, as JSON'
	found home/agent/f:1 'the secret x, as UTF-16'
	for n in 0 1 2 3 5 8 13; do found "home/agent/w$n:1" 'the secret x'; done
	assert_line 'totals 13 0 0 13'
	# one is too short to be looked for, and that is told
	grep -q '^totals.* 1$' <<<"$output"
}

@test "TPL-16 the gate: a path that is allowed is told and is no reason to stop; placeholders are none" {
	echo "key: $ANT" >"$H/key.conf"
	mkdir -p "$H/keys"
	echo "key: $GHP" >"$H/keys/a"
	gate --allow home/agent/key.conf --allow home/agent/keys
	[ "$status" = 0 ]
	assert_line 'allowed home/agent/key.conf:1: an Anthropic key'
	assert_line 'allowed home/agent/keys/a:1: a GitHub token'
	gate --allow home/agent/key --allow home/agent/keys/a/b
	[ "$status" = 1 ]
	gate --harmless "$ANT" --harmless "$GHP"
	[ "$status" = 0 ]
	refute_output found
}

@test "TPL-16 the gate: what can't be looked into is named, a bomb has an end, nothing is followed" {
	printf '7z\xbc\xaf\x27\x1c\x00' >"$H/a.7z"
	printf 'LZIP\1\14' >"$H/a.lz"
	printf 'x' | openssl enc -aes-128-cbc -pass pass:x -pbkdf2 -out "$H/a.enc"
	head -c 100000 /dev/urandom | gzip | head -c 50000 >"$H/cut.gz"
	mkdir -p "$H/r/.git/objects/pack"
	printf 'PACK\0\0\0\2\0' >"$H/r/.git/objects/pack/p.pack"
	echo "$GHP" >"$T/outside"
	ln -s "$T/outside" "$H/l"
	ln -s "$T" "$H/d"
	mkfifo "$H/fifo"
	truncate -s 100G "$H/sparse"
	gate
	[ "$status" = 0 ]
	assert_line 'unseen home/agent/a.7z:0: a 7z archive'
	assert_line 'unseen home/agent/a.lz:0: a file of lzip'
	assert_line 'unseen home/agent/a.enc:0: an encrypted file (OpenSSL)'
	assert_line 'unseen home/agent/cut.gz:0: an archive that is damaged, or encrypted'
	assert_line 'unseen home/agent/r/.git/objects/pack/p.pack:0: packed objects of a git repository'
	refute_output found
}

@test "TPL-16 the gate: an ordinary tree of programs has nothing in it" {
	mkdir -p "$TREE/usr/lib" "$TREE/usr/share" "$TREE/usr/bin"
	cp -r /usr/lib/python3/dist-packages "$TREE/usr/lib/" 2>/dev/null || :
	cp -r /usr/share/perl5 /usr/share/bash-completion /usr/share/aclocal "$TREE/usr/share/" 2>/dev/null || :
	cp /bin/bash /usr/bin/git /usr/bin/openssl /usr/bin/ssh-keygen "$TREE/usr/bin/" 2>/dev/null || :
	gate
	[ "$status" = 0 ] || fail "$(grep found <<<"$output")"
	# it did look
	[ "$(grep -o '^totals 0 [0-9]* [0-9]* [0-9]*' <<<"$output" | cut -d' ' -f5)" -gt 100 ]
}

@test "TPL-16 the gate: it reads that directory alone, and can do nothing else" {
	local i pid
	for i in $(seq 1 1200); do echo "$GHP" >"$H/a-file-with-a-name-that-takes-some-room-in-the-answer-$i"; done
	mkfifo "$T/answer"
	python3 "$BATS_TEST_DIRNAME/gate.py" --raw "$BAWN_BUILDDIR/bawn-gate" "$TREE" >"$T/answer" 2>"$T/pid" 3>&- &
	# open, and not read: its answer is longer than a pipe
	exec 4<"$T/answer"
	eventually test -s "$T/pid"
	pid=$(cat "$T/pid")
	eventually grep -q '^Seccomp:.*2' "/proc/$pid/status"
	grep -q '^NoNewPrivs:.*1' "/proc/$pid/status"
	cat <&4 >/dev/null
	exec 4<&-
	wait "$!" || :
}
