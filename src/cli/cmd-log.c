/* cli/cmd-log.c - `bawn log [-f] [--json] [--file FILE] [NAME]`: the audit log for a person.
 *
 * Owns: its options and printing.  Everything that is shown passes audit_show(), which escapes it.
 */
#include "cli/cmd-log.h"

#include "audit/read.h"
#include "base/escape.h"
#include "base/path.h"
#include "cli/admin.h"

struct log_opts {
	bool follow, help;
	enum audit_style style;
	const char *file;    /* NULL: the user's own */
	const char *sandbox; /* NULL: all */
};

enum { OPT_FOLLOW, OPT_JSON, OPT_FILE, OPT_HELP };

static const struct option_row rows[] = {
	{"follow", 'f', NULL, "go on showing events as they come", OPT_FOLLOW},
	{"json", 0, NULL, "one JSON object a line, as it was written", OPT_JSON},
	{"file", 0, "FILE", "read FILE (as given to bawn run --audit)", OPT_FILE},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn log [-f] [--json] [--file FILE] [NAME]",
	.text = "Show the audit log: what each sandbox was allowed, refused and warned about.\n"
		"With NAME only that sandbox's events.",
	.rows = rows,
	.examples = "  bawn log -f\n  bawn log --json claude-project\n",
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct log_opts *o = ctx;
	(void)err;
	if (id == OPT_FOLLOW)
		o->follow = true;
	else if (id == OPT_JSON)
		o->style = AUDIT_JSON;
	else if (id == OPT_FILE)
		o->file = value;
	else
		o->help = true;
	return 0;
}

/* 0 or -EINVAL */
static int parse(int argc, char **argv, struct log_opts *o, struct err *err)
{
	struct option_split split;
	int r = options_parse(rows, argc, argv, option, o, &split, err);
	if (r < 0)
		return r;
	int end = options_words(&split, argc, argv);
	if (end - split.first > 1) {
		err_hint(err, "%s", help.usage);
		return err_set(err, EINVAL, "log takes one sandbox name");
	}
	o->sandbox = split.first < end ? argv[split.first] : NULL;
	return 0;
}

/* All lines there are now.  Number shown, or -errno (-EPIPE: nobody listens any more). */
static int drain(struct audit_tail *t, const struct log_opts *o, size_t *bad)
{
	char *line;
	size_t n;
	int r, shown = 0;
	while ((r = audit_tail_next(t, &line, &n)) == 1) {
		char *text = NULL;
		int k = audit_show(line, n, o->sandbox, o->style, &text);
		if (k == -EBADMSG)
			*bad += n > 0;
		else if (k < 0)
			return k;
		if (k == 1) {
			puts(text);
			shown++;
		}
		free(text);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return -EPIPE;
	return r < 0 ? r : shown;
}

static int show_all(struct audit_tail *t, const struct log_opts *o, size_t *bad)
{
	for (;;) {
		int r = drain(t, o, bad);
		if (r < 0 || !o->follow)
			return r;
		r = audit_tail_wait(t);
		if (r < 0 && r != -EINTR)
			return r;
	}
}

static int fail(const struct err *err)
{
	char msg[1024];
	fprintf(stderr, "bawn: %s\n", escape_text(msg, sizeof(msg), err->msg));
	if (err->hint[0])
		fprintf(stderr, "bawn: %s\n", escape_text(msg, sizeof(msg), err->hint));
	return 125;
}

int cmd_log(int argc, char **argv)
{
	struct log_opts o = {.style = AUDIT_TEXT};
	_cleanup_(arena_free) struct arena a = {0};
	struct audit_tail *t = NULL;
	struct err err = {0};
	struct path_xdg xdg;
	size_t bad = 0;

	int r = parse(argc, argv, &o, &err);
	if (r < 0)
		return fail(&err);
	if (o.help)
		return admin_help(&help);
	if (!o.file) {
		if (path_xdg_find(&a, &xdg, &err) < 0)
			return fail(&err);
		o.file = path_join(&a, xdg.data, "audit.jsonl");
	} else if (!o.follow && access(o.file, F_OK) < 0) {
		err_sys(&err, errno, "open %s", o.file);
		err_hint(&err, "the file is the one that was given to bawn run --audit");
		return fail(&err);
	}
	if (arena_check(&a, &err) < 0 || audit_tail_open(o.file, &t, &err) < 0)
		return fail(&err);
	r = show_all(t, &o, &bad);
	bad += audit_tail_skipped(t);
	audit_tail_free(t);
	if (bad)
		fprintf(stderr, "bawn: %zu lines of %s are no events and were left out\n", bad,
			o.file);
	if (r < 0 && r != -EPIPE) {
		err_sys(&err, -r, "read %s", o.file);
		return fail(&err);
	}
	return 0;
}
