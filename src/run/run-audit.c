/* run/run-audit.c - the plan in the audit log; see run.h.
 *
 * Written once the agent runs, so that no start waits for it.  Each list is cut: the log's rate cap
 * must stay for what the agent does in its first second.
 */
#include <inttypes.h>

#include "policy/egress-table.h"
#include "run/credential.h"
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

void run_audit_limits(struct run *r, const struct scan_result *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct scan_item *it = &s->v[i];
		if (it->kind != SCAN_LIMIT)
			continue;
		const struct audit_field f[] = {
			{.key = "what", .str = "not looked at"}, {.key = "path", .str = it->path}};
		run_audit(r, "limit", f, ARRAY_LEN(f));
	}
}

/* ---- limits and rules in force ---- */

static void put_setting(struct run *r, const char *what, const char *value)
{
	const struct audit_field f[] = {
		{.key = "what", .str = what}, {.key = "value", .str = value}};
	if (value)
		run_audit(r, "setting", f, ARRAY_LEN(f));
}

static void put_list(struct run *r, const char *what, const struct strv *v)
{
	for (size_t i = 0; i < MIN(v->n, (size_t)LIST_MAX); i++)
		put_setting(r, what, v->v[i]);
	if (v->n > LIST_MAX)
		put_setting(r, what, arena_printf(&r->arena, "and %zu more", v->n - LIST_MAX));
}

/* The policies in the order in which they count, by name or path. */
static void put_policies(struct run *r)
{
	const struct strv *v = r->opt.policy.n ? &r->opt.policy : &r->pack.profile.policies;
	char *s = v->n ? arena_dup(&r->arena, v->v[0]) : NULL;
	for (size_t i = 1; s && i < v->n; i++)
		s = arena_printf(&r->arena, "%s, %s", s, v->v[i]);
	put_setting(r, "policy", s);
}

static const char *host_text(struct run *r, const struct credential_host *h)
{
	static const char *const before[] = {
		[EGRESS_EXACT] = "", [EGRESS_ONE] = "*.", [EGRESS_ANY] = "**."};
	return arena_printf(&r->arena, "%s%s:%" PRIu16,
		h->kind < ARRAY_LEN(before) ? before[h->kind] : "", h->name, h->port);
}

static void put_credentials(struct run *r)
{
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct credential *c = r->credentials[i].c;
		char *s = arena_printf(&r->arena, "%s for", c->secret);
		if (!r->credentials[i].active)
			continue;
		for (size_t k = 0; s && k < c->n_hosts; k++) {
			const char *host = host_text(r, &c->hosts[k]);
			s = host ? arena_printf(&r->arena, "%s %s", s, host) : NULL;
		}
		put_setting(r, "credential", s);
	}
}

static void put_number(struct run *r, const char *what, const char *unit, uint64_t n)
{
	if (n)
		put_setting(r, what, arena_printf(&r->arena, "%" PRIu64 "%s", n, unit));
}

/* "4 GiB" where it is that, exactly. */
static void put_bytes(struct run *r, const char *what, uint64_t n)
{
	static const char *const unit[] = {"", " KiB", " MiB", " GiB", " TiB"};
	size_t u = 0;
	for (; n && n % 1024 == 0 && u + 1 < ARRAY_LEN(unit); u++)
		n /= 1024;
	put_number(r, what, u ? unit[u] : " bytes", n);
}

static void put_settings(struct run *r)
{
	const struct run_options *o = &r->opt;
	put_policies(r);
	if (o->offline)
		put_setting(r, "network", "none (--offline)");
	else if (o->ask)
		put_setting(r, "network",
			arena_printf(&r->arena,
				"what no rule allows waits %" PRIu64 " s for a person", o->ask));
	else
		put_setting(r, "network", "what no rule allows is denied");
	put_list(r, "allow", &o->allow);
	put_list(r, "deny", &o->deny);
	put_list(r, "allow-private", &o->allow_private);
	put_credentials(r);
	put_list(r, "host-port", &o->host_port_texts);
	put_list(r, "expose-key", &o->expose_key);
	put_setting(r, "workspace", o->mode ? o->mode : "direct");
	if (o->memory && !r->no_memory)
		put_bytes(r, "memory", o->memory);
	if (o->cpus && !r->no_cpus)
		put_setting(r, "cpus",
			arena_printf(&r->arena, "%" PRIu64 ".%03" PRIu64, o->cpus / 1000,
				o->cpus % 1000));
	put_number(r, "pids", "", o->pids);
	put_number(r, "time", " ms", o->timeout_ms);
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
	put_settings(r);
	put_env(r);
	for (size_t i = 0; i < MIN(r->seed_withheld.n, (size_t)LIST_MAX); i++)
		put_withheld(r, "settings", r->seed_withheld.v[i]);
	for (size_t i = 0; i < MIN(r->seed_left.n, (size_t)LIST_MAX); i++)
		put_withheld(r, "settings", r->seed_left.v[i]);
	put_mounts(r, "mask", "masked paths in this log");
	put_mounts(r, "protect", "protected paths in this log");
	run_audit_limits(r, &r->scan);
}
