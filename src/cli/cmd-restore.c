/* cli/cmd-restore.c - bawn restore, bawn undo, bawn fork: back to a checkpoint, and from one state
 * into several sandboxes
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include "run/checkpoint.h"
#include "run/clone.h"
#include "cli/command.h"
#include "cli/verb.h"

enum { OPT_COUNT };

#define FORKS_MAX 1000

/* ---- restore ---- */

/* What was written since the last freeze becomes a layer of its own: its id, or NULL. */
static char *freeze(struct run *r)
{
	char *id = layers_changed(&r->box) ? layer_id_new(&r->arena) : NULL;
	if (id)
		strv_push(&r->arena, &r->spec.layers, id);
	return id;
}

/* The state there is, where no checkpoint has it, is put aside as "undone". */
static int put_aside(struct run *r, char **ret_id, struct err *err)
{
	struct checkpoint base,
		c = {.tag = arena_dup(&r->arena, CHECKPOINT_UNDONE),
			.time = (int64_t)time(NULL),
			.parent = r->spec.base};
	struct err ignored = {0};
	*ret_id = freeze(r);
	if (!*ret_id && r->spec.base &&
		checkpoint_find(&r->arena, &r->spec, r->spec.base, &base, &ignored) == 0 &&
		strv_same(&base.layers, &r->spec.layers))
		return 0;
	if (!*ret_id && !r->spec.layers.n)
		return 0; /* nothing at all */
	if (c.parent && streq(c.parent, CHECKPOINT_UNDONE))
		c.parent = NULL; /* it is about to be replaced */
	for (size_t i = 0; i < r->spec.layers.n; i++)
		strv_push(&r->arena, &c.layers, r->spec.layers.v[i]);
	return checkpoint_put(&r->arena, &r->spec, &c, err);
}

static int go_back(struct run *r, const struct checkpoint *to, const char *command, struct err *err)
{
	char *id;
	int k = put_aside(r, &id, err);
	if (k < 0)
		return k;
	r->spec.layers = to->layers;
	r->spec.base = streq(to->tag, CHECKPOINT_UNDONE) ? to->parent : to->tag;
	k = layers_check(&r->store, &r->arena, &r->spec, err);
	if (k == 0)
		k = store_switch(&r->store, &r->arena, &r->box, &r->spec, id, err);
	if (k == 0)
		layers_collect(&r->store, NULL); /* an earlier "undone"; or the next command does */
	if (k == 0)
		checkpoint_say_workspace(r, command);
	return k;
}

/* Locked and at rest, with its spec as it is now. */
static int take(struct run *r, const char *name, struct err *err)
{
	int k = lasting_lock(r, name, err);
	return k < 0 ? k : lasting_find_name(r, name, err);
}

static int restore(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct checkpoint to;
	(void)ctx, (void)n;
	int k = take(r, word[0], err);
	if (k == 0)
		k = checkpoint_find(&r->arena, &r->spec, word[1], &to, err);
	return k == 0 ? go_back(r, &to, "restore", err) : k;
}

int cmd_restore(int argc, char **argv)
{
	static const struct verb v = {.usage = "restore NAME TAG",
		.help = "Bring a stopped sandbox back to a checkpoint.  Later checkpoints stay; "
			"what\n"
			"was not in one is kept as checkpoint \"undone\" until the next restore or "
			"undo.",
		.examples = "  bawn restore claude-project before-upgrade\n",
		.rows = verb_no_rows,
		.min = 2,
		.max = 2,
		.what = "which sandbox and which checkpoint",
		.ends = true,
		.run = restore};
	struct run r;
	return verb_main(&v, &r, NULL, argc, argv);
}

/* ---- undo ---- */

/* The last checkpoint, where something was written since; else the one before it. */
static int find_last(struct run *r, struct checkpoint *ret, struct err *err)
{
	struct checkpoint c;
	if (!r->spec.base) {
		err_hint(err, "bawn checkpoints %s lists those there are", r->spec.name);
		return err_set(
			err, ENOENT, "there is no checkpoint before what %s is now", r->spec.name);
	}
	int k = checkpoint_find(&r->arena, &r->spec, r->spec.base, &c, err);
	if (k < 0)
		return k;
	if (!layers_changed(&r->box) && strv_same(&c.layers, &r->spec.layers)) {
		if (!c.parent) {
			err_hint(err, "bawn checkpoints %s lists all", r->spec.name);
			return err_set(err, ENOENT,
				"%s is at its first checkpoint, %s, and nothing was changed since",
				r->spec.name, c.tag);
		}
		k = checkpoint_find(&r->arena, &r->spec, c.parent, &c, err);
	}
	*ret = c;
	return k;
}

static int undo(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct checkpoint to;
	(void)ctx, (void)n;
	int k = take(r, word[0], err);
	if (k == 0)
		k = find_last(r, &to, err);
	if (k == 0)
		k = go_back(r, &to, "undo", err);
	if (k == 0)
		puts(to.tag);
	return k;
}

int cmd_undo(int argc, char **argv)
{
	static const struct verb v = {.usage = "undo NAME",
		.help = "Bring a stopped sandbox back to its last checkpoint, or, where nothing "
			"was\n"
			"changed since that, to the one before; print its tag.  What was not in a\n"
			"checkpoint is kept as \"undone\" until the next restore or undo.",
		.examples = "  bawn undo claude-project\n",
		.rows = verb_no_rows,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.ends = true,
		.run = undo};
	struct run r;
	return verb_main(&v, &r, NULL, argc, argv);
}

/* ---- fork ---- */

static int parse_count(void *ctx, int id, const char *value, struct err *err)
{
	char *end;
	(void)id;
	long n = *value >= '0' && *value <= '9' ? strtol(value, &end, 10) : 0;
	if (n < 1 || n > FORKS_MAX || *end)
		return err_set(
			err, EINVAL, "'%.20s' is not a number from 1 to %d", value, FORKS_MAX);
	*(long *)ctx = n;
	return 0;
}

static int check_free(struct run *r, const char *name, struct err *err)
{
	struct spec other;
	struct err ignored = {0};
	int k = spec_name_check(name, err);
	if (k < 0)
		return k;
	if (lasting_is_profile(r, name)) {
		err_hint(err, "add something to it: %s-1", name);
		return err_set(err, EINVAL, "'%s' is a profile's name", name);
	}
	if (store_sandbox_find(&r->store, &r->arena, name, &other, &ignored) == -ENOENT)
		return 0;
	err_hint(err, "bawn rm %s removes it; or take another name", name);
	return err_set(err, EEXIST, "there is a sandbox %s already", name);
}

/* NEW, or NEW-1 ... NEW-N. */
static int new_names(struct run *r, const char *name, long count, struct strv *ret, struct err *err)
{
	int k = 0;
	for (long i = 1; k == 0 && i <= (count ? count : 1); i++) {
		if (count)
			strv_addf(&r->arena, ret, "%s-%ld", name, i);
		else
			strv_add(&r->arena, ret, name);
		k = arena_check(&r->arena, err);
		if (k == 0)
			k = check_free(r, ret->v[ret->n - 1], err);
	}
	return k;
}

/* What the new ones are made of; the sandbox itself stays as it is. */
static int keep(struct run *r, int sock, struct kept_state *ret, struct err *err)
{
	if (sock >= 0)
		return checkpoint_copy(r, sock, ret, err);
	ret->hold = layers_hold(&r->store, err);
	if (ret->hold < 0)
		return ret->hold;
	ret->id = freeze(r);
	ret->layers = r->spec.layers;
	return ret->id ? store_switch(&r->store, &r->arena, &r->box, &r->spec, ret->id, err) : 0;
}

static int make_one(
	struct run *r, const char *name, const struct kept_state *state, struct err *err)
{
	struct store_box b;
	struct spec s = r->spec;
	struct err ignored = {0};
	s.name = arena_dup(&r->arena, name);
	s.layers = state->layers;
	s.pending = NULL;
	s.publish = (struct strv){0}; /* a port of the host can be one sandbox's alone */
	s.created = (int64_t)time(NULL);
	checkpoint_remove(&r->arena, &s, CHECKPOINT_UNDONE, &ignored); /* that is not its own */
	/* without it an edit of the host's from before the fork would be no conflict */
	_cleanup_close_ int from = streq(s.mode, "cow")
		? open(path_join(&r->arena, r->store.sandboxes, r->spec.name),
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
		: -1;
	int k = store_sandbox_create(&r->store, &r->arena, &s, from, &b, err);
	if (k == 0)
		store_sandbox_release(&b);
	if (k == 0 && streq(s.mode, "clone"))
		clone_remote_add(r, &s);
	return k;
}

static int fork_all(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct strv names = {0};
	struct kept_state state = KEPT_STATE_NONE;
	int sock = -1, k = new_names(r, word[1], *(long *)ctx, &names, err);
	(void)n;
	if (k == 0)
		k = checkpoint_open(r, word[0], &sock, err);
	if (k == 0)
		k = keep(r, sock, &state, err);
	for (size_t i = 0; k == 0 && i < names.n; i++) {
		/* Ctrl-C counts between two: each is whole, with its remote in git's config, and
		 * said */
		sigset_t ends, old;
		session_signals(&ends);
		sigprocmask(SIG_BLOCK, &ends, &old);
		k = make_one(r, names.v[i], &state, err);
		if (k == 0)
			puts(names.v[i]);
		fflush(stdout);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	if (k == 0)
		checkpoint_say_workspace(r, "fork");
	if (state.hold >= 0)
		close(state.hold);
	if (sock >= 0)
		close(sock);
	return k;
}

int cmd_fork(int argc, char **argv)
{
	static const struct option_row rows[] = {
		{"count", 'n', "N", "make NEW-1 to NEW-N", OPT_COUNT}, VERB_HELP_ROW, {0}};
	static const struct verb v = {.usage = "fork [--count N] NAME NEW",
		.help = "Make a sandbox NEW that begins with all that NAME has now, and print its\n"
			"name.  They share what was written before, and nothing of what is written "
			"after.",
		.examples = "  bawn fork claude-project attempt\n"
			    "  bawn fork --count 4 claude-project attempt\n",
		.rows = rows,
		.option = parse_count,
		.min = 2,
		.max = 2,
		.what = "which sandbox, and what is the new one's name",
		.ends = true,
		.run = fork_all};
	struct run r;
	long count = 0;
	return verb_main(&v, &r, &count, argc, argv);
}
