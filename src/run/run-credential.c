/* run/run-credential.c - see credential.h
 *
 * Theory: bawn's own environment stays as it is, as it is where a key is asked for again when a
 * vault has to be started anew; every list of variables that is made from it for the agent goes
 * through run_credentials_cover().  What -e and --env-file give is put into the environment first,
 * so that there is one place.
 */
#include "run/credential.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/fd.h"
#include "base/file.h"
#include "policy/egress-table.h"

#define FILE_NAME "stand-ins" /* in the box: NAME=placeholder a line */
enum { KEY_MIN = 4 };         /* as the vault has it: what is shorter can't be scrubbed */
#define FILE_MAX ((size_t)1 << 17)

/* The first variable of c that is in list. */
static bool names_any(const struct credential *c, const struct strv *list)
{
	for (size_t i = 0; i < c->env.n; i++)
		if (strv_has(list, c->env.v[i]))
			return true;
	return false;
}

static bool is_exposed(const struct run *r, const struct credential *c)
{
	return names_any(c, &r->opt.expose_key) || strv_has(&r->opt.expose_key, c->secret);
}

/* The credential whose key would stand in this variable; NULL: none, or it is to be exposed. */
static struct run_credential *by_variable(const struct run *r, const char *name, size_t n)
{
	for (size_t i = 0; i < r->n_credentials; i++) {
		struct run_credential *k = &r->credentials[i];
		for (size_t v = 0; v < k->c->env.n; v++)
			if (strlen(k->c->env.v[v]) == n && memcmp(k->c->env.v[v], name, n) == 0)
				return is_exposed(r, k->c) ? NULL : k;
	}
	return NULL;
}

/* A key that was given by an option is as good as one of the environment; one that is to be exposed
 * comes along as it is. */
static int adopt(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->opt.expose_key.n; i++) {
		const char *name = r->opt.expose_key.v[i], *value = getenv(name);
		if (value && !strv_env_get(&r->opt.env, name))
			strv_env_set(&r->arena, &r->opt.env, name, value);
	}
	for (size_t i = 0; i < r->opt.env.n; i++) {
		char *e = r->opt.env.v[i], *value = strchr(e, '=');
		size_t n = value ? (size_t)(value - e) : 0;
		if (!n || !value[1] || !by_variable(r, e, n))
			continue;
		char *name = arena_dupn(&r->arena, e, n);
		if (!name || setenv(name, value + 1, 1) < 0)
			return err_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

/* Where it is needed: most policies name more credentials than anybody has. */
static int make_placeholder(struct run *r, struct run_credential *k, struct err *err)
{
	unsigned char random[CREDENTIAL_PLACEHOLDER_MAX];
	char text[CREDENTIAL_PLACEHOLDER_MAX + 1];
	size_t got = 0;
	/* one secret that goes to several hosts has one */
	for (size_t i = 0; !k->placeholder && i < r->n_credentials; i++) {
		const struct run_credential *o = &r->credentials[i];
		if (streq(o->c->secret, k->c->secret) && streq(o->c->shape, k->c->shape))
			k->placeholder = o->placeholder;
	}
	if (k->placeholder)
		return 0;
	while (got < sizeof(random)) {
		ssize_t n = getrandom(random + got, sizeof(random) - got, 0);
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "getrandom");
		got += n > 0 ? (size_t)n : 0;
	}
	if (credential_placeholder(k->c, random, sizeof(random), text) < 0)
		return err_set(err, EINVAL, "%s:%u: the shape of a placeholder is not one",
			k->c->file, k->c->line);
	k->placeholder = arena_dup(&r->arena, text);
	return k->placeholder ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* Where the key would stand: in the variables that are set, else in all. */
static void choose_names(struct run *r, struct run_credential *k)
{
	const struct strv *env = &k->c->env;
	for (size_t i = 0; i < env->n; i++) {
		const char *v = getenv(env->v[i]);
		if (v && *v)
			strv_add(&r->arena, &k->names, env->v[i]);
	}
	for (size_t i = 0; k->names.n == 0 && i < env->n; i++)
		strv_add(&r->arena, &k->names, env->v[i]);
}

static int table(struct run *r, const struct pack *pack, struct err *err)
{
	const struct credentials *all = pack->credentials;
	size_t n = all ? all->n : 0;
	r->credentials = n ? arena_alloc(&r->arena, n * sizeof(*r->credentials)) : NULL;
	if (n && !r->credentials)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		r->credentials[i].c = &all->v[i];
	r->n_credentials = n;
	return 0;
}

/* What is stored in the store (NULL: there is none), or in the environment; else the token of a
 * log-in. */
static int fetch_one(struct run *r, const char *store, const struct run_credential *k,
	struct secret_buf *ret, bool *ret_login, struct err *err)
{
	*ret_login = false;
	if (is_exposed(r, k->c))
		return -ENOENT;
	int n = secret_get(
		store, r->lasting ? r->spec.name : NULL, k->c->secret, &k->c->env, ret, err);
	const struct run_login *l = n == -ENOENT ? run_login_of(r, k->c->secret) : NULL;
	if (!l)
		return n;
	n = secret_buf_alloc(ret, err);
	if (n < 0)
		return n;
	memcpy(ret->v, l->token.v, l->token.n + 1);
	ret->n = l->token.n;
	*ret_login = true;
	return 0;
}

static int fetch(struct run *r, bool strict, struct err *err)
{
	struct secret_buf v[CREDENTIALS_MAX] = {0};
	bool found[CREDENTIALS_MAX], login[CREDENTIALS_MAX];
	size_t n = MIN(r->n_credentials, (size_t)CREDENTIALS_MAX);
	const char *store = n && secret_any(r->store.xdg.config) ? r->store.xdg.config : NULL;
	for (size_t i = 0; i < n; i++) {
		struct err why = {0};
		int k = fetch_one(r, store, &r->credentials[i], &v[i], &login[i], &why);
		found[i] = k == 0;
		if (k == 0 && v[i].n < KEY_MIN) { /* "x" can't be told from any other text */
			found[i] = false;
			secret_buf_free(&v[i]);
			strv_addf(&r->arena, &r->plan.notices,
				"the secret %s is too short to be a key: it stays outside",
				r->credentials[i].c->secret);
		}
		if (k == 0 || k == -ENOENT)
			continue;
		if (!strict) { /* it runs: better without than not at all */
			run_message(r, "%s%s%s", why.msg, why.hint[0] ? "; " : "", why.hint);
			continue;
		}
		while (i-- > 0)
			secret_buf_free(&v[i]);
		*err = why;
		return k;
	}
	int made = 0;
	for (size_t i = 0; i < n && made == 0; i++)
		made = found[i] ? make_placeholder(r, &r->credentials[i], err) : 0;
	for (size_t i = 0; i < n && made < 0; i++)
		secret_buf_free(&v[i]);
	if (made < 0)
		return made;
	run_credentials_drop(r);
	for (size_t i = 0; i < n; i++) {
		struct run_credential *k = &r->credentials[i];
		k->value = v[i];
		k->active = found[i];
		k->from_login = found[i] && login[i];
		if (k->active && !k->seeded && !k->from_login && !k->names.n)
			choose_names(r, k);
	}
	return arena_check(&r->arena, err);
}

int run_credentials_fetch(struct run *r, struct err *err)
{
	return fetch(r, true, err);
}

int run_credentials_again(struct run *r, const struct pack *pack, struct err *err)
{
	const struct run_credential *old = r->credentials;
	size_t n_old = r->n_credentials;
	int k = table(r, pack, err);
	for (size_t i = 0; k == 0 && i < r->n_credentials; i++) {
		struct run_credential *c = &r->credentials[i];
		for (size_t o = 0; o < n_old && !c->placeholder; o++)
			if (streq(old[o].c->secret, c->c->secret) &&
				streq(old[o].c->shape, c->c->shape)) {
				c->placeholder = old[o].placeholder;
				c->names = old[o].names;
				c->seeded = old[o].seeded;
			}
	}
	return k < 0 ? k : fetch(r, false, err);
}

void run_credentials_home(struct run *r)
{
	for (size_t i = 0; r->lasting && !r->opt.dry_run && i < r->n_credentials; i++) {
		const struct run_credential *k = &r->credentials[i];
		for (size_t f = 0; k->active && f < k->c->files.n; f++) {
			const char *want = strchr(k->c->files.v[f], '=') + 1;
			char *file = credential_file(&r->arena, k->c->files.v[f], k->placeholder);
			char *lines = file ? strchr(file, '=') : NULL;
			struct err why = {0};
			if (!lines || !has_prefix(file, "~/"))
				return;
			*lines++ = '\0';
			if (store_home_lines(&r->box, file + 2, lines,
				    (size_t)(strstr(want, "{}") - want), &why) < 0)
				strv_addf(&r->arena, &r->plan.notices,
					"the placeholder for %s was not brought in: %s",
					k->c->secret, why.msg);
		}
	}
}

static bool is_stored(const struct run *r, const char *secret)
{
	const char *config = r->store.xdg.config;
	return secret_exists(config, NULL, secret, NULL) > 0 ||
		(r->lasting && secret_exists(config, r->spec.name, secret, NULL) > 0);
}

bool run_credentials_wait(struct run *r)
{
	bool more = false;
	if (sandbox_has_vault(r->sandbox) || r->opt.offline)
		return false;
	for (size_t i = 0; i < r->n_credentials; i++) {
		struct run_credential *k = &r->credentials[i];
		const bool stored = !is_exposed(r, k->c) && is_stored(r, k->c->secret);
		more |= stored && !k->waits;
		k->waits = stored;
	}
	return more;
}

void run_credentials_drop(struct run *r)
{
	for (size_t i = 0; i < r->n_credentials; i++)
		secret_buf_free(&r->credentials[i].value);
}

int run_credentials_begin(struct run *r, struct err *err)
{
	int k = table(r, &r->pack, err);
	if (k == 0)
		k = adopt(r, err);
	return k < 0 || !r->n_credentials ? k : run_credentials_fetch(r, err);
}

/* ---- those who join ---- */

int run_credentials_note(struct run *r, struct err *err)
{
	char *path = path_join(&r->arena, r->box.dir, FILE_NAME), *text = arena_dup(&r->arena, "");
	if (!r->lasting || r->opt.dry_run)
		return 0;
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct run_credential *k = &r->credentials[i];
		for (size_t n = 0; text && k->active && n < k->names.n; n++)
			text = arena_printf(
				&r->arena, "%s%s=%s\n", text, k->names.v[n], k->placeholder);
	}
	if (!path || !text)
		return err_set(err, ENOMEM, "out of memory");
	if (*text)
		return file_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, false, err);
	return unlink(path) < 0 && errno != ENOENT ? err_sys(err, errno, "remove %s", path) : 0;
}

int run_credentials_join(struct run *r, struct err *err)
{
	char *path = path_join(&r->arena, r->store.sandboxes, r->spec.name), *text = NULL;
	int k = table(r, &r->pack, err);
	r->joins = true;
	if (k == 0)
		k = adopt(r, err);
	if (k < 0 || !r->n_credentials)
		return k;
	path = path ? path_join(&r->arena, path, FILE_NAME) : NULL;
	if (!path)
		return err_set(err, ENOMEM, "out of memory");
	if (file_read(&r->arena, AT_FDCWD, path, FILE_MAX, &text, NULL) < 0)
		text = NULL; /* none is in force */
	for (char *p = text, *line; p && (line = strsep(&p, "\n"));) {
		char *value = strchr(line, '=');
		struct run_credential *c = value ? by_variable(r, line, (size_t)(value - line))
						 : NULL;
		if (!c)
			continue;
		*value++ = '\0';
		c->active = true;
		c->placeholder = value;
		strv_push(&r->arena, &c->names, line);
	}
	return arena_check(&r->arena, err);
}

/* The keys of who joins, as he has them. */
int run_credentials_memfd(const struct run *r, struct err *err)
{
	enum { ALL_MAX = 1 << 20 };
	char *all = mmap(NULL, ALL_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t n = 0;
	if (all == MAP_FAILED)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct credential *c = r->credentials[i].c;
		for (size_t v = 0; v < c->env.n && !is_exposed(r, c); v++) {
			const char *value = getenv(c->env.v[v]);
			if (value && *value && strlen(value) <= SECRET_MAX &&
				n + 2 * SECRET_MAX < ALL_MAX)
				n += (size_t)snprintf(
					     all + n, ALL_MAX - n, "%s=%s", c->env.v[v], value) +
					1;
		}
	}
	int fd = n ? fd_memfd_sealed("bawn-keys", all, n, err) : -ENOENT;
	explicit_bzero(all, n);
	munmap(all, ALL_MAX);
	return fd;
}

/* ---- what the agent sees ---- */

/* A key for which no credential is in force here can only be one of a joining process: it stays
 * outside, as the sandbox has no vault that knows it. */
static bool cover_one(const struct run *r, struct arena *a, char **assignment)
{
	size_t n = strcspn(*assignment, "=");
	const struct run_credential *k = by_variable(r, *assignment, n);
	if (!k || !(*assignment)[n] || !(*assignment)[n + 1])
		return true;
	if (!k->active)
		return false;
	*assignment = arena_printf(a, "%.*s=%s", (int)n, *assignment, k->placeholder);
	return *assignment;
}

void run_credentials_cover(const struct run *r, struct arena *a, struct strv *env, bool add)
{
	size_t kept = 0;
	if (GUARD_REMOVED("placeholder"))
		return;
	for (size_t i = 0; i < env->n; i++)
		if (cover_one(r, a, &env->v[i]))
			env->v[kept++] = env->v[i];
	if (env->v)
		env->v[kept] = NULL;
	env->n = kept;
	for (size_t i = 0; add && i < r->n_credentials; i++) {
		const struct run_credential *k = &r->credentials[i];
		for (size_t n = 0; k->active && n < k->names.n; n++)
			strv_env_set(a, env, k->names.v[n], k->placeholder);
	}
}

int run_credentials_stand_ins(struct run *r, struct strv *argv, struct err *err)
{
	for (size_t i = 0; i < r->n_credentials; i++) {
		struct run_credential *k = &r->credentials[i];
		int made = make_placeholder(r, k, err);
		if (made < 0)
			return made;
		/* Where a variable has the key already, too: a tool that doesn't read that one may
		 * have another key in a file. */
		for (size_t n = 0; !is_exposed(r, k->c) && n < k->c->env.n; n++)
			strv_addf(&r->arena, argv, "--stand-in=%s=%s", k->c->env.v[n],
				k->placeholder);
		/* a log-in without a vault that knows it would be of no use */
		if (!is_exposed(r, k->c))
			strv_addf(&r->arena, argv, "--stand-in=@%s=%s", k->c->secret,
				r->joins && !r->ca ? "" : k->placeholder);
	}
	return 0;
}

size_t run_credentials_files(struct run *r, struct strv *argv)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct run_credential *k = &r->credentials[i];
		for (size_t f = 0; k->active && f < k->c->files.n; f++, n++) {
			const char *file = credential_file(
				&r->arena, k->c->files.v[f], k->placeholder);
			strv_addf(&r->arena, argv, "--lines=%s", file ? file : "");
		}
	}
	return n;
}

bool run_credentials_adopt(struct run *r, const char *assignment)
{
	size_t n = strcspn(assignment, "=");
	struct run_credential *k = assignment[n] ? by_variable(r, assignment, n) : NULL;
	char *name = k ? arena_dupn(&r->arena, assignment, n) : NULL;
	const char *now = name ? getenv(name) : NULL;
	if (!name || (now && streq(now, assignment + n + 1)))
		return false;
	return setenv(name, assignment + n + 1, 1) == 0;
}

void run_credentials_found(struct run *r, char *assignment)
{
	size_t n = strcspn(assignment, "=");
	struct run_credential *k = by_variable(r, assignment, n);
	if (k && assignment[n]) {
		assignment[n] = '\0';
		setenv(assignment, assignment + n + 1, 1);
		assignment[n] = '=';
		k->seeded = true;
	}
	explicit_bzero(assignment, strlen(assignment));
}

void run_credentials_env(struct run *r)
{
	struct strv *withheld = &r->env.withheld;
	size_t kept = 0;
	run_credentials_cover(r, &r->arena, &r->env.env, true);
	run_credentials_cover(r, &r->arena, &r->opt.env, false);
	for (size_t i = 0; i < r->n_credentials; i++)
		for (size_t n = 0; r->credentials[i].active && n < r->credentials[i].names.n; n++)
			r->env.has_key |= strv_has(
				&r->pack.profile.keys, r->credentials[i].names.v[n]);
	for (size_t i = 0; i < withheld->n; i++)
		if (!strv_env_get(&r->env.env, withheld->v[i]))
			withheld->v[kept++] = withheld->v[i];
	if (withheld->v)
		withheld->v[kept] = NULL;
	withheld->n = kept;
}

static char *hosts_of(struct run *r, const struct credential *c)
{
	char *s = arena_dup(&r->arena, "");
	for (size_t i = 0; s && i < c->n_hosts; i++) {
		const struct credential_host *h = &c->hosts[i];
		s = arena_printf(&r->arena, "%s%s%s%s", s, i ? ", " : "",
			h->kind == EGRESS_EXACT         ? ""
				: h->kind == EGRESS_ONE ? "*."
							: "**.",
			h->name);
		if (s && h->port != 443)
			s = arena_printf(&r->arena, "%s:%u", s, h->port);
	}
	return s;
}

static char *join(struct run *r, const struct strv *v)
{
	char *s = arena_dup(&r->arena, v->n ? v->v[0] : "nothing");
	for (size_t i = 1; s && i < v->n; i++)
		s = arena_printf(&r->arena, "%s, %s", s, v->v[i]);
	return s;
}

void run_credentials_list(struct run *r)
{
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct run_credential *k = &r->credentials[i];
		const char *hosts = hosts_of(r, k->c);
		if (!k->active || !hosts)
			continue;
		struct strv where = {0};
		for (size_t n = 0; n < k->names.n; n++)
			strv_add(&r->arena, &where, k->names.v[n]);
		for (size_t n = 0; n < k->c->files.n; n++)
			strv_addf(&r->arena, &where, "%.*s", (int)strcspn(k->c->files.v[n], "="),
				k->c->files.v[n]);
		strv_addf(&r->plan.arena, &r->plan.credentials,
			"%s, in %s to %s (%s:%u); a placeholder in %s", k->c->secret, k->c->header,
			hosts, k->c->file, k->c->line, join(r, &where));
	}
}

/* The host of a URL, canonical, and its port. */
static bool url_host(const char *url, char ret[static HOST_NAME_MAX_LEN + 1], uint16_t *ret_port)
{
	const char *s = strstr(url, "://");
	*ret_port = has_prefix(url, "http://") ? 80 : 443;
	if (!s)
		return false;
	s += 3;
	size_t n = strcspn(s, ":/?#");
	if (s[n] == ':')
		*ret_port = (uint16_t)strtoul(s + n + 1, NULL, 10);
	return host_canonical(s, n, ret) == 0;
}

void run_credentials_warn(struct run *r)
{
	static const char suffix[] = "_BASE_URL";
	char name[HOST_NAME_MAX_LEN + 1];
	uint16_t port;
	for (size_t i = 0; i < r->plan.env.n; i++) {
		const char *e = r->plan.env.v[i], *value = strchr(e, '=');
		size_t n = value ? (size_t)(value - e) : 0;
		if (n < strlen(suffix) || memcmp(value - strlen(suffix), suffix, strlen(suffix)) ||
			!url_host(value + 1, name, &port))
			continue;
		for (size_t k = 0; k < r->n_credentials; k++) {
			const struct run_credential *c = &r->credentials[k];
			const char *var = c->active && c->names.n ? c->names.v[0] : NULL;
			/* GOOGLE_GEMINI_BASE_URL belongs to GEMINI_API_KEY, by the first word */
			if (!var || !memmem(e, n, var, strcspn(var, "_") + 1) ||
				credential_goes_to(c->c, name, port))
				continue;
			strv_addf(&r->arena, &r->plan.notices,
				"%.*s leads to %s, where no credential of the policy goes: it gets "
				"a placeholder for the key; to pass the key itself: --expose-key "
				"%s",
				(int)n, e, name, var);
		}
	}
}
