/* secret/ask.c - see ask.h */
#include "secret/ask.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "base/fd.h"
#include "base/proc.h"

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is there now.  1: the end. */
static int drain(int fd, struct secret_buf *b)
{
	for (;;) {
		size_t room = SECRET_MAX + 3 - b->n;
		ssize_t n = read(fd, b->v + b->n, room);
		if (n < 0)
			return errno == EAGAIN ? 0 : errno == EINTR ? 0 : -errno;
		if (n == 0)
			return 1;
		b->n += (size_t)n;
		if (b->n > SECRET_MAX + 2)
			return -E2BIG;
	}
}

/* Until it has ended; what it leaves behind may hold the pipe. */
static int collect(int fd, int pidfd, int timeout_ms, struct secret_buf *b)
{
	int64_t end = now_ms() + timeout_ms;
	for (;;) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
		int64_t left = end - now_ms();
		int k = left > 0 ? poll(p, 2, (int)left) : 0;
		if (k == 0)
			return -ETIME;
		if (k < 0 && errno != EINTR)
			return -errno;
		int r = fd >= 0 ? drain(fd, b) : 0;
		if (r < 0 || (k > 0 && p[1].revents))
			return MIN(r, 0);
		if (r > 0)
			fd = -1; /* all is said; how did it end? */
	}
}

static int failed(int r, const char *what, int timeout_ms, struct err *err)
{
	if (r == -ETIME)
		return err_set(
			err, ETIME, "%s has not answered within %d s", what, timeout_ms / 1000);
	if (r == -E2BIG)
		return err_set(err, E2BIG, "%s has written more than a secret's %d bytes", what,
			SECRET_MAX);
	return err_sys(err, -r, "read what %s writes", what);
}

static void trim(struct secret_buf *b)
{
	if (b->n > 0 && b->v[b->n - 1] == '\n')
		b->n--;
	if (b->n > 0 && b->v[b->n - 1] == '\r')
		b->n--;
	b->v[b->n] = '\0';
}

int secret_ask(const struct strv *argv, char *const *envp, int input, int errors, int timeout_ms,
	const char *what, struct secret_buf *b, struct err *err)
{
	struct arena a = {0};
	struct strv args = {0};
	struct proc p = PROC_NONE;
	int fds[2], status = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int out = fds[0], in = fds[1];
	fd_set_nonblock(out);
	strv_add(&a, &args, "sh");
	strv_add(&a, &args, "-c");
	strv_add(&a, &args, "cd / && exec \"$@\"");
	strv_add(&a, &args, "sh");
	for (size_t i = 0; i < argv->n; i++)
		strv_add(&a, &args, argv->v[i]);
	const int table[] = {input, in, errors};
	int r = arena_check(&a, err);
	if (r == 0)
		r = proc_spawn(&(struct proc_spawn){.path = "/bin/sh",
				       .argv = args.v,
				       .envp = envp,
				       .fds = table,
				       .nfds = 3,
				       .die_with_parent = SIGKILL},
			&p, err);
	arena_free(&a);
	if (r < 0)
		return r;
	close(TAKE_FD(in));
	b->n = 0;
	r = collect(out, p.pidfd, timeout_ms, b);
	/* Not reaped yet, so the number is its own: what it has started goes with it. */
	if (r < 0) {
		kill(-p.pid, SIGKILL);
		proc_kill(&p);
		return failed(r, what, timeout_ms, err);
	}
	kill(-p.pid, SIGTERM);
	r = proc_wait(&p, &status);
	if (r < 0)
		return err_sys(err, -r, "wait for %s", what);
	if (status)
		return err_set(err, ECANCELED, "%s has ended with %d", what, status);
	trim(b);
	return b->n > SECRET_MAX ? failed(-E2BIG, what, timeout_ms, err) : 0;
}
