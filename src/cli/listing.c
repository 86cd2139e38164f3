/* cli/listing.c - see listing.h */
#include "cli/listing.h"

#include "base/escape.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/admin.h"

const char *shown(char *buf, size_t cap, const char *s)
{
	return escape_text(buf, cap, s ? s : "");
}

static int unknown_verb(
	const struct listing_verb *verbs, size_t n, const char *usage, const char *word)
{
	const char *names[16];
	char said[128];
	n = MIN(n, ARRAY_LEN(names));
	for (size_t i = 0; i < n; i++)
		names[i] = verbs[i].name;
	const char *near = text_nearest(word, names, n);
	return admin_usage(usage, "unknown verb '%s'%s%s%s", shown(said, sizeof(said), word),
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int listing_run(struct ctx *c, const struct listing_verb *verbs, size_t n, const char *usage,
	int argc, char **argv)
{
	struct admin_dirs dirs;
	struct err err = {0};
	if (argc < 1)
		return admin_usage(usage, "a verb is missing");
	c->usage = usage;
	c->n = argc - 1;
	c->arg = argv + 1;
	for (int i = 0; i < c->n; i++)
		c->arg[i] = path_of_word(&c->a, c->arg[i]);
	if (admin_dirs_find(&c->a, &dirs, &err) < 0)
		return admin_fail(&err);
	c->locate = (struct locate){
		.a = &c->a, .config_dir = dirs.xdg.config, .data_dir = dirs.install.data};
	size_t i = 0;
	while (i < n && !streq(verbs[i].name, argv[0]))
		i++;
	int code = i < n ? verbs[i].run(c) : unknown_verb(verbs, n, usage, argv[0]);
	if (c->json.buf && !c->json.failed)
		printf("%.*s\n", (int)c->json.n, c->json.buf);
	json_free(&c->json);
	arena_free(&c->a);
	return admin_said(code);
}

int list_all(struct ctx *c, enum locate_kind kind,
	int (*one)(struct ctx *c, const char *name, struct err *err))
{
	struct strv names = {0};
	struct err err = {0};
	int code = 0;
	if (c->n > 0)
		return admin_usage(c->usage, "ls takes no name; show takes one");
	if (locate_names(&c->locate, kind, &names, &err) < 0)
		return admin_fail(&err);
	if (c->as_json)
		json_begin(&c->json, NULL, '[');
	for (size_t i = 0; i < names.n; i++) {
		err = (struct err){0};
		if (one(c, names.v[i], &err) < 0)
			code = admin_fail(&err);
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return code;
}

void lint_finding(void *lint, const char *file, uint32_t line, uint32_t col, const char *text)
{
	struct lint *l = lint;
	char a[400], b[600];
	if (!l->c->as_json) {
		printf("%s:%u:%u: warning: %s\n", shown(a, sizeof(a), file), line, col,
			shown(b, sizeof(b), text));
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

static void lint_error(struct lint *l, const char *what, const char *name, const struct err *err)
{
	l->errors++;
	if (!l->c->as_json) {
		printf("%s\n", err->msg);
		return;
	}
	json_begin(&l->c->json, NULL, '{');
	json_str(&l->c->json, "level", "error");
	json_str(&l->c->json, what, name);
	json_str(&l->c->json, "message", err->msg);
	json_end(&l->c->json, '}');
}

int lint_all(struct ctx *c, enum locate_kind kind, const char *what,
	int (*one)(struct lint *l, const char *name, struct err *err))
{
	struct strv names = {0};
	struct err err = {0};
	struct lint l = {.c = c};
	if (c->n == 0 && locate_names(&c->locate, kind, &names, &err) < 0)
		return admin_fail(&err);
	for (int i = 0; i < c->n; i++)
		strv_push(&c->a, &names, c->arg[i]);
	if (c->as_json)
		json_begin(&c->json, NULL, '[');
	for (size_t i = 0; i < names.n; i++) {
		err = (struct err){0};
		if (one(&l, names.v[i], &err) < 0)
			lint_error(&l, what, names.v[i], &err);
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return l.errors ? 1 : 0;
}
