/* tests/fuzz/fuzz-diff.c - two texts: what the diff calls unchanged is the same on both sides, in
 * order, and a binary patch's lines have their form. */
#include <stdint.h>
#include <stdlib.h>

#include "change/diff.h"
#include "change/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_same(const struct diff_side *a, uint32_t i, const struct diff_side *b, uint32_t k)
{
	size_t n = a->start[i + 1] - a->start[i];
	if (n != b->start[k + 1] - b->start[k] ||
		memcmp(a->text + a->start[i], b->text + b->start[k], n) != 0)
		abort();
}

static int count_put(void *ctx, const char *text, size_t n)
{
	if (!n || text[n - 1] != '\n')
		abort();
	++*(size_t *)ctx;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct diff d;
	const char *text = (const char *)data;
	size_t split = 0, lines = 0;
	while (split < n && data[split])
		split++;
	size_t rest = split < n ? split + 1 : n;
	if (diff_texts(&d, text, split, text + rest, n - rest) == 0) {
		uint32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0, i = 0, k = 0;
		for (bool more = true; more;) {
			more = diff_next(&d, &a0, &a1, &b0, &b1);
			for (; i < a0; i++, k++)
				check_same(&d.a, i, &d.b, k);
			if (k != b0)
				abort();
			i = a1;
			k = b1;
		}
		if (i != d.a.n || k != d.b.n)
			abort();
	}
	diff_free(&d);
	if (object_literal(data, n, count_put, &lines) < 0 ||
		lines != 2 + (n + 6 + 51 + 5 * (n / 65535 + (n % 65535 || !n))) / 52)
		abort();
	return 0;
}
