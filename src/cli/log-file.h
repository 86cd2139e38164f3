/* cli/log-file.h - what `bawn log` and `bawn report` have in common: which audit log.
 */
#ifndef BAWN_CLI_LOG_FILE_H
#define BAWN_CLI_LOG_FILE_H

#include "base/arena.h"

/* *file: as given by --file, or NULL, which becomes the user's own log.  One that was given must be
 * there, unless it may come yet.  0 or -errno. */
int log_file_find(struct arena *a, const char **file, bool may_come, struct err *err);

#endif
