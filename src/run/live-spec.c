/* run/live-spec.c - see live.h: lists of ports and rules, as text */
#include "run/live.h"
#include "policy/rule.h"

static void remove_at(struct strv *v, size_t i)
{
	memmove(v->v + i, v->v + i + 1, (v->n - i) * sizeof(*v->v)); /* and the NULL */
	v->n--;
	if (v->n == 0)
		*v = (struct strv){0}; /* as one that never had any */
}

/* ---- published ports ---- */

int live_publish_spec(struct arena *a, struct spec *s, const char *text, struct err *err)
{
	if (strv_has(&s->publish, text))
		return err_set(err, EEXIST, "%s is published already", text);
	if (s->publish.n >= PORTS_MAX)
		return err_set(err, E2BIG, "at most %d published ports", PORTS_MAX);
	const char *inside = strrchr(text, ':') + 1;
	if (strv_has(&s->host_port, inside))
		return err_set(err, EINVAL,
			"port %s inside is the host's own (--host-port): it can't be published",
			inside);
	return strv_add(a, &s->publish, text);
}

int live_unpublish_spec(struct spec *s, const char *text, struct err *err)
{
	uint16_t host, inside;
	size_t n = 0;
	int k = port_spec_parse_host(text, &host, &inside, err);
	if (k < 0)
		return k;
	for (size_t i = 0; i < s->publish.n;) {
		struct port_spec p;
		struct err ignored = {0};
		if (port_spec_parse(s->publish.v[i], &p, &ignored) < 0 || p.host != host ||
			(inside && p.inside != inside)) {
			i++;
			continue;
		}
		remove_at(&s->publish, i);
		n++;
	}
	if (n)
		return 0;
	err_hint(err, "what is published: bawn ports %s", s->name);
	return err_set(err, ENOENT, "sandbox %s does not publish %s", s->name, text);
}

/* ---- rules ---- */

int live_rule_check(const char *text, enum session_policy what, struct err *err)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct rule rule = {
		.deny = what == SESSION_DENY, .private_ok = what == SESSION_ALLOW_PRIVATE};
	return rule_parse(&a, text, &rule, err);
}

static bool same_rule(const struct rule *x, const struct rule *y)
{
	return x->kind == y->kind && x->bits == y->bits && x->n_ports == y->n_ports &&
		rule_same_requests(x, y) &&
		memcmp(x->ports, y->ports, x->n_ports * sizeof(*x->ports)) == 0 &&
		(x->kind == EGRESS_NET ? memcmp(&x->net, &y->net, sizeof(x->net)) == 0
				       : streq(x->name, y->name));
}

/* Do both mean the same, whatever the spelling? */
static bool same_text(const char *x, const char *y, bool deny)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct rule rx = {.deny = deny}, ry = {.deny = deny};
	struct err ignored = {0};
	if (streq(x, y))
		return true;
	return rule_parse(&a, x, &rx, &ignored) == 0 && rule_parse(&a, y, &ry, &ignored) == 0 &&
		same_rule(&rx, &ry);
}

bool live_rule_add(struct arena *a, struct live_lists l, enum session_policy what, const char *text)
{
	struct strv *to = what == SESSION_DENY  ? l.deny
		: what == SESSION_ALLOW_PRIVATE ? l.allow_private
						: l.allow;
	for (size_t i = 0; i < to->n; i++)
		if (same_text(to->v[i], text, what == SESSION_DENY))
			return false;
	strv_add(a, to, text);
	return true;
}

size_t live_rule_remove(struct live_lists l, const char *text)
{
	struct strv *lists[] = {l.allow, l.allow_private, l.deny};
	size_t n = 0;
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		for (size_t i = 0; i < lists[k]->n;) {
			if (!same_text(lists[k]->v[i], text, lists[k] == l.deny)) {
				i++;
				continue;
			}
			remove_at(lists[k], i);
			n++;
		}
	return n;
}
