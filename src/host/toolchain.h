/* host/toolchain.h - the user's compilers, interpreters and package caches below $HOME.
 *
 * One table says what each tool keeps where, how it appears inside and what in it is a credential.
 * Never a directory that holds anything else: only the named parts of ~/.cargo, ~/go and so on.
 * PATH keeps names below the home that are not there yet: what is installed inside is found.
 */
#ifndef BAWN_HOST_TOOLCHAIN_H
#define BAWN_HOST_TOOLCHAIN_H

#include "host/agent.h"

enum host_tool_mode {
	HOST_TOOL_RO,      /* bound read-only */
	HOST_TOOL_OVERLAY, /* writable inside: overlay of the sandbox's own over the host's */
	HOST_TOOL_COPY,    /* a file that the tool writes anew: the home inside gets a copy */
};

struct host_tool {
	const char *name; /* "cargo" */
	const char *path; /* absolute, resolved; a directory, or a file (dir is false) */
	const char *from; /* HOST_TOOL_COPY: where its content is, if path is a link */
	enum host_tool_mode mode;
	bool dir;
};

struct host_toolchains {
	struct host_tool *v;
	size_t n, cap;
	struct host_link *links; /* links below $HOME that lead into the above */
	size_t n_links, cap_links;
	struct strv path;         /* PATH inside: the entries that exist there, in order */
	struct strv path_dropped; /* the others */
	struct strv shut;         /* files and directories in the above that hold credentials */
	struct strv env;          /* KEY=value of CARGO_HOME and the like, where they hold inside */
};

/* workspace may be NULL; its .venv and venv are looked at for the interpreter they point to.
 * further: what is mounted beside, resolved, or NULL; what lies in it isn't listed, and PATH keeps
 * directories in it.  agent may be NULL; its path directories are kept in PATH, and what it binds
 * isn't listed twice. */
int host_toolchains_find(struct arena *a, const struct host_identity *id, const char *workspace,
	const struct strv *further, const struct host_agent *agent, struct host_toolchains *ret,
	struct err *err);

#endif
