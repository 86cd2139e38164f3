/* base/digest.c - see digest.h */
#include "base/digest.h"

#include <inttypes.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

struct digest digest_of(const void *data, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(data, n);
	return (struct digest){.lo = h.low64, .hi = h.high64};
}

struct digest digest_add(struct digest d, const void *data, size_t n)
{
	const struct digest both[] = {d, digest_of(data, n)};
	return digest_of(both, sizeof(both));
}

bool digest_eq(struct digest a, struct digest b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

char *digest_hex(struct digest d, char ret[static 33])
{
	snprintf(ret, 33, "%016" PRIx64 "%016" PRIx64, d.hi, d.lo);
	return ret;
}
