/* build/ignore.h - what of a context is left out: .dockerignore (pure).
 */
#ifndef BAWN_BUILD_IGNORE_H
#define BAWN_BUILD_IGNORE_H

#include "build/glob.h"

struct ignore {
	struct ignore_rule *v;
	size_t n, cap;
};

/* One line of it, or one --exclude.  0, -EINVAL or -ENOMEM. */
int ignore_add(struct arena *a, struct ignore *ig, const char *line, size_t n, struct err *err);

/* The whole file; messages begin with "FILE:LINE: ". */
int ignore_parse(struct arena *a, const char *file, const char *text, size_t n, struct ignore *ret,
	struct err *err);

/* Is path (relative to the context) left out?  *ret_below: may something below it not be. */
bool ignore_match(const struct ignore *ig, const char *path, bool *ret_below);

#endif
