/* secret/secret.h - the store of secrets: CONFIG/secrets/NAME, and CONFIG/secrets/@SANDBOX/NAME for
 * one sandbox alone.
 *
 * Owns: where a secret's value comes from, and the memory it is held in.  Must not: print a value,
 * put one in an error, an argument vector or an environment, or know what a policy does with it.
 *
 * A secret is stored as its value, or as where to get it when it is used: the output of a command
 * on the host, a variable of bawn's environment, a file.  Directories are 0700 and files 0600, both
 * the user's own and no links; what isn't is refused.
 */
#ifndef BAWN_SECRET_SECRET_H
#define BAWN_SECRET_SECRET_H

#include <stdint.h>

#include "base/arena.h"

/* A value, bytes: no longer, no byte below 0x20 and no 0x7f (it has to fit into a header). */
#define SECRET_MAX 16384
#define SECRET_NAME_MAX 64
/* How long a command may take, ms. */
#define SECRET_COMMAND_TIMEOUT 30000

enum secret_source { SECRET_VALUE, SECRET_COMMAND, SECRET_ENV, SECRET_FILE, SECRET_SOURCES };
const char *secret_source_name(enum secret_source s); /* "value", "command", "env", "file" */

/* Memory that is locked, left out of core dumps and of forked children, and erased when freed. */
struct secret_buf {
	char *v; /* n bytes, NUL behind them */
	size_t n, mapped;
};
#define SECRET_BUF_ROOM (SECRET_MAX + 1024) /* bytes that fit in one, and the NUL */
#define _cleanup_secret_ _cleanup_(secret_buf_free)
int secret_buf_alloc(struct secret_buf *ret, struct err *err);
void secret_buf_free(struct secret_buf *b); /* safe on {0} and twice */
/* Read fd to its end and take one line end off; -E2BIG past SECRET_MAX. */
int secret_buf_read(struct secret_buf *b, int fd, struct err *err);

/* Is this a value that can be kept and sent?  0, or -EINVAL / -E2BIG with what is wrong with it
 * (never the value). */
int secret_check_value(const char *v, size_t n, struct err *err);
int secret_check_name(const char *name, struct err *err);

struct secret_info {
	const char *name;
	const char *sandbox; /* NULL: for all */
	enum secret_source source;
	int64_t changed; /* seconds since 1970 */
};

/* config_dir: $XDG_CONFIG_HOME/bawn.  sandbox: NULL, or for this sandbox alone.  text: the value
 * (n bytes), or the command, variable or absolute path.  Replaces what was there, in one step. */
int secret_set(const char *config_dir, const char *sandbox, const char *name,
	enum secret_source source, const char *text, size_t n, struct err *err);

/* 1: there is such a secret in this scope; 0: none; -errno. */
int secret_exists(const char *config_dir, const char *sandbox, const char *name, struct err *err);

/* -ENOENT with the nearest name as the remedy when there is none. */
int secret_remove(const char *config_dir, const char *sandbox, const char *name, struct err *err);

/* Drop all that is for one sandbox (it was removed); none is no error. */
int secret_forget_sandbox(const char *config_dir, const char *sandbox, struct err *err);

/* All there are, sorted by name, user-wide before sandboxes.  No value is read.  0 or -errno. */
int secret_list(struct arena *a, const char *config_dir, struct secret_info **ret, size_t *ret_n,
	struct err *err);

/* Is there a store at all?  Also true where something is wrong with it: using it says what. */
bool secret_any(const char *config_dir);

/* The value: what is stored for the sandbox (NULL: none), else for all, else the first of the
 * variables env (may be NULL) that is set and not empty in this process's environment.  config_dir
 * NULL: there is no store.  *ret is the caller's to free.  0; -ENOENT: there is none anywhere,
 * which is the caller's to judge; other -errno: there is one and it can't be had, with the reason
 * and never the value. */
int secret_get(const char *config_dir, const char *sandbox, const char *name,
	const struct strv *env, struct secret_buf *ret, struct err *err);

#endif
