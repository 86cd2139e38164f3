/* cli/admin-main.c - bawn-admin: what needs more libraries than bawn's start path may carry.
 *
 * Owns: the table of subcommands.  Must not: know what any of them does.  It is called by bawn,
 * with its own subcommand's words; a person need not call it.
 */
#include <locale.h>
#include <stdarg.h>

#include "cli/admin.h"
#include "cli/cmd-log.h"
#include "cli/doctor.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"compile", cmd_compile},
	{"doctor", cmd_doctor},
	{"log", cmd_log},
	{"login", cmd_login},
	{"policy", cmd_policy},
	{"policy-edit", cmd_policy_edit},
	{"profile", cmd_profile},
	{"report", cmd_report},
	{"secret", cmd_secret},
	{"seed", cmd_seed},
};

int admin_fail(const struct err *err)
{
	fprintf(stderr, "bawn: %s\n", err->msg);
	if (err->hint[0])
		fprintf(stderr, "bawn: %s\n", err->hint);
	return ADMIN_FAILED;
}

int admin_usage(const char *usage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("bawn: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nbawn: usage: %s\n", usage);
	return ADMIN_USAGE;
}

int admin_help(const struct admin_help *h)
{
	printf("Usage: %s\n\n%s\n\nOptions:\n", h->usage, h->text);
	options_help(h->rows, stdout);
	printf("\nExamples:\n%s", h->examples);
	return fflush(stdout) == 0 ? 0 : ADMIN_FAILED;
}

int admin_dirs_find(struct arena *a, struct admin_dirs *ret, struct err *err)
{
	int r = path_xdg_find(a, &ret->xdg, err);
	return r < 0 ? r : path_install_find(a, BAWN_LIBEXECDIR, BAWN_DATADIR, &ret->install, err);
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc < 2)
		return admin_usage("bawn-admin COMMAND [...]", "bawn-admin is called by bawn");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (streq(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	return admin_usage("bawn-admin COMMAND [...]", "unknown command of bawn-admin");
}
