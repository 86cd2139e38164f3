/* cli/cmd-policy-diff.c - bawn policy diff A B: what B lets through and A doesn't, and the other
 * way; by rule, and by what the rules mean (policy/compare.h).
 */
#include "base/escape.h"
#include "cli/admin.h"
#include "cli/policy-side.h"
#include "policy/compare.h"

/* compare_rules() tells it all in one go; more comes before less. */
struct found {
	bool more;
	enum compare_what what;
	char *host;
	uint16_t *ports;
	size_t n_ports;
	struct egress_rule rule;
};

struct differences {
	struct ctx *c;
	struct found *v;
	size_t n, cap;
};

static void add(void *ctx, bool more, enum compare_what what, const char *host,
	const uint16_t *ports, size_t n_ports, const struct egress_rule *rule)
{
	struct differences *d = ctx;
	struct arena *a = &d->c->a;
	struct found *v = arena_grow(a, d->v, d->n, &d->cap, sizeof(*v));
	uint16_t *copy = arena_alloc(a, n_ports * sizeof(*copy));
	if (!v || !copy)
		return; /* arena_check() says it */
	memcpy(copy, ports, n_ports * sizeof(*copy));
	d->v = v;
	d->v[d->n++] = (struct found){.more = more,
		.what = what,
		.host = arena_dup(a, host),
		.ports = copy,
		.n_ports = n_ports,
		.rule = {.text = rule->text ? arena_dup(a, rule->text) : NULL,
			.file = rule->file ? arena_dup(a, rule->file) : NULL,
			.line = rule->line}};
}

/* ---- by rule ---- */

static bool has_rule(const struct rules *rules, const struct rule *r)
{
	for (size_t i = 0; i < rules->n; i++)
		if (compare_same_rule(&rules->v[i], r))
			return true;
	return false;
}

static size_t show_rules(struct ctx *c, const char *key, char sign, const struct rules *these,
	const struct rules * not )
{
	char text[400], place[500];
	size_t n = 0;
	if (c->as_json)
		json_begin(&c->json, key, '[');
	for (size_t i = 0; i < these->n; i++) {
		const struct rule *r = &these->v[i];
		if (has_rule(not, r))
			continue;
		n++;
		if (!c->as_json) {
			printf("%c %s %s%s%s  (%s)\n", sign, r->deny ? "deny" : "allow",
				shown(text, sizeof(text), r->text), r->private_ok ? " private" : "",
				r->raw ? " raw" : "",
				policy_rule_place(r->file, r->line, place, sizeof(place)));
			continue;
		}
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "action", r->deny ? "deny" : "allow");
		json_str(&c->json, "rule", r->text);
		json_bool(&c->json, "private", r->private_ok);
		json_bool(&c->json, "raw", r->raw);
		json_str(&c->json, "file", r->file);
		json_int(&c->json, "line", r->line);
		json_end(&c->json, '}');
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return n;
}

/* ---- by meaning ---- */

static const char *const what_words[] = {[COMPARE_ALLOWED] = "",
	[COMPARE_PRIVATE] = " also at private addresses",
	[COMPARE_RAW] = " also without TLS or HTTP"};
static const char *const what_keys[] = {
	[COMPARE_ALLOWED] = "allowed", [COMPARE_PRIVATE] = "private", [COMPARE_RAW] = "raw"};

static void show_found_json(struct ctx *c, const struct found *f)
{
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "host", f->host);
	json_begin(&c->json, "ports", '[');
	for (size_t i = 0; i < f->n_ports; i++)
		json_int(&c->json, NULL, f->ports[i]);
	json_end(&c->json, ']');
	json_str(&c->json, "what", what_keys[f->what]);
	json_str(&c->json, "rule", f->rule.text);
	json_str(&c->json, "file", f->rule.file);
	json_int(&c->json, "line", f->rule.line);
	json_end(&c->json, '}');
}

static void show_found(const struct found *f)
{
	char text[400], place[500];
	printf("  %s", shown(text, sizeof(text), f->host));
	for (size_t i = 0; i < f->n_ports; i++)
		printf("%c%u", i ? ',' : ':', f->ports[i]);
	printf("%s", what_words[f->what]);
	if (f->rule.text)
		printf("  by %s: %s",
			policy_rule_place(f->rule.file, f->rule.line, place, sizeof(place)),
			shown(text, sizeof(text), f->rule.text));
	putchar('\n');
}

static void show_meaning(
	struct ctx *c, const struct differences *d, const char *key, bool more, const char *title)
{
	bool first = true;
	if (c->as_json)
		json_begin(&c->json, key, '[');
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].more != more)
			continue;
		if (c->as_json) {
			show_found_json(c, &d->v[i]);
			continue;
		}
		if (first)
			printf("%s\n", title);
		first = false;
		show_found(&d->v[i]);
	}
	if (c->as_json)
		json_end(&c->json, ']');
}

int policy_diff(struct ctx *c)
{
	struct policy_side side[2];
	struct differences d = {.c = c};
	struct err err = {0};
	char name[2][340], title[400];
	if (c->n != 2)
		return admin_usage("bawn policy diff [--json] A B",
			"diff takes two: profiles, sandboxes, policies or files");
	for (int k = 0; k < 2; k++) {
		if (policy_side_read(c, c->arg[k], NULL, &side[k], &err) < 0)
			return admin_fail(&err);
		policy_side_name(&side[k], name[k], sizeof(name[k]));
	}
	const struct compare_side a = {&side[0].rules, side[0].offline},
				  b = {&side[1].rules, side[1].offline};
	if (compare_rules(&a, &b, add, &d, &err) < 0 || arena_check(&c->a, &err) < 0)
		return admin_fail(&err);
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_bool(&c->json, "same", d.n == 0);
	}
	show_meaning(c, &d, "more", true,
		(snprintf(title, sizeof(title), "allowed by %s alone:", name[1]), title));
	show_meaning(c, &d, "less", false,
		(snprintf(title, sizeof(title), "allowed by %s alone:", name[0]), title));
	if (!c->as_json && d.n == 0)
		printf("%s and %s allow the same\n", name[0], name[1]);
	if (!c->as_json)
		printf("rules:\n");
	size_t n = show_rules(c, "rules_removed", '-', &side[0].rules, &side[1].rules);
	n += show_rules(c, "rules_added", '+', &side[1].rules, &side[0].rules);
	if (!c->as_json && n == 0)
		printf("  none differ\n");
	if (c->as_json)
		json_end(&c->json, '}');
	return d.n ? 1 : 0;
}
