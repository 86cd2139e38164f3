/* base/git-name.h - the name that git gives a file's content (gitformat-pack(5), "blob"). */
#ifndef BAWN_BASE_GIT_NAME_H
#define BAWN_BASE_GIT_NAME_H

#include <stddef.h>

#define GIT_NAME_MAX 65 /* hex digits of SHA-256, and a NUL */

/* In hex; hash_len 20 (SHA-1) or 32 (SHA-256). */
void git_blob_name(
	const void *data, size_t n, unsigned int hash_len, char ret[static GIT_NAME_MAX]);

#endif
