/* init/init-agent.c - the agent's terminal and process, and what pid 1 does afterwards.
 *
 * pid 1 leads a session of its own, so that the caller's terminal is never the agent's controlling
 * one; where a descriptor of the caller is a terminal, the agent has its pty there instead.  The
 * agent is a process group of that session, not its leader: in a group whose parent is in the same
 * session, Ctrl-Z and SIGTTIN stop it (the group is not orphaned, POSIX 3.264), and pid 1 says so.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "init/init.h"

int agent_open_pty(const struct wire_plan *plan, struct pty *ret, struct err *err)
{
	*ret = (struct pty){.master = -1, .slave = -1};
	if (!plan->head.tty_fds)
		return 0;
	/* By descriptor all the way: no path of a slave is ever looked up (CVE-2025-52565). */
	ret->master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlock = 0;
	if (ret->master < 0 || ioctl(ret->master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, errno, "open a pty");
	ret->slave = ioctl(ret->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ret->slave < 0)
		return err_sys(err, errno, "open the pty's other side");
	struct winsize ws = {.ws_row = plan->head.rows, .ws_col = plan->head.cols};
	if (ws.ws_row && ioctl(ret->master, TIOCSWINSZ, &ws) < 0)
		return err_sys(err, errno, "set the pty's size");
	return 0;
}

/* Shares our memory (vfork): only async-signal-safe calls, and the outcome goes into *error.  We
 * were started with every signal at its default and have changed none. */
static void child(const struct wire_plan *plan, int slave, volatile int *error)
{
	sigset_t none;
	sigemptyset(&none);
	pid_t self = getpid();
	if (setpgid(0, 0) < 0)
		goto failed;
	/* SIGTTOU is still blocked here: a background group may not take the terminal otherwise. */
	if (slave >= 0 && ioctl(slave, TIOCSPGRP, &self) < 0)
		goto failed;
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; fd < 3; fd++)
		if (slave >= 0 && (plan->head.tty_fds >> fd & 1) && dup2(slave, fd) < 0)
			goto failed;
	/* What we hold for ourselves, the control socket first of all, was placed by dup2 and would
	 * survive the exec (CVE-2024-21626). */
	if (!GUARD_REMOVED("fds") && syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		goto failed;
	if (chdir(plan->cwd) < 0)
		goto failed;
	umask(init_umask);
	execve(plan->exe, (char *const *)plan->argv, (char *const *)plan->env);
failed:
	*error = errno;
	_exit(127);
}

int agent_start(const struct wire_plan *plan, int slave, struct err *err)
{
	volatile int error = 0;
	if (slave >= 0 && ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_sys(err, errno, "make the pty the controlling terminal");
	pid_t pid = vfork();
	if (pid == 0)
		child(plan, slave, &error);
	if (pid < 0)
		return err_sys(err, errno, "start the agent");
	if (error) {
		waitpid(pid, NULL, 0);
		return err_sys(err, error, "execute %s", plan->exe);
	}
	return pid;
}

/* While the supervisor holds everything stopped, a stop is not the agent's own. */
static bool frozen;

static void handle_message(const struct control_msg *m, int agent)
{
	switch (m->kind) {
	case CONTROL_SIGNAL:
		if (m->value == SIGCONT) /* its whole group was stopped with it */
			kill(-agent, SIGCONT);
		else if (m->value > 0 && m->value < NSIG)
			kill(agent, m->value);
		break;
	case CONTROL_FREEZE:
		frozen = m->value != 0;
		kill(-1, frozen ? SIGSTOP : SIGCONT);
		report_send(CONTROL_FROZEN, m->value, -1);
		break;
	default:
		_exit(125);
	}
}

/* Reap everything; ends the sandbox by ending itself once the agent has. */
static void reap(int agent)
{
	for (;;) {
		int st;
		pid_t pid = waitpid(-1, &st, WNOHANG | WUNTRACED);
		if (pid <= 0)
			return;
		if (pid != agent)
			continue;
		if (WIFSTOPPED(st)) {
			if (!frozen)
				report_send(CONTROL_STOPPED, WSTOPSIG(st), -1);
			continue;
		}
		int code = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
		/* Whoever it left behind goes first: EXITED says that nothing runs any more, and
		 * the supervisor accounts while the kernel takes the namespaces down. */
		kill(-1, SIGKILL);
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
		report_send(CONTROL_EXITED, code, -1);
		_exit(0);
	}
}

void agent_wait(int agent)
{
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	int sfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sfd < 0)
		_exit(125);
	struct pollfd p[] = {
		{.fd = sfd, .events = POLLIN}, {.fd = INIT_FD_CONTROL, .events = POLLIN}};
	for (;;) {
		reap(agent);
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			_exit(125);
		struct signalfd_siginfo si;
		while (read(sfd, &si, sizeof(si)) > 0)
			;
		if (!p[1].revents)
			continue;
		struct control_msg m;
		int r = report_receive(&m, false);
		if (r == 0 && GUARD_REMOVED("control-eof"))
			p[1].fd = -1;
		else if (r == 0 || (r < 0 && r != -EAGAIN))
			_exit(125); /* the supervisor is gone, and we with it */
		if (r > 0)
			handle_message(&m, agent);
	}
}
