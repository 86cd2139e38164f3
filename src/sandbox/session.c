/* sandbox/session.c - see session.h */
#include "sandbox/session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

#define SOCKET_NAME "control.sock"
#define PEER_PIDFD 77 /* SO_PEERPIDFD, which older headers don't have */

void session_signals(sigset_t *ret)
{
	static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
		SIGWINCH, SIGCONT, SIGTSTP};
	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
		sigaddset(ret, passed_on[i]);
}

/* A path of any length: by way of the directory's descriptor. */
static void address(int dirfd, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/" SOCKET_NAME, dirfd);
}

int session_listen(int dirfd, struct err *err)
{
	struct sockaddr_un a;
	address(dirfd, &a);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	/* The lock is ours: what is there was left by one that was killed. */
	if (unlinkat(dirfd, SOCKET_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "remove a stale " SOCKET_NAME);
	mode_t old = umask(0177);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(old);
	if (r == 0 && listen(fd, 64) < 0)
		r = -errno;
	return r < 0 ? err_sys(err, -r, "listen on " SOCKET_NAME) : TAKE_FD(fd);
}

void session_unlisten(int dirfd)
{
	unlinkat(dirfd, SOCKET_NAME, 0);
}

int session_accept(int listener)
{
	_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t n = sizeof(peer);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return -errno;
	if (peer.uid != geteuid() && !GUARD_REMOVED("peer"))
		return -EPERM;
	return TAKE_FD(fd);
}

int session_connect_within(int dirfd, int ms, struct err *err)
{
	struct sockaddr_un a;
	address(dirfd, &a);
	const struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	if (ms) /* a queue that nobody empties becomes full */
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return TAKE_FD(fd);
	if (errno == ECONNREFUSED || errno == ENOENT)
		return -errno;
	return err_sys(err, errno, "reach the sandbox's supervisor");
}

int session_connect(int dirfd, struct err *err)
{
	return session_connect_within(dirfd, 0, err);
}

int session_kill(int sock)
{
	/* The kernel's note of who called listen(2): a process, not a number, since Linux 6.5.
	 * Before, the number can't have become another's while the connection is not broken. */
	struct ucred peer;
	struct pollfd p = {.fd = sock};
	int pidfd = -1;
	socklen_t n = sizeof(pidfd), len = sizeof(peer);
	if (getsockopt(sock, SOL_SOCKET, PEER_PIDFD, &pidfd, &n) < 0) {
		if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
			return -errno;
		pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
		if (pidfd < 0 || poll(&p, 1, 0) != 0) {
			int e = pidfd < 0 ? errno : ESRCH;
			if (pidfd >= 0)
				close(pidfd);
			return -e;
		}
	}
	int r = syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
	close(pidfd);
	return r;
}

int session_send(int sock, const struct session_msg *m, const int *fds, size_t nfds)
{
	struct session_msg copy = *m;
	copy.magic = SESSION_MAGIC;
	return fd_send(sock, &copy, sizeof(copy), fds, nfds);
}

int session_recv(int sock, struct session_msg *ret, int ret_fds[8], size_t *ret_nfds)
{
	ssize_t n = fd_recv(sock, ret, sizeof(*ret), ret_fds, 8, ret_nfds);
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return (int)n;
	if ((size_t)n != sizeof(*ret) || ret->magic != SESSION_MAGIC) {
		for (size_t i = 0; i < *ret_nfds; i++)
			close(ret_fds[i]);
		*ret_nfds = 0;
		return -EBADMSG;
	}
	ret->text[sizeof(ret->text) - 1] = '\0';
	return 1;
}

void session_error(struct session_msg *m, const struct err *err, int code)
{
	m->kind = SESSION_FAILED;
	m->value = err->code;
	m->code = (uint8_t)code;
	size_t n = strlen(err->msg) + 1;
	memcpy(m->text, err->msg, n);
	snprintf(m->text + n, sizeof(m->text) - n, "%s", err->hint);
}

int session_take_error(const struct session_msg *m, struct err *err)
{
	size_t n = strlen(m->text) + 1;
	if (n < sizeof(m->text) && m->text[n])
		err_hint(err, "%.500s", m->text + n);
	return err_set(err, m->value > 0 ? m->value : EIO, "%.700s", m->text);
}
