/* egress/jail.c - see jail.h
 */
#include "egress/jail.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "egress/jail-filter.h"
#include "egress/lease.h"

/* linux/landlock.h of Debian 12 ends at ABI 2; these are of the kernel's uapi header. */
#define LL_FS_TRUNCATE (1ull << 14)
#define LL_FS_IOCTL_DEV (1ull << 15)
#define LL_NET_BIND_CONNECT 3ull
#define LL_NET_CONNECT 2ull
#define LL_RULE_NET_PORT 2
#define LL_SCOPE_ABSTRACT_UNIX_AND_SIGNAL 3ull

struct landlock_attr {
	uint64_t fs, net, scoped;
};
struct landlock_port_attr {
	uint64_t allowed_access, port;
};

static uint64_t fd_limit;

uint64_t jail_fds(void)
{
	return fd_limit;
}

static int limit(int what, rlim_t n, struct err *err)
{
	struct rlimit now;
	if (getrlimit(RLIMIT_KIND(what), &now) < 0)
		return err_sys(err, errno, "getrlimit");
	if (n > now.rlim_max)
		n = now.rlim_max;
	if (what == RLIMIT_NOFILE)
		fd_limit = n;
	struct rlimit l = {.rlim_cur = n, .rlim_max = n};
	if (setrlimit(RLIMIT_KIND(what), &l) < 0)
		return err_sys(err, errno, "setrlimit");
	return 0;
}

static int set_limits(const struct jail *j, struct err *err)
{
	const struct {
		int what;
		rlim_t n;
	} table[] = {
		{RLIMIT_NOFILE, j->max_fds},
		/* 1, not 0: with 0 a piped core_pattern still runs */
		{RLIMIT_CORE, 1},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_NPROC, 0},
		{RLIMIT_MEMLOCK, 0},
#ifndef BAWN_ASAN
		{RLIMIT_AS, j->max_memory},
#endif
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int r = limit(table[i].what, table[i].n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int allow_file(int ruleset, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	struct landlock_path_beneath_attr a = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = fd};
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0
		? -errno
		: 0;
}

static int allow_ports(int ruleset, const struct lease_page *page)
{
	for (unsigned i = 0; i < page->n_ports && i < LEASE_MAX_PORTS; i++) {
		struct landlock_port_attr a = {
			.allowed_access = LL_NET_CONNECT, .port = page->port[i]};
		if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_NET_PORT, &a, 0) < 0)
			return -errno;
	}
	return 0;
}

static int landlock_enter(const struct jail *j, struct err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0;
	struct landlock_attr a = {.fs = (1ull << 13) - 1};
	size_t size = sizeof(a.fs);
	if (abi >= 2)
		a.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		a.fs |= LL_FS_TRUNCATE;
	if (abi >= 5)
		a.fs |= LL_FS_IOCTL_DEV;
	/* the resolver talks to name servers over TCP: only who may read nothing loses it */
	if (abi >= 4 && j->n_readable == 0) {
		a.net = LL_NET_BIND_CONNECT;
		size = offsetof(struct landlock_attr, scoped);
	}
	if (abi >= 6) {
		a.scoped = LL_SCOPE_ABSTRACT_UNIX_AND_SIGNAL;
		size = sizeof(a);
	}
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
	if (fd < 0)
		return err_sys(err, errno, "landlock_create_ruleset");
	for (size_t i = 0; i < j->n_readable; i++) {
		int k = allow_file(fd, j->readable[i]);
		if (k < 0)
			return err_sys(err, -k, "landlock_add_rule %s", j->readable[i]);
	}
	int r = a.net && j->leases ? allow_ports(fd, j->leases) : 0;
	if (r < 0)
		return err_sys(err, -r, "landlock_add_rule for a port");
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, errno, "landlock_restrict_self");
	return 0;
}

static int seccomp_enter(const struct jail *j, struct err *err)
{
	struct sock_filter f[JAIL_FILTER_MAX];
	int n = jail_filter(j, f);
	if (n < 0)
		return err_set(err, -n, "seccomp table too long");
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = f};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0) {
		int e = errno;
		err_sys(err, e, "seccomp");
		err_hint(err, "bawn needs a kernel with CONFIG_SECCOMP_FILTER");
		return -e;
	}
	return 0;
}

/* Whoever may make sockets connects none to an address of his own, whichever it is. */
static int prove_leases(struct err *err)
{
	const struct sockaddr_in6 a = {.sin6_family = AF_UNSPEC};
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	_cleanup_close_ int fd = socket(AF_INET, type, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	if (GUARD_REMOVED("relay-connect"))
		return 0;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 || errno != EPERM)
		return err_set(err, EPERM, "confined, and any address can be connected to");
	if (sendto(fd, "", 0, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0) >= 0 || errno != EPERM)
		return err_set(err, EPERM, "confined, and a socket can be connected by sending");
	return 0;
}

/* A guard that was set is not yet a guard that holds. */
static int prove(const struct jail *j, struct err *err)
{
	static char *const none[] = {NULL};
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
		return err_set(err, EPERM, "confined, and / can still be opened");
	if (socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 && j->n_readable == 0)
		return err_set(err, EPERM, "confined, and a socket can still be made");
	if (j->mute_fd && !GUARD_REMOVED("relay-mute") &&
		(send(j->mute_fd, "", 1, MSG_NOSIGNAL) >= 0 || errno != EPERM))
		return err_set(err, EPERM, "confined, and the NFLOG socket can still be sent on");
	execve("/", none, none);
	if (errno != EPERM)
		return err_set(err, EPERM, "confined, and execve is not refused");
	if (syscall(SYS_ptrace, 0, 0, 0, 0) == 0 || errno != EPERM)
		return err_set(err, EPERM, "confined, and ptrace is not refused");
	return j->leases ? prove_leases(err) : 0;
}

int jail_enter(const struct jail *j, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "prctl");
	int r = set_limits(j, err);
	if (r < 0)
		return r;
	r = landlock_enter(j, err);
	if (r < 0 || GUARD_REMOVED("relay-seccomp"))
		return r;
	r = seccomp_enter(j, err);
	return r < 0 ? r : prove(j, err);
}
