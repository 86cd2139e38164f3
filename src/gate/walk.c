/* gate/walk.c - every file below a directory; see scan.h
 *
 * Nothing is followed, nothing opened but regular files and directories of that tree.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/path.h"
#include "gate/names.h"
#include "gate/scan.h"

#define TEXT_MAX 65536

/* Files with several names that had nothing in them: looked at once. */
struct seen {
	uint64_t *v;
	size_t n, cap;
};

struct walk {
	struct scan *s;
	struct seen seen;
	char path[GATE_PATH_MAX];
	struct err *err;
};

static bool seen_has(const struct seen *d, uint64_t ino)
{
	for (size_t i = ino * 0x9e3779b97f4a7c15u; d->cap; i++) {
		const uint64_t v = d->v[i % d->cap];
		if (v == ino || !v)
			return v == ino;
	}
	return false;
}

static void seen_put(struct seen *d, uint64_t ino)
{
	if (2 * d->n >= d->cap) {
		struct seen grown = {.cap = d->cap ? 2 * d->cap : 1024};
		grown.v = calloc(grown.cap, sizeof(*grown.v));
		if (!grown.v)
			return; /* it is looked at again */
		for (size_t i = 0; i < d->cap; i++)
			if (d->v[i])
				seen_put(&grown, d->v[i]);
		free(d->v);
		*d = grown;
	}
	size_t i = ino * 0x9e3779b97f4a7c15u;
	while (d->v[i % d->cap])
		i++;
	d->v[i % d->cap] = ino;
	d->n++;
}

/* ---- one file ---- */

struct file {
	int fd;
	off_t at, hole; /* bytes up to hole are data */
};

static ssize_t file_read_data(void *ctx, void *buf, size_t n)
{
	struct file *f = ctx;
	for (;;) {
		if (f->at >= f->hole) { /* what a file does not have is not read */
			off_t data = lseek(f->fd, f->at, SEEK_DATA);
			if (data < 0)
				return errno == ENXIO ? 0 : -errno;
			off_t hole = lseek(f->fd, data, SEEK_HOLE);
			f->at = data;
			f->hole = hole > data ? hole : data + (off_t)n;
		}
		ssize_t k = pread(f->fd, buf, MIN(n, (size_t)(f->hole - f->at)), f->at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k > 0)
			f->at += k;
		return k < 0 ? -errno : k;
	}
}

/* Attributes that the store itself keeps say nothing. */
static bool is_ours(const char *name)
{
	return has_prefix(name, "user.overlay.") || streq(name, "user.rootlesscontainers") ||
		streq(name, "user.bawn.mode") || streq(name, "user.bawn.node") ||
		streq(name, "user.bawn.links");
}

static int look_at_attributes(struct scan *s, int fd)
{
	char names[TEXT_MAX / 2], where[300];
	ssize_t n = flistxattr(fd, names, sizeof(names));
	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		if (!has_prefix(p, "user.") || is_ours(p))
			continue;
		ssize_t k = fgetxattr(fd, p, s->text, TEXT_MAX);
		if (k < 0)
			return -errno;
		snprintf(where, sizeof(where), "attribute %.255s", p);
		scan_bytes(s, GATE_BINARY, p, strlen(p), "an attribute's name");
		scan_bytes(s, GATE_PLAIN, s->text, (size_t)k, where);
	}
	return 0;
}

static int look_at_file(struct walk *w, int fd, const struct stat *st)
{
	struct scan *s = w->s;
	struct file f = {.fd = fd};
	const struct scan_source from = {file_read_data, &f};
	const char *what = gate_credential_file(w->path);
	const uint64_t before = s->t.n_found + s->t.n_allowed + s->t.n_unseen;
	if (what && st->st_size > 0)
		scan_found(s, 0, what, false);
	/* what is looked for depends on the name, and a file may have several */
	const uint64_t key = st->st_ino * 8 + (uint64_t)gate_manner_of(w->path);
	if (st->st_nlink > 1 && !what && seen_has(&w->seen, key))
		return 0;
	s->t.files++;
	s->unpacked = 0;
	s->line = 0;
	int r = scan_stream(s, &from, 0);
	s->member = "";
	if (r == 0 && st->st_nlink > 1 && before == s->t.n_found + s->t.n_allowed + s->t.n_unseen)
		seen_put(&w->seen, key);
	return r;
}

/* ---- the tree ---- */

static int walk_dir(struct walk *w, int dir, size_t len, unsigned int depth);

static int look_at_link(struct walk *w, int dir, const char *name)
{
	ssize_t n = readlinkat(dir, name, (char *)w->s->text, TEXT_MAX);
	if (n < 0)
		return -errno;
	scan_bytes(w->s, GATE_GIT, w->s->text, (size_t)n, "a link's target");
	return 0;
}

static int look_at(struct walk *w, int dir, const char *name, size_t len, unsigned int depth)
{
	struct stat st;
	struct scan *s = w->s;
	s->path = w->path;
	s->member = "";
	s->told = s->line = 0;
	scan_bytes(s, GATE_BINARY, name, strlen(name), "its name");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return look_at_link(w, dir, name);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0; /* a whiteout, a FIFO */
	_cleanup_close_ int fd = path_openat2(dir, name,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			(S_ISDIR(st.st_mode) ? O_DIRECTORY : 0),
		0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	int r = look_at_attributes(s, fd);
	if (r < 0)
		return r;
	return S_ISDIR(st.st_mode) ? walk_dir(w, TAKE_FD(fd), len, depth + 1)
				   : look_at_file(w, fd, &st);
}

/* Takes dir. */
static int walk_dir(struct walk *w, int dir, size_t len, unsigned int depth)
{
	DIR *d = depth > GATE_DEPTH_MAX ? NULL : fdopendir(dir);
	int r = 0;
	if (!d) {
		r = depth > GATE_DEPTH_MAX ? -ELOOP : -errno;
		close(dir);
		return r;
	}
	for (struct dirent *e; r == 0 && (errno = 0, e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		const size_t n = strlen(e->d_name), slash = len ? 1 : 0;
		if (len + slash + n >= sizeof(w->path)) {
			r = -ENAMETOOLONG;
			break;
		}
		if (slash)
			w->path[len] = '/';
		memcpy(w->path + len + slash, e->d_name, n + 1);
		r = look_at(w, dirfd(d), e->d_name, len + slash + n, depth);
		if (r == 0)
			w->path[len] = '\0';
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(d);
	return r;
}

int scan_tree(struct scan *s, int dir, struct err *err)
{
	struct walk *w = calloc(1, sizeof(*w));
	s->text = malloc(TEXT_MAX);
	int own = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (!w || !s->text || own < 0) {
		free(w);
		return err_set(err, ENOMEM, "out of memory");
	}
	w->s = s;
	s->path = s->member = "";
	int r = walk_dir(w, own, 0, 0);
	if (r < 0)
		err_sys(err, -r, "%s, could not be looked at", w->path);
	free(w->seen.v);
	free(w);
	return r;
}
