/* login/work.h - what is done with the bytes of a log-in's file and of a token endpoint: each piece
 * of work in a process of its own that can do nothing else.
 */
#ifndef BAWN_LOGIN_WORK_H
#define BAWN_LOGIN_WORK_H

#include "login/tokens.h"

#define WORK_FILE_MAX ((size_t)256 * 1024)

enum work {
	WORK_LOOK,  /* at the file: token, expires, renewable */
	WORK_ASK,   /* the endpoint, by the file's refresh token: token, refresh, id, expires */
	WORK_APPLY, /* these to the file: text */
};

/* text: the file.  sock: connected, for WORK_ASK (-1 else).  in: for WORK_APPLY.  Strings of *ret
 * lie in arena.  0, or -errno. */
int work_do(struct arena *a, enum work what, const struct json_doc *spec, const char *text,
	int sock, const struct work_values *in, struct work_values *ret, struct err *err);

#endif
