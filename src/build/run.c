/* build/run.c - RUN: a command in a sandbox, as agents run in one; see build.h and run/step.h
 *
 * Theory: what a RUN writes goes to the upper directory of its sandbox and is moved from there.
 * What is mounted for it alone (caches, secrets, stages) lies outside of that: nothing of it can
 * get into a layer but the empty places, which are in a layer of bawn's own below.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/sha256.h"
#include "base/tree.h"
#include "build/build.h"
#include "run/step.h"

#define SECRET_MAX ((size_t)1 << 20)

struct running {
	struct build *b;
	struct build_state *st;
	const struct df_inst *i;
	int stage;
	struct strv argv, env; /* env: what is in the key */
	struct strv secrets;   /* files to be removed behind it */
	struct build_owner user;
	char *home, *user_name;
	struct df_mount *mounts;
	size_t n_mounts;
	char **bound; /* digests of what they bring along */
	bool offline;
	int locks[VIEW_MAX];                           /* of caches */
	char *caches[VIEW_MAX], *cache_dirs[VIEW_MAX]; /* which, and where they are */
	size_t n_locks;
};

static int oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

/* ---- the command ---- */

/* A heredoc that is the whole command is a script; others are the shell's own. */
static int shell_text(struct running *k, struct strv *ret, struct err *err)
{
	struct build *b = k->b;
	const struct df_inst *i = k->i;
	const char *text = i->rest;
	const char *word = i->n_docs == 1 ? strstr(text, "<<") : NULL;
	struct buf whole = {0};
	if (word == text && !strpbrk(text, " \t;&|>")) {
		buf_add(&whole, i->docs[0].text, i->docs[0].n);
	} else {
		buf_str(&whole, text);
		for (size_t n = 0; n < i->n_docs; n++)
			buf_printf(&whole, "\n%s%s", i->docs[n].text, i->docs[n].name);
	}
	char *s = buf_take(&b->a, &whole);
	if (!s)
		return oom(err);
	static const char *const sh[] = {"/bin/sh", "-c"};
	size_t n = k->st->shell.n ? k->st->shell.n : ARRAY_LEN(sh);
	for (size_t w = 0; w < n; w++)
		strv_add(&b->a, ret, k->st->shell.n ? k->st->shell.v[w] : sh[w]);
	return strv_push(&b->a, ret, s) < 0 ? oom(err) : 0;
}

/* "#!/usr/bin/env python3" as a heredoc's first line: that runs it. */
static const char *script_of(const struct df_inst *i)
{
	bool whole = i->n_docs == 1 && has_prefix(i->rest, "<<") && !strpbrk(i->rest, " \t;&|>");
	return whole && has_prefix(i->docs[0].text, "#!") ? i->docs[0].text : NULL;
}

static int read_command(struct running *k, struct err *err)
{
	const struct df_inst *i = k->i;
	int r = 0;
	if (i->exec) {
		for (size_t n = 0; r == 0 && n < i->n_words; n++)
			r = strv_add(&k->b->a, &k->argv, i->words[n].s);
		return r < 0 ? oom(err) : 0;
	}
	if (!script_of(i))
		return shell_text(k, &k->argv, err);
	return strv_addf(&k->b->a, &k->argv, STEP_SCRIPTS "%s", i->docs[0].name) < 0 ? oom(err) : 0;
}

static int read_env(struct running *k, struct err *err)
{
	struct arena *a = &k->b->a;
	for (size_t i = 0; i < k->st->args.n; i++)
		strv_add(a, &k->env, k->st->args.v[i]);
	for (size_t i = 0; i < k->st->env.n; i++) {
		char *name = arena_dupn(a, k->st->env.v[i], strcspn(k->st->env.v[i], "="));
		if (name)
			strv_env_set(a, &k->env, name, k->st->env.v[i] + strlen(name) + 1);
	}
	if (!strv_env_get(&k->env, "PATH"))
		strv_env_set(a, &k->env, "PATH", BUILD_PATH);
	return arena_check(a, err);
}

/* ---- mounts ---- */

static int read_mounts(struct running *k, struct err *err)
{
	struct build *b = k->b;
	struct build_words w = {.b = b, .st = k->st};
	const struct expand e = build_expand(&w);
	k->mounts = arena_alloc(&b->a, (k->i->n_flags + 1) * sizeof(*k->mounts));
	if (!k->mounts)
		return oom(err);
	for (size_t n = 0; n < k->i->n_flags; n++) {
		const struct df_flag *f = &k->i->flags[n];
		if (streq(f->name, "network"))
			k->offline = streq(f->value, "none");
		if (!streq(f->name, "mount"))
			continue;
		struct df_mount *m = &k->mounts[k->n_mounts++];
		int r = df_mount_parse(&b->a, f->value, &e, m, err);
		if (r < 0)
			return df_err_at(&b->d, k->i->line, f->at, err), r;
		if (m->type == DF_MOUNT_SECRET && !m->id)
			m->id = m->source ? m->source : path_base(m->target);
		if (m->type == DF_MOUNT_SECRET && !m->target && !m->env)
			m->target = arena_printf(&b->a, "/run/secrets/%s", m->id);
		if (m->target)
			m->target = build_path(b, k->st, m->target);
	}
	return arena_check(&b->a, err);
}

/* The value that --secret gives id: *ret is NULL where there is none. */
static int find_secret(struct build *b, const char *id, char **ret, size_t *ret_n, struct err *err)
{
	*ret = NULL;
	for (size_t i = 0; i < b->opt.secrets.n; i++) {
		char *text = arena_dup(&b->a, b->opt.secrets.v[i]), *field, *own = NULL,
		     *src = NULL, *env = NULL, *type = NULL;
		while ((field = strsep(&text, ","))) {
			char *value = strchr(field, '=');
			if (value)
				*value++ = '\0';
			if (value && streq(field, "id"))
				own = value;
			else if (value && (streq(field, "src") || streq(field, "source")))
				src = value;
			else if (value && streq(field, "env"))
				env = value;
			else if (value && streq(field, "type"))
				type = value;
			else
				return err_set(
					err, EINVAL, "--secret: \"%.60s\" is not known", field);
		}
		if (!own)
			return err_set(err, EINVAL, "--secret wants an id=");
		if (!streq(own, id))
			continue;
		if (type && !streq(type, "env") && !streq(type, "file"))
			return err_set(err, EINVAL, "--secret: type is env or file");
		bool is_env = type ? streq(type, "env") : env != NULL;
		if (is_env && !env)
			env = src ? src : own;
		/* nothing said: the variable of that name, else the file */
		if (!type && !env && !src && getenv(own))
			env = own;
		if (env && !(type && !is_env)) {
			if (!getenv(env))
				return err_set(err, ENOENT,
					"--secret id=%.60s: there is no variable %.60s", own, env);
			*ret = arena_dup(&b->a, getenv(env));
			*ret_n = *ret ? strlen(*ret) : 0;
			return *ret ? 0 : oom(err);
		}
		src = src ? src : own;
		ssize_t n = file_read(&b->a, AT_FDCWD, src, SECRET_MAX, ret, err);
		*ret_n = n < 0 ? 0 : (size_t)n;
		return (int)MIN(n, (ssize_t)0);
	}
	return 0;
}

static int put_mount(struct blob *req, const char *kind, const char *source, const char *target,
	const char *size)
{
	const char *const words[] = {kind, source, target, size};
	return blob_put_strs(req, STEP_MOUNT, words, ARRAY_LEN(words));
}

/* Secrets that a build which was killed has left behind. */
static void sweep_secrets(const char *place)
{
	DIR *d = opendir(place);
	for (struct dirent *e; d && (e = readdir(d));) {
		int pid = 0;
		if (sscanf(e->d_name, "secret-%d-", &pid) == 1 && pid > 0 && kill(pid, 0) < 0 &&
			errno == ESRCH)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

/* In the user's runtime directory, which is memory, where there is one; gone with the step. */
static int put_secret(struct running *k, struct blob *req, struct strv *env, const char *dir,
	size_t index, const struct df_mount *m, struct err *err)
{
	struct build *b = k->b;
	char *text, *path;
	size_t n = 0;
	int r = find_secret(b, m->id, &text, &n, err);
	if (r < 0)
		return r;
	if (!text && m->required)
		return err_set(err, ENOENT,
			"the secret \"%.60s\" is required: --secret id=%.60s,src=FILE", m->id,
			m->id);
	if (!text)
		return 0;
	if (m->env && strv_env_set(&b->a, env, m->env, text) < 0)
		return oom(err);
	if (!m->target)
		return 0;
	const char *place = b->xdg.runtime ? b->xdg.runtime : dir;
	if (b->xdg.runtime && file_mkdir_private(place, err) < 0)
		return -err->code;
	sweep_secrets(place);
	path = arena_printf(&b->a, "%s/secret-%d-%zu-%zu", place, (int)getpid(), b->step, index);
	if (!path || strv_push(&b->a, &k->secrets, path) < 0)
		return oom(err);
	r = file_write_atomic(AT_FDCWD, path, text, n, 0400, false, err);
	if (r == 0 && m->has_mode && chmod(path, (m->mode & 0777) | 0400) < 0)
		r = err_sys(err, errno, "set a secret's mode");
	return r < 0 ? r : put_mount(req, STEP_BIND_RO, path, m->target, "");
}

struct binding {
	struct arena *a;
	struct build_copy c;
	const char *dir;
	bool layers; /* from a stage's layers: roots[0] */
};

/* A copy of what is bound: nothing inside can reach the context itself, or change a stage. */
static int copy_bound(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	struct binding *bind = ctx;
	(void)out;
	if (bind->layers)
		bind->c.from = roots[0];
	_cleanup_close_ int to = open(bind->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return to < 0 ? err_sys(err, errno, "open %s", bind->dir)
		      : build_tree_copy(bind->a, &bind->c, to, err);
}

static int digest_bound(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	struct binding *bind = ctx;
	char hex[65];
	if (bind->layers)
		bind->c.from = roots[0];
	int r = build_tree_digest(bind->a, &bind->c, hex, err);
	buf_str(out, r < 0 ? "" : hex);
	return r;
}

/* What m binds, and from which layers: *ret_from NULL for the context. */
static int find_bound(struct running *k, const struct df_mount *m, struct binding *ret,
	struct build_state **ret_from, struct err *err)
{
	struct build *b = k->b;
	struct build_state *base = arena_alloc(&b->a, sizeof(*base));
	int other = m->from ? build_stage_find(b, m->from, k->stage) : -1, r = 0;
	*ret = (struct binding){.a = &b->a,
		.c = {.from = b->context,
			.context = true,
			.unpacked = b->unpacked,
			.dest = "/bound"}};
	*ret_from = NULL;
	if (!base || strv_add(&b->a, &ret->c.sources, m->source ? m->source : "") < 0)
		return oom(err);
	if (!m->from) {
		ret->c.ignore = b->has_ignore ? &b->ignore : NULL;
		return 0;
	}
	ret->layers = true;
	ret->c.context = ret->c.unpacked = false;
	*ret_from = other >= 0 ? &b->stages[other].st : base;
	if (other >= 0)
		r = build_stage_ready(b, other, err);
	else if (!streq(m->from, "scratch"))
		r = build_base(b, m->from, base, err);
	return r;
}

/* A copy of it in a directory of its own in dir, of which *ret_path is the path. */
static int take_bound(struct running *k, const char *dir, size_t index, const struct df_mount *m,
	char **ret_path, struct err *err)
{
	struct build *b = k->b;
	struct build_state *from;
	struct binding bind;
	struct view v = {0};
	int r = find_bound(k, m, &bind, &from, err);
	if (r < 0)
		return r;
	bind.dir = arena_printf(&b->a, "%s/bind-%zu", dir, index);
	if (!bind.dir)
		return oom(err);
	/* a cache that another build has taken meanwhile is begun once more */
	r = tree_remove(AT_FDCWD, bind.dir, err);
	if (r < 0)
		return r;
	if (mkdir(bind.dir, 0700) < 0)
		return err_sys(err, errno, "create %s", bind.dir);
	if (from)
		v.lowers = build_lowers(b, from);
	r = view_run(&b->a, dir, &v, 1, copy_bound, &bind, NULL, err);
	*ret_path = r < 0 ? NULL : path_join(&b->a, bind.dir, "bound");
	return r < 0 ? r : *ret_path ? 0 : oom(err);
}

static int put_bind(struct running *k, struct blob *req, const char *dir, size_t index,
	const struct df_mount *m, struct err *err)
{
	char *source;
	int r = take_bound(k, dir, index, m, &source, err);
	return r < 0
		? r
		: put_mount(req, m->read_write ? STEP_BIND : STEP_BIND_RO, source, m->target, "");
}

/* The digest of what m takes from elsewhere; "" where it takes nothing. */
static int bound_digest(struct running *k, const struct df_mount *m, char **ret, struct err *err)
{
	struct build *b = k->b;
	struct template_making making = TEMPLATE_MAKING_NONE;
	struct build_state *from;
	struct binding bind;
	struct view v = {0};
	static char none[] = "";
	*ret = none;
	if (m->type != DF_MOUNT_BIND && !m->from)
		return 0;
	int r = find_bound(k, m, &bind, &from, err);
	if (r == 0)
		r = templates_begin(&b->store, &making, err);
	if (r < 0)
		return r;
	if (from)
		v.lowers = build_lowers(b, from);
	char *dir = arena_printf(&b->a, "%s/tmp/%s", b->store.dir, making.name);
	r = dir ? view_run(&b->a, dir, &v, 1, digest_bound, &bind, ret, err) : oom(err);
	templates_abandon(&b->store, &making);
	return MIN(r, 0);
}

/* ---- caches: DATA/templates/cache-mounts/KEY, kept between builds ---- */

/* By its id, and by what it began with where that came from elsewhere. */
static void cache_key(
	struct running *k, size_t index, const struct df_mount *m, char ret[static SHA256_HEX + 1])
{
	struct sha256 sum;
	const char *id = m->id ? m->id : m->target;
	sha256_begin(&sum);
	sha256_add(&sum, id, strlen(id));
	if (m->from) {
		sha256_add(&sum, "", 1);
		sha256_add(&sum, k->bound[index], strlen(k->bound[index]));
	}
	sha256_end(&sum, ret);
}

/* One that begins with what is elsewhere is made whole beside, and put in its place. */
static int seed_cache(struct running *k, const char *place, const char *dir, size_t index,
	const struct df_mount *m, struct err *err)
{
	char *copy;
	struct stat st;
	if (!m->from || access(place, F_OK) == 0)
		return 0;
	int r = take_bound(k, dir, index, m, &copy, err);
	if (r < 0)
		return r;
	if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "%s is no directory, which a cache is",
			m->source ? m->source : "/");
	CRASH_STEP();
	if (renameat2(AT_FDCWD, copy, AT_FDCWD, place, RENAME_NOREPLACE) < 0 && errno != EEXIST)
		return err_sys(err, errno, "put a cache in its place");
	return 0;
}

/* The directory, there and locked as m wants it. */
static int open_cache(struct running *k, const char *hex, const char *beside, size_t index,
	const struct df_mount *m, char **ret, struct err *err)
{
	struct build *b = k->b;
	char *top = path_join(&b->a, b->store.dir, "cache-mounts");
	int r = top ? file_mkdir_p(AT_FDCWD, top, 0700) : -ENOMEM;
	if (r < 0)
		return err_sys(err, -r, "create a cache for RUN");
	for (unsigned int n = 0;; n++) {
		char *dir = n ? arena_printf(&b->a, "%s/%.32s-%u", top, hex, n)
			      : arena_printf(&b->a, "%s/%.32s", top, hex);
		r = dir ? seed_cache(k, dir, beside, index, m, err) : oom(err);
		if (r < 0)
			return r;
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return err_sys(err, errno, "create a cache for RUN");
		int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, errno, "open %s", dir);
		int how = m->sharing == DF_SHARED ? LOCK_SH
			: m->sharing == DF_LOCKED ? LOCK_EX
						  : LOCK_EX | LOCK_NB;
		while ((r = flock(fd, how)) < 0 && errno == EINTR)
			;
		if (r == 0) {
			k->cache_dirs[k->n_locks] = *ret = dir;
			k->locks[k->n_locks++] = fd;
			return 0;
		}
		int code = errno;
		close(fd);
		if (code != EWOULDBLOCK)
			return err_sys(err, code, "lock %s", dir);
	}
}

static int put_cache(struct running *k, struct blob *req, const char *beside, size_t index,
	const struct df_mount *m, struct err *err)
{
	const char *kind = m->read_only ? STEP_BIND_RO : STEP_BIND;
	char hex[SHA256_HEX + 1], *dir = NULL;
	cache_key(k, index, m, hex);
	/* one that this RUN has already is the same; a lock of our own is not waited for */
	for (size_t i = 0; i < k->n_locks; i++) {
		if (!streq(k->caches[i], hex))
			continue;
		if (m->sharing == DF_LOCKED && flock(k->locks[i], LOCK_EX) < 0)
			return err_sys(err, errno, "lock %s", k->cache_dirs[i]);
		return put_mount(req, kind, k->cache_dirs[i], m->target, "");
	}
	if (k->n_locks == ARRAY_LEN(k->locks))
		return err_set(err, E2BIG, "more than %zu caches", ARRAY_LEN(k->locks));
	k->caches[k->n_locks] = arena_dup(&k->b->a, hex);
	if (!k->caches[k->n_locks])
		return oom(err);
	int r = open_cache(k, hex, beside, index, m, &dir, err);
	if (r < 0)
		return r;
	chmod(dir, m->has_mode ? (m->mode & 01777) | 0700 : 0755);
	return put_mount(req, kind, dir, m->target, "");
}

static int put_mounts(
	struct running *k, struct blob *req, struct strv *env, const char *dir, struct err *err)
{
	int r = 0;
	for (size_t n = 0; r >= 0 && n < k->n_mounts; n++) {
		const struct df_mount *m = &k->mounts[n];
		char size[24];
		snprintf(size, sizeof(size), "%llu", (unsigned long long)m->size);
		switch (m->type) {
		case DF_MOUNT_TMPFS:
			r = put_mount(req, STEP_TMPFS, "", m->target, size);
			break;
		case DF_MOUNT_SECRET:
			r = put_secret(k, req, env, dir, n, m, err);
			break;
		case DF_MOUNT_CACHE:
			r = put_cache(k, req, dir, n, m, err);
			break;
		case DF_MOUNT_BIND:
			r = put_bind(k, req, dir, n, m, err);
			break;
		}
	}
	const char *script = r < 0 ? NULL : script_of(k->i);
	if (!script)
		return r;
	char *path = path_join(&k->b->a, dir, "script");
	r = path ? file_write_atomic(AT_FDCWD, path, script, k->i->docs[0].n, 0755, false, err)
		 : oom(err);
	return r < 0 ? r : put_mount(req, STEP_BIND_RO, path, k->argv.v[0], "");
}

/* ---- the sandbox ---- */

int build_spawn_step(struct build *b, const struct blob *req, struct err *err)
{
	char *exe = path_install_bawn(&b->a, &b->install, BAWN_LIBEXECDIR, BAWN_BINDIR);
	if (!exe)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int fd = fd_memfd_sealed("step", req->data, req->n, err);
	if (fd < 0)
		return fd;
	char *argv[] = {"bawn", STEP_COMMAND, NULL};
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO, fd};
	struct proc p = PROC_NONE;
	int status = 0;
	int r = proc_spawn(&(struct proc_spawn){.path = exe,
				   .argv = argv,
				   .envp = environ,
				   .fds = fds,
				   .nfds = ARRAY_LEN(fds),
				   .die_with_parent = SIGKILL},
		&p, err);
	if (r == 0)
		r = proc_wait(&p, &status);
	return r < 0 ? r : status;
}

static int spawn(struct running *k, const struct blob *req, struct err *err)
{
	int status = build_spawn_step(k->b, req, err);
	if (status < 0)
		return status;
	if (status == 125)
		return err_set(err, EIO, "the sandbox of this RUN did not start");
	return status ? err_set(err, EIO, "RUN ended with exit code %d", status) : 0;
}

static int ask(
	struct running *k, const char *dir, const char *beside, struct blob *req, struct err *err)
{
	struct build *b = k->b;
	struct strv lowest_first = {0}, env = {0}, top_first = build_lowers(b, k->st);
	for (size_t n = top_first.n; n-- > 0;)
		strv_push(&b->a, &lowest_first, top_first.v[n]);
	for (size_t n = 0; n < k->env.n; n++)
		strv_push(&b->a, &env, k->env.v[n]);
	build_proxies(b, &env);
	int r = put_mounts(k, req, &env, beside, err);
	if (r < 0)
		return r;
	if (!strv_env_get(&env, "HOME"))
		strv_env_set(&b->a, &env, "HOME", k->home);
	blob_put_strv(req, STEP_LAYERS, &lowest_first);
	blob_put_strv(req, STEP_ENV, &env);
	blob_put_strv(req, STEP_ARGV, &k->argv);
	blob_put_str(req, STEP_CWD, k->st->workdir ? k->st->workdir : "/");
	blob_put_str(req, STEP_DIR, dir);
	blob_put_str(req, STEP_USER, k->user_name);
	blob_put_str(req, STEP_HOME, k->home);
	blob_put_u64(req, STEP_UID, k->user.uid);
	blob_put_u64(req, STEP_GID, k->user.gid);
	blob_put_u64(req, STEP_OFFLINE, k->offline);
	return req->failed || b->a.failed ? oom(err) : 0;
}

static int make(struct build *b, struct build_state *st, struct build_step *s, const char *dir,
	struct err *err)
{
	struct running *k = s->ctx;
	struct blob req = {0};
	(void)st;
	/* what is mounted for the command alone lies beside what becomes the layer, and goes */
	char *beside = path_join(&b->a, dir, "beside");
	if (!beside || mkdir(beside, 0700) < 0)
		return beside ? err_sys(err, errno, "create %s", beside) : oom(err);
	int r = ask(k, dir, beside, &req, err);
	if (r == 0)
		r = spawn(k, &req, err);
	blob_free(&req);
	for (size_t n = 0; n < k->n_locks; n++)
		close(k->locks[n]);
	k->n_locks = 0;
	for (size_t n = 0; n < k->secrets.n; n++)
		unlink(k->secrets.v[n]);
	if (r == 0)
		r = build_drop_set_id(b, k->st, dir, err);
	int gone = tree_remove(AT_FDCWD, beside, r < 0 ? NULL : err);
	return r < 0 ? r : gone;
}

/* ---- who it runs as ---- */

static int look_up(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	struct running *k = ctx;
	struct build_owner o;
	char *home = NULL;
	int r = build_account(
		&k->b->a, roots[0], k->st->user ? k->st->user : "root", &o, &home, err);
	buf_printf(out, "%u %u %s", o.uid, o.gid, r >= 0 && home && *home == '/' ? home : "");
	return r;
}

static int find_user(struct running *k, struct err *err)
{
	struct build *b = k->b;
	struct template_making m = TEMPLATE_MAKING_NONE;
	struct view v = {.lowers = build_lowers(b, k->st)};
	char *text = NULL, *end;
	int r = templates_begin(&b->store, &m, err);
	if (r < 0)
		return r;
	char *dir = arena_printf(&b->a, "%s/tmp/%s", b->store.dir, m.name);
	r = dir ? view_run(&b->a, dir, &v, 1, look_up, k, &text, err) : oom(err);
	templates_abandon(&b->store, &m);
	if (r < 0)
		return r;
	k->user.uid = (uint32_t)strtoul(text, &end, 10);
	k->user.gid = (uint32_t)strtoul(end, &end, 10);
	k->home = *end == ' ' && end[1] ? arena_dup(&b->a, end + 1)
		: k->user.uid == 0      ? arena_dup(&b->a, "/root")
					: arena_dup(&b->a, "/");
	const char *name = k->st->user ? k->st->user : "root";
	k->user_name = arena_dupn(&b->a, name, strcspn(name, ":"));
	return arena_check(&b->a, err);
}

/* What comes from elsewhere counts by its content. */
static int bound_digests(struct running *k, struct buf *to, struct err *err)
{
	int r = 0;
	k->bound = arena_alloc(&k->b->a, (k->n_mounts + 1) * sizeof(*k->bound));
	if (!k->bound)
		return oom(err);
	for (size_t n = 0; r == 0 && n < k->n_mounts; n++) {
		r = bound_digest(k, &k->mounts[n], &k->bound[n], err);
		if (r == 0 && *k->bound[n])
			buf_printf(to, "\n@%s", k->bound[n]);
	}
	return r;
}

/* All that makes a difference to what comes out. */
static int canonical(struct running *k, char **ret, struct err *err)
{
	struct buf t = {0};
	buf_printf(&t, "RUN %u:%u %s %d", k->user.uid, k->user.gid,
		k->st->workdir ? k->st->workdir : "/", k->offline);
	for (size_t n = 0; n < k->argv.n; n++)
		buf_printf(&t, "\n>%s", k->argv.v[n]);
	for (size_t n = 0; n < k->env.n; n++)
		buf_printf(&t, "\n=%s", k->env.v[n]);
	if (script_of(k->i))
		buf_printf(&t, "\n#%s", script_of(k->i));
	for (size_t n = 0; n < k->i->n_flags; n++)
		buf_printf(&t, "\n-%s=%s", k->i->flags[n].name, k->i->flags[n].value);
	int r = bound_digests(k, &t, err);
	*ret = buf_take(&k->b->a, &t);
	return r < 0 ? r : *ret ? 0 : oom(err);
}

int build_run(struct build *b, struct build_state *st, int stage, const struct df_inst *i,
	struct err *err)
{
	struct running k = {.b = b, .st = st, .i = i, .stage = stage};
	const char *part[1];
	char *text = NULL;
	int r = st->layers.n ? read_command(&k, err)
			     : df_err(&b->d, i->line, 0, err,
				       "RUN in an empty root: there is nothing that could run");
	if (r == 0)
		r = read_env(&k, err);
	if (r == 0)
		r = read_mounts(&k, err);
	if (r == 0)
		r = find_user(&k, err);
	if (r == 0)
		r = canonical(&k, &text, err);
	if (r < 0)
		return r;
	part[0] = text;
	struct build_step s = {.what = df_source(&b->a, i),
		.make = make,
		.ctx = &k,
		.owner = k.user,
		.key = build_key(b, st, part, 1)};
	return s.what && s.key ? build_step_run(b, st, &s, err) : oom(err);
}
