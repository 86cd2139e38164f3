/* init/init-reapply.c - `bawn-init reapply`: guards that the host pulled away, put back.
 *
 * When the host renames a file over one that is masked, pinned or linked inside, the kernel takes
 * the mount on it away.  The supervisor then stops every process inside and starts this one: it
 * enters the sandbox's user and mount namespace (not its pid namespace: nothing inside sees it),
 * applies the guard rows of the plan again where they are missing, and is gone before anything runs
 * on.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "init/init.h"

/* Descriptors: 2 errors, 3 plan (guard rows only), 4 pidfd of the sandbox's pid 1. */
enum { REAPPLY_FD_PLAN = 3, REAPPLY_FD_PID = 4 };

/* Is dst still the root of a mount of its own?  statx(2), STATX_ATTR_MOUNT_ROOT (Linux 5.8). */
static bool is_mounted(int root, const char *dst)
{
	struct file_statx sx;
	_cleanup_close_ int fd = path_openat2(
		root, dst + 1, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, RESOLVE_BENEATH);
	return fd >= 0 && file_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx) == 0 &&
		(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* One row again.  The host goes on meanwhile: what it removes between our opening it and mounting
 * on it (ENOENT) is looked at afresh, as is what comes in its place.  Nothing there: nothing to
 * guard, and the watch sees it come back. */
static int reapply_row(int root, const struct wire_mount *row, struct err *err)
{
	enum { TRIES = 100 };
	struct wire_mount m = *row;
	m.flags |= MOUNT_OPTIONAL;
	for (int i = 1; !is_mounted(root, m.dst); i++) {
		struct err failure = {0};
		int r = mounts_apply_row(root, &m, &failure);
		if ((r == -ENOENT || r == -ESTALE) && i < TRIES)
			continue;
		if (r < 0)
			*err = failure;
		return r;
	}
	return 0;
}

static int reapply(const struct wire_plan *plan, struct err *err)
{
	if (setns(REAPPLY_FD_PID, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_sys(err, errno, "enter the sandbox's mount namespace");
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, errno, "open the sandbox's root");
	int r = 0;
	for (size_t i = 0; i < plan->head.n_mounts && r == 0; i++)
		r = reapply_row(root, &plan->mounts[i], err);
	return r;
}

int reapply_main(void)
{
	struct err err = {0};
	struct wire_plan plan;
	struct stat st;
	prctl(PR_SET_DUMPABLE, 0);
	if (fstat(REAPPLY_FD_PLAN, &st) < 0)
		return 125;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, REAPPLY_FD_PLAN, 0);
	if (p == MAP_FAILED || wire_read(p, (size_t)st.st_size, &plan, &err) < 0 ||
		reapply(&plan, &err) < 0) {
		dprintf(2, "bawn: %s\n", err.msg);
		return 125;
	}
	return 0;
}
