/* audit/report.h - one run of a sandbox as one HTML page.
 *
 * report.c reads the log into a struct report, page.c makes a page of it.  Only in bawn-admin.
 */
#ifndef BAWN_AUDIT_REPORT_H
#define BAWN_AUDIT_REPORT_H

#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

/* What a page holds at most; what is more is counted and said. */
#define REPORT_EVENTS_MAX 4000
#define REPORT_ROWS_MAX 1000

struct report_event {
	struct json_doc *doc;
	int64_t us;       /* since the epoch */
	const char *kind; /* of doc */
};

struct report_host {
	char *name; /* the target of its connections */
	int64_t up, down, ms, flows;
};

struct report_denial {
	char *target, *reason, *rule, *fix;
	int64_t count;
};

struct report {
	char *sandbox; /* NULL: no event of it was found */
	struct report_event *ev;
	struct report_host *host; /* the most bytes first */
	struct report_denial *denial;
	size_t n_ev, n_host, n_denial;
	/* what there was no room for */
	size_t more_ev, more_host, more_denial;
	int64_t up, down, flows, allowed, denied;
	int64_t begin_us, end_us;
};

enum report_span { REPORT_LAST_RUN, REPORT_ALL_RUNS };

/* Read the log at path.  sandbox: its name; NULL: the one that started last.  0 or -errno; -ENOENT
 * with the remedy when there is nothing of it. */
int report_read(const char *path, const char *sandbox, enum report_span span, struct report *ret,
	struct err *err);
void report_free(struct report *r);

/* The page: self-contained, without a script; no text of the log can be more than text in it.  To
 * be freed.  0 or -ENOMEM. */
int report_page(const struct report *r, char **ret, size_t *ret_n);

#endif
