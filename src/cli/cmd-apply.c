/* cli/cmd-apply.c - bawn apply, bawn discard: taking over what a sandbox changed, or undoing it */
#include <limits.h>

#include "base/escape.h"
#include "run/changes.h"
#include "cli/command.h"
#include "cli/verb.h"

#define LIST_MAX 40

enum { OPT_DRY_RUN, OPT_ALLOW_EXEC, OPT_OVERWRITE, OPT_REST, OPT_JSON, OPT_ALL };

struct asked {
	struct arena arena;
	struct strv allow_exec, overwrite;
	bool dry_run, rest, json, all;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	int k = 0;
	switch (id) {
	case OPT_ALLOW_EXEC:
		k = strv_add(&o->arena, &o->allow_exec, value);
		break;
	case OPT_OVERWRITE:
		k = strv_add(&o->arena, &o->overwrite, value);
		break;
	case OPT_DRY_RUN:
		o->dry_run = true;
		break;
	case OPT_REST:
		o->rest = true;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	default:
		o->json = true;
	}
	return k < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- apply ---- */

/* Paths that belong together are told once. */
static bool same_group(const struct change_item *a, const struct change_item *b)
{
	return a->per && a->per == b->per && a->group == b->group && a->state == b->state &&
		strncmp(a->path, b->path, a->group) == 0;
}

static bool is_line(const struct change_result *res, size_t i)
{
	const struct change_item *it = &res->v[i];
	return it->state > CHANGE_DISCARDED && !(i && same_group(it, it - 1));
}

static void tell_blocked(const struct change_result *res)
{
	char path[1024];
	size_t told = 0, more = 0;
	for (size_t i = 0; i < res->n; i++) {
		const struct change_item *it = &res->v[i];
		if (!is_line(res, i))
			continue;
		if (told++ >= LIST_MAX) {
			more++;
			continue;
		}
		if (it->state == CHANGE_EXEC) {
			char *name = strndup(it->path, it->group);
			escape_text(path, sizeof(path), name ? name : it->path);
			free(name);
			fprintf(stderr, "  runs code  %s: %s (PER-%02u), %s\n", path, it->what,
				it->per, it->automatic ? "by itself" : "when its tool is used");
		} else {
			escape_text(path, sizeof(path), it->path);
			fprintf(stderr, "  %-9s  %s: %s\n", changes_state(it), path, it->detail);
		}
	}
	if (more)
		fprintf(stderr, "  ... and %zu more: --dry-run --json lists all\n", more);
}

static size_t count(const struct change_result *res, enum change_state s)
{
	size_t n = 0;
	for (size_t i = 0; i < res->n; i++)
		n += res->v[i].state == s;
	return n;
}

/* A yes to what was not shown would be none: whoever works inside can make so much of it. */
static bool fits_list(const struct change_result *res)
{
	size_t lines = 0;
	for (size_t i = 0; i < res->n; i++)
		lines += is_line(res, i);
	return lines <= LIST_MAX;
}

/* Everything that is in the way would run code, and there is somebody to ask. */
static bool ask(const struct change_result *res)
{
	char answer[16];
	if (!fits_list(res) || count(res, CHANGE_EXEC) != res->n_blocked || !isatty(STDIN_FILENO) ||
		!isatty(STDERR_FILENO))
		return false;
	fputs("bawn: these make the host run code later:\n", stderr);
	tell_blocked(res);
	fprintf(stderr, "Land them too? [y/N] ");
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/* Exactly what was shown, and nothing that comes up meanwhile. */
static void allow_shown(struct run *r, struct changes *c)
{
	for (size_t i = 0; i < c->res.n; i++)
		if (c->res.v[i].state == CHANGE_EXEC)
			strv_add(&r->arena, &c->req.allow_exec, c->res.v[i].path);
}

static void tell_remedy(const struct change_result *res)
{
	if (count(res, CHANGE_EXEC))
		fputs("bawn: look at them, then --allow-exec PATH for each (or a directory)\n",
			stderr);
	if (count(res, CHANGE_CONFLICT))
		fputs("bawn: --overwrite PATH takes the sandbox's; bawn discard drops it\n",
			stderr);
	if (!res->done)
		fputs("bawn: --rest lands everything else\n", stderr);
}

/* Modes land as they are, and inside nobody else is there (FS-30). */
static void tell_open(struct run *r, const struct change_result *res)
{
	char path[1024];
	size_t n = 0;
	for (size_t i = 0; i < res->n; i++) {
		const struct change_item *it = &res->v[i];
		bool lands = it->state == CHANGE_LANDED || it->state == CHANGE_SEEN;
		/* a link's own mode says nothing */
		const bool was = it->old_type != CHANGE_LINK && (it->old_mode & 02);
		if (!lands || it->type == CHANGE_LINK || !(it->mode & 02) || was)
			continue;
		if (n++ == 0)
			run_message(r, "writable by every user of this machine:");
		if (n <= LIST_MAX)
			fprintf(stderr, "  %s\n", escape_text(path, sizeof(path), it->path));
	}
	if (n > LIST_MAX)
		fprintf(stderr, "  ... and %zu more\n", n - LIST_MAX);
}

static int report(struct run *r, const struct changes *c, const struct asked *o)
{
	const struct change_result *res = &c->res;
	char path[PATH_MAX * 4];
	if (o->json)
		changes_json(res, true);
	for (size_t i = 0; i < res->n && o->dry_run && !o->json; i++)
		if (res->v[i].state == CHANGE_SEEN)
			printf("%-9s %s\n", changes_kind(&res->v[i]),
				escape_text(path, sizeof(path), res->v[i].path));
	size_t blocked = res->n_blocked + res->n_failed;
	if (!res->n)
		run_message(r, "nothing to land");
	else if (o->dry_run)
		run_message(r, "%zu would be landed, %zu not", (size_t)count(res, CHANGE_SEEN),
			blocked);
	else
		run_message(r,
			res->done ? "%zu landed, %zu not"
				  : "nothing was landed (%zu, %zu "
				    "in the way)",
			(size_t)res->n_landed, blocked);
	if (res->done || o->dry_run)
		tell_open(r, res);
	if (blocked) {
		tell_blocked(res);
		tell_remedy(res);
	}
	return blocked ? 1 : 0;
}

static int land(struct run *r, struct changes *c, const struct asked *o, struct err *err)
{
	int k = 0;
	c->req.op = CHANGE_APPLY;
	c->req.dry_run = o->dry_run;
	c->req.rest = o->rest;
	for (size_t i = 0; i < o->allow_exec.n && k == 0; i++)
		k = changes_path(r, c, o->allow_exec.v[i], &c->req.allow_exec, err);
	for (size_t i = 0; i < o->overwrite.n && k == 0; i++)
		k = changes_path(r, c, o->overwrite.v[i], &c->req.overwrite, err);
	if (k == 0 && !c->empty && !c->req.n_since)
		return err_set(err, EINVAL, "the sandbox has no record of its start");
	if (k == 0)
		k = changes_run(r, c, -1, err);
	if (k == 0 && !c->res.done && !o->dry_run && c->res.n_blocked && ask(&c->res)) {
		allow_shown(r, c);
		k = changes_run(r, c, -1, err);
	}
	return k;
}

static int apply(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct changes c = CHANGES_NONE;
	int k = changes_open(r, word[0], word + 1, n - 1, true, &c, err);
	if (k == 0)
		k = land(r, &c, o, err);
	int code = k < 0 ? k : report(r, &c, o);
	store_sandbox_release(&r->box);
	changes_close(&c);
	return code;
}

static const struct option_row apply_rows[] = {
	{"dry-run", 'n', NULL, "say what would be landed, and what not", OPT_DRY_RUN},
	{"allow-exec", 0, "PATH", "land it although the host would run it (again for more)",
		OPT_ALLOW_EXEC},
	{"overwrite", 0, "PATH", "land it although the host changed its own meanwhile",
		OPT_OVERWRITE},
	{"rest", 0, NULL, "land what can be landed where something is in the way", OPT_REST},
	{"json", 0, NULL, "print JSON", OPT_JSON}, VERB_HELP_ROW, {0}};

int cmd_apply(int argc, char **argv)
{
	static const struct verb v = {.usage = "apply [OPTIONS] NAME [PATH...]",
		.help = "Land on the workspace what a sandbox changed, or a part of it.",
		.examples = "  bawn apply --dry-run claude-project\n"
			    "  bawn apply --allow-exec package.json claude-project src "
			    "package.json\n",
		.rows = apply_rows,
		.option = option,
		.min = 1,
		.max = -1,
		.what = "which sandbox",
		.ends = true,
		.run = apply};
	struct asked o = {0};
	struct run r;
	int code = verb_main(&v, &r, &o, argc, argv);
	arena_free(&o.arena);
	return code;
}

/* ---- discard ---- */

static int discard(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct changes c = CHANGES_NONE;
	if (o->all == (n > 1)) {
		err_hint(err, "bawn discard --all %s drops everything", word[0]);
		return err_set(err, EINVAL, "paths or --all, one of both");
	}
	int k = changes_open(r, word[0], word + 1, n - 1, true, &c, err);
	if (k == 0 && c.req.running) {
		err_hint(err, "bawn stop %s", word[0]);
		k = err_set(err, EBUSY, "sandbox %s is running", word[0]);
	}
	c.req.op = CHANGE_DISCARD;
	if (k == 0)
		k = changes_run(r, &c, -1, err);
	if (k == 0)
		run_message(r, c.res.n ? "%zu dropped" : "nothing to drop", c.res.n);
	store_sandbox_release(&r->box);
	changes_close(&c);
	return k < 0 ? k : 0;
}

static const struct option_row discard_rows[] = {
	{"all", 'a', NULL, "everything", OPT_ALL}, VERB_HELP_ROW, {0}};

int cmd_discard(int argc, char **argv)
{
	static const struct verb v = {.usage = "discard NAME PATH...|--all",
		.help = "Drop what a sandbox changed: the paths show the host's again.",
		.examples = "  bawn discard claude-project src/parser.c\n"
			    "  bawn discard --all claude-project\n",
		.rows = discard_rows,
		.option = option,
		.min = 1,
		.max = -1,
		.what = "which sandbox",
		.ends = true,
		.run = discard};
	struct asked o = {0};
	struct run r;
	int code = verb_main(&v, &r, &o, argc, argv);
	arena_free(&o.arena);
	return code;
}
