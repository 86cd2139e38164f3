/* run/options.c - see options.h */
#include "run/options.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/text.h"

struct tables {
	struct option longs[OPTIONS_MAX + 1];
	char shorts[3 + 2 * OPTIONS_MAX];
};

/* Its value may be left out, and stands behind "=" alone. */
static bool optional(const struct option_row *row)
{
	return row->arg && has_prefix(row->arg, "[=");
}

static void fill(const struct option_row *rows, bool ordered, struct tables *t)
{
	size_t n = 0, k = 0;
	if (ordered)
		t->shorts[k++] = '+'; /* the first word that is no option ends them */
	t->shorts[k++] = ':';         /* tell a missing argument from an unknown option */
	for (; rows[n].name && n < OPTIONS_MAX; n++) {
		t->longs[n] = (struct option){.name = rows[n].name,
			.has_arg = optional(&rows[n]) ? optional_argument
				: rows[n].arg         ? required_argument
						      : no_argument,
			.val = 256 + (int)n};
		if (rows[n].letter) {
			t->shorts[k++] = rows[n].letter;
			if (rows[n].arg)
				t->shorts[k++] = ':';
		}
	}
	t->shorts[k] = '\0';
	t->longs[n] = (struct option){0};
}

static int find_row(const struct option_row *rows, int val)
{
	if (val >= 256)
		return val - 256;
	for (int i = 0; rows[i].name; i++)
		if (rows[i].letter == val)
			return i;
	return -1;
}

/* What getopt_long() did not take; it leaves the option in optopt, or 0 for an unknown long one. */
static int complain(const struct option_row *rows, int val, char **argv, struct err *err)
{
	char shown[128];
	int i = optopt ? find_row(rows, optopt) : -1;
	err_hint(err, "bawn %s --help lists the options", argv[0]);
	if (i >= 0 && val == ':')
		return err_set(
			err, EINVAL, "--%s needs an argument: %s", rows[i].name, rows[i].arg);
	if (i >= 0)
		return err_set(err, EINVAL, "--%s takes no value", rows[i].name);
	if (optopt) {
		const char letter[] = {'-', (char)optopt, '\0'};
		return err_set(err, EINVAL, "unknown option %s",
			escape_text(shown, sizeof(shown), letter));
	}
	const char *names[OPTIONS_MAX], *word = argv[optind - 1];
	size_t n = 0;
	for (; rows[n].name && n < OPTIONS_MAX; n++)
		names[n] = rows[n].name;
	char name[64];
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	const char *near = text_nearest(name + strspn(name, "-"), names, n);
	if (near)
		err_hint(
			err, "did you mean --%s?  bawn %s --help lists the options", near, argv[0]);
	return err_set(err, EINVAL, "unknown option %s", escape_text(shown, sizeof(shown), word));
}

void options_print(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		const char letter[] = {rows->letter, '\0'};
		printf("--%s\t%s\t%s\t%s\n", rows->name, letter,
			rows->arg && !optional(rows) ? rows->arg : "", rows->help);
	}
}

/* Then nothing is done that the command does after its options. */
static void print_if_asked(const struct option_row *rows, int argc, char **argv)
{
	if (argc != 2 || !streq(argv[1], OPTIONS_WORD))
		return;
	options_print(rows);
	exit(fflush(stdout) == 0 ? 0 : 125);
}

static int parse(const struct option_row *rows, bool ordered, int end, char **argv, option_fn fn,
	void *ctx, struct err *err)
{
	struct tables t;
	fill(rows, ordered, &t);

	optind = 0; /* glibc: start afresh */
	opterr = 0;
	int val;
	while ((val = getopt_long(end, argv, t.shorts, t.longs, NULL)) != -1) {
		if (val == '?' || val == ':')
			return complain(rows, val, argv, err);
		int i = find_row(rows, val);
		if (i < 0)
			return err_set(err, EINVAL, "unknown option");
		int r = fn(ctx, rows[i].id, optarg, err);
		if (r < 0)
			return err_prefix(err, "--%s", rows[i].name);
	}
	return 0;
}

int options_parse(const struct option_row *rows, int argc, char **argv, option_fn fn, void *ctx,
	struct option_split *ret, struct err *err)
{
	int end = 1;
	print_if_asked(rows, argc, argv);
	while (end < argc && !streq(argv[end], "--"))
		end++;
	int r = parse(rows, false, end, argv, fn, ctx, err);
	if (r < 0)
		return r;
	*ret = (struct option_split){.first = optind,
		.end = end,
		.rest = end < argc ? end + 1 : end,
		.dashes = end < argc};
	return 0;
}

int options_words(const struct option_split *split, int argc, char **argv)
{
	if (!split->dashes)
		return split->end;
	for (int i = split->rest; i < argc; i++)
		argv[split->end + i - split->rest] = argv[i];
	return split->end + argc - split->rest;
}

int options_parse_ordered(const struct option_row *rows, int argc, char **argv, option_fn fn,
	void *ctx, int *ret_first, struct err *err)
{
	print_if_asked(rows, argc, argv);
	int r = parse(rows, true, argc, argv, fn, ctx, err);
	if (r == 0)
		*ret_first = optind;
	return r;
}

void options_help(const struct option_row *rows, FILE *to)
{
	for (; rows->name; rows++) {
		char left[64];
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", rows->letter ? "-" : " ",
			rows->letter ? rows->letter : ' ', rows->letter ? ", " : "  ", rows->name,
			rows->arg && !optional(rows) ? " " : "", rows->arg ? rows->arg : "");
		fprintf(to, "  %-34s %s\n", left, rows->help);
	}
}
