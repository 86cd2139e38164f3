/* base/sha1.c - see sha1.h */
#include "base/sha1.h"

#include <string.h>

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

void sha1_begin(struct sha1 *s)
{
	*s = (struct sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

void sha1_add(struct sha1 *s, const void *data, size_t n)
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

void sha1_raw(struct sha1 *s, unsigned char ret[static SHA1_LEN])
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
