#!/usr/bin/env bats
# ipc.bats - attack corpus, class IPC: sockets of the host's services and the desktop.
load ../lib.sh
load ../attack/lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# A listening socket on the host that logs whoever connects: listen_unix PATH|@NAME; sets LOG.
listen_unix() {
	LOG=$T/unix.$RANDOM
	mkdir -p "$(dirname "${1#@}")" 2>/dev/null || true
	/usr/bin/python3 - "$1" "$LOG" 3>&- <<-'EOF' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind("\0" + sys.argv[1][1:] if sys.argv[1][0] == "@" else sys.argv[1])
		s.listen()
		open(sys.argv[2], "w").write("ready\n")
		while True:
		    c, _ = s.accept()
		    open(sys.argv[2], "a").write("hit\n")
		    c.close()
	EOF
	SERVERS+=("$!")
	eventually grep -q ready "$LOG"
}

@test "IPC-01 no session bus, no systemd --user" {
	listen_unix "$XDG_RUNTIME_DIR/bus"
	mkdir -p "$XDG_RUNTIME_DIR/systemd"
	local log=$LOG
	listen_unix "$XDG_RUNTIME_DIR/systemd/private"
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
	run on_host "unix=$XDG_RUNTIME_DIR/bus"
	assert_output "-> ok" # control
	run attack "unix=$XDG_RUNTIME_DIR/bus" "unix=$XDG_RUNTIME_DIR/systemd/private" \
		unix=/run/dbus/system_bus_socket unix=/run/systemd/private "unix=/run/user/$(id -u)/bus"
	expect_all ENOENT
	run in_sandbox_sh 'echo "bus=$DBUS_SESSION_BUS_ADDRESS rt=$XDG_RUNTIME_DIR"; systemd-run --user touch /tmp/x 2>&1 && echo RAN; ls -A /run /run/user 2>/dev/null'
	refute_output "$T/run"
	refute_output RAN
	[ "$(grep -c hit "$log" || :)" = 1 ] # the control's
}

@test "IPC-02 no container, virtual machine or package daemon" {
	run attack unix=/run/docker.sock unix=/var/run/docker.sock unix=/run/podman/podman.sock \
		unix=/run/containerd/containerd.sock unix=/run/libvirt/libvirt-sock \
		unix=/var/lib/lxd/unix.socket unix=/run/snapd.socket unix=/run/crio/crio.sock
	expect_all ENOENT
	listen_unix "$XDG_RUNTIME_DIR/podman/podman.sock"
	local podman=$LOG
	listen_unix "$HOME/.docker/run/docker.sock"
	DOCKER_HOST=unix://$HOME/.docker/run/docker.sock \
		run attack "unix=$XDG_RUNTIME_DIR/podman/podman.sock" "unix=$HOME/.docker/run/docker.sock"
	expect_all ENOENT
	refute_output hit
	if grep hit "$LOG" "$podman"; then fail "somebody came"; fi
}

@test "IPC-02 IPC-10 no daemon that listens in a system directory" {
	# as watchman does where it is installed by its own instructions; Nix's has its place in /nix
	mkdir -p "$T/local/lib"
	listen_unix "$T/local/var/run/watchman/sock"
	local log=$LOG
	listen_unix "$T/local/lib/sock"
	cat >"$T/outer" <<-'E'
		mount --rbind "$T/local" /usr/local || exit 1
		python3 "$ATTACK" unix=/usr/local/var/run/watchman/sock | sed 's/^/outside: /'
		exec "$BAWN" run --rm -q shell "$WS" -- /usr/bin/python3 -c "$(cat "$ATTACK")" "$@"
	E
	export T
	need unshare -Um --map-current-user --keep-caps true -- "no user namespaces for the test's own mount"
	run unshare -Um --map-current-user --keep-caps bash "$T/outer" \
		unix=/usr/local/var/run/watchman/sock listdir=/usr/local/var/run unix=/usr/local/lib/sock
	assert_output "outside: unix=/usr/local/var/run/watchman/sock -> ok"
	wants unix=/usr/local/lib/sock ok # R: anywhere else it is reached
	[ "$(grep -c "^unix=/usr/local/var/run/watchman/sock -> ENOENT" <<<"$output")" = 1 ] || fail watchman
	[ "$(grep -c hit "$log")" = 1 ] # the one from outside
}

@test "IPC-03 no D-Bus service, portal, keyring or accessibility bus" {
	listen_unix "$XDG_RUNTIME_DIR/keyring/control"
	run attack "unix=$XDG_RUNTIME_DIR/keyring/control" "listdir=$XDG_RUNTIME_DIR" "listdir=$XDG_RUNTIME_DIR/gvfs" \
		"unix=$XDG_RUNTIME_DIR/at-spi/bus" "unix=/run/user/$(id -u)/keyring/control"
	expect_all ENOENT
}

@test "IPC-04 no ssh-agent, gpg-agent or password manager" {
	mkdir -p "$HOME/.gnupg" "$HOME/.1password"
	listen_unix "$T/ssh-agent"
	export SSH_AUTH_SOCK=$T/ssh-agent GPG_AGENT_INFO=$HOME/.gnupg/S.gpg-agent
	local log=$LOG
	listen_unix "$HOME/.gnupg/S.gpg-agent"
	local gpg=$LOG
	listen_unix "$HOME/.1password/agent.sock"
	run attack "unix=$T/ssh-agent" "unix=$HOME/.gnupg/S.gpg-agent" "unix=$HOME/.1password/agent.sock"
	expect_all ENOENT
	run in_sandbox env
	refute_output SSH_AUTH_SOCK
	refute_output GPG_AGENT_INFO
	if grep hit "$log" "$gpg" "$LOG"; then fail "somebody came"; fi
}

@test "IPC-05 no X11, Wayland, PipeWire, PulseAudio, by path or abstract name" {
	listen_unix "@/tmp/.X11-unix/X$$"
	local abstract=$LOG
	mkdir -p /tmp/.X11-unix 2>/dev/null || true
	listen_unix "$XDG_RUNTIME_DIR/wayland-0"
	export DISPLAY=:$$ WAYLAND_DISPLAY=wayland-0 XAUTHORITY=$HOME/.Xauthority PULSE_SERVER=unix:$T/pulse
	plant "$HOME/.Xauthority"
	run on_host "unix=@/tmp/.X11-unix/X$$"
	assert_output "-> ok" # control
	run attack "unix=@/tmp/.X11-unix/X$$" "unix=$XDG_RUNTIME_DIR/wayland-0" \
		"unix=$XDG_RUNTIME_DIR/pipewire-0" "unix=$XDG_RUNTIME_DIR/pulse/native" "listdir=/tmp/.X11-unix"
	expect_all ENOENT ECONNREFUSED
	run in_sandbox_sh "env; cat $HOME/.Xauthority"
	refute_canary
	refute_output DISPLAY
	refute_output PULSE_SERVER
	[ "$(grep -c hit "$abstract" || :)" = 1 ]
	run in_sandbox cat /proc/net/unix
	refute_output X11-unix
}

@test "IPC-06 no terminal multiplexer or editor can be driven, nor is one named" {
	listen_unix "$T/tmux-1"
	local log=$LOG
	listen_unix "/tmp/bawn-test-vscode-$$.sock"
	export TMUX=$T/tmux-1,1,0 TMUX_PANE=%0 STY=1.x ZELLIJ=0 ZELLIJ_SESSION_NAME=a NVIM=$T/nvim \
		NVIM_LISTEN_ADDRESS=$T/nvim VSCODE_IPC_HOOK_CLI=/tmp/bawn-test-vscode-$$.sock VSCODE_IPC_HOOK=/tmp/x \
		EMACS_SERVER_FILE=$T/e KITTY_LISTEN_ON=unix:$T/k WEZTERM_UNIX_SOCKET=$T/w CMUX_SOCKET_PATH=$T/c \
		TERM_SESSION_ID=w0 VSCODE_GIT_IPC_HANDLE=/tmp/y GIT_ASKPASS=/tmp/z
	run attack "unix=$T/tmux-1" "unix=/tmp/bawn-test-vscode-$$.sock"
	rm -f "/tmp/bawn-test-vscode-$$.sock"
	expect_all ENOENT
	run in_sandbox env
	local v
	for v in TMUX STY ZELLIJ NVIM VSCODE EMACS KITTY WEZTERM CMUX TERM_SESSION GIT_ASKPASS; do
		[[ $output != *$'\n'$v* ]] || fail "$v comes along"
	done
	if grep hit "$log" "$LOG"; then fail "somebody came"; fi
}

@test "IPC-08 R: sockets left in the workspace are listed" {
	run in_sandbox /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("planted.sock")'
	[ -S planted.sock ]
	assert_output "planted.sock"
	grep -q '^| IPC-08 |' "$BAWN_SRCDIR/SECURITY.md"
}

@test "IPC-09 bawn's control sockets can't be reached from inside" {
	bg sh -c 'echo up; exec sleep 30'
	bg_says up
	run attack fds "listdir=$XDG_RUNTIME_DIR" "listdir=/run/bawn" "listdir=$XDG_DATA_HOME/bawn"
	refute_output "socket"
	wants fds none
	wants "listdir=$XDG_DATA_HOME/bawn" ENOENT
	# nothing of bawn listens at a path or an abstract name of the host either
	run grep -i bawn /proc/net/unix
	refute_output "$T"
	refute_output "@bawn"
}

@test "IPC-10 R: a socket in a further PATH or the workspace is warned of" {
	mkdir "$T/extra"
	listen_unix "$T/extra/service.sock"
	listen_unix "$WS/app.sock"
	run "$BAWN" run --rm shell "$WS" "$T/extra" -- true
	assert_output "app.sock"
	assert_output "service.sock"
	assert_output "can reach"
}

@test "IPC-11 what others planted where bawn keeps its state is refused" {
	in_sandbox true
	chmod 777 "$XDG_DATA_HOME/bawn"
	run in_sandbox echo STARTED
	assert_status 125
	refute_output STARTED
	chmod 700 "$XDG_DATA_HOME/bawn"
	rm -rf "$XDG_DATA_HOME/bawn"
	# a link of the user's own is as good as a directory; not one to where others write
	mkdir -m 777 "$T/planted"
	ln -s "$T/planted" "$XDG_DATA_HOME/bawn"
	run in_sandbox echo STARTED
	assert_status 125
	refute_output STARTED
	[ -z "$(ls -A "$T/planted")" ]
	chmod 755 "$T/planted"
	run in_sandbox echo STARTED
	assert_status 0
	rm "$XDG_DATA_HOME/bawn"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$XDG_DATA_HOME/bawn"
	run in_sandbox echo STARTED
	assert_status 125
	# nothing of bawn's is in a directory that everybody may write
	[ -z "$(find /tmp /var/tmp /dev/shm -maxdepth 1 -name 'bawn*' -newer "$WS" -user "$(id -un)" ! -name 'bawn-test*' 2>/dev/null)" ]
}
