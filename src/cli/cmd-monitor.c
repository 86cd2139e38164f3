/* cli/cmd-monitor.c - bawn monitor: what runs, what is connected, what was denied, and what waits
 * for an answer, in a terminal that is not the agent's.
 *
 * Owns: options, JSON, the terminal.  Keys and screen are monitor-keys.c's and monitor-draw.c's.
 *
 * Two processes, so that the terminal is put right whatever ends one: the one that draws holds its
 * signals (verb.h) and reads them from a signalfd; the other passes on what it gets, and waits.  Is
 * the first killed, the second restores the terminal; is the second killed, the first gets SIGTERM.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/escape.h"
#include "base/fd.h"
#include "cli/command.h"
#include "cli/monitor.h"
#include "cli/verb.h"

enum { LOOK_MS = 500 };

struct screen {
	struct termios old;
	int signals;
};

/* The alternate screen, no cursor, pastes marked as such; and back. */
static void enter(const struct screen *s)
{
	static const char begin[] = "\033[?1049h\033[?25l\033[?2004h\033[2J";
	struct termios raw = s->old;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw); /* what was typed before is no answer */
	fd_write_all(STDOUT_FILENO, begin, sizeof(begin) - 1);
}

static void leave(const struct screen *s)
{
	static const char end[] = "\033[0m\033[?2004l\033[?25h\033[?1049l";
	fd_write_all(STDOUT_FILENO, end, sizeof(end) - 1);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->old);
}

static void look(struct monitor *m)
{
	struct err err = {0};
	if (monitor_read(m->r, m->only, m->n_only, &m->data, &err) < 0)
		snprintf(m->word, sizeof(m->word), "%.300s", err.msg);
	keys_renew(m);
}

/* True: it ends us. */
static bool on_signal(struct monitor *m, const struct screen *s, int sig)
{
	if (sig == SIGWINCH) {
		draw_measure(m);
	} else if (sig == SIGTSTP) {
		leave(s);
		kill(getpid(), SIGSTOP);
		enter(s);
		draw_measure(m);
	} else {
		return sig != SIGCHLD;
	}
	return false;
}

/* The signal that ended it, or 0. */
static int watch(struct monitor *m, const struct screen *s)
{
	uint64_t next = 0;
	for (;;) {
		if (monitor_ms() >= next) {
			look(m);
			next = monitor_ms() + LOOK_MS;
		}
		int esc = keys_wait(m);
		draw(m);
		struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = s->signals, .events = POLLIN},
			{.fd = m->child.pid > 0 ? m->child.pidfd : -1, .events = POLLIN}};
		uint64_t t = monitor_ms();
		int wait = next > t ? (int)(next - t) : 0;
		poll(p, ARRAY_LEN(p), esc >= 0 ? MIN(wait, esc) : wait);
		struct signalfd_siginfo si;
		while (read(s->signals, &si, sizeof(si)) == sizeof(si))
			if (on_signal(m, s, (int)si.ssi_signo))
				return (int)si.ssi_signo;
		if (p[2].revents) {
			keys_answered(m);
			next = 0;
		}
		if (p[0].revents && !keys_input(m))
			return 0;
	}
}

_noreturn_ static void drawer(struct monitor *m, const struct screen *s, pid_t parent)
{
	/* the shell may have the terminal by then, and we are in the background */
	sigset_t ttou;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(128 + SIGTERM);
	draw_measure(m);
	enter(s);
	int sig = watch(m, s);
	leave(s);
	if (m->child.pid > 0)
		keys_answered(m);
	_exit(sig ? 128 + sig : 0);
}

/* Pass on what comes until the drawer has ended; its wait status. */
static int attend(const struct screen *s, pid_t pid)
{
	for (;;) {
		struct signalfd_siginfo si;
		struct pollfd p = {.fd = s->signals, .events = POLLIN};
		int status = 0;
		pid_t k = waitpid(pid, &status, WNOHANG | WUNTRACED);
		if (k == pid && !WIFSTOPPED(status))
			return status;
		if (k == pid) {
			kill(getpid(), SIGSTOP);
			kill(pid, SIGCONT);
		}
		poll(&p, 1, -1);
		while (read(s->signals, &si, sizeof(si)) == sizeof(si))
			if (si.ssi_signo != SIGCHLD)
				kill(pid, (int)si.ssi_signo);
	}
}

static int on_terminal(struct monitor *m, struct err *err)
{
	static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH, SIGCHLD};
	struct screen s;
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	_cleanup_close_ int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s.signals = signals;
	if (signals < 0 || tcgetattr(STDIN_FILENO, &s.old) < 0)
		return err_sys(err, errno, "the terminal");
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return err_sys(err, errno, "fork");
	if (pid == 0)
		drawer(m, &s, parent);
	int status = attend(&s, pid);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	leave(&s);
	err_hint(err, "the terminal is as it was; start it again");
	return err_set(err, EINTR, "bawn monitor was ended by signal %d", WTERMSIG(status));
}

/* ---- without one ---- */

static int stream(struct monitor *m, struct err *err)
{
	for (;;) {
		int k = monitor_read(m->r, m->only, m->n_only, &m->data, err);
		if (k < 0)
			return k;
		struct json_out j = {0};
		monitor_json(&j, &m->data);
		bool lost = j.failed || puts(j.buf) < 0 || fflush(stdout) != 0;
		json_free(&j);
		if (lost || m->once)
			return 0; /* that it could not be written is told at the end */
		poll(NULL, 0, 1000);
	}
}

/* The names are of sandboxes that there are; whether they run is what is shown. */
static int check_names(struct monitor *m, struct err *err)
{
	for (size_t i = 0; i < m->n_only; i++) {
		const char *name = m->only[i];
		char path[4096], shown[256];
		int n = snprintf(path, sizeof(path), "%s/%s", m->r->store.sandboxes, name);
		bool plain = *name && *name != '.' && !strchr(name, '/');
		if (plain && n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0)
			continue;
		err_hint(err, "which there are: bawn ls");
		return err_set(err, ENOENT, "there is no sandbox '%s'",
			escape_text(shown, sizeof(shown), name));
	}
	return 0;
}

static int monitor(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct monitor *m = ctx;
	const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
	m->r = r;
	m->child = PROC_NONE;
	m->plain = plain && *plain;
	m->only = word;
	m->n_only = (size_t)n;
	int k = check_names(m, err);
	if (k < 0)
		return k;
	if (m->once && !m->json) {
		err_hint(err, "bawn monitor --json --once");
		return err_set(err, EINVAL, "--once is for --json");
	}
	if (m->json)
		return stream(m, err);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || streq(term, "dumb")) {
		err_hint(err, "for a script: bawn monitor --json, or bawn policy pending");
		return err_set(err, ENOTTY, "bawn monitor is for a terminal that can be drawn on");
	}
	return on_terminal(m, err);
}

enum { OPT_JSON, OPT_ONCE };

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct monitor *m = ctx;
	(void)value, (void)err;
	if (id == OPT_JSON)
		m->json = true;
	else
		m->once = true;
	return 0;
}

int cmd_monitor(int argc, char **argv)
{
	static const struct option_row rows[] = {
		{"json", 0, NULL, "print one object a second, for a script", OPT_JSON},
		{"once", 0, NULL, "with --json: print one object, and end", OPT_ONCE},
		VERB_HELP_ROW, {0}};
	static const struct verb v = {.usage = "monitor [--json [--once]] [NAME...]",
		.help = "Show which sandboxes run, their connections and denials, and what waits "
			"for "
			"an answer\n(run --ask), and answer it; with NAME of those sandboxes "
			"alone.\n"
			"Keys: a until it stops, s this sandbox, A all, d deny; tab pane, j k "
			"move, / "
			"filter,\nenter in full, ? help, q quit.",
		.examples = "  bawn monitor\n  bawn monitor claude-project\n"
			    "  bawn monitor --json --once\n",
		.rows = rows,
		.ends = true,
		.option = option,
		.max = -1,
		.run = monitor};
	static struct monitor m;
	struct run r;
	return verb_main(&v, &r, &m, argc, argv);
}
