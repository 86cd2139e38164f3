/* run/run-plan-lend.c - what of the user's comes along: toolchains, further directories, the
 * workspace; and the overlays that are laid over some of them; see rows.h.
 */
#include <fcntl.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/path.h"
#include "run/clone.h"
#include "run/rows.h"

enum { TOOL_FILE_MAX = 65536 }; /* what host/toolchain.c looks into */

int run_overlay_rows(struct run *r, const char *dst, const char *part, const struct strv *below,
	const char *lowest, const char *why, struct err *err)
{
	struct arena *a = &r->plan.arena;
	for (size_t i = r->lasting ? r->spec.layers.n : 0; i-- > 0;) {
		char *layer = store_layer_part(&r->store, a, r->spec.layers.v[i], part);
		if (!layer || access(layer, F_OK) < 0)
			continue;
		struct mount_op *m = row(r, MOUNT_LOWER, dst, 0, NULL);
		m->src = layer;
		m->why = r->spec.layers.v[i];
	}
	for (size_t i = 0; below && i < below->n; i++)
		row(r, MOUNT_LOWER, dst, 0, NULL)->src = below->v[i];
	/* of one that lasts: written to disk with all else on that file system when it ends */
	const uint32_t fleeting = r->lasting ? 0 : MOUNT_FLEETING;
	struct mount_op *m = row(r, MOUNT_OVERLAY, dst, MOUNT_POINT | fleeting, NULL);
	m->src = lowest;
	m->why = why;
	const char *work = r->box.work ? r->box.work : "work";
	m->data = arena_printf(a, "%s/up/%s\n%s/%s/%s", r->box.dir, part, r->box.dir, work, part);
	if (r->opt.dry_run)
		return 0;
	const char *const subs[] = {"up", work};
	for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
		char *dir = path_join(a, path_join(a, r->box.dir, subs[i]), part);
		int k = dir ? file_mkdir_p(AT_FDCWD, dir, streq(dst, "/") ? 0755 : 0700) : -ENOMEM;
		if (k < 0)
			return err_sys(
				err, -k, "create %s/%s of sandbox %s", subs[i], part, r->box.id);
	}
	return 0;
}

/* A directory of the user's that comes along; sorted so that outer ones are mounted first. */
struct lend {
	const char *path;
	uint32_t flags;
	const char *why;
	const char *part;   /* overlay: its name below up/ and work/; NULL: bind */
	const char *lowest; /* overlay: instead of path */
	bool tool;          /* overlay: a toolchain's or a cache */
};

static int lend_cmp(const void *a, const void *b)
{
	const struct lend *x = a, *y = b;
	int c = strcmp(x->path, y->path);
	/* Of one path named twice, read-only counts. */
	return c ? c : (int)(y->flags & MOUNT_RO) - (int)(x->flags & MOUNT_RO);
}

/* The same for the same directory at every start: what was installed there is found again. */
static char *part_name(struct run *r, const char *kind, const char *path)
{
	char hex[33];
	digest_hex(digest_of(path, strlen(path)), hex);
	return arena_printf(&r->plan.arena, "%s-%.16s", kind, hex);
}

static size_t lend_tools(struct run *r, struct lend *v)
{
	size_t n = 0;
	for (size_t i = 0; i < r->agent.binds.n; i++)
		if (!inside_workspace(r, r->agent.binds.v[i]))
			v[n++] = (struct lend){.path = r->agent.binds.v[i],
				.flags = MOUNT_RO,
				.why = "the agent's program"};
	for (size_t i = 0; i < r->tools.n; i++) {
		const struct host_tool *t = &r->tools.v[i];
		if (inside_workspace(r, t->path) || t->mode == HOST_TOOL_COPY)
			continue;
		v[n] = (struct lend){.path = t->path, .flags = MOUNT_RO, .why = t->name};
		if (t->mode == HOST_TOOL_OVERLAY && t->dir) {
			v[n].flags = 0;
			v[n].part = part_name(r, "tool", t->path);
			v[n].tool = true;
		}
		n++;
	}
	return n;
}

static int lend_row(struct run *r, const struct lend *l, struct err *err)
{
	if (!l->part) {
		bind_row(r, l->path, l->flags, l->why);
		return 0;
	}
	if (l->lowest && !r->opt.dry_run) {
		int k = file_mkdir_p(AT_FDCWD, l->lowest, 0700);
		if (k < 0)
			return err_sys(err, -k, "create %s", l->lowest);
	}
	strv_addf(&r->arena, &r->ways, "up/%s", l->part);
	int k = run_overlay_rows(
		r, l->path, l->part, NULL, l->lowest ? l->lowest : l->path, l->why, err);
	if (k == 0 && l->tool) /* which is of use as it is, too */
		r->plan.mounts[r->plan.n_mounts - 1].flags |= MOUNT_OPTIONAL;
	return k;
}

/* A place in the home that something is mounted on, but for what lies in another such place. */
static void note_way(struct run *r, const char *path, const char **outer)
{
	const char *home = r->inside.home;
	if ((*outer && path_within(path, *outer)) || !path_within(path, home) || streq(path, home))
		return;
	*outer = path;
	strv_addf(&r->arena, &r->ways, "home/%s", path + strlen(home) + 1);
}

/* A link that has come since the file was found is not followed: an agent may have made it. */
static ssize_t read_found(struct run *r, const char *from, char **ret)
{
	char self[64];
	_cleanup_close_ int fd = path_openat2(AT_FDCWD, from,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return file_read(&r->arena, AT_FDCWD, self, TOOL_FILE_MAX, ret, NULL);
}

/* Files that a toolchain replaces when it installs: the home inside has its own. */
static int copy_files(struct run *r, struct err *err)
{
	const char *home = r->inside.home;
	for (size_t i = 0; i < r->tools.n && !r->opt.dry_run; i++) {
		const struct host_tool *t = &r->tools.v[i];
		char *text;
		if (t->mode != HOST_TOOL_COPY || !path_within(t->path, home))
			continue;
		ssize_t n = read_found(r, t->from, &text);
		if (n < 0) /* gone meanwhile, or another */
			continue;
		char *to = path_join(&r->arena, r->box.home, t->path + strlen(home) + 1);
		char *dir = to ? path_parent(&r->arena, to) : NULL;
		int k = dir ? file_mkdir_p(AT_FDCWD, dir, 0700) : -ENOMEM;
		if (k < 0)
			return err_sys(err, -k, "create the directory of %s", t->path);
		k = file_write_atomic(AT_FDCWD, to, text, (size_t)n, 0600, false, err);
		if (k < 0)
			return k;
	}
	return 0;
}

int run_lend_rows(struct run *r, struct err *err)
{
	int copied = copy_files(r, err);
	if (copied < 0)
		return copied;
	size_t cap = r->agent.binds.n + r->tools.n + r->n_extras + r->ws.binds.n + 1;
	struct lend *v = arena_alloc(&r->plan.arena, cap * sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	size_t n = lend_tools(r, v);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		v[n++] = (struct lend){.path = r->ws.binds.v[i],
			.part = run_is_cow(r) ? part_name(r, "git", r->ws.binds.v[i]) : NULL,
			.why = "the workspace's git directory"};
	for (size_t i = 0; i < r->n_extras; i++)
		v[n++] = (struct lend){.path = r->extras[i].path,
			.flags = r->extras[i].read_only ? MOUNT_RO : 0,
			.why = "asked for"};
	if (run_has_workspace(r))
		v[n++] = (struct lend){.path = r->ws.path,
			.part = r->repo || run_is_cow(r) ? CLONE_PART : NULL,
			.lowest = r->repo ? path_join(&r->plan.arena, r->box.dir, "empty") : NULL,
			.why = r->repo          ? "a clone of the workspace"
				: run_is_cow(r) ? "the workspace: changes wait in the sandbox"
						: "the workspace"};
	qsort(v, n, sizeof(*v), lend_cmp);
	const char *outer = NULL;
	for (size_t i = 0; i < n; i++) {
		if (i && streq(v[i].path, v[i - 1].path))
			continue;
		note_way(r, v[i].path, &outer);
		int k = lend_row(r, &v[i], err);
		if (k < 0)
			return k;
	}
	for (size_t i = 0; i < r->tools.shut.n; i++)
		row(r, MOUNT_MASK, r->tools.shut.v[i], MOUNT_OPTIONAL, NULL)->why =
			"a toolchain's, with a credential";
	return 0;
}
