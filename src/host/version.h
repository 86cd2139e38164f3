/* host/version.h - which version of a tool is installed (internal to host and cli).
 */
#ifndef BAWN_HOST_VERSION_H
#define BAWN_HOST_VERSION_H

#include "host/agent.h"

/* What the package says that the tool belongs to, or the name of a directory it lies in
 * ("versions/1.2.3/"); nothing is run.  NULL: it can't be told. */
const char *host_agent_version(struct arena *a, const struct host_agent *agent);

/* Is version (may be NULL) known to be below since? */
bool host_version_below(const char *version, const char *since);

#endif
