/* template/push.c - see remote.h
 *
 * Theory: the registry is asked for each layer in the forms that are known of it; only where it has
 * none is the layer packed, into a file without a name, and that is sent.  What bawn-layer packs is
 * the same each time, so that form is known from then on.  While layers are on their way, at most
 * UPLOADS at once, the next ones are asked for and packed.  The manifest goes last, once all that
 * it names is there.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "template/remote.h"

enum { UPLOADS = 4, PULSE_MS = 150 };

struct upload {
	const char *diff;
	uint64_t size;
	int fd;
	struct registry_job job;
};

struct push {
	struct template_work *w;
	struct registry_client c;
	const struct ref *ref;
	struct strv from; /* repositories there that may have a layer */
	bool docker;
	uint64_t sent;
	struct upload up[UPLOADS];
	size_t n_up;
};

/* What a registry is told that a layer is, by its form in the store. */
static char *media_of(const struct push *p, const char *media)
{
	static char gzip[] = IMAGE_OCI_LAYER "+gzip", zstd[] = IMAGE_OCI_LAYER "+zstd",
		    plain[] = IMAGE_OCI_LAYER, docker[] = IMAGE_DOCKER_LAYER;
	if (streq(media, gzip) || streq(media, docker))
		return p->docker ? docker : gzip;
	if (p->docker)
		return NULL;
	return streq(media, zstd) ? zstd : streq(media, plain) ? plain : NULL;
}

/* "sha256:HEX BYTES MEDIATYPE" of a layer's info. */
static bool parse_blob(
	const struct push *p, struct arena *a, const char *text, struct image_desc *ret)
{
	char *rest = arena_dup(a, text), *end;
	char *digest = rest ? strsep(&rest, " ") : NULL, *size = rest ? strsep(&rest, " ") : NULL;
	if (!rest || !ref_digest_hex(digest) || *size < '0' || *size > '9')
		return false;
	errno = 0;
	*ret = (struct image_desc){
		.digest = digest, .size = strtoull(size, &end, 10), .media = media_of(p, rest)};
	return ret->media && !*end && !errno;
}

/* 1: the registry has it now. */
static int is_there(struct push *p, const struct image_desc *d, struct err *err)
{
	struct registry_answer w = {0};
	struct registry_request q = {
		.op = REGISTRY_HAVE, .repo = p->ref->path, .digest = d->digest};
	int r = registry_ask(&p->c, p->w->a, &q, -1, &w, err);
	for (size_t i = 0; r == 0 && w.status != 200 && i < p->from.n; i++) {
		q.from = p->from.v[i];
		r = registry_ask(&p->c, p->w->a, &q, -1, &w, err);
	}
	return r < 0 ? r : w.status == 200;
}

static int send(struct push *p, const struct image_desc *d, int fd, struct err *err)
{
	struct registry_answer w = {0};
	const struct registry_request q = {.op = REGISTRY_PUSH_BLOB,
		.repo = p->ref->path,
		.digest = d->digest,
		.size = (int64_t)d->size};
	int r = registry_ask(&p->c, p->w->a, &q, fd, &w, err);
	p->sent += r == 0 && w.status == 201 ? d->size : 0; /* 200: it had it */
	return r;
}

static void pulse(void *ctx)
{
	struct push *p = ctx;
	p->w->progress.done = p->sent;
	progress_show(&p->w->progress);
}

/* ---- uploads ---- */

static int start_upload(
	struct push *p, const char *diff, const struct image_desc *d, int fd, struct err *err)
{
	struct upload *u = &p->up[p->n_up];
	const struct registry_request q = {.op = REGISTRY_PUSH_BLOB,
		.repo = p->ref->path,
		.digest = d->digest,
		.size = (int64_t)d->size};
	*u = (struct upload){.diff = diff, .size = d->size, .fd = -1, .job = REGISTRY_JOB_NONE};
	int r = registry_start(&p->c, p->w->a, &q, fd, &u->job, err);
	if (r < 0)
		return r;
	u->fd = fd;
	p->n_up++;
	return 0;
}

static int end_upload(struct push *p, size_t i, struct err *err)
{
	struct registry_answer w = {0};
	struct upload u = p->up[i];
	int r = registry_finish(&p->c, p->w->a, &u.job, &w, err);
	close(u.fd);
	p->up[i] = p->up[--p->n_up];
	p->sent += r == 0 && w.status == 201 ? u.size : 0; /* 200: it had it */
	return r < 0 ? err_prefix(err, "layer %.12s", u.diff) : 0;
}

/* Until no more than `most` are under way. */
static int wait_uploads(struct push *p, size_t most, struct err *err)
{
	int r = 0;
	while (r == 0 && p->n_up > most) {
		struct pollfd v[UPLOADS];
		size_t n = p->n_up;
		for (size_t i = 0; i < n; i++)
			v[i] = (struct pollfd){.fd = p->up[i].job.job.fd, .events = POLLIN};
		int k = poll(v, (nfds_t)n, PULSE_MS);
		pulse(p);
		/* from the last on, as one that ends is replaced by it */
		for (size_t i = n; k > 0 && r == 0 && i-- > 0;)
			if (v[i].revents)
				r = end_upload(p, i, err);
	}
	return r;
}

static void abort_uploads(struct push *p)
{
	while (p->n_up) {
		struct upload *u = &p->up[--p->n_up];
		registry_abort(&u->job);
		close(u->fd);
	}
}

/* ---- layers ---- */

/* Packed, into a file without a name. */
static int pack(
	struct push *p, const char *diff, struct image_desc *ret, int *ret_fd, struct err *err)
{
	struct template_work *w = p->w;
	struct template_making m;
	struct template_layer made = {0};
	char *dir = template_layer_dir(w->t, w->a, diff);
	_cleanup_close_ int layer = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
					: -1;
	if (layer < 0)
		return err_sys(err, errno, "open layer %.12s", diff);
	int r = templates_begin(w->t, &m, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = openat(m.dir, "blob", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(m.dir, "blob", 0) < 0)
		r = err_sys(err, errno, "create a file in %s", w->t->dir);
	templates_abandon(w->t, &m);
	if (r == 0)
		r = layer_run_write(w->layer_helper, w->a, layer, fd, "gzip",
			&(struct layer_pulse){pulse, p}, &made, err);
	if (r == 0 && !streq(made.diff, diff)) {
		err_hint(err, "bawn template verify says more; pull or load the template again");
		r = err_set(err, EBADMSG, "its content is not what it was when it was stored");
	}
	if (r == 0 && (made.blobs.n == 0 || !parse_blob(p, w->a, made.blobs.v[0], ret)))
		r = err_set(err, EBADMSG, "malformed result of bawn-layer");
	if (r == 0)
		r = template_layer_add_blob(w->t, w->a, diff, made.blobs.v[0], err);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* 1: the registry has it; 0: *ret_fd is what to send. */
static int find_form(
	struct push *p, const char *diff, struct image_desc *ret, int *ret_fd, struct err *err)
{
	struct template_layer l;
	int r = template_layer_read(p->w->t, p->w->a, diff, &l, err);
	for (size_t i = 0; r == 0 && i < l.blobs.n; i++)
		if (parse_blob(p, p->w->a, l.blobs.v[i], ret))
			r = is_there(p, ret, err);
	return r == 0 ? pack(p, diff, ret, ret_fd, err) : r;
}

static int push_layer(struct push *p, const char *diff, struct image_desc *ret, struct err *err)
{
	int fd = -1, r = find_form(p, diff, ret, &fd, err);
	if (r != 0)
		return r < 0 ? err_prefix(err, "layer %.12s", diff) : 0;
	r = wait_uploads(p, UPLOADS - 1, err);
	if (r == 0)
		r = start_upload(p, diff, ret, fd, err);
	if (r < 0)
		close(fd);
	return r;
}

/* The same layer twice is the same blob. */
static bool is_repeated(
	const struct template *t, size_t i, const struct image_desc *layer, struct image_desc *ret)
{
	for (size_t k = 0; k < i; k++)
		if (streq(t->info.layers.v[k], t->info.layers.v[i])) {
			*ret = layer[k];
			return true;
		}
	return false;
}

static int push_layers(
	struct push *p, const struct template *t, struct image_desc *layer, struct err *err)
{
	struct progress *bar = &p->w->progress;
	int r = 0;
	bar->layers = t->info.layers.n;
	for (size_t i = 0; r == 0 && i < t->info.layers.n; i++) {
		bar->layer = i + 1;
		pulse(p);
		if (is_repeated(t, i, layer, &layer[i]))
			continue;
		r = push_layer(p, t->info.layers.v[i], &layer[i], err);
	}
	if (r == 0)
		r = wait_uploads(p, 0, err);
	abort_uploads(p);
	bar->done = p->sent;
	return r;
}

/* Repositories of the same registry whose tags name a template with a layer of this one. */
static int find_others(struct push *p, const struct template *t, struct err *err)
{
	struct arena *a = p->w->a;
	struct template_tags tags;
	int r = templates_tags(p->w->t, a, &tags, err);
	for (size_t i = 0; r == 0 && i < tags.n; i++) {
		struct template other;
		struct ref ref;
		if (ref_parse(a, tags.v[i].key, &ref, NULL) < 0 || !streq(ref.host, p->ref->host) ||
			streq(ref.path, p->ref->path) || strv_has(&p->from, ref.path) ||
			template_read(p->w->t, a, tags.v[i].id, &other, NULL) < 0)
			continue;
		bool shares = false;
		for (size_t k = 0; k < t->info.layers.n; k++)
			shares |= strv_has(&other.info.layers, t->info.layers.v[k]);
		if (shares)
			strv_add(a, &p->from, ref.path);
	}
	return r;
}

static int memfd_of(const char *text, size_t n)
{
	int fd = memfd_create("document", MFD_CLOEXEC);
	if (fd >= 0 && fd_write_all(fd, text, n) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int push_config(
	struct push *p, const struct template *t, struct image_desc *ret, struct err *err)
{
	static char docker[] = IMAGE_DOCKER_CONFIG, oci[] = IMAGE_OCI_CONFIG;
	char *text = NULL;
	ssize_t n = template_config(p->w->t, p->w->a, t->id, &text, err);
	if (n < 0)
		return (int)n;
	*ret = (struct image_desc){.digest = arena_printf(p->w->a, "sha256:%s", t->id),
		.size = (uint64_t)n,
		.media = p->docker ? docker : oci};
	_cleanup_close_ int fd = memfd_of(text, (size_t)n);
	if (fd < 0 || !ret->digest)
		return err_set(err, ENOMEM, "out of memory");
	return send(p, ret, fd, err);
}

static int push_manifest(struct push *p, const struct image_desc *config,
	const struct image_desc *layer, size_t n_layers, char **ret, struct err *err)
{
	struct registry_answer w = {0};
	char *text = NULL;
	size_t n = 0;
	int r = image_write_manifest(
		p->w->image_helper, p->w->a, p->docker, config, layer, n_layers, &text, &n, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = memfd_of(text, n);
	const struct registry_request q = {.op = REGISTRY_PUSH_MANIFEST,
		.repo = p->ref->path,
		.ref = p->ref->tag,
		.type = p->docker ? IMAGE_DOCKER_MANIFEST : IMAGE_OCI_MANIFEST,
		.size = (int64_t)n};
	r = fd < 0 ? err_set(err, ENOMEM, "out of memory")
		   : registry_ask(&p->c, p->w->a, &q, fd, &w, err);
	if (r == 0 && !(*ret = arena_dup(p->w->a, w.digest)))
		r = err_set(err, ENOMEM, "out of memory");
	return r;
}

static int push_all(struct push *p, const struct template *t, char **ret, struct err *err)
{
	struct image_desc layer[TEMPLATE_LAYERS_MAX], config;
	const size_t n = t->info.layers.n;
	int r = n > TEMPLATE_LAYERS_MAX
		? err_set(err, E2BIG, "more than %d layers", TEMPLATE_LAYERS_MAX)
		: registry_open(&p->c, p->w->a, err);
	if (r == 0)
		r = find_others(p, t, err);
	if (r == 0)
		r = push_layers(p, t, layer, err);
	if (r == 0)
		r = push_config(p, t, &config, err);
	return r < 0 ? r : push_manifest(p, &config, layer, n, ret, err);
}

int template_push(struct template_work *w, const struct template_remote *rm,
	const struct template *t, const struct ref *ref, bool docker, char **ret,
	uint64_t *ret_sent, struct err *err)
{
	struct registry_places places;
	if (!ref->tag)
		return err_set(err, EINVAL, "a push needs a tag, not a digest");
	int r = registry_places_find(w->a, rm->config_dir, ref->host, true, &places, err);
	if (r < 0)
		return r;
	struct push p = {.w = w,
		.ref = ref,
		.docker = docker,
		.c = {.helper = rm->helper,
			.config_dir = rm->config_dir,
			.home = rm->home,
			.place = places.v[0],
			.stall = places.stall}};
	r = push_all(&p, t, ret, err);
	registry_close(&p.c);
	progress_end(&w->progress);
	*ret_sent = p.sent;
	return r;
}
