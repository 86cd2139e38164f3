/* host/chase.h - following a path link by link, and writing the links down (internal to host).
 */
#ifndef BAWN_HOST_CHASE_H
#define BAWN_HOST_CHASE_H

#include "host/agent.h"

/* Resolve path (absolute) as the kernel does; each symbolic link on the way that lies outside the
 * system directories is added to out->links once.  The end must exist.  *ret has no link in it. */
int host_chase(struct arena *a, struct host_agent *out, const char *path, const char **ret,
	struct err *err);

/* The same by the word of by (a script, a package's directory), which may be NULL.  -EPERM where
 * that, or a link on the way, lies in what agents write to (out->written), and the end neither
 * there nor in a system directory: any file of the home could be brought in so. */
int host_chase_by(struct arena *a, struct host_agent *out, const char *by, const char *path,
	const char **ret, struct err *err);
/* Does path lie in what agents write to? */
bool host_agent_writes(const struct host_agent *out, const char *path);

/* Add a file or directory to out->binds unless it is shown anyway or within another bind. */
void host_agent_bind(struct arena *a, struct host_agent *out, const char *path);

/* Append one link, grown in the arena; 0 or -ENOMEM. */
int host_link_add(struct arena *a, struct host_link **v, size_t *n, size_t *cap, const char *path,
	const char *target);

#endif
