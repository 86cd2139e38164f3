/* build/glob.h - patterns of paths, as .dockerignore and COPY have them (pure).
 *
 * "*" and "?" stay within a name, "[a-z]" and "[^a-z]" are one byte, a backslash takes the next
 * character's meaning away.  With stars, "**" is any number of names and of "/" between them, as
 * moby's patternmatcher has it.  Time: length of pattern times length of path, never more.
 */
#ifndef BAWN_BUILD_GLOB_H
#define BAWN_BUILD_GLOB_H

#include "base/arena.h"

#define GLOB_MAX 4096 /* bytes of a pattern or a path */

struct glob {
	struct glob_tok *tok;
	size_t n;
};

enum {
	GLOB_WHOLE = 1,  /* the whole path */
	GLOB_PARENT = 2, /* a directory that the path lies in */
	GLOB_BELOW = 4,  /* something below the path could be meant */
};

/* 0, -EINVAL (a "[" that is never closed, an empty range, a backslash at the end) or -ENOMEM. */
int glob_compile(
	struct arena *a, const char *pattern, bool stars, struct glob *ret, struct err *err);

/* What of path (no "/" in front or behind) the pattern means: GLOB_* together, 0 for nothing. */
int glob_match(const struct glob *g, const char *path);

/* Is anything in it special? */
bool glob_is(const char *text);

#endif
