/* base/fd.c - see fd.h */
#include "base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

int fd_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* at: -1 for read(2), which pipes and sockets take; pread(2) alone is all that some jails allow */
static ssize_t read_full(int fd, char *to, size_t n, off_t at)
{
	size_t got = 0;
	while (got < n) {
		ssize_t k = at < 0 ? read(fd, to + got, n - got)
				   : pread(fd, to + got, n - got, at + (off_t)got);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

ssize_t fd_read_full(int fd, void *data, size_t n)
{
	return read_full(fd, data, n, -1);
}

ssize_t fd_pread_full(int fd, void *data, size_t n, off_t at)
{
	return at < 0 ? -EINVAL : read_full(fd, data, n, at);
}

int fd_send(int sock, const void *data, size_t n, const int *fds, size_t nfds)
{
	if (nfds > FD_PASS_MAX || n == 0)
		return -EINVAL;

	union {
		char buf[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (nfds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	for (;;) {
		ssize_t k = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		return (size_t)k == n ? 0 : -EMSGSIZE;
	}
}

/* musl's CMSG_NXTHDR mixes signs; the lengths are the kernel's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wsign-compare"
static void take_rights(struct msghdr *msg, int *ret_fds, size_t max_fds, size_t *nfds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < k; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*nfds < max_fds)
				ret_fds[(*nfds)++] = fd;
			else
				close(fd);
		}
	}
}
#pragma GCC diagnostic pop

ssize_t fd_recv(int sock, void *data, size_t n, int *ret_fds, size_t max_fds, size_t *ret_nfds)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = data, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	ssize_t k;
	do
		k = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return -errno;

	size_t nfds = 0;
	take_rights(&msg, ret_fds, max_fds, &nfds);
	if (ret_nfds)
		*ret_nfds = nfds;
	return k;
}

int fd_memfd_sealed(const char *name, const void *data, size_t n, struct err *err)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys(err, errno, "memfd_create %s", name);
	int r = fd_write_all(fd, data, n);
	if (r == -EFBIG)
		err_hint(err,
			"the limit of a file's size is too low: ulimit -f unlimited raises it, as "
			"far as ulimit -Hf allows");
	if (r < 0)
		return err_sys(err, -r, "write memfd %s", name);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, errno, "seal memfd %s", name);
	return TAKE_FD(fd);
}

int fd_flush_stdout(struct err *err)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	int code = errno; /* or that of an earlier write, where nothing came between */
	if (code == EPIPE || (poll(&p, 1, 0) == 1 && p.revents & POLLERR))
		return 0;
	if (code != ENOSPC && code != EDQUOT && code != EFBIG)
		code = EIO;
	return err_sys(err, code, "write to standard output");
}

int fd_fix_stdio(struct err *err)
{
	for (;;) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, errno, "open /dev/null");
		if (fd > 2) {
			close(fd);
			return 0;
		}
		/* 0-2 are meant to be inherited. */
		if (fcntl(fd, F_SETFD, 0) < 0)
			return err_sys(err, errno, "fcntl %d", fd);
	}
}

int fd_set_nonblock(int fd)
{
	int fl = fcntl(fd, F_GETFL);
	if (fl < 0 || fcntl(fd, F_SETFL, fl | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}
