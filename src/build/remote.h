/* build/remote.h - what ADD takes from elsewhere: http and https URLs.
 *
 * Owns: getting it, and what is believed of it.  Must not: make a
 * connection, or read what came as anything but bytes: that is done in a sandbox, under the policy
 * of builds, by a program that is confined once more (registry/fetch.c).
 */
#ifndef BAWN_BUILD_REMOTE_H
#define BAWN_BUILD_REMOTE_H

#include "base/sha256.h"
#include "build/build.h"
#include "build/remote-url.h"

struct build_remote {
	const char *url;
	size_t at;   /* the word's place in its line */
	char *name;  /* of the file, where it goes to a directory; NULL: the URL has none */
	bool pinned; /* digest is what it must be (--checksum), and known before */
	char digest[SHA256_HEX + 1];
	char *dir; /* once it is here: the file "data" in it */
};

#define BUILD_REMOTE_DATA "data"

/* The URL text of instruction i, looked at.  -EINVAL with the place. */
int build_remote_read(struct build *b, const struct df_inst *i, const char *text, size_t at,
	struct build_remote *ret, struct err *err);
/* --checksum: of instruction i, whose only source r is. */
int build_remote_pin(struct build *b, const struct build_state *st, const struct df_inst *i,
	struct build_remote *r, struct err *err);
/* Get it into a new directory below dir, and its digest; one that is pinned has it.  What fails has
 * the place. */
int build_remote_fetch(struct build *b, const struct df_inst *i, const char *dir,
	struct build_remote *r, struct err *err);

#endif
