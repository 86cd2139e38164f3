/* base/share.h - is a file on a server's file system, which others change without this kernel?
 *
 * Light: libc only; allocates nothing.
 */
#ifndef BAWN_BASE_SHARE_H
#define BAWN_BASE_SHARE_H

#include "base/macro.h"

/* NFS, CIFS, 9p, virtiofs and other FUSE, and the like.  fd: of a file on it, O_PATH will do. */
bool share_is(int fd);

#endif
