/* build/finish.c - the target becomes a template, and gets its tags; see build.h */
#include <time.h>

#include "build/build.h"
#include "image/image.h"

/* SOURCE_DATE_EPOCH makes the same of the same. */
static int put_times(struct build *b, struct strv *lines, struct err *err)
{
	char text[40];
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t t = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
	struct tm tm;
	if (!gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return err_set(err, EINVAL, "SOURCE_DATE_EPOCH is no time");
	strv_addf(&b->a, lines, "created %s", text);
	strv_addf(&b->a, lines, "os %s", image_here.os);
	strv_addf(&b->a, lines, "arch %s", image_here.arch);
	return 0;
}

static int passwd(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	char *text = build_read_inside(ctx, roots[0], "etc/passwd");
	(void)err;
	buf_str(out, text ? text : "");
	return 0;
}

/* The image's own accounts: what its user and uid 1000 are called. */
static int read_passwd(struct build *b, const struct build_state *st, char **ret, struct err *err)
{
	struct template_making m = TEMPLATE_MAKING_NONE;
	struct view v = {.lowers = build_lowers(b, st)};
	int r = templates_begin(&b->store, &m, err);
	if (r < 0)
		return r;
	char *dir = arena_printf(&b->a, "%s/tmp/%s", b->store.dir, m.name);
	r = dir ? view_run(&b->a, dir, &v, 1, passwd, &b->a, ret, err)
		: err_set(err, ENOMEM, "out of memory");
	templates_abandon(&b->store, &m);
	return r;
}

int build_finish(struct build *b, char ret_id[static 65], struct err *err)
{
	struct build_state *st = &b->stages[b->target].st;
	struct template_info info = {0};
	struct strv lines = {0};
	char *helper = path_join(&b->a, b->install.libexec, "bawn-image"), *config,
	     *accounts = NULL;
	size_t n;
	int r = put_times(b, &lines, err);
	for (size_t i = 0; r == 0 && i < st->changes.n; i++)
		r = strv_push(&b->a, &lines, st->changes.v[i]);
	for (size_t i = 0; r == 0 && i < b->opt.labels.n; i++)
		r = strv_addf(&b->a, &lines, "label %s", b->opt.labels.v[i]);
	if (!helper || r == -ENOMEM)
		return err_set(err, ENOMEM, "out of memory");
	if (r == 0)
		r = image_edit_config(
			helper, &b->a, st->config, st->n_config, &lines, &config, &n, err);
	if (r == 0)
		r = read_passwd(b, st, &accounts, err);
	if (r == 0)
		r = image_read_config(helper, &b->a, config, n, NULL, accounts,
			accounts ? strlen(accounts) : 0, &info, err);
	for (size_t i = 0; r == 0 && i < info.layers.n; i++) {
		struct template_layer l = {0};
		r = template_layer_read(&b->store, &b->a, info.layers.v[i], &l, err);
		info.size += l.size;
	}
	if (r == 0)
		r = templates_commit(&b->store, &b->a, config, n, &info, ret_id, err);
	for (size_t i = 0; r == 0 && i < b->opt.tags.n; i++) {
		struct ref ref;
		r = ref_parse(&b->a, b->opt.tags.v[i], &ref, err);
		char *key = r == 0 ? ref_key(&b->a, &ref) : NULL;
		if (r == 0)
			r = key ? templates_tag(&b->store, &b->a, key, ret_id, err)
				: err_set(err, ENOMEM, "out of memory");
	}
	return r;
}
