/* store/home.c - see sandboxes.h: what is put into the home of a sandbox at rest, from outside.
 *
 * The upper layer was left by whatever ran in there: no link in it is followed, and what is not as
 * it has to be is left alone and said.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"
#include "store/sandboxes.h"

#define FRESH_MAX ((size_t)4 << 20)
#define SAFE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static bool is_whiteout(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
		st.st_rdev == 0;
}

/* The directory name of dir, made where it is missing; one that was removed inside comes back
 * without what is in the layers below (*ret_hidden).  Descriptor or -errno. */
static int enter(int dir, const char *name, bool *ret_hidden)
{
	int fd = path_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
	if (fd >= 0 || (fd != -ENOENT && !is_whiteout(dir, name)))
		return fd;
	bool hidden = fd != -ENOENT;
	if (hidden && unlinkat(dir, name, 0) < 0)
		return -errno;
	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	fd = path_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
	if (fd >= 0 && hidden && fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0) {
		int e = errno;
		close(fd);
		return -e;
	}
	*ret_hidden |= hidden;
	return fd;
}

/* Beneath the box: what was written into the part that has the home; and rel in it.  In a
 * template's root that is some directories down. */
static int open_part(const struct store_box *b, int box)
{
	return path_openat2(
		box, b->root ? "up/root" : "up/home", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
}

static const char *in_part(struct arena *a, const struct store_box *b, const char *rel)
{
	if (*rel == '/')
		return b->root ? rel + 1 : NULL;
	return b->root ? arena_printf(a, "%s/%s", b->root, rel) : rel;
}

static int put(int up, const char *rel, const void *text, size_t n, bool always)
{
	char name[NAME_MAX + 1];
	struct stat st;
	_cleanup_close_ int dir = fcntl(up, F_DUPFD_CLOEXEC, 3);
	for (const char *slash; dir >= 0 && (slash = strchr(rel, '/')); rel = slash + 1) {
		if ((size_t)(slash - rel) >= sizeof(name) || slash == rel)
			return -EINVAL;
		memcpy(name, rel, (size_t)(slash - rel));
		name[slash - rel] = '\0';
		if (!always && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : -errno; /* the fresh one shows */
		int next = enter(dir, name, &always);
		close(dir);
		dir = next;
	}
	if (dir < 0)
		return dir;
	if (fstatat(dir, rel, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT ? -errno
			: always       ? file_write_atomic(dir, rel, text, n, 0600, false, NULL)
				       : 0;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return file_write_atomic(dir, rel, text, n, 0600, false, NULL);
}

int store_home_refresh(const struct store_box *b, const char *rel, bool layered, struct err *err)
{
	struct arena a = {0};
	char *text;
	_cleanup_close_ int box = open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int up = box < 0 ? -errno : open_part(b, box);
	if (up == -ENOENT && b->root) /* nothing was ever written: the fresh one shows */
		return 0;
	const char *from = *rel == '/' ? path_join(&a, b->dir, "seed-root") : b->home;
	_cleanup_close_ int seed = !from
		? -ENOMEM
		: open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *at = in_part(&a, b, rel);
	ssize_t n = up < 0 ? up
		: seed < 0 ? -errno
		: !at      ? -ENOMEM
			   : file_read(&a, seed, rel + (*rel == '/'), FRESH_MAX, &text, err);
	int r = n < 0 ? (int)n : put(up, at, text, (size_t)n, layered);
	if (n > 0)
		explicit_bzero(text, (size_t)n);
	arena_free(&a);
	return r < 0 ? err_sys(err, -r, "%s%s inside", *rel == '/' ? "" : "~/", rel) : 0;
}

static int open_up(const struct store_box *b)
{
	_cleanup_close_ int box = open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return box < 0 ? -errno : open_part(b, box);
}

/* The file that hides the seed's, or NULL and 0: there is none, or nothing that could have lines.
 */
static int read_up(struct arena *a, int up, const char *rel, char **ret)
{
	struct stat st;
	_cleanup_close_ int fd = path_openat2(
		up, rel, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, SAFE);
	*ret = NULL;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if ((uint64_t)st.st_size > FRESH_MAX)
		return -EFBIG;
	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	ssize_t n = text ? fd_pread_full(fd, text, (size_t)st.st_size, 0) : -ENOMEM;
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret = strlen(text) == (size_t)n ? text : NULL; /* a NUL stands in no text */
	return 0;
}

static bool begins_a_line(const char *text, const char *what, size_t n)
{
	const char *end = text + strlen(text);
	for (const char *at = text; (at = memmem(at, (size_t)(end - at), what, n)); at++)
		if (at == text || at[-1] == '\n')
			return true;
	return false;
}

int store_home_lines(const struct store_box *b, const char *rel, const char *lines, size_t known,
	struct err *err)
{
	struct arena a = {0};
	char *text = NULL, *both = NULL;
	_cleanup_close_ int up = open_up(b);
	const char *at = in_part(&a, b, rel);
	int r = up == -ENOENT ? 0 : up < 0 ? up : !at ? -ENOMEM : read_up(&a, up, at, &text);
	if (r == 0 && text && known && !begins_a_line(text, lines, known)) {
		const size_t n = strlen(text);
		both = arena_printf(&a, "%s%s%s%s", text, n && text[n - 1] != '\n' ? "\n" : "",
			lines, lines[strlen(lines) - 1] == '\n' ? "" : "\n");
		r = both ? put(up, at, both, strlen(both), false) : -ENOMEM;
	}
	arena_free(&a);
	return r < 0 ? err_sys(err, -r, "~/%s inside", rel) : both != NULL;
}

int store_home_reset(const struct store_box *b, struct err *err)
{
	if (file_dir_empty(b->home)) /* making it anew would cost more with each start */
		return 0;
	int r = tree_remove(AT_FDCWD, b->home, err);
	if (r < 0)
		return r;
	if (mkdir(b->home, 0700) < 0)
		return err_sys(err, errno, "create %s", b->home);
	return 0;
}
