/* template/export.c - templates as an archive of images; see template.h
 *
 * One form for all readers: an OCI layout, the layers of which are plain tars, so that the digests
 * are known before the first byte is written and nothing is written twice; and beside it the
 * manifest.json that `docker load`, podman and skopeo read.
 */
#include <fcntl.h>
#include <inttypes.h>

#include "base/sha256.h"
#include "store/ref.h"
#include "template/tar-out.h"
#include "template/template.h"

struct exporting {
	struct template_work *w;
	struct tar_out tar;
	struct strv written; /* hex of blobs that are in it */
	struct image_desc *manifest;
	struct image_saved *saved;
};

static int blob_name(const char *hex, char ret[static TAR_NAME_MAX])
{
	return snprintf(ret, TAR_NAME_MAX, "blobs/sha256/%s", hex);
}

/* Bytes as a blob, once. */
static int put_blob(
	struct exporting *x, const char *data, size_t n, char hex[static 65], struct err *err)
{
	char name[TAR_NAME_MAX];
	sha256_hex(data, n, hex);
	blob_name(hex, name);
	if (strv_has(&x->written, hex))
		return 0;
	strv_add(x->w->a, &x->written, hex);
	return tar_out_file(&x->tar, name, data, n, err);
}

static int put_layer(struct exporting *x, const struct template_layer *l, struct err *err)
{
	char name[TAR_NAME_MAX];
	struct template_layer got;
	struct template_work *w = x->w;
	struct layer_pulse p = {template_pulse, w};
	if (strv_has(&x->written, l->diff))
		return 0;
	char *path = template_layer_dir(w->t, w->a, l->diff);
	if (!path || strv_add(w->a, &x->written, l->diff) < 0)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "open layer %.12s", l->diff);
	blob_name(l->diff, name);
	int r = tar_out_head(&x->tar, name, l->tar, err);
	uint64_t before = w->progress.done;
	off_t at = lseek(x->tar.fd, 0, SEEK_CUR);
	template_follow(w, at < 0 ? -1 : x->tar.fd, at < 0 ? 0 : (uint64_t)at);
	if (r == 0)
		r = layer_run_write(w->layer_helper, w->a, dir, x->tar.fd, "none", &p, &got, err);
	if (r < 0)
		return err_prefix(err, "layer %.12s", l->diff);
	if (!streq(got.diff, l->diff) || got.tar != l->tar) {
		err_hint(
			err, "bawn template verify names all that is amiss; load or pull it again");
		return err_set(
			err, EIO, "layer %.12s is damaged: its content has changed", l->diff);
	}
	w->progress.done = before + l->tar;
	return tar_out_pad(&x->tar, l->tar, err);
}

static int put_layers(struct exporting *x, const struct template_info *info,
	struct image_desc *desc, struct image_saved *saved, struct err *err)
{
	struct template_work *w = x->w;
	int r = 0;
	for (size_t i = 0; r == 0 && i < info->layers.n; i++) {
		struct template_layer l;
		w->progress.layer = i + 1;
		w->progress.layers = info->layers.n;
		r = template_layer_read(w->t, w->a, info->layers.v[i], &l, err);
		if (r == 0)
			r = put_layer(x, &l, err);
		if (r < 0)
			return r;
		desc[i] = (struct image_desc){.digest = arena_printf(w->a, "sha256:%s", l.diff),
			.size = l.tar,
			.media = arena_dup(w->a, IMAGE_OCI_LAYER)};
		strv_addf(w->a, &saved->layers, "blobs/sha256/%s", l.diff);
	}
	return r < 0 ? r : arena_check(w->a, err);
}

static int put_one(struct exporting *x, const struct template_export *e, size_t at, struct err *err)
{
	struct template_work *w = x->w;
	struct template f;
	struct image_desc layer[TEMPLATE_LAYERS_MAX], config = {0};
	char hex[65], *text, *doc;
	size_t n = 0;
	int r = template_read(w->t, w->a, e->id, &f, err);
	ssize_t len = r < 0 ? r : template_config(w->t, w->a, e->id, &text, err);
	if (len < 0)
		return (int)len;
	if (!streq(sha256_hex(text, (size_t)len, hex), e->id))
		return err_set(err, EIO, "template %.12s is damaged: its configuration has changed",
			e->id);
	r = put_layers(x, &f.info, layer, &x->saved[at], err);
	if (r == 0)
		r = put_blob(x, text, (size_t)len, hex, err);
	config = (struct image_desc){.digest = arena_printf(w->a, "sha256:%s", hex),
		.size = (uint64_t)len,
		.media = arena_dup(w->a, IMAGE_OCI_CONFIG)};
	x->saved[at].config = arena_printf(w->a, "blobs/sha256/%s", hex);
	x->saved[at].names = e->names;
	if (r == 0)
		r = arena_check(w->a, err);
	if (r == 0)
		r = image_write_manifest(w->image_helper, w->a, false, &config, layer,
			f.info.layers.n, &doc, &n, err);
	if (r == 0)
		r = put_blob(x, doc, n, hex, err);
	if (r < 0)
		return r;
	x->manifest[at] = (struct image_desc){.digest = arena_printf(w->a, "sha256:%s", hex),
		.size = n,
		.media = arena_dup(w->a, IMAGE_OCI_MANIFEST),
		.names = e->names};
	return arena_check(w->a, err);
}

/* How many bytes there will be, for the progress line; layers that templates share once. */
static void expect(struct template_work *w, const struct template_export *v, size_t n)
{
	struct strv seen = {0};
	struct template f;
	struct template_layer l;
	for (size_t i = 0; i < n; i++) {
		if (template_read(w->t, w->a, v[i].id, &f, NULL) < 0)
			continue;
		for (size_t k = 0; k < f.info.layers.n; k++) {
			if (strv_has(&seen, f.info.layers.v[k]) ||
				template_layer_read(w->t, w->a, f.info.layers.v[k], &l, NULL) < 0)
				continue;
			strv_push(w->a, &seen, f.info.layers.v[k]);
			w->progress.total += l.tar;
		}
	}
}

static int put_ends(struct exporting *x, size_t n, bool oci, struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct template_work *w = x->w;
	char *doc;
	size_t len;
	int r = image_write_layout(w->image_helper, w->a, x->manifest, n, &doc, &len, err);
	if (r == 0)
		r = tar_out_file(&x->tar, "index.json", doc, len, err);
	if (r == 0 && !oci) {
		r = image_write_archive(w->image_helper, w->a, x->saved, n, &doc, &len, err);
		if (r == 0)
			r = tar_out_file(&x->tar, "manifest.json", doc, len, err);
	}
	if (r == 0)
		r = tar_out_file(&x->tar, "oci-layout", layout, sizeof(layout) - 1, err);
	return r < 0 ? r : tar_out_end(&x->tar, err);
}

int template_export(struct template_work *w, int fd, const struct template_export *v, size_t n,
	bool oci, struct err *err)
{
	struct exporting x = {.w = w, .tar = {.fd = fd}};
	x.manifest = arena_alloc(w->a, n * sizeof(*x.manifest));
	x.saved = arena_alloc(w->a, n * sizeof(*x.saved));
	int r = arena_check(w->a, err);
	expect(w, v, n);
	if (r == 0)
		r = tar_out_dir(&x.tar, "blobs/", err);
	if (r == 0)
		r = tar_out_dir(&x.tar, "blobs/sha256/", err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_one(&x, &v[i], i, err);
	if (r == 0)
		r = put_ends(&x, n, oci, err);
	progress_end(&w->progress);
	return r;
}
