/* init/init-overlay.c - see init-overlay.h
 *
 * Theory of operation.  Layers are named to the kernel by descriptors, as /proc/self/fd/N: a path
 * of any length and with any character in it (overlayfs splits at colons and commas), resolved
 * once, by us, with no link followed.  fsconfig(2) takes strings of at most 255 bytes and mount(2)
 * a page of options: a layer is 17 bytes of the latter, so that OVERLAY_LOWER_MAX of them fit.  It
 * also keeps the host's paths out of /proc/self/mountinfo inside.
 *
 * A descriptor itself (FSCONFIG_SET_FD) would have the kernel write the path down.
 *
 * "lowerdir+" is known since Linux 6.7.  Whoever doesn't know it says EINVAL; before 5.2 there is
 * no fsopen(2) at all.
 */
#include "init/init-overlay.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "base/path.h"
#include "plan/plan.h"

#define PLACE_MAX 32
#define PAGE_LEAST 4096

static int open_layer(const char *path)
{
	return path_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS);
}

/* The directory that DIR/ID/fs lies in; kept, as most layers lie beside each other. */
static int open_beside(struct overlay *o, const char *path)
{
	const char *end = path + strlen(path);
	for (unsigned slashes = 0; slashes < 2 && end > path; slashes++)
		do
			end--;
		while (end > path && *end != '/');
	const size_t n = (size_t)(end - path);
	if (n == 0 || n >= PATH_MAX)
		return open_layer(path);
	if (o->beside < 0 || strncmp(o->beside_path, path, n) != 0 || o->beside_path[n]) {
		char dir[PATH_MAX];
		memcpy(dir, path, n);
		dir[n] = '\0';
		int fd = open_layer(dir);
		if (fd < 0)
			return fd;
		if (o->beside >= 0)
			close(o->beside);
		free(o->beside_path);
		o->beside = fd;
		o->beside_path = strdup(dir);
		if (!o->beside_path)
			return -ENOMEM;
	}
	return path_openat2(o->beside, end + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
}

int overlay_add(struct overlay *o, const char *path)
{
	if (o->n == OVERLAY_LOWER_MAX)
		return -E2BIG;
	int fd = open_beside(o, path);
	if (fd < 0)
		return fd;
	o->lower[o->n++] = fd;
	return 0;
}

int overlay_open_upper(struct overlay *o, const char *pair)
{
	char upper[PATH_MAX];
	const char *end = strchr(pair, '\n');
	if (!end || (size_t)(end - pair) >= sizeof(upper))
		return -EINVAL;
	memcpy(upper, pair, (size_t)(end - pair));
	upper[end - pair] = '\0';
	o->upper = open_layer(upper);
	if (o->upper < 0)
		return o->upper;
	o->work = open_layer(end + 1);
	return o->work < 0 ? o->work : 0;
}

void overlay_release(struct overlay *o)
{
	for (size_t i = 0; i < o->n; i++)
		close(o->lower[i]);
	if (o->upper >= 0)
		close(o->upper);
	if (o->work >= 0)
		close(o->work);
	if (o->beside >= 0)
		close(o->beside);
	free(o->beside_path);
	*o = OVERLAY_NONE;
}

static const char *place(int fd, char buf[static PLACE_MAX])
{
	snprintf(buf, PLACE_MAX, "/proc/self/fd/%d", fd);
	return buf;
}

static int set(int fs, const char *key, int fd)
{
	char path[PLACE_MAX];
	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, place(fd, path), 0) < 0 ? -errno
											   : 0;
}

int overlay_tree(const struct overlay *o, uint32_t flags)
{
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	for (size_t i = 0; i < o->n; i++) {
		int r = set(fs, "lowerdir+", o->lower[i]);
		if (r == -EINVAL || r == -ENOSYS)
			return -EOPNOTSUPP;
		if (r < 0)
			return r;
	}
	int r = o->upper < 0 ? 0 : set(fs, "upperdir", o->upper);
	if (r == 0 && o->upper >= 0)
		r = set(fs, "workdir", o->work);
	if (r < 0)
		return r;
	if ((flags & MOUNT_FLEETING &&
		    syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0) ||
		syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
		syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int tree = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	return tree < 0 ? -errno : tree;
}

int overlay_mount(const struct overlay *o, int point, uint32_t flags)
{
	char opts[PAGE_LEAST], path[PLACE_MAX];
	size_t n = (size_t)snprintf(
		opts, sizeof(opts), "userxattr,%s", flags & MOUNT_FLEETING ? "volatile," : "");
	if (o->upper >= 0) {
		n += (size_t)snprintf(
			opts + n, sizeof(opts) - n, "upperdir=%s,", place(o->upper, path));
		n += (size_t)snprintf(
			opts + n, sizeof(opts) - n, "workdir=%s,", place(o->work, path));
	}
	n += (size_t)snprintf(opts + n, sizeof(opts) - n, "lowerdir=");
	for (size_t i = 0; i < o->n && n < sizeof(opts); i++)
		n += (size_t)snprintf(
			opts + n, sizeof(opts) - n, "%s%s", i ? ":" : "", place(o->lower[i], path));
	if (n >= sizeof(opts))
		return -E2BIG;
	unsigned long how = (GUARD_REMOVED("nosuid") ? 0 : MS_NOSUID) |
		(flags & MOUNT_DEVICES || GUARD_REMOVED("nodev") ? 0 : MS_NODEV) |
		(flags & MOUNT_NOEXEC ? MS_NOEXEC : 0) |
		(flags & MOUNT_RO && !GUARD_REMOVED("read-only") ? MS_RDONLY : 0);
	return mount("overlay", place(point, path), "overlay", how, opts) < 0 ? -errno : 0;
}
