/* egress/relay-dns.c - the sandbox's name server, over UDP and TCP.
 *
 * Owns: what is answered, the rate limits, the TCP connections.  Nothing is asked of anybody: every
 * well-formed name has a synthetic address, and whether it may be reached is decided when it is
 * connected to.  Never REFUSED or SERVFAIL: glibc turns those into EAI_AGAIN, and programs retry
 * for minutes.
 */
#include "egress/relay.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "egress/dns-wire.h"
#include "egress/names.h"
#include "policy/why-name.h"

enum {
	UDP_BATCH = 64,
	QUERY_MAX = 1024, /* over TCP; a question can't be longer than 300 bytes or so */
	CONN_IDLE_MS = 10 * 1000,
	QUERIES_PER_S = 5000,
	QUERIES_BURST = 10000,
	/* Below an allowed wildcard a name can carry data out, once it is connected to. */
	NEW_NAMES_PER_S = 50,
	NEW_NAMES_BURST = 1000,
	LOOPBACK = 0x7f000001,
};

/* Tokens in thousandths; starts full. */
struct bucket {
	uint64_t tokens, last;
	uint32_t per_s, burst;
};

static struct bucket queries = {.per_s = QUERIES_PER_S, .burst = QUERIES_BURST};
static struct bucket new_names = {.per_s = NEW_NAMES_PER_S, .burst = NEW_NAMES_BURST};

static struct conn {
	int fd; /* 0: unused */
	uint32_t gen, n;
	uint64_t last;
	uint8_t buf[2 + QUERY_MAX];
} conns[RELAY_MAX_DNS_CONNS];
static unsigned n_conns;

static bool take_token(struct bucket *b)
{
	uint64_t max = (uint64_t)b->burst * 1000;
	if (b->last == 0)
		b->tokens = max;
	else
		b->tokens = MIN(max, b->tokens + (relay.now - b->last) * b->per_s);
	b->last = relay.now ? relay.now : 1;
	if (b->tokens < 1000)
		return false;
	b->tokens -= 1000;
	return true;
}

static bool is_localhost(const char *name)
{
	size_t n = strlen(name), k = strlen("localhost");
	return n >= k && streq(name + n - k, "localhost") && (n == k || name[n - k - 1] == '.');
}

/* The synthetic address of name.  DNS_NOERROR and *ret, or DNS_NXDOMAIN. */
static int synthesize(const char *name, bool known, uint32_t *ret)
{
	bool is_new;
	enum names_kind kind = !known                   ? NAMES_OTHER
		: egress_name_exact(relay.egress, name) ? NAMES_EXACT
							: NAMES_WILDCARD;
	/* a name that a rule gives carries nothing out, and must not wait for those that do */
	bool costs = kind == NAMES_WILDCARD;
	if (costs && !take_token(&new_names) && !GUARD_REMOVED("name-rate")) {
		tell_denied(EGRESS_WHY_QUERY, "", NULL, 0, 0, "");
		return DNS_NXDOMAIN;
	}
	int i = names_intern(name, kind, relay_seconds(), &is_new);
	if (costs && !is_new && i >= 0) /* only new names cost */
		new_names.tokens += 1000;
	if (i < 0) {
		tell_denied(EGRESS_WHY_QUERY, "", NULL, 0, 0, "");
		return DNS_NXDOMAIN;
	}
	*ret = names_addr(i);
	return DNS_NOERROR;
}

static int decide(const struct dns_query *q, uint32_t *ret, bool *ret_has)
{
	char name[HOST_NAME_MAX_LEN + 1];
	if (egress_offline(relay.egress))
		return DNS_NXDOMAIN;
	if (q->name_len == 0)
		return DNS_NOERROR;
	if (!q->text_ok || host_canonical(q->name, q->name_len, name) < 0)
		return DNS_NXDOMAIN;
	if (is_localhost(name)) {
		*ret = LOOPBACK;
		*ret_has = q->qtype == DNS_TYPE_A && q->qclass == DNS_CLASS_IN;
		return DNS_NOERROR;
	}
	/* a question about rules: nobody's name, whatever they allow */
	bool why = why_name_is(name);
	bool known = !why && egress_name_known(relay.egress, name);
	if (!known && !why && host_name_special(name) && !GUARD_REMOVED("special-names")) {
		if (q->qtype == DNS_TYPE_A)
			tell_denied(EGRESS_WHY_SPECIAL, name, NULL, 53, 0, "");
		return DNS_NXDOMAIN;
	}
	if (q->qtype != DNS_TYPE_A || q->qclass != DNS_CLASS_IN)
		return DNS_NOERROR;
	int r = synthesize(name, known, ret);
	*ret_has = r == DNS_NOERROR;
	return r;
}

/* Length of the answer in out, 0 for none. */
static size_t answer(const uint8_t *p, size_t n, uint8_t out[static DNS_ANSWER_MAX])
{
	struct dns_query q;
	uint32_t addr = 0;
	bool has = false;
	if (!take_token(&queries)) {
		tell_denied(EGRESS_WHY_LIMIT, "", NULL, 53, 0, "");
		return 0;
	}
	int rcode = dns_parse(p, n, &q);
	if (rcode < 0)
		return 0;
	if (rcode == DNS_NOERROR)
		rcode = decide(&q, &addr, &has);
	return dns_build(out, p, &q, rcode, has ? &addr : NULL);
}

void dns_udp_ready(int fd)
{
	uint8_t in[QUERY_MAX], out[DNS_ANSWER_MAX];
	for (int i = 0; i < UDP_BATCH; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(
			fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n < 0)
			return;
		size_t k = answer(in, (size_t)n, out);
		if (k)
			sendto(fd, out, k, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&from,
				len);
	}
}

/* ---- TCP ---- */

static void conn_close(struct conn *c)
{
	close(c->fd);
	c->fd = 0;
	c->gen++;
	n_conns--;
}

void dns_tcp_accept(int fd)
{
	for (;;) {
		int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (s < 0)
			return;
		struct conn *c = NULL, *oldest = &conns[0];
		for (unsigned i = 0; i < RELAY_MAX_DNS_CONNS && !c; i++) {
			if (conns[i].fd == 0)
				c = &conns[i];
			else if (conns[i].last < oldest->last)
				oldest = &conns[i];
		}
		if (!c) {
			c = oldest;
			conn_close(c);
		}
		c->fd = s;
		c->n = 0;
		c->last = relay.now;
		n_conns++;
		uint32_t id = (c->gen & 0xffffff) << 8 | (uint32_t)(c - conns);
		if (relay_watch(s, EPOLLIN | EPOLLRDHUP, RELAY_EV_DNS_CONN, id) < 0)
			conn_close(c);
	}
}

/* Answer every whole message in the buffer.  False when the connection has to end. */
static bool conn_answer(struct conn *c)
{
	uint8_t out[2 + DNS_ANSWER_MAX];
	for (;;) {
		if (c->n < 2)
			return true;
		uint32_t len = (uint32_t)c->buf[0] << 8 | c->buf[1];
		if (len > QUERY_MAX)
			return false;
		if (c->n < 2 + len)
			return true;
		size_t k = answer(c->buf + 2, len, out + 2);
		out[0] = (uint8_t)(k >> 8);
		out[1] = (uint8_t)k;
		/* a client that doesn't read its answers isn't waited for */
		if (k == 0 || send(c->fd, out, 2 + k, MSG_NOSIGNAL) != (ssize_t)(2 + k))
			return false;
		c->n -= 2 + len;
		memmove(c->buf, c->buf + 2 + len, c->n);
	}
}

void dns_conn_event(uint32_t id, uint32_t events)
{
	struct conn *c = &conns[(id & 0xff) % RELAY_MAX_DNS_CONNS];
	(void)events;
	if (c->fd == 0 || (c->gen & 0xffffff) != id >> 8)
		return;
	ssize_t n = recv(c->fd, c->buf + c->n, sizeof(c->buf) - c->n, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->last = relay.now;
	c->n += (uint32_t)n;
	if (!conn_answer(c))
		conn_close(c);
}

void dns_tick(void)
{
	for (unsigned i = 0; i < RELAY_MAX_DNS_CONNS; i++)
		if (conns[i].fd && relay.now - conns[i].last >= CONN_IDLE_MS)
			conn_close(&conns[i]);
}

bool dns_any_timed(void)
{
	return n_conns > 0;
}
