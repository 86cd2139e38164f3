/* base/blob.c - see blob.h */
#include "base/blob.h"

#define BLOB_MAX_DEFAULT ((size_t)64 << 20)

static char *reserve(struct blob *b, size_t n)
{
	size_t max = b->max ? b->max : BLOB_MAX_DEFAULT;
	if (b->failed || n > max || b->n > max - n) {
		b->failed = true;
		return NULL;
	}
	if (b->cap - b->n < n) {
		size_t cap = MAX(b->cap * 2, (size_t)4096);
		while (cap - b->n < n)
			cap *= 2;
		char *p = first_grow(b->data, b->cap, cap);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->data = p;
		b->cap = cap;
	}
	char *p = b->data + b->n;
	b->n += n;
	return p;
}

void blob_expect(struct blob *b, size_t n)
{
	char *p = b->cap < n ? first_grow(b->data, b->cap, n) : NULL;
	if (!p)
		return;
	b->data = p;
	b->cap = n;
}

static size_t padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

char *blob_put_space(struct blob *b, uint32_t tag, size_t n)
{
	if (n > UINT32_MAX - 16) {
		b->failed = true;
		return NULL;
	}
	char *p = reserve(b, sizeof(struct blob_rec) + padded(n));
	if (!p)
		return NULL;
	struct blob_rec rec = {.tag = tag, .len = (uint32_t)n};
	memcpy(p, &rec, sizeof(rec));
	p += sizeof(rec);
	memset(p + n, 0, padded(n) - n);
	return p;
}

int blob_put(struct blob *b, uint32_t tag, const void *data, size_t n)
{
	char *p = blob_put_space(b, tag, n);
	if (!p)
		return -ENOMEM;
	if (n)
		memcpy(p, data, n);
	return 0;
}

int blob_put_str(struct blob *b, uint32_t tag, const char *s)
{
	return blob_put(b, tag, s, strlen(s) + 1);
}

int blob_put_u64(struct blob *b, uint32_t tag, uint64_t v)
{
	return blob_put(b, tag, &v, sizeof(v));
}

int blob_put_strs(struct blob *b, uint32_t tag, const char *const *s, size_t n)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += strlen(s[i] ? s[i] : "") + 1;
	char *p = blob_put_space(b, tag, total);
	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(s[i] ? s[i] : "") + 1;
		memcpy(p, s[i] ? s[i] : "", k);
		p += k;
	}
	return 0;
}

int blob_put_opt(struct blob *b, uint32_t tag, const char *s)
{
	return s ? blob_put_str(b, tag, s) : 0;
}

int blob_put_strv(struct blob *b, uint32_t tag, const struct strv *v)
{
	return v->n ? blob_put_strs(b, tag, (const char *const *)v->v, v->n) : 0;
}

void blob_free(struct blob *b)
{
	first_give(b->data, b->cap);
	*b = (struct blob){0};
}

void blob_iter_init(struct blob_iter *it, const void *data, size_t n)
{
	it->p = data;
	it->end = it->p + n;
}

int blob_next(struct blob_iter *it, struct blob_view *ret)
{
	size_t left = (size_t)(it->end - it->p);
	if (left == 0)
		return 0;
	struct blob_rec rec;
	if (left < sizeof(rec))
		return -EBADMSG;
	memcpy(&rec, it->p, sizeof(rec));
	left -= sizeof(rec);
	if (rec.len > left || padded(rec.len) > left)
		return -EBADMSG;
	*ret = (struct blob_view){.tag = rec.tag, .len = rec.len, .data = it->p + sizeof(rec)};
	it->p += sizeof(rec) + padded(rec.len);
	return 1;
}

const char *blob_str(const struct blob_view *v)
{
	if (v->len == 0 || memchr(v->data, 0, v->len) != v->data + v->len - 1)
		return NULL;
	return v->data;
}

const char *blob_strs_next(const struct blob_view *v, size_t *pos)
{
	if (*pos >= v->len)
		return NULL;
	const char *s = v->data + *pos;
	const char *nul = memchr(s, 0, v->len - *pos);
	if (!nul) {
		*pos = v->len;
		return NULL;
	}
	*pos += (size_t)(nul - s) + 1;
	return s;
}

int blob_strv(struct arena *a, const struct blob_view *v, struct strv *ret)
{
	size_t pos = 0;
	const char *s;
	while ((s = blob_strs_next(v, &pos)))
		if (strv_add(a, ret, s) < 0)
			return -ENOMEM;
	return 0;
}

int blob_u64(const struct blob_view *v, uint64_t *ret)
{
	if (v->len != sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, v->data, sizeof(*ret));
	return 0;
}
