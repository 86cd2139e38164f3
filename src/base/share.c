/* base/share.c - see share.h. */
#include "base/share.h"

#include <linux/magic.h>
#include <stdint.h>
#include <sys/vfs.h>

#define SMB2_MAGIC 0xfe534d42 /* of a later linux/magic.h */
#define CEPH_MAGIC 0x00c36400

bool share_is(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_MAGIC:
	case V9FS_MAGIC:
	case FUSE_SUPER_MAGIC:
	case AFS_SUPER_MAGIC:
	case AFS_FS_MAGIC:
	case CODA_SUPER_MAGIC:
	case CEPH_MAGIC:
		return true;
	default:
		return false;
	}
}
