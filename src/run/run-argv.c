/* run/run-argv.c - the tool's command line; see run.h.
 *
 * Pure.  The profile says which flags switch the tool's own prompts off, where the tool takes them,
 * and which flags of the user's stand in their way.
 */
#include "run/run.h"

static bool is_flag(const char *s)
{
	return s[0] == '-' && s[1];
}

/* "--flag" and "--flag=value" both give --flag. */
static bool gives(const struct strv *args, const char *flag)
{
	size_t n = strlen(flag);
	for (size_t i = 0; i < args->n && !streq(args->v[i], "--"); i++)
		if (strncmp(args->v[i], flag, n) == 0 &&
			(args->v[i][n] == '\0' || (args->v[i][n] == '=' && !strchr(flag, '='))))
			return true;
	return false;
}

static bool any_given(const struct strv *args, const struct strv *flags)
{
	for (size_t i = 0; i < flags->n; i++)
		if (gives(args, flags->v[i]))
			return true;
	return false;
}

/* Index of the first argument that is one of words, or n. */
static size_t find_word(const struct strv *args, const struct strv *words)
{
	for (size_t i = 0; i < args->n && !streq(args->v[i], "--"); i++)
		if (strv_has(words, args->v[i]))
			return i;
	return args->n;
}

static const struct profile_sub *find_sub(const struct profile *p, const char *word)
{
	for (size_t i = 0; i < p->n_subs; i++)
		if (streq(p->subs[i].word, word))
			return &p->subs[i];
	return NULL;
}

static int add_new(
	struct arena *a, struct strv *to, const struct strv *flags, const struct strv *args)
{
	for (size_t i = 0; i < flags->n; i++) {
		/* A flag's value (no dash) follows its flag: dropped or kept with it. */
		if (is_flag(flags->v[i]) && gives(args, flags->v[i])) {
			while (i + 1 < flags->n && !is_flag(flags->v[i + 1]))
				i++;
			continue;
		}
		if (strv_add(a, to, flags->v[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

int run_argv(struct arena *a, const struct profile *p, const struct strv *args, bool yolo,
	struct strv *ret)
{
	if (p->args_replace && args->n) {
		for (size_t i = 0; i < args->n; i++)
			strv_add(a, ret, args->v[i]);
		return a->failed ? -ENOMEM : 0;
	}
	for (size_t i = 0; i < p->command.n; i++)
		strv_add(a, ret, p->command.v[i]);

	yolo = yolo && !any_given(args, &p->yolo_unless) &&
		!(args->n && strv_has(&p->yolo_not_before, args->v[0]));
	size_t after = args->n;
	if (p->yolo_after.n) {
		after = find_word(args, &p->yolo_after);
		/* Another subcommand than those that take the flags: leave it alone. */
		if (after == args->n && args->n && !is_flag(args->v[0]))
			yolo = false;
	}
	if (yolo && after == args->n)
		add_new(a, ret, &p->yolo, args);

	bool sub_done = false;
	for (size_t i = 0; i < args->n; i++) {
		strv_add(a, ret, args->v[i]);
		if (yolo && i == after && after < args->n)
			add_new(a, ret, &p->yolo, args);
		const struct profile_sub *sub = sub_done || is_flag(args->v[i])
			? NULL
			: find_sub(p, args->v[i]);
		if (sub) {
			sub_done = true;
			add_new(a, ret, &sub->args, args);
		}
	}
	return a->failed ? -ENOMEM : 0;
}
