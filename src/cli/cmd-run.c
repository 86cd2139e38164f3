/* cli/cmd-run.c - `bawn run` */
#include "cli/command.h"
#include "run/lasting.h"
#include "run/signals.h"

int cmd_run(int argc, char **argv)
{
	struct err err = {0};
	struct run r;
	run_init(&r, argc, argv);
	if (run_options_parse(&r, argc, argv, &err) < 0)
		return run_finish(&r, 125, &err);
	if (r.opt.help) {
		run_options_help(stdout);
		return run_release(&r, 0);
	}
	if (run_refuse_nested(&err) < 0)
		return run_finish(&r, 125, &err);
	signals_hold();
	int k = run_begin(&r, &err);
	struct spec there;
	struct err ignored = {0};
	if (k == 0 && r.opt.rm && !lasting_is_profile(&r, r.opt.profile) &&
		store_sandbox_find(&r.store, &r.arena, r.opt.profile, &there, &ignored) == 0)
		k = lasting_unknown(&r, r.opt.profile, &err);
	if (k == 0)
		k = run_result_open(&r, &err);
	if (k < 0)
		return run_finish(&r, 125, &err);
	int code = r.opt.rm ? run_supervise(&r, &err) : lasting_run(&r, &err);
	return run_finish(&r, code, &err);
}
