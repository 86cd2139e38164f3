/* cli/admin.h - the subcommands of bawn-admin, and what they share.
 */
#ifndef BAWN_CLI_ADMIN_H
#define BAWN_CLI_ADMIN_H

#include "base/arena.h"
#include "base/path.h"
#include "run/options.h"

#define ADMIN_USAGE 2    /* exit code: the command line is wrong */
#define ADMIN_FAILED 125 /* exit code: bawn failed */

/* Each: argv[0] is the subcommand's name; returns the exit code. */
int cmd_compile(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_policy_edit(int argc, char **argv);
int cmd_secret(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_login(int argc, char **argv);
int cmd_seed(int argc, char **argv);

/* "bawn: MESSAGE" and "bawn: REMEDY" on stderr; returns ADMIN_FAILED. */
int admin_fail(const struct err *err);
/* "bawn: MESSAGE" and how to call it; returns ADMIN_USAGE. */
int admin_usage(const char *usage, const char *fmt, ...) _printf_(2, 3);
/* code, once all that was printed is written; else ADMIN_FAILED, and why is said. */
int admin_said(int code);
/* --help: usage lines, a sentence or two, the options, example lines (each with two spaces in
 * front); returns 0. */
struct admin_help {
	const char *usage, *text, *examples;
	const struct option_row *rows;
};
int admin_help(const struct admin_help *h);

/* The user's directories and this installation's data. */
struct admin_dirs {
	struct path_xdg xdg;
	struct path_install install;
};
int admin_dirs_find(struct arena *a, struct admin_dirs *ret, struct err *err);

#endif
