/* layer/frame.c - see frame.h. */
#include "layer/frame.h"

#include <sys/stat.h>

#include "base/fd.h"
#include "layer/tar.h"

#define BUFFER ((size_t)64 << 10)

struct kept {
	char *path, *name;
	uint64_t at;
	size_t path_n;
};

struct kept_list {
	struct kept *v;
	size_t n, cap;
};

struct frame_out {
	int fd;
	unsigned char buf[BUFFER], last[TAR_BLOCK];
	size_t n;
	uint64_t pos, zeros, n_contents;
	char path[TAR_PATH_MAX + 1]; /* of the last 'c' */
	struct kept_list kept;
};

static const unsigned char zero_block[TAR_BLOCK];

static int kept_add(
	struct kept_list *l, const char *path, const char *name, uint64_t at, struct err *err)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct kept *v = cap > 2 * FRAME_KEPT_MAX ? NULL : realloc(l->v, cap * sizeof(*v));
		if (!v)
			return err_set(
				err, E2BIG, "too many entries of the tar take others' names");
		l->v = v;
		l->cap = cap;
	}
	struct kept k = {strdup(path), strdup(name), at, strlen(path)};
	l->v[l->n++] = k;
	return k.path && k.name ? 0 : err_set(err, ENOMEM, "out of memory");
}

static void kept_free(struct kept_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].name);
	}
	free(l->v);
}

static int flush(struct frame_out *f, struct err *err)
{
	int r = fd_write_all(f->fd, f->buf, f->n);
	f->pos += f->n;
	f->n = 0;
	return r < 0 ? err_sys(err, -r, "write a layer's frame") : 0;
}

static int put(struct frame_out *f, const void *data, size_t n, struct err *err)
{
	const char *p = data;
	while (n) {
		size_t k = MIN(n, BUFFER - f->n);
		memcpy(f->buf + f->n, p, k);
		f->n += k;
		p += k;
		n -= k;
		int r = f->n == BUFFER ? flush(f, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_number(struct frame_out *f, uint64_t v, struct err *err)
{
	unsigned char b[10];
	size_t n = 0;
	do {
		b[n] = v & 0x7f;
		v >>= 7;
		b[n++] |= v ? 0x80 : 0;
	} while (v);
	return put(f, b, n, err);
}

/* A record's letter and its first number. */
static int put_record(struct frame_out *f, char kind, uint64_t v, struct err *err)
{
	int r = put(f, &kind, 1, err);
	return r < 0 ? r : put_number(f, v, err);
}

static int put_text(struct frame_out *f, const char *text, struct err *err)
{
	size_t n = strlen(text);
	int r = put_number(f, n, err);
	return r < 0 ? r : put(f, text, n, err);
}

static int put_zeros(struct frame_out *f, struct err *err)
{
	uint64_t n = f->zeros;
	f->zeros = 0;
	return n ? put_record(f, 'z', n, err) : 0;
}

struct frame_out *frame_begin(int fd, struct err *err)
{
	struct frame_out *f = calloc(1, sizeof(*f));
	if (!f) {
		err_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	f->fd = fd;
	if (put(f, FRAME_MAGIC, strlen(FRAME_MAGIC), err) < 0) {
		frame_free(f);
		return NULL;
	}
	return f;
}

/* Headers are much like the one before. */
static int put_block(struct frame_out *f, const unsigned char *block, struct err *err)
{
	unsigned char bitmap[TAR_BLOCK / 8] = {0}, changed[TAR_BLOCK];
	size_t n = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		if (block[i] == f->last[i])
			continue;
		bitmap[i / 8] |= (unsigned char)(1U << (i % 8));
		changed[n++] = block[i];
	}
	memcpy(f->last, block, TAR_BLOCK);
	int r = put(f, "h", 1, err);
	if (r == 0)
		r = put(f, bitmap, sizeof(bitmap), err);
	return r == 0 ? put(f, changed, n, err) : r;
}

int frame_bytes(struct frame_out *f, const void *data, size_t n, struct err *err)
{
	const unsigned char *p = data;
	int r = 0;
	f->path[0] = 0; /* what follows is another file, if of the same name */
	while (n && r == 0) {
		size_t k = MIN(n, (size_t)TAR_BLOCK);
		if (memcmp(p, zero_block, k) == 0) {
			f->zeros += k;
		} else {
			r = put_zeros(f, err);
			if (r == 0 && k == TAR_BLOCK)
				r = put_block(f, p, err);
			else if (r == 0)
				r = put_record(f, 'r', k, err);
			if (r == 0 && k < TAR_BLOCK)
				r = put(f, p, k, err);
		}
		p += k;
		n -= k;
	}
	return r;
}

int frame_content(
	struct frame_out *f, const char *path, uint64_t offset, uint64_t n, struct err *err)
{
	bool same = streq(f->path, path);
	int r = put_zeros(f, err);
	if (r == 0)
		r = put_record(f, same ? 'd' : 'c', offset, err);
	if (r == 0)
		r = put_number(f, n, err);
	if (r < 0 || same)
		return r;
	f->n_contents++;
	snprintf(f->path, sizeof(f->path), "%s", path);
	return put_text(f, path, err);
}

int frame_kept(struct frame_out *f, const char *path, const char *name, struct err *err)
{
	return kept_add(&f->kept, path, name, f->n_contents, err);
}

int frame_end(struct frame_out *f, struct err *err)
{
	unsigned char place[8];
	int r = put_zeros(f, err);
	if (r == 0)
		r = put(f, "e", 1, err);
	uint64_t at = f->pos + f->n;
	for (size_t i = 0; r == 0 && i < f->kept.n; i++) {
		r = put_record(f, 'k', f->kept.v[i].at, err);
		if (r == 0)
			r = put_text(f, f->kept.v[i].path, err);
		if (r == 0)
			r = put_text(f, f->kept.v[i].name, err);
	}
	for (size_t i = 0; i < sizeof(place); i++)
		place[i] = (unsigned char)(at >> (8 * i));
	if (r == 0)
		r = put(f, place, sizeof(place), err);
	if (r == 0)
		r = put(f, FRAME_END, strlen(FRAME_END), err);
	return r == 0 ? flush(f, err) : r;
}

void frame_free(struct frame_out *f)
{
	if (!f)
		return;
	kept_free(&f->kept);
	free(f);
}

/* ---- reading ------------------------------------------------------------------------------------
 */

struct frame_in {
	int fd;
	off_t at, end; /* of the part that is read */
	unsigned char buf[BUFFER], last[TAR_BLOCK], raw[TAR_BLOCK];
	size_t p, n;
	char path[TAR_PATH_MAX + 1];
	char place[TAR_PATH_MAX + 300]; /* path, where it is now */
	uint64_t n_contents;
	struct kept_list kept;
};

static int damaged(struct err *err)
{
	return err_set(err, EBADMSG, "a layer's frame is damaged");
}

static int get(struct frame_in *f, void *to, size_t n, struct err *err)
{
	char *p = to;
	while (n) {
		if (f->p == f->n) {
			size_t want = (size_t)MIN((off_t)BUFFER, f->end - f->at);
			ssize_t got = fd_pread_full(f->fd, f->buf, want, f->at);
			if (got < 0)
				return err_sys(err, (int)-got, "read a layer's frame");
			if (got == 0)
				return damaged(err);
			f->at += got;
			f->p = 0;
			f->n = (size_t)got;
		}
		size_t k = MIN(n, f->n - f->p);
		memcpy(p, f->buf + f->p, k);
		f->p += k;
		p += k;
		n -= k;
	}
	return 0;
}

static int get_number(struct frame_in *f, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;
	for (unsigned int shift = 0; shift < 64; shift += 7) {
		unsigned char b;
		int r = get(f, &b, 1, err);
		if (r < 0)
			return r;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret = v;
			return 0;
		}
	}
	return damaged(err);
}

static int get_text(struct frame_in *f, char *to, size_t cap, struct err *err)
{
	uint64_t n;
	int r = get_number(f, &n, err);
	if (r < 0)
		return r;
	if (n >= cap)
		return damaged(err);
	r = get(f, to, (size_t)n, err);
	if (r < 0)
		return r;
	to[n] = 0;
	return strlen(to) == n ? 0 : damaged(err);
}

static int get_kept(struct frame_in *f, struct err *err)
{
	char path[TAR_PATH_MAX + 1], name[64], kind;
	uint64_t at;
	while (f->p < f->n || f->at < f->end) {
		int r = get(f, &kind, 1, err);
		if (r == 0 && kind != 'k')
			return damaged(err);
		if (r == 0)
			r = get_number(f, &at, err);
		if (r == 0)
			r = get_text(f, path, sizeof(path), err);
		if (r == 0)
			r = get_text(f, name, sizeof(name), err);
		if (r < 0)
			return r;
		r = kept_add(&f->kept, path, name, at, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the file of this record is now. */
static void find_place(struct frame_in *f)
{
	for (size_t i = 0; i < f->kept.n; i++) {
		const struct kept *k = &f->kept.v[i];
		if (k->at >= f->n_contents && strncmp(f->path, k->path, k->path_n) == 0 &&
			(f->path[k->path_n] == 0 || f->path[k->path_n] == '/')) {
			snprintf(f->place, sizeof(f->place), "kept/%s%s", k->name,
				f->path + k->path_n);
			return;
		}
	}
	snprintf(f->place, sizeof(f->place), "fs/%s", f->path);
}

static int get_block(struct frame_in *f, struct err *err)
{
	unsigned char bitmap[TAR_BLOCK / 8], changed[TAR_BLOCK];
	size_t n = 0, k = 0;
	int r = get(f, bitmap, sizeof(bitmap), err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		n += bitmap[i / 8] >> (i % 8) & 1;
	r = get(f, changed, n, err);
	for (size_t i = 0; r == 0 && i < TAR_BLOCK; i++)
		if (bitmap[i / 8] >> (i % 8) & 1)
			f->last[i] = changed[k++];
	return r;
}

static int get_content(struct frame_in *f, char kind, struct frame_piece *p, struct err *err)
{
	int r = get_number(f, &p->offset, err);
	if (r == 0)
		r = get_number(f, &p->n, err);
	if (r == 0 && kind == 'c') {
		r = get_text(f, f->path, sizeof(f->path), err);
		f->n_contents++;
		if (r == 0)
			find_place(f);
	}
	if (r < 0)
		return r;
	p->place = f->place;
	return f->n_contents ? 0 : damaged(err);
}

int frame_next(struct frame_in *f, struct frame_piece *ret, struct err *err)
{
	struct frame_piece p = {0};
	char kind;
	int r = get(f, &kind, 1, err);
	if (r < 0)
		return r;
	switch (kind) {
	case 'h':
		r = get_block(f, err);
		p.data = f->last;
		p.n = TAR_BLOCK;
		break;
	case 'r':
		r = get_number(f, &p.n, err);
		if (r == 0 && p.n > sizeof(f->raw))
			return damaged(err);
		if (r == 0)
			r = get(f, f->raw, (size_t)p.n, err);
		p.data = f->raw;
		break;
	case 'z':
		r = get_number(f, &p.n, err);
		break;
	case 'c':
	case 'd':
		r = get_content(f, kind, &p, err);
		break;
	case 'e':
		return f->p == f->n && f->at == f->end ? 0 : damaged(err);
	default:
		return damaged(err);
	}
	if (r < 0)
		return r;
	*ret = p;
	return 1;
}

static int begin(struct frame_in *f, struct err *err)
{
	const size_t tail = 8 + strlen(FRAME_END), head = strlen(FRAME_MAGIC);
	unsigned char text[64];
	struct stat st;
	uint64_t at = 0;
	if (fstat(f->fd, &st) < 0)
		return err_sys(err, errno, "read a layer's frame");
	off_t footer = st.st_size - (off_t)tail;
	if (footer < (off_t)head || fd_pread_full(f->fd, text, tail, footer) != (ssize_t)tail ||
		memcmp(text + 8, FRAME_END, tail - 8) != 0)
		return damaged(err);
	for (size_t i = 0; i < 8; i++)
		at |= (uint64_t)text[i] << (8 * i);
	if (at < head || at > (uint64_t)footer)
		return damaged(err);
	f->at = (off_t)at;
	f->end = footer;
	int r = get_kept(f, err);
	f->at = 0;
	f->end = (off_t)at;
	f->p = f->n = 0;
	if (r == 0)
		r = get(f, text, head, err);
	return r == 0 && memcmp(text, FRAME_MAGIC, head) != 0 ? damaged(err) : r;
}

int frame_open(int fd, struct frame_in **ret, struct err *err)
{
	struct frame_in *f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, ENOMEM, "out of memory");
	f->fd = fd;
	int r = begin(f, err);
	if (r < 0)
		frame_close(f);
	else
		*ret = f;
	return r;
}

void frame_close(struct frame_in *f)
{
	if (!f)
		return;
	kept_free(&f->kept);
	free(f);
}

static int give(const struct frame_piece *p, const struct frame_ops *ops, struct err *err)
{
	static const char zeros[16384];
	int r = 0;
	if (p->place)
		return ops->content(ops->ctx, p->place, p->offset, p->n, err);
	if (p->data)
		return ops->bytes(ops->ctx, p->data, (size_t)p->n, err);
	for (uint64_t n = p->n; n && r == 0; n -= MIN(n, sizeof(zeros)))
		r = ops->bytes(ops->ctx, zeros, (size_t)MIN(n, sizeof(zeros)), err);
	return r;
}

int frame_read(int fd, const struct frame_ops *ops, struct err *err)
{
	struct frame_in *f;
	struct frame_piece p;
	int r = frame_open(fd, &f, err);
	if (r < 0)
		return r;
	while ((r = frame_next(f, &p, err)) > 0) {
		r = give(&p, ops, err);
		if (r < 0)
			break;
	}
	frame_close(f);
	return r;
}
