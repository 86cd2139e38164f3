/* cli/cmd-log.c - `bawn log [-f] [--json] [--file FILE] [NAME]`: the audit log for a person.
 *
 * Owns: its options and printing.  Everything that is shown passes audit_show(), which escapes it.
 */
#include "cli/cmd-log.h"

#include <getopt.h>

#include "audit/read.h"
#include "base/escape.h"
#include "base/path.h"

struct log_opts {
	bool follow;
	enum audit_style style;
	const char *file;    /* NULL: the user's own */
	const char *sandbox; /* NULL: all */
};

static const char usage[] =
	"usage: bawn log [-f] [--json] [--file FILE] [NAME]\n"
	"\n"
	"Show the audit log: what each sandbox was allowed, refused and warned about.\n"
	"\n"
	"  NAME               only this sandbox's events\n"
	"  -f, --follow       go on showing events as they come\n"
	"      --json         one JSON object a line, as it was written\n"
	"      --file FILE    read FILE (as given to bawn run --audit)\n"
	"  -h, --help         show this\n";

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct log_opts *o)
{
	static const struct option table[] = {
		{"follow", no_argument, NULL, 'f'},
		{"json", no_argument, NULL, 'j'},
		{"file", required_argument, NULL, 'F'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "fh", table, NULL)) != -1) {
		switch (c) {
		case 'f':
			o->follow = true;
			break;
		case 'j':
			o->style = AUDIT_JSON;
			break;
		case 'F':
			o->file = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default: {
			char word[128];
			escape_text(word, sizeof(word), argv[optind > 1 ? optind - 1 : 1]);
			fprintf(stderr, "bawn: log: wrong option %s\n%s", word, usage);
			return 125;
		}
		}
	}
	if (argc - optind > 1) {
		fputs("bawn: log takes one sandbox name\n", stderr);
		return 125;
	}
	o->sandbox = argv[optind];
	return -1;
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

	int r = parse(argc, argv, &o);
	if (r >= 0)
		return r;
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
