/* vault/buf.h - bytes on their way: appended at one end, eaten at the other, no memory while empty.
 *
 * What is given back is erased first, as it may have held a secret.
 */
#ifndef BAWN_VAULT_BUF_H
#define BAWN_VAULT_BUF_H

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

struct buf {
	char *p;
	size_t at, n, cap; /* n bytes from p + at on */
	size_t top;        /* nothing was ever put behind it */
};

static inline char *buf_data(const struct buf *b)
{
	return b->p + b->at;
}

/* Room for n more bytes behind what is there, or NULL.  buf_grew() says how many were put there. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

/* Append.  0 or -ENOMEM. */
int buf_add(struct buf *b, const void *data, size_t n);
int buf_addf(struct buf *b, const char *fmt, ...) _printf_(2, 3);

void buf_eat(struct buf *b, size_t n); /* drop the first n bytes */
void buf_trim(struct buf *b);          /* give the memory back if nothing is in it */
void buf_free(struct buf *b);

#endif
