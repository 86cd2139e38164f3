/* build/buf.c - see buf.h */
#include <stdarg.h>

#include "build/buf.h"

void buf_add(struct buf *b, const char *s, size_t n)
{
	if (b->failed || n > BUF_MAX - b->n) {
		b->failed = true;
		return;
	}
	if (b->n + n + 1 > b->cap) {
		size_t cap = MAX(2 * b->cap, b->n + n + 64);
		char *p = realloc(b->s, cap);
		if (!p) {
			b->failed = true;
			return;
		}
		b->s = p;
		b->cap = cap;
	}
	if (n)
		memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	_cleanup_free_ char *s = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0) {
		s = NULL;
		b->failed = true;
		return;
	}
	buf_add(b, s, (size_t)n);
}

void buf_free(struct buf *b)
{
	free(b->s);
	*b = (struct buf){0};
}

char *buf_take(struct arena *a, struct buf *b)
{
	char *s = b->failed ? NULL : arena_dupn(a, b->s ? b->s : "", b->n);
	buf_free(b);
	return s;
}
