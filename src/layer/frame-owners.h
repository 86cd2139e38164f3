/* layer/frame-owners.h - what a layer's frame alone knows of its links and FIFOs: whose they are.
 *
 * Owns: reading a frame as the tar that it is of.  Must not: open anything.
 */
#ifndef BAWN_LAYER_FRAME_OWNERS_H
#define BAWN_LAYER_FRAME_OWNERS_H

#include "base/link-owners.h"

/* fd: of a frame.  *ret: the entries of that tar that are links or FIFOs.  0 or -errno. */
int frame_owners_read(int fd, struct link_owners **ret, struct err *err);

#endif
