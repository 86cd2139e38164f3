/* change/object.h - bytes as git's patches carry them.  Pure.
 */
#ifndef BAWN_CHANGE_OBJECT_H
#define BAWN_CHANGE_OBJECT_H

#include <stdint.h>

#include "base/macro.h"
#include "base/sha1.h"

/* The raw digest of data alone (for tests; SHA-256's are in test-base). */
void object_sha1(const void *data, size_t n, unsigned char ret[static SHA1_LEN]);

/* One direction of a "GIT binary patch": "literal N", the bytes as a zlib stream of stored blocks
 * in git's base 85, and an empty line.  put: called with pieces; its first failure ends it. */
typedef int (*object_put)(void *ctx, const char *text, size_t n);
int object_literal(const void *data, size_t n, object_put put, void *ctx);

#endif
