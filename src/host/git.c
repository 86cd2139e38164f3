/* host/git.c - see git.h
 *
 * Theory: the workspace is the one thing the sandbox may write, so what is taken as one decides
 * what can be lost.  The path is resolved by the kernel first; every check is made on the resolved
 * path, and bawn's own directories are resolved too (a link in ~/.local/share would hide them
 * otherwise).
 */
#include "host/git.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"

#define DOT_GIT_MAX 4096
#define GIT_CONFIG_LOOK ((size_t)1 << 20)

/* Directories that no workspace may be; "/..." rows with below set refuse what is inside too. */
static const struct refused {
	const char *dir;
	bool below;
	const char *what;
} refused[] = {
	{"/tmp", false, "shared by every user and program"},
	{"/var/tmp", false, "shared by every user and program"},
	{"/var", false, "a system directory"},
	{"/home", false, "everybody's home directories"},
	{"/mnt", false, "where other disks are mounted"},
	{"/media", false, "where other disks are mounted"},
	{"/srv", false, "a system directory"},
	{"/root", false, "root's home directory"},
	{"/opt", false, "a system directory"},
	{"/usr", false, "a system directory"},
	{"/usr/local", false, "a system directory"},
	{"/usr/src", false, "a system directory"},
	{"/bin", true, "a system directory"},
	{"/sbin", true, "a system directory"},
	{"/lib", true, "a system directory"},
	{"/lib64", true, "a system directory"},
	{"/usr/bin", true, "a system directory"},
	{"/usr/sbin", true, "a system directory"},
	{"/usr/lib", true, "a system directory"},
	{"/etc", true, "the system's configuration"},
	{"/boot", true, "a system directory"},
	{"/dev", true, "no place for files"},
	{"/proc", true, "no place for files"},
	{"/sys", true, "no place for files"},
	{"/run", false, "the system's run-time state"},
};

static char *shown(char *dst, size_t cap, const char *path)
{
	return escape_text(dst, cap, path);
}

static int refuse(struct err *err, const char *path, bool further, const char *why)
{
	char s[512];
	err_hint(err, "%s",
		further ? "name the directories in it that the agent needs; the machine's programs "
			  "are inside anyway"
			: "start bawn in the directory of your project, or name it: bawn run "
			  "PROFILE /path/to/project");
	return err_set(err, EPERM, "%s can't be %s: it is %s", shown(s, sizeof(s), path),
		further ? "shown inside" : "the workspace", why);
}

static int check_state(const char *path, const char *own, struct err *err)
{
	char s[512], t[512];
	if (!own || (!path_within(path, own) && !path_within(own, path)))
		return 0;
	err_hint(err,
		"work in a directory that neither holds nor lies in %s, or set XDG_*_HOME "
		"elsewhere",
		shown(t, sizeof(t), own));
	return err_set(err, EPERM, "%s can't be shown inside: bawn keeps its own state in %s",
		shown(s, sizeof(s), path), t);
}

static int check_allowed(const char *path, const struct host_identity *id,
	const struct path_xdg *own, bool further, struct err *err)
{
	if (streq(path, "/"))
		return refuse(err, path, further, "the whole machine");
	if (streq(path, id->home))
		return refuse(err, path, further, "your whole home directory");
	if (path_within(id->home, path))
		return refuse(err, path, further, "above your home directory");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct refused *f = &refused[i];
		if (f->below ? path_within(path, f->dir) : streq(path, f->dir))
			return refuse(err, path, further, f->what);
	}
	const char *dirs[] = {own ? own->config : NULL, own ? own->data : NULL,
		own ? own->cache : NULL, own ? own->runtime : NULL};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int r = check_state(path, dirs[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool below_home(const char *path, const char *home)
{
	return path_within(path, home) && !streq(path, home);
}

static bool has_dot_git(struct arena *a, const char *dir, struct stat *st)
{
	char *p = path_join(a, dir, ".git");
	return p && lstat(p, st) == 0;
}

/* The nearest directory at or above dir with a .git that looks like one.  Not past $HOME (which is
 * itself never taken: people keep dotfiles in git) and not past a mount of somebody else's. */
static char *work_tree(struct arena *a, const char *dir, const struct host_identity *id,
	const struct path_xdg *own)
{
	bool inside = below_home(dir, id->home);
	char *p = arena_dup(a, dir);
	while (p && !streq(p, "/") && (!inside || below_home(p, id->home))) {
		struct stat st;
		if (has_dot_git(a, p, &st)) {
			char *head = path_join(a, p, ".git/HEAD");
			struct stat h;
			bool ok = S_ISREG(st.st_mode) || (head && lstat(head, &h) == 0);
			if (ok)
				return check_allowed(p, id, own, false, NULL) == 0 ? p : NULL;
		}
		char *slash = strrchr(p, '/');
		if (slash == p)
			break;
		*slash = '\0';
	}
	return NULL;
}

char *host_git_leads_to(struct arena *a, const char *dir, const char *name, const char *prefix)
{
	char *text, *file = path_join(a, dir, name);
	struct stat st;
	if (!file || lstat(file, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	ssize_t n = file_read(a, AT_FDCWD, file, DOT_GIT_MAX, &text, NULL);
	if (n < 0 || strlen(text) != (size_t)n || !has_prefix(text, prefix))
		return NULL;
	text += strlen(prefix);
	text[strcspn(text, "\r\n")] = '\0';
	if (!*text)
		return NULL;
	return path_real(a, text[0] == '/' ? text : path_join(a, dir, text));
}

/* Does "worktree = PATH" in git_dir/config lead back to the workspace?  Only a look: the line must
 * be there in plain form, as git writes it. */
static bool config_points_back(struct arena *a, const char *git_dir, const char *ws)
{
	char *text, *file = path_join(a, git_dir, "config"), *save = NULL;
	if (!file || file_read(a, AT_FDCWD, file, GIT_CONFIG_LOOK, &text, NULL) < 0)
		return false;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		l += strspn(l, " \t");
		if (!has_prefix(l, "worktree"))
			continue;
		l += strlen("worktree");
		l += strspn(l, " \t");
		if (*l++ != '=')
			continue;
		l += strspn(l, " \t\"");
		size_t n = strcspn(l, "\"\r");
		l[n] = '\0';
		char *real = path_real(a, l[0] == '/' ? l : path_join(a, git_dir, l));
		if (real && streq(real, ws))
			return true;
	}
	return false;
}

static bool is_git_dir(struct arena *a, const char *dir)
{
	struct stat st;
	char *head = path_join(a, dir, "HEAD");
	return head && lstat(head, &st) == 0;
}

static void add_bind(struct arena *a, struct host_workspace *w, const char *dir)
{
	for (size_t i = 0; i < w->binds.n; i++)
		if (path_within(dir, w->binds.v[i]))
			return;
	if (!path_within(dir, w->path))
		strv_add(a, &w->binds, dir);
}

/* .git is a file: follow it only where it is answered. */
static void follow_git_file(struct arena *a, struct host_workspace *w)
{
	w->git = HOST_GIT_FOREIGN;
	char *dir = host_git_leads_to(a, w->path, ".git", "gitdir: ");
	if (!dir || !is_git_dir(a, dir))
		return;
	char *common = host_git_leads_to(a, dir, "commondir", "");
	if (common) {
		/* git worktree add: DIR/gitdir names our .git file */
		char *back = host_git_leads_to(a, dir, "gitdir", "");
		char *ours = path_join(a, w->path, ".git");
		if (!back || !ours || !streq(back, ours) || !is_git_dir(a, common) ||
			!path_within(dir, common))
			return;
		w->git = HOST_GIT_WORKTREE;
		add_bind(a, w, common);
	} else {
		if (!path_within(dir, w->path) && !config_points_back(a, dir, w->path))
			return;
		w->git = HOST_GIT_SUBMODULE;
		common = dir;
		add_bind(a, w, dir);
	}
	w->git_dir = dir;
	w->common_dir = common;
}

static void find_git(struct arena *a, struct host_workspace *w)
{
	struct stat st;
	if (!has_dot_git(a, w->path, &st))
		return;
	if (S_ISDIR(st.st_mode)) {
		w->git_dir = path_join(a, w->path, ".git");
		if (!w->git_dir || !is_git_dir(a, w->git_dir)) {
			w->git_dir = NULL;
			return;
		}
		w->git = HOST_GIT_DIR;
		w->common_dir = w->git_dir;
	} else if (S_ISREG(st.st_mode)) {
		follow_git_file(a, w);
	} else {
		w->git = HOST_GIT_FOREIGN;
	}
}

void host_path_hint(const char *given, int code, struct err *err)
{
	if (code != ENOENT)
		err_hint(err, "check the path and its permissions");
	else if (strchr(given, '/'))
		err_hint(err, "create it first, or check the spelling");
	else
		err_hint(err,
			"create it first, or check the spelling; what is for the agent comes "
			"behind --, as in: bawn run codex -- exec \"say hello\"");
}

/* Resolve and stat; errors for a person. */
static int resolve(
	struct arena *a, const char *dir, char **ret_path, struct stat *st, struct err *err)
{
	char s[512];
	if (!*dir) {
		err_hint(err, "a variable that is not set? name the directory, or leave it out");
		return err_set(err, EINVAL, "the path is empty");
	}
	char *p = path_real(a, dir);
	if (!p) {
		int e = errno;
		if (streq(dir, ".")) {
			err_hint(err, "%s",
				e == ENAMETOOLONG ? "a path may have 4095 bytes; work further up"
					: e == ENOENT
					? "the current directory was removed; change to "
					  "another"
					: "check its permissions, or change to another");
			return err_sys(err, e, "the current directory");
		}
		host_path_hint(dir, e, err);
		return err_sys(err, e, "%s", shown(s, sizeof(s), dir));
	}
	if (stat(p, st) < 0)
		return err_sys(err, errno, "%s", shown(s, sizeof(s), p));
	*ret_path = p;
	return 0;
}

int host_workspace_resolve(struct arena *a, const char *dir, const struct host_identity *id,
	const struct path_xdg *own, struct host_workspace *ret, struct err *err)
{
	struct host_workspace w = {0};
	struct stat st;
	char *p, s[512];
	int r = resolve(a, dir ? dir : ".", &p, &st, err);
	if (r < 0)
		return r;
	if (!S_ISDIR(st.st_mode)) {
		err_hint(err,
			"the first PATH is the workspace; name its directory, and files as "
			"further PATHs");
		return err_set(err, ENOTDIR, "%s is not a directory", shown(s, sizeof(s), p));
	}
	if (access(p, R_OK | X_OK) < 0) {
		err_hint(err,
			"work in a directory that you may read and enter: ls -ld shows why not");
		return err_sys(err, errno, "%s", shown(s, sizeof(s), p));
	}
	r = check_allowed(p, id, own, false, err);
	if (r < 0)
		return r;

	char *top = work_tree(a, p, id, own);
	w.path = top ? top : p;
	w.cwd = p;
	find_git(a, &w);
	for (size_t i = 0; i < w.binds.n; i++) {
		r = check_allowed(w.binds.v[i], id, own, false, err);
		if (r < 0)
			return r;
	}
	w.empty = file_dir_empty(w.path);
	r = arena_check(a, err);
	if (r == 0)
		*ret = w;
	return r;
}

int host_extra_resolve(struct arena *a, const char *arg, const struct host_identity *id,
	const struct path_xdg *own, struct host_extra *ret, struct err *err)
{
	struct host_extra x = {0};
	struct stat st;
	char *p, s[512], *path = arena_dup(a, arg);
	if (!path)
		return err_set(err, ENOMEM, "out of memory");
	size_t n = strlen(path);
	/* A file that is really called "x:ro" wins over the suffix. */
	if (n > 3 && streq(path + n - 3, ":ro") && access(path, F_OK) < 0) {
		path[n - 3] = '\0';
		x.read_only = true;
	}
	int r = resolve(a, path, &p, &st, err);
	if (r < 0)
		return r;
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is neither a directory nor a file",
			shown(s, sizeof(s), p));
	r = check_allowed(p, id, own, true, err);
	if (r < 0)
		return r;
	if (access(p, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) < 0) {
		err_hint(err, "name what you may read yourself: ls -ld shows why not");
		return err_sys(err, errno, "%s", shown(s, sizeof(s), p));
	}
	x.path = p;
	x.dir = S_ISDIR(st.st_mode);
	*ret = x;
	return 0;
}
