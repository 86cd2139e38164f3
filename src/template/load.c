/* template/load.c - archives of images into the store; see template.h
 *
 * Theory of operation.  bawn-layer says what members an archive has and where (one that is
 * compressed, or comes through a pipe, it copies on the way); of these, only the JSON is read here,
 * as bytes for bawn-image.  Each layer is then read by offset, where it lies.  What a document
 * names is looked up among the members and nowhere else, and everything has to have the digest by
 * which it is named: a manifest and a config that of their descriptor, a layer that of its config's
 * diff_ids.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "store/ref.h"
#include "template/template.h"

#define NESTING_MAX 4 /* indexes in indexes */

struct load {
	struct template_work *w;
	struct archive v;
	int fd; /* the plain tar */
	const struct image_platform *p;
	struct template_loaded *ret;
	size_t n;
};

/* ---- members ---- */

static const struct archive_member *find(struct load *l, const char *name, struct err *err)
{
	char shown[160];
	const struct archive_member *m = archive_find(&l->v, name);
	if (!m)
		err_set(err, EINVAL, "the archive has no file '%s', which it names",
			escape_text(shown, sizeof(shown), name));
	return m;
}

static int read_doc(struct load *l, const struct archive_member *m, char **ret, struct err *err)
{
	char shown[160];
	escape_text(shown, sizeof(shown), m->name);
	if (m->size > IMAGE_DOC_MAX)
		return err_set(
			err, EFBIG, "'%s' is larger than %zu MB", shown, IMAGE_DOC_MAX >> 20);
	char *text = arena_alloc(l->w->a, (size_t)m->size + 1);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	ssize_t n = fd_pread_full(l->fd, text, (size_t)m->size, (off_t)m->offset);
	if (n < 0)
		return err_sys(err, (int)-n, "read '%s'", shown);
	if ((uint64_t)n != m->size)
		return err_set(err, EINVAL, "the archive ends within '%s'", shown);
	*ret = text;
	return 0;
}

/* blobs/sha256/HEX, of the size and the digest that it is named by. */
static int read_blob(struct load *l, const struct image_desc *d, char **ret, struct err *err)
{
	char hex[SHA256_HEX + 1];
	const char *want = ref_digest_hex(d->digest);
	char *name = arena_printf(l->w->a, "blobs/sha256/%s", want ? want : "");
	const struct archive_member *m = name ? find(l, name, err) : NULL;
	if (!m)
		return -EINVAL;
	if (m->size != d->size)
		return err_set(err, EBADMSG, "%s has another size than its image says", name);
	int r = read_doc(l, m, ret, err);
	if (r < 0)
		return r;
	if (!streq(sha256_hex(*ret, (size_t)m->size, hex), want) && !GUARD_REMOVED("blob-digest"))
		return err_set(
			err, EBADMSG, "the content of %s has another digest: %.12s", name, hex);
	return 0;
}

/* ---- one image ---- */

static int finish(struct load *l, struct template_stack *s, const char *config, size_t n,
	const struct strv *names, struct err *err)
{
	struct template_loaded *one = &l->ret[l->n];
	int r = template_stack_commit(l->w, s, config, n, l->p, one->id, err);
	if (r < 0)
		return r;
	l->n++;
	for (size_t i = 0; r == 0 && i < names->n; i++) {
		r = templates_tag(l->w->t, l->w->a, names->v[i], one->id, err);
		if (r == 0)
			strv_push(l->w->a, &one->names, names->v[i]);
	}
	return r;
}

struct piece {
	const struct archive_member *m;
	const char *blob; /* "sha256:HEX" of its bytes; NULL: not said */
};

/* The layers of an image, lowest first: n pieces for the diff_ids of its config. */
static int read_layers(struct load *l, const char *config, size_t n_config,
	const struct piece *piece, size_t n, struct template_stack *s, struct err *err)
{
	struct template_info info;
	struct progress *p = &l->w->progress;
	int r = image_read_config(
		l->w->image_helper, l->w->a, config, n_config, l->p, NULL, 0, &info, err);
	if (r < 0)
		return r;
	if (info.layers.n != n)
		return err_set(err, EINVAL, "it has %zu layers, and its configuration %zu", n,
			info.layers.n);
	p->layers = n;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct layer_source from = {.fd = l->fd,
			.part = true,
			.offset = piece[i].m->offset,
			.length = piece[i].m->size};
		p->layer = i + 1;
		progress_show(p);
		uint64_t before = p->done;
		r = template_stack_add(l->w, s, info.layers.v[i], piece[i].blob, &from, err);
		p->done = before + piece[i].m->size;
	}
	return r;
}

static int load_pieces(struct load *l, const char *config, size_t n_config,
	const struct piece *piece, size_t n, const struct strv *names, struct err *err)
{
	struct template_stack s = {0};
	int r = read_layers(l, config, n_config, piece, n, &s, err);
	if (r == 0)
		r = finish(l, &s, config, n_config, names, err);
	template_stack_free(l->w, &s);
	return r;
}

/* ---- docker save ---- */

static int load_saved(struct load *l, const struct image_saved *image, struct err *err)
{
	struct piece piece[TEMPLATE_LAYERS_MAX] = {0};
	char *config;
	const struct archive_member *m = find(l, image->config, err);
	int r = m ? read_doc(l, m, &config, err) : -EINVAL;
	if (r == 0 && image->layers.n > TEMPLATE_LAYERS_MAX)
		r = err_set(err, E2BIG, "more than %d layers", TEMPLATE_LAYERS_MAX);
	for (size_t i = 0; r == 0 && i < image->layers.n; i++) {
		piece[i].m = find(l, image->layers.v[i], err);
		r = piece[i].m ? 0 : -EINVAL;
	}
	return r < 0 ? r
		     : load_pieces(l, config, (size_t)m->size, piece, image->layers.n,
			       &image->names, err);
}

static void one_more_name(struct load *l, struct strv *names, const char *tag)
{
	if (tag && !strv_has(names, tag))
		strv_add(l->w->a, names, tag);
}

/* tag names one image. */
static int room_for(struct load *l, size_t n, const char *tag, struct err *err)
{
	if (tag && n != 1) {
		err_hint(err, "load it without --tag, and name them: bawn template tag ID NAME");
		return err_set(err, EINVAL, "the archive has %zu images, and --tag is for one", n);
	}
	l->ret = arena_alloc(l->w->a, n * sizeof(*l->ret));
	return l->ret ? 0 : err_set(err, ENOMEM, "out of memory");
}

static int load_archive(struct load *l, const char *tag, struct err *err)
{
	struct image_saved *v = NULL;
	size_t n = 0;
	char *doc;
	const struct archive_member *m = find(l, "manifest.json", err);
	int r = m ? read_doc(l, m, &doc, err) : -EINVAL;
	if (r == 0)
		r = image_read_archive(
			l->w->image_helper, l->w->a, doc, (size_t)m->size, &v, &n, err);
	if (r == 0)
		r = room_for(l, n, tag, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		one_more_name(l, &v[i].names, tag);
		r = load_saved(l, &v[i], err);
		if (r < 0 && n > 1)
			err_prefix(err, "image %zu of %zu", i + 1, n);
	}
	return r;
}

/* ---- OCI layout ---- */

/* The manifest that d leads to, through indexes. */
static int find_manifest(
	struct load *l, const struct image_desc *d, struct image_manifest *ret, struct err *err)
{
	struct image_desc at = *d;
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		char *doc;
		int r = read_blob(l, &at, &doc, err);
		if (r == 0)
			r = image_read_manifest(
				l->w->image_helper, l->w->a, doc, (size_t)at.size, l->p, ret, err);
		if (r < 0 || !ret->index)
			return r;
		at = ret->chosen;
	}
	return err_set(err, EINVAL, "indexes in indexes, more than %d deep", NESTING_MAX);
}

static int load_manifest(struct load *l, const struct image_desc *d, struct err *err)
{
	struct piece piece[TEMPLATE_LAYERS_MAX] = {0};
	struct image_manifest m = {0};
	char *config;
	int r = find_manifest(l, d, &m, err);
	if (r == 0)
		r = read_blob(l, &m.config, &config, err);
	if (r == 0 && m.n > TEMPLATE_LAYERS_MAX)
		r = err_set(err, E2BIG, "more than %d layers", TEMPLATE_LAYERS_MAX);
	for (size_t i = 0; r == 0 && i < m.n; i++) {
		char *name = arena_printf(
			l->w->a, "blobs/sha256/%s", ref_digest_hex(m.layer[i].digest));
		piece[i].m = name ? find(l, name, err) : NULL;
		piece[i].blob = m.layer[i].digest;
		r = piece[i].m ? 0 : -EINVAL;
		if (r == 0 && piece[i].m->size != m.layer[i].size)
			r = err_set(err, EBADMSG, "%s has another size than its image says", name);
	}
	return r < 0 ? r
		     : load_pieces(l, config, (size_t)m.config.size, piece, m.n, &d->names, err);
}

static int load_layout(struct load *l, const char *tag, struct err *err)
{
	struct image_desc *v = NULL;
	size_t n = 0;
	char *doc;
	const struct archive_member *m = find(l, "index.json", err);
	int r = m ? read_doc(l, m, &doc, err) : -EINVAL;
	if (r == 0)
		r = image_read_layout(
			l->w->image_helper, l->w->a, doc, (size_t)m->size, l->p, &v, &n, err);
	if (r == 0)
		r = room_for(l, n, tag, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		one_more_name(l, &v[i].names, tag);
		r = load_manifest(l, &v[i], err);
		if (r < 0 && n > 1)
			err_prefix(err, "image %zu of %zu", i + 1, n);
	}
	return r;
}

/* ---- the archive ---- */

struct copying {
	struct template_work *w;
	int from, copy;
};

/* How far the first reading is: what was copied, or where in the file it stands. */
static void copy_pulse(void *ctx)
{
	struct copying *c = ctx;
	struct stat st;
	off_t at = lseek(c->from, 0, SEEK_CUR);
	if (at > 0)
		c->w->progress.done = (uint64_t)at;
	else if (fstat(c->copy, &st) == 0)
		c->w->progress.done = (uint64_t)st.st_size;
	progress_show(&c->w->progress);
}

/* Which it is: a docker save archive may be a layout too, and then names more of its images. */
static int load_members(struct load *l, const char *tag, struct err *err)
{
	bool saved = archive_find(&l->v, "manifest.json"),
	     layout = archive_find(&l->v, "index.json") && archive_find(&l->v, "oci-layout");
	if (saved)
		return load_archive(l, tag, err);
	if (layout)
		return load_layout(l, tag, err);
	err_hint(err,
		"it takes what `docker image save`, `podman save` and `skopeo copy` write; a "
		"root file system becomes a template by a Dockerfile: FROM scratch, ADD FILE /");
	return err_set(err, EINVAL,
		"it is no archive of images: it has neither manifest.json nor "
		"oci-layout and index.json");
}

/* How many bytes the layers will be. */
static void expect(struct load *l)
{
	uint64_t total = 0;
	for (size_t i = 0; i < l->v.n; i++)
		total += l->v.v[i].size;
	progress_again(&l->w->progress, total);
}

int template_load(struct template_work *w, int fd, const struct image_platform *p, const char *tag,
	struct template_loaded **ret, size_t *ret_n, struct err *err)
{
	struct template_making scratch;
	struct load l = {.w = w, .fd = fd, .p = p};
	int r = templates_begin(w->t, &scratch, err);
	if (r < 0)
		return r;
	_cleanup_close_ int copy = openat(
		scratch.dir, "plain", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct copying c = {w, fd, copy};
	r = copy < 0 ? err_sys(err, errno, "create a file in %s", w->t->dir)
		     : layer_run_index(w->layer_helper, w->a, fd, copy,
			       &(struct layer_pulse){copy_pulse, &c}, &l.v, err);
	if (r == 0 && l.v.in_copy)
		l.fd = copy;
	if (r == 0) {
		expect(&l);
		r = load_members(&l, tag, err);
	}
	templates_abandon(w->t, &scratch);
	progress_end(&w->progress);
	*ret = l.ret;
	*ret_n = l.n;
	return r;
}
