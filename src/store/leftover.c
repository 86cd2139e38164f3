/* store/leftover.c - what may still run in a sandbox whose lock nobody has.
 *
 * Theory of operation.  A supervisor that is killed lets go of the lock at once, but the kernel
 * takes down what ran inside after that: for as long as it has much to free, processes are there
 * that write to the upper layers, and their mounts.  Whoever gets the lock waits for them.  The
 * last of them to go is pid 1, whose end the kernel holds back until all others are reaped.  It is
 * known by its number and the time it began, in a link's target: that takes no block of a full
 * disk, and is there whole or not at all.  A number that another program has by now has another
 * beginning.
 *
 * Nor has such a supervisor looked through the workspace for what was left in it.  Since when that
 * has not been done is the time of an empty file, 0 when it is done: a new inode for each session
 * would cost up to 2 ms, as ext4 looks long for one after many were freed.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "store/sandboxes.h"

#define LINK_NAME "pid1"
#define UNSEEN_NAME "unseen"
#define WAIT_MS 10000
#define FIELDS_BEFORE_START 19 /* of /proc/PID/stat, from the state on (proc(5)) */

/* When it began, in ticks since boot; 0: nobody knows. */
static uint64_t began(pid_t pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* its name may hold anything, but what is behind the last parenthesis is the kernel's */
	const char *p = strrchr(text, ')');
	p = p ? p + 1 : "";
	for (int i = 0; i <= FIELDS_BEFORE_START; i++) {
		p += strspn(p, " ");
		if (i < FIELDS_BEFORE_START)
			p += strcspn(p, " ");
	}
	return strtoull(p, NULL, 10);
}

int store_sandbox_note_init(const struct store_box *b, pid_t pid, struct err *err)
{
	char text[64];
	_cleanup_close_ int dir = open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "open %s", b->dir);
	snprintf(text, sizeof(text), "%d %" PRIu64, (int)pid, began(pid));
	unlinkat(dir, LINK_NAME, 0);
	if (symlinkat(text, dir, LINK_NAME) < 0)
		return err_sys(err, errno, "note what runs in sandbox %s", b->id);
	return 0;
}

int store_sandbox_leftover(int dir)
{
	char text[64], *end;
	ssize_t n = readlinkat(dir, LINK_NAME, text, sizeof(text) - 1);
	if (n <= 0 || GUARD_REMOVED("leftover"))
		return 0;
	text[n] = '\0';
	const pid_t pid = (pid_t)strtol(text, &end, 10);
	const uint64_t since = strtoull(end, NULL, 10);
	_cleanup_close_ int fd = pid > 1 && since ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	/* looked at only now, when the number can't become another's any more */
	if (fd >= 0 && began(pid) == since) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, WAIT_MS) == 0)
			return -EBUSY;
	}
	unlinkat(dir, LINK_NAME, 0);
	return 0;
}

static int open_box(const struct store_box *b)
{
	return open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int store_sandbox_note_unseen(const struct store_box *b, uint64_t since_ns, struct err *err)
{
	const struct timespec since = {.tv_sec = (time_t)(since_ns / 1000000000u),
		.tv_nsec = (long)(since_ns % 1000000000u)};
	const struct timespec times[] = {since, since};
	if (store_sandbox_unseen(b)) /* older, and says it all */
		return 0;
	_cleanup_close_ int dir = open_box(b);
	_cleanup_close_ int fd = dir < 0
		? -1
		: openat(dir, UNSEEN_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || futimens(fd, times) < 0)
		return err_sys(err, errno, "note when sandbox %s started", b->id);
	return 1;
}

uint64_t store_sandbox_unseen(const struct store_box *b)
{
	struct stat st;
	_cleanup_close_ int dir = open_box(b);
	if (dir < 0 || fstatat(dir, UNSEEN_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
}

void store_sandbox_seen(const struct store_box *b)
{
	static const struct timespec never[2];
	_cleanup_close_ int dir = open_box(b);
	if (dir >= 0)
		utimensat(dir, UNSEEN_NAME, never, AT_SYMLINK_NOFOLLOW);
}
