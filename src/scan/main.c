/* scan/main.c - bawn-scan: looks through a workspace for the supervisor.
 *
 * Descriptors: 0 the request (scan/request.h), 1 the result, 3 the cache file or nothing.  What may
 * be read is opened before the process confines itself; parsing starts after that.  Prints
 * nothing.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/path.h"
#include "scan/jail.h"
#include "scan/persist.h"
#include "scan/scanner.h"

#define REQUEST_MAX ((size_t)16 << 20)
#define CACHE_FD 3
#define FULL_FILES 3000 /* so few that looking at each is not noticed */

static int read_request(struct scanner *s, struct scan_request *req, struct err *err)
{
	struct stat st;
	if (fstat(0, &st) < 0 || st.st_size <= 0 || (size_t)st.st_size > REQUEST_MAX)
		return err_set(err, EINVAL, "bawn-scan is started by bawn");
	char *buf = arena_alloc(&s->arena, (size_t)st.st_size);
	if (!buf)
		return err_set(err, ENOMEM, "out of memory");
	if (pread(0, buf, (size_t)st.st_size, 0) != st.st_size)
		return err_set(err, EIO, "read the request");
	return scan_request_read(&s->arena, buf, (size_t)st.st_size, req, err);
}

/* path is resolved: a link in it means that it was swapped since. */
static int add_base(struct scanner *s, const char *path, struct err *err)
{
	if (s->n_bases == SCAN_BASES_MAX)
		return err_set(err, E2BIG, "too many git directories");
	int fd = path_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return err_sys(err, -fd, "open the workspace");
	s->base[s->n_bases++] = (struct scan_base){fd, path};
	return 0;
}

/* DIR/N/config, where what is below DIR is as the agent left it: no link there is followed. */
static int open_copy(const char *path)
{
	const char *p = strrchr(path, '/');
	while (p && p > path && *--p != '/')
		;
	_cleanup_free_ char *dir = p && p > path ? strndup(path, (size_t)(p - path)) : NULL;
	_cleanup_close_ int at = dir ? open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				     : -1;
	return at < 0 ? -1
		      : path_openat2(at, p + 1, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int open_git_configs(struct scanner *s, struct err *err)
{
	const struct scan_request *req = s->req;
	struct rlimit l;
	if (req->n_git > 100 && getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	s->git_fds = arena_alloc(&s->arena, (req->n_git + 1) * sizeof(*s->git_fds));
	if (!s->git_fds)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < req->n_git; i++) {
		const char *p[] = {req->git[i].real, req->git[i].base};
		for (int k = 0; k < 2; k++)
			s->git_fds[i][k] = open(
				p[k], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
		s->git_fds[i][2] = open_copy(req->git[i].copy);
	}
	return 0;
}

static int set_patterns(struct scanner *s, struct err *err)
{
	const struct scan_request *req = s->req;
	int r = 0;
	s->walk.mask.fold = true;
	for (size_t i = 0; r == 0 && i < req->mask.n; i++)
		r = glob_set_add(&s->arena, &s->walk.mask, req->mask.v[i], err);
	for (size_t i = 0; r == 0 && i < req->protect.n; i++)
		r = glob_set_add(&s->arena, &s->walk.protect, req->protect.v[i], err);
	return r;
}

/* Root, patterns and the names that count decide what the table holds. */
static struct digest cache_key(const struct scanner *s)
{
	struct scan_request key = {
		.root = s->req->root, .mask = s->req->mask, .protect = s->req->protect};
	struct blob b = {0};
	struct stat st = {0};
	fstat(s->base[0].fd, &st);
	scan_request_write(&b, &key);
	uint64_t id[] = {st.st_dev, st.st_ino};
	blob_put(&b, 0, id, sizeof(id));
	struct digest names = persist_digest(persist_groups, persist_n_groups);
	blob_put(&b, 0, &names, sizeof(names));
	struct digest d = digest_of(b.data, b.n);
	blob_free(&b);
	return d;
}

/* A directory that is shut to us now is not shut to whoever is inside, who is its owner as well:
 * what may be in it is masked with it. */
static void on_limit(void *ctx, const char *path, const char *why)
{
	struct scanner *s = ctx;
	const bool shut = !s->req->end && streq(why, WALK_SHUT) && !GUARD_REMOVED("mask-shut");
	if (shut)
		scan_emit_rel(s, path,
			(struct scan_item){.kind = SCAN_MASK, .type = SCAN_DIR, .detail = why});
	scan_emit_rel(s, path,
		(struct scan_item){.kind = SCAN_LIMIT,
			.type = SCAN_DIR,
			.detail = shut ? WALK_SHUT ": it reads as empty" : why});
}

static int refuse(const struct scanner *s, struct err *err)
{
	char at[400];
	return err_set(err, E2BIG,
		"there are more %s than can be guarded: remove those that nobody needs, or start "
		"below, or with --workspace clone; the first that is too many: %s",
		s->too_many, escape_text(at, sizeof(at), s->too_many_at ? s->too_many_at : "?"));
}

static int look(struct scanner *s, struct digest key, struct err *err)
{
	struct walk *w = &s->walk;
	int r = set_patterns(s, err);
	if (r < 0)
		return r;
	w->root = s->base[0].fd;
	w->max_path = PATH_MAX - strlen(s->req->root) - 2;
	w->limit = on_limit;
	w->ctx = s;
	w->hooks_path = scan_hooks_path(s);
	w->have_old = table_load(CACHE_FD, key, &w->old) == 0;
	if (s->req->end) {
		uint64_t files = 0;
		for (uint32_t i = 0; i < w->old.n_dirs; i++)
			files += w->old.dirs[i].files;
		w->since = (int64_t)s->req->since_ns;
		w->full = s->req->full || !w->have_old || files <= FULL_FILES;
		w->fresh = scan_end_fresh;
	}
	r = walk_run(w);
	if (r < 0)
		return err_sys(err, -r, "walk");
	if (s->req->end) {
		scan_end_git_configs(s);
		scan_end_report(s);
	} else {
		scan_start_masks(s);
		/* what doesn't fit would be there to be read, and to be changed */
		if (s->too_many && !GUARD_REMOVED("mask-all"))
			return refuse(s, err);
	}
	if (w->failed || s->arena.failed || s->out.failed)
		return err_set(err, ENOMEM, "out of memory");
	s->totals.n_dirs = w->now.n_dirs;
	s->totals.n_files = w->n_files;
	s->totals.cached = w->have_old;
	return 0;
}

#define FIRST_USED ((size_t)128 * 1024) /* by most workspaces */

int main(void)
{
	static struct scanner s;
	struct scan_request req;
	struct err err = {0};
	struct digest key = {0};
	int dirs[SCAN_BASES_MAX];
	first_ahead(FIRST_USED);
	int r = read_request(&s, &req, &err);
	if (r == 0) {
		s.req = &req;
		s.walk.uid = geteuid();
		r = add_base(&s, req.root, &err);
	}
	for (size_t i = 0; r == 0 && i < req.git_dirs.n; i++)
		r = add_base(&s, req.git_dirs.v[i], &err);
	if (r == 0)
		r = open_git_configs(&s, &err);
	for (size_t i = 0; i < s.n_bases; i++)
		dirs[i] = s.base[i].fd;
	if (r == 0)
		r = scan_jail(dirs, s.n_bases, &err);
	if (r == 0) {
		key = cache_key(&s);
		r = look(&s, key, &err);
	}
	if (r < 0) {
		blob_free(&s.out);
		scan_result_error(&s.out, &err);
	} else {
		scan_result_done(&s.out, &s.totals);
	}
	if (s.out.failed || fd_write_all(1, s.out.data, s.out.n) < 0)
		return 1;
	close(1); /* the supervisor goes on; what follows is for the next time */
	if (r == 0 && (s.walk.rebuilt || s.dirty))
		table_store(CACHE_FD, key, &s.walk.now);
	return r < 0;
}
