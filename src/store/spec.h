/* store/spec.h - what a lasting sandbox was created with, and what it is made of: the file
 * BOX/spec.
 *
 * Text, one "key value" a line, in any order but for the first line, "bawn-sandbox 1".  A key of a
 * list may come several times.  Values run to the end of the line; \n, \r and \\ stand for what
 * can't stand there.  An unknown key or a higher version is refused by name: a file of a later bawn
 * is never half understood.  Written beside, synced and renamed.
 */
#ifndef BAWN_STORE_SPEC_H
#define BAWN_STORE_SPEC_H

#include <stdint.h>

#include "base/arena.h"

#define SPEC_VERSION 1
#define SPEC_NAME_MIN 2
#define SPEC_NAME_MAX 64

struct spec {
	char *name;
	char *profile;        /* the one it was created for */
	struct strv profiles; /* others that have entered it */
	char *template;       /* "host", or a reference */
	char *digest;         /* the template's, pinned; NULL for host */
	char *mode;           /* of the workspace: direct, cow, clone, none */
	char *workspace;      /* host path; NULL: none */
	char *branch;         /* clone: the branch it was made for */
	struct strv paths;    /* further PATH[:ro], resolved */
	/* as given to run or create, each as the option takes it */
	struct strv allow, deny, allow_private, policy, mask, allow_exec, host_port, connect_to,
		expose_key, degraded;
	struct strv publish; /* [IP:]HOST:PORT */
	bool offline, no_login, bare_home, clipboard;
	uint64_t ask;          /* seconds that what no rule allows waits for a person, 0: none */
	uint64_t pids, memory; /* processes; bytes; 0: no limit */
	uint64_t cpus;         /* thousandths of a processor, 0: no limit */
	struct strv layers;    /* ids of the frozen layers under it, lowest first */
	char *pending;         /* up/ is to become this layer (store/layers.h) */
	struct strv tags;      /* checkpoints, oldest first (store/checkpoint.h) */
	char *base;            /* the checkpoint that the present state is built on */
	int64_t created, used; /* seconds since the epoch */
};

/* 0; -EINVAL with the rule: 2-64 of a-z A-Z 0-9 . _ -, the first a letter or digit, not "default".
 * That it is no profile's name is the caller's to see. */
int spec_name_check(const char *name, struct err *err);

/* Read dir/spec.  0; -ENOENT when there is none; -EINVAL, with the line, when it is no such file;
 * -EPROTO when a later bawn has written it. */
int spec_read(int dirfd, struct arena *a, struct spec *ret, struct err *err);
/* The old file or the new one, never half.  0 or -errno. */
int spec_write(int dirfd, const struct spec *s, struct err *err);

#endif
