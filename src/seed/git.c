/* seed/git.c - see git.h
 *
 * Theory: an allow-list of keys, as git grows keys that run code (core.fsmonitor, *.textconv,
 * credential.helper, alias.x = !sh, ...) faster than anybody could list them.  git reads its own
 * files, so that includes and quoting mean here what they mean to git.
 */
#include "seed/git.h"

#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "seed/secret.h"

#define GIT_LIST_MAX ((size_t)1 << 20)

/* "key NEWLINE value NUL", one behind the other. */
struct git_said {
	char *v;
	size_t n;
	bool ok; /* git accepts what it read */
};

#define OURS "remote.bawn-asks-for.url" /* in the file by which git is asked, and in no other */

/* section and variable in lower case, as git prints them; "*" is a subsection of any name. */
static const char *const allowed[] = {
	"user.name",
	"user.email",
	"user.useconfigonly",
	"author.name",
	"author.email",
	"committer.name",
	"committer.email",
	"init.defaultbranch",
	"core.autocrlf",
	"core.eol",
	"core.safecrlf",
	"core.quotepath",
	"core.abbrev",
	"core.whitespace",
	"core.ignorecase",
	"core.precomposeunicode",
	"core.commentchar",
	"core.longpaths",
	"pull.rebase",
	"pull.ff",
	"push.default",
	"push.autosetupremote",
	"push.followtags",
	"fetch.prune",
	"fetch.prunetags",
	"fetch.parallel",
	"merge.conflictstyle",
	"merge.ff",
	"merge.autostash",
	"rebase.autostash",
	"rebase.autosquash",
	"rebase.updaterefs",
	"rerere.enabled",
	"rerere.autoupdate",
	"diff.algorithm",
	"diff.renames",
	"diff.colormoved",
	"diff.mnemonicprefix",
	"diff.noprefix",
	"diff.submodule",
	"log.date",
	"log.decorate",
	"log.abbrevcommit",
	"status.*",
	"branch.sort",
	"branch.autosetuprebase",
	"branch.autosetupmerge",
	"tag.sort",
	"color.*",
	"color.*.*",
	"column.*",
	"commit.verbose",
	"commit.cleanup",
	"format.pretty",
	"pretty.*",
	"help.autocorrect",
	"advice.*",
	"submodule.recurse",
	"index.version",
	"feature.manyfiles",
	"i18n.*",
	"blame.*",
	"grep.linenumber",
	"apply.whitespace",
	"url.*.insteadof",
	"url.*.pushinsteadof",
	"clone.defaultremotename",
	"checkout.defaultremote",
	"stash.showpatch",
	"versionsort.suffix",
	"transfer.fsckobjects",
	"fetch.fsckobjects",
	"receive.fsckobjects",
	"user.signingformat",
	/* what is kept, and for how long: git tidies up by itself, and the store is the user's own
	 */
	"core.logallrefupdates",
	"gc.auto",
	"gc.autopacklimit",
	"gc.bigpackthreshold",
	"gc.cruftpacks",
	"gc.pruneexpire",
	"gc.worktreepruneexpire",
	"gc.reflogexpire",
	"gc.reflogexpireunreachable",
	"gc.*.reflogexpire",
	"gc.*.reflogexpireunreachable",
	"gc.rerereresolved",
	"gc.rerereunresolved",
	"maintenance.auto",
	/* what git trusts: submodules of a local path, work trees of somebody else's */
	"protocol.file.allow",
	"safe.directory",
	"safe.barerepository",
};

/* Names a program, but git-lfs's own and in these words alone (with --skip-smudge, too): without it
 * what is added inside is committed as it is, and every file of LFS counts as changed. */
static const struct {
	const char *key, *value;
} lfs_settings[] = {
	{"filter.lfs.clean", "git-lfs clean -- %f"},
	{"filter.lfs.smudge", "git-lfs smudge -- %f"},
	{"filter.lfs.smudge", "git-lfs smudge --skip -- %f"},
	{"filter.lfs.process", "git-lfs filter-process"},
	{"filter.lfs.process", "git-lfs filter-process --skip"},
	{"filter.lfs.required", "true"},
};

static const char *const https_hosts[] = {
	"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"};

static bool is_allowed(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (fnmatch(allowed[i], key, 0) == 0)
			return true;
	return GUARD_REMOVED("seed-git-keys");
}

static bool is_lfs(const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(lfs_settings); i++)
		if (streq(lfs_settings[i].key, key) && streq(lfs_settings[i].value, value))
			return true;
	return false;
}

/* A word for git's own commands; what begins with "!" is a shell's. */
static bool is_plain_alias(const char *key, const char *value)
{
	return has_prefix(key, "alias.") && islower((unsigned char)*value);
}

static void quote(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '\t')
			fputs("\\t", f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s >= 0x20)
			putc(*s, f);
	}
	putc('"', f);
}

/* "url.https://x/.insteadof" is section url, subsection https://x/, variable insteadof. */
static void write_setting(FILE *f, const char *key, const char *value)
{
	const char *dot = strchr(key, '.'), *last = strrchr(key, '.');
	fprintf(f, "[%.*s", (int)(dot - key), key);
	if (last > dot) {
		char sub[1024];
		snprintf(sub, sizeof(sub), "%.*s", (int)(last - dot - 1), dot + 1);
		putc(' ', f);
		quote(f, sub);
	}
	fprintf(f, "]\n\t%s = ", last + 1);
	quote(f, value);
	putc('\n', f);
}

static bool is_true(const char *v)
{
	return !strcasecmp(v, "true") || !strcasecmp(v, "yes") || !strcasecmp(v, "on") ||
		streq(v, "1");
}

/* "url.git@github.com:.insteadof": https turned into ssh, for which there is no key inside. */
static bool needs_ssh_key(const char *key)
{
	char glob[128];
	for (size_t i = 0; i < ARRAY_LEN(https_hosts); i++) {
		snprintf(glob, sizeof(glob), "url.*git@%s*.*insteadof", https_hosts[i]);
		if (fnmatch(glob, key, 0) == 0)
			return true;
	}
	return false;
}

/* What does not come along may name a place in the workspace all the same (scan/named.h). */
static void tell_setting(struct seed_report *report, const char *key, const char *value)
{
	bool plain = strlen(key) < 512 && strlen(value) < 1024 && !has_prefix(key, "url.") &&
		!has_prefix(key, "http.");
	for (const char *p = key; plain && *p; p++)
		plain = (unsigned char)*p >= 0x20;
	for (const char *p = value; plain && *p; p++)
		plain = (unsigned char)*p >= 0x20;
	/* most values are words and numbers */
	plain = plain &&
		(strpbrk(value, "/.") || has_prefix(key, "include") ||
			streq(key, "commit.template"));
	if (plain && !secret_value(NULL, value) && !secret_value(NULL, key))
		seed_say(report, SEED_SETTING, "%s\t%s", key, value);
}

/* Of settings that stand several times the last one counts. */
static bool signs(struct seed_git_out *out, const char *key, const char *value)
{
	static const char *const keys[] = {
		"commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated", "push.gpgsign"};
	for (unsigned int i = 0; i < ARRAY_LEN(keys); i++)
		if (streq(key, keys[i])) {
			out->signing &= ~(1u << i);
			out->signing |= (unsigned int)is_true(value) << i;
			return true;
		}
	return false;
}

/* Keys whose effect is replaced or announced otherwise. */
static bool special(struct seed_git_out *out, const char *key, const char *value)
{
	if (has_prefix(key, "include.") || has_prefix(key, "includeif."))
		out->includes = true; /* git has put the content in their place */
	else if (streq(key, "core.excludesfile"))
		out->excludes_file = value;
	else if (streq(key, "core.hookspath"))
		out->hooks_path = value;
	else if (streq(key, "core.attributesfile"))
		out->attributes_file = value;
	else
		return signs(out, key, value);
	return true;
}

static void write_fixed(FILE *f, const char *workspace)
{
	char key[256], value[256];
	write_setting(f, "commit.gpgsign", "false");
	write_setting(f, "tag.gpgsign", "false");
	if (workspace)
		write_setting(f, "safe.directory", workspace);
	for (size_t i = 0; i < ARRAY_LEN(https_hosts); i++) {
		snprintf(key, sizeof(key), "url.https://%s/.insteadof", https_hosts[i]);
		snprintf(value, sizeof(value), "git@%s:", https_hosts[i]);
		write_setting(f, key, value);
		snprintf(value, sizeof(value), "ssh://git@%s/", https_hosts[i]);
		write_setting(f, key, value);
	}
}

int seed_git_filter(struct seed_report *report, const char *list, size_t n, const char *workspace,
	bool lfs, struct seed_git_out *ret, struct err *err)
{
	struct arena *a = report->a;
	struct seed_git_out out = {0};
	_cleanup_free_ char *text = NULL;
	size_t size, dropped = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return err_set(err, ENOMEM, "out of memory");
	const char *end = list + n;
	for (const char *p = list; p < end;) {
		size_t len = strnlen(p, (size_t)(end - p));
		char *key = arena_dupn(a, p, len);
		p += len + 1;
		char *nl = key ? strchr(key, '\n') : NULL;
		const char *value = nl ? nl + 1 : "true"; /* "[a] b" without "=" */
		if (nl)
			*nl = '\0';
		if (!key || !strchr(key, '.'))
			continue;
		bool alias = is_plain_alias(key, value);
		bool comes = is_allowed(key) || alias || (lfs && is_lfs(key, value));
		if (!comes || alias) /* "difftool -x ./x" */
			tell_setting(report, key, value);
		if (special(&out, key, value))
			continue;
		const char *why = secret_value(NULL, value);
		if (!why)
			why = secret_value(NULL, key);
		if (!comes || needs_ssh_key(key)) {
			dropped++;
		} else if (why || strlen(key) > 900) {
			const char *last = strrchr(key, '.');
			seed_say(report, SEED_WITHHELD, "git: %.*s...%s: %s",
				(int)strcspn(key, "."), key, last, why ? why : "too long");
		} else {
			write_setting(f, key, value);
		}
	}
	write_fixed(f, workspace);
	if (fclose(f) != 0)
		return err_set(err, ENOMEM, "out of memory");
	if (dropped)
		seed_say(report, SEED_SKIPPED, "git: %zu settings that are on no list", dropped);
	out.text = arena_dupn(a, text, size);
	*ret = out;
	return out.text ? 0 : err_set(err, ENOMEM, "out of memory");
}

static const char *find_git(struct seed_cache *cache)
{
	static const char *const places[] = {"/usr/bin/git", "/usr/local/bin/git", "/bin/git"};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		seed_cache_source(cache, places[i]);
		if (access(places[i], X_OK) == 0)
			return places[i];
	}
	return NULL;
}

/* What `git config WHERE --list -z` says; bytes, and whether git accepts the files (0 if not).
 * git_dir is where conditions of includes (gitdir:) are evaluated; in is its standard input, or
 * -1. */
static int git_list(struct seed_copy *c, const char *git, char *const where[2], const char *git_dir,
	int in, struct git_said *ret, struct err *err)
{
	char *home = arena_printf(c->a, "HOME=%s", c->home);
	const char *xdg = getenv("XDG_CONFIG_HOME");
	char *conf = xdg && *xdg == '/' ? arena_printf(c->a, "XDG_CONFIG_HOME=%s", xdg) : NULL;
	char *dir = git_dir ? arena_printf(c->a, "GIT_DIR=%s", git_dir) : NULL;
	char *const env[] = {home, "PATH=/usr/bin:/bin", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CEILING_DIRECTORIES=/", git_dir ? dir : "GIT_OPTIONAL_LOCKS=0", conf, NULL};
	char *const argv[] = {"git", "-C", "/", "config", "--list", "-z", where[0], where[1], NULL};
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int from = pipes[0];
	const int fds[] = {in, pipes[1], -1};
	struct proc_spawn how = {.path = git, .argv = argv, .envp = env, .fds = fds, .nfds = 3};
	struct proc proc = PROC_NONE;
	int r = proc_spawn(&how, &proc, err);
	close(pipes[1]);
	if (r < 0)
		return r;
	char *buf = arena_alloc(c->a, GIT_LIST_MAX);
	ssize_t n = buf ? fd_read_full(from, buf, GIT_LIST_MAX) : -ENOMEM;
	int status = 0;
	if (n >= (ssize_t)GIT_LIST_MAX || n < 0)
		proc_kill(&proc);
	else
		proc_wait(&proc, &status);
	if (n < 0 || n >= (ssize_t)GIT_LIST_MAX)
		return err_set(err, n < 0 ? (int)-n : EFBIG, "read git's configuration");
	*ret = (struct git_said){.v = buf, .n = status == 0 ? (size_t)n : 0, .ok = status == 0};
	return 0;
}

/* NAME in the user's second place for git's files. */
static char *xdg_path(struct seed_copy *c, const char *name)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	return xdg && *xdg == '/' ? arena_printf(c->a, "%s/git/%s", xdg, name)
				  : arena_printf(c->a, "%s/.config/git/%s", c->home, name);
}

static bool has_file(struct seed_copy *c, const char *path)
{
	if (!path)
		return false;
	seed_cache_source(c->cache, path);
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Starting git costs more than all the rest: only where it has something to read. */
static bool has_config(struct seed_copy *c)
{
	bool first = has_file(c, arena_printf(c->a, "%s/.gitconfig", c->home));
	return has_file(c, xdg_path(c, "config")) || first;
}

/* Is git-lfs there inside?  A template with it has the machine's settings for it, too. */
static bool has_lfs(struct seed_copy *c)
{
	static const char *const places[] = {"/usr/bin/git-lfs", "/usr/local/bin/git-lfs",
		"/home/linuxbrew/.linuxbrew/bin/git-lfs"};
	bool any = false;
	for (size_t i = 0; i < ARRAY_LEN(places) && !c->below; i++)
		any = has_file(c, places[i]) || any;
	return any;
}

/* The workspace's git directory, as git's own conditions see it: .git, where a .git file points (a
 * linked work tree, a submodule), or the workspace itself where it is bare.  NULL: none. */
static char *workspace_git_dir(struct seed_copy *c)
{
	static const char prefix[] = "gitdir: ";
	struct stat st;
	char *dir = c->workspace ? arena_printf(c->a, "%s/.git", c->workspace) : NULL, *text;
	if (!dir)
		return NULL;
	if (lstat(dir, &st) < 0) {
		const char *const marks[] = {"HEAD", "objects", "refs"};
		for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
			char *p = arena_printf(c->a, "%s/%s", c->workspace, marks[i]);
			if (!p || access(p, F_OK) < 0)
				return NULL;
		}
		return arena_dup(c->a, c->workspace);
	}
	if (S_ISDIR(st.st_mode))
		return dir;
	if (!S_ISREG(st.st_mode) || file_read(c->a, AT_FDCWD, dir, PATH_MAX, &text, NULL) < 0 ||
		!has_prefix(text, prefix))
		return NULL;
	seed_cache_source(c->cache, dir);
	char *to = text + sizeof(prefix) - 1;
	to[strcspn(to, "\r\n")] = '\0';
	return *to == '/' ? to : arena_printf(c->a, "%s/%s", c->workspace, to);
}

/* The user's two files, with the URLs of a repository's remotes ahead of them, as one that includes
 * them: of two, git's --global lists but one (before 2.52), and it knows no remotes, on which an
 * include may depend (hasconfig:remote.*.url). */
static int list_both(struct seed_copy *c, const char *git, const char *git_dir,
	const struct git_said *remotes, struct git_said *ret, struct err *err)
{
	static const char remote[] = "remote.", url[] = ".url\n";
	const char *const files[] = {
		xdg_path(c, "config"), arena_printf(c->a, "%s/.gitconfig", c->home)};
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return err_set(err, ENOMEM, "out of memory");
	for (const char *p = remotes->v; p && p < remotes->v + remotes->n; p += strlen(p) + 1) {
		const char *nl = strchr(p, '\n');
		if (nl && has_prefix(p, remote) && nl - p > 10 && has_prefix(nl - 4, url))
			write_setting(f, OURS, nl + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		write_setting(f, "include.path", files[i]);
	if (fclose(f) != 0)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int in = fd_memfd_sealed("git", text, size, err);
	if (in < 0)
		return in;
	char *const where[] = {"--file=/dev/stdin", "--includes"};
	struct git_said said;
	int r = git_list(c, git, where, git_dir, in, &said, err);
	if (r < 0)
		return r;
	/* what is ours goes out again */
	size_t n = 0;
	for (size_t p = 0, k; p < said.n; p += k) {
		k = strnlen(said.v + p, said.n - p);
		k += p + k < said.n;
		const char *path = has_prefix(said.v + p, "include.path\n") ? said.v + p + 13
									    : NULL;
		if (has_prefix(said.v + p, OURS "\n") ||
			(path && (streq(path, files[0]) || streq(path, files[1]))))
			continue;
		memmove(said.v + n, said.v + p, k);
		n += k;
	}
	said.n = n;
	*ret = said;
	return 0;
}

static bool asks_for_remotes(const struct git_said *said)
{
	return memmem(said->v, said->n, "includeif.hasconfig:", strlen("includeif.hasconfig:"));
}

/* Listing the user's files runs nothing of the repository's, and reads of its config the format
 * version, and where a condition asks for them its remotes, without what it includes. */
static int list_own(struct seed_copy *c, const char *git, const char *git_dir, bool both,
	struct git_said *ret, struct err *err)
{
	struct git_said none = {0}, remotes = {0};
	char *const global[] = {"--global", "--includes"},
		    *const local[] = {"--local", "--no-includes"};
	int r = both ? list_both(c, git, git_dir, &none, ret, err)
		     : git_list(c, git, global, git_dir, -1, ret, err);
	if (r < 0 || !ret->ok || !git_dir || !asks_for_remotes(ret))
		return r;
	r = git_list(c, git, local, git_dir, -1, &remotes, err);
	return r < 0 || !remotes.ok ? r : list_both(c, git, git_dir, &remotes, ret, err);
}

/* Includes may depend on the repository (another address below one directory): show git the
 * workspace's.  A repository that git rejects doesn't cost the user's name: then without. */
static int read_config(struct seed_copy *c, const char *git, struct git_said *ret, struct err *err)
{
	char *dir = workspace_git_dir(c);
	bool both = has_file(c, arena_printf(c->a, "%s/.gitconfig", c->home)) &&
		has_file(c, xdg_path(c, "config"));
	int r = list_own(c, git, dir, both, ret, err);
	if (r == 0 && !ret->ok && dir)
		r = list_own(c, git, NULL, both, ret, err);
	if (!ret->ok)
		seed_cache_refuse(c->cache);
	return r;
}

/* The machine's own settings (/etc/gitconfig is not there inside), which the user's stand behind.
 */
static int read_system(struct seed_copy *c, const char *git, struct git_said *ret, struct err *err)
{
	char *const where[] = {"--system", "--includes"};
	int r = git_list(c, git, where, NULL, -1, ret, err);
	if (r == -EFBIG) { /* nobody here can mend that */
		seed_say(c->report, SEED_LEFT, "/etc/gitconfig: too many settings");
		r = 0;
	}
	if (r == 0 && !ret->ok)
		seed_cache_refuse(c->cache);
	return r;
}

/* Both, one behind the other. */
static int read_all(struct seed_copy *c, const char *git, struct git_said *ret, struct err *err)
{
	struct git_said system = {0}, own = {0};
	/* a template has its own */
	bool machine = !c->below && !seed_no_system(getenv("GIT_CONFIG_NOSYSTEM")) &&
		has_file(c, "/etc/gitconfig");
	int r = machine ? read_system(c, git, &system, err) : 0;
	if (r == 0 && has_config(c))
		r = read_config(c, git, &own, err);
	if (r < 0)
		return r;
	char *all = arena_alloc(c->a, system.n + own.n + 1);
	if (!all)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(all, system.n ? system.v : "", system.n);
	memcpy(all + system.n, own.n ? own.v : "", own.n);
	*ret = (struct git_said){.v = all, .n = system.n + own.n, .ok = true};
	return 0;
}

/* Copy the file a setting names, or its default place, to ~/.config/git/NAME. */
static int copy_named(
	struct seed_copy *c, const char *configured, const char *name, struct err *err)
{
	char *from = configured ? path_expand_home(c->a, configured, c->home) : xdg_path(c, name);
	if (!from)
		return err_set(err, ENOMEM, "out of memory");
	if (*from != '/')
		return 0;
	struct stat st;
	seed_cache_source(c->cache, from);
	if (stat(from, &st) == 0 && S_ISDIR(st.st_mode))
		seed_cache_refuse(c->cache); /* what is in it is not watched */
	char *to = arena_printf(c->a, ".config/git/%s", name);
	return seed_copy(c, from, to, to, NULL, err);
}

/* A template's own settings stay, and who the user is stands behind them: git takes the last. */
static char *with_below(struct seed_copy *c, char *text)
{
	char *theirs;
	if (seed_read_below(c, ".gitconfig", SEED_FILE_MAX, &theirs) < 0)
		return text;
	return strstr(theirs, text) ? theirs : arena_printf(c->a, "%s\n%s", theirs, text);
}

int seed_git(struct seed_copy *c, const char *workspace, struct err *err)
{
	if (seed_exists(c, ".gitconfig"))
		return 0;
	const char *home = getenv("HOME"); /* c->home, but with its links */
	if (home)
		seed_cache_source(c->cache, home);
	const char *git = find_git(c->cache);
	struct git_said list = {.v = ""};
	int r = git ? read_all(c, git, &list, err) : 0;
	if (r < 0)
		return r;
	struct seed_git_out out;
	r = seed_git_filter(c->report, list.v, list.n, workspace, has_lfs(c), &out, err);
	if (r == 0 && out.includes)
		seed_cache_refuse(c->cache);
	if (r == 0)
		r = copy_named(c, out.excludes_file, "ignore", err);
	if (r == 0)
		r = copy_named(c, out.attributes_file, "attributes", err);
	if (r == 0 && !(out.text = with_below(c, out.text)))
		r = err_set(err, ENOMEM, "out of memory");
	if (r == 0)
		r = seed_write(c, ".gitconfig", out.text, strlen(out.text), false, err);
	if (r == 0 && out.hooks_path)
		seed_say(c->report, SEED_HOOKS, "%s", out.hooks_path);
	if (r == 0 && out.signing)
		seed_say(c->report, SEED_NOTICE,
			"commits are not signed inside: your signing key stays outside");
	if (r == 0 && c->cache)
		c->cache->complete = true;
	return r;
}
