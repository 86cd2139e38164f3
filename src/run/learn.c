/* run/learn.c - what one run connected to, and the smallest policy that allows it again; see run.h.
 *
 * Owns: the table of hosts, the words of the policy.  Must not: widen: only what was connected to
 * is learnt, name by name, without a wildcard; nothing by address, and no name that needs a private
 * one, as only a person knows what in their network is meant.
 *
 * The names come from inside.  They are canonical by the time the dialer tells of them, and are
 * looked at again here, as they become a file of rules.
 */
#include "run/run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"

enum { LEARN_MAX = 4096, DENIED_MAX = 256 };

struct learnt {
	char *host;
	uint16_t port;
	uint64_t times, flows, up, down;
};

struct refused {
	char *target, *reason;
	uint64_t times;
};

struct run_learn {
	struct learnt v[LEARN_MAX];
	size_t n;
	struct refused denied[DENIED_MAX];
	size_t n_denied;
	uint64_t lost; /* hosts past LEARN_MAX */
};

int run_learn_begin(struct run *r, struct err *err)
{
	r->learn = arena_alloc(&r->arena, sizeof(*r->learn));
	if (!r->learn)
		return err_set(err, ENOMEM, "out of memory");
	memset(r->learn, 0, sizeof(*r->learn));
	return 0;
}

/* "example.com:443" of the dialer; NULL for what is no name and port. */
static struct learnt *find(struct run *r, const char *target)
{
	struct run_learn *l = r->learn;
	char name[HOST_NAME_MAX_LEN + 1];
	const char *colon = strrchr(target, ':');
	char *end;
	if (!colon || host_canonical(target, (size_t)(colon - target), name) < 0)
		return NULL;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end || end == colon + 1 || port == 0 || port > 65535)
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].port == port && streq(l->v[i].host, name))
			return &l->v[i];
	char *host = l->n < LEARN_MAX ? arena_dup(&r->arena, name) : NULL;
	if (!host) {
		l->lost++;
		return NULL;
	}
	l->v[l->n] = (struct learnt){.host = host, .port = (uint16_t)port};
	return &l->v[l->n++];
}

static void note_denied(struct run *r, const struct dialer_denial *d)
{
	struct run_learn *l = r->learn;
	if (d->count > 1 || l->n_denied == DENIED_MAX)
		return; /* it was told when it was new */
	struct refused x = {.target = arena_dup(&r->arena, d->target),
		.reason = arena_dup(&r->arena, d->reason)};
	if (x.target && x.reason)
		l->denied[l->n_denied++] = x;
}

void run_learn_verdict(struct run *r, bool allowed, const struct dialer_denial *d)
{
	if (!r->learn)
		return;
	if (!allowed) {
		note_denied(r, d);
		return;
	}
	struct learnt *x = find(r, d->target);
	if (x)
		x->times += d->count;
}

void run_learn_flow(struct run *r, const char *target, uint64_t up, uint64_t down)
{
	struct learnt *x = r->learn ? find(r, target) : NULL;
	if (!x)
		return;
	x->flows++;
	x->up += up;
	x->down += down;
}

/* ---- what becomes of it ---- */

enum kind { FRESH, KNOWN, LEFT };

/* A rule of today's that allows it, or learn's own; what needs "private" is left to a person. */
static enum kind kind_of(
	const struct run *r, const struct learnt *x, struct egress_rule *ret_rule, bool *ret_raw)
{
	const struct pack *pack = r->live.fd >= 0 ? &r->live : &r->pack;
	struct egress_verdict v = egress_match(pack->egress, x->host, x->port);
	*ret_rule = (struct egress_rule){.text = "", .file = ""};
	*ret_raw = v.raw;
	/* denied in the meantime, or of a private network */
	if (v.action != EGRESS_ALLOW || v.private_ok || host_name_special(x->host))
		return LEFT;
	egress_rule(pack->egress, v.rule, ret_rule);
	return streq(ret_rule->file, PACK_LEARN_FILE) ? FRESH : KNOWN;
}

/* Names of one domain beside each other: by their labels from the last. */
static int by_labels(const void *pa, const void *pb)
{
	const struct learnt *a = pa, *b = pb;
	size_t i = strlen(a->host), k = strlen(b->host);
	while (i && k && a->host[i - 1] == b->host[k - 1]) {
		i--;
		k--;
	}
	if (i && k) { /* a dot comes first, so that what lies below a name follows it */
		char x = a->host[i - 1], y = b->host[k - 1];
		return x == '.' ? -1 : y == '.' ? 1 : x < y ? -1 : 1;
	}
	if (i != k)
		return i < k ? -1 : 1;
	return (int)a->port - b->port;
}

static char *used(struct arena *a, char *s, const struct learnt *x)
{
	s = arena_printf(a, "%s%" PRIu64 " connection%s", s, x->times, x->times == 1 ? "" : "s");
	if (s && !x->flows)
		return arena_printf(a, "%s, none came about", s);
	return s ? arena_printf(a, "%s, %" PRIu64 " bytes up, %" PRIu64 " down", s, x->up, x->down)
		 : NULL;
}

/* One line a port, each with what used it; together they are the smallest set. */
static char *put_rules(struct run *r, char *s, enum kind kind)
{
	struct arena *a = &r->arena;
	struct egress_rule rule;
	bool raw, any = false;
	for (size_t i = 0; i < r->learn->n && s; i++) {
		const struct learnt *x = &r->learn->v[i];
		if (kind_of(r, x, &rule, &raw) != kind)
			continue;
		if (!any)
			s = arena_printf(a, "%s  # ---- %s ----\n", s,
				kind == FRESH ? "not allowed by today's policies"
					      : "allowed already, by the rule named");
		any = true;
		s = s ? arena_printf(a, "%s  # ", s) : NULL;
		s = s ? used(a, s, x) : NULL;
		if (s && kind == KNOWN)
			s = arena_printf(a, "%s; %s%s%.0u", s, path_base(rule.file),
				rule.line ? ":" : "", rule.line);
		s = s ? arena_printf(a, "%s\n  - %s\"%s", s, raw ? "host: " : "", x->host) : NULL;
		if (s && x->port != 443)
			s = arena_printf(a, "%s:%u", s, x->port);
		s = s ? arena_printf(a, "%s\"%s\n", s, raw ? "\n    raw: true" : "") : NULL;
	}
	return s;
}

/* A comment is one line, whatever was asked for. */
static char *put_left(struct run *r, char *s)
{
	struct arena *a = &r->arena;
	struct egress_rule rule;
	char target[400], reason[400];
	bool raw, any = false;
	for (size_t i = 0; i < r->learn->n && s; i++) {
		const struct learnt *x = &r->learn->v[i];
		if (kind_of(r, x, &rule, &raw) != LEFT)
			continue;
		if (!any)
			s = arena_printf(a,
				"%s# Not learnt, as it may be private; it needs a rule of yours:\n",
				s);
		any = true;
		s = s ? arena_printf(a, "%s#   %s:%u\n", s, x->host, x->port) : NULL;
	}
	for (size_t i = 0; i < r->learn->n_denied && s; i++) {
		const struct refused *x = &r->learn->denied[i];
		s = arena_printf(a, "%s%s#   %s: %s\n", s,
			i ? "" : "# Denied while learning, too:\n",
			escape_text(target, sizeof(target), x->target),
			escape_text(reason, sizeof(reason), x->reason));
	}
	if (s && r->learn->lost)
		s = arena_printf(
			a, "%s# More than %d hosts: the rest is not here.\n", s, LEARN_MAX);
	return s;
}

struct run_learn_sum run_learn_sum(const struct run *r)
{
	struct run_learn_sum sum = {0};
	struct egress_rule rule;
	bool raw;
	for (size_t i = 0; i < r->learn->n; i++) {
		enum kind k = kind_of(r, &r->learn->v[i], &rule, &raw);
		sum.fresh += k == FRESH;
		sum.known += k == KNOWN;
		sum.left += k == LEFT;
	}
	return sum;
}

char *run_learn_yaml(struct run *r, struct err *err)
{
	struct arena *a = &r->arena;
	struct run_learn *l = r->learn;
	const struct run_learn_sum sum = run_learn_sum(r);
	qsort(l->v, l->n, sizeof(*l->v), by_labels);
	char *s = arena_printf(a,
		"# Learnt by bawn " PACKAGE_VERSION
		" from one run of %s: what it connected to, and no more.\n"
		"# Look at each line before you use it.  What it changes: bawn policy diff "
		"profile:%s FILE\n"
		"summary: Learnt from a run of %s\n"
		"allow:%s\n",
		r->pack.profile.name, r->pack.profile.name, r->pack.profile.name,
		sum.fresh + sum.known ? "" : " []");
	s = s ? put_rules(r, s, FRESH) : NULL;
	s = s ? put_rules(r, s, KNOWN) : NULL;
	s = s ? put_left(r, s) : NULL;
	if (!s)
		err_set(err, ENOMEM, "out of memory");
	return s;
}
