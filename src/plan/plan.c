/* plan/plan.c - building a plan and its invariants; see plan.h */
#include "plan/plan.h"

#include "base/escape.h"
#include "base/path.h"

struct mount_op *plan_mount(struct plan *p, enum mount_op_kind kind, const char *dst)
{
	static struct mount_op
		sink; /* where rows go once memory has run out; plan_check() fails then */
	if (p->n_mounts == p->cap_mounts) {
		size_t cap = p->cap_mounts ? p->cap_mounts * 2 : 64;
		struct mount_op *m = arena_alloc(&p->arena, cap * sizeof(*m));
		if (!m) {
			sink = (struct mount_op){0};
			return &sink;
		}
		if (p->n_mounts)
			memcpy(m, p->mounts, p->n_mounts * sizeof(*m));
		p->mounts = m;
		p->cap_mounts = cap;
	}
	struct mount_op *m = &p->mounts[p->n_mounts++];
	*m = (struct mount_op){.kind = kind, .dst = arena_dup(&p->arena, dst), .mode = 0755};
	return m;
}

int plan_land(struct plan *p, const char *path, bool write)
{
	if (p->n_land == p->cap_land) {
		size_t cap = p->cap_land ? p->cap_land * 2 : 16;
		struct land_rule *l = arena_alloc(&p->arena, cap * sizeof(*l));
		if (!l)
			return -ENOMEM;
		if (p->n_land)
			memcpy(l, p->land, p->n_land * sizeof(*l));
		p->land = l;
		p->cap_land = cap;
	}
	p->land[p->n_land++] = (struct land_rule){
		.path = arena_dup(&p->arena, path), .write = write};
	return 0;
}

/* No "", ".", ".." components, no double slash, absolute: what path_real() and our own rows yield.
 */
static bool clean_path(const char *s)
{
	if (!s || s[0] != '/')
		return false;
	if (s[1] == '\0')
		return true;
	for (const char *p = s; *p;) {
		const char *c = ++p; /* behind the slash */
		p += strcspn(p, "/");
		size_t n = (size_t)(p - c);
		if (n == 0 || (n == 1 && c[0] == '.') || (n == 2 && c[0] == '.' && c[1] == '.'))
			return false;
	}
	return true;
}

static bool is_bind(const struct mount_op *m)
{
	return m->kind == MOUNT_BIND || m->kind == MOUNT_OVERLAY;
}

/* The rows of an overlay are of one piece: LOWER ..., OVERLAY, all on one place. */
static bool lower_fits(const struct plan *p, size_t i)
{
	const struct mount_op *next = i + 1 < p->n_mounts ? &p->mounts[i + 1] : NULL;
	return next && (next->kind == MOUNT_LOWER || next->kind == MOUNT_OVERLAY) &&
		streq(next->dst, p->mounts[i].dst);
}

/* "upper", newline, "work": neither may hold a newline of its own. */
static bool overlay_fits(const struct mount_op *m)
{
	const char *end = m->data ? strchr(m->data, '\n') : NULL;
	return end && !strchr(end + 1, '\n') && m->data[0] == '/' && clean_path(end + 1);
}

/* What lies on path before row i covers everything is brought on top of that again. */
static bool is_carried(const struct plan *p, size_t i, const char *path)
{
	for (size_t k = i + 1; k < p->n_mounts; k++)
		if (p->mounts[k].kind == MOUNT_CARRY && path_within(path, p->mounts[k].dst))
			return true;
	return false;
}

static bool has_root_before(const struct plan *p, size_t i)
{
	while (i-- > 0)
		if (p->mounts[i].kind == MOUNT_OVERLAY && streq(p->mounts[i].dst, "/"))
			return true;
	return false;
}

static int check_mount(const struct plan *p, size_t i, struct err *err)
{
	const struct mount_op *m = &p->mounts[i];
	char shown[256];
	escape_text(shown, sizeof(shown), m->dst ? m->dst : "(none)");
	if (!clean_path(m->dst))
		return err_set(err, EINVAL, "plan: mount point %s is not a resolved path", shown);
	if ((is_bind(m) || m->kind == MOUNT_DEV || m->kind == MOUNT_LOWER) && !clean_path(m->src))
		return err_set(err, EINVAL, "plan: the source of %s is not a resolved path", shown);
	if (m->kind == MOUNT_LOWER && !lower_fits(p, i))
		return err_set(err, EINVAL, "plan: a layer of %s belongs to no overlay", shown);
	if (m->kind == MOUNT_OVERLAY && !overlay_fits(m)) {
		err_hint(err, "set XDG_DATA_HOME to a directory whose name has no newline");
		return err_set(err, EINVAL, "plan: %s has no writable layer", shown);
	}
	if (m->kind == MOUNT_BIND && streq(m->src, "/"))
		return err_set(
			err, EINVAL, "plan: the host's root may not be bound (on %s)", shown);
	if (m->kind == MOUNT_CARRY && !has_root_before(p, i))
		return err_set(err, EINVAL, "plan: there is no root to bring %s into", shown);
	/* Whatever covers part of a bind has to come behind it, or it would be covered itself. */
	if (is_bind(m) && (m->kind == MOUNT_OVERLAY || !(m->flags & MOUNT_OPTIONAL))) {
		for (size_t k = 0; k < i; k++) {
			const struct mount_op *b = &p->mounts[k];
			bool covers = b->kind == MOUNT_MASK || b->kind == MOUNT_PIN ||
				b->kind == MOUNT_LINK;
			if (covers && path_within(b->dst, m->dst) &&
				!(streq(m->dst, "/") && is_carried(p, i, b->dst)))
				return err_set(err, EINVAL,
					"plan: the bind of %s would cover an earlier guard", shown);
		}
	}
	return 0;
}

int plan_check(const struct plan *p, struct err *err)
{
	int r = arena_check(&p->arena, err);
	if (r < 0)
		return r;
	if ((p->uid == 0 || p->gid == 0 || p->inside_uid == 0 || p->inside_gid == 0) &&
		!GUARD_REMOVED("root-identity"))
		return err_set(err, EINVAL, "plan: no plan may map uid or gid 0 of the host");
	/* a name without a slash is looked for inside, by PATH */
	if (!p->argv.n || !p->exe || !*p->exe || (p->exe[0] != '/' && strchr(p->exe, '/')))
		return err_set(err, EINVAL, "plan: there is no command to run");
	if (!clean_path(p->cwd) || !clean_path(p->home))
		return err_set(err, EINVAL, "plan: cwd and home must be resolved paths");
	if (p->workspace && (!clean_path(p->workspace) || streq(p->workspace, "/")))
		return err_set(err, EINVAL, "plan: the workspace is not a resolved path");
	if (p->workspace && p->state_dir &&
		(path_within(p->state_dir, p->workspace) ||
			path_within(p->workspace, p->state_dir)))
		return err_set(err, EINVAL,
			"plan: bawn's state lies in the workspace, or it in the state");
	for (size_t i = 0; i < p->n_mounts; i++) {
		r = check_mount(p, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void plan_free(struct plan *p)
{
	struct arena a = p->arena;
	arena_free(&a);
	*p = (struct plan){0};
}
