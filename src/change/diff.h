/* change/diff.h - which lines of two texts differ.  Pure.
 *
 * Lines are compared with their newline, so that a last line without one differs from one with it.
 * Memory is linear in the number of lines; time is bounded (past a cost, a good split is taken
 * instead of the best), whatever the texts are.
 */
#ifndef BAWN_CHANGE_DIFF_H
#define BAWN_CHANGE_DIFF_H

#include <stdint.h>

#include "base/macro.h"

#define DIFF_LINES_MAX ((size_t)1 << 21)

struct diff_side {
	const char *text;
	uint32_t *start; /* of each line; start[n] is the text's length */
	uint32_t n;
	unsigned char *changed; /* one byte a line */
	/* internal */
	uint32_t *class, *kept, n_kept;
};

struct diff {
	struct diff_side a, b;
	int32_t *vectors;
};

/* 0; -E2BIG for more than DIFF_LINES_MAX lines or 2 GiB; -ENOMEM.  diff_free() in any case. */
int diff_texts(struct diff *d, const char *a, size_t na, const char *b, size_t nb);
void diff_free(struct diff *d);

/* The next run of changes: lines [*a0, *a1) became [*b0, *b1).  Start with all four 0. */
bool diff_next(const struct diff *d, uint32_t *a0, uint32_t *a1, uint32_t *b0, uint32_t *b1);

#endif
