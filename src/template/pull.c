/* template/pull.c - see remote.h
 *
 * Theory: what comes is written to files without names, at most FETCHES at once, each by a process
 * that knows its digest and size and gives it out as done only if it has both.  Only then is it
 * read as a layer, from the lowest up, because a layer's directories may be described by the ones
 * below it.  Nothing has a name in the store before all of it is there (template_stack_commit).
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fd.h"
#include "base/path.h"
#include "template/remote.h"

enum { FETCHES = 4, AHEAD = 8, NESTING_MAX = 4, PULSE_MS = 150 };

enum state { WAITING, FETCHING, FETCHED, READ };

struct fetch {
	const struct image_desc *d;
	const char *diff; /* of the config: what it has to become */
	enum state state;
	bool skip; /* it is in the store, or the same as one below */
	int fd;
	struct registry_job job;
};

struct pull {
	struct template_work *w;
	struct registry_client c;
	const struct ref *ref;
	const struct image_platform *p;
	struct fetch layer[TEMPLATE_LAYERS_MAX];
	size_t n;
	uint64_t past; /* bytes of what was fetched and is read by now */
};

int template_remote_init(struct template_remote *rm, struct arena *a, const char *libexec,
	const struct path_xdg *xdg, struct err *err)
{
	rm->helper = path_join(a, libexec, "bawn-registry");
	rm->config_dir = xdg->config;
	rm->home = xdg->home;
	return rm->helper ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* ---- documents ---- */

/* What stands in a memfd, in arena, a NUL behind it. */
static int read_memfd(
	struct arena *a, int fd, size_t max, char **ret, size_t *ret_n, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size > max)
		return err_set(err, EFBIG, "what came is too long");
	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	if (!text || fd_pread_full(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return err_set(err, ENOMEM, "out of memory");
	*ret = text;
	*ret_n = (size_t)st.st_size;
	return 0;
}

static int get_document(struct pull *l, const struct registry_request *q, char **ret, size_t *ret_n,
	struct err *err)
{
	struct registry_answer w = {0};
	_cleanup_close_ int fd = memfd_create("document", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "memfd");
	int r = registry_ask(&l->c, l->w->a, q, fd, &w, err);
	return r < 0 ? r : read_memfd(l->w->a, fd, IMAGE_DOC_MAX, ret, ret_n, err);
}

static int get_manifest(
	struct pull *l, const char *ref, struct image_manifest *ret, struct err *err)
{
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		const struct registry_request q = {
			.op = REGISTRY_MANIFEST, .repo = l->ref->path, .ref = ref};
		char *doc = NULL;
		size_t n = 0;
		int r = get_document(l, &q, &doc, &n, err);
		if (r == 0) {
			r = image_read_manifest(
				l->w->image_helper, l->w->a, doc, n, l->p, ret, err);
			if (r < 0)
				err_prefix(err, "its manifest");
		}
		if (r < 0 || !ret->index)
			return r;
		ref = ret->chosen.digest;
	}
	return err_set(err, EINVAL, "indexes in indexes, more than %d deep", NESTING_MAX);
}

/* ---- layers ---- */

static int start_fetch(struct pull *l, struct fetch *f, struct err *err)
{
	struct template_making m;
	const struct registry_request q = {.op = REGISTRY_BLOB,
		.repo = l->ref->path,
		.digest = f->d->digest,
		.size = (int64_t)f->d->size};
	int r = templates_begin(l->w->t, &m, err);
	if (r < 0)
		return r;
	/* without a name at once: whatever ends us, it goes */
	f->fd = openat(m.dir, "blob", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0 || unlinkat(m.dir, "blob", 0) < 0)
		r = err_sys(err, errno, "create a file in %s", l->w->t->dir);
	templates_abandon(l->w->t, &m);
	if (r == 0)
		r = registry_start(&l->c, l->w->a, &q, f->fd, &f->job, err);
	if (r == 0)
		f->state = FETCHING;
	return r;
}

static int end_fetch(struct pull *l, struct fetch *f, struct err *err)
{
	struct registry_answer w = {0};
	int r = registry_finish(&l->c, l->w->a, &f->job, &w, err);
	f->state = FETCHED;
	return r < 0 ? err_prefix(err, "layer %.19s", f->d->digest) : 0;
}

static void count(struct pull *l)
{
	struct progress *p = &l->w->progress;
	struct stat st;
	p->done = l->past;
	for (size_t i = 0; i < l->n; i++)
		if (l->layer[i].fd >= 0 && fstat(l->layer[i].fd, &st) == 0)
			p->done += (uint64_t)st.st_size;
	progress_show(p);
}

/* Start as many as may run, and wait for one to end. */
static int turn(struct pull *l, size_t next, struct err *err)
{
	struct pollfd v[FETCHES];
	struct fetch *of[FETCHES];
	nfds_t n = 0;
	int r = 0;
	for (size_t i = next; i < l->n && i < next + AHEAD && n < FETCHES && r == 0; i++) {
		struct fetch *f = &l->layer[i];
		if (f->state == WAITING && !f->skip)
			r = start_fetch(l, f, err);
		if (r == 0 && f->state == FETCHING) {
			v[n] = (struct pollfd){.fd = f->job.job.fd, .events = POLLIN};
			of[n++] = f;
		}
	}
	if (r < 0 || l->layer[next].state == FETCHED || l->layer[next].skip)
		return r;
	int k = poll(v, n, PULSE_MS);
	count(l);
	for (nfds_t i = 0; k > 0 && i < n && r == 0; i++)
		if (v[i].revents)
			r = end_fetch(l, of[i], err);
	return r;
}

static int read_layer(struct pull *l, struct template_stack *s, struct fetch *f, struct err *err)
{
	struct layer_source from = {.fd = f->fd};
	if (!f->skip && lseek(f->fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "read what came");
	int r = template_stack_add(l->w, s, f->diff, f->skip ? NULL : f->d->digest, &from, err);
	f->state = READ;
	if (f->fd >= 0) {
		l->past += f->d->size;
		close(TAKE_FD(f->fd));
	}
	return r;
}

static int get_layers(struct pull *l, struct template_stack *s, struct err *err)
{
	int r = 0;
	l->w->progress.layers = l->n;
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		l->w->progress.layer = i + 1;
		do
			r = turn(l, i, err);
		while (r == 0 && l->layer[i].state != FETCHED && !l->layer[i].skip);
		if (r == 0)
			r = read_layer(l, s, &l->layer[i], err);
	}
	for (size_t i = 0; i < l->n; i++) {
		registry_abort(&l->layer[i].job);
		if (l->layer[i].fd >= 0)
			close(TAKE_FD(l->layer[i].fd));
	}
	return r;
}

/* Said before hours have passed, where it can be known. */
static int check_room(struct pull *l, uint64_t bytes, struct err *err)
{
	struct statvfs v;
	if (fstatvfs(l->w->t->fd, &v) < 0 || bytes / v.f_frsize < v.f_bavail)
		return 0;
	err_hint(err, "bawn template prune, or XDG_DATA_HOME on a larger disk");
	return err_set(err, ENOSPC, "it has %llu MB, and the disk of %s has no room for that",
		(unsigned long long)(bytes >> 20), l->w->t->dir);
}

static int plan_layers(struct pull *l, const struct image_manifest *m,
	const struct template_info *info, struct err *err)
{
	uint64_t total = 0;
	if (m->n != info->layers.n)
		return err_set(err, EINVAL,
			"its manifest has %zu layers, and its configuration %zu", m->n,
			info->layers.n);
	for (size_t i = 0; i < m->n; i++) {
		struct fetch *f = &l->layer[i];
		*f = (struct fetch){.d = &m->layer[i],
			.diff = info->layers.v[i],
			.fd = -1,
			.job = REGISTRY_JOB_NONE};
		f->skip = template_layer_have(l->w->t, f->diff);
		for (size_t k = 0; k < i; k++)
			f->skip |= streq(f->diff, l->layer[k].diff);
		if (m->layer[i].size > (uint64_t)REGISTRY_BLOB_MAX)
			return err_set(
				err, EFBIG, "layer %.19s has more than a TiB", m->layer[i].digest);
		total += f->skip ? 0 : m->layer[i].size;
	}
	l->n = m->n;
	l->w->progress.total = total;
	return check_room(l, total, err);
}

/* ---- one place ---- */

static int get_image(
	struct pull *l, const struct image_manifest *m, char ret_id[static 65], struct err *err)
{
	struct template_info info;
	struct template_stack s = {0};
	const struct registry_request q = {.op = REGISTRY_BLOB,
		.repo = l->ref->path,
		.digest = m->config.digest,
		.size = (int64_t)m->config.size};
	char *config = NULL;
	size_t n = 0;
	if (m->n > TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "more than %d layers", TEMPLATE_LAYERS_MAX);
	if (m->config.size > IMAGE_DOC_MAX)
		return err_set(
			err, EFBIG, "its configuration has more than %zu MB", IMAGE_DOC_MAX >> 20);
	int r = get_document(l, &q, &config, &n, err);
	if (r == 0)
		r = image_read_config(
			l->w->image_helper, l->w->a, config, n, l->p, NULL, 0, &info, err);
	if (r == 0)
		r = plan_layers(l, m, &info, err);
	if (r == 0)
		r = get_layers(l, &s, err);
	if (r == 0)
		r = template_stack_commit(l->w, &s, config, n, l->p, ret_id, err);
	template_stack_free(l->w, &s);
	return r;
}

static int pull_from(struct pull *l, struct image_manifest *m, struct err *err)
{
	int r = registry_open(&l->c, l->w->a, err);
	return r < 0 ? r : get_manifest(l, l->ref->digest ? l->ref->digest : l->ref->tag, m, err);
}

int template_pull(struct template_work *w, const struct template_remote *rm, const struct ref *ref,
	const struct image_platform *p, char ret_id[static 65], uint64_t *ret_fetched,
	struct err *err)
{
	static struct pull l;
	struct registry_places places;
	struct image_manifest m = {0};
	struct err first = {0};
	int r = registry_places_find(w->a, rm->config_dir, ref->host, false, &places, err);
	if (r < 0)
		return r;
	l = (struct pull){.w = w, .ref = ref, .p = p};
	for (size_t i = 0; i < places.n; i++) {
		struct err why = {0};
		l.c = (struct registry_client){.helper = rm->helper,
			.config_dir = rm->config_dir,
			.home = rm->home,
			.place = places.v[i],
			.stall = places.stall};
		r = pull_from(&l, &m, &why);
		/* what a mirror lacks the next place may have; what it has is taken from it */
		if (r == 0)
			break;
		registry_close(&l.c);
		if (i == 0)
			first = why;
		if (i + 1 < places.n)
			continue;
		if (err)
			*err = why;
		if (i > 0)
			err_hint(err, "the mirror before it: %s", first.msg);
		return r;
	}
	r = get_image(&l, &m, ret_id, err);
	registry_close(&l.c);
	progress_end(&w->progress);
	*ret_fetched = l.past;
	return r < 0 ? r : templates_tag(w->t, w->a, ref_key(w->a, ref), ret_id, err);
}
