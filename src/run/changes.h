/* run/changes.h - what bawn diff, apply and discard share: a sandbox's changes as a request, and
 * the items in words.
 */
#ifndef BAWN_RUN_CHANGES_H
#define BAWN_RUN_CHANGES_H

#include "change/result.h"
#include "run/run.h"

struct changes {
	struct change_request req;
	struct change_result res;
	int box;         /* the sandbox's directory; held against a second apply or discard */
	bool empty;      /* it never wrote anything */
	struct proc git; /* direct: git cat-file, while bawn-change runs */
};
#define CHANGES_NONE ((struct changes){.box = -1, .git = PROC_NONE})

/* The changes of sandbox name below the words argv[0..n).  write: for apply and discard; a stopped
 * sandbox is locked then.  0 or -errno. */
int changes_open(struct run *r, const char *name, char **argv, int n, bool write,
	struct changes *ret, struct err *err);
void changes_close(struct changes *c);
/* A path from the command line as the request has it, into *list. */
int changes_path(struct run *r, const struct changes *c, const char *path, struct strv *list,
	struct err *err);
/* Start bawn-change; text_fd as for change_start(). */
int changes_start(struct run *r, struct changes *c, int text_fd, struct job *ret, struct err *err);
/* The whole of it; text_fd as for change_start(). */
int changes_run(struct run *r, struct changes *c, int text_fd, struct err *err);

/* Items as a JSON array, to stdout. */
void changes_json(const struct change_result *res, bool states);
const char *changes_kind(const struct change_item *it);  /* "added" */
const char *changes_state(const struct change_item *it); /* "landed" */

#endif
