/* init/init-mounts.c - the new root, row by row.
 *
 * Theory of operation.  The new root is a tmpfs that is mounted over a host directory no row ever
 * takes as its source (/sys), so that every source stays reachable until the pivot.  Sources are
 * resolved paths: they are opened with RESOLVE_NO_SYMLINKS, so a directory that somebody swapped
 * for a link since the plan was made is an error, not a way out.  Destinations are opened beneath
 * the new root with RESOLVE_NO_SYMLINKS, too: a workspace may hold hostile links.  All mounts are
 * private: nothing propagates, in either direction.
 *
 * Order: the rows are safe in the order of the plan because a row that covers part of an earlier
 * bind (pin, mask, link) stands behind it (plan_check), and because flags are set on the detached
 * clone before it is attached: there is no moment at which a read-only bind is writable.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/path.h"
#include "init/init-below.h"
#include "init/init.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static const char scratch_dir[] = ".bawn", image_dir[] = ".bawn-root";
static const char mask_file[] = ".bawn-mask", mask_dir[] = ".bawn-mask.d",
		  link_name[] = ".bawn-link";

static int fail(struct err *err, int code, const char *what, const char *path)
{
	char shown[512];
	escape_text(shown, sizeof(shown), path);
	code = code < 0 ? -code : code;
	if (code == ELOOP || code == ENOTDIR)
		err_hint(err,
			"a link or a file stands where a directory of that path has to be; where "
			"it was made "
			"inside, bawn undo NAME brings the home back, and bawn rm NAME begins a "
			"new one");
	return err_sys(err, code, "%s %s", what, shown);
}

static int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	long fd = syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

static int set_flags(int tree, uint32_t flags)
{
	struct mount_attr attr = {.attr_set = GUARD_REMOVED("nosuid") ? 0 : MOUNT_ATTR_NOSUID};
	if (!(flags & MOUNT_DEVICES) && !GUARD_REMOVED("nodev"))
		attr.attr_set |= MOUNT_ATTR_NODEV;
	if ((flags & MOUNT_RO) && !GUARD_REMOVED("read-only"))
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (flags & MOUNT_NOEXEC)
		attr.attr_set |= MOUNT_ATTR_NOEXEC;
	unsigned int at = AT_EMPTY_PATH | (flags & MOUNT_REC ? AT_RECURSIVE : 0);
	return syscall(SYS_mount_setattr, tree, "", at, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* A path of the plan relative to the new root. */
static const char *rel(const char *dst)
{
	return dst[1] ? dst + 1 : ".";
}

static int open_inside(const struct mounts *s, const char *dst, uint64_t flags)
{
	return path_openat2(s->root, rel(dst), flags | O_CLOEXEC | O_NOFOLLOW, 0, INSIDE);
}

static void forget_parent(struct mounts *s)
{
	if (s->parent >= 0)
		close(TAKE_FD(s->parent));
}

/* What was a directory of the new root there will lie below what is mounted on dst now. */
static void cover(struct mounts *s, const char *dst)
{
	if (s->parent >= 0 && path_within(s->parent_path, dst))
		forget_parent(s);
}

static int attach_to(struct mounts *s, const char *dst, int tree, int point)
{
	cover(s, dst);
	long r = syscall(SYS_move_mount, tree, "", point, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return r < 0 ? -errno : 0;
}

/* The directory that holds dst, kept for the next row, most of which lie beside each other: the
 * caller doesn't close it.  *ret_name is its last component.  Missing directories are made. */
static int open_parent(struct mounts *s, const char *dst, const char **ret_name)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(dst, '/');
	size_t n = (size_t)(slash - dst);
	*ret_name = slash + 1;
	if (n >= sizeof(dir))
		return -ENAMETOOLONG;
	if (n == 0)
		return s->root;
	memcpy(dir, dst, n);
	dir[n] = '\0';
	if (s->parent >= 0 && streq(s->parent_path, dir))
		return s->parent;
	int fd = open_inside(s, dir, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT) {
		const char *name;
		int parent = open_parent(s, dir, &name);
		if (parent < 0)
			return parent;
		if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = open_inside(s, dir, O_PATH | O_DIRECTORY);
	}
	if (fd < 0)
		return fd;
	forget_parent(s);
	memcpy(s->parent_path, dir, n + 1);
	return s->parent = fd;
}

/* A link of the host's.  A home that lasts may hold the one of an earlier start, which leads to a
 * version that is no more, or the empty file that another was mounted on; what else stands there
 * was made inside, and stays, as all does where the link may be missing. */
static int make_link(int parent, const char *name, const char *target, bool optional)
{
	char old[PATH_MAX];
	struct stat st;
	if (symlinkat(target, parent, name) == 0)
		return 0;
	if (errno != EEXIST || optional || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	ssize_t n = readlinkat(parent, name, old, sizeof(old) - 1);
	bool same = n >= 0 && (size_t)n == strlen(target) && memcmp(old, target, (size_t)n) == 0;
	if (same || (!S_ISLNK(st.st_mode) && !(S_ISREG(st.st_mode) && st.st_size == 0)))
		return 0;
	return unlinkat(parent, name, 0) < 0 || symlinkat(target, parent, name) < 0 ? -errno : 0;
}

static int make_node(struct mounts *s, const struct wire_mount *m)
{
	const char *name;
	int parent = open_parent(s, m->dst, &name);
	if (parent < 0)
		return parent;
	if (m->kind == MOUNT_DIR) {
		if (mkdirat(parent, name, m->mode) < 0)
			return errno == EEXIST ? 0 : -errno;
		return m->mode & 0022 && fchmodat(parent, name, m->mode, 0) < 0 ? -errno : 0;
	}
	if (m->kind == MOUNT_SYMLINK)
		return make_link(parent, name, m->data, m->flags & MOUNT_OPTIONAL);
	if (m->kind == MOUNT_FILE)
		return mknodat(parent, name, S_IFREG | m->mode, 0) < 0 && errno != EEXIST ? -errno
											  : 0;
	_cleanup_close_ int fd = openat(
		parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, m->mode);
	if (fd < 0)
		return -errno;
	size_t n = strlen(m->data);
	return write(fd, m->data, n) == (ssize_t)n ? 0 : -EIO;
}

/* The mount point of a row; made first when the row allows it and the source tells its type: in the
 * tmpfs that everything begins with nearly all are missing, elsewhere nearly none. */
static int open_point(struct mounts *s, const struct wire_mount *m, bool dir)
{
	const bool bare = s->starting && s->root == s->base;
	int fd = bare && (m->flags & MOUNT_POINT) ? -ENOENT : open_inside(s, m->dst, O_PATH);
	if (fd != -ENOENT || !(m->flags & MOUNT_POINT))
		return fd;
	struct wire_mount node = *m;
	node.kind = dir ? MOUNT_DIR : MOUNT_FILE;
	node.mode = dir ? 0755 : 0644;
	int r = make_node(s, &node);
	return r < 0 ? r : open_inside(s, m->dst, O_PATH);
}

static int attach(struct mounts *s, const struct wire_mount *m, int tree, bool dir)
{
	_cleanup_close_ int point = open_point(s, m, dir);
	return point < 0 ? point : attach_to(s, m->dst, tree, point);
}

static int do_node(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	int r = make_node(s, m);
	return r < 0 && !(m->flags & MOUNT_OPTIONAL) ? fail(err, r, "create", m->dst) : 0;
}

/* A clone of what is at src; with what is mounted below it where it can't be had without. */
static int clone_at(int src, const struct wire_mount *m, uint32_t *flags, struct err *err)
{
	int tree = sys_open_tree(src, "", AT_EMPTY_PATH | (*flags & MOUNT_REC ? AT_RECURSIVE : 0));
	if (tree != -EINVAL || *flags & MOUNT_REC)
		return tree < 0 ? fail(err, tree, "clone the mount of", m->src) : tree;
	int r = mounts_below_ok(m->src, err);
	if (r < 0)
		return r;
	*flags |= MOUNT_REC;
	tree = sys_open_tree(src, "", AT_EMPTY_PATH | AT_RECURSIVE);
	return tree < 0 ? fail(err, tree, "clone the mount of", m->src) : tree;
}

static int do_bind(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	_cleanup_close_ int src = path_openat2(
		AT_FDCWD, m->src, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
	if (src == -ENOENT && (m->flags & MOUNT_OPTIONAL))
		return 0;
	struct stat st;
	if (src < 0 || fstat(src, &st) < 0)
		return fail(err, src < 0 ? src : errno, "open", m->src);
	uint32_t flags = m->flags | (m->kind == MOUNT_DEV ? MOUNT_DEVICES : 0);
	_cleanup_close_ int tree = clone_at(src, m, &flags, err);
	if (tree < 0)
		return tree;
	int r = set_flags(tree, flags);
	if (r < 0)
		return fail(err, r, "set mount flags for", m->src);
	r = attach(s, m, tree, S_ISDIR(st.st_mode));
	return r < 0 && !(r == -ENOENT && (m->flags & MOUNT_OPTIONAL))
		? fail(err, r, "mount on", m->dst)
		: 0;
}

static int do_pin(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	if (GUARD_REMOVED("pin"))
		return 0;
	_cleanup_close_ int point = open_inside(s, m->dst, O_PATH);
	if (point == -ENOENT && (m->flags & MOUNT_OPTIONAL))
		return 0;
	if (point < 0)
		return fail(err, point, "open", m->dst);
	unsigned int rec = m->flags & MOUNT_REC ? AT_RECURSIVE : 0;
	_cleanup_close_ int tree = sys_open_tree(point, "", AT_EMPTY_PATH | rec);
	if (tree == -EINVAL && !rec) { /* the host has something mounted below it (do_bind) */
		rec = AT_RECURSIVE;
		tree = sys_open_tree(point, "", AT_EMPTY_PATH | rec);
	}
	int r = tree < 0 ? tree : set_flags(tree, m->flags | (rec ? MOUNT_REC : 0));
	if (r == 0)
		r = attach_to(s, m->dst, tree, point);
	return r < 0 ? fail(err, r, "pin", m->dst) : 0;
}

static int fs_config(int fs, unsigned int cmd, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs, cmd, key, value, 0) < 0 ? -errno : 0;
}

static int fill_scratch(int dir)
{
	return mkdirat(dir, mask_dir, 0555) < 0 || mknodat(dir, mask_file, S_IFREG | 0444, 0) < 0
		? -errno
		: 0;
}

/* Where the sources of masks and links are made: an empty file, an empty directory.  At the start
 * that is a directory of the new root; later the root is the agent's to see, so it is a small file
 * system of its own, attached nowhere. */
static int open_scratch(struct mounts *s)
{
	if (s->scratch >= 0)
		return s->scratch;
	if (s->starting) {
		if (mkdirat(s->base, scratch_dir, 0700) < 0)
			return -errno;
		s->scratch = openat(s->base, scratch_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r = s->scratch < 0 ? -errno : fill_scratch(s->scratch);
		return r < 0 ? r : s->scratch;
	}
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	int r = fs_config(fs, FSCONFIG_SET_STRING, "size", "64k");
	if (r == 0)
		r = fs_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (r < 0)
		return r;
	_cleanup_close_ int tree = (int)syscall(
		SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
	if (tree < 0)
		return -errno;
	r = fill_scratch(tree);
	if (r == 0)
		s->scratch = TAKE_FD(tree);
	return r < 0 ? r : s->scratch;
}

static int do_mask(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	if (has_prefix(m->dst, "/proc/") ? GUARD_REMOVED("proc-mask") : GUARD_REMOVED("mask"))
		return 0;
	_cleanup_close_ int point = open_inside(s, m->dst, O_PATH);
	if (point == -ENOENT && (m->flags & MOUNT_OPTIONAL))
		return 0;
	struct stat st;
	if (point < 0 || fstat(point, &st) < 0)
		return fail(err, point < 0 ? point : errno, "open", m->dst);
	int scratch = open_scratch(s);
	_cleanup_close_ int tree = scratch < 0
		? scratch
		: sys_open_tree(
			  scratch, S_ISDIR(st.st_mode) ? mask_dir : mask_file, AT_SYMLINK_NOFOLLOW);
	int r = tree < 0 ? tree : set_flags(tree, MOUNT_RO | MOUNT_NOEXEC);
	if (r == 0)
		r = attach_to(s, m->dst, tree, point);
	return r < 0 ? fail(err, r, "mask", m->dst) : 0;
}

/* A symbolic link mounted over a file: programs that open it follow it to the private copy, and
 * the mount point can't be renamed or removed. */
static int do_link(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	_cleanup_close_ int point = open_inside(s, m->dst, O_PATH);
	if (point == -ENOENT && (m->flags & MOUNT_OPTIONAL))
		return 0;
	if (point < 0)
		return fail(err, point, "open", m->dst);
	int scratch = open_scratch(s);
	if (scratch < 0 || symlinkat(m->data, scratch, link_name) < 0)
		return fail(err, scratch < 0 ? scratch : errno, "make a link for", m->dst);
	_cleanup_close_ int tree = sys_open_tree(scratch, link_name, AT_SYMLINK_NOFOLLOW);
	int r = tree < 0 ? tree : set_flags(tree, 0);
	if (r == 0)
		r = attach_to(s, m->dst, tree, point);
	unlinkat(scratch, link_name, 0);
	return r < 0 ? fail(err, r, "mount a link over", m->dst) : 0;
}

static int do_fs(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	static const char *const type[MOUNT_KINDS] = {
		[MOUNT_TMPFS] = "tmpfs",
		[MOUNT_PROC] = "proc",
		[MOUNT_DEVPTS] = "devpts",
		[MOUNT_MQUEUE] = "mqueue",
	};
	_cleanup_close_ int point = open_point(s, m, true);
	if (point < 0)
		return fail(err, point, "open", m->dst);
	char path[64];
	cover(s, m->dst);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", point);
	unsigned long flags = MS_NOSUID | (m->flags & MOUNT_DEVICES ? 0 : MS_NODEV) |
		(m->flags & MOUNT_NOEXEC ? MS_NOEXEC : 0) | (m->flags & MOUNT_RO ? MS_RDONLY : 0);
	if (mount(type[m->kind], path, type[m->kind], flags, m->data) == 0)
		return 0;
	if (errno == ENODEV && m->flags & MOUNT_OPTIONAL)
		return 0; /* a kernel without that file system */
	if (m->kind == MOUNT_PROC && (errno == EPERM || errno == EACCES)) {
		err_hint(err,
			"this happens in containers that mask /proc: start the container with an "
			"unmasked one (podman: --security-opt unmask=ALL, docker: --security-opt "
			"systempaths=unconfined), or run bawn on the host");
		return err_sys(err, EPERM, "mount a fresh /proc");
	}
	return fail(err, errno, "mount", m->dst);
}

/* By the new way; by mount(2) where the kernel doesn't know that one for layers. */
static int attach_overlay(struct mounts *s, const struct wire_mount *m, int point, struct err *err)
{
	uint32_t flags = m->flags & ~(uint32_t)MOUNT_REC;
	cover(s, m->dst);
	_cleanup_close_ int tree = overlay_tree(&s->layers, flags);
	int r = tree;
	if (tree >= 0) {
		r = set_flags(tree, flags);
		if (r == 0)
			r = attach_to(s, m->dst, tree, point);
	} else if (tree == -EOPNOTSUPP) {
		r = overlay_mount(&s->layers, point, flags);
	}
	if (r == -EINVAL)
		err_hint(err,
			"the kernel refuses it where the host has something mounted below that "
			"directory, and some file systems for it, NFS or another overlay for one: "
			"unmount that, or " FILE_UPPER_HINT);
	return r < 0 ? fail(err, r, "mount an overlay on", m->dst) : 0;
}

static int do_lower(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	int r = overlay_add(&s->layers, m->src);
	return r < 0 ? fail(err, r, "open the layer", m->src) : 0;
}

/* A template's root can't be mounted over the tmpfs as a whole, or that could not be reached for
 * the rows to come: it gets a directory there. */
static int open_root_point(const struct mounts *s)
{
	if (!s->starting || s->root != s->base || mkdirat(s->base, image_dir, 0700) < 0)
		return s->root != s->base ? -EEXIST : -errno;
	int fd = openat(s->base, image_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int do_overlay(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	const bool is_root = streq(m->dst, "/");
	int r = overlay_add(&s->layers, m->src);
	_cleanup_close_ int point = r < 0 ? r
		: is_root                 ? open_root_point(s)
					  : open_point(s, m, true);
	if (r < 0)
		fail(err, r, "open the layer", m->src);
	else if (point < 0)
		r = fail(err, point, "open", m->dst);
	else if ((r = overlay_open_upper(&s->layers, m->data)) < 0)
		fail(err, r, "open the writable layer of", m->dst);
	else
		r = attach_overlay(s, m, point, err);
	overlay_release(&s->layers);
	if (r == -EINVAL && (m->flags & MOUNT_OPTIONAL)) {
		/* the host has something mounted below it, or it is of a kind that can't be a
		 * layer: as it is, to be read */
		struct wire_mount plain = *m;
		plain.kind = MOUNT_BIND;
		plain.flags = MOUNT_RO | MOUNT_REC | MOUNT_POINT | MOUNT_OPTIONAL;
		*err = (struct err){0};
		return do_bind(s, &plain, err);
	}
	if (r < 0 || !is_root)
		return r;
	int root = openat(s->base, image_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, errno, "open the template's root");
	forget_parent(s);
	s->root = root;
	return 0;
}

static int do_scratch(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	char name[32];
	snprintf(name, sizeof(name), "%s-%u", scratch_dir, s->n_scratch++);
	int r = mkdirat(s->base, name, m->mode) < 0 || fchmodat(s->base, name, m->mode, 0) < 0
		? -errno
		: 0;
	_cleanup_close_ int tree = r < 0 ? r : sys_open_tree(s->base, name, AT_SYMLINK_NOFOLLOW);
	r = tree < 0 ? tree : set_flags(tree, m->flags);
	if (r == 0)
		r = attach(s, m, tree, true);
	return r < 0 ? fail(err, r, "mount on", m->dst) : 0;
}

static int do_seal(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	_cleanup_close_ int fd = open_inside(s, m->dst, O_PATH);
	int r = fd;
	if (fd >= 0)
		r = syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0
			? -errno
			: 0;
	return r < 0 ? fail(err, r, "make read-only", m->dst) : 0;
}

/* The mount itself: with it goes what is mounted in it. */
static int do_carry(struct mounts *s, const struct wire_mount *m, struct err *err)
{
	_cleanup_close_ int from = path_openat2(
		s->base, rel(m->dst), O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, INSIDE);
	int r = s->root == s->base ? -EINVAL : from;
	if (r >= 0)
		r = attach(s, m, from, true);
	return r < 0 ? fail(err, r, "bring into the root", m->dst) : 0;
}

static int (*const apply[MOUNT_KINDS])(struct mounts *, const struct wire_mount *, struct err *) = {
	[MOUNT_DIR] = do_node,
	[MOUNT_FILE] = do_node,
	[MOUNT_TEXT] = do_node,
	[MOUNT_SYMLINK] = do_node,
	[MOUNT_TMPFS] = do_fs,
	[MOUNT_BIND] = do_bind,
	[MOUNT_DEV] = do_bind,
	[MOUNT_PIN] = do_pin,
	[MOUNT_MASK] = do_mask,
	[MOUNT_LINK] = do_link,
	[MOUNT_LOWER] = do_lower,
	[MOUNT_OVERLAY] = do_overlay,
	[MOUNT_PROC] = do_fs,
	[MOUNT_DEVPTS] = do_fs,
	[MOUNT_MQUEUE] = do_fs,
	[MOUNT_SCRATCH] = do_scratch,
	[MOUNT_SEAL] = do_seal,
	[MOUNT_CARRY] = do_carry,
};

/* Mount the tmpfs that becomes the root over a directory that is nobody's source. */
int mounts_begin(struct mounts *m, struct err *err)
{
	static const char *const places[] = {"/sys", "/mnt", "/srv", "/media", "/boot"};
	static const char hint[] =
		"if this is Ubuntu, AppArmor restricts user namespaces: run bawn doctor";
	*m = (struct mounts){.base = -1,
		.root = -1,
		.parent = -1,
		.scratch = -1,
		.starting = true,
		.layers = OVERLAY_NONE};
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		err_hint(err, "%s", hint);
		return err_sys(err, errno, "make the mounts private");
	}
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (mount("bawn", places[i], "tmpfs", MS_NOSUID | MS_NODEV,
			    "mode=0755,size=50%,nr_inodes=1m") < 0)
			continue;
		m->base = m->root = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		return m->base < 0 ? err_sys(err, errno, "open the new root") : 0;
	}
	err_hint(err, "%s", hint);
	return err_sys(err, errno, "mount the new root");
}

int mounts_apply(struct mounts *m, const struct wire_mount *rows, size_t n, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = apply[rows[i].kind](m, &rows[i], err);
	return r;
}

int mounts_apply_row(int root, const struct wire_mount *row, struct err *err)
{
	struct mounts m = {
		.base = root, .root = root, .parent = -1, .scratch = -1, .layers = OVERLAY_NONE};
	int r = mounts_apply(&m, row, 1, err);
	forget_parent(&m);
	if (m.scratch >= 0)
		close(m.scratch);
	return r;
}

/* What only the building needed. */
static void clear_away(struct mounts *m)
{
	forget_parent(m);
	if (m->scratch >= 0) { /* the mounts hold what they were cloned from */
		unlinkat(m->scratch, mask_file, 0);
		unlinkat(m->scratch, mask_dir, AT_REMOVEDIR);
		unlinkat(m->base, scratch_dir, AT_REMOVEDIR);
		close(TAKE_FD(m->scratch));
	}
	if (m->root != m->base)
		close(m->base);
	m->base = -1;
}

int mounts_enter(struct mounts *m, bool sealed, struct err *err)
{
	clear_away(m);
	if (fchdir(m->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, errno, "pivot_root");
	/* The old root lies on top of ".": gone with all its mounts, and no descriptor holds it. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(err, errno, "detach the old root");
	close(TAKE_FD(m->root));
	if (access("/sys/kernel", F_OK) == 0 || access("/proc/self/ns", F_OK) < 0)
		return err_set(err, EPERM, "the host's root is still reachable after pivot_root");
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	if (sealed && syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "make the root read-only");
	return 0;
}
