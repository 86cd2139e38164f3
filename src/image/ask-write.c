/* image/ask-write.c - asking bawn-image to write; see image.h */
#include <inttypes.h>

#include "image/ask.h"

static int put_desc(
	struct arena *a, struct strv *lines, const char *key, const struct image_desc *d)
{
	return strv_addf(a, lines, "%s %s %" PRIu64 " %s", key, d->digest, d->size, d->media);
}

static int ask_doc(const char *helper, struct arena *a, const struct image_request *req, char **ret,
	size_t *ret_n, struct err *err)
{
	struct image_lines l;
	int r = arena_check(a, err);
	if (r == 0)
		r = image_ask(helper, a, req, &l, err);
	if (r < 0)
		return r;
	if (l.n != 1 || !streq(l.v[0].key, "doc"))
		return image_bad_answer(err);
	*ret = l.v[0].value;
	*ret_n = strlen(*ret);
	return 0;
}

int image_edit_config(const char *helper, struct arena *a, const char *base, size_t n,
	const struct strv *changes, char **ret, size_t *ret_n, struct err *err)
{
	struct image_request req = {
		.op = IMAGE_EDIT_CONFIG, .doc = base, .n_doc = n, .lines = *changes};
	return ask_doc(helper, a, &req, ret, ret_n, err);
}

int image_write_manifest(const char *helper, struct arena *a, bool docker,
	const struct image_desc *config, const struct image_desc *layer, size_t n_layers,
	char **ret, size_t *ret_n, struct err *err)
{
	struct image_request req = {.op = IMAGE_WRITE_MANIFEST};
	strv_addf(a, &req.lines, "type %s", docker ? IMAGE_DOCKER_MANIFEST : IMAGE_OCI_MANIFEST);
	put_desc(a, &req.lines, "config", config);
	for (size_t i = 0; i < n_layers; i++)
		put_desc(a, &req.lines, "layer", &layer[i]);
	return ask_doc(helper, a, &req, ret, ret_n, err);
}

int image_write_layout(const char *helper, struct arena *a, const struct image_desc *manifest,
	size_t n, char **ret, size_t *ret_n, struct err *err)
{
	struct image_request req = {.op = IMAGE_WRITE_LAYOUT};
	for (size_t i = 0; i < n; i++) {
		const struct image_desc *m = &manifest[i];
		if (m->names.n == 0)
			put_desc(a, &req.lines, "manifest", m);
		/* one entry for each name: a reader takes one name of an entry */
		for (size_t k = 0; k < m->names.n; k++) {
			put_desc(a, &req.lines, "manifest", m);
			strv_addf(a, &req.lines, "name %s", m->names.v[k]);
		}
	}
	return ask_doc(helper, a, &req, ret, ret_n, err);
}

int image_write_archive(const char *helper, struct arena *a, const struct image_saved *image,
	size_t n, char **ret, size_t *ret_n, struct err *err)
{
	struct image_request req = {.op = IMAGE_WRITE_ARCHIVE};
	for (size_t i = 0; i < n; i++) {
		strv_addf(a, &req.lines, "image %s", image[i].config);
		for (size_t k = 0; k < image[i].layers.n; k++)
			strv_addf(a, &req.lines, "layer %s", image[i].layers.v[k]);
		for (size_t k = 0; k < image[i].names.n; k++)
			strv_addf(a, &req.lines, "name %s", image[i].names.v[k]);
	}
	return ask_doc(helper, a, &req, ret, ret_n, err);
}
