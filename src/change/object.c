/* change/object.c - see object.h
 *
 * Written out after FIPS 180-4 (SHA-1, SHA-256), RFC 1950 and 1951 (a zlib stream of stored
 * blocks), and gitformat-pack(5)'s neighbour in `git apply`: 52 bytes a line, the first character
 * their number, then five characters for four bytes.  A library would be 100 KB for what is never
 * on a path that matters: the digests name objects, nothing trusts them.
 */
#include "change/object.h"

#include <stdio.h>

struct hash {
	uint32_t h[8];
	unsigned char block[64];
	uint64_t n;
	bool big; /* SHA-256 */
};

static uint32_t rol(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static uint32_t ror(uint32_t v, int n)
{
	return v >> n | v << (32 - n);
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

static void block_sha1(uint32_t h[8], const unsigned char *p)
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

static const uint32_t k256[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void block_sha256(uint32_t h[8], const unsigned char *p)
{
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++)
		w[i] = load32(p + 4 * i);
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
			w[i - 7] + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t s1 = ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25);
		uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k256[i] + w[i];
		uint32_t s0 = ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22);
		uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

static void hash_begin(struct hash *s, bool big)
{
	static const uint32_t sha1[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0},
			      sha256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	*s = (struct hash){.big = big};
	memcpy(s->h, big ? sha256 : sha1, sizeof(s->h));
}

static void hash_add(struct hash *s, const void *data, size_t n)
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
			(s->big ? block_sha256 : block_sha1)(s->h, b);
	}
}

static size_t hash_end(struct hash *s, unsigned char *ret)
{
	static const unsigned char pad[64] = {0x80};
	unsigned char len[8];
	uint64_t bits = s->n * 8;
	size_t words = s->big ? 8 : 5;
	store32(len, (uint32_t)(bits >> 32));
	store32(len + 4, (uint32_t)bits);
	hash_add(s, pad, 1 + (119 - s->n % 64) % 64);
	hash_add(s, len, sizeof(len));
	for (size_t i = 0; i < words; i++)
		store32(ret + 4 * i, s->h[i]);
	return words * 4;
}

void object_sha1(const void *data, size_t n, unsigned char ret[static 20])
{
	struct hash s;
	hash_begin(&s, false);
	hash_add(&s, data, n);
	hash_end(&s, ret);
}

void object_sha256(const void *data, size_t n, unsigned char ret[static 32])
{
	struct hash s;
	hash_begin(&s, true);
	hash_add(&s, data, n);
	hash_end(&s, ret);
}

void object_name(const void *data, size_t n, unsigned int hash_len, char ret[static OBJECT_HEX_MAX])
{
	char head[32];
	unsigned char raw[32];
	struct hash s;
	hash_begin(&s, hash_len == 32);
	int k = snprintf(head, sizeof(head), "blob %zu", n);
	hash_add(&s, head, (size_t)k + 1);
	hash_add(&s, data, n);
	size_t len = hash_end(&s, raw);
	for (size_t i = 0; i < len; i++)
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
