/* tests/fuzz/fuzz-vault-chunk.c - chunks: the same body however they are cut, and a scrubbing that
 * changes no length and takes out, however it is cut, what a plain search from the left finds.
 */
#include <stdlib.h>
#include <string.h>

#include "vault/http1.h"
#include "vault/scrub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct walked {
	struct buf body, clean, held;
	size_t at;
	bool end;
};

static void walk(const struct scrub *s, const char *p, size_t n, size_t step, struct walked *w)
{
	struct h1_chunks c = {0};
	struct h1_piece piece;
	size_t see = step;
	while (w->at < n && !w->end) {
		see = MIN(see, n - w->at);
		ssize_t r = h1_chunk(&c, p + w->at, see, &piece);
		if (r < 0 || (r == 0 && see == n - w->at))
			break;
		if ((size_t)r > see)
			abort();
		buf_add(&w->body, piece.data.p, piece.data.n);
		scrub_feed(s, &w->held, piece.data.p, piece.data.n, false, &w->clean);
		w->at += (size_t)r;
		w->end = piece.end;
		see = r ? step : see + 1;
	}
	scrub_feed(s, &w->held, NULL, 0, true, &w->clean);
}

static const char *const patterns[] = {"abcabcab", "abcab", "cabb", "bcac", "cccccc"};

/* From the left, the longest first. */
static void plainly(char *p, size_t n)
{
	for (size_t at = 0, len; at < n; at += len ? len : 1) {
		len = 0;
		for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
			if (strlen(patterns[i]) <= n - at && strlen(patterns[i]) > len &&
				memcmp(p + at, patterns[i], strlen(patterns[i])) == 0)
				len = strlen(patterns[i]);
		memset(p + at, '*', len);
	}
}

static void walked_free(struct walked *w)
{
	buf_free(&w->body);
	buf_free(&w->clean);
	buf_free(&w->held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct scrub s;
	struct walked whole = {0}, bytes = {0};
	if (n > 2048)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(patterns) && s.n < ARRAY_LEN(patterns); i++)
		scrub_add(&s, patterns[i], strlen(patterns[i]));
	scrub_ready(&s);
	walk(&s, (const char *)data, n, n, &whole);
	walk(&s, (const char *)data, n, 1, &bytes);
	if (whole.end != bytes.end || (whole.end && whole.at != bytes.at))
		abort();
	if (whole.end &&
		(whole.body.n != bytes.body.n || whole.clean.n != whole.body.n ||
			bytes.clean.n != bytes.body.n))
		abort();
	if (whole.end && whole.body.n) {
		plainly(buf_data(&whole.body), whole.body.n);
		if (memcmp(buf_data(&whole.clean), buf_data(&bytes.clean), whole.clean.n) != 0 ||
			memcmp(buf_data(&whole.clean), buf_data(&whole.body), whole.body.n) != 0)
			abort();
	}
	walked_free(&whole);
	walked_free(&bytes);
	return 0;
}
