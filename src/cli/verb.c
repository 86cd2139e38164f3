/* cli/verb.c - see verb.h */
#include "cli/verb.h"

#include <signal.h>

#include "base/escape.h"
#include "cli/command.h"
#include "run/signals.h"

const struct option_row verb_no_rows[] = {VERB_HELP_ROW, {0}};

static void help(const struct verb *v)
{
	printf("Usage: bawn %s\n\n%s\n\nOptions:\n", v->usage, v->help);
	options_help(v->rows, stdout);
	if (v->examples)
		printf("\nExamples:\n%s", v->examples);
}

struct asked {
	const struct verb *v;
	void *ctx;
	bool help;
};

static int on_option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *a = ctx;
	if (id == VERB_HELP) {
		a->help = true;
		return 0;
	}
	return a->v->option ? a->v->option(a->ctx, id, value, err)
			    : err_set(err, EINVAL, "unknown option");
}

static int parse(const struct verb *v, struct asked *a, int argc, char **argv, int *ret_first,
	int *ret_end, struct err *err)
{
	struct option_split split;
	int k;
	if (v->ordered) {
		k = options_parse_ordered(v->rows, argc, argv, on_option, a, ret_first, err);
		*ret_end = argc;
		return k;
	}
	k = options_parse(v->rows, argc, argv, on_option, a, &split, err);
	if (k < 0)
		return k;
	/* a name behind "--" is one, too: it may begin with a dash */
	*ret_first = split.first;
	*ret_end = options_words(&split, argc, argv);
	return 0;
}

static int check_count(const struct verb *v, char **argv, int first, int end, struct err *err)
{
	char shown[128];
	if (end - first < v->min) {
		err_hint(err, "bawn %s", v->usage);
		return err_set(err, EINVAL, "%s?", v->what);
	}
	if (v->max >= 0 && end - first > v->max) {
		err_hint(err, "bawn %s", v->usage);
		return err_set(err, EINVAL, "one word too many: %s",
			escape_text(shown, sizeof(shown), argv[first + v->max]));
	}
	return 0;
}

int verb_main(const struct verb *v, struct run *r, void *ctx, int argc, char **argv)
{
	struct err err = {0};
	struct asked a = {.v = v, .ctx = ctx};
	int first = 0, end = 0;
	run_init(r, argc, argv);
	int k = parse(v, &a, argc, argv, &first, &end, &err);
	if (k == 0 && a.help) {
		help(v);
		return run_release(r, 0);
	}
	if (v->ends) {
		signal(SIGPIPE, SIG_IGN);
		signal(SIGXFSZ, SIG_IGN); /* a file size limit: EFBIG, which can be said */
	} else {
		signals_hold();
	}
	if (k == 0)
		k = run_refuse_nested(&err);
	if (k == 0)
		k = check_count(v, argv, first, end, &err);
	if (k == 0)
		k = run_begin(r, &err);
	if (k == 0)
		k = v->run(r, ctx, argv + first, end - first, &err);
	return run_finish(r, k < 0 ? 125 : k, &err);
}

int verb_failed(const struct err *err)
{
	run_fail(err, 1);
	return 1;
}
