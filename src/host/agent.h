/* host/agent.h - where the tool is on this machine, and exactly what of it must be seen inside.
 *
 * Follows PATH entry, links, npm shims, version managers and `#!` lines to the end, and names every
 * link of the chain, so that the sandbox can recreate the links and bind nothing but the packages.
 */
#ifndef BAWN_HOST_AGENT_H
#define BAWN_HOST_AGENT_H

#include "host/identity.h"
#include "policy/profile.h"

struct host_link {
	const char *path;   /* absolute; its directory is link-free or made by an earlier link */
	const char *target; /* as readlink(2) gave it */
};

struct host_agent {
	const char *exe;      /* what to execute inside: the path as found, links and all */
	const char *resolved; /* the file at the end of the chain */
	struct host_link *links;
	size_t n_links, cap_links;
	struct strv binds;   /* resolved files and directories outside the system directories, to be
				bound read-only at their own path */
	const char *version; /* host/version.h; NULL: it can't be told, or no one asks (profiles
				with yolo-since and with settings do) */
	struct strv path; /* directories that must stand in PATH inside (where exe was found, where
			     the interpreter was) */
	const struct strv *written; /* as it was given to host_agent_find() */
};

/* Looks for profile->command[0] in $PATH, then in profile->find.  -ENOENT when it is not installed,
 * with profile->install as the hint.  command[0] with a slash is taken as it is.
 * written: what agents write to, the workspace and what is mounted beside, resolved; or NULL.  What
 * lies in there brings nothing in that lies elsewhere: no link, script or package.json does. */
int host_agent_find(struct arena *a, const struct profile *profile, const struct host_identity *id,
	const struct strv *written, struct host_agent *ret, struct err *err);

/* Is path (absolute) in a directory that template host shows anyway (/usr, /opt, /nix, ...)? */
bool host_system_path(const char *path);
/* The table behind it, NULL-terminated: directories bound recursively and read-only where they
 * exist; /bin, /lib, ... are links on a merged system and directories elsewhere. */
extern const char *const host_system_dirs[];
/* Directories in there, NULL-terminated, in which daemons of the host listen.  What is read-only
 * can be connected to, and these carry out what they are told: Nix's builds with the host's network
 * whatever says its hash (a fixed-output derivation), watchman starts commands as its user.  In
 * Homebrew's, which is the user's own, lie the data of its databases as well. */
extern const char *const host_daemon_dirs[];

#endif
