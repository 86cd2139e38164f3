/* cli/cmd-monitor.c - bawn monitor: what runs and what waits for an answer, in a terminal that is
 * not the agent's.
 *
 * Owns: the screen, the keys.  Must not: answer by itself, or let what moves under the cursor be
 * answered: a question is kept selected by its number, and where it goes away keys count only a
 * moment later.  An answer is a bawn policy answer of its own, so that nothing holds up the screen.
 *
 * A frame is an array of lines; only those that differ from the last are written.  All text from
 * elsewhere is reduced to printable ASCII.  Signals are held (verb.h) and read from a signalfd, so
 * whichever ends us, the terminal is put right first.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "base/fd.h"
#include "base/json-out.h"
#include "base/proc.h"
#include "cli/command.h"
#include "cli/questions.h"
#include "cli/verb.h"

enum {
	MAX_ROWS = 200,
	MAX_COLS = 400,
	LOOK_MS = 500,
	SETTLE_MS = 700,
	MIN_ROWS = 10,
	MIN_COLS = 40
};

struct monitor {
	struct run *r;
	bool json;
	struct questions all;
	char box[80]; /* the selected question */
	uint32_t id;
	size_t at;
	uint64_t moved; /* ms: it was selected, not by a key */
	bool help;
	char word[MAX_COLS]; /* the last line: what became of an answer */
	struct proc child;
	int rows, cols;
	bool plain; /* no attributes */
	char shown[MAX_ROWS][MAX_COLS];
};

static uint64_t now_ms(void)
{
	return run_now() / 1000000;
}

/* ---- drawing ---- */

static void put_line(struct monitor *m, int row, bool mark, const char *fmt, ...) _printf_(4, 5);

static void put_line(struct monitor *m, int row, bool mark, const char *fmt, ...)
{
	char text[MAX_COLS], out[MAX_COLS + 64];
	va_list ap;
	if (row >= m->rows)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text[MIN(m->cols, MAX_COLS - 1) - 1] = '\0'; /* the last column would wrap */
	for (char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	const char *on = mark && !m->plain ? "\033[7m" : "";
	const char *off = *on ? "\033[0m" : "";
	int n = snprintf(out, sizeof(out), "\033[%d;1H%s%s%s\033[K", row + 1, on, text, off);
	char kept[MAX_COLS];
	snprintf(kept, sizeof(kept), "%c%.*s", mark ? '>' : ' ', MAX_COLS - 2, text);
	if (streq(kept, m->shown[row]))
		return;
	memcpy(m->shown[row], kept, sizeof(kept));
	fd_write_all(STDOUT_FILENO, out, (size_t)n);
}

static void measure(struct monitor *m)
{
	struct winsize ws = {0};
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	m->rows = ws.ws_row ? MIN((int)ws.ws_row, MAX_ROWS) : 24;
	m->cols = ws.ws_col ? MIN((int)ws.ws_col, MAX_COLS) : 80;
	memset(m->shown, 0, sizeof(m->shown)); /* differs from every line */
}

static void draw_questions(struct monitor *m, int from, int to)
{
	size_t room = (size_t)(to - from), first = m->at >= room ? m->at - room + 1 : 0;
	for (int row = from; row < to; row++) {
		size_t i = first + (size_t)(row - from);
		const struct question *q = &m->all.v[i];
		if (i >= m->all.n)
			put_line(m, row, false, "%s", i == 0 ? "  nothing waits" : "");
		else
			put_line(m, row, i == m->at, "%c %3" PRId64 "s  %s  %s%s",
				i == m->at ? '>' : ' ', (q->left_ms + 999) / 1000, q->target,
				q->box, q->flows > 1 ? "  (several)" : "");
	}
}

static void draw_boxes(struct monitor *m, int from, int to)
{
	for (int row = from; row < to; row++) {
		size_t i = (size_t)(row - from);
		if (i < m->all.n_running)
			put_line(m, row, false, "  %s", m->all.running[i]);
		else if (i - m->all.n_running < m->all.n_silent)
			put_line(m, row, false, "  %s does not answer",
				m->all.silent[i - m->all.n_running]);
		else
			put_line(m, row, false, "%s", "");
	}
}

static void draw(struct monitor *m)
{
	static const char *const keys[] = {"a  allow until the sandbox stops",
		"s  allow for this sandbox, kept with it", "A  allow for all sandboxes", "d  deny",
		"j k  down, up (arrows too)", "q  quit"};
	if (m->rows < MIN_ROWS || m->cols < MIN_COLS) {
		for (int row = 0; row < m->rows; row++)
			put_line(m, row, false, "%s", row ? "" : "too small: 40x10 at least");
		return;
	}
	int half = (m->rows - 4) * 2 / 3;
	put_line(m, 0, false, "WAITING %zu   (a s A d, ? help, q quit)", m->all.n);
	if (m->help)
		for (int i = 0; i < m->rows - 2; i++)
			put_line(m, i + 1, false, "  %s", i < (int)ARRAY_LEN(keys) ? keys[i] : "");
	else {
		draw_questions(m, 1, 1 + half);
		put_line(m, 1 + half, false, "RUNNING %zu", m->all.n_running);
		draw_boxes(m, 2 + half, m->rows - 1);
	}
	put_line(m, m->rows - 1, false, "%s", m->word);
}

/* ---- what is selected ---- */

static void select_at(struct monitor *m, size_t i)
{
	m->at = i;
	m->id = i < m->all.n ? m->all.v[i].id : 0;
	snprintf(m->box, sizeof(m->box), "%s", i < m->all.n ? m->all.v[i].box : "");
}

static void look(struct monitor *m)
{
	struct err err = {0};
	if (questions_list(m->r, NULL, &m->all, &err) < 0)
		snprintf(m->word, sizeof(m->word), "%.300s", err.msg);
	for (size_t i = 0; i < m->all.n; i++)
		if (m->all.v[i].id == m->id && streq(m->all.v[i].box, m->box)) {
			m->at = i;
			return;
		}
	if (m->id || m->all.n)
		m->moved = now_ms();
	select_at(m, 0);
}

/* ---- answers ---- */

static void answer(struct monitor *m, const char *what)
{
	char id[96], name[] = "bawn", policy[] = "policy", verb[] = "answer", word[16];
	struct err err = {0};
	if (m->id == 0 || m->help || m->child.pid > 0 || now_ms() - m->moved < SETTLE_MS)
		return;
	snprintf(id, sizeof(id), "%s:%" PRIu32, m->box, m->id);
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
		snprintf(m->word, sizeof(m->word), "%s: %s", what, m->all.v[m->at].target);
}

static void answered(struct monitor *m)
{
	int status = 0;
	proc_wait(&m->child, &status);
	m->child = PROC_NONE;
	if (status)
		snprintf(m->word, sizeof(m->word),
			"not answered (status %d): bawn policy answer "
			"says why",
			status);
}

/* False: quit. */
static bool on_key(struct monitor *m, char key)
{
	static const struct {
		char key;
		const char *what;
	} answers[] = {{'a', "once"}, {'s', "sandbox"}, {'A', "always"}, {'d', "deny"}};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (key == answers[i].key)
			answer(m, answers[i].what);
	if (key == 'j' && m->at + 1 < m->all.n)
		select_at(m, m->at + 1);
	else if (key == 'k' && m->at > 0)
		select_at(m, m->at - 1);
	else if (key == '?')
		m->help = !m->help;
	return key != 'q' && key != 3;
}

static bool on_input(struct monitor *m)
{
	char buf[64];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	for (ssize_t i = 0; i < n; i++) {
		bool escape = buf[i] == '\033';
		if (escape && i + 2 < n && buf[i + 1] == '[') {
			i += 2;
			if (!on_key(m, buf[i] == 'A' ? 'k' : buf[i] == 'B' ? 'j' : '\0'))
				return false;
		} else if (!escape && !on_key(m, buf[i])) {
			return false;
		}
	}
	return true;
}

/* ---- the terminal ---- */

/* The signal that ended it, or 0. */
static int watch(struct monitor *m, int signals)
{
	uint64_t next = 0;
	for (;;) {
		if (now_ms() >= next) {
			look(m);
			next = now_ms() + LOOK_MS;
		}
		draw(m);
		struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = signals, .events = POLLIN},
			{.fd = m->child.pid > 0 ? m->child.pidfd : -1, .events = POLLIN}};
		uint64_t t = now_ms();
		poll(p, ARRAY_LEN(p), next > t ? (int)(next - t) : 0);
		struct signalfd_siginfo si;
		while (read(signals, &si, sizeof(si)) == sizeof(si)) {
			int sig = (int)si.ssi_signo;
			if (sig == SIGWINCH)
				measure(m);
			else if (sig == SIGTERM || sig == SIGINT || sig == SIGHUP || sig == SIGQUIT)
				return sig;
		}
		if (p[2].revents) {
			answered(m);
			next = 0;
		}
		if (p[0].revents && !on_input(m))
			return 0;
	}
}

static int on_terminal(struct monitor *m, struct err *err)
{
	static const char begin[] = "\033[?1049h\033[?25l\033[2J", end[] = "\033[?25h\033[?1049l";
	static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
	struct termios old, raw;
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	_cleanup_close_ int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0 || tcgetattr(STDIN_FILENO, &old) < 0)
		return err_sys(err, errno, "the terminal");
	raw = old;
	cfmakeraw(&raw);
	measure(m);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw); /* what was typed before is no answer */
	fd_write_all(STDOUT_FILENO, begin, sizeof(begin) - 1);
	int sig = watch(m, signals);
	fd_write_all(STDOUT_FILENO, end, sizeof(end) - 1);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	if (m->child.pid > 0)
		answered(m);
	return sig ? 128 + sig : 0;
}

/* ---- without one ---- */

static int stream(struct monitor *m, struct err *err)
{
	for (;;) {
		int k = questions_list(m->r, NULL, &m->all, err);
		if (k < 0)
			return k;
		struct json_out j = {0};
		json_begin(&j, NULL, '{');
		json_begin(&j, "running", '[');
		for (size_t i = 0; i < m->all.n_running; i++)
			json_str(&j, NULL, m->all.running[i]);
		json_end(&j, ']');
		json_begin(&j, "waiting", '[');
		for (size_t i = 0; i < m->all.n; i++)
			questions_json(&j, &m->all.v[i]);
		json_end(&j, ']');
		json_end(&j, '}');
		bool lost = j.failed || puts(j.buf) < 0 || fflush(stdout) != 0;
		json_free(&j);
		if (lost)
			return 0; /* nobody reads any more */
		poll(NULL, 0, 1000);
	}
}

static int monitor(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct monitor *m = ctx;
	const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
	(void)word, (void)n;
	m->r = r;
	m->child = PROC_NONE;
	m->plain = plain && *plain;
	if (m->json)
		return stream(m, err);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || streq(term, "dumb")) {
		err_hint(err, "for a script: bawn monitor --json, or bawn policy pending");
		return err_set(err, ENOTTY, "bawn monitor is for a terminal that can be drawn on");
	}
	return on_terminal(m, err);
}

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct monitor *m = ctx;
	(void)id, (void)value, (void)err;
	m->json = true;
	return 0;
}

int cmd_monitor(int argc, char **argv)
{
	static const struct option_row rows[] = {
		{"json", 0, NULL, "print one object a second, for a script", 0}, VERB_HELP_ROW,
		{0}};
	static const struct verb v = {.usage = "monitor [--json]",
		.help = "Show which sandboxes run, and what waits for an answer (run --ask), and "
			"answer it.\nKeys: a until it stops, s this sandbox, A all, d deny; j k "
			"move, ? help, q quit.",
		.examples = "  bawn monitor\n  bawn monitor --json | head -n 1\n",
		.rows = rows,
		.ends = true,
		.option = option,
		.max = 0,
		.run = monitor};
	static struct monitor m;
	struct run r;
	return verb_main(&v, &r, &m, argc, argv);
}
