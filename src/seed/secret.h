/* seed/secret.h - what looks like a secret in the settings that are copied.
 *
 * A net below the allow-lists of the profiles, not instead of them: an allow-listed key may still
 * hold a token that its owner wrote there.  Errs on the side of withholding.  Pure.
 */
#ifndef BAWN_SEED_SECRET_H
#define BAWN_SEED_SECRET_H

#include "base/macro.h"

/* Is name one that secrets are kept under (API_KEY, authToken, password, ...)? */
bool secret_name(const char *name);

/* Why the string value, kept under key (NULL: none), must not be copied; NULL when it may.
 * References to variables ("${TOKEN}", "{env:TOKEN}") hold nothing and may. */
const char *secret_value(const char *key, const char *value);

/* The first secret in free text: 1 and its place, or 0.  *ret_why: a short phrase. */
int secret_find(const char *text, size_t n, size_t *ret_at, size_t *ret_len, const char **ret_why);

/* Is path a text by its name (.md, .txt and the like), and not one that secrets are in? */
bool secret_text_name(const char *path);

/* File names that are never copied out of a directory, whatever a profile says. */
bool secret_file_name(const char *name);

#endif
