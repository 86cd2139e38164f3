/* base/err.h - the error object that every fallible function takes as its last argument.
 *
 * Owns: one error's code, message and remedy.  Must not: print or exit.
 * Convention: a fallible function returns >= 0, or -errno after filling *err.  err may be NULL.
 */
#ifndef BAWN_BASE_ERR_H
#define BAWN_BASE_ERR_H

#include <errno.h>

#include "base/macro.h"

struct err {
	int code;      /* positive errno, 0 while nothing failed */
	char msg[768]; /* what failed: one line, no trailing newline, names escaped by the caller */
	char hint[512]; /* what the user can do about it; empty when there is nothing to say */
};

/* Fill *err and return -code (code is a positive errno).  Keeps any hint that is already there. */
int err_set(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* As err_set, with ": strerror(code)" behind the message, and for some codes a hint where there is
 * none yet. */
int err_sys(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* Put "PREFIX: " before the message that is there; returns -err->code. */
int err_prefix(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* Set the remedy. */
void err_hint(struct err *err, const char *fmt, ...) _printf_(2, 3);

#endif
