/* policy/pack-format.h - how a pack lies on disk; shared by its writer and its reader.
 *
 * struct pack_head, then a blob (base/blob.h) of payload_len bytes, and nothing behind it.  Native
 * byte order; a pack of another build is compiled again, never converted.
 */
#ifndef BAWN_POLICY_PACK_FORMAT_H
#define BAWN_POLICY_PACK_FORMAT_H

#include <stdint.h>

#include "base/blob.h"
#include "base/cache-file.h"
#include "base/digest.h"
#include "policy/pack.h"

#define PACK_MAGIC "bawnpack"
#define PACK_FORMAT 6u
#define PACK_MAX_BYTES ((uint64_t)256 << 20)

struct pack_head {
	char magic[8];
	uint32_t format;
	uint32_t head_len;
	char version[16];      /* PACKAGE_VERSION, NUL-padded */
	struct digest key;     /* of the request; the file is named after it */
	struct digest payload; /* of everything behind the head */
	uint64_t payload_len;
};

enum pack_tag {
	PACK_SOURCE = 1, /* struct source_id, then the path with its NUL */
	PACK_NAME,       /* the profile's name */
	PACK_FILE,       /* the profile's file */
	PACK_HAS_SEED,   /* u64 */
	PACK_SUB,        /* strings: a subcommand, then its flags; one record each */
	PACK_EGRESS,     /* egress-table.h */
	PACK_SECCOMP,    /* struct sock_filter[] */
	PACK_NFT,
	PACK_RTNL,
	PACK_CREDENTIAL, /* request-table.h; one each */
	PACK_HTTP,       /* the same */
	PACK_USERNS,     /* u64: as many user namespaces may be made inside */
	PACK_KEY = 1000, /* + index in profile_keys[]: string, strings, or u64 for a bool */
};

/* The digest that names the pack of a request. */
int pack_request_key(struct arena *a, const struct pack_request *req, struct digest *ret);

/* path itself when absolute or a bare name (no slash), else below the current directory. */
char *pack_abs(struct arena *a, const char *path);

#endif
