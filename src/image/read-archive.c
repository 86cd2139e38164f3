/* image/read-archive.c - manifest.json of a `docker save` archive; see image.h
 *
 * What it names are members of the archive, and nothing else: no name that is absolute or has "."
 * or ".." in it gets out of here (TPL-09).
 */
#include "base/escape.h"
#include "image/request.h"
#include "json/value.h"
#include "store/ref.h"

#define MEMBER_MAX 512

/* A plain relative name of printable ASCII. */
static bool member_ok(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > MEMBER_MAX || GUARD_REMOVED("image-members"))
		return n > 0;
	for (const char *p = s;;) {
		size_t part = strcspn(p, "/");
		if (part == 0 || (part == 1 && p[0] == '.') ||
			(part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		for (size_t i = 0; i < part; i++)
			if (p[i] <= ' ' || p[i] > '~' || p[i] == '\\')
				return false;
		if (!p[part])
			return true;
		p += part + 1;
	}
}

static int put_member(FILE *out, const char *key, const struct json_value *v, struct err *err)
{
	char shown[120];
	const char *name = json_value_text(v);
	if (!name)
		return err_set(err, EINVAL, "manifest.json: %s is no text", key);
	if (!member_ok(name))
		return err_set(err, EINVAL,
			"manifest.json: '%s' can't be the name of a member of the archive",
			escape_text(shown, sizeof(shown), name));
	line_put(out, key, name);
	return 0;
}

/* A name that is none is left out, and said.  So is one with a digest: that is what a registry has
 * shown, and no archive can. */
static void put_name(struct arena *a, FILE *out, const char *text)
{
	struct ref ref;
	char *key = NULL;
	if (text && ref_parse(a, text, &ref, NULL) == 0 && !ref.digest)
		key = ref_key(a, &ref);
	line_put(out, key ? "name" : "bad-name", key ? key : text ? text : "?");
}

static int read_one(struct arena *a, const struct json_value *v, FILE *out, struct err *err)
{
	const struct json_value *layers = json_value_get(v, "Layers"),
				*names = json_value_get(v, "RepoTags");
	if (!json_value_is_object(v) ||
		(!json_value_is_null(layers) && !json_value_is_array(layers)))
		return err_set(err, EINVAL, "manifest.json: an image without a list of layers");
	if (json_value_count(layers) > TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "an image has more than %d layers", TEMPLATE_LAYERS_MAX);
	int r = put_member(out, "image", json_value_get(v, "Config"), err);
	for (size_t i = 0; r == 0 && i < json_value_count(layers); i++)
		r = put_member(out, "layer", json_value_at(layers, i), err);
	for (size_t i = 0; r == 0 && i < json_value_count(names); i++)
		put_name(a, out, json_value_text(json_value_at(names, i)));
	return r;
}

int image_archive_read(struct arena *a, const struct json_value *doc, FILE *out, struct err *err)
{
	size_t n = json_value_count(doc);
	int r = 0;
	if (!json_value_is_array(doc) || n == 0)
		return err_set(err, EINVAL, "manifest.json: it lists no images");
	if (n > IMAGE_ARCHIVE_MAX)
		return err_set(err, E2BIG, "manifest.json: more than %d images", IMAGE_ARCHIVE_MAX);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_one(a, json_value_at(doc, i), out, err);
	return r;
}
