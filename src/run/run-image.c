/* run/run-image.c - see image.h: the template itself, who one is in it, and what is put in it.
 *
 * Must not: run or load anything of a template; its files are read as text, beneath their layer.
 */
#include "run/image.h"
#include "run/pull.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"
#include "host/account.h"
#include "host/ca.h"
#include "host/version.h"
#include "run/credential.h"
#include "run/step.h"

#define TEXT_MAX ((size_t)1 << 20)

static char *read_inside(struct run *r, const struct host_stack *s, const char *path)
{
	struct host_stack_found f;
	char *text = NULL;
	if (host_stack_find(&r->arena, s, path, &f) < 0 ||
		host_stack_read(&r->arena, &f, TEXT_MAX, &text) < 0)
		return NULL;
	return text;
}

static bool is_inside(struct run *r, const struct host_stack *s, const char *path)
{
	struct host_stack_found f;
	return host_stack_find(&r->arena, s, path, &f) == 0;
}

static void find_identity(struct run *r, struct run_image *m, const struct host_stack *s)
{
	struct account_files f = {.passwd = read_inside(r, s, "/etc/passwd"),
		.group = read_inside(r, s, "/etc/group")};
	const struct host_identity own = {.uid = RUN_IMAGE_UID,
		.gid = RUN_IMAGE_UID,
		.full_name = "",
		.shell = is_inside(r, s, "/bin/bash") ? "/bin/bash" : "/bin/sh"};
	r->inside = own;
	account_identity(&r->arena, &f, &r->inside);
	m->has_account = f.has_account;
	m->has_group = f.has_group;
}

/* ---- the template ---- */

static struct host_stack template_stack(struct run *r, const struct run_image *m)
{
	struct host_stack s = {.n_fixed = m->layers.n, .known = m->known};
	for (size_t i = m->layers.n; i-- > 0;)
		strv_push(&r->arena, &s.dirs, m->layers.v[i]);
	return s;
}

static int find_template(
	struct run *r, struct run_image *m, const char *ref, const char *digest, struct err *err)
{
	struct arena *a = &r->arena;
	const char *id = digest ? ref_digest_hex(digest) : NULL;
	/* one that is pinned is no other by now; and a dry run changes nothing */
	int k = digest || r->opt.dry_run ? 0 : run_pull(r, ref, r->opt.pull, err);
	if (k == 0)
		k = templates_open(a, r->store.xdg.data, &m->store, err);
	if (k == 0)
		k = m->hold = templates_hold(&m->store, err);
	if (k < 0)
		return k;
	if (digest && !id)
		return err_set(err, EINVAL, "the sandbox's template has a malformed digest");
	k = id ? template_read(&m->store, a, id, &m->t, err)
	       : template_find(&m->store, a, ref, &m->t, err);
	if (k < 0 && id)
		err_prefix(err, "template %s", ref);
	if (k < 0)
		return k;
	m->ref = arena_dup(a, id || !m->t.key ? ref : ref_shown(a, m->t.key));
	const struct strv top_first = template_lowers(&m->store, a, &m->t.info.layers);
	for (size_t i = top_first.n; i-- > 0;)
		strv_push(a, &m->layers, top_first.v[i]);
	m->known = host_stack_know(a, m->store.dir, m->store.fd);
	return arena_check(a, err);
}

int run_image_open(struct run *r, const char *ref, const char *digest, struct err *err)
{
	if (r->step && !r->image)
		return r->step->host ? 0 : run_step_image(r, err);
	if (r->image || !ref || streq(ref, "host"))
		return 0;
	struct run_image *m = arena_alloc(&r->arena, sizeof(*m));
	if (!m)
		return err_set(err, ENOMEM, "out of memory");
	*m = (struct run_image){.store = TEMPLATES_NONE, .hold = -1, .use = -1};
	r->image = m; /* also where it fails: run_image_close() */
	int k = find_template(r, m, ref, digest, err);
	if (k < 0)
		return k == -ENOENT ? -(err->code = ENOTDIR) : k; /* ENOENT means the program */
	if (!r->lasting && r->opt.rm && !r->opt.dry_run) {
		k = m->use = template_use(&m->store, m->t.id, err);
		if (k < 0)
			return k;
		run_image_release(r);
	}
	if (digest)
		run_image_release(r);
	const struct host_stack s = template_stack(r, m);
	run_stack_recall(r, m, &s);
	find_identity(r, m, &s);
	if (r->ws.path && !run_has_workspace(r))
		r->ws.cwd = run_image_cwd(r);
	return arena_check(&r->arena, err);
}

const char *run_image_name(struct run *r, const char *ref)
{
	struct ref parsed;
	struct err ignored = {0};
	if (!ref || streq(ref, "host") || ref_parse(&r->arena, ref, &parsed, &ignored) < 0)
		return ref;
	return ref_familiar(&r->arena, &parsed);
}

bool run_image_same(const char *ref, const char *digest)
{
	size_t n = strlen(ref);
	if (has_prefix(ref, "sha256:"))
		return streq(ref, digest);
	return n >= 4 && n <= 64 && strncmp(digest + strlen("sha256:"), ref, n) == 0;
}

const char *run_image_cwd(struct run *r)
{
	const char *dir = r->image->t.info.workdir;
	struct host_stack_found f;
	const struct host_stack s = template_stack(r, r->image);
	/* of the root, where it isn't said */
	if (dir && *dir && *dir != '/')
		dir = arena_printf(&r->arena, "/%s", dir);
	if (!dir || !account_path(dir) || host_stack_find(&r->arena, &s, dir, &f) < 0 ||
		!S_ISDIR(f.st.st_mode))
		return r->inside.home;
	return arena_dup(&r->arena, dir);
}

void run_image_release(struct run *r)
{
	if (r->image && r->image->hold >= 0) {
		close(r->image->hold);
		r->image->hold = -1;
	}
}

void run_image_close(struct run *r)
{
	run_image_release(r);
	if (!r->image)
		return;
	run_stack_keep(r, r->image);
	if (r->image->use >= 0)
		close(r->image->use);
	templates_close(&r->image->store);
	r->image = NULL;
}

struct host_stack run_image_stack(struct run *r)
{
	const struct host_stack t = template_stack(r, r->image);
	struct host_stack s = {.n_fixed = t.n_fixed, .known = t.known};
	const struct spec *spec = &r->spec;
	struct arena *a = &r->arena;
	char *dir = r->box.dir ? r->box.dir
			       : path_join(a, r->store.sandboxes, spec->name ? spec->name : "-");
	if (dir)
		strv_push(a, &s.dirs, path_join(a, dir, "up/" RUN_IMAGE_PART));
	for (size_t i = spec->layers.n; i-- > 0;)
		strv_push(a, &s.dirs,
			store_layer_part(&r->store, a, spec->layers.v[i], RUN_IMAGE_PART));
	for (size_t i = 0; i < t.dirs.n; i++)
		strv_push(a, &s.dirs, t.dirs.v[i]);
	return s;
}

/* ---- what is put in it ---- */

/* Is something mounted at dir, or below it? */
static bool is_point(const struct run *r, const char *dir)
{
	bool is = run_has_workspace(r) && path_within(r->ws.path, dir);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		is |= path_within(r->ws.binds.v[i], dir);
	for (size_t i = 0; i < r->n_extras; i++)
		is |= path_within(r->extras[i].path, dir);
	return is;
}

/* Where the home is in the template, links of which a directory of ours must not cover: /home may
 * be one to /var/home.  *ret_covered: there is one that has to be, as something is mounted there.
 */
static const char *real_home(struct run *r, bool *ret_covered)
{
	const struct host_stack s = template_stack(r, r->image);
	struct host_stack_found f;
	const char *home = r->inside.home;
	*ret_covered = false;
	for (const char *p = home; *p && !*ret_covered;) {
		p += 1 + strcspn(p + 1, "/");
		char *part = arena_dupn(&r->arena, home, (size_t)(p - home));
		*ret_covered = part && is_point(r, part) &&
			host_stack_find(&r->arena, &s, part, &f) == 0 && !streq(f.path, part);
	}
	char *real = *ret_covered ? NULL : host_stack_place(&r->arena, &s, home);
	if (real && host_stack_find(&r->arena, &s, home, &f) == 0 && S_ISDIR(f.st.st_mode))
		real = f.path;
	return real && account_path(real) ? real : home;
}

void run_image_box(struct run *r)
{
	struct arena *a = &r->arena;
	bool covered;
	const char *home = real_home(r, &covered);
	r->image->seed = path_join(a, r->box.dir, RUN_IMAGE_SEED);
	r->box.home = arena_printf(a, "%s/" RUN_IMAGE_SEED "%s", r->box.dir, home);
	r->box.root = arena_dup(a, home + 1);
}

int run_image_reset(struct run *r, struct err *err)
{
	r->image->whole = r->box.taken;
	int k = r->box.taken ? 0 : tree_remove(AT_FDCWD, r->image->seed, err);
	if (k < 0)
		return k;
	k = file_mkdir_p(AT_FDCWD, r->box.home, 0755);
	return k < 0 ? err_sys(err, -k, "create %s", r->box.home) : 0;
}

static int put_text(struct run *r, const char *path, const char *text, struct err *err)
{
	char *to = arena_printf(&r->arena, "%s%s", r->image->seed, path);
	char *dir = to ? arena_dupn(&r->arena, to, (size_t)(strrchr(to, '/') - to)) : NULL;
	int k = text && dir ? file_mkdir_p(AT_FDCWD, dir, 0755) : -ENOMEM;
	if (k < 0)
		return err_sys(err, -k, "create %s", path);
	return file_write_atomic(AT_FDCWD, to, text, strlen(text), 0644, false, err);
}

static int seed_accounts(struct run *r, const struct host_stack *s, struct err *err)
{
	const struct host_identity *id = &r->inside;
	struct arena *a = &r->arena;
	int k = 0;
	if (!r->image->has_account) {
		const char *old = read_inside(r, s, "/etc/passwd");
		char *line = arena_printf(a, "%s:x:%u:%u:%s:%s:%s\n", id->user, id->uid, id->gid,
			id->full_name, id->home, id->shell);
		k = !line ? -ENOMEM
			  : put_text(r, "/etc/passwd",
				    account_add(
					    a, old ? old : "root:x:0:0:root:/root:/bin/sh\n", line),
				    err);
	}
	if (k == 0 && !r->image->has_group) {
		const char *old = read_inside(r, s, "/etc/group");
		char *line = arena_printf(a, "%s:x:%u:\n", id->group, id->gid);
		k = !line ? -ENOMEM
			  : put_text(r, "/etc/group",
				    account_add(a, old ? old : "root:x:0:\n", line), err);
	}
	return k;
}

/* A place that something is mounted on: made below all that is written inside, of which it is no
 * part then; where the template has such a directory, there is nothing to make. */
static int seed_point(
	struct run *r, const struct host_stack *s, const char *path, bool dir, struct err *err)
{
	struct host_stack_found f;
	char *to = arena_printf(&r->arena, "%s%s", r->image->seed, path);
	if (!dir)
		return put_text(r, path, "", err);
	if (host_stack_find(&r->arena, s, path, &f) == 0 && S_ISDIR(f.st.st_mode) &&
		streq(f.path, path))
		return 0;
	int k = to ? file_mkdir_p(AT_FDCWD, to, 0755) : -ENOMEM;
	return k < 0 ? err_sys(err, -k, "create a place for %s", path) : 0;
}

static int seed_points(struct run *r, const struct host_stack *s, struct err *err)
{
	static const char *const always[] = {"/proc", "/sys", "/dev", "/tmp", "/run"};
	int k = 0;
	for (size_t i = 0; i < ARRAY_LEN(always) && k == 0; i++)
		if (!r->step || !streq(always[i], "/tmp"))
			k = seed_point(r, s, always[i], true, err);
	if (k == 0 && r->step)
		k = seed_point(r, s, RUN_STEP_SCRATCH, true, err);
	if (k == 0 && run_has_workspace(r))
		k = seed_point(r, s, r->ws.path, true, err);
	for (size_t i = 0; i < r->ws.binds.n && k == 0; i++)
		k = seed_point(r, s, r->ws.binds.v[i], true, err);
	for (size_t i = 0; i < r->n_extras && k == 0; i++)
		k = seed_point(r, s, r->extras[i].path, r->extras[i].dir, err);
	return k;
}

int run_image_seed(struct run *r, struct err *err)
{
	if (r->box.taken)
		return 0;
	const struct host_stack s = template_stack(r, r->image);
	char *etc = path_join(&r->arena, r->image->seed, "etc");
	int k = etc ? host_etc_network(etc, err) : err_set(err, ENOMEM, "out of memory");
	if (k == 0)
		k = seed_accounts(r, &s, err);
	if (k == 0)
		k = run_root_seed(r, &s, err);
	if (k == 0 && r->step)
		k = run_step_points(r, &s, err);
	if (k == 0)
		k = seed_points(r, &s, err);
	r->image->whole = k == 0;
	return k;
}

void run_image_below(struct run *r, struct strv *argv)
{
	const struct host_stack s = template_stack(r, r->image);
	bool covered;
	strv_addf(&r->arena, argv, "--image=%s", real_home(r, &covered));
	/* what another profile brings into a sandbox that runs is put together elsewhere */
	if (r->image->seed && r->box.home && path_within(r->box.home, r->image->seed))
		strv_addf(&r->arena, argv, "--root=%s", r->image->seed);
	for (size_t i = 0; i < s.dirs.n && !covered; i++)
		strv_addf(&r->arena, argv, "--layer=%s", s.dirs.v[i]);
	const struct strv *env = &r->image->t.info.env;
	for (size_t i = 0; i < env->n; i++) {
		const char *value = strchr(env->v[i], '=');
		if (value && value[1] == '/' && !strchr(value, ':') && !strstr(value, "/.."))
			strv_addf(&r->arena, argv, "--variable=%s", env->v[i]);
	}
}

bool run_image_has(struct run *r, const char *name)
{
	const struct host_stack s = template_stack(r, r->image);
	char *path = path_join(&r->arena, r->inside.home, name);
	return path && is_inside(r, &s, path);
}

/* ---- who else one can be ---- */

int run_image_user(struct run *r, const char *user, struct err *err)
{
	char shown[64];
	const char *own = r->image->t.info.user, *as = user;
	if (!as && !run_has_workspace(r) && own && *own)
		as = own;
	if (!as)
		return 0;
	const struct host_stack s = run_image_stack(r);
	const int64_t uid = account_uid(
		&r->arena, read_inside(r, &s, "/etc/passwd"), as, &r->inside);
	if (uid != 0 && uid != RUN_IMAGE_UID && user) {
		err_hint(err, "one is %s inside, or root: -u root", r->inside.user);
		return err_set(err, EINVAL, "nobody can be user %s inside",
			escape_text(shown, sizeof(shown), user));
	}
	r->as_root = uid == 0;
	if (!r->directory && r->image->t.info.workdir)
		r->ws.cwd = run_image_cwd(r);
	return arena_check(&r->arena, err);
}

/* ---- the program and its environment ---- */

/* What a login of root's and of the user's would have together. */
static const char path_default[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const char *run_image_path(const struct run *r)
{
	const char *own = strv_env_get(&r->image->t.info.env, "PATH");
	return own && *own ? own : path_default;
}

/* Lies there what is mounted over the template? */
static bool is_covered(const struct run *r, const char *path)
{
	static const char *const ours[] = {"/proc", "/sys", "/dev", "/run", "/tmp"};
	bool is = run_has_workspace(r) && path_within(path, r->ws.path);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		is |= path_within(path, ours[i]);
	for (size_t i = 0; i < r->n_extras; i++)
		is |= path_within(path, r->extras[i].path);
	return is;
}

enum { NOT_THERE, NOT_EXECUTABLE, THERE, UNKNOWN };

static int look_at(struct run *r, const struct host_stack *s, const char *path)
{
	struct host_stack_found f;
	if (is_covered(r, path))
		return UNKNOWN;
	if (host_stack_find(&r->arena, s, path, &f) < 0 || !S_ISREG(f.st.st_mode))
		return NOT_THERE;
	return f.st.st_mode & 0111 ? THERE : NOT_EXECUTABLE;
}

/* Whether pid 1 will find it, which looks for itself: only where it surely is not is there
 * something to say. */
static int look_in_path(struct run *r, const struct host_stack *s, const char *name)
{
	int best = NOT_THERE;
	for (const char *p = run_image_path(r); *p && best < THERE;) {
		size_t n = strcspn(p, ":");
		char *file = n && *p == '/' ? arena_printf(&r->arena, "%.*s/%s", (int)n, p, name)
					    : NULL;
		best = MAX(best, file ? look_at(r, s, file) : n == 0 ? UNKNOWN : NOT_THERE);
		p += n + (p[n] == ':');
	}
	return best;
}

/* Further places that the profile names, without a pattern. */
static const char *look_in_find(struct run *r, const struct host_stack *s)
{
	const struct strv *find = &r->pack.profile.find;
	for (size_t i = 0; i < find->n; i++) {
		char *p = path_expand_home(&r->arena, find->v[i], r->inside.home);
		if (p && !strpbrk(p, "*?[") && look_at(r, s, p) == THERE)
			return p;
	}
	return NULL;
}

const char *run_image_shell(struct run *r)
{
	static const char *const none[] = {"nologin", "false", "true"};
	const char *const shells[] = {r->inside.shell, "/bin/bash", "/bin/sh"};
	const struct host_stack s = run_image_stack(r);
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		bool is = look_at(r, &s, shells[i]) >= THERE;
		for (size_t n = 0; i == 0 && n < ARRAY_LEN(none); n++)
			is &= !streq(path_base(shells[i]), none[n]);
		if (is)
			return shells[i];
	}
	return NULL;
}

static int absent(struct run *r, const char *name, int how, struct err *err)
{
	char shown[128];
	const struct profile *p = &r->pack.profile;
	char *recipe = arena_printf(
		&r->arena, "%s/profiles/%s.Dockerfile", r->install.data, p->name);
	escape_text(shown, sizeof(shown), name);
	r->unfit = how == NOT_EXECUTABLE ? 126 : 127;
	if (how == NOT_EXECUTABLE)
		return err_set(
			err, EACCES, "%s of template %s is not executable", shown, r->image->ref);
	if (p->args_replace)
		err_hint(err, "name a program of its own: bawn run ... %s -- PROGRAM", p->name);
	else if (recipe && access(recipe, R_OK) == 0)
		err_hint(err, "build one that has it: bawn template build -t %s -f %s .", p->name,
			recipe);
	else
		err_hint(err,
			"build one that has it, FROM %s and with a RUN line that installs it: bawn "
			"template build -t NAME .",
			r->image->ref);
	return err_set(err, ENOENT, "template %s has no program %s", r->image->ref, shown);
}

const char *run_image_version(struct run *r)
{
	const struct strv *command = &r->pack.profile.command;
	const struct host_stack s = run_image_stack(r);
	const char *name = command->n ? command->v[0] : "", *found = look_in_find(r, &s);
	struct host_stack_found f;
	if (*name == '/')
		found = name;
	for (const char *p = run_image_path(r); *name && *name != '/' && *p;) {
		size_t n = strcspn(p, ":");
		char *file = arena_printf(&r->arena, "%.*s/%s", (int)n, p, name);
		if (file && *file == '/' && look_at(r, &s, file) == THERE) {
			found = file;
			break;
		}
		p += n + (p[n] == ':');
	}
	return found && host_stack_find(&r->arena, &s, found, &f) == 0
		? host_stack_version(&r->arena, &s, name, &f)
		: NULL;
}

int run_image_exe(struct run *r, struct err *err)
{
	struct plan *p = &r->plan;
	const char *name = p->argv.v[0];
	const bool own = r->pack.profile.args_replace && r->opt.args.n;
	if (!*name) {
		r->unfit = 127;
		err_hint(err, "a variable may be unset: behind -- stands a command");
		return err_set(err, ENOENT, "the command's name is empty");
	}
	p->exe = name[0] != '/' && strchr(name, '/') ? path_join(&p->arena, p->cwd, name) : name;
	if (own || !p->exe)
		return p->exe ? 0 : err_set(err, ENOMEM, "out of memory");
	const struct host_stack s = run_image_stack(r);
	int how = *p->exe == '/' ? look_at(r, &s, p->exe) : look_in_path(r, &s, p->exe);
	const char *other = how < THERE ? look_in_find(r, &s) : NULL;
	if (other)
		p->exe = arena_dup(&p->arena, other);
	else if (how == NOT_THERE && r->pack.profile.args_replace && (other = run_image_shell(r)))
		p->exe = p->argv.v[0] = arena_dup(&p->arena, other); /* of many that has no bash */
	else if (how < THERE)
		return absent(r, name, how, err);
	return arena_check(&r->arena, err);
}

static bool name_matches(const struct strv *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++) {
		size_t n = strlen(patterns->v[i]);
		if (n && patterns->v[i][n - 1] == '*' ? strncmp(name, patterns->v[i], n - 1) == 0
						      : streq(name, patterns->v[i]))
			return true;
	}
	return false;
}

/* Of the host's variables that pass, those that say something about the host alone. */
static bool is_of_host(const char *name, const char *value)
{
	return has_prefix(name, "LC_") || streq(name, "LANG") || streq(name, "LANGUAGE") ||
		((streq(name, "SSL_CERT_DIR") || streq(name, "GIT_SSL_CAPATH") ||
			 host_ca_variable(name, strlen(name))) &&
			value[0] == '/');
}

static bool is_credential(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->n_credentials; i++)
		if (strv_has(&r->credentials[i].names, name) ||
			strv_has(&r->credentials[i].c->env, name))
			return true;
	return false;
}

/* What the person is looking at, and what the tool was told: no image knows better. */
static bool wins(const struct run *r, const char *name)
{
	static const char *const terminal[] = {"TERM", "COLORTERM", "TERM_PROGRAM",
		"TERM_PROGRAM_VERSION", "COLORFGBG", "COLUMNS", "LINES", "NO_COLOR"};
	for (size_t i = 0; i < ARRAY_LEN(terminal); i++)
		if (streq(name, terminal[i]))
			return true;
	return name_matches(&r->pack.profile.keys, name) ||
		name_matches(&r->pack.profile.env_pass, name) || is_credential(r, name);
}

void run_image_env(struct run *r)
{
	struct plan *p = &r->plan;
	const struct strv *own = &r->image->t.info.env;
	strv_env_set(&p->arena, &p->env, "LANG", "C.UTF-8");
	for (size_t i = 0; i < own->n; i++) {
		size_t n = strcspn(own->v[i], "=");
		char *name = arena_dupn(&p->arena, own->v[i], n);
		if (name && n && own->v[i][n])
			strv_env_set(&p->arena, &p->env, name, own->v[i] + n + 1);
	}
	for (size_t i = 0; i < r->env.env.n; i++) {
		const char *e = r->env.env.v[i];
		char *name = arena_dupn(&p->arena, e, strcspn(e, "="));
		if (!name || is_of_host(name, e + strlen(name) + 1) ||
			(strv_env_get(own, name) && !wins(r, name)))
			continue;
		strv_env_set(&p->arena, &p->env, name, e + strlen(name) + 1);
	}
}
