/* vault/answer.c - responses, from the upstream to the link: read strictly, scrubbed, written anew.
 *
 * Lengths do not change by scrubbing, so what the upstream says about them holds on.  A body that
 * ends with the connection becomes chunks, so that one that is cut off can be told from a whole
 * one.
 */
#include "vault/upstream.h"

enum { READ_STEP = 16384 };

static char scratch[READ_STEP];
static struct buf clean; /* what one step has let through */

static void emit(struct upstream *u, const void *p, size_t n)
{
	if (n && link_put(&u->f.link, LINK_DATA, p, n) < 0)
		u->f.dead = true;
}

static void emit_clean(struct upstream *u)
{
	for (size_t at = 0; at < clean.n; at += LINK_FRAME_MAX)
		emit(u, buf_data(&clean) + at, MIN(clean.n - at, (size_t)LINK_FRAME_MAX));
	buf_eat(&clean, clean.n);
}

/* A piece of the body, in the framing that the agent was told. */
static void emit_body(struct upstream *u, const char *p, size_t n, bool last)
{
	char size[24];
	if (scrub_feed(&vault_config.scrub, &u->held, p, n, last, &clean) < 0)
		u->f.dead = true;
	if (clean.n && u->got != GOT_LENGTH)
		emit(u, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", clean.n));
	const bool end = clean.n && u->got != GOT_LENGTH;
	emit_clean(u);
	if (end)
		emit(u, "\r\n", 2);
}

static void finished(struct upstream *u)
{
	char more = u->ask == ASK_SENT && !u->close && !u->over;
	buf_free(&u->held);
	if (link_put(&u->f.link, LINK_DONE, &more, 1) < 0)
		u->f.dead = true;
	u->ask = ASK_NONE;
	u->got = GOT_NONE;
	u->served = true;
	if (!more)
		u->state = UP_OVER;
}

static void broke_off(struct upstream *u, const char *how)
{
	char text[400];
	snprintf(text, sizeof(text), "%.200s %s", u->f.name, how);
	upstream_refuse(u, VAULT_WHY_UPSTREAM, 502, text);
}

/* How the body ends that belongs to this head. */
static enum up_response body_of(const struct upstream *u, const struct h1_head *h)
{
	if (u->head_only || h->status < 200 || h->status == 204 || h->status == 304)
		return GOT_NONE;
	if (h->chunked)
		return GOT_CHUNKS;
	return h->length >= 0 ? GOT_LENGTH : GOT_REST;
}

/* The head as the agent gets it. */
static void emit_head(struct upstream *u, const struct h1_head *h, enum up_response body)
{
	struct buf b = {0};
	enum h1_framing f = body == GOT_NONE ? H1_NO_BODY
		: body == GOT_LENGTH         ? H1_LENGTH
					     : H1_CHUNKED;
	if (h1_put_response(&b, h, f, u->close && h->status >= 200) < 0)
		u->f.dead = true;
	scrub_run(&vault_config.scrub, buf_data(&b), b.n, true);
	for (size_t at = 0; at < b.n; at += LINK_FRAME_MAX)
		emit(u, buf_data(&b) + at, MIN(b.n - at, (size_t)LINK_FRAME_MAX));
	buf_free(&b);
}

static void switched(struct upstream *u, const struct h1_head *h)
{
	if (!u->websocket || !h->websocket || u->ask != ASK_SENT) {
		broke_off(u, "switched to something that is no WebSocket");
		return;
	}
	for (size_t i = 0; i < h->n; i++) {
		if (!http_names(h->f[i].name, "sec-websocket-extensions"))
			continue;
		broke_off(u, "uses extensions of WebSockets, though asked not to");
		return;
	}
	u->sent = (struct frames){.masked = true};
	u->said = (struct frames){0};
	emit_head(u, h, GOT_NONE);
	u->got = GOT_OPAQUE;
	if (link_put(&u->f.link, LINK_SWITCH, NULL, 0) < 0)
		u->f.dead = true;
}

static bool read_head(struct upstream *u)
{
	static struct h1_head h;
	ssize_t n = h1_response(buf_data(&u->in), u->in.n, &h);
	if (n == 0)
		return false;
	if (u->ask == ASK_NONE) {
		/* a response that nobody asked for must not become that of the next request; the
		 * one before it is still on its way */
		u->state = UP_OVER;
		return true;
	}
	if (n < 0) {
		broke_off(u, "answered with something that is not strict HTTP/1.1");
		return true;
	}
	enum up_response body = body_of(u, &h);
	if (h.status == 206 && u->injected && !GUARD_REMOVED("vault-parts")) {
		broke_off(u,
			"sends a part only, though asked for all: half a secret in it would not be "
			"seen, so nothing of it is passed on");
		return true;
	}
	if (h.coded && body != GOT_NONE && u->injected && !GUARD_REMOVED("vault-coded")) {
		broke_off(u,
			"compresses what it sends, though asked not to: a secret in it would not "
			"be "
			"seen, so nothing of it is passed on");
		return true;
	}
	if (h.status >= 200) {
		u->close = h.close || !h.v11 || body == GOT_REST;
		/* a response before the request's end: what is left of that has nowhere to go */
		u->close |= u->ask != ASK_SENT;
	}
	if (h.status >= 200 || h.status == 101) {
		u->tell.status = (uint16_t)h.status;
		loop_tell(&u->tell);
	}
	if (h.status == 401 && u->renews && !GUARD_REMOVED("vault-again")) {
		upstream_again(u);
		return true;
	}
	if (h.status == 101)
		switched(u, &h);
	else
		emit_head(u, &h, body);
	buf_eat(&u->in, (size_t)n);
	if (h.status < 200 || u->state != UP_OPEN)
		return true;
	u->got = body;
	u->to_come = h.length;
	u->chunks = (struct h1_chunks){0};
	if (body == GOT_NONE || (body == GOT_LENGTH && h.length == 0))
		finished(u);
	return true;
}

static bool read_chunks(struct upstream *u)
{
	struct h1_piece p;
	ssize_t n = h1_chunk(&u->chunks, buf_data(&u->in), u->in.n, &p);
	if (n < 0) {
		broke_off(u, "sent malformed chunks");
		return true;
	}
	if (p.data.n)
		emit_body(u, p.data.p, p.data.n, false);
	if (p.end) {
		emit_body(u, NULL, 0, true);
		emit(u, "0\r\n", 3);
		if (p.trailer.n) {
			buf_add(&clean, p.trailer.p, p.trailer.n);
			scrub_run(&vault_config.scrub, buf_data(&clean), clean.n, true);
			emit(u, buf_data(&clean), clean.n);
			buf_eat(&clean, clean.n);
		}
		emit(u, "\r\n", 2);
	}
	buf_eat(&u->in, (size_t)n);
	if (p.end)
		finished(u);
	return n > 0;
}

static void read_length(struct upstream *u)
{
	size_t n = MIN(u->in.n, (size_t)MIN(u->to_come, (int64_t)READ_STEP));
	u->to_come -= (int64_t)n;
	emit_body(u, buf_data(&u->in), n, u->to_come == 0);
	buf_eat(&u->in, n);
	if (u->to_come == 0)
		finished(u);
}

/* ---- a WebSocket ---- */

static void emit_frame_head(struct upstream *u, unsigned int kind, bool fin, uint64_t length)
{
	char head[FRAME_HEAD_MAX];
	emit(u, head, frame_head(kind, fin, length, head));
}

/* Whole, as it is short. */
static void control_frame(struct upstream *u, const struct frame_piece *p)
{
	if (buf_add(&u->control, p->data.p, p->data.n) < 0)
		u->f.dead = true;
	if (!p->ends || u->f.dead)
		return;
	if (u->control.n)
		scrub_run(&vault_config.scrub, buf_data(&u->control), u->control.n, true);
	emit_frame_head(u, u->said.kind, true, u->control.n);
	emit(u, buf_data(&u->control), u->control.n);
	buf_free(&u->control);
}

/* A message is scrubbed as one, however it is cut into frames.  The last frame of one keeps its
 * form, with what was held back of those before in front of it; those are cut anew. */
static void message_frame(struct upstream *u, const struct frame_piece *p)
{
	const struct frames *f = &u->said;
	if (p->begins && f->kind)
		u->message = f->kind;
	if (p->begins && f->fin) {
		emit_frame_head(u, u->message, true, u->held.n + f->length);
		u->message = 0;
	}
	if (scrub_feed(&vault_config.scrub, &u->held, p->data.p, p->data.n, f->fin && p->ends,
		    &clean) < 0)
		u->f.dead = true;
	if (clean.n && !f->fin) {
		emit_frame_head(u, u->message, false, clean.n);
		u->message = 0;
	}
	emit_clean(u);
}

static void read_frames(struct upstream *u)
{
	struct frame_piece p;
	const ssize_t n = frame_next(
		&u->said, buf_data(&u->in), MIN(u->in.n, (size_t)READ_STEP), &p);
	if (n < 0) {
		broke_off(u, "sent something that is no WebSocket");
		return;
	}
	if (u->said.in_frame || p.begins || p.ends) {
		if (frame_is_control(&u->said))
			control_frame(u, &p);
		else
			message_frame(u, &p);
	}
	buf_eat(&u->in, (size_t)n);
}

/* Use what has been read; true when some of it was. */
static bool use(struct upstream *u)
{
	if (u->in.n == 0 || u->f.dead || u->state != UP_OPEN || u->f.link.out.n >= LINK_FULL)
		return false;
	switch (u->got) {
	case GOT_NONE:
		return read_head(u);
	case GOT_CHUNKS:
		return read_chunks(u);
	case GOT_LENGTH:
		read_length(u);
		return true;
	case GOT_REST:
		emit_body(u, buf_data(&u->in), u->in.n, false);
		break;
	case GOT_OPAQUE:
		read_frames(u);
		return true;
	}
	buf_eat(&u->in, u->in.n);
	return true;
}

/* The upstream sends no more, by its word or by an error. */
static void ended(struct upstream *u, bool clean_end)
{
	u->over = true;
	if (u->got == GOT_REST && clean_end) {
		emit_body(u, NULL, 0, true);
		emit(u, "0\r\n\r\n", 5);
		finished(u);
	} else if (u->got == GOT_OPAQUE || u->ask == ASK_NONE) {
		u->state = UP_OVER;
	} else if (u->got == GOT_NONE && u->served) {
		/* it may have closed while the request was on its way: then one that can be made
		 * again is, by whoever made it */
		u->tell.why = VAULT_WHY_UPSTREAM;
		snprintf(u->tell.text, sizeof(u->tell.text), "closed by the upstream");
		loop_tell(&u->tell);
		u->f.dead = true;
	} else {
		broke_off(u, "broke off the connection");
	}
}

bool upstream_answer(struct upstream *u)
{
	if (use(u))
		return true;
	if (u->state != UP_OPEN || u->over || u->f.link.out.n >= LINK_FULL)
		return false;
	ssize_t n = tls_read(u->f.tls, scratch, sizeof(scratch));
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		ended(u, n == 0);
		return true;
	}
	if (buf_add(&u->in, scratch, (size_t)n) < 0)
		u->f.dead = true;
	explicit_bzero(scratch, (size_t)n);
	return true;
}
