/* change/job.c - the caller's side of bawn-change, see request.h
 *
 * The helper gets the request as a sealed memfd (0), the result pipe (1), where a patch goes
 * (3), and the two ends of a `git cat-file` (4, 5).  It ends with its caller.
 */
#include "change/request.h"

#include <signal.h>

#include "change/result.h"

#define RESULT_MAX ((size_t)1 << 30)

int change_start(const char *helper, const struct change_request *req, int text_fd,
	const int git[2], struct job *ret, struct err *err)
{
	struct blob b = {0};
	const int more[] = {text_fd, git ? git[0] : -1, git ? git[1] : -1};
	change_request_write(&b, req);
	int r = job_start(helper, "bawn-change", &b, more, ARRAY_LEN(more), ret, err);
	blob_free(&b);
	return r;
}

int change_collect(struct job *job, const struct change_request *req, struct arena *a,
	struct change_result *ret, struct err *err)
{
	char *buf = NULL;
	size_t n = 0;
	int status = 0;
	int r = job_read(job, RESULT_MAX, -1, a, &buf, &n);
	if (r == -EBADF)
		return err_set(err, EINVAL, "bawn-change is not running");
	if (r < 0) {
		job_end(job, false);
		return err_sys(err, -r, "read the result of bawn-change");
	}
	r = proc_wait(&job->proc, &status);
	if (r == 0 && status == 128 + SIGPIPE)
		return -EPIPE;
	if (r == 0 && status >= 128) {
		err_hint(err, "it can be done again: what was done so far stays, and is known");
		return err_set(err, EIO, "bawn-change was ended by signal %d", status - 128);
	}
	return change_result_read(a, buf, n, req, ret, err);
}
