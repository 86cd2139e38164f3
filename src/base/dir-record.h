/* base/dir-record.h - a directory's entries as the kernel tells them, many to a call:
 * getdents64(2).
 *
 * By number and with a shape of our own: glibc has getdents64() and no getdents(), musl has
 * getdents() and since 1.2.4 no getdents64(). */
#ifndef BAWN_BASE_DIR_RECORD_H
#define BAWN_BASE_DIR_RECORD_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct linux_dirent64 of getdents64(2); the next one begins d_reclen bytes on. */
struct dir_record {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type; /* DT_*, or DT_UNKNOWN */
	char d_name[];
};

/* Read the next records of directory fd into buf, `size` bytes, aligned as struct dir_record.
 * Returns the bytes filled, 0 at the directory's end, or -1 and errno. */
static inline ssize_t dir_records(int fd, void *buf, size_t size)
{
	return syscall(SYS_getdents64, fd, buf, size);
}

#endif
