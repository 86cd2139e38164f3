/* vault/scrub.c - see scrub.h */
#include "vault/scrub.h"

#include <errno.h>

int scrub_add(struct scrub *s, const char *p, size_t n)
{
	size_t i = s->n;
	if (n < SCRUB_MIN_LEN || s->n == SCRUB_MAX)
		return -EINVAL;
	/* the longest first: one may be a part of another */
	for (; i > 0 && s->v[i - 1].n < n; i--)
		s->v[i] = s->v[i - 1];
	s->v[i].p = p;
	s->v[i].n = n;
	s->n++;
	return 0;
}

/* Blank what starts before *decided, which moves to the end of the last of them. */
static void blank(char *buf, size_t n, size_t *decided, const char *secret, size_t len)
{
	char *end = buf + n, *at = buf;
	while ((at = memmem(at, (size_t)(end - at), secret, len))) {
		if ((size_t)(at - buf) >= *decided)
			return;
		memset(at, '*', len);
		at += len;
		*decided = MAX(*decided, (size_t)(at - buf));
	}
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

size_t scrub_run(const struct scrub *s, char *buf, size_t n)
{
	size_t keep = 0, decided;
	if (GUARD_REMOVED("vault-scrub"))
		return n;
	for (size_t i = 0; i < s->n; i++)
		keep = MAX(keep, started(buf, n, s->v[i].p, s->v[i].n));
	decided = n - keep;
	for (size_t i = 0; i < s->n; i++)
		blank(buf, n, &decided, s->v[i].p, s->v[i].n);
	return decided;
}

int scrub_feed(const struct scrub *s, struct buf *held, const char *p, size_t n, bool last,
	struct buf *out)
{
	int r = buf_add(held, p, n);
	if (r < 0 || held->n == 0)
		return r;
	size_t done = scrub_run(s, buf_data(held), held->n);
	if (last)
		done = held->n;
	r = buf_add(out, buf_data(held), done);
	if (r < 0)
		return r;
	buf_eat(held, done);
	return 0;
}
