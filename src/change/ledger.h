/* change/ledger.h - what was landed: a file of the sandbox's state.
 *
 * The host's file changes when something is landed on it, and that is no conflict the next time.
 * So the ledger remembers, for each path, which inode with which ctime the sandbox and the host
 * agreed on.  It lies out of the sandbox's reach; a damaged one is read as empty, which makes
 * conflicts, never hides one.
 */
#ifndef BAWN_CHANGE_LEDGER_H
#define BAWN_CHANGE_LEDGER_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"

struct ledger_row {
	const char *path;
	uint64_t ino, ctime;
};

struct ledger {
	struct ledger_row *v; /* sorted by path, then the rows that were added */
	size_t n, cap, n_sorted;
};

/* n bytes of a ledger file; -EBADMSG, and an empty one, when they are none. */
int ledger_read(struct arena *a, const void *data, size_t n, struct ledger *ret);
int ledger_add(struct arena *a, struct ledger *l, const char *path, const struct stat *st);
bool ledger_has(const struct ledger *l, const char *path, const struct stat *st);
/* Beside, synced, renamed. */
int ledger_write(struct ledger *l, int dirfd, const char *name, struct err *err);

#endif
