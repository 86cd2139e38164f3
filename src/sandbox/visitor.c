/* sandbox/visitor.c - requests to a sandbox that doesn't last: it has no sessions and no name, but
 * hears that the user's own policy has changed, what a person says to its questions, and who wants
 * to see its connections.
 *
 * One at a time, and the next waits in the listener's queue; each is one message and its answer.
 */
#include <sys/epoll.h>

#include "sandbox/launch.h"

static void watch_listener(struct sandbox *s, bool on)
{
	struct epoll_event ev = {.events = on ? EPOLLIN : 0, .data.u64 = TAG_SERVER};
	epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->visitors, &ev);
}

int sandbox_hear(struct sandbox *s, int listener)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = TAG_SERVER};
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, listener, &ev) < 0)
		return -errno;
	s->visitors = listener;
	return 0;
}

void visitor_accept(struct sandbox *s)
{
	if (s->visitors < 0 || s->visitor >= 0)
		return;
	int fd = session_accept(s->visitors);
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = TAG_CLIENT};
	if (fd < 0)
		return;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		close(fd);
		return;
	}
	s->visitor = fd;
	watch_listener(s, false);
}

void visitor_event(struct sandbox *s)
{
	static struct session_msg m, answer;
	struct err err = {0};
	int fds[8];
	size_t n = 0;
	int r = s->visitor < 0 ? -EAGAIN : session_recv(s->visitor, &m, fds, &n);
	if (r == -EAGAIN)
		return;
	if (r > 0) {
		answer = (struct session_msg){.kind = SESSION_DONE};
		const bool known = m.kind == SESSION_PENDING || m.kind == SESSION_ANSWER ||
			m.kind == SESSION_FLOWS || m.kind == SESSION_DENIALS ||
			(m.kind == SESSION_POLICY && m.value == SESSION_RELOAD);
		if (!known)
			r = err_set(&err, ENOSYS, "a run with --rm is changed by no one");
		else
			r = s->config.hooks.request(s->config.hooks.ctx, &m, fds, n, &answer, &err);
		if (r < 0)
			session_error(&answer, &err, 125);
		session_send(s->visitor, &answer, NULL, 0);
	}
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	close(TAKE_FD(s->visitor));
	watch_listener(s, true);
}
