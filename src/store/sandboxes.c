/* store/sandboxes.c - see sandboxes.h */
#include "store/sandboxes.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"
#include "store/layers.h"

#define RECORD_MAX ((size_t)512 << 20)

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int sandbox_dir(const struct store *s, const char *name)
{
	_cleanup_close_ int all = open_dir(AT_FDCWD, s->sandboxes);
	/* a name is one component, and no leftover's */
	if (all < 0 || name[0] == '.' || !*name || strchr(name, '/'))
		return all < 0 ? all : -ENOENT;
	return open_dir(all, name);
}

int store_sandbox_find(
	struct store *s, struct arena *a, const char *name, struct spec *ret, struct err *err)
{
	_cleanup_close_ int dir = sandbox_dir(s, name);
	if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP || dir == -ENAMETOOLONG)
		return -ENOENT;
	if (dir < 0)
		return err_sys(err, -dir, "open sandbox %s", name);
	if (faccessat(dir, "spec", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return -ENOENT;
	int r = spec_read(dir, a, ret, err);
	if (r == 0 && !streq(ret->name, name))
		r = err_set(err, EINVAL, "its spec is that of %s", ret->name);
	if (r < 0 && r != -EPROTO)
		err_hint(err, "what it holds is in %s/%s; bawn rm -f %s removes it", s->sandboxes,
			name, name);
	return r < 0 ? err_prefix(err, "sandbox %s", name) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_sandbox_list(struct store *s, struct arena *a, struct strv *ret, struct err *err)
{
	DIR *d = opendir(s->sandboxes);
	if (!d)
		return err_sys(err, errno, "open %s", s->sandboxes);
	struct dirent *de;
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		_cleanup_close_ int dir = open_dir(dirfd(d), de->d_name);
		if (dir >= 0 && faccessat(dir, "spec", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			strv_add(a, ret, de->d_name);
	}
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return arena_check(a, err);
}

/* The lock's descriptor, or -errno: -EBUSY when somebody has it. */
static int take_lock(int dir, int how)
{
	_cleanup_close_ int fd = openat(
		dir, STORE_LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, how | LOCK_NB) < 0)
		if (errno != EINTR)
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return TAKE_FD(fd);
}

bool store_sandbox_busy(struct store *s, const char *name)
{
	_cleanup_close_ int dir = sandbox_dir(s, name);
	/* shared: two that only look don't take each other for its owner */
	_cleanup_close_ int lock = dir < 0 ? dir : take_lock(dir, LOCK_SH);
	return lock == -EBUSY;
}

static int rename_new(const char *from, const char *to)
{
	CRASH_STEP();
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -errno
											  : 0;
}

static char *hidden(struct store *s, struct arena *a, const char *what, const char *name)
{
	uint32_t nonce = 0;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return NULL;
	return arena_printf(a, "%s/.%s-%s-%08x", s->sandboxes, what, name, nonce);
}

/* Not every file system can hold what is written to an overlay; and where attributes are missing an
 * overlay can't note which directories hide what is below. */
static int check_place(struct store *s, int dir, struct err *err)
{
	static const char name[] = "user.bawn.probe";
	const char *unfit = file_no_upper(dir);
	if (unfit) {
		err_hint(err, FILE_UPPER_HINT "; or keep nothing: bawn run --rm");
		return err_set(err, ENOTSUP, "no sandbox can be kept in %s: that is %s",
			s->sandboxes, unfit);
	}
	if (fsetxattr(dir, name, "y", 1, 0) == 0)
		return fremovexattr(dir, name) < 0 ? err_sys(err, errno, "%s", s->sandboxes) : 0;
	if (errno != ENOTSUP && errno != EPERM)
		return err_sys(err, errno, "write an attribute in %s", s->sandboxes);
	err_hint(err, FILE_UPPER_HINT "; or keep nothing: bawn run --rm");
	return err_set(
		err, ENOTSUP, "the file system of %s has no extended attributes", s->sandboxes);
}

/* The host's edits count from the time at which what was written began to be. */
static int carry(struct arena *a, int from, int dir, struct err *err)
{
	static const char *const names[] = {"changes", "landed"};
	char *text = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (from < 0 || faccessat(from, names[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		ssize_t n = file_read(a, from, names[i], RECORD_MAX, &text, err);
		int r = n < 0 ? (int)n
			      : file_write_atomic(dir, names[i], text, (size_t)n, 0600, false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill(struct store *s, struct arena *a, int dir, const struct spec *spec, int from,
	struct err *err)
{
	int r = check_place(s, dir, err);
	if (r < 0)
		return r;
	r = carry(a, from, dir, err);
	if (r < 0)
		return r;
	r = file_mkdir_p(dir, "seed", 0700);
	if (r == 0)
		r = store_parts_make(s, a, dir, spec);
	return r < 0 ? err_sys(err, -r, "set up sandbox %s", spec->name)
		     : spec_write(dir, spec, err);
}

static int name_box(struct store *s, struct arena *a, const char *name, struct store_box *b)
{
	b->id = arena_dup(a, name);
	b->dir = path_join(a, s->sandboxes, name);
	b->home = b->dir ? path_join(a, b->dir, "seed") : NULL;
	b->lasting = true;
	return b->id && b->dir && b->home ? 0 : -ENOMEM;
}

int store_sandbox_create(struct store *s, struct arena *a, const struct spec *spec, int from,
	struct store_box *ret, struct err *err)
{
	struct store_box b = STORE_BOX_NONE;
	int r = spec_name_check(spec->name, err);
	if (r < 0)
		return r;
	char *fresh = hidden(s, a, "new", spec->name);
	if (!fresh || name_box(s, a, spec->name, &b) < 0)
		return err_set(err, ENOMEM, "out of memory");
	/* A collector must not take it for a leftover before it has its lock. */
	while (flock(s->lock, LOCK_SH) < 0 && errno == EINTR)
		;
	CRASH_STEP();
	_cleanup_close_ int dir = mkdir(fresh, 0700) < 0 ? -errno : open_dir(AT_FDCWD, fresh);
	b.lock = dir < 0 ? dir : take_lock(dir, LOCK_EX);
	flock(s->lock, LOCK_UN);
	if (b.lock < 0)
		r = err_sys(err, -b.lock, "create %s", fresh);
	if (r == 0)
		r = fill(s, a, dir, spec, from, err);
	if (r == 0) {
		r = rename_new(fresh, b.dir);
		if (r < 0)
			err_set(err, -r,
				r == -EEXIST ? "there is a sandbox %s already"
					     : "sandbox %s could not be created",
				spec->name);
	}
	if (r < 0) {
		tree_remove(AT_FDCWD, fresh, NULL);
		if (b.lock >= 0)
			close(b.lock);
		return r;
	}
	*ret = b;
	return 0;
}

int store_sandbox_lock(
	struct store *s, struct arena *a, const char *name, struct store_box *ret, struct err *err)
{
	struct store_box b = STORE_BOX_NONE;
	struct stat st, now;
	_cleanup_close_ int dir = sandbox_dir(s, name);
	if (dir < 0)
		return dir == -ENOENT ? dir : err_sys(err, -dir, "open sandbox %s", name);
	if (name_box(s, a, name, &b) < 0)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int lock = take_lock(dir, LOCK_EX);
	if (lock == -EBUSY)
		return -EBUSY;
	if (lock < 0)
		return err_sys(err, -lock, "lock sandbox %s", name);
	/* Removed, and perhaps made again, while we waited for the lock: not the same any more. */
	if (fstat(dir, &st) < 0 || lstat(b.dir, &now) < 0 || st.st_ino != now.st_ino ||
		st.st_dev != now.st_dev)
		return -ENOENT;
	if (store_sandbox_leftover(dir) < 0) {
		err_hint(err, "it was left by a supervisor that was killed; try it again");
		return err_set(err, EBUSY, "what ran in sandbox %s has not ended yet", name);
	}
	/* What was cut short is finished first.  A spec that can't be read is its reader's to say,
	 * and to remove the sandbox it needs none. */
	struct spec spec = {0};
	struct err ignored = {0};
	if (spec_read(dir, a, &spec, &ignored) == 0 && spec.pending)
		store_settle(s, a, &b, &spec, &ignored);
	store_parts_open(dir);
	b.lock = TAKE_FD(lock);
	*ret = b;
	return 0;
}

int store_sandbox_save(const struct store_box *b, const struct spec *spec, struct err *err)
{
	_cleanup_close_ int dir = open_dir(AT_FDCWD, b->dir);
	if (dir < 0)
		return err_sys(err, -dir, "open %s", b->dir);
	return spec_write(dir, spec, err);
}

int store_sandbox_remove(struct store *s, struct store_box *b, struct err *err)
{
	struct arena a = {0};
	char *gone = hidden(s, &a, "gone", b->id);
	int r = !gone ? err_set(err, ENOMEM, "out of memory") : rename_new(b->dir, gone);
	if (r < 0 && gone)
		err_sys(err, -r, "remove sandbox %s", b->id);
	CRASH_STEP();
	if (r == 0)
		r = tree_remove(AT_FDCWD, gone, err);
	if (r == 0)
		layers_collect(s, NULL); /* what stays is found by the next command */
	arena_free(&a);
	store_sandbox_release(b);
	return r;
}

void store_sandbox_release(struct store_box *b)
{
	if (b->lock >= 0)
		close(b->lock);
	*b = STORE_BOX_NONE;
}

char *store_layer_part(struct store *s, struct arena *a, const char *id, const char *part)
{
	return arena_printf(a, "%s/layers/%s/%s", s->xdg.data, id, part);
}
