/* base/dir-record.h - a directory's entries as the kernel tells them, many to a call:
 * getdents64(2).
 *
 * By number and with a shape of our own: glibc has getdents64() and no getdents(), musl has
 * getdents() and since 1.2.4 no getdents64(). */
#ifndef BAWN_BASE_DIR_RECORD_H
#define BAWN_BASE_DIR_RECORD_H

#include <errno.h>
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

/* The entries of fd one by one, from where it stands, with a buffer that is the caller's: a DIR is
 * memory that musl maps and unmaps for each directory.  Set fd, and n and at to 0. */
struct dir_reader {
	int fd;
	ssize_t n, at; /* n < 0: reading failed */
	_Alignas(struct dir_record) char buf[2048];
};

/* The next one that is neither "." nor "..", until the next call.  NULL: there is none (n == 0), or
 * reading failed (n < 0, errno). */
static inline const struct dir_record *dir_next(struct dir_reader *r)
{
	for (;;) {
		if (r->at >= r->n) {
			r->at = 0;
			r->n = dir_records(r->fd, r->buf, sizeof(r->buf));
			if (r->n < 0 && errno == ENOENT)
				r->n = 0; /* it is removed: there is nothing in it */
			if (r->n <= 0)
				return NULL;
		}
		const struct dir_record *d = (const void *)(r->buf + r->at);
		const char *name = d->d_name;
		r->at += d->d_reclen;
		if (name[0] != '.' || (name[1] && (name[1] != '.' || name[2])))
			return d;
	}
}

#endif
