/* cli/template-main.c - bawn-template: the verbs of `bawn template`, called by bawn.
 *
 * Owns: their table, parsing, help, and the store that they work on.  Must not: parse a byte that a
 * stranger wrote, which is bawn-layer's and bawn-image's, or run anything of a template's.
 */
#include <locale.h>
#include <signal.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/template-save.h"

static const struct template_verb *const verbs[] = {
	&template_ls_verb,
	&template_inspect_verb,
	&template_load_verb,
	&template_save_verb,
	&template_bootstrap_verb,
	&template_pull_verb,
	&template_push_verb,
	&template_tag_verb,
	&template_rm_verb,
	&template_prune_verb,
	&template_verify_verb,
};

#define LOCK_SHORT_MS 300
#define LOCK_LONG_MS 30000

int template_failed(const struct err *err)
{
	admin_fail(err);
	return 1;
}

int template_alone(struct tpl *c, struct err *err)
{
	struct err first = {0};
	int fd = templates_lock(&c->t, LOCK_SHORT_MS, &first);
	if (fd != -EBUSY) {
		if (fd < 0 && err)
			*err = first;
		return fd;
	}
	fputs("bawn: waiting for others that use the templates\n", stderr);
	return templates_lock(&c->t, LOCK_LONG_MS, err);
}

char *template_age(int64_t since, char *buf, size_t cap)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400 * 365, "y"}, {86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t age = MAX((int64_t)time(NULL) - since, (int64_t)0);
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && age < units[i].seconds * 2)
		i++;
	snprintf(buf, cap, "%lld %s", (long long)(age / units[i].seconds), units[i].name);
	return buf;
}

/* ---- help ---- */

static int help_of(const struct template_verb *v)
{
	printf("Usage: bawn template %s %s\n\n%s\n\nOptions:\n", v->name, v->args, v->text);
	options_help(v->rows, stdout);
	printf("\nExamples:\n%s", v->examples);
	return admin_said(0);
}

/* Options of all verbs, each once; where two mean something else by one, both are said. */
static const struct option_row *all_options(void)
{
	static char both[OPTIONS_MAX][160];
	static struct option_row all[OPTIONS_MAX + 1];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		for (const struct option_row *r = verbs[i]->rows; r->name; r++) {
			size_t k = 0;
			while (k < n && !streq(all[k].name, r->name))
				k++;
			if (k == n && n < OPTIONS_MAX) {
				all[n++] = *r;
			} else if (k < n && !strstr(all[k].help, r->help)) {
				snprintf(both[k], sizeof(both[k]), "%.70s; or: %.70s", all[k].help,
					r->help);
				all[k].help = both[k];
			}
		}
	return all;
}

static int help(void)
{
	puts("Usage: bawn template VERB [OPTIONS] ...\n\n"
	     "Templates are root file systems for sandboxes, made of the layers of images\n"
	     "(man bawn-template).\n\nVerbs:");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		char left[64];
		snprintf(left, sizeof(left), "%s %s", verbs[i]->name, verbs[i]->args);
		printf("  %-34s %.*s\n", left, (int)strcspn(verbs[i]->text, ".:;"), verbs[i]->text);
	}
	/* bawn-build's */
	printf("  %-34s %s\n", "build [OPTIONS] CONTEXT", "Make a template of a Dockerfile");
	puts("\nOptions of the verbs (bawn template VERB --help tells which has which):");
	options_help(all_options(), stdout);
	fputs("\nExamples:\n", stdout);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fputs(verbs[i]->examples, stdout);
	return admin_said(0);
}

/* ---- the command line ---- */

static const struct template_verb *asked; /* whose options are being parsed */
static bool help_asked;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	if (id != TEMPLATE_HELP)
		return asked->option(ctx, id, value, err);
	help_asked = true;
	return 0;
}

static int usage(const struct template_verb *v, const char *what)
{
	char line[120];
	snprintf(line, sizeof(line), "bawn template %s %s", v->name, v->args);
	return admin_usage(line, "%s", what);
}

static int open_all(struct tpl *c, struct err *err)
{
	int r = admin_dirs_find(&c->a, &c->dirs, err);
	if (r == 0)
		r = store_open(&c->a, &c->store, err);
	if (r == 0)
		r = templates_open(&c->a, c->store.xdg.data, &c->t, err);
	return r < 0 ? r : template_work_init(&c->w, &c->a, &c->t, c->dirs.install.libexec, err);
}

static int run_verb(const struct template_verb *v, char **word, int n)
{
	struct tpl c = {.store = STORE_NONE, .t = TEMPLATES_NONE, .json = {.pretty = true}};
	struct err err = {0};
	int r = open_all(&c, &err);
	if (r == 0)
		r = v->run(&c, word, n, &err);
	progress_end(&c.w.progress);
	if (r >= 0 && c.json.buf)
		printf("%.*s\n", (int)c.json.n, c.json.buf);
	if (r >= 0 && (c.json.failed || fflush(stdout) != 0))
		r = err_set(&err, EIO, "what was found could not be printed");
	json_free(&c.json);
	templates_close(&c.t);
	store_close(&c.store);
	arena_free(&c.a);
	return r < 0 ? admin_fail(&err) : r;
}

static int call(const struct template_verb *v, int argc, char **argv)
{
	struct option_split split;
	struct err err = {0};
	char name[40];
	snprintf(name, sizeof(name), "template %s", v->name);
	argv[0] = name; /* what messages say of it */
	asked = v;
	if (options_parse(v->rows, argc, argv, option, NULL, &split, &err) < 0)
		return admin_fail(&err), ADMIN_USAGE;
	if (help_asked)
		return help_of(v);
	int n = options_words(&split, argc, argv) - split.first;
	if (n < v->min)
		return usage(v, v->what);
	if (v->max >= 0 && n > v->max)
		return usage(v, "too many words");
	return run_verb(v, argv + split.first, n);
}

static int unknown(const char *word)
{
	const char *names[ARRAY_LEN(verbs)], *near;
	char shown[64];
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		names[i] = verbs[i]->name;
	near = text_nearest(word, names, ARRAY_LEN(names));
	return admin_usage("bawn template VERB ...; bawn template --help lists the verbs",
		"unknown verb '%s'%s%s%s", escape_text(shown, sizeof(shown), word),
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int main(int argc, char **argv)
{
	struct err err = {0};
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN); /* a reader of ours that goes is an error like others */
	if (fd_fix_stdio(&err) < 0)
		return admin_fail(&err);
	if (argc < 2 || !streq(argv[1], "template"))
		return admin_usage("bawn template VERB ...", "bawn-template is called by bawn");
	if (argc > 2 && streq(argv[2], OPTIONS_WORD)) {
		options_print(all_options());
		return admin_said(0);
	}
	if (argc > 2 &&
		(streq(argv[2], "--help") || streq(argv[2], "-h") || streq(argv[2], "help")))
		return help();
	if (argc < 3)
		return admin_usage("bawn template VERB ...; bawn template --help lists the verbs",
			"a verb is missing");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (streq(verbs[i]->name, argv[2]))
			return call(verbs[i], argc - 2, argv + 2);
	if (streq(argv[2], template_box_verb.name))
		return call(&template_box_verb, argc - 2, argv + 2);
	return unknown(argv[2]);
}
