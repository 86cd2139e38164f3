/* cli/command.h - the table of subcommands and how they say that something failed.
 */
#ifndef BAWN_CLI_COMMAND_H
#define BAWN_CLI_COMMAND_H

#include "base/err.h"

/* argv[0] is the subcommand's name.  Returns the exit status. */
struct command {
	const char *name;
	const char *args, *help;           /* one line for `bawn help`; help NULL: not listed */
	int (*run)(int argc, char **argv); /* NULL: bawn-admin has it */
};

/* All of them; the last has no name.  What `args` says is also what completion goes by
 * (cmd-complete.c): NAME, PROFILE, POLICY, SECRET, TEMPLATE, PATH, FILE, DIR, TAG, SRC, DST,
 * COMMAND, USER stand for such a thing, a word in small letters for itself. */
const struct command *command_table(void);
/* The commands that command name has of its own, or NULL. */
const struct command *command_verbs(const char *name);
/* Run it; where it is bawn-admin's, this does not return. */
int command_call(const struct command *c, int argc, char **argv);

int cmd_complete(int argc, char **argv);
/* bawn-admin takes over, with the same words and environment. */
int command_admin(char **argv);

int cmd_policy_live(int argc, char **argv);
int cmd_policy_allow(int argc, char **argv);
int cmd_policy_deny(int argc, char **argv);
int cmd_policy_rm(int argc, char **argv);
int cmd_policy_ls(int argc, char **argv);
int cmd_policy_pending(int argc, char **argv);
int cmd_policy_answer(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_step(int argc, char **argv);
int cmd_learn(int argc, char **argv);
int cmd_loop(int argc, char **argv);
int cmd_skill(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_shell(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_discard(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_ports(int argc, char **argv);
int cmd_prune(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_checkpoints(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_undo(int argc, char **argv);
int cmd_fork(int argc, char **argv);
int cmd_upload_pack(int argc, char **argv);

int cmd_secret(int argc, char **argv);
int cmd_template(int argc, char **argv);
int cmd_build(int argc, char **argv);
/* bawn template save NAME TAG; -1: it is another save, which is bawn-template's. */
int cmd_template_save(int argc, char **argv); /* bawn-template takes over */

/* Have every sandbox that runs read its policies and secrets again; say: print the names of those
 * that did.  The exit code, or -errno. */
struct run;
int policy_reload_all(struct run *r, bool say, struct err *err);

#endif
