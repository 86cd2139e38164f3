/* scan/scanner.c - see scanner.h */
#include "scan/scanner.h"

#include <fcntl.h>
#include <limits.h>

#include "base/fd.h"
#include "base/path.h"

static bool comes_first(const struct scan_item *it)
{
	return (it->flags & SCAN_AUTO) || it->kind == SCAN_GIT_CONFIG ||
		it->kind == SCAN_GIT_KEPT || it->kind == SCAN_GIT_DROPPED;
}

/* What a start must not leave out; the rest of what it finds is said, no more. */
static bool is_guarded(const struct scan_item *it)
{
	return it->kind == SCAN_MASK || it->kind == SCAN_PROTECT;
}

void scan_too_many(struct scanner *s, const char *what, const char *path)
{
	if (s->too_many)
		return;
	s->too_many = what;
	s->too_many_at = path ? arena_dup(&s->arena, path) : NULL;
}

/* What counts most has room of its own, or thousands of harmless links would keep it out. */
static bool take_room(struct scanner *s, const struct scan_item *it)
{
	const size_t bytes = 64 + (it->path ? strlen(it->path) : 0) +
		(it->detail ? strlen(it->detail) : 0) + it->n_text;
	if (!s->req->end && is_guarded(it))
		return s->n_first++ < SCAN_ITEMS_MAX;
	if (!GUARD_REMOVED("scan-first") && comes_first(it))
		return s->n_first++ < SCAN_FIRST_MAX &&
			(s->first_bytes += bytes) <= SCAN_FIRST_BYTES;
	return s->n_rest++ < SCAN_ITEMS_MAX && (s->rest_bytes += bytes) <= SCAN_REST_BYTES;
}

void scan_emit(struct scanner *s, struct scan_item it)
{
	if (!take_room(s, &it)) {
		if (!s->req->end && is_guarded(&it))
			scan_too_many(s, "files and directories that match masks or are protected",
				it.path);
		if (s->limited)
			return;
		s->limited = true;
		it = (struct scan_item){.kind = SCAN_LIMIT,
			.type = SCAN_DIR,
			.path = s->req->root,
			.detail = "more findings than can be listed"};
	}
	if (scan_result_put(&s->out, &it) == 0)
		s->totals.n++;
}

void scan_emit_at(struct scanner *s, struct scan_at at, struct scan_item it)
{
	it.path = *at.rel ? path_join(&s->arena, at.base->path, at.rel) : at.base->path;
	if (it.path)
		scan_emit(s, it);
}

void scan_emit_rel(struct scanner *s, const char *rel, struct scan_item it)
{
	scan_emit_at(s, (struct scan_at){.base = &s->base[0], .rel = rel}, it);
}

void scan_emit_persist(struct scanner *s, const char *rel, enum scan_type type, unsigned int per,
	unsigned int flags, const char *detail)
{
	scan_emit_rel(s, rel,
		(struct scan_item){.kind = SCAN_PERSIST,
			.type = type,
			.per = per,
			.flags = flags,
			.detail = detail});
}

void scan_emit_git(struct scanner *s, struct scan_at at, unsigned int per, const char *detail)
{
	struct stat st = {0};
	scan_stat(at, &st);
	scan_emit_at(s, at,
		(struct scan_item){.kind = SCAN_PERSIST,
			.type = S_ISDIR(st.st_mode)   ? SCAN_DIR
				: S_ISLNK(st.st_mode) ? SCAN_SYMLINK
						      : SCAN_FILE,
			.flags = SCAN_AUTO,
			.per = per,
			.detail = detail});
}

struct scan_at scan_locate(const struct scanner *s, const char *path)
{
	for (size_t i = 0; i < s->n_bases; i++) {
		if (!path_within(path, s->base[i].path))
			continue;
		const char *rel = path + strlen(s->base[i].path);
		return (struct scan_at){.base = &s->base[i], .rel = rel + strspn(rel, "/")};
	}
	return (struct scan_at){0};
}

struct scan_at scan_below(struct scanner *s, struct scan_at at, const char *name)
{
	const char *rel = *at.rel ? path_join(&s->arena, at.rel, name) : arena_dup(&s->arena, name);
	return (struct scan_at){.base = rel ? at.base : NULL, .rel = rel ? rel : ""};
}

int scan_open(struct scan_at at, int flags)
{
	return at.base ? walk_open(at.base->fd, at.rel, flags) : -ENOENT;
}

int scan_list(struct scanner *s, struct scan_at at)
{
	struct stat st;
	int fd = scan_open(at, O_RDONLY | O_DIRECTORY);
	if (fd == -EACCES && scan_stat(at, &st) == 0 && st.st_uid == s->walk.uid)
		scan_emit_at(s, at,
			(struct scan_item){
				.kind = SCAN_LIMIT, .type = SCAN_DIR, .detail = WALK_SHUT});
	return fd;
}

int scan_stat(struct scan_at at, struct stat *ret)
{
	if (!at.base)
		return -ENOENT;
	_cleanup_close_ int fd = walk_open(at.base->fd, at.rel, O_PATH);
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

ssize_t scan_read_in(struct arena *a, struct scan_at at, size_t max, char **ret)
{
	struct stat st;
	_cleanup_close_ int path = scan_open(at, O_PATH);
	if (path < 0)
		return path;
	if (fstat(path, &st) < 0 || !S_ISREG(st.st_mode)) /* opening a device could act */
		return -EINVAL;
	_cleanup_close_ int fd = scan_open(at, O_RDONLY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	size_t n = MIN(max, (size_t)st.st_size);
	char *buf = arena_alloc(a, n + 1);
	if (!buf)
		return -ENOMEM;
	ssize_t got = fd_read_full(fd, buf, n);
	if (got < 0)
		return got;
	buf[got] = '\0';
	*ret = buf;
	return got;
}

ssize_t scan_read(struct scanner *s, struct scan_at at, size_t max, char **ret)
{
	return scan_read_in(&s->arena, at, max, ret);
}

char *scan_follow(struct scanner *s, const char *rel)
{
	char link[64], buf[PATH_MAX];
	/* Absolute links may come back into the root, so not RESOLVE_BENEATH; where it ended is
	 * checked below, and O_PATH opens nothing. */
	_cleanup_close_ int fd = path_openat2(
		s->base[0].fd, rel, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlinkat(AT_FDCWD, link, buf, sizeof(buf) - 1);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	const char *root = s->base[0].path;
	if (!path_within(buf, root) || streq(buf, root))
		return NULL;
	return arena_dup(&s->arena, buf + strlen(root) + 1);
}

bool scan_since(const struct scanner *s, const struct stat *st)
{
	uint64_t t = (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
	return t >= s->req->since_ns;
}
