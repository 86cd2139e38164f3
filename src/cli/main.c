/* cli/main.c - bawn: finds the subcommand.
 *
 * What starts agents is in this executable, which links nothing but libc; what needs libraries is
 * in bawn-admin and is exec'd.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/command.h"
#include "run/run.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct command commands[] = {
	{"run", "[PROFILE|NAME] [PATH...] [-- ARGS...]", "run an agent in a sandbox", cmd_run},
	{"loop", "PROFILE|NAME -- ARGS...", "run an agent again and again", cmd_loop},
	{"learn", "PROFILE|NAME [PATH...] [-- ARGS...]",
		"observe a run, and print the smallest policy for it", cmd_learn},
	{"create", "PROFILE [PATH...]", "make a sandbox without starting it", cmd_create},
	{"ls", "[-q|--json]", "list the sandboxes", cmd_ls},
	{"exec", "NAME COMMAND [ARGS...]", "run a command in a sandbox", cmd_exec},
	{"shell", "NAME", "a shell in a sandbox", cmd_shell},
	{"attach", "NAME", "come back to a session that goes on", cmd_attach},
	{"logs", "[-f] NAME", "show what sessions wrote to their terminals", cmd_logs},
	{"diff", "NAME [PATH...]", "show what a sandbox changed in its workspace", cmd_diff},
	{"apply", "NAME [PATH...]", "land it on the host, or a part", cmd_apply},
	{"discard", "NAME PATH...|--all", "drop it", cmd_discard},
	{"ports", "NAME [--publish [IP:]HOST:PORT]", "show or change published ports", cmd_ports},
	{"cp", "SRC NAME:/PATH | NAME:/PATH DST", "copy files into a sandbox or out of it", cmd_cp},
	{"stop", "NAME...", "end what runs in sandboxes", cmd_stop},
	{"rm", "[-f] NAME...|--all", "remove sandboxes", cmd_rm},
	{"prune", "[--dry-run]", "remove the sandboxes that don't run", cmd_prune},
	{"checkpoint", "NAME [TAG]", "keep the state of a sandbox under a tag", cmd_checkpoint},
	{"checkpoints", "[--json] NAME", "list what can be restored", cmd_checkpoints},
	{"restore", "NAME TAG", "bring a sandbox back to a checkpoint", cmd_restore},
	{"undo", "NAME", "bring it back to the last one", cmd_undo},
	{"fork", "[--count N] NAME NEW", "make sandboxes that begin as this one is", cmd_fork},
	{"__step", "", NULL, cmd_step},                      /* bawn-build's, for RUN */
	{"upload-pack", "DIRECTORY", NULL, cmd_upload_pack}, /* git's, for a remote bawn-NAME */
	{"inspect", "NAME...", "show all that is known of sandboxes", cmd_inspect},
	{"skill", "[--install AGENT]", "what an agent outside should know of bawn", cmd_skill},
	{"doctor", "[--json]", "find out what this machine can do", NULL},
	{"log", "[-f] [--since TIME] [--verify] [NAME]", "show what was allowed, denied and done",
		NULL},
	{"report", "-o FILE NAME|--last", "make a page of a run for a browser", NULL},
	{"monitor", "[NAME...]", "what runs, connects and waits, to be answered", cmd_monitor},
	{"policy", "allow|deny|rm|ls|show|explain|diff ...", "look at egress policies, change them",
		cmd_policy_live},
	{"profile", "ls|show|lint ...", "look at profiles", NULL},
	{"secret", "set|ls|rm|import ...", "keep keys and tokens under a name", cmd_secret},
	{"template", "ls|build|pull|load|save|push|tag|rm ...",
		"root file systems for sandboxes, made of image layers", cmd_template},
	{"build", "DIR", "make a template from a Dockerfile (template build)", cmd_build},
	{"login", "[PROFILE]", "log in to an agent's service by the browser", NULL},
	{"version", "", "show the version", cmd_version},
	{"help", "[COMMAND]", "show this list, or a command's help", cmd_help},
	{"__complete", "WORD...", NULL, cmd_complete}, /* cmd-complete.c */
	{0},
};

static const struct command policy_verbs[] = {
	{"show", "[POLICY|FILE]", "show a policy as it is understood, or list them", NULL},
	{"check", "PROFILE TARGET", "may it connect there, and by which rule", NULL},
	{"explain", "PROFILE|NAME TARGET", "which rules match, which decides and why", NULL},
	{"lint", "[POLICY|FILE]...", "find mistakes", NULL},
	{"diff", "POLICY|PROFILE|NAME|FILE POLICY|PROFILE|NAME|FILE",
		"what one allows and not the other", NULL},
	{"export", "POLICY|PROFILE|NAME", "one file for another machine", NULL},
	{"import", "FILE", "take such a file over", NULL},
	{"allow", "RULE", "allow a host, at once where a sandbox runs", cmd_policy_allow},
	{"deny", "RULE", "deny a host, at once", cmd_policy_deny},
	{"rm", "RULE", "take back what allow or deny has added", cmd_policy_rm},
	{"ls", "[NAME]", "list the rules that were added", cmd_policy_ls},
	{"pending", "[NAME]", "list what --ask holds", cmd_policy_pending},
	{"answer", "ID once|sandbox|always|deny", "let it through, or not", cmd_policy_answer},
	{0},
};

static const struct command profile_verbs[] = {
	{"ls", "", "list the profiles", NULL},
	{"show", "PROFILE|FILE", "show a profile as it is understood", NULL},
	{"lint", "[PROFILE|FILE]...", "find mistakes", NULL},
	{0},
};

static const struct command secret_verbs[] = {
	{"set", "SECRET", "keep a secret, or where to get it", NULL},
	{"ls", "", "list the secrets, never what they are", NULL},
	{"rm", "SECRET", "forget one", NULL},
	{"import", "", "offer what this shell and its tools have", NULL},
	{0},
};

/* bawn-template's, by the table in template-main.c */
static const struct command template_verbs[] = {
	{"build", "DIR", "make a template from a Dockerfile", NULL},
	{"ls", "[-q|--json]", "list the templates", NULL},
	{"inspect", "TEMPLATE...", "show all that is known of templates", NULL},
	{"load", "FILE", "take the images of an archive", NULL},
	{"save", "-o FILE TEMPLATE... | NAME TAG",
		"write an archive, or make a template of a sandbox", NULL},
	{"bootstrap", "debian[:SUITE]", "make a base of Debian without root", NULL},
	{"pull", "REF", "take an image from its registry", NULL},
	{"push", "TEMPLATE [REF]", "bring a template to a registry", NULL},
	{"tag", "TEMPLATE NEW", "give a template one more name", NULL},
	{"rm", "TEMPLATE...", "remove names, and what no other has", NULL},
	{"prune", "[--dry-run]", "remove what nothing names", NULL},
	{"verify", "[--quick]", "check every digest, link and reference", NULL},
	{0},
};

const struct command *command_table(void)
{
	return commands;
}

const struct command *command_verbs(const char *name)
{
	return streq(name, "policy")      ? policy_verbs
		: streq(name, "profile")  ? profile_verbs
		: streq(name, "secret")   ? secret_verbs
		: streq(name, "template") ? template_verbs
					  : NULL;
}

static const struct command *find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (streq(c->name, name))
			return c;
	return NULL;
}

static int cmd_version(int argc, char **argv)
{
	if (argc > 1 && !streq(argv[1], "--help") && !streq(argv[1], "-h")) {
		char shown[64];
		struct err err = {0};
		err_hint(&err, "bawn version");
		err_set(&err, EINVAL, "one word too many: %s",
			escape_text(shown, sizeof(shown), argv[1]));
		return run_fail(&err, 125);
	}
	puts("bawn " PACKAGE_VERSION);
	return 0;
}

/* The rest is another program's: same arguments, same environment. */
static int exec_helper(const char *name, char **argv)
{
	struct arena a = {0};
	struct path_install install;
	struct err err = {0};
	if (path_install_find(&a, BAWN_LIBEXECDIR, BAWN_DATADIR, &install, &err) < 0)
		return run_fail(&err, 125);
	char *path = path_join(&a, install.libexec, name);
	size_t n = 0;
	while (argv[n])
		n++;
	char **args = arena_alloc(&a, (n + 2) * sizeof(*args));
	if (!path || !args) {
		err_set(&err, ENOMEM, "out of memory");
		return run_fail(&err, 125);
	}
	args[0] = path;
	memcpy(args + 1, argv, n * sizeof(*args));
	execv(path, args);
	err_sys(&err, errno, "execute %s", path);
	return run_fail(&err, 125);
}

int command_admin(char **argv)
{
	return exec_helper("bawn-admin", argv);
}

/* bawn-build steps over the word itself. */
int cmd_build(int argc, char **argv)
{
	(void)argc;
	return exec_helper("bawn-build", argv);
}

int cmd_template(int argc, char **argv)
{
	if (argc > 1 && streq(argv[1], "build"))
		return cmd_build(argc - 1, argv + 1);
	int k = argc > 1 && streq(argv[1], "save") ? cmd_template_save(argc - 1, argv + 1) : -1;
	return k >= 0 ? k : exec_helper("bawn-template", argv);
}

int command_call(const struct command *c, int argc, char **argv)
{
	return c->run ? c->run(argc, argv) : command_admin(argv);
}

static int usage(void)
{
	printf("Usage: bawn COMMAND [ARGS...]\n\nA rootless sandbox for coding "
	       "agents.\n\nCommands:\n");
	for (const struct command *c = commands; c->name; c++) {
		if (!c->help)
			continue;
		char left[64];
		if (!c->help)
			continue;
		snprintf(left, sizeof(left), "%s %s", c->name, c->args);
		printf("  %-44s %s\n", left, c->help);
	}
	printf("\nStart here: bawn run claude (or codex, gemini, opencode).  More: man bawn\n");
	return 0;
}

/* bawn claude: what was meant is plain. */
static bool is_profile(const char *word)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct err ignored = {0};
	struct path_install install;
	struct path_xdg xdg;
	if (!*word || strchr(word, '/') ||
		path_install_find(&a, BAWN_LIBEXECDIR, BAWN_DATADIR, &install, &ignored) < 0)
		return false;
	const char *dirs[] = {
		install.data, path_xdg_find(&a, &xdg, &ignored) < 0 ? NULL : xdg.config};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *file = dirs[i] ? arena_printf(&a, "%s/profiles/%s.yaml", dirs[i], word)
				     : NULL;
		if (file && access(file, F_OK) == 0)
			return true;
	}
	return false;
}

static int dispatch(int argc, char **argv)
{
	const struct command *c = find(argv[0]);
	if (!c) {
		char shown[64];
		escape_text(shown, sizeof(shown), argv[0]);
		struct err err = {0};
		const char *names[ARRAY_LEN(commands)];
		size_t n = 0;
		for (c = commands; c->name; c++)
			if (c->help)
				names[n++] = c->name;
		const char *near = text_nearest(argv[0], names, n);
		if (is_profile(argv[0]))
			err_hint(&err, "it is a profile: bawn run %s", shown);
		else
			err_hint(&err, "%s%s%sbawn help lists the commands",
				near ? "did you mean " : "", near ? near : "", near ? "?  " : "");
		err_set(&err, EINVAL, "unknown command '%s'", shown);
		return run_fail(&err, 125);
	}
	return command_call(c, argc, argv);
}

static int cmd_help(int argc, char **argv)
{
	if (argc < 2 || streq(argv[1], "help") || streq(argv[1], "--help") || streq(argv[1], "-h"))
		return usage();
	static char help[] = "--help";
	char *args[] = {argv[1], help, NULL};
	return dispatch(2, args);
}

/* All that is kept is the user's own, and would be out of reach at once. */
static int check_umask(struct err *err)
{
	mode_t mask = umask(022);
	umask(mask);
	if (!(mask & 0700))
		return 0;
	err_hint(err, "set one that leaves you your own: umask 022");
	return err_set(
		err, EPERM, "with the umask %04o you can't use the files that you make", mask);
}

static int said(int code)
{
	struct err err = {0};
	return fd_flush_stdout(&err) < 0 ? run_fail(&err, code ? code : 125) : code;
}

int main(int argc, char **argv)
{
	struct err err = {0};
	signal(SIGCHLD, SIG_DFL); /* where a caller has it ignored, no helper has an exit status */
	if (fd_fix_stdio(&err) < 0 || check_umask(&err) < 0)
		return run_fail(&err, 125);
	if (argc < 2 || streq(argv[1], "--help") || streq(argv[1], "-h"))
		return said(argc < 2 ? (usage(), 125) : usage());
	if (streq(argv[1], "--version") || streq(argv[1], "-V"))
		return said(cmd_version(argc - 1, argv + 1));
	return said(dispatch(argc - 1, argv + 1));
}
