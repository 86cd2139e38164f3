/* change/main.c - bawn-change: lists, shows, lands and discards what a sandbox changed in a
 * copy-on-write workspace.
 *
 * Descriptors: 0 the request (change/request.h), 1 the result, 3 where a patch goes, 4 and 5 to and
 * from a `git cat-file --batch`.  The
 * directories it works in are opened before it confines itself; nothing of them is read before
 * that.  Prints nothing.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "change/change.h"
#include "confine/jail.h"

#define REQUEST_MAX ((size_t)64 << 20)
#define RESULT_MAX ((size_t)1 << 30)
#define LEDGER_MAX ((size_t)512 << 20)
#define TEXT_FD 3

/* An end of a pipe, and not /dev/null. */
static bool is_pipe(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static int read_request(struct change *c, struct change_request *req, struct err *err)
{
	struct stat st;
	if (fstat(0, &st) < 0 || st.st_size <= 0 || (size_t)st.st_size > REQUEST_MAX)
		return err_set(err, EINVAL, "bawn-change is started by bawn");
	char *buf = arena_alloc(&c->arena, (size_t)st.st_size);
	if (!buf)
		return err_set(err, ENOMEM, "out of memory");
	if (pread(0, buf, (size_t)st.st_size, 0) != st.st_size)
		return err_set(err, EIO, "read the request");
	return change_request_read(&c->arena, buf, (size_t)st.st_size, req, err);
}

/* path is resolved: a link in it means that it was swapped since. */
static int open_dir(const char *path, const char *what, struct err *err)
{
	int fd = path_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return err_sys(err, -fd, "open %s", what);
	return fd;
}

static int open_ledger(struct change *c, struct err *err)
{
	const char *path = c->req->ledger;
	if (!path || c->req->op != CHANGE_APPLY)
		return 0;
	c->ledger_name = path_base(path);
	char *dir = arena_dupn(&c->arena, path, (size_t)(c->ledger_name - path));
	if (!dir)
		return err_set(err, ENOMEM, "out of memory");
	c->ledger_dir = open_dir(dir, "the sandbox's state", err);
	return MIN(c->ledger_dir, 0);
}

static int open_places(struct change *c, struct err *err)
{
	const struct change_request *req = c->req;
	c->trash = c->ledger_dir = c->index = -1;
	c->git = req->direct && is_pipe(GIT_IN) && is_pipe(GIT_OUT);
	if (req->index) {
		c->index = open(req->index, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (c->index < 0 && errno != ENOENT)
			return err_sys(err, errno, "open the copy of git's index");
	}
	c->base = open_dir(req->base, "the workspace", err);
	if (c->base < 0)
		return c->base;
	for (size_t i = 0; i < req->uppers.n; i++) {
		c->upper[i] = open_dir(req->uppers.v[i], "the sandbox's changes", err);
		if (c->upper[i] < 0)
			return c->upper[i];
		c->n_uppers++;
	}
	if (req->trash && !req->running && req->op >= CHANGE_APPLY) {
		c->trash = open_dir(req->trash, "the sandbox's trash", err);
		if (c->trash < 0)
			return c->trash;
	}
	return open_ledger(c, err);
}

static int confine(struct change *c, struct err *err)
{
	static const int reading[] = {SYS_fgetxattr};
	static const int writing[] = {SYS_fgetxattr, SYS_openat, SYS_unlinkat, SYS_mkdirat,
		SYS_renameat, SYS_renameat2, SYS_symlinkat, SYS_mknodat, SYS_fchmod, SYS_fchmodat,
		SYS_fsync, SYS_syncfs, SYS_copy_file_range, SYS_getpid};
	struct jail_dir d[CHANGE_LAYERS_MAX + 3];
	bool apply = c->req->op == CHANGE_APPLY, write = c->req->op >= CHANGE_APPLY;
	bool frozen = c->req->running || c->req->dry_run || !write;
	size_t n = 0;
	d[n++] = (struct jail_dir){c->base, apply && !c->req->dry_run ? JAIL_WRITE : JAIL_READ};
	for (size_t i = 0; i < c->n_uppers; i++)
		d[n++] = (struct jail_dir){c->upper[i], i || frozen ? JAIL_READ : JAIL_DEVICES};
	if (c->trash >= 0)
		d[n++] = (struct jail_dir){c->trash, JAIL_DEVICES};
	if (c->ledger_dir >= 0)
		d[n++] = (struct jail_dir){c->ledger_dir, JAIL_WRITE};
	return jail_enter_with(&(struct jail){.dirs = d,
				       .n_dirs = n,
				       .calls = write ? writing : reading,
				       .n_calls = write ? ARRAY_LEN(writing) : ARRAY_LEN(reading),
				       .cpu_s = 3600,
				       .files = 64 + CHANGE_LAYERS_MAX,
				       .memory = (uint64_t)6 << 30,
				       .file_size = 0},
		err);
}

static int read_ledger(struct change *c, struct err *err)
{
	struct stat st;
	char *text;
	if (c->ledger_dir < 0 ||
		fstatat(c->ledger_dir, c->ledger_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	_cleanup_close_ int fd = place_open(c->ledger_dir, c->ledger_name, O_RDONLY);
	if (fd < 0 || (uint64_t)st.st_size > LEDGER_MAX)
		return err_sys(err, fd < 0 ? -fd : EFBIG, "open the record of what was landed");
	text = arena_alloc(&c->arena, (size_t)st.st_size + 1);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	ssize_t n = fd_read_full(fd, text, (size_t)st.st_size);
	if (n < 0)
		return err_sys(err, (int)-n, "read the record of what was landed");
	ledger_read(&c->arena, text, (size_t)n, &c->ledger); /* a damaged one makes conflicts */
	return 0;
}

static int run(struct change *c, struct change_result *totals, struct err *err)
{
	const struct change_request *req = c->req;
	int r = read_ledger(c, err);
	c->same_seen = req->op == CHANGE_APPLY && !req->dry_run;
	if (r == 0 && !req->dry_run)
		r = trash_recover(c, err);
	if (r == 0)
		r = req->direct ? change_collect_direct(c, err) : change_collect_items(c, err);
	if (r == 0)
		r = named_load(c, err);
	if (r < 0)
		return r;
	switch (req->op) {
	case CHANGE_PATCH:
		r = change_patch(c, TEXT_FD, err);
		break;
	case CHANGE_APPLY:
		r = change_apply(c, totals, err);
		break;
	case CHANGE_DISCARD:
		r = change_discard(c, totals, err);
		break;
	default:
		if (req->lines)
			change_count_lines(c);
	}
	if (req->op != CHANGE_APPLY)
		for (size_t i = 0; i < c->n; i++)
			trip_check(c, &c->items[i]);
	return r == 0 ? arena_check(&c->arena, err) : r;
}

int main(void)
{
	static struct change c;
	struct change_request req;
	struct change_result totals = {0};
	struct blob out = {.max = RESULT_MAX};
	struct err err = {0};
	umask(0);
	signal(SIGPIPE, SIG_IGN); /* a git that ended is no reason to end */
	int r = read_request(&c, &req, &err);
	if (r == 0) {
		c.req = &req;
		r = open_places(&c, &err);
	}
	if (r == 0)
		r = confine(&c, &err);
	if (r == 0)
		r = run(&c, &totals, &err);
	if (r == -EPIPE)
		return 128 + SIGPIPE; /* nobody reads the patch any more */
	if (r < 0) {
		change_result_error(&out, &err);
	} else {
		for (size_t i = 0; i < c.n; i++)
			change_result_put(&out, &c.items[i].pub);
		totals.n = c.n;
		change_result_done(&out, &totals);
	}
	if (out.failed || fd_write_all(1, out.data, out.n) < 0)
		return 1;
	return r < 0;
}
