/* policy/http-build.c - see http-build.h.
 *
 * Beside the rules on requests go those that allow a whole host which such a rule means, too: the
 * list says by itself what may be asked of a host.
 */
#include "policy/http-build.h"

/* Do both mean some host and port? */
static bool meet(const struct rule *a, const struct rule *b)
{
	if (!rule_covers_host(a, b) && !rule_covers_host(b, a))
		return false;
	if (a->n_ports == 0 || b->n_ports == 0)
		return true;
	for (size_t i = 0; i < a->n_ports; i++)
		for (size_t k = 0; k < b->n_ports; k++)
			if (a->ports[i] == b->ports[k])
				return true;
	return false;
}

static bool wanted(const struct rules *rules, const struct rule *r, const size_t *about, size_t n)
{
	if (r->path || r->max_upload)
		return true;
	for (size_t i = 0; !r->deny && i < n; i++)
		if (meet(r, &rules->v[about[i]]))
			return true;
	return false;
}

int http_build(struct arena *a, const struct rules *rules, struct http_rules *ret, struct err *err)
{
	struct http_rules h = {0};
	size_t cap = 0, n = 0;
	size_t *about = arena_alloc(a, (rules->n + 1) * sizeof(*about));
	if (!about)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i].path)
			about[n++] = i;
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];
		if (r->kind == EGRESS_NET || !wanted(rules, r, about, n))
			continue;
		struct http_rule *v = arena_grow(a, h.v, h.n, &cap, sizeof(*v));
		if (!v)
			return err_set(err, ENOMEM, "out of memory");
		h.v = v;
		v[h.n++] = (struct http_rule){.name = r->name,
			.ports = r->ports,
			.n_ports = r->n_ports,
			.kind = r->kind,
			.deny = r->deny,
			.plain = !r->path,
			.methods = r->path ? r->methods : "",
			.path = r->path ? r->path : "/**",
			.max_upload = r->max_upload ? r->max_upload : UINT64_MAX,
			.rule = (uint32_t)i};
	}
	*ret = h;
	return 0;
}
