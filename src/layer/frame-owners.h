/* layer/frame-owners.h - what a layer's frame alone knows of its links and FIFOs: whose they are.
 *
 * Owns: reading a frame as the tar that it is of.  Must not: open anything.
 */
#ifndef BAWN_LAYER_FRAME_OWNERS_H
#define BAWN_LAYER_FRAME_OWNERS_H

#include <stdint.h>

#include "base/err.h"

struct frame_owners;
struct frame_owner {
	uint32_t uid, gid, mode; /* mode: 07777 */
};

/* fd: of a frame.  0 or -errno. */
int frame_owners_read(int fd, struct frame_owners **ret, struct err *err);
/* The last entry of that tar that is a link or a FIFO called path (relative to the root). */
bool frame_owners_find(const struct frame_owners *o, const char *path, struct frame_owner *ret);
void frame_owners_free(struct frame_owners *o);

#endif
