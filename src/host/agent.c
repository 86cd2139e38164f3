/* host/agent.c - see agent.h
 *
 * Theory: chase() walks a path one component at a time as the kernel would, but writes down every
 * symbolic link outside the system directories.  What stands at the end of a chain is one of:
 *   - a file of a system directory: it is there anyway, nothing to bind;
 *   - a file of an npm package: the package is bound (and its dependencies, host/package.c);
 *   - a version manager's shim: the manager's directories are bound, or the real file is looked up;
 *   - a script: its interpreter is chased the same way;
 *   - a lone executable: that one file is bound, and its parts, never its directory.
 */
#include "host/agent.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/path.h"
#include "host/chase.h"
#include "host/package.h"
#include "host/version.h"

#define SCRIPT_MAX 65536
#define SCRIPT_DEPTH 8

const char *const host_system_dirs[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
	"/libx32", "/opt", "/nix", "/gnu", "/home/linuxbrew/.linuxbrew", NULL};

const char *const host_daemon_dirs[] = {"/nix/var/nix/daemon-socket", "/nix/var/determinate",
	"/usr/local/var/run", "/home/linuxbrew/.linuxbrew/var", NULL};

bool host_system_path(const char *path)
{
	for (size_t i = 0; host_system_dirs[i]; i++)
		if (path_within(path, host_system_dirs[i]))
			return true;
	return false;
}

struct hunt {
	struct arena *a;
	const struct host_identity *id;
	struct host_agent *out;
	int depth;
	bool passed_over;    /* by in_path(): one that an agent may have put there */
	struct strv scripts; /* that were looked into */
};

/* A shell script that stands before a tool, and the variables that it has set to paths. */
#define WRAPPER_NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"
struct wrapper {
	const char *script;
	const char *name[16], *value[16];
	size_t n;
};

static int follow(struct hunt *h, const char *by, const char *path, const char **ret_resolved,
	struct err *err);

static bool is_exec_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static void add_path_dir(struct hunt *h, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = arena_dupn(h->a, file, slash == file ? 1 : (size_t)(slash - file));
	if (dir && !strv_has(&h->out->path, dir))
		strv_push(h->a, &h->out->path, dir);
}

void host_agent_bind(struct arena *a, struct host_agent *out, const char *path)
{
	if (!path || host_system_path(path))
		return;
	for (size_t i = 0; i < out->binds.n; i++)
		if (path_within(path, out->binds.v[i]))
			return;
	strv_add(a, &out->binds, path);
}

/* The match of a glob that is executable and of the highest version (strverscmp). */
static void glob_best(struct arena *a, const char *dir, const char *rest, char **best)
{
	rest += strspn(rest, "/");
	size_t n = strcspn(rest, "/");
	bool last = rest[n] == '\0';
	char *name = arena_dupn(a, rest, n);
	if (!name)
		return;
	if (!strpbrk(name, "*?[")) {
		char *p = path_join(a, dir, name);
		if (!p)
			return;
		if (!last)
			glob_best(a, p, rest + n, best);
		else if (is_exec_file(p) && (!*best || strverscmp(p, *best) > 0))
			*best = p;
		return;
	}
	DIR *d = opendir(dir);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.' || fnmatch(name, de->d_name, 0) != 0)
			continue;
		char *p = path_join(a, dir, de->d_name);
		if (p && !last)
			glob_best(a, p, rest + n, best);
		else if (p && is_exec_file(p) && (!*best || strverscmp(p, *best) > 0))
			*best = p;
	}
	if (d)
		closedir(d);
}

/* A shim of mise, asdf, nodenv, ...: DIR/shims/NAME stands for a program in DIR/installs or
 * DIR/versions, of which the highest version is taken. */
static char *behind_shim(struct arena *a, const char *found)
{
	const char *slash = strrchr(found, '/');
	if (slash - found < 7 || memcmp(slash - 6, "/shims", 6) != 0)
		return NULL;
	char *root = arena_dupn(a, found, (size_t)(slash - 6 - found)), *best = NULL;
	if (!root)
		return NULL;
	static const char *const shapes[] = {
		"installs/*/*/bin/", "installs/*/*/", "installs/*/*/.npm/bin/", "versions/*/bin/"};
	for (size_t i = 0; i < ARRAY_LEN(shapes) && !best; i++)
		glob_best(a, root, arena_printf(a, "%s%s", shapes[i], slash + 1), &best);
	return best;
}

/* Not from what agents write to out of it. */
static bool leads_well(struct hunt *h, const char *path)
{
	struct host_agent none = {.written = h->out->written};
	const char *end;
	return host_chase_by(h->a, &none, NULL, path, &end, NULL) != -EPERM;
}

/* name in $PATH; relative and empty entries are not looked at: the agent must not come from the
 * directory one happens to stand in (CFG-12).  *ret_shim: the shim that stood there instead. */
static char *in_path(struct hunt *h, const char *name, const char **ret_shim, bool *ret_found_plain)
{
	struct arena *a = h->a;
	const char *path = getenv("PATH");
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t n = strcspn(path, ":");
		char buf[PATH_MAX];
		int k = snprintf(
			buf, sizeof(buf), "%.*s/%s", (int)MIN(n, (size_t)PATH_MAX), path, name);
		if (path[0] == '/' && k > 0 && (size_t)k < sizeof(buf)) {
			const bool is = is_exec_file(buf), good = is && leads_well(h, buf);
			h->passed_over |= is && !good;
			if (good) {
				char *found = arena_dup(a, buf), *real = behind_shim(a, buf);
				if (real && ret_shim)
					*ret_shim = found;
				return real ? real : found;
			}
			struct stat st;
			if (ret_found_plain && stat(buf, &st) == 0 && S_ISREG(st.st_mode))
				*ret_found_plain = true;
		}
		path += n + (path[n] == ':');
	}
	return NULL;
}

/* volta's shim is one program for all names; it needs its own directory to find out what to run. */
static bool volta(struct hunt *h, const char *resolved)
{
	static const char *const parts[] = {"bin", "tools", "layout.v3", "layout.v4", "hooks.json"};
	const char *base = path_base(resolved);
	if (host_agent_writes(h->out, resolved))
		return false;
	if (!streq(base, "volta-shim") && !streq(base, "volta"))
		return false;
	const char *env = getenv("VOLTA_HOME");
	char *home = env && env[0] == '/' ? path_real(h->a, env)
					  : path_real(h->a, path_join(h->a, h->id->home, ".volta"));
	if (!home)
		return false;
	host_agent_bind(h->a, h->out, resolved);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *p = path_join(h->a, home, parts[i]);
		if (p && access(p, F_OK) == 0)
			host_agent_bind(h->a, h->out, p);
	}
	return true;
}

/* PREFIX/bin/node with its PREFIX/lib/node_modules or include/node is an unpacked distribution:
 * bound whole.  A lone file in ~/.local/bin is not. */
static char *node_prefix(struct hunt *h, const char *resolved)
{
	size_t n = strlen(resolved);
	static const char suffix[] = "/bin/node";
	if (host_agent_writes(h->out, resolved) || n <= sizeof(suffix) - 1 ||
		!streq(resolved + n - (sizeof(suffix) - 1), suffix))
		return NULL;
	char *prefix = arena_dupn(h->a, resolved, n - (sizeof(suffix) - 1));
	char *inc = prefix ? path_join(h->a, prefix, "include/node/node.h") : NULL;
	char *local = path_join(h->a, h->id->home, ".local");
	if (!inc || !local || access(inc, F_OK) < 0 || streq(prefix, local) ||
		path_within(h->id->home, prefix))
		return NULL;
	return prefix;
}

/* The word behind "#!/usr/bin/env [-S] [VAR=x] [-flags]", or the interpreter's path. */
static char *interpreter(struct arena *a, const char *line)
{
	char *s = arena_dupn(a, line, strcspn(line, "\r\n")), *save = NULL;
	char *word = s ? strtok_r(s, " \t", &save) : NULL;
	if (!word || !streq(path_base(word), "env"))
		return word;
	while ((word = strtok_r(NULL, " \t", &save)))
		if (word[0] != '-' && !strchr(word, '='))
			return word;
	return NULL;
}

static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "busybox"};

static bool is_shell(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (streq(path_base(path), shells[i]))
			return true;
	return false;
}

/* Names that say no more than which language a script is in: whoever wrote that may have it. */
static bool is_interpreter(const char *name)
{
	static const char *const names[] = {
		"node", "nodejs", "bun", "deno", "perl", "ruby", "php", "lua", "java"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(name, names[i]))
			return true;
	if (has_prefix(name, "python"))
		return strspn(name + 6, "0123456789.") == strlen(name + 6);
	return !strchr(name, '/') && is_shell(name);
}

/* The next word of a line, its quotes off ("$basedir"/'../x' is one word); NULL: none is left.
 * *ret_bare: it had no quotes. */
static char *shell_word(struct arena *a, const char **line, bool *ret_bare)
{
	const char *l = *line + strspn(*line, " \t");
	char *word = *l ? arena_alloc(a, strlen(l) + 1) : NULL, *to = word;
	*ret_bare = true;
	for (char q = '\0'; word && *l && (q || (*l != ' ' && *l != '\t')); l++) {
		if (q ? *l != q : *l != '"' && *l != '\'') {
			*to++ = *l;
			continue;
		}
		q = q ? '\0' : *l;
		*ret_bare = false;
	}
	if (to)
		*to = '\0';
	*line = l;
	return word;
}

/* "${NAME:-WORD}" is WORD: a variable of the host's is not there inside. */
static char *default_of(struct arena *a, char *word)
{
	size_t n = strlen(word), name = has_prefix(word, "${") ? strcspn(word, ":}") : n;
	if (n < 6 || word[n - 1] != '}' || !has_prefix(word + name, ":-"))
		return word;
	return arena_dupn(a, word + name + 2, n - name - 3);
}

/* WORD where it begins with from, with to in its place. */
static char *put_in(struct arena *a, char *word, const char *from, const char *to)
{
	size_t n = strlen(from);
	if (!word || !has_prefix(word, from) || (word[n] != '/' && word[n]))
		return word;
	return word[n] ? path_join(a, to, word + n + 1) : arena_dup(a, to);
}

/* A word of a wrapper as a path: $basedir, where the script is, $HOME, ~ and what it has set itself
 * put in.  NULL if it holds any other expansion or is no path. */
static char *wrapper_path(struct hunt *h, const struct wrapper *w, char *word)
{
	const char *slash = strrchr(w->script, '/');
	char *dir = arena_dupn(h->a, w->script, (size_t)(slash - w->script));
	if (!dir || !word)
		return NULL;
	const struct {
		const char *from, *to;
	} subst[] = {{"$basedir", dir}, {"${basedir}", dir}, {"$basedir_abs", dir},
		{"$(dirname $0)", dir}, {"$(dirname -- $0)", dir}, {"$HOME", h->id->home},
		{"${HOME}", h->id->home}, {"~", h->id->home}};
	word = default_of(h->a, word);
	for (size_t i = 0; i < w->n; i++) {
		word = put_in(h->a, word, arena_printf(h->a, "$%s", w->name[i]), w->value[i]);
		word = put_in(h->a, word, arena_printf(h->a, "${%s}", w->name[i]), w->value[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(subst); i++)
		word = put_in(h->a, word, subst[i].from, subst[i].to);
	return word && word[0] == '/' && !strpbrk(word, "$`*?;&|<>") ? word : NULL;
}

/* NAME=PATH, for the lines below. */
static void wrapper_sets(struct hunt *h, struct wrapper *w, const char *line)
{
	bool bare;
	if (has_prefix(line, "export "))
		line += strlen("export ");
	char *word = shell_word(h->a, &line, &bare), *eq = word ? strchr(word, '=') : NULL;
	if (!eq || eq == word || strspn(word, WRAPPER_NAME) != (size_t)(eq - word) ||
		w->n == ARRAY_LEN(w->name))
		return;
	*eq = '\0';
	w->value[w->n] = wrapper_path(h, w, eq + 1);
	w->name[w->n] = word;
	w->n += w->value[w->n] != NULL;
}

/* What a word of such a line names is chased: a file by its path, or a program in PATH. */
static int follow_word(
	struct hunt *h, const struct wrapper *w, char *word, bool bare, struct err *err)
{
	char *p = wrapper_path(h, w, word), *real = p ? path_real(h->a, p) : NULL;
	struct stat st;
	if (p && streq(p, w->script))
		return err_set(err, ELOOP, "%s: a script that starts itself", p);
	if (p && stat(p, &st) == 0 && S_ISREG(st.st_mode) &&
		(access(p, X_OK) == 0 || (real && strstr(real, "/node_modules/"))))
		return follow(h, w->script, p, NULL, err);
	char *found = bare && *word && !strpbrk(word, "/$") ? in_path(h, word, NULL, NULL) : NULL;
	const char *by = is_interpreter(word) ? NULL : w->script;
	int r = found ? follow(h, by, found, NULL, err) : 0;
	if (r == 0 && found)
		add_path_dir(h, found);
	return r;
}

/* A small shell wrapper (pnpm's shims, claude's local installer, one's own): what it execs, or
 * hands its arguments to, is chased too; that may be words of a line that is never reached, and
 * what is wrong with them is nobody's business. */
static int follow_wrapper(struct hunt *h, const char *script, char *text, struct err *err)
{
	struct wrapper w = {.script = script};
	char *save = NULL;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		l += strspn(l, " \t");
		if (l[0] == '#')
			continue;
		const bool execs = has_prefix(l, "exec ");
		if (!execs && !strstr(l, "$@")) {
			wrapper_sets(h, &w, l);
			continue;
		}
		const char *at = l;
		const int depth = h->depth;
		struct err ignored = {0};
		bool bare;
		for (char *word; (word = shell_word(h->a, &at, &bare));) {
			int r = follow_word(h, &w, word, bare, execs ? err : &ignored);
			if (r < 0 && execs)
				return r;
			h->depth = depth;
		}
	}
	return 0;
}

/* Inside, the shim stands in PATH before what is behind it: the manager that it starts is needed
 * too, wherever it is.  What can't be found is missed only by who calls it. */
static void follow_manager(struct hunt *h, const char *shim)
{
	struct err ignored;
	int depth = h->depth;
	if (shim)
		follow(h, NULL, shim, NULL, &ignored);
	h->depth = depth;
}

static int follow_script(
	struct hunt *h, const char *as_found, const char *resolved, char *text, struct err *err)
{
	char *interp = interpreter(h->a, text + 2);
	if (!interp)
		return 0;
	const char *shim = NULL;
	char *path = interp[0] == '/' ? interp : in_path(h, interp, &shim, NULL);
	if (!path && h->passed_over) /* a toolchain may bring it */
		return 0;
	if (!path) { /* nvm that was never loaded: node stands beside the tool */
		const char *slash = strrchr(as_found, '/');
		char *beside = arena_printf(
			h->a, "%.*s/%s", (int)(slash - as_found), as_found, interp);
		if (beside && is_exec_file(beside))
			path = beside;
	}
	if (!path) {
		char s[256];
		err_hint(err, "install it, or put it in PATH");
		return err_set(err, ENOENT, "%s needs %s, which is not in PATH",
			path_base(resolved), escape_text(s, sizeof(s), interp));
	}
	follow_manager(h, shim);
	if (interp[0] != '/')
		add_path_dir(h, path);
	int r = follow(h, is_interpreter(interp) ? NULL : resolved, path, NULL, err);
	if (r == 0 && is_shell(path))
		r = follow_wrapper(h, resolved, text, err);
	return r;
}

/* Chase path to its end and note what of it must be bound; by: the script that names it, or NULL.
 */
static int follow(struct hunt *h, const char *by, const char *path, const char **ret_resolved,
	struct err *err)
{
	const char *resolved;
	struct err e = {0};
	if (++h->depth > SCRIPT_DEPTH)
		return err_set(err, ELOOP, "%s: scripts that start scripts go too deep", path);
	int r = host_chase_by(h->a, h->out, by, path, &resolved, &e);
	if (r == -EPERM && by) {
		/* a toolchain may bring it; if not, the script says what it misses */
		h->depth--;
		return 0;
	}
	if (r < 0) {
		if (err)
			*err = e;
		return r;
	}
	if (!volta(h, resolved)) {
		char *prefix = node_prefix(h, resolved);
		if (prefix)
			host_agent_bind(h->a, h->out, prefix);
		else if (!host_system_path(resolved))
			r = host_package_bind(h->a, h->out, resolved, h->id, err);
	}
	if (r < 0)
		return r;

	_cleanup_close_ int fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = arena_alloc(h->a, 2);
	if (fd >= 0 && text && pread(fd, text, 2, 0) == 2 && memcmp(text, "#!", 2) == 0) {
		text = strv_has(&h->scripts, resolved) ? NULL : arena_alloc(h->a, SCRIPT_MAX + 1);
		if (text)
			strv_add(h->a, &h->scripts, resolved);
		if (text && pread(fd, text, SCRIPT_MAX, 0) > 2)
			r = follow_script(h, path, resolved, text, err);
	}
	h->depth--;
	if (ret_resolved)
		*ret_resolved = resolved;
	return r;
}

static int not_found(const struct profile *p, const char *name, bool plain_file, struct err *err)
{
	char s[256];
	escape_text(s, sizeof(s), name);
	if (plain_file) {
		err_hint(err, "make it executable: chmod +x \"$(command -v %s)\"", s);
		return err_set(err, EACCES, "%s is there but not executable", s);
	}
	if (p->install && *p->install)
		err_hint(err, "%s", p->install);
	else
		err_hint(err, "install it, or add its place to find: in %s", p->file);
	return err_set(err, ENOENT, "%s is not installed", s);
}

static int leads_out(const char *name, struct err *err)
{
	char s[512];
	*err = (struct err){0};
	err_hint(err, "have it at another place, or name that PATH with :ro");
	return err_set(err, ENOENT,
		"%s is a link out of what an agent writes to: it may have put it there",
		escape_text(s, sizeof(s), name));
}

int host_agent_find(struct arena *a, const struct profile *profile, const struct host_identity *id,
	const struct strv *written, struct host_agent *ret, struct err *err)
{
	struct host_agent out = {.written = written};
	struct hunt h = {.a = a, .id = id, .out = &out};
	if (profile->command.n == 0)
		return err_set(err, EINVAL, "profile %s has no command", profile->name);
	const char *name = profile->command.v[0];
	char *found = NULL;
	const char *shim = NULL;
	bool plain = false;
	if (strchr(name, '/')) {
		char *p = path_expand_home(a, name, id->home);
		if (p && p[0] == '/' && is_exec_file(p))
			found = p;
	} else {
		found = in_path(&h, name, &shim, &plain);
	}
	for (size_t i = 0; i < profile->find.n && !found; i++) {
		char *p = path_expand_home(a, profile->find.v[i], id->home);
		if (p && p[0] == '/')
			glob_best(a, "/", p, &found);
		char *real = found ? behind_shim(a, found) : NULL;
		if (real) {
			shim = found;
			found = real;
		}
	}
	if (!found && h.passed_over)
		return leads_out(name, err);
	if (!found)
		return not_found(profile, name, plain, err);

	out.exe = found;
	add_path_dir(&h, out.exe);
	follow_manager(&h, shim);
	int r = follow(&h, NULL, out.exe, &out.resolved, err);
	if (r == -EPERM)
		return leads_out(out.exe, err);
	if (r == 0 && (profile->yolo_since.n || profile->has_seed))
		out.version = host_agent_version(a, name, &out);
	if (r == 0)
		r = arena_check(a, err);
	if (r == 0)
		*ret = out;
	return r;
}
