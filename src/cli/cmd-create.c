/* cli/cmd-create.c - bawn create: make a sandbox without starting it.  Its options are run's.
 */
#include "base/escape.h"
#include "cli/command.h"
#include "run/clone.h"
#include "run/lasting.h"
#include "run/signals.h"

/* What only a start can take. */
static const char *const not_taken[] = {"rm", "detach", "detach-keys", "env", "env-file", "no-yolo",
	"dry-run", "json", "timing", "audit", "timeout", "result"};

/* The rest of run's table; *ret ends with an empty row. */
static void taken(struct option_row ret[OPTIONS_MAX + 1])
{
	size_t n = 0;
	for (const struct option_row *o = run_option_rows; o->name; o++) {
		bool no = false;
		for (size_t i = 0; i < ARRAY_LEN(not_taken); i++)
			no |= streq(o->name, not_taken[i]);
		if (!no)
			ret[n++] = *o;
	}
	ret[n] = (struct option_row){0};
}

static void help(const struct option_row *rows)
{
	printf("Usage: bawn create [OPTIONS] PROFILE [OPTIONS] [PATH[:ro]...]\n\n"
	       "Create a sandbox that lasts, on the current directory or on PATH, and print its\n"
	       "name.  bawn run NAME starts it.\n\nOptions, as for bawn run:\n");
	options_help(rows, stdout);
	printf("\nExamples:\n"
	       "  bawn create claude\n"
	       "  bawn create --name work --allow example.com codex .\n");
}

static int refuse_others(const struct run_options *o, struct err *err)
{
	const struct {
		bool given;
		const char *what;
	} rows[] = {{o->args.n > 0, "ARGS"}, {o->env.n > 0, "--env"}, {o->detach, "--detach"},
		{o->rm, "--rm"}, {o->dry_run, "--dry-run"}, {o->timing, "--timing"},
		{o->keys, "--detach-keys"}, {o->audit, "--audit"}, {o->result, "--result"},
		{o->timeout_ms > 0, "--timeout"}, {o->no_yolo, "--no-yolo"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given) {
			err_hint(err, "give it to bawn run");
			return err_set(err, EINVAL, "bawn create does not take %s", rows[i].what);
		}
	return 0;
}

static int create(struct run *r, struct err *err)
{
	int k = refuse_others(&r->opt, err);
	if (k == 0)
		k = run_refuse_nested(err);
	if (k == 0 && !r->opt.profile) {
		err_hint(err, "bawn create --name %s claude .", r->opt.name);
		k = err_set(err, EINVAL, "which profile?");
	}
	if (k == 0)
		k = run_begin(r, err);
	if (k == 0 && r->opt.profile && !lasting_is_profile(r, r->opt.profile)) {
		char shown[128];
		err_hint(err, "bawn profile ls lists the profiles");
		k = err_set(err, ENOENT, "there is no profile '%s'",
			escape_text(shown, sizeof(shown), r->opt.profile));
	}
	if (k == 0)
		k = lasting_find(r, &r->fresh, err);
	if (k == 0 && r->fresh)
		k = run_policy(r, err);
	if (k == 0 && r->fresh)
		k = lasting_create(r, err);
	if (k == 0 && !r->fresh) {
		err_hint(err, "bawn run %s enters it; --name gives another one a name",
			r->spec.name);
		k = err_set(err, EEXIST, "there is a sandbox %s already", r->spec.name);
	}
	if (k == 0) /* fresh: it goes again where it can't be cloned */
		k = clone_ready(r, err);
	if (k == 0)
		r->fresh = false;
	return k;
}

int cmd_create(int argc, char **argv)
{
	struct err err = {0};
	struct run r;
	struct option_row rows[OPTIONS_MAX + 1];
	taken(rows);
	if (argc == 2 && streq(argv[1], OPTIONS_WORD)) {
		options_print(rows);
		return 0;
	}
	run_init(&r, argc, argv);
	if (run_options_parse(&r, argc, argv, &err) < 0)
		return run_finish(&r, 125, &err);
	if (r.opt.help) {
		help(rows);
		return run_release(&r, 0);
	}
	signals_hold();
	if (create(&r, &err) < 0)
		return run_finish(&r, 125, &err);
	puts(r.spec.name);
	return run_release(&r, 0);
}
