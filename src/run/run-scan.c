/* run/run-scan.c - looking through the workspace and further directories, before and after; see
 * run.h.
 *
 * One bawn-scan for each directory that comes along, all beside each other; what they find is put
 * together, as the plan and the account make no difference between them.
 */
#include <time.h>

#include "base/file.h"
#include "run/named.h"
#include "run/run.h"

#define START_MS 60000
#define END_MS 120000
/* A run of this length (ns) can wait for a look at every file's mode, some 2 us each. */
#define FULL_AFTER 5000000000u

/* A glob is relative to the workspace; one that names it in full ($PWD/secret, as a shell completes
 * it) means the part behind, and would match nothing as it stands. */
static const char *mask_glob(const struct run *r, const char *glob)
{
	size_t n = strlen(r->ws.path);
	return path_within(glob, r->ws.path) && glob[n] == '/' ? glob + n : glob;
}

/* A directory in a work tree's .git is looked at from the work tree, whose protected paths reach in
 * there; what lies outside the directory itself gets no guard, as it isn't lent. */
static const char *scan_root(struct run *r, const char *path)
{
	for (const char *p = strstr(path, "/.git"); p; p = strstr(p + 1, "/.git"))
		if (p > path && (p[5] == '/' || p[5] == '\0'))
			return arena_dupn(&r->arena, path, (size_t)(p - path));
	return path;
}

static int add_request(struct run *r, const char *root, bool writable, struct err *err)
{
	struct scan_request *q = &r->scans[r->n_scans].req;
	const bool apart = r->apart && r->n_scans == 0;
	const uint64_t behind = writable && !apart && !r->opt.dry_run ? run_clock_behind(root) : 0;
	*q = (struct scan_request){.root = scan_root(r, root), .since_ns = r->t_since - behind};
	for (size_t i = 0; i < r->pack.profile.mask.n; i++)
		strv_push(&r->arena, &q->mask, r->pack.profile.mask.v[i]);
	if (writable)
		q->protect = r->pack.profile.protect;
	int k = scan_request_check(q, err);
	if (k < 0)
		return err_prefix(err, "%s", r->pack.profile.file);
	for (size_t i = 0; i < r->opt.mask.n; i++)
		strv_add(&r->arena, &q->mask, mask_glob(r, r->opt.mask.v[i]));
	r->scans[r->n_scans].path = root;
	r->scans[r->n_scans].job = JOB_NONE;
	r->scans[r->n_scans].writable = writable;
	r->n_scans++;
	k = r->opt.mask.n ? scan_request_check(q, err) : 0;
	return k < 0 ? err_prefix(err, "--mask") : 0;
}

static int start(struct run *r, const struct scan_request *q, struct job *job, struct err *err)
{
	return scan_start(path_join(&r->arena, r->install.libexec, "bawn-scan"), r->store.xdg.cache,
		r->opt.dry_run ? NULL : r->store.xdg.data, q, job, err);
}

int run_scan_start(struct run *r, struct err *err)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	r->t_since = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	/* what a supervisor that was killed did not look at */
	const uint64_t unseen = r->lasting && !r->opt.dry_run ? store_sandbox_unseen(&r->box) : 0;
	if (unseen && unseen < r->t_since) {
		r->t_since = unseen;
		r->unseen = true;
		strv_addf(&r->arena, &r->plan.notices,
			"the last session was cut short: what it left in the workspace is told of "
			"at the end of this one");
	}
	r->scans = arena_alloc(&r->arena, (r->n_extras + 1) * sizeof(*r->scans));
	if (!r->scans)
		return err_set(err, ENOMEM, "out of memory");
	/* What is written to a copy-on-write workspace lands nowhere before somebody looks at it.
	 */
	int k = add_request(r, r->ws.path, !run_is_cow(r), err);
	r->scans[0].req.git_dirs = r->ws.binds;
	if (r->ws.git != HOST_GIT_FOREIGN)
		r->scans[0].req.git_dir = r->ws.git_dir;
	for (size_t i = 0; k == 0 && i < r->n_extras; i++)
		if (r->extras[i].dir)
			k = add_request(r, r->extras[i].path, !r->extras[i].read_only, err);
	/* The workspace is the first, and needs none while it is empty. */
	for (size_t i = r->ws.empty || r->apart ? 1 : 0; k == 0 && i < r->n_scans; i++)
		k = start(r, &r->scans[i].req, &r->scans[i].job, err);
	return k;
}

/* Directories that come along may hold one another.  Of what is found twice the innermost one's
 * word counts, the earlier one's of the same: it knows the index and what may be written there. */
static bool speaks_for(const struct run *r, size_t scan, const char *path)
{
	size_t best = scan, n = strlen(r->scans[scan].req.root);
	for (size_t i = 0; i < r->n_scans; i++) {
		const char *root = r->scans[i].req.root;
		size_t k = strlen(root);
		if (i != scan && path_within(path, root) && (k > n || (k == n && i < best))) {
			best = i;
			n = k;
		}
	}
	return best == scan;
}

/* Put the items of b that count behind those of *a. */
static int append(struct run *r, size_t scan, struct scan_result *a, const struct scan_result *b)
{
	struct arena *arena = &r->arena;
	struct scan_item *v = arena_alloc(arena, (a->n + b->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (a->n)
		memcpy(v, a->v, a->n * sizeof(*v));
	a->v = v;
	for (size_t i = 0; i < b->n; i++)
		if (r->n_scans == 1 || speaks_for(r, scan, b->v[i].path))
			v[a->n++] = b->v[i];
	return 0;
}

static int collect(struct run *r, size_t scan, struct job *job, const struct scan_request *q,
	int ms, struct scan_result *all, struct err *err)
{
	struct scan_result s = {0};
	int k = scan_collect(job, q, ms, &r->arena, &s, err);
	if (k == 0 && append(r, scan, all, &s) < 0)
		k = err_set(err, ENOMEM, "out of memory");
	if (k == 0 && scan == 0)
		all->cached = s.cached;
	return k;
}

int run_scan_collect(struct run *r, struct err *err)
{
	int k = 0;
	for (size_t i = 0; k == 0 && i < r->n_scans; i++)
		if (r->scans[i].job.fd >= 0)
			k = collect(
				r, i, &r->scans[i].job, &r->scans[i].req, START_MS, &r->scan, err);
	return k;
}

void run_scan_reap(struct run *r, bool wait)
{
	for (size_t i = 0; i < r->n_scans; i++)
		job_end(&r->scans[i].job, wait);
}

/* Nothing in it now, or not there any more. */
static bool still_empty(const char *path)
{
	return file_dir_empty(path) || access(path, F_OK) < 0;
}

/* The private copies of git's configuration that belong to the directories of q. */
static int add_git(struct run *r, struct scan_request *q)
{
	q->git = arena_alloc(&r->arena, (r->n_git + 1) * sizeof(*q->git));
	if (!q->git)
		return -ENOMEM;
	for (size_t i = 0; i < r->n_git; i++) {
		bool in = path_within(r->git[i].real, q->root);
		for (size_t k = 0; k < q->git_dirs.n; k++)
			in |= path_within(r->git[i].real, q->git_dirs.v[k]);
		if (in)
			q->git[q->n_git++] = (struct scan_git_config){.real = r->git[i].real,
				.base = r->git[i].base,
				.copy = r->git[i].copy};
	}
	return 0;
}

/* Could what was run have left anything there?  The workspace is the first. */
static bool looks_at(const struct run *r, size_t i)
{
	return r->scans[i].writable && !(i == 0 && r->apart);
}

bool run_scan_looks(const struct run *r)
{
	for (size_t i = 0; i < r->n_scans; i++)
		if (looks_at(r, i))
			return true;
	return false;
}

int run_scan_end(struct run *r, struct scan_result *ret, struct err *err)
{
	int result = 0;
	for (size_t i = 0; i < r->n_scans; i++) {
		if (!looks_at(r, i) || (i == 0 && r->ws.empty && still_empty(r->ws.path)))
			continue;
		struct scan_request q = r->scans[i].req;
		struct job job = JOB_NONE;
		q.end = true;
		q.hooks = i == 0 ? r->host_hooks : NULL;
		q.full = r->unseen || run_now() - r->t_begin > FULL_AFTER;
		q.settings = r->settings;
		q.home = r->id.home;
		int k = add_git(r, &q);
		if (k == 0)
			k = run_named_find(&r->arena, q.home, q.root, &q.named, &q.n_named);
		if (k == 0)
			k = start(r, &q, &job, err);
		if (k == 0)
			k = collect(r, i, &job, &q, END_MS, ret, err);
		/* it has its cache to write yet, while we go on: run_scan_reap() */
		if (k < 0)
			job_end(&job, false);
		job_end(&r->scans[i].job, true);
		r->scans[i].job = job;
		if (k < 0)
			result = k;
	}
	return result;
}
