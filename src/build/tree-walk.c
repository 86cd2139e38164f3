/* build/tree-walk.c - one walk over the sources of a COPY, for their digest or as a copy; tree.h
 *
 * Theory: names in byte order, each opened beneath its directory with no link followed, so that a
 * link which appears meanwhile leads nowhere.  A named source itself may be a link: it is resolved
 * inside its root, in a context not out of it either way (RESOLVE_BENEATH refuses what leads out;
 * in a stage an absolute link means the stage's own root).
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/name-owners.h"
#include "base/path.h"
#include "base/sha256.h"
#include "build/buf.h"
#include "build/mode.h"
#include "build/tree-walk.h"

#define IMPLIED "user.bawn.implied" /* of what an archive does not list (layer/layer.h) */
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int fail(struct walk *w, int code, const char *what, const char *path)
{
	char safe[600];
	return err_sys(w->err, code, "%s %s", what, escape_text(safe, sizeof(safe), path));
}

int walk_push(struct walk *w, struct buf *b, const char *name, size_t *was)
{
	*was = b->n;
	if (b->n)
		buf_char(b, '/');
	buf_str(b, name);
	return b->failed ? err_set(w->err, ENOMEM, "out of memory") : 0;
}

void walk_pop(struct buf *b, size_t was)
{
	b->n = was;
	if (b->s)
		b->s[was] = '\0';
}

/* ---- what a source says of itself ---- */

struct facts {
	struct build_owner owner;
	mode_t mode;
};

static bool get_owner(int fd, struct build_owner *ret)
{
	unsigned char p[16];
	uint32_t ids[2] = {0, 0};
	ssize_t n = fgetxattr(fd, "user.rootlesscontainers", p, sizeof(p));
	if (n < 0)
		return false;
	for (ssize_t i = 0; i < n;) {
		unsigned char key = p[i++];
		uint64_t v = 0;
		bool more = true;
		for (unsigned int shift = 0; more && i < n && shift < 35; shift += 7) {
			v |= (uint64_t)(p[i] & 0x7f) << shift;
			more = p[i++] & 0x80;
		}
		if (more || v > UINT32_MAX || (key != 0x08 && key != 0x10))
			return false;
		ids[(key >> 3) - 1] = (uint32_t)v;
	}
	*ret = (struct build_owner){.set = true, .uid = ids[0], .gid = ids[1]};
	return true;
}

static mode_t get_mode(int fd, const struct stat *st)
{
	char text[8];
	ssize_t n = fgetxattr(fd, "user.bawn.mode", text, sizeof(text) - 1);
	mode_t mode = st->st_mode & 07777;
	if (n <= 0)
		return mode;
	text[n] = '\0';
	char *end;
	unsigned long v = strtoul(text, &end, 8);
	bool dir = S_ISDIR(st->st_mode);
	if (*end || v > 07777 || (dir ? (v & 01777) | 0700 : (v & 0777) | 0400) != mode)
		return mode;
	return (mode_t)v;
}

static struct facts facts_of(const struct walk *w, int fd, const struct stat *st)
{
	struct facts f = {.mode = st->st_mode & 07777};
	if (!w->c->context) {
		f.mode = get_mode(fd, st);
		get_owner(fd, &f.owner);
	} else if (w->c->unpacked) {
		f.mode = get_mode(fd, st);
	}
	if (w->c->chmod)
		f.mode = mode_apply(w->c->chmod, f.mode, S_ISDIR(st->st_mode));
	if (w->c->owner.set)
		f.owner = w->c->owner;
	return f;
}

/* Capabilities, devices and the user's own attributes of what a layer has. */
static bool is_copied(const char *name)
{
	return has_prefix(name, "user.") && !has_prefix(name, "user.overlay.") &&
		!streq(name, "user.bawn.mode") && !streq(name, "user.rootlesscontainers") &&
		!streq(name, IMPLIED) && !streq(name, NAME_OWNERS_ATTR);
}

static int copy_attrs(struct walk *w, int from, int to)
{
	char names[32768], value[65536];
	ssize_t n = w->c->context ? 0 : flistxattr(from, names, sizeof(names));
	for (char *p = names; n > 0 && p < names + n; p += strlen(p) + 1) {
		if (!is_copied(p))
			continue;
		ssize_t len = fgetxattr(from, p, value, sizeof(value));
		if (len >= 0 && fsetxattr(to, p, value, (size_t)len, 0) < 0)
			return fail(w, errno, "set an attribute of", w->shown.s);
	}
	return 0;
}

/* ---- the digest ---- */

static void digest_line(struct walk *w, char kind, const struct facts *f, const char *more)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%c %o %u:%u:%d ", kind, (unsigned int)f->mode,
		f->owner.uid, f->owner.gid, f->owner.set);
	sha256_add(w->sum, line, (size_t)n);
	sha256_add(w->sum, w->rel.s ? w->rel.s : "", w->rel.n + (w->rel.s != NULL));
	sha256_add(w->sum, more, strlen(more) + 1);
}

static int cmp_hex(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_HEX);
}

/* What copy_attrs() would copy, in an order that is no file system's. */
static void digest_attrs(struct walk *w, int fd)
{
	enum { MOST = 256 };
	char names[32768], value[65536], hex[MOST][SHA256_HEX + 1];
	size_t count = 0;
	ssize_t n = w->c->context ? 0 : flistxattr(fd, names, sizeof(names));
	for (char *p = names; n > 0 && p < names + n && count < MOST; p += strlen(p) + 1) {
		ssize_t len = is_copied(p) ? fgetxattr(fd, p, value, sizeof(value)) : -1;
		if (len < 0)
			continue;
		struct sha256 sum;
		sha256_begin(&sum);
		sha256_add(&sum, p, strlen(p) + 1);
		sha256_add(&sum, value, (size_t)len);
		sha256_end(&sum, hex[count++]);
	}
	qsort(hex, count, sizeof(hex[0]), cmp_hex);
	for (size_t i = 0; i < count; i++)
		sha256_add(w->sum, hex[i], sizeof(hex[i]));
}

static int digest_content(struct walk *w, int fd, const struct facts *f)
{
	char hex[SHA256_HEX + 1];
	int r = file_sha256(fd, hex);
	if (r < 0)
		return fail(w, -r, "read", w->shown.s);
	digest_line(w, 'f', f, hex);
	digest_attrs(w, fd);
	return 0;
}

/* ---- the copy ---- */

static int clear_place(struct walk *w, int to, const char *name)
{
	if (unlinkat(to, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return err_set(w->err, EISDIR,
			"%s is a directory, and what is copied there is none", w->shown.s);
	return fail(w, errno, "replace", w->shown.s);
}

static int copy_bytes(struct walk *w, int from, int to)
{
	_cleanup_free_ char *room = NULL;
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			break;
	}
	room = malloc(1 << 16);
	for (ssize_t n = room ? 1 : -ENOMEM; n != 0;) {
		n = n < 0 ? n : fd_read_full(from, room, 1 << 16);
		int r = n > 0 ? fd_write_all(to, room, (size_t)n) : (int)n;
		if (r < 0)
			return fail(w, -r, "copy", w->shown.s);
	}
	return 0;
}

/* A further name of a file that has come already: 1. */
static int copy_link(struct walk *w, int to, const char *name, const struct stat *st)
{
	for (size_t i = 0; st->st_nlink > 1 && i < w->n_links; i++) {
		const struct walk_link *l = &w->links[i];
		if (l->dev != st->st_dev || l->ino != st->st_ino)
			continue;
		if (linkat(w->c->links ? w->c->links->root : w->top, l->path, to, name, 0) < 0)
			return fail(w, errno, "link", w->shown.s);
		return 1;
	}
	if (st->st_nlink < 2)
		return 0;
	w->links = arena_grow(w->a, w->links, w->n_links, &w->cap_links, sizeof(*w->links));
	char *path = NULL;
	if (w->c->links && build_links_path(w->c->links, to, name, &path, w->err) < 0)
		return -w->err->code;
	if (!w->c->links)
		path = arena_dup(w->a, w->at.s);
	if (!w->links || !path)
		return err_set(w->err, ENOMEM, "out of memory");
	w->links[w->n_links++] = (struct walk_link){
		.dev = st->st_dev, .ino = st->st_ino, .path = path};
	return 0;
}

static int copy_file(struct walk *w, int from, int to, const char *name, const struct stat *st,
	const struct facts *f)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
	int r = clear_place(w, to, name);
	if (r == 0)
		r = copy_link(w, to, name, st);
	if (r != 0)
		return r < 0 ? r : 0;
	_cleanup_close_ int fd = openat(
		to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(w, errno, "create", w->shown.s);
	r = copy_bytes(w, from, fd);
	if (r == 0)
		r = copy_attrs(w, from, fd);
	if (r == 0)
		r = build_tree_mark(fd, &f->owner, f->mode, false, w->err);
	if (r == 0 && futimens(fd, times) < 0)
		r = fail(w, errno, "set the time of", w->shown.s);
	return r;
}

int walk_file(struct walk *w, int fd, int to, const char *as)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(w->err, EBUSY, "%s changes while it is copied", w->shown.s);
	const struct facts f = facts_of(w, fd, &st);
	return w->sum ? digest_content(w, fd, &f) : copy_file(w, fd, to, as, &st, &f);
}

static int take_file(struct walk *w, int dir, const char *name, int to, const char *as)
{
	_cleanup_close_ int fd = openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? fail(w, errno, "open", w->shown.s) : walk_file(w, fd, to, as);
}

/* Of a link or a FIFO, which has no attributes.  Root's as before in digests: without a word. */
static int other_facts(struct walk *w, int dir, const char *name, struct facts *f)
{
	struct link_owner o = {.mode = f->mode};
	if (!w->c->owner.set && w->c->links) {
		int r = build_links_find(w->c->links, w->c->from, dir, name, &o, w->err);
		if (r < 0)
			return r;
		f->owner = (struct build_owner){.set = o.uid || o.gid, .uid = o.uid, .gid = o.gid};
		f->mode = o.mode;
	}
	if (w->c->owner.set)
		f->owner = w->c->owner;
	return 0;
}

static int keep_facts(struct walk *w, int to, const char *as, const struct facts *f)
{
	const struct link_owner o = {f->owner.uid, f->owner.gid, f->mode};
	return w->c->links ? build_links_keep(w->c->links, to, as, &o, w->err) : 0;
}

static int take_symlink(
	struct walk *w, int dir, const char *name, int to, const char *as, const struct stat *st)
{
	char target[PATH_MAX];
	struct facts f = {.mode = 0777};
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return fail(w, errno, "read the link", w->shown.s);
	target[n] = '\0';
	int r = other_facts(w, dir, name, &f);
	if (r == 0 && w->sum) {
		f.mode = 0777;
		digest_line(w, 'l', &f, target);
		return 0;
	}
	if (r == 0)
		r = clear_place(w, to, as);
	if (r == 0 && symlinkat(target, to, as) < 0)
		r = fail(w, errno, "create the link", w->shown.s);
	if (r == 0)
		utimensat(to, as, times, AT_SYMLINK_NOFOLLOW);
	return r == 0 ? keep_facts(w, to, as, &f) : r;
}

static int take_fifo(
	struct walk *w, int dir, const char *name, int to, const char *as, const struct stat *st)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
	struct facts f = {.mode = st->st_mode & 07777};
	int r = other_facts(w, dir, name, &f);
	if (w->c->chmod)
		f.mode = mode_apply(w->c->chmod, f.mode, false);
	if (r == 0 && w->sum) {
		digest_line(w, 'p', &f, "");
		return 0;
	}
	if (r == 0)
		r = clear_place(w, to, as);
	if (r == 0 && mkfifoat(to, as, (f.mode & 0777) | 0400) < 0)
		r = fail(w, errno, "create", w->shown.s);
	if (r == 0)
		utimensat(to, as, times, AT_SYMLINK_NOFOLLOW);
	return r == 0 ? keep_facts(w, to, as, &f) : r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(struct walk *w, int fd, struct strv *ret)
{
	int copy = openat(fd, ".", DIR_FLAGS);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		if (copy >= 0)
			close(copy);
		return fail(w, errno, "list", w->shown.s ? w->shown.s : ".");
	}
	int r = 0;
	errno = 0;
	for (struct dirent *e; r == 0 && (e = readdir(d)); errno = 0)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = strv_add(w->a, ret, e->d_name);
	if (r == 0 && errno)
		r = -errno;
	closedir(d);
	if (r < 0)
		return fail(w, -r, "list", w->shown.s ? w->shown.s : ".");
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return 0;
}

int walk_inside(struct walk *w, int from, int to)
{
	struct strv names = {0};
	int r = ++w->depth > BUILD_DEPTH_MAX
		? err_set(w->err, ELOOP, "%s: directories lie in one another too deep", w->shown.s)
		: list(w, from, &names);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = walk_take(w, from, names.v[i], to, names.v[i]);
	w->depth--;
	return r;
}

/* A directory that comes along, its own mode and owner, too. */
/* The directory fd gets what from is. */
int walk_dir_facts(struct walk *w, int from, int fd)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return fail(w, errno, "look at", w->shown.s);
	const struct facts f = facts_of(w, from, &st);
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st.st_mtim};
	if (w->sum) {
		digest_line(w, 'd', &f, "");
		return 0;
	}
	int r = copy_attrs(w, from, fd);
	if (r == 0)
		r = build_tree_mark(fd, &f.owner, f.mode, true, w->err);
	if (r == 0)
		futimens(fd, times);
	return r;
}

bool walk_is_implied(int fd)
{
	return fgetxattr(fd, IMPLIED, NULL, 0) >= 0;
}

/* The directory as in to; *made: it was not there. */
static int open_dir(struct walk *w, int to, const char *as, bool implied, bool *made)
{
	*made = mkdirat(to, as, 0755) == 0;
	if (!*made && errno != EEXIST)
		return fail(w, errno, "create", w->shown.s);
	int fd = openat(to, as, DIR_FLAGS);
	if (fd >= 0 || *made || !w->c->archive)
		return fd;
	if (implied)
		return build_links_dir(w->c->links, to, as, w->err);
	*made = unlinkat(to, as, 0) == 0 && mkdirat(to, as, 0755) == 0;
	return *made ? openat(to, as, DIR_FLAGS) : -1;
}

static int take_dir(struct walk *w, int dir, const char *name, int to, const char *as, bool skip)
{
	_cleanup_close_ int from = openat(dir, name, DIR_FLAGS), fd = -1;
	const bool implied = w->c->archive && from >= 0 && walk_is_implied(from);
	bool made = false;
	int r = from < 0 ? fail(w, errno, "open", w->shown.s) : 0;
	/* skip: left out itself, walked for what in it is not */
	if (r == 0 && w->sum && !skip)
		r = walk_dir_facts(w, from, -1);
	if (r == 0 && !w->sum) {
		fd = open_dir(w, to, as, implied, &made);
		if (fd < 0)
			return err_set(w->err, ENOTDIR, "%s is there already, and is no directory",
				w->shown.s);
	}
	if (r == 0)
		r = walk_inside(w, from, fd);
	if (r == 0 && !w->sum && (made || !implied))
		r = walk_dir_facts(w, from, fd);
	if (r == 0 && skip && made)
		unlinkat(to, as, AT_REMOVEDIR); /* if nothing in it was wanted */
	return r;
}

/* *ret_below: is it to be looked into, were it a directory? */
static bool is_out(const struct ignore *rules, const char *path, bool *ret_below)
{
	bool out = ignore_match(rules, path, ret_below);
	*ret_below |= !out;
	return out;
}

/* name below dir, as `as` below to, unless it is left out. */
int walk_take(struct walk *w, int dir, const char *name, int to, const char *as)
{
	size_t shown = 0, rel = 0, at = 0;
	bool below = true, below_too = true, out;
	struct stat st;
	int r = walk_push(w, &w->shown, name, &shown);
	if (r == 0)
		r = walk_push(w, &w->rel, as, &rel);
	if (r == 0)
		r = walk_push(w, &w->at, as, &at);
	if (r < 0)
		return r;
	out = w->c->ignore && is_out(w->c->ignore, w->shown.s, &below);
	out |= is_out(&w->c->exclude, w->rel.s, &below_too);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = fail(w, errno, "look at", w->shown.s);
	else if (S_ISDIR(st.st_mode) && below && below_too)
		r = take_dir(w, dir, name, to, as, out);
	else if (out)
		r = 0;
	else if (S_ISREG(st.st_mode))
		r = take_file(w, dir, name, to, as);
	else if (S_ISLNK(st.st_mode))
		r = take_symlink(w, dir, name, to, as, &st);
	else if (S_ISFIFO(st.st_mode))
		r = take_fifo(w, dir, name, to, as, &st);
	else if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(0, 0)) /* a layer's whiteout */
		r = err_set(w->err, EINVAL, "%s is no file, directory, link or FIFO", w->shown.s);
	w->found++;
	walk_pop(&w->shown, shown);
	walk_pop(&w->rel, rel);
	walk_pop(&w->at, at);
	return r;
}
