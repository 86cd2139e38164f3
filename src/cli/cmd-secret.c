/* cli/cmd-secret.c - bawn secret set | ls | rm | import: the store of secrets, as a person uses it.
 *
 * Must not: print a value, or take one from the command line.
 */
#include <inttypes.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/escape.h"
#include "base/text.h"
#include "cli/admin.h"
#include "cli/cmd-secret.h"
#include "policy/compile.h"
#include "policy/egress-table.h"

static const char usage[] = "bawn secret set SECRET [--value-stdin|--command CMD|--env VAR|--file "
			    "FILE] [--sandbox NAME] | "
			    "ls [--json] | rm SECRET [--sandbox NAME] | import [--dry-run] [--yes]";

enum {
	OPT_STDIN,
	OPT_COMMAND,
	OPT_ENV,
	OPT_FILE,
	OPT_SANDBOX,
	OPT_JSON,
	OPT_DRY,
	OPT_YES,
	OPT_HELP
};

static const struct option_row rows[] = {
	{"value-stdin", 0, NULL, "set: the secret is what stdin gives", OPT_STDIN},
	{"command", 0, "CMD", "set: ... what this command prints, each time", OPT_COMMAND},
	{"env", 0, "VAR", "set: ... this variable of bawn's environment, each time", OPT_ENV},
	{"file", 0, "FILE", "set: ... what this file holds, each time", OPT_FILE},
	{"sandbox", 0, "NAME", "set, rm: for this sandbox alone", OPT_SANDBOX},
	{"json", 0, NULL, "ls: print JSON", OPT_JSON},
	{"dry-run", 0, NULL, "import: only say what there is", OPT_DRY},
	{"yes", 'y', NULL, "import: don't ask", OPT_YES},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn secret set [OPTIONS] SECRET\n"
		 "       bawn secret ls [--json]\n"
		 "       bawn secret rm [--sandbox NAME] SECRET\n"
		 "       bawn secret import [--dry-run] [--yes]",
	.text = "Keep keys and tokens, by the names that policies give them (man 5 bawn-policy).\n"
		"set asks for the secret where no option says where it is; ls never shows one;\n"
		"import offers what this shell's environment and tools have.",
	.rows = rows,
	.examples = "  bawn secret set anthropic\n"
		    "  printf %s \"$KEY\" | bawn secret set --value-stdin openai\n"
		    "  bawn secret set --command 'pass show github' github\n"
		    "  bawn secret import --dry-run\n"
		    "  bawn secret ls\n",
};

static int add_bindings(
	struct ctx *c, const char *name, struct credentials *ret, struct strv *files)
{
	struct egress_file f;
	struct err err = {0};
	const char *path = NULL;
	int r = locate_file(&c->locate, LOCATE_POLICY, name, &path, &err);
	if (r >= 0 && strv_has(files, path))
		return 0;
	if (r >= 0)
		r = compile_read_policy(&c->locate, name, &f, &err);
	if (r < 0) {
		fprintf(stderr, "bawn: left out: %s\n", err.msg);
		return 0;
	}
	struct credential *v = arena_alloc(&c->a, (ret->n + f.credentials.n + 1) * sizeof(*v));
	if (!v || strv_add(&c->a, files, path) < 0)
		return -ENOMEM;
	if (ret->n)
		memcpy(v, ret->v, ret->n * sizeof(*v));
	if (f.credentials.n)
		memcpy(v + ret->n, f.credentials.v, f.credentials.n * sizeof(*v));
	ret->v = v;
	ret->n += f.credentials.n;
	return 0;
}

int secret_bindings(struct ctx *c, struct credentials *ret)
{
	struct strv names = {0}, files = {0};
	struct err err = {0};
	int r = locate_names(&c->locate, LOCATE_POLICY, &names, &err);
	for (size_t i = 0; r >= 0 && i < names.n; i++)
		r = add_bindings(c, names.v[i], ret, &files);
	return r;
}

/* ---- set ---- */

static int check_sandbox(struct ctx *c, const char *name, struct err *err)
{
	struct admin_dirs dirs;
	char shown_name[128];
	if (!name)
		return 0;
	int r = admin_dirs_find(&c->a, &dirs, err);
	char *spec = r < 0 ? NULL
			   : arena_printf(&c->a, "%s/sandboxes/%s/spec", dirs.xdg.data, name);
	if (r == 0 && (strchr(name, '/') || !spec || access(spec, F_OK) < 0)) {
		err_hint(err, "bawn ls lists the sandboxes");
		r = err_set(err, ENOENT, "there is no sandbox '%s'",
			escape_text(shown_name, sizeof(shown_name), name));
	}
	return r;
}

/* What the options say, or SECRET_SOURCES with *err when they contradict each other. */
static enum secret_source chosen(const struct secret_args *a, struct err *err)
{
	enum secret_source source = SECRET_VALUE;
	int n = a->value_stdin;
	for (int i = 0; i < SECRET_SOURCES; i++)
		if (a->source[i]) {
			source = (enum secret_source)i;
			n++;
		}
	if (n <= 1)
		return source;
	err_set(err, EINVAL, "one of --value-stdin, --command, --env and --file, not several");
	return SECRET_SOURCES;
}

static int read_value(
	const char *name, const struct secret_args *a, struct secret_buf *b, struct err *err)
{
	char prompt[SECRET_NAME_MAX + 32];
	if (a->value_stdin)
		return secret_buf_read(b, STDIN_FILENO, err);
	snprintf(prompt, sizeof(prompt), "bawn: secret %s: ", name);
	int r = secret_prompt(prompt, b, err);
	if (r == -ENOTTY) {
		err_hint(err, "bawn secret set --value-stdin %s", name);
		return err_set(err, ENOTTY,
			"stdin is no terminal to ask for the secret at, and no option says where "
			"it "
			"is");
	}
	return r;
}

/* A file is remembered by its absolute path, and has to be there now. */
static const char *absolute_file(struct ctx *c, const char *path, struct err *err)
{
	char shown_path[300];
	char *real = path_real(&c->a, path);
	if (!real)
		err_sys(err, errno, "%s", escape_text(shown_path, sizeof(shown_path), path));
	return real;
}

static int check_var(const char *name, struct err *err)
{
	char shown_name[128];
	bool ok = *name && !(*name >= '0' && *name <= '9');
	for (const char *p = name; ok && *p; p++)
		ok = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || *p == '_';
	return ok ? 0
		  : err_set(err, EINVAL, "--env takes a variable's name, and \"%s\" is none",
			    escape_text(shown_name, sizeof(shown_name), name));
}

/* Nobody is stopped from keeping a secret that no policy names yet. */
void secret_say_unbound(struct ctx *c, const char *name)
{
	struct credentials all = {0};
	struct strv names = {0};
	/* what a registry is told is bawn template's */
	if (has_prefix(name, "registry.") || secret_bindings(c, &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		if (streq(all.v[i].secret, name))
			return;
		if (!strv_has(&names, all.v[i].secret))
			strv_add(&c->a, &names, all.v[i].secret);
	}
	const char *near = text_nearest(name, (const char *const *)names.v, names.n);
	fprintf(stderr, "bawn: no policy sends the secret %s anywhere yet%s%s%s\n", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int set_secret(struct ctx *c, const char *name, struct err *err)
{
	const struct secret_args *a = c->own;
	_cleanup_secret_ struct secret_buf b = {0};
	int r = secret_check_name(name, err);
	enum secret_source source = r < 0 ? SECRET_SOURCES : chosen(a, err);
	if (source == SECRET_SOURCES)
		return -EINVAL;
	const char *text = a->source[source];
	r = check_sandbox(c, a->sandbox, err);
	if (r == 0 && source == SECRET_ENV)
		r = check_var(text, err);
	if (r == 0 && source == SECRET_FILE && !(text = absolute_file(c, text, err)))
		r = -EINVAL;
	if (r == 0 && source == SECRET_VALUE) {
		r = secret_buf_alloc(&b, err);
		if (r == 0)
			r = read_value(name, a, &b, err);
		text = b.v;
	}
	if (r < 0)
		return r;
	return secret_set(c->locate.config_dir, a->sandbox, name, source, text,
		source == SECRET_VALUE ? b.n : strlen(text), err);
}

static int cmd_set(struct ctx *c)
{
	struct err err = {0};
	if (c->n != 1)
		return admin_usage(usage,
			c->n ? "set takes one name; a secret never stands on the "
			       "command line"
			     : "set takes the secret's name");
	int r = set_secret(c, c->arg[0], &err);
	if (r == -EINTR)
		return 130;
	if (r < 0)
		return admin_fail(&err);
	secret_say_unbound(c, c->arg[0]);
	return 0;
}

/* ---- ls ---- */

static void age_text(int64_t changed, char *buf, size_t cap)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t age = MAX((int64_t)time(NULL) - changed, (int64_t)0);
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && age < units[i].seconds)
		i++;
	snprintf(buf, cap, "%" PRId64 " %s", age / units[i].seconds, units[i].name);
}

static void host_name_text(const struct credential_host *h, char *buf, size_t cap)
{
	static const char *const wild[] = {
		[EGRESS_EXACT] = "", [EGRESS_ONE] = "*.", [EGRESS_ANY] = "**."};
	int n = snprintf(buf, cap, "%s%s", wild[h->kind], h->name);
	if (h->port != 443 && n > 0 && (size_t)n < cap)
		snprintf(buf + n, cap - (size_t)n, ":%u", h->port);
}

/* The hosts that policies send a secret to, once each. */
static int hosts_of(
	struct ctx *c, const struct credentials *all, const char *name, struct strv *ret)
{
	char host[400];
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; streq(all->v[i].secret, name) && k < all->v[i].n_hosts; k++) {
			host_name_text(&all->v[i].hosts[k], host, sizeof(host));
			if (!strv_has(ret, host) && strv_add(&c->a, ret, host) < 0)
				return -ENOMEM;
		}
	return 0;
}

static void list_one(struct ctx *c, const struct secret_info *s, const struct strv *hosts)
{
	char age[40], scope[SECRET_NAME_MAX + 16] = "all";
	age_text(s->changed, age, sizeof(age));
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "name", s->name);
		json_str(&c->json, "sandbox", s->sandbox);
		json_str(&c->json, "source", secret_source_name(s->source));
		json_int(&c->json, "changed", s->changed);
		json_begin(&c->json, "hosts", '[');
		for (size_t i = 0; i < hosts->n; i++)
			json_str(&c->json, NULL, hosts->v[i]);
		json_end(&c->json, ']');
		json_end(&c->json, '}');
		return;
	}
	if (s->sandbox)
		snprintf(scope, sizeof(scope), "%s", s->sandbox);
	printf("%-16s  %-7s  %-12s  %-8s ", s->name, secret_source_name(s->source), scope, age);
	for (size_t i = 0; i < hosts->n; i++)
		printf(" %s%s", hosts->v[i], i + 1 < hosts->n ? "," : "");
	puts(hosts->n ? "" : " -");
}

static int cmd_ls(struct ctx *c)
{
	struct secret_info *v = NULL;
	struct credentials all = {0};
	struct err err = {0};
	size_t n = 0;
	if (c->n != 0)
		return admin_usage(usage, "ls takes no name");
	if (secret_list(&c->a, c->locate.config_dir, &v, &n, &err) < 0)
		return admin_fail(&err);
	if (n > 0 && secret_bindings(c, &all) < 0)
		return ADMIN_FAILED;
	if (c->as_json)
		json_begin(&c->json, NULL, '[');
	else if (n > 0)
		printf("%-16s  %-7s  %-12s  %-8s  %s\n", "NAME", "SOURCE", "SANDBOX", "AGE",
			"GOES TO");
	for (size_t i = 0; i < n; i++) {
		struct strv hosts = {0};
		if (hosts_of(c, &all, v[i].name, &hosts) < 0)
			return ADMIN_FAILED;
		list_one(c, &v[i], &hosts);
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return 0;
}

static int cmd_rm(struct ctx *c)
{
	const struct secret_args *a = c->own;
	struct err err = {0};
	if (c->n != 1)
		return admin_usage(usage, "rm takes one name");
	int r = secret_remove(c->locate.config_dir, a->sandbox, c->arg[0], &err);
	return r < 0 ? admin_fail(&err) : 0;
}

/* ---- the command line ---- */

static const struct listing_verb verbs[] = {
	{"set", cmd_set}, {"ls", cmd_ls}, {"rm", cmd_rm}, {"import", secret_import}};

/* Options that this verb has no use for are mistakes. */
static const char *out_of_place(const char *verb, const struct ctx *c)
{
	const struct secret_args *a = c->own;
	const struct {
		bool given;
		const char *option, *verbs;
	} all[] = {
		{a->value_stdin, "--value-stdin", "set"},
		{a->source[SECRET_COMMAND], "--command", "set"},
		{a->source[SECRET_ENV], "--env", "set"},
		{a->source[SECRET_FILE], "--file", "set"},
		{a->sandbox, "--sandbox", "set rm"},
		{c->as_json, "--json", "ls"},
		{a->dry_run, "--dry-run", "import"},
		{a->yes, "--yes", "import"},
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].given && !strstr(all[i].verbs, verb))
			return all[i].option;
	return NULL;
}

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct ctx *c = ctx;
	struct secret_args *a = c->own;
	const char **text = id == OPT_COMMAND ? &a->source[SECRET_COMMAND]
		: id == OPT_ENV               ? &a->source[SECRET_ENV]
		: id == OPT_FILE              ? &a->source[SECRET_FILE]
		: id == OPT_SANDBOX           ? &a->sandbox
					      : NULL;
	if (id == OPT_STDIN)
		a->value_stdin = true;
	else if (id == OPT_JSON)
		c->as_json = true;
	else if (id == OPT_DRY)
		a->dry_run = true;
	else if (id == OPT_YES)
		a->yes = true;
	else if (id == OPT_HELP)
		c->help = true;
	else if (text && *text)
		return err_set(err, EINVAL, "an option is given twice");
	else if (text && !(*text = arena_dup(&c->a, value)))
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

int cmd_secret(int argc, char **argv)
{
	struct secret_args args = {0};
	struct ctx c = {.json = {.pretty = true}, .own = &args};
	struct option_split split;
	struct err err = {0};
	/* No other process of this user reads this one's memory, and no core dump keeps it. */
	prctl(PR_SET_DUMPABLE, 0);
	/* With bawn gone nobody waits for an answer: the terminal gets its echo back. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (options_parse(rows, argc, argv, option, &c, &split, &err) < 0)
		return admin_fail(&err), ADMIN_USAGE;
	if (c.help)
		return admin_help(&help);
	int end = options_words(&split, argc, argv);
	const char *wrong = split.first < end ? out_of_place(argv[split.first], &c) : NULL;
	if (wrong)
		return admin_usage(usage, "%s is not an option of %s", wrong, argv[split.first]);
	return listing_run(
		&c, verbs, ARRAY_LEN(verbs), usage, end - split.first, argv + split.first);
}
