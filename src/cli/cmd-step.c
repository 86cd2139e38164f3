/* cli/cmd-step.c - `bawn __step`: bawn-build's, for a RUN of a Dockerfile; see run/step.h */
#include <sys/stat.h>

#include "cli/command.h"
#include "run/run.h"
#include "run/signals.h"
#include "run/step.h"

static void count(void *ctx, const struct dialer_denial *d)
{
	*(unsigned int *)ctx += d->count > 0;
}

/* Was something asked for that the policy denies?  Then that is why it failed. */
static bool was_denied(const struct run *r)
{
	unsigned int n = 0;
	if (r->sandbox)
		dialer_each_denial(sandbox_dialer(r->sandbox), count, &n);
	return n > 0;
}

static int step(struct run *r, struct err *err)
{
	int k = run_refuse_nested(err);
	if (k == 0)
		k = run_begin(r, err);
	if (k == 0)
		k = run_step_read(r, STEP_FD, err);
	if (k < 0)
		return 125;
	close(STEP_FD);
	umask(022);
	r->opt.profile = path_join(&r->arena, r->install.data, "profiles/internal/build.yaml");
	r->opt.mode = "none";
	r->opt.rm = true;
	r->opt.no_login = true;
	r->opt.bare_home = true;
	r->opt.offline = r->step->offline;
	r->opt.args = r->step->argv;
	int code = run_supervise(r, err);
	if (r->step->host)
		return code && code != 125 && was_denied(r) ? STEP_DENIED : code;
	return code == 0 && run_step_keep(r, err) < 0 ? 125 : code;
}

int cmd_step(int argc, char **argv)
{
	struct err err = {0};
	struct run r;
	run_init(&r, argc, argv);
	signals_hold();
	return run_finish(&r, step(&r, &err), &err);
}
