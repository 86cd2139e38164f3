/* cli/cmd-profile.c - bawn profile ls | show NAME | lint [NAME|FILE...].
 *
 * Owns: how profiles are listed.  Must not: start anything or read a workspace.
 */
#include <getopt.h>

#include "base/escape.h"
#include "base/json-out.h"
#include "cli/admin.h"
#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/profile-keys.h"
#include "seed/spec.h"

static const char usage[] = "bawn profile ls|show NAME|lint [NAME|FILE...] [--json]";

struct ctx {
	struct arena a;
	struct locate locate;
	struct json_out json;
	bool as_json;
	int n; /* rest of the command line */
	char **arg;
};

/* Foreign text (a user's file) on our stdout. */
static const char *shown(char *buf, size_t cap, const char *s)
{
	return escape_text(buf, cap, s ? s : "");
}

static int list(struct ctx *c)
{
	struct strv names = {0};
	struct err err = {0};
	char buf[200];
	int code = 0;
	if (locate_names(&c->locate, LOCATE_PROFILE, &names, &err) < 0)
		return admin_fail(&err);
	if (c->as_json)
		json_begin(&c->json, NULL, '[');
	for (size_t i = 0; i < names.n; i++) {
		struct profile p;
		if (compile_read_profile(&c->locate, names.v[i], &p, &err) < 0) {
			code = admin_fail(&err);
			continue;
		}
		if (c->as_json) {
			json_begin(&c->json, NULL, '{');
			json_str(&c->json, "name", p.name);
			json_str(&c->json, "summary", p.summary);
			json_str(&c->json, "file", p.file);
			json_end(&c->json, '}');
		} else {
			printf("%-12s %-24s", p.name, shown(buf, sizeof(buf), p.summary));
			printf(" %s\n", shown(buf, sizeof(buf), p.file));
		}
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return code;
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

struct lint {
	struct ctx *c;
	int errors, warnings;
};

static void finding(void *ctx, const char *file, uint32_t line, uint32_t col, const char *text)
{
	struct lint *l = ctx;
	char a[400], b[600];
	l->warnings++;
	shown(a, sizeof(a), file);
	if (!l->c->as_json) {
		printf("%s:%u:%u: warning: %s\n", a, line, col, shown(b, sizeof(b), text));
		return;
	}
	json_begin(&l->c->json, NULL, '{');
	json_str(&l->c->json, "level", "warning");
	json_str(&l->c->json, "file", file);
	json_int(&l->c->json, "line", line);
	json_int(&l->c->json, "column", col);
	json_str(&l->c->json, "message", text);
	json_end(&l->c->json, '}');
}

static void lint_one(struct lint *l, const char *name)
{
	struct profile p;
	struct err err = {0};
	int r = compile_read_profile(&l->c->locate, name, &p, &err);
	/* The policies it names must be there too. */
	for (size_t i = 0; r >= 0 && i < p.policies.n + p.api.n; i++) {
		struct egress_file f;
		r = compile_read_policy(&l->c->locate,
			i < p.policies.n ? p.policies.v[i] : p.api.v[i - p.policies.n], &f, &err);
	}
	const char *path = NULL;
	struct yaml_node *root = NULL;
	struct seed_spec spec;
	if (r >= 0)
		r = yaml_load(&l->c->a, p.file, &root, &err);
	if (r >= 0)
		r = seed_spec_parse(&l->c->a, p.file, root, &spec, &err);
	if (r >= 0)
		r = locate_file(&l->c->locate, LOCATE_SYSCALLS, p.syscalls, &path, &err);
	if (r >= 0) {
		lint_profile(&p, finding, l);
		return;
	}
	l->errors++;
	if (!l->c->as_json) {
		printf("%s\n", err.msg);
		return;
	}
	json_begin(&l->c->json, NULL, '{');
	json_str(&l->c->json, "level", "error");
	json_str(&l->c->json, "profile", name);
	json_str(&l->c->json, "message", err.msg);
	json_end(&l->c->json, '}');
}

static int lint(struct ctx *c)
{
	struct strv names = {0};
	struct err err = {0};
	struct lint l = {.c = c};
	if (c->n == 0 && locate_names(&c->locate, LOCATE_PROFILE, &names, &err) < 0)
		return admin_fail(&err);
	if (c->as_json)
		json_begin(&c->json, NULL, '[');
	for (size_t i = 0; i < names.n; i++)
		lint_one(&l, names.v[i]);
	for (int i = 0; i < c->n; i++)
		lint_one(&l, c->arg[i]);
	if (c->as_json)
		json_end(&c->json, ']');
	return l.errors ? 1 : 0;
}

static const struct {
	const char *name;
	int (*run)(struct ctx *c);
} verbs[] = {{"ls", list}, {"show", show}, {"lint", lint}};

int cmd_profile(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	struct ctx c = {.json = {.pretty = true}};
	struct admin_dirs dirs;
	struct err err = {0};
	int code = ADMIN_USAGE;
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o != 'j')
			return admin_usage(usage, "wrong option");
		c.as_json = true;
	}
	if (optind >= argc)
		return admin_usage(usage, "a verb is missing");
	c.n = argc - optind - 1;
	c.arg = argv + optind + 1;
	if (admin_dirs_find(&c.a, &dirs, &err) < 0)
		return admin_fail(&err);
	c.locate = (struct locate){
		.a = &c.a, .config_dir = dirs.xdg.config, .data_dir = dirs.install.data};
	size_t i = 0;
	while (i < ARRAY_LEN(verbs) && !streq(verbs[i].name, argv[optind]))
		i++;
	if (i == ARRAY_LEN(verbs)) {
		code = admin_usage(usage, "unknown verb");
	} else {
		code = verbs[i].run(&c);
		if (c.json.buf && !c.json.failed)
			printf("%.*s\n", (int)c.json.n, c.json.buf);
	}
	json_free(&c.json);
	arena_free(&c.a);
	return fflush(stdout) == 0 ? code : ADMIN_FAILED;
}
