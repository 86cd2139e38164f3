/* seed/git.h - who the user is to git, as a configuration of the sandbox's own.
 */
#ifndef BAWN_SEED_GIT_H
#define BAWN_SEED_GIT_H

#include "seed/copy.h"

/* Read the machine's and the user's global git configuration (by git itself, with includes, outside
 * any repository and with an empty environment but for HOME) and write ~/.gitconfig below the
 * sandbox's home: the identity, the default branch, excludes, url rewrites and other plain
 * settings; nothing that names a program, but Git LFS's filter where git-lfs is there inside.  In a
 * template the filter and the machine's are left out.  Signing is switched off, with a notice where
 * it was on.  git@host: of the known hosts falls back to https.  Without a configuration git is not
 * run.  0 or -errno.
 */
int seed_git(struct seed_copy *c, const char *workspace, struct err *err);

/* The pure part: `git config --list -z` output to the text of a configuration file.  In arena. */
struct seed_git_out {
	char *text;
	const char *excludes_file; /* as configured, or NULL */
	const char *attributes_file;
	const char *hooks_path; /* core.hooksPath: never comes along, but its place counts */
	unsigned int signing;   /* which settings of it were on, in bits */
	bool includes;          /* further files are read, on conditions that only git knows */
};
int seed_git_filter(struct seed_report *report, const char *list, size_t n, const char *workspace,
	bool lfs, struct seed_git_out *ret, struct err *err);

#endif
