/* egress/dialer-live.c - flows that are open or have ended, as the relay tells.
 *
 * Owns: the last list of open flows.  Must not: believe it; the relay may be another's by now, so a
 * list only describes, is of a fixed size, and its names are escaped.
 *
 * The relay is asked when somebody looks, at most once at a time and not while it has not begun, so
 * that nothing is queued for nobody.  A list comes in pieces; it takes the place of the last one
 * when it is whole.
 */
#include <inttypes.h>

#include "base/escape.h"
#include "egress/dialer-int.h"

enum { STALE_MS = 300, LOST_MS = 2000 };

struct told {
	char target[320], name[256]; /* as shown; the name it was asked by, or "" */
	struct host_addr addr;
	uint16_t port, from;
	uint8_t kind;
	uint64_t up, down, ms;
};

struct flows {
	struct told now[EGRESS_LIST_MAX], next[EGRESS_LIST_MAX];
	unsigned n_now, n_next, open;
	uint64_t asked, told; /* ms; asked 0: nothing is under way */
};

static void to_words(const struct egress_ask_msg *m, uint8_t kind, char *dst, size_t cap)
{
	char name[256], shown[300];
	struct host_addr a = {.ip = m->addr};
	snprintf(name, sizeof(name), "%.*s", (int)sizeof(m->name) - 1, m->name);
	escape_text(shown, sizeof(shown), name);
	if (kind == EGRESS_PORT)
		snprintf(dst, cap, "published port %" PRIu16, m->port);
	else if (shown[0])
		dialer_format_target(dst, cap, shown, m->port);
	else if (IN6_IS_ADDR_UNSPECIFIED(&m->addr))
		snprintf(dst, cap, "host port %" PRIu16, m->port);
	else
		dialer_format_addr(dst, cap, &a, m->port);
}

void live_ended(struct dialer *d, const struct egress_ask_msg *m)
{
	char target[320];
	if (!d->c.hooks.flow_end)
		return;
	to_words(m, (uint8_t)m->flow, target, sizeof(target));
	d->c.hooks.flow_end(d->c.hooks.ctx, target, m->up, m->down, m->ms);
}

void live_open(struct dialer *d, const struct egress_ask_msg *m)
{
	struct flows *f = d->flows;
	if (!f || !f->asked)
		return; /* nobody has asked */
	if (m->count == 0)
		f->n_next = 0;
	if (f->n_next == EGRESS_LIST_MAX)
		return;
	struct told *t = &f->next[f->n_next++];
	*t = (struct told){.addr = {.ip = m->addr},
		.port = m->port,
		.from = (uint16_t)(m->flow >> 16),
		.kind = (uint8_t)m->flow,
		.up = m->up,
		.down = m->down,
		.ms = m->ms};
	snprintf(t->name, sizeof(t->name), "%.*s", (int)sizeof(m->name) - 1, m->name);
	to_words(m, t->kind, t->target, sizeof(t->target));
}

void live_listed(struct dialer *d, const struct egress_ask_msg *m)
{
	struct flows *f = d->flows;
	if (!f || !f->asked)
		return;
	if (m->count == 0)
		f->n_next = 0;
	memcpy(f->now, f->next, f->n_next * sizeof(f->next[0]));
	f->n_now = f->n_next;
	f->open = MAX(m->count, f->n_now);
	f->told = d->now;
	f->asked = f->n_next = 0;
}

unsigned dialer_flows(struct dialer *d, bool *ret_stale)
{
	*ret_stale = false;
	if (!d->relay_heard)
		return 0;
	if (!d->flows)
		d->flows = calloc(1, sizeof(*d->flows));
	struct flows *f = d->flows;
	if (!f)
		return 0;
	dialer_update_now(d);
	*ret_stale = !f->told || d->now - f->told > STALE_MS;
	if (!f->asked || d->now - f->asked > LOST_MS) {
		f->asked = d->now;
		dialer_post(d, EGRESS_ANSWER_LIST);
	}
	return f->open;
}

bool dialer_flow(struct dialer *d, unsigned i, struct dialer_flow *ret)
{
	const struct flows *f = d->flows;
	if (!f || i >= f->n_now)
		return false;
	const struct told *t = &f->now[i];
	*ret = (struct dialer_flow){
		.target = t->target, .up = t->up, .down = t->down, .ms = t->ms, .from = t->from};
	struct egress_verdict v = {.rule = EGRESS_NO_RULE};
	char name[HOST_NAME_MAX_LEN + 1];
	if (t->kind == EGRESS_ASK_NAME && host_canonical(t->name, strlen(t->name), name) == 0)
		v = egress_match(d->c.egress, name, t->port);
	else if (t->kind == EGRESS_ASK_ADDR)
		v = egress_match_addr(d->c.egress, &t->addr, t->port);
	if (v.action == EGRESS_ALLOW)
		deny_rule_text(d, v.rule, ret->rule, sizeof(ret->rule));
	return true;
}

void live_free(struct dialer *d)
{
	free(d->flows);
	d->flows = NULL;
}
