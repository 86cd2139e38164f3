/* audit/read.h - reading the audit log: lines that survive rotation, and how a person sees them.
 *
 * Only in bawn-admin.  A line may hold anything that a program inside chose (host names, paths):
 * what comes out of audit_show() is safe for a terminal.
 */
#ifndef BAWN_AUDIT_READ_H
#define BAWN_AUDIT_READ_H

#include "base/err.h"

/* Longest line that is read; longer ones are skipped and counted. */
#define AUDIT_LINE_MAX 65536

struct audit_tail;

/* Start at the beginning of PATH.1, if there is one, then PATH.  A log that doesn't exist yet is no
 * error: it may come. */
int audit_tail_open(const char *path, struct audit_tail **ret, struct err *err);

/* The next whole line, without its newline; valid until the next call.  1, 0 when there is none
 * now, or -errno. */
int audit_tail_next(struct audit_tail *t, char **ret, size_t *ret_n);

/* Block until there may be more.  0, or -errno (-EINTR when a signal came). */
int audit_tail_wait(struct audit_tail *t);

/* Lines that were too long. */
size_t audit_tail_skipped(const struct audit_tail *t);
void audit_tail_free(struct audit_tail *t);

enum audit_style {
	AUDIT_TEXT, /* local time, sandbox, event, what happened */
	AUDIT_JSON, /* the line again, ASCII only, keys in their order */
};

/* Make one line presentable.  sandbox: only this one's lines, or NULL.  1 and *ret (to be freed);
 * 0 when the line is another sandbox's; -EBADMSG when it is no event. */
int audit_show(const char *line, size_t n, const char *sandbox, enum audit_style style, char **ret);

#endif
