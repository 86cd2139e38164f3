/* run/run-facts.c - what has to be known before anything is decided; see run.h.
 *
 * Order matters for speed: the scan of the workspace and the copying of the agent's settings run in
 * processes of their own while the rest is looked up here.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "run/clone.h"
#include "run/credential.h"
#include "run/image.h"
#include "run/run.h"
#include "seed/cache.h"

#define COMPILE_TRIES 50

extern char **environ;

static int run_become_user(struct run *r, struct err *err)
{
	if ((geteuid() != 0 && getuid() != 0) || GUARD_REMOVED("root-identity")) {
		if (r->opt.as_user)
			return err_set(err, EPERM, "--as-user is for root");
		return 0;
	}
	struct host_identity id;
	int k = host_identity_target(&r->arena, r->opt.as_user, &id, err);
	if (k < 0)
		return k;
	gid_t gid = id.gid;
	if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(id.uid, id.uid, id.uid) < 0)
		return err_sys(err, errno, "become %s", id.user);
	if (getuid() == 0 || setuid(0) == 0)
		return err_set(err, EPERM, "root could not be given up");
	setenv("HOME", id.home, 1);
	setenv("USER", id.user, 1);
	setenv("LOGNAME", id.user, 1);
	setenv("SHELL", id.shell, 1);
	static const char *const roots[] = {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME",
		"XDG_STATE_HOME", "XDG_RUNTIME_DIR", "SUDO_UID", "SUDO_GID", "SUDO_USER",
		"SUDO_COMMAND", "MAIL"};
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		unsetenv(roots[i]);
	return 0;
}

uint64_t run_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void pack_request_fill(const struct run *r, struct pack_request *q)
{
	const struct run_options *o = &r->opt;
	*q = (struct pack_request){.profile = o->profile,
		.beside = (const char *const *)r->beside.v,
		.n_beside = r->beside.n,
		.config_dir = r->store.xdg.config,
		.data_dir = r->install.data,
		.policies = (const char *const *)o->policy.v,
		.n_policies = o->policy.n,
		.allow = (const char *const *)o->allow.v,
		.n_allow = o->allow.n,
		.deny = (const char *const *)o->deny.v,
		.n_deny = o->deny.n,
		.allow_private = (const char *const *)o->allow_private.v,
		.n_allow_private = o->allow_private.n,
		.host_ports = o->host_ports,
		.n_host_ports = o->n_host_ports,
		.offline = o->offline,
		.learn = r->learn != NULL};
}

int run_helper_start(struct run *r, const char *helper, char *const *argv, char *const *envp,
	const int fds[static 3], struct proc *ret, struct err *err)
{
	const struct proc_spawn how = {.path = path_join(&r->arena, r->install.libexec, helper),
		.argv = argv,
		.envp = envp,
		.fds = fds,
		.nfds = 3,
		.die_with_parent = SIGTERM,
		.same_group = true};
	int k = arena_check(&r->arena, err);
	return k < 0 ? k : proc_spawn(&how, ret, err);
}

int run_helper(struct run *r, const char *helper, char *const *argv, char *const *envp,
	const int fds[static 3], int *ret_status, struct err *err)
{
	struct proc p;
	int status = 0, k = run_helper_start(r, helper, argv, envp, fds, &p, err);
	if (k == 0)
		k = proc_wait(&p, &status);
	if (k < 0)
		return k;
	if (ret_status)
		*ret_status = status;
	return status && !ret_status ? err_set(err, ECANCELED, "%s", "") : 0;
}

int run_admin(struct run *r, char *const *argv, char *const *envp, const int fds[static 3],
	int *ret_status, struct err *err)
{
	return run_helper(r, "bawn-admin", argv, envp, fds, ret_status, err);
}

/* bawn-admin reads the YAML and says on stderr what is wrong with it; our error is then empty. */
static int compile_pack(
	struct run *r, const struct pack_request *q, const char *out, int errors, struct err *err)
{
	struct strv argv = {0};
	int k = pack_compile_argv(&r->arena, q, out, &argv);
	if (k < 0)
		return err_set(err, -k, "out of memory");
	const int fds[] = {-1, -1, errors};
	return run_admin(r, argv.v, NULL, fds, NULL, err);
}

int run_find_pack(struct run *r, int errors, struct pack *ret, struct err *err)
{
	struct pack_request q;
	pack_request_fill(r, &q);
	char *path = pack_path(&r->arena, r->store.xdg.cache, &q);
	if (!path)
		return err_set(err, ENOMEM, "out of memory");
	int k = pack_open(path, ret, err);
	if (k < 0 && k != -ENOENT && k != -ESTALE)
		return k;
	/* again where a policy was changed while it was compiled */
	for (int i = 0; (k == -ENOENT || k == -ESTALE) && i < COMPILE_TRIES; i++) {
		*err = (struct err){0};
		k = compile_pack(r, &q, path, errors, err);
		if (k < 0)
			return k;
		k = pack_open(path, ret, err);
	}
	return k < 0 ? err_prefix(err, "read the launch pack that was just made") : 0;
}

static bool mode_is(const struct run *r, const char *mode)
{
	return r->opt.mode && streq(r->opt.mode, mode);
}

bool run_has_workspace(const struct run *r)
{
	return !mode_is(r, "none");
}

const char *run_place(const struct run *r)
{
	return run_has_workspace(r) ? r->ws.path : r->inside.home;
}

static int resolve_extras(struct run *r, size_t from, struct err *err)
{
	const struct strv *paths = &r->opt.paths;
	int k = 0;
	r->n_extras = paths->n > from ? paths->n - from : 0;
	r->extras = arena_alloc(&r->arena, (r->n_extras + 1) * sizeof(*r->extras));
	for (size_t i = 0; i < r->n_extras && k == 0; i++)
		k = host_extra_resolve(
			&r->arena, paths->v[i + from], &r->id, &r->store.xdg, &r->extras[i], err);
	return k;
}

int run_workspace(struct run *r, struct err *err)
{
	if (r->ws.path)
		return 0;
	if (!run_has_workspace(r)) {
		r->ws = (struct host_workspace){.path = RUN_NO_WORKSPACE, .empty = true};
		r->ws.cwd = r->image ? run_image_cwd(r) : r->inside.home;
		r->apart = true;
		return resolve_extras(r, 0, err);
	}
	const struct strv *paths = &r->opt.paths;
	const char *first = paths->n ? paths->v[0] : NULL;
	char *dir = NULL;
	if (first) {
		size_t n = strlen(first);
		if (n > 3 && streq(first + n - 3, ":ro")) {
			err_hint(err, "name the workspace first and what is read-only behind it");
			return err_set(err, EINVAL, "the workspace can't be read-only");
		}
		dir = arena_dup(&r->arena, first);
	}
	int k = host_workspace_resolve(&r->arena, dir, &r->id, &r->store.xdg, &r->ws, err);
	if (k < 0)
		return k;
	if (mode_is(r, "clone") && (k = clone_resolve(r, err)) < 0)
		return k;
	return resolve_extras(r, 1, err);
}

/* Further directories are not scanned, but a socket in one is a way to talk to whatever listens on
 * the host: said, as far as a short look finds it. */
static void look_for_sockets(struct run *r, const char *dir, int depth, unsigned int *left)
{
	char shown[512];
	DIR *d = opendir(dir);
	struct dirent *de;
	while (d && *left && (de = readdir(d))) {
		if (streq(de->d_name, ".") || streq(de->d_name, ".."))
			continue;
		--*left;
		if (de->d_type != DT_SOCK && (de->d_type != DT_DIR || !depth))
			continue;
		char *path = path_join(&r->arena, dir, de->d_name);
		if (!path)
			break;
		if (de->d_type == DT_DIR)
			look_for_sockets(r, path, depth - 1, left);
		else
			strv_addf(&r->arena, &r->plan.notices,
				"%s is a socket that the agent can reach",
				escape_text(shown, sizeof(shown), path));
	}
	if (d)
		closedir(d);
}

static void look_at_extras(struct run *r)
{
	unsigned int left = 4096;
	for (size_t i = 0; i < r->n_extras; i++)
		if (r->extras[i].dir)
			look_for_sockets(r, r->extras[i].path, 3, &left);
}

/* The environment the seeding goes by: the user's own -e counts, too, it may be the key.  Not a
 * HOME of the agent's: your settings are where yours is. */
static void seed_environment(struct run *r, struct strv *env)
{
	for (char **e = environ; *e; e++)
		strv_push(&r->arena, env, *e);
	for (size_t i = 0; i < r->opt.env.n; i++) {
		char *name = arena_dupn(&r->arena, r->opt.env.v[i], strcspn(r->opt.env.v[i], "="));
		if (name && !streq(name, "HOME"))
			strv_env_set(&r->arena, env, name, r->opt.env.v[i] + strlen(name) + 1);
	}
	run_credentials_cover(r, &r->arena, env, true);
}

/* Git takes a relative core.hooksPath from the top of the work tree. */
static const char *hooks_within(struct run *r, const char *path)
{
	char *p = *path == '/' ? arena_dup(&r->arena, path)
			       : path_join(&r->arena, r->ws.path, path);
	size_t n = p ? strlen(p) : 0;
	while (n > 1 && p[n - 1] == '/')
		p[--n] = '\0';
	bool inside = p && !r->apart && path_within(p, r->ws.path) && !streq(p, r->ws.path);
	return inside && !strstr(p, "/..") ? p : NULL;
}

/* A variable that is a log-in's text: what stays outside does so, too, where -e gives it. */
static void take_variable(struct run *r, char *assignment)
{
	const size_t n = strcspn(assignment, "=");
	char *name = arena_dupn(&r->arena, assignment, n);
	if (name && assignment[n] && strv_env_get(&r->opt.env, name))
		strv_env_set(&r->arena, &r->opt.env, name, assignment + n + 1);
	strv_push(&r->arena, &r->seed_env, assignment);
}

static void take_setting(struct run *r, char *line)
{
	char *key = strsep(&line, "\t");
	if (line) {
		strv_push(&r->arena, &r->settings, key);
		strv_push(&r->arena, &r->settings, line);
	}
}

/* What bawn-admin seed printed, a record a line. */
static void take_records(struct run *r, char *text)
{
	r->login = "none";
	for (char *p = text, *line; (line = strsep(&p, "\n"));) {
		char *word = strsep(&line, "\t");
		if (!line)
			continue;
		if (streq(word, "notice"))
			strv_push(&r->arena, &r->plan.notices, line);
		else if (streq(word, "env"))
			strv_push(&r->arena, &r->seed_env, line);
		else if (streq(word, "variable"))
			take_variable(r, line);
		else if (streq(word, "withheld"))
			strv_push(&r->arena, &r->seed_withheld, line);
		else if (streq(word, "left"))
			strv_push(&r->arena, &r->seed_left, line);
		else if (streq(word, "reads"))
			strv_push(&r->arena, &r->seed_reads, line);
		else if (streq(word, "skipped") && r->opt.verbosity > 0)
			strv_addf(&r->arena, &r->plan.notices, "not brought along: %s", line);
		else if (streq(word, "hooks"))
			r->host_hooks = hooks_within(r, line);
		else if (streq(word, "setting"))
			take_setting(r, line);
		else if (streq(word, "key"))
			run_credentials_found(r, line);
		else if (streq(word, "renew"))
			run_logins_take(r, line);
		else if (streq(word, "login"))
			r->login = line;
		else if (streq(word, "outside") && r->image)
			r->image->outside = true;
		else if (streq(word, "fresh"))
			strv_push(&r->arena, &r->seed_fresh, line);
	}
}

/* Is it all as it was last time?  *ret_path: where the next one is to be kept, if anywhere. */
static bool seed_from_cache(
	struct run *r, const struct strv *env, const char *admin, const char *home, char **ret_path)
{
	const struct seed_cache_key key = {.home = strv_env_get(env, "HOME"),
		.xdg_config = strv_env_get(env, "XDG_CONFIG_HOME"),
		.template = r->image,
		.no_system = seed_no_system(strv_env_get(env, "GIT_CONFIG_NOSYSTEM")),
		.workspace = run_place(r),
		.git = (int)r->ws.git,
		.admin = admin};
	if (r->pack.profile.has_seed || !key.home || !admin || !home)
		return false;
	*ret_path = seed_cache_path(&r->arena, r->store.xdg.cache, &key);
	_cleanup_close_ int fd = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char *records;
	if (!*ret_path || fd < 0 || !seed_cache_use(&r->arena, *ret_path, fd, &records))
		return false;
	take_records(r, records);
	return true;
}

static bool has_git_settings(struct run *r)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	char *own = path_join(&r->arena, r->id.home, ".gitconfig");
	char *conf = xdg && *xdg == '/' ? path_join(&r->arena, xdg, "git/config")
					: path_join(&r->arena, r->id.home, ".config/git/config");
	bool machine = !r->image && !seed_no_system(getenv("GIT_CONFIG_NOSYSTEM"));
	return (own && access(own, F_OK) == 0) || (conf && access(conf, F_OK) == 0) ||
		(machine && access("/etc/gitconfig", F_OK) == 0);
}

static bool has_own_command(const struct run *r)
{
	return r->command.n || (r->pack.profile.args_replace && r->opt.args.n);
}

/* What agents write to. */
static const struct strv *written(struct run *r)
{
	struct strv *v = arena_alloc(&r->arena, sizeof(*v));
	if (!v)
		return NULL;
	*v = (struct strv){0};
	if (r->ws.path)
		strv_add(&r->arena, v, r->ws.path);
	for (size_t i = 0; i < r->n_extras; i++)
		if (!r->extras[i].read_only)
			strv_add(&r->arena, v, r->extras[i].path);
	return v;
}

/* The tool, for whoever asks first: the seeding wants its version. */
static int find_agent(struct run *r, struct err *err)
{
	if (r->agent_sought || r->step)
		return 0;
	r->agent_sought = true;
	if (r->image) {
		const bool asked = r->pack.profile.yolo_since.n || r->pack.profile.has_seed;
		if (asked && !has_own_command(r))
			r->agent.version = run_image_version(r);
		return 0;
	}
	if (!has_own_command(r)) {
		int k = host_agent_find(
			&r->arena, &r->pack.profile, &r->id, written(r), &r->agent, err);
		r->unfit = k == -ENOENT ? 127 : k == -EACCES ? 126 : 0;
		return k;
	}
	/* whoever comes later may want it */
	struct err missing = {0};
	if (r->lasting)
		host_agent_find(
			&r->arena, &r->pack.profile, &r->id, written(r), &r->agent, &missing);
	return 0;
}

/* And the user's toolchains: it also wants to know which programs there are inside. */
static int find_programs(struct run *r, struct err *err)
{
	int k = find_agent(r, err);
	if (k < 0 || r->tools_sought || r->image || r->step) /* which has its own, or needs none */
		return k;
	r->tools_sought = true;
	struct strv further = {0};
	for (size_t i = 0; i < r->n_extras; i++)
		strv_add(&r->arena, &further, r->extras[i].path);
	return host_toolchains_find(&r->arena, &r->id, r->ws.path, &further,
		has_own_command(r) ? NULL : &r->agent, &r->tools, err);
}

/* What of the host's is there inside, beside the workspace and the system: a hook or a server that
 * the settings start may be in it. */
static void tell_shown(struct run *r, struct strv *argv)
{
	struct arena *a = &r->arena;
	for (size_t i = 0; i < r->agent.binds.n; i++)
		strv_addf(a, argv, "--shown=%s", r->agent.binds.v[i]);
	for (size_t i = 0; i < r->tools.n; i++)
		strv_addf(a, argv, "--shown=%s", r->tools.v[i].path);
	for (size_t i = 0; i < r->agent.n_links; i++)
		strv_addf(a, argv, "--shown=%s", r->agent.links[i].path);
	for (size_t i = 0; i < r->tools.n_links; i++)
		strv_addf(a, argv, "--shown=%s", r->tools.links[i].path);
	for (size_t i = 0; i < r->n_extras; i++)
		strv_addf(a, argv, "--shown=%s", r->extras[i].path);
	strv_addf(a, argv, "--path=%s", run_path(r));
}

static int start_seed(struct run *r, struct err *err)
{
	const struct profile *p = &r->pack.profile;
	struct strv argv = {0}, env = {0}, lines = {0};
	const size_t n_files = run_credentials_files(r, &lines);
	r->seed_fd = -1;
	/* Plain commands need no copies but git's settings: for a repository, and for what may
	 * become one (git init, git clone) or is a bare one, where the user has an identity. */
	if (!p->has_seed && !n_files &&
		(r->opt.bare_home || (r->ws.git == HOST_GIT_NONE && !has_git_settings(r))))
		return 0;
	char *admin = path_join(&r->arena, r->install.libexec, "bawn-admin"), *cache = NULL;
	char *home = r->box.home;
	seed_environment(r, &env);
	/* what is kept is git's settings alone, which are then no template's */
	const bool own_git = r->image && run_image_has(r, ".gitconfig");
	if (!n_files && !own_git && seed_from_cache(r, &env, admin, home, &cache))
		return 0;
	int fds[2], k = run_credentials_stand_ins(r, &lines, err);
	if (k == 0 && p->has_seed)
		k = find_programs(r, err);
	if (k < 0)
		return k;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	const char *const fixed[] = {"bawn-admin", "seed", "--profile", p->file, "--home", home,
		"--workspace", run_place(r), "--sandbox", r->box.id};
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strv_add(&r->arena, &argv, fixed[i]);
	if (r->agent.version)
		strv_addf(&r->arena, &argv, "--version=%s", r->agent.version);
	if (r->opt.no_login)
		strv_add(&r->arena, &argv, "--no-login");
	if (r->opt.no_yolo)
		strv_add(&r->arena, &argv, "--no-yolo");
	if (r->opt.bare_home)
		strv_add(&r->arena, &argv, "--bare-home");
	if (cache)
		strv_addf(&r->arena, &argv, "--cache=%s", cache);
	if (p->has_seed)
		tell_shown(r, &argv);
	if (r->image)
		run_image_below(r, &argv);
	for (size_t i = 0; i < lines.n; i++)
		strv_push(&r->arena, &argv, lines.v[i]);
	const int table[] = {-1, -1, 2, fds[1]};
	struct proc_spawn how = {.path = admin,
		.argv = argv.v,
		.envp = env.v,
		.fds = table,
		.nfds = ARRAY_LEN(table)};
	k = proc_spawn(&how, &r->seed, err);
	close(fds[1]);
	if (k < 0)
		close(fds[0]);
	else
		r->seed_fd = fds[0];
	return k;
}

/* Settings that stayed behind: named, on one line. */
static void say_behind(struct run *r, const char *what, const struct strv *names)
{
	char *s = names->n ? arena_dup(&r->arena, names->v[0]) : NULL;
	for (size_t i = 1; s && i < names->n; i++)
		s = arena_printf(&r->arena, "%s, %s", s, names->v[i]);
	if (s)
		strv_addf(&r->arena, &r->plan.notices, "%s: %s", what, s);
}

static int read_records(struct run *r, struct err *err)
{
	size_t cap = 256 * 1024;
	char *text = arena_alloc(&r->arena, cap + 1);
	ssize_t n = text ? fd_read_full(r->seed_fd, text, cap) : -ENOMEM;
	close(r->seed_fd);
	int status = 0;
	proc_wait(&r->seed, &status);
	if (n < 0 || status)
		return err_set(err, n < 0 ? (int)-n : EIO,
			"bringing your settings along failed (status %d)", status);
	take_records(r, text);
	return 0;
}

/* A key of the tool's own, from the environment or given by -e; or one that the user's settings
 * read, as those of another provider do. */
static bool has_key(const struct run *r)
{
	const struct strv *keys = &r->pack.profile.keys;
	bool found = r->env.has_key;
	for (size_t i = 0; i < keys->n; i++) {
		size_t n = strlen(keys->v[i]);
		for (size_t k = 0; k < r->opt.env.n; k++)
			found |= has_prefix(r->opt.env.v[k], keys->v[i]) &&
				r->opt.env.v[k][n] == '=' && r->opt.env.v[k][n + 1];
	}
	for (size_t i = 0; i < r->seed_reads.n; i++)
		found |= strv_env_get(&r->opt.env, r->seed_reads.v[i]) != NULL;
	return found;
}

/* A log-in that the sandbox has from an earlier start is out of date. */
static void freshen(struct run *r)
{
	struct err err = {0};
	for (size_t i = 0; r->lasting && i < r->seed_fresh.n; i++)
		if (store_home_refresh(&r->box, r->seed_fresh.v[i], r->spec.layers.n > 0, &err) < 0)
			strv_addf(&r->arena, &r->plan.notices, "your log-in was not brought in: %s",
				err.msg);
}

int run_seed_collect(struct run *r, struct err *err)
{
	int k = r->seed.pid > 0 ? read_records(r, err) : 0;
	if (k < 0 || !r->login)
		return k;
	say_behind(r, "stays on the host, as it looks secret", &r->seed_withheld);
	say_behind(r, "does not come along", &r->seed_left);
	freshen(r);
	run_credentials_home(r);
	if (r->pack.profile.keys.n && !r->command.n && !has_key(r) && streq(r->login, "none") &&
		r->pack.profile.login_hint)
		strv_addf(&r->arena, &r->plan.notices, "%s", r->pack.profile.login_hint);
	return 0;
}

int run_seed_again(struct run *r, struct err *err)
{
	int k = start_seed(r, err);
	return k < 0 ? k : run_seed_collect(r, err);
}

int run_begin(struct run *r, struct err *err)
{
	if (r->store.sandboxes)
		return 0;
	int k = path_install_find(&r->arena, BAWN_LIBEXECDIR, BAWN_DATADIR, &r->install, err);
	if (k == 0)
		k = run_become_user(r, err);
	if (k == 0)
		k = host_identity_find(&r->arena, &r->id, err);
	r->inside = r->id;
	if (k == 0)
		k = store_open(&r->arena, &r->store, err);
	return k;
}

int run_policy(struct run *r, struct err *err)
{
	int k = run_begin(r, err);
	if (k == 0 && r->pack.fd < 0)
		k = run_find_pack(r, STDERR_FILENO, &r->pack, err);
	r->t_pack = run_now();
	return k;
}

int run_environment(struct run *r, struct err *err)
{
	int k = host_env_select(&r->arena, environ, &r->pack.profile, &r->env, err);
	if (k == 0)
		run_credentials_env(r);
	return k;
}

static int find_tools(struct run *r, struct err *err)
{
	int k = run_environment(r, err);
	return k == 0 ? find_programs(r, err) : k;
}

int run_facts_command(struct run *r, struct err *err)
{
	int k = run_policy(r, err);
	if (k == 0)
		k = run_credentials_join(r, err);
	run_ca_join(r);
	if (k == 0)
		k = run_workspace(r, err);
	return k == 0 ? find_tools(r, err) : k;
}

/* A sandbox of its own for this run, or the name that one would have. */
static int find_box(struct run *r, struct err *err)
{
	if (r->lasting)
		return 0;
	if (!r->opt.dry_run && r->image)
		return store_box_create_like(&r->store, &r->arena, r->pack.profile.name, r->ws.path,
			run_kept_place(r), &r->box, err);
	if (!r->opt.dry_run)
		return store_box_create(&r->store, &r->arena, r->pack.profile.name, r->ws.path,
			r->id.home, &r->box, err);
	/* the workspace's own name may hold what is none for a directory of layers (a newline) */
	r->box.id = store_box_shape(&r->arena, r->pack.profile.name, r->ws.path);
	r->box.dir = r->box.id ? path_join(&r->arena, r->store.sandboxes, r->box.id) : NULL;
	r->box.home = r->box.dir ? path_join(&r->arena, r->box.dir, "home") : NULL;
	if (!r->box.home)
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

/* Nothing in it yet of what comes along into the home. */
static int empty_home(struct run *r, struct err *err)
{
	if (r->image)
		run_image_box(r);
	if (r->opt.dry_run || (!r->image && !r->lasting))
		return 0;
	return r->image ? run_image_reset(r, err) : store_home_reset(&r->box, err);
}

/* /etc, and in a template what else is needed there. */
static int prepare_root(struct run *r, struct err *err)
{
	if (!r->image)
		return host_etc_prepare(&r->arena, r->store.xdg.cache, &r->id, &r->etc, err);
	return r->opt.dry_run ? 0 : run_image_seed(r, err);
}

int run_facts(struct run *r, struct err *err)
{
	int k = run_workspace(r, err);
	if (k == 0)
		look_at_extras(r);
	if (k == -ENOENT) /* that code means further on: the program was not found (127) */
		k = -(err->code = ENOTDIR);
	if (k == 0)
		k = run_scan_start(r, err);
	if (k == 0)
		k = run_check_case(r, err);
	if (k == 0)
		k = find_box(r, err);
	if (k == 0)
		k = empty_home(r, err);
	if (k == 0 && !r->opt.dry_run)
		k = start_seed(r, err);
	if (k == 0)
		k = run_change_begin(r, err);
	if (k == 0)
		k = find_tools(r, err);
	if (k == 0)
		k = prepare_root(r, err);
	if (k == 0)
		k = run_scan_collect(r, err);
	r->t_facts = run_now();
	return k;
}
