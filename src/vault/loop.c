/* vault/loop.c - see loop.h */
#include "vault/loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "policy/egress.h"

enum { EVENTS = 128, TICK_MS = 500, TELL_MS = 1000, TELL_LATE = 50 };

static int epfd = -1;
static struct flow *flows;
static size_t n_flows;
static uint32_t lost;
static const struct loop_ops *ops;

uint64_t loop_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void loop_text(char *dst, size_t cap, const char *p, size_t n)
{
	n = MIN(n, cap - 1);
	for (size_t i = 0; i < n; i++)
		dst[i] = p[i] > ' ' && p[i] < 0x7f ? p[i] : p[i] == ' ' ? ' ' : '?';
	dst[n] = '\0';
}

static struct vault_tell_msg told[VAULT_TELL_BATCH]; /* not sent yet */
static size_t n_told;
static uint64_t told_at; /* ms, when they last were */

/* The supervisor reads all the time; if it does not, an event is lost rather than everything. */
static void tell_now(void)
{
	struct pollfd p = {.fd = LOOP_SUPER_FD, .events = POLLOUT};
	size_t n = n_told * sizeof(told[0]);
	if (n_told == 0)
		return;
	told[0].lost = lost;
	ssize_t r = send(LOOP_SUPER_FD, told, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (r < 0 && errno == EAGAIN && poll(&p, 1, TELL_MS) > 0)
		r = send(LOOP_SUPER_FD, told, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	lost = r < 0 ? lost + (uint32_t)n_told : 0;
	n_told = 0;
	told_at = loop_now();
}

void loop_tell(const struct vault_tell_msg *m)
{
	if (n_told == ARRAY_LEN(told))
		tell_now();
	told[n_told] = *m;
	told[n_told].magic = VAULT_MAGIC;
	told[n_told].kind = VAULT_EVENT;
	told[n_told++].lost = 0;
	if (m->why || loop_now() - told_at >= TELL_LATE)
		tell_now();
}

/* ---- flows ---- */

/* Flows that want another turn, and dead ones, wait here until a round's events are all seen. */
static struct flow **turn;
static size_t n_turn;

static void queue(struct flow *f)
{
	if (!f->queued) {
		f->queued = true;
		turn[n_turn++] = f;
	}
}

static void unlink_flow(struct flow *f)
{
	if (f->prev)
		f->prev->next = f->next;
	else
		flows = f->next;
	if (f->next)
		f->next->prev = f->prev;
	n_flows--;
}

static void end_flow(struct flow *f)
{
	unlink_flow(f);
	ops->stop(f);
	tls_free(f->tls);
	link_free(&f->link);
	close(f->wire.fd);
	close(f->link.wire.fd);
	explicit_bzero(f, ops->flow_size);
	free(f);
}

/* Flows are aligned: the lowest bit says that it is the link. */
enum { LINK_BIT = 1 };

static int watch(struct flow *f, struct wire *w, int how)
{
	const uintptr_t which = w == &f->link.wire ? LINK_BIT : 0;
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (w->full ? EPOLLOUT : 0u),
		.data.ptr = (void *)((uintptr_t)f | which)};
	w->armed = w->full;
	return epoll_ctl(epfd, how, w->fd, &e);
}

/* Setting it anew reports what is there by now, so nothing is missed. */
static void rearm(struct flow *f, struct wire *w)
{
	if (w->full != w->armed && watch(f, w, EPOLL_CTL_MOD) < 0)
		f->dead = true;
}

static void too_many(const struct vault_flow_msg *m)
{
	struct vault_tell_msg t = {.flow = m->flow, .rule = EGRESS_NO_RULE, .why = VAULT_WHY_LIMIT};
	snprintf(t.text, sizeof(t.text), "too many connections");
	loop_tell(&t);
}

static void start_flow(const struct vault_flow_msg *m, const int fds[2])
{
	struct flow *f = n_flows < LOOP_FLOWS_MAX ? calloc(1, ops->flow_size) : NULL;
	if (!f) {
		too_many(m);
		close(fds[0]);
		close(fds[1]);
		return;
	}
	f->id = m->flow;
	f->port = m->port;
	memcpy(f->name, m->name, sizeof(f->name));
	f->wire.fd = fds[ops->agent_fd];
	f->link.wire.fd = fds[!ops->agent_fd];
	f->next = flows;
	if (flows)
		flows->prev = f;
	flows = f;
	n_flows++;
	fd_set_nonblock(f->wire.fd);
	fd_set_nonblock(f->link.wire.fd);
	ops->start(f, m);
	if (watch(f, &f->wire, EPOLL_CTL_ADD) < 0 || watch(f, &f->link.wire, EPOLL_CTL_ADD) < 0)
		f->dead = true;
	queue(f);
}

/* 1: one more flow, 0: nothing there, -EPIPE: the supervisor has gone, -EBADMSG. */
static int super_ready(void)
{
	struct vault_flow_msg m;
	struct pollfd p = {.fd = LOOP_SUPER_FD, .events = POLLIN};
	int fds[2];
	size_t n_fds = 0;
	if (poll(&p, 1, 0) <= 0)
		return 0;
	ssize_t n = fd_recv(LOOP_SUPER_FD, &m, sizeof(m), fds, ARRAY_LEN(fds), &n_fds);
	if (n == 0 || n == -ECONNRESET)
		return -EPIPE;
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n == sizeof(m) && m.magic == VAULT_MAGIC && m.kind == VAULT_RENEW && ops->renew) {
		if (n_fds)
			ops->renew(fds[0], (size_t)m.upload_spent);
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return 1;
	}
	bool ok = n >= 0 && link_flow_ok(&m, (size_t)n);
	if (ok && n_fds == 2) {
		start_flow(&m, fds);
		return 1;
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (!ok)
		return -EBADMSG;
	/* the kernel drops what would pass the limit of descriptors */
	too_many(&m);
	return 1;
}

/* ---- the loop ---- */

static void move(struct flow *f)
{
	if (!f->dead && ops->pump(f))
		queue(f);
	if (!f->dead) {
		rearm(f, &f->wire);
		rearm(f, &f->link.wire);
	}
	if (f->dead)
		queue(f);
}

static void happened(const struct epoll_event *e)
{
	const uintptr_t p = (uintptr_t)e->data.ptr, link = p & LINK_BIT;
	struct flow *f = (struct flow *)(p - link);
	wire_event(link ? &f->link.wire : &f->wire, e->events);
	move(f);
}

static void take_turns(void)
{
	size_t n = n_turn;
	struct flow *f;
	for (size_t i = 0; i < n; i++) {
		f = turn[i];
		f->queued = false;
		if (f->dead) {
			end_flow(f);
			continue;
		}
		move(f);
	}
	memmove(turn, turn + n, (n_turn - n) * sizeof(struct flow *));
	n_turn -= n;
}

static void tick(void)
{
	static uint64_t last;
	uint64_t now = loop_now();
	if (now - told_at >= TELL_LATE)
		tell_now();
	if (now - last < TICK_MS)
		return;
	last = now;
	for (struct flow *f = flows; f; f = f->next) {
		if (f->deadline && now >= f->deadline && !f->dead) {
			f->deadline = 0;
			ops->late(f);
			queue(f);
		}
	}
}

int loop_run(const struct loop_ops *o)
{
	struct epoll_event ev[EVENTS], super = {.events = EPOLLIN, .data.ptr = NULL};
	ops = o;
	turn = calloc((size_t)2 * LOOP_FLOWS_MAX, sizeof(struct flow *));
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (!turn || epfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, LOOP_SUPER_FD, &super) < 0)
		return 1;
	for (;;) {
		int wait = n_turn ? 0 : n_told ? TELL_LATE : n_flows ? TICK_MS : -1, r = 0;
		int n = epoll_wait(epfd, ev, EVENTS, wait);
		if (n < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				happened(&ev[i]);
			else
				r = 1;
		}
		while (r > 0)
			r = super_ready();
		if (r < 0) {
			tell_now();
			return r != -EPIPE;
		}
		take_turns();
		tick();
	}
}
