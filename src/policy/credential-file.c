/* policy/credential-file.c - the list "credentials" of a policy, read and checked.
 *
 * Owns: its keys.  Must not: know whether there is such a secret.
 */
#include <stdarg.h>

#include "base/escape.h"
#include "policy/egress-table.h"
#include "policy/read.h"
#include "policy/schema.h"

#define SHAPE_DEFAULT "{40}"
enum { FILE_LINES_MAX = 4096 };

struct ctx {
	struct arena *a;
	const char *file;
	struct credential *c;
	struct err *err;
	bool login;
};

_printf_(3, 4) static int bad(struct ctx *c, const struct yaml_node *at, const char *fmt, ...)
{
	char msg[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return yaml_err(c->err, c->file, at, "%s", msg);
}

static int add_host(struct ctx *c, const struct yaml_node *at)
{
	struct rule rule = {0};
	struct err why = {0};
	int r = schema_want(c->err, c->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	if (rule_parse(c->a, at->text, &rule, &why) < 0)
		return bad(c, at, "%.500s", why.msg);
	if (rule.kind == EGRESS_NET || rule.path)
		return bad(c, at, "a credential goes to hosts by name, without methods or path");
	if (rule.kind == EGRESS_ANY && !*rule.name)
		return bad(c, at, "a credential for every host would go to anyone; name the hosts");
	for (size_t i = 0; i < rule.n_ports; i++) {
		struct credential *cr = c->c;
		if (rule.ports[i] == 80)
			return bad(c, at, "on port 80 everyone on the way could read the secret");
		size_t cap = cr->n_hosts;
		struct credential_host *v = arena_grow(
			c->a, cr->hosts, cr->n_hosts, &cap, sizeof(*v));
		if (!v)
			return err_set(c->err, ENOMEM, "out of memory");
		cr->hosts = v;
		v[cr->n_hosts++] = (struct credential_host){
			.name = rule.name, .kind = rule.kind, .port = rule.ports[i]};
	}
	return 0;
}

static int read_hosts(struct ctx *c, const struct yaml_node *at)
{
	int r = schema_want(c->err, c->file, at, YAML_LIST);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		r = add_host(c, e);
		if (r < 0)
			return r;
	}
	return c->c->n_hosts ? 0 : bad(c, at, "\"hosts\" names no host");
}

/* Fields that say where a message ends or where it goes (RFC 9110, RFC 9112): not for a secret. */
static const char *const structural[] = {"connection", "content-length", "content-type", "cookie2",
	"expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
	"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"};

static int take_name(struct ctx *c, const struct yaml_node *at, const char *s, size_t n)
{
	char *name = arena_dupn(c->a, s, n);
	if (!name)
		return err_set(c->err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
		else if (!(name[i] >= 'a' && name[i] <= 'z') &&
			!(name[i] >= '0' && name[i] <= '9') && name[i] != '-' && name[i] != '_')
			n = 0;
	}
	if (n == 0 || n > 64)
		return bad(c, at, "not a header's name: letters, digits and \"-\"");
	for (size_t i = 0; i < ARRAY_LEN(structural); i++)
		if (streq(name, structural[i]))
			return bad(c, at, "a secret can't stand in the header \"%s\"", name);
	c->c->header = name;
	return 0;
}

/* "Bearer {}" */
static int take_value(struct ctx *c, const struct yaml_node *at, const char *s)
{
	const char *hole = strstr(s, "{}");
	if (!hole || strstr(hole + 2, "{}"))
		return bad(c, at, "the header's value has \"{}\" once, where the secret stands");
	for (const char *p = s; *p; p++)
		if (*p < ' ' || *p > '~')
			return bad(c, at, "only visible ASCII can stand in a header's value");
	c->c->before = arena_dupn(c->a, s, (size_t)(hole - s));
	c->c->after = arena_dup(c->a, hole + 2);
	return c->c->before && c->c->after ? 0 : err_set(c->err, ENOMEM, "out of memory");
}

/* x-api-key | "Authorization: Bearer {}" | {Authorization: "Bearer {}"} */
static int read_header(struct ctx *c, const struct yaml_node *at)
{
	if (at->kind == YAML_MAP) {
		const struct yaml_node *v = at->child;
		if (!v || v->next)
			return bad(c, at, "\"header\" is one header: Authorization: \"Bearer {}\"");
		int r = schema_want(c->err, c->file, v, YAML_SCALAR);
		if (r >= 0)
			r = take_name(c, v, v->key, strlen(v->key));
		return r < 0 ? r : take_value(c, v, v->text);
	}
	int r = schema_want(c->err, c->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	size_t n = strcspn(at->text, ":");
	r = take_name(c, at, at->text, n);
	if (r < 0)
		return r;
	const char *value = at->text + n + (at->text[n] == ':');
	value += strspn(value, " ");
	return take_value(c, at, at->text[n] ? value : "{}");
}

static int read_basic(struct ctx *c, const struct yaml_node *at)
{
	int r = schema_text(c->a, c->file, at, &c->c->basic_user, c->err);
	if (r < 0)
		return r;
	for (const char *p = c->c->basic_user; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == ':')
			return bad(c, at, "a user name of visible ASCII, without \":\"");
	c->c->header = "authorization";
	c->c->before = c->c->after = "";
	return 0;
}

/* Variables by which programs find their parts; a placeholder there would break them, and a policy
 * must not reach into how bawn itself works. */
static bool var_is_taken(const char *name)
{
	static const char *const taken[] = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM",
		"PWD", "TMPDIR", "LANG", "IFS", "ENV", "BASH_ENV", "NODE_OPTIONS", "BAWN",
		"BAWN_SANDBOX"};
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (streq(name, taken[i]))
			return true;
	return has_prefix(name, "LD_") || has_prefix(name, "XDG_") ||
		has_prefix(name, "GIT_CONFIG");
}

static int add_env(struct ctx *c, const struct yaml_node *at)
{
	const char *s = NULL;
	char shown[128];
	int r = schema_text(c->a, c->file, at, &s, c->err);
	if (r < 0)
		return r;
	if (!schema_is_var(s, false))
		return bad(c, at, "\"%s\" is not a variable's name",
			escape_text(shown, sizeof(shown), s));
	if (var_is_taken(s))
		return bad(c, at, "%s is no variable for a secret", s);
	if (strv_has(&c->c->env, s))
		return bad(c, at, "%s stands twice", s);
	return strv_add(c->a, &c->c->env, s) < 0 ? err_set(c->err, ENOMEM, "out of memory") : 0;
}

static int read_env(struct ctx *c, const struct yaml_node *at)
{
	if (at->kind != YAML_LIST)
		return add_env(c, at);
	int r = 0;
	YAML_EACH(e, at)
	{
		r = add_env(c, e);
		if (r < 0)
			return r;
	}
	return r;
}

/* "~/.config/x": relative to the home, as it would be written. */
static bool good_path(const char *s)
{
	if (!has_prefix(s, "~/") || strlen(s) > 200)
		return false;
	for (s++; *s == '/'; s += strcspn(s, "/")) {
		size_t n = strcspn(++s, "/");
		if (n == 0 || (s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.'))))
			return false;
		for (size_t i = 0; i < n; i++)
			if (s[i] <= ' ' || s[i] > '~' || s[i] == '=')
				return false;
	}
	return !*s;
}

static int add_file(struct ctx *c, const struct yaml_node *at)
{
	char shown[128];
	int r = schema_want(c->err, c->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	if (!good_path(at->key))
		return bad(c, at, "\"%s\" is no file of the home: ~/NAME, without \"..\" or \"=\"",
			escape_text(shown, sizeof(shown), at->key));
	if (!strstr(at->text, "{}"))
		return bad(c, at, "the lines of %s have no \"{}\", where the placeholder stands",
			at->key);
	for (const char *p = at->text; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7f)
			return bad(c, at, "control bytes in the lines of %s", at->key);
	if (strlen(at->text) > FILE_LINES_MAX)
		return bad(
			c, at, "the lines of %s are longer than %d bytes", at->key, FILE_LINES_MAX);
	return strv_addf(c->a, &c->c->files, "%s=%s", at->key, at->text) < 0
		? err_set(c->err, ENOMEM, "out of memory")
		: 0;
}

static int read_file(struct ctx *c, const struct yaml_node *at)
{
	int r = schema_want(c->err, c->file, at, YAML_MAP);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		r = add_file(c, e);
		if (r < 0)
			return r;
	}
	return c->c->files.n ? 0 : bad(c, at, "\"file\" names no file");
}

static int read_shape(struct ctx *c, const struct yaml_node *at)
{
	struct err why = {0};
	int r = schema_text(c->a, c->file, at, &c->c->shape, c->err);
	if (r < 0)
		return r;
	r = credential_shape_check(c->c->shape, &why);
	return r < 0 ? bad(c, at, "%.500s", why.msg) : 0;
}

/* "GET,HEAD /repos/..." */
static int add_request(struct ctx *c, const struct yaml_node *at)
{
	static const char every_host[] = "";
	struct rule rule = {0};
	struct err why = {0};
	const char *host = NULL;
	int r = schema_want(c->err, c->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	if (rule_request(c->a, at->text, &rule, &host, &why) < 0)
		return bad(c, at, "%.500s", why.msg);
	if (!rule.path || *host)
		return bad(c, at,
			"a request is METHODS and a path, \"GET,HEAD /**\"; its hosts are those of "
			"the credential");
	struct http_rules *list = &c->c->requests;
	size_t cap = list->n;
	struct http_rule *v = arena_grow(c->a, list->v, list->n, &cap, sizeof(*v));
	if (!v)
		return err_set(c->err, ENOMEM, "out of memory");
	list->v = v;
	v[list->n++] = (struct http_rule){.name = every_host,
		.kind = EGRESS_ANY,
		.methods = rule.methods,
		.path = rule.path,
		.max_upload = UINT64_MAX,
		.rule = EGRESS_NO_RULE};
	return 0;
}

static int read_requests(struct ctx *c, const struct yaml_node *at)
{
	int r = schema_want(c->err, c->file, at, YAML_LIST);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		r = add_request(c, e);
		if (r < 0)
			return r;
	}
	return c->c->requests.n ? 0 : bad(c, at, "\"requests\" names no request");
}

static int read_beyond(struct ctx *c, const struct yaml_node *at)
{
	int r = schema_text(c->a, c->file, at, &c->c->beyond, c->err);
	return r < 0                            ? r
		: !schema_is_name(c->c->beyond) ? bad(c, at, "\"beyond\" is the name of a policy")
						: 0;
}

static int read_secret(struct ctx *c, const struct yaml_node *at)
{
	char shown[128];
	int r = schema_text(c->a, c->file, at, &c->c->secret, c->err);
	if (r < 0)
		return r;
	if (!schema_is_name(c->c->secret))
		return bad(c, at,
			"\"%s\" can't be a secret's name: letters, digits, \".\", \"-\", \"_\"; "
			"the "
			"secret itself never stands in a policy",
			escape_text(shown, sizeof(shown), c->c->secret));
	return 0;
}

static int read_entry(struct ctx *c, const struct yaml_node *at)
{
	static const struct {
		const char *key;
		int (*read)(struct ctx *c, const struct yaml_node *at);
	} readers[] = {{"secret", read_secret}, {"hosts", read_hosts}, {"header", read_header},
		{"basic", read_basic}, {"env", read_env}, {"placeholder", read_shape},
		{"file", read_file}, {"requests", read_requests}, {"beyond", read_beyond}};
	int r = schema_want(c->err, c->file, at, YAML_MAP);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		size_t i = 0;
		while (i < ARRAY_LEN(readers) && !streq(readers[i].key, e->key))
			i++;
		if (i < ARRAY_LEN(readers))
			r = readers[i].read(c, e);
		else if (streq(e->key, "always"))
			r = schema_bool(c->file, e, &c->c->always, c->err);
		else if (streq(e->key, "login"))
			r = schema_bool(c->file, e, &c->login, c->err);
		else
			r = schema_unknown(c->err, c->file, e, " in a credential", credential_keys,
				credential_n_keys);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_entry(struct ctx *c, const struct yaml_node *at)
{
	if (!c->c->secret)
		return bad(c, at, "a credential without \"secret\"");
	if (!c->c->n_hosts)
		return bad(c, at, "a credential without \"hosts\"");
	if (!c->c->header)
		return bad(c, at, "a credential without \"header\" (or \"basic\")");
	if (yaml_get(at, "header") && yaml_get(at, "basic"))
		return bad(c, at, "\"basic\" is a header of its own; leave \"header\" out");
	if (c->c->beyond && !c->c->requests.n)
		return bad(
			c, at, "\"beyond\" goes with \"requests\", beyond which it is asked for");
	if (!c->c->env.n && !c->c->files.n && !c->c->always && !c->login)
		return bad(c, at,
			"a credential that no variable (\"env\") or file (\"file\") stands for "
			"would never be used; say \"always: true\" where it goes into every "
			"request, \"login: true\" where a log-in's file has its placeholder");
	return 0;
}

int credentials_parse(struct arena *a, const char *file, const struct yaml_node *at,
	struct credentials *ret, struct err *err)
{
	if (yaml_is_empty(at))
		return 0;
	int r = schema_want(err, file, at, YAML_LIST);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		struct credential cr = {.shape = SHAPE_DEFAULT, .file = file, .line = e->line};
		struct ctx c = {.a = a, .file = file, .c = &cr, .err = err};
		r = read_entry(&c, e);
		if (r >= 0)
			r = check_entry(&c, e);
		if (r >= 0)
			r = credentials_add(a, ret, &cr, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- several of them ---- */

static bool same_opt(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static bool same(const struct credential *a, const struct credential *b)
{
	if (!streq(a->secret, b->secret) || !streq(a->header, b->header) ||
		!streq(a->before, b->before) || !streq(a->after, b->after) ||
		!streq(a->shape, b->shape) || !same_opt(a->basic_user, b->basic_user) ||
		a->always != b->always || a->n_hosts != b->n_hosts || a->env.n != b->env.n ||
		a->files.n != b->files.n)
		return false;
	for (size_t i = 0; i < a->files.n; i++)
		if (!streq(a->files.v[i], b->files.v[i]))
			return false;
	for (size_t i = 0; i < a->n_hosts; i++)
		if (!streq(a->hosts[i].name, b->hosts[i].name) ||
			a->hosts[i].kind != b->hosts[i].kind ||
			a->hosts[i].port != b->hosts[i].port)
			return false;
	for (size_t i = 0; i < a->env.n; i++)
		if (!streq(a->env.v[i], b->env.v[i]))
			return false;
	return true;
}

static bool has_request(const struct http_rules *list, const struct http_rule *r)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->v[i].path, r->path) && streq(list->v[i].methods, r->methods))
			return true;
	return false;
}

bool credential_same(const struct credential *a, const struct credential *b)
{
	if (!same(a, b) || !same_opt(a->beyond, b->beyond) || !a->requests.n != !b->requests.n)
		return false;
	for (size_t i = 0; i < a->requests.n; i++)
		if (!has_request(&b->requests, &a->requests.v[i]))
			return false;
	for (size_t i = 0; i < b->requests.n; i++)
		if (!has_request(&a->requests, &b->requests.v[i]))
			return false;
	return true;
}

/* What either may be carried by. */
static int join_requests(struct arena *a, struct credential *to, const struct http_rules *more)
{
	size_t n = to->requests.n;
	if (n == 0 || more->n == 0) {
		to->requests = (struct http_rules){0};
		return 0;
	}
	struct http_rule *v = arena_alloc(a, (n + more->n) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	memcpy(v, to->requests.v, n * sizeof(*v));
	for (size_t i = 0; i < more->n; i++)
		if (!has_request(&(struct http_rules){.v = v, .n = n}, &more->v[i]))
			v[n++] = more->v[i];
	to->requests = (struct http_rules){.v = v, .n = n};
	return 0;
}

/* A host that both go to, or NULL. */
static const char *common_host(const struct credential *a, const struct credential *b)
{
	for (size_t i = 0; i < a->n_hosts; i++)
		for (size_t k = 0; k < b->n_hosts; k++) {
			const struct credential_host *x = &a->hosts[i], *y = &b->hosts[k];
			struct rule rx = {.kind = x->kind, .name = x->name};
			struct rule ry = {.kind = y->kind, .name = y->name};
			if (x->port == y->port &&
				(rule_covers_host(&rx, &ry) || rule_covers_host(&ry, &rx)))
				return *y->name ? y->name : x->name;
		}
	return NULL;
}

static const char *common_var(const struct credential *a, const struct credential *b)
{
	for (size_t i = 0; i < a->env.n; i++)
		if (strv_has(&b->env, a->env.v[i]))
			return a->env.v[i];
	return NULL;
}

int credentials_add(
	struct arena *a, struct credentials *list, const struct credential *c, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct credential *o = &list->v[i];
		if (same(o, c)) /* but for the requests */
			return join_requests(a, &list->v[i], &c->requests) < 0
				? err_set(err, ENOMEM, "out of memory")
				: 0;
		/* two secrets for one header are told apart by which placeholder stands in it */
		const bool apart = !streq(o->secret, c->secret) && !o->always && !c->always;
		const char *host = streq(o->header, c->header) && !apart ? common_host(o, c) : NULL;
		/* One variable may stand for one secret in several ways (an API and git). */
		const char *var = streq(o->secret, c->secret) && streq(o->shape, c->shape)
			? NULL
			: common_var(o, c);
		if (host)
			err_set(err, EEXIST,
				"%s:%u: the credential at %s:%u puts \"%s\" into requests to %s, "
				"too",
				c->file, c->line, o->file, o->line, o->header, host);
		else if (var)
			err_set(err, EEXIST,
				"%s:%u: %s stands for another secret or shape at %s:%u", c->file,
				c->line, var, o->file, o->line);
		else
			continue;
		err_hint(err, "take one of the two out, or name the policies with --policy");
		return -EEXIST;
	}
	if (list->n >= CREDENTIALS_MAX)
		return err_set(err, E2BIG, "more than %d credentials", CREDENTIALS_MAX);
	struct credential *v = arena_alloc(a, (list->n + 1) * sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n++] = *c;
	list->v = v;
	return 0;
}
