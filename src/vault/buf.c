/* vault/buf.c - see buf.h */
#include "vault/buf.h"

#include <errno.h>
#include <stdarg.h>

enum { STEP = 4096, DOUBLE_MAX = 262144 };

void buf_free(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->top);
	free(b->p);
	*b = (struct buf){0};
}

char *buf_room(struct buf *b, size_t n)
{
	if (b->cap - b->at - b->n >= n && b->p)
		return b->p + b->at + b->n;
	if (b->p && b->cap - b->n >= n && b->at >= b->n) {
		memcpy(b->p, b->p + b->at, b->n);
		b->at = 0;
		b->top = MAX(b->top, b->n);
		return b->p + b->n;
	}
	size_t cap = MAX((b->n + n + STEP - 1) / STEP * STEP, b->cap);
	if (b->n && cap > b->cap) /* it is being filled */
		cap = MAX(cap, MIN(2 * b->cap, (size_t)DOUBLE_MAX));
	char *p = malloc(cap);
	if (!p)
		return NULL;
	if (b->n)
		memcpy(p, b->p + b->at, b->n);
	size_t kept = b->n;
	buf_free(b);
	*b = (struct buf){.p = p, .n = kept, .cap = cap, .top = kept};
	return p + kept;
}

void buf_grew(struct buf *b, size_t n)
{
	b->n += n;
	b->top = MAX(b->top, b->at + b->n);
}

int buf_add(struct buf *b, const void *data, size_t n)
{
	char *p = buf_room(b, n);
	if (!p)
		return -ENOMEM;
	if (n)
		memcpy(p, data, n);
	buf_grew(b, n);
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
	if (!p)
		return -ENOMEM;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->top = MAX(b->top, b->at + b->n + (size_t)n + 1);
	b->n += (size_t)n;
	return 0;
}

void buf_eat(struct buf *b, size_t n)
{
	b->at += n;
	b->n -= n;
	if (b->n == 0)
		b->at = 0;
}

void buf_trim(struct buf *b)
{
	if (b->n == 0)
		buf_free(b);
}
