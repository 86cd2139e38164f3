/* init/init-agent.c - the terminal and the process of a session.
 *
 * pid 1 leads a session of its own, so that the caller's terminal is never the agent's controlling
 * one; where a descriptor of the caller is a terminal, the agent has its pty there instead.  The
 * first agent is a process group of that session, not its leader: in a group whose parent is in the
 * same session, Ctrl-Z and SIGTTIN stop it (the group is not orphaned, POSIX 3.264), and pid 1 says
 * so.  A later one in a sandbox that lasts leads a session of its own, as pid 1's has its terminal.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "confine/caps.h"
#include "confine/emulate.h"
#include "init/init.h"

int agent_open_pty(uint16_t rows, uint16_t cols, struct pty *ret, struct err *err)
{
	*ret = (struct pty){.master = -1, .slave = -1};
	/* By descriptor all the way: no path of a slave is ever looked up (CVE-2025-52565). */
	ret->master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlock = 0;
	if (ret->master < 0 || ioctl(ret->master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, errno, "open a pty");
	ret->slave = ioctl(ret->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ret->slave < 0)
		return err_sys(err, errno, "open the pty's other side");
	struct winsize ws = {.ws_row = rows, .ws_col = cols};
	if (ws.ws_row && ioctl(ret->master, TIOCSWINSZ, &ws) < 0)
		return err_sys(err, errno, "set the pty's size");
	return 0;
}

/* As execvp(3), by the PATH that it will have.  errno says why not. */
static void search(const struct agent *a)
{
	const char *path = "/usr/local/bin:/usr/bin:/bin";
	char file[4096];
	int error = ENOENT;
	for (const char **e = a->env; *e; e++)
		if (has_prefix(*e, "PATH="))
			path = *e + 5;
	for (size_t n; *path; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		if ((size_t)snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, a->exe) >=
			sizeof(file))
			continue;
		execve(file, (char *const *)a->argv, (char *const *)a->env);
		if (errno == EACCES)
			error = errno;
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
	}
	errno = error;
}

/* Where a child stopped on its way to its program, and why. */
struct failed {
	enum { AT_EXEC, AT_CWD, AT_IDENTITY } at;
	int error;
};

static int stdio_and_session(const struct agent *a)
{
	sigset_t none;
	sigemptyset(&none);
	pid_t self = getpid();
	if ((a->leads ? setsid() : setpgid(0, 0)) < 0)
		return errno;
	if (a->leads && a->slave >= 0 && ioctl(a->slave, TIOCSCTTY, 0) < 0)
		return errno;
	/* SIGTTOU is still blocked here: a background group may not take the terminal otherwise. */
	if (a->slave >= 0 && ioctl(a->slave, TIOCSPGRP, &self) < 0)
		return errno;
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; fd < 3; fd++) {
		int from = a->slave >= 0 && (a->tty_fds >> fd & 1) ? a->slave : a->fds[fd];
		if (from >= 0 && dup2(from, fd) < 0)
			return errno;
	}
	/* What we hold for ourselves, the control socket first of all, was placed by dup2 and would
	 * survive the exec (CVE-2024-21626). */
	if (!GUARD_REMOVED("fds") && syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return errno;
	umask(a->umask);
	return 0;
}

/* The last thing of all: behind the filter, who we are is no question for the kernel any more. */
static int take_identity(const struct agent *a)
{
	if (a->identity == IDENTITY_ONLY)
		return 0;
	if (a->identity == IDENTITY_USER)
		return -caps_give_up();
	int listener = -1;
	int r = a->owners >= 0 ? emulate_enter(&listener) : -EINVAL;
	if (r == -EINVAL) /* a kernel before 5.0, or nobody who would listen */
		r = emulate_enter(NULL);
	if (r == 0 && listener >= 0) {
		r = fd_send(a->owners, "L", 1, &listener, 1);
		close(listener);
	}
	return r < 0 ? -r : -emulate_prove();
}

/* What a child does on its way to the program.  Returns only when it can't.  After vfork(2) it
 * shares our memory: only async-signal-safe calls.  We were started with every signal at its
 * default and have changed none. */
static struct failed become(const struct agent *a)
{
	int r = stdio_and_session(a);
	if (r)
		return (struct failed){AT_EXEC, r};
	if (a->identity == IDENTITY_ROOT) {
		r = caps_use_files();
		if (r < 0)
			return (struct failed){AT_IDENTITY, -r};
	}
	if ((a->cwd_fd > 0 ? fchdir(a->cwd_fd) : chdir(a->cwd)) < 0)
		return (struct failed){AT_CWD, errno};
	r = take_identity(a);
	if (r)
		return (struct failed){AT_IDENTITY, r};
	if (strchr(a->exe, '/'))
		execve(a->exe, (char *const *)a->argv, (char *const *)a->env);
	else
		search(a);
	return (struct failed){AT_EXEC, errno};
}

static int explain(const struct agent *a, struct failed f, struct err *err)
{
	if (f.at == AT_CWD)
		return err_sys(err, f.error, "enter the directory %s", a->cwd);
	if (f.at == AT_IDENTITY) {
		err_hint(err,
			"the sandbox's system call policy has to allow \"seccomp\" and \"capset\": "
			"root is emulated by these");
		return err_sys(err, f.error, "become %s for %s",
			a->identity == IDENTITY_ROOT ? "root" : "the sandbox's user", a->exe);
	}
	if (f.error == ENOENT && !strchr(a->exe, '/'))
		err_hint(err,
			"nothing of this name is in PATH inside; the tool of a sandbox's profile "
			"is started by: bawn run NAME -- ARGS");
	if (f.error == ENOEXEC)
		err_hint(err,
			"it is no program of this machine's, and no script that begins with #!; a "
			"package installed without its scripts (--ignore-scripts) has such a file "
			"in the program's place: install it again with them");
	return err_sys(err, f.error, "execute %s", a->exe);
}

int agent_start(const struct agent *a, struct err *err)
{
	volatile int error = 0, at = 0;
	if (!a->leads && a->slave >= 0 && ioctl(a->slave, TIOCSCTTY, 0) < 0)
		return err_sys(err, errno, "make the pty the controlling terminal");
	pid_t pid = vfork();
	if (pid == 0) {
		struct failed f = become(a);
		at = (int)f.at;
		error = f.error;
		_exit(127);
	}
	if (pid < 0)
		return err_sys(err, errno, "start %s", a->exe);
	if (error) {
		waitpid(pid, NULL, 0);
		return explain(a, (struct failed){.at = (unsigned)at, .error = error}, err);
	}
	return pid;
}

int agent_fork(const struct agent *a, int *ret_outcome, struct err *err)
{
	struct err said = {0};
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		explain(a, become(a), &said);
		fd_write_all(fds[1], &said, sizeof(said));
		_exit(127);
	}
	int e = errno;
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_sys(err, e, "start %s", a->exe);
	}
	*ret_outcome = fds[0];
	return pid;
}
