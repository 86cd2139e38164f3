/* cli/template-verify.c - bawn template verify */
#include "cli/template.h"

enum { OPT_FAST, OPT_QUIET };
static const struct option_row rows[] = {
	{"quick", 0, NULL, "don't read the content of layers again", OPT_FAST},
	{"quiet", 'q', NULL, "show no progress", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static bool quick, quiet;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)value;
	(void)err;
	*(id == OPT_FAST ? &quick : &quiet) = true;
	return 0;
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
	fflush(stdout);
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	(void)word;
	(void)n;
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	if (hold < 0)
		return hold;
	progress_begin(&c->w.progress, "verifying", quiet);
	int r = template_verify(&c->w, &c->store, !quick, say, NULL, err);
	if (r <= 0)
		return r;
	err_hint(err, "bawn template rm removes what is damaged, and load or pull brings it anew");
	err_set(err, EIO, "%d things are amiss in the templates", r);
	return template_failed(err);
}

const struct template_verb template_verify_verb = {
	.name = "verify",
	.args = "[--quick]",
	.text = "Check every digest, link and reference of the templates.  Prints what is amiss, "
		"one a line.",
	.examples = "  bawn template verify\n",
	.rows = rows,
	.option = option,
	.run = run,
};
