/* base/arena.c - see arena.h */
#include "base/arena.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; musl's headers have it since 1.2.5 */
#endif

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

#define CHUNK_MIN 8192

#ifdef BAWN_ASAN
#define FIRST_BYTES 16 /* it is to see every piece by itself */
#else
#define FIRST_BYTES ((size_t)256 * 1024)
#endif

static struct {
	atomic_size_t used;
	_Alignas(16) char data[FIRST_BYTES];
} first;

static size_t rounded(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

void *first_calloc(size_t n)
{
	const size_t need = rounded(n);
	if (need < n || need > FIRST_BYTES || atomic_load(&first.used) > FIRST_BYTES - need)
		return calloc(1, n);
	const size_t at = atomic_fetch_add(&first.used, need);
	return at <= FIRST_BYTES - need ? first.data + at : calloc(1, n);
}

static bool is_first(const void *p)
{
	const uintptr_t at = (uintptr_t)p, begin = (uintptr_t)first.data;
	return at >= begin && at < begin + FIRST_BYTES;
}

void first_free(void *p)
{
	if (!is_first(p))
		free(p);
}

/* The end of the piece at p moves from had to n, if it is the last one and there is room. */
static bool move_end(const char *p, size_t had, size_t n)
{
	const size_t at = (size_t)(p - first.data);
	size_t end = at + rounded(had);
	return n <= FIRST_BYTES && rounded(n) <= FIRST_BYTES - at &&
		atomic_compare_exchange_strong(&first.used, &end, at + rounded(n));
}

void *first_grow(void *p, size_t had, size_t n)
{
	if (p && !is_first(p))
		return realloc(p, n);
	if (p && move_end(p, had, n))
		return p;
	void *q = first_calloc(n);
	if (q && p) {
		memcpy(q, p, had);
		first_give(p, had);
	}
	return q;
}

void first_give(void *p, size_t had)
{
	if (!is_first(p)) {
		free(p);
		return;
	}
	memset(p, 0, rounded(had)); /* before anybody else may have it */
	move_end(p, had, 0);
}

void first_ahead(size_t n)
{
	const uintptr_t page = 4096, at = (uintptr_t)first.data & ~(page - 1);
	madvise((void *)at, MIN(n, FIRST_BYTES), MADV_POPULATE_WRITE);
}

void *arena_alloc(struct arena *a, size_t n)
{
	n = rounded(n);
	struct arena_chunk *c = a->head;
	if (!c || c->size - c->used < n) {
		size_t size = MAX(n, (size_t)CHUNK_MIN);
		c = first_calloc(sizeof(*c) + size);
		if (!c) {
			a->failed = true;
			return NULL;
		}
		c->size = size;
		c->next = a->head;
		a->head = c;
	}
	void *p = c->data + c->used;
	c->used += n;
	return p;
}

void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	size_t longer = *cap ? *cap * 2 : 16;
	void *p = arena_alloc(a, longer * size);
	if (!p)
		return NULL;
	if (n)
		memcpy(p, v, n * size);
	*cap = longer;
	return p;
}

char *arena_dupn(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	if (p) {
		memcpy(p, s, n);
		p[n] = '\0';
	}
	return p;
}

char *arena_dup(struct arena *a, const char *s)
{
	return arena_dupn(a, s, strlen(s));
}

char *arena_join(struct arena *a, const char *one, const char *two, const char *three)
{
	const size_t n1 = strlen(one), n2 = strlen(two), n3 = strlen(three);
	char *p = arena_alloc(a, n1 + n2 + n3 + 1);
	if (p) {
		memcpy(p, one, n1);
		memcpy(p + n1, two, n2);
		memcpy(p + n1 + n2, three, n3 + 1);
	}
	return p;
}

/* Formatted once where it fits into what is left of the chunk. */
static _printf_(2, 0) char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	struct arena_chunk *c = a->head;
	char *room = c ? c->data + c->used : NULL;
	const size_t left = c ? c->size - c->used : 0;
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(room, left, fmt, again);
	va_end(again);
	char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (p && p != room)
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void arena_free(struct arena *a)
{
	struct arena_chunk *c = a->head;
	while (c) {
		struct arena_chunk *next = c->next;
		first_free(c);
		c = next;
	}
	*a = (struct arena){0};
}

int arena_check(const struct arena *a, struct err *err)
{
	return a->failed ? err_set(err, ENOMEM, "out of memory") : 0;
}

int strv_push(struct arena *a, struct strv *v, char *s)
{
	if (!s)
		return -ENOMEM;
	if (v->n + 1 >= v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 8;
		char **p = arena_alloc(a, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		if (v->n)
			memcpy(p, v->v, v->n * sizeof(*p));
		v->v = p;
		v->cap = cap;
	}
	v->v[v->n++] = s;
	v->v[v->n] = NULL;
	return 0;
}

int strv_add(struct arena *a, struct strv *v, const char *s)
{
	return strv_push(a, v, arena_dup(a, s));
}

int strv_addf(struct arena *a, struct strv *v, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return strv_push(a, v, p);
}

bool strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (streq(v->v[i], s))
			return true;
	return false;
}

static char **env_find(const struct strv *v, const char *key)
{
	size_t k = strlen(key);
	for (size_t i = 0; i < v->n; i++)
		if (strncmp(v->v[i], key, k) == 0 && v->v[i][k] == '=')
			return &v->v[i];
	return NULL;
}

const char *strv_env_get(const struct strv *v, const char *key)
{
	char **p = env_find(v, key);
	return p ? *p + strlen(key) + 1 : NULL;
}

int strv_env_set(struct arena *a, struct strv *v, const char *key, const char *value)
{
	char *s = arena_join(a, key, "=", value);
	if (!s)
		return -ENOMEM;
	char **p = env_find(v, key);
	if (!p)
		return strv_push(a, v, s);
	*p = s;
	return 0;
}
