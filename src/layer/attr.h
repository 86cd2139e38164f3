/* layer/attr.h - what one user can't have on disk, kept in extended attributes (layer.h says
 * which).
 */
#ifndef BAWN_LAYER_ATTR_H
#define BAWN_LAYER_ATTR_H

#include <sys/stat.h>

#include "base/kept-mode.h"
#include "layer/layer.h"
#include "layer/tar.h"

#define ATTR_OWNER "user.rootlesscontainers"
#define ATTR_MODE KEPT_MODE_ATTR
#define ATTR_OTHER "user.bawn.xattr."
#define ATTR_NODE "user.bawn.node"
#define ATTR_OPAQUE "user.overlay.opaque"
#define ATTR_ORIGIN "user.overlay.origin"
#define ATTR_IMPLIED                                                                               \
	"user.bawn.implied" /* of a tree that is no layer: to be compared, or copied               \
			     */

/* The permission bits that a file or directory of this recorded mode gets on disk. */
mode_t attr_disk_mode(uint32_t mode, bool dir);

/* The mode to make it with, if the umask is 0: that one, unless it would keep attributes off. */
mode_t attr_first_mode(const struct tar_entry *e);

/* All of e's (a file, a device node or a directory) on fd, with mode and time; anew: it was
 * made with attr_first_mode().  What does not fit is noted. */
int attr_set(int fd, const struct tar_entry *e, bool anew, struct layer_counts *c, struct err *err);
int attr_set_opaque(int fd, struct err *err);
bool attr_is_opaque(int fd);
/* A directory that has whiteouts: overlayfs looks for them in one that it merges, and in one that
 * says it was copied up; of any other, alone in its place, it would list them as names that nothing
 * is behind.  An empty value is the kernel's own for "copied up, nobody knows from where". */
int attr_set_whiteouts(int fd, struct err *err);
int attr_set_implied(int fd, struct err *err);
bool attr_is_implied(int fd);
/* What the directory says of name, a link or a FIFO in it (base/name-owners.h). */
bool attr_link_owner(int dir, const char *name, uint32_t *ret_uid, uint32_t *ret_gid);
void attr_forget_links(int dir);

/* Filled by attr_get; strings lie in the buffers. */
struct attr_buf {
	char names[32768];
	char values[65536 + 8192];
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	bool has_owner;
};
/* The other way: what fd (st is its own) is in a tar.  Sets e's type, mode, uid, gid, major, minor,
 * xattrs; uid and gid stay as they are where nothing is said of them. */
int attr_get(
	int fd, const struct stat *st, struct attr_buf *buf, struct tar_entry *e, struct err *err);

#define ATTR_ID_NOOP UINT32_MAX /* says nothing */
/* The protobuf of user.rootlesscontainers: bytes written into to[12]; whether it could be read. */
size_t attr_owner_put(unsigned char *to, uint32_t uid, uint32_t gid);
bool attr_owner_get(const unsigned char *p, size_t n, uint32_t *ret_uid, uint32_t *ret_gid);

#endif
