/* cli/cmd-seed.c - bawn-admin seed: fill a sandbox's home with copies of the user's settings.
 *
 *   bawn-admin seed --profile FILE --home DIR [--workspace PATH] [--sandbox NAME]
 *                   [--version VERSION] [--no-login] [--no-yolo] [--bare-home] [--cache FILE]
 *                   [--stand-in VAR=TEXT]...
 *                   [--lines PATH=LINES]... [--image HOME [--root DIR] [--variable NAME=VALUE]...
 * --layer DIR...]
 *
 * Called by bawn as the user, with the user's HOME and environment (plus what -e gave).  One record
 * a line on descriptor 3: "notice\tTEXT", "env\tKEY=VALUE", "variable\tKEY=VALUE",
 * "withheld\tPLACE: WHY", "skipped\tTEXT", "login\tused NAME|expired NAME|none", "fresh\tPATH",
 * "key\tVAR=KEY"; seed/report.h says what they mean.  "outside\t": something lies elsewhere than in
 * the home. With --image the home is one of a template of these layers, top first, HOME inside.
 * With --root, where DIR is put over them, links of theirs are followed in what is written, and its
 * variables say where a tool's files are. What comes of a profile that brings only git's identity
 * is kept in FILE (seed/cache.h). Exit code 0, 1 when the home could not be filled, 2 for a wrong
 * command line.
 */
#include "cli/admin.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "host/stack.h"
#include "seed/seed.h"

#define RECORDS_FD 3

static const char usage[] = "bawn-admin seed --profile FILE --home DIR [--workspace PATH] "
			    "[--sandbox NAME] [--version VERSION] [--no-login] [--no-yolo] "
			    "[--bare-home] [--cache FILE] "
			    "[--stand-in VAR=TEXT]... [--lines PATH=LINES]... "
			    "[--shown PATH]... [--path PATH] "
			    "[--image HOME [--root DIR] [--variable NAME=VALUE]... --layer DIR...]";

enum {
	OPT_PROFILE = 256,
	OPT_HOME,
	OPT_WORKSPACE,
	OPT_SANDBOX,
	OPT_VERSION,
	OPT_NO_LOGIN,
	OPT_NO_YOLO,
	OPT_BARE,
	OPT_CACHE,
	OPT_STAND_IN,
	OPT_LINES,
	OPT_SHOWN,
	OPT_PATH,
	OPT_IMAGE,
	OPT_ROOT,
	OPT_VARIABLE,
	OPT_LAYER
};

static const struct option options[] = {
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"home", required_argument, NULL, OPT_HOME},
	{"workspace", required_argument, NULL, OPT_WORKSPACE},
	{"sandbox", required_argument, NULL, OPT_SANDBOX},
	{"version", required_argument, NULL, OPT_VERSION},
	{"no-login", no_argument, NULL, OPT_NO_LOGIN},
	{"no-yolo", no_argument, NULL, OPT_NO_YOLO},
	{"bare-home", no_argument, NULL, OPT_BARE},
	{"cache", required_argument, NULL, OPT_CACHE},
	{"stand-in", required_argument, NULL, OPT_STAND_IN},
	{"lines", required_argument, NULL, OPT_LINES},
	{"shown", required_argument, NULL, OPT_SHOWN},
	{"path", required_argument, NULL, OPT_PATH},
	{"image", required_argument, NULL, OPT_IMAGE},
	{"root", required_argument, NULL, OPT_ROOT},
	{"variable", required_argument, NULL, OPT_VARIABLE},
	{"layer", required_argument, NULL, OPT_LAYER},
	{0},
};

/* ---- the template below ---- */

struct image {
	const char *home; /* of the agent, inside */
	struct host_stack stack;
	bool outside; /* something was written that is not in the home */
};

static char *inside(const struct image *in, struct arena *a, const char *rel)
{
	return *rel == '/' ? arena_dup(a, rel) : arena_printf(a, "%s/%s", in->home, rel);
}

static ssize_t image_read(void *ud, struct arena *a, const char *rel, size_t max, char **ret)
{
	const struct image *in = ud;
	struct host_stack_found f;
	const char *path = inside(in, a, rel);
	int r = path ? host_stack_find(a, &in->stack, path, &f) : -ENOMEM;
	return r < 0 ? r : host_stack_read(a, &f, max, ret);
}

static bool image_exists(void *ud, struct arena *a, const char *rel)
{
	const struct image *in = ud;
	struct host_stack_found f;
	const char *path = inside(in, a, rel);
	return path && host_stack_find(a, &in->stack, path, &f) == 0;
}

/* Where something that is no directory stands in the way, it is covered. */
static char *image_place(void *ud, struct arena *a, const char *rel)
{
	struct image *in = ud;
	char *path = inside(in, a, rel), *to = path ? host_stack_place(a, &in->stack, path) : NULL;
	to = to ? to : path;
	in->outside |= to && !path_within(to, in->home);
	return to ? to + strspn(to, "/") : NULL;
}

static int write_records(struct arena *a, const struct seed_report *r)
{
	if (fcntl(RECORDS_FD, F_GETFD) < 0)
		return 0; /* nobody listens */
	for (size_t i = 0; i < r->n; i++) {
		char *line = arena_printf(
			a, "%s\t%s\n", seed_kind_name(r->v[i].kind), r->v[i].text);
		int k = line ? fd_write_all(RECORDS_FD, line, strlen(line)) : -ENOMEM;
		if (k < 0)
			return k;
	}
	return 0;
}

/* What the seeding itself is told, once each. */
static bool take_option(struct seed_request *rq, int c)
{
	const struct {
		int c;
		const char **text;
		bool *flag;
	} table[] = {
		{OPT_PROFILE, &rq->profile, NULL},
		{OPT_HOME, &rq->home, NULL},
		{OPT_WORKSPACE, &rq->workspace, NULL},
		{OPT_SANDBOX, &rq->sandbox, NULL},
		{OPT_VERSION, &rq->version, NULL},
		{OPT_NO_LOGIN, NULL, &rq->no_login},
		{OPT_NO_YOLO, NULL, &rq->no_yolo},
		{OPT_BARE, NULL, &rq->bare_home},
		{OPT_CACHE, &rq->cache, NULL},
		{OPT_PATH, &rq->path, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].c != c)
			continue;
		if (table[i].text)
			*table[i].text = optarg;
		else
			*table[i].flag = true;
		return true;
	}
	return false;
}

int cmd_seed(int argc, char **argv)
{
	struct seed_request rq = {.sandbox = "bawn"};
	struct image in = {0};
	const char *root = NULL;
	struct seed_below below = {.read = image_read, .exists = image_exists, .ud = &in};
	struct arena a = {0};
	opterr = 0;
	optind = 1;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case OPT_STAND_IN:
			strv_add(&a, &rq.stand_ins, optarg);
			break;
		case OPT_LINES:
			strv_add(&a, &rq.lines, optarg);
			break;
		case OPT_SHOWN:
			strv_push(&a, &rq.shown, optarg);
			break;
		case OPT_IMAGE:
			in.home = optarg;
			break;
		case OPT_ROOT:
			root = optarg;
			break;
		case OPT_VARIABLE:
			strv_push(&a, &rq.variables, optarg);
			break;
		case OPT_LAYER:
			strv_push(&a, &in.stack.dirs, optarg);
			break;
		default:
			if (!take_option(&rq, c))
				return admin_usage(usage, "unknown option or missing value");
		}
	}
	if (optind < argc || !rq.profile || !rq.home)
		return admin_usage(usage, "--profile and --home are needed, and nothing else");

	umask(077);
	struct seed_report report = {.a = &a};
	struct err err = {0};
	struct admin_dirs dirs;
	int r = in.home ? admin_dirs_find(&a, &dirs, &err) : 0;
	if (r == 0 && in.home) {
		rq.below = &below;
		below.place = root ? image_place : NULL;
		rq.home = root ? root : rq.home;
		rq.merge = path_join(&a, dirs.install.libexec, "bawn-merge");
	}
	if (r == 0)
		r = seed_run(&rq, &report, &err);
	int w = write_records(&a, &report);
	if (w == 0 && in.outside && fcntl(RECORDS_FD, F_GETFD) >= 0)
		w = fd_write_all(RECORDS_FD, "outside\t\n", strlen("outside\t\n"));
	if (r == 0 && w < 0)
		r = err_sys(&err, -w, "write the records");
	if (r < 0)
		admin_fail(&err);
	arena_free(&a);
	return r < 0 ? 1 : 0;
}
