/* image/read-manifest.c - manifests, indexes, and a layout's index.json; see image.h */
#include "base/escape.h"
#include "image/request.h"
#include "json/value.h"
#include "store/ref.h"

#include <inttypes.h>

#define ENTRIES_MAX 10000
#define LAYER_BYTES_MAX (INT64_C(1) << 42)

static bool one_of(const char *s, const char *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(s, all[i]))
			return true;
	return false;
}

static const char *shown(struct arena *a, const char *s)
{
	char buf[160];
	const char *copy = arena_dup(a, escape_text(buf, sizeof(buf), s ? s : "none"));
	return copy ? copy : "?";
}

/* ---- descriptors ---- */

/* "DIGEST SIZE MEDIATYPE" of a descriptor. */
static int put_desc(
	struct arena *a, FILE *out, const char *key, const struct json_value *v, struct err *err)
{
	const char *digest = json_value_text(json_value_get(v, "digest")),
		   *media = json_value_text(json_value_get(v, "mediaType"));
	int64_t size = -1;
	if (!digest || !media || !json_value_number(json_value_get(v, "size"), &size) || size < 0 ||
		size > LAYER_BYTES_MAX)
		return err_set(err, EINVAL, "a %s without digest, size and type", key);
	if (!ref_digest_hex(digest))
		return err_set(err, EINVAL, "the digest %s of a %s is no sha256 of 64 hex digits",
			shown(a, digest), key);
	if (strlen(media) > 200 || strcspn(media, " \t\r\n\\") != strlen(media))
		return err_set(err, EINVAL, "the type of a %s is none", key);
	fprintf(out, "%s %s %" PRId64 " %s\n", key, digest, size, media);
	return 0;
}

static const char *media_of(const struct json_value *v)
{
	const char *media = json_value_text(json_value_get(v, "mediaType"));
	return media ? media : "";
}

static bool is_index(const char *media)
{
	static const char *const all[] = {IMAGE_OCI_INDEX, IMAGE_DOCKER_INDEX};
	return one_of(media, all, ARRAY_LEN(all));
}

static bool is_manifest(const char *media)
{
	static const char *const all[] = {IMAGE_OCI_MANIFEST, IMAGE_DOCKER_MANIFEST};
	return one_of(media, all, ARRAY_LEN(all));
}

/* ---- choosing ---- */

/* What a builder notes beside an image, in the form of one. */
static bool is_attestation(const struct json_value *v)
{
	const struct json_value *p = json_value_get(v, "platform");
	const char *os = json_value_text(json_value_get(p, "os"));
	return json_value_get(json_value_get(v, "annotations"), "vnd.docker.reference.type") ||
		(os && streq(os, "unknown"));
}

/* Signatures, lists of parts and the like, which OCI 1.1 has in indexes beside images. */
static bool is_artifact(const struct json_value *v)
{
	static const char *const images[] = {IMAGE_OCI_CONFIG, IMAGE_DOCKER_CONFIG};
	const char *type = json_value_text(json_value_get(v, "artifactType"));
	return type && *type && !one_of(type, images, ARRAY_LEN(images));
}

static struct image_platform platform_of(const struct json_value *v)
{
	const struct json_value *p = json_value_get(v, "platform");
	return (struct image_platform){.os = json_value_text(json_value_get(p, "os")),
		.arch = json_value_text(json_value_get(p, "architecture")),
		.variant = json_value_text(json_value_get(p, "variant"))};
}

static bool is_candidate(const struct json_value *v)
{
	const char *media = media_of(v);
	return (is_index(media) || is_manifest(media)) && !is_attestation(v) && !is_artifact(v);
}

static int none_fits(struct arena *a, const struct json_value *list,
	const struct image_platform *want, struct err *err)
{
	char *all = NULL;
	size_t listed = 0;
	bool beyond = false;
	for (size_t i = 0; i < json_value_count(list); i++) {
		const struct json_value *v = json_value_at(list, i);
		if (!is_candidate(v) || listed++ >= 12)
			continue;
		struct image_platform p = platform_of(v);
		beyond |= image_platform_beyond(want, &p);
		all = arena_printf(
			a, "%s%s%s", all ? all : "", all ? ", " : "", image_platform_text(a, &p));
	}
	if (!listed)
		return err_set(err, EINVAL, "the index names no image");
	image_platform_hint(want, beyond, err);
	return err_set(err, ENOEXEC, "there is no image for %s in it, but for %s%s",
		image_platform_text(a, want), all ? all : "others", listed > 12 ? " and more" : "");
}

/* The one of list that fits best; NULL: none. */
static const struct json_value *best_of(
	const struct json_value *list, const struct image_platform *want)
{
	const struct json_value *best = NULL;
	int most = 0;
	for (size_t i = 0; i < json_value_count(list); i++) {
		const struct json_value *v = json_value_at(list, i);
		struct image_platform p = platform_of(v);
		int fits = is_candidate(v) ? image_platform_fits(want, &p) : 0;
		if (fits > most) {
			most = fits;
			best = v;
		}
	}
	return best;
}

static const struct json_value *entries(const struct json_value *doc, struct err *err)
{
	const struct json_value *list = json_value_get(doc, "manifests");
	if (!json_value_is_array(list)) {
		err_set(err, EINVAL, "an index without a list of manifests");
		return NULL;
	}
	if (json_value_count(list) > ENTRIES_MAX) {
		err_set(err, E2BIG, "an index of more than %d manifests", ENTRIES_MAX);
		return NULL;
	}
	return list;
}

/* ---- a layout ---- */

/* The key of the store by which an entry is named; NULL: by none. */
static char *name_of(struct arena *a, const struct json_value *v)
{
	static const char *const keys[] = {
		"io.containerd.image.name", "org.opencontainers.image.ref.name"};
	const struct json_value *notes = json_value_get(v, "annotations");
	struct ref ref;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *text = json_value_text(json_value_get(notes, keys[i]));
		/* a word alone is a tag, of a name that isn't said; a digest is a registry's to
		 * show */
		if (text && strpbrk(text, "/:") && ref_parse(a, text, &ref, NULL) == 0 &&
			!ref.digest)
			return ref_key(a, &ref);
	}
	return NULL;
}

/* Does an earlier entry say the same digest? */
static bool seen(const struct json_value *list, size_t n, const char *digest)
{
	for (size_t i = 0; i < n; i++) {
		const struct json_value *v = json_value_at(list, i);
		const char *d = json_value_text(json_value_get(v, "digest"));
		if (is_candidate(v) && d && streq(d, digest))
			return true;
	}
	return false;
}

/* Does another entry of the same name fit better?  Both are one image, for several platforms. */
static bool surpassed(
	struct arena *a, const struct json_value *list, size_t at, const struct image_platform *p)
{
	const struct json_value *v = json_value_at(list, at);
	const struct image_platform own = platform_of(v);
	const int fits = image_platform_fits(p, &own);
	for (size_t i = 0; own.os && i < json_value_count(list); i++) {
		const struct json_value *w = json_value_at(list, i);
		const struct image_platform have = platform_of(w);
		if (!have.os || !is_candidate(w) || image_platform_fits(p, &have) <= fits)
			continue;
		const char *name = name_of(a, v), *other = name_of(a, w);
		if (name && other && streq(name, other))
			return true;
	}
	return false;
}

int image_layout_read(struct arena *a, const struct json_value *doc, const struct image_platform *p,
	FILE *out, struct err *err)
{
	const struct json_value *list = entries(doc, err);
	size_t found = 0, n = json_value_count(list);
	int r = list ? 0 : -EINVAL;
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct json_value *v = json_value_at(list, i);
		struct image_platform have = platform_of(v);
		if (!is_candidate(v) || !image_platform_fits(p, &have) || surpassed(a, list, i, p))
			continue;
		const char *digest = json_value_text(json_value_get(v, "digest"));
		/* the same under several names: once, with all of them */
		if (digest && seen(list, i, digest))
			continue;
		if (++found > IMAGE_ARCHIVE_MAX)
			return err_set(err, E2BIG, "more than %d images", IMAGE_ARCHIVE_MAX);
		r = put_desc(a, out, "manifest", v, err);
		for (size_t k = i; r == 0 && k < n; k++) {
			const struct json_value *w = json_value_at(list, k);
			const char *d = json_value_text(json_value_get(w, "digest"));
			char *name = d && streq(d, digest) ? name_of(a, w) : NULL;
			if (name)
				line_put(out, "name", name);
		}
	}
	if (r == 0 && !found)
		r = none_fits(a, list, p, err);
	return r;
}

/* ---- a manifest or an index ---- */

static int check_layer_type(struct arena *a, const struct json_value *v, struct err *err)
{
	static const char *const all[] = {IMAGE_OCI_LAYER, IMAGE_OCI_LAYER "+gzip",
		IMAGE_OCI_LAYER "+zstd", IMAGE_DOCKER_LAYER,
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.zstd"};
	const char *media = media_of(v);
	if (one_of(media, all, ARRAY_LEN(all)))
		return 0;
	if (strstr(media, "foreign") || strstr(media, "nondistributable"))
		return err_set(err, EINVAL,
			"a layer may only be had from its vendor (%s), which bawn doesn't do",
			shown(a, media));
	if (strstr(media, "encrypted"))
		return err_set(err, EINVAL, "a layer is encrypted");
	return err_set(err, EINVAL, "a layer of type %s is none that bawn knows", shown(a, media));
}

static int put_manifest(struct arena *a, const struct json_value *doc, FILE *out, struct err *err)
{
	static const char *const configs[] = {IMAGE_OCI_CONFIG, IMAGE_DOCKER_CONFIG};
	const struct json_value *config = json_value_get(doc, "config"),
				*layers = json_value_get(doc, "layers");
	if (!one_of(media_of(config), configs, ARRAY_LEN(configs)))
		return err_set(err, EINVAL, "it is no image: its configuration is of type %s",
			shown(a, media_of(config)));
	if (json_value_count(layers) > TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "an image has more than %d layers", TEMPLATE_LAYERS_MAX);
	fputs("kind manifest\n", out);
	int r = put_desc(a, out, "config", config, err);
	for (size_t i = 0; r == 0 && i < json_value_count(layers); i++) {
		r = check_layer_type(a, json_value_at(layers, i), err);
		if (r == 0)
			r = put_desc(a, out, "layer", json_value_at(layers, i), err);
	}
	return r;
}

int image_manifest_read(struct arena *a, const struct json_value *doc,
	const struct image_platform *p, FILE *out, struct err *err)
{
	int64_t version = 0;
	bool said = json_value_number(json_value_get(doc, "schemaVersion"), &version);
	const char *media = media_of(doc);
	if (said && version == 1)
		return err_set(
			err, EINVAL, "a manifest of Docker's first schema, which is too old");
	/* What both could be taken for would be two things to two readers. */
	bool index = json_value_get(doc, "manifests") != NULL,
	     manifest = json_value_is_array(json_value_get(doc, "layers")) &&
		json_value_get(doc, "config");
	if (!said || version != 2 || index == manifest || (is_index(media) && !index) ||
		(is_manifest(media) && !manifest))
		return err_set(err, EINVAL, "it is neither a manifest nor an index");
	if (manifest)
		return put_manifest(a, doc, out, err);
	const struct json_value *list = entries(doc, err), *best = list ? best_of(list, p) : NULL;
	if (!best)
		return list ? none_fits(a, list, p, err) : -EINVAL;
	fputs("kind index\n", out);
	return put_desc(a, out, "chosen", best, err);
}
