/* run/run-plan.c - facts, profile and options become the plan; see run.h.
 *
 * Pure but for lstat() of the system directories.  Rows are laid in this order: the skeleton, which
 * is every sandbox's and handed over before anything else is known, what the machine lends
 * (read-only), the sandbox's own home, the user's directories from the outermost in, and at last
 * the guards that cover parts of them.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "run/clone.h"
#include "run/credential.h"
#include "run/image.h"
#include "run/rows.h"
#include "run/step.h"
#include "scan/named.h"

static void system_rows(struct run *r)
{
	for (size_t i = 0; host_system_dirs[i]; i++) {
		const char *d = host_system_dirs[i];
		struct stat st;
		if (lstat(d, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			bind_row(r, d, MOUNT_RO | MOUNT_REC, "the machine's programs");
		} else if (S_ISLNK(st.st_mode)) {
			char target[256];
			ssize_t n = readlink(d, target, sizeof(target) - 1);
			if (n > 0)
				row(r, MOUNT_SYMLINK, d, 0,
					arena_dupn(&r->plan.arena, target, (size_t)n));
		}
	}
	for (size_t i = 0; host_daemon_dirs[i]; i++) {
		struct stat st;
		if (lstat(host_daemon_dirs[i], &st) == 0 && S_ISDIR(st.st_mode))
			row(r, MOUNT_MASK, host_daemon_dirs[i], MOUNT_OPTIONAL, NULL);
	}
}

static void etc_row(struct run *r)
{
	struct mount_op *m = row(
		r, MOUNT_BIND, "/etc", MOUNT_RO | MOUNT_NOEXEC | MOUNT_POINT, NULL);
	m->src = r->etc;
	m->why = "generated";
}

/* What of /proc tells about the machine or steers it.  Nothing inside is root of the host, so what
 * the file's own mode denies needs no mask; a mask costs two mounts' worth of time. */
static void proc_rows(struct run *r)
{
	static const char *const masked[] = {"/proc/kcore", "/proc/keys", "/proc/key-users",
		"/proc/kmsg", "/proc/kallsyms", "/proc/timer_list", "/proc/sched_debug",
		"/proc/sysrq-trigger"};
	struct stat st;
	row(r, MOUNT_PROC, "/proc", MOUNT_NOEXEC | MOUNT_POINT, NULL);
	for (size_t i = 0; i < ARRAY_LEN(masked); i++)
		if (stat(masked[i], &st) == 0 && (st.st_uid != 0 || (st.st_mode & 0077)))
			row(r, MOUNT_MASK, masked[i], MOUNT_OPTIONAL, NULL);
	row(r, MOUNT_PIN, "/proc/sys", MOUNT_RO | MOUNT_NOEXEC, NULL);
	/* it takes triggers, for the machine to keep */
	if (!GUARD_REMOVED("pressure"))
		row(r, MOUNT_PIN, "/proc/pressure", MOUNT_RO | MOUNT_NOEXEC | MOUNT_OPTIONAL, NULL);
}

/* A writable directory on the file system of the root, which itself becomes read-only at the end:
 * one tmpfs with one size and inode cap serves them all. */
static void scratch_row(struct run *r, const char *path, uint32_t mode)
{
	if (r->image) { /* a root of its own, into which that tmpfs is brought */
		struct mount_op *m = row(r, MOUNT_SCRATCH, path, MOUNT_POINT, NULL);
		m->mode = mode;
		m->why = "scratch, gone at the end";
		return;
	}
	row(r, MOUNT_DIR, path, 0, NULL)->mode = mode;
	row(r, MOUNT_PIN, path, 0, NULL)->why = "scratch, gone at the end";
}

static void dev_rows(struct run *r)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
	static const char *const links[][2] = {{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"}, {"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"}, {"/dev/ptmx", "pts/ptmx"}};
	if (r->image)
		scratch_row(r, "/dev", 0755);
	else
		row(r, MOUNT_DIR, "/dev", 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		char *path = arena_printf(&r->plan.arena, "/dev/%s", nodes[i]);
		struct mount_op *m = row(r, MOUNT_DEV, path, MOUNT_POINT | MOUNT_NOEXEC, NULL);
		m->src = path;
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		row(r, MOUNT_SYMLINK, links[i][0], 0, links[i][1]);
	row(r, MOUNT_DEVPTS, "/dev/pts", MOUNT_NOEXEC | MOUNT_POINT | MOUNT_DEVICES,
		"newinstance,ptmxmode=0666,mode=0620,max=256");
	row(r, MOUNT_MQUEUE, "/dev/mqueue", MOUNT_NOEXEC | MOUNT_POINT | MOUNT_OPTIONAL, NULL);
	scratch_row(r, "/dev/shm", 01777);
	if (r->image)
		row(r, MOUNT_SEAL, "/dev", 0, NULL);
}

/* Is anything that comes along below dir? */
static bool lends_below(const struct run *r, const char *dir)
{
	bool found = path_within(r->ws.path, dir) || path_within(r->inside.home, dir);
	for (size_t i = 0; i < r->agent.binds.n; i++)
		found |= path_within(r->agent.binds.v[i], dir);
	for (size_t i = 0; i < r->tools.n; i++)
		found |= path_within(r->tools.v[i].path, dir);
	for (size_t i = 0; i < r->n_extras; i++)
		found |= path_within(r->extras[i].path, dir);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		found |= path_within(r->ws.binds.v[i], dir);
	return found;
}

static void scratch_rows(struct run *r)
{
	/* of a RUN /tmp and /run are the image's, but for what is bawn's in there */
	if (r->step && r->image) {
		scratch_row(r, RUN_STEP_SCRATCH, 0755);
	} else {
		scratch_row(r, "/tmp", 01777);
		scratch_row(r, "/run", 0755);
		row(r, MOUNT_DIR, "/run/lock", 0, NULL)->mode = 01777;
	}
	if (r->image)
		row(r, MOUNT_SCRATCH, "/sys", MOUNT_RO | MOUNT_POINT, NULL)->why = "empty";
	else
		row(r, MOUNT_DIR, "/sys", 0, NULL);
}

/* What of /var belongs to the machine's programs: without it dpkg says that nothing is installed,
 * and gems, TeX's formats and GHC's packages are not found. */
static void var_lib_rows(struct run *r)
{
	static const char *const dirs[] = {
		"/var/lib/dpkg", "/var/lib/gems", "/var/lib/ghc", "/var/lib/texmf"};
	static const char sessions[] = "/var/lib/php/sessions";
	struct stat st;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		/* no row may lead through a link, which /var may be */
		_cleanup_close_ int fd = path_openat2(AT_FDCWD, dirs[i],
			O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
		if (fd >= 0)
			bind_row(r, dirs[i], MOUNT_RO | MOUNT_REC, "of the machine's programs");
	}
	/* where Debian's PHP keeps what anybody's scripts keep: in here it is the sandbox's own */
	if (!lends_below(r, "/var/lib/php") && stat(sessions, &st) == 0 && S_ISDIR(st.st_mode))
		row(r, MOUNT_SYMLINK, sessions, 0, "../../../tmp");
}

/* What a template has itself. */
static void var_rows(struct run *r)
{
	if (r->image)
		return;
	row(r, MOUNT_DIR, "/var", 0, NULL);
	var_lib_rows(r);
	/* A link where it can be one; no row may lead through a link. */
	if (lends_below(r, "/var/tmp"))
		scratch_row(r, "/var/tmp", 01777);
	else
		row(r, MOUNT_SYMLINK, "/var/tmp", 0, "../tmp");
	row(r, MOUNT_SYMLINK, "/var/run", 0, "../run");
	row(r, MOUNT_SYMLINK, "/var/lock", 0, "../run/lock");
	row(r, MOUNT_DIR, "/mnt", 0, NULL);
}

/* What was laid before the root of a template is brought on top of it. */
static void carry_rows(struct run *r)
{
	static const char *const run[] = {"/proc", "/dev", "/tmp", "/run", "/sys", NULL},
				 *const step[] = {"/proc", "/dev", RUN_STEP_SCRATCH, "/sys", NULL};
	for (const char *const *p = r->step ? step : run; r->image && *p; p++)
		row(r, MOUNT_CARRY, *p, MOUNT_POINT, NULL)->why = "laid before the root";
}

/* Template host: what the machine has; else the template's layers, and over them what bawn puts
 * there. */
static int root_rows(struct run *r, struct err *err)
{
	struct strv order = {0}; /* top first */
	const struct strv *l = r->image ? &r->image->layers : NULL;
	if (!l) {
		etc_row(r);
		return 0;
	}
	strv_push(&r->plan.arena, &order, r->image->seed);
	for (size_t i = l->n; i-- > 0;)
		strv_push(&r->plan.arena, &order, l->v[i]);
	const char *lowest = order.v[--order.n];
	return run_overlay_rows(r, "/", RUN_IMAGE_PART, &order, lowest, r->image->ref, err);
}

static void why_row(struct run *r)
{
	/* an installation that is not whole lacks it: bawn doctor says so */
	char *path = path_real(
		&r->plan.arena, path_join(&r->arena, r->install.libexec, "bawn-why"));
	if (!path)
		return;
	struct mount_op *m = row(
		r, MOUNT_BIND, RUN_WHY_DIR "/bawn-why", MOUNT_RO | MOUNT_POINT, NULL);
	m->src = path;
	m->why = "asks why a host is denied";
}

static int home_rows(struct run *r, struct err *err)
{
	static const char why[] = "the sandbox's own home";
	if (r->image) /* a directory of the root */
		return 0;
	if (r->lasting)
		return run_overlay_rows(r, r->inside.home, "home", NULL, r->box.home, why, err);
	struct mount_op *m = row(r, MOUNT_BIND, r->inside.home, MOUNT_POINT, NULL);
	m->src = r->box.home;
	m->why = why;
	return 0;
}

/* Git LFS's own objects, which it looks for beside a store that is borrowed from.  They may be
 * anywhere else (a link, lfs.storage): then they are fetched. */
static void lfs_row(struct run *r)
{
	char *objects = path_join(&r->plan.arena, r->repo, "lfs/objects");
	_cleanup_close_ int fd = path_openat2(
		AT_FDCWD, objects, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return;
	struct mount_op *m = row(r, MOUNT_BIND, CLONE_LFS,
		MOUNT_RO | MOUNT_NOEXEC | MOUNT_POINT | MOUNT_OPTIONAL, NULL);
	m->src = objects;
	m->why = "the host's objects of Git LFS";
}

/* What a clone shares with the host: objects, and what its making needs to know. */
static void clone_rows(struct run *r)
{
	struct mount_op *m;
	if (!r->repo)
		return;
	m = row(r, MOUNT_BIND, CLONE_OBJECTS, MOUNT_RO | MOUNT_NOEXEC | MOUNT_POINT, NULL);
	m->src = path_join(&r->plan.arena, r->repo, "objects");
	m->why = "the host's git objects";
	lfs_row(r);
	m = row(r, MOUNT_BIND, CLONE_SETUP_INSIDE,
		MOUNT_RO | MOUNT_NOEXEC | MOUNT_POINT | MOUNT_OPTIONAL, NULL);
	m->src = path_join(&r->plan.arena, r->box.dir, CLONE_SETUP);
}

/* What is there is right. */
bool run_shown_by_host(const struct run *r, const char *path)
{
	bool is = host_system_path(path) || inside_workspace(r, path);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		is |= path_within(path, r->ws.binds.v[i]);
	for (size_t i = 0; i < r->n_extras; i++)
		is |= path_within(path, r->extras[i].path);
	return is;
}

static void link_rows(struct run *r, const struct host_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!run_shown_by_host(r, links[i].path))
			row(r, MOUNT_SYMLINK, links[i].path, 0, links[i].target);
}

/* A guard on a file of the host's is watched; over an overlay of ours the host can't pull it away.
 */
static uint32_t guard_flag(const struct run *r, const char *base)
{
	bool ours = streq(base, r->ws.path);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		ours |= streq(base, r->ws.binds.v[i]);
	return ours && run_is_cow(r) ? 0 : MOUNT_GUARD;
}

/* Pin every directory between base (not itself: it is a mount) and path, once each. */
static void pin_ancestors(struct run *r, const char *base, const char *path, struct strv *pinned)
{
	size_t from = strlen(base) + 1;
	for (const char *p = strchr(path + from, '/'); p; p = strchr(p + 1, '/')) {
		char *dir = arena_dupn(&r->plan.arena, path, (size_t)(p - path));
		if (!dir || strv_has(pinned, dir))
			continue;
		strv_push(&r->plan.arena, pinned, dir);
		/* With what is mounted below it, which it would hide otherwise. */
		row(r, MOUNT_PIN, dir, guard_flag(r, base) | (lends_below(r, dir) ? MOUNT_REC : 0),
			NULL)
			->why = "holds something protected";
	}
}

/* The innermost mount that path lies in: workspace, git directory or further directory. */
static const char *lender(const struct run *r, const char *path)
{
	const char *best = inside_workspace(r, path) && !r->apart ? r->ws.path : NULL;
	for (size_t i = 0; i < r->ws.binds.n + r->n_extras; i++) {
		const char *base = i < r->ws.binds.n ? r->ws.binds.v[i]
						     : r->extras[i - r->ws.binds.n].path;
		if (path_within(path, base) && (!best || strlen(base) > strlen(best)))
			best = base;
	}
	return best;
}

/* An earlier session could write there: what it left is removed, not written into.  What is used
 * again was looked through, and found to be empty. */
static int git_copies_begin(struct run *r, struct err *err)
{
	if (r->box.taken)
		return 0;
	char *all = path_join(&r->plan.arena, r->box.dir, "git");
	if (!all)
		return err_set(err, ENOMEM, "out of memory");
	return GUARD_REMOVED("git-copies") ? 0 : tree_remove(AT_FDCWD, all, err);
}

static int git_copy_row(struct run *r, const char *path, struct err *err)
{
	struct run_git_copy *g = &r->git[r->n_git];
	struct arena *a = &r->plan.arena;
	char *text = NULL;
	g->real = path;
	g->copy = arena_printf(a, "%s/git/%zu/config", r->box.dir, r->n_git);
	g->base = arena_printf(a, "%s/git-base-%zu", r->box.dir, r->n_git);
	g->inside = arena_printf(a, "/run/bawn/git/%zu/config", r->n_git);
	struct mount_op *m = row(r, MOUNT_LINK, path, MOUNT_GUARD, g->inside);
	m->why = "git's configuration: a private copy";
	if (!r->opt.dry_run) {
		ssize_t n = file_read(&r->arena, AT_FDCWD, path, 1 << 20, &text, err);
		if (n < 0)
			return (int)n;
		if (r->n_git == 0 && git_copies_begin(r, err) < 0)
			return -err->code;
		char *dir = arena_printf(a, "%s/git/%zu", r->box.dir, r->n_git);
		int k = file_mkdir_p(AT_FDCWD, dir, 0700);
		if (k < 0)
			return err_sys(err, -k, "create %s", dir);
		/* With a zero byte in it, it is none that git reads. */
		const char *given = strlen(text) == (size_t)n ? run_git_unsigned(r, text) : text;
		if (!given)
			return err_set(err, ENOMEM, "out of memory");
		size_t len = given == text ? (size_t)n : strlen(given);
		k = file_write_atomic(AT_FDCWD, g->base, given, len, 0600, false, err);
		if (k == 0)
			k = file_write_atomic(AT_FDCWD, g->copy, given, len, 0644, false, err);
		if (k < 0)
			return k;
	}
	r->n_git++;
	return 0;
}

static int protect_row(
	struct run *r, const struct scan_item *it, struct strv *pinned, struct err *err)
{
	const char *base = lender(r, it->path);
	if (!base || streq(it->path, base))
		return 0;
	if (!guard_flag(r, base))
		return 0; /* it lands only when somebody has looked at it */
	char *path = arena_dup(&r->plan.arena, it->path);
	pin_ancestors(r, base, path, pinned);
	if (it->type == SCAN_GIT_CONFIG_FILE)
		return git_copy_row(r, path, err);
	if (it->type == SCAN_FILE || it->type == SCAN_DIR || it->type == SCAN_SYMLINK)
		row(r, MOUNT_PIN, path,
			MOUNT_GUARD | MOUNT_RO | (it->type == SCAN_DIR ? MOUNT_REC : 0), NULL)
			->why = "protected";
	return 0;
}

static void mask_row(struct run *r, const char *path, struct strv *pinned)
{
	const char *base = lender(r, path);
	if (!base)
		return;
	char *copy = arena_dup(&r->plan.arena, path);
	pin_ancestors(r, base, copy, pinned);
	row(r, MOUNT_MASK, copy, guard_flag(r, base), NULL)->why = "reads as empty";
}

static bool is_guarded(const struct run *r, const char *path)
{
	for (size_t k = 0; k < r->plan.n_mounts; k++)
		if (r->plan.mounts[k].kind != MOUNT_BIND &&
			(r->plan.mounts[k].flags & MOUNT_GUARD) &&
			streq(r->plan.mounts[k].dst, path))
			return true;
	return false;
}

#define CONFIGS_MAX 16 /* that may go on in others */

struct configs {
	struct run *r;
	struct strv paths;
};

static void config_named(void *ctx, const char *rel, const char *why, unsigned int flags)
{
	struct configs *c = ctx;
	(void)why;
	char *path = flags & NAMED_CONFIG ? path_join(&c->r->arena, c->r->ws.path, rel) : NULL;
	if (path && !strv_has(&c->paths, path))
		strv_push(&c->r->arena, &c->paths, path);
}

/* Files of the workspace that the user's own git configuration goes on in. */
static int config_rows(struct run *r, struct strv *pinned, struct err *err)
{
	struct configs c = {.r = r};
	struct stat st;
	const bool direct = !r->apart && !run_is_cow(r);
	int k = 0;
	if (direct)
		named_by_user(&r->arena, r->ws.path, r->id.home, &r->settings, config_named, &c);
	/* git says of an included file's own includes what they say, and not where they stand: that
	 * may be any of those that were found */
	for (size_t d = 0; d < MIN(c.paths.n, (size_t)CONFIGS_MAX); d++) {
		const char *dir = path_parent(&r->arena, c.paths.v[d]);
		const struct named_from from = {&r->arena, r->ws.path, dir, r->id.home};
		for (size_t i = 0; dir && i + 1 < r->settings.n; i += 2)
			named_by_git(
				&from, r->settings.v[i], r->settings.v[i + 1], config_named, &c);
	}
	for (size_t i = 0; k == 0 && i < c.paths.n; i++) {
		/* where it is: a row leads through no link */
		const struct scan_item it = {
			.type = SCAN_FILE, .path = path_real(&r->arena, c.paths.v[i])};
		if (it.path && path_within(it.path, r->ws.path) && lstat(it.path, &st) == 0 &&
			S_ISREG(st.st_mode) && !is_guarded(r, it.path))
			k = protect_row(r, &it, pinned, err);
	}
	return k;
}

static int given_row(struct run *r, const char *path, struct strv *pinned, struct err *err)
{
	const struct scan_item it = {.type = SCAN_FILE, .path = path_real(&r->arena, path)};
	struct stat st;
	bool skip = !it.path || stat(it.path, &st) < 0 || !S_ISREG(st.st_mode) ||
		is_guarded(r, it.path);
	return skip ? 0 : protect_row(r, &it, pinned, err);
}

/* What was given by its path decides about the next run as well, and so do the profile and policies
 * that this one is made of, whoever named them, and when: where they lie in a directory that the
 * agent may write, they stay as they are.  What is covered already stays covered. */
static int given_rows(struct run *r, struct strv *pinned, struct err *err)
{
	const struct strv *sources = &r->pack.sources;
	int k = 0;
	for (size_t i = 0; k == 0 && i < sources->n; i++) {
		const size_t before = r->plan.n_mounts;
		if (path_within(sources->v[i], r->install.data) ||
			path_within(sources->v[i], r->store.xdg.config))
			continue;
		k = given_row(r, sources->v[i], pinned, err);
		if (r->plan.n_mounts > before)
			strv_addf(&r->arena, &r->plan.notices,
				"%s says what may be done, and lies where agents write: not this "
				"one, but that of another sandbox can change it",
				sources->v[i]);
	}
	for (size_t i = 0; k == 0 && i < r->opt.given_files.n; i++)
		k = given_row(r, r->opt.given_files.v[i], pinned, err);
	return k;
}

/* Of directories that lie in each other all but the outermost are looked through twice, and the
 * link behind a protected one may lead to another. */
static bool seen_before(const struct run *r, size_t n, unsigned char hashed[8192])
{
	const struct scan_item *it = &r->scan.v[n];
	uint32_t h = 2166136261u; /* FNV-1a: most are new, and need no comparison */
	for (const char *p = it->path; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	unsigned char *byte = &hashed[h >> 19], bit = (unsigned char)(1u << (h >> 16 & 7));
	bool maybe = *byte & bit;
	*byte |= bit;
	for (size_t i = 0; maybe && i < n; i++)
		if (r->scan.v[i].kind == it->kind && streq(r->scan.v[i].path, it->path))
			return true;
	return false;
}

static int guard_rows(struct run *r, struct err *err)
{
	struct strv pinned = {0};
	unsigned char hashed[8192] = {0};
	const struct scan_result *s = &r->scan;
	r->git = arena_alloc(&r->plan.arena, (s->n + 1) * sizeof(*r->git));
	if (!r->git)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n; i++) {
		const struct scan_item *it = &s->v[i];
		int k = 0;
		if ((it->kind == SCAN_PROTECT || it->kind == SCAN_MASK) &&
			seen_before(r, i, hashed))
			continue;
		if (it->kind == SCAN_PROTECT)
			k = protect_row(r, it, &pinned, err);
		else if (it->kind == SCAN_MASK)
			mask_row(r, it->path, &pinned);
		if (k < 0)
			return k;
	}
	struct stat st;
	if (r->host_hooks && !run_is_cow(r) && lstat(r->host_hooks, &st) == 0 &&
		S_ISDIR(st.st_mode)) {
		const struct scan_item hooks = {.type = SCAN_DIR, .path = r->host_hooks};
		int k = protect_row(r, &hooks, &pinned, err);
		if (k < 0)
			return k;
	}
	int given = config_rows(r, &pinned, err);
	if (given == 0)
		given = given_rows(r, &pinned, err);
	if (given < 0)
		return given;
	if (r->n_git) {
		/* Where the links lead; on disk, so that the copies can be read when the run is
		 * over. */
		struct mount_op *m = row(
			r, MOUNT_BIND, "/run/bawn/git", MOUNT_POINT | MOUNT_NOEXEC, NULL);
		m->src = path_join(&r->plan.arena, r->box.dir, "git");
	}
	return 0;
}

static void land_rules(struct run *r)
{
	struct plan *p = &r->plan;
	plan_land(p, "/", r->image != NULL);
	/* mq_open(3) gets there by no path, so by no rule for one above */
	plan_land(p, "/dev/mqueue", true);
	if (r->image) /* what is not to be written is mounted read-only */
		return;
	static const char *const writable[] = {"/tmp", "/run", "/dev", "/proc"};
	for (size_t i = 0; i < ARRAY_LEN(writable); i++)
		plan_land(p, writable[i], true);
	if (lends_below(r, "/var/tmp"))
		plan_land(p, "/var/tmp", true);
	plan_land(p, r->inside.home, true);
	if (run_has_workspace(r) && !path_within(r->ws.path, r->inside.home))
		plan_land(p, r->ws.path, true);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		plan_land(p, r->ws.binds.v[i], true);
	for (size_t i = 0; i < r->n_extras; i++)
		if (!r->extras[i].read_only)
			plan_land(p, r->extras[i].path, true);
}

static void say_scan(struct run *r)
{
	const struct scan_result *s = &r->scan;
	char shown[512];
	struct strv tracked = {0};
	for (size_t i = 0; i < s->n; i++) {
		const struct scan_item *it = &s->v[i];
		escape_text(shown, sizeof(shown), it->path);
		const char *name = path_within(it->path, r->ws.path) && it->path[strlen(r->ws.path)]
			? shown + strlen(r->ws.path) + 1
			: shown;
		if (it->kind == SCAN_TRACKED)
			strv_add(&r->arena, &tracked, name);
		else if (it->kind == SCAN_HELD)
			strv_addf(&r->arena, &r->plan.notices,
				"%s reads as empty, as it did before git tracked it, and git has "
				"another content (to show it: commit it on the host, or --mask "
				"'!%s')",
				name, name);
		else if (it->kind == SCAN_HARDLINK)
			strv_addf(&r->arena, &r->plan.notices,
				"%s reads as empty, but the file has a second name elsewhere",
				name);
		else if (it->kind == SCAN_SPECIAL)
			strv_addf(&r->arena, &r->plan.notices,
				"%s is a socket, FIFO or device that the agent can reach", name);
		else if (it->kind == SCAN_LIMIT)
			strv_addf(&r->arena, &r->plan.notices, "not looked at: %s (%s)", name,
				it->detail);
	}
	if (tracked.n)
		strv_addf(&r->arena, &r->plan.notices,
			"the agent can read %s%s: tracked by git, so not masked", tracked.v[0],
			tracked.n > 1 ? arena_printf(&r->arena, " and %zu more", tracked.n - 1)
				      : "");
}

/* Only --dry-run shows them: 10,000 rules cost nothing elsewhere. */
static void list_rules(struct run *r)
{
	struct egress_rule rule;
	for (uint32_t i = 0; i < egress_n_rules(r->pack.egress); i++)
		if (egress_rule(r->pack.egress, i, &rule) >= 0)
			strv_addf(&r->plan.arena, &r->plan.rules, "%s %s (%s%s%.0u)",
				rule.deny ? "deny" : "allow", rule.text, rule.file,
				rule.line ? ":" : "", rule.line);
}

static void say_masks(struct run *r)
{
	char shown[512];
	for (size_t i = 0; i < r->scan.n; i++)
		if (r->scan.v[i].kind == SCAN_MASK)
			strv_addf(&r->arena, &r->plan.notices, "reads as empty: %s",
				escape_text(shown, sizeof(shown), r->scan.v[i].path));
	for (size_t i = 0; i < r->tools.shut.n; i++)
		strv_addf(&r->arena, &r->plan.notices, "reads as empty: %s",
			escape_text(shown, sizeof(shown), r->tools.shut.v[i]));
}

/* A server or a provider of the user's would fail over these without saying why. */
static void say_reads(struct run *r)
{
	struct strv names = {0};
	char *options = arena_dup(&r->arena, ""), *list = arena_dup(&r->arena, "");
	for (size_t i = 0; i < r->seed_reads.n; i++) {
		char *name = r->seed_reads.v[i];
		if (!strv_has(&r->env.withheld, name) || strv_env_get(&r->opt.env, name) ||
			strv_has(&names, name))
			continue;
		list = arena_printf(&r->arena, "%s%s%s", list, names.n ? ", " : "", name);
		options = arena_printf(&r->arena, "%s-e %s ", options, name);
		strv_push(&r->arena, &names, name);
	}
	if (names.n)
		strv_addf(&r->arena, &r->plan.notices,
			"your settings read %s, which %s outside: %spasses %s", list,
			names.n == 1 ? "stays" : "stay", options, names.n == 1 ? "it" : "them");
}

static void say_env(struct run *r)
{
	size_t n = r->env.withheld.n;
	r->plan.withheld = r->env.withheld;
	if (n && r->opt.verbosity <= 0 && !r->pack.profile.args_replace && !r->command.n)
		strv_addf(&r->arena, &r->plan.notices,
			"%zu of your environment variables %s withheld (-v names them)", n,
			n == 1 ? "is" : "are");
	say_reads(r);
}

/* The flags that the installed version knows: an unknown one would be the end of its start. */
static void known_flags(struct run *r, struct profile *p)
{
	struct strv all = p->yolo;
	p->yolo = (struct strv){0};
	for (size_t i = 0; i < all.n; i++) {
		const char *since = strv_env_get(&p->yolo_since, all.v[i]);
		if (!since || !text_version_below(r->agent.version, since)) {
			strv_add(&r->arena, &p->yolo, all.v[i]);
			continue;
		}
		if (r->opt.verbosity > 0)
			strv_addf(&r->arena, &r->plan.notices,
				"%s %s does not know %s (since %s): not passed", p->name,
				r->agent.version, all.v[i], since);
		while (i + 1 < all.n && all.v[i + 1][0] != '-') /* its value goes with it */
			i++;
	}
}

int run_plan_command(struct run *r, struct err *err)
{
	struct plan *p = &r->plan;
	struct profile tool = r->pack.profile;
	int k = 0;
	p->argv = p->env = (struct strv){0}; /* to join may have been tried before */
	if (!p->cwd)
		p->cwd = r->ws.cwd;
	for (size_t i = 0; i < r->command.n; i++)
		strv_add(&p->arena, &p->argv, r->command.v[i]);
	if (!r->command.n) {
		known_flags(r, &tool);
		k = run_argv(&p->arena, &tool, &r->opt.args, !r->opt.no_yolo, &p->argv);
	}
	if (k == 0)
		k = run_plan_exe(r, err);
	if (k < 0)
		return k;
	run_plan_env(r);
	return arena_check(&p->arena, err);
}

void run_plan_begin(struct run *r)
{
	if (!r->image)
		system_rows(r);
	proc_rows(r);
	dev_rows(r);
	scratch_rows(r);
	r->plan.n_early = r->plan.n_mounts;
}

int run_plan(struct run *r, struct err *err)
{
	struct plan *p = &r->plan;
	p->id = r->box.id;
	p->hostname = HOST_ETC_HOSTNAME;
	p->uid = r->id.uid;
	p->gid = r->id.gid;
	p->inside_uid = r->inside.uid;
	p->inside_gid = r->inside.gid;
	p->template = r->image ? r->image->ref : "host";
	p->digest = r->image ? arena_printf(&p->arena, "sha256:%s", r->image->t.id) : NULL;
	p->user = r->inside.user;
	p->home = r->inside.home;
	p->workspace = run_has_workspace(r) ? r->ws.path : NULL;
	p->cwd = r->directory ? r->directory : r->ws.cwd;
	p->state_dir = r->box.dir;
	p->ephemeral = !r->lasting;
	p->user_namespaces = r->pack.user_namespaces;
	p->pids = r->opt.pids;
	p->offline = r->opt.offline;
	p->landlock = !strv_has(&r->opt.degraded, "landlock");
	p->memory = r->opt.memory;
	p->cpus = r->opt.cpus;
	run_limits_degraded(r, &p->degraded);
	memcpy(p->host_ports, r->opt.host_ports, sizeof(p->host_ports));
	p->n_host_ports = r->opt.n_host_ports;
	p->tty_fds = r->tty_fds;

	int k = root_rows(r, err);
	carry_rows(r);
	var_rows(r);
	why_row(r);
	run_root_rows(r);
	if (r->step)
		run_step_rows(r);
	if (k == 0)
		k = home_rows(r, err);
	clone_rows(r);
	const size_t lent = p->n_mounts;
	if (k == 0)
		k = run_lend_rows(r, err);
	if (k < 0)
		return k;
	link_rows(r, r->agent.links, r->agent.n_links);
	link_rows(r, r->tools.links, r->tools.n_links);
	run_links_named(r);
	k = run_ca_rows(r, err);
	run_trees_rows(r);
	if (k == 0)
		k = guard_rows(r, err);
	if (k == 0)
		k = run_links_turn(r, lent, err);
	if (k < 0)
		return k;
	land_rules(r);
	k = run_plan_command(r, err);
	if (k < 0)
		return k;
	if (r->step)
		run_step_env(r);
	say_scan(r);
	run_git_borrows(r);
	run_git_elsewhere(r);
	if (r->opt.verbosity > 0)
		say_masks(r);
	if (r->opt.dry_run) {
		list_rules(r);
		run_credentials_list(r);
	}
	run_credentials_warn(r);
	say_env(r);
	if (!r->command.n && !r->step)
		run_say_args(r);
	return plan_check(p, err);
}
