# shellcheck shell=bash disable=SC2154,SC2034  # status, output: set by bats; variables for the tests
# forges.sh - for tests of tokens that the agent never holds: a code host and package registries
# behind TLS (forges.py) that want TOKEN.
#
# Load behind lib.sh and agents.sh (make_ca).

TOKEN=ghp_real0123456789abcdefghijklmnopqrstuv

# forges_setup: the server, whose log is $UPLOG and whose files are in $T/root; $BAWN_OPTS leads its
# names there; the host trusts its authority.
forges_setup() {
	local i host
	bawn_setup || return 1
	unset GH_TOKEN GITHUB_TOKEN NPM_TOKEN
	make_ca github.com api.github.com npm.test x.npmjs.org pypi.test
	rm "$WS/ca.crt"
	mkdir -p "$T/root/git" "$T/root/npm" "$T/root/pypi"
	UPLOG=$T/forges.log
	: >"$UPLOG"
	/usr/bin/python3 "$BAWN_SRCDIR/tests/integration/forges.py" "$T/tls.crt" "$T/tls.key" \
		"$T/forges.port" "$UPLOG" "$T/root" "$TOKEN" >"$T/forges.out" 2>&1 </dev/null 3>&- &
	SERVERS+=("$!")
	for ((i = 0; i < 200; i++)); do
		[ -s "$T/forges.port" ] && break
		sleep 0.05
	done
	UP=$(cat "$T/forges.port") || fail "no server: $(cat "$T/forges.out")"
	export SSL_CERT_FILE=$T/ca.pem
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	BAWN_OPTS=()
	for host in github.com api.github.com npm.test x.npmjs.org pypi.test; do
		BAWN_OPTS+=(--connect-to "$host:443:127.0.0.1:$UP")
	done
}

# The token is in neither the last output nor what bawn, the sandbox's home and the workspace hold.
refute_token() {
	local f coded
	refute_output "$TOKEN" || return 1
	coded=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)
	for f in "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$WS" "$@"; do
		if grep -rqsaF -e "$TOKEN" -e "${coded:20:40}" -- "$f"; then
			fail "the token stands in $f"
			return 1
		fi
	done
}

# What a process inside could find of it: environment, arguments and memory of all, and files.
# The halves are put together inside.
search_inside='
/usr/bin/python3 - <<E
import os
want = ("ghp_real0123456789abcd" + "efghijklmnopqrstuv").encode()
def look(name, data):
    if want in data: print("FOUND in", name)
for top in (os.environ["HOME"], "/tmp", "/run", "/etc", "/dev/shm", "/var"):
    for d, subs, files in os.walk(top):
        for f in files:
            try: look(os.path.join(d, f), open(os.path.join(d, f), "rb").read(1 << 24))
            except OSError: pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    for what in ("environ", "cmdline"):
        try: look("/proc/%s/%s" % (pid, what), open("/proc/%s/%s" % (pid, what), "rb").read())
        except OSError: pass
    if int(pid) == os.getpid(): continue
    try:
        mem = open("/proc/%s/mem" % pid, "rb")
        for line in open("/proc/%s/maps" % pid):
            a, b = (int(x, 16) for x in line.split()[0].split("-"))
            mem.seek(a)
            look(pid + " " + line, mem.read(b - a))
    except (OSError, OverflowError, ValueError): pass
print("LOOKED")
E'
