/* probe-mnt.c - class MNT.  On an ordinary machine run these under `unshare -m`. */
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include "probe.h"

/* linux/mount.h and sys/mount.h don't go together. */
#define MS_RDONLY_ 1L
#define MS_REMOUNT_ 32L
#define MS_BIND_ 4096L
#define MNT_DETACH_ 2L

static int do_mount(const char *src, const char *dst, const char *type, long flags)
{
	return result(syscall(SYS_mount, src, dst, type, flags, NULL));
}

static int remount(const struct probe *p, char **argv)
{
	(void)p;
	return do_mount(NULL, argv[0], NULL, MS_REMOUNT_ | MS_BIND_);
}

static int unmount(const struct probe *p, char **argv)
{
	(void)p;
	return result(syscall(SYS_umount2, argv[0], MNT_DETACH_));
}

static int bind_mount(const struct probe *p, char **argv)
{
	(void)p;
	return do_mount(argv[0], argv[1], NULL, MS_BIND_);
}

/* A directory of our own to mount on. */
static int fresh(const struct probe *p, char **argv)
{
	(void)argv;
	char dir[] = "/tmp/bawn-probe-XXXXXX";
	if (!mkdtemp(dir))
		return errno;
	int e = do_mount(p->path, dir, p->path, 0);
	if (e == 0)
		syscall(SYS_umount2, dir, MNT_DETACH_);
	rmdir(dir);
	return e;
}

static int open_tree(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return result(syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static int fsopen(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return result(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
}

static int set_attr(const struct probe *p, char **argv)
{
	(void)p;
	struct mount_attr a = {.attr_clr = MOUNT_ATTR_RDONLY};
	return result(syscall(SYS_mount_setattr, AT_FDCWD, argv[0], 0, &a, sizeof(a)));
}

static int fspick(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return result(syscall(SYS_fspick, AT_FDCWD, "/", FSPICK_CLOEXEC));
}

static int escape(void *ctx)
{
	(void)ctx;
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || syscall(SYS_chroot, "/tmp") < 0 || fchdir(root) < 0)
		return errno;
	return 0;
}

/* The classic way out of a chroot. */
static int chroot_escape(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return probe_in_child(escape, NULL);
}

#define CALL(name_, id_, nr_, reached_, ...)                                                       \
	{                                                                                          \
		.name = name_, .id = id_, .run = probe_call, .nr = nr_, .reached = reached_,       \
		.arg = { __VA_ARGS__ }                                                             \
	}

const struct probe probes_mnt[] = {
	{"remount-rw", "MNT-01", "PATH", .run = remount},
	{"umount", "MNT-02", "PATH", .run = unmount},
	{"bind", "MNT-03", "FROM TO", .run = bind_mount},
	{"chroot", "MNT-05", .run = chroot_escape},
	CALL("pivot_root", "MNT-05", SYS_pivot_root, EFAULT, 0, 0),
	{"fsopen", "MNT-09", .run = fsopen},
	CALL("fsconfig", "MNT-09", SYS_fsconfig, EINVAL, -1, 0, 0, 0, 0),
	CALL("fsmount", "MNT-09", SYS_fsmount, EINVAL, -1, 0x7fffffff, 0),
	{"fspick", "MNT-09", .run = fspick},
	{"open_tree", "MNT-09", .run = open_tree},
	CALL("move_mount", "MNT-09", SYS_move_mount, EFAULT, -1, 0, -1, 0, 0),
	{"mount_setattr", "MNT-09", "PATH", .run = set_attr},
	{"mount-tmpfs", "MNT-10", .run = fresh, .path = "tmpfs"},
	{"mount-proc", "PROC-11", .run = fresh, .path = "proc"},
	{"mount-sysfs", "MNT-10", .run = fresh, .path = "sysfs"},
	{"mount-devpts", "MNT-10", .run = fresh, .path = "devpts"},
	{"mount-cgroup2", "MNT-11", .run = fresh, .path = "cgroup2"},
	{0},
};
