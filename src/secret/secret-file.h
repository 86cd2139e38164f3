/* secret/secret-file.h - one file of the store, and the directories it is in.
 *
 * Owns: who may own and write them, and the header: "bawn-secret 1 SOURCE", the source padded with
 * spaces to 7, a newline.  What follows is the value, or where to get it.
 */
#ifndef BAWN_SECRET_SECRET_FILE_H
#define BAWN_SECRET_SECRET_FILE_H

#include "secret/secret.h"

#define SECRET_HEADER_LEN 22

/* The directory of a scope (sandbox NULL: of all); make: it and those above it are made where they
 * are missing.  fd; -ENOENT without a message when it isn't there; -EPERM with the remedy when it
 * is not the user's alone. */
int secret_dir(const char *config_dir, const char *sandbox, bool make, struct err *err);

/* Nobody else changes the store while the descriptor of the directory of all is held so. */
int secret_lock(int dir, struct err *err);
/* Under the lock: remove what a writer that was killed has left. */
void secret_sweep(int dir);

/* fd of a secret's file, its owner, mode and links checked; *ret_source and *ret_changed (may be
 * NULL) from it, its offset behind the header.  -ENOENT without a message; other -errno. */
int secret_open(int dir, const char *name, enum secret_source *ret_source, int64_t *ret_changed,
	struct err *err);

#endif
