/* seed/spec.c - see spec.h */
#include "seed/spec.h"

#include <stdlib.h>

enum field_type {
	F_TEXT,    /* const char * */
	F_STRV,    /* struct strv */
	F_PATTERN, /* struct keypat */
	F_PATTERNS,
	F_FORMAT,
	F_BOOL,
	F_TRI,
	F_VERSION, /* const char * */
	F_WHEN,
	F_RENEW,
	F_BEGIN,
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	bool required;
};

static const struct field state_fields[] = {
	{"path", F_TEXT, offsetof(struct seed_state, path), true},
	{"format", F_FORMAT, offsetof(struct seed_state, format), false},
	{"keep", F_PATTERNS, offsetof(struct seed_state, keep), false},
	{"drop", F_PATTERNS, offsetof(struct seed_state, drop), false},
	{"commands", F_PATTERNS, offsetof(struct seed_state, commands), false},
	{"texts", F_PATTERNS, offsetof(struct seed_state, texts), false},
	{"prompts", F_PATTERNS, offsetof(struct seed_state, prompts), false},
	{"variables", F_PATTERNS, offsetof(struct seed_state, variables), false},
	{"imports", F_BOOL, offsetof(struct seed_state, imports), false},
	{"exclude", F_STRV, offsetof(struct seed_state, exclude), false},
};

static const struct field login_fields[] = {
	{"path", F_TEXT, offsetof(struct seed_login, path), true},
	{"env", F_TEXT, offsetof(struct seed_login, env), false},
	{"name", F_TEXT, offsetof(struct seed_login, name), true},
	{"run", F_TEXT, offsetof(struct seed_login, run), true},
	{"keep", F_PATTERNS, offsetof(struct seed_login, keep), true},
	{"token", F_PATTERN, offsetof(struct seed_login, token), true},
	{"key", F_BOOL, offsetof(struct seed_login, key), false},
	{"variable", F_TEXT, offsetof(struct seed_login, variable), false},
	{"covered", F_BOOL, offsetof(struct seed_login, covered), false},
	{"credential", F_TEXT, offsetof(struct seed_login, credential), false},
	{"renew", F_RENEW, offsetof(struct seed_login, renew), false},
	{"begin", F_BEGIN, offsetof(struct seed_login, begin), false},
	{"expires", F_TEXT, offsetof(struct seed_login, expires_text), false},
	{"unsign", F_PATTERNS, offsetof(struct seed_login, unsign), false},
	{"blank", F_PATTERNS, offsetof(struct seed_login, blank), false},
	{"set", F_TEXT, offsetof(struct seed_login, set), false},
	{"when", F_WHEN, offsetof(struct seed_login, when), false},
};

static const struct field file_fields[] = {
	{"path", F_TEXT, offsetof(struct seed_file, path), false},
	{"env", F_TEXT, offsetof(struct seed_file, env), false},
	{"format", F_FORMAT, offsetof(struct seed_file, format), false},
	{"over", F_BOOL, offsetof(struct seed_file, over), false},
	{"content", F_TEXT, offsetof(struct seed_file, content), true},
	{"when", F_WHEN, offsetof(struct seed_file, when), false},
};

static const struct field renew_fields[] = {
	{"url", F_TEXT, offsetof(struct seed_renew, url), true},
	{"form", F_BOOL, offsetof(struct seed_renew, form), false},
	{"client-id", F_TEXT, offsetof(struct seed_renew, client_id), true},
	{"client-secret", F_TEXT, offsetof(struct seed_renew, client_secret), false},
	{"scope", F_TEXT, offsetof(struct seed_renew, scope), false},
	{"refresh", F_TEXT, offsetof(struct seed_renew, refresh), true},
	{"id", F_TEXT, offsetof(struct seed_renew, id), false},
	{"refreshed", F_TEXT, offsetof(struct seed_renew, refreshed), false},
};

static const struct field begin_fields[] = {
	{"url", F_TEXT, offsetof(struct seed_begin, url), true},
	{"scope", F_TEXT, offsetof(struct seed_begin, scope), false},
	{"host", F_TEXT, offsetof(struct seed_begin, host), false},
	{"port", F_TEXT, offsetof(struct seed_begin, port), false},
	{"path", F_TEXT, offsetof(struct seed_begin, path), true},
	{"paste", F_TEXT, offsetof(struct seed_begin, paste), false},
	{"extra", F_TEXT, offsetof(struct seed_begin, extra), false},
	{"form", F_BOOL, offsetof(struct seed_begin, form), false},
	{"send-state", F_BOOL, offsetof(struct seed_begin, send_state), false},
	{"set", F_TEXT, offsetof(struct seed_begin, set), false},
	{"account", F_TEXT, offsetof(struct seed_begin, account), false},
	{"claims", F_TEXT, offsetof(struct seed_begin, claims), false},
	{"claim", F_TEXT, offsetof(struct seed_begin, claim), false},
};

static const struct field when_fields[] = {
	{"env", F_STRV, offsetof(struct seed_when, env), false},
	{"no-env", F_STRV, offsetof(struct seed_when, no_env), false},
	{"login", F_TRI, offsetof(struct seed_when, login), false},
	{"yolo", F_TRI, offsetof(struct seed_when, yolo), false},
	{"since", F_VERSION, offsetof(struct seed_when, since), false},
	{"before", F_VERSION, offsetof(struct seed_when, before), false},
};

static int read_map(struct arena *a, const char *file, const struct yaml_node *map,
	const struct field *fields, size_t n, void *ret, struct err *err);

static int need(const char *file, const struct yaml_node *v, enum yaml_kind kind, struct err *err)
{
	static const char *const names[] = {"text", "a list", "a map"};
	if (v->kind == kind)
		return 0;
	return yaml_err(err, file, v, "%s must be %s, not %s", v->key ? v->key : "this entry",
		names[kind], yaml_kind_name(v));
}

static int one_of(const char *file, const struct yaml_node *v, const char *const *words, int n,
	struct err *err)
{
	for (int i = 0; i < n; i++)
		if (streq(v->text, words[i]))
			return i;
	return yaml_err(err, file, v, "%s must be %s%s%s%s%s", v->key, words[0],
		n > 2 ? ", " : " or ", words[1], n > 2 ? " or " : "", n > 2 ? words[2] : "");
}

static int read_pattern(struct arena *a, const char *file, const struct yaml_node *v,
	struct keypat *ret, struct err *err)
{
	int r = need(file, v, YAML_SCALAR, err);
	if (r == 0 && keypat_parse(a, v->text, ret) < 0)
		r = yaml_err(err, file, v, "\"%s\" is no place of keys parted by dots", v->text);
	return r;
}

static int read_patterns(struct arena *a, const char *file, const struct yaml_node *list,
	struct keypats *ret, struct err *err)
{
	ret->v = arena_alloc(a, MAX(list->n, 1u) * sizeof(*ret->v));
	if (!ret->v)
		return err_set(err, ENOMEM, "out of memory");
	YAML_EACH(v, list)
	{
		int r = read_pattern(a, file, v, &ret->v[ret->n++], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_list(struct arena *a, const char *file, const struct yaml_node *list,
	struct strv *ret, struct err *err)
{
	YAML_EACH(v, list)
	{
		int r = need(file, v, YAML_SCALAR, err);
		if (r < 0)
			return r;
		strv_add(a, ret, v->text);
	}
	return arena_check(a, err);
}

static int read_field(struct arena *a, const char *file, const struct yaml_node *v,
	enum field_type type, void *to, struct err *err)
{
	static const char *const formats[] = {"plain", "json", "toml"};
	static const char *const bools[] = {"false", "true"};
	static const char *const tris[] = {"either", "yes", "no"};
	static const enum yaml_kind kinds[] = {[F_TEXT] = YAML_SCALAR,
		[F_STRV] = YAML_LIST,
		[F_PATTERN] = YAML_SCALAR,
		[F_PATTERNS] = YAML_LIST,
		[F_FORMAT] = YAML_SCALAR,
		[F_BOOL] = YAML_SCALAR,
		[F_TRI] = YAML_SCALAR,
		[F_VERSION] = YAML_SCALAR,
		[F_WHEN] = YAML_MAP,
		[F_RENEW] = YAML_MAP,
		[F_BEGIN] = YAML_MAP};
	int r = need(file, v, kinds[type], err);
	if (r < 0)
		return r;
	switch (type) {
	case F_VERSION:
		if (v->text[0] < '0' || v->text[0] > '9')
			return yaml_err(err, file, v, "\"%s\" is not a version, as 1.2", v->text);
		*(const char **)to = arena_dup(a, v->text);
		break;
	case F_TEXT:
		*(const char **)to = arena_dup(a, v->text);
		break;
	case F_STRV:
		r = read_list(a, file, v, to, err);
		break;
	case F_PATTERN:
		r = read_pattern(a, file, v, to, err);
		break;
	case F_PATTERNS:
		r = read_patterns(a, file, v, to, err);
		break;
	case F_FORMAT:
		r = one_of(file, v, formats, 3, err);
		*(enum seed_format *)to = r < 0 ? SEED_PLAIN : (enum seed_format)r;
		break;
	case F_BOOL:
		r = one_of(file, v, bools, 2, err);
		*(bool *)to = r == 1;
		break;
	case F_TRI:
		r = one_of(file, v, tris, 3, err);
		*(enum seed_tri *)to = r < 0 ? SEED_EITHER : (enum seed_tri)r;
		break;
	case F_WHEN:
		r = read_map(a, file, v, when_fields, ARRAY_LEN(when_fields), to, err);
		break;
	case F_RENEW:
		r = read_map(a, file, v, renew_fields, ARRAY_LEN(renew_fields), to, err);
		break;
	case F_BEGIN:
		r = read_map(a, file, v, begin_fields, ARRAY_LEN(begin_fields), to, err);
		break;
	}
	return MIN(r, 0);
}

static int read_map(struct arena *a, const char *file, const struct yaml_node *map,
	const struct field *fields, size_t n, void *ret, struct err *err)
{
	int r = need(file, map, YAML_MAP, err);
	if (r < 0)
		return r;
	YAML_EACH(v, map)
	{
		size_t i = 0;
		while (i < n && !streq(fields[i].key, v->key))
			i++;
		if (i == n) {
			char known[256] = "";
			for (size_t k = 0, o = 0; k < n; k++)
				o += (size_t)snprintf(known + o, sizeof(known) - o, "%s%s",
					k ? ", " : "", fields[k].key);
			return yaml_err_key(
				err, file, v, "unknown key \"%s\"; known here: %s", v->key, known);
		}
		r = read_field(a, file, v, fields[i].type, (char *)ret + fields[i].offset, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].required && !yaml_get(map, fields[i].key))
			return yaml_err(err, file, map, "\"%s\" is missing", fields[i].key);
	return 0;
}

static int read_section(struct arena *a, const char *file, const struct yaml_node *root,
	const char *key, const struct field *fields, size_t n_fields, size_t size, void **ret,
	size_t *ret_n, struct err *err)
{
	const struct yaml_node *list = yaml_get(root, key);
	if (!list || yaml_is_empty(list))
		return 0;
	int r = need(file, list, YAML_LIST, err);
	if (r < 0)
		return r;
	char *v = arena_alloc(a, list->n * size + 1);
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	size_t i = 0;
	YAML_EACH(entry, list)
	{
		r = read_map(a, file, entry, fields, n_fields, v + size * i++, err);
		if (r < 0)
			return r;
	}
	*ret = v;
	*ret_n = list->n;
	return 0;
}

static bool good_path(const char *p)
{
	return has_prefix(p, "~/") || has_prefix(p, "${");
}

/* What goes into a URL as it is: no blanks, no controls, nothing but ASCII. */
static bool plain(const char *s)
{
	for (; s && *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"<>\\^`{|}#", *s))
			return false;
	return true;
}

static int check_begin(const char *file, const struct yaml_node *login, const struct seed_login *l,
	struct err *err)
{
	const struct yaml_node *at = yaml_get(login, "begin");
	const struct seed_begin *b = &l->begin;
	const size_t digits = b->port ? strspn(b->port, "0123456789") : 0;
	if (!at)
		return 0;
	if (!l->renew.url)
		return yaml_err(err, file, at, "\"begin\" goes with \"renew\"");
	if ((!has_prefix(b->url, "https://") && !GUARD_REMOVED("login-scheme")) || !plain(b->url))
		return yaml_err(err, file, at,
			"the url of \"begin\" must be one that begins with \"https://\"");
	if (b->host && !streq(b->host, "localhost") && !streq(b->host, "127.0.0.1"))
		return yaml_err(err, file, at, "\"host\" must be \"localhost\" or \"127.0.0.1\"");
	if (b->port &&
		(b->port[digits] || digits > 5 || strtoul(b->port, NULL, 10) < 1024 ||
			strtoul(b->port, NULL, 10) > 65535))
		return yaml_err(err, file, at, "\"port\" must be from 1024 to 65535");
	if (b->path[0] != '/' || !plain(b->path) || strchr(b->path, '?') || strlen(b->path) > 200)
		return yaml_err(err, file, at, "\"path\" must be one that begins with \"/\"");
	if (b->paste && (!has_prefix(b->paste, "https://") || strlen(b->paste) > 250))
		return yaml_err(
			err, file, at, "\"paste\" must be a page that begins with \"https://\"");
	if (!plain(b->extra))
		return yaml_err(err, file, at, "\"extra\" must be NAME=VALUE, parted by \"&\"");
	if (!b->account != !b->claims || !b->account != !b->claim)
		return yaml_err(err, file, at, "\"account\", \"claims\" and \"claim\" go together");
	return 0;
}

/* What no single key can say. */
static int check(const char *file, const struct yaml_node *root, struct arena *a,
	struct seed_spec *s, struct err *err)
{
	const struct yaml_node *at = s->n_state ? yaml_get(root, "state")->child : NULL;
	for (size_t i = 0; i < s->n_state; i++, at = at->next) {
		if (!good_path(s->state[i].path))
			return yaml_err(err, file, at, "path must begin with \"~/\"");
		if (s->state[i].format != SEED_PLAIN && s->state[i].keep.n == 0)
			return yaml_err(
				err, file, at, "\"keep\" is missing: which keys come along");
		if (s->state[i].format == SEED_PLAIN && s->state[i].variables.n)
			return yaml_err(
				err, file, at, "\"variables\" goes with \"format: json\" or toml");
		if (s->state[i].format != SEED_PLAIN && s->state[i].imports)
			return yaml_err(
				err, file, at, "\"imports\" is for text, without \"format\"");
		if (s->state[i].format != SEED_JSON &&
			(s->state[i].prompts.n || s->state[i].texts.n))
			return yaml_err(err, file, at, "\"%s\" goes with \"format: json\"",
				s->state[i].texts.n ? "texts" : "prompts");
	}
	at = s->n_login ? yaml_get(root, "login")->child : NULL;
	for (size_t i = 0; i < s->n_login; i++, at = at->next) {
		struct seed_login *l = &s->login[i];
		if (!good_path(l->path))
			return yaml_err(err, file, at, "path must begin with \"~/\"");
		if (l->expires_text && !streq(l->expires_text, "jwt") &&
			keypat_parse(a, l->expires_text, &l->expires) < 0)
			return yaml_err(err, file, at, "\"expires\" is no place of keys");
		if (l->variable && !l->key)
			return yaml_err(err, file, at, "\"variable\" goes with \"key: true\"");
		if (l->covered && !l->variable)
			return yaml_err(err, file, at, "\"covered\" goes with \"variable\"");
		if (!l->expires_text == !l->key)
			return yaml_err(
				err, file, at, "either \"expires\" or \"key: true\" is needed");
		if (!l->credential != !l->renew.url)
			return yaml_err(err, file, at, "\"credential\" and \"renew\" go together");
		if (l->renew.url && (l->key || !has_prefix(l->renew.url, "https://")))
			return yaml_err(err, file, at,
				"\"renew\" is for tokens that expire, and its url begins with "
				"\"https://\"");
		if (check_begin(file, at, l, err) < 0)
			return -EINVAL;
		l->token_text = yaml_get(at, "token")->text;
	}
	at = s->n_files ? yaml_get(root, "files")->child : NULL;
	for (size_t i = 0; i < s->n_files; i++, at = at->next) {
		struct seed_file *f = &s->files[i];
		if (!f->path == !f->env)
			return yaml_err(err, file, at, "either \"path\" or \"env\" is needed");
		if (f->path && !has_prefix(f->path, "~/"))
			return yaml_err(err, file, at, "path must begin with \"~/\"");
		if (!yaml_get(at, "over"))
			f->over = true;
	}
	for (size_t i = 0; i < s->instructions_file.n; i++)
		if (!has_prefix(s->instructions_file.v[i], "~/"))
			return yaml_err(err, file, yaml_get(root, "instructions-file"),
				"a path must begin with \"~/\"");
	return 0;
}

int seed_spec_parse(struct arena *a, const char *file, const struct yaml_node *root,
	struct seed_spec *ret, struct err *err)
{
	struct seed_spec s = {0};
	int r = read_section(a, file, root, "state", state_fields, ARRAY_LEN(state_fields),
		sizeof(*s.state), (void **)&s.state, &s.n_state, err);
	if (r == 0)
		r = read_section(a, file, root, "login", login_fields, ARRAY_LEN(login_fields),
			sizeof(*s.login), (void **)&s.login, &s.n_login, err);
	if (r == 0)
		r = read_section(a, file, root, "files", file_fields, ARRAY_LEN(file_fields),
			sizeof(*s.files), (void **)&s.files, &s.n_files, err);
	const struct yaml_node *words = yaml_get(root, "instructions"),
			       *where = yaml_get(root, "instructions-file");
	if (r == 0 && words && words->kind == YAML_SCALAR && !yaml_is_empty(words))
		r = strv_add(a, &s.instructions, words->text);
	else if (r == 0 && words && !yaml_is_empty(words))
		r = read_list(a, file, words, &s.instructions, err);
	if (r == 0 && where && !yaml_is_empty(where))
		r = read_list(a, file, where, &s.instructions_file, err);
	if (r == 0)
		r = check(file, root, a, &s, err);
	if (r == 0)
		*ret = s;
	return r;
}
