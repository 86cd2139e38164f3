#!/usr/bin/env bats
# build.bats - `bawn template build`: the cache; faults; what a hostile context or RUN can't do.  What
# Dockerfiles make is in build-trees.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
load build.sh

setup() { build_setup; }
teardown() {
	build_verify
	build_teardown
}

@test "build: what was done before is not done again, and only that" {
	base
	dockerfile <<-'E'
		FROM base
		ARG V=1
		COPY a /a
		RUN echo "$V" >/v
		LABEL x=y
	E
	echo a >"$C/a"
	build -t one "$C" 2>"$C/log"
	run ! grep CACHED "$C/log"
	build -t one "$C" 2>"$C/log"
	[ "$(grep -c CACHED "$C/log")" = 2 ]
	# a label is no reason, nor a file that nothing copies, nor a file's time
	sed -i s/x=y/x=z/ "$C/Dockerfile"
	touch -d @1 "$C/a"
	echo other >"$C/other"
	build -t one "$C" 2>"$C/log"
	[ "$(grep -c CACHED "$C/log")" = 2 ]
	# an ARG is, for what comes behind it
	build --build-arg V=2 -t one "$C" 2>"$C/log"
	[ "$(grep -c CACHED "$C/log")" = 1 ]
	chmod 755 "$C/a"
	build -t one "$C" 2>"$C/log"
	run ! grep CACHED "$C/log"
	build --no-cache -t one "$C" 2>"$C/log"
	run ! grep CACHED "$C/log"
	# a proxy is no reason, and is not kept
	build --build-arg HTTP_PROXY=http://proxy:1 -t one "$C" 2>"$C/log"
	[ "$(grep -c CACHED "$C/log")" = 2 ]
	run ! grep 'no ARG has taken' "$C/log"
	run -0 "$BAWN" template inspect one
	run ! grep proxy: <<<"$output"
}

@test "build: a complaint names file, line and column, and shows the line" {
	dockerfile <<-'E'
		FROM scratch
		COPY --frm=x a \
		  b
	E
	run -125 build "$C"
	[[ $output == *"/Dockerfile:2:6: COPY has no flag --frm"*'  COPY --frm=x a \'*'       ^'* ]]
	printf 'FROM scratch\nCOPY nothing /\n' >"$C/Dockerfile"
	run -125 build "$C"
	[[ $output == *"/Dockerfile:2:1: open nothing: No such file"* ]]
	printf 'FROM nowhere:1\n' >"$C/Dockerfile"
	run -125 build "$C"
	[[ $output == *"/Dockerfile:1:6: there is no template 'nowhere:1'"* ]]
	printf 'FROM scratch\nRUN x\n' >"$C/Dockerfile"
	run -125 build "$C"
	[[ $output == *"Dockerfile:2:1: RUN in an empty root"* ]]
	printf 'FROM scratch\nADD https://example.com /x/\n' >"$C/Dockerfile"
	run -125 build "$C"
	[[ $output == *"Dockerfile:2:5: no name for a file can be had of this URL"* ]]
	run -125 build --platform linux/s390x "$C"
	[[ $output == *"another platform than this machine's"* ]]
	printf 'FROM --platform=windows/amd64 scratch\n' >"$C/Dockerfile"
	run -125 build "$C"
	[[ $output == *"Dockerfile:1:6: windows/amd64 is another platform"* ]]
	run -125 build "$C/none"
	[[ $output == *"open the context $C/none"* ]]
	run -125 build
	[[ $output == *"CONTEXT?"* ]]
	run -125 build -t '../x' "$C"
	printf 'FROM scratch\nCOPY Dockerfile /\n' >"$C/Dockerfile"
	run -0 build --provenance=false --platform "$(uname -m)" -t ok "$C"
}

@test "build: TPL-14 nothing outside of the context is copied, by no path and no link" {
	base
	echo secret >"$BATS_TEST_TMPDIR/outside"
	mkdir "$C/d" "$C/real"
	echo in >"$C/real/f"
	ln -s ../outside "$C/up"
	ln -s "$BATS_TEST_TMPDIR/outside" "$C/abs"
	ln -s / "$C/root"
	ln -s .. "$C/d/dots"
	ln -s /etc/passwd "$C/d/passwd"
	local source
	for source in ../outside up abs root/etc/passwd root/etc d/../../outside \
		'../out*' 'root/et*' '../*' d/../../c d/dots/../outside; do
		dockerfile <<<"FROM base"$'\n'"COPY $source /got/"
		run -125 build -t x "$C"
		# (the last one is folded, as Docker does it, and is nothing then)
		[[ $output == *"leads out of the context"* || $source == d/dots/* ]]
		# the same as what is bound for a RUN
		dockerfile <<<"FROM base"$'\n'"RUN --mount=type=bind,source=$source,target=/m cat /m"
		run -125 build -t x "$C"
		run ! grep -x secret <<<"$output"
	done
	# a link in what is copied stays a link; one that stays inside is followed
	ln -s real "$C/inside"
	printf 'FROM base\nCOPY d /d/\nCOPY inside /i/\nRUN cat /d/passwd\n' >"$C/Dockerfile"
	run -0 build -t x "$C"
	run ! grep "^$(id -un):" <<<"$output"
	# what is left out stays so by every name
	echo inside >"$C/.dockerignore"
	echo real >>"$C/.dockerignore"
	ln -s real/f "$C/alias"
	dockerfile <<<"FROM base"$'\n'"COPY alias /a"
	run -125 build -t x "$C"
	# a stage's links mean the stage's own root
	printf 'FROM base AS s\nRUN ln -s /etc /l && ln -s ../../../etc/passwd /p\nFROM base\nCOPY --from=s /l/passwd /p /q/\nRUN cat /q/*\n' >"$C/Dockerfile"
	run -0 build -t x "$C"
	run ! grep "^$(id -un):" <<<"$output"
	# nor is anything written outside of the root that is built
	rm "$C/.dockerignore"
	for source in /out/x /out2/y; do
		printf 'FROM base\nRUN ln -s %s /out && ln -s /../../../..%s /out2\nCOPY real/f %s\n' \
			"$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR" "$source" >"$C/Dockerfile"
		build -t x "$C" || :
	done
	[ ! -e "$BATS_TEST_TMPDIR/x" ] && [ ! -e "$BATS_TEST_TMPDIR/y" ]
	# by no archive either: a directory that it does not list is the root's own, through a link there
	mkdir -p "$BATS_TEST_TMPDIR/t/out" "$BATS_TEST_TMPDIR/t/out2" "$BATS_TEST_TMPDIR/victim"
	echo archive >"$BATS_TEST_TMPDIR/t/out/x"
	ln "$BATS_TEST_TMPDIR/t/out/x" "$BATS_TEST_TMPDIR/t/out2/y"
	tar --no-recursion -cf "$C/t.tar" -C "$BATS_TEST_TMPDIR/t" out/x out2/y
	printf 'FROM base\nRUN mkdir -p %s && ln -s %s /out && ln -s /../../../..%s /out2\nADD t.tar /\nRUN cat %s/y\n' \
		"$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/victim" \
		"$BATS_TEST_TMPDIR/victim" >"$C/Dockerfile"
	run -0 build -t x "$C"
	grep -x archive <<<"$output"
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/victim")" ]
}

@test "build: TPL-15 a RUN is behind an agent's walls, and a host that is denied is named" {
	base
	dockerfile <<-'E'
		FROM base
		RUN test ! -e /home/app/../../root/host && ls /proc/1/fd 2>/dev/null; \
		    cat /proc/self/status >/status; ls / >/list
	E
	run -0 build -t x "$C"
	"$BAWN" template save -o "$C/x.tar" x >/dev/null
	python3 - "$C/x.tar" >"$C/status" <<-'P'
		import json, sys, tarfile
		t = tarfile.open(sys.argv[1])
		for l in json.load(t.extractfile("manifest.json"))[0]["Layers"]:
		    f = tarfile.open(fileobj=t.extractfile(l))
		    for e in f:
		        if e.name == "status":
		            print(f.extractfile(e).read().decode())
	P
	grep -qx 'NoNewPrivs:	1' "$C/status"
	grep -qx 'Seccomp:	2' "$C/status"
	command -v python3 >/dev/null
	dockerfile <<-'E'
		FROM base
		COPY ask /ask
		RUN /ask denied.example.net
	E
	ask_program >"$C/ask.c"
	cc -static -O1 -o "$C/ask" "$C/ask.c" 2>/dev/null || skip "no static C library"
	run -125 build -t x "$C"
	[[ $output == *"denied during this run:"*"denied.example.net"*"a policy \"build\" of your own"* ]]
	[[ $output == *"Dockerfile:3:1: RUN ended with exit code 7"* ]]
}

# Connects to port 80 of its argument, by the resolver that resolv.conf names.
ask_program() {
	cat <<-'E'
		#include <arpa/inet.h>
		#include <string.h>
		#include <sys/socket.h>
		#include <unistd.h>
		int main(int c, char **v)
		{
			unsigned char q[512] = {1, 2, 1, 0, 0, 1}, r[512];
			size_t n = 12;
			struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53)};
			inet_pton(AF_INET, c > 2 ? v[2] : "127.0.0.53", &a.sin_addr);
			for (char *p = strtok(v[1], "."); p; p = strtok(NULL, ".")) {
				q[n] = strlen(p);
				memcpy(q + n + 1, p, q[n]);
				n += q[n] + 1;
			}
			q[n + 2] = 1, q[n + 4] = 1, n += 5;
			int u = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);
			if (connect(u, (void *)&a, sizeof(a)) || write(u, q, n) != (ssize_t)n)
				return 8;
			ssize_t got = read(u, r, sizeof(r));
			if (got < 16)
				return 9;
			memcpy(&a.sin_addr, r + got - 4, 4);
			a.sin_port = htons(80);
			if (connect(t, (void *)&a, sizeof(a)) == 0) {
				char s[] = "GET / HTTP/1.0\r\nHost: denied.example.net\r\n\r\n";
				write(t, s, sizeof(s) - 1);
				while (read(t, r, sizeof(r)) > 0)
					;
			}
			return 7;
		}
	E
}

@test "build: a secret is shown to its step, and in no layer; a cache is kept" {
	base
	printf 'top-%s' secret >"$BATS_TEST_TMPDIR/token"
	dockerfile <<-'E'
		FROM base
		RUN --mount=type=secret,id=token,required test "$(cat /run/secrets/token)" = "top-""secret" && ls -l /run/secrets >/seen
		RUN --mount=type=secret,id=token,target=/t,env=TOKEN test "$TOKEN" = "$(cat /t)"
		RUN --mount=type=cache,target=/var/cache/x,id=x echo line >>/var/cache/x/n
		RUN test ! -e /t && test ! -s /run/secrets/token && test ! -e /var/cache/x/n
	E
	run -125 build -t x "$C"
	[[ $output == *"Dockerfile:2:1: the secret \"token\" is required: --secret id=token,src=FILE"* ]]
	run -0 build -t x --secret "id=token,src=$BATS_TEST_TMPDIR/token" "$C"
	mkdir -p "$XDG_RUNTIME_DIR/bawn"
	touch "$XDG_RUNTIME_DIR/bawn/secret-999999999-1-1" # of one that was killed
	TOKEN=top-secret run -0 build -t y --no-cache --secret id=token,env=TOKEN "$C"
	run ! grep -ral top-secret "$XDG_DATA_HOME/bawn"
	[ -z "$(find "$XDG_RUNTIME_DIR" -name 'secret-*')" ]
	[ "$(cat "$XDG_DATA_HOME"/bawn/templates/cache-mounts/*/n | wc -l)" = 2 ]
}

@test "build: one that fails or is killed leaves the templates as they were; two at once" {
	base
	"$BAWN" template ls >"$C/before"
	printf 'FROM base\nRUN echo 1 >/x\nRUN exit 9\n' >"$C/Dockerfile"
	run -125 build -t base "$C"
	[[ $output == *"RUN ended with exit code 9"* ]]
	sed -E 's/  [0-9]+ [a-z]+ +/ /' "$C/before" >"$C/a"
	"$BAWN" template ls | sed -E 's/  [0-9]+ [a-z]+ +/ /' | diff "$C/a" -
	# killed while a RUN runs
	printf 'FROM base\nRUN echo ready >&2; sleep 1000\n' >"$C/Dockerfile"
	mkfifo "$C/pipe"
	"$BAWN" template build -t base "$C" 2>"$C/pipe" >/dev/null &
	local pid=$!
	while read -r line && [ "$line" != ready ]; do :; done <"$C/pipe"
	kill -9 "$pid"
	wait "$pid" || :
	run -0 "$BAWN" template verify
	"$BAWN" template ls | sed -E 's/  [0-9]+ [a-z]+ +/ /' | diff "$C/a" -
	printf 'FROM base\nRUN echo "$RANDOM" >/x\nCOPY a /\n' >"$C/Dockerfile"
	build --no-cache -q -t first "$C" >"$C/one" 2>&1 &
	pid=$!
	run -0 build --no-cache -q -t second "$C"
	wait "$pid"
	run -0 "$BAWN" template verify
	run -0 "$BAWN" template inspect first second
}

@test "build: ONBUILD of an earlier stage is carried out once" {
	base
	printf 'FROM base AS a\nONBUILD COPY f /f\nONBUILD RUN echo "$(cat /f) run" >/g\nFROM a AS b\nFROM b\nRUN cat /g\n' >"$C/Dockerfile"
	echo file >"$C/f"
	run -0 build -t x "$C"
	[[ $output == *"file run"* ]]
	run -0 "$BAWN" template inspect --json x
	run ! grep -i onbuild <<<"$output"
}

@test "build: ADD of what is compressed: a tar is unpacked, what is none is copied, a damaged one is an error" {
	mkdir "$T/d"
	head -c 300000 /dev/urandom >"$T/d/x"
	tar -czf "$C/good.tar.gz" -C "$T/d" x
	head -c 100000 "$C/good.tar.gz" >"$C/cut.tar.gz"
	gzip -c /etc/passwd >"$C/text.gz"
	head -c 4000 /dev/urandom | gzip -c >"$C/noise.gz"
	tar -czPf "$C/away.tar.gz" --transform 's,^,../,' -C "$T/d" x
	printf 'FROM scratch\nADD good.tar.gz text.gz noise.gz /a/\n' >"$C/Dockerfile"
	run -0 build -t added "$C"
	(cd "$XDG_DATA_HOME"/bawn/templates/layers && ls ./*/fs/a/x ./*/fs/a/text.gz ./*/fs/a/noise.gz)
	# a pattern is as good as a name
	cp "$C/good.tar.gz" "$C/p1.tgz"
	tar -czf "$C/p2.tgz" -C "$C" text.gz
	: >"$C/p3.tgz"
	printf 'FROM scratch\nADD p*.tgz /g/\n' >"$C/Dockerfile"
	run -0 build -t globbed "$C"
	(cd "$XDG_DATA_HOME"/bawn/templates/layers && ls ./*/fs/g/x ./*/fs/g/text.gz ./*/fs/g/p3.tgz && ! ls ./*/fs/g/p1.tgz)
	for f in cut away; do
		printf 'FROM scratch\nADD %s.tar.gz /a/\n' "$f" >"$C/Dockerfile"
		run build -t "$f" "$C"
		[ "$status" -ne 0 ] || fail "$f: $output"
		[[ $output == *"Dockerfile:2"* ]] || fail "$f: $output"
	done
}

@test "build: one cache twice in a RUN, secrets by their id, a command that begins with a bracket" {
	base
	printf 'FROM base\nRUN --mount=type=cache,id=a,sharing=locked,target=/x --mount=type=cache,id=a,sharing=locked,target=/y echo z >/x/f && cat /y/f >/out\n' >"$C/Dockerfile"
	run -0 timeout 60 "$BAWN" template build --no-cache -t twice "$C"
	[ "$(cat "$XDG_DATA_HOME"/bawn/templates/layers/*/fs/out)" = z ]
	printf 'FROM base\nRUN --mount=type=secret,id=token,required wc -c </run/secrets/token >/n\nRUN [ -n x ] && echo yes >/yes\n' >"$C/Dockerfile"
	cd "$T"
	echo fromfile >token
	run -0 build --secret id=token -t s1 "$C"
	token='env' run -0 build --no-cache --secret id=token -t s2 "$C"
	run build --no-cache --secret id=token,env=NOT_THERE -t s3 "$C"
	[ "$status" -ne 0 ]
	[[ $output == *"NOT_THERE"* ]]
	[ "$(cat "$XDG_DATA_HOME"/bawn/templates/layers/*/fs/yes | sort -u)" = yes ]
	[ "$(cat "$XDG_DATA_HOME"/bawn/templates/layers/*/fs/n | tr -d ' ' | sort -n | tr '\n' ' ')" = '3 9 ' ]
}

@test "build: prune --cache takes what cache mounts hold; a changed attribute is a change" {
	base
	printf 'FROM base\nRUN --mount=type=cache,id=big,target=/c echo kept >/c/f\n' >"$C/Dockerfile"
	run -0 build -t c "$C"
	[ -n "$(find "$XDG_DATA_HOME/bawn/templates/cache-mounts" -name f)" ]
	run -0 "$BAWN" template prune
	[ -n "$(find "$XDG_DATA_HOME/bawn/templates/cache-mounts" -name f)" ]
	run -0 "$BAWN" template prune --cache
	[ -z "$(find "$XDG_DATA_HOME/bawn/templates/cache-mounts" -name f)" ]
	# the same file with another capability: COPY --from is done again
	printf 'FROM scratch\nADD a.tar /\n' >"$C/one"
	for cap in one two; do
		/usr/bin/python3 - "$C/a.tar" "$cap" <<-'P'
			import io, sys, tarfile
			with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as t:
			    i = tarfile.TarInfo("f"); i.size = 2
			    i.pax_headers = {"SCHILY.xattr.user.kind": sys.argv[2]}
			    t.addfile(i, io.BytesIO(b"x\n"))
		P
		run -0 build -f "$C/one" -t other "$C"
		printf 'FROM scratch\nCOPY --from=other /f /f\n' >"$C/two"
		run -0 build -f "$C/two" -t "copy-$cap" "$C"
		[[ $output != *"CACHED COPY"* ]] || fail "$output"
	done
}

@test "build: COPY --parents is done again where the same file has another path" {
	base
	mkdir -p "$C/p/one"
	echo f >"$C/p/one/f"
	printf 'FROM base\nCOPY --parents p/*/f /x/\nRUN cat /x/p/*/f; ls /x/p\n' >"$C/Dockerfile"
	run -0 build -t one "$C"
	mv "$C/p/one" "$C/p/two"
	run -0 build -t two "$C"
	[[ $output != *CACHED* && $output == *$'f\ntwo\n'* ]] || fail "$output"
	run -0 build -t two "$C"
	[ "$(grep -c CACHED <<<"$output")" = 2 ]
}

@test "build: SHELL and ONBUILD of an image that is built on" {
	base
	printf 'FROM base\nSHELL ["/bin/sh", "-ec"]\nONBUILD COPY f /f\nONBUILD RUN echo "$(cat /f) run" >/g\n' >"$C/Dockerfile"
	echo file >"$C/f"
	run -0 build -t parent "$C"
	# -e: false ends it
	printf 'FROM parent\nRUN cat /g; false; true\n' >"$C/Dockerfile"
	run build -t child "$C"
	[ "$status" -ne 0 ]
	[[ $output == *"file run"* ]]
	printf 'FROM parent\nRUN cat /g\n' >"$C/Dockerfile"
	run -0 build -t child "$C"
	printf 'FROM child\nRUN rm /f /g\n' >"$C/Dockerfile"
	run -0 build -t grandchild "$C" # it has no triggers any more
	# what is only copied from has none
	printf 'FROM scratch\nCOPY --from=parent /bin/sh /sh\n' >"$C/Dockerfile"
	run -0 build -t copied "$C"
}

@test "build: userdel and usermod don't take for busy who has the number of all processes" {
	base
	LAYER=$C/root template_program userdel usermod
	dockerfile <<-'E'
		FROM base
		COPY root /
		RUN chown app /home/app && echo 'app:!:1::::::' >/etc/shadow && usermod -l agent -d /home/agent -m app && id agent
		RUN usermod -u 1234 agent && ls -ldn /home/agent && userdel -r agent
		RUN ! id agent && test ! -e /home/agent && echo gone
	E
	run -0 build -t x "$C"
	[[ $output == *"uid=1000(agent)"*" 1234 "*gone* ]] || fail "$output"
}

# caps set|get|remove FILE: the attribute of file capabilities, by setxattr(2) and its like
caps_program() {
	cat <<-'E'
		#include <stdio.h>
		#include <sys/xattr.h>
		int main(int c, char **v)
		{
			static const char name[] = "security.capability";
			unsigned char b[24] = {1, 0, 0, 2, 0, 4};
			int r = c < 3 ? -1
				: *v[1] == 's' ? setxattr(v[2], name, b, 20, 0)
				: *v[1] == 'b' ? setxattr(v[2], name, b, 19, 0)
				: *v[1] == 'r' ? lremovexattr(v[2], name)
					       : (int)getxattr(v[2], name, b, sizeof(b));
			if (r < 0)
				return perror(v[1]), 1;
			printf("%s %d %02x\n", v[1], r, b[5]);
			return 0;
		}
	E
}

@test "build: what setcap gives to a program is in the layer, is seen, and goes with a chown" {
	base
	caps_program >"$T/caps.c"
	cc -static -O1 -o "$C/caps" "$T/caps.c" 2>/dev/null || skip "no static C library"
	dockerfile <<-'E'
		FROM base
		COPY caps /bin/
		RUN for i in a b c; do echo $i >/$i && caps set /$i; done; caps get /a && caps remove /b && ! caps get /b && chown app /c && ! caps get /c
		RUN caps get /a && chmod 700 /a && caps set /bin/caps && ! caps bad /b && ! caps set /bin && ! caps set /none
		USER app
		RUN ! caps set /b
	E
	run -0 build -t x "$C"
	[ "$(grep -c '^get 20 04$' <<<"$output")" = 2 ] || fail "$output"
	run -0 entries x e.name 'e.pax_headers.get("SCHILY.xattr.security.capability", "").encode().hex()'
	local caps=0100000200040000000000000000000000000000
	[ "$(grep "$caps" <<<"$output" | sort -u)" = "a $caps"$'\n'"bin/caps $caps" ] || fail "$output"
}

@test "build: --push brings it where its tag says; without one it says so" {
	printf 'FROM scratch\nCOPY Dockerfile /\n' >"$C/Dockerfile"
	run -125 build --push "$C"
	[[ $output == *"--push wants a --tag"* ]]
	# nobody listens there: built, and said to be
	run -125 build --push -t 127.0.0.1:1/x:1 "$C"
	[[ $output == *"127.0.0.1:1/x:1 is built, but was not pushed"* ]]
	run -0 "$BAWN" template inspect 127.0.0.1:1/x:1
}
