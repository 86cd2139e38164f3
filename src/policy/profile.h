/* policy/profile.h - what one tool needs, as read from profiles/NAME.yaml; see bawn-profile(5).
 *
 * Owns: the in-memory form.  All strings live in the arena or the pack they were read from.
 */
#ifndef BAWN_POLICY_PROFILE_H
#define BAWN_POLICY_PROFILE_H

#include "base/arena.h"

/* What has to be put behind one subcommand word, e.g. codex: exec -> --skip-git-repo-check. */
struct profile_sub {
	const char *word;
	struct strv args;
};

struct profile {
	const char *name;       /* "claude" */
	const char *file;       /* the YAML file it came from, absolute */
	const char *summary;    /* "Claude Code" */
	struct strv command;    /* the tool's argv before yolo and the user's arguments */
	struct strv find;       /* further places of command[0], "~" allowed, globs allowed */
	const char *install;    /* one line: how to install it */
	struct strv yolo;       /* flags that switch the tool's own prompts off */
	struct strv yolo_after; /* subcommands: the flags stand right behind one of them; empty:
				   first */
	struct strv yolo_not_before; /* subcommands, first of the user's arguments: no flags */
	struct strv yolo_unless;     /* user flags whose presence drops ours */
	struct strv yolo_since;      /* FLAG=VERSION: the first version of the tool that knows it */
	struct profile_sub *subs;
	size_t n_subs;
	struct strv env_pass;          /* names, or one trailing "*" */
	struct strv env_set;           /* KEY=value; ${WORKSPACE} ${HOME} ${SANDBOX} expand */
	struct strv keys;              /* API key variables; any of them set counts as a log-in */
	const char *login_hint;        /* what to do when there is neither a key nor a log-in */
	struct strv instructions;      /* the user's own words to the tool */
	struct strv instructions_file; /* "~/...": where the tool reads them */
	bool has_seed; /* state:, login:, files: or instructions-file: present, so bawn-admin seed
			  has work */
	bool args_replace;    /* exec: the user's arguments, if any, replace command */
	struct strv policies; /* egress policies by name */
	struct strv api;      /* policies of the tool's own service ("api: true" in a policy) */
	const char *syscalls; /* syscall policy by name, "default" */
	const char *template; /* the root file system; NULL: the machine's */
	struct strv mask;     /* globs of workspace files that read as empty */
	struct strv protect;  /* workspace paths that can't be changed from inside */
};

#endif
