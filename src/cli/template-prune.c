/* cli/template-prune.c - bawn template prune */
#include <inttypes.h>

#include "cli/template.h"

enum { OPT_DRY, OPT_CACHE };
static const struct option_row rows[] = {
	{"dry-run", 0, NULL, "only say what would be removed", OPT_DRY},
	{"cache", 0, NULL, "also what builds keep to be quick the next time", OPT_CACHE},
	TEMPLATE_HELP_ROW,
	{0},
};
static bool dry, cache;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)value;
	(void)err;
	*(id == OPT_DRY ? &dry : &cache) = true;
	return 0;
}

/* Templates without a name that no sandbox uses. */
static int drop_nameless(struct tpl *c, struct err *err)
{
	struct template_tags tags = {0};
	struct strv ids = {0}, named = {0};
	int r = templates_ids(&c->t, &c->a, &ids, err);
	if (r == 0)
		r = templates_tags(&c->t, &c->a, &tags, err);
	for (size_t i = 0; i < tags.n; i++)
		strv_push(&c->a, &named, tags.v[i].id);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		if (strv_has(&named, ids.v[i]))
			continue;
		r = template_check_unused(&c->t, &c->store, &c->a, ids.v[i], err);
		if (r == -EBUSY) {
			r = 0;
			continue;
		}
		if (r == 0 && !dry)
			r = template_remove(&c->t, &c->store, &c->a, ids.v[i], err);
		if (r == 0)
			printf("template %.12s\n", ids.v[i]);
	}
	return r;
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct template_garbage g = {.layers = true, .cache = cache, .only_look = dry};
	char bytes[24];
	(void)word;
	(void)n;
	_cleanup_close_ int alone = template_alone(c, err);
	if (alone < 0)
		return alone;
	int r = drop_nameless(c, err);
	if (err)
		err->hint[0] = '\0';
	if (r == 0)
		r = templates_collect(&c->t, &c->a, &g, err);
	if (r < 0)
		return r;
	if (g.n_cache)
		printf("%" PRIu64 " steps of builds\n", g.n_cache);
	if (g.n_layers)
		printf("%" PRIu64 " layers, %s\n", g.n_layers,
			progress_bytes(g.bytes, bytes, sizeof(bytes)));
	if (g.n_tmp)
		printf("%" PRIu64 " unfinished\n", g.n_tmp);
	return 0;
}

const struct template_verb template_prune_verb = {
	.name = "prune",
	.args = "[--dry-run] [--cache]",
	.text = "Remove what nothing needs: templates without a name that no sandbox is made of, "
		"and\n"
		"layers that no template has.",
	.examples = "  bawn template prune --dry-run\n",
	.rows = rows,
	.option = option,
	.run = run,
};
