/* policy/locate.h - where profiles and policies are, and whether their files may be believed.
 *
 * CONFIG/profiles/NAME.yaml before DATA/profiles/NAME.yaml; CONFIG/policies/NAME.yaml before
 * DATA/policies/egress/NAME.yaml; system call policies below policies/syscalls in both.  The user's
 * directories and files must belong to the user (or root), be writable by nobody else, and be no
 * symbolic links.  Everything that was looked at is remembered, as the pack's sources.
 */
#ifndef BAWN_POLICY_LOCATE_H
#define BAWN_POLICY_LOCATE_H

#include "policy/pack-format.h"

struct locate_source {
	const char *path;
	struct source_id id;
	struct locate_source *next;
};

struct locate {
	struct arena *a;
	const char *config_dir, *data_dir;
	struct locate_source *sources;
};

enum locate_kind { LOCATE_PROFILE, LOCATE_POLICY, LOCATE_SYSCALLS, LOCATE_KINDS };

/* A name, or a path when it contains a slash.  *ret: absolute.  0; -ENOENT with the nearest name
 * as the remedy; other -errno. */
int locate_file(struct locate *l, enum locate_kind kind, const char *name, const char **ret,
	struct err *err);

/* The user-wide policy CONFIG/policies/user.yaml; *ret is NULL when there is none. */
int locate_user_policy(struct locate *l, const char **ret, struct err *err);

/* All names, sorted, user's and shipped ones once each. */
int locate_names(struct locate *l, enum locate_kind kind, struct strv *ret, struct err *err);

/* Remember path as a source; must be called before it is read. */
int locate_remember(struct locate *l, const char *path, struct err *err);

#endif
