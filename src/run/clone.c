/* run/clone.c - see clone.h
 *
 * Theory of operation.  The clone is a part of the sandbox's writable layer, mounted at the
 * workspace's own path; its objects are the host's, bound read-only, by an alternates file.  It is
 * made inside, by a first session of the sandbox under all of its walls: git's filters, whatever a
 * .gitattributes names, run there.  Outside, git only ever reads the user's own repository, with
 * all that could start a program switched off, and writes one section of its config.
 *
 * Nothing that the sandbox wrote is read by a git of the host's: a hostile repository has a config,
 * hooks and alternates that lead wherever it likes.  The remote's "uploadpack" is `bawn
 * upload-pack`, which runs git upload-pack inside the sandbox, started for it where it does not
 * run.  The host's git sees a byte stream, as from any server that it fetches from.
 */
#include "run/clone.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"
#include "run/lasting.h"
#include "run/signals.h"

#define OUTPUT_MAX ((size_t)64 << 20)
#define GIT_NO_LOCK 255     /* git-config(1) can't lock the file, or it is invalid */
#define LOCK_NS 5000000000u /* for those who are at it */

/* ---- git on the host ---- */

static const char *const hardened[] = {"git", "--no-pager", "-c", "core.fsmonitor=false", "-c",
	"core.hooksPath=/dev/null", "-c", "core.untrackedCache=false", "-c", "protocol.allow=never",
	"-c", "core.sshCommand=false", "-c", "core.askPass=false", "-c", "credential.helper=", "-c",
	"maintenance.auto=false", "-c", "gc.auto=0"};
static const char *const clean_env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent",
	"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
	"GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1",
	"GIT_ALLOW_PROTOCOL=none"};

static const char *git_program(void)
{
	static const char *const places[] = {"/usr/bin/git", "/usr/local/bin/git", "/bin/git"};
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static int no_git(struct err *err)
{
	err_hint(err, "install git, or take --workspace cow, which needs none");
	return err_set(err, ENOENT, "there is no git on this machine");
}

/* git -C REPO ARGS; its output, NUL behind it, in the arena.  Its exit status, or -errno. */
static int host_git(struct run *r, const char *repo, const char *const *args,
	const struct strv *more_env, char **ret_out, size_t *ret_n, struct err *err)
{
	struct strv argv = {0}, env = {0};
	const char *program = git_program();
	int pipe_fds[2], status = 0;
	if (!program)
		return no_git(err);
	for (size_t i = 0; i < ARRAY_LEN(hardened); i++)
		strv_add(&r->arena, &argv, hardened[i]);
	strv_add(&r->arena, &argv, "-C");
	strv_add(&r->arena, &argv, repo);
	for (; *args; args++)
		strv_add(&r->arena, &argv, *args);
	for (size_t i = 0; i < ARRAY_LEN(clean_env); i++)
		strv_add(&r->arena, &env, clean_env[i]);
	for (size_t i = 0; more_env && i < more_env->n; i++)
		strv_push(&r->arena, &env, more_env->v[i]);
	int k = arena_check(&r->arena, err);
	if (k < 0)
		return k;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	const int fds[] = {-1, pipe_fds[1], -1};
	struct proc_spawn how = {.path = program,
		.argv = argv.v,
		.envp = env.v,
		.fds = fds,
		.nfds = ARRAY_LEN(fds),
		.die_with_parent = SIGTERM}; /* it takes its locks along */
	struct proc p;
	k = proc_spawn(&how, &p, err);
	close(pipe_fds[1]);
	/* what is longer than any list of references is cut, and then fails as malformed */
	size_t cap = 65536, n = 0;
	char *buf = k < 0 ? NULL : malloc(cap + 1);
	for (ssize_t got = 1; buf && got > 0 && n < OUTPUT_MAX;) {
		if (n == cap) {
			char *more = realloc(buf, cap * 2 + 1);
			if (!more)
				break;
			buf = more;
			cap *= 2;
		}
		got = fd_read_full(pipe_fds[0], buf + n, cap - n);
		n += got > 0 ? (size_t)got : 0;
	}
	close(pipe_fds[0]);
	if (k == 0 && proc_wait(&p, &status) < 0)
		status = 128;
	if (k == 0 && ret_out) {
		*ret_out = buf ? arena_dupn(&r->arena, buf, n) : NULL;
		if (ret_n)
			*ret_n = n;
		if (!*ret_out)
			k = err_set(err, ENOMEM, "out of memory");
	}
	free(buf);
	return k < 0 ? k : status;
}

/* One line of output, or NULL where git said no. */
static char *git_line(struct run *r, const char *repo, const char *const *args)
{
	struct err ignored = {0};
	char *out = NULL;
	if (host_git(r, repo, args, NULL, &out, NULL, &ignored) != 0)
		return NULL;
	out[strcspn(out, "\n")] = '\0';
	return out;
}

/* ---- can it be cloned? ---- */

int clone_resolve(struct run *r, struct err *err)
{
	char shown[400];
	struct stat st;
	escape_text(shown, sizeof(shown), r->ws.path);
	if (!r->ws.common_dir) {
		err_hint(err, "git init it, or take --workspace cow");
		return err_set(
			err, EINVAL, "%s is no git repository: there is nothing to clone", shown);
	}
	r->repo = r->ws.common_dir;
	r->index = path_join(&r->arena, r->ws.git_dir, "index");
	r->apart = true;
	/* What is the host's comes along as the object store alone. */
	r->ws.binds = (struct strv){0};
	r->ws.git_dir = r->ws.common_dir = NULL;
	char *objects = path_join(&r->arena, r->repo, "objects");
	char *elsewhere = path_join(&r->arena, objects, "info/alternates");
	if (!elsewhere)
		return err_set(err, ENOMEM, "out of memory");
	if (lstat(objects, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, EINVAL, "%s has no object store of its own", shown);
	/* Whoever can write that file could name any directory of the host's. */
	if (lstat(elsewhere, &st) == 0 && st.st_size > 0) {
		err_hint(err, "give it its own: git -C %s repack -a -d && rm %s", shown, elsewhere);
		return err_set(err, EINVAL, "%s borrows objects of another repository", shown);
	}
	return 0;
}

/* ---- making it ---- */

static int put(struct run *r, const char *dir, const char *name, const char *text, size_t n,
	struct err *err)
{
	char *path = path_join(&r->arena, dir, name);
	return path ? file_write_atomic(AT_FDCWD, path, text, n, 0600, false, err)
		    : err_set(err, ENOMEM, "out of memory");
}

/* The host's branches and tags, as commands of git update-ref --stdin. */
static int list_refs(struct run *r, const char *dir, struct err *err)
{
	static const char *const args[] = {"for-each-ref", "--format=%(objectname) %(refname)",
		"refs/heads", "refs/tags", NULL};
	char *out = NULL, *text = NULL;
	size_t size = 0;
	int k = host_git(r, r->ws.path, args, NULL, &out, NULL, err);
	if (k != 0)
		return k < 0 ? k : err_set(err, EIO, "git could not list the branches");
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return err_sys(err, errno, "memory for a list of branches");
	for (char *line; (line = strsep(&out, "\n"));) {
		char *name = strchr(line, ' ');
		if (!name)
			continue;
		*name++ = '\0';
		if (has_prefix(name, "refs/heads/"))
			fprintf(f, "create refs/remotes/host/%s %s\n", name + 11, line);
		else
			fprintf(f, "create %s %s\n", name, line);
	}
	k = fclose(f) == 0 ? 0 : err_sys(err, errno, "memory for a list of branches");
	if (k == 0)
		k = put(r, dir, "refs", text, size, err);
	free(text);
	return k;
}

static int copy_shallow(struct run *r, const char *dir, struct err *err)
{
	char *text, *file = path_join(&r->arena, r->repo, "shallow");
	struct stat st;
	if (!file || lstat(file, &st) < 0)
		return 0;
	ssize_t n = file_read(&r->arena, AT_FDCWD, file, 16 << 20, &text, err);
	return n < 0 ? (int)n : put(r, dir, "shallow", text, (size_t)n, err);
}

/* To compare contents git runs the filters that .gitattributes names, where the repository's config
 * has them, with no way to switch them off: so it is told of another git directory, whose config is
 * ours and empty, with the user's index, objects and work tree. */
static int make_probe(
	struct run *r, const char *dir, const char *format, struct strv *env, struct err *err)
{
	struct arena *a = &r->arena;
	static const char head[] = "ref: refs/heads/none\n";
	char *probe = path_join(a, dir, "probe");
	char *config = arena_printf(a,
		"[core]\nrepositoryformatversion = 1\nbare = false\n[extensions]\nobjectFormat = "
		"%s\n",
		format);
	strv_addf(a, env, "GIT_DIR=%s", probe);
	strv_addf(a, env, "GIT_WORK_TREE=%s", r->ws.path);
	strv_addf(a, env, "GIT_INDEX_FILE=%s", r->index);
	strv_addf(a, env, "GIT_OBJECT_DIRECTORY=%s/objects", r->repo);
	int k = arena_check(a, err);
	if (k == 0)
		k = file_mkdir_p(AT_FDCWD, path_join(a, probe, "refs"), 0700);
	if (k == 0)
		k = file_mkdir_p(AT_FDCWD, path_join(a, probe, "objects"), 0700);
	if (k == 0)
		k = put(r, probe, "HEAD", head, strlen(head), err);
	return k < 0 ? k : put(r, probe, "config", config, strlen(config), err);
}

/* Uncommitted changes stay out: said. */
static void say_dirty(struct run *r, const char *dir, const char *commit, const char *format)
{
	const char *const changed[] = {
		"diff-files", "--raw", "-z", "--ignore-submodules=all", NULL};
	const char *const staged[] = {
		"diff-index", "--cached", "--raw", "-z", "--ignore-submodules=all", commit, NULL};
	const char *const untracked[] = {
		"ls-files", "--others", "--exclude-standard", "--directory", "-z", NULL};
	const struct {
		const char *const *args;
		const char *what;
	} rows[] = {{changed, "changed files"}, {staged, "staged changes"},
		{untracked, "untracked files"}};
	char *what = NULL;
	struct strv env = {0};
	struct err ignored = {0};
	if (make_probe(r, dir, format, &env, &ignored) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *out = NULL;
		size_t n = 0;
		if (host_git(r, r->ws.path, rows[i].args, &env, &out, &n, &ignored) == 0 && n > 0)
			what = what ? arena_printf(&r->arena, "%s, %s", what, rows[i].what)
				    : arena_dup(&r->arena, rows[i].what);
	}
	if (what)
		run_message(r, "the clone has what is committed; it is without your %s", what);
}

/* Git reads no repository of another user's, unless the user's own settings say so, which do not
 * count here. */
static bool is_foreign(const struct run *r)
{
	const char *const paths[] = {r->ws.path, r->repo};
	struct stat st;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (stat(paths[i], &st) == 0 && st.st_uid != r->id.uid)
			return true;
	return false;
}

static int no_commit(struct run *r, struct err *err)
{
	char shown[400];
	escape_text(shown, sizeof(shown), r->ws.path);
	if (!git_program())
		return no_git(err);
	if (is_foreign(r)) {
		err_hint(err, "git clone it, and work there; or take --workspace cow");
		return err_set(err, EPERM,
			"%s is another user's repository, which git does not read", shown);
	}
	err_hint(err, "commit something first; git -C %s log shows what git says", shown);
	return err_set(err, EINVAL, "%s has no commit to begin with", shown);
}

static int gather(struct run *r, const char *dir, const char *branch, struct err *err)
{
	static const char *const head[] = {
		"rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL};
	static const char *const format[] = {"rev-parse", "--show-object-format", NULL};
	static const char *const keys[] = {"user.name", "user.email"};
	int k = tree_remove(AT_FDCWD, dir, err);
	if (k == 0 && mkdir(dir, 0700) < 0)
		k = err_sys(err, errno, "create %s", dir);
	if (k < 0)
		return k;
	char *commit = git_line(r, r->ws.path, head), *kind = git_line(r, r->ws.path, format);
	if (!commit || !kind)
		return no_commit(r, err);
	const char *const texts[][2] = {{"head", commit}, {"format", kind}, {"branch", branch}};
	for (size_t i = 0; k == 0 && i < ARRAY_LEN(texts); i++)
		k = put(r, dir, texts[i][0], texts[i][1], strlen(texts[i][1]), err);
	for (size_t i = 0; k == 0 && i < ARRAY_LEN(keys); i++) {
		const char *const get[] = {"config", "--local", "--get", keys[i], NULL};
		char *value = git_line(r, r->ws.path, get);
		if (value)
			k = put(r, dir, keys[i], value, strlen(value), err);
	}
	if (k == 0)
		k = list_refs(r, dir, err);
	if (k == 0)
		k = copy_shallow(r, dir, err);
	if (k == 0)
		say_dirty(r, dir, commit, kind);
	return k;
}

/* Run inside, in the empty workspace.  Whatever an earlier try left goes first.  What Git LFS has
 * not fetched on the host can't be had here, offline: pointers stand in such files' places. */
static const char script[] =
	"set -e\n"
	"s=" CLONE_SETUP_INSIDE "\n"
	"find . -mindepth 1 -delete\n"
	"git init -q --template= --object-format=\"$(cat $s/format)\" -b \"$(cat $s/branch)\" .\n"
	"mkdir -p .git/objects/info .git/info\n"
	"echo " CLONE_OBJECTS " >.git/objects/info/alternates\n"
	"[ ! -e $s/shallow ] || cat $s/shallow >.git/shallow\n"
	"for k in user.name user.email; do\n"
	"	[ ! -e $s/$k ] || git config $k \"$(cat $s/$k)\"\n"
	"done\n"
	"git update-ref --stdin <$s/refs\n"
	"git update-ref \"refs/heads/$(cat $s/branch)\" \"$(cat $s/head)\"\n"
	"GIT_LFS_SKIP_SMUDGE=1 git reset -q --hard\n"
	"! git config filter.lfs.process >/dev/null || git lfs checkout >/dev/null 2>&1 || :\n";

static _noreturn_ void set_up(struct run *r)
{
	struct err err = {0};
	static char shell[] = "/bin/sh", flag[] = "-c";
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	setsid();
	r->lasting = true;
	r->client = -1;
	r->closed = true;
	r->fresh = false;
	r->tty_fds = 0;
	r->opt.verbosity = -1;
	r->opt.detach = false;
	r->opt.offline = true;
	r->directory = r->ws.path;
	r->command = (struct strv){0};
	strv_push(&r->arena, &r->command, shell);
	strv_push(&r->arena, &r->command, flag);
	strv_add(&r->arena, &r->command, script);
	int code = run_supervise(r, &err);
	run_release(r, code);
	if (err.code)
		run_fail(&err, code);
	_exit(code);
}

/* A first session, as a supervisor of its own; we keep the lock. */
static int run_inside(struct run *r, struct err *err)
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		set_up(r);
	if (pid < 0)
		return err_sys(err, errno, "fork");
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0)
		signals_await_child(pidfd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	err_hint(err, "what git said stands above");
	return err_set(err, EIO, "the repository could not be cloned");
}

static int make_clone(struct run *r, struct err *err)
{
	char *dir = path_join(&r->arena, r->box.dir, CLONE_SETUP);
	char *branch = arena_printf(&r->arena, "bawn/%s", r->spec.name);
	if (!dir || !branch)
		return err_set(err, ENOMEM, "out of memory");
	int k = gather(r, dir, branch, err);
	if (k == 0)
		k = run_inside(r, err);
	if (k < 0)
		return k;
	r->spec.branch = branch; /* from here on it is there, and never made again */
	k = store_sandbox_save(&r->box, &r->spec, err);
	tree_remove(AT_FDCWD, dir, NULL);
	return k;
}

int clone_ready(struct run *r, struct err *err)
{
	char *config, *section;
	struct err ignored = {0};
	if (!streq(r->spec.mode, "clone"))
		return 0;
	bool made = r->spec.branch;
	int k = made ? 0 : make_clone(r, err);
	if (k < 0)
		return k;
	if (!made)
		r->fresh = false; /* it stays, whatever becomes of this start */
	section = arena_printf(&r->arena, "[remote \"bawn-%s\"]", r->spec.name);
	config = path_join(&r->arena, r->repo, "config");
	char *text = NULL;
	if (section && config &&
		file_read(&r->arena, AT_FDCWD, config, 1 << 20, &text, &ignored) >= 0 &&
		!strstr(text, section))
		clone_remote_add(r, &r->spec);
	return 0;
}

/* ---- the remote ---- */

static char *remote_key(struct run *r, const struct spec *s, const char *key)
{
	return arena_printf(&r->arena, "remote.bawn-%s%s%s", s->name, *key ? "." : "", key);
}

/* Change the host's configuration.  git does not wait for somebody who is at it, as other starts
 * and removals of clones of the same repository are. */
static int host_config(struct run *r, const char *repo, const char *const *args)
{
	static const char *const common[] = {
		"rev-parse", "--path-format=absolute", "--git-common-dir", NULL};
	const uint64_t begin = run_now();
	char *dir = NULL;
	for (;;) {
		struct err ignored = {0};
		int status = host_git(r, repo, args, NULL, NULL, NULL, &ignored);
		if (status != GIT_NO_LOCK || run_now() - begin > LOCK_NS)
			return status;
		if (!dir)
			dir = git_line(r, repo, common);
		if (!dir || access(dir, W_OK) < 0) /* there can be no lock */
			return status;
		poll(NULL, 0, 10);
	}
}

void clone_remote_add(struct run *r, const struct spec *s)
{
	char word[4200];
	char *self = path_real(&r->arena, "/proc/self/exe");
	char *box = path_join(&r->arena, r->store.sandboxes, s->name);
	if (!self || !box || !s->workspace)
		return;
	/* the url last: without it there is no remote, and never one without the rest */
	const char *const rows[][2] = {
		{"fetch", arena_printf(&r->arena, "+refs/heads/*:refs/remotes/bawn-%s/*", s->name)},
		{"uploadpack",
			arena_printf(&r->arena, "%s upload-pack",
				escape_shell(word, sizeof(word), self))},
		{"receivepack", "echo 'bawn: nothing can be pushed into a sandbox' >&2; false"},
		{"tagOpt", "--no-tags"}, {"url", box}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *key = remote_key(r, s, rows[i][0]);
		const char *const args[] = {
			"config", "--local", "--replace-all", key, rows[i][1], NULL};
		if (!key || !rows[i][1] || host_config(r, s->workspace, args) != 0) {
			run_message(r, "git has no remote bawn-%s: its config could not be written",
				s->name);
			return;
		}
	}
}

void clone_remote_remove(struct run *r, const struct spec *s)
{
	char *section = remote_key(r, s, "");
	const char *const args[] = {"config", "--local", "--remove-section", section, NULL};
	if (section && s->workspace && s->mode && streq(s->mode, "clone"))
		host_config(r, s->workspace, args);
}
