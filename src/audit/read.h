/* audit/read.h - reading the audit log: lines that survive rotation, and how a person sees them.
 *
 * Only in bawn-admin.  A line may hold anything that a program inside chose (host names, paths):
 * what comes out of audit_show() is safe for a terminal.
 */
#ifndef BAWN_AUDIT_READ_H
#define BAWN_AUDIT_READ_H

#include <stdint.h>

#include "audit/chain.h"
#include "base/err.h"

/* Longest line that is read; longer ones are skipped and counted. */
#define AUDIT_LINE_MAX 65536

struct audit_tail;

/* Start at the beginning of the oldest file, PATH.3 to PATH.1, then PATH.  A log that doesn't exist
 * yet is no error: it may come. */
int audit_tail_open(const char *path, struct audit_tail **ret, struct err *err);

/* All files of a log there are, open for reading, the newest first; *ret: how many.  0, or -errno
 * when PATH itself is there and can't be read. */
int audit_open_all(const char *path, int fds[static AUDIT_FILES], size_t *ret);

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

/* Which events; NULL: all. */
struct audit_filter {
	const char *sandbox;
	const char *events; /* kinds, with commas */
	const char *host;   /* of the target; ".example.com": every name below it */
	const char *since;  /* UTC, as in the log: "2026-01-02T03:04:05.000000Z" */
};

/* Make one line presentable.  f: NULL takes all.  1 and *ret (to be freed); 0 when the line is not
 * wanted; -EBADMSG when it is no event. */
int audit_show(const char *line, size_t n, const struct audit_filter *f, enum audit_style style,
	char **ret);

/* The same, as a document (json_doc_free()). */
struct json_doc;
int audit_event_parse(
	const char *line, size_t n, const struct audit_filter *f, struct json_doc **ret);

/* What happened, without time, sandbox and kind; to be freed.  0 or -ENOMEM. */
int audit_event_text(const struct json_doc *o, char **ret);

/* ---- the chain (chain.h) ---- */

struct audit_verdict {
	uint64_t lines;    /* that carry a number */
	uint64_t old;      /* of a time before the chain */
	uint64_t problems; /* each was told */
	bool half;         /* the last line is half: a writer was killed */
};

/* Compare the log, all its files, with its chain.  problem is called for each place that is not as
 * it was written, with a text that is safe for a terminal.  0, or -errno when it can't be read. */
int audit_verify(const char *path, void (*problem)(void *ud, const char *text), void *ud,
	struct audit_verdict *ret, struct err *err);

#endif
