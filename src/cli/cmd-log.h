/* cli/cmd-log.h - `bawn log`, in bawn-admin.
 */
#ifndef BAWN_CLI_CMD_LOG_H
#define BAWN_CLI_CMD_LOG_H

/* argv[0] is "log".  Returns the exit status. */
int cmd_log(int argc, char **argv);

#endif
