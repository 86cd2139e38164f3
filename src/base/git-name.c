/* base/git-name.c - see git-name.h */
#include "base/git-name.h"

#include <stdio.h>

#include "base/sha1.h"
#include "base/sha256.h"

void git_blob_name(const void *data, size_t n, unsigned int hash_len, char ret[static GIT_NAME_MAX])
{
	char head[32];
	size_t len = (size_t)snprintf(head, sizeof(head), "blob %zu", n) + 1;
	if (hash_len != SHA1_LEN) {
		struct sha256 s;
		sha256_begin(&s);
		sha256_add(&s, head, len);
		sha256_add(&s, data, n);
		sha256_end(&s, ret);
		return;
	}
	struct sha1 s;
	unsigned char raw[SHA1_LEN];
	sha1_begin(&s);
	sha1_add(&s, head, len);
	sha1_add(&s, data, n);
	sha1_raw(&s, raw);
	for (size_t i = 0; i < SHA1_LEN; i++)
		snprintf(ret + 2 * i, 3, "%02x", raw[i]);
}
