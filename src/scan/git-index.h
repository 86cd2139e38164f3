/* scan/git-index.h - which paths git tracks: the index file, formats 2, 3 and 4
 * (gitformat-index(5)), read as hostile bytes.  Pure.
 */
#ifndef BAWN_SCAN_GIT_INDEX_H
#define BAWN_SCAN_GIT_INDEX_H

#include "base/arena.h"

/* A path to look up; found is set when it is in the index, or, for a directory (dir), when
 * something below it is. */
struct git_index_query {
	const char *path; /* relative to the work tree */
	bool dir;
	bool found;
	size_t user; /* the caller's own */
};

/* q need not be sorted (it will be, in memcmp order of path).  hash_len: 20 (SHA-1) or 32.
 * *ret_shared gets the hex name of a split index's shared file ("sharedindex.<it>" must be looked
 * up too), else "".  -EBADMSG when the bytes are no index; then nothing is set. */
int git_index_lookup(const void *data, size_t n, size_t hash_len, struct git_index_query *q,
	size_t n_q, char ret_shared[static 65], struct err *err);

#endif
