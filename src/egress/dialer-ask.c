/* egress/dialer-ask.c - connections that wait for a person: names that no rule knows.
 *
 * Owns: the questions, the flows that they hold, what was answered with no.  Must not: allow; a
 * question ends by a rule that counts from now on (dialer_policy), by a no, or by its time.
 *
 * Everything is bounded, as the agent makes the questions: so many names, so many flows to each, so
 * many answers remembered.  What doesn't fit is denied at once, as it would be without a person.  A
 * held flow is a number that the relay gave; if the agent hangs up meanwhile, the relay ignores the
 * answer.  A name that nobody answered for is not asked for again at once: an agent that tries ten
 * times would wait ten times.
 */
#include "egress/dialer-int.h"

struct question {
	uint32_t id;
	uint16_t port;
	uint64_t until; /* ms */
	unsigned n_flows;
	uint32_t flow[DIALER_ASK_FLOWS];
	char name[256], target[300];
};

/* A name that is not asked for again. */
struct settled {
	uint16_t port;
	uint64_t until; /* ms; UINT64_MAX: a person said no */
	char name[256];
};

struct asks {
	uint32_t last_id;
	bool again; /* other rules count: look at all of them */
	unsigned n; /* oldest first */
	struct question q[DIALER_ASK_NAMES];
	unsigned next_settled;
	struct settled settled[DIALER_ASK_SETTLED];
};

static void to_words(const struct dialer *d, const struct question *q, struct dialer_question *ret)
{
	*ret = (struct dialer_question){.id = q->id,
		.target = q->target,
		.name = q->name,
		.port = q->port,
		.flows = q->n_flows,
		.left_ms = q->until > d->now ? (uint32_t)(q->until - d->now) : 0};
}

static void tell(struct dialer *d, const struct question *q, enum dialer_asked what)
{
	struct dialer_question x;
	to_words(d, q, &x);
	if (d->c.hooks.asked)
		d->c.hooks.asked(d->c.hooks.ctx, &x, what);
}

static bool is_settled(const struct dialer *d, const char *name, uint16_t port)
{
	for (size_t i = 0; i < DIALER_ASK_SETTLED; i++) {
		const struct settled *s = &d->asks->settled[i];
		if (s->until > d->now && s->port == port && streq(s->name, name))
			return true;
	}
	return false;
}

static void settle(struct dialer *d, const struct question *q, uint64_t until)
{
	struct settled *s = &d->asks->settled[d->asks->next_settled++ % DIALER_ASK_SETTLED];
	s->until = until;
	s->port = q->port;
	memcpy(s->name, q->name, sizeof(s->name));
}

static void forget(struct asks *a, unsigned i)
{
	memmove(a->q + i, a->q + i + 1, (a->n - i - 1) * sizeof(a->q[0]));
	a->n--;
}

bool ask_hold(struct dialer *d, uint32_t flow, const char *name, uint16_t port, const char *target)
{
	if (!d->asks)
		d->asks = calloc(1, sizeof(*d->asks));
	struct asks *a = d->asks;
	if (!a || is_settled(d, name, port))
		return false;
	struct question *q = NULL;
	for (unsigned i = 0; i < a->n && !q; i++)
		if (a->q[i].port == port && streq(a->q[i].name, name))
			q = &a->q[i];
	if (q) {
		if (q->n_flows == DIALER_ASK_FLOWS)
			return false;
		q->flow[q->n_flows++] = flow;
		return true;
	}
	if (a->n == DIALER_ASK_NAMES && !GUARD_REMOVED("ask-names"))
		return false;
	if (a->n == DIALER_ASK_NAMES)
		forget(a, 0); /* a test build without the bound: its flows are never answered */
	q = &a->q[a->n++];
	*q = (struct question){.id = ++a->last_id,
		.port = port,
		.until = d->now + d->c.ask_ms,
		.n_flows = 1,
		.flow = {flow}};
	snprintf(q->name, sizeof(q->name), "%s", name);
	snprintf(q->target, sizeof(q->target), "%s", target);
	dialer_wake_at(d, q->until);
	tell(d, q, DIALER_ASKED);
	return true;
}

/* The question ends: every flow that it held is judged by the rules, as if it had come just now. */
static void release(struct dialer *d, unsigned i, enum dialer_asked what)
{
	struct question q = d->asks->q[i];
	forget(d->asks, i);
	tell(d, &q, what);
	for (unsigned k = 0; k < q.n_flows; k++)
		dialer_judge_name(d, q.flow[k], q.name, q.port);
}

static void judge_again(struct dialer *d)
{
	struct asks *a = d->asks;
	for (unsigned i = 0; i < a->n;) {
		const struct egress_verdict v = egress_match(
			d->c.egress, a->q[i].name, a->q[i].port);
		if (v.action != EGRESS_ALLOW && v.rule == EGRESS_NO_RULE)
			i++;
		else
			release(d, i, DIALER_RULED);
	}
}

/* Not at once: who changes the rules has yet to see to those on requests, and to the vault. */
void ask_judge_again(struct dialer *d)
{
	if (!d->asks || d->asks->n == 0)
		return;
	d->asks->again = true;
	dialer_wake_at(d, d->now);
}

void ask_tick(struct dialer *d)
{
	struct asks *a = d->asks;
	uint64_t next = 0;
	if (a && a->again) {
		a->again = false;
		judge_again(d);
	}
	for (unsigned i = 0; a && i < a->n;) {
		if (a->q[i].until <= d->now) {
			settle(d, &a->q[i], d->now + DIALER_ASK_QUIET_MS);
			release(d, i, DIALER_NOT_ANSWERED);
			continue;
		}
		next = next ? MIN(next, a->q[i].until) : a->q[i].until;
		i++;
	}
	if (next)
		dialer_wake_at(d, next);
}

static int find(const struct dialer *d, uint32_t id)
{
	for (unsigned i = 0; d->asks && i < d->asks->n; i++)
		if (d->asks->q[i].id == id)
			return (int)i;
	return -ENOENT;
}

bool dialer_question(struct dialer *d, unsigned i, struct dialer_question *ret)
{
	if (!d->asks || i >= d->asks->n)
		return false;
	dialer_update_now(d);
	to_words(d, &d->asks->q[i], ret);
	return true;
}

int dialer_question_find(struct dialer *d, uint32_t id, struct dialer_question *ret)
{
	int i = find(d, id);
	return i < 0 ? i : dialer_question(d, (unsigned)i, ret) ? 0 : -ENOENT;
}

int dialer_question_refuse(struct dialer *d, uint32_t id)
{
	int i = find(d, id);
	if (i < 0)
		return i;
	dialer_update_now(d);
	settle(d, &d->asks->q[i], UINT64_MAX);
	release(d, (unsigned)i, DIALER_SAID_NO);
	dialer_watch_relay(d);
	return 0;
}

void ask_free(struct dialer *d)
{
	free(d->asks);
	d->asks = NULL;
}
