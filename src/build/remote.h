/* build/remote.h - what ADD takes from elsewhere: what is at an http or https URL, and
 * repositories.
 *
 * Owns: getting it, and what is believed of it.  Must not: make a
 * connection, or read what came as anything but bytes: that is done in a sandbox, under the policy
 * of builds, for URLs by a program that is confined once more (registry/fetch.c), for repositories
 * by git.
 */
#ifndef BAWN_BUILD_REMOTE_H
#define BAWN_BUILD_REMOTE_H

#include "base/sha256.h"
#include "build/build.h"
#include "build/remote-url.h"

struct build_remote {
	const char *url;
	size_t at;  /* the word's place in its line */
	char *name; /* of the file, where it goes to a directory; NULL: the URL has none */
	bool git;   /* url is one of these, and name counts for nothing */
	const char *ref, *subdir; /* NULL: not said */
	bool keep;                /* --keep-git-dir */
	bool pinned;              /* digest is what it must be (--checksum), and known before */
	char digest[SHA256_HEX + 1];
	char commit[SHA256_HEX + 1];
	char *dir; /* once it is here: the file "data" in it, or the tree "tree" */
};

#define BUILD_REMOTE_DATA "data"
#define BUILD_REMOTE_TREE "tree"

/* What text means, looked at. */
int build_remote_parse(
	struct build *b, const char *text, struct build_remote *ret, struct err *err);
/* The same for a word of instruction i; what is wrong has its place. */
int build_remote_read(struct build *b, const struct df_inst *i, const char *text, size_t at,
	struct build_remote *ret, struct err *err);
/* --checksum: of instruction i, whose only source r is. */
int build_remote_pin(struct build *b, const struct build_state *st, const struct df_inst *i,
	struct build_remote *r, struct err *err);
/* Get it into the new directory dir, and its digest. */
int build_remote_get(struct build *b, char *dir, struct build_remote *r, struct err *err);
/* Get it into a new directory below dir, and its digest; one that is pinned has it.  What fails has
 * the place. */
int build_remote_fetch(struct build *b, const struct df_inst *i, const char *dir,
	struct build_remote *r, struct err *err);

/* What of the repository r, which is here, is copied: its tree, or the directory in it that is
 * meant. A descriptor, which is ret->from, or -errno. */
int build_remote_git_copy(
	struct build *b, const struct build_remote *r, struct build_copy *ret, struct err *err);

/* ---- between remote.c and remote-git.c ---- */

#define REMOTE_INSIDE "/run/bawn-add" /* where the shared directory is in the sandbox */
#define REMOTE_TRUST "trust"

/* The certificates that the user has put in the place of the machine's, into dir; 1: there are
 * such. */
int build_remote_trust(struct build *b, const char *dir, struct err *err);
/* A program of this machine's in a sandbox of its own, with dir.  Its exit status, or -errno. */
int build_remote_run(
	struct build *b, const char *dir, struct strv *argv, struct strv *env, struct err *err);
/* Get the repository r into dir, with its digest and commit.  What the program in there ended with,
 * or -errno. */
int build_remote_git(struct build *b, char *dir, struct build_remote *r, struct err *err);

#endif
