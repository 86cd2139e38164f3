/* host/account.h - the accounts of a template, as its /etc/passwd and /etc/group have them.
 *
 * Pure: both are a stranger's text.  What of an entry can't stand in a plan, a prompt or a path is
 * not taken from it.
 */
#ifndef BAWN_HOST_ACCOUNT_H
#define BAWN_HOST_ACCOUNT_H

#include "host/identity.h"

#define ACCOUNT_NAME "agent"

struct account_files {
	const char *passwd, *group;  /* their text; NULL: there is none */
	bool has_account, has_group; /* out: for the numbers that were asked for */
};

/* Who id->uid and id->gid are there: user, group and home, and the shell where there is one, become
 * the entry's; without an entry ACCOUNT_NAME's, or another's where that name is taken. */
void account_identity(struct arena *a, struct account_files *f, struct host_identity *id);
/* The uid of "USER[:GROUP]", by name or number; -1: none.  passwd NULL, and what it lacks: id, and
 * root. */
int64_t account_uid(
	struct arena *a, const char *passwd, const char *user, const struct host_identity *id);
/* text with line behind it, on a line of its own.  NULL: out of memory. */
char *account_add(struct arena *a, const char *text, const char *line);
/* Absolute, resolved, not the root, and none of the places that bawn mounts over. */
bool account_path(const char *path);

#endif
