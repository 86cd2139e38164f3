/* run/image.h - a template as the root of a run, where it is no template host.
 *
 * One overlay on "/": the template's layers, above them BOX/seed-root (what bawn itself puts there
 * at each start: names of the network, accounts where they are missing, the user's settings), then
 * what was written before the last checkpoints, then BOX/up/root.  The agent is uid 1000 inside,
 * whatever its number outside.  Nothing of a template is ever executed or loaded out here.
 */
#ifndef BAWN_RUN_IMAGE_H
#define BAWN_RUN_IMAGE_H

#include "host/stack.h"
#include "run/run.h"
#include "store/templates.h"

#define RUN_IMAGE_UID 1000
#define RUN_IMAGE_PART "root"      /* below up/, work/ and frozen layers */
#define RUN_IMAGE_SEED "seed-root" /* in the box */

struct run_image {
	struct templates store;
	char *ref; /* as a person writes it */
	struct template t;
	struct strv layers; /* host paths, lowest first */
	struct host_stack_known *known;
	char *seed;                  /* host path of the box's seed-root */
	bool has_account, has_group; /* for our numbers, in its own /etc */
	int hold;          /* on the store, until a spec or `use` names the template; -1 */
	int use;           /* of a run that leaves no spec; -1 */
	const char *added; /* run_ca_added, once it was looked for */
	bool looked;
	bool outside; /* settings were put into seed that are not in the home */
	bool whole;   /* all that bawn puts into seed and beside it is there (run-kept.c) */
};

/* ref as given, digest where one is pinned ("sha256:HEX", NULL: what the reference means now).
 * "host" and NULL: there is none.  Sets r->image and r->inside; safe to call again. */
int run_image_open(struct run *r, const char *ref, const char *digest, struct err *err);
/* A reference as the spec of a sandbox has it, or what was given; NULL for NULL. */
const char *run_image_name(struct run *r, const char *ref);
/* Is that the digest, or its first digits? */
bool run_image_same(const char *ref, const char *digest);
/* Where a session without a workspace begins. */
const char *run_image_cwd(struct run *r);
/* Something on disk names it from here on. */
void run_image_release(struct run *r);
void run_image_close(struct run *r);

/* Where the box has the home that is put together before a start, and nothing in it. */
void run_image_box(struct run *r);
int run_image_reset(struct run *r, struct err *err);
/* Names of the network, accounts, the directories that mounts go to: into seed-root. */
int run_image_seed(struct run *r, struct err *err);
/* run-kept.c: where the box of a run like this one is kept, NULL: nowhere; and, when nothing runs
 * inside any more, whether this one will be. */
const char *run_kept_place(struct run *r);
void run_kept_decide(struct run *r);
/* What earlier starts found in the template's layers, and what this one did. */
void run_stack_recall(struct run *r, struct run_image *m, const struct host_stack *s);
void run_stack_keep(struct run *r, const struct run_image *m);
/* run-ca.c */
#define RUN_CA_DIR "ca" /* in the box */
/* What this machine's administrator trusts beside, for a template; NULL: nothing. */
const char *run_ca_added(struct run *r);
/* run-root.c: sudo, su, and what package managers need to know; into seed-root.  s: the template.
 */
int run_root_seed(struct run *r, const struct host_stack *s, struct err *err);
/* The same in the plan, and whether anything inside can be root. */
void run_root_rows(struct run *r);
/* For bawn-admin seed: what lies below what it writes. */
void run_image_below(struct run *r, struct strv *argv);
/* Has the template that file in the agent's home? */
bool run_image_has(struct run *r, const char *name);
/* All layers as the next start stacks them, but for seed-root. */
struct host_stack run_image_stack(struct run *r);

/* For a session that is not the agent's: as user (NULL: the image's own, where there is no
 * workspace), in the image's working directory where one is named.  -EINVAL where nobody can be
 * that. */
int run_image_user(struct run *r, const char *user, struct err *err);

/* The program that p->argv begins with.  127 or 126 in r->unfit where it isn't there. */
int run_image_exe(struct run *r, struct err *err);
/* Which version of the tool it has; NULL: it can't be told. */
const char *run_image_version(struct run *r);
/* The account's shell, or one that is there; NULL: there is none. */
const char *run_image_shell(struct run *r);
/* What the environment begins with: the image's own, and the host's that passes. */
void run_image_env(struct run *r);
const char *run_image_path(const struct run *r);

#endif
