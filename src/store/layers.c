/* store/layers.c - freezing and collecting; see layers.h */
#include "store/layers.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"
#include "store/checkpoint.h"

#define ID_LEN 16
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

bool layer_id_ok(const char *id)
{
	return strlen(id) == ID_LEN && strspn(id, "0123456789abcdef") == ID_LEN;
}

char *layer_id_new(struct arena *a)
{
	uint64_t nonce;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return NULL;
	return arena_printf(a, "%016" PRIx64, nonce);
}

static char *layers_dir(struct store *s, struct arena *a)
{
	return path_join(a, s->xdg.data, "layers");
}

int layers_hold(struct store *s, struct err *err)
{
	struct arena a = {0};
	char *dir = layers_dir(s, &a), *lock = dir ? path_join(&a, dir, ".lock") : NULL;
	int r = lock ? file_mkdir_private(dir, err) : err_set(err, ENOMEM, "out of memory");
	int fd = r < 0 ? r : open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r == 0 && fd < 0)
		fd = err_sys(err, errno, "open %s", lock);
	while (fd >= 0 && flock(fd, LOCK_SH) < 0 && errno == EINTR)
		;
	arena_free(&a);
	return fd;
}

/* ---- parts ---- */

/* Calls fn with each directory of dir; stops at a negative result. */
static int each_dir(int dir, int (*fn)(void *ctx, int dir, const char *name), void *ctx)
{
	int copy = openat(dir, ".", DIR_FLAGS), r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;
	if (!d) {
		r = -errno;
		if (copy >= 0)
			close(copy);
		return r;
	}
	while (r >= 0 && (de = readdir(d)))
		if (!streq(de->d_name, ".") && !streq(de->d_name, ".."))
			r = fn(ctx, dir, de->d_name);
	closedir(d);
	return r < 0 ? r : 0;
}

static int not_empty(void *ctx, int dir, const char *name)
{
	(void)ctx;
	(void)dir;
	(void)name;
	return -ENOTEMPTY;
}

static int part_changed(void *ctx, int dir, const char *name)
{
	(void)ctx;
	_cleanup_close_ int part = openat(dir, name, DIR_FLAGS);
	/* what can't be looked into is something, too */
	return part < 0 ? -ENOTEMPTY : each_dir(part, not_empty, NULL);
}

bool layers_changed(const struct store_box *b)
{
	_cleanup_close_ int box = open(b->dir, DIR_FLAGS);
	_cleanup_close_ int up = box < 0 ? box : openat(box, "up", DIR_FLAGS);
	return up >= 0 && each_dir(up, part_changed, NULL) < 0;
}

static int make_part(void *ctx, int dir, const char *name)
{
	const int *box = ctx;
	char path[300];
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	snprintf(path, sizeof(path), "up/%s", name);
	CRASH_STEP();
	if (mkdirat(*box, path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	CRASH_STEP();
	return fchmodat(*box, path, st.st_mode & 07777, 0) < 0 ? -errno : 0;
}

/* The directory that a part begins with is one that its owner can look into: "/" or the home itself
 * of mode 0 would be the last that ever ran in there, and nothing could be saved or said of it. */
static int open_part(void *ctx, int dir, const char *name)
{
	struct stat st;
	(void)ctx;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
		(st.st_mode & 0500) == 0500)
		return 0;
	return fchmodat(dir, name, (st.st_mode & 07777) | 0700, 0) < 0 ? -errno : 0;
}

int store_parts_open(int box)
{
	_cleanup_close_ int up = openat(box, "up", DIR_FLAGS);
	return up < 0 ? -errno : each_dir(up, open_part, NULL);
}

int store_parts_make(struct store *s, struct arena *a, int box, const struct spec *spec)
{
	static const char *const always[] = {"up", "work/home"};
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(always); i++)
		r = file_mkdir_p(box, always[i], 0700);
	for (size_t i = spec->layers.n; r == 0 && i-- > 0;) {
		char *path = store_layer_part(s, a, spec->layers.v[i], ".");
		_cleanup_close_ int layer = path ? open(path, DIR_FLAGS) : -1;
		if (layer >= 0)
			r = each_dir(layer, make_part, &box);
	}
	return r < 0 ? r : file_mkdir_p(box, "up/home", 0700);
}

int layers_check(struct store *s, struct arena *a, const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->layers.n; i++) {
		char *path = store_layer_part(s, a, spec->layers.v[i], ".");
		if (path && layer_id_ok(spec->layers.v[i]) && access(path, F_OK) == 0)
			continue;
		err_hint(err, "another checkpoint may be whole: bawn checkpoints %s", spec->name);
		return err_set(err, EIO, "layer %.40s of sandbox %s is gone", spec->layers.v[i],
			spec->name);
	}
	return 0;
}

/* ---- freezing ---- */

static int move_upper(int box, const char *layer)
{
	if (access(layer, F_OK) == 0)
		return 0; /* done before a crash */
	CRASH_STEP();
	return syscall(SYS_renameat2, box, "up", AT_FDCWD, layer, RENAME_NOREPLACE) < 0 ? -errno
											: 0;
}

int store_settle(struct store *s, struct arena *a, const struct store_box *b, struct spec *spec,
	struct err *err)
{
	char *pending = spec->pending, *layer = NULL;
	if (!pending)
		return 0;
	if (!layer_id_ok(pending))
		return err_set(err, EINVAL, "spec: malformed pending layer");
	layer = path_join(a, layers_dir(s, a), pending);
	_cleanup_close_ int box = open(b->dir, DIR_FLAGS);
	int r = box < 0 || !layer ? -errno : move_upper(box, layer);
	CRASH_STEP();
	/* what overlayfs left there belongs to the directory that went */
	if (r == 0)
		r = tree_remove(box, "work", err);
	if (r == 0)
		r = store_parts_make(s, a, box, spec);
	if (r < 0)
		return err->code ? r : err_sys(err, -r, "freeze what sandbox %s wrote", spec->name);
	spec->pending = NULL;
	r = spec_write(box, spec, err);
	if (r < 0)
		spec->pending = pending;
	return r;
}

int store_switch(struct store *s, struct arena *a, const struct store_box *b, struct spec *spec,
	char *id, struct err *err)
{
	_cleanup_close_ int hold = layers_hold(s, err);
	_cleanup_close_ int box = hold < 0 ? hold : open(b->dir, DIR_FLAGS);
	if (hold < 0)
		return hold;
	if (box < 0)
		return err_sys(err, errno, "open %s", b->dir);
	spec->pending = id;
	int r = spec_write(box, spec, err);
	CRASH_STEP();
	if (r == 0 && fsync(box) < 0)
		r = err_sys(err, errno, "write the description of sandbox %s", spec->name);
	if (r < 0)
		return r;
	/* From here on it is done: what can't be finished now is at the next use. */
	struct err late = {0};
	store_settle(s, a, b, spec, &late);
	return 0;
}

/* ---- garbage ---- */

struct garbage {
	struct strv used;
	struct arena arena;
	int removed, r;
	struct err *err;
};

static void use(struct garbage *g, const struct strv *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		strv_push(&g->arena, &g->used, ids->v[i]);
}

/* What all sandboxes name.  -EAGAIN where one can't be read: then nothing is known to be unused. */
static int find_used(struct store *s, struct garbage *g)
{
	struct strv names = {0};
	struct checkpoint c;
	int r = store_sandbox_list(s, &g->arena, &names, NULL);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct spec spec = {0};
		r = store_sandbox_find(s, &g->arena, names.v[i], &spec, NULL);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r < 0)
			return -EAGAIN;
		use(g, &spec.layers);
		if (spec.pending)
			strv_push(&g->arena, &g->used, spec.pending);
		for (size_t k = 0; k < spec.tags.n; k++) {
			if (checkpoint_at(&g->arena, &spec, k, &c, NULL) < 0)
				return -EAGAIN;
			use(g, &c.layers);
		}
	}
	return r < 0 || g->arena.failed ? -EAGAIN : 0;
}

static int collect_one(void *ctx, int dir, const char *name)
{
	struct garbage *g = ctx;
	char gone[64];
	if (name[0] == '.') {
		if (!has_prefix(name, ".new-") && !has_prefix(name, ".gone-"))
			return 0;
		snprintf(gone, sizeof(gone), "%.60s", name);
	} else {
		if (!layer_id_ok(name) || strv_has(&g->used, name))
			return 0;
		snprintf(gone, sizeof(gone), ".gone-%.40s", name);
		CRASH_STEP();
		if (renameat(dir, name, dir, gone) < 0)
			return 0;
	}
	int r = tree_remove(dir, gone, g->err);
	if (r < 0)
		g->r = r;
	else
		g->removed++;
	return 0;
}

int layers_collect(struct store *s, struct err *err)
{
	struct garbage g = {.err = err};
	char *path = layers_dir(s, &g.arena);
	_cleanup_close_ int dir = path ? open(path, DIR_FLAGS) : -1;
	_cleanup_close_ int lock = dir < 0 ? dir
					   : openat(dir, ".lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 && find_used(s, &g) == 0)
		each_dir(dir, collect_one, &g);
	arena_free(&g.arena);
	return g.r < 0 ? g.r : g.removed;
}
