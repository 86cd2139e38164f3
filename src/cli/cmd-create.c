/* cli/cmd-create.c - bawn create: make a sandbox without starting it.  Its options are run's.
 */
#include "base/escape.h"
#include "cli/command.h"
#include "cli/clone.h"
#include "cli/lasting.h"

static void help(void)
{
	printf("Usage: bawn create [OPTIONS] PROFILE [OPTIONS] [PATH[:ro]...]\n\n"
	       "Create a sandbox that lasts, on the current directory or on PATH, and print its\n"
	       "name.  bawn run NAME starts it.\n\nOptions, as for bawn run:\n");
	options_help(run_option_rows, stdout);
	printf("\nExamples:\n"
	       "  bawn create claude\n"
	       "  bawn create --name work --allow example.com codex .\n");
}

/* What only a start can take. */
static int refuse_others(const struct run_options *o, struct err *err)
{
	const struct {
		bool given;
		const char *what;
	} rows[] = {{o->args.n > 0, "ARGS"}, {o->env.n > 0, "--env"}, {o->detach, "--detach"},
		{o->rm, "--rm"}, {o->dry_run, "--dry-run"}, {o->timing, "--timing"},
		{o->keys, "--detach-keys"}, {o->audit, "--audit"}, {o->no_yolo, "--no-yolo"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given) {
			err_hint(err, "give it to bawn run");
			return err_set(err, EINVAL, "bawn create does not take %s", rows[i].what);
		}
	return 0;
}

static int create(struct run *r, struct err *err)
{
	bool fresh = false;
	int k = refuse_others(&r->opt, err);
	if (k == 0)
		k = run_refuse_nested(err);
	if (k == 0 && !r->opt.profile) {
		err_hint(err, "bawn create --name %s claude .", r->opt.name);
		k = err_set(err, EINVAL, "which profile?");
	}
	if (k == 0)
		k = run_begin(r, err);
	if (k == 0)
		k = lasting_find(r, &fresh, err);
	if (k == 0 && !fresh) {
		err_hint(err, "bawn run %s enters it; --name gives another one a name",
			r->spec.name);
		k = err_set(err, EEXIST, "there is a sandbox %s already", r->spec.name);
	}
	if (k == 0)
		k = run_policy(r, err);
	if (k == 0)
		k = store_sandbox_create(&r->store, &r->arena, &r->spec, &r->box, err);
	if (k == 0) {
		r->fresh = true; /* goes again where it can't be cloned */
		k = clone_ready(r, err);
	}
	if (k == 0)
		r->fresh = false;
	return k;
}

int cmd_create(int argc, char **argv)
{
	struct err err = {0};
	struct run r;
	run_init(&r, argc, argv);
	if (run_options_parse(&r, argc, argv, &err) < 0)
		return run_finish(&r, 125, &err);
	if (r.opt.help) {
		help();
		return run_release(&r, 0);
	}
	run_hold_signals();
	if (create(&r, &err) < 0)
		return run_finish(&r, 125, &err);
	puts(r.spec.name);
	return run_release(&r, 0);
}
