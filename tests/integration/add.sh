# shellcheck shell=bash disable=SC2154,SC2034,SC2317  # bats; variables for the tests; called by name
# add.sh - what the tests of ADD from elsewhere share: add-server.py in the small internet of net/world, at
# $AT and by TLS at port 9443.  Load behind lib.sh, net/lib.sh and build.sh.

AT=http://add.example:8080

setup_file() {
	world_start
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=add \
		-addext subjectAltName=DNS:add.example -keyout "$WORLD/add.pem" -out "$WORLD/add.crt" \
		2>/dev/null
	cat "$WORLD/add.crt" >>"$WORLD/add.pem"
	/usr/bin/nsenter -t "$(cat "$WORLD/internet.pid")" -U -n --preserve-credentials \
		/usr/bin/python3 "$BAWN_SRCDIR/tests/integration/add-server.py" 8080 "$WORLD/add.log" \
		"$WORLD/add.ready" 9443 "$WORLD/add.pem" >"$WORLD/add.out" 2>&1 3>&- </dev/null &
	echo $! >"$WORLD/add.pid"
	eventually test -s "$WORLD/add.ready"
}

teardown_file() {
	kill "$(cat "$WORLD/add.pid")" 2>/dev/null
	world_stop
}

setup() {
	build_setup
	world_enter
	: >"$WORLD/add.log"
	: >"$WORLD/add.log.body"
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	cat >"$XDG_CONFIG_HOME/bawn/policies/build.yaml" <<-'Y'
		allow: ["*.example:8080"]
		deny: ["denied.example"]
	Y
}

teardown() { build_teardown; }

# files TAG: what is in it, as "PATH MODE UID:GID MTIME SHA256", of directories without the last two.
files() { entries "$1" "${ENTRY[@]}" 'f"{int(e.mtime)} {sha}" if e.isfile() else ""' | sed 's/ $//'; }

asked() { grep -c . "$WORLD/add.log" || :; }
