/* seed/cache-write.c - the writer of seed/cache.h.
 *
 * Owns: deciding whether a seeding may be kept.  Must not: read a source, or fail a start (what
 * can't be kept is made again).
 */
#include "seed/cache.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/path.h"

/* Two changes of a file within one tick of its file system's clock look the same afterwards, if the
 * size is: what has just changed is not relied on.  Two seconds is the coarsest clock there is. */
#define SETTLED_SEC 2

void seed_cache_begin(struct seed_cache *c, int64_t now)
{
	*c = (struct seed_cache){.b.max = SEED_CACHE_MAX - sizeof(struct seed_cache_head)};
	c->began = now;
}

void seed_cache_refuse(struct seed_cache *c)
{
	if (c)
		c->refused = true;
}

static bool settled(const struct seed_cache *c, const struct source_id *id)
{
	return id->kind != SOURCE_FILE ||
		(id->mtime_sec < c->began - SETTLED_SEC && id->ctime_sec < c->began - SETTLED_SEC);
}

void seed_cache_source(struct seed_cache *c, const char *path)
{
	if (!c || c->refused)
		return;
	struct seed_cache_source s;
	size_t n = strlen(path) + 1;
	_cleanup_free_ char *rec = malloc(sizeof(s) + n);
	if (!rec || source_id_stat(path, false, &s.link) < 0 ||
		source_id_stat(path, true, &s.target) < 0 || !settled(c, &s.link) ||
		!settled(c, &s.target)) {
		c->refused = true;
		return;
	}
	memcpy(rec, &s, sizeof(s));
	memcpy(rec + sizeof(s), path, n);
	blob_put(&c->b, SEED_CACHE_SOURCE, rec, sizeof(s) + n);
}

void seed_cache_file(
	struct seed_cache *c, const char *rel, unsigned int mode, const void *data, size_t n)
{
	if (!c || c->refused)
		return;
	uint32_t m = mode;
	size_t len = strlen(rel) + 1;
	_cleanup_free_ char *rec = malloc(sizeof(m) + len + n);
	if (!rec) {
		c->refused = true;
		return;
	}
	memcpy(rec, &m, sizeof(m));
	memcpy(rec + sizeof(m), rel, len);
	if (n)
		memcpy(rec + sizeof(m) + len, data, n);
	blob_put(&c->b, SEED_CACHE_FILE, rec, sizeof(m) + len + n);
}

/* A source that changed while it was read may be half old, half new in what was made of it. */
static bool sources_hold(const struct blob *b)
{
	struct blob_iter it;
	struct blob_view v;
	blob_iter_init(&it, b->data, b->n);
	while (blob_next(&it, &v) > 0)
		if (v.tag == SEED_CACHE_SOURCE && !seed_cache_source_holds(&v))
			return false;
	return true;
}

static int save(struct seed_cache *c, const char *path, struct err *err)
{
	struct arena a = {0};
	struct seed_cache_head h = {.format = SEED_CACHE_FORMAT,
		.head_len = sizeof(h),
		.payload = digest_of(c->b.data, c->b.n),
		.payload_len = c->b.n};
	memcpy(h.magic, SEED_CACHE_MAGIC, sizeof(h.magic));
	char *dir = arena_dupn(&a, path, (size_t)(path_base(path) - path) - 1);
	char *all = arena_alloc(&a, sizeof(h) + c->b.n);
	int r = dir && all ? file_mkdir_private(dir, err) : err_set(err, ENOMEM, "out of memory");
	if (r == 0) {
		memcpy(all, &h, sizeof(h));
		memcpy(all + sizeof(h), c->b.data, c->b.n);
		r = file_write_atomic(AT_FDCWD, path, all, sizeof(h) + c->b.n, 0600, false, err);
	}
	arena_free(&a);
	return r;
}

int seed_cache_save(struct seed_cache *c, const char *path, const char *records, struct err *err)
{
	blob_put_str(&c->b, SEED_CACHE_NAME, path_base(path));
	blob_put_str(&c->b, SEED_CACHE_RECORDS, records);
	int r = 0;
	if (!c->refused && c->complete && !c->b.failed && sources_hold(&c->b))
		r = save(c, path, err);
	blob_free(&c->b);
	return r;
}
