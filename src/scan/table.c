/* scan/table.c - the table of directories as a cache file, see walk.h
 *
 * The file is written in place through the one descriptor the helper has.  A torn or concurrent
 * write fails the digest, and the next scan walks everything.
 */
#include "scan/walk.h"

#include "base/fd.h"

#define MAGIC 0x6261776e7363616eull /* "bawnscan" */
#define VERSION 8
#define FILE_MAX ((size_t)256 << 20)

struct header {
	uint64_t magic;
	uint32_t version, n_dirs, n_cands, n_pool;
	struct digest key, index_state, body;
};

_Static_assert(sizeof(struct header) % 8 == 0, "the records behind it stay aligned");

static void *grow(void *p, uint32_t n, uint32_t *cap, size_t size, uint32_t more)
{
	if (*cap - n >= more)
		return p;
	uint64_t c = MAX((uint64_t)*cap * 2, (uint64_t)n + more + 256);
	if (c > UINT32_MAX || c * size > FILE_MAX)
		return NULL;
	void *q = first_grow(p, *cap * size, c * size);
	if (q)
		*cap = (uint32_t)c;
	return q;
}

uint32_t table_string(struct table *t, const char *s, size_t n)
{
	char *p = grow(t->pool, t->n_pool, &t->cap_pool, 1, (uint32_t)n + 1);
	if (!p)
		return UINT32_MAX;
	t->pool = p;
	memcpy(p + t->n_pool, s, n);
	p[t->n_pool + n] = '\0';
	uint32_t at = t->n_pool;
	t->n_pool += (uint32_t)n + 1;
	return at;
}

struct dir *table_dir(struct table *t)
{
	struct dir *p = grow(t->dirs, t->n_dirs, &t->cap_dirs, sizeof(*p), 1);
	if (!p)
		return NULL;
	t->dirs = p;
	p += t->n_dirs++;
	*p = (struct dir){0};
	return p;
}

struct cand *table_cand(struct table *t)
{
	struct cand *p = grow(t->cands, t->n_cands, &t->cap_cands, sizeof(*p), 1);
	if (!p)
		return NULL;
	t->cands = p;
	p += t->n_cands++;
	*p = (struct cand){0};
	return p;
}

/* Every offset and index in bounds, the tree well nested, every string ended. */
static bool sound(const struct table *t)
{
	if (t->n_dirs == 0 || t->n_pool == 0 || t->pool[t->n_pool - 1] != '\0' ||
		t->dirs[0].end != t->n_dirs || t->pool[t->dirs[0].path] != '\0')
		return false;
	for (uint32_t i = 0; i < t->n_dirs; i++) {
		const struct dir *d = &t->dirs[i];
		if (d->path >= t->n_pool || d->end <= i || d->end > t->n_dirs ||
			d->first > t->n_cands || d->n > t->n_cands - d->first)
			return false;
		for (uint32_t k = i + 1; k < d->end; k = t->dirs[k].end)
			if (t->dirs[k].end <= k || t->dirs[k].end > d->end)
				return false;
	}
	for (uint32_t i = 0; i < t->n_cands; i++)
		if (t->cands[i].name >= t->n_pool)
			return false;
	return true;
}

static struct digest body_digest(const char *p, size_t n)
{
	return digest_of(p, n);
}

/* The table lies in buf, if it is one. */
static int table_in(char *buf, size_t size, struct digest key, struct table *ret)
{
	struct header h;
	memcpy(&h, buf, sizeof(h));
	size_t nd = (size_t)h.n_dirs * sizeof(struct dir),
	       nc = (size_t)h.n_cands * sizeof(struct cand);
	if (h.magic != MAGIC || h.version != VERSION || !digest_eq(h.key, key) ||
		nd + nc + h.n_pool != size - sizeof(h) || h.n_dirs == 0 || h.n_pool == 0 ||
		!digest_eq(h.body, body_digest(buf + sizeof(h), size - sizeof(h))))
		return -ESTALE;
	/* The header's size keeps the records aligned.  A loaded table is never grown. */
	struct table t = {.n_dirs = h.n_dirs,
		.n_cands = h.n_cands,
		.n_pool = h.n_pool,
		.index_state = h.index_state,
		.dirs = (struct dir *)(void *)(buf + sizeof(h)),
		.cands = (struct cand *)(void *)(buf + sizeof(h) + nd),
		.pool = buf + sizeof(h) + nd + nc};
	if (!sound(&t))
		return -ESTALE;
	*ret = t;
	return 0;
}

int table_load(int fd, struct digest key, struct table *ret)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(struct header) ||
		(size_t)st.st_size > FILE_MAX)
		return -ESTALE;
	size_t size = (size_t)st.st_size;
	char *buf = first_calloc(size); /* as long as the process lives */
	int r = buf && fd_pread_full(fd, buf, size, 0) == (ssize_t)size
		? table_in(buf, size, key, ret)
		: -ESTALE;
	if (r < 0)
		first_free(buf);
	return r;
}

/* Is that what the file holds?  Writing it anew would be work for the file system, too. */
static bool stored(int fd, const char *buf, size_t size)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || (size_t)st.st_size != size)
		return false;
	char *was = first_calloc(size);
	const bool same = was && fd_pread_full(fd, was, size, 0) == (ssize_t)size &&
		memcmp(was, buf, size) == 0;
	first_give(was, was ? size : 0);
	return same;
}

int table_store(int fd, struct digest key, const struct table *t)
{
	size_t nd = t->n_dirs * sizeof(struct dir), nc = t->n_cands * sizeof(struct cand);
	size_t size = sizeof(struct header) + nd + nc + t->n_pool;
	char *buf = first_calloc(size);
	if (!buf)
		return -ENOMEM;
	struct header h = {.magic = MAGIC,
		.version = VERSION,
		.n_dirs = t->n_dirs,
		.n_cands = t->n_cands,
		.n_pool = t->n_pool,
		.key = key,
		.index_state = t->index_state};
	char *body = buf + sizeof(h);
	memcpy(body, t->dirs, nd);
	if (nc)
		memcpy(body + nd, t->cands, nc);
	memcpy(body + nd + nc, t->pool, t->n_pool);
	h.body = body_digest(body, size - sizeof(h));
	memcpy(buf, &h, sizeof(h));
	int r = 0;
	if (!stored(fd, buf, size))
		r = lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0
			? -errno
			: fd_write_all(fd, buf, size);
	first_give(buf, size);
	return r;
}
