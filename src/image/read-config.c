/* image/read-config.c - a configuration becomes an info (store/template-info.h); see image.h
 *
 * What it says counts inside a sandbox alone (TPL-12); here it only has to be text of sane length.
 */
#include "base/escape.h"
#include "image/request.h"
#include "json/value.h"
#include "store/ref.h"

#define TEXT_MAX ((size_t)128 << 10) /* as long as an argument may be (execve(2)) */
#define LIST_MAX 10000

/* *ret is NULL where v is absent, null or empty. */
static int get_text(const struct json_value *v, const char *what, char **ret, struct err *err)
{
	const char *s = json_value_text(v);
	if (!json_value_is_null(v) && !s)
		return err_set(err, EINVAL, "the configuration's %s is no text", what);
	if (s && strlen(s) > TEXT_MAX)
		return err_set(err, EFBIG, "the configuration's %s is too long", what);
	*ret = s && *s ? (char *)s : NULL;
	return 0;
}

static int get_list(struct arena *a, const struct json_value *v, const char *what, struct strv *ret,
	struct err *err)
{
	size_t n = json_value_count(v);
	if (!json_value_is_null(v) && !json_value_is_array(v))
		return err_set(err, EINVAL, "the configuration's %s is no list", what);
	if (n > LIST_MAX)
		return err_set(err, E2BIG, "the configuration's %s is too long", what);
	for (size_t i = 0; i < n; i++) {
		const char *s = json_value_text(json_value_at(v, i));
		if (!s || strlen(s) > TEXT_MAX)
			return err_set(err, EINVAL,
				"the configuration's %s holds no text, or too "
				"long a one",
				what);
		strv_push(a, ret, (char *)s);
	}
	return arena_check(a, err);
}

static int get_layers(
	struct arena *a, const struct json_value *doc, struct strv *ret, struct err *err)
{
	const struct json_value *rootfs = json_value_get(doc, "rootfs"),
				*ids = json_value_get(rootfs, "diff_ids");
	const char *type = json_value_text(json_value_get(rootfs, "type"));
	if (!type || !streq(type, "layers") ||
		(!json_value_is_null(ids) && !json_value_is_array(ids)))
		return err_set(err, EINVAL, "the configuration has no root file system of layers");
	if (json_value_count(ids) > TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "it has more than %d layers", TEMPLATE_LAYERS_MAX);
	for (size_t i = 0; i < json_value_count(ids); i++) {
		const char *id = json_value_text(json_value_at(ids, i));
		const char *hex = id ? ref_digest_hex(id) : NULL;
		if (!hex)
			return err_set(err, EINVAL,
				"the configuration's diff_ids hold something else than digests");
		strv_push(a, ret, (char *)hex);
	}
	return arena_check(a, err);
}

/* A variable without "=" sets nothing: it is left out. */
static void drop_odd_env(struct strv *env)
{
	size_t kept = 0;
	for (size_t i = 0; i < env->n; i++)
		if (strchr(env->v[i], '=') && env->v[i][0] != '=')
			env->v[kept++] = env->v[i];
	env->n = kept;
}

static int check_platform(struct arena *a, const struct image_platform *want,
	const struct template_info *t, struct err *err)
{
	struct image_platform have = {.os = t->os, .arch = t->arch, .variant = t->variant};
	if (!want->arch || image_platform_fits(want, &have))
		return 0;
	image_platform_hint(want, image_platform_beyond(want, &have), err);
	return err_set(err, ENOEXEC, "the image is for %s, not for %s",
		image_platform_text(a, &have), image_platform_text(a, want));
}

int image_config_read(struct arena *a, const struct image_request *req,
	const struct json_value *doc, FILE *out, struct err *err)
{
	struct template_info t = {0};
	const struct json_value *c = json_value_get(doc, "config");
	const struct {
		const struct json_value *v;
		const char *what;
		char **text;
		struct strv *list;
	} all[] = {
		{json_value_get(doc, "architecture"), "architecture", &t.arch, NULL},
		{json_value_get(doc, "os"), "os", &t.os, NULL},
		{json_value_get(doc, "variant"), "variant", &t.variant, NULL},
		{json_value_get(doc, "created"), "created", &t.created, NULL},
		{json_value_get(c, "User"), "User", &t.user, NULL},
		{json_value_get(c, "WorkingDir"), "WorkingDir", &t.workdir, NULL},
		{json_value_get(c, "Env"), "Env", NULL, &t.env},
		{json_value_get(c, "Entrypoint"), "Entrypoint", NULL, &t.entrypoint},
		{json_value_get(c, "Cmd"), "Cmd", NULL, &t.cmd},
		{json_value_get(c, "Shell"), "Shell", NULL, &t.shell},
		{json_value_get(c, "OnBuild"), "OnBuild", NULL, &t.onbuild},
	};
	if (!json_value_is_object(doc))
		return err_set(err, EINVAL, "the configuration is no object");
	int r = get_layers(a, doc, &t.layers, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(all); i++)
		r = all[i].text ? get_text(all[i].v, all[i].what, all[i].text, err)
				: get_list(a, all[i].v, all[i].what, all[i].list, err);
	if (r == 0)
		r = check_platform(a, &req->platform, &t, err);
	if (r < 0)
		return r;
	drop_odd_env(&t.env);
	if (image_passwd(a, req->passwd, req->n_passwd, t.user, &t.passwd) < 0)
		return err_set(err, ENOMEM, "out of memory");
	size_t n = 0;
	_cleanup_free_ char *text = template_info_text(&t, &n);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	if (n > TEMPLATE_INFO_MAX)
		return err_set(err, EFBIG, "the configuration is too large");
	line_put(out, "info", text);
	return 0;
}
