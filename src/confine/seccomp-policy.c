/* confine/seccomp-policy.c - see seccomp-policy.h.
 *
 * Owns: the grammar of policies/syscalls.  Must not: know numbers of calls, or libseccomp.
 */
#include "confine/seccomp-policy.h"

#include <limits.h>

#define EXTENDS_MAX 4
#define CALLS_MAX 2048

struct reader {
	struct arena *a;
	seccomp_locate locate;
	void *ctx;
	struct seccomp_policy *p;
};

static const struct {
	const char *name;
	int value;
} errnos[] = {
	{"0", 0},
	{"EPERM", EPERM},
	{"ENOENT", ENOENT},
	{"EACCES", EACCES},
	{"EINVAL", EINVAL},
	{"ENOSYS", ENOSYS},
	{"ENODEV", ENODEV},
	{"EOPNOTSUPP", EOPNOTSUPP},
	{"EAFNOSUPPORT", EAFNOSUPPORT},
	{"EPROTONOSUPPORT", EPROTONOSUPPORT},
	{"ENOPROTOOPT", ENOPROTOOPT},
};

/* The four sections; an entry's keys beside name. */
static const struct section {
	const char *key;
	bool allow, conditional;
} sections[] = {
	{"allow", true, false},
	{"allow_if", true, true},
	{"deny", false, false},
	{"deny_if", false, true},
};

static const struct section *find_section(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (streq(sections[i].key, key))
			return &sections[i];
	return NULL;
}

static int want(const char *file, const struct yaml_node *at, enum yaml_kind kind, struct err *err)
{
	static const char *const names[] = {"text", "a list", "a map"};
	if (at->kind == kind)
		return 0;
	return yaml_err(err, file, at, "expected %s, found %s", names[kind], yaml_kind_name(at));
}

static int read_errno(const char *file, const struct yaml_node *at, int *ret, struct err *err)
{
	int r = want(file, at, YAML_SCALAR, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
		if (streq(errnos[i].name, at->text)) {
			*ret = errnos[i].value;
			return 0;
		}
	return yaml_err(err, file, at,
		"\"%s\" is no errno a policy may answer (EPERM, ENOSYS, EACCES, EINVAL, ...)",
		at->text);
}

/* A number in C's notation at *s; moves *s behind it and the spaces. */
static bool number(const char **s, uint64_t *ret)
{
	if (**s < '0' || **s > '9')
		return false;
	char *end;
	errno = 0;
	unsigned long long v = strtoull(*s, &end, 0);
	if (errno || (*end && *end != ' '))
		return false;
	while (*end == ' ')
		end++;
	*ret = v;
	*s = end;
	return true;
}

static bool word(const char **s, const char *w)
{
	if (!has_prefix(*s, w))
		return false;
	*s += strlen(w);
	while (**s == ' ')
		(*s)++;
	return true;
}

/* "argN [& MASK] == V", "argN [& MASK] in V...", "argN != 0", "argN >= V" */
static bool parse_cond(const char *s, struct policy_cond *ret)
{
	struct policy_cond c = {.op = POLICY_IN, .mask = UINT32_MAX};
	uint64_t arg;
	if (!has_prefix(s, "arg"))
		return false;
	s += strlen("arg");
	if (!number(&s, &arg) || arg > 5)
		return false;
	c.arg = (unsigned)arg;
	bool masked = word(&s, "& ");
	if (masked && (!number(&s, &c.mask) || c.mask > UINT32_MAX))
		return false;
	bool many = word(&s, "in ");
	if (many || word(&s, "== ")) {
		while (*s && c.n_values < (many ? POLICY_VALUES : 1u))
			if (!number(&s, &c.values[c.n_values++]))
				return false;
		for (size_t i = 0; i < c.n_values; i++)
			if (c.values[i] & ~c.mask)
				return false; /* could never match */
	} else if (!masked && word(&s, ">= ")) {
		c.op = POLICY_GE;
		if (!number(&s, &c.values[c.n_values++]))
			return false;
	} else if (!masked && word(&s, "!= ")) {
		c.op = POLICY_NONZERO;
		if (!number(&s, &c.values[c.n_values++]) || c.values[0] != 0)
			return false;
	}
	if (*s || c.n_values == 0)
		return false;
	*ret = c;
	return true;
}

static int read_conds(
	const char *file, const struct yaml_node *when, struct policy_call *c, struct err *err)
{
	int r = want(file, when, YAML_LIST, err);
	if (r < 0)
		return r;
	if (when->n < 1 || when->n > POLICY_CONDS)
		return yaml_err(err, file, when, "\"when\" takes 1 to %d conditions", POLICY_CONDS);
	YAML_EACH(cond, when)
	{
		r = want(file, cond, YAML_SCALAR, err);
		if (r < 0)
			return r;
		struct policy_cond parsed;
		if (!parse_cond(cond->text, &parsed))
			return yaml_err(err, file, cond,
				"malformed condition \"%s\" (argN [& MASK] == V, argN [& MASK] in "
				"V V..., argN >= V, argN != 0)",
				cond->text);
		for (size_t i = 0; i < c->n_conds; i++)
			if (c->conds[i].arg == parsed.arg)
				return yaml_err(
					err, file, cond, "arg%u has two conditions", parsed.arg);
		c->conds[c->n_conds++] = parsed;
	}
	return 0;
}

/* A file's word on a call replaces that of the files it extends: allowing drops a denial and
 * conditions of allowing, denying drops every allowance.  Conditional denials always stay. */
static bool overrides(const struct policy_call *new, const struct policy_call *old)
{
	if (!streq(new->call, old->call) || (!old->allow && old->n_conds))
		return false;
	if (new->n_conds == 0)
		return true;
	return new->allow && !old->allow;
}

/* Two statements of one file about one call that can't both hold. */
static bool contradicts(const struct policy_call *a, const struct policy_call *b)
{
	if (!streq(a->call, b->call))
		return false;
	if (a->n_conds == 0 && b->n_conds == 0)
		return true;
	/* a condition to allow is void beside an unconditional word, unless that word denies all */
	return (a->n_conds == 0 && b->allow) || (b->n_conds == 0 && a->allow);
}

static int add_call(struct reader *rd, const struct policy_call *c, struct err *err)
{
	struct seccomp_policy *p = rd->p;
	for (size_t i = 0; i < p->n; i++) {
		struct policy_call *old = &p->calls[i];
		if (old->dropped)
			continue;
		if (streq(old->file, c->file) && contradicts(old, c))
			return yaml_err(err, c->file, c->at, "\"%s\" stands at line %u already",
				c->call, old->at->line);
		if (!streq(old->file, c->file) && overrides(c, old))
			old->dropped = true;
	}
	if (p->n == CALLS_MAX)
		return yaml_err(err, c->file, c->at, "too many system calls");
	struct policy_call *grown = arena_grow(rd->a, p->calls, p->n, &p->cap, sizeof(*grown));
	if (!grown)
		return err_set(err, ENOMEM, "out of memory");
	p->calls = grown;
	p->calls[p->n++] = *c;
	return 0;
}

static int add_named(
	struct reader *rd, struct policy_call *c, const struct yaml_node *at, struct err *err)
{
	int r = want(c->file, at, YAML_SCALAR, err);
	if (r < 0)
		return r;
	if (yaml_is_empty(at))
		return yaml_err(err, c->file, at, "the name of a system call is missing");
	c->call = at->text;
	c->at = at;
	return add_call(rd, c, err);
}

static int check_keys(
	const char *file, const struct section *s, const struct yaml_node *entry, struct err *err)
{
	YAML_EACH(k, entry)
	{
		bool ok = streq(k->key, "name") || streq(k->key, "reason") ||
			(s->conditional ? streq(k->key, "call") || streq(k->key, "when")
					: streq(k->key, "calls")) ||
			(!s->allow && streq(k->key, "errno"));
		if (!ok)
			return yaml_err_key(err, file, k,
				"unknown key \"%s\"; an entry of \"%s\" has name, reason, %s%s",
				k->key, s->key, s->conditional ? "call, when" : "calls",
				s->allow ? "" : ", errno");
	}
	return 0;
}

/* The value of key, which must be there. */
static int need(const char *file, const struct yaml_node *entry, const char *key,
	enum yaml_kind kind, const struct yaml_node **ret, struct err *err)
{
	*ret = yaml_get(entry, key);
	if (!*ret || yaml_is_empty(*ret))
		return yaml_err(err, file, entry, "the key \"%s\" is missing", key);
	return want(file, *ret, kind, err);
}

static int read_entry(struct reader *rd, const char *file, const struct section *s,
	const struct yaml_node *entry, struct err *err)
{
	struct policy_call c = {.file = file, .allow = s->allow, .error = EPERM};
	const struct yaml_node *name, *reason, *calls, *when, *e = yaml_get(entry, "errno");
	int r = want(file, entry, YAML_MAP, err);
	if (r == 0)
		r = check_keys(file, s, entry, err);
	if (r == 0)
		r = need(file, entry, "name", YAML_SCALAR, &name, err);
	/* Whoever is refused something should be able to look up why. */
	if (r == 0 && (!s->allow || s->conditional))
		r = need(file, entry, "reason", YAML_SCALAR, &reason, err);
	if (r == 0 && e)
		r = read_errno(file, e, &c.error, err);
	if (r < 0)
		return r;
	c.name = name->text;
	if (s->conditional) {
		r = need(file, entry, "when", YAML_LIST, &when, err);
		if (r == 0)
			r = read_conds(file, when, &c, err);
		if (r == 0)
			r = need(file, entry, "call", YAML_SCALAR, &calls, err);
		return r < 0 ? r : add_named(rd, &c, calls, err);
	}
	r = need(file, entry, "calls", YAML_LIST, &calls, err);
	if (r < 0)
		return r;
	YAML_EACH(call, calls)
	{
		r = add_named(rd, &c, call, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int beside(struct reader *rd, const char *file, const char *name, const char **ret)
{
	const char *slash = strrchr(file, '/');
	*ret = arena_printf(rd->a, "%.*s%s.yaml", slash ? (int)(slash + 1 - file) : 0, file, name);
	return *ret ? 0 : -ENOMEM;
}

static int read_file(struct reader *rd, const char *file, int depth, struct err *err);

static int read_extended(
	struct reader *rd, const char *file, const struct yaml_node *at, int depth, struct err *err)
{
	const char *base;
	int r = want(file, at, YAML_SCALAR, err);
	if (r < 0)
		return r;
	if (depth + 1 >= EXTENDS_MAX)
		return yaml_err(err, file, at, "\"extends\" goes deeper than %d files (a circle?)",
			EXTENDS_MAX);
	if (!*at->text || strchr(at->text, '/') || at->text[0] == '.')
		return yaml_err(err, file, at, "\"extends\" takes the name of a policy");
	r = rd->locate ? rd->locate(rd->ctx, at->text, &base, err)
		       : beside(rd, file, at->text, &base);
	return r < 0 ? r : read_file(rd, base, depth + 1, err);
}

/* What the limit of the kernel's is set to, beside the filter. */
static int read_user_namespaces(
	struct reader *rd, const char *file, const struct yaml_node *at, struct err *err)
{
	uint64_t n = 0;
	int r = want(file, at, YAML_SCALAR, err);
	const char *s = r < 0 ? "" : at->text;
	if (r == 0 && (!number(&s, &n) || *s || n > POLICY_USERNS_MAX))
		r = yaml_err(err, file, at, "\"user-namespaces\" takes a number from 0 to %d",
			POLICY_USERNS_MAX);
	if (r == 0)
		rd->p->user_namespaces = (unsigned)n;
	return r;
}

static int read_file(struct reader *rd, const char *file, int depth, struct err *err)
{
	struct yaml_node *root;
	file = arena_dup(rd->a, file);
	if (!file)
		return err_set(err, ENOMEM, "out of memory");
	int r = yaml_load(rd->a, file, &root, err);
	if (r == 0)
		r = want(file, root, YAML_MAP, err);
	const struct yaml_node *extends = r == 0 ? yaml_get(root, "extends") : NULL;
	if (extends)
		r = read_extended(rd, file, extends, depth, err);
	if (r < 0)
		return r;
	YAML_EACH(k, root)
	{
		const struct section *s = find_section(k->key);
		if (streq(k->key, "user-namespaces")) {
			r = read_user_namespaces(rd, file, k, err);
			if (r < 0)
				return r;
			continue;
		}
		if (!s && !streq(k->key, "summary") && !streq(k->key, "extends"))
			return yaml_err_key(err, file, k,
				"unknown key \"%s\"; a system call policy has summary, extends, "
				"user-namespaces, allow, allow_if, deny, deny_if",
				k->key);
		if (!s || yaml_is_empty(k))
			continue;
		r = want(file, k, YAML_LIST, err);
		if (r < 0)
			return r;
		YAML_EACH(entry, k)
		{
			r = read_entry(rd, file, s, entry, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int seccomp_policy_read(struct arena *a, const char *file, seccomp_locate locate, void *ctx,
	struct seccomp_policy *ret, struct err *err)
{
	struct seccomp_policy p = {0};
	struct reader rd = {.a = a, .locate = locate, .ctx = ctx, .p = &p};
	int r = read_file(&rd, file, 0, err);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}
