/* base/job.c - see job.h */
#include "base/job.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "base/blob.h"
#include "base/fd.h"

int job_start(const char *helper, const char *name, const struct blob *request, const int *more,
	size_t n_more, struct job *ret, struct err *err)
{
	int fds[3 + JOB_MORE_MAX], p[2];
	if (request->failed)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int in = fd_memfd_sealed(name, request->data, request->n, err);
	if (in < 0)
		return in;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = p[0], wr = p[1];
	fds[0] = in;
	fds[1] = wr;
	fds[2] = -1;
	n_more = MIN(n_more, (size_t)JOB_MORE_MAX);
	for (size_t i = 0; i < n_more; i++)
		fds[3 + i] = more[i];
	char arg[NAME_MAX + 1];
	snprintf(arg, sizeof(arg), "%s", name);
	char *const argv[] = {arg, NULL};
	struct job job = JOB_NONE;
	int r = proc_spawn(&(struct proc_spawn){.path = helper,
				   .argv = argv,
				   .fds = fds,
				   .nfds = (int)(3 + n_more),
				   .die_with_parent = SIGKILL},
		&job.proc, err);
	if (r < 0)
		return r;
	job.fd = TAKE_FD(rd);
	*ret = job;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 1: there is something to read, or the end; 0: not yet, ask again. */
static int wait_readable(int fd, int64_t end)
{
	int64_t left = end < 0 ? -1 : end - now_ms();
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int k = end < 0 || left > 0 ? poll(&pfd, 1, (int)left) : 0;
	if (k < 0)
		return errno == EINTR ? 0 : -errno;
	return k == 0 ? -ETIME : 1;
}

/* What was read: most answers are short, and need no memory of their own. */
struct answer {
	char small[4096], *more;
	size_t n, cap;
};

static int make_room(struct answer *w, size_t max)
{
	if (w->n < w->cap)
		return 0;
	if (w->cap >= max)
		return -EFBIG;
	const size_t cap = MIN(w->cap * 2, max);
	char *p = first_grow(w->more, w->more ? w->cap : 0, cap);
	if (!p)
		return -ENOMEM;
	if (!w->more)
		memcpy(p, w->small, w->n);
	w->more = p;
	w->cap = cap;
	return 0;
}

static int read_all(int fd, size_t max, int64_t end, struct answer *w)
{
	for (;;) {
		int r = wait_readable(fd, end);
		if (r == 0)
			continue;
		if (r > 0)
			r = make_room(w, max);
		if (r < 0)
			return r;
		ssize_t got = read(fd, (w->more ? w->more : w->small) + w->n, w->cap - w->n);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		w->n += got > 0 ? (size_t)got : 0;
	}
}

int job_read(
	struct job *job, size_t max, int timeout_ms, struct arena *a, char **ret, size_t *ret_n)
{
	struct answer w;
	if (job->fd < 0)
		return -EBADF;
	w.more = NULL;
	w.n = 0;
	w.cap = MIN(max, sizeof(w.small));
	int r = read_all(job->fd, max, timeout_ms < 0 ? -1 : now_ms() + timeout_ms, &w);
	close(TAKE_FD(job->fd));
	if (r == 0 && !(*ret = arena_dupn(a, w.more ? w.more : w.small, w.n)))
		r = -ENOMEM;
	if (r == 0)
		*ret_n = w.n;
	first_give(w.more, w.more ? w.cap : 0);
	return r;
}

void job_end(struct job *job, bool wait)
{
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	if (wait && job->proc.pid > 0)
		proc_wait(&job->proc, NULL);
	else
		proc_kill(&job->proc);
	job->proc = PROC_NONE;
}
