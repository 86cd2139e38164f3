/* run/run-trees.c - linked work trees of the workspace's repository that stay outside, in the plan;
 * see run.h.
 *
 * Theory: to git a linked work tree whose directory isn't there is one that was deleted: "git
 * worktree prune" removes what the repository knows of it (its HEAD, its index, a rebase half-way),
 * and "git gc" does where that is three months old.  Inside, those that lie elsewhere on the host
 * aren't there, and what the agent tidied up would be the user's, or another agent's, work.  So
 * each has its file .git inside, empty, where it lies outside: git asks for no more to take it as
 * present.
 *
 * What a repository says of its work trees was maybe written inside.  Believed is only what the
 * place itself, where no agent writes, confirms: a file .git that leads back.
 */
#include "run/run.h"

/* The .git of the work tree that dir/gitdir names, if it is a real one that lies elsewhere. */
static const char *elsewhere(struct run *r, const char *dir)
{
	char *place = host_git_leads_to(&r->plan.arena, dir, "gitdir", ""),
	     *slash = place ? strrchr(place, '/') : NULL;
	if (!slash || slash == place || !streq(slash, "/.git") || run_shown_by_host(r, place))
		return NULL;
	char *tree = arena_dupn(&r->arena, place, (size_t)(slash - place));
	char *back = tree ? host_git_leads_to(&r->arena, tree, ".git", "gitdir: ") : NULL;
	return back && streq(back, dir) ? place : NULL;
}

void run_trees_rows(struct run *r)
{
	for (size_t i = 0; i < r->scan.n; i++) {
		const struct scan_item *it = &r->scan.v[i];
		size_t n = strlen(it->path);
		if (it->kind != SCAN_PROTECT || it->type != SCAN_FILE || n < 7 ||
			!streq(it->path + n - 7, "/gitdir"))
			continue;
		char *dir = arena_dupn(&r->arena, it->path, n - 7);
		const char *place = dir ? elsewhere(r, dir) : NULL;
		if (!place)
			continue;
		struct mount_op *m = plan_mount(&r->plan, MOUNT_FILE, place);
		/* The home is the agent's: what it has put in the way is no reason not to start. */
		m->flags = MOUNT_OPTIONAL;
		m->mode = 0644;
		m->why = "a work tree of the repository that stays outside: not to be pruned";
	}
}
