/* cli/cmd-skill.c - bawn skill: what an agent outside of any sandbox should know of bawn, printed
 * or put where that agent looks for skills.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/command.h"
#include "run/run.h"
#include "run/options.h"

#define SKILL_MAX ((size_t)64 << 10)

enum { OPT_INSTALL, OPT_HELP };

static const struct option_row rows[] = {
	{"install", 0, "AGENT", "put it where claude, codex, gemini or opencode finds it",
		OPT_INSTALL},
	{"help", 'h', NULL, "show this help", OPT_HELP}, {0}};

/* Where each agent looks for the skills of its user: below the directory that a variable names, or
 * else below one in the home. */
static const struct place {
	const char *agent, *variable, *home, *below;
} places[] = {
	{"claude", "CLAUDE_CONFIG_DIR", ".claude", "skills/bawn"},
	{"codex", "CODEX_HOME", ".codex", "skills/bawn"},
	{"gemini", "GEMINI_CLI_HOME", "", ".gemini/skills/bawn"},
	{"opencode", "XDG_CONFIG_HOME", ".config", "opencode/skills/bawn"},
};

struct asked {
	const struct place *install;
	bool help;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *a = ctx;
	char shown[64];
	if (id == OPT_HELP) {
		a->help = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (streq(places[i].agent, value))
			a->install = &places[i];
	if (a->install)
		return 0;
	err_hint(err, "claude, codex, gemini or opencode; for another: bawn skill >FILE");
	return err_set(err, EINVAL, "no place for skills of '%s' is known",
		escape_text(shown, sizeof(shown), value));
}

static int read_skill(struct arena *a, char **ret, struct err *err)
{
	struct path_install install;
	int r = path_install_find(a, BAWN_LIBEXECDIR, BAWN_DATADIR, &install, err);
	char *path = r == 0 ? path_join(a, install.data, "skill/SKILL.md") : NULL;
	if (r == 0 && !path)
		r = err_set(err, ENOMEM, "out of memory");
	ssize_t n = r == 0 ? file_read(a, AT_FDCWD, path, SKILL_MAX, ret, err) : r;
	return n < 0 ? (int)n : 0;
}

static int find_dir(struct arena *a, const struct place *p, char **ret, struct err *err)
{
	const char *base = getenv(p->variable), *home = getenv("HOME");
	if (!base || *base != '/') {
		if (!home || *home != '/')
			return err_set(err, EINVAL, "HOME is not an absolute path");
		base = *p->home ? path_join(a, home, p->home) : home;
	}
	*ret = base ? path_join(a, base, p->below) : NULL;
	return *ret ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* Only what is ours is written over. */
static int check_old(struct arena *a, int dir, const char *path, const char *text, struct err *err)
{
	char *old;
	struct stat st;
	if (fstatat(dir, "SKILL.md", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "%s", path);
	ssize_t n = S_ISREG(st.st_mode) ? file_read(a, dir, "SKILL.md", SKILL_MAX, &old, err) : -1;
	if (n >= 0 && (streq(old, text) || strstr(old, "\nname: bawn\n")))
		return 0;
	*err = (struct err){0};
	err_hint(err, "move it away first");
	return err_set(err, EEXIST, "%s is there already, and not by bawn", path);
}

static int install(struct arena *a, const struct place *p, const char *text, struct err *err)
{
	char *dir, *path;
	int r = find_dir(a, p, &dir, err);
	if (r < 0)
		return r;
	path = path_join(a, dir, "SKILL.md");
	if (!path)
		return err_set(err, ENOMEM, "out of memory");
	r = file_mkdir_p(AT_FDCWD, dir, 0755);
	_cleanup_close_ int fd = r < 0 ? r : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, r < 0 ? -r : errno, "create %s", dir);
	r = check_old(a, fd, path, text, err);
	if (r == 0)
		r = file_write_atomic(fd, "SKILL.md", text, strlen(text), 0644, true, err);
	if (r == 0)
		puts(path);
	return r;
}

static void help(void)
{
	printf("Usage: bawn skill [--install AGENT]\n\n"
	       "Print a SKILL.md that teaches an agent outside of any sandbox when and how to put\n"
	       "work into one, or put it where that agent looks for skills.\n\nOptions:\n");
	options_help(rows, stdout);
	printf("\nExamples:\n  bawn skill\n  bawn skill --install claude\n");
}

int cmd_skill(int argc, char **argv)
{
	struct err err = {0};
	struct asked asked = {0};
	struct option_split split;
	struct arena a = {0};
	char *text, shown[64];
	int r = options_parse(rows, argc, argv, option, &asked, &split, &err);
	if (r == 0 && !asked.help && split.first < split.end) {
		err_hint(&err, "bawn skill [--install AGENT]");
		r = err_set(&err, EINVAL, "one word too many: %s",
			escape_text(shown, sizeof(shown), argv[split.first]));
	}
	if (r == 0 && asked.help)
		help();
	else if (r == 0)
		r = read_skill(&a, &text, &err);
	if (r == 0 && !asked.help && asked.install)
		r = install(&a, asked.install, text, &err);
	else if (r == 0 && !asked.help)
		fputs(text, stdout);
	arena_free(&a);
	return r < 0 ? run_fail(&err, 125) : 0;
}
