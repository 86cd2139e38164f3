/* base/link-owners.h - whose links and FIFOs are, by their paths: what no attribute can say.
 *
 * Owns: the list, and its text: "UID GID MODE PATH", mode in octal, each ended by a NUL.
 * Must not: open anything.
 */
#ifndef BAWN_BASE_LINK_OWNERS_H
#define BAWN_BASE_LINK_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct link_owners;
struct link_owner {
	uint32_t uid, gid, mode; /* mode: 07777 */
};

/* NULL: out of memory. */
struct link_owners *link_owners_new(void);
/* path is relative to the root; of several with one path the last counts. */
int link_owners_add(struct link_owners *l, const char *path, const struct link_owner *o);
/* When all are added. */
void link_owners_settle(struct link_owners *l);
bool link_owners_find(const struct link_owners *l, const char *path, struct link_owner *ret);
void link_owners_free(struct link_owners *l);

/* All of text's, settled.  0, -ENOMEM, or -EBADMSG: it is no such text. */
int link_owners_parse(const char *text, size_t n, struct link_owners **ret, struct err *err);
/* One by one, as they are in text: 1; 0 behind the last one. */
int link_owners_each(
	const struct link_owners *l, size_t i, const char **ret_path, struct link_owner *ret);

#endif
