/* run/lasting-copy.h - files and directories into a sandbox that lasts, and out of it.
 *
 * One end of the copy (copy/copy.h) is a process of ours outside, the other a session of the
 * sandbox: a stopped one is started for it.
 */
#ifndef BAWN_RUN_LASTING_COPY_H
#define BAWN_RUN_LASTING_COPY_H

#include "run/run.h"
#include "copy/copy.h"

struct lasting_copy {
	const char *name; /* of the sandbox, which there must be */
	bool into;        /* from the host; else to it */
	const char *inside, *host;
	const char *base;   /* what it is called in a directory; NULL: the content of a directory */
	unsigned int flags; /* COPY_FOLLOW, COPY_EXACT, COPY_FRESH */
	bool quiet;         /* neither progress nor what was left out */
};

/* 0; 1 where something was left out, which has been said; or -errno. */
int lasting_copy(struct run *r, const struct lasting_copy *c, struct err *err);

/* What is in host_dir into inside_dir; what is there already stays. */
int lasting_put_tree(struct run *r, const char *name, const char *host_dir, const char *inside_dir,
	struct err *err);

#endif
