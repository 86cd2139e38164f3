/* audit/report.c - the events of a run, and their sums; see report.h.
 *
 * Owns: struct report.  Must not: print, or grow without bound: a log may hold 64 MiB that an agent
 * has filled.
 */
#include "audit/report.h"

#include <limits.h>
#include <time.h>

#include "audit/read.h"
#include "base/escape.h"

static void forget(struct report *r)
{
	for (size_t i = 0; i < r->n_ev; i++)
		json_doc_free(r->ev[i].doc);
	for (size_t i = 0; i < r->n_host; i++)
		free(r->host[i].name);
	for (size_t i = 0; i < r->n_denial; i++) {
		struct report_denial *d = &r->denial[i];
		free(d->target);
		free(d->reason);
		free(d->rule);
		free(d->fix);
	}
	for (size_t i = 0; i < r->n_request; i++) {
		struct report_request *q = &r->request[i];
		free(q->method);
		free(q->target);
		free(q->credential);
		free(q->reason);
	}
	for (size_t i = 0; i < r->n_change; i++) {
		free(r->change[i].path);
		free(r->change[i].kind);
		free(r->change[i].runs);
	}
	for (size_t i = 0; i < r->n_session; i++)
		free(r->session[i].program);
	free(r->change);
	free(r->sandbox);
	const struct report keep = {.ev = r->ev,
		.host = r->host,
		.denial = r->denial,
		.request = r->request,
		.session = r->session};
	*r = keep;
}

void report_free(struct report *r)
{
	forget(r);
	free(r->ev);
	free(r->host);
	free(r->denial);
	free(r->request);
	free(r->session);
	*r = (struct report){0};
}

/* -1 where it is no time. */
static int64_t time_us(const char *s)
{
	struct tm tm = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return -1;
	int64_t us = 0, unit = 100000;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			us += (*rest - '0') * unit;
	return (int64_t)timegm(&tm) * 1000000 + us;
}

static char *copy(const char *s)
{
	return strdup(s ? s : "");
}

static int add_flow(struct report *r, const struct json_doc *o)
{
	const char *name = json_doc_string(o, "target");
	int64_t up = 0, down = 0, ms = 0;
	if (!name)
		return 0;
	json_doc_integer(o, "up", &up);
	json_doc_integer(o, "down", &down);
	json_doc_integer(o, "ms", &ms);
	r->up += up;
	r->down += down;
	r->flows++;
	struct report_host *h = NULL;
	for (size_t i = 0; i < r->n_host && !h; i++)
		if (streq(r->host[i].name, name))
			h = &r->host[i];
	if (!h && r->n_host == REPORT_ROWS_MAX) {
		r->more_host++;
		return 0;
	}
	if (!h) {
		h = &r->host[r->n_host];
		*h = (struct report_host){.name = copy(name)};
		if (!h->name)
			return -ENOMEM;
		r->n_host++;
	}
	h->up += up;
	h->down += down;
	h->ms += ms;
	h->flows++;
	return 0;
}

static int add_denial(struct report *r, const struct json_doc *o)
{
	const char *target = json_doc_string(o, "target"), *reason = json_doc_string(o, "reason");
	int64_t count = 1;
	json_doc_integer(o, "count", &count);
	r->denied += count;
	if (!target || !reason)
		return 0;
	for (size_t i = 0; i < r->n_denial; i++) {
		struct report_denial *d = &r->denial[i];
		if (streq(d->target, target) && streq(d->reason, reason)) {
			d->count += count;
			return 0;
		}
	}
	if (r->n_denial == REPORT_ROWS_MAX) {
		r->more_denial++;
		return 0;
	}
	struct report_denial *d = &r->denial[r->n_denial++];
	*d = (struct report_denial){.target = copy(target),
		.reason = copy(reason),
		.rule = copy(json_doc_string(o, "rule")),
		.fix = copy(json_doc_string(o, "fix")),
		.count = count};
	return d->target && d->reason && d->rule && d->fix ? 0 : -ENOMEM;
}

static int add_request(struct report *r, const struct json_doc *o)
{
	const char *method = json_doc_string(o, "method"), *target = json_doc_string(o, "target");
	int64_t status = 0;
	json_doc_integer(o, "status", &status);
	r->requests++;
	if (!method || !target)
		return 0;
	for (size_t i = 0; i < r->n_request; i++) {
		struct report_request *q = &r->request[i];
		if (q->status == status && streq(q->target, target) && streq(q->method, method)) {
			q->count++;
			return 0;
		}
	}
	if (r->n_request == REPORT_ROWS_MAX) {
		r->more_request++;
		return 0;
	}
	struct report_request *q = &r->request[r->n_request++];
	*q = (struct report_request){.method = copy(method),
		.target = copy(target),
		.credential = copy(json_doc_string(o, "credential")),
		.reason = copy(json_doc_string(o, "reason")),
		.status = status,
		.count = 1};
	return q->method && q->target && q->credential && q->reason ? 0 : -ENOMEM;
}

static int session_begins(struct report *r, int64_t id, int64_t us, const char *program)
{
	if (r->n_session == REPORT_ROWS_MAX) {
		r->more_session++;
		return 0;
	}
	struct report_session *s = &r->session[r->n_session++];
	*s = (struct report_session){
		.id = id, .begin_us = us, .code = -1, .program = copy(program)};
	return s->program ? 0 : -ENOMEM;
}

static void session_ends(struct report *r, int64_t id, int64_t us, const struct json_doc *o)
{
	for (size_t i = r->n_session; i > 0; i--) {
		struct report_session *s = &r->session[i - 1];
		if (s->id != id || s->end_us)
			continue;
		s->end_us = us;
		json_doc_integer(o, "code", &s->code);
		return;
	}
}

/* The first program is session 0, which start tells of; exit ends what has no end of its own. */
static int add_session(struct report *r, const char *kind, int64_t us, const struct json_doc *o)
{
	const char *action = json_doc_string(o, "action"), *program = json_doc_string(o, "program");
	int64_t id = 0;
	if (streq(kind, "start"))
		return session_begins(r, 0, us, program);
	if (streq(kind, "exit"))
		session_ends(r, 0, us, o);
	if (!streq(kind, "session") || !json_doc_integer(o, "session", &id) || !action)
		return 0;
	if (streq(action, "begins"))
		return session_begins(r, id, us, program);
	if (streq(action, "ended"))
		session_ends(r, id, us, o);
	return 0;
}

/* Takes doc. */
static int add_event(struct report *r, struct json_doc *doc)
{
	struct report_event e = {.doc = doc,
		.us = time_us(json_doc_string(doc, "time")),
		.kind = json_doc_string(doc, "event")};
	int k = 0;
	if (!r->begin_us)
		r->begin_us = r->end_us = e.us;
	r->begin_us = MIN(r->begin_us, e.us);
	r->end_us = MAX(r->end_us, e.us);
	if (streq(e.kind, "flow"))
		k = add_flow(r, doc);
	else if (streq(e.kind, "deny"))
		k = add_denial(r, doc);
	else if (streq(e.kind, "request"))
		k = add_request(r, doc);
	else
		k = add_session(r, e.kind, e.us, doc);
	r->allowed += streq(e.kind, "allow");
	if (r->n_ev < REPORT_EVENTS_MAX) {
		r->ev[r->n_ev++] = e;
		return k;
	}
	/* how it ended is always there, in place of the last */
	if (streq(e.kind, "exit")) {
		json_doc_free(r->ev[r->n_ev - 1].doc);
		r->ev[r->n_ev - 1] = e;
	} else {
		json_doc_free(doc);
	}
	r->more_ev++;
	return k;
}

static int add_line(
	struct report *r, const char *line, size_t n, const char *sandbox, enum report_span span)
{
	_cleanup_(json_doc_freep) struct json_doc *o = NULL;
	const struct audit_filter f = {.sandbox = sandbox ? sandbox : r->sandbox};
	bool start;
	int k = audit_event_parse(line, n, sandbox ? &f : NULL, &o);
	if (k == -EBADMSG)
		return 0;
	if (k <= 0)
		return k;
	const char *name = json_doc_string(o, "sandbox");
	start = streq(json_doc_string(o, "event"), "start");
	if (start && (span == REPORT_LAST_RUN || (r->sandbox && !streq(r->sandbox, name))))
		forget(r);
	if (!r->sandbox) {
		/* the run's beginning may have gone by rotation; of "the last" it must be there */
		if (!sandbox && !start)
			return 0;
		r->sandbox = copy(name);
		if (!r->sandbox)
			return -ENOMEM;
	}
	if (!streq(r->sandbox, name) || time_us(json_doc_string(o, "time")) < 0)
		return 0;
	return add_event(r, TAKE_PTR(o));
}

static int by_bytes(const void *a, const void *b)
{
	const struct report_host *x = a, *y = b;
	int64_t m = x->up + x->down, n = y->up + y->down;
	return m != n ? (m < n ? 1 : -1) : strcmp(x->name, y->name);
}

static int by_count(const void *a, const void *b)
{
	const struct report_denial *x = a, *y = b;
	return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->target, y->target);
}

int report_read(const char *path, const char *sandbox, enum report_span span, struct report *ret,
	struct err *err)
{
	struct report r = {.ev = calloc(REPORT_EVENTS_MAX, sizeof(*r.ev)),
		.host = calloc(REPORT_ROWS_MAX, sizeof(*r.host)),
		.denial = calloc(REPORT_ROWS_MAX, sizeof(*r.denial)),
		.request = calloc(REPORT_ROWS_MAX, sizeof(*r.request)),
		.session = calloc(REPORT_ROWS_MAX, sizeof(*r.session))};
	struct audit_tail *t = NULL;
	char *line, shown[PATH_MAX];
	size_t n;
	int k = r.ev && r.host && r.denial && r.request && r.session
		? 0
		: err_set(err, ENOMEM, "out of memory");
	if (k == 0)
		k = audit_tail_open(path, &t, err);
	while (k == 0 && (k = audit_tail_next(t, &line, &n)) == 1) {
		k = add_line(&r, line, n, sandbox, span);
		if (k < 0)
			err_sys(err, -k, "read %s", escape_text(shown, sizeof(shown), path));
	}
	audit_tail_free(t);
	if (k == 0 && !r.sandbox) {
		err_hint(err, "bawn log shows what the log has, bawn log --file FILE another one");
		k = sandbox ? err_set(err, ENOENT, "the audit log has nothing of sandbox %s",
				      escape_text(shown, sizeof(shown), sandbox))
			    : err_set(err, ENOENT, "the audit log has no run");
	}
	if (k < 0) {
		report_free(&r);
		return k;
	}
	if (r.n_host)
		qsort(r.host, r.n_host, sizeof(*r.host), by_bytes);
	if (r.n_denial)
		qsort(r.denial, r.n_denial, sizeof(*r.denial), by_count);
	*ret = r;
	return 0;
}
