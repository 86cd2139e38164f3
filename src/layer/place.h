/* layer/place.h - names of a tar, and where they are below a layer's root.
 */
#ifndef BAWN_LAYER_PLACE_H
#define BAWN_LAYER_PLACE_H

#include "layer/layer.h"
#include "layer/tar.h"

#define WHITEOUT ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META ".wh..wh."

/* name relative to the root, without "." and double slashes, "" for the root itself.  -EPERM for
 * absolute names and "..", -ENAMETOOLONG. */
int place_clean(
	const char *name, unsigned int depth, char ret[static TAR_PATH_MAX + 1], struct err *err);

/* The last component of a clean path; *ret_dir is how long what is before it is, without slash. */
const char *place_base(const char *path, size_t *ret_dir);

/* openat2 beneath dir, through no link, no other file system; "" is dir itself.  fd or -errno. */
int place_open(int dir, const char *path, int flags, mode_t mode);

#endif
