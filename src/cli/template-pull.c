/* cli/template-pull.c - bawn template pull */
#include "cli/template.h"
#include "template/remote.h"

enum { OPT_PLATFORM, OPT_QUIET };
static const struct option_row rows[] = {
	{"platform", 0, "OS/ARCH", "of several, the image for this platform (this machine's)",
		OPT_PLATFORM},
	{"quiet", 'q', NULL, "show no progress", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static const char *platform_text;
static bool quiet;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)err;
	if (id == OPT_PLATFORM)
		platform_text = value;
	else
		quiet = true;
	return 0;
}

/* What one that was killed has left goes first, if nobody else is at work. */
static void sweep(struct tpl *c)
{
	struct template_garbage g = {0};
	int alone = templates_lock(&c->t, 0, NULL);
	if (alone < 0)
		return;
	templates_collect(&c->t, &c->a, &g, NULL);
	close(alone);
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct image_platform p = image_machine();
	struct template_remote rm;
	struct ref ref;
	char id[65];
	uint64_t fetched = 0;
	int r = ref_parse(&c->a, word[0], &ref, err);
	(void)n;
	if (r == 0 && platform_text)
		r = image_platform_parse(&c->a, platform_text, &p, err);
	if (r == 0)
		r = template_remote_init(&rm, &c->a, c->dirs.install.libexec, &c->dirs.xdg, err);
	if (r < 0)
		return r;
	sweep(c);
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	if (hold < 0)
		return hold;
	progress_begin(&c->w.progress, "pulling", quiet);
	r = template_pull(&c->w, &rm, &ref, &p, id, &fetched, err);
	progress_end(&c->w.progress);
	if (r < 0)
		return err_prefix(err, "pull %s", ref_familiar(&c->a, &ref));
	printf("%.12s  %s\n", id, ref_familiar(&c->a, &ref));
	return 0;
}

const struct template_verb template_pull_verb = {
	.name = "pull",
	.args = "[OPTIONS] REF",
	.text = "Take an image from its registry, or a mirror of that: the layers that are not "
		"here "
		"yet,\n"
		"each checked against its digest.",
	.examples = "  bawn template pull debian:12\n",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = 1,
	.what = "which image?",
	.run = run,
};
