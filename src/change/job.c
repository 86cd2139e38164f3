/* change/job.c - the caller's side of bawn-change, see request.h
 *
 * The helper gets the request as a sealed memfd (0), the result pipe (1), where a patch goes
 * (3), and the two ends of a `git cat-file` (4, 5).  It ends with its caller.
 */
#include "change/request.h"

#include <fcntl.h>
#include <signal.h>

#include "base/fd.h"
#include "change/result.h"

#define RESULT_MAX ((size_t)1 << 30)

int change_start(const char *helper, const struct change_request *req, int text_fd,
	const int git[2], struct change_job *ret, struct err *err)
{
	struct blob b = {0};
	int p[2];
	if (change_request_write(&b, req) < 0) {
		blob_free(&b);
		return err_set(err, ENOMEM, "out of memory");
	}
	_cleanup_close_ int request = fd_memfd_sealed("bawn-change", b.data, b.n, err);
	blob_free(&b);
	if (request < 0)
		return request;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = p[0], wr = p[1];
	const int fds[] = {request, wr, -1, text_fd, git ? git[0] : -1, git ? git[1] : -1};
	char name[] = "bawn-change";
	char *const argv[] = {name, NULL};
	struct change_job job = CHANGE_JOB_NONE;
	int r = proc_spawn(&(struct proc_spawn){.path = helper,
				   .argv = argv,
				   .fds = fds,
				   .nfds = ARRAY_LEN(fds),
				   .die_with_parent = SIGKILL},
		&job.proc, err);
	if (r < 0)
		return r;
	job.fd = TAKE_FD(rd);
	*ret = job;
	return 0;
}

static int read_all(int fd, char **ret, size_t *ret_n)
{
	size_t cap = 65536, n = 0;
	_cleanup_free_ char *buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t got = fd_read_full(fd, buf + n, cap - n);
		if (got < 0)
			return (int)got;
		n += (size_t)got;
		if (n < cap)
			break;
		char *p = cap < RESULT_MAX ? realloc(buf, cap * 2) : NULL;
		if (!p)
			return -EFBIG;
		buf = p;
		cap *= 2;
	}
	*ret = TAKE_PTR(buf);
	*ret_n = n;
	return 0;
}

int change_collect(struct change_job *job, const struct change_request *req, struct arena *a,
	struct change_result *ret, struct err *err)
{
	_cleanup_free_ char *buf = NULL;
	size_t n = 0;
	int status = 0;
	if (job->fd < 0)
		return err_set(err, EINVAL, "bawn-change is not running");
	int r = read_all(job->fd, &buf, &n);
	close(TAKE_FD(job->fd));
	if (r < 0) {
		change_job_end(job);
		return err_sys(err, -r, "read the result of bawn-change");
	}
	r = proc_wait(&job->proc, &status);
	if (r == 0 && status == 128 + SIGPIPE)
		return -EPIPE;
	if (r == 0 && status >= 128) {
		err_hint(err, "it can be done again: what was done so far stays, and is known");
		return err_set(err, EIO, "bawn-change was ended by signal %d", status - 128);
	}
	char *copy = arena_dupn(a, buf, n);
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	return change_result_read(a, copy, n, req, ret, err);
}

void change_job_end(struct change_job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	proc_kill(&job->proc);
	job->proc = PROC_NONE;
}
