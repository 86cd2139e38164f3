/* audit/page.c - the page of a report; see report.h.
 *
 * Owns: the page's parts, in the order in which they stand on it.  The frame is page-style.h's.
 * Must not: let a byte of the log through that put() has not escaped.  An agent chooses host names,
 * paths and arguments; the page has no script, and its policy (CSP) forbids any.
 */
#include <inttypes.h>
#include <time.h>

#include "audit/events.h"
#include "audit/page-style.h"
#include "audit/read.h"
#include "audit/report.h"
#include "base/escape.h"

#define TEXT_MAX 4096
#define BARS_MAX 20

/* What means something in HTML becomes a name of it.  The one way by which foreign text gets in. */
static void put_safe(FILE *to, const char *shown)
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
static void put(FILE *to, const char *text)
{
	char shown[TEXT_MAX];
	put_safe(to, escape_text(shown, sizeof(shown), text ? text : ""));
}

/* A command to be pasted: quoted for the shell already, its backslashes stay. */
static void put_command(FILE *to, const char *text)
{
	char shown[TEXT_MAX];
	char *t = escape_text(shown, sizeof(shown), text);
	for (const char *p = shown; *p; p += has_prefix(p, "\\x5c") ? 4 : 1)
		*t++ = *p;
	*t = '\0';
	fputs("<code>", to);
	put_safe(to, shown);
	fputs("</code>", to);
}

/* A cell, or another element that holds nothing but this text. */
static void element(FILE *to, const char *tag, const char *class, const char *text)
{
	if (class)
		fprintf(to, "<%s class=\"%s\">", tag, class);
	else
		fprintf(to, "<%s>", tag);
	put(to, text);
	fprintf(to, "</%s>", tag);
}

static const char *bytes(int64_t n, char dst[static 32])
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

static const char *duration(int64_t us, char dst[static 32])
{
	int64_t s = us / 1000000;
	if (s < 1)
		snprintf(dst, 32, "%" PRId64 " ms", us / 1000);
	else if (s < 60)
		snprintf(dst, 32, "%.1f s", (double)us / 1e6);
	else if (s < 3600)
		snprintf(dst, 32, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else
		snprintf(dst, 32, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
	return dst;
}

static const char *when(int64_t us, bool zone, char dst[static 64])
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

static size_t count(const struct report *r, const char *kind)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_ev; i++)
		n += streq(r->ev[i].kind, kind);
	return n;
}

static const char *field(const struct report_event *e, const char *key)
{
	const char *s = e ? json_doc_string(e->doc, key) : NULL;
	return s ? s : "";
}

/* ---- the head ---- */

static void tile(
	FILE *to, const char *class, const char *label, const char *value, const char *more)
{
	fprintf(to, "<div class=\"tile %s\"><dt>%s</dt><dd>", class, label);
	put(to, value);
	if (*more)
		element(to, "small", NULL, more);
	fputs("</dd></div>\n", to);
}

static void put_head(const struct report *r, FILE *to)
{
	const struct report_event *start = find(r, "start"), *end = find(r, "exit");
	char a[64], b[64], took[32], up[32], down[32], code[32] = "-";
	int64_t n;
	fputs("<header><p class=\"brand\">bawn report</p><h1>", to);
	put(to, r->sandbox);
	fputs("</h1><p>", to);
	if (start) {
		element(to, "b", NULL, field(start, "profile"));
		fputs(" in <code>", to);
		put(to, *field(start, "workspace") ? field(start, "workspace") : "no workspace");
		fputs("</code>, as <code>", to);
		put(to, field(start, "program"));
		fputs("</code>, ", to);
	}
	fprintf(to, "from %s to %s</p></header>\n<dl class=\"tiles\">\n",
		when(r->begin_us, false, a), when(r->end_us, true, b));
	if (end && json_doc_integer(end->doc, "code", &n))
		snprintf(code, sizeof(code), "%" PRId64, n);
	tile(to,
		!end                       ? ""
			: streq(code, "0") ? "good"
					   : "bad",
		"Exit status", code, end ? "" : "no end in the log: it runs, or was killed");
	tile(to, "", "Took", duration(r->end_us - r->begin_us, took), "");
	snprintf(a, sizeof(a), "%" PRId64, r->flows);
	snprintf(b, sizeof(b), "%s up, %s down", bytes(r->up, up), bytes(r->down, down));
	tile(to, "", "Connections", a, b);
	snprintf(a, sizeof(a), "%" PRId64, r->denied);
	snprintf(b, sizeof(b), "%zu target%s", r->n_denial, r->n_denial == 1 ? "" : "s");
	tile(to, r->denied ? "bad" : "good", "Denials", a, b);
	fputs("</dl>\n", to);
}

/* ---- the timeline ---- */

enum { BINS = 96, LANES = 3, PLOT_X = 90, PLOT_W = 768, LANE_H = 44 };

static int lane_of(const char *kind)
{
	return streq(kind, "deny") ? 2 : streq(kind, "allow") || streq(kind, "flow") ? 1 : 0;
}

static void put_lanes(const struct report *r, FILE *to)
{
	static const char *const label[LANES] = {"sandbox", "allowed", "denied"};
	unsigned int bin[LANES][BINS] = {{0}}, most[LANES] = {0};
	int64_t span = MAX(r->end_us - r->begin_us, (int64_t)1);
	for (size_t i = 0; i < r->n_ev; i++) {
		int lane = lane_of(r->ev[i].kind);
		int64_t x = (r->ev[i].us - r->begin_us) * (BINS - 1) / span;
		most[lane] = MAX(most[lane], ++bin[lane][x]);
	}
	for (int l = 0; l < LANES; l++) {
		int base = (l + 1) * LANE_H;
		fprintf(to,
			"<text x=\"%d\" y=\"%d\" class=\"label\">%s</text>"
			"<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" class=\"axis\"/>\n",
			PLOT_X - 10, base - 6, label[l], PLOT_X, PLOT_X + PLOT_W, base, base);
		for (int i = 0; i < BINS; i++) {
			if (!bin[l][i])
				continue;
			int h = 6 + (int)((LANE_H - 16) * bin[l][i] / most[l]);
			fprintf(to,
				"<rect x=\"%d\" y=\"%d\" width=\"6\" height=\"%d\" rx=\"1\" "
				"class=\"lane%d\"><title>%u events</title></rect>\n",
				PLOT_X + i * (PLOT_W / BINS), base - h, h, l, bin[l][i]);
		}
	}
}

static void put_event(const struct report *r, const struct report_event *e, FILE *to)
{
	char at[32], clock[64];
	char *text = NULL;
	fprintf(to, "<tr class=\"lane%d\"><td class=\"num\" title=\"%s\">+%s</td>",
		lane_of(e->kind), when(e->us, false, clock), duration(e->us - r->begin_us, at));
	element(to, "td", "kind", e->kind);
	fputs("<td>", to);
	if (audit_event_text(e->doc, &text) == 0)
		put_safe(to, text);
	free(text);
	fputs("</td></tr>\n", to);
}

static void put_timeline(const struct report *r, FILE *to)
{
	char took[32];
	fputs("<section id=\"timeline\"><h2>Timeline</h2>\n", to);
	fprintf(to,
		"<figure><svg viewBox=\"0 0 870 %d\" role=\"img\" aria-label=\"events over time, "
		"listed below\">\n",
		LANES * LANE_H + 24);
	put_lanes(r, to);
	fprintf(to,
		"<text x=\"%d\" y=\"%d\" class=\"tick\">0</text><text x=\"%d\" y=\"%d\" "
		"class=\"tick end\">%s</text></svg></figure>\n",
		PLOT_X, LANES * LANE_H + 16, PLOT_X + PLOT_W, LANES * LANE_H + 16,
		duration(r->end_us - r->begin_us, took));
	fprintf(to,
		"<details><summary>All %zu events</summary><div class=\"wide\" tabindex=\"0\" "
		"role=\"region\" aria-label=\"events\"><table><thead><tr><th>Time<th>Event<th>What"
		"</thead><tbody>\n",
		r->n_ev + r->more_ev);
	for (size_t i = 0; i < r->n_ev; i++)
		put_event(r, &r->ev[i], to);
	fputs("</tbody></table></div>", to);
	if (r->more_ev)
		fprintf(to, "<p class=\"note\">%zu events had no room here; bawn log has them.</p>",
			r->more_ev);
	fputs("</details></section>\n", to);
}

/* ---- traffic ---- */

static void put_bar(const struct report_host *h, int64_t most, size_t i, FILE *to)
{
	enum { X = 300, W = 460, ROW = 26 };
	char sum[32], shown[64];
	int y = (int)i * ROW + 4;
	double wu = (double)h->up * W / (double)most, wd = (double)h->down * W / (double)most;
	/* the label has room for so many; the whole name is in the title */
	snprintf(shown, sizeof(shown), "%.42s", h->name);
	size_t cut = strlen(shown);
	if (strlen(h->name) > cut) {
		cut -= 3;
		while (cut > 0 && ((unsigned char)shown[cut] & 0xc0) == 0x80)
			cut--;
		memcpy(shown + cut, "...", 4);
	}
	fputs("<g><title>", to);
	put(to, h->name);
	fprintf(to, "</title><text x=\"%d\" y=\"%d\" class=\"label\">", X - 10, y + 14);
	put(to, shown);
	fprintf(to,
		"</text><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"18\" class=\"down\"/>"
		"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"18\" class=\"up\"/>"
		"<text x=\"%.1f\" y=\"%d\" class=\"value\">%s</text></g>\n",
		X, y, MAX(wd, 1.0), X + MAX(wd, 1.0), y, MAX(wu, 1.0), X + wd + wu + 10, y + 14,
		bytes(h->up + h->down, sum));
}

static void put_traffic(const struct report *r, FILE *to)
{
	char up[32], down[32], ms[32];
	fputs("<section id=\"traffic\"><h2>Traffic by host</h2>\n", to);
	if (!r->n_host) {
		fputs("<p class=\"none\">No connection was made.</p></section>\n", to);
		return;
	}
	size_t n = MIN(r->n_host, (size_t)BARS_MAX);
	int64_t most = MAX(r->host[0].up + r->host[0].down, (int64_t)1);
	fprintf(to,
		"<p class=\"legend\"><span class=\"down\">received</span> <span class=\"up\">sent"
		"</span></p><figure><svg viewBox=\"0 0 870 %zu\" role=\"img\" aria-label=\"bytes "
		"by "
		"host, in the table below\">\n",
		n * 26 + 4);
	for (size_t i = 0; i < n; i++)
		put_bar(&r->host[i], most, i, to);
	fputs("</svg></figure>\n<details><summary>As a table</summary><div class=\"wide\" "
	      "tabindex=\"0\" role=\"region\" aria-label=\"traffic\"><table><thead><tr><th>Host"
	      "<th>Connections<th>Sent<th>Received<th>Open for</thead><tbody>\n",
		to);
	for (size_t i = 0; i < r->n_host; i++) {
		const struct report_host *h = &r->host[i];
		fputs("<tr>", to);
		element(to, "td", "mono", h->name);
		fprintf(to,
			"<td class=\"num\">%" PRId64 "</td><td class=\"num\">%s</td>"
			"<td class=\"num\">%s</td><td class=\"num\">%s</td></tr>\n",
			h->flows, bytes(h->up, up), bytes(h->down, down),
			duration(h->ms * 1000, ms));
	}
	fputs("</tbody></table></div></details>", to);
	if (r->more_host)
		fprintf(to, "<p class=\"note\">Connections to further hosts: %zu.</p>",
			r->more_host);
	fputs("</section>\n", to);
}

/* ---- denials ---- */

static void put_denials(const struct report *r, FILE *to)
{
	fputs("<section id=\"denials\"><h2>Denials</h2>\n", to);
	if (!r->n_denial) {
		fputs("<p class=\"none\">Nothing was denied.</p></section>\n", to);
		return;
	}
	fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"denials\"><table>"
	      "<thead><tr><th>Target<th>Times<th>Why<th>To allow it</thead><tbody>\n",
		to);
	for (size_t i = 0; i < r->n_denial; i++) {
		const struct report_denial *d = &r->denial[i];
		fputs("<tr>", to);
		element(to, "td", "mono", d->target);
		fprintf(to, "<td class=\"num\">%" PRId64 "</td><td>", d->count);
		put(to, d->reason);
		if (*d->rule) {
			fputs("<br>rule <code>", to);
			put(to, d->rule);
			fputs("</code>", to);
		}
		fputs("</td><td>", to);
		if (*d->fix)
			put_command(to, d->fix);
		fputs("</td></tr>\n", to);
	}
	fputs("</tbody></table></div>", to);
	if (r->more_denial)
		fprintf(to, "<p class=\"note\">Denials of further targets: %zu.</p>",
			r->more_denial);
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
		put_safe(to, text);
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

static void put_lists(const struct report *r, FILE *to)
{
	static const struct kind_row files[] = {
		{"persist", "New or changed, and may run on the host later", true},
		{"aside", "Moved out of the workspace", true},
		{"gitconfig", "Changes of git's configuration", true},
		{"remount", "Replaced by the host during the run", true}};
	static const struct kind_row sessions[] = {{"start", "Starts", true},
		{"session", "Sessions", true}, {"exit", "Ends", true}, {"error", "Errors", true}};
	static const struct kind_row guards[] = {{"degraded", "Guards that were left out", true},
		{"limit", "Caps that were reached", true}, {"policy", "Rules changed", true},
		{"publish", "Ports published", true}, {"login", "Log-in", true},
		{"dropped", "Not in the log", true}, {"mask", "Files that read as empty", false},
		{"protect", "Paths that could not be changed", false},
		{"withheld", "Left out of what the host has", false}};
	put_section(r, "files", "Changed files", "Nothing that the host would run was changed.",
		files, ARRAY_LEN(files), to);
	put_section(r, "sessions", "Sessions", "No session in the log.", sessions,
		ARRAY_LEN(sessions), to);
	put_section(r, "guards", "Limits and guards",
		"All guards were in force; none has more to "
		"say.",
		guards, ARRAY_LEN(guards), to);
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
	put(to, r->sandbox);
	fputs("</title>\n", to);
	fputs(page_style, to);
	fputs(page_nav, to);
	put_head(r, to);
	put_timeline(r, to);
	put_traffic(r, to);
	put_denials(r, to);
	put_lists(r, to);
	fprintf(to,
		"</main><footer>Made by bawn " PACKAGE_VERSION
		" on %s from its audit log.</footer>\n"
		"</body></html>\n",
		when((int64_t)time(NULL) * 1000000, true, now));
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}
