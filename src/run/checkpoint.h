/* run/checkpoint.h - what the commands about checkpoints share.
 */
#ifndef BAWN_RUN_CHECKPOINT_H
#define BAWN_RUN_CHECKPOINT_H

#include "run/lasting.h"
#include "store/checkpoint.h"
#include "store/layers.h"

/* What becomes of a sandbox's state when it is kept. */
struct kept_state {
	struct strv layers; /* all that it has written, lowest first */
	int hold;           /* the collector is held off until they stand in a spec; -1 */
	int sock;           /* a running sandbox's supervisor; -1: it is at rest, and locked */
	char *id;           /* the layer that was made, NULL: nothing was written since */
};

#define KEPT_STATE_NONE ((struct kept_state){.hold = -1, .sock = -1})

/* Find sandbox name into r->spec: locked (r->box.lock >= 0), or running (*ret_sock), and then
 * everything in it stands still until that is closed. */
int checkpoint_open(struct run *r, const char *name, int *ret_sock, struct err *err);
/* Running: copy, and let it go on.  The layer is made; no spec names it yet. */
int checkpoint_copy(struct run *r, int sock, struct kept_state *ret, struct err *err);
/* Say that a workspace that is worked on directly is no part of it. */
void checkpoint_say_workspace(const struct run *r, const char *what);

#endif
