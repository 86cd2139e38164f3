/* copy/send.c - see copy.h.  Directories wait in a list of paths below the root and are opened
 * beneath it one by one: no link is followed, and depth costs neither stack nor descriptors.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/path.h"
#include "copy/copy.h"

#define SAFE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

struct sender {
	struct arena arena;
	struct strv dirs;
	int root, to;
	char data[COPY_DATA_MAX];
};

static int put(struct sender *s, struct copy_head *h, const char *name, const void *data, size_t n)
{
	h->magic = COPY_MAGIC;
	h->n_name = (uint32_t)strlen(name);
	h->n_data = (uint32_t)n;
	int r = fd_write_all(s->to, h, sizeof(*h));
	if (r == 0 && h->n_name)
		r = fd_write_all(s->to, name, h->n_name);
	if (r == 0 && n)
		r = fd_write_all(s->to, data, n);
	return r;
}

static int put_text(struct sender *s, enum copy_kind kind, const char *name, int error)
{
	char text[COPY_NAME_MAX];
	struct copy_head h = {.kind = kind};
	snprintf(text, sizeof(text), "%.*s%s%s", COPY_NAME_MAX - 128, *name ? name : "it",
		error ? ": " : "", error ? strerror(error) : "");
	return put(s, &h, text, NULL, 0);
}

static struct copy_head head_of(enum copy_kind kind, const struct stat *st)
{
	return (struct copy_head){.kind = kind,
		.mode = st->st_mode & 0777,
		.mtime_s = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec};
}

static int send_file(struct sender *s, int fd, const char *name)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return put_text(s, COPY_SKIP, name, EINVAL);
	struct copy_head h = head_of(COPY_FILE, &st);
	int r = put(s, &h, name, NULL, 0);
	ssize_t n = 0;
	while (r == 0 && (n = read(fd, s->data, sizeof(s->data))) > 0) {
		struct copy_head d = {.kind = COPY_DATA};
		r = put(s, &d, "", s->data, (size_t)n);
	}
	int error = n < 0 ? errno : 0;
	struct copy_head c = {.kind = COPY_CLOSE, .bad = error != 0};
	if (r == 0)
		r = put(s, &c, "", NULL, 0);
	return r == 0 && error ? put_text(s, COPY_SKIP, name, error) : r;
}

static int send_link(struct sender *s, int dir, const char *entry, const char *name)
{
	char target[COPY_NAME_MAX];
	struct stat st = {0};
	ssize_t n = readlinkat(dir, entry, target, sizeof(target));
	if (n <= 0 || n == sizeof(target))
		return put_text(s, COPY_SKIP, name, n < 0 ? errno : ENAMETOOLONG);
	fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW);
	struct copy_head h = head_of(COPY_LINK, &st);
	return put(s, &h, name, target, (size_t)n);
}

static const char *special(mode_t mode)
{
	return S_ISSOCK(mode) ? "a socket" : S_ISFIFO(mode) ? "a FIFO" : "a device";
}

static int send_entry(struct sender *s, int dir, const char *entry, const char *name)
{
	struct stat st;
	if (fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : put_text(s, COPY_SKIP, name, errno);
	if (S_ISDIR(st.st_mode)) {
		strv_add(&s->arena, &s->dirs, name);
		return 0;
	}
	if (S_ISLNK(st.st_mode))
		return send_link(s, dir, entry, name);
	if (!S_ISREG(st.st_mode)) {
		char text[COPY_NAME_MAX + 64];
		snprintf(text, sizeof(text), "%s: %s is not copied", name, special(st.st_mode));
		return put_text(s, COPY_SKIP, text, 0);
	}
	_cleanup_close_ int fd = path_openat2(
		dir, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, SAFE);
	return fd < 0 ? put_text(s, COPY_SKIP, name, -fd) : send_file(s, fd, name);
}

/* name: "" for the root itself */
static int send_dir(struct sender *s, const char *name)
{
	char below[COPY_NAME_MAX];
	struct stat st;
	int fd = path_openat2(
		s->root, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d || fstat(fd, &st) < 0) {
		int error = fd < 0 ? -fd : errno;
		if (fd >= 0)
			close(fd);
		return put_text(s, *name ? COPY_SKIP : COPY_FAIL, name, error);
	}
	struct copy_head h = head_of(COPY_DIR, &st);
	int r = put(s, &h, name, NULL, 0);
	for (struct dirent *de; r == 0 && (de = readdir(d));) {
		if (streq(de->d_name, ".") || streq(de->d_name, ".."))
			continue;
		int n = snprintf(
			below, sizeof(below), "%s%s%s", name, *name ? "/" : "", de->d_name);
		r = n < (int)sizeof(below) - 64 ? send_entry(s, dirfd(d), de->d_name, below)
						: put_text(s, COPY_SKIP, name, ENAMETOOLONG);
	}
	closedir(d);
	return r;
}

static int send_all(struct sender *s, const char *path, unsigned int flags)
{
	struct stat st;
	/* a trailing slash is followed by the kernel as well */
	if (fstatat(AT_FDCWD, path, &st, flags & COPY_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return put_text(s, COPY_FAIL, path, errno);
	if (S_ISLNK(st.st_mode))
		return send_link(s, AT_FDCWD, path, "");
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return put_text(s, COPY_FAIL, path, EINVAL);
	_cleanup_close_ int fd = open(path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
			(flags & COPY_FOLLOW ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return put_text(s, COPY_FAIL, path, errno);
	if (S_ISREG(st.st_mode))
		return send_file(s, fd, "");
	s->root = fd;
	strv_add(&s->arena, &s->dirs, "");
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->dirs.n; i++)
		r = send_dir(s, s->dirs.v[i]);
	return r == 0 && s->arena.failed ? put_text(s, COPY_FAIL, path, ENOMEM) : r;
}

int copy_send(const char *path, int to, unsigned int flags, struct err *err)
{
	static struct sender s;
	struct copy_head end = {.kind = COPY_END};
	s.to = to;
	int r = send_all(&s, path, flags);
	if (r == 0)
		r = put(&s, &end, "", NULL, 0);
	arena_free(&s.arena);
	return r < 0 ? err_sys(err, -r, "send") : 0;
}
