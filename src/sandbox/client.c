/* sandbox/client.c - see client.h */
#include "sandbox/client.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "sandbox/terminal.h"

#define GRACE_SECONDS 10
#define DRAIN_MS 2000
#define EARLY_SECONDS 2 /* for the first answer, after two signals that would end it */
#define REDRAW_MS 150   /* a program's time to look at its new size */

struct at {
	const struct client_config *c;
	struct terminal term;
	int signals, timer;
	int redraw;  /* timer: the pty gets its true size; -1: it has that */
	int asked;   /* SIGTERMs so far */
	int early;   /* signals that would end it, before there was a session */
	bool killed; /* SIGKILL was asked for */
	bool started, exited, last;
	bool stays;         /* the session, when this terminal goes */
	bool agent_stopped; /* by itself */
	struct client_result result;
};

int client_detach_keys(const char *text, char dst[17], struct err *err)
{
	size_t n = 0;
	const char *p = text;
	while (*p && n < TERMINAL_KEYS_MAX) {
		size_t len = strcspn(p, ",");
		if (len == 1)
			dst[n++] = *p;
		else if (len == 6 && strncmp(p, "ctrl-", 5) == 0 && p[5] >= '@' && p[5] <= '~')
			dst[n++] = (char)(p[5] & 31);
		else
			break;
		p += len;
		if (*p == ',' && p[1])
			p++;
	}
	dst[n] = '\0';
	/* a NUL (ctrl-@) would end the row */
	if (*p || n == 0 || strlen(dst) != n) {
		char shown[64];
		err_hint(err,
			"keys are characters or ctrl-CHARACTER, at most 16, with commas "
			"between: ctrl-p,ctrl-q");
		return err_set(err, EINVAL, "'%s' are no keys to detach by",
			escape_text(shown, sizeof(shown), text));
	}
	return 0;
}

static void send_plain(const struct at *a, enum session_kind kind, int value)
{
	struct session_msg m = {.kind = kind, .value = value};
	session_send(a->c->sock, &m, NULL, 0);
}

/* This process stops, with the terminal as it was, and back when it is continued.  The supervisor
 * goes on: the guards are watched. */
static void suspend(struct at *a)
{
	terminal_drain(&a->term, 20);
	terminal_stop(&a->term);
	raise(SIGSTOP);
	terminal_start(&a->term, NULL);
	terminal_resize(&a->term);
}

static void set_timer(const struct at *a, int seconds)
{
	const struct itimerspec it = {.it_value.tv_sec = seconds};
	timerfd_settime(a->timer, 0, &it, NULL);
}

/* It was asked to end and had its time: it is killed.  Where the supervisor has not even answered
 * yet, or does not see to that either, something has stopped it, and nobody need wait for it: it
 * ends what was begun for us as soon as it finds us gone. */
static int on_timer(struct at *a, struct err *err)
{
	uint64_t ticks;
	if (read(a->timer, &ticks, sizeof(ticks)) != sizeof(ticks) || a->exited)
		return 1;
	if (a->started && !a->killed) {
		a->killed = true;
		set_timer(a, GRACE_SECONDS);
		send_plain(a, SESSION_SIGNAL, SIGKILL);
		return 1;
	}
	err_hint(err,
		"has something stopped it?  ps -C bawn -o pid,stat,args shows T for that, "
		"kill -CONT PID lets it go on");
	return err_set(err, ETIMEDOUT, "the sandbox's supervisor %s",
		a->started ? "does not answer" : "has not answered yet");
}

static void on_signals(struct at *a)
{
	struct signalfd_siginfo si;
	while (read(a->signals, &si, sizeof(si)) == sizeof(si)) {
		int sig = (int)si.ssi_signo;
		if (sig == SIGWINCH) {
			terminal_resize(&a->term);
			continue;
		}
		if (sig == SIGTSTP) {
			suspend(a);
			continue;
		}
		if (sig == SIGHUP && a->stays) {
			a->term.detach = true;
			continue;
		}
		bool end = sig == SIGTERM || sig == SIGHUP || (sig == SIGINT && a->c->interrupt);
		if ((end || sig == SIGINT) && !a->result.signal)
			a->result.signal = sig;
		const bool early = !a->started && (end || sig == SIGINT);
		if (end && a->asked++ > 0)
			sig = SIGKILL;
		a->killed |= sig == SIGKILL;
		if (early || end)
			set_timer(a, early && a->early++ ? EARLY_SECONDS : GRACE_SECONDS);
		send_plain(a, SESSION_SIGNAL, sig);
		if (a->agent_stopped && a->asked) /* so that it can act on it */
			send_plain(a, SESSION_SIGNAL, SIGCONT);
		a->agent_stopped &= sig != SIGCONT;
	}
}

/* The agent stopped (Ctrl-Z): so do we.  Where it has no terminal nobody can have asked for that;
 * SIGCONT to us continues it. */
static void on_stopped(struct at *a)
{
	if (!a->asked && !a->term.raw) {
		a->agent_stopped = true;
		return;
	}
	if (!a->asked)
		suspend(a);
	send_plain(a, SESSION_SIGNAL, SIGCONT);
}

/* After RUN a program draws by itself; what goes on since before needs a reason to. */
static int take_up(struct at *a, const struct session_msg *m, struct err *err)
{
	const struct itimerspec it = {.it_value.tv_nsec = REDRAW_MS * 1000000L};
	if (!terminal_take_up(&a->term, m->text))
		return 0;
	a->redraw = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (a->redraw < 0)
		return err_sys(err, errno, "timerfd_create");
	timerfd_settime(a->redraw, 0, &it, NULL);
	return 0;
}

/* *fds: the pty and the log */
static int on_started(
	struct at *a, const struct session_msg *m, int *fds, size_t n, struct err *err)
{
	const struct itimerspec off = {0};
	a->started = true;
	if (!a->asked) /* a Ctrl-C from before this is the program's now */
		timerfd_settime(a->timer, 0, &off, NULL);
	else if (!a->killed)
		set_timer(a, GRACE_SECONDS);
	a->stays = m->flags & SESSION_DETACHED;
	if (a->c->detached)
		return 0;
	if (n == 0 || !a->c->tty_fds)
		return 0;
	a->term.log = n > 1 ? TAKE_FD(fds[1]) : -1;
	a->term.keys = a->c->keys;
	int r = terminal_open(&a->term, a->c->tty_fds, TAKE_FD(fds[0]), a->c->clipboard, err);
	if (r == 0)
		r = terminal_start(&a->term, err);
	if (r == 0 && a->stays)
		return take_up(a, m, err);
	terminal_resize(&a->term);
	return r;
}

/* Nothing of the agent's is on its way any more: the terminal is the user's again. */
static void on_exited(struct at *a, const struct session_msg *m)
{
	a->exited = true;
	a->last = m->flags & SESSION_FIRST;
	a->result.code = m->value;
	a->result.timeout = m->flags & SESSION_TIMEOUT;
	terminal_drain(&a->term, DRAIN_MS);
	terminal_close(&a->term);
	send_plain(a, SESSION_DETACH, 0);
}

static int on_message(struct at *a, struct err *err)
{
	static struct session_msg m;
	int fds[8];
	size_t n = 0;
	int r = session_recv(a->c->sock, &m, fds, &n);
	if (r == -EAGAIN)
		return 1;
	if (r <= 0 && a->exited)
		return 0; /* the supervisor has said all it had to say, and is gone */
	if (r <= 0 && !a->started)
		return -ESRCH;
	if (r <= 0) {
		err_hint(err,
			"what it left in a workspace that it could write to, the next session in "
			"this sandbox tells");
		return err_set(err, EIO, "the sandbox's supervisor ended unexpectedly");
	}
	switch ((enum session_kind)m.kind) {
	case SESSION_STARTED:
		r = on_started(a, &m, fds, n, err);
		r = r < 0 ? r : !a->c->detached;
		break;
	case SESSION_EXITED:
		on_exited(a, &m);
		r = a->last;
		break;
	case SESSION_FAILED:
		if (m.value == ESRCH && !a->started)
			return -ESRCH;
		a->result.failed = true;
		a->result.code = m.code;
		session_take_error(&m, err);
		r = 0;
		break;
	case SESSION_STOPPED:
		on_stopped(a);
		break;
	case SESSION_TITLE:
		terminal_title(&a->term, m.text);
		break;
	default:
		break;
	}
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return r;
}

static int set_up(struct at *a, struct err *err)
{
	sigset_t set;
	session_signals(&set);
	a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (a->signals < 0 || a->timer < 0)
		return err_sys(err, errno, "set up the session");
	return 0;
}

/* poll's bits are epoll's (poll(2), epoll_ctl(2)) */
static short events(uint32_t want)
{
	return (short)want;
}

static int loop(struct at *a, struct err *err)
{
	struct terminal *t = &a->term;
	for (;;) {
		terminal_pump(t);
		if (t->detach) {
			a->result.detached = true;
			return 0;
		}
		uint32_t in = terminal_want_in(t), out = terminal_want_out(t),
			 master = terminal_want_master(t);
		struct pollfd p[] = {{.fd = a->c->sock, .events = POLLIN},
			{.fd = a->signals, .events = POLLIN}, {.fd = a->timer, .events = POLLIN},
			{.fd = a->redraw, .events = POLLIN},
			{.fd = in ? t->in : -1, .events = events(in)},
			{.fd = out ? t->out : -1, .events = events(out)},
			{.fd = master ? t->master : -1, .events = events(master)}};
		if (poll(p, ARRAY_LEN(p), terminal_wait_ms(t)) < 0 && errno != EINTR)
			return err_sys(err, errno, "poll");
		terminal_look(t);
		if (p[1].revents)
			on_signals(a);
		if (p[2].revents && on_timer(a, err) < 0)
			return -err->code;
		if (p[3].revents) {
			close(TAKE_FD(a->redraw));
			terminal_resize(t);
		}
		int r = p[0].revents ? on_message(a, err) : 1;
		if (r <= 0)
			return r;
	}
}

int client_run(const struct client_config *c, struct client_result *ret, struct err *err)
{
	struct at a = {.c = c, .signals = -1, .timer = -1, .redraw = -1};
	terminal_clear(&a.term);
	int r = set_up(&a, err);
	if (r == 0)
		r = loop(&a, err);
	struct session_msg bye = {.kind = SESSION_DETACH};
	if (a.result.detached) {
		/* with the modes it is in, for whoever takes it up */
		bye.text[term_filter_redo(&a.term.filter, bye.text)] = '\0';
		if (a.redraw >= 0)
			terminal_resize(&a.term);
	}
	terminal_close(&a.term);
	if (a.result.detached)
		session_send(c->sock, &bye, NULL, 0);
	if (a.redraw >= 0)
		close(a.redraw);
	if (a.signals >= 0)
		close(a.signals);
	if (a.timer >= 0)
		close(a.timer);
	if (r == 0)
		*ret = a.result;
	return r;
}
