/* cli/cmd-exec.c - bawn exec, bawn shell: one more program in a sandbox, which is started first
 * where it does not run
 */
#include "base/escape.h"
#include "cli/command.h"
#include "run/image.h"
#include "run/lasting.h"
#include "cli/verb.h"

enum {
	OPT_INTERACTIVE,
	OPT_TTY,
	OPT_DETACH,
	OPT_KEYS,
	OPT_ENV,
	OPT_ENV_FILE,
	OPT_USER,
	OPT_DIR,
	OPT_TIMEOUT,
	OPT_RESULT
};

struct asked {
	struct run *r;
	const char *user;
	bool tty, shell;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	switch (id) {
	case OPT_INTERACTIVE: /* standard input is always passed */
		return 0;
	case OPT_TTY:
		o->tty = true;
		return 0;
	case OPT_DETACH:
		return run_option_set(o->r, "detach", NULL, err);
	case OPT_KEYS:
		return run_option_set(o->r, "detach-keys", value, err);
	case OPT_ENV:
		return run_option_set(o->r, "env", value, err);
	case OPT_ENV_FILE:
		return run_option_set(o->r, "env-file", value, err);
	case OPT_TIMEOUT:
		return run_option_set(o->r, "timeout", value, err);
	case OPT_RESULT:
		return run_option_set(o->r, "result", value, err);
	case OPT_USER:
		o->user = value;
		return 0;
	default:
		o->r->directory = value;
		return value[0] == '/' ? 0 : err_set(err, EINVAL, "it must be an absolute path");
	}
}

static const struct option_row rows[] = {
	{"interactive", 'i', NULL, "pass standard input (always done)", OPT_INTERACTIVE},
	{"tty", 't', NULL, "fail where there is no terminal (one is used where it is)", OPT_TTY},
	{"detach", 'd', NULL, "leave it in the background", OPT_DETACH},
	{"detach-keys", 0, "KEYS", "keys that leave it running (ctrl-p,ctrl-q)", OPT_KEYS},
	{"env", 'e', "K[=V]", "set or pass an environment variable", OPT_ENV},
	{"env-file", 0, "FILE", "set variables from FILE, KEY=VALUE a line", OPT_ENV_FILE},
	{"user", 'u', "USER", "as USER: in a template also root; on template host only you",
		OPT_USER},
	{"workdir", 'w', "DIR", "in DIR, an absolute path inside", OPT_DIR},
	{"timeout", 0, "DURATION", "end it after 30s, 10m, 1h: SIGTERM, 10 s later SIGKILL",
		OPT_TIMEOUT},
	{"result", 0, "FILE", "write exit, times, traffic, denials and changes to FILE as JSON",
		OPT_RESULT},
	VERB_HELP_ROW, {0}};

static int check_user(struct run *r, const char *user, struct err *err)
{
	char number[16], shown[64];
	if (r->image)
		return run_image_user(r, user, err);
	snprintf(number, sizeof(number), "%u", r->id.uid);
	if (!user || streq(user, r->id.user) || streq(user, number))
		return 0;
	err_hint(err, "on template host everything inside belongs to %s", r->id.user);
	return err_set(
		err, EINVAL, "there is no user %s inside", escape_text(shown, sizeof(shown), user));
}

/* The user's own where it is one of the system's, which are inside too; in a template, the
 * account's.  NULL: a template without one. */
static const char *own_shell(struct run *r)
{
	static const char *const none[] = {"nologin", "false", "true"};
	const char *shell = r->id.shell;
	if (r->image)
		return run_image_shell(r);
	bool usual = has_prefix(shell, "/bin/") || has_prefix(shell, "/usr/bin/");
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		usual &= !streq(path_base(shell), none[i]);
	return usual ? shell : "/bin/sh";
}

static int enter(struct run *r, const struct asked *o, const char *name, struct err *err)
{
	bool fresh;
	r->opt.name = name;
	r->opt.profile = NULL;
	int k = 0;
	if (r->opt.result && r->opt.detach)
		k = err_set(err, EINVAL, "--result does not go with --detach");
	if (k == 0)
		k = run_result_open(r, err);
	if (k == 0 && o->tty && !isatty(STDIN_FILENO) && !r->opt.detach)
		k = err_set(err, ENOTTY, "-t: standard input is no terminal");
	if (k == 0)
		k = lasting_find(r, &fresh, err);
	if (k == 0)
		k = check_user(r, o->user, err);
	if (k < 0)
		return 125;
	const char *own = o->shell ? own_shell(r) : NULL;
	if (o->shell && !own) {
		err_hint(err, "run a program of its own: bawn exec %s PROGRAM", r->spec.name);
		err_set(err, ENOENT, "template %s has no shell", r->image->ref);
		return 127;
	}
	if (own)
		strv_add(&r->arena, &r->command, own);
	if (r->directory)
		r->plan.cwd = r->directory;
	return lasting_enter(r, err);
}

static int exec(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	int at = 1;
	if (streq(word[at], "--") && ++at == n) {
		err_hint(err, "bawn exec %s COMMAND [ARGS...]", word[0]);
		return err_set(err, EINVAL, "which command?");
	}
	if (at == 1 && word[at][0] == '-') {
		char shown[128];
		escape_text(shown, sizeof(shown), word[at]);
		err_hint(err, "options come first: bawn exec %s ... %s COMMAND", shown, word[0]);
		return err_set(err, EINVAL, "%s stands behind the sandbox's name", shown);
	}
	for (; at < n; at++)
		strv_add(&r->arena, &r->command, word[at]);
	return enter(r, ctx, word[0], err);
}

int cmd_exec(int argc, char **argv)
{
	static const struct verb v = {.usage = "exec [OPTIONS] NAME COMMAND [ARGS...]",
		.help = "Run a command in a sandbox, under the same walls.  One that doesn't run "
			"is\n"
			"started.",
		.examples = "  bawn exec claude-project git log --oneline\n"
			    "  bawn exec -d -e DEBUG=1 claude-project make check\n",
		.rows = rows,
		.option = option,
		.min = 2,
		.max = -1,
		.ordered = true,
		.what = "which sandbox and which command",
		.run = exec};
	struct run r;
	struct asked o = {.r = &r};
	return verb_main(&v, &r, &o, argc, argv);
}

static int shell(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct asked *o = ctx;
	(void)n;
	o->shell = true;
	return enter(r, o, word[0], err);
}

int cmd_shell(int argc, char **argv)
{
	static const struct verb v = {.usage = "shell [OPTIONS] NAME",
		.help = "A shell of yours in a sandbox.  One that doesn't run is started.",
		.examples = "  bawn shell claude-project\n",
		.rows = rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.run = shell};
	struct run r;
	struct asked o = {.r = &r};
	return verb_main(&v, &r, &o, argc, argv);
}
