/* layer/frame-owners.c - see frame-owners.h. */
#include "layer/frame-owners.h"

#include "layer/frame.h"
#include "layer/layer.h"
#include "layer/place.h"
#include "layer/tar.h"

/* ---- a frame as a stream ---- */

struct stream {
	struct frame_in *in;
	struct frame_piece now; /* what of it is not used yet */
	uint64_t meta;          /* how much was no content */
	bool over;              /* it has said that it ends, which it does once */
};

static int next(struct stream *s, struct err *err)
{
	while (!s->now.n) {
		int r = s->over ? 0 : frame_next(s->in, &s->now, err);
		s->over |= r == 0;
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

static int read_tar(struct tar *t, struct link_owners *o, struct err *err)
{
	char path[TAR_PATH_MAX + 1];
	struct tar_entry e;
	int r;
	while ((r = tar_next(t, &e, err)) > 0) {
		if (e.type == TAR_SYMLINK || e.type == TAR_HARD || e.type == TAR_FIFO) {
			r = place_clean(e.path, LAYER_LIMITS.depth, path, err);
			const struct link_owner owner = {e.uid, e.gid, e.mode};
			if (r == 0 && link_owners_add(o, path, &owner) < 0)
				r = err_set(err, ENOMEM, "out of memory");
		}
		if (r >= 0)
			r = tar_skip(t, err);
		if (r < 0)
			return r;
	}
	return r;
}

int frame_owners_read(int fd, struct link_owners **ret, struct err *err)
{
	struct stream s = {0};
	const struct tar_ops ops = {.fill = fill, .skip = skip, .ctx = &s};
	struct link_owners *o = NULL;
	struct tar *t = NULL;
	int r = frame_open(fd, &s.in, err);
	if (r < 0)
		return r;
	o = link_owners_new();
	t = tar_new(&ops);
	r = o && t ? read_tar(t, o, err) : err_set(err, ENOMEM, "out of memory");
	tar_free(t);
	frame_close(s.in);
	if (r < 0) {
		link_owners_free(o);
		return err_prefix(err, "a layer's frame");
	}
	link_owners_settle(o);
	*ret = o;
	return 0;
}
