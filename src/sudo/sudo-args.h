/* sudo/sudo-args.h - the words of sudo(8) and su(1), as far as scripts use them.
 *
 * Pure.  Must not: look anything up; nothing here asks who anybody is.
 */
#ifndef BAWN_SUDO_ARGS_H
#define BAWN_SUDO_ARGS_H

#include "base/arena.h"

enum sudo_mode {
	SUDO_RUN,
	SUDO_VALIDATE, /* -v -k -K: there is no password, so nothing to do */
	SUDO_LIST,     /* -l */
	SUDO_HELP,
	SUDO_VERSION,
};

struct sudo_args {
	enum sudo_mode mode;
	const char *user, *group; /* NULL: root, none */
	const char *dir;          /* -D */
	const char *shell;        /* su -s */
	bool login, with_shell;   /* -i, -s */
	bool preserve;            /* -E, su -m */
	bool set_home;            /* -H */
	bool background;          /* -b */
	bool su;                  /* a session's own variables are set as su sets them */
	struct strv keep;         /* --preserve-env=LIST */
	struct strv vars;         /* VAR=VALUE before the command */
	struct strv command;      /* none: a shell; with su's -c: "-c" and its argument */
};

/* argv: as main() has it.  0, or -EINVAL: *err says which word is wrong. */
int sudo_args_sudo(struct arena *a, int argc, char **argv, struct sudo_args *ret, struct err *err);
int sudo_args_su(struct arena *a, int argc, char **argv, struct sudo_args *ret, struct err *err);

/* What a shell is given for these words by -c: each character that a shell could take for more than
 * itself behind a backslash, as sudo does it.  NULL: out of memory. */
char *sudo_args_quote(struct arena *a, const struct strv *words);

#endif
