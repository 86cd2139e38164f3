/* store/line.h - "key value", a line each: what sandboxes and templates are described in.
 *
 * A value runs to the end of its line; \n, \r and \\ stand for what can't stand there.
 */
#ifndef BAWN_STORE_LINE_H
#define BAWN_STORE_LINE_H

#include <stdio.h>

#include "base/macro.h"

/* "KEY VALUE\n", escaped. */
void line_put(FILE *f, const char *key, const char *value);
/* A value as it was, in place.  NULL: malformed. */
char *line_unescape(char *s);

#endif
