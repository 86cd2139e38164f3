/* cli/cmd-complete.c - `bawn __complete WORD...`: what a shell may offer for the last WORD.
 *
 * All that it knows comes from the tables that the program itself goes by: the commands and their
 * words (main.c), each command's options (it is asked to print its table), profiles, policies and
 * sandboxes from their directories.  Prints one candidate a line, with a tab and its help; a line
 * ":files", ":dirs", ":commands", ":users" or ":env" leaves that to the shell, which knows how.  It
 * starts nothing, locks nothing and never fails: where it doesn't know, it says nothing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/command.h"
#include "run/options.h"
#include "store/spec.h"
#include "store/templates.h"

struct complete {
	struct arena a;
	struct path_xdg xdg;
	struct path_install install;
	const char *prefix;  /* goes before each candidate: "--policy=" */
	const char *cur;     /* what a candidate must begin with */
	const char *sandbox; /* the first word that is no option */
};

/* Nothing that would have to be written out on a terminal: of names that were given inside, shells
 * show what they have. */
static bool printable(const char *s)
{
	char shown[8192];
	return strlen(s) < sizeof(shown) / 4 && streq(escape_text(shown, sizeof(shown), s), s);
}

static void offer(const struct complete *c, const char *word, const char *help)
{
	char shown[256];
	if (has_prefix(word, c->cur) && printable(word))
		printf("%s%s\t%s\n", c->prefix, word,
			escape_text(shown, sizeof(shown), help ? help : ""));
}

/* ---- names on disk ---- */

/* Call fn for each entry of directory dir/name, sorted, but the hidden ones. */
static void each(struct complete *c, const char *dir, const char *name,
	void (*fn)(struct complete *c, const char *dir, const char *name))
{
	struct dirent **list;
	char *path = path_join(&c->a, dir, name);
	int n = path ? scandir(path, &list, NULL, alphasort) : -1;
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.')
			fn(c, path, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* NAME.yaml, with what stands behind "summary:" in it. */
static void offer_yaml(struct complete *c, const char *dir, const char *name)
{
	size_t n = strlen(name);
	char *text = NULL, *summary = NULL;
	struct err ignored = {0};
	if (n <= 5 || !streq(name + n - 5, ".yaml"))
		return;
	char *word = arena_dupn(&c->a, name, n - 5);
	char *path = path_join(&c->a, dir, name);
	if (!word || !path || !has_prefix(word, c->cur))
		return;
	if (file_read(&c->a, AT_FDCWD, path, 1 << 20, &text, &ignored) > 0)
		summary = has_prefix(text, "summary:") ? text : strstr(text, "\nsummary:");
	if (summary) {
		summary = strchr(summary, ':') + 1;
		summary += strspn(summary, " \t\"'");
		summary[strcspn(summary, "\n\"'")] = '\0';
	}
	offer(c, word, summary);
}

static void offer_profiles(struct complete *c)
{
	each(c, c->xdg.config, "profiles", offer_yaml);
	each(c, c->install.data, "profiles", offer_yaml);
}

static void offer_policies(struct complete *c)
{
	each(c, c->xdg.config, "policies", offer_yaml);
	each(c, c->install.data, "policies/egress", offer_yaml);
}

static void offer_secret(struct complete *c, const char *dir, const char *name)
{
	size_t n = strlen(name);
	(void)dir;
	if (name[0] != '@' && !(n > 4 && streq(name + n - 4, ".tmp")))
		offer(c, name, NULL);
}

static void offer_secrets(struct complete *c)
{
	each(c, c->xdg.config, "secrets", offer_secret);
}

static int read_spec(struct complete *c, const char *dir, const char *name, struct spec *ret)
{
	struct err ignored = {0};
	_cleanup_close_ int fd = open(
		path_join(&c->a, dir, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : spec_read(fd, &c->a, ret, &ignored);
}

static void offer_sandbox(struct complete *c, const char *dir, const char *name)
{
	struct spec s = {0};
	int k = read_spec(c, dir, name, &s);
	if (k != -ENOENT) /* a broken one can be removed */
		offer(c, name,
			k < 0 ? "broken"
			      : arena_printf(&c->a, "%s, %s", path_base(s.profile),
					s.workspace ? s.workspace : "no workspace"));
}

static void offer_sandboxes(struct complete *c)
{
	each(c, c->xdg.data, "sandboxes", offer_sandbox);
}

/* The checkpoints of the sandbox that was named before. */
static void offer_tags(struct complete *c)
{
	struct spec s = {0};
	char *dir = path_join(&c->a, c->xdg.data, "sandboxes");
	if (!dir || !c->sandbox || strchr(c->sandbox, '/') || read_spec(c, dir, c->sandbox, &s) < 0)
		return;
	for (size_t i = 0; i < s.tags.n; i++)
		offer(c, arena_dupn(&c->a, s.tags.v[i], strcspn(s.tags.v[i], " ")), "checkpoint");
}

/* Names of templates, as they are shown. */
static void offer_templates(struct complete *c)
{
	struct templates t = TEMPLATES_NONE;
	struct template_tags tags = {0};
	struct err ignored = {0};
	char *dir = path_join(&c->a, c->xdg.data, "templates");
	if (!dir || access(dir, F_OK) < 0 || templates_open(&c->a, c->xdg.data, &t, &ignored) < 0)
		return;
	templates_tags(&t, &c->a, &tags, &ignored);
	for (size_t i = 0; i < tags.n; i++)
		offer(c, ref_shown(&c->a, tags.v[i].key), "template");
	templates_close(&t);
}

/* ---- NAME:/PATH ---- */

static void offer_entries(struct complete *c, int fd, const char *shown_dir)
{
	_cleanup_close_ int own = fd;
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	if (!d)
		return;
	TAKE_FD(own);
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
			fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			S_ISCHR(st.st_mode)) /* overlayfs: it was removed */
			continue;
		char *word = arena_printf(
			&c->a, "%s%s%s", shown_dir, e->d_name, S_ISDIR(st.st_mode) ? "/" : "");
		if (word)
			offer(c, word, NULL);
	}
	closedir(d);
}

/* rel below dir, which the agent may have filled with links: none is followed. */
static int open_below(struct complete *c, const char *dir, const char *rel)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *path = arena_printf(&c->a, "./%s", rel);
	return fd < 0 || !path ? -1
			       : path_openat2(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
					 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* rel in the home: what was written, in any of its layers, and what came along. */
static void offer_home(struct complete *c, const struct spec *s, const char *rel, const char *shown)
{
	struct strv parts = {0};
	strv_addf(&c->a, &parts, "%s/sandboxes/%s/up/home", c->xdg.data, s->name);
	strv_addf(&c->a, &parts, "%s/sandboxes/%s/seed", c->xdg.data, s->name);
	for (size_t i = 0; i < s->layers.n; i++)
		strv_addf(&c->a, &parts, "%s/layers/%s/home", c->xdg.data, s->layers.v[i]);
	for (size_t i = 0; i < parts.n; i++)
		offer_entries(c, open_below(c, parts.v[i], rel), shown);
}

/* The same in a template, all of whose root is the sandbox's. */
static void offer_root(struct complete *c, const struct spec *s, const char *rel, const char *shown)
{
	struct templates t = TEMPLATES_NONE;
	struct template found = {0};
	struct strv parts = {0};
	struct err ignored = {0};
	const char *id = ref_digest_hex(s->digest);
	strv_addf(&c->a, &parts, "%s/sandboxes/%s/up/root", c->xdg.data, s->name);
	strv_addf(&c->a, &parts, "%s/sandboxes/%s/seed-root", c->xdg.data, s->name);
	for (size_t i = 0; i < s->layers.n; i++)
		strv_addf(&c->a, &parts, "%s/layers/%s/root", c->xdg.data, s->layers.v[i]);
	if (id && templates_open(&c->a, c->xdg.data, &t, &ignored) == 0 &&
		template_read(&t, &c->a, id, &found, &ignored) == 0)
		for (size_t i = 0; i < found.info.layers.n; i++)
			strv_push(&c->a, &parts,
				template_layer_fs(&t, &c->a, found.info.layers.v[i]));
	for (size_t i = 0; i < parts.n; i++)
		offer_entries(c, open_below(c, parts.v[i], rel), shown);
	templates_close(&t);
}

/* What is at NAME:/PATH, as far as it can be told without starting the sandbox. */
static void offer_inside(struct complete *c)
{
	struct spec s = {0};
	const char *colon = strchr(c->cur, ':');
	char *name = arena_dupn(&c->a, c->cur, (size_t)(colon - c->cur));
	char *boxes = path_join(&c->a, c->xdg.data, "sandboxes");
	if (!name || !boxes || strchr(name, '/') || read_spec(c, boxes, name, &s) < 0)
		return;
	const char *slash = strrchr(colon, '/');
	if (!slash) {
		offer(c, arena_printf(&c->a, "%s:/", name), NULL);
		return;
	}
	char *shown = arena_dupn(&c->a, c->cur, (size_t)(slash + 1 - c->cur));
	char *dir = arena_dupn(&c->a, colon + 1, (size_t)(slash - colon));
	const size_t n = strlen(c->xdg.home);
	if (!shown || !dir || dir[0] != '/')
		return;
	const bool direct = s.mode && streq(s.mode, "direct");
	if (s.workspace && has_prefix(dir, s.workspace) && dir[strlen(s.workspace)] == '/') {
		if (direct)
			offer_entries(c, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), shown);
	} else if (s.digest) {
		offer_root(c, &s, dir + 1, shown);
	} else if (has_prefix(dir, c->xdg.home) && dir[n] == '/') {
		offer_home(c, &s, dir + n + 1, shown);
	}
}

static void offer_sandbox_colon(struct complete *c, const char *dir, const char *name)
{
	struct spec s = {0};
	if (read_spec(c, dir, name, &s) == 0)
		offer(c, arena_printf(&c->a, "%s:", name), s.workspace);
}

static void offer_copy(struct complete *c)
{
	if (strchr(c->cur, ':')) {
		offer_inside(c);
		return;
	}
	each(c, c->xdg.data, "sandboxes", offer_sandbox_colon);
	puts(":files");
}

/* ---- by kind ---- */

/* What a word in capitals of a usage line stands for. */
static const struct kind {
	const char *word;
	void (*offer)(struct complete *c);
	const char *shell;
} kinds[] = {
	{"NAME", offer_sandboxes, NULL},
	{"PROFILE", offer_profiles, NULL},
	{"POLICY", offer_policies, NULL},
	{"TAG", offer_tags, NULL},
	{"SECRET", offer_secrets, NULL},
	{"TEMPLATE", offer_templates, NULL},
	{"SRC", offer_copy, NULL},
	{"DST", offer_copy, NULL},
	{"NAME:/PATH", offer_copy, NULL},
	{"PATH", NULL, ":files"},
	{"FILE", NULL, ":files"},
	{"ARGS", NULL, ":files"},
	{"DIR", NULL, ":dirs"},
	{"COMMAND", NULL, ":commands"},
	{"USER", NULL, ":users"},
	{"K", NULL, ":env"},
	{"VAR", NULL, ":env"},
};

/* One alternative of a usage line: "PATH[:ro]...", "landlock". */
static void offer_one(struct complete *c, const char *what)
{
	char word[64];
	size_t n = strcspn(what, "[");
	const char *dots = strstr(what, "...");
	if (dots)
		n = MIN(n, (size_t)(dots - what));
	snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), what);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!streq(kinds[i].word, word))
			continue;
		if (kinds[i].offer)
			kinds[i].offer(c);
		else
			puts(kinds[i].shell);
		return;
	}
	if (word[0] >= 'a' && word[0] <= 'z') /* itself */
		offer(c, word, NULL);
}

static void offer_kinds(struct complete *c, const char *what)
{
	for (char *rest = arena_dup(&c->a, what), *one; (one = strsep(&rest, "|"));)
		offer_one(c, one);
}

/* ---- words of a command ---- */

/* The words that a command takes, as its usage says; options are left out. */
struct words {
	struct strv v;
	bool repeats; /* the last one may come again */
	bool ordered; /* it runs a COMMAND: the first word ends the options */
};

static void parse_usage(struct complete *c, const char *usage, struct words *ret)
{
	bool in_option = false;
	*ret = (struct words){0};
	for (char *rest = arena_dup(&c->a, usage), *w; (w = strsep(&rest, " "));) {
		const bool closes = *w && w[strlen(w) - 1] == ']' && !strstr(w, "[:") &&
			!strstr(w, "[=");
		if (in_option || has_prefix(w, "[-")) {
			in_option = !closes;
			continue;
		}
		if (streq(w, "--"))
			break;
		w += *w == '[';
		if (!*w || *w == '-' || has_prefix(w, "OPTIONS"))
			continue;
		ret->repeats = strstr(w, "...") != NULL;
		ret->ordered |= has_prefix(w, "COMMAND");
		w[strcspn(w, closes ? "]" : "")] = '\0';
		strv_push(&c->a, &ret->v, w);
	}
}

/* ---- options ---- */

struct rows {
	struct option_row v[OPTIONS_MAX];
	size_t n;
};

/* The command prints its table; bawn-admin's do, too. */
static void read_rows(
	struct complete *c, const struct command *cmd, const struct command *verb, struct rows *ret)
{
	enum { CAP = 64 << 10 };
	int p[2];
	ret->n = 0;
	char *text = arena_alloc(&c->a, CAP + 1);
	if (!text || pipe2(p, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		static char word[] = OPTIONS_WORD;
		/* a verb that another program has, with a table of its own */
		const bool own = verb && cmd->run == cmd_template;
		char *argv[] = {arena_dup(&c->a, cmd->name),
			own ? arena_dup(&c->a, verb->name) : word, own ? word : NULL, NULL};
		_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0 || dup2(null, 0) < 0 || dup2(p[1], 1) < 0 || dup2(null, 2) < 0)
			_exit(125);
		exit(command_call(cmd, own ? 3 : 2, argv));
	}
	close(p[1]);
	ssize_t n = pid < 0 ? -1 : fd_read_full(p[0], text, CAP);
	close(p[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	for (char *line; n > 0 && (line = strsep(&text, "\n")) && ret->n < OPTIONS_MAX;) {
		char *name = strsep(&line, "\t"), *letter = strsep(&line, "\t");
		char *arg = strsep(&line, "\t"), *help = strsep(&line, "\t");
		if (help && has_prefix(name, "--"))
			ret->v[ret->n++] = (struct option_row){.name = name + 2,
				.letter = letter[0],
				.arg = arg[0] ? arg : NULL,
				.help = help};
	}
}

static void offer_options(struct complete *c, const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		offer(c, arena_printf(&c->a, "--%s", rows->v[i].name), rows->v[i].help);
	for (size_t i = 0; i < rows->n && !has_prefix(c->cur, "--"); i++)
		if (rows->v[i].letter)
			offer(c, arena_printf(&c->a, "-%c", rows->v[i].letter), rows->v[i].help);
}

/* A long option, in full or as much of it as is unique. */
static const struct option_row *find_long(const struct rows *rows, const char *word, size_t n)
{
	const struct option_row *found = NULL;
	for (size_t i = 0; i < rows->n; i++) {
		if (strncmp(rows->v[i].name, word, n) != 0)
			continue;
		if (strlen(rows->v[i].name) == n)
			return &rows->v[i];
		if (found)
			return NULL;
		found = &rows->v[i];
	}
	return found;
}

/* The option whose argument is the word after this one; NULL: none. */
static const struct option_row *waits_for(const struct rows *rows, const char *word)
{
	const struct option_row *o = NULL;
	if (has_prefix(word, "--"))
		o = strchr(word, '=') ? NULL : find_long(rows, word + 2, strlen(word + 2));
	else
		for (const char *p = word + 1; *p; p++)
			for (size_t i = 0; i < rows->n; i++)
				if (rows->v[i].letter == *p && rows->v[i].arg)
					return p[1] ? NULL : &rows->v[i];
	return o && o->arg ? o : NULL;
}

/* ---- the command line ---- */

static void offer_commands(struct complete *c, const struct command *table)
{
	for (; table->name; table++)
		if (table->help)
			offer(c, table->name, table->help);
}

static const struct command *find(const struct command *table, const char *name)
{
	for (; table && table->name; table++)
		if (streq(table->name, name))
			return table;
	return NULL;
}

/* word[0..n) are what follows the command; the last is completed. */
static void complete_words(
	struct complete *c, const struct rows *rows, const char *usage, char **word, int n)
{
	struct words w;
	const struct option_row *waits = NULL;
	size_t at = 0;
	parse_usage(c, usage, &w);
	for (int i = 0; i < n - 1; i++) {
		const bool options = !(w.ordered && at > 0);
		if (waits) {
			waits = NULL;
		} else if (options && streq(word[i], "--")) {
			return; /* what follows is not ours to know */
		} else if (options && word[i][0] == '-' && word[i][1]) {
			waits = waits_for(rows, word[i]);
		} else {
			if (at++ == 0)
				c->sandbox = word[i];
		}
	}
	const char *cur = word[n - 1], *is = strchr(cur, '=');
	c->cur = cur;
	if (waits) {
		offer_kinds(c, waits->arg);
	} else if (!(w.ordered && at > 0) && has_prefix(cur, "--") && is) {
		const struct option_row *o = find_long(rows, cur + 2, (size_t)(is - cur - 2));
		c->prefix = arena_dupn(&c->a, cur, (size_t)(is + 1 - cur));
		c->cur = is + 1;
		if (o && o->arg && c->prefix)
			offer_kinds(c, o->arg);
	} else if (!(w.ordered && at > 0) && cur[0] == '-') {
		offer_options(c, rows);
	} else if (at < w.v.n) {
		offer_kinds(c, w.v.v[at]);
	} else if (w.v.n && w.repeats) {
		offer_kinds(c, w.v.v[w.v.n - 1]);
	}
}

int cmd_complete(int argc, char **argv)
{
	struct complete c = {.prefix = "", .cur = argv[argc - 1]};
	struct err ignored = {0};
	struct rows rows = {0};
	const struct command *table = command_table();
	if (argc < 2 || path_xdg_find(&c.a, &c.xdg, &ignored) < 0 ||
		path_install_find(&c.a, BAWN_LIBEXECDIR, BAWN_DATADIR, &c.install, &ignored) < 0)
		return 0;
	const struct command *cmd = argc > 2 ? find(table, argv[1]) : NULL;
	if (argc == 2) {
		offer_commands(&c, table);
		if (c.cur[0] == '-') {
			offer(&c, "--help", "show the commands");
			offer(&c, "--version", "show the version");
		}
	} else if (cmd && streq(cmd->name, "help")) {
		if (argc == 3)
			offer_commands(&c, table);
	} else if (cmd) {
		const struct command *verbs = command_verbs(cmd->name);
		const struct command *verb = argc > 3 ? find(verbs, argv[2]) : NULL;
		int skip = verb ? 3 : 2;
		read_rows(&c, verb && verb->run ? verb : cmd, verb, &rows);
		if (verbs && argc == 3 && c.cur[0] != '-')
			offer_commands(&c, verbs);
		else
			complete_words(
				&c, &rows, verb ? verb->args : cmd->args, argv + skip, argc - skip);
	}
	arena_free(&c.a);
	return 0;
}
