/* run/run-plan-env.c - the command of a plan: its program, and its environment; see run.h.
 *
 * Must not: choose which of the host's variables come along; run_environment() has (run-facts.c).
 */
#include "run/image.h"

#include <unistd.h>

#include "base/escape.h"
#include "base/path.h"

/* ${WORKSPACE}, ${HOME} and ${SANDBOX} in a value of the profile. */
static char *expand(struct run *r, const char *s)
{
	const struct {
		const char *name, *value;
	} vars[] = {{"${WORKSPACE}", run_place(r)}, {"${HOME}", r->inside.home},
		{"${SANDBOX}", r->box.id}};
	char *out = arena_dup(&r->plan.arena, s);
	for (size_t i = 0; i < ARRAY_LEN(vars) && out; i++) {
		char *at = strstr(out, vars[i].name);
		if (at)
			out = arena_printf(&r->plan.arena, "%.*s%s%s", (int)(at - out), out,
				vars[i].value, at + strlen(vars[i].name));
	}
	return out;
}

static void put_env(struct run *r, const char *assignment)
{
	size_t n = strcspn(assignment, "=");
	char *name = arena_dupn(&r->plan.arena, assignment, n);
	if (name && assignment[n])
		strv_env_set(&r->plan.arena, &r->plan.env, name, assignment + n + 1);
}

static void put_env_list(struct run *r, const struct strv *v)
{
	for (size_t i = 0; i < v->n; i++)
		put_env(r, v->v[i]);
}

char *run_path(struct run *r)
{
	struct arena *a = &r->arena;
	const struct strv *dirs = &r->tools.path;
	if (r->image)
		return arena_printf(a, "%s:" RUN_WHY_DIR, run_image_path(r));
	char *s = arena_dup(a, dirs->n ? dirs->v[0] : "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 1; i < dirs->n; i++)
		s = arena_printf(a, "%s:%s", s, dirs->v[i]);
	return s ? arena_printf(a, "%s:" RUN_WHY_DIR, s) : NULL;
}

/* What some tools have to be told, as they don't find out; all else that says so goes before it. */
static void tell_tools(struct run *r)
{
	struct plan *p = &r->plan;
	/* LeakSanitizer, a part of AddressSanitizer, stops the program that it is in by ptrace.
	 * Where that is refused, every such program fails at its end, leaks or not. */
	if (!streq(r->pack.profile.syscalls, "debug"))
		strv_env_set(&p->arena, &p->env, "LSAN_OPTIONS", "detect_leaks=0");
	/* fakeroot(1) tries a chown before it pretends one, and takes no answer but EPERM for a
	 * refusal: of a user that is not mapped the kernel says EINVAL. */
	strv_env_set(&p->arena, &p->env, "FAKEROOTDONTTRYCHOWN", "1");
	/* npm asks the registry once a week for a newer npm, and notes in ~/.npm that it has: in a
	 * fresh home that is each time, before npx starts, and the host's npm can't be changed. */
	strv_env_set(&p->arena, &p->env, "NPM_CONFIG_UPDATE_NOTIFIER", "false");
}

void run_plan_env(struct run *r)
{
	struct plan *p = &r->plan;
	tell_tools(r);
	if (r->image)
		run_image_env(r);
	else
		put_env_list(r, &r->env.env);
	put_env_list(r, &r->tools.env);
	run_ca_env(r);
	strv_env_set(&p->arena, &p->env, "PATH", run_path(r));
	const char *user = r->as_root ? "root" : r->inside.user;
	strv_env_set(&p->arena, &p->env, "HOME", r->as_root ? "/root" : r->inside.home);
	strv_env_set(&p->arena, &p->env, "USER", user);
	strv_env_set(&p->arena, &p->env, "LOGNAME", user);
	strv_env_set(&p->arena, &p->env, "SHELL", r->inside.shell);
	strv_env_set(&p->arena, &p->env, "PWD", p->cwd);
	strv_env_set(&p->arena, &p->env, "BAWN_SANDBOX", r->box.id);
	for (size_t i = 0; i < r->pack.profile.env_set.n; i++)
		put_env(r, expand(r, r->pack.profile.env_set.v[i]));
	put_env_list(r, &r->seed_env);
	put_env_list(r, &r->opt.env);
}

/* The program's path inside: as found on the host, as both see the same paths. */
int run_plan_exe(struct run *r, struct err *err)
{
	struct plan *p = &r->plan;
	if (r->command.n) { /* looked for inside: its home is not ours */
		const char *word = p->argv.v[0];
		p->exe = word[0] != '/' && strchr(word, '/') ? path_join(&p->arena, p->cwd, word)
							     : word;
		return p->exe ? 0 : err_set(err, ENOMEM, "out of memory");
	}
	if (r->image)
		return run_image_exe(r, err);
	if (r->step) { /* a place inside, whatever is there out here */
		p->exe = p->argv.v[0];
		return 0;
	}
	if (r->agent.exe && !(r->pack.profile.args_replace && r->opt.args.n)) {
		p->exe = r->agent.exe;
		p->argv.v[0] = arena_dup(&p->arena, r->agent.exe);
		return 0;
	}
	const char *name = p->argv.v[0];
	if (!*name) {
		r->unfit = 127;
		err_hint(err, "a variable may be unset: behind -- stands a command");
		return err_set(err, ENOENT, "the command's name is empty");
	}
	if (strchr(name, '/')) {
		char *full = name[0] == '/' ? arena_dup(&p->arena, name)
					    : path_join(&p->arena, p->cwd, name);
		p->exe = path_real(&p->arena, full);
		if (p->exe)
			return 0;
		int e = errno;
		r->unfit = e == EACCES ? 126 : 127;
		return err_sys(err, e, "execute %s", name);
	}
	for (size_t i = 0; i < r->tools.path.n; i++) {
		char *full = path_join(&p->arena, r->tools.path.v[i], name);
		if (full && access(full, X_OK) == 0) {
			p->exe = full;
			return 0;
		}
	}
	if (streq(name, "bawn-why")) { /* there inside alone */
		p->exe = RUN_WHY_DIR "/bawn-why";
		return 0;
	}
	char shown[256];
	r->unfit = 127;
	return err_set(
		err, ENOENT, "%s: command not found", escape_text(shown, sizeof(shown), name));
}
