/* change-world.h - a workspace, an overlay of it and bawn-change, for the tests of the change room.
 */
#ifndef BAWN_TESTS_CHANGE_WORLD_H
#define BAWN_TESTS_CHANGE_WORLD_H

#include "unit.h"

#include <limits.h>
#include <sys/stat.h>

#include "change/result.h"

struct world {
	char dir[64];
	char base[80], up[80], low[80], trash[80], ledger[80];
	uint64_t since[4];
	size_t n_since;
	struct arena a;
	struct change_result res;
	struct err err;
};

extern char world_helper[PATH_MAX];

int world_setup(void **state);
int world_teardown(void **state);

/* dir: w->base, w->up, ...; parents are made. */
void world_put(const char *dir, const char *name, const void *data, size_t n, mode_t mode);
void world_text(const char *dir, const char *name, const char *text);
void world_link(const char *dir, const char *name, const char *to);
void world_whiteout(const char *dir, const char *name);
void world_dir(const char *dir, const char *name, bool opaque);
char *world_path(const char *dir, const char *name); /* static */

/* The sandbox has started: what is written from here on counts as meanwhile. */
void world_start(struct world *w);

/* Fill a request; lower: with the frozen layer w->low. */
struct change_request world_request(struct world *w, enum change_op op, bool lower);
/* Run it; text_fd -1: none.  What change_collect says. */
int world_run(struct world *w, const struct change_request *q, int text_fd);
/* ... or fail. */
void world_must(struct world *w, const struct change_request *q, int text_fd);
const struct change_item *world_item(const struct world *w, const char *path);

/* Mount the overlay in namespaces of its own and run a shell script in it. */
void world_inside(struct world *w, bool lower, const char *script);
/* A shell script in w->dir; its exit status. */
int world_sh(const struct world *w, const char *script);
void world_sh_ok(const struct world *w, const char *script);

#endif
