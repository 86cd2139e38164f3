/* tests/fuzz/fuzz-term-filter.c - what an agent writes to its terminal: in whatever pieces it
 * comes, the same is let through, within the bounds of term-filter.h, and what no terminal may get
 * is not in it.  The first byte says which of the filter's settings hold.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sandbox/term-filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { INPUT_MAX = 4096 };

static size_t in_pieces(struct term_filter *f, const char *in, size_t n, size_t piece, char *out)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i += piece) {
		const size_t k = MIN(piece, n - i);
		char part[INPUT_MAX + TERM_SEQ_MAX];
		const size_t got = term_filter(f, in + i, k, part);
		if (got > k + TERM_SEQ_MAX)
			abort();
		memcpy(out + o, part, got);
		o += got;
	}
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char whole[2 * INPUT_MAX + TERM_SEQ_MAX], parts[INPUT_MAX * (1 + TERM_SEQ_MAX)];
	char undo[TERM_UNDO_MAX];
	if (n < 2 || n > INPUT_MAX)
		return 0;
	const bool clipboard = data[0] & 1, deaf = data[0] & 2;
	struct term_filter f = {.clipboard = clipboard, .deaf = deaf};
	struct term_filter g = {.clipboard = clipboard, .deaf = deaf};
	const char *in = (const char *)data + 1;
	const size_t a = in_pieces(&f, in, n - 1, n - 1, whole);
	const size_t b = in_pieces(&g, in, n - 1, 1 + (data[0] >> 2) % 7, parts);
	if (a != b || memcmp(whole, parts, a) != 0)
		abort();
	/* "report the title" types text of the agent's choice; ENQ an answerback */
	if (memmem(whole, a, "\033[21t", 5) || memchr(whole, 5, a))
		abort();
	if (term_filter_undo(&f, undo) > sizeof(undo) || term_filter_redo(&f, undo) > sizeof(undo))
		abort();
	return 0;
}
