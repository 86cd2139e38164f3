/* cli/template-tag.c - bawn template tag */
#include "cli/template.h"

static const struct option_row rows[] = {TEMPLATE_HELP_ROW, {0}};

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct template f;
	struct ref ref;
	(void)n;
	int r = ref_parse(&c->a, word[1], &ref, err);
	if (r == 0 && ref.digest)
		r = err_set(err, EINVAL, "a name with a digest is what a registry gives");
	_cleanup_close_ int hold = r < 0 ? r : templates_hold(&c->t, err);
	if (hold < 0)
		return hold;
	r = template_find(&c->t, &c->a, word[0], &f, err);
	char *key = r == 0 ? ref_key(&c->a, &ref) : NULL;
	if (r == 0 && !key)
		r = err_set(err, ENOMEM, "out of memory");
	return r < 0 ? r : templates_tag(&c->t, &c->a, key, f.id, err);
}

const struct template_verb template_tag_verb = {
	.name = "tag",
	.args = "TEMPLATE NEW",
	.text = "Give a template one more name.  A name that another had is taken from it.",
	.examples = "  bawn template tag debian:12 base\n",
	.rows = rows,
	.min = 2,
	.max = 2,
	.what = "which template, and which name?",
	.run = run,
};
