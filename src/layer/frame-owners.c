/* layer/frame-owners.c - see frame-owners.h. */
#include "layer/frame-owners.h"

#include "layer/frame.h"
#include "layer/layer.h"
#include "layer/place.h"
#include "layer/tar.h"

struct item {
	size_t path; /* in text */
	size_t at;   /* which of them it was */
	struct frame_owner owner;
};

struct frame_owners {
	char *text;
	size_t text_n, text_cap;
	struct item *v;
	size_t n, cap;
};

/* ---- a frame as a stream ---- */

struct stream {
	struct frame_in *in;
	struct frame_piece now; /* what of it is not used yet */
	uint64_t meta;          /* how much was no content */
};

static int next(struct stream *s, struct err *err)
{
	while (!s->now.n) {
		int r = frame_next(s->in, &s->now, err);
		if (r <= 0)
			return r;
		if (!s->now.place && s->now.n > LAYER_LIMITS.meta - s->meta)
			return err_set(err, EBADMSG, "it is larger than a layer can be");
		s->meta += s->now.place ? 0 : s->now.n;
	}
	return 1;
}

static void use(struct stream *s, uint64_t n)
{
	if (s->now.data)
		s->now.data = (const char *)s->now.data + n;
	s->now.n -= n;
}

static int fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err)
{
	static const unsigned char zeros[16384];
	struct stream *s = ctx;
	int r = next(s, err);
	if (r <= 0) {
		*ret_n = 0;
		return r;
	}
	uint64_t n = s->now.data ? s->now.n : MIN(s->now.n, sizeof(zeros));
	*ret = s->now.data ? s->now.data : zeros;
	*ret_n = (size_t)n;
	use(s, n); /* what it points to stays */
	return 0;
}

static int skip(void *ctx, uint64_t n, struct err *err)
{
	struct stream *s = ctx;
	while (n) {
		int r = next(s, err);
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(
				err, EBADMSG, "a layer's frame ends in the middle of a file");
		uint64_t k = MIN(n, s->now.n);
		use(s, k);
		n -= k;
	}
	return 0;
}

/* ---- what it says ---- */

static int add(struct frame_owners *o, const char *path, const struct tar_entry *e)
{
	size_t n = strlen(path) + 1;
	if (o->text_n + n > o->text_cap) {
		size_t cap = MAX(o->text_cap * 2, o->text_n + n + 4096);
		char *more = realloc(o->text, cap);
		if (!more)
			return -ENOMEM;
		o->text = more;
		o->text_cap = cap;
	}
	if (o->n == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 256;
		struct item *more = realloc(o->v, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		o->v = more;
		o->cap = cap;
	}
	memcpy(o->text + o->text_n, path, n);
	o->v[o->n] = (struct item){o->text_n, o->n, {e->uid, e->gid, e->mode}};
	o->n++;
	o->text_n += n;
	return 0;
}

static int by_path(const void *a, const void *b, void *text)
{
	const struct item *x = a, *y = b;
	int r = strcmp((const char *)text + x->path, (const char *)text + y->path);
	return r ? r : (x->at > y->at) - (x->at < y->at);
}

static int read_tar(struct tar *t, struct frame_owners *o, struct err *err)
{
	char path[TAR_PATH_MAX + 1];
	struct tar_entry e;
	int r;
	while ((r = tar_next(t, &e, err)) > 0) {
		if (e.type == TAR_SYMLINK || e.type == TAR_HARD || e.type == TAR_FIFO) {
			r = place_clean(e.path, LAYER_LIMITS.depth, path, err);
			if (r == 0 && add(o, path, &e) < 0)
				r = err_set(err, ENOMEM, "out of memory");
		}
		if (r >= 0)
			r = tar_skip(t, err);
		if (r < 0)
			return r;
	}
	return r;
}

int frame_owners_read(int fd, struct frame_owners **ret, struct err *err)
{
	struct stream s = {0};
	const struct tar_ops ops = {.fill = fill, .skip = skip, .ctx = &s};
	struct frame_owners *o = NULL;
	struct tar *t = NULL;
	int r = frame_open(fd, &s.in, err);
	if (r < 0)
		return r;
	o = calloc(1, sizeof(*o));
	t = tar_new(&ops);
	r = o && t ? read_tar(t, o, err) : err_set(err, ENOMEM, "out of memory");
	tar_free(t);
	frame_close(s.in);
	if (r < 0) {
		frame_owners_free(o);
		return err_prefix(err, "a layer's frame");
	}
	if (o->n > 0)
		qsort_r(o->v, o->n, sizeof(*o->v), by_path, o->text);
	*ret = o;
	return 0;
}

bool frame_owners_find(const struct frame_owners *o, const char *path, struct frame_owner *ret)
{
	size_t low = 0, high = o->n;
	while (low < high) { /* behind the last that is not greater */
		size_t mid = low + (high - low) / 2;
		if (strcmp(o->text + o->v[mid].path, path) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || !streq(o->text + o->v[low - 1].path, path))
		return false;
	*ret = o->v[low - 1].owner;
	return true;
}

void frame_owners_free(struct frame_owners *o)
{
	if (!o)
		return;
	free(o->text);
	free(o->v);
	free(o);
}
