/* audit/report-changes.c - what bawn diff --json prints, for a report; see report.h.
 *
 * Must not: believe that it was bawn that printed it: paths are an agent's, and are escaped when
 * the page is made.
 */
#include "audit/report.h"

static char *text_of(const struct json_doc *o, const char *key)
{
	const char *s = json_doc_string(o, key);
	return strdup(s ? s : "");
}

static int64_t lines_of(const struct json_doc *o, const char *key)
{
	int64_t n = -1;
	return json_doc_integer(o, key, &n) && n >= 0 ? n : -1;
}

static int take(void *ud, const struct json_doc *o)
{
	struct report *r = ud;
	struct report_change c = {.added = lines_of(o, "added"), .removed = lines_of(o, "removed")};
	const struct json_doc *runs = json_doc_object(o, "host_runs");
	r->added += MAX(c.added, (int64_t)0);
	r->removed += MAX(c.removed, (int64_t)0);
	if (r->n_change == REPORT_ROWS_MAX) {
		r->more_change++;
		return 0;
	}
	(void)json_doc_bool(o, "binary", &c.binary);
	const char *type = json_doc_string(o, "type");
	c.directory = type && streq(type, "directory");
	c.path = text_of(o, "path");
	c.kind = text_of(o, "kind");
	c.runs = runs ? text_of(runs, "what") : strdup("");
	r->change[r->n_change++] = c;
	return c.path && c.kind && c.runs ? 0 : -ENOMEM;
}

int report_changes(struct report *r, const char *json, size_t n)
{
	/* documents are objects */
	_cleanup_(json_doc_freep) struct json_doc *d = NULL;
	char *text = malloc(n + 32);
	int k = text ? 0 : -ENOMEM;
	if (k == 0) {
		static const char before[] = "{\"v\":";
		size_t len = sizeof(before) - 1;
		memcpy(text, before, len);
		memcpy(text + len, json, n);
		memcpy(text + len + n, "}", 1);
		k = json_doc_parse(text, len + n + 1, &d, NULL);
	}
	free(text);
	if (k < 0)
		return k;
	r->change = calloc(REPORT_ROWS_MAX, sizeof(*r->change));
	return r->change ? json_doc_each(d, "v", take, r) : -ENOMEM;
}
