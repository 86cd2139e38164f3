#!/usr/bin/env bats
# build-forms.bats - `bawn build`: the forms that Dockerfiles and command lines take, beside what
# tests/build compares: triggers, mounts, archives, and what is said of a mistake.
bats_require_minimum_version 1.5.0
load ../lib.sh
load build.sh

setup() { build_setup; }
teardown() { build_teardown; }

build() { timeout 60 "$BAWN" build "$@"; } # the shorter word for it

@test "build: command lines written for docker, with bawn in its place" {
	dockerfile <<<$'FROM scratch\nCOPY Dockerfile /\n'
	cd "$C"
	local arch
	arch=$("$BAWN" build --help >/dev/null && uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
	run -125 "$BAWN" template build --platform "linux/$arch" --push --provenance=false -t 127.0.0.1:1/o/t:v1 -f Dockerfile .
	[[ $output == *"127.0.0.1:1/o/t:v1 is built, but was not pushed"* ]]
	run -0 "$BAWN" build --platform "linux/$arch" -t org/my-template:v1 .
	run -0 "$BAWN" template save org/my-template:v1 -o my.tar
	[[ $(tar -xOf my.tar manifest.json) == *'org/my-template:v1"'* ]]
	run -0 "$BAWN" template load my.tar
	run -0 "$BAWN" build --load --sbom=false -q --label a=b --label "c=d e" --iidfile id --progress=plain .
	[ "$(cat id)" = "${lines[-1]}" ]
	run -0 "$BAWN" template save -o l.tar "$(cat id)"
	run -0 "$CASES/listing.py" l.tar
	[[ $output == *'Labels: {"a": "b", "c": "d e"}'* ]] || fail "$output"
	run -125 "$BAWN" build --label a .
	[[ $output == *"--label wants NAME=VALUE"* ]]
	for p in linux/s390x linux/arm/v7 "linux/$arch,linux/s390x" windows/amd64; do
		run -125 "$BAWN" build --platform "$p" .
		[[ $output == *"platform"* && $output == *"linux/$arch"* ]] || fail "$p: $output"
	done
}

@test "build: ONBUILD keeps heredocs, takes from stages of who builds on it, and shows its own line" {
	base
	printf 'FROM base\nONBUILD RUN <<EOF\n  echo one >/o\n  cat /o\nEOF\nONBUILD COPY <<-"X" <<Y /docs/\n\tq $HOME\n\tX\nhome $PATH\nY\n' >"$C/Dockerfile"
	run -0 build -q -t parent "$C"
	dockerfile <<<$'FROM parent\nRUN cat /o /docs/X /docs/Y\n'
	run -0 build -t child "$C"
	[[ $output == *$'one\nq $HOME\nhome /usr/local/sbin:'* ]] || fail "$output"
	# the same in a stage
	printf 'FROM base AS p\nONBUILD RUN <<EOF cat >/x\nfrom a stage\nEOF\nFROM p\nRUN cat /x\n' >"$C/Dockerfile"
	run -0 build -t stage "$C"
	[[ $output == *"from a stage"* ]] || fail "$output"
	# stages that nothing else names, and what they begin as
	printf 'FROM base\nONBUILD COPY --from=one /s /s\nONBUILD RUN --mount=from=two,target=/m cp /m/t /t\n' >"$C/Dockerfile"
	run -0 build -q -t asks "$C"
	printf 'FROM base AS zero\nRUN echo zero >/z\nFROM zero AS one\nRUN cat /z >/s\nFROM base AS two\nRUN echo two >/t\nFROM asks\nRUN cat /s /t\n' >"$C/Dockerfile"
	run -0 build -t asked "$C"
	[[ $output == *$'zero\ntwo'* ]] || fail "$output"
	# a trigger that fails is not a line of this Dockerfile
	printf 'FROM base\nONBUILD RUN true\nONBUILD COPY nothing /n\n' >"$C/Dockerfile"
	run -0 build -q -t fails "$C"
	printf 'FROM fails\nRUN true\n' >"$C/Dockerfile"
	run -125 build "$C"
	[[ $output == *"ONBUILD of fails:1:1: open nothing: No such file"*$'\n  COPY nothing /n\n  ^'* ]] || fail "$output"
}

@test "build: a cache that begins as a stage's directory, once; read-only, private" {
	base
	printf 'FROM base AS s\nRUN mkdir -p /seed/a && echo seed >/seed/a/f && chmod 500 /seed/a\nFROM base\nRUN --mount=type=cache,target=/c,from=s,source=/seed,id=q,uid=1000,gid=1000,mode=0750 cat /c/a/f; echo more >>/c/a/f\nRUN --mount=type=cache,target=/c,from=s,source=seed,id=q cat /c/a/f\nRUN --mount=type=cache,target=/c,id=q test ! -e /c/a\nRUN --mount=type=cache,target=/c,from=s,source=/seed,id=q,readonly echo >/c/no && exit 9 || true\n' >"$C/Dockerfile"
	run -0 build -t x "$C"
	[[ $output == *seed*$'seed\nmore'*"Read-only file system"* ]] || fail "$output"
	# kept; of another beginning there is another
	run -0 build --no-cache -t x "$C"
	[[ $output == *$'seed\nmore\n'* ]] || fail "$output"
	sed -i 's/echo seed/echo else/' "$C/Dockerfile"
	run -0 build -t x "$C"
	[[ $output == *$'else\nmore\n'* ]] || fail "$output"
	run ! grep -qx seed <<<"$output"
	# what is written through a bind is gone behind the command
	printf 'FROM base\nRUN --mount=type=bind,target=/m,rw echo x >/m/new && cat /m/new\nRUN --mount=target=/m test ! -e /m/new && test ! -e /new\nRUN --mount=type=tmpfs,target=/big,size=64k dd if=/dev/zero of=/big/f bs=1k count=100; test ! -s /big/g\nRUN test ! -e /big/f\n' >"$C/Dockerfile"
	run -0 build -t x "$C"
	[[ $output == *"No space left"* ]] || fail "$output"
	[ ! -e "$C/new" ]
}

@test "build: two at once that begin one cache: each has a copy of its own" {
	base
	printf 'FROM base AS s\nRUN mkdir /seed && echo seed >/seed/f\nFROM base\nARG WHO\nRUN --mount=type=cache,target=/c,from=s,source=/seed,id=two,sharing=private cat /c/f && echo "$WHO" >/c/mine && sleep 1 && cat /c/mine >/out\n' >"$C/Dockerfile"
	build -q --target s "$C" >/dev/null
	local n pids=()
	for n in 1 2 3; do
		build -t "two$n" --build-arg "WHO=number $n" "$C" >"$BATS_TEST_TMPDIR/$n" 2>&1 3>&- &
		pids+=($!)
	done
	for n in 1 2 3; do
		wait "${pids[n - 1]}" || fail "$(cat "$BATS_TEST_TMPDIR/$n")"
		run -0 "$BAWN" run --rm -q --template "two$n" shell "$WS" -- cat /out
		assert_output "number $n"
	done
}

@test "build: a secret as a variable, a file of a mode, or not at all; a RUN without a network" {
	base
	printf v >"$T/secret"
	printf 'FROM base\nRUN --mount=type=secret,id=t,env=SAID,required=true test "$SAID" = v && test ! -e /run/secrets/t\nRUN --mount=type=secret,id=t,mode=0444,uid=1000,gid=1000 test "$(busybox stat -c %%a /run/secrets/t)" = 444 && ! echo x >/run/secrets/t\nRUN --mount=type=secret,id=absent,env=NONE test ! -e /run/secrets/absent && test -z "$NONE"\nRUN --network=none --security=sandbox test "$(ls /sys/class/net 2>/dev/null || echo lo)" = lo\n' >"$C/Dockerfile"
	run -0 build -t x --secret "id=t,src=$T/secret" "$C"
	printf 'FROM base\nRUN --mount=type=secret,id=gone,required true\n' >"$C/Dockerfile"
	run -125 build -t x --secret "id=t,src=$T/secret" "$C"
	[[ $output == *'Dockerfile:2:1: the secret "gone" is required'* ]]
}

@test "build: ADD unpacks xz and bzip2, by one file or several streams; load takes archives packed so" {
	base
	mkdir "$T/d"
	head -c 300000 /dev/urandom >"$T/d/x"
	local z
	tar -cf "$T/all.tar" -C "$T/d" x
	for z in xz bzip2; do
		(head -c 100000 "$T/all.tar" | $z -1 -c; tail -c +100001 "$T/all.tar" | $z -1 -c) >"$C/two.$z"
		$z -1 -c <"$T/all.tar" | head -c 200000 >"$C/cut.$z"
		echo none | $z -1 -c >"$C/text.$z"
		printf 'FROM base\nADD two.%s text.%s /a/\nRUN cat /a/x | sha256sum && ls /a\n' $z $z >"$C/Dockerfile"
		run -0 build -t "added-$z" "$C"
		[[ $output == *"$(sha256sum <"$T/d/x" | cut -d' ' -f1)"*"text.$z"* ]] || fail "$output"
		printf 'FROM base\nADD cut.%s /a/\n' $z >"$C/Dockerfile"
		run -125 build -t cut "$C"
		[[ $output == *"Dockerfile:2:1: cut.$z: the layer's $z stream ends too early"* ]] || fail "$output"
	done
	# names that only look like it
	printf 'BZh9 is how it begins\n' >"$C/letter"
	printf 'FROM base\nADD letter /a/\nRUN cat /a/letter\n' >"$C/Dockerfile"
	run -0 build -t letter "$C"
	[[ $output == *"BZh9 is how it begins"* ]]
	run -0 "$BAWN" template save -o "$T/s.tar" letter
	for z in xz bzip2; do
		run -0 "$BAWN" template rm letter
		$z -1 -c <"$T/s.tar" >"$T/s.$z"
		run -0 "$BAWN" template load "$T/s.$z"
		run -0 "$BAWN" template inspect letter
		run -0 "$BAWN" template rm letter
		run -0 "$BAWN" template load - <"$T/s.$z"
	done
	run -0 "$BAWN" template verify
}

@test "build: what is made from scratch has a PATH, to which can be added" {
	base
	printf 'FROM base\nENV PATH=/opt/bin:$PATH\nRUN echo "path $PATH"\n' >"$C/Dockerfile"
	run -0 build -t p "$C"
	[[ $output == *"path /opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"* ]]
}

# says WHERE TEXT <LINES: building these, behind "FROM base", fails at LINE:COLUMN, is said so, and the
# caret stands below what is there.
says() {
	local text
	text=$(printf 'FROM base\n'; cat)
	printf '%s\n' "$text" >"$C/Dockerfile"
	run -125 build "$C"
	local line=${1%:*} col=${1#*:}
	local want
	want="  $(sed -n "${line}p" "$C/Dockerfile")"$'\n'"  $(printf "%$((col - 1))s")^"
	[[ $output == *"Dockerfile:$1: "*"$2"* ]] || fail "wanted $1 $2: $output"
	[[ $output == *"$want"* ]] || fail "wanted the caret: $want: $output"
}

@test "build: each mistake is said with its line, its column and a caret" {
	base
	says 2:1 'did you mean COPY?' <<<'CPY a b'
	says 2:1 'did you mean RUN?' <<<'RNU true'
	says 2:6 'did you mean --chown?' <<<'COPY --chwon=1 a b'
	says 2:5 'did you mean --mount?' <<<'RUN --muont=type=tmpfs,target=/x true'
	says 2:5 '--checksum wants sha256: and 64 hex digits' <<<'ADD --checksum=sha256:11 http://x/y b'
	says 2:25 '--keep-git-dir is for a repository' <<<'ADD --keep-git-dir=true https://x/y b'
	says 2:5 'repositories are fetched by http and https alone' <<<'ADD git@example.org:x/y.git b'
	says 3:5 'a repository is URL.git' <<<$'# a comment\nADD https://example.org/y.git#-v1 b'
	says 2:5 'type=ssh is not supported' <<<'RUN --mount=type=ssh true'
	says 2:23 '"frm" is not known' <<<'RUN --network=default --mount=type=cache,frm=x,target=/x true'
	says 2:5 'wants a from=' <<<'RUN --mount=type=cache,source=/x,target=/x true'
	says 2:5 '--network=host is not supported' <<<'RUN --network=host true'
	says 2:5 '--security=insecure is not supported' <<<'RUN --security=insecure true'
	says 2:5 'RUN --device is not supported' <<<'RUN --device=x true'
	says 2:6 'wants a mode, as in 0755 or u+x,go-w' <<<'COPY --chmod=u+y a b'
	says 2:13 'nothing ends this heredoc' <<<$'ONBUILD RUN <<EOF\ntrue'
	says 2:5 'nothing ends this heredoc' <<<$'RUN <<EOF\ntrue'
	says 2:9 'ONBUILD wants something else' <<<'ONBUILD ONBUILD RUN x'
	says 3:6 'COPY wants at least one source' <<<$'RUN true\nCOPY x'
	says 2:8 '"99999" is no port' <<<'EXPOSE 99999'
	says 2:12 '"SIGFOO" is no signal' <<<'STOPSIGNAL SIGFOO'
	says 2:13 '--interval wants a time' <<<'HEALTHCHECK --interval=soon CMD x'
	says 2:1 'there is no user "nobody-here"' <<<$'COPY --chown=nobody-here Dockerfile /'
	says 2:1 'is no directory, which a cache is' <<<'RUN --mount=type=cache,target=/c,from=base,source=/etc/passwd true'
	# behind a continuation, the line of the file that it stands in
	says 4:3 'COPY has no flag --to' <<<$'COPY \\\n  --chown=0 \\\n  --to=x a b'
	says 4:1 'did you mean FROM?' <<<$'RUN a \\\n  && b\nFORM x'
}
