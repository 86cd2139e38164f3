/* host/package.h - which npm packages a file needs (internal to host).
 */
#ifndef BAWN_HOST_PACKAGE_H
#define BAWN_HOST_PACKAGE_H

#include "host/agent.h"

/* file: resolved.  Below a node_modules directory: bind its package and what that depends on.
 * Elsewhere: bind the one file, and the parts that came with it, unless they lie in id's home
 * itself or above it. */
int host_package_bind(struct arena *a, struct host_agent *out, const char *file,
	const struct host_identity *id, struct err *err);

/* The string behind "version" at the top of a package.json, or NULL. */
const char *host_package_version(struct arena *a, const char *json);

#endif
