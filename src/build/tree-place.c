/* build/tree-place.c - places in the tree that is built, and how owners and modes are kept; tree.h
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/path.h"
#include "build/tree.h"
#include "init/owner-attr.h"

#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LINKS_MAX 40 /* as the kernel */

static int shown(struct err *err, int code, const char *what, const char *path)
{
	char safe[600];
	return err_sys(err, code, "%s %s", what, escape_text(safe, sizeof(safe), path));
}

int build_tree_mark(int fd, const struct build_owner *owner, mode_t mode, bool dir, struct err *err)
{
	const struct owner ids = {owner->uid, owner->gid};
	unsigned char own[OWNER_BYTES];
	char text[8];
	mode &= 07777;
	mode_t disk = dir ? (mode & 01777) | 0700 : (mode & 0777) | 0400;
	int n = snprintf(text, sizeof(text), "%o", (unsigned int)mode);
	if (owner->set && fsetxattr(fd, OWNER_ATTR, own, owner_put(own, &ids), 0) < 0)
		return err_sys(err, errno, "record an owner");
	if (dir && !owner->set) /* one that was there already is the source's now */
		fremovexattr(fd, OWNER_ATTR);
	if (disk != mode && fsetxattr(fd, "user.bawn.mode", text, (size_t)n, 0) < 0)
		return err_sys(err, errno, "record a mode");
	if (disk == mode)
		fremovexattr(fd, "user.bawn.mode");
	return fchmod(fd, disk) < 0 ? err_sys(err, errno, "set a mode") : 0;
}

static int make_dir(int root, const char *prefix, const struct build_owner *owner, struct err *err)
{
	const char *slash = strrchr(prefix, '/');
	char parent[PATH_MAX];
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - prefix) : 1,
		slash ? prefix : ".");
	const char *name = slash ? slash + 1 : prefix;
	_cleanup_close_ int up = path_openat2(
		root, *parent ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, INSIDE);
	if (up < 0)
		return shown(err, -up, "open", prefix);
	if (mkdirat(up, name, 0755) < 0)
		return shown(err, errno, "create the directory", prefix);
	int fd = openat(up, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return shown(err, errno, "open", prefix);
	int r = build_tree_mark(fd, owner, 0755, true, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int tree_dir(
	int root, const char *path, const struct build_owner *owner, int links, struct err *err);

/* There is nothing at prefix: a directory is made there, or where a link leads that is there (as
 * /var/lock does to /run/lock, which is made when a system starts). */
static int make_missing(
	int root, const char *prefix, const struct build_owner *owner, int links, struct err *err)
{
	const char *slash = strrchr(prefix, '/');
	char target[PATH_MAX], whole[2 * PATH_MAX], parent[PATH_MAX];
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - prefix) : 0, prefix);
	_cleanup_close_ int up = path_openat2(
		root, *parent ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, INSIDE);
	ssize_t n = up < 0 ? -1
			   : readlinkat(up, slash ? slash + 1 : prefix, target, sizeof(target) - 1);
	if (n < 0)
		return make_dir(root, prefix, owner, err);
	target[n] = '\0';
	if (links == LINKS_MAX)
		return shown(err, ELOOP, "open", prefix);
	snprintf(whole, sizeof(whole), "%s/%s", *target == '/' ? "" : parent, target);
	return tree_dir(root, whole, owner, links + 1, err);
}

/* links: how many have been followed so far. */
static int tree_dir(
	int root, const char *path, const struct build_owner *owner, int links, struct err *err)
{
	char prefix[PATH_MAX];
	int fd = path_openat2(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, INSIDE);
	if (strlen(path) >= sizeof(prefix)) {
		close(fd);
		return err_set(err, ENAMETOOLONG, "a path is too long");
	}
	for (const char *p = path; fd >= 0 && *p;) {
		p += strspn(p, "/");
		if (!*p)
			break;
		p += strcspn(p, "/");
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(p - path), path);
		close(fd);
		fd = path_openat2(root, prefix + strspn(prefix, "/"),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, INSIDE);
		if (fd == -ENOENT)
			fd = make_missing(root, prefix + strspn(prefix, "/"), owner, links, err);
		else if (fd < 0)
			fd = shown(err, -fd, "open the directory", prefix);
	}
	return fd < 0 && err && !err->code ? shown(err, -fd, "open", path) : fd;
}

int build_tree_dir(int root, const char *path, const struct build_owner *owner, struct err *err)
{
	return tree_dir(root, path, owner, 0, err);
}

int build_tree_put(int root, const char *path, const char *text, size_t n, mode_t mode,
	const struct build_owner *owner, struct err *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 0, path);
	_cleanup_close_ int up = build_tree_dir(root, dir, owner, err);
	if (up < 0)
		return up;
	const char *name = slash ? slash + 1 : path;
	if (unlinkat(up, name, 0) < 0 && errno != ENOENT)
		return shown(err, errno, "replace", path);
	_cleanup_close_ int fd = openat(
		up, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return shown(err, errno, "create", path);
	int r = fd_write_all(fd, text, n);
	return r < 0 ? shown(err, -r, "write", path) : build_tree_mark(fd, owner, mode, false, err);
}

/* ---- accounts ---- */

char *build_read_inside(struct arena *a, int root, const char *path)
{
	_cleanup_close_ int fd = path_openat2(
		root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, INSIDE);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > 1 << 20)
		return NULL;
	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	ssize_t n = text ? fd_read_full(fd, text, (size_t)st.st_size) : -1;
	return n < 0 ? NULL : text;
}

/* The fields of the line whose field `key` is what; false: there is none.  text is changed. */
static bool find_account(char *text, size_t key, const char *what, char *ret[static 7])
{
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		memset(ret, 0, 7 * sizeof(*ret));
		char *p = line;
		for (size_t i = 0; p && i < 7; i++) {
			ret[i] = p;
			p = strchr(p, ':');
			if (p)
				*p++ = '\0';
		}
		if (ret[2] && ret[key] && streq(ret[key], what))
			return true;
	}
	return false;
}

static bool number(const char *s, uint32_t *ret)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || v > INT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static int no_account(struct err *err, const char *kind, const char *name)
{
	char safe[200];
	return err_set(err, ENOENT, "there is no %s \"%s\" in the image's own accounts", kind,
		escape_text(safe, sizeof(safe), name));
}

int build_account(struct arena *a, int root, const char *text, struct build_owner *ret,
	char **ret_home, struct err *err)
{
	struct build_owner o = {.set = true};
	char *f[7] = {0}, *user = arena_dup(a, text);
	char *group = user ? strchr(user, ':') : NULL;
	char *passwd = build_read_inside(a, root, "etc/passwd"), *home = NULL;
	if (!user)
		return err_set(err, ENOMEM, "out of memory");
	if (group)
		*group++ = '\0';
	bool numeric = number(user, &o.uid);
	if (passwd && find_account(passwd, numeric ? 2 : 0, user, f)) {
		if (!number(f[2], &o.uid) || (f[3] && !number(f[3], &o.gid)))
			return no_account(err, "usable user", user);
		home = f[5];
	} else if (!numeric && *user && !streq(user, "root")) {
		return no_account(err, "user", user);
	} else if (numeric && !group) {
		o.gid = ret_home ? 0 : o.uid; /* --chown=N means N:N, USER N the group of root */
	}
	if (numeric && !group && !ret_home)
		o.gid = o.uid;
	if (group && *group && !number(group, &o.gid)) {
		char *groups = build_read_inside(a, root, "etc/group");
		bool found = groups && find_account(groups, 0, group, f) && number(f[2], &o.gid);
		if (!found && !streq(group, "root"))
			return no_account(err, "group", group);
		if (!found)
			o.gid = 0;
	}
	*ret = o;
	if (ret_home)
		*ret_home = home;
	return 0;
}
