/* base/sha256.h - SHA-256 (FIPS 180-4), for the hash chain of the audit log, and for the names of
 * git's objects where a repository has them in it.
 *
 * Plain C, no allocation: it stands in bawn, which links nothing but libc.  Tested with NIST's
 * vectors (tests/unit/test-base.c).  No secret goes through it, so nothing is erased behind it.
 */
#ifndef BAWN_BASE_SHA256_H
#define BAWN_BASE_SHA256_H

#include <stdint.h>

#include "base/macro.h"

#define SHA256_HEX 64 /* digits, without a NUL */

struct sha256 {
	uint32_t h[8];
	uint64_t n; /* bytes so far */
	unsigned char block[64];
};

void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
/* Lower-case hex digits and a NUL; s is used up. */
char *sha256_end(struct sha256 *s, char ret[static SHA256_HEX + 1]);

/* All of it at once. */
char *sha256_hex(const void *data, size_t n, char ret[static SHA256_HEX + 1]);

#endif
