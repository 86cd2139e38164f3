/* registry/confine.c - see confine.h
 *
 * Theory: the jail of helpers, with the calls that libcurl, OpenSSL and glibc's resolver make on
 * top. It looks at numbers of calls alone, so which families of sockets may be made is a second
 * filter before it; both must agree.  UNIX sockets are none of them: what listens at one on a host
 * does what its user may do.
 */
#include "registry/confine.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "confine/jail.h"

#define MEMORY (UINT64_C(1) << 30)
enum { FILES = 64 };

static const int network_calls[] = {
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_socketpair,
	SYS_sendto,
	SYS_sendmsg,
	SYS_sendmmsg,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_shutdown,
	SYS_ppoll,
	SYS_pselect6,
	SYS_pipe2,
	SYS_eventfd2,
	SYS_ioctl,
	SYS_openat,
	SYS_faccessat,
	SYS_uname,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getpid,
	SYS_gettid,
	SYS_clock_nanosleep,
	SYS_clock_getres,
	SYS_rt_sigaction,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_sysinfo,
	SYS_getrusage,
	SYS_fadvise64,
	SYS_pwritev,
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_access
	SYS_access,
#endif
#ifdef SYS_open
	SYS_open,
#endif
#ifdef SYS_readlink
	SYS_readlink,
#endif
#ifdef SYS_stat
	SYS_stat,
#endif
};

/* What glibc reads to look up a name, and the modules that it is told to do it with. */
static const char *const read_files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
	"/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/ld.so.cache"};
static const char *const read_dirs[] = {"/usr/lib", "/usr/lib64", "/lib", "/lib64"};

static int set_families(struct err *err)
{
	enum { ARG0 = offsetof(struct seccomp_data, args), NR = offsetof(struct seccomp_data, nr) };
	static struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	};
	struct sock_fprog prog = {.len = ARRAY_LEN(f), .filter = f};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return err_sys(err, errno, "seccomp");
	return 0;
}

/* A guard that was set is not yet a guard that holds. */
static int prove(bool network, struct err *err)
{
#ifndef BAWN_ASAN
	static char *const none[] = {NULL};
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
		return err_set(err, EPERM, "confined, and / can still be opened");
	if (socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0)
		return err_set(err, EPERM, "confined, and a UNIX socket can still be made");
	if (!network && socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0)
		return err_set(err, EPERM, "confined, and a socket can still be made");
	execve("/", none, none);
	if (errno != EPERM)
		return err_set(err, EPERM, "confined, and execve is not refused");
#endif
	(void)network;
	(void)err;
	return 0;
}

int confine_registry(bool network, struct err *err)
{
	struct jail_dir dirs[ARRAY_LEN(read_files) + ARRAY_LEN(read_dirs)];
	struct jail jail = {.dirs = dirs,
		.calls = network_calls,
		.n_calls = network ? ARRAY_LEN(network_calls) : 0,
		.memory = MEMORY,
		.files = FILES};
	struct rlimit core = {1, 1}; /* not 0: with 0 a piped core_pattern still runs */
	for (size_t i = 0; network && i < ARRAY_LEN(read_files) + ARRAY_LEN(read_dirs); i++) {
		bool file = i < ARRAY_LEN(read_files);
		int fd = open(file ? read_files[i] : read_dirs[i - ARRAY_LEN(read_files)],
			O_PATH | O_CLOEXEC | (file ? 0 : O_DIRECTORY));
		if (fd >= 0) /* what isn't there is not needed */
			dirs[jail.n_dirs++] = (struct jail_dir){fd, file ? JAIL_FILE : JAIL_READ};
	}
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, errno, "prctl");
	if (setrlimit(RLIMIT_KIND(RLIMIT_CORE), &core) < 0)
		return err_sys(err, errno, "setrlimit");
	int r = 0;
	if (GUARD_REMOVED("registry-jail"))
		goto end;
#ifdef BAWN_ASAN
	const bool sanitized = true; /* its runtime wants what no jail gives */
#else
	const bool sanitized = false;
#endif
	if (!sanitized)
		r = set_families(err);
	if (r == 0)
		r = jail_enter_with(&jail, err);
	if (r == 0)
		r = prove(network, err);
end:
	for (size_t i = 0; i < jail.n_dirs; i++)
		close(dirs[i].fd);
	return r;
}
