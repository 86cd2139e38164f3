/* cli/monitor-keys.c - keys of bawn monitor, what is selected, answers; see monitor.h.
 *
 * Must not: answer by itself, or let what moves under the cursor be answered: a row is kept
 * selected by its key, and where it goes away keys count only a moment later.  What is pasted is no
 * key, and the end of an arrow's sequence that came late isn't one either.  An answer is a bawn
 * policy answer of its own, so that nothing holds up the screen.
 */
#include <inttypes.h>

#include "cli/monitor.h"

enum { SETTLE_MS = 700, ESC_MS = 150 };

/* ---- which rows ---- */

static size_t list_length(const struct monitor *m, enum pane_kind p)
{
	const struct monitor_data *d = &m->data;
	const size_t n[] = {[PANE_WAITING] = d->ask.n,
		[PANE_OPEN] = d->n_flow,
		[PANE_DENIED] = d->n_denial,
		[PANE_BOXES] = d->ask.n_running + d->ask.n_silent};
	return n[p];
}

/* What a row is known by from one look to the next. */
static void key_of(const struct monitor *m, enum pane_kind p, size_t i, char dst[static 512])
{
	const struct monitor_data *d = &m->data;
	if (p == PANE_WAITING)
		snprintf(dst, 512, "%s:%" PRIu32, d->ask.v[i].box, d->ask.v[i].id);
	else if (p == PANE_OPEN) {
		/* of several to one target: its place among them */
		size_t nth = 0;
		for (size_t k = 0; k < i; k++)
			nth += streq(d->flow[k].box, d->flow[i].box) &&
				streq(d->flow[k].target, d->flow[i].target);
		snprintf(dst, 512, "%s %s %zu", d->flow[i].box, d->flow[i].target, nth);
	} else if (p == PANE_DENIED)
		snprintf(dst, 512, "%.79s %.339s %.80s", d->denial[i].box, d->denial[i].target,
			d->denial[i].reason);
	else
		snprintf(dst, 512, "%s",
			i < d->ask.n_running ? d->ask.running[i]
					     : d->ask.silent[i - d->ask.n_running]);
}

static bool passes(const struct monitor *m, enum pane_kind p, size_t i)
{
	char text[1400];
	if (!*m->filter)
		return true;
	draw_row(m, p, i, sizeof(text), text, sizeof(text));
	return strcasestr(text, m->filter) != NULL;
}

static void select_at(struct monitor *m, enum pane_kind p, size_t at)
{
	struct pane *v = &m->pane[p];
	v->at = v->n ? MIN(at, v->n - 1) : 0;
	v->key[0] = '\0';
	if (v->n)
		key_of(m, p, v->row[v->at], v->key);
}

static void renew(struct monitor *m, enum pane_kind p)
{
	struct pane *v = &m->pane[p];
	size_t all = list_length(m, p), old = v->at;
	char key[512];
	bool found = false;
	v->n = 0;
	for (size_t i = 0; i < all && v->n < MONITOR_PANE_ROWS; i++) {
		if (!passes(m, p, i))
			continue;
		key_of(m, p, i, key);
		if (!found && *v->key && streq(key, v->key)) {
			found = true;
			v->at = v->n;
		}
		v->row[v->n++] = (uint16_t)i;
	}
	if (found)
		return;
	if (p == PANE_WAITING && (*v->key || v->n))
		m->moved = monitor_ms();
	select_at(m, p, p == PANE_WAITING ? 0 : old);
}

void keys_renew(struct monitor *m)
{
	for (int p = 0; p < N_PANES; p++)
		renew(m, (enum pane_kind)p);
}

/* ---- answers ---- */

static void answer(struct monitor *m, const char *what)
{
	const struct pane *v = &m->pane[PANE_WAITING];
	char id[96], name[] = "bawn", policy[] = "policy", verb[] = "answer", word[16];
	struct err err = {0};
	if (m->focus != PANE_WAITING || v->at >= v->n || m->help || m->child.pid > 0 ||
		monitor_ms() - m->moved < SETTLE_MS)
		return;
	const struct question *q = &m->data.ask.v[v->row[v->at]];
	snprintf(id, sizeof(id), "%s:%" PRIu32, q->box, q->id);
	snprintf(word, sizeof(word), "%s", what);
	char *argv[] = {name, policy, verb, id, word, NULL};
	/* our terminal is its input, by which the log knows who answers; it reads nothing */
	const int fds[] = {STDIN_FILENO, -1, -1};
	const struct proc_spawn how = {.path = "/proc/self/exe",
		.argv = argv,
		.envp = environ,
		.fds = fds,
		.nfds = ARRAY_LEN(fds)};
	if (proc_spawn(&how, &m->child, &err) < 0)
		snprintf(m->word, sizeof(m->word), "%.300s", err.msg);
	else
		snprintf(m->word, sizeof(m->word), "%s: %s", what, q->target);
}

void keys_answered(struct monitor *m)
{
	int status = 0;
	proc_wait(&m->child, &status);
	m->child = PROC_NONE;
	if (status)
		snprintf(m->word, sizeof(m->word),
			"not answered (status %d): bawn policy answer says why", status);
}

/* ---- keys ---- */

enum {
	KEY_UP = 256,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_BACK_TAB,
	KEY_ESC
};

static void move(struct monitor *m, int by)
{
	struct pane *v = &m->pane[m->focus];
	size_t at = v->at;
	if (by < 0)
		at -= MIN(at, (size_t)-by);
	else
		at += (size_t)by;
	select_at(m, m->focus, at);
}

static void edit(struct monitor *m, int key)
{
	size_t n = strlen(m->filter);
	if (key == '\r' || key == '\n')
		m->editing = false;
	else if ((key == 0x7f || key == '\b') && n > 0)
		m->filter[n - 1] = '\0';
	else if (key == KEY_ESC || key == 3) {
		m->editing = false;
		m->filter[0] = '\0';
	} else if (key >= 0x20 && key < 0x7f && n + 1 < sizeof(m->filter)) {
		m->filter[n] = (char)key;
		m->filter[n + 1] = '\0';
	}
	keys_renew(m);
}

static void escape(struct monitor *m)
{
	if (m->help || m->detail)
		m->help = m->detail = false;
	else
		m->filter[0] = '\0';
	keys_renew(m);
}

static void to_pane(struct monitor *m, int p)
{
	m->focus = (enum pane_kind)((p + N_PANES) % N_PANES);
	m->detail = false;
}

/* False: quit. */
static bool on_key(struct monitor *m, int key)
{
	static const struct {
		int key, by;
	} moves[] = {{'j', 1}, {'k', -1}, {KEY_DOWN, 1}, {KEY_UP, -1}, {KEY_PAGE_DOWN, 10},
		{KEY_PAGE_UP, -10}, {KEY_HOME, -MONITOR_PANE_ROWS}, {KEY_END, MONITOR_PANE_ROWS}};
	static const struct {
		char key;
		const char *what;
	} answers[] = {{'a', "once"}, {'s', "sandbox"}, {'A', "always"}, {'d', "deny"}};
	if (m->editing) {
		edit(m, key);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (key == answers[i].key)
			answer(m, answers[i].what);
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (key == moves[i].key)
			move(m, moves[i].by);
	if (key >= '1' && key < '1' + N_PANES)
		to_pane(m, key - '1');
	else if (key == '\t')
		to_pane(m, (int)m->focus + 1);
	else if (key == KEY_BACK_TAB)
		to_pane(m, (int)m->focus - 1);
	else if (key == '\r' || key == '\n')
		m->detail = !m->detail;
	else if (key == '/')
		m->editing = true;
	else if (key == KEY_ESC)
		escape(m);
	else if (key == '?')
		m->help = !m->help;
	return key != 'q' && key != 3;
}

/* What a sequence "ESC [ seq" is, or 0. */
static int named(struct monitor *m)
{
	static const struct {
		const char *seq;
		int key;
	} keys[] = {{"A", KEY_UP}, {"B", KEY_DOWN}, {"5~", KEY_PAGE_UP}, {"6~", KEY_PAGE_DOWN},
		{"H", KEY_HOME}, {"F", KEY_END}, {"1~", KEY_HOME}, {"4~", KEY_END},
		{"Z", KEY_BACK_TAB}};
	if (streq(m->seq, "200~"))
		m->pasting = true;
	if (streq(m->seq, "201~"))
		m->pasting = false;
	for (size_t i = 0; i < ARRAY_LEN(keys) && !m->pasting; i++)
		if (streq(m->seq, keys[i].seq))
			return keys[i].key;
	return 0;
}

static bool on_byte(struct monitor *m, char c)
{
	size_t n = strlen(m->seq);
	if (c == '\033') {
		m->esc = 1;
		m->esc_ms = monitor_ms();
		m->seq[0] = '\0';
		return true;
	}
	if (m->esc == 1 && (c == '[' || c == 'O')) {
		m->esc = 2;
		return true;
	}
	if (m->esc == 2) {
		if (n + 1 < sizeof(m->seq)) {
			m->seq[n] = c;
			m->seq[n + 1] = '\0';
		}
		if (c >= 0x40 && c < 0x7f) {
			int key = named(m);
			m->esc = 0;
			return key == 0 || on_key(m, key);
		}
		return true;
	}
	m->esc = 0;
	return m->pasting || on_key(m, (unsigned char)c);
}

bool keys_input(struct monitor *m)
{
	char buf[64];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	for (ssize_t i = 0; i < n; i++)
		if (!on_byte(m, buf[i]))
			return false;
	return true;
}

int keys_wait(struct monitor *m)
{
	if (m->esc != 1 || !m->esc_ms)
		return -1;
	uint64_t past = monitor_ms() - m->esc_ms;
	if (past < ESC_MS)
		return (int)(ESC_MS - past);
	/* it counts; should the rest of a sequence come yet, it is still one */
	m->esc_ms = 0;
	on_key(m, KEY_ESC);
	return -1;
}
