/* build/lines.h - the logical lines of a Dockerfile (internal to the parser).
 */
#ifndef BAWN_BUILD_LINES_H
#define BAWN_BUILD_LINES_H

#include "build/dockerfile.h"

struct df_in {
	struct arena *a;
	struct dockerfile *d;
	struct err *err;
	const char *p, *end;
	uint32_t line; /* of the byte at p, from 1 */
};

/* The directives at the top (syntax, escape, check). */
int df_directives(struct df_in *in);

/* The next line with something in it: 1, or 0 at the end. */
int df_next(struct df_in *in, struct df_line **ret);

/* The lines up to the one that ends the heredoc; at: where it was begun. */
int df_take_heredoc(
	struct df_in *in, const struct df_line *line, size_t at, struct df_heredoc *doc);

#endif
