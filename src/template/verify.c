/* template/verify.c - is the store what its names say? see template.h
 *
 * Every tag and every sandbox's pin has its template, every template the configuration that it is
 * named by and all its layers, every layer the content that it is named by.
 */
#include <fcntl.h>
#include <stdarg.h>

#include "base/sha256.h"
#include "store/ref.h"
#include "store/sandboxes.h"
#include "template/template.h"

struct verifying {
	struct template_work *w;
	void (*say)(void *ctx, const char *text);
	void *ctx;
	int found;
	struct strv layers; /* of all templates, once each */
};

static void finding(struct verifying *v, const char *fmt, ...) _printf_(2, 3);

static void finding(struct verifying *v, const char *fmt, ...)
{
	char text[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	progress_end(&v->w->progress);
	v->found++;
	v->say(v->ctx, text);
}

static void check_template(struct verifying *v, const char *id)
{
	struct template_work *w = v->w;
	struct template f;
	struct err err = {0};
	char hex[SHA256_HEX + 1], *config;
	if (template_read(w->t, w->a, id, &f, &err) < 0) {
		finding(v, "%s", err.msg);
		return;
	}
	ssize_t n = template_config(w->t, w->a, id, &config, &err);
	if (n < 0)
		finding(v, "template %.12s: %s", id, err.msg);
	else if (!streq(sha256_hex(config, (size_t)n, hex), id))
		finding(v, "template %.12s: its configuration has changed", id);
	for (size_t i = 0; i < f.info.layers.n; i++)
		if (!strv_has(&v->layers, f.info.layers.v[i]))
			strv_push(w->a, &v->layers, f.info.layers.v[i]);
}

static void check_layer(struct verifying *v, const char *diff, bool content)
{
	struct template_work *w = v->w;
	struct template_layer l, got;
	struct layer_pulse p = {template_pulse, w};
	struct err err = {0};
	if (template_layer_read(w->t, w->a, diff, &l, &err) < 0) {
		finding(v, "%s", err.msg);
		return;
	}
	if (!content)
		return;
	char *path = template_layer_dir(w->t, w->a, diff);
	_cleanup_close_ int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				       : -1;
	struct template_making m = TEMPLATE_MAKING_NONE;
	if (dir < 0)
		finding(v, "layer %.12s can't be opened", diff);
	else if (templates_begin(w->t, &m, &err) < 0 ||
		layer_run_check(w->layer_helper, w->a, dir, m.dir, &p, &got, &err) < 0)
		finding(v, "layer %.12s: %s", diff, err.msg);
	else if (!streq(got.diff, diff))
		finding(v, "layer %.12s: its content has changed", diff);
	templates_abandon(w->t, &m);
	w->progress.done += l.tar;
}

static void check_tags(struct verifying *v, const struct strv *ids)
{
	struct template_tags tags = {0};
	struct err err = {0};
	struct ref ref;
	if (templates_tags(v->w->t, v->w->a, &tags, &err) < 0)
		finding(v, "%s%s%s", err.msg, *err.hint ? "; " : "", err.hint);
	for (size_t i = 0; i < tags.n; i++) {
		const struct template_tag *t = &tags.v[i];
		char *key = ref_parse(v->w->a, t->key, &ref, NULL) < 0 ? NULL
								       : ref_key(v->w->a, &ref);
		if (!key || !streq(key, t->key))
			finding(v, "tag %zu of the list is no template's name", i + 1);
		else if (i && streq(t->key, tags.v[i - 1].key))
			finding(v, "%s is a tag twice", ref_shown(v->w->a, key));
		else if (!strv_has(ids, t->id))
			finding(v, "%s names template %.12s, which is not there",
				ref_shown(v->w->a, key), t->id);
	}
}

static void check_sandboxes(struct verifying *v, struct store *s, const struct strv *ids)
{
	struct strv names = {0};
	struct err err = {0};
	if (store_sandbox_list(s, v->w->a, &names, &err) < 0)
		finding(v, "%s", err.msg);
	for (size_t i = 0; i < names.n; i++) {
		struct spec spec = {0};
		int r = store_sandbox_find(s, v->w->a, names.v[i], &spec, &err);
		const char *id = r == 0 && spec.digest ? ref_digest_hex(spec.digest) : NULL;
		if (r < 0 && r != -ENOENT)
			finding(v, "%s", err.msg);
		else if (id && !strv_has(ids, id))
			finding(v, "sandbox %s is made of template %.12s, which is not there",
				names.v[i], id);
	}
}

int template_verify(struct template_work *w, struct store *s, bool content,
	void (*say)(void *ctx, const char *text), void *ctx, struct err *err)
{
	struct verifying v = {.w = w, .say = say, .ctx = ctx};
	struct strv ids = {0};
	struct template_layer l;
	int r = templates_ids(w->t, w->a, &ids, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ids.n; i++)
		check_template(&v, ids.v[i]);
	check_tags(&v, &ids);
	check_sandboxes(&v, s, &ids);
	for (size_t i = 0; content && i < v.layers.n; i++)
		if (template_layer_read(w->t, w->a, v.layers.v[i], &l, NULL) == 0)
			w->progress.total += l.tar;
	w->progress.layers = v.layers.n;
	for (size_t i = 0; i < v.layers.n; i++) {
		w->progress.layer = i + 1;
		check_layer(&v, v.layers.v[i], content);
	}
	progress_end(&w->progress);
	return v.found;
}
