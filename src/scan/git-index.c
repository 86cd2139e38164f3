/* scan/git-index.c - see git-index.h
 *
 * Theory: entries are sorted by path and of different lengths, so the file is walked once from the
 * front; 100,000 entries take 2 ms.  The queries, sorted likewise, are merged in.  A file that is
 * not sorted (hostile) would only make lookups miss: every query that is past is still searched by
 * binary search, so each entry is looked up in the queries instead of the other way round.
 */
#include "scan/git-index.h"

#include <limits.h>
#include <stdint.h>
#include <strings.h>

#define SIGNATURE 0x44495243u /* "DIRC" */
#define FLAG_EXTENDED 0x4000u
#define FLAG_ASSUME_VALID 0x8000u
#define FLAG_SKIP_WORKTREE 0x4000u /* of the extended ones */
#define NAME_MASK 0xfffu
#define ENTRIES_MAX ((size_t)64 << 20)

struct cursor {
	const unsigned char *p, *end;
	uint32_t version;
	size_t hash_len;
	const unsigned char *entry; /* where the last one began */
	char name[PATH_MAX];        /* version 4: names are built on the one before */
	size_t name_len;
};

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int by_path(const void *x, const void *y)
{
	const struct git_index_query *a = x, *b = y;
	return strcmp(a->path, b->path);
}

/* The variable-length number of version 4 (the "offset encoding" of pack files). */
static int varint(struct cursor *c, size_t *ret)
{
	size_t v = 0;
	for (int i = 0; i < 5; i++) {
		if (c->p >= c->end)
			return -EBADMSG;
		unsigned char b = *c->p++;
		v = (v << 7) | (b & 0x7f);
		if (!(b & 0x80)) {
			*ret = v;
			return 0;
		}
		v++;
	}
	return -EBADMSG;
}

/* Step over one entry; *ret_name is NUL-terminated. */
static int next_entry(struct cursor *c, const char **ret_name, size_t *ret_len)
{
	size_t fixed = 40 + c->hash_len + 2;
	const unsigned char *start = c->entry = c->p;
	if ((size_t)(c->end - c->p) < fixed)
		return -EBADMSG;
	unsigned int flags = (unsigned int)c->p[fixed - 2] << 8 | c->p[fixed - 1];
	if (flags & FLAG_EXTENDED) {
		if (c->version < 3 || (size_t)(c->end - c->p) < fixed + 2)
			return -EBADMSG;
		fixed += 2;
	}
	c->p += fixed;
	if (c->version < 4) {
		size_t n = flags & NAME_MASK, left = (size_t)(c->end - c->p);
		if (n == NAME_MASK || n >= left || c->p[n] != 0) {
			const unsigned char *nul = memchr(c->p, 0, left);
			if (!nul || n != NAME_MASK)
				return -EBADMSG;
			n = (size_t)(nul - c->p);
		}
		*ret_name = (const char *)c->p;
		*ret_len = n;
		if (memchr(c->p, 0, n))
			return -EBADMSG;
		size_t whole = (fixed + n + 8) & ~(size_t)7; /* 1-8 NULs */
		if ((size_t)(c->end - start) < whole)
			return -EBADMSG;
		c->p = start + whole;
		return 0;
	}
	size_t strip;
	if (varint(c, &strip) < 0 || strip > c->name_len)
		return -EBADMSG;
	const unsigned char *nul = memchr(c->p, 0, (size_t)(c->end - c->p));
	size_t keep = c->name_len - strip;
	if (!nul || keep + (size_t)(nul - c->p) >= sizeof(c->name))
		return -EBADMSG;
	size_t n = (size_t)(nul - c->p);
	memcpy(c->name + keep, c->p, n + 1);
	c->name_len = keep + n;
	c->p = nul + 1;
	*ret_name = c->name;
	*ret_len = c->name_len;
	return 0;
}

/* First query whose path is >= name in the first k bytes of it. */
static size_t lower_bound(const struct git_index_query *q, size_t n, const char *name)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(q[mid].path, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct lookup {
	struct git_index_query *q;
	size_t n, at;
	bool any_dir;
	/* results, copied out only when the whole file was read */
	struct hit {
		bool found;
		const unsigned char *object;
	} * hit;
};

static void look_dirs(struct lookup *l, const char *name, size_t len)
{
	char dir[PATH_MAX];
	for (size_t i = 1; i < len && i < sizeof(dir); i++) {
		if (name[i] != '/')
			continue;
		memcpy(dir, name, i);
		dir[i] = '\0';
		size_t k = lower_bound(l->q, l->n, dir);
		if (k < l->n && l->q[k].dir && streq(l->q[k].path, dir))
			l->hit[k].found = true;
	}
}

static void look(struct lookup *l, const char *name, size_t len, const unsigned char *object)
{
	/* The common case walks forward; anything out of order is searched. */
	int c = l->at < l->n ? strcmp(l->q[l->at].path, name) : 1;
	if (c < 0 || (c > 0 && l->at && strcmp(l->q[l->at - 1].path, name) >= 0)) {
		l->at = lower_bound(l->q, l->n, name);
		c = l->at < l->n ? strcmp(l->q[l->at].path, name) : 1;
	}
	for (size_t k = l->at; c == 0 && k < l->n && streq(l->q[k].path, name); k++)
		l->hit[k] = (struct hit){true, object};
	if (l->any_dir)
		look_dirs(l, name, len);
}

static uint64_t be64(const unsigned char *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/* One EWAH bitmap (gitformat-bitmap(5), appendix): runs of equal words, then literal words.  Sets
 * bytes of an array of at most max entries; returns how many bytes it was. */
static ssize_t read_ewah(
	const unsigned char *p, size_t n, size_t max, unsigned char **ret, size_t *ret_n)
{
	if (n < 12)
		return -EBADMSG;
	uint32_t bits = be32(p), words = be32(p + 4);
	if (bits > max || words > (n - 12) / 8)
		return -EBADMSG;
	unsigned char *out = calloc((size_t)bits + 1, 1);
	if (!out)
		return -ENOMEM;
	const unsigned char *w = p + 8, *end = w + (size_t)words * 8;
	size_t at = 0; /* in words of the plain bitmap */
	while (w < end) {
		uint64_t head = be64(w);
		uint64_t run = head >> 1 & 0xffffffffu, literals = head >> 33;
		w += 8;
		for (size_t i = at * 64; (head & 1) && i < (at + run) * 64 && i < bits; i++)
			out[i] = 1;
		at += run;
		for (; literals && w < end; literals--, w += 8, at++) {
			uint64_t v = be64(w);
			for (size_t b = 0; b < 64 && at * 64 + b < bits; b++)
				out[at * 64 + b] |= (unsigned char)(v >> b & 1);
		}
		if (at * 64 > (size_t)bits + 64)
			break;
	}
	*ret = out;
	*ret_n = bits;
	return MIN(
		(ssize_t)n, (ssize_t)(end - p) + 4); /* where the last run word is stands there */
}

/* What of the shared file is deleted, and what replaced. */
static int read_link(const unsigned char *p, size_t n, struct git_index_split *ret)
{
	struct git_index_split out = *ret;
	ssize_t k = read_ewah(p, n, ENTRIES_MAX, &out.deleted, &out.n_deleted);
	if (k >= 0 && (size_t)k < n)
		k = read_ewah(p + k, n - (size_t)k, ENTRIES_MAX, &out.replaced, &out.n_replaced);
	if (k < 0) {
		git_index_split_free(&out);
		return (int)k;
	}
	*ret = out;
	return 0;
}

void git_index_split_free(struct git_index_split *s)
{
	free(s->deleted);
	free(s->replaced);
	s->deleted = s->replaced = NULL;
	s->n_deleted = s->n_replaced = 0;
}

/* Extensions behind the entries; only "link" (split index) matters. */
static int extensions(struct cursor *c, struct git_index_split *ret)
{
	while ((size_t)(c->end - c->p) >= 8) {
		uint32_t size = be32(c->p + 4);
		const unsigned char *data = c->p + 8;
		if (size > (size_t)(c->end - data))
			return -EBADMSG;
		if (memcmp(c->p, "link", 4) == 0 && size >= c->hash_len) {
			bool zero = true;
			for (size_t i = 0; i < c->hash_len; i++) {
				zero &= data[i] == 0;
				snprintf(ret->shared + 2 * i, 3, "%02x", data[i]);
			}
			if (zero)
				ret->shared[0] = '\0';
			else if (size > c->hash_len)
				return read_link(data + c->hash_len, size - c->hash_len, ret);
			return 0;
		}
		c->p = data + size;
	}
	return 0;
}

static int walk_entries(struct cursor *c, uint32_t entries, struct lookup *l,
	const struct git_index_split *of, struct err *err)
{
	for (uint32_t i = 0; i < entries; i++) {
		const char *name;
		size_t len;
		if (next_entry(c, &name, &len) < 0)
			return err_set(err, EBADMSG, "git index entry %u is malformed", i);
		/* a replaced entry of a split index has no name; the shared file has it */
		if (len && !(of && i < of->n_deleted && of->deleted[i]))
			look(l, name, len, c->entry + 40);
	}
	return 0;
}

static int open_index(
	const void *data, size_t n, size_t hash_len, struct cursor *ret, struct err *err)
{
	const unsigned char *b = data;
	if (hash_len != 20 && hash_len != 32)
		return err_set(err, EINVAL, "unknown hash length");
	if (n < 12 + hash_len || be32(b) != SIGNATURE)
		return err_set(err, EBADMSG, "not a git index");
	*ret = (struct cursor){
		.p = b + 12, .end = b + n - hash_len, .version = be32(b + 4), .hash_len = hash_len};
	if (ret->version < 2 || ret->version > 4)
		return err_set(err, EBADMSG, "git index of unknown version %u", ret->version);
	return 0;
}

int git_index_each(const void *data, size_t n, size_t hash_len, git_index_fn fn, void *ctx,
	struct git_index_split *ret_split, struct err *err)
{
	struct git_index_split split = {0};
	struct cursor c;
	int r = open_index(data, n, hash_len, &c, err);
	if (r < 0)
		return r;
	uint32_t entries = be32((const unsigned char *)data + 8);
	for (uint32_t i = 0; i < entries; i++) {
		const char *name;
		size_t len;
		if (next_entry(&c, &name, &len) < 0)
			return err_set(err, EBADMSG, "git index entry %u is malformed", i);
		unsigned int stage = c.entry[40 + hash_len] >> 4 & 3;
		if (!len || stage)
			continue;
		r = fn(ctx, name, be32(c.entry + 24), c.entry + 40);
		if (r < 0)
			return r;
	}
	if (extensions(&c, &split) < 0)
		return err_set(err, EBADMSG, "git index extension is malformed");
	*ret_split = split;
	return 0;
}

int git_index_lookup(const void *data, size_t n, size_t hash_len, struct git_index_query *q,
	size_t n_q, const struct git_index_split *of, struct git_index_split *ret_split,
	struct err *err)
{
	struct git_index_split split = {0};
	struct cursor c;
	int r = open_index(data, n, hash_len, &c, err);
	if (r < 0)
		return r;
	uint32_t entries = be32((const unsigned char *)data + 8);

	struct lookup l = {.q = q, .n = n_q, .hit = calloc(n_q + 1, sizeof(*l.hit))};
	_cleanup_free_ struct hit *hit = l.hit;
	if (!hit)
		return err_set(err, ENOMEM, "out of memory");
	if (n_q)
		qsort(q, n_q, sizeof(*q), by_path);
	for (size_t i = 0; i < n_q; i++)
		l.any_dir |= q[i].dir;
	r = walk_entries(&c, entries, &l, of, err);
	if (r == 0 && ret_split && extensions(&c, &split) < 0)
		r = err_set(err, EBADMSG, "git index extension is malformed");
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_q; i++) {
		q[i].found |= hit[i].found;
		if (!hit[i].object)
			continue;
		q[i].n_object = (uint8_t)hash_len;
		memcpy(q[i].object, hit[i].object, hash_len);
	}
	if (ret_split)
		*ret_split = split;
	return 0;
}

bool git_path_odd(const char *path)
{
	for (const char *p = path;; p++) {
		const size_t n = strcspn(p, "/");
		if ((n == 0 && (p[0] || p == path)) || (n == 1 && p[0] == '.') ||
			(n == 2 && p[0] == '.' && p[1] == '.') ||
			(n == 4 && strncasecmp(p, ".git", 4) == 0))
			return true;
		p += n;
		if (!*p)
			return false;
	}
}

/* Every entry that has a name (without: the shared part has it), of any stage; fn's answer other
 * than 0 ends it. */
typedef int (*entry_fn)(void *ctx, const struct cursor *c, const char *name);
static int each_entry(const void *data, size_t n, size_t hash_len, entry_fn fn, void *ctx)
{
	struct cursor c;
	int r = 0;
	if (open_index(data, n, hash_len, &c, NULL) < 0)
		return -EBADMSG;
	for (uint32_t i = be32((const unsigned char *)data + 8); i > 0 && r == 0; i--) {
		const char *name;
		size_t len;
		if (next_entry(&c, &name, &len) < 0)
			return -EBADMSG;
		if (len)
			r = fn(ctx, &c, name);
	}
	return r;
}

struct odd {
	char *ret;
	size_t n;
};

static int odd_entry(void *ctx, const struct cursor *c, const char *name)
{
	const struct odd *o = ctx;
	(void)c;
	if (!git_path_odd(name))
		return 0;
	snprintf(o->ret, o->n, "%s", name);
	return 1;
}

int git_index_odd(const void *data, size_t n, char *ret, size_t ret_n)
{
	struct odd o = {ret, ret_n};
	int r = n ? each_entry(data, n, 20, odd_entry, &o) : 0;
	return r == -EBADMSG ? each_entry(data, n, 32, odd_entry, &o) : r;
}

static unsigned int be16(const unsigned char *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

struct unseen {
	git_index_unseen_fn fn; /* NULL: the entries are read only */
	void *ctx;
};

/* next_entry() has seen that the extended flags are there. */
static bool is_unseen(const struct cursor *c)
{
	const unsigned char *flags = c->entry + 40 + c->hash_len;
	return (be16(flags) & FLAG_ASSUME_VALID) ||
		((be16(flags) & FLAG_EXTENDED) && (be16(flags + 2) & FLAG_SKIP_WORKTREE));
}

static int unseen_entry(void *ctx, const struct cursor *c, const char *name)
{
	const struct unseen *u = ctx;
	if (u->fn && is_unseen(c))
		u->fn(u->ctx, name);
	return 0;
}

/* Which of the entries without a name, which replace entries of the shared file in its order, are
 * unseen, a byte each; and the extensions. */
static int read_replacing(const void *data, size_t n, size_t hash_len, unsigned char **ret,
	size_t *ret_n, struct git_index_split *ret_split)
{
	struct cursor c;
	if (open_index(data, n, hash_len, &c, NULL) < 0)
		return -EBADMSG;
	uint32_t left = be32((const unsigned char *)data + 8);
	/* no entry is shorter than that */
	unsigned char *v = calloc(MIN((size_t)left, n / (40 + hash_len)) + 1, 1);
	size_t k = 0;
	int r = v ? 0 : -ENOMEM;
	for (; left > 0 && r == 0; left--) {
		const char *name;
		size_t len;
		r = next_entry(&c, &name, &len);
		if (r == 0 && !len)
			v[k++] = is_unseen(&c);
	}
	if (r == 0)
		r = extensions(&c, ret_split);
	if (r < 0) {
		free(v);
		return r;
	}
	*ret = v;
	*ret_n = k;
	return 0;
}

struct shared {
	const struct unseen *u;
	const struct git_index_split *split;
	const unsigned char *flags; /* of what replaces */
	size_t n_flags, at, next;
};

static int shared_entry(void *ctx, const struct cursor *c, const char *name)
{
	struct shared *x = ctx;
	const struct git_index_split *p = x->split;
	const size_t i = x->at++;
	bool flagged = is_unseen(c);
	if (i < p->n_replaced && p->replaced[i])
		flagged = x->next < x->n_flags && x->flags[x->next++];
	if (flagged && !(i < p->n_deleted && p->deleted[i]))
		x->u->fn(x->u->ctx, name);
	return 0;
}

int git_index_unseen(const void *data, size_t n, const void *shared, size_t n_shared,
	git_index_unseen_fn fn, void *ctx)
{
	struct unseen none = {0}, u = {fn, ctx};
	struct git_index_split split = {0};
	_cleanup_free_ unsigned char *flags = NULL;
	struct shared x = {.u = &u, .split = &split};
	if (n == 0)
		return 0;
	/* the other length of hash gives no whole index: nothing is told of before that is known */
	const size_t hash_len = each_entry(data, n, 20, unseen_entry, &none) == 0 ? 20 : 32;
	int r = each_entry(data, n, hash_len, unseen_entry, &u);
	if (r < 0 || read_replacing(data, n, hash_len, &flags, &x.n_flags, &split) < 0)
		return r;
	x.flags = flags;
	if (split.shared[0] && shared)
		r = each_entry(shared, n_shared, hash_len, shared_entry, &x);
	else if (x.n_flags && memchr(flags, 1, x.n_flags))
		fn(ctx, NULL);
	git_index_split_free(&split);
	return r;
}

bool git_index_shared(const void *data, size_t n, char ret[static GIT_INDEX_SHARED_MAX])
{
	for (size_t hash_len = 20; hash_len <= 32; hash_len += 12) {
		struct git_index_split split = {0};
		unsigned char *flags = NULL;
		size_t n_flags;
		if (read_replacing(data, n, hash_len, &flags, &n_flags, &split) < 0)
			continue;
		snprintf(ret, GIT_INDEX_SHARED_MAX, "sharedindex.%s", split.shared);
		free(flags);
		git_index_split_free(&split);
		return split.shared[0];
	}
	return false;
}

bool git_index_untracked(const void *data, size_t n)
{
	for (size_t hash_len = 20; hash_len <= 32; hash_len += 12) {
		struct cursor c;
		int r = open_index(data, n, hash_len, &c, NULL);
		for (uint32_t i = r == 0 ? be32((const unsigned char *)data + 8) : 0;
			i > 0 && r == 0; i--) {
			const char *name;
			size_t len;
			r = next_entry(&c, &name, &len);
		}
		while (r == 0 && (size_t)(c.end - c.p) >= 8) {
			const uint32_t size = be32(c.p + 4);
			if (memcmp(c.p, "UNTR", 4) == 0)
				return true;
			if (size > (size_t)(c.end - c.p) - 8)
				break;
			c.p += 8 + size;
		}
	}
	return false;
}

bool git_merge_rr_odd(const char *text, size_t n)
{
	for (size_t o = 0; o < n; o += strlen(text + o) + 1) {
		const char *path = strchr(text + o, '\t');
		if (path && git_path_odd(path + 1))
			return true;
	}
	return false;
}
