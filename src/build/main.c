/* build/main.c - bawn-build: `bawn template build`, called by bawn.
 *
 * Owns: the command line, the files that it names, and the store while it builds.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/proc.h"
#include "build/carry.h"
#include "run/options.h"

#define FAILED 125

enum {
	OPT_FILE,
	OPT_TAG,
	OPT_ARG,
	OPT_TARGET,
	OPT_NO_CACHE,
	OPT_SECRET,
	OPT_PLATFORM,
	OPT_PROVENANCE,
	OPT_LABEL,
	OPT_ID_FILE,
	OPT_PULL,
	OPT_LOAD,
	OPT_PROGRESS,
	OPT_PUSH,
	OPT_QUIET,
	OPT_HELP,
};

static const struct option_row rows[] = {
	{"file", 'f', "FILE", "the Dockerfile (CONTEXT/Dockerfile); -: standard input", OPT_FILE},
	{"tag", 't', "TAG", "a name for what is built; again for more", OPT_TAG},
	{"build-arg", 0, "NAME[=VALUE]", "set an ARG; without a value, as the environment has it",
		OPT_ARG},
	{"target", 0, "STAGE", "build this stage, not the last one", OPT_TARGET},
	{"no-cache", 0, NULL, "do every step, also those that were done before", OPT_NO_CACHE},
	{"secret", 0, "id=ID[,src=FILE|,env=NAME]", "a secret for RUN --mount=type=secret",
		OPT_SECRET},
	{"platform", 0, "PLATFORM", "accepted where it is this machine's", OPT_PLATFORM},
	{"provenance", 0, "VALUE", "accepted; no attestations are made", OPT_PROVENANCE},
	{"sbom", 0, "VALUE", "accepted; no list of what is in it is made", OPT_PROVENANCE},
	{"label", 0, "NAME=VALUE", "a label for what is built; again for more", OPT_LABEL},
	{"iidfile", 0, "FILE", "write the template's ID there", OPT_ID_FILE},
	{"pull", 0, NULL, "ask registries for what is built on, also where it is here", OPT_PULL},
	{"load", 0, NULL, "accepted; what is built is here in any case", OPT_LOAD},
	{"push", 0, NULL, "bring it to the registries that its tags name", OPT_PUSH},
	{"progress", 0, "auto|plain|quiet", "how steps are shown", OPT_PROGRESS},
	{"quiet", 'q', NULL, "print the template's ID alone", OPT_QUIET},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const char examples[] =
	"  bawn build -t mine:1 .\n"
	"  bawn template build -f Dockerfile.ci --build-arg VERSION=2 -t mine:ci .\n"
	"  git archive HEAD | bawn build -t mine:2 -\n"
	"  bawn template build --target build --secret id=token,src=token.txt .\n";

struct command {
	struct build *b;
	bool help;
};

static int add_arg(struct build *b, const char *value, struct err *err)
{
	const char *eq = strchr(value, '='), *env = eq ? NULL : getenv(value);
	if (!*value || eq == value)
		return err_set(err, EINVAL, "--build-arg wants NAME=VALUE");
	if (eq)
		return strv_add(&b->a, &b->opt.args, value);
	return env ? strv_addf(&b->a, &b->opt.args, "%s=%s", value, env) : 0;
}

static int check_tag(struct build *b, const char *value, struct err *err)
{
	struct ref ref;
	int r = ref_parse(&b->a, value, &ref, err);
	if (r == 0)
		r = ref_check_new(&ref, err);
	if (r == 0 && ref.digest)
		r = err_set(err, EINVAL, "--tag: a name can't have a digest in it");
	return r < 0 ? r : strv_add(&b->a, &b->opt.tags, value);
}

static int check_progress(struct build *b, const char *value, struct err *err)
{
	if (!streq(value, "auto") && !streq(value, "plain") && !streq(value, "quiet"))
		return err_set(err, EINVAL, "--progress is auto, plain or quiet");
	b->opt.progress = value;
	b->opt.quiet |= streq(value, "quiet");
	return 0;
}

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct command *c = ctx;
	struct build *b = c->b;
	switch (id) {
	case OPT_FILE:
		b->opt.file = value;
		return 0;
	case OPT_TAG:
		return check_tag(b, value, err);
	case OPT_ARG:
		return add_arg(b, value, err);
	case OPT_TARGET:
		b->opt.target = value;
		return 0;
	case OPT_NO_CACHE:
		b->opt.no_cache = true;
		return 0;
	case OPT_SECRET:
		return strv_add(&b->a, &b->opt.secrets, value);
	case OPT_PLATFORM:
		b->opt.platform = value;
		return 0;
	case OPT_PROVENANCE:
	case OPT_LOAD:
		return 0;
	case OPT_LABEL:
		if (*value == '=' || !strchr(value, '='))
			return err_set(err, EINVAL, "--label wants NAME=VALUE");
		return strv_add(&b->a, &b->opt.labels, value);
	case OPT_ID_FILE:
		b->opt.id_file = value;
		return 0;
	case OPT_PULL:
		b->opt.pull = true;
		return 0;
	case OPT_PROGRESS:
		return check_progress(b, value, err);
	case OPT_PUSH:
		b->opt.push = true;
		return 0;
	case OPT_QUIET:
		b->opt.quiet = true;
		return 0;
	default:
		c->help = true;
		return 0;
	}
}

int build_hold(struct build *b, struct err *err)
{
	if (b->hold >= 0)
		return 0;
	int r = templates_open(&b->a, b->xdg.data, &b->store, err);
	if (r == 0)
		r = b->hold = templates_hold(&b->store, err);
	return MIN(r, 0);
}

static int open_all(struct build *b, struct err *err)
{
	int r = path_install_find(&b->a, BAWN_LIBEXECDIR, BAWN_DATADIR, &b->install, err);
	if (r == 0)
		r = path_xdg_find(&b->a, &b->xdg, err);
	if (r < 0)
		return r;
	if (b->opt.push && !b->opt.tags.n)
		return err_set(err, EINVAL, "--push wants a --tag: where to");
	r = build_context_open(b, err);
	if (r == 0)
		r = build_words_begin(b, err);
	if (r == 0)
		r = build_stages(b, err);
	return r == 0 ? build_hold(b, err) : r;
}

/* ---- the command ---- */

static void warn_unused(struct build *b)
{
	for (size_t i = 0; i < b->opt.args.n; i++) {
		char *name = arena_dupn(&b->a, b->opt.args.v[i], strcspn(b->opt.args.v[i], "="));
		char shown[200];
		if (name && !strv_has(&b->used, name) && !build_is_proxy(name))
			build_say(b, "bawn: no ARG has taken --build-arg %s\n",
				escape_text(shown, sizeof(shown), name));
	}
}

static int push(struct build *b, const char *tag, struct err *err)
{
	int r = build_template_verb(b, "push", tag, err);
	return r > 0 ? err_set(err, EIO, "%s is built, but was not pushed", tag) : r;
}

static int build(struct build *b, struct err *err)
{
	char id[65];
	int r = open_all(b, err);
	if (r == 0)
		r = build_carry_out(b, err);
	if (r == 0)
		r = build_finish(b, id, err);
	if (r < 0)
		return r;
	char line[80];
	int n = snprintf(line, sizeof(line), "sha256:%s\n", id);
	if (b->opt.id_file)
		r = file_write_atomic(
			AT_FDCWD, b->opt.id_file, line, (size_t)n - 1, 0644, false, err);
	warn_unused(b);
	for (size_t i = 0; i < b->opt.tags.n; i++)
		build_say(b, "bawn: %s is %.12s\n", b->opt.tags.v[i], id);
	for (size_t i = 0; r == 0 && b->opt.push && i < b->opt.tags.n; i++)
		r = push(b, b->opt.tags.v[i], err);
	if (r < 0)
		return r;
	fputs(line, stdout);
	return fflush(stdout) == 0 ? 0 : err_sys(err, errno, "write to standard output");
}

static int fail(struct build *b, const struct err *err)
{
	char *place = b->d.text ? df_excerpt(&b->a, &b->d) : NULL;
	fprintf(stderr, "bawn: %s\n%s", err->msg, place ? place : "");
	if (err->hint[0])
		fprintf(stderr, "bawn: %s\n", err->hint);
	return FAILED;
}

static int help(void)
{
	puts("Usage: bawn build [OPTIONS] CONTEXT\n"
	     "       bawn template build [OPTIONS] CONTEXT\n\n"
	     "Make a template from a Dockerfile and the files of a directory, or of an archive on\n"
	     "standard input (-); man bawn-build.\n\n"
	     "Options:");
	options_help(rows, stdout);
	printf("\nExamples:\n%s", examples);
	return fflush(stdout) == 0 ? 0 : FAILED;
}

int main(int argc, char **argv)
{
	struct build b = {
		.store = TEMPLATES_NONE, .hold = -1, .context = -1, .given = TEMPLATE_MAKING_NONE};
	struct command c = {.b = &b};
	struct option_split split;
	struct err err = {0};
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	/* bawn leaves the verb in its place */
	if (argc > 1 && streq(argv[1], "build"))
		argc--, argv++;
	if (argc == 2 && streq(argv[1], OPTIONS_WORD)) {
		options_print(rows);
		return 0;
	}
	int r = options_parse(rows, argc, argv, option, &c, &split, &err);
	if (r == 0 && c.help)
		return help();
	int end = r == 0 ? options_words(&split, argc, argv) : 0;
	if (r == 0 && end - split.first != 1) {
		err_hint(&err, "bawn build [OPTIONS] CONTEXT; the context is often .");
		r = err_set(&err, EINVAL, end == split.first ? "CONTEXT?" : "one word too many");
	}
	b.terminal = isatty(STDERR_FILENO) && !(b.opt.progress && streq(b.opt.progress, "plain"));
	if (r == 0) {
		b.opt.context = argv[split.first];
		r = build(&b, &err);
	}
	int code = r < 0 ? fail(&b, &err) : 0;
	templates_abandon(&b.store, &b.given);
	if (b.hold >= 0)
		close(b.hold);
	templates_close(&b.store);
	arena_free(&b.a);
	return code;
}
