/* sandbox/lend.c - one more directory of the host for a sandbox that runs; see init/init-lend.c. */
#include "base/path.h"
#include "sandbox/launch.h"

/* Does a mount of the plan, or one of ours, show it already? */
static bool shown(const struct sandbox *s, const char *path)
{
	const struct plan *p = s->plan;
	for (size_t i = 0; i < s->lent.n; i++)
		if (path_within(path, s->lent.v[i]))
			return true;
	for (size_t i = 0; i < p->n_mounts; i++) {
		const struct mount_op *m = &p->mounts[i];
		if ((m->kind == MOUNT_BIND || m->kind == MOUNT_OVERLAY) && m->src &&
			streq(m->src, m->dst) && path_within(path, m->dst))
			return true;
	}
	return false;
}

/* What holds the user's other things as well is no tool's directory. */
static bool too_much(const struct plan *p, const char *path)
{
	return path_within(p->home, path) || (p->workspace && path_within(p->workspace, path)) ||
		path_meets(path, p->state_dir);
}

int sandbox_lend(struct sandbox *s, const char *path, struct err *err)
{
	if (*path != '/' || too_much(s->plan, path))
		return err_set(err, EINVAL, "%s is not lent to a sandbox", path);
	if (shown(s, path))
		return 0;
	int status, r = sandbox_run_mode(s, "lend", path, -1, -1, &status, err);
	if (r == 0 && !status)
		strv_add(&s->arena, &s->lent, path);
	if (r < 0 || !status)
		return r;
	err_hint(err, "stop the sandbox and run it again: it is there from the start then");
	return err_set(err, EIO, "%s can't be shown in a sandbox that runs", path);
}
