/* change/object.c - see object.h
 *
 * Written out after FIPS 180-4 (SHA-1; SHA-256 is base/sha256.h), RFC 1950 and 1951 (a zlib stream
 * of stored blocks), and gitformat-pack(5)'s neighbour in `git apply`: 52 bytes a line, the first
 * character their number, then five characters for four bytes.  A library would be 100 KB for what
 * is never on a path that matters: the digests name objects, nothing trusts them.
 */
#include "change/object.h"

#include <stdio.h>

#include "base/sha256.h"

struct sha1 {
	uint32_t h[SHA1_LEN / 4];
	unsigned char block[64];
	uint64_t n;
};

static uint32_t rol(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static uint32_t load32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void block_sha1(uint32_t h[static 5], const unsigned char *p)
{
	static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int i = 0; i < 16; i++)
		w[i] = load32(p + 4 * i);
	for (int i = 16; i < 80; i++)
		w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20         ? (b & c) | (~b & d)
			: i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d)
					    : b ^ c ^ d;
		uint32_t t = rol(a, 5) + f + e + k[i / 20] + w[i];
		e = d;
		d = c;
		c = rol(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

static void sha1_begin(struct sha1 *s)
{
	*s = (struct sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

static void sha1_add(struct sha1 *s, const void *data, size_t n)
{
	const unsigned char *p = data;
	while (n) {
		size_t at = (size_t)(s->n % 64), k = MIN(n, 64 - at);
		const unsigned char *b = p;
		if (k < 64) {
			memcpy(s->block + at, p, k);
			b = s->block;
		}
		s->n += k;
		p += k;
		n -= k;
		if (s->n % 64 == 0)
			block_sha1(s->h, b);
	}
}

static void sha1_raw(struct sha1 *s, unsigned char ret[static SHA1_LEN])
{
	static const unsigned char pad[64] = {0x80};
	unsigned char len[8];
	uint64_t bits = s->n * 8;
	store32(len, (uint32_t)(bits >> 32));
	store32(len + 4, (uint32_t)bits);
	sha1_add(s, pad, 1 + (119 - s->n % 64) % 64);
	sha1_add(s, len, sizeof(len));
	for (size_t i = 0; i < ARRAY_LEN(s->h); i++)
		store32(ret + 4 * i, s->h[i]);
}

void object_sha1(const void *data, size_t n, unsigned char ret[static SHA1_LEN])
{
	struct sha1 s;
	sha1_begin(&s);
	sha1_add(&s, data, n);
	sha1_raw(&s, ret);
}

void object_name(const void *data, size_t n, unsigned int hash_len, char ret[static OBJECT_HEX_MAX])
{
	char head[32];
	size_t len = (size_t)snprintf(head, sizeof(head), "blob %zu", n) + 1;
	if (hash_len != SHA1_LEN) {
		struct sha256 s;
		sha256_begin(&s);
		sha256_add(&s, head, len);
		sha256_add(&s, data, n);
		sha256_end(&s, ret);
		return;
	}
	struct sha1 s;
	unsigned char raw[SHA1_LEN];
	sha1_begin(&s);
	sha1_add(&s, head, len);
	sha1_add(&s, data, n);
	sha1_raw(&s, raw);
	for (size_t i = 0; i < SHA1_LEN; i++)
		snprintf(ret + 2 * i, 3, "%02x", raw[i]);
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
