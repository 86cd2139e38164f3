/* sandbox/terminal.c - see terminal.h */
#include "sandbox/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "sandbox/term-key.h"

/* What any program may have left on: put back by the guard, which cannot know what was set. */
static const char undo_all[] =
	"\033\\\033[?1049l\033[?1000l\033[?1002l\033[?1003l\033[?1004l\033[?1006l"
	"\033[?2004l\033[?2026l\033[<9u\033[>4;0m\033>\033[?1l\033[?25h\033[?7h\033[0m\r";
/* How long an answer to a query may be on its way when the agent ends. */
#define LATE_REPLY_MS 80
/* How soon a job that was brought to the foreground has the terminal. */
#define BACKGROUND_LOOK_MS 500

void terminal_clear(struct terminal *t)
{
	*t = (struct terminal){.in = -1, .out = -1, .master = -1, .guard_pipe = -1, .log = -1};
}

/* O_NONBLOCK on the caller's own description would outlive us: another one, of the terminal that is
 * descriptor fd.  One that belongs to somebody else (after su) can't be opened by its name, but the
 * process's own can be as /dev/tty. */
static int open_again(int fd)
{
	const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, flags);
	if (again < 0 && errno == EACCES) {
		/* it knows a session of the controlling terminal only */
		bool ours = tcgetsid(fd) >= 0;
		errno = EACCES;
		if (ours)
			again = open("/dev/tty", flags);
	}
	return again;
}

int terminal_open(
	struct terminal *t, unsigned int tty_fds, int master, bool clipboard, struct err *err)
{
	if (!tty_fds)
		return 0;
	const char *term = getenv("TERM");
	t->plain = !term || !*term || streq(term, "dumb");
	t->master = master;
	t->filter.clipboard = clipboard;
	if (master < 0 || fd_set_nonblock(master) < 0)
		return err_set(err, EIO, "the agent's pty did not arrive");
	int first = tty_fds & 1 ? 0 : tty_fds & 2 ? 1 : 2;
	if (tty_fds & 1)
		t->in = 0;
	t->out = open_again(tty_fds & 2 ? 1 : tty_fds & 4 ? 2 : first);
	if (t->out < 0) {
		int e = errno;
		if (e == EACCES)
			err_hint(err,
				"it belongs to another user and is not this session's own: start "
				"from a terminal of yours (su --pty, script -qc), or pipe the "
				"output through cat");
		return err_sys(err, e, "open the terminal");
	}
	if (t->in >= 0 && tcgetattr(t->in, &t->saved) < 0)
		return err_sys(err, errno, "read the terminal's modes");
	return 0;
}

static void set_modes(int fd, const struct termios *modes)
{
	/* From the background this would stop us (SIGTTOU); as the guard we may well be there. */
	sigset_t ttou, old;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	while (tcsetattr(fd, TCSADRAIN, modes) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void write_slowly(int fd, const char *s, size_t n, int ms)
{
	while (n) {
		ssize_t k = write(fd, s, n);
		if (k > 0) {
			s += k;
			n -= (size_t)k;
			continue;
		}
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		if (errno != EAGAIN || poll(&p, 1, ms) <= 0)
			return;
	}
}

/* The guard: bawn may be killed at any instant; whoever is left puts the terminal right. */
_noreturn_ static void guard_main(const struct terminal *t, int pipe_read)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	char done;
	ssize_t n;
	do
		n = read(pipe_read, &done, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		write_slowly(t->out, undo_all, sizeof(undo_all) - 1, 200);
		set_modes(t->in, &t->saved);
		tcflush(t->in, TCIFLUSH);
	}
	_exit(0);
}

static int guard_start(struct terminal *t, struct err *err)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	pid_t pid = fork();
	if (pid < 0) {
		close(p[0]);
		close(p[1]);
		return err_sys(err, errno, "start the terminal's guard");
	}
	if (pid == 0) {
		close(p[1]);
		/* It must not hold anything else of the run open: a socket in it would keep
		 * helpers. */
		for (int fd = 3; fd < 64; fd++)
			if (fd != p[0] && fd != t->out)
				close(fd);
		guard_main(t, p[0]);
	}
	close(p[0]);
	t->guard_pipe = p[1];
	t->guard_pid = pid;
	return 0;
}

int terminal_start(struct terminal *t, struct err *err)
{
	if (t->in < 0 || t->raw)
		return 0;
	if (tcgetpgrp(t->in) != getpgrp())
		return 0; /* in the background: nobody types to us */
	if (t->guard_pipe < 0) {
		int r = guard_start(t, err);
		if (r < 0)
			return r;
	}
	struct termios raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(t->in, TCSADRAIN, &raw) < 0)
		return err_sys(err, errno, "set the terminal to raw mode");
	t->raw = true;
	if (!t->plain)
		write_slowly(t->out, "\033[22;2t", 7, 100); /* save the title (xterm's stack) */
	return 0;
}

int terminal_wait_ms(const struct terminal *t)
{
	return t->in >= 0 && !t->raw ? BACKGROUND_LOOK_MS : -1;
}

void terminal_look(struct terminal *t)
{
	if (terminal_wait_ms(t) < 0)
		return;
	terminal_start(t, NULL);
	if (t->raw)
		terminal_resize(t);
}

static void swallow_replies(struct terminal *t)
{
	/* Answers to the agent's questions must not land on the user's next prompt. */
	char junk[256];
	struct pollfd p = {.fd = t->in, .events = POLLIN};
	if (t->filter.queries)
		while (poll(&p, 1, LATE_REPLY_MS) > 0 && (p.revents & POLLIN))
			if (read(t->in, junk, sizeof(junk)) <= 0)
				break;
	tcflush(t->in, TCIFLUSH);
}

void terminal_stop(struct terminal *t)
{
	if (t->out < 0)
		return;
	char undo[TERM_UNDO_MAX];
	uint32_t n_queries = t->filter.queries;
	size_t n = term_filter_undo(&t->filter, undo);
	if (n > 4 || (t->raw && !t->plain)) /* 4: colours alone */
		write_slowly(t->out, undo, n, 200);
	t->filter.queries = n_queries;
	if (t->raw) {
		if (!t->plain)
			write_slowly(t->out, "\033[23;2t", 7, 100);
		swallow_replies(t);
		set_modes(t->in, &t->saved);
		t->raw = false;
	}
	t->filter.queries = 0;
}

void terminal_close(struct terminal *t)
{
	terminal_stop(t);
	if (t->guard_pipe >= 0) {
		char done = 'd';
		_unused_ ssize_t n = write(t->guard_pipe, &done, 1);
		close(t->guard_pipe);
		waitpid(t->guard_pid, NULL, 0);
	}
	if (t->master >= 0)
		close(t->master);
	if (t->out >= 0)
		close(t->out);
	if (t->log >= 0)
		close(t->log);
	terminal_clear(t);
}

uint32_t terminal_want_in(const struct terminal *t)
{
	return t->raw && t->n_agent + TERMINAL_HELD_MAX < sizeof(t->to_agent) && t->master >= 0
		? EPOLLIN
		: 0;
}

uint32_t terminal_want_out(const struct terminal *t)
{
	return t->n_tty ? EPOLLOUT : 0;
}

/* Room for what the filter may add to one read. */
static size_t tty_room(const struct terminal *t)
{
	size_t left = sizeof(t->to_tty) - t->n_tty;
	return left > 2 * TERM_SEQ_MAX ? left - 2 * TERM_SEQ_MAX : 0;
}

uint32_t terminal_want_master(const struct terminal *t)
{
	uint32_t want = 0;
	if (t->master < 0 || t->eof)
		return 0;
	if (tty_room(t) >= 1024) /* a slow terminal slows the agent, not our memory */
		want |= EPOLLIN;
	if (t->n_agent)
		want |= EPOLLOUT;
	return want;
}

static void flush_buf(int fd, char *buf, size_t *n)
{
	ssize_t k = *n ? write(fd, buf, *n) : 0;
	if (k <= 0)
		return;
	*n -= (size_t)k;
	memmove(buf, buf + k, *n);
}

static void to_agent(struct terminal *t, const char *raw, size_t n)
{
	memcpy(t->to_agent + t->n_agent, raw, n);
	t->n_agent += n;
}

/* Not the detach keys: of what is held, all goes to the agent but what may be their beginning. */
static void let_go(struct terminal *t)
{
	size_t left = t->matched - 1;
	while (left && memcmp(t->keys + t->matched - left, t->keys, left) != 0)
		left--;
	size_t gone = t->matched - left, n = left ? t->held_at[gone] : t->n_held;
	to_agent(t, t->held, n);
	t->n_held -= n;
	memmove(t->held, t->held + n, t->n_held);
	for (size_t i = 0; i < left; i++)
		t->held_at[i] = (uint8_t)(t->held_at[gone + i] - n);
	t->matched = left;
}

/* One key; what may be the beginning of the detach keys waits for the next. */
static void typed(struct terminal *t, int key, const char *raw, size_t n)
{
	if (key == TERM_KEY_ASIDE && t->matched && t->n_held + n <= sizeof(t->held)) {
		memcpy(t->held + t->n_held, raw, n);
		t->n_held += n;
		return;
	}
	while (t->matched &&
		(key != (unsigned char)t->keys[t->matched] || t->n_held + n > sizeof(t->held)))
		let_go(t);
	if (!t->keys || key != (unsigned char)t->keys[t->matched]) {
		to_agent(t, raw, n);
		return;
	}
	t->held_at[t->matched] = (uint8_t)t->n_held;
	memcpy(t->held + t->n_held, raw, n);
	t->n_held += n;
	if (!t->keys[++t->matched]) {
		t->matched = t->n_held = 0;
		t->detach = true;
	}
}

static void read_keys(struct terminal *t)
{
	char buf[sizeof(t->to_agent)];
	struct pollfd p = {.fd = t->in, .events = POLLIN};
	size_t room = sizeof(t->to_agent) - t->n_agent;
	if (room <= TERMINAL_HELD_MAX || poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
		return;
	ssize_t k = read(t->in, buf, room - TERMINAL_HELD_MAX);
	for (size_t i = 0, n; k > 0 && i < (size_t)k && !t->detach; i += n) {
		int key = term_key(buf + i, (size_t)k - i, &n);
		typed(t, key, buf + i, n);
	}
}

/* What the agent drew, for whoever looks later; a flood begins anew rather than fill the disk. */
static void keep(struct terminal *t, const char *buf, size_t n)
{
	t->logged += n;
	if (t->logged > TERMINAL_LOG_MAX) {
		t->logged = n;
		if (ftruncate(t->log, 0) < 0)
			return;
	}
	fd_write_all(t->log, buf, n); /* a full disk loses the log alone */
}

void terminal_pump(struct terminal *t)
{
	if (t->master < 0)
		return;
	if (t->raw)
		read_keys(t);
	flush_buf(t->master, t->to_agent, &t->n_agent);
	size_t room = tty_room(t);
	if (room >= 1024) {
		char buf[4096];
		ssize_t k = read(t->master, buf, MIN(room, sizeof(buf)));
		if (k > 0 && t->log >= 0)
			keep(t, buf, (size_t)k);
		t->filter.deaf = !t->raw;
		if (k > 0)
			t->n_tty += term_filter(&t->filter, buf, (size_t)k, t->to_tty + t->n_tty);
		else if (k == 0 || (errno != EAGAIN && errno != EINTR))
			t->eof = true;
	}
	flush_buf(t->out, t->to_tty, &t->n_tty);
}

void terminal_drain(struct terminal *t, int ms)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	while (t->master >= 0 && (!t->eof || t->n_tty)) {
		terminal_pump(t);
		clock_gettime(CLOCK_MONOTONIC, &b);
		long gone = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
		if (gone >= ms)
			return;
		struct pollfd p[] = {{.fd = t->out, .events = t->n_tty ? POLLOUT : 0},
			{.fd = t->eof ? -1 : t->master, .events = POLLIN}};
		if ((!t->eof || t->n_tty) && poll(p, 2, (int)(ms - gone)) < 0 && errno != EINTR)
			return;
	}
}

void terminal_resize(struct terminal *t)
{
	struct winsize ws;
	if (t->master >= 0 && t->out >= 0 && ioctl(t->out, TIOCGWINSZ, &ws) == 0)
		ioctl(t->master, TIOCSWINSZ, &ws);
}

bool terminal_take_up(struct terminal *t, const char *modes)
{
	struct winsize own, its;
	if (t->master < 0 || t->out < 0)
		return false;
	char seq[TERM_UNDO_MAX + TERM_SEQ_MAX];
	write_slowly(t->out, seq,
		term_filter(&t->filter, modes, strnlen(modes, TERM_UNDO_MAX), seq), 200);
	if (ioctl(t->out, TIOCGWINSZ, &own) < 0 || ioctl(t->master, TIOCGWINSZ, &its) < 0)
		return false;
	/* A size that stays the same tells the program nothing, one that is back before it looked
	 * is the same, and some draw anew for another width alone, or another height. */
	bool same = own.ws_row == its.ws_row || own.ws_col == its.ws_col;
	if (same) {
		own.ws_row = own.ws_row > 1 ? own.ws_row - 1 : own.ws_row + 1;
		own.ws_col = own.ws_col > 1 ? own.ws_col - 1 : own.ws_col + 1;
	}
	ioctl(t->master, TIOCSWINSZ, &own);
	return same;
}

void terminal_title(struct terminal *t, const char *text)
{
	/* Only between two sequences of the agent, or the two would mix. */
	char safe[160], seq[192];
	if (!t->raw || t->plain || t->filter.state != TERM_GROUND)
		return;
	escape_text(safe, sizeof(safe), text);
	int n = snprintf(seq, sizeof(seq), "\033]2;%s\a", safe);
	if (n > 0 && t->n_tty + (size_t)n < sizeof(t->to_tty)) {
		memcpy(t->to_tty + t->n_tty, seq, (size_t)n);
		t->n_tty += (size_t)n;
		flush_buf(t->out, t->to_tty, &t->n_tty);
	}
}
