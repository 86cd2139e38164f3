/* login/lock.c - see lock.h */
#include "login/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

enum { LOCK_S = 90 };

int login_lock(const char *dir, const char *name, struct err *err)
{
	char path[4096];
	const struct timespec nap = {.tv_nsec = 20000000};
	const time_t until = time(NULL) + LOCK_S;
	snprintf(path, sizeof(path), "%s/%s.lock", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	while (!GUARD_REMOVED("login-lock") && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR || (errno == EWOULDBLOCK && time(NULL) < until)) {
			nanosleep(&nap, NULL);
			continue;
		}
		int e = errno;
		close(fd);
		return err_sys(err, e, "%s", path);
	}
	return fd;
}
