/* run/signals.c - see signals.h */
#include "run/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/session.h"

enum { BY_ITSELF_MS = 500 };

void signals_hold(void)
{
	sigset_t set;
	struct sigaction old;
	session_signals(&set);
	/* nohup(1): a hang-up stays ignored, for the agent too, as none is passed on. */
	if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		sigdelset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit: EFBIG, which can be said */
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

int signals_end(void)
{
	sigset_t pending;
	if (sigpending(&pending) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (sigismember(&pending, ends[i]))
			return ends[i];
	return 0;
}

/* A descriptor that can be read while one of the n signals is held and pending; -1 where none of
 * them is held, and all have their usual effect. */
static int held(const int *which, size_t n)
{
	sigset_t set, mask;
	sigemptyset(&set);
	if (sigprocmask(SIG_BLOCK, NULL, &mask) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (sigismember(&mask, which[i]))
			sigaddset(&set, which[i]);
	return sigisemptyset(&set) ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_await(int fd)
{
	_cleanup_close_ int end = held(ends, ARRAY_LEN(ends));
	struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = end, .events = POLLIN}};
	if (end < 0)
		return 0; /* they end the reading of it, too, which may have a limit of its own */
	while (poll(p, ARRAY_LEN(p), -1) < 0 && errno == EINTR)
		;
	return !p[0].revents && p[1].revents ? -EINTR : 0;
}

/* Here we stand, until somebody continues us; the kernel knows whether anybody could. */
static void stop_here(void)
{
	sigset_t one, before;
	sigemptyset(&one);
	sigaddset(&one, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &one, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void signals_await_child(int pidfd)
{
	static const int stops[] = {SIGTSTP};
	_cleanup_close_ int end = held(ends, ARRAY_LEN(ends)), stop = held(stops, ARRAY_LEN(stops));
	struct pollfd p[] = {{.fd = pidfd, .events = POLLIN}, {.fd = end, .events = POLLIN},
		{.fd = stop, .events = POLLIN}};
	int patience = -1;
	for (;;) {
		int n = poll(p, ARRAY_LEN(p), patience);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || p[0].revents)
			return;
		if (n == 0) {
			syscall(SYS_pidfd_send_signal, pidfd, signals_end(), NULL, 0);
			syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
			patience = -1;
		} else if (p[2].revents) {
			stop_here();
		} else {
			p[1].fd = -1; /* once */
			patience = BY_ITSELF_MS;
		}
	}
}
