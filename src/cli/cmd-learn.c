/* cli/cmd-learn.c - bawn learn: a run in which every public name may be reached, observed, and the
 * smallest policy that allows the same again.
 *
 * The run is one of `bawn run --rm`: a sandbox of its own that is gone at the end, so that open
 * egress is never a property of a sandbox that lasts; one that is named lends its options, its
 * workspace and its rules.  The policy is written by bawn-admin, which
 * parses it first (bawn policy import).
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "cli/command.h"
#include "run/lasting.h"
#include "run/signals.h"

enum { OPT_OUTPUT = 1000, OPT_NAME, OPT_FORCE, OPT_LEARN_HELP };

static const struct option_row own_rows[] = {
	{"output", 'o', "FILE", "write the policy to FILE instead of standard output", OPT_OUTPUT},
	{"name", 0, "POLICY", "make it a policy of yours, as bawn policy import does", OPT_NAME},
	{"force", 0, NULL, "in the place of a file or policy that is there", OPT_FORCE},
	{"help", 'h', NULL, "show this help", OPT_LEARN_HELP}, {0}};

/* Options of run that make no sense here. */
static const char *const not_ours[] = {
	"rm", "name", "detach", "detach-keys", "dry-run", "json", "template", "help", NULL};

struct learn {
	struct run *r;
	struct option_row rows[OPTIONS_MAX];
	const char *output, *name;
	int dir; /* where output goes: opened before the tool could move it away */
	bool force, help;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct learn *l = ctx;
	switch (id) {
	case OPT_OUTPUT:
		l->output = value;
		return *value ? 0 : err_set(err, EINVAL, "which file?");
	case OPT_NAME:
		l->name = value;
		return 0;
	case OPT_FORCE:
		l->force = true;
		return 0;
	case OPT_LEARN_HELP:
		l->help = true;
		return 0;
	default:
		return run_option_row_set(l->r, id, value, err);
	}
}

static void help(void)
{
	printf("Usage: bawn learn [OPTIONS] PROFILE|NAME [PATH[:ro]...] [-- ARGS...]\n\n"
	       "Run the tool once in a sandbox from which every public host can be reached, and "
	       "print\n"
	       "the smallest policy that allows what it connected to.  Nothing private is "
	       "reached,\n"
	       "and what today's policies deny stays denied.  Data can leave during that run.\n\n"
	       "Options, and those of bawn run --rm:\n");
	options_help(own_rows, stdout);
	printf("\nExamples:\n"
	       "  bawn learn -o tests.yaml shell -- make check\n"
	       "  bawn learn --name fixes codex -- exec \"make the tests pass\"\n\n"
	       "Exit status: the tool's own; 125 where bawn failed.  More: man bawn-learn\n");
}

static int check_run(const struct run *r, struct err *err)
{
	if (r->opt.offline) {
		err_hint(err, "leave --offline out: bawn learn observes what the tool connects to");
		return err_set(err, EINVAL, "an offline run has nothing to learn from");
	}
	if (r->opt.mode && streq(r->opt.mode, "clone")) {
		err_hint(err, "name the profile, with --workspace cow where nothing is to land");
		return err_set(
			err, EINVAL, "what is made while learning goes at its end: no clone");
	}
	return 0;
}

/* A sandbox that lasts: a run with what it was made with, in one of its own.  What it publishes it
 * may be publishing now. */
static int take_sandbox(struct run *r, struct err *err)
{
	bool fresh;
	if (strchr(r->opt.profile, '/') || lasting_is_profile(r, r->opt.profile))
		return 0;
	int k = lasting_find(r, &fresh, err);
	if (k < 0)
		return k;
	r->opt.publish = (struct strv){0};
	r->opt.n_ports = 0;
	r->spec = (struct spec){0};
	return check_run(r, err);
}

static int parse(struct learn *l, int argc, char **argv, struct err *err)
{
	struct option_split split;
	struct run *r = l->r;
	int k = options_parse(l->rows, argc, argv, option, l, &split, err);
	if (k < 0 || l->help)
		return k;
	if (split.first == split.end) {
		err_hint(err, "bawn learn [OPTIONS] PROFILE|NAME [PATH...] [-- ARGS...]");
		return err_set(err, EINVAL, "which profile or sandbox?");
	}
	r->opt.rm = true;
	r->opt.profile = path_of_word(&r->arena, argv[split.first]);
	for (int i = split.first + 1; i < split.end; i++) {
		if (!argv[i][0])
			return err_set(err, EINVAL, "a PATH is empty");
		strv_add(&r->arena, &r->opt.paths, argv[i]);
	}
	for (int i = split.rest; i < argc; i++)
		strv_add(&r->arena, &r->opt.args, argv[i]);
	k = check_run(r, err);
	if (k < 0)
		return k;
	if (l->output && l->name)
		return err_set(err, EINVAL, "--output goes not with --name");
	k = run_check_ports(&r->opt, err);
	return k < 0 ? k : arena_check(&r->arena, err);
}

/* ---- where it goes ---- */

static int taken(const char *path, struct err *err)
{
	char shown[300];
	err_hint(err, "--force puts it in its place");
	return err_set(err, EEXIST, "%s is there already", escape_text(shown, sizeof(shown), path));
}

static int open_place(struct learn *l, struct err *err)
{
	const char *base = path_base(l->output);
	char *dir = arena_dupn(&l->r->arena, l->output, (size_t)(base - l->output));
	if (!*base)
		return err_set(err, EISDIR, "--output is the name of a directory");
	l->dir = open(dir && *dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		return err_sys(err, errno, "open the directory of %s", l->output);
	if (!l->force && faccessat(l->dir, base, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return taken(l->output, err);
	return 0;
}

/* What would stop it from being kept is said before the run. */
static int check_place(struct learn *l, struct err *err)
{
	struct run *r = l->r;
	const char *const dirs[] = {r->store.xdg.config, r->install.data};
	static const char *const subs[] = {"policies", "policies/egress"};
	if (l->output)
		return open_place(l, err);
	if (!l->name)
		return 0;
	if (!*l->name || strchr(l->name, '/') || streq(l->name, "user")) {
		char shown[100];
		return err_set(err, EINVAL, "'%s' can't be the name of a learnt policy",
			escape_text(shown, sizeof(shown), l->name));
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs) && !l->force; i++) {
		char *path = arena_printf(&r->arena, "%s/%s/%s.yaml", dirs[i], subs[i], l->name);
		if (path && access(path, F_OK) == 0)
			return taken(path, err);
	}
	return arena_check(&r->arena, err);
}

static int import(const struct learn *l, const char *text, struct err *err)
{
	static char name[] = "bawn-admin", command[] = "policy", verb[] = "import", as[] = "--as",
		    in[] = "-", force[] = "--force";
	struct run *r = l->r;
	char *argv[] = {name, command, verb, as, arena_dup(&r->arena, l->name), in,
		l->force ? force : NULL, NULL};
	/* it finds the user's directories by these */
	char *envp[] = {arena_printf(&r->arena, "HOME=%s", r->store.xdg.home),
		arena_printf(&r->arena, "XDG_CONFIG_HOME=%.*s",
			(int)(strlen(r->store.xdg.config) - strlen("/bawn")), r->store.xdg.config),
		NULL};
	_cleanup_close_ int fd = fd_memfd_sealed("bawn-learn", text, strlen(text), err);
	if (fd < 0)
		return fd;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "memfd");
	const int fds[] = {fd, STDERR_FILENO, STDERR_FILENO};
	return run_admin(r, argv, envp, fds, NULL, err);
}

/* What was learnt is not lost where it can't be kept: then it is printed. */
static int keep(const struct learn *l, struct err *err)
{
	char *text = run_learn_yaml(l->r, err);
	int k = 0;
	if (!text)
		return -ENOMEM;
	const struct run_learn_sum sum = run_learn_sum(l->r);
	run_message(l->r,
		"learnt: %zu host%s that today's policies do not allow, %zu that they do%s",
		sum.fresh, sum.fresh == 1 ? "" : "s", sum.known,
		sum.left ? "; some were left out, see there" : "");
	if (l->output)
		k = file_write_atomic(
			l->dir, path_base(l->output), text, strlen(text), 0644, false, err);
	else if (l->name)
		k = import(l, text, err);
	if (k < 0 || (!l->output && !l->name)) {
		fputs(text, stdout);
		fflush(stdout);
	}
	return k;
}

int cmd_learn(int argc, char **argv)
{
	struct err err = {0};
	struct run r;
	struct learn l = {.r = &r, .dir = -1};
	run_init(&r, argc, argv);
	run_option_rows_beside(own_rows, not_ours, l.rows, OPTIONS_MAX);
	int k = parse(&l, argc, argv, &err);
	if (k == 0 && l.help) {
		help();
		return run_release(&r, 0);
	}
	if (k == 0)
		k = run_refuse_nested(&err);
	signals_hold();
	if (k == 0)
		k = run_begin(&r, &err);
	if (k == 0)
		k = take_sandbox(&r, &err);
	if (k == 0)
		k = check_place(&l, &err);
	if (k == 0)
		k = run_result_open(&r, &err);
	if (k == 0)
		k = run_learn_begin(&r, &err);
	if (k < 0)
		return run_finish(&r, 125, &err);
	/* also with -q: it is what the user has to know */
	fprintf(stderr,
		"bawn: learning: in this run every public host can be reached, so what the "
		"tool can read can leave\n");
	int code = run_supervise(&r, &err);
	if (!err.code && r.sandbox_ran && keep(&l, &err) < 0)
		code = 125;
	if (l.dir >= 0)
		close(l.dir);
	return run_finish(&r, code, &err);
}
