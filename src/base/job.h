/* base/job.h - a helper that is asked once: a request goes in, a result comes out, it ends.
 *
 * The caller goes on with other work meanwhile.  What the result means is the caller's to check: it
 * comes from a process that has read hostile things.
 */
#ifndef BAWN_BASE_JOB_H
#define BAWN_BASE_JOB_H

#include "base/proc.h"

struct job {
	struct proc proc;
	int fd; /* readable when the result (or its end) is there */
};
#define JOB_NONE ((struct job){.proc = PROC_NONE, .fd = -1})

struct arena;
struct blob;

/* Start the executable helper (absolute) as name, with an empty environment: the request as a
 * sealed memfd on 0, a pipe for the result on 1, more[i] on 3 + i (-1: nothing), at most
 * JOB_MORE_MAX.  It ends with the caller.  0 or -errno. */
#define JOB_MORE_MAX 4
int job_start(const char *helper, const char *name, const struct blob *request, const int *more,
	size_t n_more, struct job *ret, struct err *err);

/* Everything it writes on the pipe until that is closed, which need not be its end; at most max
 * bytes, and a NUL behind them, in the arena.  timeout_ms: -1 for none.  0, -ETIME, -EFBIG, -ENOMEM
 * or -errno; a second call gives -EBADF. */
int job_read(
	struct job *job, size_t max, int timeout_ms, struct arena *a, char **ret, size_t *ret_n);

/* Reap it (wait) or kill it first; safe on JOB_NONE and twice. */
void job_end(struct job *job, bool wait);

#endif
