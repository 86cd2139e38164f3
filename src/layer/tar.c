/* layer/tar.c - see tar.h: blocks, kinds of entries, content. */
#include "layer/tar-in.h"

#include <stdarg.h>

int tar_bad(const struct tar *t, struct err *err, const char *fmt, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, EBADMSG, "the tar is damaged at byte %llu: %s",
		(unsigned long long)t->pos, what);
}

/* Where not even the first header is one, there is no tar: that is told apart by its code. */
static int no_header(const struct tar *t, struct err *err, const char *why)
{
	int r = tar_bad(t, err, "%s", why);
	if (t->pos > TAR_BLOCK)
		return r;
	if (err)
		err->code = ENOEXEC;
	return -ENOEXEC;
}

struct tar *tar_new(const struct tar_ops *ops)
{
	struct tar *t = calloc(1, sizeof(*t));
	if (t)
		t->ops = *ops;
	return t;
}

static void forget(struct tar *t)
{
	free(t->text);
	free(t->long_name);
	free(t->long_link);
	t->text = t->long_name = t->long_link = NULL;
	memset(&t->pax, 0, sizeof(t->pax));
	t->n_segs = 0;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	forget(t);
	free(t->segs);
	free(t);
}

/* 1: there is something; 0: the stream is over. */
static int have(struct tar *t, struct err *err)
{
	if (t->n)
		return 1;
	int r = t->ops.fill(t->ops.ctx, &t->p, &t->n, err);
	return r < 0 ? r : t->n > 0;
}

static int meta(struct tar *t, const void *data, size_t n, struct err *err)
{
	return t->ops.meta ? t->ops.meta(t->ops.ctx, data, n, err) : 0;
}

/* As much of n bytes as there is. */
static int take_some(struct tar *t, void *to, size_t n, size_t *ret, struct err *err)
{
	size_t got = 0;
	while (got < n) {
		int r = have(t, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		size_t k = MIN(n - got, t->n);
		memcpy((char *)to + got, t->p, k);
		t->p += k;
		t->n -= k;
		t->pos += k;
		got += k;
	}
	*ret = got;
	return got ? meta(t, to, got, err) : 0;
}

int tar_take(struct tar *t, void *to, size_t n, struct err *err)
{
	size_t got;
	int r = take_some(t, to, n, &got, err);
	if (r == 0 && got < n)
		return tar_bad(t, err, "it ends in the middle");
	return r;
}

static int skip(struct tar *t, uint64_t n, struct err *err)
{
	char block[TAR_BLOCK];
	int r = 0;
	for (; n && r == 0; n -= MIN(n, sizeof(block)))
		r = tar_take(t, block, (size_t)MIN(n, sizeof(block)), err);
	return r;
}

static int base_256(const unsigned char *f, size_t n, int64_t *ret)
{
	bool negative = f[0] & 0x40;
	uint64_t v = negative ? ~UINT64_C(0) : 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = i ? f[i] : (unsigned char)((f[0] & 0x3f) | (negative ? 0xc0 : 0));
		if ((v >> 55) != (negative ? 0x1ff : 0))
			return -ERANGE;
		v = v << 8 | c;
	}
	*ret = (int64_t)v;
	return 0;
}

int tar_number(const char *field, size_t n, int64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	if ((unsigned char)field[0] & 0x80)
		return base_256((const unsigned char *)field, n, ret);
	while (i < n && (field[i] == ' ' || field[i] == 0))
		i++;
	for (; i < n && field[i] != ' ' && field[i] != 0; i++) {
		if (field[i] < '0' || field[i] > '7' || v >> 60)
			return -ERANGE;
		v = v << 3 | (uint64_t)(field[i] - '0');
	}
	*ret = (int64_t)v;
	return 0;
}

static int number(struct tar *t, const char *field, size_t n, uint64_t max, uint64_t *ret,
	const char *what, struct err *err)
{
	int64_t v;
	if (tar_number(field, n, &v) < 0 || v < 0 || (uint64_t)v > max)
		return tar_bad(t, err, "a header's %s is no number that can be", what);
	*ret = (uint64_t)v;
	return 0;
}

static bool sum_ok(const struct tar_header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	int64_t plain = 0, with_sign = 0, said;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool field = i >= offsetof(struct tar_header, chksum) &&
			i < offsetof(struct tar_header, type);
		plain += field ? ' ' : p[i];
		with_sign += field ? ' ' : (signed char)p[i];
	}
	return tar_number(h->chksum, sizeof(h->chksum), &said) == 0 &&
		(said == plain || said == with_sign);
}

static bool is_zero(const void *block)
{
	static const char zero[TAR_BLOCK];
	return memcmp(block, zero, sizeof(zero)) == 0;
}

/* Everything behind the end, of which most writers fill up 10 KiB. */
static int drain(struct tar *t, struct err *err)
{
	char block[TAR_BLOCK];
	size_t got;
	int r;
	do
		r = take_some(t, block, sizeof(block), &got, err);
	while (r == 0 && got);
	t->over = r == 0;
	return r;
}

/* 1: a header; 0: the end. */
static int next_header(struct tar *t, struct tar_header *h, struct err *err)
{
	size_t got;
	int r = take_some(t, h, sizeof(*h), &got, err);
	if (r < 0)
		return r;
	if (got == 0) {
		t->over = true;
		return 0;
	}
	if (got < sizeof(*h))
		return no_header(t, err, "it ends in the middle");
	if (is_zero(h)) {
		r = take_some(t, h, sizeof(*h), &got, err);
		if (r == 0 && got && (got < sizeof(*h) || !is_zero(h)))
			return tar_bad(t, err, "something stands behind its end");
		return r < 0 ? r : drain(t, err);
	}
	return sum_ok(h) ? 1 : no_header(t, err, "a header's checksum is wrong, or this is no tar");
}

/* The content of an entry that is about the next one. */
static int text_of(
	struct tar *t, const struct tar_header *h, char **ret, size_t *ret_n, struct err *err)
{
	uint64_t size = 0;
	int r = number(t, h->size, sizeof(h->size), TAR_FILE_MAX, &size, "size", err);
	if (r < 0)
		return r;
	if (size > TAR_PAX_MAX)
		return tar_bad(t, err, "an extended header of more than %zu bytes", TAR_PAX_MAX);
	_cleanup_free_ char *text = malloc((size_t)size + 1);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	r = tar_take(t, text, (size_t)size, err);
	if (r == 0)
		r = skip(t, tar_padding(size), err);
	if (r < 0)
		return r;
	text[size] = 0;
	*ret_n = (size_t)size;
	free(*ret);
	*ret = TAKE_PTR(text);
	return 0;
}

static int long_text(struct tar *t, const struct tar_header *h, char **ret, struct err *err)
{
	size_t n;
	if (*ret)
		return tar_bad(t, err, "two long names for one entry");
	int r = text_of(t, h, ret, &n, err);
	if (r == 0 && n && (*ret)[n - 1] == 0)
		n--;
	if (r == 0 && strlen(*ret) != n)
		return tar_bad(t, err, "a name with a NUL in it");
	return r;
}

/* An entry about the next one.  1: it was one. */
static int about_next(struct tar *t, const struct tar_header *h, struct err *err)
{
	uint64_t size = 0;
	size_t n;
	int r;
	switch (h->type) {
	case 'x':
	case 'X': /* Solaris */
		if (t->text)
			return tar_bad(t, err, "two extended headers for one entry");
		r = text_of(t, h, &t->text, &n, err);
		if (r == 0)
			r = tar_pax_parse(t, t->text, n, err);
		break;
	case 'g':
		r = number(t, h->size, sizeof(h->size), TAR_PAX_MAX, &size, "size", err);
		if (r == 0)
			r = skip(t, size + tar_padding(size), err);
		break;
	case 'L':
		r = long_text(t, h, &t->long_name, err);
		break;
	case 'K':
		r = long_text(t, h, &t->long_link, err);
		break;
	default:
		return 0;
	}
	return r < 0 ? r : 1;
}

/* A field that ends with a NUL or where it is full. */
static size_t put_field(char *to, const char *field, size_t n)
{
	size_t len = strnlen(field, n);
	memcpy(to, field, len);
	to[len] = 0;
	return len;
}

static int pick_names(
	struct tar *t, const struct tar_header *h, struct tar_entry *e, struct err *err)
{
	bool posix = memcmp(h->magic, "ustar", 6) == 0;
	/* star keeps times at the end of the prefix, and says so in the block's last bytes */
	size_t prefix = memcmp(h->pad + 8, "tar", 4) == 0 ? 131 : sizeof(h->prefix);
	size_t at = posix && h->prefix[0] ? put_field(t->name, h->prefix, prefix) : 0;
	if (at)
		t->name[at++] = '/';
	put_field(t->name + at, h->name, sizeof(h->name));
	put_field(t->link, h->linkname, sizeof(h->linkname));
	const struct tar_pax *x = &t->pax;
	e->path = t->long_name   ? t->long_name
		: x->sparse_name ? x->sparse_name
		: x->path        ? x->path
				 : t->name;
	e->link = t->long_link ? t->long_link : x->link ? x->link : t->link;
	if (strlen(e->path) > TAR_PATH_MAX || strlen(e->link) > TAR_PATH_MAX)
		return tar_bad(t, err, "a name of more than %d bytes", TAR_PATH_MAX);
	return e->path[0] ? 0 : tar_bad(t, err, "an entry without a name");
}

static int pick_type(
	struct tar *t, const struct tar_header *h, struct tar_entry *e, struct err *err)
{
	size_t n = strlen(e->path);
	switch (h->type) {
	case 0:
		e->type = e->path[n - 1] == '/' ? TAR_DIR : TAR_FILE;
		return 0;
	case '7': /* contiguous */
	case 'S': /* GNU's sparse file */
		e->type = TAR_FILE;
		return 0;
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
		e->type = (enum tar_type)h->type;
		return 0;
	default:
		return tar_bad(t, err, "an entry of the unknown kind \"%c\"",
			h->type > ' ' && h->type < 127 ? h->type : '?');
	}
}

static int pick_numbers(
	struct tar *t, const struct tar_header *h, struct tar_entry *e, struct err *err)
{
	const struct tar_pax *x = &t->pax;
	uint64_t mode = 0, uid = x->uid, gid = x->gid, major = 0, minor = 0;
	int r = number(t, h->mode, sizeof(h->mode), UINT64_MAX >> 1, &mode, "mode", err);
	if (r == 0 && !x->has_uid)
		r = number(t, h->uid, sizeof(h->uid), TAR_ID_MAX, &uid, "uid", err);
	if (r == 0 && !x->has_gid)
		r = number(t, h->gid, sizeof(h->gid), TAR_ID_MAX, &gid, "gid", err);
	if (r == 0 && (e->type == TAR_CHR || e->type == TAR_BLK)) {
		r = number(t, h->major, sizeof(h->major), UINT32_MAX, &major, "device number", err);
		if (r == 0)
			r = number(t, h->minor, sizeof(h->minor), UINT32_MAX, &minor,
				"device number", err);
	}
	if (r < 0)
		return r;
	e->mode = mode & 07777;
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	e->mtime = x->mtime;
	e->mtime_ns = x->mtime_ns;
	if (!x->has_mtime && tar_number(h->mtime, sizeof(h->mtime), &e->mtime) < 0)
		return tar_bad(t, err, "a header's time is no number that can be");
	return 0;
}

static int pick_content(
	struct tar *t, const struct tar_header *h, struct tar_entry *e, struct err *err)
{
	const struct tar_pax *x = &t->pax;
	uint64_t stored = x->size, real = x->real_size;
	int r = 0;
	if (!x->has_size)
		r = number(t, h->size, sizeof(h->size), TAR_FILE_MAX, &stored, "size", err);
	if (r < 0)
		return r;
	if (e->type != TAR_FILE)
		stored = 0;
	t->left = stored;
	t->pad = tar_padding(stored);
	if (h->type == 'S')
		r = tar_sparse_old(t, h, &real, err);
	else if (e->type == TAR_FILE && x->sparse_1)
		r = tar_sparse_map(t, &t->left, err);
	else if (e->type != TAR_FILE || !x->sparse) {
		real = stored;
		t->n_segs = 0;
		r = tar_seg_add(t, 0, stored, err);
	}
	if (r == 0)
		r = tar_sparse_check(t, real, t->left, err);
	e->size = real;
	e->segs = t->segs;
	e->n_segs = t->n_segs;
	t->seg = 0;
	t->seg_done = 0;
	return r;
}

int tar_next(struct tar *t, struct tar_entry *ret, struct err *err)
{
	struct tar_header h;
	struct tar_entry e = {0};
	int r;
	if (t->left)
		return err_set(err, EINVAL, "the last entry's content was not read");
	if (t->over)
		return 0;
	r = skip(t, t->pad, err);
	t->pad = 0;
	forget(t);
	while (r == 0) {
		r = next_header(t, &h, err);
		if (r == 0 && (t->text || t->long_name || t->long_link))
			return tar_bad(t, err, "an extended header with no entry behind it");
		if (r <= 0)
			return r;
		r = about_next(t, &h, err);
		if (r == 0)
			break;
		r = MIN(r, 0);
	}
	if (r == 0)
		r = pick_names(t, &h, &e, err);
	if (r == 0)
		r = pick_type(t, &h, &e, err);
	if (r == 0)
		r = pick_numbers(t, &h, &e, err);
	if (r == 0)
		r = pick_content(t, &h, &e, err);
	if (r < 0)
		return r;
	e.xattrs = t->pax.xattrs;
	e.n_xattrs = t->pax.n_xattrs;
	*ret = e;
	return 1;
}

int tar_data(struct tar *t, const void **ret, size_t *ret_n, uint64_t *ret_offset, struct err *err)
{
	if (!t->left)
		return 0;
	int r = have(t, err);
	if (r < 0)
		return r;
	if (r == 0)
		return tar_bad(t, err, "it ends in the middle of a file");
	const struct tar_seg *s = &t->segs[t->seg];
	size_t k = (size_t)MIN((uint64_t)t->n, s->n - t->seg_done);
	*ret = t->p;
	*ret_n = k;
	*ret_offset = s->offset + t->seg_done;
	t->p += k;
	t->n -= k;
	t->pos += k;
	t->left -= k;
	t->seg_done += k;
	if (t->seg_done == s->n) {
		t->seg++;
		t->seg_done = 0;
	}
	return 1;
}

int tar_skip(struct tar *t, struct err *err)
{
	const void *data;
	uint64_t offset;
	size_t n;
	int r = 1;
	while (r > 0 && t->left && (t->n || !t->ops.skip))
		r = tar_data(t, &data, &n, &offset, err);
	if (r <= 0 || !t->left)
		return MIN(r, 0);
	r = t->ops.skip(t->ops.ctx, t->left, err);
	t->pos += t->left;
	t->left = 0;
	return r;
}

uint64_t tar_position(const struct tar *t)
{
	return t->pos;
}
