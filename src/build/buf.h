/* build/buf.h - text that grows while it is put together.
 *
 * After a failure nothing more is added, and buf_take() says so; no call in between need look.
 */
#ifndef BAWN_BUILD_BUF_H
#define BAWN_BUILD_BUF_H

#include "base/arena.h"

#define BUF_MAX ((size_t)4 << 20) /* no text of a build grows past this */

struct buf {
	char *s; /* NUL behind it, or NULL while nothing was added */
	size_t n, cap;
	bool failed;
};

void buf_add(struct buf *b, const char *s, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_free(struct buf *b);
/* A copy in the arena; b is empty then.  NULL: out of memory, or longer than BUF_MAX. */
char *buf_take(struct arena *a, struct buf *b);

#define _cleanup_buf_ _cleanup_(buf_free)

#endif
