/* base/fd.h - reading, writing and passing file descriptors.
 *
 * Every descriptor this project opens is close-on-exec from birth.
 */
#ifndef BAWN_BASE_FD_H
#define BAWN_BASE_FD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Most descriptors one message may carry (the kernel's own limit is 253, unix(7)). */
#define FD_PASS_MAX 16

/* Write all n bytes, restarting on EINTR and short writes.  0 or -errno. */
int fd_write_all(int fd, const void *data, size_t n);

/* Read until n bytes or end of file.  Bytes read, or -errno. */
ssize_t fd_read_full(int fd, void *data, size_t n);

/* The same from offset at on, for a file; its position stays. */
ssize_t fd_pread_full(int fd, void *data, size_t n, off_t at);

/* Send n bytes (may not be 0) with nfds descriptors by SCM_RIGHTS.  0 or -errno. */
int fd_send(int sock, const void *data, size_t n, const int *fds, size_t nfds);

/* Receive one message.  ret_fds gets at most max_fds descriptors (close-on-exec), *ret_nfds how
 * many; descriptors beyond max_fds are closed.  Bytes read, 0 at end of file, or -errno. */
ssize_t fd_recv(int sock, void *data, size_t n, int *ret_fds, size_t max_fds, size_t *ret_nfds);

/* A sealed memfd that holds a copy of data.  fd or -errno. */
int fd_memfd_sealed(const char *name, const void *data, size_t n, struct err *err);

/* What was printed is out, or said to be not: a listing that a full disk has cut off must not look
 * like a whole one.  Whoever reads no more has what he wanted (head -n 1).  0 or -errno. */
int fd_flush_stdout(struct err *err);

/* Make sure 0, 1 and 2 are open (on /dev/null where closed), so that nothing we open later lands
 * there.  0 or -errno. */
int fd_fix_stdio(struct err *err);

int fd_set_nonblock(int fd);

#endif
