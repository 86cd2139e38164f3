/* change/object.c - see object.h
 *
 * Written out after RFC 1950 and 1951 (a zlib stream of stored blocks), and gitformat-pack(5)'s
 * neighbour in `git apply`: 52 bytes a line, the first character their number, then five characters
 * for four bytes.  A library would be 100 KB for what is never on a path that matters.
 */
#include "change/object.h"

#include <stdio.h>

#include "base/sha1.h"

static uint32_t load32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

void object_sha1(const void *data, size_t n, unsigned char ret[static SHA1_LEN])
{
	struct sha1 s;
	sha1_begin(&s);
	sha1_add(&s, data, n);
	sha1_raw(&s, ret);
}

struct base85 {
	object_put put;
	void *ctx;
	unsigned char line[52];
	size_t n;
	int failed;
};

static void end_line(struct base85 *o)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"!#$%&()*+-;<=>?@^_`{|}~";
	char out[1 + 65 + 1];
	size_t k = 0;
	if (!o->n || o->failed)
		return;
	out[k++] = (char)(o->n <= 26 ? 'A' + (int)o->n - 1 : 'a' + (int)o->n - 27);
	for (size_t i = 0; i < o->n; i += 4) {
		unsigned char four[4] = {0};
		memcpy(four, o->line + i, MIN((size_t)4, o->n - i));
		uint32_t v = load32(four);
		for (int d = 4; d >= 0; d--) {
			out[k + (size_t)d] = digits[v % 85];
			v /= 85;
		}
		k += 5;
	}
	out[k++] = '\n';
	o->failed = o->put(o->ctx, out, k);
	o->n = 0;
}

static void put85(struct base85 *o, const void *data, size_t n)
{
	const unsigned char *p = data;
	while (n && !o->failed) {
		size_t k = MIN(n, sizeof(o->line) - o->n);
		memcpy(o->line + o->n, p, k);
		o->n += k;
		p += k;
		n -= k;
		if (o->n == sizeof(o->line))
			end_line(o);
	}
}

static uint32_t adler32(const unsigned char *p, size_t n)
{
	uint32_t a = 1, b = 0;
	while (n) {
		size_t k = MIN(n, (size_t)5552); /* as much as 32 bits hold */
		for (size_t i = 0; i < k; i++) {
			a += p[i];
			b += a;
		}
		a %= 65521;
		b %= 65521;
		p += k;
		n -= k;
	}
	return b << 16 | a;
}

int object_literal(const void *data, size_t n, object_put put, void *ctx)
{
	static const unsigned char zlib[] = {0x78, 0x01};
	struct base85 o = {.put = put, .ctx = ctx};
	const unsigned char *p = data;
	unsigned char sum[4];
	char head[40];
	int k = snprintf(head, sizeof(head), "literal %zu\n", n);
	o.failed = put(ctx, head, (size_t)k);
	put85(&o, zlib, sizeof(zlib));
	size_t left = n;
	do {
		size_t m = MIN(left, (size_t)65535);
		unsigned char h[5] = {m == left, (unsigned char)m, (unsigned char)(m >> 8),
			(unsigned char)~m, (unsigned char)(~m >> 8)};
		put85(&o, h, sizeof(h));
		put85(&o, p, m);
		p += m;
		left -= m;
	} while (left && !o.failed);
	store32(sum, adler32(data, n));
	put85(&o, sum, sizeof(sum));
	end_line(&o);
	return o.failed ? o.failed : put(ctx, "\n", 1);
}
