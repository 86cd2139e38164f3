/* run/changes.c - see change.h */
#include "run/changes.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/json-out.h"
#include "change/starts.h"
#include "run/lasting.h"
#include "run/named.h"

/* Object names have 64 digits in a repository that says so. */
static unsigned int hash_len(struct run *r, const char *workspace)
{
	char *path = path_join(&r->arena, workspace, ".git/config"), *text;
	if (path && file_read(&r->arena, AT_FDCWD, path, 65536, &text, NULL) > 0 &&
		strcasestr(text, "objectformat") && strcasestr(text, "sha256"))
		return 32;
	return 20;
}

static int add_uppers(struct run *r, struct changes *c, const char *box)
{
	const struct strv *layers = &r->spec.layers;
	struct stat st;
	char *top = path_join(&r->arena, box, "up/ws");
	c->empty = true;
	if (top && stat(top, &st) == 0) {
		c->empty = false;
		strv_push(&r->arena, &c->req.uppers, top);
	}
	for (size_t i = layers->n; i-- > 0;) {
		char *part = store_layer_part(&r->store, &r->arena, layers->v[i], "ws");
		if (!part || stat(part, &st) < 0)
			continue;
		c->empty = false;
		strv_push(&r->arena, &c->req.uppers, part);
	}
	return r->arena.failed ? -ENOMEM : 0;
}

/* Nobody else lands or discards, and a sandbox at rest does not start meanwhile. */
static int hold(struct run *r, const char *name, struct changes *c, struct err *err)
{
	if (flock(c->box, LOCK_EX | LOCK_NB) < 0) {
		err_hint(err, "wait until it is done");
		return err_set(err, EBUSY, "another bawn apply or discard works on %s", name);
	}
	int k = lasting_lock(r, name, err);
	if (k == -EBUSY) {
		*err = (struct err){0};
		c->req.running = true;
		return 0;
	}
	return k;
}

/* What of the user's leads into the workspace. */
static int add_named(struct run *r, struct changes *c)
{
	struct scan_named *v;
	size_t n;
	int k = run_named_find(&r->arena, r->id.home, c->req.base, &v, &n);
	for (size_t i = 0; k == 0 && i < n; i++) {
		const char *rel = v[i].path + strlen(c->req.base);
		strv_add(&r->arena, &c->req.named, rel + strspn(rel, "/"));
		strv_add(&r->arena, &c->req.named, v[i].why);
		strv_add(&r->arena, &c->req.named, v[i].flat ? "flat" : "");
	}
	return k < 0 ? k : arena_check(&r->arena, NULL);
}

static int open_state(struct run *r, struct changes *c, const char *box, struct err *err)
{
	struct change_starts s = {0};
	int k = change_starts_read(c->box, &r->arena, &s, err);
	if (k < 0 && (k != -ENOENT || err->code))
		return k;
	c->req.since = s.since;
	c->req.n_since = s.n_since;
	c->req.masked = s.masked;
	c->req.hooks = s.hooks;
	c->req.settings = s.settings;
	c->req.home = r->id.home;
	k = add_named(r, c);
	if (k < 0)
		return err_set(err, -k, "out of memory");
	if (c->req.direct) {
		if (!s.n_since) {
			err_hint(err, "bawn run %s starts it", r->spec.name);
			return err_set(
				err, ENOENT, "sandbox %s has not been started yet", r->spec.name);
		}
		/* since its last start */
		c->req.since = s.since + s.n_since - 1;
		c->req.n_since = 1;
		c->req.index = path_join(&r->arena, box, DIRECT_INDEX);
		return c->req.index ? 0 : -ENOMEM;
	}
	c->req.ledger = path_join(&r->arena, box, "landed");
	char *trash = path_join(&r->arena, box, "trash");
	if (trash && mkdir(trash, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "make %s", trash);
	c->req.trash = trash;
	return 0;
}

int changes_path(struct run *r, const struct changes *c, const char *path, struct strv *list,
	struct err *err)
{
	char cwd[PATH_MAX];
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(err, errno, "find the current directory");
	/* from elsewhere, paths are meant as below the workspace */
	if (!path_within(cwd, c->req.base))
		snprintf(cwd, sizeof(cwd), "%s", c->req.base);
	char *rel = change_path(&r->arena, c->req.base, cwd, path, err);
	return rel ? strv_push(&r->arena, list, rel) : -err->code;
}

/* Changes of a sandbox that has none to hold back. */
static int held_nowhere(const char *name, const char *mode, struct err *err)
{
	if (streq(mode, "clone")) {
		err_hint(err,
			"git fetch bawn-%s brings what is committed there; bawn exec %s git diff "
			"shows what isn't",
			name, name);
		return err_set(err, EINVAL, "sandbox %s works on a git clone of its own", name);
	}
	if (streq(mode, "none")) {
		err_hint(err, "bawn shell %s is the way to what is in its home", name);
		return err_set(err, EINVAL, "sandbox %s has no workspace", name);
	}
	err_hint(err, "bawn create --workspace cow makes one whose changes wait for you");
	return err_set(err, EINVAL,
		"sandbox %s has a %s workspace: what it writes there is there already", name, mode);
}

/* Moved or removed since: the same remedy as where the sandbox is entered. */
static int check_base(const char *name, const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return 0;
	char shown[600];
	const int code = errno;
	err_hint(err, "put it back, or remove the sandbox: bawn rm %s", name);
	return err_sys(err, code, "the workspace of sandbox %s: %s", name,
		escape_text(shown, sizeof(shown), path));
}

int changes_open(struct run *r, const char *name, char **argv, int n, bool write,
	struct changes *ret, struct err *err)
{
	struct changes c = CHANGES_NONE;
	int k = lasting_find_name(r, name, err);
	if (k < 0)
		return k;
	const char *mode = r->spec.mode ? r->spec.mode : "direct";
	c.req.direct = !write && streq(mode, "direct");
	if ((!streq(mode, "cow") && !c.req.direct) || !r->spec.workspace)
		return held_nowhere(name, mode, err);
	char *box = path_join(&r->arena, r->store.sandboxes, name);
	c.req.base = r->spec.workspace;
	k = check_base(name, c.req.base, err);
	if (k < 0)
		return k;
	c.req.hash_len = hash_len(r, c.req.base);
	c.box = box ? open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (c.box < 0)
		return err_sys(err, errno, "open sandbox %s", name);
	if (write)
		k = hold(r, name, &c, err);
	if (k == 0 && !c.req.direct)
		k = add_uppers(r, &c, box);
	if (k == 0)
		k = open_state(r, &c, box, err);
	for (int i = 0; i < n && k == 0; i++)
		k = changes_path(r, &c, argv[i], &c.req.paths, err);
	if (k < 0) {
		close(c.box);
		return err->code ? k : err_set(err, -k, "out of memory");
	}
	*ret = c;
	return 0;
}

void changes_close(struct changes *c)
{
	proc_kill(&c->git);
	c->git = PROC_NONE;
	if (c->box >= 0)
		close(c->box);
	c->box = -1;
}

/* A git directory of our own, with nothing in it but where objects are: so that git reads no
 * configuration of the workspace's, and can be made to run nothing by it. */
static char *make_git_dir(struct run *r, const struct changes *c)
{
	char *box = path_join(&r->arena, r->store.sandboxes, r->spec.name);
	char *dir = box ? path_join(&r->arena, box, "git-read") : NULL;
	const char *config = c->req.hash_len == 32
		? "[core]\n\trepositoryformatversion = 1\n\tbare = true\n"
		  "[extensions]\n\tobjectformat = sha256\n"
		: "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
	if (!dir || (mkdir(dir, 0700) < 0 && errno != EEXIST))
		return NULL;
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (mkdirat(fd, "refs", 0700) < 0 && errno != EEXIST) ||
		(mkdirat(fd, "objects", 0700) < 0 && errno != EEXIST) ||
		file_write_atomic(fd, "config", config, strlen(config), 0600, false, NULL) < 0 ||
		file_write_atomic(fd, "HEAD", "ref: refs/heads/none\n", 21, 0600, false, NULL) < 0)
		return NULL;
	return dir;
}

/* Never by PATH, which may lead into the workspace. */
static const char *find_git(void)
{
	static const char *const places[] = {"/usr/bin/git", "/usr/local/bin/git", "/bin/git"};
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* git cat-file, which knows packs; what it was is just not shown where it can't be had. */
static void start_git(struct run *r, struct changes *c, int ret[2])
{
	struct host_workspace ws = {0};
	int in[2], out[2];
	const char *git = find_git();
	char *dir = git ? make_git_dir(r, c) : NULL;
	if (!dir ||
		host_workspace_resolve(&r->arena, c->req.base, &r->id, &r->store.xdg, &ws, NULL) <
			0 ||
		!ws.common_dir)
		return;
	struct strv env = {0};
	strv_addf(&r->arena, &env, "GIT_DIR=%s", dir);
	strv_addf(&r->arena, &env, "GIT_OBJECT_DIRECTORY=%s/objects", ws.common_dir);
	static const char *const fixed[] = {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1", "HOME=/nonexistent", "LC_ALL=C"};
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strv_add(&r->arena, &env, fixed[i]);
	if (r->arena.failed || pipe2(in, O_CLOEXEC) < 0)
		return;
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return;
	}
	const int fds[] = {in[0], out[1], -1};
	char name[] = "git", verb[] = "cat-file", batch[] = "--batch";
	char *const argv[] = {name, verb, batch, NULL};
	int k = proc_spawn(&(struct proc_spawn){.path = git,
				   .argv = argv,
				   .envp = env.v,
				   .fds = fds,
				   .nfds = 3,
				   .die_with_parent = SIGKILL},
		&c->git, NULL);
	close(in[0]);
	close(out[1]);
	if (k < 0) {
		close(in[1]);
		close(out[0]);
		return;
	}
	ret[0] = in[1];
	ret[1] = out[0];
}

int changes_start(struct run *r, struct changes *c, int text_fd, struct job *ret, struct err *err)
{
	int git[2] = {-1, -1};
	char *helper = path_join(&r->arena, r->install.libexec, "bawn-change");
	if (!helper)
		return err_set(err, ENOMEM, "out of memory");
	if (c->req.direct && (c->req.lines || c->req.op == CHANGE_PATCH))
		start_git(r, c, git);
	int k = change_start(helper, &c->req, text_fd, git[0] >= 0 ? git : NULL, ret, err);
	if (git[0] >= 0) {
		close(git[0]);
		close(git[1]);
	}
	return k;
}

int changes_run(struct run *r, struct changes *c, int text_fd, struct err *err)
{
	struct job job = JOB_NONE;
	if (c->empty) {
		c->res = (struct change_result){.done = true};
		return 0;
	}
	int k = changes_start(r, c, text_fd, &job, err);
	if (k == 0)
		k = change_collect(&job, &c->req, &r->arena, &c->res, err);
	job_end(&job, false);
	return k;
}

const char *changes_kind(const struct change_item *it)
{
	static const char *const names[CHANGE_KINDS] = {[CHANGE_ADDED] = "added",
		[CHANGE_MODIFIED] = "modified",
		[CHANGE_MODE] = "mode",
		[CHANGE_TYPE] = "type",
		[CHANGE_DELETED] = "deleted",
		[CHANGE_ODD] = "odd"};
	return names[it->kind];
}

static const char *type_name(enum change_type t)
{
	static const char *const names[CHANGE_TYPES] = {[CHANGE_FILE] = "file",
		[CHANGE_LINK] = "link",
		[CHANGE_DIR] = "directory",
		[CHANGE_SPECIAL] = "special"};
	return names[t]; /* NULL: nothing is there */
}

const char *changes_state(const struct change_item *it)
{
	static const char *const names[CHANGE_STATES] = {[CHANGE_SEEN] = "pending",
		[CHANGE_LANDED] = "landed",
		[CHANGE_DISCARDED] = "discarded",
		[CHANGE_CONFLICT] = "conflict",
		[CHANGE_EXEC] = "runs-code",
		[CHANGE_REFUSED] = "refused",
		[CHANGE_FAILED] = "failed"};
	return names[it->state];
}

static void put_mode(struct json_out *j, const char *key, enum change_type t, uint32_t mode)
{
	char text[8];
	snprintf(text, sizeof(text), "%04o", mode);
	if (t != CHANGE_NOTHING)
		json_str(j, key, text);
}

static void put_item(struct json_out *j, const struct change_item *it, bool states)
{
	json_begin(j, NULL, '{');
	json_str(j, "path", it->path);
	json_str(j, "kind", changes_kind(it));
	if (states)
		json_str(j, "state", changes_state(it));
	if (it->type)
		json_str(j, "type", type_name(it->type));
	if (it->old_type)
		json_str(j, "old_type", type_name(it->old_type));
	put_mode(j, "mode", it->type, it->mode);
	put_mode(j, "old_mode", it->old_type, it->old_mode);
	if (it->type)
		json_int(j, "size", (int64_t)it->size);
	if (it->old_type)
		json_int(j, "old_size", (int64_t)it->old_size);
	if (it->counted) {
		json_int(j, "added", (int64_t)it->added);
		json_int(j, "removed", (int64_t)it->removed);
	}
	json_bool(j, "binary", it->binary);
	if (it->per) {
		char class[16];
		snprintf(class, sizeof(class), "PER-%02u", it->per);
		json_begin(j, "host_runs", '{');
		json_str(j, "class", class);
		json_str(j, "what", it->what);
		json_bool(j, "by_itself", it->automatic);
		json_end(j, '}');
	}
	if (*it->detail)
		json_str(j, "detail", it->detail);
	json_end(j, '}');
}

void changes_json(const struct change_result *res, bool states)
{
	struct json_out j = {.pretty = true};
	json_begin(&j, NULL, '[');
	for (size_t i = 0; i < res->n; i++)
		put_item(&j, &res->v[i], states);
	json_end(&j, ']');
	puts(j.failed ? "[]" : j.buf);
	json_free(&j);
}
