/* template/progress.h - one line on a terminal that says how far a long piece of work is: bytes,
 * layers, rate, the time that is left.  Nothing where stderr is no terminal.
 */
#ifndef BAWN_TEMPLATE_PROGRESS_H
#define BAWN_TEMPLATE_PROGRESS_H

#include <stdint.h>

#include "base/macro.h"

struct progress {
	bool on;
	const char *what;     /* "loading" */
	uint64_t done, total; /* bytes; total 0: not known */
	size_t layer, layers; /* the one at hand, from 1; of how many, 0: not known */
	int64_t began, shown; /* ms */
};

void progress_begin(struct progress *p, const char *what, bool quiet);
/* From here on something else is counted, of total bytes. */
void progress_again(struct progress *p, uint64_t total);
/* Draw it, but not more often than is readable. */
void progress_show(struct progress *p);
/* Take the line away. */
void progress_end(struct progress *p);

/* "1.5 GB", "12 kB", "0 B". */
char *progress_bytes(uint64_t n, char *buf, size_t cap);
/* The line's text, for a test: now_ms after it began. */
char *progress_text(const struct progress *p, int64_t elapsed_ms, char *buf, size_t cap);

#endif
