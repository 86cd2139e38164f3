/* image/write.c - manifests, a layout's index.json, an archive's manifest.json; see image.h */
#include "image/request.h"
#include "json/value.h"

/* "DIGEST SIZE MEDIATYPE" as an object; NULL: malformed, or out of memory. */
static struct json_value *desc(struct arena *a, const char *text)
{
	char *rest = arena_dup(a, text), *end = NULL;
	const char *digest = rest ? strsep(&rest, " ") : NULL;
	const char *size = rest ? strsep(&rest, " ") : NULL;
	long long n = size ? strtoll(size, &end, 10) : -1;
	_cleanup_json_ struct json_value *v = rest && !*end && n >= 0 ? json_value_object() : NULL;
	if (!v || json_value_set(v, "mediaType", json_value_string(rest)) < 0 ||
		json_value_set(v, "digest", json_value_string(digest)) < 0 ||
		json_value_set(v, "size", json_value_integer(n)) < 0)
		return NULL;
	return TAKE_PTR(v);
}

struct writing {
	struct arena *a;
	struct json_value *doc, *list, *last;
};

/* ---- manifest: config, layer ---- */

static int manifest_line(struct writing *w, const char *key, const char *text)
{
	if (streq(key, "type"))
		return json_value_set(w->doc, "mediaType", json_value_string(text));
	if (streq(key, "config"))
		return json_value_set(w->doc, "config", desc(w->a, text));
	if (streq(key, "layer"))
		return json_value_push(w->list, desc(w->a, text));
	return -EINVAL;
}

/* ---- layout: manifest, name ---- */

/* The name of the entry that was begun last. */
static int name_entry(struct writing *w, const char *name)
{
	struct json_value *notes = json_value_object();
	int r = notes ? json_value_set(notes, "io.containerd.image.name", json_value_string(name))
		      : -ENOMEM;
	if (r == 0)
		r = json_value_set(
			notes, "org.opencontainers.image.ref.name", json_value_string(name));
	if (r == 0)
		return json_value_set(w->last, "annotations", notes);
	json_value_free(notes);
	return r;
}

static int layout_line(struct writing *w, const char *key, const char *text)
{
	if (streq(key, "manifest")) {
		struct json_value *v = desc(w->a, text);
		w->last = v;
		return json_value_push(w->list, v);
	}
	return streq(key, "name") && w->last ? name_entry(w, text) : -EINVAL;
}

/* ---- archive: image, layer, name ---- */

static int archive_line(struct writing *w, const char *key, const char *text)
{
	if (streq(key, "image")) {
		struct json_value *v = json_value_object();
		w->last = v;
		int r = json_value_push(w->list, v);
		if (r == 0)
			r = json_value_set(v, "Config", json_value_string(text));
		if (r == 0)
			r = json_value_set(v, "RepoTags", json_value_array());
		return r < 0 ? r : json_value_set(v, "Layers", json_value_array());
	}
	const char *list = streq(key, "layer") ? "Layers" : streq(key, "name") ? "RepoTags" : NULL;
	struct json_value *v = list ? json_value_get(w->last, list) : NULL;
	return v ? json_value_push(v, json_value_string(text)) : -EINVAL;
}

static int begin(struct writing *w, enum image_op op)
{
	if (op == IMAGE_WRITE_ARCHIVE) {
		w->list = w->doc = json_value_array();
		return w->doc ? 0 : -ENOMEM;
	}
	const char *list = op == IMAGE_WRITE_LAYOUT ? "manifests" : "layers";
	w->doc = json_value_object();
	if (!w->doc || json_value_set(w->doc, "schemaVersion", json_value_integer(2)) < 0)
		return -ENOMEM;
	if (op == IMAGE_WRITE_LAYOUT &&
		json_value_set(w->doc, "mediaType", json_value_string(IMAGE_OCI_INDEX)) < 0)
		return -ENOMEM;
	if (json_value_set(w->doc, list, json_value_array()) < 0)
		return -ENOMEM;
	w->list = json_value_get(w->doc, list);
	return 0;
}

int image_write(struct arena *a, const struct image_request *req, FILE *out, struct err *err)
{
	struct writing w = {.a = a};
	int (*line)(struct writing *, const char *, const char *) = req->op == IMAGE_WRITE_MANIFEST
		? manifest_line
		: req->op == IMAGE_WRITE_LAYOUT ? layout_line
						: archive_line;
	int r = begin(&w, req->op);
	for (size_t i = 0; r == 0 && i < req->lines.n; i++) {
		char *text = arena_dup(a, req->lines.v[i]), *key = strsep(&text, " ");
		r = text ? line(&w, key, text) : -EINVAL;
	}
	size_t n;
	_cleanup_free_ char *printed = r == 0 ? json_value_print(w.doc, &n) : NULL;
	json_value_free(w.doc);
	if (!printed)
		return err_set(err, EINVAL, "what is to be written is malformed, or no UTF-8");
	line_put(out, "doc", printed);
	return 0;
}
