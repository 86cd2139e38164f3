/* change/object.h - names of git objects, and bytes as git's patches carry them.  Pure.
 */
#ifndef BAWN_CHANGE_OBJECT_H
#define BAWN_CHANGE_OBJECT_H

#include <stdint.h>

#include "base/macro.h"
#include "base/sha1.h"

#define OBJECT_HEX_MAX 65

/* The name git gives a file of these bytes, in hex; hash_len 20 (SHA-1) or 32 (SHA-256). */
void object_name(
	const void *data, size_t n, unsigned int hash_len, char ret[static OBJECT_HEX_MAX]);

/* The raw digest of data alone (for tests; SHA-256's are in test-base). */
void object_sha1(const void *data, size_t n, unsigned char ret[static SHA1_LEN]);

/* One direction of a "GIT binary patch": "literal N", the bytes as a zlib stream of stored blocks
 * in git's base 85, and an empty line.  put: called with pieces; its first failure ends it. */
typedef int (*object_put)(void *ctx, const char *text, size_t n);
int object_literal(const void *data, size_t n, object_put put, void *ctx);

#endif
