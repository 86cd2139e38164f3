/* vault/scrub.h - taking secrets out of what comes back, wherever a read or a chunk is cut.
 *
 * Each secret found becomes as many "*", so that no length changes.  What may be the start of one
 * is held back until it is known; all else goes on at once.  It finds the bytes as they are sent: a
 * secret that an upstream compresses, encodes or takes apart first is not found.
 */
#ifndef BAWN_VAULT_SCRUB_H
#define BAWN_VAULT_SCRUB_H

#include "vault/buf.h"

#define SCRUB_MAX 128   /* patterns */
#define SCRUB_MIN_LEN 4 /* a shorter one would be found everywhere */

struct scrub {
	struct {
		const char *p;
		size_t n;
	} v[SCRUB_MAX];
	size_t n;
};

/* The bytes stay the caller's.  -EINVAL: too short, or too many. */
int scrub_add(struct scrub *s, const char *p, size_t n);

/* Blank every whole secret in buf[n]; returns how many bytes from the front are decided. */
size_t scrub_run(const struct scrub *s, char *buf, size_t n);

/* One more piece of a stream: *held is what the last one left (start with an empty one).  What is
 * decided is appended to out; all is, with last.  0 or -ENOMEM. */
int scrub_feed(const struct scrub *s, struct buf *held, const char *p, size_t n, bool last,
	struct buf *out);

#endif
