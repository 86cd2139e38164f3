/* cli/monitor-proc.h - which program inside has a connection.
 *
 * Found from outside, in /proc, by the port that it comes from inside; nothing inside is asked.  It
 * is a program's own word for itself, to be shown and no more.
 */
#ifndef BAWN_CLI_MONITOR_PROC_H
#define BAWN_CLI_MONITOR_PROC_H

#include <sys/types.h>

#include "cli/monitor-data.h"

/* Fill in process of the n flows of one sandbox, whose pid 1 is init; "" stays where it can't be
 * found.  Looks at a bounded number of processes and descriptors. */
void monitor_processes(pid_t init, struct monitor_flow *f, size_t n);

#endif
