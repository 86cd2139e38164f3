/* audit/page.c - the page of a report: its frame and head, and how text gets onto it; see page.h.
 *
 * Must not: let a byte of the log through that page_put() has not escaped.  An agent chooses host
 * names, paths and arguments; the page has no script, and its policy (CSP) forbids any.
 */
#include <inttypes.h>
#include <time.h>

#include "audit/page-style.h"
#include "audit/page.h"
#include "base/escape.h"

#define TEXT_MAX 4096

/* What means something in HTML becomes a name of it.  The one way by which foreign text gets in. */
void page_put_safe(FILE *to, const char *shown)
{
	static const char *const name[256] = {['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&#39;"};
	for (const char *p = shown; *p; p++) {
		const char *as = GUARD_REMOVED("report-escape") ? NULL : name[(unsigned char)*p];
		if (as)
			fputs(as, to);
		else
			fputc(*p, to);
	}
}

/* The same for what has its control and bidi characters yet. */
void page_put(FILE *to, const char *text)
{
	char shown[TEXT_MAX];
	page_put_safe(to, escape_text(shown, sizeof(shown), text ? text : ""));
}

void page_put_command(FILE *to, const char *text)
{
	char shown[TEXT_MAX];
	char *t = escape_text(shown, sizeof(shown), text);
	for (const char *p = shown; *p; p += has_prefix(p, "\\x5c") ? 4 : 1)
		*t++ = *p;
	*t = '\0';
	fputs("<code>", to);
	page_put_safe(to, shown);
	fputs("</code>", to);
}

void page_element(FILE *to, const char *tag, const char *class, const char *text)
{
	if (class)
		fprintf(to, "<%s class=\"%s\">", tag, class);
	else
		fprintf(to, "<%s>", tag);
	page_put(to, text);
	fprintf(to, "</%s>", tag);
}

const char *page_bytes(int64_t n, char dst[static 32])
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)n;
	size_t u = 0;
	while (v >= 1024 && u + 1 < ARRAY_LEN(unit)) {
		v /= 1024;
		u++;
	}
	snprintf(dst, 32, u && v < 100 ? "%.1f %s" : "%.0f %s", v, unit[u]);
	return dst;
}

const char *page_duration(int64_t us, char dst[static 32])
{
	int64_t s = us / 1000000;
	if (s < 1)
		snprintf(dst, 32, "%" PRId64 " ms", us / 1000);
	else if (s < 60)
		snprintf(dst, 32, "%.1f s", (double)us / 1e6);
	else if (s < 3600)
		snprintf(dst, 32, s % 60 ? "%" PRId64 " min %" PRId64 " s" : "%" PRId64 " min",
			s / 60, s % 60);
	else
		snprintf(dst, 32, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
	return dst;
}

const char *page_when(int64_t us, bool zone, char dst[static 64])
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm;
	bool ok = localtime_r(&t, &tm) &&
		(zone ? strftime(dst, 64, "%F %T %Z", &tm) : strftime(dst, 64, "%F %T", &tm)) > 0;
	if (!ok)
		dst[0] = '\0';
	return dst;
}

static const struct report_event *find(const struct report *r, const char *kind)
{
	const struct report_event *e = NULL;
	for (size_t i = 0; i < r->n_ev; i++)
		if (streq(r->ev[i].kind, kind))
			e = &r->ev[i];
	return e;
}

const char *page_field(const struct report_event *e, const char *key)
{
	const char *s = e ? json_doc_string(e->doc, key) : NULL;
	return s ? s : "";
}

/* ---- the head ---- */

static void tile(
	FILE *to, const char *class, const char *label, const char *value, const char *more)
{
	fprintf(to, "<div class=\"tile %s\"><dt>%s</dt><dd>", class, label);
	page_put(to, value);
	if (*more)
		page_element(to, "small", NULL, more);
	fputs("</dd></div>\n", to);
}

static void put_head(const struct report *r, FILE *to)
{
	const struct report_event *start = find(r, "start"), *end = find(r, "exit");
	char a[64], b[64], took[32], up[32], down[32], code[32] = "-";
	int64_t n;
	fputs("<header><p class=\"brand\">bawn report</p><h1>", to);
	page_put(to, r->sandbox);
	fputs("</h1><p>", to);
	if (start) {
		page_element(to, "b", NULL, page_field(start, "profile"));
		fputs(" in <code>", to);
		page_put(to,
			*page_field(start, "workspace") ? page_field(start, "workspace")
							: "no workspace");
		fputs("</code>, as <code>", to);
		page_put(to, page_field(start, "program"));
		fputs("</code>, ", to);
	}
	fprintf(to, "from %s to %s</p></header>\n<dl class=\"tiles\">\n",
		page_when(r->begin_us, false, a), page_when(r->end_us, true, b));
	if (end && json_doc_integer(end->doc, "code", &n))
		snprintf(code, sizeof(code), "%" PRId64, n);
	tile(to,
		!end                       ? ""
			: streq(code, "0") ? "good"
					   : "bad",
		"Exit status", code, end ? "" : "no end in the log: it runs, or was killed");
	tile(to, "", "Took", page_duration(r->end_us - r->begin_us, took), "");
	snprintf(a, sizeof(a), "%" PRId64, r->flows);
	snprintf(b, sizeof(b), "%s up, %s down", page_bytes(r->up, up), page_bytes(r->down, down));
	tile(to, "", "Connections", a, b);
	snprintf(a, sizeof(a), "%" PRId64, r->denied);
	snprintf(b, sizeof(b), "%zu target%s", r->n_denial, r->n_denial == 1 ? "" : "s");
	tile(to, r->denied ? "bad" : "good", "Denials", a, b);
	snprintf(a, sizeof(a), "%" PRId64, r->requests);
	tile(to, "", "Requests", r->requests ? a : "-",
		r->requests ? "seen by the vault" : "no connection looked into");
	snprintf(a, sizeof(a), "%zu", r->n_change + r->more_change);
	snprintf(b, sizeof(b), "+%" PRId64 " -%" PRId64 " lines", r->added, r->removed);
	tile(to, "", "Changed files", r->change ? a : "-", r->change ? b : "not known");
	fputs("</dl>\n", to);
}

int report_page(const struct report *r, char **ret, size_t *ret_n)
{
	char *text = NULL;
	size_t n = 0;
	char now[64];
	FILE *to = open_memstream(&text, &n);
	if (!to)
		return -ENOMEM;
	fputs(page_head, to);
	fputs("<title>bawn report: ", to);
	page_put(to, r->sandbox);
	fputs("</title>\n", to);
	fputs(page_style, to);
	fputs(page_nav, to);
	put_head(r, to);
	page_timeline(r, to);
	page_traffic(r, to);
	page_denials(r, to);
	page_requests(r, to);
	page_files(r, to);
	page_sessions(r, to);
	page_policy(r, to);
	page_guards(r, to);
	fprintf(to,
		"</main><footer>Made by bawn " PACKAGE_VERSION
		" on %s from its audit log.</footer>\n"
		"</body></html>\n",
		page_when((int64_t)time(NULL) * 1000000, true, now));
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}
