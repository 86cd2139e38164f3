/* plan/plan-print.c - the plan as a person or a program audits it (--dry-run); see plan.h.
 *
 * Values of environment variables are never shown: they may be keys.
 */
#include "base/escape.h"
#include "plan/plan.h"

static const char *const kind_names[MOUNT_KINDS] = {
	[MOUNT_DIR] = "dir",
	[MOUNT_FILE] = "file",
	[MOUNT_TEXT] = "text",
	[MOUNT_SYMLINK] = "symlink",
	[MOUNT_TMPFS] = "tmpfs",
	[MOUNT_BIND] = "bind",
	[MOUNT_PIN] = "pin",
	[MOUNT_MASK] = "mask",
	[MOUNT_LINK] = "link",
	[MOUNT_LOWER] = "layer",
	[MOUNT_OVERLAY] = "overlay",
	[MOUNT_PROC] = "proc",
	[MOUNT_DEVPTS] = "devpts",
	[MOUNT_MQUEUE] = "mqueue",
	[MOUNT_DEV] = "device",
	[MOUNT_SCRATCH] = "scratch",
	[MOUNT_SEAL] = "seal",
	[MOUNT_CARRY] = "carry",
};

/* Kinds for which "ro" or "rw" says something. */
static bool is_writable_kind(uint32_t kind)
{
	return kind == MOUNT_TMPFS || kind == MOUNT_BIND || kind == MOUNT_PIN ||
		kind == MOUNT_OVERLAY || kind == MOUNT_SCRATCH;
}

static const char *esc(char *buf, size_t n, const char *s)
{
	return escape_text(buf, n, s ? s : "");
}

static void print_list(FILE *to, const char *title, const struct strv *v)
{
	char b[1024];
	if (!v->n)
		return;
	fprintf(to, "%s\n", title);
	for (size_t i = 0; i < v->n; i++)
		fprintf(to, "  %s\n", esc(b, sizeof(b), v->v[i]));
}

static void print_env(FILE *to, const struct strv *env)
{
	fprintf(to, "environment (values not shown)\n ");
	for (size_t i = 0; i < env->n; i++)
		fprintf(to, " %.*s", (int)strcspn(env->v[i], "="), env->v[i]);
	fprintf(to, "\n");
}

static void print_mounts(const struct plan *p, FILE *to)
{
	char a[1024], b[1024];
	fprintf(to, "mounts, in order\n");
	for (size_t i = 0; i < p->n_mounts; i++) {
		const struct mount_op *m = &p->mounts[i];
		if (m->kind == MOUNT_DIR || m->kind == MOUNT_FILE)
			continue;
		bool rw_kind = is_writable_kind(m->kind);
		fprintf(to, "  %-8s %-3s %s", kind_names[m->kind],
			!rw_kind                      ? ""
				: m->flags & MOUNT_RO ? "ro"
						      : "rw",
			esc(a, sizeof(a), m->dst));
		if (m->src && !streq(m->src, m->dst))
			fprintf(to, " <- %s", esc(b, sizeof(b), m->src));
		if (m->kind == MOUNT_SYMLINK || m->kind == MOUNT_LINK)
			fprintf(to, " -> %s", esc(b, sizeof(b), m->data));
		fprintf(to, "%s%s%s\n", m->why ? "   (" : "", m->why ? m->why : "",
			m->why ? ")" : "");
	}
}

void plan_print(const struct plan *p, FILE *to)
{
	char b[4096];
	fprintf(to, "sandbox    %s\n", esc(b, sizeof(b), p->id));
	fprintf(to, "identity   %s, uid %u, gid %u, home %s\n", p->user, p->inside_uid,
		p->inside_gid, p->home);
	if (p->digest)
		fprintf(to, "template   %s (%s)\n", esc(b, sizeof(b), p->template), p->digest);
	if (p->sudo || p->as_root)
		fprintf(to, "root       by emulation, %s\n",
			p->as_root ? "the command" : "for what asks by sudo");
	fprintf(to, "workspace  %s\n", p->workspace ? esc(b, sizeof(b), p->workspace) : "none");
	fprintf(to, "cwd        %s\n", esc(b, sizeof(b), p->cwd));
	fprintf(to, "command   ");
	for (size_t i = 0; i < p->argv.n; i++)
		fprintf(to, " %s", escape_shell(b, sizeof(b), p->argv.v[i]));
	fprintf(to, "\nprogram    %s\n", esc(b, sizeof(b), p->exe));
	fprintf(to, "network    %s\n", p->offline ? "offline" : "by the egress policy");
	for (size_t i = 0; i < p->n_host_ports; i++)
		fprintf(to, "host port  127.0.0.1:%u\n", p->host_ports[i]);
	if (p->pids)
		fprintf(to, "processes  at most %llu\n", (unsigned long long)p->pids);
	if (p->user_namespaces)
		fprintf(to, "nested     at most %u user namespaces\n", p->user_namespaces);
	if (p->memory)
		fprintf(to, "memory     at most %llu bytes\n", (unsigned long long)p->memory);
	if (p->cpus)
		fprintf(to, "processors the time of %llu.%03llu\n",
			(unsigned long long)p->cpus / 1000, (unsigned long long)p->cpus % 1000);
	fprintf(to, "state      %s%s\n", esc(b, sizeof(b), p->state_dir),
		p->ephemeral ? " (removed at the end)" : "");
	print_mounts(p, to);
	fprintf(to, "writable, by Landlock%s\n", p->landlock ? "" : " (degraded: not enforced)");
	for (size_t i = 0; i < p->n_land; i++)
		if (p->land[i].write)
			fprintf(to, "  %s\n", esc(b, sizeof(b), p->land[i].path));
	print_env(to, &p->env);
	print_list(to, "credentials", &p->credentials);
	print_list(to, "egress rules; deny wins, the rest is refused", &p->rules);
	print_list(to, "not passed from your environment", &p->withheld);
	print_list(to, "degraded", &p->degraded);
	print_list(to, "notices", &p->notices);
}

static void json_list(struct json_out *j, const char *key, const struct strv *v)
{
	json_begin(j, key, '[');
	for (size_t i = 0; i < v->n; i++)
		json_str(j, NULL, v->v[i]);
	json_end(j, ']');
}

static void json_mounts(const struct plan *p, struct json_out *j)
{
	json_begin(j, "mounts", '[');
	for (size_t i = 0; i < p->n_mounts; i++) {
		const struct mount_op *m = &p->mounts[i];
		json_begin(j, NULL, '{');
		json_str(j, "kind", kind_names[m->kind]);
		json_str(j, "destination", m->dst);
		if (m->src)
			json_str(j, "source", m->src);
		if (m->kind == MOUNT_SYMLINK || m->kind == MOUNT_LINK || m->kind == MOUNT_TMPFS)
			json_str(j, "data", m->data);
		json_bool(j, "read_only", m->flags & MOUNT_RO);
		if (m->why)
			json_str(j, "why", m->why);
		json_end(j, '}');
	}
	json_end(j, ']');
}

void plan_json(const struct plan *p, struct json_out *j)
{
	json_begin(j, NULL, '{');
	json_str(j, "sandbox", p->id);
	json_str(j, "user", p->user);
	json_int(j, "uid", p->inside_uid);
	json_int(j, "gid", p->inside_gid);
	json_str(j, "template", p->template);
	json_str(j, "digest", p->digest);
	json_str(j, "home", p->home);
	json_str(j, "workspace", p->workspace);
	json_str(j, "cwd", p->cwd);
	json_str(j, "program", p->exe);
	json_list(j, "argv", &p->argv);
	json_bool(j, "offline", p->offline);
	json_bool(j, "sudo", p->sudo);
	json_bool(j, "as_root", p->as_root);
	json_int(j, "user_namespaces", p->user_namespaces);
	json_int(j, "pids", (int64_t)p->pids);
	json_int(j, "memory", (int64_t)p->memory);
	json_int(j, "cpus_milli", (int64_t)p->cpus);
	json_str(j, "state", p->state_dir);
	json_bool(j, "ephemeral", p->ephemeral);
	json_begin(j, "host_ports", '[');
	for (size_t i = 0; i < p->n_host_ports; i++)
		json_int(j, NULL, p->host_ports[i]);
	json_end(j, ']');
	json_mounts(p, j);
	json_begin(j, "writable", '[');
	for (size_t i = 0; i < p->n_land; i++)
		if (p->land[i].write)
			json_str(j, NULL, p->land[i].path);
	json_end(j, ']');
	json_begin(j, "environment", '[');
	for (size_t i = 0; i < p->env.n; i++) {
		char name[256];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p->env.v[i], "="), p->env.v[i]);
		json_str(j, NULL, name);
	}
	json_end(j, ']');
	json_list(j, "credentials", &p->credentials);
	json_list(j, "rules", &p->rules);
	json_list(j, "withheld", &p->withheld);
	json_list(j, "degraded", &p->degraded);
	json_list(j, "notices", &p->notices);
	json_end(j, '}');
}
