/* seed/copy.c - see copy.h */
#include "seed/copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "seed/secret.h"

#define LINKS_MAX 40

/* ---- sources ---- */

/* The first component of path below home, e.g. ".claude"; length in *ret_n, NULL if not below. */
static const char *below_home(const struct seed_copy *c, const char *path, size_t *ret_n)
{
	if (!path_within(path, c->home))
		return NULL;
	const char *p = path + strlen(c->home);
	p += strspn(p, "/");
	*ret_n = strcspn(p, "/");
	return *ret_n ? p : NULL;
}

/* May real be copied although a link of another place led to it? */
static bool link_target_ok(const struct seed_copy *c, const char *from, const char *real)
{
	static const char *const stores[] = {".agents", ".dotfiles", ".config", ".claude"};
	if (path_within(real, "/nix/store") || (c->workspace && path_within(real, c->workspace)))
		return true;
	size_t n, k;
	const char *first = below_home(c, real, &n), *own = below_home(c, from, &k);
	if (!first)
		return false;
	if (*first != '.' || (own && n == k && memcmp(first, own, n) == 0))
		return true;
	if (has_prefix(first, ".local/share/chezmoi/"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(stores); i++)
		if (strlen(stores[i]) == n && memcmp(first, stores[i], n) == 0)
			return true;
	return false;
}

/* Follow every link of path by hand, to see where links stand. */
static int walk_links(
	const struct seed_copy *c, const char *path, char *real, bool *ret_from_workspace)
{
	char rest[PATH_MAX], cur[PATH_MAX] = "", target[PATH_MAX], next[PATH_MAX];
	int links = 0;
	if (snprintf(rest, sizeof(rest), "%s", path) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	for (char *p = rest; *p;) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (n == 0)
			break;
		char *tail = p + n;
		if (n == 1 && *p == '.') {
			p = tail;
			continue;
		}
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			char *slash = strrchr(cur, '/');
			if (slash)
				*slash = '\0';
			p = tail;
			continue;
		}
		size_t len = strlen(cur);
		if (len + n + 2 > sizeof(cur))
			return -ENAMETOOLONG;
		snprintf(cur + len, sizeof(cur) - len, "/%.*s", (int)n, p);
		struct stat st;
		if (lstat(cur, &st) < 0)
			return -errno;
		if (!S_ISLNK(st.st_mode)) {
			p = tail;
			continue;
		}
		if (++links > LINKS_MAX)
			return -ELOOP;
		if (c->workspace && path_within(cur, c->workspace))
			*ret_from_workspace = true;
		ssize_t t = readlink(cur, target, sizeof(target) - 1);
		if (t < 0)
			return -errno;
		target[t] = '\0';
		if (snprintf(next, sizeof(next), "%s%s", target, tail) >= (int)sizeof(next))
			return -ENAMETOOLONG;
		cur[target[0] == '/' ? 0 : len] = '\0';
		memcpy(rest, next, strlen(next) + 1);
		p = rest;
	}
	snprintf(real, PATH_MAX, "%s", cur[0] ? cur : "/");
	return 0;
}

/* Where path (absolute) really is.  -ENOENT; -EXDEV with a message if a link leads somewhere that
 * is not copied from. */
static int seed_resolve(const struct seed_copy *c, const char *path, char **ret, struct err *err)
{
	char real[PATH_MAX];
	bool from_workspace = false;
	int r = walk_links(c, path, real, &from_workspace);
	if (r < 0)
		return err_sys(err, -r, "%s", path);
	if (!streq(real, path) && !GUARD_REMOVED("seed-links")) {
		bool own = c->workspace && path_within(real, c->workspace);
		if (from_workspace && !own)
			return err_set(err, EXDEV, "a link in the workspace leads to %s", real);
		/* A log-in is one by its own name, too, in a directory that is the link. */
		bool other = !streq(path_base(real), path_base(path));
		if (!link_target_ok(c, path, real) || (other && secret_file_name(path_base(real))))
			return err_set(err, EXDEV, "a link leads to %s", real);
	}
	struct stat st;
	if (lstat(real, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(err, EPERM, "it belongs to somebody else");
	*ret = arena_dup(c->a, real);
	return *ret ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* Open the resolved path; a link that appears meanwhile is refused. */
static int open_source(const char *real)
{
	return path_openat2(AT_FDCWD, real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static ssize_t read_fd(struct seed_copy *c, int fd, size_t max, char **ret, struct err *err)
{
	char self[64];
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "it can't be read");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "not a regular file");
	if ((uint64_t)st.st_size > max)
		return err_set(err, EFBIG, "larger than %zu MiB", max >> 20);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return file_read(c->a, AT_FDCWD, self, max, ret, err);
}

ssize_t seed_read(struct seed_copy *c, const char *path, char **ret, struct err *err)
{
	char *real;
	int r = seed_resolve(c, path, &real, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = open_source(real);
	if (fd < 0)
		return err_set(err, -fd, "it can't be opened: %s", strerror(-fd));
	return read_fd(c, fd, SEED_DOC_MAX, ret, err);
}

/* ---- destination ---- */

/* Where rel is inside, as the template's variables have it: itself, or an absolute path. */
static const char *inside(const struct seed_copy *c, const char *rel)
{
	for (size_t i = 0; i < c->moved.n; i++) {
		const char *m = c->moved.v[i], *to = strchr(m, '=');
		size_t n = (size_t)(to - m);
		if (strncmp(rel, m, n) == 0 && (!rel[n] || rel[n] == '/'))
			return arena_printf(c->a, "%s%s", to + 1, rel + n);
	}
	return rel;
}

const char *seed_place(const struct seed_copy *c, const char *rel)
{
	const struct seed_below *b = c->below;
	if (!b || !b->place)
		return rel;
	const char *p = inside(c, rel);
	p = p ? b->place(b->ud, c->a, p) : NULL;
	return p ? arena_printf(c->a, "/%s", p) : NULL;
}

/* The directory rel lies in, made as needed, no link followed; *ret_base its last component. */
static int open_parent(const struct seed_copy *c, const char *rel, bool make, const char **ret_base)
{
	const struct seed_below *b = c->below;
	const char *p = b ? inside(c, rel) : rel;
	if (p && b && b->place)
		p = b->place(b->ud, c->a, p);
	/* On the way to a place outside of the home a directory is everybody's: its mode hides that
	 * of the template's. */
	mode_t mode = b && b->place ? 0755 : 0700;
	int fd = p ? fcntl(c->dst, F_DUPFD_CLOEXEC, 3) : -1;
	if (!p)
		return -ENOMEM;
	while (fd >= 0) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (p[n] == '\0') {
			*ret_base = p;
			return fd;
		}
		char name[NAME_MAX + 1];
		if (n == 0 || n > NAME_MAX || (n == 2 && memcmp(p, "..", 2) == 0)) {
			close(fd);
			return -EINVAL;
		}
		memcpy(name, p, n);
		name[n] = '\0';
		if (name[0] == '.')
			mode = 0700;
		const bool made = make && mkdirat(fd, name, 0700) == 0;
		if (make && !made && errno != EEXIST) {
			int e = errno;
			close(fd);
			return -e;
		}
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int e = errno;
		close(fd);
		if (next < 0)
			return -e;
		if (made && mode != 0700 && fchmod(next, mode) < 0) { /* whatever our umask is */
			e = errno;
			close(next);
			return -e;
		}
		fd = next;
		p += n;
	}
	return -errno;
}

int seed_write(struct seed_copy *c, const char *rel, const void *data, size_t n, bool exec,
	struct err *err)
{
	const char *base;
	_cleanup_close_ int dir = open_parent(c, rel, true, &base);
	if (dir < 0)
		return err_sys(err, -dir, "make the directory of ~/%s", rel);
	int r = file_write_atomic(dir, base, data, n, exec ? 0700 : 0600, false, err);
	if (r < 0)
		return err_prefix(err, "~/%s", rel);
	seed_cache_file(c->cache, rel, exec ? 0700 : 0600, data, n);
	return 0;
}

bool seed_exists(const struct seed_copy *c, const char *rel)
{
	const char *base;
	_cleanup_close_ int dir = open_parent(c, rel, false, &base);
	struct stat st;
	return dir >= 0 && fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool seed_has(const struct seed_copy *c, const char *rel)
{
	const struct seed_below *b = c->below;
	const char *p = b ? inside(c, rel) : NULL;
	return seed_exists(c, rel) || (p && b->exists(b->ud, c->a, p));
}

ssize_t seed_read_below(struct seed_copy *c, const char *rel, size_t max, char **ret)
{
	const struct seed_below *b = c->below;
	const char *p = b ? inside(c, rel) : NULL;
	if (!b)
		return -ENOENT;
	return p ? b->read(b->ud, c->a, p, max, ret) : -ENOMEM;
}

ssize_t seed_read_back(struct seed_copy *c, const char *rel, char **ret, struct err *err)
{
	const char *base;
	_cleanup_close_ int dir = open_parent(c, rel, false, &base);
	if (dir < 0)
		return err_sys(err, -dir, "open the directory of ~/%s", rel);
	_cleanup_close_ int fd = openat(
		dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, errno, "open ~/%s", rel);
	return read_fd(c, fd, SEED_DOC_MAX, ret, err);
}

ssize_t seed_read_any(struct seed_copy *c, const char *rel, char **ret, struct err *err)
{
	if (!c->below || seed_exists(c, rel))
		return seed_read_back(c, rel, ret, err);
	ssize_t n = seed_read_below(c, rel, SEED_FILE_MAX, ret);
	return n < 0 ? err_sys(err, (int)-n, "read ~/%s of the template", rel) : n;
}

/* ---- copies ---- */

/* Cut every secret out of a text; *n is updated.  false: out of memory. */
static bool redact(struct seed_copy *c, char **text, size_t *n, const char *place)
{
	static const char instead[] = "[withheld by bawn]";
	size_t from = 0, at, len;
	const char *why;
	while (secret_find(*text + from, *n - from, &at, &len, &why)) {
		seed_say(c->report, SEED_WITHHELD, "%s: %s", place, why);
		at += from;
		size_t tail = *n - at - len, k = sizeof(instead) - 1;
		char *t = arena_alloc(c->a, at + k + tail + 1);
		if (!t)
			return false;
		memcpy(t, *text, at);
		memcpy(t + at, instead, k);
		memcpy(t + at + k, *text + at + len, tail);
		*text = t;
		*n = at + k + tail;
		from = at + k;
	}
	return true;
}

static bool is_joined(const struct seed_copy *c, const char *rel)
{
	for (size_t i = 0; c->joined && i < c->joined->n; i++)
		if (streq(c->joined->v[i] + 2, rel))
			return true;
	return false;
}

static int copy_file(
	struct seed_copy *c, int fd, const char *rel, const char *place, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat %s", place);
	if (is_joined(c, rel) ? seed_exists(c, rel) : seed_has(c, rel))
		return 0;
	if (c->files >= SEED_TREE_FILES_MAX || c->bytes >= SEED_TREE_BYTES_MAX) {
		seed_say(c->report, SEED_LEFT, "%s: too many or too large files", place);
		return 0;
	}
	char *data;
	struct err why = {0};
	ssize_t r = read_fd(c, fd, SEED_FILE_MAX, &data, &why);
	if (r < 0) {
		seed_say(c->report, SEED_LEFT, "%s: %s", place, why.msg);
		return 0;
	}
	size_t n = (size_t)r;
	if (memchr(data, '\0', n)) {
		size_t at, len;
		const char *what;
		if (secret_find(data, n, &at, &len, &what)) {
			seed_say(c->report, SEED_WITHHELD, "%s: %s", place, what);
			return 0;
		}
	} else if (!redact(c, &data, &n, place)) {
		return err_set(err, ENOMEM, "out of memory");
	}
	c->files++;
	c->bytes += n;
	return seed_write(c, rel, data, n, st.st_mode & S_IXUSR, err);
}

struct tree {
	struct seed_copy *c;
	int root; /* links are followed below it only */
	const struct strv *exclude;
};

static int copy_dir(const struct tree *t, int fd, const char *below, const char *rel,
	const char *place, int depth, struct err *err);

static bool stays_out(const struct tree *t, const char *name)
{
	for (size_t i = 0; t->exclude && i < t->exclude->n; i++)
		if (fnmatch(t->exclude->v[i], name, 0) == 0)
			return true;
	return false;
}

/* A link out of the tree: only from its top, only to a directory (shared skills are kept so). */
static int copy_outside(const struct tree *t, const char *from, const char *rel, const char *place,
	int depth, struct err *err)
{
	char *real;
	struct err why = {0};
	int r = depth > 1 ? -EXDEV : seed_resolve(t->c, from, &real, &why);
	_cleanup_close_ int fd = r < 0 ? -1 : open_source(real);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) &&
		!path_within(t->c->home, real);
	if (!good) {
		seed_say(t->c->report, SEED_LEFT, "%s: %s", place,
			why.code ? why.msg : "a link that leads out of its directory");
		return 0;
	}
	struct tree sub = {.c = t->c, .root = fd, .exclude = t->exclude};
	return copy_dir(&sub, fd, "", rel, place, depth + 1, err);
}

static int copy_entry(const struct tree *t, int dirfd, const char *name, const char *below,
	const char *rel, const char *place, int depth, struct err *err)
{
	struct seed_copy *c = t->c;
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	int fd;
	if (S_ISLNK(st.st_mode)) {
		fd = path_openat2(t->root, below, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
			RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
		if (fd == -EXDEV || fd == -ELOOP) {
			char self[64], dir[PATH_MAX], from[PATH_MAX];
			snprintf(self, sizeof(self), "/proc/self/fd/%d", dirfd);
			ssize_t n = readlink(self, dir, sizeof(dir) - 1);
			if (n < 0)
				return 0;
			dir[n] = '\0';
			if (snprintf(from, sizeof(from), "%s/%s", dir, name) >= (int)sizeof(from))
				return 0;
			return copy_outside(t, from, rel, place, depth, err);
		}
	} else if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	} else {
		return 0;
	}
	_cleanup_close_ int own = fd;
	if (own < 0 || fstat(own, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return copy_dir(t, own, below, rel, place, depth + 1, err);
	return S_ISREG(st.st_mode) ? copy_file(c, own, rel, place, err) : 0;
}

static int copy_dir(const struct tree *t, int fd, const char *below, const char *rel,
	const char *place, int depth, struct err *err)
{
	struct seed_copy *c = t->c;
	/* Directories count too: links below the root may make a small tree endless. */
	if (depth > SEED_TREE_DEPTH_MAX || c->files++ >= SEED_TREE_FILES_MAX) {
		seed_say(c->report, SEED_LEFT, "%s: nested too deep or too large", place);
		return 0;
	}
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		if (copy >= 0)
			close(copy);
		seed_say(c->report, SEED_LEFT, "%s: %s", place, strerror(errno));
		return 0;
	}
	int r = 0;
	struct dirent *de;
	while (r == 0 && (de = readdir(d))) {
		const char *name = de->d_name;
		if (streq(name, ".") || streq(name, "..") || stays_out(t, name))
			continue;
		char *p = arena_printf(c->a, "%s/%s", place, name);
		char *b = *below ? arena_printf(c->a, "%s/%s", below, name) : arena_dup(c->a, name);
		char *to = arena_printf(c->a, "%s/%s", rel, name);
		if (!p || !b || !to)
			r = err_set(err, ENOMEM, "out of memory");
		else if (secret_file_name(name))
			seed_say(c->report, SEED_WITHHELD, "%s: its name", p);
		else
			r = copy_entry(t, fd, name, b, to, p, depth, err);
	}
	closedir(d);
	return r;
}

int seed_copy(struct seed_copy *c, const char *path, const char *rel, const char *place,
	const struct strv *exclude, struct err *err)
{
	char *real;
	struct err why = {0};
	int r = seed_resolve(c, path, &real, &why);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	_cleanup_close_ int fd = r < 0 ? r : open_source(real);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		seed_say(c->report, SEED_LEFT, "%s: %s", place,
			why.code ? why.msg : "it can't be opened");
		return 0;
	}
	if (S_ISREG(st.st_mode))
		return copy_file(c, fd, rel, place, err);
	if (!S_ISDIR(st.st_mode))
		return 0;
	struct tree t = {.c = c, .root = fd, .exclude = exclude};
	return copy_dir(&t, fd, "", rel, place, 1, err);
}
