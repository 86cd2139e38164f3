/* run/run-links.c - directories of the home that are links to another place (~/.cache ->
 * /scratch/me/cache), and links by which the workspace was named, in the plan; see run.h.
 *
 * Theory: what lies there on the host is lent by its resolved path, as all that is mounted. Inside,
 * such a link would make a directory of the throw-away root out of a part of the home, in which
 * nobody may write and of which nothing stays.  So it is turned round: the directory is the home's
 * own, what is lent is mounted in it, and the place where the link leads is the link.  Both names
 * then mean the same, as on the host.
 */
#include <sys/stat.h>

#include "base/path.h"
#include "host/chase.h"
#include "run/rows.h"
#include "run/run.h"

struct moved {
	const char *home; /* the name below the home */
	const char *real; /* where it leads on the host */
};

struct turning {
	struct run *r;
	size_t from; /* the rows of what is lent */
	struct moved *v;
	size_t n, cap;
};

/* path as it is called inside. */
static const char *inside(const struct turning *t, const char *path)
{
	for (size_t i = t->n; path && i-- > 0;)
		if (path_within(path, t->v[i].real))
			path = arena_join(
				&t->r->plan.arena, t->v[i].home, "", path + strlen(t->v[i].real));
	return path;
}

/* A directory of the user's that is there for what is lent from it alone: neither lent itself, nor
 * the place of a workspace, which has its own reason to be where it is. */
static bool is_place(const struct turning *t, const char *link, const char *real)
{
	const struct run *r = t->r;
	struct stat st;
	bool is = lstat(real, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == r->id.uid &&
		real[1] && !path_within(r->inside.home, real) && !host_system_path(real) &&
		!path_within(r->ws.path, real);
	for (size_t i = 0; i < r->ws.binds.n && is; i++)
		is = !path_within(r->ws.binds.v[i], real);
	for (size_t i = 0; i < r->n_extras && is; i++)
		is = !path_within(r->extras[i].path, real);
	for (size_t i = t->from; i < r->plan.n_mounts && is; i++) {
		const struct mount_op *m = &r->plan.mounts[i];
		is = m->kind == MOUNT_SYMLINK ||
			(!path_within(real, m->dst) && !path_within(link, m->dst));
	}
	return is;
}

static int collect(struct turning *t, const struct host_link *links, size_t n)
{
	struct run *r = t->r;
	for (size_t i = 0; i < n; i++) {
		const char *name = inside(t, links[i].path);
		if (!name)
			return -ENOMEM;
		if (!path_within(name, r->inside.home) || streq(name, r->inside.home))
			continue;
		const char *real = path_real(&r->plan.arena, links[i].path);
		bool known = false;
		for (size_t k = 0; k < t->n; k++)
			known |= streq(t->v[k].home, name) || (real && streq(t->v[k].real, real));
		if (!real || known || !is_place(t, links[i].path, real))
			continue;
		struct moved *v = arena_grow(&r->plan.arena, t->v, t->n, &t->cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		t->v = v;
		t->v[t->n++] = (struct moved){.home = name, .real = real};
	}
	return 0;
}

/* A target that begins with ".." is meant from where the link lies on the host. */
static const char *target(const struct turning *t, const char *dst, const char *data)
{
	size_t n = strlen(dst);
	const char *rest = data;
	if (!has_prefix(data, ".."))
		return data;
	while (n && dst[n - 1] != '/')
		n--;
	while (has_prefix(rest, "../") || streq(rest, "..")) {
		rest += MIN(strlen(rest), (size_t)3);
		for (n = n ? n - 1 : 0; n && dst[n - 1] != '/';)
			n--;
	}
	char *dir = arena_dupn(&t->r->plan.arena, dst, n);
	return dir ? inside(t, path_join(&t->r->plan.arena, dir, rest)) : NULL;
}

static int turn_row(const struct turning *t, struct mount_op *m, bool *ret_keep)
{
	const char *dst = inside(t, m->dst);
	*ret_keep = true;
	if (!dst)
		return -ENOMEM;
	for (size_t i = 0; i < t->n && m->kind == MOUNT_SYMLINK; i++)
		if (streq(dst, t->v[i].home))
			*ret_keep = false;
	if (dst != m->dst && m->kind == MOUNT_SYMLINK && !(m->data = target(t, m->dst, m->data)))
		return -ENOMEM;
	m->dst = dst;
	return 0;
}

int run_links_turn(struct run *r, size_t from, struct err *err)
{
	struct plan *p = &r->plan;
	struct turning t = {.r = r, .from = from};
	int k = collect(&t, r->agent.links, r->agent.n_links);
	if (k == 0)
		k = collect(&t, r->tools.links, r->tools.n_links);
	size_t n = from;
	for (size_t i = from; i < p->n_mounts && k == 0 && t.n; i++) {
		bool keep;
		struct mount_op m = p->mounts[i];
		k = turn_row(&t, &m, &keep);
		if (k == 0 && keep)
			p->mounts[n++] = m;
	}
	if (t.n)
		p->n_mounts = n;
	for (size_t i = 0; i < t.n && k == 0; i++)
		plan_mount(p, MOUNT_SYMLINK, t.v[i].real)->data = t.v[i].home;
	return k < 0 ? err_set(err, -k, "out of memory") : 0;
}

/* The shell's idea of where we are, with its links, if that is right; or NULL. */
static const char *where_named(void)
{
	const char *pwd = getenv("PWD");
	struct stat here, there;
	if (!pwd || *pwd != '/' || stat(pwd, &there) < 0 || stat(".", &here) < 0 ||
		here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		return NULL;
	return pwd;
}

/* Is a place for such a link: neither the sandbox's own, nor one that the host's system has. */
static bool may_hold(const struct run *r, const char *path)
{
	static const char *const own[] = {"/dev", "/etc", "/proc", "/run", "/sys", "/tmp", "/var"};
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (path_within(path, own[i]))
			return false;
	return !run_shown_by_host(r, path) && !path_within(r->ws.path, path);
}

/* Of a name of the workspace, or of what is in it.  What stands there in a home that lasts stays.
 */
static void links_of(struct run *r, const char *name)
{
	struct host_agent found = {0};
	struct err ignored = {0};
	const char *real;
	if (host_chase(&r->plan.arena, &found, name, &real, &ignored) < 0 ||
		!path_within(real, r->ws.path))
		return;
	for (size_t i = 0; i < found.n_links; i++)
		if (may_hold(r, found.links[i].path))
			row(r, MOUNT_SYMLINK, found.links[i].path, MOUNT_OPTIONAL,
				found.links[i].target);
}

void run_links_named(struct run *r)
{
	if (!run_has_workspace(r) || r->image)
		return;
	const char *first = r->opt.paths.n ? r->opt.paths.v[0] : NULL, *pwd = where_named();
	/* a sandbox that lasts has noted where its workspace is, not what it was called */
	if (first && *first == '/')
		links_of(r, first);
	else if (first && pwd)
		links_of(r, path_join(&r->plan.arena, pwd, first));
	if (pwd)
		links_of(r, pwd);
}
