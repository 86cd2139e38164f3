/* cli/cmd-checkpoint.c - bawn checkpoint, bawn checkpoints: keep a state of a sandbox, list them */
#include <inttypes.h>
#include <time.h>

#include "base/json-out.h"
#include "run/checkpoint.h"
#include "cli/command.h"
#include "cli/verb.h"

enum { OPT_JSON, OPT_RM };

struct asked {
	bool json;
	const char *rm;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	if (id == OPT_JSON) {
		o->json = true;
		return 0;
	}
	o->rm = value;
	return checkpoint_tag_check(value, err);
}

/* ---- checkpoint ---- */

static int refuse_taken(struct run *r, const char *tag, struct err *err)
{
	struct checkpoint other;
	struct err ignored = {0};
	int k = checkpoint_tag_check(tag, err);
	if (k < 0)
		return k;
	if (streq(tag, CHECKPOINT_UNDONE)) {
		err_hint(err, "give it another tag");
		return err_set(err, EINVAL, "'%s' is what restore and undo put aside", tag);
	}
	if (checkpoint_find(&r->arena, &r->spec, tag, &other, &ignored) < 0)
		return 0;
	err_hint(err, "another tag, or first: bawn checkpoints --rm %s %s", tag, r->spec.name);
	return err_set(err, EEXIST, "sandbox %s has a checkpoint %s already", r->spec.name, tag);
}

static int at_rest(struct run *r, const char *tag, struct err *err)
{
	struct arena *a = &r->arena;
	struct checkpoint c = {
		.tag = arena_dup(a, tag), .time = (int64_t)time(NULL), .parent = r->spec.base};
	char *id = layers_changed(&r->box) ? layer_id_new(a) : NULL;
	if (id)
		strv_push(a, &r->spec.layers, id);
	for (size_t i = 0; i < r->spec.layers.n; i++)
		strv_push(a, &c.layers, r->spec.layers.v[i]);
	int k = checkpoint_put(a, &r->spec, &c, err);
	r->spec.base = c.tag;
	return k < 0 ? k : store_switch(&r->store, a, &r->box, &r->spec, id, err);
}

static int running(struct run *r, int sock, const char *tag, struct err *err)
{
	struct kept_state s = KEPT_STATE_NONE;
	struct session_msg m = {.kind = SESSION_CHECKPOINT};
	static struct session_msg answer;
	int k = checkpoint_copy(r, sock, &s, err);
	if (k < 0)
		return k;
	snprintf(m.text, sizeof(m.text), "%s %s", tag, s.id);
	k = lasting_request(sock, &m, NULL, 0, &answer, err);
	close(s.hold);
	return k;
}

static int checkpoint(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	(void)ctx;
	int sock = -1, k = checkpoint_open(r, word[0], &sock, err);
	const char *tag = n > 1 ? word[1] : NULL;
	if (k == 0 && !tag)
		tag = checkpoint_tag_new(&r->arena, &r->spec);
	if (k == 0)
		k = tag ? refuse_taken(r, tag, err) : err_set(err, ENOMEM, "out of memory");
	if (k == 0)
		k = sock >= 0 ? running(r, sock, tag, err) : at_rest(r, tag, err);
	if (k == 0) {
		checkpoint_say_workspace(r, "checkpoint");
		puts(tag);
	}
	if (sock >= 0)
		close(sock);
	return k;
}

int cmd_checkpoint(int argc, char **argv)
{
	static const struct verb v = {.usage = "checkpoint NAME [TAG]",
		.help = "Keep the state of a sandbox (its home, what was installed, and a "
			"workspace\n"
			"of its own) under TAG, and print that.  At rest it takes no time; what "
			"runs\n"
			"is stopped while its files are copied, and goes on.",
		.examples = "  bawn checkpoint claude-project before-upgrade\n",
		.rows = verb_no_rows,
		.min = 1,
		.max = 2,
		.what = "which sandbox",
		.ends = true,
		.run = checkpoint};
	struct run r;
	return verb_main(&v, &r, NULL, argc, argv);
}

/* ---- checkpoints ---- */

static void put_json(struct json_out *j, const struct spec *s, const struct checkpoint *c)
{
	json_begin(j, NULL, '{');
	json_str(j, "tag", c->tag);
	json_int(j, "time", c->time);
	json_str(j, "parent", c->parent);
	json_bool(j, "current", s->base && streq(s->base, c->tag));
	json_begin(j, "layers", '[');
	for (size_t i = 0; i < c->layers.n; i++)
		json_str(j, NULL, c->layers.v[i]);
	json_end(j, ']');
	json_end(j, '}');
}

static void print(const struct spec *s, const struct checkpoint *c)
{
	char when[32] = "?";
	time_t t = (time_t)c->time;
	struct tm tm;
	if (localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%c %-24s  %s  %s\n", s->base && streq(s->base, c->tag) ? '*' : ' ', c->tag, when,
		c->parent ? c->parent : "-");
}

static int list(struct run *r, bool json, struct err *err)
{
	struct json_out j = {.pretty = true};
	struct checkpoint c;
	int k = 0;
	if (json)
		json_begin(&j, NULL, '[');
	else if (r->spec.tags.n)
		printf("  %-24s  %-19s  %s\n", "TAG", "TAKEN", "AFTER");
	for (size_t i = 0; k == 0 && i < r->spec.tags.n; i++) {
		k = checkpoint_at(&r->arena, &r->spec, i, &c, err);
		if (k == 0 && json)
			put_json(&j, &r->spec, &c);
		else if (k == 0)
			print(&r->spec, &c);
	}
	if (json && k == 0) {
		json_end(&j, ']');
		puts(j.failed ? "[]" : j.buf);
	}
	json_free(&j);
	return k;
}

static int remove_tag(struct run *r, const char *name, const char *tag, struct err *err)
{
	int k = lasting_lock(r, name, err);
	if (k == 0)
		k = lasting_find_name(r, name, err);
	if (k == 0)
		k = checkpoint_remove(&r->arena, &r->spec, tag, err);
	if (k == 0)
		k = store_sandbox_save(&r->box, &r->spec, err);
	if (k == 0)
		layers_collect(&r->store, NULL); /* or the next command does */
	return k;
}

static int checkpoints(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	(void)n;
	int k = o->json && o->rm ? err_set(err, EINVAL, "--json or --rm, not both")
		: o->rm          ? remove_tag(r, word[0], o->rm, err)
				 : lasting_find_name(r, word[0], err);
	return k == 0 && !o->rm ? list(r, o->json, err) : k;
}

int cmd_checkpoints(int argc, char **argv)
{
	static const struct option_row rows[] = {{"json", 0, NULL, "print JSON", OPT_JSON},
		{"rm", 0, "TAG", "remove this one instead", OPT_RM}, VERB_HELP_ROW, {0}};
	static const struct verb v = {.usage = "checkpoints [--json | --rm TAG] NAME",
		.help = "List the checkpoints of a sandbox, oldest first; * marks the one that "
			"its\n"
			"present state is built on.",
		.examples = "  bawn checkpoints claude-project\n"
			    "  bawn checkpoints --rm before-upgrade claude-project\n",
		.rows = rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.ends = true,
		.run = checkpoints};
	struct asked o = {0};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}
