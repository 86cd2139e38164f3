/* cli/monitor-draw.c - the screen of bawn monitor; see monitor.h.
 *
 * A frame is an array of lines; only those that differ from the last are written.  All text from
 * elsewhere (names of hosts and sandboxes, rules, reasons) is reduced to printable ASCII in put(),
 * the one place that writes to the terminal.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "cli/monitor.h"

enum { PROGRAM_W = 12 };

enum look { PLAIN, SELECTED, TITLE, TITLE_ON, ASKS, BAD, DIM };

static void put(struct monitor *m, int row, enum look look, const char *fmt, ...) _printf_(4, 5);

static void put(struct monitor *m, int row, enum look look, const char *fmt, ...)
{
	static const char *const sgr[] = {[PLAIN] = "",
		[SELECTED] = "\033[7m",
		[TITLE] = "\033[1m",
		[TITLE_ON] = "\033[1;36m",
		[ASKS] = "\033[33m",
		[BAD] = "\033[31m",
		[DIM] = "\033[2m"};
	char text[MONITOR_MAX_COLS], out[MONITOR_MAX_COLS + 64], kept[MONITOR_MAX_COLS];
	va_list ap;
	if (row < 0 || row >= m->rows)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text[MIN(m->cols, MONITOR_MAX_COLS - 1) - 1] = '\0'; /* the last column would wrap */
	for (char *p = text; *p; p++)
		if ((*p < 0x20 || *p > 0x7e) && !GUARD_REMOVED("monitor-ascii"))
			*p = '?';
	snprintf(kept, sizeof(kept), "%c%.*s", '0' + (int)look, MONITOR_MAX_COLS - 2, text);
	if (streq(kept, m->shown[row]))
		return;
	memcpy(m->shown[row], kept, sizeof(kept));
	const char *on = m->plain ? "" : sgr[look];
	int n = snprintf(out, sizeof(out), "\033[%d;1H%s%s%s\033[K", row + 1, on, text,
		*on ? "\033[0m" : "");
	fd_write_all(STDOUT_FILENO, out, (size_t)n);
}

void draw_measure(struct monitor *m)
{
	struct winsize ws = {0};
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	m->rows = ws.ws_row ? MIN((int)ws.ws_row, MONITOR_MAX_ROWS) : 24;
	m->cols = ws.ws_col ? MIN((int)ws.ws_col, MONITOR_MAX_COLS) : 80;
	memset(m->shown, 0, sizeof(m->shown)); /* differs from every line */
}

/* ---- words ---- */

static const char *bytes(uint64_t n, char dst[static 16])
{
	static const char unit[] = "BKMGT";
	double v = (double)n;
	size_t u = 0;
	for (; v >= 1000 && u + 2 < sizeof(unit); u++)
		v /= 1024;
	snprintf(dst, 16, u && v < 10 ? "%.1f%c" : "%.0f%c", v, unit[u]);
	return dst;
}

static const char *age(uint64_t ms, char dst[static 32])
{
	uint64_t s = ms / 1000;
	if (s < 60)
		snprintf(dst, 32, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(dst, 32, "%" PRIu64 "m%02" PRIu64, s / 60, s % 60);
	else
		snprintf(dst, 32, "%" PRIu64 "h%02" PRIu64, s / 3600, s / 60 % 60);
	return dst;
}

static size_t denied_kinds(const struct monitor *m, const char *box)
{
	size_t n = 0;
	for (size_t i = 0; i < m->data.n_denial; i++)
		n += streq(m->data.denial[i].box, box);
	return n;
}

static size_t open_of(const struct monitor *m, const char *box)
{
	size_t n = 0;
	for (size_t i = 0; i < m->data.n_flow; i++)
		n += streq(m->data.flow[i].box, box);
	return n;
}

/* The longest name of a sandbox, so that what stands behind it begins in one column. */
static int box_width(const struct monitor *m)
{
	size_t w = 7;
	for (size_t i = 0; i < m->data.ask.n_running; i++)
		w = MAX(w, strlen(m->data.ask.running[i]));
	return (int)MIN(w, (size_t)24);
}

static void box_row(const struct monitor *m, size_t i, char *dst, size_t cap)
{
	const struct questions *q = &m->data.ask;
	if (i < q->n_running)
		snprintf(dst, cap, "%-*s  %zu open, %zu denied", box_width(m), q->running[i],
			open_of(m, q->running[i]), denied_kinds(m, q->running[i]));
	else if (i - q->n_running < q->n_silent)
		snprintf(dst, cap, "%s does not answer", q->silent[i - q->n_running]);
}

/* Room for the target, so that the rest stands in columns. */
static int target_width(size_t cols)
{
	return (int)(cols < 60 ? MAX(cols, (size_t)39) - 25 : MIN(cols / 2 - 8, (size_t)44));
}

/* NAME:PORT in w columns.  Where that is not enough its end is shown, which says whose the name is:
 * its beginning is chosen by whoever asks for it. */
static const char *target_end(const char *target, size_t w, char dst[static 512])
{
	size_t n = strlen(target);
	if (n <= w || n >= 512 || w < 4)
		snprintf(dst, 512, "%s", target);
	else
		snprintf(dst, 512, "...%s", target + n - (w - 3));
	return dst;
}

/* The columns that are left of cols beside n others. */
static size_t room_beside(size_t cols, size_t n)
{
	return cols > n + 24 ? cols - n : 24;
}

void draw_row(
	const struct monitor *m, enum pane_kind p, size_t i, size_t cols, char *dst, size_t cap)
{
	char a[16], b[16], c[32], name[512];
	dst[0] = '\0';
	if (p == PANE_WAITING) {
		const struct question *q = &m->data.ask.v[i];
		const char *several = q->flows > 1 ? "  (several)" : "";
		const size_t beside = strlen("> 999s    ") + strlen(q->box) + strlen(several) + 1;
		snprintf(dst, cap, "%3" PRId64 "s  %s  %s%s", (q->left_ms + 999) / 1000,
			target_end(q->target, room_beside(cols, beside), name), q->box, several);
	} else if (p == PANE_OPEN) {
		const struct monitor_flow *f = &m->data.flow[i];
		int w = target_width(cols);
		snprintf(dst, cap, "%-*.*s %6s %6s %6s  %-*s  %-*s  %s", w, w,
			target_end(f->target, (size_t)w, name), bytes(f->up, a), bytes(f->down, b),
			age(f->ms, c), box_width(m), f->box, PROGRAM_W, f->process, f->rule);
	} else if (p == PANE_DENIED) {
		const struct monitor_denial *x = &m->data.denial[i];
		const size_t beside = strlen("> 9999x    ") + strlen(x->box) + 1;
		snprintf(dst, cap, "%4" PRIu64 "x  %s  %s: %s", x->count,
			target_end(x->target, room_beside(cols, beside), name), x->box, x->reason);
	} else {
		box_row(m, i, dst, cap);
	}
}

static void title(const struct monitor *m, enum pane_kind p, char *dst, size_t cap)
{
	static const char *const name[] = {[PANE_WAITING] = "WAITING",
		[PANE_OPEN] = "CONNECTIONS",
		[PANE_DENIED] = "DENIED",
		[PANE_BOXES] = "RUNNING"};
	const char *on = p == m->focus && m->plain ? " <" : "";
	size_t n = m->pane[p].n;
	if (p != PANE_OPEN) {
		if (p == PANE_BOXES)
			n = MIN(n, m->data.ask.n_running);
		snprintf(dst, cap, "%s %zu%s", name[p], n, on);
		return;
	}
	int w = target_width((size_t)m->cols) + 2;
	char left[80];
	if (m->data.open > n && !*m->filter)
		snprintf(left, sizeof(left), "%s %zu of %" PRIu64 "%s", name[p], n, m->data.open,
			on);
	else
		snprintf(left, sizeof(left), "%s %zu%s", name[p], n, on);
	int k = snprintf(dst, cap, "%-*s %6s %6s %6s", w, left, "sent", "got", "age");
	if (m->cols >= 60 && k > 0 && (size_t)k < cap)
		snprintf(dst + k, cap - (size_t)k, "  %-*s  %-*s  rule", box_width(m), "sandbox",
			PROGRAM_W, "program");
}

/* ---- panes ---- */

static void draw_pane(struct monitor *m, enum pane_kind p, int from, int to)
{
	static const char *const none[] = {[PANE_WAITING] = "nothing waits",
		[PANE_OPEN] = "no connection is open",
		[PANE_DENIED] = "nothing was denied",
		[PANE_BOXES] = "no sandbox runs"};
	const struct pane *v = &m->pane[p];
	size_t room = (size_t)MAX(to - from, 0), first = v->at >= room ? v->at - room + 1 : 0;
	for (int row = from; row < to; row++) {
		size_t i = first + (size_t)(row - from);
		char text[MONITOR_MAX_COLS];
		bool on = i == v->at && p == m->focus;
		if (i >= v->n) {
			put(m, row, DIM, "%s%s", i == 0 ? "  " : "", i == 0 ? none[p] : "");
			continue;
		}
		draw_row(m, p, v->row[i], (size_t)m->cols, text, sizeof(text));
		put(m, row,
			on                          ? SELECTED
				: p == PANE_WAITING ? ASKS
				: p == PANE_DENIED  ? BAD
						    : PLAIN,
			"%c %s", on ? '>' : ' ', text);
	}
}

/* How many rows each pane gets of room: what it needs, as far as there are; two at least. */
static void share(const struct monitor *m, int room, int ret[static N_PANES])
{
	static const enum pane_kind first[] = {PANE_WAITING, PANE_OPEN, PANE_DENIED, PANE_BOXES};
	for (int p = 0; p < N_PANES; p++) {
		ret[p] = 2;
		room -= 2;
	}
	for (bool more = true; more && room > 0;) {
		more = false;
		for (size_t i = 0; i < ARRAY_LEN(first) && room > 0; i++)
			if ((size_t)ret[first[i]] < m->pane[first[i]].n) {
				ret[first[i]]++;
				room--;
				more = true;
			}
	}
	ret[PANE_BOXES] += room;
}

static void draw_all(struct monitor *m, int from, int to)
{
	int n[N_PANES], row = from;
	char text[MONITOR_MAX_COLS];
	share(m, to - from - N_PANES, n);
	for (int p = 0; p < N_PANES; p++) {
		title(m, (enum pane_kind)p, text, sizeof(text));
		put(m, row++, (int)m->focus == p ? TITLE_ON : TITLE, "%s", text);
		draw_pane(m, (enum pane_kind)p, row, row + n[p]);
		row += n[p];
	}
}

/* ---- one row, in full ---- */

/* The sentences about what is selected, for lines of so many columns; how many. */
static size_t sentences(const struct monitor *m, size_t cols, char dst[3][1400])
{
	const struct pane *v = &m->pane[m->focus];
	char name[512];
	if (v->at >= v->n)
		return 0;
	size_t i = v->row[v->at];
	if (m->focus == PANE_WAITING) {
		const struct question *q = &m->data.ask.v[i];
		const size_t beside = strlen(q->box) +
			strlen(" wants : 99 waits, denied in 999 s") + 1;
		snprintf(dst[0], 1400, "%s wants %s: %u wait%s, denied in %" PRId64 " s", q->box,
			target_end(q->target, room_beside(cols, beside), name), q->flows,
			q->flows == 1 ? "s" : "", (q->left_ms + 999) / 1000);
		snprintf(dst[1], 1400, "a until it stops, s this sandbox, A all sandboxes, d deny");
		return 2;
	}
	if (m->focus == PANE_OPEN) {
		const struct monitor_flow *f = &m->data.flow[i];
		snprintf(dst[0], 1400, "%s to %s: %" PRIu64 " bytes sent, %" PRIu64 " received",
			f->box, f->target, f->up, f->down);
		snprintf(dst[1], 1400, "%s%s%s%s",
			*f->rule ? "allowed by " : "published by the user", f->rule,
			*f->process ? ", used by " : "", f->process);
		return 2;
	}
	if (m->focus == PANE_DENIED) {
		const struct monitor_denial *x = &m->data.denial[i];
		snprintf(dst[0], 1400, "%s to %s, %" PRIu64 " times: %s", x->box, x->target,
			x->count, x->reason);
		snprintf(dst[1], 1400, *x->fix ? "%s" : "no option would allow it%s", x->fix);
		return 2;
	}
	draw_row(m, m->focus, i, MONITOR_MAX_COLS, dst[0], 1400);
	return 1;
}

/* text from row on, in as many lines as it takes; the row behind. */
static int wrap(struct monitor *m, int row, int to, const char *text)
{
	size_t n = strlen(text), w = (size_t)m->cols - 3;
	do {
		put(m, row++, PLAIN, "  %.*s", (int)MIN(n, w), text);
		text += MIN(n, w);
		n -= MIN(n, w);
	} while (n && row < to);
	return row;
}

static void draw_detail(struct monitor *m, int from, int to)
{
	char text[3][1400];
	size_t n = sentences(m, MONITOR_MAX_COLS + 512, text);
	for (size_t i = 0; i < n && from < to; i++)
		from = wrap(m, from, to, text[i]);
	for (; from < to; from++)
		put(m, from, PLAIN, "%s", "");
}

static void draw_help(struct monitor *m, int from, int to)
{
	static const char *const keys[] = {"a  allow until the sandbox stops",
		"s  allow for this sandbox, kept with it", "A  allow for all sandboxes", "d  deny",
		"tab 1 2 3 4  another pane", "j k  down, up (arrows too)",
		"enter  what is selected, in full", "/  filter; esc: all again", "q  quit"};
	for (size_t i = 0; from < to; from++, i++)
		put(m, from, PLAIN, "  %s", i < ARRAY_LEN(keys) ? keys[i] : "");
}

static void draw_head(struct monitor *m)
{
	if (m->editing || *m->filter)
		put(m, 0, TITLE, "/%s%s", m->filter, m->editing ? "_" : "   (esc: all)");
	else if (m->rows >= MONITOR_TALL)
		put(m, 0, TITLE, "bawn monitor   ? help   q quit");
	else
		put(m, 0, TITLE, "WAITING %zu OPEN %" PRIu64 " DENIED %zu RUNNING %zu",
			m->pane[PANE_WAITING].n, m->data.open, m->pane[PANE_DENIED].n,
			m->data.ask.n_running);
}

void draw(struct monitor *m)
{
	int last = m->rows - 1;
	char text[MONITOR_MAX_COLS];
	if (m->rows < MONITOR_MIN_ROWS || m->cols < MONITOR_MIN_COLS) {
		for (int row = 0; row < m->rows; row++)
			put(m, row, PLAIN, "%s", row ? "" : "needs 40x10");
		return;
	}
	draw_head(m);
	if (m->help) {
		draw_help(m, 1, last);
	} else if (m->detail) {
		draw_detail(m, 1, last);
	} else if (m->rows >= MONITOR_TALL) {
		draw_all(m, 1, last - 2);
		char s[3][1400] = {"", "", ""};
		sentences(m, (size_t)m->cols, s);
		put(m, last - 2, DIM, "%.390s", s[0]);
		put(m, last - 1, DIM, "%.390s", s[1]);
	} else {
		title(m, m->focus, text, sizeof(text));
		put(m, 1, TITLE_ON, "%s", text);
		draw_pane(m, m->focus, 2, last);
	}
	put(m, last, PLAIN, "%s", m->word);
}
