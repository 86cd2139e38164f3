/* run/run-clock.c - by whose clock a directory's files say when they changed; see run.h.
 *
 * What a session changed is told by times of change, which nothing inside can set.  On a share the
 * server sets them: where its clock is behind, what was changed in the first seconds of a session
 * would seem older than that.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/share.h"
#include "run/run.h"

#define SECOND 1000000000
/* Some keep whole or even seconds. */
#define COARSE ((uint64_t)2 * SECOND)

static int64_t ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * SECOND + t->tv_nsec;
}

/* Only what is made there tells the time there. */
uint64_t run_clock_behind(const char *path)
{
	char name[32];
	struct timespec here;
	struct stat there;
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !share_is(dir))
		return 0;
	snprintf(name, sizeof(name), ".bawn-clock-%d", (int)getpid());
	_cleanup_close_ int fd = openat(
		dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return COARSE;
	bool known = clock_gettime(CLOCK_REALTIME, &here) == 0 && fstat(fd, &there) == 0;
	unlinkat(dir, name, 0);
	int64_t behind = known ? ns(&here) - ns(&there.st_ctim) : 0;
	return (behind > 0 ? (uint64_t)behind : 0) + COARSE;
}
