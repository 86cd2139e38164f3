/* plan/wire-exec.h - one more program in a running sandbox, as bytes: a sealed memfd for pid 1.
 *
 * As plan/wire.h: native byte order, one build; strings point into the mapping.
 */
#ifndef BAWN_PLAN_WIRE_EXEC_H
#define BAWN_PLAN_WIRE_EXEC_H

#include "base/arena.h"
#include "base/blob.h"

struct wire_exec_head {
	uint32_t magic;
	uint32_t n_argv, n_env;
	uint32_t umask;
	uint16_t rows, cols; /* of the pty, 0: unknown */
	uint8_t tty_fds;     /* bit i: descriptor i is the session's pty; the others come along */
	uint8_t as_root;     /* by emulation (plan/sudo.h); refused where the plan has no sudo */
	uint8_t pad[2];
};

struct wire_exec {
	struct wire_exec_head head;
	const char *cwd, *exe;
	const char **argv, **env; /* NULL at their ends */
};

int wire_exec_write(const struct wire_exec_head *head, const char *cwd, const char *exe,
	const struct strv *argv, const struct strv *env, struct blob *ret, struct err *err);
/* 0 or -EBADMSG; wire_exec_free() releases the arrays only. */
int wire_exec_read(const void *data, size_t n, struct wire_exec *ret, struct err *err);
void wire_exec_free(struct wire_exec *w);

#endif
