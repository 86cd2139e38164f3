/* vault/ask.c - requests, from the link to the upstream: read again, judged, given their secret.
 *
 * Nothing that the front wrote is believed: it reads the agent's bytes.
 */
#include "vault/upstream.h"

enum { BUDGETS = 1024 };

struct budget {
	char name[256];
	uint16_t port;
	uint64_t spent, most;
};

static struct budget *budgets[BUDGETS];
static size_t n_budgets;

/* The account of a name and port; NULL when there are too many (see spend()). */
static struct budget *account(const char *name, uint16_t port)
{
	struct budget *b;
	for (size_t i = 0; i < n_budgets; i++)
		if (budgets[i]->port == port && streq(budgets[i]->name, name))
			return budgets[i];
	if (n_budgets == BUDGETS || !(b = calloc(1, sizeof(*b))))
		return NULL;
	snprintf(b->name, sizeof(b->name), "%s", name);
	b->port = port;
	b->most = http_max_upload(&vault_config.rules, name, port);
	return budgets[n_budgets++] = b;
}

void upstream_spent(struct upstream *u, uint64_t before)
{
	u->budget = account(u->f.name, u->f.port);
	if (u->budget)
		u->budget->spent = MAX(u->budget->spent, before);
}

/* May n more bytes go?  They are counted if so. */
static bool spend(struct upstream *u, size_t n)
{
	struct budget *b = u->budget;
	if (!b) /* not counted: then only if there is nothing to count for */
		return http_max_upload(&vault_config.rules, u->f.name, u->f.port) == UINT64_MAX;
	if (b->most != UINT64_MAX && (b->spent >= b->most || n > b->most - b->spent))
		return false;
	b->spent += n;
	u->tell.up = b->spent;
	return true;
}

static void over_budget(struct upstream *u)
{
	char text[160];
	snprintf(text, sizeof(text),
		"the policy lets this sandbox send %llu bytes to this host (max-upload), and they "
		"are used "
		"up",
		(unsigned long long)(u->budget ? u->budget->most : 0));
	upstream_refuse(u, VAULT_WHY_BUDGET, 403, text);
}

static const char *reason_of(unsigned int status)
{
	return status == 400    ? "Bad Request"
		: status == 403 ? "Forbidden"
		: status == 503 ? "Service Unavailable"
		: status == 504 ? "Gateway Timeout"
				: "Bad Gateway";
}

static void answer(struct upstream *u, unsigned int status, const char *fields, const char *text)
{
	struct buf b = {0};
	buf_addf(&b,
		"HTTP/1.1 %u %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
		"%zu\r\n%s"
		"Connection: close\r\n\r\n",
		status, reason_of(status), strlen(text) + sizeof("bawn: \n") - 1, fields);
	if (!u->head_only)
		buf_addf(&b, "bawn: %s\n", text);
	if (link_put(&u->f.link, LINK_DATA, buf_data(&b), b.n) < 0 ||
		link_put(&u->f.link, LINK_DONE, "", 1) < 0)
		u->f.dead = true;
	buf_free(&b);
}

void upstream_refuse(struct upstream *u, enum vault_why why, unsigned int status, const char *text)
{
	u->tell.why = (uint8_t)why;
	u->tell.flow = u->f.id;
	snprintf(u->tell.text, sizeof(u->tell.text), "%s", text);
	bool begun = u->got != GOT_NONE;
	u->tell.status = begun ? 0 : (uint16_t)status;
	loop_tell(&u->tell);
	u->state = UP_OVER;
	if (!begun) /* half a response can't be taken back: it goes on, and then breaks off */
		answer(u, status, "", text);
}

void upstream_again(struct upstream *u)
{
	u->state = UP_OVER;
	answer(u, 503, "Retry-After: 1\r\n", "the log-in is being renewed: come again");
}

static void remember(struct upstream *u, const struct h1_head *h)
{
	const char *query = memchr(h->target.p, '?', h->target.n);
	u->tell = (struct vault_tell_msg){.flow = u->f.id, .rule = EGRESS_NO_RULE};
	loop_text(u->tell.method, sizeof(u->tell.method), h->method.p, h->method.n);
	loop_text(u->tell.path, sizeof(u->tell.path), h->target.p,
		query ? (size_t)(query - h->target.p) : h->target.n);
	u->head_only = http_is(h->method, "head");
	u->websocket = h->websocket;
	u->chunked = h->chunked;
	u->left = h->length;
}

/* What asks for a secret that it may not have is answered here: without it the upstream would say
 * something else, which would lead whoever reads it astray. */
static bool may_carry(struct upstream *u, const struct h1_head *h)
{
	char text[240];
	const struct credential *c = config_barred(&vault_config, h, u->f.name, u->f.port);
	if (!c || GUARD_REMOVED("vault-requests"))
		return true;
	snprintf(text, sizeof(text), "the secret %s goes with other requests only%s%s", c->secret,
		c->beyond ? "; with this one by --policy " : "", c->beyond ? c->beyond : "");
	upstream_refuse(u, VAULT_WHY_REQUESTS, 403, text);
	return false;
}

/* Is this request to be made?  If not, it has been answered. */
static bool judge(struct upstream *u, const struct h1_head *h)
{
	char text[200];
	if (u->state == UP_FAILED) {
		upstream_refuse(u, u->why, u->why == VAULT_WHY_LIMIT ? 504 : 502, u->text);
		return false;
	}
	struct http_verdict v = http_decide(&vault_config.rules, u->f.name, u->f.port, h->method.p,
		h->method.n, h->target.p, h->target.n);
	if (v.action == EGRESS_ALLOW || GUARD_REMOVED("vault-rules"))
		return may_carry(u, h);
	u->tell.rule = v.rule;
	snprintf(text, sizeof(text), "%s", v.why);
	upstream_refuse(u, VAULT_WHY_RULE, 403, text);
	return false;
}

static void take_head(struct upstream *u, const struct link_frame *l)
{
	static struct h1_head h;
	ssize_t n = u->ask == ASK_NONE ? h1_request(l->p, l->n, &h) : -EPROTO;
	if (n < 0 || (size_t)n != l->n || !h1_host_is(&h, u->f.name, u->f.port)) {
		u->f.dead = true;
		return;
	}
	remember(u, &h);
	u->ask = ASK_BODY;
	if (!judge(u, &h))
		return;
	size_t before = u->out.n;
	if (config_inject(&vault_config, &h, u->f.name, u->f.port, &u->out, &u->injected,
		    &u->renews) < 0) {
		u->f.dead = true;
		return;
	}
	u->tell.injected = u->injected;
	if (!spend(u, u->out.n - before)) {
		buf_free(&u->out);
		over_budget(u);
	}
}

/* Nothing else than the upgrade was for: no requests that were not looked at. */
static bool are_frames(struct upstream *u, const char *p, size_t n)
{
	struct frame_piece piece;
	while (n) {
		const ssize_t used = frame_next(&u->sent, p, n, &piece);
		if (used < 0)
			return GUARD_REMOVED("vault-frames");
		p += used;
		n -= (size_t)used;
	}
	return true;
}

static void take_body(struct upstream *u, const struct link_frame *l)
{
	int r = 0;
	if (u->state == UP_OVER)
		return;
	if (u->got != GOT_OPAQUE &&
		(u->ask != ASK_BODY || (!u->chunked && (int64_t)l->n > u->left))) {
		u->f.dead = true;
		return;
	}
	if (!spend(u, l->n)) {
		over_budget(u);
		return;
	}
	if (u->got == GOT_OPAQUE && !are_frames(u, l->p, l->n)) {
		upstream_refuse(u, VAULT_WHY_MALFORMED, 400,
			"what was sent on an upgraded connection is no WebSocket");
		return;
	}
	if (u->got == GOT_OPAQUE || !u->chunked) {
		u->left -= (int64_t)l->n;
		r = buf_add(&u->out, l->p, l->n);
	} else if (l->n) {
		r = buf_addf(&u->out, "%zx\r\n", l->n);
		r = r < 0 ? r : buf_add(&u->out, l->p, l->n);
		r = r < 0 ? r : buf_add(&u->out, "\r\n", 2);
	}
	u->f.dead |= r < 0;
}

static void take_end(struct upstream *u, const struct link_frame *l)
{
	struct h1_chunks trailer = {0};
	struct h1_piece p;
	struct buf b = {0};
	if (u->state == UP_OVER)
		return;
	bool ok = u->ask == ASK_BODY && (u->chunked || (u->left <= 0 && l->n == 0));
	if (ok &&
		!config_trailers_ok(
			&vault_config, u->f.name, u->f.port, (struct http_span){l->p, l->n})) {
		upstream_refuse(u, VAULT_WHY_MALFORMED, 400,
			"a field that the policy's credentials and rules are about can't stand "
			"behind a body");
		return;
	}
	if (ok && !spend(u, l->n)) {
		over_budget(u);
		return;
	}
	if (ok && u->chunked) {
		/* the front's word for the trailers is not enough */
		ok = buf_addf(&b, "0\r\n") == 0 && buf_add(&b, l->p, l->n) == 0 &&
			buf_add(&b, "\r\n", 2) == 0 &&
			h1_chunk(&trailer, buf_data(&b), b.n, &p) == 3 &&
			h1_chunk(&trailer, buf_data(&b) + 3, b.n - 3, &p) == (ssize_t)b.n - 3 &&
			p.end && buf_add(&u->out, buf_data(&b), b.n) == 0;
		buf_free(&b);
	}
	u->ask = ASK_SENT;
	u->f.dead |= !ok;
}

bool upstream_ask(struct upstream *u)
{
	struct link_frame l;
	bool moved = false;
	if (u->out.n >= LINK_FULL || u->state == UP_HANDSHAKE)
		return false;
	int r = link_next(&u->f.link, &l);
	if (r == 0 && !u->link_over) {
		ssize_t n = link_fill(&u->f.link);
		moved = n > 0;
		u->link_over = n < 0;
		r = link_next(&u->f.link, &l);
	}
	if (r <= 0) {
		u->f.dead |= r < 0 || u->link_over;
		return moved;
	}
	if (l.kind == LINK_HEAD)
		take_head(u, &l);
	else if (l.kind == LINK_BODY)
		take_body(u, &l);
	else if (l.kind == LINK_END)
		take_end(u, &l);
	else
		u->f.dead = true;
	link_eat(&u->f.link, &l);
	return true;
}
