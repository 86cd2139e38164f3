/* vault/front.c - bawn-front: the agent's side of terminated connections.
 *
 * Owns: TLS with the agent, the first reading of its requests.  Knows no secret and not the
 * authority's key: of the vault it gets a leaf for this one name, and responses as they are to be
 * sent.  What goes to the vault was read strictly and is written anew.
 *
 * Theory of operation.  One request at a time: the next is read when the vault has said that the
 * response is complete.  Meanwhile a little is read on, so that the agent's going is seen.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <signal.h>

#include "vault/http1.h"
#include "vault/loop.h"

enum { READ_STEP = 16384, AHEAD = 16384, ROUNDS = 32, STEPS = 256 };
enum { HANDSHAKE_MS = 15000, HEAD_MS = 60000, LINGER_MS = 2000 };

enum state { WAIT_LEAF, HANDSHAKE, OPEN, LINGER };
enum phase { REQUEST_HEAD, REQUEST_BODY, REQUEST_SENT, OPAQUE };

struct front {
	struct flow f;
	enum state state;
	enum phase phase;
	bool chunked, closing;
	bool gone;     /* the vault's end of the link */
	bool answered; /* something of the response has been sent */
	bool served;   /* there was a request before this one, and its response was whole */
	int64_t left;  /* of a body with a length */
	struct h1_chunks chunks;
	struct buf in, out; /* of the agent, for the agent; plain */
};

static char scratch[READ_STEP];

static void refuse(struct front *c, enum vault_why why, const struct h1_head *h,
	unsigned int status, const char *text)
{
	struct vault_tell_msg t = {
		.flow = c->f.id, .why = (uint8_t)why, .status = (uint16_t)status};
	t.rule = EGRESS_NO_RULE;
	if (h) {
		const char *query = memchr(h->target.p, '?', h->target.n);
		loop_text(t.method, sizeof(t.method), h->method.p, h->method.n);
		loop_text(t.path, sizeof(t.path), h->target.p,
			query ? (size_t)(query - h->target.p) : h->target.n);
	}
	snprintf(t.text, sizeof(t.text), "%s", text);
	loop_tell(&t);
}

/* An answer of our own, the last on this connection. */
static void answer(struct front *c, unsigned int status, const char *text)
{
	const char *reason = status == 400 ? "Bad Request"
		: status == 405            ? "Method Not Allowed"
		: status == 421            ? "Misdirected Request"
		: status == 431            ? "Request Header Fields Too Large"
		: status == 505            ? "HTTP Version Not Supported"
					   : "Bad Gateway";
	buf_addf(&c->out,
		"HTTP/1.1 %u %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
		"%zu\r\n"
		"Connection: close\r\n\r\nbawn: %s\n",
		status, reason, strlen(text) + sizeof("bawn: \n") - 1, text);
	c->closing = true;
}

static void malformed(struct front *c, const struct h1_head *h, ssize_t e)
{
	unsigned int status = 400;
	const char *text = "this request is not strict HTTP/1.1, so it went nowhere";
	if (e == -EMSGSIZE) {
		status = 431;
		text = "the request's head is too long";
	} else if (e == -EPROTONOSUPPORT) {
		status = 505;
		text = "only HTTP/1.1 is spoken here";
	} else if (e == -EOPNOTSUPP) {
		status = 405;
		text = "CONNECT and TRACE are refused";
	} else if (e == -EXDEV) {
		status = 421;
		text = "the request's Host is not the host of this connection";
	}
	refuse(c, e == -EXDEV ? VAULT_WHY_HOST : VAULT_WHY_MALFORMED,
		h && h->method.p && h->target.p ? h : NULL, status, text);
	if (c->phase == REQUEST_BODY && c->answered) /* in the middle of the upstream's answer */
		c->f.dead = true;
	else
		answer(c, status, text);
}

/* ---- agent to vault ---- */

static void send_end(struct front *c, struct http_span trailer)
{
	link_put(&c->f.link, LINK_END, trailer.p, trailer.n);
	c->phase = REQUEST_SENT;
	c->f.deadline = 0;
}

static bool read_head(struct front *c)
{
	static struct h1_head h;
	struct buf head = {0};
	if (c->in.n == 0)
		return false;
	ssize_t n = h1_request(buf_data(&c->in), c->in.n, &h);
	if (n == 0) {
		/* not for every byte that drips */
		if (!c->f.deadline)
			c->f.deadline = loop_now() + HEAD_MS;
		return false;
	}
	if (n > 0 && !h1_host_is(&h, c->f.name, c->f.port) && !GUARD_REMOVED("vault-host"))
		n = -EXDEV;
	if (n > 0 && h1_put_request(&head, &h, c->f.name, c->f.port, NULL, NULL) < 0)
		c->f.dead = true;
	/* as it goes on it may be longer by a field, which is the vault's to read within the same
	 * bounds */
	if (n > 0 && (head.n + 2 > H1_REQUEST_MAX || h.n == H1_FIELDS_MAX))
		n = -EMSGSIZE;
	if (n < 0) {
		buf_free(&head);
		malformed(c, &h, n);
		return true;
	}
	c->chunked = h.chunked;
	c->left = h.length;
	c->chunks = (struct h1_chunks){0};
	c->answered = false;
	if (buf_add(&head, "\r\n", 2) < 0 ||
		link_put(&c->f.link, LINK_HEAD, buf_data(&head), head.n) < 0)
		c->f.dead = true;
	buf_free(&head);
	buf_eat(&c->in, (size_t)n);
	c->phase = REQUEST_BODY;
	c->f.deadline = 0;
	if (!c->chunked && c->left <= 0)
		send_end(c, (struct http_span){0});
	return true;
}

static bool send_body(struct front *c, size_t n)
{
	n = MIN(n, (size_t)LINK_FRAME_MAX);
	if (link_put(&c->f.link, LINK_BODY, buf_data(&c->in), n) < 0)
		c->f.dead = true;
	buf_eat(&c->in, n);
	return true;
}

static bool read_chunked(struct front *c)
{
	struct h1_piece p;
	ssize_t n = h1_chunk(&c->chunks, buf_data(&c->in), c->in.n, &p);
	if (n < 0) {
		malformed(c, NULL, n);
		return true;
	}
	if (p.data.n && link_put(&c->f.link, LINK_BODY, p.data.p, p.data.n) < 0)
		c->f.dead = true;
	if (p.end)
		send_end(c, p.trailer);
	buf_eat(&c->in, (size_t)n);
	return n > 0;
}

static bool read_body(struct front *c)
{
	if (c->in.n == 0)
		return false;
	if (c->chunked)
		return read_chunked(c);
	size_t n = MIN(c->in.n, (size_t)MIN(c->left, (int64_t)LINK_FRAME_MAX));
	send_body(c, n);
	c->left -= (int64_t)n;
	if (c->left == 0)
		send_end(c, (struct http_span){0});
	return true;
}

static bool step_up(struct front *c)
{
	if (c->closing || c->f.link.out.n >= LINK_FULL)
		return false;
	switch (c->phase) {
	case REQUEST_HEAD:
		return read_head(c);
	case REQUEST_BODY:
		return read_body(c);
	case OPAQUE:
		return c->in.n ? send_body(c, c->in.n) : false;
	default:
		return false;
	}
}

static bool read_agent(struct front *c)
{
	size_t most = c->phase == REQUEST_HEAD || c->phase == REQUEST_BODY
		? H1_REQUEST_MAX + READ_STEP
		: AHEAD;
	if (c->in.n >= most || c->closing || c->f.link.out.n >= LINK_FULL)
		return false;
	ssize_t n = tls_read(c->f.tls, scratch, sizeof(scratch));
	if (n == -EAGAIN)
		return false;
	if (n <= 0 || buf_add(&c->in, scratch, (size_t)n) < 0) {
		c->f.dead = true;
		return false;
	}
	return true;
}

/* ---- vault to agent ---- */

static void take_leaf(struct front *c, const struct link_frame *l)
{
	uint32_t n;
	if (c->state != WAIT_LEAF || l->n < sizeof(n)) {
		c->f.dead = true;
		return;
	}
	memcpy(&n, l->p, sizeof(n));
	if (n <= l->n - sizeof(n))
		c->f.tls = tls_front(&c->f.wire, c->f.name, l->p + sizeof(n), n,
			l->p + sizeof(n) + n, l->n - sizeof(n) - n);
	c->f.dead = !c->f.tls;
	c->state = HANDSHAKE;
}

static void take_done(struct front *c, const struct link_frame *l)
{
	bool more = l->n == 1 && l->p[0] && c->phase == REQUEST_SENT;
	c->phase = REQUEST_HEAD;
	c->served = true;
	c->closing = !more;
}

static void take_frame(struct front *c, const struct link_frame *l)
{
	switch (l->kind) {
	case LINK_LEAF:
		take_leaf(c, l);
		return;
	case LINK_DATA:
		if (c->state != OPEN || buf_add(&c->out, l->p, l->n) < 0)
			c->f.dead = true;
		c->answered = true;
		return;
	case LINK_DONE:
		take_done(c, l);
		return;
	case LINK_SWITCH:
		if (c->phase == REQUEST_SENT)
			c->phase = OPAQUE;
		else
			c->f.dead = true;
		return;
	default:
		c->f.dead = true;
	}
}

/* The vault is gone, or has ended this flow. */
static void vault_gone(struct front *c)
{
	bool asked = c->phase == REQUEST_BODY || c->phase == REQUEST_SENT;
	if (c->state != OPEN) {
		c->f.dead = true;
	} else if (!asked) {
		c->closing = true;
	} else if (c->answered) {
		/* no clean end: what is there is not the whole response */
		c->f.dead = c->out.n == 0;
	} else if (c->served) {
		/* the upstream has closed an idle connection while the request was on its way:
		 * whoever made it knows that from connections of its own, and what to do */
		c->f.dead = true;
	} else {
		const char *text = "the connection to this host broke off before it answered";
		refuse(c, VAULT_WHY_UPSTREAM, NULL, 502, text);
		answer(c, 502, text);
	}
}

static bool step_down(struct front *c)
{
	struct link_frame l;
	bool moved = false;
	if (c->out.n >= LINK_FULL || c->closing)
		return false;
	int r = link_next(&c->f.link, &l);
	if (r == 0 && !c->gone) {
		ssize_t n = link_fill(&c->f.link);
		c->gone = n < 0;
		moved = n != 0;
		r = link_next(&c->f.link, &l);
	}
	if (r < 0) {
		c->f.dead = true;
		return false;
	}
	if (r > 0) {
		take_frame(c, &l);
		link_eat(&c->f.link, &l);
		return true;
	}
	if (c->gone)
		vault_gone(c);
	return moved;
}

static bool write_agent(struct front *c)
{
	if (c->state != OPEN || c->out.n == 0)
		return false;
	ssize_t n = tls_write(c->f.tls, buf_data(&c->out), c->out.n);
	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		c->f.dead = true;
		return false;
	}
	buf_eat(&c->out, (size_t)n);
	return true;
}

/* ---- both ---- */

static bool shake_hands(struct front *c)
{
	char why[200] = "";
	int r = tls_handshake(c->f.tls, why, sizeof(why));
	if (r < 0) {
		refuse(c, VAULT_WHY_TLS, NULL, 0, why);
		c->f.dead = true;
	}
	if (r <= 0)
		return false;
	c->state = OPEN;
	c->f.deadline = 0;
	return true;
}

/* What was still on its way is read and thrown away, so that our last words are not lost. */
static bool linger(struct front *c)
{
	if (c->state != LINGER) {
		tls_bye(c->f.tls);
		shutdown(c->f.wire.fd, SHUT_WR);
		c->state = LINGER;
		c->f.deadline = loop_now() + LINGER_MS;
		buf_free(&c->in);
	}
	ssize_t n = wire_recv(&c->f.wire, scratch, sizeof(scratch));
	if (n < 0 && n != -EAGAIN)
		c->f.dead = true;
	return n > 0;
}

static bool from_agent(struct front *c)
{
	return c->state == OPEN && (read_agent(c) || step_up(c));
}

/* Within bounds, as the other side may have no end. */
static bool as_far(struct front *c, bool (*step)(struct front *c))
{
	int i = 0;
	while (i < STEPS && !c->f.dead && step(c))
		i++;
	return i > 0;
}

static bool round_of(struct front *c)
{
	bool moved = false;
	if (c->state == LINGER)
		return linger(c);
	if (c->state == HANDSHAKE)
		moved |= shake_hands(c);
	/* each as far as it goes, then one call for all of it */
	moved |= as_far(c, from_agent);
	ssize_t n = c->f.dead ? 0 : link_flush(&c->f.link);
	if (n < 0) /* nobody reads on; what was sent before that comes yet */
		buf_free(&c->f.link.out);
	moved |= n > 0;
	moved |= as_far(c, step_down);
	moved |= as_far(c, write_agent);
	if (c->closing && c->out.n == 0 && !c->f.dead)
		return linger(c);
	return moved && !c->f.dead;
}

static bool pump(struct flow *f)
{
	struct front *c = (struct front *)(void *)f;
	for (int i = 0; i < ROUNDS; i++) {
		if (!round_of(c)) {
			buf_trim(&c->in);
			buf_trim(&c->out);
			buf_trim(&f->link.in);
			buf_trim(&f->link.out);
			return false;
		}
	}
	return true;
}

static void start(struct flow *f, const struct vault_flow_msg *m)
{
	(void)m;
	f->deadline = loop_now() + HANDSHAKE_MS;
}

static void late(struct flow *f)
{
	struct front *c = (struct front *)(void *)f;
	if (c->state == WAIT_LEAF || c->state == HANDSHAKE)
		refuse(c, VAULT_WHY_TLS, NULL, 0, "no TLS handshake in time");
	else if (c->state == OPEN)
		refuse(c, VAULT_WHY_MALFORMED, NULL, 0, "no whole request in time");
	f->dead = true;
}

static void stop(struct flow *f)
{
	struct front *c = (struct front *)(void *)f;
	buf_free(&c->in);
	buf_free(&c->out);
}

int main(void)
{
	static struct err err;
	static const struct loop_ops ops = {.flow_size = sizeof(struct front),
		.agent_fd = 0,
		.start = start,
		.pump = pump,
		.late = late,
		.stop = stop};
	setsid(); /* signals of the terminal are the supervisor's to act on */
	signal(SIGPIPE, SIG_IGN);
	syscall(SYS_close_range, LOOP_SUPER_FD + 1, ~0u, 0);
	int r = tls_front_setup(&err);
	r = r < 0 ? r : loop_confine(&err);
	if (r < 0) {
		dprintf(STDERR_FILENO, "bawn: front: %s\n", err.msg);
		return 1;
	}
	return loop_run(&ops);
}
