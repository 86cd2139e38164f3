/* init/init-keeper.c - the fork of pid 1 that starts one command for bawn-sudo and keeps it.
 *
 * Theory of operation.  The command can't be in its client's session, as a session is inherited and
 * pid 1 is in another.  So the keeper leads a new one, with the client's new pty as its terminal
 * where there is one, and the command is a process group there whose parent is in the same session:
 * Ctrl-Z stops it, and the keeper says so.  It is what the monitor process of sudo(8) is.
 *
 * What it reads comes from inside and may be anything; but it has no more than what the command
 * gets, and it ends with it.  Its memory is pid 1's, and as pid 1 it is not dumpable: the command
 * has the same capabilities, and nothing else would keep it out.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "init/init.h"
#include "plan/sudo.h"
#include "plan/wire-exec.h"

#define COMMAND_MAX ((off_t)16 << 20) /* more than the kernel lets execve(2) take */

struct keeper {
	int conn; /* -1: the client is gone */
	int signals;
	int outcome; /* agent_fork()'s; -1: it runs */
	int pid;
	uint32_t flags;
};

static void tell(struct keeper *k, enum sudo_kind kind, int value, const char *text)
{
	struct sudo_message m = {.kind = kind, .value = value};
	snprintf(m.text, sizeof(m.text), "%s", text);
	if (k->conn >= 0)
		fd_send(k->conn, &m, sizeof(m), NULL, 0);
}

_noreturn_ static void fail(struct keeper *k, const struct err *err)
{
	char text[sizeof(err->msg) + sizeof(err->hint) + 4];
	snprintf(text, sizeof(text), "%s%s%s", err->msg, *err->hint ? "\n" : "", err->hint);
	tell(k, SUDO_FAILED, err->code, text);
	_exit(1);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* All that is pid 1's: the supervisor's socket first of all, whose end means pid 1's end. */
static int close_others(int conn, int owners, const int *fds, struct err *err)
{
	int keep[SUDO_FDS + 2] = {conn, owners};
	memcpy(keep + 2, fds, SUDO_FDS * sizeof(*fds));
	qsort(keep, ARRAY_LEN(keep), sizeof(*keep), by_number);
	unsigned int from = 3;
	for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
		unsigned int fd = (unsigned int)keep[i];
		if (keep[i] < 0)
			continue;
		if (fd > from && syscall(SYS_close_range, from, fd - 1, 0) < 0)
			return err_sys(err, errno, "close_range");
		from = fd + 1;
	}
	return syscall(SYS_close_range, from, ~0u, 0) < 0 ? err_sys(err, errno, "close_range") : 0;
}

/* It stays mapped until the command runs. */
static int read_command(int fd, struct wire_exec *ret, struct err *err)
{
	struct stat st;
	/* sealed: who sent it must not change what has been looked at */
	const int need = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & need) != need)
		return err_set(err, EBADMSG, "the command is not sealed");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		st.st_size > COMMAND_MAX)
		return err_set(err, EBADMSG, "the command is malformed");
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(err, errno, "map the command");
	return wire_exec_read(p, (size_t)st.st_size, ret, err);
}

static int start(struct keeper *k, const int *fds, int owners, struct err *err)
{
	sigset_t chld;
	struct wire_exec w;
	int r = close_others(k->conn, owners, fds, err);
	if (r == 0)
		r = read_command(fds[SUDO_FD_COMMAND], &w, err);
	if (r < 0)
		return r;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	k->signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signals < 0 || setsid() < 0)
		return err_sys(err, errno, "start a session");
	const int *io = fds + SUDO_FD_STDIO;
	bool tty = k->flags & SUDO_TTY;
	if (tty && ioctl(io[0], TIOCSCTTY, 0) < 0)
		return err_sys(err, errno, "make the pty the controlling terminal");
	const struct agent a = {
		.identity = k->flags & SUDO_ROOT ? IDENTITY_ROOT : IDENTITY_USER,
		.owners = owners,
		.cwd_fd = fds[SUDO_FD_CWD],
		.cwd = w.cwd,
		.exe = w.exe,
		.argv = w.argv,
		.env = w.env,
		.umask = (mode_t)(w.head.umask & 0777),
		.tty_fds = tty ? 7 : 0,
		.slave = tty ? io[0] : -1,
		.fds = {io[0], io[1], io[2]},
	};
	r = agent_fork(&a, &k->outcome, err);
	if (r > 0)
		setpgid(r, r); /* it does that itself; whichever comes first */
	for (size_t i = 0; i < SUDO_FDS; i++)
		close(fds[i]);
	if (owners >= 0)
		close(owners);
	return r;
}

/* It runs, or it never will. */
static void begun(struct keeper *k)
{
	struct err err = {0};
	bool failed = fd_read_full(k->outcome, &err, sizeof(err)) == (ssize_t)sizeof(err);
	close(TAKE_FD(k->outcome));
	if (failed)
		fail(k, &err);
	tell(k, SUDO_STARTED, k->pid, "");
}

/* Stopped by the terminal, or by itself.  A SIGSTOP is none of the client's business: it may be the
 * supervisor's, who stops all that runs for a moment. */
static void changed(struct keeper *k)
{
	struct signalfd_siginfo si;
	int st;
	while (read(k->signals, &si, sizeof(si)) > 0)
		;
	if (waitpid(k->pid, &st, WNOHANG | WUNTRACED) != k->pid)
		return;
	if (WIFSTOPPED(st)) {
		if (WSTOPSIG(st) != SIGSTOP)
			tell(k, SUDO_STOPPED, WSTOPSIG(st), "");
		return;
	}
	if (k->outcome >= 0)
		begun(k);
	tell(k, SUDO_EXITED, st, "");
	_exit(0);
}

static void heard(struct keeper *k)
{
	struct sudo_message m;
	ssize_t n = fd_recv(k->conn, &m, sizeof(m), NULL, 0, NULL);
	if (n == -EAGAIN)
		return;
	if (n == sizeof(m) && m.kind == SUDO_SIGNAL && m.value > 0 && m.value < NSIG) {
		kill(-k->pid, m.value);
		return;
	}
	close(TAKE_FD(k->conn));
	if (!(k->flags & SUDO_DETACH))
		kill(-k->pid, SIGKILL);
}

void keeper_run(int conn, uint32_t flags, const int *fds, int owners)
{
	struct err err = {0};
	struct keeper k = {.conn = conn, .outcome = -1, .flags = flags};
	k.pid = start(&k, fds, owners, &err);
	if (k.pid < 0)
		fail(&k, &err);
	for (;;) {
		struct pollfd p[] = {{.fd = k.signals, .events = POLLIN},
			{.fd = k.outcome, .events = POLLIN}, {.fd = k.conn, .events = POLLIN}};
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			_exit(1);
		if (p[1].revents && k.outcome >= 0)
			begun(&k);
		if (p[0].revents)
			changed(&k);
		if (p[2].revents && k.conn >= 0)
			heard(&k);
	}
}
