/* cli/cmd-secret-prompt.c - a secret from the terminal, unseen.
 *
 * The line is edited here, as the terminal's own line ends at 4095 bytes and keys may be longer.
 * Whatever ends it, the terminal's settings come back.
 */
#include <signal.h>
#include <termios.h>

#include "cli/cmd-secret.h"

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = sig;
}

enum { CTRL_D = 4, CTRL_U = 21, BACKSPACE = 8, DELETE = 127 };

/* 1: the line is done. */
static int take_byte(struct secret_buf *b, char c)
{
	if (c == '\n' || c == '\r' || c == CTRL_D)
		return 1;
	if (c == CTRL_U)
		b->n = 0;
	else if (c == BACKSPACE || c == DELETE)
		b->n -= b->n > 0;
	else if (b->n <= SECRET_MAX) /* one too many: it is said to be too long */
		b->v[b->n++] = c;
	return 0;
}

static int read_line(struct secret_buf *b)
{
	char c;
	int r = 0;
	while (r == 0 && !ended) {
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n == 1)
			r = take_byte(b, c);
		else if (n == 0)
			r = 1;
		else if (errno != EINTR)
			r = -errno;
	}
	explicit_bzero(&c, 1);
	b->v[b->n] = '\0';
	return ended ? -EINTR : MIN(r, 0);
}

int secret_prompt(const char *prompt, struct secret_buf *b, struct err *err)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction was[ARRAY_LEN(ends)], sa = {.sa_handler = on_signal};
	struct termios old, quiet;
	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return -ENOTTY;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaction(ends[i], &sa, &was[i]);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON);
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE; /* not stopped with the terminal so */
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	b->n = 0;
	int r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0
		? err_sys(err, errno, "switch the terminal's echo off")
		: 0;
	if (r == 0) {
		fputs(prompt, stderr);
		r = read_line(b);
		fputc('\n', stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		if (r < 0)
			err_sys(err, -r, "read the secret");
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaction(ends[i], &was[i], NULL);
	return r;
}
