/* audit/page-plot.c - what of a report is drawn: the timeline, and traffic by host; see page.h.
 *
 * Each plot stands beside a table with the same, for who can't see it.
 */
#include <inttypes.h>

#include "audit/page.h"
#include "audit/read.h"

#define BARS_MAX 20

/* ---- the timeline ---- */

enum { BINS = 128, LANES = 3, PLOT_X = 84, PLOT_W = 768, LANE_H = 46, TICKS = 6 };

static int lane_of(const char *kind)
{
	return streq(kind, "deny") ? 2 : streq(kind, "allow") || streq(kind, "flow") ? 1 : 0;
}

static double plot_x(const struct report *r, int64_t us)
{
	int64_t span = MAX(r->end_us - r->begin_us, (int64_t)1);
	return (double)PLOT_X + (double)(us - r->begin_us) * (double)PLOT_W / (double)span;
}

/* Programs as bars, as far as there is room; each in the first row that is free then. */
static int put_programs(const struct report *r, FILE *to)
{
	enum { ROWS = 6, ROW_H = 14 };
	double busy[ROWS] = {0};
	int rows = 0;
	for (size_t i = 0; i < r->n_session; i++) {
		const struct report_session *s = &r->session[i];
		double x = plot_x(r, s->begin_us),
		       end = plot_x(r, s->end_us ? s->end_us : r->end_us);
		int row = 0;
		while (row < ROWS && busy[row] > x)
			row++;
		if (row == ROWS)
			continue;
		end = MAX(end, x + 3);
		busy[row] = end + 1;
		rows = MAX(rows, row + 1);
		fprintf(to,
			"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"10\" rx=\"3\" "
			"class=\"program%s\"><title>",
			x, row * ROW_H + 4, end - x, s->code > 0 ? " failed" : "");
		page_put(to, s->program);
		fputs("</title></rect>\n", to);
	}
	fprintf(to, "<text x=\"%d\" y=\"13\" class=\"label\">programs</text>\n", PLOT_X - 12);
	return MAX(rows, 1) * ROW_H + 6;
}

static void put_ticks(const struct report *r, int bottom, FILE *to)
{
	for (int i = 0; i <= TICKS; i++) {
		int x = PLOT_X + i * PLOT_W / TICKS;
		char at[32];
		page_duration((r->end_us - r->begin_us) * i / TICKS, at);
		fprintf(to,
			"<line x1=\"%d\" x2=\"%d\" y1=\"2\" y2=\"%d\" class=\"grid\"/>"
			"<text x=\"%d\" y=\"%d\" class=\"tick%s\">%s</text>\n",
			x, x, bottom, x, bottom + 18,
			i == 0               ? ""
				: i == TICKS ? " end"
					     : " mid",
			i ? at : "0");
	}
}

static void put_lanes(const struct report *r, int top, FILE *to)
{
	static const char *const label[LANES] = {"events", "allowed", "denied"};
	unsigned int bin[LANES][BINS] = {{0}}, most[LANES] = {0};
	int64_t span = MAX(r->end_us - r->begin_us, (int64_t)1);
	for (size_t i = 0; i < r->n_ev; i++) {
		int lane = lane_of(r->ev[i].kind);
		int64_t x = (r->ev[i].us - r->begin_us) * (BINS - 1) / span;
		most[lane] = MAX(most[lane], ++bin[lane][x]);
	}
	for (int l = 0; l < LANES; l++) {
		int base = top + (l + 1) * LANE_H;
		fprintf(to,
			"<text x=\"%d\" y=\"%d\" class=\"label\">%s</text>"
			"<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" class=\"axis\"/>\n",
			PLOT_X - 12, base - 4, label[l], PLOT_X, PLOT_X + PLOT_W, base, base);
		for (int i = 0; i < BINS; i++) {
			if (!bin[l][i])
				continue;
			int h = 5 + (int)((LANE_H - 15) * bin[l][i] / most[l]);
			fprintf(to,
				"<rect x=\"%d\" y=\"%d\" width=\"5\" height=\"%d\" rx=\"1\" "
				"class=\"lane%d\"><title>%u event%s</title></rect>\n",
				PLOT_X + i * (PLOT_W / BINS), base - h, h, l, bin[l][i],
				bin[l][i] == 1 ? "" : "s");
		}
	}
}

static void put_plot(const struct report *r, FILE *to)
{
	char *programs = NULL;
	size_t n = 0;
	/* how high the first lane is follows from what is in it */
	FILE *first = open_memstream(&programs, &n);
	int top = first ? put_programs(r, first) : 0;
	if (first)
		fclose(first);
	int bottom = top + LANES * LANE_H;
	fprintf(to,
		"<figure><svg viewBox=\"0 0 870 %d\" role=\"img\" aria-label=\"events over time, "
		"listed below\">\n",
		bottom + 24);
	put_ticks(r, bottom, to);
	fputs(programs ? programs : "", to);
	free(programs);
	put_lanes(r, top, to);
	fputs("</svg></figure>\n", to);
}

static void put_event(const struct report *r, const struct report_event *e, FILE *to)
{
	char at[32], clock[64];
	char *text = NULL;
	fprintf(to, "<tr class=\"lane%d\"><td class=\"num\" title=\"%s\">+%s</td>",
		lane_of(e->kind), page_when(e->us, false, clock),
		page_duration(e->us - r->begin_us, at));
	page_element(to, "td", "kind", e->kind);
	fputs("<td>", to);
	if (audit_event_text(e->doc, &text) == 0)
		page_put_safe(to, text);
	free(text);
	fputs("</td></tr>\n", to);
}

void page_timeline(const struct report *r, FILE *to)
{
	fputs("<section id=\"timeline\"><h2>Timeline</h2>\n", to);
	put_plot(r, to);
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
	enum { X = 300, ROW = 26 };
	const double W = 460;
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
	page_put(to, h->name);
	fprintf(to, "</title><text x=\"%d\" y=\"%d\" class=\"label\">", X - 10, y + 14);
	page_put(to, shown);
	fprintf(to,
		"</text><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"18\" class=\"down\"/>"
		"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"18\" class=\"up\"/>"
		"<text x=\"%.1f\" y=\"%d\" class=\"value\">%s</text></g>\n",
		X, y, MAX(wd, 1.0), (double)X + MAX(wd, 1.0), y, MAX(wu, 1.0),
		(double)X + wd + wu + 10, y + 14, page_bytes(h->up + h->down, sum));
}

void page_traffic(const struct report *r, FILE *to)
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
		page_element(to, "td", "mono", h->name);
		fprintf(to,
			"<td class=\"num\">%" PRId64 "</td><td class=\"num\">%s</td>"
			"<td class=\"num\">%s</td><td class=\"num\">%s</td></tr>\n",
			h->flows, page_bytes(h->up, up), page_bytes(h->down, down),
			page_duration(h->ms * 1000, ms));
	}
	fputs("</tbody></table></div></details>", to);
	if (r->more_host)
		fprintf(to, "<p class=\"note\">Connections to further hosts: %zu.</p>",
			r->more_host);
	fputs("</section>\n", to);
}
