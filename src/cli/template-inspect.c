/* cli/template-inspect.c - bawn template inspect */
#include <inttypes.h>

#include "base/escape.h"
#include "cli/template.h"

enum { OPT_JSON };
static const struct option_row rows[] = {
	{"json", 0, NULL, "print JSON", OPT_JSON},
	TEMPLATE_HELP_ROW,
	{0},
};
static bool as_json;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)id;
	(void)value;
	(void)err;
	as_json = true;
	return 0;
}

/* ---- text ---- */

static void line(const char *key, const char *value)
{
	char *shown = malloc(strlen(value) * 4 + 1);
	if (shown)
		printf("%-11s %s\n", key, escape_text(shown, strlen(value) * 4 + 1, value));
	free(shown);
}

static void lines(const char *key, const struct strv *v)
{
	for (size_t i = 0; i < v->n; i++)
		line(i ? "" : key, v->v[i]);
}

static void opt(const char *key, const char *value)
{
	if (value)
		line(key, value);
}

/* ---- JSON ---- */

static void list(struct tpl *c, const char *key, const struct strv *v)
{
	json_begin(&c->json, key, '[');
	for (size_t i = 0; i < v->n; i++)
		json_str(&c->json, NULL, v->v[i]);
	json_end(&c->json, ']');
}

/* ---- layers ---- */

static void put_layer(struct tpl *c, const char *diff)
{
	struct template_layer l = {0};
	struct err err = {0};
	char size[24];
	int r = template_layer_read(&c->t, &c->a, diff, &l, &err);
	if (!as_json) {
		if (r < 0)
			printf("%-11s sha256:%s  damaged: %s\n", "", diff, err.msg);
		else
			printf("%-11s sha256:%s  %s, %" PRIu64 " entries\n", "", diff,
				progress_bytes(l.size, size, sizeof(size)), l.entries);
		for (size_t i = 0; r == 0 && i < l.notes.n; i++)
			printf("%-11s   %s\n", "", l.notes.v[i]);
		return;
	}
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "diff", arena_printf(&c->a, "sha256:%s", diff));
	if (r < 0) {
		json_str(&c->json, "error", err.msg);
	} else {
		json_int(&c->json, "size", (int64_t)l.size);
		json_int(&c->json, "tar", (int64_t)l.tar);
		json_int(&c->json, "entries", (int64_t)l.entries);
		json_int(&c->json, "skipped", (int64_t)l.skipped);
		list(c, "blobs", &l.blobs);
		list(c, "notes", &l.notes);
	}
	json_end(&c->json, '}');
}

/* ---- a template ---- */

struct around {
	struct strv names, users;
};

static void put_json(struct tpl *c, const struct template *f, const struct around *o)
{
	const struct template_info *t = &f->info;
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "id", f->id);
	list(c, "names", &o->names);
	list(c, "sandboxes", &o->users);
	json_int(&c->json, "size", (int64_t)t->size);
	json_str(&c->json, "os", t->os);
	json_str(&c->json, "arch", t->arch);
	json_str(&c->json, "variant", t->variant);
	json_str(&c->json, "created", t->created);
	json_str(&c->json, "user", t->user);
	json_str(&c->json, "workdir", t->workdir);
	list(c, "env", &t->env);
	list(c, "entrypoint", &t->entrypoint);
	list(c, "cmd", &t->cmd);
	list(c, "passwd", &t->passwd);
	json_begin(&c->json, "layers", '[');
	for (size_t i = 0; i < t->layers.n; i++)
		put_layer(c, t->layers.v[i]);
	json_end(&c->json, ']');
	json_end(&c->json, '}');
}

static void put_text(struct tpl *c, const struct template *f, const struct around *o)
{
	const struct template_info *t = &f->info;
	char size[24];
	line("id", f->id);
	lines("names", &o->names);
	lines("sandboxes", &o->users);
	line("size", progress_bytes(t->size, size, sizeof(size)));
	opt("os", t->os);
	opt("arch", t->arch);
	opt("variant", t->variant);
	opt("created", t->created);
	opt("user", t->user);
	opt("workdir", t->workdir);
	lines("env", &t->env);
	lines("entrypoint", &t->entrypoint);
	lines("cmd", &t->cmd);
	lines("passwd", &t->passwd);
	printf("%-11s %zu\n", "layers", t->layers.n);
	for (size_t i = 0; i < t->layers.n; i++)
		put_layer(c, t->layers.v[i]);
}

static int look_around(struct tpl *c, const char *id, struct around *o, struct err *err)
{
	struct template_tags tags = {0};
	int r = templates_tags(&c->t, &c->a, &tags, err);
	for (size_t i = 0; i < tags.n; i++)
		if (streq(tags.v[i].id, id))
			strv_add(&c->a, &o->names, ref_shown(&c->a, tags.v[i].key));
	/* a sandbox that can't be read is another command's to say */
	if (r == 0 && template_users(&c->store, &c->a, id, &o->users, NULL) < 0)
		o->users.n = 0;
	return r;
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	int code = 0;
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	if (hold < 0)
		return hold;
	if (as_json)
		json_begin(&c->json, NULL, '[');
	for (int i = 0; i < n; i++) {
		struct template f;
		struct around o = {0};
		struct err why = {0};
		int r = template_find(&c->t, &c->a, word[i], &f, &why);
		if (r == 0)
			r = look_around(c, f.id, &o, &why);
		if (r < 0) {
			code = template_failed(&why);
			continue;
		}
		if (!as_json && i)
			putchar('\n');
		if (as_json)
			put_json(c, &f, &o);
		else
			put_text(c, &f, &o);
	}
	if (as_json)
		json_end(&c->json, ']');
	return code;
}

const struct template_verb template_inspect_verb = {
	.name = "inspect",
	.args = "[--json] TEMPLATE...",
	.text = "Show all that is known of templates.",
	.examples = "  bawn template inspect debian:12\n",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = -1,
	.what = "which template?",
	.run = run,
};
