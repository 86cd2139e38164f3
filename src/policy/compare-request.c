/* policy/compare-request.c - see compare-request.h
 *
 * Both lists are asked about examples: a path of each glob, with few and many segments for "**",
 * and one that each two globs have in common, with every method that is named or usual.  Of rules
 * that both lists have, only what they have in common with others can make a difference.  A
 * difference that is found is one.  Where none is found, both mean the same only if they say the
 * same once the rules that others cover are left out; else it is said that they may differ.
 */
#include "policy/compare-request.h"

#include "policy/egress-table.h"
#include "policy/path-glob.h"

enum { WORK_MAX = 100 * 1000 * 1000, PAIRS_MAX = 64, METHODS_MAX = 64, TOLD_MAX = 64 };

struct list {
	const struct http_rules *all;
	struct http_rules own; /* those that are about the host */
	const struct http_rule *v;
	size_t n;
};

struct method {
	const char *s;
	size_t n;
};

struct compare {
	struct list side[2];
	const char *name;
	uint16_t port;
	struct method methods[METHODS_MAX];
	size_t n_methods;
	compare_request_fn *fn;
	void *ctx;
	struct {
		bool more;
		uint32_t rule;
	} told[TOLD_MAX];
	size_t n_told;
	size_t work; /* rules looked at for examples: a list may be long, and a stranger's */
	int found;
};

/* ---- do they say the same? ---- */

/* Where nothing looks at requests, one rule lets all of them through. */
static int collect(struct arena *a, const struct compare *c, struct list *l)
{
	static const struct http_rule every = {
		.methods = "", .path = "/**", .plain = true, .rule = EGRESS_NO_RULE};
	size_t n = 0;
	l->own = (struct http_rules){0};
	l->v = &every;
	l->n = 1;
	if (!http_rules_apply(l->all, c->name, c->port))
		return 0;
	for (size_t i = 0; i < l->all->n; i++)
		n += http_rule_is_for(&l->all->v[i], c->name, c->port);
	l->own.v = arena_alloc(a, n * sizeof(*l->own.v));
	if (!l->own.v)
		return -ENOMEM;
	for (size_t i = 0; i < l->all->n; i++)
		if (http_rule_is_for(&l->all->v[i], c->name, c->port))
			l->own.v[l->own.n++] = l->all->v[i];
	l->v = l->own.v;
	l->n = l->own.n;
	return 0;
}

static bool covers(const struct http_rule *x, const struct http_rule *y)
{
	return methods_cover(x->methods, y->methods) && path_glob_covers(x->path, y->path, x->deny);
}

static bool same(const struct http_rule *x, const struct http_rule *y)
{
	return x->deny == y->deny && covers(x, y) && covers(y, x);
}

/* A deny of what nothing allows. */
static bool denies_nothing(const struct list *l, const struct http_rule *r)
{
	for (size_t k = 0; k < l->n; k++)
		if (!l->v[k].deny && methods_meet(l->v[k].methods, r->methods) &&
			!path_glob_apart(l->v[k].path, r->path))
			return false;
	return true;
}

/* Does another one of the list say it already, or a deny make it void? */
static bool immaterial(const struct list *l, size_t i)
{
	if (l->v[i].deny && denies_nothing(l, &l->v[i]))
		return true;
	for (size_t k = 0; k < l->n; k++) {
		const struct http_rule *by = &l->v[k], *r = &l->v[i];
		if (k == i || (r->deny && !by->deny) || !covers(by, r))
			continue;
		if (by->deny != r->deny || !covers(r, by) || k < i)
			return true;
	}
	return false;
}

static bool within(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->n; i++) {
		bool found = immaterial(a, i);
		for (size_t k = 0; k < b->n && !found; k++)
			found = same(&a->v[i], &b->v[k]);
		if (!found)
			return false;
	}
	return true;
}

static bool has(const struct list *l, const struct http_rule *r)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].deny == r->deny && streq(l->v[i].methods, r->methods) &&
			streq(l->v[i].path, r->path))
			return true;
	return false;
}

static bool identical(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].deny != b->v[i].deny || !streq(a->v[i].methods, b->v[i].methods) ||
			!streq(a->v[i].path, b->v[i].path))
			return false;
	return true;
}

/* ---- asking ---- */

static void add_method(struct compare *c, const char *s, size_t n)
{
	for (size_t i = 0; i < c->n_methods; i++)
		if (c->methods[i].n == n && strncmp(c->methods[i].s, s, n) == 0)
			return;
	if (n && c->n_methods < METHODS_MAX)
		c->methods[c->n_methods++] = (struct method){s, n};
}

static void find_methods(struct compare *c)
{
	static const char *const usual[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		add_method(c, usual[i], strlen(usual[i]));
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < c->side[k].n; i++)
			for (const char *p = c->side[k].v[i].methods; *p;) {
				size_t n = strcspn(p, ",");
				add_method(c, p, n);
				p += n + (p[n] == ',');
			}
}

static void tell(struct compare *c, bool more, const char *example, uint32_t rule)
{
	c->found |= more ? COMPARE_MORE : COMPARE_LESS;
	for (size_t i = 0; i < c->n_told; i++)
		if (c->told[i].more == more && c->told[i].rule == rule)
			return;
	if (c->n_told == TOLD_MAX)
		return;
	c->told[c->n_told].more = more;
	c->told[c->n_told++].rule = rule;
	if (c->fn)
		c->fn(c->ctx, more, example, rule);
}

static void ask(struct compare *c, const char *path)
{
	char example[400], word[HTTP_PATH_MAX * 3 + 2];
	const char *target = path_glob_write(path, word, sizeof(word));
	for (size_t i = 0; target && i < c->n_methods; i++) {
		const struct method *m = &c->methods[i];
		struct http_verdict v[2];
		c->work += c->side[0].n + c->side[1].n;
		if (c->work > WORK_MAX)
			return;
		for (int k = 0; k < 2; k++)
			v[k] = http_decide(&c->side[k].own, c->name, c->port, m->s, m->n, target,
				strlen(target));
		if (v[0].action == v[1].action)
			continue;
		const bool more = v[1].action == EGRESS_ALLOW;
		snprintf(example, sizeof(example), "%.*s %s", (int)m->n, m->s, target);
		tell(c, more, example, v[more].rule);
	}
}

static void ask_about(struct compare *c, const struct http_rule *r)
{
	char path[HTTP_PATH_MAX * 3 + 2];
	/* one segment is what a person would think of first */
	static const unsigned int depths[] = {1, 0, 2, 3};
	for (size_t i = 0; i < ARRAY_LEN(depths); i++)
		if (path_glob_example(r->path, "any", depths[i], path, sizeof(path)))
			ask(c, path);
}

static void ask_about_both(struct compare *c, const struct http_rule *x, const struct http_rule *y)
{
	char path[HTTP_PATH_MAX * 3 + 2];
	if (path_glob_meet(x->path, y->path, path, sizeof(path)))
		ask(c, path);
}

int compare_requests(struct arena *a, const struct http_rules *was, const struct http_rules *is,
	const char *name, uint16_t port, compare_request_fn *fn, void *ctx)
{
	struct compare c = {.side = {{.all = was}, {.all = is}},
		.name = name,
		.port = port,
		.fn = fn,
		.ctx = ctx};
	if (!http_rules_apply(was, name, port) && !http_rules_apply(is, name, port))
		return 0;
	for (int k = 0; k < 2; k++)
		if (collect(a, &c, &c.side[k]) < 0)
			return -ENOMEM;
	const struct list *x = &c.side[0], *y = &c.side[1];
	if (identical(x, y))
		return 0;
	find_methods(&c);
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < c.side[k].n; i++)
			if (!has(&c.side[!k], &c.side[k].v[i]))
				ask_about(&c, &c.side[k].v[i]);
	const size_t n = x->n + y->n;
	for (size_t i = 0; i < n && n <= PAIRS_MAX; i++)
		for (size_t j = i + 1; j < n; j++)
			ask_about_both(&c, i < x->n ? &x->v[i] : &y->v[i - x->n],
				j < x->n ? &x->v[j] : &y->v[j - x->n]);
	if (!c.found && !(within(x, y) && within(y, x)))
		tell(&c, true, "", EGRESS_NO_RULE);
	return c.found;
}
