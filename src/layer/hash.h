/* layer/hash.h - SHA-256 of large streams, with OpenSSL's libcrypto (2 GB/s where the processor
 * helps; base/sha256.c does a tenth of that).
 */
#ifndef BAWN_LAYER_HASH_H
#define BAWN_LAYER_HASH_H

#include "base/err.h"

#define HASH_HEX 64

struct hash;
/* Before a process confines itself: libcrypto reads its configuration at the first call. */
int hash_init(struct err *err);
struct hash *hash_new(void); /* NULL: out of memory */
void hash_add(struct hash *h, const void *data, size_t n);
/* Lower-case digits and a NUL; h begins anew.  ret is empty if libcrypto has failed. */
void hash_end(struct hash *h, char ret[static HASH_HEX + 1]);
void hash_free(struct hash *h);

#endif
