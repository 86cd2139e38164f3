/* probe-ipc.c - class IPC: sockets of the host's services */
#include <sys/socket.h>
#include <sys/un.h>

#include "probe.h"

/* "@name" is an abstract address; %u is the user's id, a leading $ a variable with the path. */
static int connect_to(const char *pattern)
{
	char path[256];
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (pattern[0] == '$') {
		const char *v = getenv(pattern + 1);
		snprintf(path, sizeof(path), "%s", v ? v : "/nonexistent");
	} else {
		const char *uid = strstr(pattern, "%u");
		if (uid)
			snprintf(path, sizeof(path), "%.*s%u%s", (int)(uid - pattern), pattern,
				getuid(), uid + 2);
		else
			snprintf(path, sizeof(path), "%s", pattern);
	}
	size_t n = strlen(path);
	if (n >= sizeof(a.sun_path))
		return ENAMETOOLONG;
	memcpy(a.sun_path, path, n);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	if (path[0] == '@') {
		a.sun_path[0] = 0;
		len--;
	}
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	int e = 0;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
		e = fd < 0 || connect(fd, (struct sockaddr *)&a, len) < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
		if (e != EPROTOTYPE)
			break;
	}
	probe_say("%s", path);
	return e;
}

static int by_arg(const struct probe *p, char **argv)
{
	(void)p;
	return connect_to(argv[0]);
}

static int by_path(const struct probe *p, char **argv)
{
	(void)argv;
	return connect_to(p->path);
}

#define SOCKET(n, id_, path_)                                                                      \
	{                                                                                          \
		.name = n, .id = id_, .run = by_path, .path = path_                                \
	}

const struct probe probes_ipc[] = {
	{"unix", "IPC-10", "PATH", .run = by_arg},
	SOCKET("user-bus", "IPC-01", "/run/user/%u/bus"),
	SOCKET("user-systemd", "IPC-01", "/run/user/%u/systemd/private"),
	SOCKET("system-bus", "IPC-01", "/run/dbus/system_bus_socket"),
	SOCKET("system-systemd", "IPC-01", "/run/systemd/private"),
	SOCKET("docker", "IPC-02", "/var/run/docker.sock"),
	SOCKET("podman", "IPC-02", "/run/user/%u/podman/podman.sock"),
	SOCKET("containerd", "IPC-02", "/run/containerd/containerd.sock"),
	SOCKET("libvirt", "IPC-02", "/run/libvirt/libvirt-sock"),
	SOCKET("lxd", "IPC-02", "/var/snap/lxd/common/lxd/unix.socket"),
	SOCKET("snapd", "IPC-02", "/run/snapd.socket"),
	SOCKET("keyring", "IPC-03", "/run/user/%u/keyring/control"),
	SOCKET("at-spi", "IPC-03", "/run/user/%u/at-spi/bus_0"),
	SOCKET("ssh-agent", "IPC-04", "$SSH_AUTH_SOCK"),
	SOCKET("gpg-agent", "IPC-04", "/run/user/%u/gnupg/S.gpg-agent"),
	SOCKET("x11", "IPC-05", "/tmp/.X11-unix/X0"),
	SOCKET("x11-abstract", "IPC-05", "@/tmp/.X11-unix/X0"),
	SOCKET("wayland", "IPC-05", "/run/user/%u/wayland-0"),
	SOCKET("pipewire", "IPC-05", "/run/user/%u/pipewire-0"),
	SOCKET("pulse", "IPC-05", "/run/user/%u/pulse/native"),
	SOCKET("tmux", "IPC-06", "/tmp/tmux-%u/default"),
	SOCKET("nvim", "IPC-06", "$NVIM"),
	SOCKET("vscode", "IPC-06", "$VSCODE_IPC_HOOK_CLI"),
	SOCKET("nscd", "DNS-14", "/var/run/nscd/socket"),
	SOCKET("resolved", "DNS-14", "/run/systemd/resolve/io.systemd.Resolve"),
	SOCKET("avahi", "DNS-14", "/run/avahi-daemon/socket"),
	SOCKET("sssd", "DNS-14", "/var/lib/sss/pipes/nss"),
	{0},
};
