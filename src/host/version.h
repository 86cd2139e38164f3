/* host/version.h - which version of a tool is installed (internal to host and run).
 */
#ifndef BAWN_HOST_VERSION_H
#define BAWN_HOST_VERSION_H

#include "host/agent.h"
#include "host/stack.h"

/* What the package says that the tool (command: its name) belongs to, or the name of a directory it
 * lies in ("versions/1.2.3/"), or what a lone executable says of itself; nothing is run.  NULL: it
 * can't be told. */
const char *host_agent_version(
	struct arena *a, const char *command, const struct host_agent *agent);
/* The same of a program that was found in a template. */
const char *host_stack_version(struct arena *a, const struct host_stack *stack, const char *command,
	const struct host_stack_found *program);

#endif
