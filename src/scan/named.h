/* scan/named.h - places in the workspace that a setting of the host's own git names: files that its
 * configuration goes on in, programs that it starts from there, files that it believes.  Pure.
 */
#ifndef BAWN_SCAN_NAMED_H
#define BAWN_SCAN_NAMED_H

#include "base/arena.h"

enum named_flag {
	NAMED_CONFIG = 1, /* it is read as git's configuration itself */
	NAMED_ASKED = 2,  /* it runs when the user asks for it by name */
	NAMED_WORD = 4,   /* a word of a command: a directory of that name is none */
};

struct named_from {
	struct arena *a;
	const char *root; /* absolute, resolved: what is not below it is left out */
	const char *dir;  /* of the file that the setting stands in, for includes */
	const char *home; /* or NULL */
};

/* key as git prints it (section and variable in lower case).  rel is below root, may not be there,
 * and lives as long as the arena, as does why.  Words of a command are taken for paths: whoever
 * asks whether they are there, and changed, sees which are. */
typedef void (*named_fn)(void *ctx, const char *rel, const char *why, unsigned int flags);
void named_by_git(
	const struct named_from *from, const char *key, const char *value, named_fn fn, void *ctx);
/* The same of all settings of the user's own git (key, value, key, value ...), which stand in the
 * home or in its .config/git: git doesn't say which. */
void named_by_user(struct arena *a, const char *root, const char *home, const struct strv *settings,
	named_fn fn, void *ctx);

#endif
