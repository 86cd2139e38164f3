/* cli/admin-main.c - bawn-admin: what needs more libraries than bawn's start path may carry.
 *
 * Owns: the table of subcommands.  Must not: know what any of them does.  It is called by bawn,
 * with its own subcommand's words; a person need not call it.
 */
#include <locale.h>

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
