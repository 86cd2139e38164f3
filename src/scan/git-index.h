/* scan/git-index.h - which paths git tracks: the index file, formats 2, 3 and 4
 * (gitformat-index(5)), read as hostile bytes.  Pure.
 */
#ifndef BAWN_SCAN_GIT_INDEX_H
#define BAWN_SCAN_GIT_INDEX_H

#include <stdint.h>

#include "base/arena.h"

/* A path to look up; found is set when it is in the index, or, for a directory (dir), when
 * something below it is. */
struct git_index_query {
	const char *path; /* relative to the work tree */
	bool dir;
	bool found;
	uint8_t n_object;         /* 20 or 32 where the path itself is in the index, else 0 */
	unsigned char object[32]; /* ... its object's raw name */
	size_t user;              /* the caller's own */
};

/* A split index (git update-index --split-index): the rest is in "sharedindex.<name>", of which the
 * entries set in deleted no longer count, and those set in replaced are, but for their name, what
 * the index has instead, in the same order and without one. */
struct git_index_split {
	char shared[65];                   /* hex, "" when there is none */
	unsigned char *deleted, *replaced; /* one byte an entry; malloc'ed, may be NULL */
	size_t n_deleted, n_replaced;
};
void git_index_split_free(struct git_index_split *s);

/* q need not be sorted (it will be, in memcmp order of path).  hash_len: 20 (SHA-1) or 32.
 * of: data is the shared file of this split index; NULL for an index itself.  ret_split may be
 * NULL.  -EBADMSG when the bytes are no index; then nothing is set. */
int git_index_lookup(const void *data, size_t n, size_t hash_len, struct git_index_query *q,
	size_t n_q, const struct git_index_split *of, struct git_index_split *ret_split,
	struct err *err);

/* Every entry of stage 0: its path, its mode as git writes it, its object's raw name of hash_len
 * bytes.  ret_split as above: what is in a shared file is not visited.  fn's failure ends it. */
typedef int (*git_index_fn)(
	void *ctx, const char *path, uint32_t mode, const unsigned char *object);
int git_index_each(const void *data, size_t n, size_t hash_len, git_index_fn fn, void *ctx,
	struct git_index_split *ret_split, struct err *err);

/* Is this a path that git writes nowhere: absolute, with an empty, a "." or a ".." component, or
 * with ".git" in any case?  (A sparse index has directories, with a slash at the end.) */
bool git_path_odd(const char *path);
/* Does an entry of any stage have such a path?  git takes what its index names as it stands, and an
 * empty file for an index without entries.  Both lengths of hash are tried.  1: yes, *ret (ret_n
 * bytes, cut to fit) is the first; 0; -EBADMSG. */
int git_index_odd(const void *data, size_t n, char *ret, size_t ret_n);
/* Every entry of which git is told not to look at the file (git update-index --assume-unchanged,
 * --skip-worktree): what is changed there, no status and no diff shows.  A path with a slash at its
 * end is a directory of a sparse index, all of it.  shared: the other file of a split index; where
 * that is NULL, path is NULL once if something in it is unseen.  -EBADMSG as above. */
typedef void (*git_index_unseen_fn)(void *ctx, const char *path);
int git_index_unseen(const void *data, size_t n, const void *shared, size_t n_shared,
	git_index_unseen_fn fn, void *ctx);
/* The name of that other file; false: there is none. */
enum { GIT_INDEX_SHARED_MAX = 80 };
bool git_index_shared(const void *data, size_t n, char ret[static GIT_INDEX_SHARED_MAX]);
/* Has it notes of which new files there are in each directory (core.untrackedCache)?  git status
 * looks into none whose times fit them. */
bool git_index_untracked(const void *data, size_t n);
/* Odd names for MERGE_RR (records of "HEX TAB PATH NUL"), n bytes with a NUL behind them: git
 * copies what it names, as it stands in the work tree, into rr-cache. */
bool git_merge_rr_odd(const char *text, size_t n);

#endif
