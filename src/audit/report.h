/* audit/report.h - one run of a sandbox as one HTML page.
 *
 * report.c reads the log into a struct report, report-changes.c what bawn diff says; page.c and
 * page-lists.c make a page of it.  Only in bawn-admin.
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

/* Requests that were alike, through the vault. */
struct report_request {
	char *method, *target, *credential, *reason;
	int64_t status, count; /* status 0: there was no response */
};

struct report_session {
	int64_t id, begin_us, end_us, code; /* end_us 0: no end in the log; code -1: not known */
	char *program;
};

struct report_change {
	char *path, *kind, *runs; /* "added"; what of the host's runs it, or "" */
	int64_t added, removed;   /* lines, -1: they are not counted */
	bool binary, directory;
};

struct report {
	char *sandbox; /* NULL: no event of it was found */
	struct report_event *ev;
	struct report_host *host;     /* the most bytes first */
	struct report_denial *denial; /* the most frequent first */
	struct report_request *request;
	struct report_change *change; /* NULL: not known */
	struct report_session *session;
	size_t n_ev, n_host, n_denial, n_request, n_change, n_session;
	/* what there was no room for */
	size_t more_ev, more_host, more_denial, more_request, more_change, more_session;
	int64_t requests, added, removed; /* added, removed: lines of changes */
	int64_t up, down, flows, allowed, denied;
	int64_t begin_us, end_us;
};

enum report_span { REPORT_LAST_RUN, REPORT_ALL_RUNS };

/* Read the log at path.  sandbox: its name; NULL: the one that started last.  0 or -errno; -ENOENT
 * with the remedy when there is nothing of it. */
int report_read(const char *path, const char *sandbox, enum report_span span, struct report *ret,
	struct err *err);
void report_free(struct report *r);

/* What bawn diff --json prints: the files that were changed, as they are now.  0 or -errno, with
 * nothing known. */
int report_changes(struct report *r, const char *json, size_t n);

/* The page: self-contained, without a script; no text of the log can be more than text in it.  To
 * be freed.  0 or -ENOMEM. */
int report_page(const struct report *r, char **ret, size_t *ret_n);

#endif
