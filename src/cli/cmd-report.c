/* cli/cmd-report.c - `bawn report NAME|--last -o FILE`: one run as a page for a browser.
 *
 * Owns: its options, and where the page goes.  What stands on it is audit/page.c's.
 */
#include <fcntl.h>

#include "audit/report.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/admin.h"

struct report_opts {
	bool last, help;
	enum report_span span;
	const char *output, *file, *sandbox;
};

enum { OPT_OUTPUT, OPT_LAST, OPT_ALL, OPT_FILE, OPT_HELP };

static const struct option_row rows[] = {
	{"output", 'o', "FILE", "write the page to FILE; - is standard output", OPT_OUTPUT},
	{"last", 0, NULL, "of the sandbox that was started last", OPT_LAST},
	{"all", 0, NULL, "all its runs that the log has, not the last one", OPT_ALL},
	{"file", 0, "FILE", "read FILE (as given to bawn run --audit)", OPT_FILE},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn report [--all] [--file FILE] -o FILE NAME|--last",
	.text = "Make a page of what the audit log has of a sandbox's last run: timeline, "
		"traffic,\n"
		"denials, changed files, sessions, guards. One file, for any browser, without a "
		"script.",
	.rows = rows,
	.examples = "  bawn report claude-project -o report.html\n"
		    "  bawn report --last -o report.html\n",
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct report_opts *o = ctx;
	(void)err;
	if (id == OPT_OUTPUT)
		o->output = value;
	else if (id == OPT_LAST)
		o->last = true;
	else if (id == OPT_ALL)
		o->span = REPORT_ALL_RUNS;
	else if (id == OPT_FILE)
		o->file = value;
	else
		o->help = true;
	return 0;
}

static int parse(int argc, char **argv, struct report_opts *o, struct err *err)
{
	struct option_split split;
	int r = options_parse(rows, argc, argv, option, o, &split, err);
	if (r < 0 || o->help)
		return r;
	int n = options_words(&split, argc, argv) - split.first;
	err_hint(err, "%s", help.usage);
	if (n > 1)
		return err_set(err, EINVAL, "report takes one sandbox name");
	if (n == 1 && o->last)
		return err_set(err, EINVAL, "report takes a sandbox name or --last, not both");
	if (n == 0 && !o->last)
		return err_set(err, EINVAL, "report needs the name of a sandbox, or --last");
	if (!o->output || !*o->output)
		return err_set(err, EINVAL, "report needs -o FILE");
	if (o->last && o->span == REPORT_ALL_RUNS)
		return err_set(err, EINVAL, "--all needs the name of a sandbox");
	o->sandbox = n ? argv[split.first] : NULL;
	*err = (struct err){0};
	return 0;
}

static int fail(struct err *err)
{
	char msg[1024], hint[1024];
	struct err shown = {0};
	snprintf(shown.msg, sizeof(shown.msg), "%s", escape_text(msg, sizeof(msg), err->msg));
	snprintf(shown.hint, sizeof(shown.hint), "%s", escape_text(hint, sizeof(hint), err->hint));
	return admin_fail(&shown);
}

static int write_page(const struct report_opts *o, const char *page, size_t n, struct err *err)
{
	if (!streq(o->output, "-"))
		return file_write_atomic(AT_FDCWD, o->output, page, n, 0600, false, err);
	int r = fd_write_all(STDOUT_FILENO, page, n);
	return r < 0 ? err_sys(err, -r, "write to standard output") : 0;
}

int cmd_report(int argc, char **argv)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct report_opts o = {0};
	struct report r = {0};
	struct err err = {0};
	struct path_xdg xdg;
	char *page = NULL;
	size_t n = 0;

	if (parse(argc, argv, &o, &err) < 0)
		return fail(&err);
	if (o.help)
		return admin_help(&help);
	if (!o.file) {
		if (path_xdg_find(&a, &xdg, &err) < 0)
			return fail(&err);
		o.file = path_join(&a, xdg.data, "audit.jsonl");
	} else if (access(o.file, F_OK) < 0) {
		err_sys(&err, errno, "open %s", o.file);
		return fail(&err);
	}
	if (arena_check(&a, &err) < 0 || report_read(o.file, o.sandbox, o.span, &r, &err) < 0)
		return fail(&err);
	int k = report_page(&r, &page, &n);
	report_free(&r);
	k = k < 0 ? err_set(&err, ENOMEM, "out of memory") : write_page(&o, page, n, &err);
	free(page);
	return k < 0 ? fail(&err) : 0;
}
