/* policy/compare.c - see compare.h
 *
 * Names.  A verdict depends on the rules for the name itself, those "*." on its parent, and those
 * "**." on what it lies below.  So with N the longest end of a name that stands in any rule, there
 * are three classes for each N: N itself, names with one label more, and names with more than one;
 * and the last two for the root.  Each is asked with a name that no rule can hold.
 *
 * Addresses.  A verdict changes only at the first address of a network in a rule, and behind its
 * last one: between two such places any address stands for all.
 *
 * A class is not said where it differs exactly as the names around it do.  What may be asked for at
 * a name that both let through is compare-request.h's.
 */
#include "policy/compare.h"

#include <stdlib.h>

#include "policy/compare-request.h"
#include "policy/egress-build.h"
#include "policy/http-build.h"

enum { WORDS = COMPARE_PORTS_MAX / 64 };
/* Labels of no rule: canonical names have no label that begins with "-". */
static const char one_more[] = "-.", two_more[] = "-.-.";

struct set {
	uint64_t bit[WORDS];
};

/* How both sides decide about one class: [COMPARE_...], more and less. */
struct delta {
	struct set more[COMPARE_WHATS], less[COMPARE_WHATS];
};

/* One N, with what its surroundings differ by. */
struct name {
	const char *text;
	struct delta one, deep;
};

struct compare {
	struct arena arena;
	struct egress e[2];
	struct http_rules http[2];
	void *table[2];
	uint16_t ports[COMPARE_PORTS_MAX];
	size_t n_ports, n_names, n_found;
	bool failed;        /* out of memory */
	struct name *names; /* sorted, "" first */
	compare_fn *fn;
	void *ctx;
};

bool compare_same_rule(const struct rule *x, const struct rule *y)
{
	return x->deny == y->deny && x->kind == y->kind && x->private_ok == y->private_ok &&
		x->raw == y->raw && x->bits == y->bits && x->n_ports == y->n_ports &&
		x->max_upload == y->max_upload && rule_same_requests(x, y) &&
		streq(x->name, y->name) && memcmp(&x->net, &y->net, sizeof(x->net)) == 0 &&
		rule_covers_ports(x, y) && rule_covers_ports(y, x);
}

/* ---- asking ---- */

static struct egress_verdict ask(
	const struct egress *e, const char *name, const struct host_addr *addr, uint16_t port)
{
	return name ? egress_match(e, name, port) : egress_match_addr(e, addr, port);
}

/* Both may be connected to: what may be asked for there, and how much sent? */
static void differ_requests(
	struct compare *c, const char *name, uint16_t port, bool is[2][COMPARE_WHATS])
{
	const uint64_t limit[] = {
		http_max_upload(&c->http[0], name, port), http_max_upload(&c->http[1], name, port)};
	int r = compare_requests(&c->arena, &c->http[0], &c->http[1], name, port, NULL, NULL);
	if (r < 0)
		c->failed = true;
	for (int k = 0; k < 2; k++)
		is[k][COMPARE_UPLOAD] = limit[k] > limit[!k];
	is[1][COMPARE_REQUESTS] = r > 0 && (r & COMPARE_MORE);
	is[0][COMPARE_REQUESTS] = r > 0 && (r & COMPARE_LESS);
}

static struct delta differ(struct compare *c, const char *name, const struct host_addr *addr)
{
	struct delta d = {0};
	for (size_t i = 0; i < c->n_ports; i++) {
		bool is[2][COMPARE_WHATS] = {0};
		for (int k = 0; k < 2; k++) {
			struct egress_verdict v = ask(&c->e[k], name, addr, c->ports[i]);
			is[k][COMPARE_ALLOWED] = v.action == EGRESS_ALLOW;
			is[k][COMPARE_PRIVATE] = v.private_ok;
			is[k][COMPARE_RAW] = v.raw;
		}
		if (name && is[0][COMPARE_ALLOWED] && is[1][COMPARE_ALLOWED])
			differ_requests(c, name, c->ports[i], is);
		const uint64_t bit = (uint64_t)1 << (i % 64);
		for (int w = 0; w < COMPARE_WHATS; w++) {
			const bool both = w == COMPARE_REQUESTS;
			if (is[1][w] && (both || !is[0][w]))
				d.more[w].bit[i / 64] |= bit;
			if (is[0][w] && (both || !is[1][w]))
				d.less[w].bit[i / 64] |= bit;
		}
	}
	return d;
}

static bool any(const struct set *s)
{
	for (size_t i = 0; i < WORDS; i++)
		if (s->bit[i])
			return true;
	return false;
}

struct telling {
	struct compare *c;
	struct compare_found f;
	struct egress_verdict v;
};

static void tell_one(struct telling *t, uint32_t rule)
{
	struct compare *c = t->c;
	t->f.rule = (struct egress_rule){0};
	egress_rule(&c->e[t->f.more], rule, &t->f.rule);
	c->fn(c->ctx, &t->f);
	c->n_found++;
}

static void tell_request(void *ctx, bool more, const char *example, uint32_t rule)
{
	struct telling *t = ctx;
	if (more != t->f.more)
		return;
	t->f.example = example;
	tell_one(t, rule == EGRESS_NO_RULE ? t->v.rule : rule);
}

/* One line for each kind of difference of a class; of requests, one for each rule. */
static void tell(struct compare *c, const struct delta *d, const char *host, const char *name,
	const struct host_addr *addr)
{
	for (int w = 0; w < 2 * COMPARE_WHATS; w++) {
		const bool more = w % 2 == 0;
		const enum compare_what what = (enum compare_what)(w / 2);
		struct set s = more ? d->more[what] : d->less[what];
		uint16_t ports[COMPARE_PORTS_MAX];
		size_t n = 0;
		if (!any(&s))
			continue;
		for (size_t i = 0; i < c->n_ports; i++)
			if (s.bit[i / 64] & (uint64_t)1 << (i % 64))
				ports[n++] = c->ports[i];
		struct telling t = {.c = c,
			.f = {.more = more,
				.what = what,
				.host = host,
				.ports = ports,
				.n_ports = n},
			.v = ask(&c->e[more], name, addr, ports[0])};
		if (what != COMPARE_REQUESTS)
			tell_one(&t, t.v.rule);
		else if (compare_requests(&c->arena, &c->http[0], &c->http[1], name, ports[0],
				 tell_request, &t) < 0)
			c->failed = true;
	}
}

/* ---- names ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static struct name *find_name(struct compare *c, const char *text)
{
	const struct name key = {.text = text};
	return bsearch(&key, c->names, c->n_names, sizeof(*c->names), by_text);
}

/* What the names around N differ by: what N would, if no rule held it. */
static const struct delta *around(struct compare *c, const char *text)
{
	const char *dot = strchr(text, '.');
	bool parent = true;
	for (; dot; dot = strchr(dot + 1, '.'), parent = false) {
		struct name *n = find_name(c, dot + 1);
		if (n)
			return parent ? &n->one : &n->deep;
	}
	struct name *root = find_name(c, "");
	return parent ? &root->one : &root->deep;
}

/* A label that no rule can have, before text. */
static const char *below(char *buf, size_t cap, const char *label, const char *text)
{
	snprintf(buf, cap, "%s%s", label, text);
	if (!*text) /* the root has no dot before it */
		buf[strlen(buf) - 1] = '\0';
	return buf;
}

/* What names below N differ by, if no rule held N: they have two labels more than what it lies in.
 */
static const struct delta *around_below(struct compare *c, const char *text)
{
	const char *dot = strchr(text, '.');
	struct name *parent = find_name(c, dot ? dot + 1 : "");
	return parent ? &parent->deep : around(c, text);
}

static void ask_below(struct compare *c, struct name *n)
{
	char name[300];
	n->one = differ(c, below(name, sizeof(name), one_more, n->text), NULL);
	n->deep = differ(c, below(name, sizeof(name), two_more, n->text), NULL);
}

static bool same(const struct delta *a, const struct delta *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void tell_name(struct compare *c, const struct name *n)
{
	static const struct delta none = {0};
	char one[300], deep[300], host[300];
	const char *text = n->text;
	const struct delta *further = *text ? around_below(c, text) : &none;
	below(one, sizeof(one), one_more, text);
	below(deep, sizeof(deep), two_more, text);
	if (*text) {
		const struct delta self = differ(c, text, NULL);
		if (!same(&self, around(c, text)))
			tell(c, &self, text, text, NULL);
	}
	const bool all = same(&n->one, &n->deep);
	if (!same(&n->one, further))
		tell(c, &n->one, below(host, sizeof(host), all ? "**." : "*.", text), one, NULL);
	if (!all && !same(&n->deep, further))
		tell(c, &n->deep, below(host, sizeof(host), "*.**.", text), deep, NULL);
}

static int by_length(const void *a, const void *b)
{
	size_t x = strlen(((const struct name *)a)->text);
	size_t y = strlen(((const struct name *)b)->text);
	return x < y ? -1 : x > y ? 1 : by_text(a, b);
}

static int compare_names(struct compare *c, const struct compare_side *const side[2])
{
	size_t n = 1;
	for (int k = 0; k < 2; k++)
		n += side[k]->rules->n;
	c->names = arena_alloc(&c->arena, n * sizeof(*c->names));
	const struct name **order = arena_alloc(&c->arena, n * sizeof(*order));
	if (!c->names || !order)
		return -ENOMEM;
	memset(c->names, 0, n * sizeof(*c->names));
	c->names[c->n_names++].text = "";
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < side[k]->rules->n; i++)
			if (side[k]->rules->v[i].kind != EGRESS_NET)
				c->names[c->n_names++].text = side[k]->rules->v[i].name;
	qsort(c->names, c->n_names, sizeof(*c->names), by_text);
	size_t kept = 1;
	for (size_t i = 1; i < c->n_names; i++)
		if (!streq(c->names[i].text, c->names[kept - 1].text))
			c->names[kept++].text = c->names[i].text;
	c->n_names = kept;
	/* what a name lies in is shorter: asked before */
	struct name *sorted = arena_alloc(&c->arena, kept * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, c->names, kept * sizeof(*sorted));
	qsort(sorted, kept, sizeof(*sorted), by_length);
	for (size_t i = 0; i < kept; i++)
		ask_below(c, find_name(c, sorted[i].text));
	for (size_t i = 0; i < kept; i++)
		tell_name(c, &c->names[i]);
	return 0;
}

/* ---- addresses ---- */

static int by_addr(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in6_addr));
}

/* One further; false behind the last of all. */
static bool next_addr(struct in6_addr *a)
{
	for (int i = 16; i-- > 0;)
		if (++a->s6_addr[i])
			return true;
	return false;
}

static bool previous_addr(struct in6_addr *a)
{
	for (int i = 16; i-- > 0;)
		if (a->s6_addr[i]--)
			return true;
	return false;
}

static void tell_range(
	struct compare *c, const struct in6_addr *from, struct in6_addr to, const struct delta *d)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN], host[2 * INET6_ADDRSTRLEN + 2];
	const struct host_addr first = {.ip = *from}, last = {.ip = to};
	host_addr_format(&first, a, sizeof(a));
	host_addr_format(&last, b, sizeof(b));
	snprintf(host, sizeof(host), streq(a, b) ? "%s" : "%s-%s", a, b);
	tell(c, d, host, NULL, &first);
}

/* The places where a verdict may change, sorted: n of them. */
static struct in6_addr *edges(
	struct compare *c, const struct compare_side *const side[2], size_t *ret_n)
{
	size_t cap = 3, n = 0;
	for (int k = 0; k < 2; k++)
		cap += 2 * side[k]->rules->n;
	struct in6_addr *v = arena_alloc(&c->arena, cap * sizeof(*v));
	if (!v)
		return NULL;
	v[n++] = (struct in6_addr){0};
	/* ::ffff:0:0/96 is IPv4, of which ::/0 says nothing */
	v[n] = (struct in6_addr){0};
	v[n].s6_addr[10] = v[n].s6_addr[11] = 0xff;
	n++;
	v[n] = (struct in6_addr){0};
	v[n++].s6_addr[9] = 1;
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < side[k]->rules->n; i++) {
			const struct rule *r = &side[k]->rules->v[i];
			if (r->kind != EGRESS_NET)
				continue;
			struct in6_addr behind = r->net.ip;
			v[n++] = behind;
			for (unsigned int bit = r->bits; bit < 128; bit++)
				behind.s6_addr[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
			if (next_addr(&behind))
				v[n++] = behind;
		}
	}
	qsort(v, n, sizeof(*v), by_addr);
	*ret_n = n;
	return v;
}

static int compare_addrs(struct compare *c, const struct compare_side *const side[2])
{
	size_t n = 0;
	struct in6_addr *v = edges(c, side, &n);
	if (!v)
		return -ENOMEM;
	struct in6_addr from = {0};
	struct delta was = {0};
	const struct delta none = {0};
	for (size_t i = 0; i < n; i++) {
		const struct host_addr at = {.ip = v[i]};
		const struct delta d = differ(c, NULL, &at);
		if (i && memcmp(&d, &was, sizeof(d)) == 0)
			continue;
		struct in6_addr last = v[i];
		if (memcmp(&was, &none, sizeof(was)) != 0 && previous_addr(&last))
			tell_range(c, &from, last, &was);
		was = d;
		from = v[i];
	}
	struct in6_addr all = {0};
	memset(&all, 0xff, sizeof(all));
	if (memcmp(&was, &none, sizeof(was)) != 0)
		tell_range(c, &from, all, &was);
	return 0;
}

/* ---- all of it ---- */

static int by_port(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int find_ports(struct compare *c, const struct compare_side *const side[2], struct err *err)
{
	static bool has[65536];
	memset(has, 0, sizeof(has));
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < side[k]->rules->n; i++)
			for (size_t p = 0; p < side[k]->rules->v[i].n_ports; p++)
				has[side[k]->rules->v[i].ports[p]] = true;
	for (size_t p = 1; p < ARRAY_LEN(has); p++) {
		if (!has[p])
			continue;
		if (c->n_ports == COMPARE_PORTS_MAX)
			return err_set(err, E2BIG,
				"more than %d different ports: too many to compare",
				COMPARE_PORTS_MAX);
		c->ports[c->n_ports++] = (uint16_t)p;
	}
	qsort(c->ports, c->n_ports, sizeof(*c->ports), by_port);
	return 0;
}

int compare_rules(const struct compare_side *a, const struct compare_side *b, compare_fn *fn,
	void *ctx, struct err *err)
{
	const struct compare_side *const side[2] = {a, b};
	struct compare c = {.fn = fn, .ctx = ctx};
	int r = find_ports(&c, side, err);
	for (int k = 0; k < 2 && r >= 0; k++) {
		size_t n = 0;
		r = egress_build(side[k]->rules, side[k]->offline, &c.table[k], &n, err);
		if (r >= 0 && egress_view(&c.e[k], c.table[k], n) < 0)
			r = err_set(err, EBADMSG, "the rules can't be read again");
		if (r >= 0)
			r = http_build(&c.arena, side[k]->rules, &c.http[k], err);
	}
	if (r >= 0)
		r = compare_names(&c, side);
	if (r >= 0)
		r = compare_addrs(&c, side);
	free(c.table[0]);
	free(c.table[1]);
	arena_free(&c.arena);
	if (r == -ENOMEM || c.failed)
		return err_set(err, ENOMEM, "out of memory");
	return r < 0 ? r : (int)c.n_found;
}
