/* base/digest.h - a 128-bit content digest (XXH3, xxhash.com) for cache keys and cache integrity.
 *
 * Not cryptographic: it finds truncation, corruption and a file put under the wrong name.  Whoever
 * can write into the user's own cache directory is the user (SECURITY.md, "not defended").
 */
#ifndef BAWN_BASE_DIGEST_H
#define BAWN_BASE_DIGEST_H

#include <stdint.h>

#include "base/macro.h"

struct digest {
	uint64_t lo, hi;
};

struct digest digest_of(const void *data, size_t n);
/* One more piece: of pieces and their bounds, without laying them side by side. */
struct digest digest_add(struct digest d, const void *data, size_t n);
bool digest_eq(struct digest a, struct digest b);
/* 32 lower-case hex digits and a NUL. */
char *digest_hex(struct digest d, char ret[static 33]);

#endif
