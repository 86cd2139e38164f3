/* base/sha1.h - SHA-1 (FIPS 180-4), for the names of git's objects.
 *
 * Plain C, no allocation, as base/sha256.h.  Two files of the same name can be made by whoever
 * makes both; what is believed of a name is only that nobody finds the one of a file they haven't
 * seen.
 */
#ifndef BAWN_BASE_SHA1_H
#define BAWN_BASE_SHA1_H

#include <stdint.h>

#include "base/macro.h"

#define SHA1_LEN 20

struct sha1 {
	uint32_t h[SHA1_LEN / 4];
	unsigned char block[64];
	uint64_t n;
};

void sha1_begin(struct sha1 *s);
void sha1_add(struct sha1 *s, const void *data, size_t n);
/* The digest; s is used up. */
void sha1_raw(struct sha1 *s, unsigned char ret[static SHA1_LEN]);

#endif
