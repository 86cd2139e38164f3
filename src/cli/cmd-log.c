/* cli/cmd-log.c - `bawn log [OPTIONS] [NAME]`: the audit log for a person.
 *
 * Owns: its options and printing.  Everything that is shown passes audit_show(), which escapes it.
 */
#include "cli/cmd-log.h"

#include <inttypes.h>
#include <limits.h>
#include <time.h>

#include "audit/events.h"
#include "audit/read.h"
#include "base/escape.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/admin.h"
#include "cli/log-file.h"

struct log_opts {
	bool follow, help, verify, filtered;
	enum audit_style style;
	const char *file; /* NULL: the user's own */
	struct audit_filter filter;
	char since[64];
};

enum { OPT_FOLLOW, OPT_JSON, OPT_SINCE, OPT_EVENT, OPT_HOST, OPT_VERIFY, OPT_FILE, OPT_HELP };

static const struct option_row rows[] = {
	{"follow", 'f', NULL, "go on showing events as they come", OPT_FOLLOW},
	{"json", 0, NULL, "one JSON object a line, as it was written", OPT_JSON},
	{"since", 0, "TIME|DURATION", "only what came since then: 2026-01-31T08:00, or 30m",
		OPT_SINCE},
	{"event", 'e', "KIND[,KIND...]", "only events of these kinds", OPT_EVENT},
	{"host", 0, "HOST", "only what is about this host; .HOST: those below it", OPT_HOST},
	{"verify", 0, NULL, "find out whether the log was changed", OPT_VERIFY},
	{"file", 0, "FILE", "read FILE (as given to bawn run --audit)", OPT_FILE},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn log [-f] [--json] [--since TIME|DURATION] [--event KIND] [--host HOST] "
		 "[--file FILE] [NAME]\n"
		 "       bawn log --verify [--file FILE]",
	.text = "Show the audit log: what each sandbox was allowed, refused and warned about.\n"
		"With NAME only that sandbox's events.",
	.rows = rows,
	.examples = "  bawn log -f\n  bawn log --json claude-project\n"
		    "  bawn log --since 2h --event deny,error\n  bawn log --verify\n",
};

/* "90s", "30m", "2h", "7d": that long ago. */
static bool parse_duration(const char *s, time_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	size_t digits = strspn(s, "0123456789");
	if (digits == 0 || digits > 9 || strlen(s) != digits + 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s[digits] == units[i].unit) {
			*ret = time(NULL) - (time_t)(strtoll(s, NULL, 10) * units[i].seconds);
			return *ret >= 0;
		}
	return false;
}

/* Local time, or UTC with a Z behind it. */
static bool parse_time(const char *s, time_t *ret)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *rest = strptime(s, forms[i], &tm);
		if (!rest || (*rest != '\0' && !streq(rest, "Z")))
			continue;
		*ret = *rest ? timegm(&tm) : mktime(&tm);
		return *ret >= 0;
	}
	return false;
}

static int set_since(struct log_opts *o, const char *value, struct err *err)
{
	time_t t;
	struct tm tm;
	char shown[128];
	if ((!parse_duration(value, &t) && !parse_time(value, &t)) || !gmtime_r(&t, &tm) ||
		strftime(o->since, sizeof(o->since), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		err_hint(err,
			"a time is like 2026-01-31, 2026-01-31T08:00 or 2026-01-31T08:00:00Z, "
			"a duration like 90s, 30m, 2h, 7d");
		return err_set(err, EINVAL, "no time or duration: '%s'",
			escape_text(shown, sizeof(shown), value));
	}
	o->filter.since = o->since;
	return 0;
}

static int check_kinds(const char *list, struct err *err)
{
	const char *names[64], *p = list;
	size_t n = 0;
	while (n < audit_n_events && n < ARRAY_LEN(names)) {
		names[n] = audit_events[n].name;
		n++;
	}
	do {
		char word[64], shown[128];
		size_t len = strcspn(p, ",");
		snprintf(word, sizeof(word), "%.*s", (int)MIN(len, sizeof(word) - 1), p);
		if (!audit_event_find(word)) {
			const char *near = text_nearest(word, names, n);
			err_hint(err, "%s%s%sbawn-log(1) lists the kinds",
				near ? "did you mean " : "", near ? near : "", near ? "?  " : "");
			return err_set(err, EINVAL, "no kind of event: '%s'",
				escape_text(shown, sizeof(shown), word));
		}
		p += len;
	} while (*p++ == ',');
	return 0;
}

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct log_opts *o = ctx;
	int r = 0;
	o->filtered |= id == OPT_SINCE || id == OPT_EVENT || id == OPT_HOST || id == OPT_FOLLOW ||
		id == OPT_JSON;
	if (id == OPT_SINCE)
		return set_since(o, value, err);
	if (id == OPT_EVENT) {
		r = check_kinds(value, err);
		o->filter.events = value;
	} else if (id == OPT_HOST)
		o->filter.host = value;
	else if (id == OPT_VERIFY)
		o->verify = true;
	else if (id == OPT_FOLLOW)
		o->follow = true;
	else if (id == OPT_JSON)
		o->style = AUDIT_JSON;
	else if (id == OPT_FILE)
		o->file = value;
	else
		o->help = true;
	return r;
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
	o->filter.sandbox = split.first < end ? argv[split.first] : NULL;
	if (o->verify && (o->filtered || o->filter.sandbox)) {
		err_hint(err, "bawn log --verify [--file FILE]");
		return err_set(err, EINVAL, "--verify looks at the whole log: it takes no filter");
	}
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
		int k = audit_show(line, n, &o->filter, o->style, &text);
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
		return -EPIPE; /* the caller says why */
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

/* Is there a sandbox of that name, which just has nothing in the log? */
static bool is_sandbox(struct arena *a, const char *name)
{
	struct path_xdg xdg;
	struct err ignored = {0};
	if (!*name || strchr(name, '/') || path_xdg_find(a, &xdg, &ignored) < 0)
		return false;
	const char *dir = path_join(a, xdg.data, "sandboxes");
	const char *one = dir ? path_join(a, dir, name) : NULL;
	return one && access(one, F_OK) == 0;
}

static void print_problem(void *ud, const char *text)
{
	(void)ud;
	puts(text);
}

/* Exit code: 0 as it was written, 1 not, 125 it can't be said. */
static int verify(const char *file, struct err *err)
{
	struct audit_verdict v;
	char shown[PATH_MAX];
	if (audit_verify(file, print_problem, NULL, &v, err) < 0)
		return admin_fail(err);
	escape_text(shown, sizeof(shown), file);
	if (v.old)
		printf("%s: %" PRIu64
		       " lines are of a bawn that did not chain them: nothing is known "
		       "of these\n",
			shown, v.old);
	if (v.half)
		printf("%s: half a line at the end: a bawn was killed while it wrote\n", shown);
	if (v.problems)
		printf("%s: not as it was written: %" PRIu64 " places\n", shown, v.problems);
	else
		printf("%s: %" PRIu64 " lines, as they were written\n", shown, v.lines);
	return admin_said(v.problems ? 1 : 0);
}

int cmd_log(int argc, char **argv)
{
	struct log_opts o = {.style = AUDIT_TEXT};
	_cleanup_(arena_free) struct arena a = {0};
	struct audit_tail *t = NULL;
	struct err err = {0};
	char shown[PATH_MAX];
	size_t bad = 0;

	int r = parse(argc, argv, &o, &err);
	if (r < 0)
		return admin_fail(&err);
	if (o.help)
		return admin_help(&help);
	if (log_file_find(&a, &o.file, o.follow, &err) < 0)
		return admin_fail(&err);
	if (o.verify)
		return verify(o.file, &err);
	if (audit_tail_open(o.file, &t, &err) < 0)
		return admin_fail(&err);
	r = show_all(t, &o, &bad);
	bad += audit_tail_skipped(t);
	audit_tail_free(t);
	escape_text(shown, sizeof(shown), o.file);
	if (bad)
		fprintf(stderr, "bawn: %zu lines of %s are no events and were left out\n", bad,
			shown);
	if (r < 0 && r != -EPIPE) {
		err_sys(&err, -r, "read %s", shown);
		return admin_fail(&err);
	}
	if (r == -EPIPE)
		return admin_said(0);
	if (r == 0 && o.filter.sandbox && !o.filtered && !is_sandbox(&a, o.filter.sandbox)) {
		err_hint(&err, "see: bawn ls; without a name all events are shown");
		err_set(&err, ENOENT, "there is no sandbox '%s', and no event of one",
			escape_text(shown, sizeof(shown), o.filter.sandbox));
		return admin_fail(&err);
	}
	return 0;
}
