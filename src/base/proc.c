/* base/proc.c - see proc.h */
#include "base/proc.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What the child runs between clone and exec.  It shares our memory (CLONE_VM), mostly while we are
 * suspended (CLONE_VFORK): only async-signal-safe calls, and the outcome is left in *error.  Where
 * we go on beside it (proc_spawn_beside) errno is one for both: none of its calls fails but to end
 * it. */
struct child {
	const struct proc_spawn *how;
	volatile int *error;
};

#ifdef BAWN_ASAN
#define BESIDE CLONE_VFORK /* its runtime has one thread's state for one thread */
#else
#define BESIDE 0
#endif
#define STACK_BYTES ((size_t)64 * 1024)

/* ASan: the frames of a child that has become another program are never left, and the next child
 * on the same stack would meet their poison. */
#define NO_ASAN __attribute__((no_sanitize("address")))

NO_ASAN static int place_fds(const struct proc_spawn *how)
{
	/* First lift every source above the table, so that no dup2 overwrites a later source. */
	int lifted[PROC_FDS_MAX];
	if (how->nfds > (int)ARRAY_LEN(lifted))
		return -EINVAL;
	for (int i = 0; i < how->nfds; i++) {
		int src = how->fds[i];
		if (src < 0) {
			src = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (src < 0)
				return -errno;
		}
		lifted[i] = fcntl(src, F_DUPFD_CLOEXEC, how->nfds);
		if (lifted[i] < 0)
			return -errno;
	}
	for (int i = 0; i < how->nfds; i++)
		if (dup2(lifted[i], i) < 0)
			return -errno;
	return syscall(SYS_close_range, how->nfds, ~0u, 0) < 0 ? -errno : 0;
}

/* A fresh user namespace comes with every capability over what it owns, but execve(2) takes them
 * from a user other than 0 unless they are ambient (capabilities(7)). */
NO_ASAN static int keep_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		data[i].inheritable = data[i].permitted & (uint32_t)(caps >> 32 * i);
	if (syscall(SYS_capset, &head, data) < 0)
		return -errno;
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (data[cap / 32].inheritable & (1u << cap % 32) &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

NO_ASAN static int child_main(void *arg)
{
	struct child *c = arg;
	static char *const no_env[] = {NULL};

	/* Ctrl-C of the terminal, or a signal to the whole group, is for the caller to act on; so
	 * is one that came before we had left it: ignoring drops what is pending. */
	const bool leaves = c->how->die_with_parent && !c->how->same_group && !c->how->ns;
	if (leaves && setpgid(0, 0) < 0)
		goto failed;
	sigset_t pending;
	sigemptyset(&pending);
	if (leaves)
		sigpending(&pending);
	for (int sig = 1; sig < 32; sig++) { /* handlers do not survive exec, ignored ones do */
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		if (sigismember(&pending, sig))
			signal(sig, SIG_IGN);
		signal(sig, SIG_DFL);
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int r = place_fds(c->how);
	if (r == 0 && c->how->caps)
		r = keep_caps(c->how->caps);
	if (r < 0) {
		errno = -r;
		goto failed;
	}
	if (c->how->die_with_parent && !GUARD_REMOVED("deathsig") &&
		prctl(PR_SET_PDEATHSIG, c->how->die_with_parent) < 0)
		goto failed;
	execve(c->how->path, c->how->argv, c->how->envp ? c->how->envp : no_env);
failed:
	*c->error = errno ? errno : EIO;
	_exit(127);
}

void proc_hint(int code, struct err *err)
{
	if (code == EAGAIN)
		err_hint(err,
			"no more processes are allowed to you: end some, or raise the limit "
			"(ulimit -u; "
			"systemd's TasksMax)");
}

/* The child runs on a stack of its own: glibc's clone() needs one with CLONE_VM. */
static int start(struct child *c, char *stack, int flags, struct proc *ret, struct err *err)
{
	int pidfd = -1;
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	flags |= (int)c->how->ns | CLONE_VM | CLONE_PIDFD | SIGCHLD;
	int pid = clone(child_main, stack + STACK_BYTES, flags, c, &pidfd);
	int saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		proc_hint(saved, err);
		return err_sys(err, saved, "clone for %s", c->how->path);
	}
	*ret = (struct proc){.pid = pid, .pidfd = pidfd};
	return 0;
}

int proc_spawn(const struct proc_spawn *how, struct proc *ret, struct err *err)
{
	static _Alignas(16) char stack[STACK_BYTES];
	volatile int error = 0;
	struct child c = {.how = how, .error = &error};
	struct proc p;
	int r = start(&c, stack, CLONE_VFORK, &p, err);
	if (r < 0)
		return r;
	if (error) {
		proc_wait(&p, NULL);
		return err_sys(err, error, "execute %s", how->path);
	}
	*ret = p;
	return 0;
}

bool proc_other_cpus(cpu_set_t *ret_all, cpu_set_t *ret_others)
{
	int here = sched_getcpu();
	if (here < 0 || sched_getaffinity(0, sizeof(*ret_all), ret_all) < 0 ||
		CPU_COUNT(ret_all) < 2)
		return false;
	*ret_others = *ret_all;
	CPU_CLR((size_t)here, ret_others);
	return true;
}

int proc_spawn_beside(struct proc_beside *b, struct proc *ret, struct err *err)
{
	static _Alignas(16) char stack[STACK_BYTES];
	static struct child c;
	cpu_set_t all, others;
	c = (struct child){.how = &b->how, .error = &b->error};
	b->error = 0;
	int r = start(&c, stack, BESIDE, ret, err);
	if (r == 0 && proc_other_cpus(&all, &others)) {
		sched_setaffinity(ret->pid, sizeof(others), &others);
		sched_setaffinity(ret->pid, sizeof(all), &all);
	}
	return r;
}

int proc_wait(struct proc *p, int *ret_status)
{
	int st;
	pid_t r;
	do
		r = waitpid(p->pid, &st, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	close(p->pidfd);
	*p = PROC_NONE;
	if (ret_status)
		*ret_status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return 0;
}

void proc_end(const struct proc *p)
{
	if (p->pid > 0)
		syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
}

void proc_kill(struct proc *p)
{
	if (p->pid <= 0)
		return;
	proc_end(p);
	proc_wait(p, NULL);
}
