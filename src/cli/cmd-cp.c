/* cli/cmd-cp.c - bawn cp: files and directories into a sandbox that lasts, or out of it */
#include <sys/stat.h>

#include "base/escape.h"
#include "cli/command.h"
#include "run/lasting-copy.h"
#include "run/lasting.h"
#include "cli/verb.h"

enum { OPT_ARCHIVE, OPT_FOLLOW, OPT_QUIET };

static const struct option_row rows[] = {
	{"archive", 'a', NULL, "keep modes and times (never set-ID bits)", OPT_ARCHIVE},
	{"follow-link", 'L', NULL, "copy what SRC leads to, where SRC is a link", OPT_FOLLOW},
	{"quiet", 'q', NULL, "neither progress nor what was left out", OPT_QUIET}, VERB_HELP_ROW,
	{0}};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct lasting_copy *c = ctx;
	(void)value;
	(void)err;
	if (id == OPT_QUIET)
		c->quiet = true;
	else
		c->flags |= id == OPT_ARCHIVE ? COPY_EXACT : COPY_FOLLOW;
	return 0;
}

/* NAME:PATH is inside; a path with a slash in front of its colon is none. */
static char *inside_path(struct arena *a, const char *word, char **ret_name)
{
	struct err ignored = {0};
	const char *colon = strchr(word, ':');
	char *name = colon ? arena_dupn(a, word, (size_t)(colon - word)) : NULL;
	if (!name || spec_name_check(name, &ignored) < 0)
		return NULL;
	*ret_name = name;
	return arena_dup(a, colon + 1);
}

/* The last word of a path; NULL with *ret_content where it ends in ".": what is in there. */
static int base_of(struct run *r, const char *path, bool host, const char **ret, struct err *err)
{
	char shown[300];
	size_t n = strlen(path);
	if (streq(path, ".") || (n > 1 && streq(path + n - 2, "/."))) {
		*ret = NULL;
		return 0;
	}
	while (n > 1 && path[n - 1] == '/')
		n--;
	char *s = arena_dupn(&r->arena, path, n);
	if (s && host && streq(path_base(s), ".."))
		s = path_real(&r->arena, s);
	if (!s)
		return err_sys(err, errno, "%s", escape_text(shown, sizeof(shown), path));
	*ret = path_base(s);
	if (**ret && !streq(*ret, "..") && !streq(*ret, "/"))
		return 0;
	err_hint(err, "name what is to be copied, or its content: DIRECTORY/.");
	return err_set(
		err, EINVAL, "%s has no name of its own", escape_text(shown, sizeof(shown), path));
}

static int parse_words(
	struct run *r, struct lasting_copy *c, const char *src, const char *dst, struct err *err)
{
	char *names[2] = {NULL, NULL}, shown[300];
	char *from = inside_path(&r->arena, src, &names[0]),
	     *to = inside_path(&r->arena, dst, &names[1]);
	if (streq(src, "-") || streq(dst, "-")) {
		err_hint(err,
			"bawn exec NAME tar -cf - -C /DIRECTORY . >FILE, and tar -xf - the other "
			"way");
		return err_set(err, EINVAL, "bawn cp takes no stream");
	}
	if (!from == !to) {
		err_hint(err,
			"bawn cp SRC NAME:/PATH or bawn cp NAME:/PATH DST; a file with a colon: "
			"./a:b");
		return err_set(
			err, EINVAL, from ? "both are in a sandbox" : "neither is in a sandbox");
	}
	c->into = to;
	c->name = to ? names[1] : names[0];
	c->inside = to ? to : from;
	c->host = to ? src : dst;
	if (*c->inside != '/') {
		err_hint(err, "%s:/tmp/x", c->name);
		return err_set(err, EINVAL, "%s is not an absolute path inside",
			*c->inside ? escape_text(shown, sizeof(shown), c->inside) : "nothing");
	}
	if (!*c->host)
		return err_set(err, EINVAL, "the path on the host is empty");
	return base_of(r, to ? src : from, c->into, &c->base, err);
}

/* Said before a sandbox is started for it. */
static int check_host(const struct lasting_copy *c, struct err *err)
{
	char shown[300];
	struct stat st;
	escape_text(shown, sizeof(shown), c->host);
	if (c->into && lstat(c->host, &st) < 0)
		return err_sys(err, errno, "%s", shown);
	return 0;
}

static int cp(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	struct lasting_copy *c = ctx;
	(void)n;
	int k = parse_words(r, c, word[0], word[1], err);
	if (k == 0)
		k = lasting_find_name(r, c->name, err);
	if (k == 0)
		k = check_host(c, err);
	return k == 0 ? lasting_copy(r, c, err) : k;
}

int cmd_cp(int argc, char **argv)
{
	static const struct verb v = {.usage = "cp [OPTIONS] SRC NAME:/PATH | NAME:/PATH DST",
		.help = "Copy files and directories into a sandbox or out of it.  Where the target "
			"is a\n"
			"directory, the copy goes into it; SRC/. means what is in SRC.  A sandbox "
			"that\n"
			"does not run is started for it.",
		.examples = "  bawn cp task.md claude-project:$HOME\n"
			    "  bawn cp claude-project:$HOME/task.md copy.md\n",
		.rows = rows,
		.option = option,
		.min = 2,
		.max = 2,
		.what = "what is to be copied where",
		.ends = true, /* and with it the session, see lasting-copy.c */
		.run = cp};
	struct run r;
	struct lasting_copy c = {0};
	return verb_main(&v, &r, &c, argc, argv);
}
