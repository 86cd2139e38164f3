/* run/run-change.c - what a run must keep so that its changes to the workspace can be shown, landed
 * or undone, and what of them does not stay in place; see run.h.
 */
#include <fcntl.h>
#include <fnmatch.h>

#include "base/escape.h"
#include "base/file.h"
#include "change/aside.h"
#include "change/starts.h"
#include "run/run.h"

bool run_is_cow(const struct run *r)
{
	return r->opt.mode && streq(r->opt.mode, "cow");
}

static int open_box(struct run *r, struct err *err)
{
	int fd = open(r->box.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "open %s", r->box.dir) : fd;
}

/* Relative to the workspace, or NULL. */
static const char *relative(const struct run *r, const char *path)
{
	size_t n = strlen(r->ws.path);
	return path_within(path, r->ws.path) && path[n] == '/' ? path + n + 1 : NULL;
}

/* git's index says what was tracked; it is small, and copied while the workspace is scanned. */
int run_change_begin(struct run *r, struct err *err)
{
	if (!r->lasting || r->opt.dry_run || r->apart || !run_has_workspace(r) || run_is_cow(r))
		return 0;
	_cleanup_close_ int box = open_box(r, err);
	if (box < 0)
		return box;
	char *index = r->ws.git != HOST_GIT_FOREIGN && r->ws.git_dir
		? path_join(&r->arena, r->ws.git_dir, "index")
		: NULL;
	return change_direct_begin(box, index, err);
}

/* Said once, before the first change: what a program meets that renames a directory of the host's.
 */
static void warn_of_overlay(struct run *r)
{
	char *up = arena_printf(&r->arena, "%s/up/ws", r->box.dir);
	if (r->lasting && !r->command.n && !r->ws.empty && r->spec.layers.n == 0 && up &&
		(access(up, F_OK) < 0 || file_dir_empty(up)))
		strv_addf(&r->arena, &r->plan.notices,
			"in this workspace, renaming a directory that is the host's fails for some "
			"programs (git mv); mv copies it: bawn-apply(1)");
}

int run_change_begin_cow(struct run *r, struct err *err)
{
	struct strv masked = {0};
	if (!run_is_cow(r) || r->opt.dry_run)
		return 0;
	warn_of_overlay(r);
	_cleanup_close_ int box = open_box(r, err);
	if (box < 0)
		return box;
	for (size_t i = 0; i < r->scan.n; i++) {
		const char *rel = relative(r, r->scan.v[i].path);
		if (r->scan.v[i].kind == SCAN_MASK && rel)
			strv_add(&r->arena, &masked, rel);
	}
	int k = arena_check(&r->arena, err);
	return k < 0
		? k
		: change_starts_begin(box, &masked,
			  r->host_hooks ? relative(r, r->host_hooks) : NULL, &r->settings, err);
}

void run_change_say(struct run *r)
{
	if (!run_is_cow(r) || r->opt.verbosity < 0)
		return;
	char *up = arena_printf(&r->arena, "%s/up/ws", r->box.dir);
	if (!up || file_dir_empty(up))
		return;
	if (!r->lasting)
		run_message(r, "what it changed in the workspace goes with the sandbox");
	else
		run_message(r, "what it changed waits for you: bawn diff %s; bawn apply %s",
			r->box.id, r->box.id);
}

/* ---- direct: what does not stay in place ---- */

/* --allow-exec: a path as it is shown, what lies below it, or a glob over the whole of it. */
static bool allowed(const struct run *r, const char *rel)
{
	for (size_t i = 0; i < r->opt.allow_exec.n; i++) {
		const char *p = r->opt.allow_exec.v[i];
		size_t n = strlen(p);
		while (n > 1 && p[n - 1] == '/')
			n--;
		if ((strncmp(rel, p, n) == 0 && (rel[n] == '/' || !rel[n])) ||
			fnmatch(p, rel, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

/* New, in the workspace itself, and run by the host without being asked. */
static bool goes_aside(const struct run *r, const struct scan_item *it)
{
	const char *rel = relative(r, it->path);
	return it->kind == SCAN_PERSIST && (it->flags & SCAN_NEW) && (it->flags & SCAN_AUTO) &&
		rel && !allowed(r, rel);
}

static void say_aside(struct run *r, const struct aside *rows, size_t n)
{
	char from[512], to[1024];
	bool said = false;
	for (size_t i = 0; i < n; i++) {
		const struct audit_field f[] = {{.key = "path", .str = rows[i].path},
			{.key = "action", .str = rows[i].to ? "moved aside" : "stayed"},
			{.key = "place", .str = rows[i].to ? rows[i].to : rows[i].why}};
		run_audit(r, "aside", f, ARRAY_LEN(f));
		escape_text(from, sizeof(from), rows[i].path);
		if (rows[i].to && !said)
			run_message(r,
				"moved out of the workspace, as this machine would run it unasked "
				"(--allow-exec PATH leaves it):");
		said |= rows[i].to != NULL;
		if (r->opt.verbosity < 0)
			continue;
		if (rows[i].to)
			fprintf(stderr, "  %s is now %s\n", from,
				escape_shell(to, sizeof(to), rows[i].to));
		else
			run_message(r, "%s could not be moved aside: %s", from, rows[i].why);
	}
}

void run_change_aside(struct run *r, const struct scan_result *s)
{
	struct strv paths = {0};
	struct aside *rows = NULL;
	struct err err = {0};
	/* Without a look at the start nobody knows what is new. */
	if (!r->lasting || !(s->cached || r->ws.empty) || GUARD_REMOVED("aside"))
		return;
	for (size_t i = 0; i < s->n; i++)
		if (goes_aside(r, &s->v[i]))
			strv_add(&r->arena, &paths, relative(r, s->v[i].path));
	if (!paths.n)
		return;
	if (change_set_aside(r->ws.path, r->box.dir, &paths, &r->arena, &rows, &err) < 0) {
		run_message(r, "nothing could be moved aside: %s", err.msg);
		return;
	}
	say_aside(r, rows, paths.n);
}
