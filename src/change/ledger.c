/* change/ledger.c - see ledger.h */
#include "change/ledger.h"

#include "base/blob.h"
#include "base/digest.h"
#include "base/file.h"

enum tag { TAG_HEAD = 1, TAG_ROW, TAG_DIGEST };

#define VERSION 1
#define LEDGER_MAX ((size_t)512 << 20)

struct wire_row {
	uint64_t ino, ctime;
};

static uint64_t ctime_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct ledger_row *)a)->path, ((const struct ledger_row *)b)->path);
}

static struct ledger_row *push(struct arena *a, struct ledger *l)
{
	struct ledger_row *p = arena_grow(a, l->v, l->n, &l->cap, sizeof(*p));
	if (!p)
		return NULL;
	l->v = p;
	return &l->v[l->n++];
}

static int read_row(struct arena *a, const struct blob_view *v, struct ledger *l)
{
	struct wire_row w;
	if (v->len <= sizeof(w) || v->data[v->len - 1] ||
		memchr(v->data + sizeof(w), 0, v->len - sizeof(w)) != v->data + v->len - 1)
		return -EBADMSG;
	memcpy(&w, v->data, sizeof(w));
	const char *path = v->data + sizeof(w);
	if (l->n && strcmp(l->v[l->n - 1].path, path) >= 0)
		return -EBADMSG;
	struct ledger_row *r = push(a, l);
	if (!r)
		return -ENOMEM;
	*r = (struct ledger_row){.path = path, .ino = w.ino, .ctime = w.ctime};
	return 0;
}

int ledger_read(struct arena *a, const void *data, size_t n, struct ledger *ret)
{
	struct ledger l = {0};
	struct blob_iter it;
	struct blob_view v;
	uint64_t version = 0;
	const char *start = data;
	bool done = false;
	int r;
	*ret = l;
	blob_iter_init(&it, data, n);
	if (blob_next(&it, &v) <= 0 || v.tag != TAG_HEAD || blob_u64(&v, &version) < 0 ||
		version != VERSION)
		return -EBADMSG;
	while ((r = blob_next(&it, &v)) > 0 && !done) {
		if (v.tag == TAG_DIGEST && v.len == sizeof(struct digest)) {
			struct digest d;
			memcpy(&d, v.data, sizeof(d));
			size_t body = (size_t)(v.data - start) - sizeof(struct blob_rec);
			done = digest_eq(d, digest_of(data, body));
			if (!done)
				return -EBADMSG;
		} else if (v.tag != TAG_ROW || read_row(a, &v, &l) < 0) {
			return -EBADMSG;
		}
	}
	if (r != 0 || !done)
		return -EBADMSG;
	l.n_sorted = l.n;
	*ret = l;
	return 0;
}

int ledger_add(struct arena *a, struct ledger *l, const char *path, const struct stat *st)
{
	struct ledger_row *r = push(a, l);
	if (!r)
		return -ENOMEM;
	*r = (struct ledger_row){.path = path, .ino = st->st_ino, .ctime = ctime_ns(st)};
	return 0;
}

bool ledger_has(const struct ledger *l, const char *path, const struct stat *st)
{
	struct ledger_row key = {.path = path};
	const struct ledger_row *r = l->n_sorted
		? bsearch(&key, l->v, l->n_sorted, sizeof(key), by_path)
		: NULL;
	return r && r->ino == st->st_ino && r->ctime == ctime_ns(st);
}

struct order {
	const struct ledger_row *row;
};

/* The later of two rows of one path comes first. */
static int newest_first(const void *a, const void *b)
{
	const struct ledger_row *x = ((const struct order *)a)->row,
				*y = ((const struct order *)b)->row;
	int r = strcmp(x->path, y->path);
	return r ? r : x < y ? 1 : -1;
}

int ledger_write(struct ledger *l, int dirfd, const char *name, struct err *err)
{
	struct blob b = {.max = LEDGER_MAX};
	_cleanup_free_ struct order *o = calloc(l->n + 1, sizeof(*o));
	if (!o)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		o[i].row = &l->v[i];
	qsort(o, l->n, sizeof(*o), newest_first);
	blob_put_u64(&b, TAG_HEAD, VERSION);
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_row *row = o[i].row;
		if (i && streq(row->path, o[i - 1].row->path))
			continue;
		struct wire_row w = {.ino = row->ino, .ctime = row->ctime};
		size_t n = strlen(row->path) + 1;
		_cleanup_free_ char *buf = malloc(sizeof(w) + n);
		if (!buf) {
			b.failed = true;
			break;
		}
		memcpy(buf, &w, sizeof(w));
		memcpy(buf + sizeof(w), row->path, n);
		blob_put(&b, TAG_ROW, buf, sizeof(w) + n);
	}
	struct digest d = digest_of(b.data, b.n);
	blob_put(&b, TAG_DIGEST, &d, sizeof(d));
	int r = b.failed ? err_set(err, ENOMEM, "out of memory")
			 : file_write_atomic(dirfd, name, b.data, b.n, 0600, true, err);
	blob_free(&b);
	return r;
}
