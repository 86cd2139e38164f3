/* change/apply.c - landing items on the host's directory
 *
 * Theory: a file is written beside its place under a name of ours, synced, and renamed, so that the
 * place holds the old or the new one at any instant.  Staging goes in batches, one sync for each;
 * before a batch its names are written down (the journal, beside the ledger), so that what a kill
 * leaves is removed the next time.  Nothing else has to be remembered: what has been landed equals
 * what the sandbox has, is no longer a change, and a repeated apply goes on with the rest.  Order:
 * directories, git's objects, files, git's refs and index, deletions from the leaves up, modes of
 * directories.
 *
 * The host's own files are judged when the items are collected and once more right before the
 * rename.  All paths are opened below the two roots with no link followed.
 */
#include "change/change.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"

#define BATCH 512
#define JOURNAL_MAX ((size_t)8 << 20)
#define TRIES 3

static void set_state(struct item *it, enum change_state state, const char *detail)
{
	it->pub.state = state;
	if (detail)
		it->pub.detail = detail;
}

static void set_failed(struct change *c, struct item *it, const char *what, int r)
{
	char *s = arena_printf(&c->arena, "%s: %s", what, strerror(-r));
	set_state(it, CHANGE_FAILED, s ? s : what);
}

static const char *stage_name(const struct item *it, char buf[static 48])
{
	char hex[33];
	digest_hex(digest_of(it->pub.path, strlen(it->pub.path)), hex);
	hex[16] = '\0';
	snprintf(buf, 48, STAGE_PREFIX "%s", hex);
	return buf;
}

/* --- what may be landed --- */

static bool is_masked(const struct change_request *req, const char *path)
{
	for (size_t i = 0; i < req->masked.n; i++)
		if (path_meets(path, req->masked.v[i]))
			return true;
	return false;
}

static void judge(struct change *c, struct item *it)
{
	const struct change_request *req = c->req;
	const char *path = it->pub.path;
	bool dir = it->pub.type == CHANGE_DIR && it->pub.kind != CHANGE_TYPE;
	trip_check(c, it);
	if (it->pub.kind == CHANGE_ODD)
		set_state(it, CHANGE_REFUSED, NULL);
	else if (has_prefix(path_base(path), STAGE_PREFIX))
		set_state(it, CHANGE_REFUSED, "a name that bawn uses itself");
	else if (!dir && is_masked(req, path))
		set_state(it, CHANGE_REFUSED, "it reads as empty inside: the host's stays");
	else if (it->pub.per && !change_selected(&req->allow_exec, path))
		set_state(it, CHANGE_EXEC, NULL);
	else if (!change_selected(&req->overwrite, path) && host_changed(c, it))
		set_state(it, CHANGE_CONFLICT,
			it->pub.old_type ? "the host's was changed meanwhile" : NULL);
}

static bool is_blocked(const struct item *it)
{
	return it->pub.state != CHANGE_SEEN && it->pub.state != CHANGE_LANDED;
}

/* The first item that sorts behind all that begins with path (n bytes) and a character before next.
 */
static size_t first_from(const struct change *c, const char *path, size_t n, unsigned char next)
{
	size_t lo = 0, hi = c->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const char *p = c->items[mid].pub.path;
		int r = strncmp(p, path, n);
		if (r < 0 || (r == 0 && (unsigned char)p[n] < next))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The items below one: they stand together.  To look for each item's directories instead would take
 * hours where thousands of directories lie in each other. */
static struct item *below(struct change *c, const struct item *it, struct item **ret_end)
{
	const size_t n = strlen(it->pub.path);
	*ret_end = c->items + first_from(c, it->pub.path, n, '/' + 1);
	return c->items + first_from(c, it->pub.path, n, '/');
}

/* A directory that would have to go, or to become a file. */
static void hold_up(struct change *c, struct item *dir)
{
	struct item *end, *it = below(c, dir, &end);
	while (it < end && !is_blocked(it))
		it++;
	if (it < end)
		set_state(dir, it->pub.state, "something in it can't go");
}

static void hold_down(struct change *c, const struct item *dir)
{
	struct item *end;
	for (struct item *it = below(c, dir, &end); it < end; it++)
		if (!is_blocked(it))
			set_state(it, CHANGE_REFUSED, "its directory can't be landed");
}

/* All of a git directory. */
static void hold_git(struct change *c)
{
	struct strv git = {0};
	for (size_t i = 0; i < c->n; i++) {
		const struct item *it = &c->items[i];
		size_t n = git_dir_len(it->pub.path);
		char *dir = n && it->pub.state == CHANGE_CONFLICT
			? arena_dupn(&c->arena, it->pub.path, n)
			: NULL;
		if (dir && !strv_has(&git, dir))
			strv_push(&c->arena, &git, dir);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		size_t n = git_dir_len(it->pub.path);
		for (size_t k = 0; n && k < git.n && !is_blocked(it); k++)
			if (strlen(git.v[k]) == n && strncmp(git.v[k], it->pub.path, n) == 0)
				set_state(it, CHANGE_CONFLICT,
					"the host's repository was changed meanwhile");
	}
}

/* What hangs together: a directory and what is in it; all of a git directory. */
static void propagate(struct change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		if (it->pub.old_type == CHANGE_DIR && it->pub.type != CHANGE_DIR && !is_blocked(it))
			hold_up(c, it);
	}
	hold_git(c);
	for (size_t i = 0; i < c->n; i++)
		if (is_blocked(&c->items[i]) && c->items[i].pub.old_type != CHANGE_DIR)
			hold_down(c, &c->items[i]);
}

/* --- the journal --- */

static char *journal_name(struct change *c)
{
	return arena_printf(&c->arena, "%s.staged", c->ledger_name);
}

static void unstage_path(struct change *c, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = place_parent(c->base, path, &name);
	if (dir >= 0 && has_prefix(name, STAGE_PREFIX))
		unlinkat(dir, name, 0);
}

/* Files of the ledger that were being written beside it. */
static void remove_halves(struct change *c)
{
	struct strv names = {0};
	size_t n = strlen(c->ledger_name);
	_cleanup_close_ int fd = place_open(c->ledger_dir, "", O_RDONLY | O_DIRECTORY);
	if (fd < 0 || list_names(&c->arena, fd, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		const char *s = names.v[i], *dot = strrchr(s, '.');
		if (strncmp(s, c->ledger_name, n) == 0 && s[n] == '.' && streq(dot, ".tmp"))
			unlinkat(c->ledger_dir, s, 0);
	}
}

/* Remove what an apply that was cut short has left. */
static int recover(struct change *c, struct err *err)
{
	char *name = journal_name(c), *text;
	struct blob_iter it;
	struct blob_view v;
	struct stat st;
	if (!name)
		return err_set(err, ENOMEM, "out of memory");
	remove_halves(c);
	if (fstatat(c->ledger_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	ssize_t n = file_read(&c->arena, c->ledger_dir, name, JOURNAL_MAX, &text, err);
	if (n < 0)
		return (int)n;
	blob_iter_init(&it, text, (size_t)n);
	while (blob_next(&it, &v) > 0) {
		const char *p = blob_str(&v);
		if (p && change_plain(p))
			unstage_path(c, p);
	}
	unlinkat(c->ledger_dir, name, 0);
	return 0;
}

static int write_journal(struct change *c, struct item **v, size_t n, struct err *err)
{
	struct blob b = {.max = JOURNAL_MAX};
	char *name = journal_name(c), buf[48];
	for (size_t i = 0; i < n; i++) {
		const char *path = v[i]->pub.path;
		size_t dir = (size_t)(path_base(path) - path);
		char *s = arena_printf(&c->arena, "%.*s%s", (int)dir, path, stage_name(v[i], buf));
		if (s)
			blob_put_str(&b, 1, s);
	}
	int r = b.failed || arena_check(&c->arena, NULL) < 0
		? err_set(err, ENOMEM, "out of memory")
		: file_write_atomic(c->ledger_dir, name, b.data, b.n, 0600, true, err);
	blob_free(&b);
	return r;
}

static int sync_base(const struct change *c)
{
	_cleanup_close_ int fd = place_open(c->base, "", O_RDONLY | O_DIRECTORY);
	return fd < 0 ? fd : syncfs(fd) < 0 ? -errno : 0;
}

/* --- one file --- */

static int copy_range(int from, int to, off_t pos, off_t end, bool *plain)
{
	static char buf[1 << 16];
	off_t out = pos;
	while (pos < end && !*plain) {
		ssize_t n = syscall(SYS_copy_file_range, from, &pos, to, &out,
			(size_t)MIN(end - pos, (off_t)1 << 30), 0);
		if (n == 0)
			return 0; /* shorter than it was */
		if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS &&
			errno != EOPNOTSUPP && errno != EPERM)
			return -errno;
		*plain = n < 0;
	}
	while (pos < end) {
		ssize_t n = pread(from, buf, (size_t)MIN(end - pos, (off_t)sizeof(buf)), pos);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t k = 0; k < n;) {
			ssize_t w = pwrite(to, buf + k, (size_t)(n - k), pos + k);
			if (w < 0)
				return -errno;
			k += w;
		}
		pos += n;
	}
	return 0;
}

int copy_file(int from, int dirfd, const char *name, mode_t mode)
{
	struct stat st;
	bool plain = false;
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, r = 0;
	if (fstat(from, &st) < 0)
		return -errno;
	_cleanup_close_ int to = openat(dirfd, name, flags, 0600);
	if (to < 0)
		return -errno;
	if (ftruncate(to, st.st_size) < 0)
		return -errno;
	for (off_t pos = 0; r == 0 && pos < st.st_size;) {
		off_t data = lseek(from, pos, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0 || hole < 0) {
			data = pos;
			hole = st.st_size;
		}
		hole = MIN(hole, st.st_size);
		r = copy_range(from, to, data, hole, &plain);
		pos = hole;
	}
	if (r == 0 && fchmod(to, mode & 0777) < 0)
		r = -errno;
	return r;
}

/* The bytes that are about to be landed, asked once more. */
static int look_again(struct change *c, struct item *it, int dirfd, const char *name)
{
	if (!trip_reads(it) || change_selected(&c->req->allow_exec, it->pub.path))
		return 0;
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && !trip_holds_file(c, it, fd) ? 0 : -EKEYREJECTED;
}

static int stage_file(struct change *c, struct item *it, int dirfd, const char *name)
{
	_cleanup_close_ int fd = entry_open(c, &it->now, it->pub.path);
	if (fd < 0)
		return fd;
	for (int i = 0; i < TRIES; i++) {
		struct stat a, b;
		unlinkat(dirfd, name, 0);
		if (fstat(fd, &a) < 0)
			return -errno;
		if ((a.st_mode ^ it->now.st.st_mode) & 0777)
			return -ESTALE;
		int r = copy_file(fd, dirfd, name, a.st_mode);
		if (r < 0)
			return r;
		if (fstat(fd, &b) == 0 && a.st_size == b.st_size &&
			stat_ctime_ns(&a) == stat_ctime_ns(&b))
			return look_again(c, it, dirfd, name);
	}
	return -ESTALE;
}

static int stage_link(struct change *c, struct item *it, int dirfd, const char *name)
{
	char to[TARGET_MAX];
	struct stat st;
	ssize_t n = entry_link(c, &it->now, it->pub.path, to);
	if (n < 0)
		return (int)n;
	/* a link's target never changes, only which link it is */
	if (place_stat(layer_fd(c, it->now.layer), it->pub.path, &st) < 0 ||
		st.st_ino != it->now.st.st_ino)
		return -ESTALE;
	unlinkat(dirfd, name, 0);
	return symlinkat(to, dirfd, name) < 0 ? -errno : 0;
}

static void stage(struct change *c, struct item *it)
{
	const char *base;
	char name[48];
	_cleanup_close_ int dir = place_parent(c->base, it->pub.path, &base);
	stage_name(it, name);
	int r = dir < 0                       ? dir
		: it->pub.type == CHANGE_LINK ? stage_link(c, it, dir, name)
					      : stage_file(c, it, dir, name);
	if (r == 0)
		return;
	if (dir >= 0)
		unlinkat(dir, name, 0);
	if (r == -EKEYREJECTED) {
		const char *what = it->pub.what;
		it->pub.per = it->pub.per ? it->pub.per : 7;
		it->pub.what = what ? what : "changed while it was looked at";
		set_state(it, CHANGE_EXEC, NULL);
	} else if (r == -ESTALE) {
		set_state(it, CHANGE_FAILED, "changed while it was read: do it again");
	} else {
		set_failed(c, it, "write beside it", r);
	}
}

/* The host's place is still as it was when it was judged.  With a second name, the inode's ctime
 * moves when that is landed: then the rest has to do. */
static bool unchanged(int dir, const char *name, const struct item *it)
{
	const struct stat *was = &it->was.st;
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && it->was.layer == LAYER_NONE;
	if (it->was.layer == LAYER_NONE || st.st_ino != was->st_ino)
		return false;
	if (S_ISDIR(st.st_mode))
		return S_ISDIR(was->st_mode);
	if (stat_ctime_ns(&st) == stat_ctime_ns(was))
		return true;
	return was->st_nlink > 1 && st.st_mode == was->st_mode && st.st_size == was->st_size &&
		st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
		st.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static int move_over(int dir, const char *from, const char *to, bool fresh)
{
	if (fresh) {
		if (syscall(SYS_renameat2, dir, from, dir, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EINVAL && errno != ENOSYS)
			return -errno;
	}
	return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}

/* --- directories and deletions --- */

static void make_dir(struct change *c, struct item *it)
{
	const char *name;
	_cleanup_close_ int dir = place_parent(c->base, it->pub.path, &name);
	int r = dir < 0 ? dir : 0;
	if (r == 0 && it->pub.kind == CHANGE_TYPE && unchanged(dir, name, it) &&
		unlinkat(dir, name, 0) < 0)
		r = -errno;
	if (r == 0 && mkdirat(dir, name, (it->pub.mode & 0777) | 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r < 0)
		set_failed(c, it, "make the directory", r);
}

/* Its final mode; early: only what is needed to write in it. */
static void set_dir_mode(struct change *c, struct item *it, bool early)
{
	mode_t mode = it->pub.mode & 0777;
	if (early && (mode & 0200) == 0)
		return;
	_cleanup_close_ int fd = place_open(c->base, it->pub.path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fchmod(fd, early ? mode | 0700 : mode) < 0)
		set_failed(c, it, "set the mode", fd < 0 ? fd : -errno);
	else if (!early)
		it->pub.state = CHANGE_LANDED;
}

static void remove_one(struct change *c, struct item *it)
{
	const char *name;
	_cleanup_close_ int dir = place_parent(c->base, it->pub.path, &name);
	bool is_dir = it->pub.old_type == CHANGE_DIR;
	if (dir == -ENOENT || dir == -ENOTDIR) {
		it->pub.state = CHANGE_LANDED; /* went with what was above it */
		return;
	}
	if (dir >= 0 && !unchanged(dir, name, it)) {
		struct stat st;
		bool away = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
		set_state(it, away ? CHANGE_LANDED : CHANGE_CONFLICT,
			away ? NULL : "the host's was changed meanwhile");
		return;
	}
	int r = dir < 0 ? dir : unlinkat(dir, name, is_dir ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
	if (r == -ENOTEMPTY || r == -EEXIST)
		set_state(it, CHANGE_CONFLICT, "the host put something into it meanwhile");
	else if (r < 0)
		set_failed(c, it, "remove it", r);
	else
		it->pub.state = CHANGE_LANDED;
}

/* What is below a directory that becomes a file or link, then the directory. */
static int clear_dir(struct change *c, struct item *it, int dir, const char *name)
{
	size_t n = strlen(it->pub.path);
	for (size_t i = c->n; i-- > 0;) {
		struct item *x = &c->items[i];
		if (x->pub.kind == CHANGE_DELETED && strncmp(x->pub.path, it->pub.path, n) == 0 &&
			x->pub.path[n] == '/' && x->pub.state == CHANGE_SEEN)
			remove_one(c, x);
	}
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static void put_in_place(struct change *c, struct item *it)
{
	const char *base;
	char name[48];
	_cleanup_close_ int dir = place_parent(c->base, it->pub.path, &base);
	stage_name(it, name);
	if (dir < 0) {
		set_failed(c, it, "open its directory", dir);
		return;
	}
	int r = 0;
	if (!change_selected(&c->req->overwrite, it->pub.path) && !unchanged(dir, base, it))
		r = -EEXIST;
	if (r == 0 && it->pub.old_type == CHANGE_DIR)
		r = clear_dir(c, it, dir, base);
	if (r == 0)
		r = move_over(dir, name, base,
			it->was.layer == LAYER_NONE &&
				!change_selected(&c->req->overwrite, it->pub.path));
	if (r == 0) {
		it->pub.state = CHANGE_LANDED;
		return;
	}
	unlinkat(dir, name, 0);
	if (r == -EEXIST || r == -ENOTEMPTY || r == -EISDIR)
		set_state(it, CHANGE_CONFLICT, "the host's was changed meanwhile");
	else
		set_failed(c, it, "put it in place", r);
}

/* --- the whole --- */

/* Objects before what names them, names before nothing else. */
static int rank(const char *path)
{
	size_t n = git_dir_len(path);
	if (!n)
		return 1;
	return has_prefix(path + n, "/objects/") ? 0 : 2;
}

static int by_rank(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
	int r = rank(x->pub.path) - rank(y->pub.path);
	return r ? r : strcmp(x->pub.path, y->pub.path);
}

static bool to_land(const struct item *it)
{
	return it->pub.state == CHANGE_SEEN;
}

static int land_files(struct change *c, struct err *err)
{
	_cleanup_free_ struct item **v = calloc(c->n + 1, sizeof(*v));
	size_t n = 0;
	int r = 0;
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		if (to_land(it) && (it->pub.type == CHANGE_FILE || it->pub.type == CHANGE_LINK))
			v[n++] = it;
	}
	qsort(v, n, sizeof(*v), by_rank);
	for (size_t i = 0; i < n && r == 0; i += BATCH) {
		size_t k = MIN(n - i, (size_t)BATCH);
		r = write_journal(c, v + i, k, err);
		for (size_t m = i; r == 0 && m < i + k; m++)
			stage(c, v[m]);
		if (r == 0 && (r = sync_base(c)) < 0)
			err_sys(err, -r, "sync the workspace");
		for (size_t m = i; m < i + k; m++) {
			if (!to_land(v[m]))
				continue;
			if (r == 0) {
				put_in_place(c, v[m]);
				continue;
			}
			/* nothing that isn't on disk takes a place */
			const char *path = v[m]->pub.path;
			char name[48];
			char *s = arena_printf(&c->arena, "%.*s%s", (int)(path_base(path) - path),
				path, stage_name(v[m], name));
			if (s)
				unstage_path(c, s);
		}
	}
	return r;
}

static void land_rest(struct change *c)
{
	for (size_t i = c->n; i-- > 0;)
		if (to_land(&c->items[i]) && c->items[i].pub.kind == CHANGE_DELETED)
			remove_one(c, &c->items[i]);
	for (size_t i = c->n; i-- > 0;)
		if (to_land(&c->items[i]) && c->items[i].pub.type == CHANGE_DIR)
			set_dir_mode(c, &c->items[i], false);
}

static int remember(struct change *c, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		struct stat st;
		if (it->pub.state == CHANGE_LANDED && it->pub.kind != CHANGE_DELETED &&
			it->pub.type != CHANGE_DIR && place_stat(c->base, it->pub.path, &st) == 0 &&
			ledger_add(&c->arena, &c->ledger, it->pub.path, &st) < 0)
			return err_set(err, ENOMEM, "out of memory");
	}
	if (c->ledger.n == c->ledger.n_sorted)
		return 0;
	return ledger_write(&c->ledger, c->ledger_dir, c->ledger_name, err);
}

static int land(struct change *c, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		if (!to_land(it) || it->pub.type != CHANGE_DIR)
			continue;
		if (it->pub.kind == CHANGE_MODE)
			set_dir_mode(c, it, true);
		else
			make_dir(c, it);
	}
	int r = land_files(c, err);
	if (r < 0)
		return r;
	land_rest(c);
	r = sync_base(c);
	if (r < 0)
		return err_sys(err, -r, "sync the workspace");
	r = remember(c, err);
	char *journal = journal_name(c);
	if (r == 0 && journal)
		unlinkat(c->ledger_dir, journal, 0);
	return r;
}

int change_apply(struct change *c, struct change_result *totals, struct err *err)
{
	for (size_t i = 0; i < c->n; i++)
		judge(c, &c->items[i]);
	propagate(c);
	for (size_t i = 0; i < c->n; i++)
		totals->n_blocked += is_blocked(&c->items[i]);
	if (arena_check(&c->arena, err) < 0)
		return -ENOMEM;
	if (c->req->dry_run)
		return 0;
	int r = recover(c, err);
	if (r < 0 || (totals->n_blocked && !c->req->rest))
		return r;
	r = land(c, err);
	totals->n_blocked = 0;
	for (size_t i = 0; i < c->n; i++) {
		enum change_state s = c->items[i].pub.state;
		totals->n_landed += s == CHANGE_LANDED;
		totals->n_failed += s == CHANGE_FAILED;
		totals->n_blocked += s != CHANGE_LANDED && s != CHANGE_FAILED;
	}
	totals->done = r == 0;
	if (r == 0 && !c->req->running)
		r = change_prune(c, err);
	return r;
}
