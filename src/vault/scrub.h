/* vault/scrub.h - taking secrets out of what comes back, wherever a read or a chunk is cut.
 *
 * Each one found becomes as many "*", so that no length changes.  What may be the start of one is
 * held back until it is known; all else goes on at once.  A secret is looked for as it was sent and
 * as others write it down: in base64 (whatever stands before it, as in "user:secret"), hex,
 * percent-encoded, in a JSON string.  One that an upstream compresses or takes apart is not found.
 *
 * Theory of operation.  All patterns are searched for at once (Wu and Manber): a table says for
 * each two bytes how far on the next place is where a pattern may start, so most bytes of a long
 * body are never looked at, and it makes no difference how many patterns there are.
 */
#ifndef BAWN_VAULT_SCRUB_H
#define BAWN_VAULT_SCRUB_H

#include "vault/buf.h"

#define SCRUB_MAX 1024  /* patterns */
#define SCRUB_MIN_LEN 4 /* a shorter one would be found everywhere */

struct scrub {
	struct {
		const char *p;
		size_t n;
	} v[SCRUB_MAX]; /* the longest first: one may be a part of another */
	size_t n;
	size_t least;        /* length of the shortest, as far as the table counts */
	uint8_t skip[65536]; /* by two bytes, at the end of a window of that length */
};

/* The bytes stay the caller's.  -EINVAL: too short, or too many. */
int scrub_add(struct scrub *s, const char *p, size_t n);
/* After the last of them, and before the first search. */
void scrub_ready(struct scrub *s);

/* Blank every whole secret in buf[n]; returns how many bytes from the front are decided: all, where
 * nothing comes behind them (last). */
size_t scrub_run(const struct scrub *s, char *buf, size_t n, bool last);

/* One more piece of a stream: *held is what the last one left (start with an empty one).  What is
 * decided is appended to out; all is, with last.  0 or -ENOMEM. */
int scrub_feed(const struct scrub *s, struct buf *held, const char *p, size_t n, bool last,
	struct buf *out);

/* ---- forms in which a secret is written down ---- */

#define SCRUB_FORMS 12
#define SCRUB_FORM_MIN_LEN 8 /* of a form: a shorter one would be found by chance */

/* Form i of the secret, at dst, which has room for 3 * n + 8 bytes: its length, or 0 where there is
 * none that differs from those before. */
size_t scrub_form(unsigned int i, const char *secret, size_t n, char *dst);

#endif
