/* probe-term.c - class TERM: ioctls on terminals */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "probe.h"

/* A pty of our own as controlling terminal, where these calls are allowed to anybody. */
static int own_tty(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -1;
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	setsid();
	if (slave >= 0)
		(void)ioctl(slave, TIOCSCTTY, 0);
	return slave;
}

/* arg: request (64 bits as given), argument, whether that is a pointer to a byte */
static int on(int fd, const struct probe *p)
{
	if (fd < 0) {
		probe_say("no terminal");
		return errno;
	}
	static char byte[8] = "x";
	if (p->arg[2])
		byte[0] = (char)p->arg[1];
	long r = syscall(SYS_ioctl, fd, p->arg[0], p->arg[2] ? (long)(intptr_t)byte : p->arg[1]);
	return p->reached ? reached(r, p->reached) : result(r);
}

static int own_child(void *ctx)
{
	return on(own_tty(), ctx);
}

static int on_own(const struct probe *p, char **argv)
{
	(void)argv;
	struct probe copy = *p;
	return probe_in_child(own_child, &copy);
}

/* Another session's, which only the kernel's own CAP_SYS_ADMIN may take away. */
static int steal(void *ctx)
{
	setsid();
	return result(ioctl(*(int *)ctx, TIOCSCTTY, 1));
}

static int taken_child(void *ctx)
{
	(void)ctx;
	int slave = own_tty();
	return probe_in_child(steal, &slave);
}

static int on_taken(const struct probe *p, char **argv)
{
	(void)p;
	(void)argv;
	return probe_in_child(taken_child, NULL);
}

static int on_stdin(const struct probe *p, char **argv)
{
	(void)argv;
	return on(0, p);
}

static int on_tty(const struct probe *p, char **argv)
{
	(void)argv;
	return on(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC), p);
}

#define OWN(n, id_, reached_, ...)                                                                 \
	{                                                                                          \
		.name = n, .id = id_, .run = on_own, .reached = reached_, .arg = { __VA_ARGS__ }   \
	}

const struct probe probes_term[] = {
	OWN("tiocsti", "TERM-01", 0, TIOCSTI, 'x', 1),
	OWN("tiocsti-high", "TERM-01", 0, TIOCSTI | 1L << 32, 'x', 1),
	OWN("tiocsti-sign", "TERM-01", 0, (long)(TIOCSTI | 0xffffffff00000000UL), 'x', 1),
	{"tiocsti-stdin", "TERM-01", .run = on_stdin, .arg = {TIOCSTI, 'x', 1}},
	{"tiocsti-tty", "TERM-01", .run = on_tty, .arg = {TIOCSTI, 'x', 1}},
	OWN("tioclinux", "SEC-05", ENOTTY, TIOCLINUX, 2, 1),
	OWN("tioclinux-high", "SEC-05", ENOTTY, TIOCLINUX | 1L << 33, 2, 1),
	OWN("tiocsetd", "SEC-05", 0, TIOCSETD, 0, 1),
	OWN("tioccons", "SEC-05", EBUSY, TIOCCONS, 0, 0),
	{"tiocsctty-force", "SEC-05", .run = on_taken},
	{0},
};
