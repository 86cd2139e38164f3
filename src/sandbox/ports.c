/* sandbox/ports.c - see ports.h */
#include "sandbox/ports.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "base/escape.h"
#include "sandbox/launch.h"

enum { BACKLOG = 128, ACCEPT_BATCH = 32, CONNECT_MS = 10 * 1000, SLOT_BITS = 8 };
_Static_assert(PORTS_PENDING <= 1 << SLOT_BITS, "a slot fits the id");

/* ---- words ---- */

static bool port_number(const char *s, size_t n, bool zero, uint16_t *ret)
{
	uint32_t v = 0;
	if (n == 0 || n > 5 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s[i] - '0');
	}
	*ret = (uint16_t)v;
	return v <= UINT16_MAX && (v > 0 || zero);
}

static int malformed(const char *text, const char *form, struct err *err)
{
	char shown[128];
	err_hint(err,
		"for example 8080:80, 0:80 for any port that is free, or 192.0.2.1:8080:80, "
		"[::1]:8080:80 for another address than 127.0.0.1");
	return err_set(
		err, EINVAL, "'%s' is not %s", escape_text(shown, sizeof(shown), text), form);
}

/* The address in front of HOST:PORT; *ret_rest is what stands behind it. */
static bool split_address(const char *text, struct host_addr *ret, const char **ret_rest)
{
	char ip[INET6_ADDRSTRLEN];
	const char *end, *from = text;
	if (*text == '[') {
		from++;
		end = strchr(from, ']');
		if (!end || end[1] != ':')
			return false;
		*ret_rest = end + 2;
	} else {
		end = strchr(text, ':');
		if (!end || !strchr(end + 1, ':')) {
			*ret_rest = text;
			return host_addr_parse(
				       GUARD_REMOVED("publish-loopback") ? "0.0.0.0" : "127.0.0.1",
				       ret) == 0;
		}
		*ret_rest = end + 1;
	}
	if ((size_t)(end - from) >= sizeof(ip))
		return false;
	memcpy(ip, from, (size_t)(end - from));
	ip[end - from] = '\0';
	return host_addr_parse(ip, ret) == 0 && host_addr_is_v4(ret) == (*text != '[');
}

int port_spec_parse(const char *text, struct port_spec *ret, struct err *err)
{
	struct port_spec p = {0};
	const char *rest;
	if (!split_address(text, &p.ip, &rest))
		return malformed(text, "[IP:]HOST:PORT", err);
	size_t n = strcspn(rest, ":");
	if (!rest[n] || !port_number(rest, n, true, &p.host) ||
		!port_number(rest + n + 1, strlen(rest + n + 1), false, &p.inside))
		return malformed(text, "[IP:]HOST:PORT", err);
	*ret = p;
	return 0;
}

int port_spec_parse_host(
	const char *text, uint16_t *ret_host, uint16_t *ret_inside, struct err *err)
{
	size_t n = strcspn(text, ":");
	*ret_inside = 0;
	if (!port_number(text, n, true, ret_host) ||
		(text[n] && !port_number(text + n + 1, strlen(text + n + 1), false, ret_inside)))
		return malformed(text, "HOST[:PORT]", err);
	return 0;
}

const char *port_spec_where(const struct port_spec *p, char *dst, size_t n)
{
	char ip[INET6_ADDRSTRLEN];
	host_addr_format(&p->ip, ip, sizeof(ip));
	bool v4 = host_addr_is_v4(&p->ip);
	snprintf(dst, n, "%s%s%s:%" PRIu16, v4 ? "" : "[", ip, v4 ? "" : "]", p->host);
	return dst;
}

bool port_spec_is_public(const struct port_spec *p)
{
	const unsigned char *b = p->ip.ip.s6_addr;
	return host_addr_is_v4(&p->ip) ? b[12] != 127 : !IN6_IS_ADDR_LOOPBACK(&p->ip.ip);
}

const char *port_spec_describe(const struct port_spec *p, char *dst, size_t n)
{
	static const char others[] =
		"for other machines, too: its server has to know who may use it";
	char where[INET6_ADDRSTRLEN + 16];
	const bool public = port_spec_is_public(p);
	port_spec_where(p, where, sizeof(where));
	if (p->host == 0) /* which one it will be is not known yet */
		snprintf(dst, n, "port %" PRIu16 " inside is %s", p->inside,
			public ? others : "at any port that is free");
	else
		snprintf(dst, n, "port %" PRIu16 " inside is at %s%s%s", p->inside, where,
			public ? ", " : "", public ? others : "");
	return dst;
}

const char *port_spec_format(const struct port_spec *p, char *dst, size_t n)
{
	char where[INET6_ADDRSTRLEN + 16];
	snprintf(dst, n, "%s:%" PRIu16, port_spec_where(p, where, sizeof(where)), p->inside);
	return dst;
}

/* ---- listening ---- */

static socklen_t address_of(const struct port_spec *p, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(p->host), .sin6_addr = p->ip.ip};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(p->host)};
	if (!host_addr_is_v4(&p->ip)) {
		memcpy(ret, &a6, sizeof(a6));
		return sizeof(a6);
	}
	memcpy(&a4.sin_addr, p->ip.ip.s6_addr + 12, 4);
	memcpy(ret, &a4, sizeof(a4));
	return sizeof(a4);
}

static int cant_listen(const struct port_spec *p, int e, struct err *err)
{
	char where[64];
	port_spec_where(p, where, sizeof(where));
	if (e == EADDRINUSE)
		err_hint(err, "take another port; 0:%" PRIu16 " takes one that is free", p->inside);
	else if (e == EACCES)
		err_hint(err, "ports below 1024 are for root: take a higher one");
	else if (e == EADDRNOTAVAIL)
		err_hint(err, "it is no address of this machine; see: ip address");
	return err_sys(err, e, "publish port %" PRIu16 " at %s", p->inside, where);
}

/* Listen where p says; p->host becomes the port that was had. */
static int listen_at(struct port_spec *p, struct err *err)
{
	struct sockaddr_storage a;
	socklen_t n = address_of(p, &a);
	int one = 1;
	_cleanup_close_ int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cant_listen(p, errno, err);
	/* a restart within a minute; two listeners of one port are refused all the same */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)); /* inherited */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (a.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return cant_listen(p, errno, err);
	uint16_t port;
	memcpy(&port, (char *)&a + offsetof(struct sockaddr_in, sin_port), sizeof(port));
	p->host = ntohs(port); /* at one place in both families */
	return TAKE_FD(fd);
}

void ports_clear(struct ports *p)
{
	*p = (struct ports){.timer = -1};
	for (size_t i = 0; i < PORTS_MAX; i++)
		p->listeners[i].fd = -1;
}

static int open_one(struct ports *p, const struct port_spec *want, struct err *err)
{
	unsigned int i = 0;
	while (i < PORTS_MAX && p->listeners[i].fd >= 0)
		i++;
	if (i == PORTS_MAX)
		return err_set(err, E2BIG, "at most %d published ports", PORTS_MAX);
	struct port_listener *l = &p->listeners[i];
	l->spec = *want;
	l->asked = want->host;
	l->fd = listen_at(&l->spec, err);
	return l->fd < 0 ? l->fd : (int)i;
}

int ports_open(struct ports *p, const struct port_spec *v, size_t n, struct err *err)
{
	int r = 0;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = open_one(p, &v[i], err);
	return r < 0 ? r : 0;
}

static int watch(struct sandbox *s, int fd, enum tag tag, unsigned int slot, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)slot << 32 | tag};
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int ports_watch(struct sandbox *s, struct err *err)
{
	struct ports *p = &s->ports;
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = p->timer < 0 ? -errno : watch(s, p->timer, TAG_PORT_TIMER, 0, EPOLLIN);
	for (unsigned int i = 0; i < PORTS_MAX && r == 0; i++)
		if (p->listeners[i].fd >= 0)
			r = watch(s, p->listeners[i].fd, TAG_PORT, i, EPOLLIN);
	return r < 0 ? err_sys(err, -r, "watch the published ports") : 0;
}

static void reset(int fd)
{
	struct linger l = {.l_onoff = 1};
	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

void ports_close(struct ports *p)
{
	for (size_t i = 0; i < PORTS_MAX; i++)
		if (p->listeners[i].fd >= 0)
			close(p->listeners[i].fd);
	for (size_t i = 0; i < PORTS_PENDING; i++)
		if (p->pending[i].id) {
			reset(p->pending[i].outer);
			reset(p->pending[i].inner);
		}
	if (p->timer >= 0)
		close(p->timer);
	ports_clear(p);
}

/* ---- changes while it runs ---- */

int sandbox_publish(
	struct sandbox *s, const struct port_spec *want, struct port_spec *ret, struct err *err)
{
	int slot = open_one(&s->ports, want, err);
	if (slot < 0)
		return slot;
	struct port_listener *l = &s->ports.listeners[slot];
	int r = watch(s, l->fd, TAG_PORT, (unsigned int)slot, s->ports.paused ? 0 : EPOLLIN);
	if (r < 0) {
		close(TAKE_FD(l->fd));
		return err_sys(err, -r, "watch a published port");
	}
	*ret = l->spec;
	return 0;
}

bool sandbox_unpublish(struct sandbox *s, uint16_t host, uint16_t inside, struct port_spec *ret,
	uint16_t *ret_asked)
{
	for (size_t i = 0; i < PORTS_MAX; i++) {
		struct port_listener *l = &s->ports.listeners[i];
		if (l->fd < 0 || (l->spec.host != host && l->asked != host) ||
			(inside && l->spec.inside != inside))
			continue;
		close(TAKE_FD(l->fd));
		dialer_port_cut(s->dialer, l->spec.host, l->spec.inside);
		*ret = l->spec;
		*ret_asked = l->asked;
		return true;
	}
	return false;
}

size_t sandbox_ports(const struct sandbox *s, struct port_spec ret[PORTS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < PORTS_MAX; i++)
		if (s->ports.listeners[i].fd >= 0)
			ret[n++] = s->ports.listeners[i].spec;
	return n;
}

/* ---- connections on their way ---- */

static void pause_all(struct sandbox *s, bool pause)
{
	struct ports *p = &s->ports;
	if (p->paused == pause)
		return;
	p->paused = pause;
	for (unsigned int i = 0; i < PORTS_MAX; i++) {
		struct epoll_event ev = {
			.events = pause ? 0 : EPOLLIN, .data.u64 = (uint64_t)i << 32 | TAG_PORT};
		if (p->listeners[i].fd >= 0)
			epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->listeners[i].fd, &ev);
	}
}

static void arm(struct ports *p, bool on)
{
	struct itimerspec it = {.it_value.tv_sec = on, .it_interval.tv_sec = on};
	timerfd_settime(p->timer, 0, &it, NULL);
}

static struct port_pending *pending_new(struct ports *p, const struct port_spec *spec, int outer)
{
	unsigned int i = 0;
	while (p->pending[i].id)
		i++; /* there is one: see ports_accept() */
	p->gen = p->gen % 0xffffff + 1;
	p->pending[i] = (struct port_pending){.id = p->gen << SLOT_BITS | i,
		.outer = outer,
		.inner = -1,
		.spec = *spec,
		.deadline = sandbox_now() + CONNECT_MS * 1000000ull};
	if (p->n_pending++ == 0)
		arm(p, true);
	return &p->pending[i];
}

/* What is still there of it is reset. */
static void pending_end(struct sandbox *s, struct port_pending *c)
{
	struct ports *p = &s->ports;
	reset(c->outer);
	reset(c->inner);
	c->id = 0;
	if (--p->n_pending == 0)
		arm(p, false);
	pause_all(s, false);
}

static void ask(struct sandbox *s, struct port_pending *c)
{
	const struct control_msg m = {.magic = CONTROL_MAGIC,
		.kind = CONTROL_CONNECT,
		.value = c->spec.inside | (c->v6 ? CONTROL_CONNECT_V6 : 0),
		.session = c->id};
	if (fd_send(s->control, &m, sizeof(m), NULL, 0) < 0)
		pending_end(s, c);
}

void ports_accept(struct sandbox *s, unsigned int slot)
{
	struct ports *p = &s->ports;
	struct port_listener *l = &p->listeners[slot];
	for (int i = 0; i < ACCEPT_BATCH && l->fd >= 0; i++) {
		if (p->n_pending == PORTS_PENDING) {
			pause_all(s, true);
			return;
		}
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			/* no files left: look again when a connection has gone, or in a second */
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
				errno == ENOBUFS) {
				pause_all(s, true);
				arm(p, true);
			}
			return;
		}
		ask(s, pending_new(p, &l->spec, fd));
	}
}

/* Nobody listens at 127.0.0.1: perhaps at ::1.  Else the caller is told as a closed port tells. */
static void refused(struct sandbox *s, struct port_pending *c)
{
	if (c->inner >= 0)
		close(TAKE_FD(c->inner));
	if (c->v6) {
		pending_end(s, c);
		return;
	}
	c->v6 = true;
	ask(s, c);
}

void ports_connected(struct sandbox *s, const struct control_msg *m, int fd)
{
	unsigned int slot = m->session & ((1u << SLOT_BITS) - 1);
	struct port_pending *c = slot < PORTS_PENDING ? &s->ports.pending[slot] : NULL;
	int one = 1;
	if (!c || c->id != m->session || c->inner >= 0) { /* its time was over */
		if (fd >= 0)
			close(fd);
		return;
	}
	c->inner = fd;
	if (fd < 0 || watch(s, fd, TAG_PORT_CONNECT, slot, EPOLLOUT) < 0) {
		refused(s, c);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* A port of the range that clients get theirs from can be met by the very socket that looks for a
 * server there (TCP's simultaneous open with itself). */
static bool met_itself(int fd, const struct sockaddr_storage *peer, socklen_t peer_len)
{
	struct sockaddr_storage us = {0};
	socklen_t n = sizeof(us);
	return getsockname(fd, (struct sockaddr *)&us, &n) < 0 ||
		(n == peer_len && memcmp(&us, peer, n) == 0);
}

static void hand_to_relay(struct sandbox *s, struct port_pending *c)
{
	struct err err = {0};
	char target[96], where[64];
	snprintf(target, sizeof(target), "port %" PRIu16 " published at %s", c->spec.inside,
		port_spec_where(&c->spec, where, sizeof(where)));
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->inner, NULL); /* the relay's copy lives on */
	if (sandbox_need_relay(s, &err) < 0) {
		if (s->config.hooks.message)
			s->config.hooks.message(s->config.hooks.ctx, err.msg);
		pending_end(s, c);
		return;
	}
	dialer_port_open(s->dialer, c->spec.host, c->spec.inside, target, c->inner, c->outer);
	c->inner = c->outer = -1;
	pending_end(s, c);
}

void ports_connect_event(struct sandbox *s, unsigned int slot)
{
	struct port_pending *c = &s->ports.pending[slot];
	struct sockaddr_storage peer = {0};
	int e = 0;
	socklen_t n = sizeof(e), len = sizeof(peer);
	if (!c->id || c->inner < 0)
		return;
	bool failed = getsockopt(c->inner, SOL_SOCKET, SO_ERROR, &e, &n) < 0 || e;
	if (!failed && getpeername(c->inner, (struct sockaddr *)&peer, &len) < 0)
		return; /* an event of another one that had this slot */
	if (failed || met_itself(c->inner, &peer, len))
		refused(s, c);
	else
		hand_to_relay(s, c);
}

void ports_tick(struct sandbox *s)
{
	struct ports *p = &s->ports;
	uint64_t ticks, now = sandbox_now();
	if (read(p->timer, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	for (unsigned int i = 0; i < PORTS_PENDING; i++)
		if (p->pending[i].id && now >= p->pending[i].deadline)
			pending_end(s, &p->pending[i]);
	if (p->n_pending == 0)
		arm(p, false);
	pause_all(s, p->n_pending == PORTS_PENDING);
}
