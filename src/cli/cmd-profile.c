/* cli/cmd-profile.c - bawn profile ls | show NAME | lint [NAME|FILE...].
 *
 * Owns: how profiles are listed.  Must not: start anything or read a workspace.
 */
#include "base/escape.h"
#include "base/json-out.h"
#include "cli/admin.h"
#include "cli/listing.h"
#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/profile-keys.h"
#include "seed/spec.h"

static const char usage[] = "bawn profile ls|show PROFILE|lint [PROFILE|FILE]... [--json]";

enum { OPT_JSON, OPT_HELP };

static const struct option_row rows[] = {{"json", 0, NULL, "print JSON", OPT_JSON},
	{"help", 'h', NULL, "show this help", OPT_HELP}, {0}};

static const struct admin_help help = {
	.usage = "bawn profile ls\n"
		 "       bawn profile show PROFILE|FILE\n"
		 "       bawn profile lint [PROFILE|FILE]...",
	.text = "List the profiles, show one as it is understood, or find mistakes in them.\n"
		"What stands in a profile: man 5 bawn-profile",
	.rows = rows,
	.examples = "  bawn profile ls\n  bawn profile show claude\n  bawn profile lint\n",
};

static int list_one(struct ctx *c, const char *name, struct err *err)
{
	struct profile p;
	char buf[200];
	int r = compile_read_profile(&c->locate, name, &p, err);
	if (r < 0)
		return r;
	if (!c->as_json) {
		printf("%-12s %-24s", p.name, shown(buf, sizeof(buf), p.summary));
		printf(" %s\n", shown(buf, sizeof(buf), p.file));
		return 0;
	}
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "name", p.name);
	json_str(&c->json, "summary", p.summary);
	json_str(&c->json, "file", p.file);
	json_end(&c->json, '}');
	return 0;
}

static int list(struct ctx *c)
{
	return list_all(c, LOCATE_PROFILE, list_one);
}

static void show_list(struct ctx *c, const char *key, const struct strv *v)
{
	char buf[1024];
	if (c->as_json) {
		json_begin(&c->json, key, '[');
		for (size_t i = 0; i < v->n; i++)
			json_str(&c->json, NULL, v->v[i]);
		json_end(&c->json, ']');
		return;
	}
	printf("%s:%s\n", key, v->n ? "" : " []");
	for (size_t i = 0; i < v->n; i++)
		printf("  %s\n", shown(buf, sizeof(buf), v->v[i]));
}

static void show_string(struct ctx *c, const char *key, const char *s)
{
	char buf[1024];
	if (c->as_json)
		json_str(&c->json, key, s);
	else if (s)
		printf("%s: %s\n", key, shown(buf, sizeof(buf), s));
}

static void show_key(struct ctx *c, const struct profile *p, const struct profile_key *k)
{
	const void *member = profile_member_const(p, k);
	if (profile_type_is_string(k->type)) {
		show_string(c, k->path, *(const char *const *)member);
	} else if (profile_type_is_strv(k->type)) {
		show_list(c, k->path, member);
	} else if (k->type == PROFILE_BOOL) {
		bool v = *(const bool *)member;
		if (c->as_json)
			json_bool(&c->json, k->path, v);
		else
			printf("%s: %s\n", k->path, v ? "true" : "false");
	} else if (k->type == PROFILE_SUBS) {
		char key[200], word[100];
		for (size_t i = 0; i < p->n_subs; i++) {
			snprintf(key, sizeof(key), "%s.%s", k->path,
				shown(word, sizeof(word), p->subs[i].word));
			show_list(c, key, &p->subs[i].args);
		}
	}
}

static int show(struct ctx *c)
{
	struct profile p;
	struct err err = {0};
	if (c->n != 1)
		return admin_usage(usage, "show takes one profile");
	if (compile_read_profile(&c->locate, c->arg[0], &p, &err) < 0)
		return admin_fail(&err);
	if (c->as_json)
		json_begin(&c->json, NULL, '{');
	show_string(c, "name", p.name);
	show_string(c, "file", p.file);
	for (size_t i = 0; i < profile_n_keys; i++)
		show_key(c, &p, &profile_keys[i]);
	if (c->as_json)
		json_end(&c->json, '}');
	return 0;
}

static int lint_one(struct lint *l, const char *name, struct err *err)
{
	struct profile p;
	int r = compile_read_profile(&l->c->locate, name, &p, err);
	/* The policies it names must be there too. */
	for (size_t i = 0; r >= 0 && i < p.policies.n + p.api.n; i++) {
		struct egress_file f;
		const char *policy = i < p.policies.n ? p.policies.v[i] : p.api.v[i - p.policies.n];
		r = compile_read_policy(&l->c->locate, policy, &f, err);
		if (r == -ENOENT)
			r = compile_blame(&l->c->locate, &p, policy, err);
	}
	const char *path = NULL;
	struct yaml_node *root = NULL;
	struct seed_spec spec;
	if (r >= 0)
		r = yaml_load(&l->c->a, p.file, &root, err);
	if (r >= 0)
		r = seed_spec_parse(&l->c->a, p.file, root, &spec, err);
	if (r >= 0) {
		r = locate_file(&l->c->locate, LOCATE_SYSCALLS, p.syscalls, &path, err);
		if (r == -ENOENT)
			r = compile_blame(&l->c->locate, &p, p.syscalls, err);
	}
	if (r >= 0)
		lint_profile(&p, lint_finding, l);
	return r;
}

static int lint(struct ctx *c)
{
	return lint_all(c, LOCATE_PROFILE, "profile", lint_one);
}

static const struct listing_verb verbs[] = {{"ls", list}, {"show", show}, {"lint", lint}};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct ctx *c = ctx;
	(void)value;
	(void)err;
	if (id == OPT_JSON)
		c->as_json = true;
	else
		c->help = true;
	return 0;
}

int cmd_profile(int argc, char **argv)
{
	struct ctx c = {.json = {.pretty = true}};
	struct option_split split;
	struct err err = {0};
	if (options_parse(rows, argc, argv, option, &c, &split, &err) < 0)
		return admin_fail(&err), ADMIN_USAGE;
	if (c.help)
		return admin_help(&help);
	int end = options_words(&split, argc, argv);
	return listing_run(
		&c, verbs, ARRAY_LEN(verbs), usage, end - split.first, argv + split.first);
}
