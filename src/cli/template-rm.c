/* cli/template-rm.c - bawn template rm */
#include "cli/template.h"

enum { OPT_FORCE };
static const struct option_row rows[] = {
	{"force", 'f', NULL, "by its ID: with all the names it has", OPT_FORCE},
	TEMPLATE_HELP_ROW,
	{0},
};
static bool force;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)id;
	(void)value;
	(void)err;
	force = true;
	return 0;
}

static size_t count_names(const struct template_tags *tags, const char *id)
{
	size_t n = 0;
	for (size_t i = 0; i < tags->n; i++)
		n += streq(tags->v[i].id, id);
	return n;
}

/* One of several names goes alone; the last one takes the template along. */
static int remove_one(struct tpl *c, const char *word, struct err *err)
{
	struct template f = {0};
	struct template_tags tags = {0};
	int r = template_resolve(&c->t, &c->a, word, &f, err);
	if (r == 0)
		r = templates_tags(&c->t, &c->a, &tags, err);
	if (r < 0)
		return r;
	size_t names = count_names(&tags, f.id);
	if (f.key && names > 1) {
		r = templates_untag(&c->t, &c->a, f.key, err);
		if (r == 0)
			printf("%s\n", ref_shown(&c->a, f.key));
		return r;
	}
	if (!f.key && names > 1 && !force) {
		err_hint(err,
			"bawn template rm NAME takes one away; -f removes it with all of them");
		return err_set(err, EBUSY, "template %.12s has %zu names", f.id, names);
	}
	r = template_remove(&c->t, &c->store, &c->a, f.id, err);
	if (r == 0)
		printf("%s\n", f.key ? ref_shown(&c->a, f.key) : f.id);
	return r;
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	int code = 0;
	_cleanup_close_ int alone = template_alone(c, err);
	if (alone < 0)
		return alone;
	for (int i = 0; i < n; i++) {
		struct err why = {0};
		if (remove_one(c, word[i], &why) < 0)
			code = template_failed(&why);
	}
	struct template_garbage g = {.layers = true};
	int r = templates_collect(&c->t, &c->a, &g, err);
	return r < 0 ? r : code;
}

const struct template_verb template_rm_verb = {
	.name = "rm",
	.args = "[-f] TEMPLATE...",
	.text = "Remove names; the last one of a template takes along what no other template has "
		"of it.\n"
		"One that a sandbox is made of stays.",
	.examples = "  bawn template rm base\n",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = -1,
	.what = "which template?",
	.run = run,
};
