/* run/run-audit.c - the plan in the audit log; see run.h.
 *
 * Written once the agent runs, so that no start waits for it.  Each list is cut: the log's rate cap
 * must stay for what the agent does in its first second.
 */
#include "run/run.h"

enum { LIST_MAX = 200 };

static void put_path(struct run *r, const char *event, const char *path, const char *reason)
{
	const struct audit_field f[] = {
		{.key = "path", .str = path}, {.key = "reason", .str = reason ? reason : ""}};
	run_audit(r, event, f, ARRAY_LEN(f));
}

/* What the kernel's own files are masked with has no reason given, and is the same in each run. */
static const char *mount_event(const struct mount_op *m)
{
	if (!m->why)
		return NULL;
	if (m->kind == MOUNT_MASK)
		return "mask";
	return (m->kind == MOUNT_PIN && (m->flags & MOUNT_RO)) || m->kind == MOUNT_LINK ? "protect"
											: NULL;
}

static void put_mounts(struct run *r, const char *event, const char *cut)
{
	size_t n = 0;
	for (size_t i = 0; i < r->plan.n_mounts; i++) {
		const struct mount_op *m = &r->plan.mounts[i];
		const char *e = mount_event(m);
		if (e && streq(e, event) && n++ < LIST_MAX)
			put_path(r, event, m->dst, m->why);
	}
	if (n > LIST_MAX) {
		const struct audit_field f[] = {{.key = "what", .str = cut},
			{.key = "count", .num = (int64_t)(n - LIST_MAX)}};
		run_audit(r, "limit", f, ARRAY_LEN(f));
	}
}

static void put_withheld(struct run *r, const char *kind, const char *name)
{
	const struct audit_field f[] = {{.key = "kind", .str = kind}, {.key = "name", .str = name}};
	run_audit(r, "withheld", f, ARRAY_LEN(f));
}

static void put_env(struct run *r)
{
	const struct strv *v = &r->plan.withheld;
	char *s = v->n ? arena_dup(&r->arena, v->v[0]) : NULL;
	for (size_t i = 1; s && i < v->n; i++)
		s = arena_printf(&r->arena, "%s, %s", s, v->v[i]);
	if (s)
		put_withheld(r, "env", s);
}

static void put_limits(struct run *r)
{
	for (size_t i = 0; i < r->scan.n; i++) {
		const struct scan_item *it = &r->scan.v[i];
		if (it->kind != SCAN_LIMIT)
			continue;
		const struct audit_field f[] = {
			{.key = "what", .str = "not looked at"}, {.key = "path", .str = it->path}};
		run_audit(r, "limit", f, ARRAY_LEN(f));
	}
}

void run_audit_plan(struct run *r)
{
	const struct audit_field ready[] = {
		{.key = "ms", .num = (int64_t)((run_now() - r->t_begin) / 1000000)}};
	run_audit(r, "ready", ready, ARRAY_LEN(ready));
	if (r->login) {
		const struct audit_field f[] = {{.key = "agent", .str = r->pack.profile.name},
			{.key = "state", .str = r->login}};
		run_audit(r, "login", f, ARRAY_LEN(f));
	}
	put_env(r);
	for (size_t i = 0; i < MIN(r->seed_withheld.n, (size_t)LIST_MAX); i++)
		put_withheld(r, "settings", r->seed_withheld.v[i]);
	for (size_t i = 0; i < MIN(r->seed_left.n, (size_t)LIST_MAX); i++)
		put_withheld(r, "settings", r->seed_left.v[i]);
	put_mounts(r, "mask", "masked paths in this log");
	put_mounts(r, "protect", "protected paths in this log");
	put_limits(r);
}
