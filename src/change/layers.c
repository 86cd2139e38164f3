/* change/layers.c - looking into the directories of an overlay without following anything
 *
 * Every path is opened by openat2(2) below the directory it belongs to, with no link and no mount
 * on the way, so that neither the agent (in the uppers, while it runs) nor a link of the workspace
 * can lead elsewhere.
 */
#include "change/change.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/dir-record.h"
#include "base/path.h"

int place_open(int root, const char *path, int flags)
{
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK | O_NOCTTY;
	return path_openat2(root, *path ? path : ".",
		(uint64_t)(unsigned int)(flags | O_CLOEXEC | O_NOFOLLOW), 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

int place_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	if (!slash)
		return place_open(root, "", O_PATH | O_DIRECTORY);
	_cleanup_free_ char *dir = strndup(path, (size_t)(slash - path));
	return dir ? place_open(root, dir, O_PATH | O_DIRECTORY) : -ENOMEM;
}

int place_stat(int root, const char *path, struct stat *ret)
{
	const char *name;
	_cleanup_close_ int dir = place_parent(root, path, &name);
	if (dir < 0)
		return dir;
	return fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int layer_fd(const struct change *c, int layer)
{
	return layer == LAYER_BASE ? c->base : c->upper[layer];
}

bool is_whiteout(int dirfd, const char *name, const struct stat *st, bool xwhite)
{
	char v;
	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	if (!xwhite || !S_ISREG(st->st_mode) || st->st_size != 0)
		return false;
	_cleanup_close_ int fd = place_open(dirfd, name, O_RDONLY);
	return fd >= 0 && fgetxattr(fd, "user.overlay.whiteout", &v, sizeof(v)) >= 0;
}

int dir_opaque(int fd)
{
	char v[2];
	ssize_t n = fgetxattr(fd, "user.overlay.opaque", v, sizeof(v));
	if (n == 1 && (v[0] == 'y' || v[0] == 'x'))
		return v[0];
	return n >= 0 || errno == ENODATA || errno == ENOTSUP || errno == ERANGE ? 0 : -errno;
}

bool is_foreign(int fd)
{
	static const char *const names[] = {"user.overlay.redirect", "user.overlay.metacopy"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fgetxattr(fd, names[i], NULL, 0) >= 0)
			return true;
	return false;
}

bool is_copied_up(int fd)
{
	return fgetxattr(fd, "user.overlay.origin", NULL, 0) >= 0;
}

enum change_type type_of(mode_t mode)
{
	return S_ISREG(mode)    ? CHANGE_FILE
		: S_ISLNK(mode) ? CHANGE_LINK
		: S_ISDIR(mode) ? CHANGE_DIR
				: CHANGE_SPECIAL;
}

int list_names(struct arena *a, int dirfd, struct strv *ret)
{
	_Alignas(8) char buf[32768];
	for (;;) {
		ssize_t n = dir_records(dirfd, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(const void *)(buf +
				o);
			o += d->d_reclen;
			if (streq(d->d_name, ".") || streq(d->d_name, ".."))
				continue;
			if (strv_add(a, ret, d->d_name) < 0)
				return -ENOMEM;
		}
	}
}
