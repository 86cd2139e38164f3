/* egress/jail.c - see jail.h
 *
 * The filter is compiled here by hand from a sorted-by-nobody table: a compare per call, the most
 * frequent first.  EPERM rather than death for what isn't listed, because the proof below, and a
 * C library that probes, must survive their refusal; an arch that isn't ours kills.
 */
#include "egress/jail.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define JAIL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define JAIL_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define JAIL_ARCH AUDIT_ARCH_RISCV64
#else
#error "no seccomp architecture known for this machine"
#endif

enum { MAX_CALLS = 96, PREAMBLE = 6, MUTE = 7 };

/* linux/landlock.h of Debian 12 ends at ABI 2; these are of the kernel's uapi header. */
#define LL_FS_TRUNCATE (1ull << 14)
#define LL_FS_IOCTL_DEV (1ull << 15)
#define LL_NET_BIND_CONNECT 3ull
#define LL_SCOPE_ABSTRACT_UNIX_AND_SIGNAL 3ull

struct landlock_attr {
	uint64_t fs, net, scoped;
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
		int r = allow_file(fd, j->readable[i]);
		if (r < 0)
			return err_sys(err, -r, "landlock_add_rule %s", j->readable[i]);
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, errno, "landlock_restrict_self");
	return 0;
}

/* sendto and sendmsg on one descriptor are refused, on others allowed.  The other calls that could
 * write, or give it another number, are not to be in the table. */
static size_t mute(struct sock_filter f[static MUTE], int fd)
{
	size_t n = 0;
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 1, 0);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 4);
	/* the lower half: all machines above are little-endian, and the kernel looks at no more */
	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd, 0, 1);
	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA));
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

static int seccomp_enter(const struct jail *j, struct err *err)
{
	struct sock_filter f[PREAMBLE + MUTE + MAX_CALLS + 2];
	size_t n = 0;
	if (j->n_calls > MAX_CALLS)
		return err_set(err, E2BIG, "seccomp table too long");
	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, JAIL_ARCH, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	if (j->mute_fd && !GUARD_REMOVED("relay-mute"))
		n += mute(f + n, j->mute_fd);
	/* x32 calls have bit 30 set: no number of the table equals one, they fall through */
	for (size_t i = 0; i < j->n_calls; i++)
		f[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, j->calls[i], (uint8_t)(j->n_calls - i), 0);
	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA));
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = f};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0) {
		int e = errno;
		err_sys(err, e, "seccomp");
		err_hint(err, "bawn needs a kernel with CONFIG_SECCOMP_FILTER");
		return -e;
	}
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
	return 0;
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
