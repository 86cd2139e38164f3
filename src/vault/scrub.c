/* vault/scrub.c - see scrub.h */
#include "vault/scrub.h"

#include <errno.h>

int scrub_add(struct scrub *s, const char *p, size_t n)
{
	size_t i = s->n;
	if (n < SCRUB_MIN_LEN || s->n == SCRUB_MAX)
		return -EINVAL;
	for (; i > 0 && s->v[i - 1].n < n; i--)
		s->v[i] = s->v[i - 1];
	s->v[i].p = p;
	s->v[i].n = n;
	s->n++;
	return 0;
}

static size_t pair(const char *p)
{
	return (size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

void scrub_ready(struct scrub *s)
{
	if (s->n == 0)
		return;
	s->least = MIN(s->v[s->n - 1].n, (size_t)UINT8_MAX);
	memset(s->skip, (int)s->least - 1, sizeof(s->skip));
	for (size_t i = 0; i < s->n; i++) {
		for (size_t at = 0; at + 2 <= s->least; at++) {
			uint8_t *skip = &s->skip[pair(s->v[i].p + at)];
			*skip = (uint8_t)MIN(*skip, s->least - 2 - at);
		}
	}
}

/* Length of the longest pattern that stands at buf, or 0. */
static size_t whole(const struct scrub *s, const char *buf, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n <= n && s->v[i].p[0] == *buf &&
			memcmp(s->v[i].p, buf, s->v[i].n) == 0)
			return s->v[i].n;
	return 0;
}

/* Blank what starts before decided; returns that, moved to the end of the last of them. */
static size_t blank(const struct scrub *s, char *buf, size_t n, size_t decided)
{
	for (size_t at = 0; at < decided && at + s->least <= n;) {
		size_t skip = s->skip[pair(buf + at + s->least - 2)];
		size_t len = skip ? 0 : whole(s, buf + at, n - at);
		memset(buf + at, '*', len);
		at += len ? len : skip ? skip : 1;
		decided = len ? MAX(decided, at) : decided;
	}
	return decided;
}

/* How many bytes at the end of buf[n] are the start of the secret: the most, short of all. */
static size_t started(const char *buf, size_t n, const char *secret, size_t len)
{
	size_t most = MIN(n, len - 1);
	const char *end = buf + n, *at = end - most;
	while (at < end && (at = memchr(at, secret[0], (size_t)(end - at)))) {
		if (memcmp(at, secret, (size_t)(end - at)) == 0)
			return (size_t)(end - at);
		at++;
	}
	return 0;
}

size_t scrub_run(const struct scrub *s, char *buf, size_t n, bool last)
{
	size_t keep = 0;
	if (GUARD_REMOVED("vault-scrub") || s->n == 0)
		return n;
	for (size_t i = 0; i < s->n && !last; i++)
		keep = MAX(keep, started(buf, n, s->v[i].p, s->v[i].n));
	return blank(s, buf, n, n - keep);
}

int scrub_feed(const struct scrub *s, struct buf *held, const char *p, size_t n, bool last,
	struct buf *out)
{
	int r = buf_add(held, p, n);
	if (r < 0 || held->n == 0)
		return r;
	size_t done = scrub_run(s, buf_data(held), held->n, last);
	r = buf_add(out, buf_data(held), done);
	if (r < 0)
		return r;
	buf_eat(held, done);
	return 0;
}

/* ---- forms ---- */

/* The digits that the secret alone decides, with `before` bytes in front of it in its group. */
static size_t base64_core(const char *secret, size_t n, size_t before, bool url, char *dst)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t first = (before * 8 + 5) / 6, end = (before + n) * 8 / 6, len = 0;
	bool special = false;
	for (size_t i = first; i < end; i++) {
		unsigned int v = 0;
		for (size_t bit = i * 6; bit < i * 6 + 6; bit++) {
			size_t at = bit - before * 8;
			v = v << 1 | ((unsigned char)secret[at / 8] >> (7 - at % 8) & 1);
		}
		special |= v > 61;
		dst[len++] = v < 62 ? digits[v] : v == 62 ? (url ? '-' : '+') : (url ? '_' : '/');
	}
	return url && !special ? 0 : len;
}

static size_t hex_form(const char *secret, size_t n, const char *digits, char *dst)
{
	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[(unsigned char)secret[i] >> 4];
		dst[2 * i + 1] = digits[secret[i] & 15];
	}
	return 2 * n;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("-._~", c));
}

static size_t percent_form(const char *secret, size_t n, const char *digits, char *dst)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		if (is_unreserved(secret[i])) {
			dst[len++] = secret[i];
			continue;
		}
		dst[len++] = '%';
		len += hex_form(secret + i, 1, digits, dst + len);
	}
	return len == n ? 0 : len;
}

static size_t escaped_form(const char *secret, size_t n, const char *which, char *dst)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		if (strchr(which, secret[i]))
			dst[len++] = '\\';
		dst[len++] = secret[i];
	}
	return len == n ? 0 : len;
}

size_t scrub_form(unsigned int i, const char *secret, size_t n, char *dst)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	size_t len = i < 6 ? base64_core(secret, n, i % 3, i >= 3, dst)
		: i == 6   ? hex_form(secret, n, lower, dst)
		: i == 7   ? hex_form(secret, n, upper, dst)
		: i == 8   ? percent_form(secret, n, lower, dst)
		: i == 9   ? percent_form(secret, n, upper, dst)
		: i == 10  ? escaped_form(secret, n, "\"\\", dst)
			   : escaped_form(secret, n, "\"\\/", dst);
	return len >= SCRUB_FORM_MIN_LEN ? len : 0;
}
