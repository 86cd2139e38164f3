/* build/carry.c - a stage from its beginning to its end, and all stages in their order; see build.h
 */
#include "build/build.h"
#include "build/carry.h"

/* What a stage made of this one does first; the triggers are used up. */
static int run_triggers(struct build *b, struct build_stage *s, int index, struct err *err)
{
	struct strv triggers = s->st.onbuild;
	s->st.onbuild = (struct strv){0};
	if (triggers.n && strv_add(&b->a, &s->st.changes, "no-onbuild -") < 0)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t k = 0; k < triggers.n; k++) {
		struct dockerfile d;
		char *text = arena_printf(&b->a, "FROM scratch\n%s\n", triggers.v[k]);
		int r = !text ? err_set(err, ENOMEM, "out of memory")
			      : dockerfile_parse(&b->a, "ONBUILD", text, strlen(text), &d, err);
		if (r == 0 && d.n_inst == 2)
			r = build_instruction(b, &s->st, index, d.v[1], err);
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

static int begin(struct build *b, struct build_stage *s, struct err *err)
{
	b->at = s->from;
	b->step++;
	build_say_step(b, df_source(&b->a, s->from), false);
	if (s->parent >= 0) {
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
	if (streq(s->base, "scratch"))
		return 0;
	int r = build_base(b, s->base, &s->st, err);
	return r < 0 ? df_err_at(&b->d, s->from->line, s->from->words[0].at, err), r : 0;
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
	s->done = r == 0;
	return r;
}

int build_carry_out(struct build *b, struct err *err)
{
	int r = 0;
	for (int i = 0; r == 0 && i <= b->target; i++)
		if (b->stages[i].needed)
			r = carry_stage(b, i, err);
	if (r < 0 && b->at && !b->d.err_line)
		df_err_at(&b->d, b->at->line, 0, err);
	return r;
}
