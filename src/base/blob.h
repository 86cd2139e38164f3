/* base/blob.h - a flat sequence of tagged records: how bawn's processes hand data to each other.
 *
 * Layout: struct blob_rec, len bytes, zero padding to 8.  Native byte order: writer and reader are
 * processes of one start on one machine (or a cache file of the same build, checked by digest).
 * A reader never trusts a length: blob_next() returns -EBADMSG when a record passes the end.
 */
#ifndef BAWN_BASE_BLOB_H
#define BAWN_BASE_BLOB_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct blob_rec {
	uint32_t tag;
	uint32_t len;
};

/* writer; grows by doubling up to max bytes (0: 64 MiB).  After a failure all calls fail. */
struct blob {
	char *data;
	size_t n, cap, max;
	bool failed;
};

/* Room for so many bytes at once: only a saving. */
void blob_expect(struct blob *b, size_t n);
int blob_put(struct blob *b, uint32_t tag, const void *data, size_t n);
/* A record of n bytes, which the caller fills before the next one; NULL: out of memory. */
char *blob_put_space(struct blob *b, uint32_t tag, size_t n);
int blob_put_str(struct blob *b, uint32_t tag, const char *s); /* with its NUL */
int blob_put_u64(struct blob *b, uint32_t tag, uint64_t v);
/* Several NUL-terminated strings as one record; NULL ends the list. */
int blob_put_strs(struct blob *b, uint32_t tag, const char *const *s, size_t n);
/* What need not be there is left out: a string that is NULL, a list without elements. */
int blob_put_opt(struct blob *b, uint32_t tag, const char *s);
int blob_put_strv(struct blob *b, uint32_t tag, const struct strv *v);
void blob_free(struct blob *b);

/* reader */
struct blob_iter {
	const char *p, *end;
};

struct blob_view {
	uint32_t tag;
	uint32_t len;
	const char *data;
};

void blob_iter_init(struct blob_iter *it, const void *data, size_t n);
/* 1 and *ret filled, 0 at the end, -EBADMSG on a malformed record. */
int blob_next(struct blob_iter *it, struct blob_view *ret);
/* The record as a NUL-terminated string, or NULL if it isn't one (no NUL inside, one at the end).
 */
const char *blob_str(const struct blob_view *v);
/* The next string of a blob_put_strs record; *pos starts at 0.  NULL at the end. */
const char *blob_strs_next(const struct blob_view *v, size_t *pos);
/* All of them, added to *ret in arena.  0 or -ENOMEM. */
int blob_strv(struct arena *a, const struct blob_view *v, struct strv *ret);
int blob_u64(const struct blob_view *v, uint64_t *ret);

#endif
