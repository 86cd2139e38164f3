/* egress/relay-flow.c - the life of one connection out of the sandbox.
 *
 * Owns: the flow table, the state of each flow, its sockets.  Must not: connect anything; an open
 * socket to the other side comes from the supervisor or not at all.
 *
 * Theory of operation.  A flow moves only forward:
 *
 *   accept ── listener, loopback ──────────────────────────────► reset
 *     │
 *     ├─ 443 or 80, by name, no raw rule ─► SNIFF ─┬─ SNI / Host is the name ─► ASK
 *     │                                            ├─ another name, no TLS/HTTP ─► refusal
 *     └─ all else ─────────────────────────────────┴─────────────────────────► ASK
 *   ASK ─┬─ OPEN ─► OPEN ─► both sides ended, or a reset passed on
 *        └─ DENIED, FAILED ─► refusal: 403/502 on 80, TLS alert on 443: LINGER; else reset
 *
 * Sniffing only looks (MSG_PEEK): the bytes stay in the kernel's socket buffer, so nothing is
 * forwarded before the verdict, nothing is stored here, and the pump starts with the first byte.
 * What our own pack says about a name is used to choose the better explanation and to know about
 * raw rules; the verdict is the supervisor's.
 *
 * A flow's memory is used again only after the whole batch of events it ended in (flow_bury); its
 * id holds a generation, so that a late event or a late answer can't hit its successor.
 */
#include "egress/relay.h"

#include <linux/netfilter_ipv4.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "egress/names.h"
#include "egress/tls-hello.h"
#include "net/destination.h"
#include "net/netns.h"
#include "policy/why-name.h"

enum {
	INDEX_BITS = 12,
	MAX_LISTENERS = 16,
	ACCEPT_BATCH = 4,
	LATER_MAX = 64,
	LATER_TURNS = 8,
	TLS_ALERT_ACCESS_DENIED = 49,
	TLS_ALERT_INTERNAL_ERROR = 80,
};
_Static_assert(RELAY_MAX_FLOWS <= 1 << INDEX_BITS, "an index fits the id");

static struct flow flows[RELAY_MAX_FLOWS];
static struct flow *free_head, *grave;
static struct flow *timed_head, *timed_tail; /* oldest first */
static struct flow *ready_head, **ready_tail = &ready_head;
static unsigned n_used, n_timed;
static uint8_t hello[TLS_HELLO_MAX];

static struct listener {
	int fd;
	uint16_t port; /* --host-port */
	bool paused;   /* out of kernel memory or files: tried again at the next tick */
} listeners[MAX_LISTENERS];

void flow_init(void)
{
	for (unsigned i = 0; i < MAX_LISTENERS; i++)
		listeners[i].fd = -1;
}

void flow_add_listener(unsigned which, int fd)
{
	if (which >= MAX_LISTENERS)
		return;
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);
	int one = 1;
	if (which >= NETNS_FD_HOST_PORTS) {
		if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
			relay_die("getsockname of a listener");
		listeners[which].port = ntohs(a.sin_port);
	}
	/* accepted sockets inherit these: saves two calls a connection */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	/* this hop is always loopback: a host's default that paces, like BBR, only costs here */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", strlen("reno"));
	listeners[which].fd = fd;
	if (relay_watch(fd, EPOLLIN, RELAY_EV_LISTENER, which) < 0)
		relay_die("watch a listener");
}

/* ---- the timed list: everything but open flows ---- */

static void timed_add(struct flow *f, uint64_t ms)
{
	f->deadline = relay.now + ms;
	f->next = NULL;
	f->prev = timed_tail;
	if (timed_tail)
		timed_tail->next = f;
	else
		timed_head = f;
	timed_tail = f;
	n_timed++;
}

static void timed_remove(struct flow *f)
{
	if (!f->deadline)
		return;
	if (f->prev)
		f->prev->next = f->next;
	else
		timed_head = f->next;
	if (f->next)
		f->next->prev = f->prev;
	else
		timed_tail = f->prev;
	f->deadline = 0;
	n_timed--;
}

bool flow_any_timed(void)
{
	for (unsigned i = 0; i < MAX_LISTENERS; i++)
		if (listeners[i].paused)
			return true;
	return n_timed > 0;
}

/* ---- flows with work left ---- */

void flow_make_ready(struct flow *f, unsigned dir)
{
	if (!f->ready) {
		f->ready_next = NULL;
		*ready_tail = f;
		ready_tail = &f->ready_next;
	}
	f->ready |= (uint8_t)(1u << dir);
}

bool flow_any_ready(void)
{
	return ready_head != NULL;
}

/* ---- what is waited for ---- */

/* A descriptor comes into the epoll set when only an event can bring the flow on: what is there by
 * then is reported at once, so nothing is missed, and a short request needs no event for what it
 * sent before it was accepted.  Room to write is waited for only where it ran out: else each
 * connection would wake us twice for nothing. */
static bool watch_side(struct flow *f, unsigned side)
{
	const enum relay_event kind = side == CLIENT ? RELAY_EV_CLIENT : RELAY_EV_UPSTREAM;
	struct epoll_event e = {.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET |
			(f->out[side] ? EPOLLOUT : 0u),
		.data.u64 = (uint64_t)kind << 32 | f->id};
	int how = f->watched[side] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	f->watched[side] = true;
	return epoll_ctl(relay.epoll, how, f->fd[side], &e) == 0;
}

/* A request that came whole is most often answered and over within a few turns of the loop.  Its
 * client is watched only when it wasn't, or when there is nothing else to do: that saves two calls'
 * work a request. */
static struct {
	uint32_t id, turn;
} later[LATER_MAX];
static unsigned n_later, later_at; /* a ring, oldest first */
static uint32_t turn;

static struct flow *find(uint32_t id)
{
	struct flow *f = &flows[id & ((1u << INDEX_BITS) - 1)];
	return f->id == id && f->state != FLOW_FREE ? f : NULL;
}

static void watch_oldest(void)
{
	struct flow *f = find(later[later_at].id);
	later_at = (later_at + 1) % LATER_MAX;
	n_later--;
	if (f && f->state == FLOW_OPEN && !f->watched[CLIENT] && !watch_side(f, CLIENT))
		flow_end(f, true);
}

static void watch_later(const struct flow *f)
{
	if (n_later == LATER_MAX)
		watch_oldest();
	unsigned i = (later_at + n_later++) % LATER_MAX;
	later[i].id = f->id;
	later[i].turn = turn;
}

bool flow_any_later(void)
{
	return n_later > 0;
}

void flow_watch(bool all)
{
	turn++;
	while (n_later && (all || turn - later[later_at].turn > LATER_TURNS))
		watch_oldest();
}

/* ---- beginning and end ---- */

static struct flow *flow_take(void)
{
	struct flow *f = free_head;
	if (f) {
		free_head = f->next;
	} else if (n_used < relay.max_flows) {
		f = &flows[n_used];
		f->id = n_used++;
	} else {
		return NULL;
	}
	uint32_t id = f->id;
	memset(f, 0, sizeof(*f));
	f->id = id;
	f->fd[CLIENT] = f->fd[UPSTREAM] = -1;
	f->name = -1;
	f->upload = -1;
	f->start = f->last = relay.now;
	return f;
}

static void hang_up(int *fd, bool reset)
{
	if (*fd < 0)
		return;
	if (reset) {
		struct linger l = {.l_onoff = 1};
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	}
	close(*fd);
	*fd = -1;
}

void flow_end(struct flow *f, bool reset)
{
	if (f->state == FLOW_FREE)
		return;
	if (f->state == FLOW_OPEN)
		tell_end(f);
	tell_forget(f);
	timed_remove(f);
	pump_release(f);
	hang_up(&f->fd[CLIENT], reset);
	hang_up(&f->fd[UPSTREAM], reset);
	if (f->name >= 0)
		names_unref(f->name, relay_seconds());
	f->state = FLOW_FREE;
	f->next = grave;
	grave = f;
}

void flow_bury(void)
{
	while (grave && !ready_head) {
		struct flow *f = grave;
		grave = f->next;
		f->id += 1u << INDEX_BITS;
		f->next = free_head;
		free_head = f;
	}
}

/* ---- refusals ---- */

/* Send the last bytes, then read until the client is done, so that no reset overtakes them. */
static void linger(struct flow *f)
{
	for (;;) {
		ssize_t n = recv(f->fd[CLIENT], relay.scratch, RELAY_SCRATCH, MSG_TRUNC);
		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		flow_end(f, n < 0);
		return;
	}
}

static void refuse_http(struct flow *f, const char *status, const char *text)
{
	static char out[2048];
	size_t n = strnlen(text, 1024);
	bool newline = n && text[n - 1] == '\n';
	int len = snprintf(out, sizeof(out),
		"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%.*s%s",
		status, n + !newline, (int)n, text, newline ? "" : "\n");
	send(f->fd[CLIENT], out, (size_t)len, MSG_NOSIGNAL);
}

static void refuse_tls(struct flow *f, uint8_t alert)
{
	/* record type alert, version 3.3, length 2; level fatal */
	const uint8_t out[] = {21, 3, 3, 0, 2, 2, alert};
	send(f->fd[CLIENT], out, sizeof(out), MSG_NOSIGNAL);
}

static void refuse(struct flow *f, bool failed, const char *text)
{
	bool by_name = f->kind == EGRESS_ASK_NAME && f->sniff != SNIFF_NONE;
	bool literal = f->kind == EGRESS_ASK_ADDR;
	if (f->port == 80 && (by_name || literal))
		refuse_http(f, failed ? "502 Bad Gateway" : "403 Forbidden", text);
	else if (f->port == 443 && (by_name || literal))
		refuse_tls(f, failed ? TLS_ALERT_INTERNAL_ERROR : TLS_ALERT_ACCESS_DENIED);
	else {
		flow_end(f, true);
		return;
	}
	shutdown(f->fd[CLIENT], SHUT_WR);
	timed_remove(f);
	timed_add(f, RELAY_LINGER_MS);
	f->state = FLOW_LINGER;
	linger(f);
	if (f->state == FLOW_LINGER && !f->watched[CLIENT] && !watch_side(f, CLIENT))
		flow_end(f, true);
}

/* ---- sniffing ---- */

static void opened(struct flow *f, int fd);

static void ask(struct flow *f)
{
	int fd = f->doomed ? -1 : lease_connect(f);
	timed_remove(f);
	if (fd >= 0) {
		opened(f, fd);
		return;
	}
	timed_add(f, RELAY_ASK_MS);
	f->state = FLOW_ASK;
	tell_ask(f);
}

/* The connection claims to be for another name than the one it was made to. */
static void sniff_failed(struct flow *f, enum egress_why why, const char *seen)
{
	const char *name = names_text(f->name);
	if (!f->allowed) {
		/* the name isn't allowed anyhow: that is the better explanation */
		f->doomed = true;
		ask(f);
		return;
	}
	tell_denied(why, name, &f->addr, f->port, 0, seen);
	char text[700], shown[256];
	size_t o = 0;
	for (; seen[o] && o + 1 < sizeof(shown); o++)
		shown[o] = seen[o] > 0x20 && seen[o] < 0x7f ? seen[o] : '?';
	shown[o] = '\0';
	if (o)
		snprintf(text, sizeof(text),
			"bawn: refused: a connection to %s was asked for %s instead", name, shown);
	else
		snprintf(text, sizeof(text), "bawn: refused: not a well-formed HTTP/1 request");
	refuse(f, false, text);
}

/* 1: passed, 0: more bytes are needed, -1: handled */
static int sniff_tls(struct flow *f, size_t n)
{
	char sni[256], canon[HOST_NAME_MAX_LEN + 1];
	int r = tls_hello_sni(relay.scratch, n, hello, sni);
	if (r == 0)
		return 0;
	if (GUARD_REMOVED("sni-check"))
		return 1;
	if (r > 0 && host_canonical(sni, strlen(sni), canon) == 0 &&
		streq(canon, names_text(f->name)))
		return 1;
	sniff_failed(f, EGRESS_WHY_SNI, r > 0 ? sni : "");
	return -1;
}

/* Of the seen bytes, and what follows them, n may pass.  Where that is all there is, only an event
 * can bring more: no need to ask the socket for it.  A look that stops at urgent data says nothing
 * of what is behind it. */
void flow_approve(struct flow *f, uint64_t n, size_t seen)
{
	f->approved = n;
	f->all_seen = n == seen && seen < HTTP_HEAD_MAX && !f->rdhup[CLIENT] && !f->urgent[CLIENT];
}

static int sniff_http(struct flow *f, size_t n)
{
	char seen[256];
	int64_t r = http_next(&f->http, (char *)relay.scratch, n, names_text(f->name), seen);
	if (r > 0) {
		flow_approve(f, (uint64_t)r, n);
		return 1;
	}
	if (r == 0)
		return 0;
	sniff_failed(f, EGRESS_WHY_HOST, r == -EPERM ? seen : "");
	return -1;
}

static void sniff(struct flow *f)
{
	size_t cap = f->sniff == SNIFF_TLS ? TLS_HELLO_MAX : HTTP_HEAD_MAX;
	ssize_t n = recv(f->fd[CLIENT], relay.scratch, cap, MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		flow_end(f, n < 0);
		return;
	}
	int r = f->sniff == SNIFF_TLS ? sniff_tls(f, (size_t)n) : sniff_http(f, (size_t)n);
	if (r > 0)
		ask(f);
	else if (r == 0 && f->rdhup[CLIENT])
		flow_end(f, true);
}

/* ---- accepting ---- */

static void classify(struct flow *f)
{
	const uint8_t *a = f->addr.s6_addr;
	struct egress_verdict v;
	f->kind = EGRESS_ASK_ADDR;
	if (IN6_IS_ADDR_V4MAPPED(&f->addr))
		f->name = (int16_t)names_find_addr((uint32_t)a[12] << 24 | (uint32_t)a[13] << 16 |
			(uint32_t)a[14] << 8 | a[15]);
	if (f->name < 0) {
		f->allowed = true;
		return;
	}
	names_ref(f->name);
	f->kind = EGRESS_ASK_NAME;
	v = egress_match(relay.egress, names_text(f->name), f->port);
	f->allowed = v.action == EGRESS_ALLOW;
	if (!v.raw || why_name_is(names_text(f->name)))
		f->sniff = f->port == 443 ? SNIFF_TLS : f->port == 80 ? SNIFF_HTTP : SNIFF_NONE;
}

/* from: the port inside that it comes from */
static void begin(unsigned which, int fd, uint16_t from)
{
	struct flow *f = flow_take();
	if (!f) {
		tell_denied(EGRESS_WHY_LIMIT, "", NULL, 0, 0, "");
		hang_up(&fd, true);
		return;
	}
	f->fd[CLIENT] = fd;
	f->state = FLOW_SNIFF;
	f->from = from;
	if (which >= NETNS_FD_HOST_PORTS) {
		f->kind = EGRESS_ASK_HOST_PORT;
		f->port = listeners[which].port;
	} else if (net_destination(fd, which == NETNS_FD_TCP4 ? AF_INET : AF_INET6, &f->addr,
			   &f->port) < 0 &&
		!GUARD_REMOVED("listener-direct")) {
		tell_denied(EGRESS_WHY_LISTENER, "", &f->addr, f->port, 0, "");
		flow_end(f, true);
		return;
	} else {
		classify(f);
	}
	if (f->sniff == SNIFF_NONE) {
		ask(f);
		return;
	}
	timed_add(f, RELAY_SNIFF_MS);
	sniff(f);
	if (f->state == FLOW_SNIFF && !watch_side(f, CLIENT))
		flow_end(f, true);
}

/* Room for one more: the oldest without a verdict goes, else one that was idle for long. */
static void make_room(void)
{
	if (GUARD_REMOVED("half-open"))
		return;
	if (n_timed >= RELAY_MAX_HALF_OPEN) {
		tell_denied(EGRESS_WHY_LIMIT, "", NULL, 0, 0, "");
		flow_end(timed_head, true);
	}
	if (free_head || n_used < relay.max_flows || grave)
		return;
	struct flow *idlest = NULL;
	for (unsigned i = 0; i < n_used; i++)
		if (flows[i].state == FLOW_OPEN && (!idlest || flows[i].last < idlest->last))
			idlest = &flows[i];
	if (idlest && relay.now - idlest->last >= RELAY_IDLE_MS)
		flow_end(idlest, true);
	else if (timed_head)
		flow_end(timed_head, true);
}

static void pause_listener(unsigned which, bool pause)
{
	struct epoll_event e = {.events = pause ? 0 : EPOLLIN,
		.data.u64 = (uint64_t)RELAY_EV_LISTENER << 32 | which};
	epoll_ctl(relay.epoll, EPOLL_CTL_MOD, listeners[which].fd, &e);
	listeners[which].paused = pause;
}

void flow_accept(unsigned which)
{
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_in6 a = {0};
		socklen_t len = sizeof(a);
		int fd = accept4(listeners[which].fd, (struct sockaddr *)&a, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd < 0) {
			pause_listener(which, true);
			return;
		}
		make_room();
		/* at the same place in both families */
		begin(which, fd, ntohs(a.sin6_port));
	}
}

/* ---- events ---- */

static void run(struct flow *f, unsigned dir)
{
	int r = pump(f, dir);
	if (r == 0 && f->dir[dir].blocked && !f->out[!dir]) {
		f->out[!dir] = true;
		if (f->watched[!dir] && !watch_side(f, !dir))
			r = -EIO;
	}
	/* a server that is gone may have answered before it went */
	if (dir == CLIENT && (r == -EPIPE || r == -ECONNRESET) && pump(f, UPSTREAM) == 0)
		shutdown(f->fd[CLIENT], SHUT_WR);
	if (r)
		flow_end(f, r < 0);
}

static void open_event(struct flow *f, unsigned side, uint32_t events)
{
	f->last = relay.now;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		run(f, side);
	if (f->state == FLOW_OPEN && f->dir[!side].blocked &&
		(events & (EPOLLOUT | EPOLLHUP | EPOLLERR)))
		run(f, !side);
	if (f->state == FLOW_OPEN && !f->watched[CLIENT] && !watch_side(f, CLIENT))
		flow_end(f, true);
	/* a reset is seen as an error on our next call only where that side is being read */
	if (f->state == FLOW_OPEN && (events & EPOLLERR))
		flow_end(f, true);
}

void flow_event(uint32_t id, unsigned side, uint32_t events)
{
	struct flow *f = find(id);
	if (!f)
		return;
	/* behind a reset no end comes that the last bytes could wait for */
	if ((events & (EPOLLRDHUP | EPOLLHUP)) && !(events & EPOLLERR))
		f->rdhup[side] = true;
	if (events & EPOLLPRI)
		f->urgent[side] = true;
	if (side == CLIENT && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
		f->all_seen = false;
	switch ((enum flow_state)f->state) {
	case FLOW_SNIFF:
		if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			sniff(f);
		break;
	case FLOW_ASK: /* gone before the verdict: a late answer finds nobody */
		if (events & (EPOLLHUP | EPOLLERR))
			flow_end(f, true);
		break;
	case FLOW_OPEN:
		open_event(f, side, events);
		break;
	case FLOW_LINGER:
		linger(f);
		break;
	case FLOW_FREE:
		break;
	}
}

/* The verdict is out, and fd is connected to where the flow goes. */
static void opened(struct flow *f, int fd)
{
	f->fd[UPSTREAM] = fd;
	f->state = FLOW_OPEN;
	f->last = relay.now;
	run(f, CLIENT);
	if (f->state != FLOW_OPEN)
		return;
	const bool wait = f->sniff == SNIFF_HTTP && f->all_seen && !f->dir[CLIENT].held;
	if (!watch_side(f, UPSTREAM))
		flow_end(f, true);
	else if (!f->watched[CLIENT] && wait)
		watch_later(f);
	else if (!f->watched[CLIENT] && !watch_side(f, CLIENT))
		flow_end(f, true);
}

void flow_answer(const struct egress_answer_msg *m, int fd)
{
	struct flow *f = find(m->flow);
	if (!f || f->state != FLOW_ASK || f->unsent) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (m->answer != EGRESS_ANSWER_OPEN || fd < 0 || f->doomed) {
		if (fd >= 0)
			close(fd);
		refuse(f, m->answer == EGRESS_ANSWER_FAILED, m->text);
		return;
	}
	timed_remove(f);
	if (m->max_upload && f->name >= 0) {
		f->upload = (int16_t)upload_account(f->name, f->port, m->max_upload);
		if (f->upload < 0) { /* not to be counted: not to be sent */
			tell_denied(EGRESS_WHY_LIMIT, "", NULL, 0, 0, "");
			close(fd);
			flow_end(f, true);
			return;
		}
	}
	f->private_addr = m->private_addr;
	f->vaulted = m->vaulted;
	lease_take(f, m->lease);
	opened(f, fd);
}

void flow_port(uint32_t key, int inner, int outer)
{
	unsigned n = 0;
	for (unsigned i = 0; i < n_used; i++)
		n += flows[i].state != FLOW_FREE && flows[i].kind == EGRESS_PORT;
	if (n < RELAY_MAX_PUBLISHED)
		make_room();
	struct flow *f = n < RELAY_MAX_PUBLISHED ? flow_take() : NULL;
	if (!f) {
		tell_denied(EGRESS_WHY_LIMIT, "", NULL, 0, 0, "");
		hang_up(&inner, true);
		hang_up(&outer, true);
		return;
	}
	f->kind = EGRESS_PORT;
	f->key = key;
	f->port = (uint16_t)key;
	f->fd[CLIENT] = inner; /* what it sends leaves the sandbox: "up" */
	f->fd[UPSTREAM] = outer;
	f->state = FLOW_OPEN;
	/* watching them reports what is there already */
	if (!watch_side(f, CLIENT) || !watch_side(f, UPSTREAM))
		flow_end(f, true);
}

void flow_cut(bool (*ends)(const struct flow *f, uint32_t key), uint32_t key)
{
	for (unsigned i = 0; i < n_used; i++)
		if (flows[i].state == FLOW_OPEN && ends(&flows[i], key))
			flow_end(&flows[i], true);
}

void flow_list(void)
{
	const struct flow *top[EGRESS_LIST_MAX];
	uint32_t open = 0, n = 0;
	for (unsigned i = 0; i < n_used; i++) {
		const struct flow *f = &flows[i];
		if (f->state != FLOW_OPEN)
			continue;
		open++;
		uint32_t at = n;
		while (at > 0 && top[at - 1]->last < f->last)
			at--;
		if (at == EGRESS_LIST_MAX)
			continue;
		n = MIN(n + 1, (uint32_t)EGRESS_LIST_MAX);
		memmove(top + at + 1, top + at, (n - 1 - at) * sizeof(top[0]));
		top[at] = f;
	}
	for (uint32_t i = 0; i < n; i++)
		if (!tell_open(top[i], i))
			return;
	tell_listed(open);
}

void flow_run_ready(void)
{
	struct flow *list = ready_head;
	ready_head = NULL;
	ready_tail = &ready_head;
	while (list) {
		struct flow *f = list;
		uint8_t which = f->ready;
		list = f->ready_next;
		f->ready = 0;
		for (unsigned i = 0; i < 2; i++)
			if (f->state == FLOW_OPEN && (which & 1u << i))
				run(f, i);
	}
}

void flow_tick(void)
{
	for (struct flow *f = timed_head, *next; f; f = next) {
		next = f->next;
		if (relay.now >= f->deadline)
			flow_end(f, true);
	}
	for (unsigned i = 0; i < MAX_LISTENERS; i++)
		if (listeners[i].paused)
			pause_listener(i, false);
}

void flow_end_all(void)
{
	for (uint32_t i = 0; i < n_used; i++)
		if (flows[i].state == FLOW_OPEN)
			tell_end(&flows[i]);
}
