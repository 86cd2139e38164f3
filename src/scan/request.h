/* scan/request.h - what bawn-scan is asked: one record stream on its standard input.
 */
#ifndef BAWN_SCAN_REQUEST_H
#define BAWN_SCAN_REQUEST_H

#include "base/arena.h"
#include "base/blob.h"
#include "base/job.h"

/* A git config file whose private copy the agent worked on. */
struct scan_git_config {
	const char *real; /* the host's file */
	const char *base; /* what the copy was made from, out of the agent's reach */
	const char *copy; /* what the agent left */
};

/* A place within root that the host names by itself: what is changed there, it runs. */
struct scan_named {
	const char *path; /* absolute */
	const char *why;
	unsigned int per;
	bool flat;  /* of a directory, the programs in it alone */
	bool asked; /* when the user asks for it, not by itself */
	/* within bawn-scan: */
	bool config; /* git's configuration goes on in it */
	bool word;   /* a file, or nothing */
};

/* Globs (masks and protected paths) are matched as in gitignore(5): a pattern with no slash but a
 * last one matches at any depth, others from the root; "**" any number of directories; "*", "?",
 * "[...]" within one name; "//", "." and ".." are folded; "!" in front takes names out again.
 * Masks ignore ASCII case (FS-11). */
struct scan_request {
	bool end;             /* what was left behind; else what must be masked and protected */
	bool full;            /* end: look at every file's mode and ctime, not only at candidates */
	const char *root;     /* the workspace: absolute, resolved */
	const char *git_dir;  /* where its index is; within root or a git_dirs; NULL: no git */
	struct strv git_dirs; /* outside root: git_dir, common_dir (host/git.h binds) */
	struct strv mask, protect;
	const char *hooks; /* end: where the user's own git looks for hooks, within root; or NULL */
	uint64_t since_ns; /* end: CLOCK_REALTIME_COARSE taken before the agent could run */
	struct scan_git_config *git;
	size_t n_git;
	/* end: */
	struct scan_named *named;
	size_t n_named;
	struct strv settings; /* of the user's own git: key, value, key, value ... */
	const char *home;     /* where they stand, or NULL */
};

int scan_request_write(struct blob *b, const struct scan_request *req);
int scan_request_read(
	struct arena *a, const void *data, size_t n, struct scan_request *ret, struct err *err);

/* Every glob of mask and protect compiles?  -EINVAL names the first that does not. */
int scan_request_check(const struct scan_request *req, struct err *err);

/* The supervisor's side: start bawn-scan, go on with other work, collect.
 * cache_dir: $XDG_CACHE_HOME/bawn, data_dir: $XDG_DATA_HOME/bawn, or NULL to use none. */
struct scan_result;
int scan_start(const char *helper, const char *cache_dir, const char *data_dir,
	const struct scan_request *req, struct job *ret, struct err *err);
/* Blocks until the result is complete, at most timeout_ms (-ETIME; the helper is then killed).
 * The helper may go on writing its cache; job_end() reaps it. */
int scan_collect(struct job *job, const struct scan_request *req, int timeout_ms, struct arena *a,
	struct scan_result *ret, struct err *err);

#endif
