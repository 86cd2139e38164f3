/* base/escape.h - making foreign text safe to show on a terminal, and quoting for a shell.
 */
#ifndef BAWN_BASE_ESCAPE_H
#define BAWN_BASE_ESCAPE_H

#include "base/macro.h"

/* Copy src into dst[cap], with control bytes (C0, DEL, C1 as UTF-8 or raw), backslash and malformed
 * UTF-8 written as \xHH, and bidirectional controls too.  Always NUL-terminated; returns dst. */
char *escape_text(char *dst, size_t cap, const char *src);

/* As a POSIX shell word, quoted only where needed.  Control bytes become \xHH inside $'...'. */
char *escape_shell(char *dst, size_t cap, const char *src);

#endif
