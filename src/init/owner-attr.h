/* init/owner-attr.h - the attribute that tells whose a file is meant to be.
 *
 * Format: protobuf, uint32 uid = 1; uint32 gid = 2, as rootless runtimes have agreed on it
 * (rootlesscontaine.rs).  Pure; allocates nothing.
 */
#ifndef BAWN_INIT_OWNER_ATTR_H
#define BAWN_INIT_OWNER_ATTR_H

#include <stdint.h>

#include <sys/stat.h>

#include "base/kept-mode.h"

#define OWNER_ATTR "user.rootlesscontainers"
#define OWNER_BYTES 12             /* the longest that is written */
#define OWNER_UNCHANGED UINT32_MAX /* chown(2)'s -1 */

struct owner {
	uint32_t uid, gid;
};

/* The mode that is meant, where a file on disk can't have it. */
#define MODE_ATTR KEPT_MODE_ATTR
#define MODE_BYTES 8

/* What MODE_ATTR says of a file with this mode on disk; where it counts no more, or is none, that.
 */
mode_t mode_meant(const char *text, size_t n, mode_t disk);

/* What of a program's mode a chown takes away. */
static inline mode_t mode_set_id(mode_t mode)
{
	return mode & (S_ISUID | (mode & S_IXGRP ? S_ISGID : 0u));
}

/* How many bytes. */
size_t owner_put(unsigned char to[static OWNER_BYTES], const struct owner *o);
/* What can't be read is 0. */
struct owner owner_get(const unsigned char *p, size_t n);

#endif
