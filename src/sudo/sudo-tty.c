/* sudo/sudo-tty.c - see sudo-tty.h */
#include "sudo/sudo-tty.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "base/fd.h"

#define CHUNK 16384
#define DRAIN_MAX ((size_t)1 << 20) /* more than a terminal holds; who goes on is not heard */

int sudo_tty_open(struct sudo_tty *t, struct err *err)
{
	int unlock = 0;
	t->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->master < 0 || ioctl(t->master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, errno, "open a pty");
	t->slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->slave < 0)
		return err_sys(err, errno, "open the pty's other side");
	if (tcgetattr(0, &t->before) < 0 || tcsetattr(t->slave, TCSANOW, &t->before) < 0)
		return err_sys(err, errno, "set up the pty");
	sudo_tty_resize(t);
	return 0;
}

void sudo_tty_resize(struct sudo_tty *t)
{
	struct winsize ws;
	if (ioctl(0, TIOCGWINSZ, &ws) == 0)
		ioctl(t->master, TIOCSWINSZ, &ws);
}

void sudo_tty_take(struct sudo_tty *t)
{
	if (t->raw || tcgetpgrp(0) != getpgrp())
		return;
	struct termios raw;
	if (tcgetattr(0, &t->before) < 0)
		return;
	raw = t->before;
	cfmakeraw(&raw);
	t->raw = tcsetattr(0, TCSANOW, &raw) == 0;
	sudo_tty_resize(t);
}

void sudo_tty_release(struct sudo_tty *t)
{
	if (t->raw)
		tcsetattr(0, TCSANOW, &t->before);
	t->raw = false;
}

void sudo_tty_polls(const struct sudo_tty *t, struct pollfd p[static 2])
{
	p[0] = (struct pollfd){.fd = t->raw && t->n == 0 ? 0 : -1, .events = POLLIN};
	p[1] = (struct pollfd){
		.fd = t->ended ? -1 : t->master, .events = (short)(POLLIN | (t->n ? POLLOUT : 0))};
}

/* Bytes passed on to the caller; 0: none waits. */
static size_t show(struct sudo_tty *t)
{
	char buf[CHUNK];
	ssize_t k = read(t->master, buf, sizeof(buf));
	if (k <= 0) {
		t->ended |= k == 0 || errno != EAGAIN;
		return 0;
	}
	fd_write_all(1, buf, (size_t)k);
	return (size_t)k;
}

void sudo_tty_events(struct sudo_tty *t, const struct pollfd p[static 2])
{
	if (p[0].revents && t->n == 0) {
		ssize_t k = read(0, t->typed, sizeof(t->typed));
		if (k > 0)
			t->n = (size_t)k;
		else if (k == 0 || errno == EIO) /* the terminal has gone */
			sudo_tty_release(t);
	}
	if (t->n) {
		ssize_t k = write(t->master, t->typed, t->n);
		if (k > 0) {
			t->n -= (size_t)k;
			memmove(t->typed, t->typed + k, t->n);
		} else if (errno != EAGAIN) {
			t->n = 0;
		}
	}
	if (p[1].revents & ~POLLOUT)
		show(t);
}

void sudo_tty_drain(struct sudo_tty *t)
{
	size_t n = 0, k;
	while (n < DRAIN_MAX && (k = show(t)) > 0)
		n += k;
}
