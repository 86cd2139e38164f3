/* base/statx.h - statx(2): what stat(2) doesn't tell, as when a file was made and which mount it is
 * on.
 *
 * The shape is written out: musl before 1.2.5 has no struct statx, and since then one that ends
 * before stx_mnt_id and can't be had beside the kernel's (linux/stat.h). */
#ifndef BAWN_BASE_STATX_H
#define BAWN_BASE_STATX_H

#include <stdint.h>
#include <sys/stat.h>

struct file_statx_time {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t reserved;
};

/* struct statx of the kernel: the fields are those of statx(2), and so are their names. */
struct file_statx {
	uint32_t stx_mask; /* which of the fields asked for are filled in */
	uint32_t stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink, stx_uid, stx_gid;
	uint16_t stx_mode, reserved;
	uint64_t stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct file_statx_time stx_atime, stx_btime, stx_ctime, stx_mtime;
	uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	uint64_t stx_mnt_id; /* Linux 5.8 */
	uint64_t later[13];
};
_Static_assert(sizeof(struct file_statx) == 256, "the kernel fills in 256 bytes");

#ifndef STATX_TYPE
#define STATX_TYPE 0x1U
#define STATX_CTIME 0x80U
#define STATX_INO 0x100U
#define STATX_BTIME 0x800U
#endif
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* mask: STATX_*, of statx(2).  0 or -errno. */
int file_statx(int dirfd, const char *path, int flags, unsigned int mask, struct file_statx *ret);

#endif
