/* sudo/sudo-client.c - see sudo-client.h
 *
 * Theory of operation.  Where 0-2 are all a terminal the command gets a pty of its own, as its
 * session can't share ours; what is typed goes there raw, so that its signals are made there.  In
 * any other case it gets 0-2 as they are, and the signals that come to us.  When the command stops,
 * we stop likewise, so that the shell sees a job that has stopped; when we go on, it does.
 */
#include "sudo/sudo-client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "plan/sudo.h"
#include "plan/wire-exec.h"
#include "sudo/sudo-tty.h"

struct client {
	int conn, signals;
	bool has_tty, started, detach;
	struct sudo_tty tty;
	int status; /* -1: it runs */
};

static int dial(struct err *err)
{
	static const struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = SUDO_SOCKET};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return err_sys(err, ENOTCONN, "%s", SUDO_SOCKET);
	return TAKE_FD(fd);
}

static int command_memfd(const struct sudo_command *c, struct err *err)
{
	const struct wire_exec_head head = {.umask = c->umask};
	struct blob b = {0};
	int r = wire_exec_write(&head, "/", c->exe, &c->argv, &c->env, &b, err);
	if (r == 0)
		r = fd_memfd_sealed("sudo", b.data, b.n, err);
	blob_free(&b);
	return r;
}

static int request(struct client *k, const struct sudo_command *c, struct err *err)
{
	_cleanup_close_ int command = command_memfd(c, err);
	if (command < 0)
		return command;
	_cleanup_close_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cwd < 0)
		return err_sys(err, errno, "open the current directory");
	int fds[SUDO_FDS] = {[SUDO_FD_COMMAND] = command, [SUDO_FD_CWD] = cwd};
	for (int i = 0; i < 3; i++)
		fds[SUDO_FD_STDIO + i] = k->has_tty ? k->tty.slave : i;
	const struct sudo_request q = {.magic = SUDO_MAGIC,
		.flags = (c->root ? SUDO_ROOT : 0u) | (k->has_tty ? SUDO_TTY : 0u) |
			(c->detach ? SUDO_DETACH : 0u)};
	int r = fd_send(k->conn, &q, sizeof(q), fds, SUDO_FDS);
	if (k->has_tty)
		close(TAKE_FD(k->tty.slave));
	return r < 0 ? err_sys(err, -r, "ask pid 1") : 0;
}

static void send_signal(const struct client *k, int sig)
{
	const struct sudo_message m = {.kind = SUDO_SIGNAL, .value = sig};
	fd_send(k->conn, &m, sizeof(m), NULL, 0);
}

/* As the command has: by the same signal, which is blocked until here. */
static void stop_too(struct client *k, int sig)
{
	sigset_t one, before;
	if (sig == SIGTTOU) /* which we ignore */
		sig = SIGTTIN;
	if (k->has_tty)
		sudo_tty_release(&k->tty);
	sigemptyset(&one);
	sigaddset(&one, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, &before); /* here we stand, until somebody continues us */
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (k->has_tty)
		sudo_tty_take(&k->tty);
	send_signal(k, SIGCONT);
}

static void signals(struct client *k)
{
	struct signalfd_siginfo si;
	while (read(k->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGWINCH) {
			if (k->has_tty)
				sudo_tty_resize(&k->tty);
			continue;
		}
		if (si.ssi_signo == SIGCONT && k->has_tty)
			sudo_tty_take(&k->tty);
		send_signal(k, (int)si.ssi_signo);
	}
}

/* 0, or -errno: it could not be started, or nobody knows what has become of it. */
static int hear(struct client *k, struct err *err)
{
	struct sudo_message m;
	ssize_t n = fd_recv(k->conn, &m, sizeof(m), NULL, 0, NULL);
	if (n != sizeof(m))
		return err_set(err, EPIPE, "the process that keeps the command has ended");
	m.text[sizeof(m.text) - 1] = '\0';
	switch (m.kind) {
	case SUDO_FAILED:
		return err_set(err, m.value > 0 ? m.value : EIO, "%s", m.text);
	case SUDO_STARTED:
		k->started = true;
		if (k->detach)
			k->status = 0;
		return 0;
	case SUDO_STOPPED:
		stop_too(k, m.value);
		return 0;
	case SUDO_EXITED:
		k->status = m.value;
		return 0;
	default:
		return err_set(err, EBADMSG, "pid 1 sent a malformed message");
	}
}

static int take_signals(struct client *k, struct err *err)
{
	static const int passed[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
		SIGTSTP, SIGCONT, SIGWINCH};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN); /* the terminal is given back, whoever is in the foreground */
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signals < 0 ? err_sys(err, errno, "signalfd") : 0;
}

static int wait_for_end(struct client *k, struct err *err)
{
	while (k->status < 0) {
		struct pollfd p[4] = {{.fd = k->conn, .events = POLLIN},
			{.fd = k->signals, .events = POLLIN}, {.fd = -1}, {.fd = -1}};
		if (k->has_tty)
			sudo_tty_polls(&k->tty, p + 2);
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return err_sys(err, errno, "poll");
		if (k->has_tty)
			sudo_tty_events(&k->tty, p + 2);
		if (p[1].revents)
			signals(k);
		int r = p[0].revents ? hear(k, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int sudo_client_run(const struct sudo_command *c, int *ret_status, struct err *err)
{
	struct client k = {.status = -1, .detach = c->detach, .tty = {.master = -1, .slave = -1}};
	int r = k.conn = dial(err);
	if (r < 0)
		return r;
	k.has_tty = !c->detach && isatty(0) && isatty(1) && isatty(2);
	r = take_signals(&k, err);
	if (r == 0 && k.has_tty)
		r = sudo_tty_open(&k.tty, err);
	if (r == 0)
		r = request(&k, c, err);
	if (r == 0 && k.has_tty)
		sudo_tty_take(&k.tty);
	if (r == 0)
		r = wait_for_end(&k, err);
	if (k.has_tty) {
		if (r == 0)
			sudo_tty_drain(&k.tty);
		sudo_tty_release(&k.tty);
	}
	if (r == 0)
		*ret_status = k.status;
	return r;
}
