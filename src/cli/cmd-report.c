/* cli/cmd-report.c - `bawn report NAME|--last -o FILE`: one run as a page for a browser.
 *
 * Owns: its options, where the page goes, and asking bawn diff.  What stands on it is
 * audit/page.h's.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "audit/report.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "cli/admin.h"
#include "cli/log-file.h"

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
		"denials, requests, changed files, sessions, limits, guards. One file, for any "
		"browser,\nwithout a script.",
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

/* ---- changed files, as bawn diff has them now ---- */

enum { DIFF_MS = 20000, DIFF_MAX = 16 << 20 };

static const char *find_bawn(struct arena *a)
{
	struct path_install install;
	if (path_install_find(a, BAWN_LIBEXECDIR, BAWN_DATADIR, &install, NULL) < 0)
		return NULL;
	return path_install_bawn(a, &install, BAWN_LIBEXECDIR, BAWN_BINDIR);
}

/* What it prints, in a memfd; -errno where it fails or takes too long. */
static int run_diff(const char *bawn, char *sandbox)
{
	char name[] = "bawn", verb[] = "diff", json[] = "--json", dashes[] = "--";
	char *argv[] = {name, verb, json, dashes, sandbox, NULL};
	_cleanup_close_ int out = memfd_create("bawn-diff", MFD_CLOEXEC);
	const int fds[] = {-1, out, -1};
	const struct proc_spawn how = {.path = bawn,
		.argv = argv,
		.envp = environ,
		.fds = fds,
		.nfds = ARRAY_LEN(fds),
		.die_with_parent = SIGKILL};
	struct proc p = PROC_NONE;
	int status = -1;
	if (out < 0 || !bawn || proc_spawn(&how, &p, NULL) < 0)
		return -ENOENT;
	struct pollfd end = {.fd = p.pidfd, .events = POLLIN};
	if (poll(&end, 1, DIFF_MS) <= 0) {
		proc_kill(&p);
		return -ETIME;
	}
	if (proc_wait(&p, &status) < 0 || status != 0)
		return -ENOENT;
	return TAKE_FD(out);
}

/* Where there is no list, the page says so. */
static void find_changes(struct arena *a, struct report *r)
{
	struct stat st;
	char *text = NULL;
	_cleanup_close_ int fd = run_diff(find_bawn(a), r->sandbox);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > DIFF_MAX)
		return;
	size_t n = (size_t)st.st_size;
	text = malloc(n + 1);
	if (text && fd_pread_full(fd, text, n, 0) == (ssize_t)n)
		(void)report_changes(r, text, n);
	free(text);
}

static int write_page(const struct report_opts *o, const char *page, size_t n, struct err *err)
{
	struct stat st;
	if (!streq(o->output, "-") && stat(o->output, &st) == 0 && !S_ISREG(st.st_mode)) {
		err_hint(err, "-o FILE, or -o - for standard output");
		return err_set(err, EEXIST, "%s is there, and no plain file", o->output);
	}
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
	char *page = NULL;
	size_t n = 0;

	if (parse(argc, argv, &o, &err) < 0)
		return admin_fail(&err);
	if (o.help)
		return admin_help(&help);
	bool own = !o.file;
	if (log_file_find(&a, &o.file, false, &err) < 0 ||
		report_read(o.file, o.sandbox, o.span, &r, &err) < 0)
		return admin_fail(&err);
	if (own)
		find_changes(&a, &r);
	int k = report_page(&r, &page, &n);
	report_free(&r);
	k = k < 0 ? err_set(&err, ENOMEM, "out of memory") : write_page(&o, page, n, &err);
	free(page);
	return k < 0 ? admin_fail(&err) : 0;
}
