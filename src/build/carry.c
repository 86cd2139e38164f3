/* build/carry.c - a stage from its beginning to its end, and all stages in their order; see build.h
 */
#include "base/escape.h"
#include "build/build.h"
#include "build/carry.h"

static int carry_stage(struct build *b, int index, struct err *err);

/* What is wrong with a trigger is shown in its own text. */
static int run_trigger(
	struct build *b, struct build_stage *s, int index, const char *text, struct err *err)
{
	struct dockerfile file = b->d;
	const struct df_inst *from = b->at;
	char *name = arena_printf(&b->a, "ONBUILD of %s", s->base), shown[400];
	name = name ? arena_dup(&b->a, escape_text(shown, sizeof(shown), name)) : NULL;
	if (!name)
		return err_set(err, ENOMEM, "out of memory");
	int r = dockerfile_parse_trigger(&b->a, name, text, &b->d, err);
	if (r < 0 && !b->d.err_line)
		b->d = file;
	if (r < 0)
		return r;
	b->file = &file;
	b->at = b->d.v[0];
	b->d.escape = file.escape;
	r = build_instruction(b, &s->st, index, b->at, err);
	if (r < 0 && !b->d.err_line)
		df_err_at(&b->d, b->at->line, 0, err);
	b->file = NULL;
	if (r < 0)
		return r;
	b->d = file;
	b->at = from;
	return 0;
}

int build_stage_ready(struct build *b, int stage, struct err *err)
{
	struct build_stage *s = &b->stages[stage];
	if (s->done)
		return 0;
	struct dockerfile trigger = b->d, *file = b->file;
	const struct df_inst *at = b->at;
	if (file)
		b->d = *file;
	b->file = NULL;
	b->steps += s->n + 1;
	int r = carry_stage(b, stage, err);
	if (r < 0)
		return r;
	b->d = trigger;
	b->file = file;
	b->at = at;
	return 0;
}

/* What a stage made of this one does first; the triggers are used up. */
static int run_triggers(struct build *b, struct build_stage *s, int index, struct err *err)
{
	struct strv triggers = s->st.onbuild;
	s->st.onbuild = (struct strv){0};
	if (triggers.n && strv_add(&b->a, &s->st.changes, "no-onbuild -") < 0)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t k = 0; k < triggers.n; k++) {
		int r = run_trigger(b, s, index, triggers.v[k], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int build_instruction(struct build *b, struct build_state *st, int stage, const struct df_inst *i,
	struct err *err)
{
	int r = build_meta(b, st, i, err);
	if (r != 0)
		return MIN(r, 0);
	switch (i->kind) {
	case DF_COPY:
	case DF_ADD:
		return build_copy(b, st, stage, i, err);
	case DF_WORKDIR:
		return build_workdir(b, st, i, err);
	case DF_RUN:
		return build_run(b, st, stage, i, err);
	default:
		return df_err(&b->d, i->line, 0, err, "%s is not supported", df_name(i->kind));
	}
}

/* "ENV PATH=/opt/bin:$PATH" has something to add to, and what is made has a PATH, as everywhere. */
static int begin_path(struct build *b, struct build_state *st, struct err *err)
{
	if (strv_env_get(&st->env, "PATH"))
		return 0;
	if (strv_env_set(&b->a, &st->env, "PATH", BUILD_PATH) < 0 ||
		strv_add(&b->a, &st->changes, "env PATH=" BUILD_PATH) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

static int begin(struct build *b, struct build_stage *s, struct err *err)
{
	b->at = s->from;
	b->step++;
	build_say_step(b, df_source(&b->a, s->from), false);
	if (s->parent >= 0) {
		int r = build_stage_ready(b, s->parent, err);
		if (r < 0)
			return r;
		s->st = b->stages[s->parent].st;
		s->st.cmd_set = false;
		/* lists are shared until one of both grows */
		struct strv *lists[] = {&s->st.layers, &s->st.env, &s->st.args, &s->st.changes,
			&s->st.onbuild, &s->st.shell};
		for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
			struct strv was = *lists[i];
			*lists[i] = (struct strv){0};
			for (size_t k = 0; k < was.n; k++)
				strv_push(&b->a, lists[i], was.v[k]);
		}
		return arena_check(&b->a, err);
	}
	int r = streq(s->base, "scratch") ? 0 : build_base(b, s->base, &s->st, err);
	if (r < 0)
		return df_err_at(&b->d, s->from->line, s->from->words[0].at, err), r;
	return begin_path(b, &s->st, err);
}

static int carry_stage(struct build *b, int index, struct err *err)
{
	struct build_stage *s = &b->stages[index];
	int r = begin(b, s, err);
	if (r == 0)
		r = run_triggers(b, s, index, err);
	for (size_t k = 0; r == 0 && k < s->n; k++) {
		b->at = b->d.v[s->first + k];
		b->step++;
		r = build_instruction(b, &s->st, index, b->at, err);
	}
	if (r < 0 && b->at && !b->d.err_line)
		df_err_at(&b->d, b->at->line, 0, err);
	s->done = r == 0;
	return r;
}

int build_carry_out(struct build *b, struct err *err)
{
	int r = 0;
	for (int i = 0; r == 0 && i <= b->target; i++)
		if (b->stages[i].needed && !b->stages[i].done)
			r = carry_stage(b, i, err);
	return r;
}
