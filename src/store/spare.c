/* store/spare.c - see spare.h */
#include "store/spare.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/digest.h"
#include "base/dir-record.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"

#define WAYS_NAME "ways"
#define MORE_MAX 256
#define WAYS_MAX 64
#define WAY_DEPTH 32
#define WAYS_BYTES 65536

void spare_place(struct store *s, struct arena *a, const char *workspace, const char *home,
	struct store_box *b)
{
	char hex[33];
	if (!home)
		return;
	const bool within = workspace && path_within(workspace, home) && !streq(workspace, home);
	b->point = arena_dup(a, within ? workspace + strlen(home) + 1 : "");
	char *key = b->point ? arena_printf(a, "%s%c%s", home, '\n', b->point) : NULL;
	char *dir = path_join(a, s->xdg.cache, "spare");
	if (key && dir)
		b->spare = path_join(a, dir, digest_hex(digest_of(key, strlen(key)), hex));
}

/* ---- taken ---- */

/* Any two that come at once try others first. */
static unsigned int turn(void)
{
	return (unsigned int)getpid() * 2654435761u >> 16;
}

static bool more_place(const struct store_box *b, char ret[static PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s.more", b->spare) < PATH_MAX;
}

bool spare_take(const struct store_box *b)
{
	enum { TRIES = 8 };
	_Alignas(struct dir_record) char buf[8192]; /* of two digits each: all of them */
	const char *names[MORE_MAX];
	char place[PATH_MAX];
	size_t n = 0;
	if (!b->spare)
		return false;
	if (rename(b->spare, b->dir) == 0)
		return true;
	if (errno != ENOENT || b->whole || !more_place(b, place))
		return false;
	_cleanup_close_ int fd = openat(
		AT_FDCWD, place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const ssize_t bytes = fd < 0 ? -1 : dir_records(fd, buf, sizeof(buf));
	for (ssize_t o = 0; o < bytes && n < MORE_MAX;) {
		const struct dir_record *d = (const struct dir_record *)(buf + o);
		if (d->d_name[0] != '.')
			names[n++] = d->d_name;
		o += d->d_reclen;
	}
	for (unsigned int i = 0, first = turn(); n && i < TRIES; i++)
		if (renameat(fd, names[(first + i) % n], AT_FDCWD, b->dir) == 0)
			return true;
	return false;
}

/* What the agent could leave on a directory for whoever gets it next.  Not the number that the
 * kernel gives an overlay; remove: nor its mark that something below was copied, which goes. */
static bool has_attributes(int fd, bool remove)
{
	char names[1024];
	ssize_t n = flistxattr(fd, names, sizeof(names));
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		const char *name = names + i;
		if (has_prefix(name, "security.") || streq(name, "user.overlay.uuid") ||
			(remove && streq(name, "user.overlay.impure") &&
				fremovexattr(fd, name) == 0))
			continue;
		return true;
	}
	return n < 0 && errno != ENOTSUP;
}

static bool private_dir(int dirfd, const char *name, mode_t mode)
{
	struct stat st;
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
		st.st_uid == geteuid() && (st.st_mode & 07777) == mode;
}

/* Are these n bytes the way's first component? */
static bool begins(const char *way, const char *name, size_t n)
{
	return strncmp(way, name, n) == 0 && (way[n] == '/' || !way[n]);
}

/* Is name the first component of one of these (NULL: of none)? */
static bool leads(const char *const *ways, const char *name)
{
	const size_t n = strlen(name);
	for (; ways && *ways; ways++)
		if (begins(*ways, name, n))
			return true;
	return false;
}

/* Has dir no entries but these first components (NULL: none at all) and what begins with left
 * (NULL), and no attributes?  remove: make it so. */
static bool holds_only(int dirfd, const char *const *ways, const char *left, bool remove)
{
	/* readdir, but no allocation of a DIR: few entries decide */
	_cleanup_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(8) char buf[2048];
	ssize_t n = fd < 0 || has_attributes(fd, remove) ? -1 : 0;
	while (n >= 0 && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			const bool kept = streq(d->d_name, ".") || streq(d->d_name, "..") ||
				leads(ways, d->d_name) || (left && has_prefix(d->d_name, left));
			if (!kept && (!remove || tree_remove(fd, d->d_name, NULL) < 0))
				return false;
			o += d->d_reclen;
		}
	return n == 0;
}

static int open_in(int dirfd, const char *name)
{
	return openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Of a template's sandbox: part, its directory "root", and of that what names says. */
static bool part_pristine(int dir, const char *part, const char *const *names, bool remove)
{
	static const char *const root[] = {"root", NULL};
	_cleanup_close_ int at = open_in(dir, part);
	_cleanup_close_ int in = at < 0 ? -1 : open_in(at, "root");
	return in >= 0 && private_dir(dir, part, 0755) && private_dir(at, "root", 0755) &&
		holds_only(at, root, NULL, remove) && holds_only(in, names, NULL, remove);
}

/* Nothing was written inside: what is below the upper directory nobody could write to. */
static bool whole_pristine(int dir, bool remove)
{
	static const char *const entries[] = {
		STORE_LOCK_NAME, "home", "seed-root", "ca", "up", "work", NULL};
	return private_dir(dir, "seed-root", 0755) && holds_only(dir, entries, NULL, remove) &&
		part_pristine(dir, "up", NULL, remove) && part_pristine(dir, "work", NULL, remove);
}

static bool ways_pristine(
	int dirfd, const char *const *ways, mode_t mode, bool remove, unsigned int depth);

/* The directory that ways[i] begins with, and what lies below it: it need not be there. */
static bool way_pristine(
	int dirfd, const char *const *ways, size_t i, mode_t mode, bool remove, unsigned int depth)
{
	char name[NAME_MAX + 1];
	const char *below[WAYS_MAX + 1];
	const size_t n = strcspn(ways[i], "/");
	size_t n_below = 0;
	if (n > NAME_MAX)
		return false;
	memcpy(name, ways[i], n);
	name[n] = '\0';
	for (size_t k = i; ways[k]; k++)
		if (begins(ways[k], name, n) && ways[k][n])
			below[n_below++] = ways[k] + n + 1;
	below[n_below] = NULL;
	if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (!private_dir(dirfd, name, mode)) /* a file that something was mounted on, say */
		return remove && tree_remove(dirfd, name, NULL) == 0;
	_cleanup_close_ int fd = open_in(dirfd, name);
	return fd >= 0 && ways_pristine(fd, below, mode, remove, depth + 1);
}

/* Nothing but empty directories, of that mode, on these ways (NULL ends them).  remove: nothing
 * any more, where it could be removed. */
static bool ways_pristine(
	int dirfd, const char *const *ways, mode_t mode, bool remove, unsigned int depth)
{
	if (depth > WAY_DEPTH || !holds_only(dirfd, ways, NULL, remove))
		return false;
	for (size_t i = 0; ways[i]; i++) {
		const size_t n = strcspn(ways[i], "/");
		bool seen = false;
		for (size_t k = 0; k < i; k++)
			seen |= begins(ways[k], ways[i], n);
		if (!seen && !way_pristine(dirfd, ways, i, mode, remove, depth))
			return false;
	}
	return true;
}

/* Those of the ways that begin with part, without it; first may be NULL. */
static void ways_in(const struct store_box *b, const char *part, const char *first,
	const char *ret[static WAYS_MAX + 2])
{
	size_t n = 0;
	if (first && *first)
		ret[n++] = first;
	for (size_t i = 0; i < MIN(b->ways.n, (size_t)WAYS_MAX - 1); i++)
		if (has_prefix(b->ways.v[i], part))
			ret[n++] = b->ways.v[i] + strlen(part);
	ret[n] = NULL;
}

static int open_box(const struct store_box *b)
{
	return open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Nothing in the directory (dir) but the lock, empty ways, and the first directory for a private
 * copy of git's configuration.  remove: nothing any more, where it could be removed. */
static bool pristine(const struct store_box *b, int dir, bool remove)
{
	static const char *const entries[] = {
		STORE_LOCK_NAME, WAYS_NAME, "home", "up", "git", NULL};
	static const char *const git[] = {"git/0", NULL};
	const char *home[WAYS_MAX + 2], *up[WAYS_MAX + 2];
	if (!private_dir(dir, "home", 0700))
		return false;
	if (GUARD_REMOVED("kept-ways"))
		return true;
	if (b->whole)
		return whole_pristine(dir, remove);
	if (!holds_only(dir, entries, SPARE_WORK, remove) ||
		!way_pristine(dir, git, 0, 0700, remove, 0))
		return false;
	ways_in(b, "home/", b->point, home);
	ways_in(b, "up/", NULL, up);
	_cleanup_close_ int at = open_in(dir, "home");
	if (at < 0 || !ways_pristine(at, home, 0755, remove, 0))
		return false;
	_cleanup_close_ int over = open_in(dir, "up");
	if (over < 0)
		return errno == ENOENT;
	return private_dir(dir, "up", 0700) && ways_pristine(over, up, 0700, remove, 0);
}

/* ---- the list of ways ---- */

/* Relative, below home/ or up/, no "..", not too deep. */
static bool is_way(const char *s)
{
	if ((!has_prefix(s, "home/") && !has_prefix(s, "up/")) || strlen(s) >= PATH_MAX)
		return false;
	unsigned int depth = 0;
	for (const char *p = s; *p;) {
		const size_t n = strcspn(p, "/");
		const bool dots = (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
		if (n == 0 || n > NAME_MAX || dots || ++depth > WAY_DEPTH)
			return false;
		p += n;
		if (*p && !*++p)
			return false;
	}
	return !strchr(s, '\n');
}

bool spare_taken(struct store_box *b, struct arena *a)
{
	char *text = NULL;
	_cleanup_close_ int dir = open_box(b);
	if (dir < 0)
		return false;
	if (!b->whole) {
		ssize_t n = file_read(a, dir, WAYS_NAME, WAYS_BYTES, &text, NULL);
		if (n < 0 && n != -ENOENT)
			return false;
		char *save = NULL;
		for (char *w = text ? strtok_r(text, "\n", &save) : NULL; w;
			w = strtok_r(NULL, "\n", &save)) {
			if (!is_way(w) || b->ways.n == WAYS_MAX - 1)
				return false;
			strv_push(a, &b->ways, w);
		}
		b->ways_noted = n >= 0;
	}
	return pristine(b, dir, false);
}

static bool note_ways(const struct store_box *b, int dir)
{
	if (b->whole || b->ways_noted || b->ways.n == 0)
		return true;
	_cleanup_close_ int fd = openat(
		dir, WAYS_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok = fd >= 0;
	for (size_t i = 0; ok && i < b->ways.n; i++)
		ok = dprintf(fd, "%s\n", b->ways.v[i]) > 0;
	return ok;
}

static bool same(const struct strv *a, const struct strv *b)
{
	bool is = a->n == b->n;
	for (size_t i = 0; is && i < a->n; i++)
		is = streq(a->v[i], b->v[i]);
	return is;
}

/* The empty directories of a way that nothing is mounted on this time.  The end of one that is a
 * file's is not kept, its directories are. */
static void drop_way(int dir, const char *way)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s", way) >= (int)sizeof(path))
		return;
	for (char *slash; (slash = strrchr(path, '/')) &&
		(unlinkat(dir, path, AT_REMOVEDIR) == 0 || errno == ENOENT);)
		*slash = '\0';
}

void store_box_ways(struct store_box *b, struct arena *a, const struct strv *ways)
{
	struct strv fit = {0};
	if (!b->spare || b->whole)
		return;
	for (size_t i = 0; i < ways->n && fit.n < WAYS_MAX - 1; i++)
		if (is_way(ways->v[i]))
			strv_push(a, &fit, ways->v[i]);
	if (same(&fit, &b->ways))
		return;
	_cleanup_close_ int dir = open_box(b);
	for (size_t i = 0; dir >= 0 && i < b->ways.n; i++)
		if (!strv_has(&fit, b->ways.v[i]))
			drop_way(dir, b->ways.v[i]);
	b->ways = fit;
	b->ways_noted = false;
}

/* ---- kept ---- */

/* The kernel makes these with mode 0: whoever removes the cache by hand could not go in. */
static void open_work(const struct store_box *b, int dir)
{
	static const char *const made[] = {"work", "work/incompat", "work/incompat/volatile"};
	char path[PATH_MAX];
	for (size_t i = 0; b->work && i < b->ways.n; i++)
		for (size_t k = 0; has_prefix(b->ways.v[i], "up/") && k < ARRAY_LEN(made); k++)
			if (snprintf(path, sizeof(path), "%s/%s/%s", b->work, b->ways.v[i] + 3,
				    made[k]) >= (int)sizeof(path) ||
				fchmodat(dir, path, 0700, 0) < 0)
				break;
}

static bool rename_new(const char *from, const char *to)
{
	CRASH_STEP();
	const bool done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) ==
		0;
	const int saved = errno;
	CRASH_STEP();
	errno = saved;
	return done;
}

/* Where it goes: the place is b->spare, or there are others. */
static bool free_place(const struct store_box *b, char ret[static PATH_MAX])
{
	struct stat st;
	char more[PATH_MAX];
	if (lstat(b->spare, &st) < 0)
		return snprintf(ret, PATH_MAX, "%s", b->spare) < PATH_MAX;
	return !b->whole && more_place(b, more) &&
		snprintf(ret, PATH_MAX, "%s/%02x", more, turn() % MORE_MAX) < PATH_MAX &&
		lstat(ret, &st) < 0;
}

bool spare_keep(const struct store_box *b)
{
	char place[PATH_MAX];
	if (!b->spare || !b->dir || !free_place(b, place))
		return false;
	_cleanup_close_ int dir = open_box(b);
	if (dir < 0 || !pristine(b, dir, true) || !note_ways(b, dir))
		return false;
	open_work(b, dir);
	if (rename_new(b->dir, place))
		return true;
	char *base = strrchr(place, '/');
	if (errno != ENOENT || !base)
		return false;
	*base = '\0';
	if (file_mkdir_private(place, NULL) < 0)
		return false;
	*base = '/';
	return rename_new(b->dir, place);
}
