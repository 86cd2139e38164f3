/* layer/tar-sparse.c - sparse files in GNU's four forms: which places the bytes of the stream have
 * in the file ("Storing Sparse Files" in GNU tar's manual).
 */
#include "layer/tar-in.h"

int tar_seg_add(struct tar *t, uint64_t offset, uint64_t n, struct err *err)
{
	if (t->n_segs == t->cap_segs) {
		size_t cap = t->cap_segs ? t->cap_segs * 2 : 16;
		struct tar_seg *segs = t->n_segs >= TAR_SEGS_MAX
			? NULL
			: realloc(t->segs, cap * sizeof(*segs));
		if (!segs)
			return tar_bad(
				t, err, "a sparse file of more than %d pieces", TAR_SEGS_MAX);
		t->segs = segs;
		t->cap_segs = cap;
	}
	t->segs[t->n_segs++] = (struct tar_seg){offset, n};
	return 0;
}

int tar_seg_half(struct tar *t, uint64_t value, struct err *err)
{
	if (t->pax.n_half++ % 2 == 0)
		return tar_seg_add(t, value, 0, err);
	t->segs[t->n_segs - 1].n = value;
	return 0;
}

int tar_sparse_check(struct tar *t, uint64_t real, uint64_t stored, struct err *err)
{
	uint64_t sum = 0, at = 0;
	size_t kept = 0;
	if (t->pax.n_half % 2 == 1)
		return tar_bad(t, err, "a sparse file's map has half a piece");
	for (size_t i = 0; i < t->n_segs; i++) {
		struct tar_seg s =
			t->segs[i]; /* each number is at most TAR_FILE_MAX: no overflow */
		if (s.offset < at || s.offset > real || s.n > real - s.offset)
			return tar_bad(
				t, err, "a sparse file's pieces are not in order, or outside");
		at = s.offset + s.n;
		sum += s.n;
		if (s.n)
			t->segs[kept++] = s;
	}
	t->n_segs = kept;
	return sum == stored ? 0 : tar_bad(t, err, "a sparse file's pieces are not what is stored");
}

/* Pieces of a header or of a block behind it: offset and size, 12 bytes each, up to an empty one.
 */
static int old_pieces(struct tar *t, const char *p, size_t n, struct err *err)
{
	for (size_t i = 0; i < n && p[i * 24]; i++) {
		int64_t offset, size;
		if (tar_number(p + i * 24, 12, &offset) < 0 ||
			tar_number(p + i * 24 + 12, 12, &size) < 0 || offset < 0 || size < 0 ||
			(uint64_t)offset > TAR_FILE_MAX || (uint64_t)size > TAR_FILE_MAX)
			return tar_bad(t, err, "a sparse file's map");
		int r = tar_seg_add(t, (uint64_t)offset, (uint64_t)size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_sparse_old(struct tar *t, const struct tar_header *h, uint64_t *ret_real, struct err *err)
{
	const char *p = (const char *)h;
	char block[TAR_BLOCK];
	int64_t real;
	if (memcmp(h->magic, "ustar ", 6) != 0 || tar_number(p + 483, 12, &real) < 0 || real < 0 ||
		(uint64_t)real > TAR_FILE_MAX)
		return tar_bad(t, err, "what it says of a sparse file");
	t->n_segs = 0;
	t->pax.n_half = 0;
	int r = old_pieces(t, p + 386, 4, err);
	bool more = p[482];
	while (r == 0 && more) {
		r = tar_take(t, block, sizeof(block), err);
		if (r == 0)
			r = old_pieces(t, block, 21, err);
		more = r == 0 && block[504];
		if (more && t->n_segs >= TAR_SEGS_MAX)
			return tar_bad(
				t, err, "a sparse file of more than %d pieces", TAR_SEGS_MAX);
	}
	*ret_real = (uint64_t)real;
	return r;
}

/* The text of a 1.0 map, a block at a time: numbers, a line each. */
struct map_text {
	char block[TAR_BLOCK];
	size_t at;
};

static int map_line(struct tar *t, struct map_text *m, uint64_t *left, uint64_t max, uint64_t *ret,
	struct err *err)
{
	char digits[20];
	for (size_t n = 0; n < sizeof(digits);) {
		if (m->at == sizeof(m->block)) {
			if (*left < sizeof(m->block))
				break;
			int r = tar_take(t, m->block, sizeof(m->block), err);
			if (r < 0)
				return r;
			*left -= sizeof(m->block);
			m->at = 0;
		}
		char c = m->block[m->at++];
		if (c == '\n' && tar_decimal(digits, n, max, ret) == 0)
			return 0;
		digits[n++] = c;
	}
	return tar_bad(t, err, "a sparse file's map");
}

int tar_sparse_map(struct tar *t, uint64_t *left, struct err *err)
{
	struct map_text m = {.at = sizeof(m.block)};
	uint64_t n, offset, size;
	t->n_segs = 0;
	t->pax.n_half = 0;
	int r = map_line(t, &m, left, TAR_SEGS_MAX, &n, err);
	for (uint64_t i = 0; r == 0 && i < n; i++) {
		r = map_line(t, &m, left, TAR_FILE_MAX, &offset, err);
		if (r == 0)
			r = map_line(t, &m, left, TAR_FILE_MAX, &size, err);
		if (r == 0)
			r = tar_seg_add(t, offset, size, err);
	}
	return r;
}
