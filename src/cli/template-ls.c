/* cli/template-ls.c - bawn template ls */
#include "base/escape.h"
#include "cli/template.h"

enum { OPT_JSON, OPT_QUIET };
static const struct option_row rows[] = {
	{"json", 0, NULL, "print JSON", OPT_JSON},
	{"quiet", 'q', NULL, "print IDs alone", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static bool as_json, quiet;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)value;
	(void)err;
	*(id == OPT_JSON ? &as_json : &quiet) = true;
	return 0;
}

static const char *platform(const struct template_info *t, char *buf, size_t cap)
{
	char os[40], arch[40];
	snprintf(buf, cap, "%s/%s", escape_text(os, sizeof(os), t->os ? t->os : "?"),
		escape_text(arch, sizeof(arch), t->arch ? t->arch : "?"));
	return buf;
}

static void put_json(struct tpl *c, const char *name, const char *id, const struct template_tag *t,
	const struct template *f, const struct err *why)
{
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "name", name);
	json_str(&c->json, "id", id);
	if (t)
		json_int(&c->json, "tagged", t->time);
	if (f) {
		json_int(&c->json, "size", (int64_t)f->info.size);
		json_int(&c->json, "layers", (int64_t)f->info.layers.n);
		json_str(&c->json, "os", f->info.os);
		json_str(&c->json, "arch", f->info.arch);
		json_str(&c->json, "created", f->info.created);
	} else {
		json_str(&c->json, "error", why->msg);
	}
	json_end(&c->json, '}');
}

/* One line: a tag, or a template that has none. */
static void put(struct tpl *c, const char *id, const struct template_tag *t)
{
	struct template f;
	struct err err = {0};
	char size[24], age[24] = "-", where[96];
	const char *name = t ? ref_shown(&c->a, t->key) : NULL;
	int r = template_read(&c->t, &c->a, id, &f, &err);
	if (as_json) {
		put_json(c, name, id, t, r < 0 ? NULL : &f, &err);
		return;
	}
	if (t)
		template_age(t->time, age, sizeof(age));
	if (r < 0)
		printf("%-40s %.12s  %-10s damaged: %s\n", name ? name : "-", id, age, err.msg);
	else
		printf("%-40s %.12s  %-10s %-8s %6zu  %s\n", name ? name : "-", id, age,
			progress_bytes(f.info.size, size, sizeof(size)), f.info.layers.n,
			platform(&f.info, where, sizeof(where)));
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct template_tags tags = {0};
	struct strv ids = {0}, named = {0};
	(void)word;
	(void)n;
	if (as_json && quiet)
		return err_set(err, EINVAL, "--json or --quiet, not both");
	int r = templates_ids(&c->t, &c->a, &ids, err);
	if (r == 0)
		r = templates_tags(&c->t, &c->a, &tags, err);
	if (r < 0)
		return r;
	if (as_json)
		json_begin(&c->json, NULL, '[');
	else if (!quiet && (ids.n || tags.n))
		printf("%-40s %-12s  %-10s %-8s %6s  %s\n", "NAME", "ID", "TAGGED", "SIZE",
			"LAYERS", "PLATFORM");
	for (size_t i = 0; i < tags.n; i++) {
		strv_push(&c->a, &named, tags.v[i].id);
		if (!quiet)
			put(c, tags.v[i].id, &tags.v[i]);
	}
	for (size_t i = 0; i < ids.n; i++) {
		if (quiet)
			puts(ids.v[i]);
		else if (!strv_has(&named, ids.v[i]))
			put(c, ids.v[i], NULL);
	}
	if (as_json)
		json_end(&c->json, ']');
	return arena_check(&c->a, err);
}

const struct template_verb template_ls_verb = {
	.name = "ls",
	.args = "[-q|--json]",
	.text = "List the templates: names, IDs, when they got the name, size and layers.",
	.examples = "  bawn template ls\n",
	.rows = rows,
	.option = option,
	.run = run,
};
