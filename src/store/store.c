/* store/store.c - see store.h */
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/dir-record.h"
#include "base/file.h"
#include "base/tree.h"
#include "store/layers.h"
#include "store/spare.h"

static int open_lock(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

static int lock_fd(int fd, int how)
{
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* A read-only or full home: the state can lie elsewhere. */
static void hint_place(struct err *err)
{
	if (err && !err->hint[0])
		err_hint(err,
			"bawn keeps its state there: make it writable, or set XDG_DATA_HOME "
			"and XDG_CACHE_HOME to directories that are");
}

int store_open(struct arena *a, struct store *ret, struct err *err)
{
	struct store s = STORE_NONE;
	int r = path_xdg_find(a, &s.xdg, err);
	if (r < 0)
		return r;
	s.sandboxes = path_join(a, s.xdg.data, "sandboxes");
	char *lock = path_join(a, s.sandboxes, ".lock");
	if (!lock)
		return err_set(err, ENOMEM, "out of memory");
	s.lock = open_lock(AT_FDCWD, lock);
	/* Both must be private at every start: a directory can be swapped between two of them. */
	r = file_mkdir_private(s.xdg.data, err);
	if (r == 0)
		r = file_mkdir_private(s.sandboxes, err);
	if (r == 0 && s.lock < 0)
		s.lock = open_lock(AT_FDCWD, lock);
	if (r == 0 && s.lock < 0)
		r = err_sys(err, -s.lock, "open %s", lock);
	if (r < 0) {
		hint_place(err);
		store_close(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

/* The last component of path as it may stand in an id: [a-z0-9._-], at most 24. */
static void id_part(const char *path, char ret[static 25])
{
	size_t n = 0;
	for (const char *p = path_base(path); *p && n < 24; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
			c == '_' || c == '-';
		ret[n++] = ok ? c : '_';
	}
	ret[n] = '\0';
}

/* Make b->dir, or take the spare one, and lock it. */
static int box_make(struct store_box *b, struct arena *a, struct err *err)
{
	CRASH_STEP();
	bool taken = spare_take(b);
	CRASH_STEP();
	if (taken && !spare_taken(b, a)) {
		int r = tree_remove(AT_FDCWD, b->dir, err);
		if (r < 0)
			return r;
		taken = b->ways_noted = false;
		b->ways = (struct strv){0};
	}
	if (!taken && mkdir(b->dir, 0700) < 0) {
		const int code = errno;
		b->dir = NULL; /* which is nobody's, or another's */
		return err_sys(err, code, "create %s", b->id);
	}
	_cleanup_close_ int dir = open(b->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	b->lock = dir < 0 ? -errno : open_lock(dir, STORE_LOCK_NAME);
	int r = b->lock < 0 ? b->lock : lock_fd(b->lock, LOCK_EX | LOCK_NB);
	if (r == -EWOULDBLOCK && taken) {
		/* Whoever left it here has not let go of the lock yet.  The directory is ours by
		 * the rename, so a lock of our own does; nobody collects while we hold the
		 * store's.  But the mounts of that run may still have its upper directories. */
		tree_remove(dir, "up", NULL);
		close(b->lock);
		b->lock = unlinkat(dir, STORE_LOCK_NAME, 0) < 0 ? -errno
								: open_lock(dir, STORE_LOCK_NAME);
		r = b->lock < 0 ? b->lock : lock_fd(b->lock, LOCK_EX | LOCK_NB);
	}
	if (r == 0 && !taken && mkdirat(dir, "home", 0700) < 0)
		r = -errno;
	b->taken = taken;
	return r < 0 ? err_sys(err, -r, "set up %s", b->dir) : 0;
}

char *store_box_shape(struct arena *a, const char *profile, const char *workspace)
{
	char tool[25], place[25];
	id_part(profile, tool);
	id_part(workspace ? workspace : "none", place);
	return arena_printf(a, "%s-%s", tool, place);
}

/* One that could not be finished goes without a descriptor, as there may be none left: one that is
 * new has next to nothing in it, and what was taken goes back, to be looked at anew.  While the
 * store's lock is held: without its own, others take it for one that was left. */
static void undo(struct store_box *b, struct arena *a, int why)
{
	char *lock = path_join(a, b->dir, STORE_LOCK_NAME);
	if (lock)
		unlink(lock);
	rmdir(b->home);
	const bool gone = rmdir(b->dir) == 0 || errno == ENOENT ||
		((why == EMFILE || why == ENFILE) && b->spare && rename(b->dir, b->spare) == 0);
	b->spare = NULL;
	if (!gone)
		store_box_remove(b, NULL);
	else if (b->lock >= 0)
		close(b->lock);
}

/* Its names; like: an own place for the spare one, of a template's sandbox. */
static int create(struct store *s, struct arena *a, const char *profile, const char *workspace,
	const char *home, const char *like, struct store_box *ret, struct err *err)
{
	struct store_box b = STORE_BOX_NONE;
	unsigned int nonce;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return err_sys(err, errno, "getrandom");
	const char *shape = store_box_shape(a, profile, workspace);
	b.id = shape ? arena_printf(a, "%s-%06x", shape, nonce & 0xffffff) : NULL;
	b.dir = path_join(a, s->sandboxes, b.id ? b.id : "x");
	b.home = b.dir ? path_join(a, b.dir, "home") : NULL;
	if (!b.id || !b.dir || !b.home)
		return err_set(err, ENOMEM, "out of memory");
	spare_place(s, a, workspace, home, &b);
	if (like) {
		b.spare = arena_dup(a, like);
		b.whole = true;
	} else {
		b.work = arena_printf(a, SPARE_WORK "%06x", nonce & 0xffffff);
	}

	int r = lock_fd(s->lock, LOCK_SH);
	if (r < 0)
		return err_sys(err, -r, "lock %s", s->sandboxes);
	r = box_make(&b, a, err);
	if (r < 0 && b.dir)
		undo(&b, a, err->code);
	lock_fd(s->lock, LOCK_UN);
	if (r == 0)
		*ret = b;
	return r;
}

int store_box_create(struct store *s, struct arena *a, const char *profile, const char *workspace,
	const char *home, struct store_box *ret, struct err *err)
{
	return create(s, a, profile, workspace, home, NULL, ret, err);
}

int store_box_create_like(struct store *s, struct arena *a, const char *profile,
	const char *workspace, const char *spare, struct store_box *ret, struct err *err)
{
	return create(s, a, profile, workspace, NULL, spare, ret, err);
}

int store_box_leave(struct store_box *b, int *ret_lock, struct err *err)
{
	sweep_leave(b);
	int r = spare_keep(b) || !b->dir ? 0 : tree_remove(AT_FDCWD, b->dir, err);
	*ret_lock = b->lock;
	*b = STORE_BOX_NONE;
	return r;
}

int store_box_remove(struct store_box *b, struct err *err)
{
	int lock, r = store_box_leave(b, &lock, err);
	if (lock >= 0)
		close(lock);
	return r;
}

/* 1 if name was a leftover and is gone. */
static int collect_one(int dirfd, const char *name, struct err *err)
{
	_cleanup_close_ int box = openat(
		dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (box < 0)
		return 0;
	if (name[0] != '.' && faccessat(box, "spec", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0; /* it lasts */
	/* A directory without a lock file was cut short while it was being made or removed. */
	_cleanup_close_ int lock = openat(box, STORE_LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (lock < 0 && errno != ENOENT)
		return 0;
	if (lock >= 0 && lock_fd(lock, LOCK_EX | LOCK_NB) < 0)
		return 0;
	int r = tree_remove(dirfd, name, err);
	return r < 0 ? r : 1;
}

int store_collect(struct store *s, struct err *err)
{
	if (lock_fd(s->lock, LOCK_EX | LOCK_NB) < 0)
		return 0;
	_cleanup_close_ int fd = open(s->sandboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		lock_fd(s->lock, LOCK_UN);
		return err_sys(err, errno, "open %s", s->sandboxes);
	}
	int removed = 0, r = 0;
	struct dir_reader d;
	const struct dir_record *e;
	d.fd = fd;
	d.n = d.at = 0;
	while ((e = dir_next(&d))) {
		if (e->d_name[0] == '.' && !has_prefix(e->d_name, ".new-") &&
			!has_prefix(e->d_name, ".gone-"))
			continue;
		int k = collect_one(fd, e->d_name, err);
		if (k < 0)
			r = k;
		else
			removed += k;
	}
	int k = layers_collect(s, err);
	lock_fd(s->lock, LOCK_UN);
	return r < 0 ? r : k < 0 ? k : removed + k;
}

#define DAY (24 * 3600)
#define CACHE_DAYS 30

/* Used last: written, or read where the file system keeps that (relatime: once a day). */
static bool unused(const struct stat *st, time_t now)
{
	return now - MAX(st->st_mtime, st->st_atime) > CACHE_DAYS * DAY;
}

static void prune_dir(int cache, const char *name, time_t now)
{
	int fd = openat(cache, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	struct dirent *de;
	struct stat st;
	while ((de = readdir(d)))
		if (fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
			unused(&st, now))
			unlinkat(fd, de->d_name, 0);
	closedir(d);
}

void store_prune_cache(const char *cache_dir)
{
	static const char *const dirs[] = {"pack", "seed", "scan", "stack"};
	struct stat st;
	time_t now = time(NULL);
	_cleanup_close_ int cache = open(cache_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cache < 0 ||
		(fstatat(cache, ".pruned", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			now - st.st_mtime < DAY && st.st_mtime <= now))
		return;
	_cleanup_close_ int mark = openat(
		cache, ".pruned", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (mark < 0 || futimens(mark, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		prune_dir(cache, dirs[i], now);
	tree_remove(cache, "spare", NULL);
	tree_remove(cache, "spare-root", NULL);
}
