/* cli/cmd-policy-diff.c - bawn policy diff A B: what B lets through and A doesn't, and the other
 * way; by rule, and by what the rules mean (policy/compare.h).
 */
#include "base/escape.h"
#include "cli/admin.h"
#include "cli/policy-side.h"
#include "policy/compare.h"

/* compare_rules() tells it all in one go; more comes before less. */
struct differences {
	struct ctx *c;
	struct compare_found *v; /* the arena's */
	size_t n, cap;
};

static char *copy(struct arena *a, const char *s)
{
	return s ? arena_dup(a, s) : NULL;
}

static void add(void *ctx, const struct compare_found *f)
{
	struct differences *d = ctx;
	struct arena *a = &d->c->a;
	struct compare_found *v = arena_grow(a, d->v, d->n, &d->cap, sizeof(*v));
	uint16_t *ports = arena_alloc(a, f->n_ports * sizeof(*ports));
	if (!v || !ports)
		return; /* arena_check() says it */
	memcpy(ports, f->ports, f->n_ports * sizeof(*ports));
	d->v = v;
	v = &d->v[d->n++];
	*v = *f;
	v->host = copy(a, f->host);
	v->ports = ports;
	v->example = copy(a, f->example);
	v->rule.text = copy(a, f->rule.text);
	v->rule.file = copy(a, f->rule.file);
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
			printf("%c %s %s%s%s%s  (%s)\n", sign, r->deny ? "deny" : "allow",
				shown(text, sizeof(text), r->text), r->private_ok ? " private" : "",
				r->raw ? " raw" : "", r->max_upload ? " max-upload" : "",
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

/* ---- credentials ---- */

/* How many of these the others have not. */
static size_t show_credentials(struct ctx *c, const char *key, char sign,
	const struct credentials *these, const struct credentials * not )
{
	const char before[] = {sign, ' ', '\0'};
	size_t n = 0;
	if (c->as_json)
		json_begin(&c->json, key, '[');
	for (size_t i = 0; i < these->n; i++) {
		bool there = false;
		for (size_t k = 0; k < not ->n; k++)
			there |= credential_same(&these->v[i], &not ->v[k]);
		if (there)
			continue;
		n++;
		if (c->as_json)
			policy_credential_json(c, &these->v[i]);
		else
			policy_credential_show(before, &these->v[i]);
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return n;
}

static bool same_credentials(const struct credentials *a, const struct credentials *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++) {
		size_t k = 0;
		while (k < b->n && !credential_same(&a->v[i], &b->v[k]))
			k++;
		same = k < b->n;
	}
	return same;
}

/* ---- by meaning ---- */

static const char *const what_words[] = {[COMPARE_ALLOWED] = "",
	[COMPARE_PRIVATE] = " also at private addresses",
	[COMPARE_RAW] = " also without TLS or HTTP",
	[COMPARE_REQUESTS] = " requests",
	[COMPARE_UPLOAD] = " may be sent more"};
static const char *const what_keys[] = {[COMPARE_ALLOWED] = "allowed",
	[COMPARE_PRIVATE] = "private",
	[COMPARE_RAW] = "raw",
	[COMPARE_REQUESTS] = "requests",
	[COMPARE_UPLOAD] = "upload"};

static void show_found_json(struct ctx *c, const struct compare_found *f)
{
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "host", f->host);
	json_begin(&c->json, "ports", '[');
	for (size_t i = 0; i < f->n_ports; i++)
		json_int(&c->json, NULL, f->ports[i]);
	json_end(&c->json, ']');
	json_str(&c->json, "what", what_keys[f->what]);
	json_str(&c->json, "request", f->example && *f->example ? f->example : NULL);
	json_str(&c->json, "rule", f->rule.text);
	json_str(&c->json, "file", f->rule.file);
	json_int(&c->json, "line", f->rule.line);
	json_end(&c->json, '}');
}

static void show_found(const struct compare_found *f)
{
	char text[400], place[500];
	printf("  %s", shown(text, sizeof(text), f->host));
	for (size_t i = 0; i < f->n_ports; i++)
		printf("%c%u", i ? ',' : ':', f->ports[i]);
	printf("%s", what_words[f->what]);
	if (f->example && *f->example)
		printf(" like %s", shown(text, sizeof(text), f->example));
	else if (f->example)
		printf(" may differ; look at the rules");
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
	const bool same = d.n == 0 && same_credentials(&side[0].credentials, &side[1].credentials);
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_bool(&c->json, "same", same);
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
	show_credentials(c, "credentials_removed", '-', &side[0].credentials, &side[1].credentials);
	show_credentials(c, "credentials_added", '+', &side[1].credentials, &side[0].credentials);
	if (c->as_json)
		json_end(&c->json, '}');
	return same ? 0 : 1;
}
