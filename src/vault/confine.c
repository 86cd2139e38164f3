/* vault/confine.c - what bawn-front and bawn-vault give up before the first hostile byte.
 *
 * Neither can open a file or make a socket afterwards: connections come from the supervisor.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "confine/jail.h"
#include "vault/loop.h"

enum { FDS = 2 * LOOP_FLOWS_MAX + 64 };
#define MEMORY (UINT64_C(4) << 30)

static const int calls[] = {
	SYS_read,
	SYS_write,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_epoll_pwait,
	SYS_epoll_ctl,
	SYS_epoll_create1,
	SYS_ppoll,
	SYS_shutdown,
	SYS_close,
	SYS_fcntl,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_mlock,
	SYS_brk,
	SYS_futex,
	SYS_clock_gettime,
	SYS_getrandom,
	SYS_getpid,
	SYS_gettid,
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
};

static int limits(struct err *err)
{
	struct rlimit files, none = {0, 0}, core = {1, 1};
	if (getrlimit(RLIMIT_KIND(RLIMIT_NOFILE), &files) < 0)
		return err_sys(err, errno, "getrlimit");
	files.rlim_cur = files.rlim_max = MIN(files.rlim_max, (rlim_t)FDS);
	/* 1, not 0: with 0 a piped core_pattern still runs */
	if (setrlimit(RLIMIT_KIND(RLIMIT_NOFILE), &files) < 0 ||
		setrlimit(RLIMIT_KIND(RLIMIT_NPROC), &none) < 0 ||
		setrlimit(RLIMIT_KIND(RLIMIT_FSIZE), &none) < 0 ||
		setrlimit(RLIMIT_KIND(RLIMIT_CORE), &core) < 0)
		return err_sys(err, errno, "setrlimit");
	return 0;
}

/* A guard that was set is not yet a guard that holds. */
static int prove(struct err *err)
{
#ifndef BAWN_ASAN
	static char *const none[] = {NULL};
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
		return err_set(err, EPERM, "confined, and / can still be opened");
	if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0)
		return err_set(err, EPERM, "confined, and a socket can still be made");
	if (connect(LOOP_SUPER_FD, NULL, 0) == 0 || errno != EPERM)
		return err_set(err, EPERM, "confined, and connect is not refused");
	execve("/", none, none);
	if (errno != EPERM)
		return err_set(err, EPERM, "confined, and execve is not refused");
#endif
	(void)err;
	return 0;
}

int loop_confine(struct err *err)
{
	const struct jail jail = {
		.calls = calls, .n_calls = ARRAY_LEN(calls), .narrow = true, .memory = MEMORY};
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, errno, "prctl");
	int r = limits(err);
	if (r < 0 || GUARD_REMOVED("vault-jail"))
		return r;
	r = jail_enter_with(&jail, err);
	return r < 0 ? r : prove(err);
}
