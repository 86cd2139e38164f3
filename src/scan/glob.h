/* scan/glob.h - path globs as gitignore(5) has them; pure.
 *
 * Matching takes time linear in pattern times path, whatever either looks like.
 */
#ifndef BAWN_SCAN_GLOB_H
#define BAWN_SCAN_GLOB_H

#include "base/arena.h"

#define GLOB_MAX_LEN 1024
#define GLOB_MAX_PARTS 64
#define GLOB_MAX_PATTERNS 1024

struct glob;

struct glob_set {
	struct glob *v;
	size_t n, cap;
	bool fold; /* ignore ASCII case */
};

/* Patterns: see scan/request.h.  -EINVAL for an empty one, one that leads above the root, an
 * unclosed "[", a trailing backslash, or past the limits. */
int glob_set_add(struct arena *a, struct glob_set *s, const char *pattern, struct err *err);

/* path: relative to the root, no "." or ".." in it.  The last pattern that matches decides.  Tells
 * in *ret_literal (may be NULL) whether that one ended in a name without wildcards. */
bool glob_set_match(const struct glob_set *s, const char *path, bool dir, bool *ret_literal);

#endif
