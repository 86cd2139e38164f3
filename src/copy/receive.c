/* copy/receive.c - see copy.h
 *
 * Every path of the stream is checked for what it is made of, and then opened beneath the
 * destination with no link followed.  A file is written under a name of ours and renamed when it is
 * whole: what is cut short leaves nothing.  Directories get their modes at the end, as one that
 * can't be written could not be filled.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/path.h"
#include "copy/copy.h"

#define SAFE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define TEMP ".bawn-cp.tmp"
#define TEMP_LINK ".bawn-cp.lnk"
#define PROGRESS_NS 200000000

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

struct late {
	char *path;
	struct copy_head head;
};

struct receiver {
	int from, dir, status;
	const char *top; /* NULL: the directory itself */
	unsigned int flags;
	mode_t umask;
	struct arena arena;
	struct late *late; /* directories we made, in order */
	size_t n_late, cap_late;
	uint64_t entries, files, bytes;
	uint32_t skipped;
	int64_t told; /* ns */
	/* the file at work */
	int parent, file; /* -1: none */
	bool dropped;     /* its data is read and thrown away */
	char entry[256], path[COPY_NAME_MAX * 2];
	struct copy_head head;
	char name[COPY_NAME_MAX + 1];
	char data[COPY_DATA_MAX + 1];
};

static void tell(struct receiver *v, enum copy_status_kind kind, int error, const char *text)
{
	struct copy_status s = {.magic = COPY_MAGIC,
		.kind = kind,
		.files = v->files,
		.bytes = v->bytes,
		.skipped = v->skipped,
		.error = error};
	snprintf(s.text, sizeof(s.text), "%s", text);
	fd_write_all(v->status, &s, sizeof(s));
}

static void progress(struct receiver *v)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	int64_t now = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (now - v->told < PROGRESS_NS)
		return;
	v->told = now;
	tell(v, COPY_PROGRESS, 0, "");
}

/* Left out, and said; the copy goes on. */
static int skip(struct receiver *v, const char *name, int error)
{
	char text[1024];
	v->skipped++;
	snprintf(text, sizeof(text), "%.900s: %s", *name ? name : "it", strerror(error));
	tell(v, COPY_NOTE, 0, text);
	return 0;
}

/* What lies in the way of this one may not lie in the way of the next; the others end it. */
static bool passing(int error)
{
	return error != ENOSPC && error != EDQUOT && error != EIO && error != EFBIG &&
		error != EMFILE && error != ENOMEM && error != EROFS;
}

static int failed(struct receiver *v, const char *name, int r)
{
	return passing(-r) ? skip(v, name, -r) : r;
}

/* ---- paths ---- */

/* "" or words parted by single slashes, none of them "." or "..". */
static bool good_path(const char *p)
{
	if (!*p)
		return true;
	for (;;) {
		size_t n = strcspn(p, "/");
		if (n == 0 || n > 255 || (n == 1 && p[0] == '.') ||
			(n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

/* name below the destination: into v->path; -EINVAL for the destination itself. */
static int place(struct receiver *v, const char *name)
{
	const char *top = v->top ? v->top : "";
	snprintf(v->path, sizeof(v->path), "%s%s%s", top, *top && *name ? "/" : "", name);
	return *v->path ? 0 : -EINVAL;
}

/* The directory that v->path is in, as v->parent, and its last word in v->entry. */
static int open_parent(struct receiver *v)
{
	char *slash = strrchr(v->path, '/');
	const char *entry = slash ? slash + 1 : v->path;
	const size_t n = strlen(entry);
	if (n >= sizeof(v->entry))
		return -ENAMETOOLONG;
	memcpy(v->entry, entry, n + 1);
	if (v->parent >= 0)
		close(TAKE_FD(v->parent));
	if (slash)
		*slash = '\0';
	v->parent = path_openat2(
		v->dir, slash ? v->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
	if (slash)
		*slash = '/';
	return v->parent < 0 ? v->parent : 0;
}

static mode_t mode_for(const struct receiver *v, const struct copy_head *h)
{
	mode_t mode = h->mode & 0777; /* no set-ID bits, whatever it says */
	return v->flags & COPY_EXACT ? mode : mode & ~v->umask;
}

static void set_times(const struct receiver *v, int fd, const struct copy_head *h)
{
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT},
		{.tv_sec = h->mtime_s, .tv_nsec = (long)(h->mtime_ns % 1000000000u)}};
	if (v->flags & COPY_EXACT)
		futimens(fd, t);
}

/* ---- records ---- */

static int take_dir(struct receiver *v)
{
	struct stat st;
	if (place(v, v->name) < 0)
		return 0; /* the destination, which there is */
	int r = open_parent(v);
	if (r < 0)
		return failed(v, v->path, r);
	if (mkdirat(v->parent, v->entry, 0700) < 0) {
		if (errno != EEXIST)
			return failed(v, v->path, -errno);
		if (fstatat(v->parent, v->entry, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISDIR(st.st_mode))
			return skip(v, v->path, ENOTDIR);
		return 0; /* it stays as it is, and is filled */
	}
	if (v->n_late == v->cap_late) {
		size_t cap = v->cap_late ? v->cap_late * 2 : 64;
		struct late *more = realloc(v->late, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		v->late = more;
		v->cap_late = cap;
	}
	char *path = arena_dup(&v->arena, v->path);
	if (!path)
		return -ENOMEM;
	v->late[v->n_late++] = (struct late){.path = path, .head = v->head};
	return 0;
}

static bool there(const struct receiver *v)
{
	struct stat st;
	return fstatat(v->parent, v->entry, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int take_file(struct receiver *v)
{
	if (v->file >= 0 || v->dropped)
		return -EBADMSG;
	v->dropped = true;
	int r = place(v, v->name);
	if (r == 0)
		r = open_parent(v);
	if (r < 0)
		return failed(v, v->path, r);
	if ((v->flags & COPY_FRESH) && there(v))
		return 0;
	unlinkat(v->parent, TEMP, 0); /* of one that was killed */
	v->file = path_openat2(
		v->parent, TEMP, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600, SAFE);
	if (v->file < 0) {
		r = v->file;
		v->file = -1;
		return failed(v, v->path, r);
	}
	v->dropped = false;
	return 0;
}

static int take_data(struct receiver *v, size_t n)
{
	v->bytes += n;
	if (v->bytes > COPY_BYTES_MAX)
		return -EFBIG;
	if (v->dropped)
		return 0;
	return v->file < 0 ? -EBADMSG : fd_write_all(v->file, v->data, n);
}

static void discard(struct receiver *v)
{
	if (v->file < 0)
		return;
	close(TAKE_FD(v->file));
	unlinkat(v->parent, TEMP, 0);
}

static int put_in_place(const struct receiver *v, const char *temp)
{
	if (v->flags & COPY_FRESH)
		return syscall(SYS_renameat2, v->parent, temp, v->parent, v->entry,
			       RENAME_NOREPLACE) < 0
			? -errno
			: 0;
	return renameat(v->parent, temp, v->parent, v->entry) < 0 ? -errno : 0;
}

static int take_close(struct receiver *v, const struct copy_head *file)
{
	if (v->dropped) {
		v->dropped = false;
		return 0;
	}
	if (v->file < 0)
		return -EBADMSG;
	if (v->head.bad) {
		discard(v);
		return 0; /* a SKIP says why */
	}
	int r = fchmod(v->file, mode_for(v, file)) < 0 ? -errno : 0;
	set_times(v, v->file, file);
	if (r == 0)
		r = put_in_place(v, TEMP);
	if (r < 0) {
		discard(v);
		return r == -EEXIST && (v->flags & COPY_FRESH) ? 0 : failed(v, v->path, r);
	}
	close(TAKE_FD(v->file));
	v->files++;
	return 0;
}

/* Does following this link lead out of what is copied? */
static bool leads_out(const struct receiver *v, const char *target)
{
	/* where it is the whole copy, nothing is beside it */
	return !*v->name || path_link_leads_out(v->name, target);
}

static int take_link(struct receiver *v, size_t n)
{
	char text[1024];
	v->data[n] = '\0';
	int r = place(v, v->name);
	if (r == 0)
		r = open_parent(v);
	if (r < 0)
		return failed(v, v->path, r);
	if (n == 0 || n >= COPY_NAME_MAX || strlen(v->data) != n)
		return -EBADMSG;
	if ((v->flags & COPY_OUTSIDE) && leads_out(v, v->data) && !GUARD_REMOVED("copy-links")) {
		v->skipped++;
		snprintf(text, sizeof(text),
			"%.400s: a link that leads out of what is copied (%.400s)", v->path,
			v->data);
		tell(v, COPY_NOTE, 0, text);
		return 0;
	}
	if ((v->flags & COPY_FRESH) && there(v))
		return 0;
	unlinkat(v->parent, TEMP_LINK, 0);
	r = symlinkat(v->data, v->parent, TEMP_LINK) < 0 ? -errno : put_in_place(v, TEMP_LINK);
	if (r < 0) {
		unlinkat(v->parent, TEMP_LINK, 0);
		return failed(v, v->path, r);
	}
	v->files++;
	return 0;
}

/* ---- the stream ---- */

static int read_exactly(int fd, void *p, size_t n)
{
	ssize_t k = fd_read_full(fd, p, n);
	return k < 0 ? (int)k : (size_t)k < n ? -ENODATA : 0;
}

/* The next record into v->head, v->name, v->data. */
static int next(struct receiver *v)
{
	struct copy_head *h = &v->head;
	int r = read_exactly(v->from, h, sizeof(*h));
	if (r < 0)
		return r;
	if (h->magic != COPY_MAGIC || h->n_name > COPY_NAME_MAX || h->n_data > COPY_DATA_MAX)
		return -EBADMSG;
	bool with_data = h->kind == COPY_DATA || h->kind == COPY_LINK;
	if ((!with_data && h->n_data) || (h->kind == COPY_LINK && h->n_data >= COPY_NAME_MAX))
		return -EBADMSG;
	r = read_exactly(v->from, v->name, h->n_name);
	v->name[h->n_name] = '\0';
	if (r == 0 && strlen(v->name) != h->n_name)
		r = -EBADMSG;
	if (r == 0)
		r = read_exactly(v->from, v->data, h->n_data);
	return r;
}

static int take(struct receiver *v, struct copy_head *file)
{
	const bool named = v->head.kind == COPY_DIR || v->head.kind == COPY_FILE ||
		v->head.kind == COPY_LINK;
	if (named &&
		((!good_path(v->name) && !GUARD_REMOVED("copy-names")) || v->file >= 0 ||
			v->dropped))
		return -EBADMSG;
	if (named && ++v->entries > COPY_ENTRIES_MAX)
		return -E2BIG;
	switch (v->head.kind) {
	case COPY_DIR:
		return take_dir(v);
	case COPY_FILE:
		*file = v->head;
		return take_file(v);
	case COPY_DATA:
		return take_data(v, v->head.n_data);
	case COPY_CLOSE:
		return take_close(v, file);
	case COPY_LINK:
		return take_link(v, v->head.n_data);
	case COPY_SKIP:
		if (++v->entries > COPY_ENTRIES_MAX)
			return -E2BIG;
		v->skipped++;
		tell(v, COPY_NOTE, 0, v->name);
		return 0;
	default:
		return -EBADMSG;
	}
}

/* From the innermost out: a directory's time changes with what is put into it. */
static void finish_dirs(struct receiver *v)
{
	for (size_t i = v->n_late; i-- > 0;) {
		const struct late *l = &v->late[i];
		_cleanup_close_ int fd = path_openat2(
			v->dir, l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
		if (fd < 0)
			continue;
		set_times(v, fd, &l->head);
		fchmod(fd, mode_for(v, &l->head));
	}
}

static const char *reason(const struct receiver *v, int r)
{
	return v->head.kind == COPY_FAIL && r == -ECANCELED ? v->name
		: r == -ENODATA                             ? "the other end stopped in the middle"
		: r == -EBADMSG                             ? "the other end sends nonsense"
		: r == -E2BIG                               ? "there are too many files"
		: r == -EFBIG                               ? "it is too large"
							    : strerror(-r);
}

/* Told to end: what is half goes first. */
static struct receiver *at_work;
static void on_end(int sig)
{
	(void)sig;
	if (at_work && at_work->file >= 0)
		unlinkat(at_work->parent, TEMP, 0);
	_exit(2);
}

int copy_receive(int from, int dir, const char *top, int status, unsigned int flags)
{
	static struct receiver v;
	struct copy_head file = {0};
	v.from = from;
	v.dir = dir;
	v.top = top;
	v.status = status;
	v.flags = flags;
	v.parent = v.file = -1;
	v.umask = umask(0);
	at_work = &v;
	int r;
	while ((r = next(&v)) == 0 && v.head.kind != COPY_END) {
		r = v.head.kind == COPY_FAIL ? -ECANCELED : take(&v, &file);
		if (r < 0)
			break;
		progress(&v);
	}
	if (r == 0 && (v.file >= 0 || v.dropped))
		r = -EBADMSG;
	discard(&v);
	finish_dirs(&v);
	if (v.parent >= 0)
		close(v.parent);
	tell(&v, COPY_DONE, -r, r < 0 ? reason(&v, r) : "");
	arena_free(&v.arena);
	free(v.late);
	return r < 0 ? r : v.skipped > 0;
}

/* ---- where to ---- */

void copy_end_well(void)
{
	struct sigaction sa = {.sa_handler = on_end};
	sigaction(SIGTERM, &sa, NULL);
}

int copy_destination(const char *path, const char *base, unsigned int flags, const char **ret_top,
	struct err *err)
{
	const uint64_t how = flags & COPY_OUTSIDE ? RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS : 0;
	const int open_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	static char parent[COPY_NAME_MAX], last[256];
	*ret_top = base;
	int fd = path_openat2(AT_FDCWD, path, (uint64_t)open_flags, 0, how);
	if (fd == -ELOOP) {
		err_hint(err, "give the path that it leads to");
		return err_set(err, ELOOP, "%s: there is a link on the way", path);
	}
	if (fd >= 0)
		return fd;
	size_t n = strlen(path);
	if (n == 0 || path[n - 1] == '/' || (fd != -ENOENT && fd != -ENOTDIR))
		return err_sys(err, -fd, "%s", *path ? path : "the destination");
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (strlen(name) >= sizeof(last) || n >= sizeof(parent) || streq(name, ".") ||
		streq(name, ".."))
		return err_set(err, ENAMETOOLONG, "%s is no name for a copy", path);
	snprintf(last, sizeof(last), "%s", name);
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	if (slash == path)
		snprintf(parent, sizeof(parent), "/");
	fd = path_openat2(AT_FDCWD, parent, (uint64_t)open_flags, 0, how);
	if (fd == -ELOOP) {
		err_hint(err, "give the path that it leads to");
		return err_set(err, ELOOP, "%s: there is a link on the way", path);
	}
	if (fd < 0)
		return err_sys(err, -fd, "%s", parent);
	struct stat st;
	if ((flags & COPY_OUTSIDE) && fstatat(fd, last, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(st.st_mode)) {
		close(fd);
		err_hint(err, "give the path that it leads to, or remove the link");
		return err_set(err, ELOOP, "%s is a link", path);
	}
	*ret_top = last;
	return fd;
}
