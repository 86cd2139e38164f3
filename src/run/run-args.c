/* run/run-args.c - files that the agent's arguments name and that are not there inside: said at the
 * start, with the remedy, as the agent itself can only say that there is no such file; see run.h.
 */
#include <sys/stat.h>

#include "base/escape.h"
#include "base/path.h"
#include "run/run.h"

/* Is path (resolved) there inside, as far as mounts go? */
static bool is_mounted(const struct run *r, const char *path)
{
	if (run_has_workspace(r) && path_meets(r->ws.path, path))
		return true;
	for (size_t i = 0; i < r->n_extras; i++)
		if (path_meets(r->extras[i].path, path))
			return true;
	for (size_t i = 0; i < r->tools.n; i++)
		if (path_meets(r->tools.v[i].path, path))
			return true;
	for (size_t i = 0; i < r->agent.binds.n; i++)
		if (path_meets(r->agent.binds.v[i], path))
			return true;
	return false;
}

/* In the sandbox's own home, where what was brought along is by now? */
static bool is_at_home(struct run *r, const char *path)
{
	if (!path_within(path, r->id.home))
		return false;
	if (streq(path, r->id.home) || (r->lasting && !r->fresh)) /* which may have it by now */
		return true;
	char *own = path_join(&r->arena, r->box.home, path + strlen(r->id.home));
	char *way = arena_printf(&r->arena, "home%s", path + strlen(r->id.home));
	/* a place where the last run had something mounted goes as soon as there is a plan */
	for (size_t i = 0; way && i < r->box.ways.n; i++)
		if (path_within(r->box.ways.v[i], way))
			return false;
	return !own || access(own, F_OK) == 0;
}

void run_say_args(struct run *r)
{
	static const char *const ours[] = {"/dev", "/proc", "/sys", "/run", "/etc", "/var/lib"};
	char shown[256];
	unsigned told = 0;
	if (r->opt.dry_run || r->image) /* with no home yet; or of another root's */
		return;
	for (size_t i = 0; i < r->opt.args.n && told < 3; i++) {
		const char *arg = r->opt.args.v[i], *eq = *arg == '-' ? strchr(arg, '=') : NULL;
		const char *path = eq ? eq + 1 : arg;
		struct stat st;
		/* a command of a tool's is a word behind a slash, too */
		if (*path != '/' || !strchr(path + 1, '/') || lstat(path, &st) < 0)
			continue;
		bool there = host_system_path(path);
		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			there = there || path_within(path, ours[k]);
		const char *real = there ? NULL : path_real(&r->arena, path);
		if (!real || is_mounted(r, real) || is_mounted(r, path) || is_at_home(r, path))
			continue;
		told++;
		strv_addf(&r->arena, &r->plan.notices,
			"%s is not inside (a further PATH brings it: %s:ro)",
			escape_text(shown, sizeof(shown), path), shown);
	}
}
