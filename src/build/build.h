/* build/build.h - carrying a Dockerfile out: stages, their state, steps, the cache of steps.
 *
 * Theory of operation.  A stage is a list of layers and a configuration.  What changes files makes
 * one layer more: its upper directory is filled in a directory of the store's tmp/, by a child
 * (COPY, ADD, WORKDIR) or by a sandbox (RUN), gets its frame and digest there (bawn-layer adopt),
 * and its place by rename.  What it was made of (the layers below, the instruction after expansion,
 * digests of what was copied) is its key: cache/KEY names the layer, so that the same step is not
 * done twice. Nothing has a name before the end: a build that fails leaves layers that the cache
 * names, no more.
 *
 * Must not: read JSON, or let anything of a stage be executed out here.
 */
#ifndef BAWN_BUILD_BUILD_H
#define BAWN_BUILD_BUILD_H

#include "base/path.h"
#include "build/dockerfile.h"
#include "build/expand.h"
#include "build/ignore.h"
#include "build/mount.h"
#include "build/tree.h"
#include "build/view.h"
#include "store/templates.h"

#define BUILD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct build_opt {
	const char *file, *context, *target, *platform, *progress, *id_file;
	struct strv tags, args, labels, secrets; /* K=V; id=..,src=.. */
	bool no_cache, pull, push, quiet;
};

struct build_state {
	struct strv layers; /* diff_ids, lowest first */
	struct strv env;    /* K=V */
	struct strv args;   /* ARGs that are declared here and have a value: K=V */
	struct strv shell;  /* NULL elements never; empty: /bin/sh -c */
	char *user, *workdir;
	char *config; /* the base's, byte for byte; NULL: none */
	size_t n_config;
	struct strv changes; /* to it, as image_edit_config() takes them */
	struct strv onbuild; /* what a stage made of this one does first */
	bool cmd_set;        /* a CMD has stood here: ENTRYPOINT leaves it */
};

struct build_stage {
	struct df_inst *from;
	size_t first, n;  /* instructions behind FROM, in d.v */
	const char *name; /* in small letters; NULL: none */
	char *base;       /* after expansion */
	int parent;       /* stage that it begins as; -1: an image or nothing */
	bool needed, done;
	struct build_state st;
};

struct build {
	struct arena a;
	struct build_opt opt;
	struct path_install install;
	struct path_xdg xdg;
	struct templates store;
	int hold;                     /* on the store; -1 */
	int context;                  /* descriptor; -1 */
	struct template_making given; /* what holds it, where it came from elsewhere */
	bool foreign;                 /* it did: nothing in it is opened but beneath it */
	bool unpacked;                /* as an archive */
	bool has_ignore;
	struct ignore ignore;
	struct dockerfile d;     /* what is being carried out: the file, or an image's trigger */
	struct dockerfile *file; /* the file, meanwhile; NULL: it is d */
	struct strv meta;        /* ARGs before the first FROM, and the platform's: K=V */
	struct strv pulled;      /* --pull: what came already */
	struct strv used;        /* names of --build-arg that an ARG has taken */
	struct build_stage *stages;
	int n_stages, target;
	size_t steps, step; /* of the stages that are needed; the one at hand */
	bool terminal;
	const struct df_inst *at; /* what a failure is about */
};

/* main.c: the store is open, and held. */
int build_hold(struct build *b, struct err *err);

/* context.c: the context, the Dockerfile and what .dockerignore says. */
int build_context_open(struct build *b, struct err *err);

/* archive.c */
enum build_archive { BUILD_ARCHIVE_NONE, BUILD_ARCHIVE_PLAIN, BUILD_ARCHIVE_PACKED };
/* What the file fd begins as. */
enum build_archive build_archive_kind(int fd);
/* Its content as a tree in dir/fs.  1; 0: it is no tar after all. */
int build_archive_unpack(
	struct build *b, int fd, int dir, enum build_archive kind, struct err *err);

/* stages.c: the stages, which of them the target needs, and what each begins as. */
int build_stages(struct build *b, struct err *err);
/* A stage by name or number, before stage `before`; -1: there is none. */
int build_stage_find(const struct build *b, const char *name, int before);
/* Carry a stage out that is not yet (carry.c): what only a trigger copies from is not known before.
 */
int build_stage_ready(struct build *b, int stage, struct err *err);
/* The state that a base image gives: b->store must be held. */
int build_base(struct build *b, const char *ref, struct build_state *ret, struct err *err);
/* Have bawn template VERB REF done, which says itself what fails.  Its exit status, or -errno. */
int build_template_verb(struct build *b, const char *verb, const char *ref, struct err *err);

/* words.c: variables. */
struct build_words {
	struct build *b;
	const struct build_state *st; /* NULL: before the first FROM */
};
struct expand build_expand(struct build_words *w);
/* One word of instruction i, with its place in the error. */
int build_word(struct build *b, const struct build_state *st, const struct df_inst *i,
	const char *word, size_t at, char **ret, struct err *err);
/* What ARG pair p means: its value, NULL for none.  meta: before the first FROM. */
int build_arg(struct build *b, struct build_state *st, const struct df_inst *i,
	const struct df_pair *p, struct err *err);
/* The variables of the platform, and the rest of what is known before the first line. */
int build_words_begin(struct build *b, struct err *err);
/* Those that a RUN has without being declared (proxies), which are in no key. */
void build_proxies(struct build *b, struct strv *env);
bool build_is_proxy(const char *name);

/* meta.c: instructions that change the configuration alone.  1: done; 0: it is no such. */
int build_meta(struct build *b, struct build_state *st, const struct df_inst *i, struct err *err);
/* text relative to the stage's WORKDIR, folded: always absolute. */
char *build_path(struct build *b, const struct build_state *st, const char *text);

/* steps.c: layers. */
#define BUILD_LINKS "links" /* in DIR, of make(): whose links and FIFOs are (links.h), if any */

struct build_step {
	const char *what; /* for the history */
	const char *key;  /* 64 hex digits */
	int (*make)(struct build *b, struct build_state *st, struct build_step *s, const char *dir,
		struct err *err); /* fills DIR/fs */
	void *ctx;
	struct build_owner owner; /* of what says nothing of one */
};
/* The cached layer, or a new one, on top of st. */
int build_step_run(struct build *b, struct build_state *st, struct build_step *s, struct err *err);
/* Host directories of st's layers, top first. */
struct strv build_lowers(struct build *b, const struct build_state *st);
/* sha256 over NUL-ended parts, NULL ends the list. */
char *build_key(struct build *b, const struct build_state *st, const char *const *part, size_t n);

/* owners.c: what in DIR/fs was root's below, and says nothing of an owner, stays root's. */
int build_keep_owners(
	struct build *b, const struct build_state *st, const char *dir, struct err *err);

/* owners.c: what in DIR/fs a command has given the mode that it saw loses the bits that it did not
 * see. */
int build_drop_set_id(
	struct build *b, const struct build_state *st, const char *dir, struct err *err);

/* copy.c, run.c */
int build_copy(struct build *b, struct build_state *st, int stage, const struct df_inst *i,
	struct err *err);
int build_workdir(
	struct build *b, struct build_state *st, const struct df_inst *i, struct err *err);
/* `bawn __step` as it is asked by req (run/step.h).  Its exit status, or -errno. */
struct blob;
int build_spawn_step(struct build *b, const struct blob *req, struct err *err);
int build_run(struct build *b, struct build_state *st, int stage, const struct df_inst *i,
	struct err *err);

/* finish.c: the target becomes a template. */
int build_finish(struct build *b, char ret_id[static 65], struct err *err);

/* say.c: what is printed, on stderr. */
void build_say_step(struct build *b, const char *what, bool cached);
void build_say(struct build *b, const char *fmt, ...) _printf_(2, 3);

#endif
