/* base/job.c - see job.h */
#include "base/job.h"

#include <fcntl.h>
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
	_cleanup_free_ char *arg = strdup(name);
	if (!arg)
		return err_set(err, ENOMEM, "out of memory");
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

static int read_all(int fd, size_t max, int64_t end, char **ret, size_t *ret_n)
{
	size_t cap = MIN(max, (size_t)65536), n = 0;
	_cleanup_free_ char *buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	for (;;) {
		int r = wait_readable(fd, end);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (n == cap) {
			if (cap >= max)
				return -EFBIG;
			cap = MIN(cap * 2, max);
			char *p = realloc(buf, cap);
			if (!p)
				return -ENOMEM;
			buf = p;
		}
		ssize_t got = read(fd, buf + n, cap - n);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	*ret = TAKE_PTR(buf);
	*ret_n = n;
	return 0;
}

int job_read(struct job *job, size_t max, int timeout_ms, char **ret, size_t *ret_n)
{
	if (job->fd < 0)
		return -EBADF;
	int r = read_all(job->fd, max, timeout_ms < 0 ? -1 : now_ms() + timeout_ms, ret, ret_n);
	close(TAKE_FD(job->fd));
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
