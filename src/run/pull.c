/* run/pull.c - see pull.h */
#include "run/pull.h"

#include "base/escape.h"
#include "base/path.h"
#include "base/proc.h"
#include "run/signals.h"
#include "store/templates.h"

extern char **environ;

int run_pull_parse(const char *text, enum run_pull *ret, struct err *err)
{
	static const char *const names[] = {[RUN_PULL_MISSING] = "missing",
		[RUN_PULL_ALWAYS] = "always",
		[RUN_PULL_NEVER] = "never"};
	char shown[64];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (streq(text, names[i])) {
			*ret = (enum run_pull)i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "--pull is always, missing or never, not '%s'",
		escape_text(shown, sizeof(shown), text));
}

/* 1: it is there; 0: it is not. */
static int is_there(struct run *r, const char *ref, struct err *err)
{
	struct templates store = TEMPLATES_NONE;
	struct template t;
	struct err none = {0};
	int k = templates_open(&r->arena, r->store.xdg.data, &store, err);
	if (k < 0)
		return k;
	k = template_resolve(&store, &r->arena, ref, &t, &none);
	templates_close(&store);
	if (k < 0 && k != -ENOENT && err)
		*err = none;
	return k == -ENOENT ? 0 : k < 0 ? k : 1;
}

/* The Dockerfile that is shipped under this name, if ref is such a name and no more; NULL. */
static char *recipe_for(struct run *r, const struct ref *ref)
{
	static const char prefix[] = "library/";
	char *path = NULL;
	if (streq(ref->host, REF_HOST) && has_prefix(ref->path, prefix) && !ref->digest &&
		streq(ref->tag, "latest"))
		path = arena_printf(&r->arena, "%s/profiles/%s.Dockerfile", r->install.data,
			ref->path + strlen(prefix));
	return path && access(path, R_OK) == 0 ? path : NULL;
}

/* Have a helper do it; it says all itself, on stderr: stdout is for what was asked for. */
static int have_done(struct run *r, const char *helper, char **argv, struct err *err)
{
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO};
	struct proc p;
	int status = 0, k = run_helper_start(r, helper, argv, environ, fds, &p, err);
	if (k < 0)
		return k;
	signals_await_child(p.pidfd);
	k = proc_wait(&p, &status);
	return k == 0 && status ? err_set(err, ECANCELED, "%s", "") : k;
}

static int build(struct run *r, char *name, char *recipe, struct err *err)
{
	char helper[] = "bawn-build", verb[] = "build", tag[] = "-t", file[] = "-f";
	char *argv[] = {helper, verb, tag, name, file, recipe,
		path_join(&r->arena, r->install.data, "profiles"), NULL};
	return have_done(r, helper, argv, err);
}

/* What is there to do for the tool that is to run where its image can't be had. */
static void say_recipe(struct run *r)
{
	const char *tool = r->opt.profile;
	char *path = tool && !strchr(tool, '/')
		? arena_printf(&r->arena, "%s/profiles/%s.Dockerfile", r->install.data, tool)
		: NULL;
	if (!path || access(path, R_OK) < 0)
		return;
	run_message(r,
		"there is a recipe for %s, which takes no image of a registry: %s--template %s",
		tool,
		is_there(r, "debian", NULL) > 0 ? "" : "bawn template bootstrap debian, then ",
		tool);
}

int run_pull(struct run *r, const char *ref, enum run_pull when, struct err *err)
{
	struct ref parsed;
	if (!ref || streq(ref, "host") || has_prefix(ref, "sha256:") || when == RUN_PULL_NEVER)
		return 0;
	int k = when == RUN_PULL_MISSING ? is_there(r, ref, err) : 0;
	if (k == 0)
		k = ref_parse(&r->arena, ref, &parsed, err) < 0 ? -EINVAL : 0;
	else
		return MIN(k, 0);
	char *recipe = k == 0 && when == RUN_PULL_MISSING ? recipe_for(r, &parsed) : NULL;
	if (recipe)
		return build(r, arena_dup(&r->arena, ref), recipe, err);
	char helper[] = "bawn-template", command[] = "template", verb[] = "pull", end[] = "--";
	char *argv[] = {helper, command, verb, end, arena_dup(&r->arena, ref), NULL};
	if (k == 0) {
		k = have_done(r, helper, argv, err);
		if (k < 0)
			say_recipe(r);
	}
	return k;
}
