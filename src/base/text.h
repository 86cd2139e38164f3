/* base/text.h - questions about words and patterns that several rooms ask.
 */
#ifndef BAWN_BASE_TEXT_H
#define BAWN_BASE_TEXT_H

#include <stdint.h>

#include "base/macro.h"

/* The word closest to this one, or NULL if none is near enough to be meant. */
const char *text_nearest(const char *word, const char *const *words, size_t n);

/* A glob's form: every "[" closed within its name, no backslash at the end of a name. */
bool text_glob_ok(const char *glob);

/* Digits and the blank behind them: the number, at most `most`, and *p behind the blank.  False: it
 * is none, and *p is anywhere in it. */
bool text_number(const char **p, int base, uint32_t most, uint32_t *ret);

/* "1.2", "1.2.3", "v1.2.3-rc.1": what begins with it (behind the v), or NULL. */
const char *text_version(const char *s);
/* Is version known to be below since?  One that is NULL, or no version, is not; nor is 0.0.0-NAME,
 * a build from a branch, which is newer than any release. */
bool text_version_below(const char *version, const char *since);

#endif
