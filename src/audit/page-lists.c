/* audit/page-lists.c - what of a report is tables and lists: denials, requests, changed files,
 * sessions, limits and guards; see page.h.
 */
#include <inttypes.h>

#include "audit/page.h"
#include "audit/read.h"

static size_t count(const struct report *r, const char *kind)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_ev; i++)
		n += streq(r->ev[i].kind, kind);
	return n;
}

static void begin_table(FILE *to, const char *label, const char *const *head, size_t n)
{
	fprintf(to,
		"<div class=\"wide\" tabindex=\"0\" role=\"region\" "
		"aria-label=\"%s\"><table><thead>"
		"<tr>",
		label);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "<th>%s</th>", head[i]);
	fputs("</tr></thead><tbody>\n", to);
}

static void end_table(FILE *to, size_t more, const char *of)
{
	fputs("</tbody></table></div>", to);
	if (more)
		fprintf(to, "<p class=\"note\">%s that had no room here: %zu.</p>", of, more);
}

/* ---- denials ---- */

void page_denials(const struct report *r, FILE *to)
{
	static const char *const head[] = {"Target", "Times", "Why", "To allow it"};
	fputs("<section id=\"denials\"><h2>Denials</h2>\n", to);
	if (!r->n_denial) {
		fputs("<p class=\"none\">Nothing was denied.</p></section>\n", to);
		return;
	}
	begin_table(to, "denials", head, ARRAY_LEN(head));
	for (size_t i = 0; i < r->n_denial; i++) {
		const struct report_denial *d = &r->denial[i];
		fputs("<tr>", to);
		page_element(to, "td", "mono", d->target);
		fprintf(to, "<td class=\"num\">%" PRId64 "</td><td>", d->count);
		page_put(to, d->reason);
		if (*d->rule) {
			fputs("<br>rule <code>", to);
			page_put(to, d->rule);
			fputs("</code>", to);
		}
		fputs("</td><td>", to);
		if (*d->fix)
			page_put_command(to, d->fix);
		fputs("</td></tr>\n", to);
	}
	end_table(to, r->more_denial, "Targets");
	fputs("</section>\n", to);
}

/* ---- lists of events of some kinds ---- */

/* A table of what the events of one kind say; nothing where there are none. */
static void put_kind(
	const struct report *r, const char *kind, const char *title, bool open, FILE *to)
{
	size_t n = count(r, kind);
	if (!n)
		return;
	fprintf(to, "<details%s><summary>%s (%zu)</summary><ul>\n", open ? " open" : "", title, n);
	for (size_t i = 0; i < r->n_ev; i++) {
		char *text = NULL;
		if (!streq(r->ev[i].kind, kind) || audit_event_text(r->ev[i].doc, &text) < 0)
			continue;
		fputs("<li>", to);
		page_put_safe(to, text);
		fputs("</li>\n", to);
		free(text);
	}
	fputs("</ul></details>\n", to);
}

struct kind_row {
	const char *kind, *title;
	bool open;
};

static void put_section(const struct report *r, const char *id, const char *title, const char *none,
	const struct kind_row *rows, size_t n, FILE *to)
{
	size_t all = 0;
	fprintf(to, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
	for (size_t i = 0; i < n; i++) {
		all += count(r, rows[i].kind);
		put_kind(r, rows[i].kind, rows[i].title, rows[i].open, to);
	}
	if (!all)
		fprintf(to, "<p class=\"none\">%s</p>", none);
	fputs("</section>\n", to);
}

static void put_code(int64_t code, bool ended, FILE *to)
{
	if (code >= 0)
		fprintf(to, "<td class=\"%s\">%" PRId64 "</td>", code ? "num bad" : "num good",
			code);
	else
		fprintf(to, "<td class=\"num\">%s</td>", ended ? "" : "no end in the log");
}

void page_sessions(const struct report *r, FILE *to)
{
	static const char *const head[] = {"Session", "Program", "Began", "Took", "Exit code"};
	static const struct kind_row rows[] = {{"error", "Errors", true},
		{"session", "All that is in the log about sessions", false}};
	fputs("<section id=\"sessions\"><h2>Sessions</h2>\n", to);
	if (r->n_session)
		begin_table(to, "sessions", head, ARRAY_LEN(head));
	else
		fputs("<p class=\"none\">No session in the log.</p>\n", to);
	for (size_t i = 0; i < r->n_session; i++) {
		const struct report_session *s = &r->session[i];
		char began[32], took[32] = "";
		if (s->end_us)
			page_duration(s->end_us - s->begin_us, took);
		fprintf(to, "<tr><td class=\"num\">%" PRId64 "</td>", s->id);
		page_element(to, "td", "mono", s->program);
		fprintf(to, "<td class=\"num\">+%s</td><td class=\"num\">%s</td>",
			page_duration(s->begin_us - r->begin_us, began), took);
		put_code(s->code, s->end_us != 0, to);
		fputs("</tr>\n", to);
	}
	if (r->n_session)
		end_table(to, r->more_session, "Sessions");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		put_kind(r, rows[i].kind, rows[i].title, rows[i].open, to);
	fputs("</section>\n", to);
}

void page_guards(const struct report *r, FILE *to)
{
	static const struct kind_row rows[] = {{"degraded", "Guards that were left out", true},
		{"limit", "Caps that were reached", true}, {"policy", "Rules changed", true},
		{"ask", "Questions and answers", true}, {"publish", "Ports published", true},
		{"login", "Log-in", true}, {"dropped", "Not in the log", true},
		{"mask", "Files that read as empty", false},
		{"protect", "Paths that could not be changed", false},
		{"withheld", "Left out of what the host has", false}};
	put_section(r, "guards", "Guards", "All guards were in force; none has more to say.", rows,
		ARRAY_LEN(rows), to);
}

/* ---- requests ---- */

static const char *status_class(int64_t status)
{
	return status >= 400 || status == 0 ? "num bad" : "num";
}

void page_requests(const struct report *r, FILE *to)
{
	static const char *const head[] = {"Method", "Host and path", "Status", "Times", "With"};
	fputs("<section id=\"requests\"><h2>Requests</h2>\n", to);
	if (!r->n_request) {
		fputs("<p class=\"none\">No connection was looked into: no credential went "
		      "anywhere, "
		      "and no rule was about requests.</p></section>\n",
			to);
		return;
	}
	fprintf(to,
		"<p class=\"note\">On connections that the vault looks into: %" PRId64 ".</p>\n",
		r->requests);
	begin_table(to, "requests", head, ARRAY_LEN(head));
	for (size_t i = 0; i < r->n_request; i++) {
		const struct report_request *q = &r->request[i];
		fputs("<tr>", to);
		page_element(to, "td", "kind", q->method);
		fputs("<td class=\"mono\">", to);
		page_put(to, q->target);
		fputs("</td>", to);
		if (q->status)
			fprintf(to, "<td class=\"%s\">%" PRId64 "</td>", status_class(q->status),
				q->status);
		else
			fputs("<td class=\"num bad\">none</td>", to);
		fprintf(to, "<td class=\"num\">%" PRId64 "</td><td>", q->count);
		page_put(to, *q->reason ? q->reason : q->credential);
		fputs("</td></tr>\n", to);
	}
	end_table(to, r->more_request, "Requests");
	fputs("</section>\n", to);
}

/* ---- changed files ---- */

/* As git's diffstat has it: at most ten squares, in the proportion of the lines. */
static void put_squares(const struct report_change *c, FILE *to)
{
	enum { MOST = 10 };
	int64_t all = MAX(c->added, (int64_t)0) + MAX(c->removed, (int64_t)0),
		n = MIN(all, (int64_t)MOST);
	int64_t plus = all ? (c->added * n + all - 1) / all : 0;
	if (c->removed > 0 && plus == n && n > 1)
		plus--;
	fputs("<span class=\"squares\" aria-hidden=\"true\">", to);
	for (int64_t i = 0; i < n; i++)
		fprintf(to, "<i class=\"%s\"></i>", i < plus ? "plus" : "minus");
	fputs("</span>", to);
}

static void put_change(const struct report_change *c, FILE *to)
{
	fputs("<tr><td class=\"mono\">", to);
	page_put(to, c->path);
	if (*c->runs) {
		fputs("<br><span class=\"warn\">", to);
		page_put(to, c->runs);
		fputs("</span>", to);
	}
	fputs("</td>", to);
	fputs("<td>", to);
	page_put(to, c->kind);
	fprintf(to, "%s</td><td class=\"num\">", c->directory ? " directory" : "");
	if (c->binary)
		fputs("binary", to);
	if (c->added > 0)
		fprintf(to, "<span class=\"plus\">+%" PRId64 "</span> ", c->added);
	if (c->removed > 0)
		fprintf(to, "<span class=\"minus\">-%" PRId64 "</span>", c->removed);
	fputs("</td><td>", to);
	put_squares(c, to);
	fputs("</td></tr>\n", to);
}

static void put_changes(const struct report *r, FILE *to)
{
	static const char *const head[] = {"Path", "What", "Lines", ""};
	if (!r->change) {
		fputs("<p class=\"none\">Its changes can't be listed (any more): the sandbox is "
		      "gone, "
		      "or has no workspace that bawn diff knows.</p>\n",
			to);
		return;
	}
	if (!r->n_change) {
		fputs("<p class=\"none\">No file is changed.</p>\n", to);
		return;
	}
	size_t n = r->n_change + r->more_change;
	fprintf(to,
		"<p>%zu path%s as they are now, <span class=\"plus\">%" PRId64
		" lines added</span>, <span class=\"minus\">%" PRId64 " removed</span>.</p>\n",
		n, n == 1 ? "" : "s", r->added, r->removed);
	begin_table(to, "changed files", head, ARRAY_LEN(head));
	for (size_t i = 0; i < r->n_change; i++)
		put_change(&r->change[i], to);
	end_table(to, r->more_change, "Files");
}

void page_files(const struct report *r, FILE *to)
{
	static const struct kind_row rows[] = {
		{"persist", "New or changed, and may run on the host later", true},
		{"aside", "Moved out of the workspace", true},
		{"gitconfig", "Changes of git's configuration", true},
		{"remount", "Replaced by the host during the run", true}};
	fputs("<section id=\"files\"><h2>Changed files</h2>\n", to);
	put_changes(r, to);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		put_kind(r, rows[i].kind, rows[i].title, rows[i].open, to);
	fputs("</section>\n", to);
}

/* ---- limits and policy ---- */

void page_policy(const struct report *r, FILE *to)
{
	const struct report_event *start = NULL;
	bool any = false;
	fputs("<section id=\"policy\"><h2>Limits and policy</h2>\n", to);
	for (size_t i = 0; i < r->n_ev; i++) {
		const struct report_event *e = &r->ev[i];
		if (streq(e->kind, "start"))
			start = e;
		if (!streq(e->kind, "setting"))
			continue;
		if (!any)
			fputs("<dl class=\"settings\">\n", to);
		any = true;
		fputs("<div>", to);
		page_element(to, "dt", NULL, page_field(e, "what"));
		page_element(to, "dd", NULL, page_field(e, "value"));
		fputs("</div>\n", to);
	}
	if (any)
		fputs("</dl>\n", to);
	else
		fputs("<p class=\"none\">The log doesn't say what was in force.</p>\n", to);
	if (*page_field(start, "version")) {
		fputs("<p class=\"note\">Run by bawn ", to);
		page_put(to, page_field(start, "version"));
		fputs(".</p>\n", to);
	}
	fputs("</section>\n", to);
}
