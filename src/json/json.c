/* json/json.c - see json.h
 *
 * Theory: every operation is one walk with a stack of keys (struct keypath).  Filters remove in
 * place; an array element is known by its index at the start of the walk.
 */
#include "json/json.h"

#include <jansson.h>

/* The opaque type is jansson's own. */
static json_t *to_json(struct json_doc *d)
{
	return (json_t *)d;
}

static const json_t *to_json_const(const struct json_doc *d)
{
	return (const json_t *)d;
}

struct json_doc *json_doc_new(void)
{
	return (struct json_doc *)json_object();
}

void json_doc_free(struct json_doc *d)
{
	json_decref(to_json(d));
}

/* Blank comments and trailing commas, so that places in messages stay right. */
static void blank_comments(char *s, size_t n)
{
	size_t comma = SIZE_MAX; /* of a comma with only blanks behind it so far */
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"') {
			for (i++; i < n && s[i] != '"'; i++)
				i += s[i] == '\\';
			comma = SIZE_MAX;
		} else if (s[i] == '/' && i + 1 < n && s[i + 1] == '/') {
			while (i < n && s[i] != '\n')
				s[i++] = ' ';
		} else if (s[i] == '/' && i + 1 < n && s[i + 1] == '*') {
			const char *end = memmem(s + i + 2, n - i - 2, "*/", 2);
			size_t stop = end ? (size_t)(end - s) + 2 : n;
			for (; i < stop; i++)
				if (s[i] != '\n')
					s[i] = ' ';
			i--;
		} else if (s[i] == ',') {
			comma = i;
		} else if ((s[i] == '}' || s[i] == ']') && comma != SIZE_MAX) {
			s[comma] = ' ';
			comma = SIZE_MAX;
		} else if (!strchr(" \t\r\n", s[i]) || !s[i]) {
			comma = SIZE_MAX;
		}
	}
}

static bool too_deep(json_t *v, size_t depth)
{
	if (depth >= KEYPATH_MAX)
		return true;
	const char *key;
	json_t *child;
	size_t i;
	json_object_foreach(v, key, child)
	{
		if (too_deep(child, depth + 1))
			return true;
	}
	json_array_foreach(v, i, child)
	{
		if (too_deep(child, depth + 1))
			return true;
	}
	return false;
}

int json_doc_parse(const char *text, size_t n, struct json_doc **ret, struct err *err)
{
	_cleanup_free_ char *copy = malloc(n + 1);
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(copy, text, n);
	if (n >= 3 &&
		memcmp(copy, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as editors leave it */
		memset(copy, ' ', 3);
	blank_comments(copy, n);
	json_error_t at;
	json_t *v = json_loadb(copy, n, 0, &at);
	if (!v)
		return err_set(
			err, EINVAL, "line %d, column %d: no valid JSON", at.line, at.column);
	if (!json_is_object(v) || too_deep(v, 0)) {
		json_decref(v);
		return err_set(
			err, EINVAL, "not a JSON object of fewer than %d levels", KEYPATH_MAX);
	}
	*ret = (struct json_doc *)v;
	return 0;
}

char *json_doc_text(const struct json_doc *d)
{
	char *s = json_dumps(to_json_const(d), JSON_INDENT(2));
	if (!s)
		return NULL;
	size_t n = strlen(s);
	char *t = realloc(s, n + 2);
	if (!t) {
		free(s);
		return NULL;
	}
	memcpy(t + n, "\n", 2);
	return t;
}

/* ---- one object a line ---- */

int json_line_parse(const char *line, size_t n, struct json_doc **ret)
{
	json_t *v = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(v)) {
		json_decref(v);
		return -EBADMSG;
	}
	*ret = (struct json_doc *)v;
	return 0;
}

char *json_line_text(const struct json_doc *d)
{
	char *s = json_dumps(
		to_json_const(d), JSON_ENSURE_ASCII | JSON_COMPACT | JSON_PRESERVE_ORDER);
	size_t del = 0;
	for (const char *p = s; p && *p; p++)
		del += *p == 0x7f;
	if (!del)
		return s;
	/* the one control character that JSON lets stand, and only in strings */
	char *t = malloc(strlen(s) + 5 * del + 1), *to = t;
	for (const char *p = s; t && *p; p++)
		if (*p == 0x7f) {
			memcpy(to, "\\u007f", 6);
			to += 6;
		} else {
			*to++ = *p;
		}
	if (t)
		*to = '\0';
	free(s);
	return t;
}

const char *json_doc_string(const struct json_doc *d, const char *key)
{
	return json_string_value(json_object_get(to_json_const(d), key));
}

bool json_doc_bool(const struct json_doc *d, const char *key, bool *ret)
{
	const json_t *v = json_object_get(to_json_const(d), key);
	if (!json_is_boolean(v))
		return false;
	*ret = json_is_true(v);
	return true;
}

const struct json_doc *json_doc_object(const struct json_doc *d, const char *key)
{
	const json_t *v = json_object_get(to_json_const(d), key);
	return json_is_object(v) ? (const struct json_doc *)v : NULL;
}

int json_doc_each(const struct json_doc *d, const char *key,
	int (*fn)(void *ud, const struct json_doc *item), void *ud)
{
	const json_t *v = json_object_get(to_json_const(d), key), *item;
	size_t i;
	int k = 0;
	json_array_foreach(v, i, item)
	{
		if (k == 0 && json_is_object(item))
			k = fn(ud, (const struct json_doc *)item);
	}
	return k;
}

bool json_doc_integer(const struct json_doc *d, const char *key, int64_t *ret)
{
	const json_t *v = json_object_get(to_json_const(d), key);
	if (!json_is_integer(v))
		return false;
	*ret = json_integer_value(v);
	return true;
}

void json_doc_each_key(const struct json_doc *d, void (*fn)(void *ud, const char *key), void *ud)
{
	json_t *o = (json_t *)(uintptr_t)d; /* jansson's walk takes no const; nothing is changed */
	const char *key;
	json_t *v;
	json_object_foreach(o, key, v) fn(ud, key);
}

/* ---- filter ---- */

struct filter {
	const struct keypats *keep, *drop;
	const struct json_watch *watch; /* NULL: no look at secrets */
	size_t skipped;
};

static void name_withheld(const struct filter *f, const struct keypath *path, const char *why)
{
	char place[512];
	f->watch->withheld(f->watch->ud, keypath_text(path, place, sizeof(place)), why);
}

/* The key a string is kept under, past the indexes of arrays. */
static const char *nearest_name(const struct keypath *path)
{
	for (size_t i = path->n; i-- > 0;)
		if (path->seg[i][strspn(path->seg[i], "0123456789")])
			return path->seg[i];
	return NULL;
}

static bool filter_value(struct filter *f, json_t *v, struct keypath *path);

static void filter_array(struct filter *f, json_t *v, struct keypath *path)
{
	char index[24];
	size_t i = 0, n = json_array_size(v);
	bool flag = false; /* the element before was "--api-key" and the like */
	for (size_t at = 0; at < n; at++) {
		json_t *child = json_array_get(v, i);
		snprintf(index, sizeof(index), "%zu", at);
		path->seg[path->n++] = index;
		const char *s = json_string_value(child);
		bool keep;
		if (flag && s && s[0] != '$') {
			name_withheld(f, path, "the option before says so");
			keep = false;
		} else {
			keep = filter_value(f, child, path);
		}
		flag = f->watch && s && s[0] == '-' && f->watch->secret_name(s) && !strchr(s, '=');
		path->n--;
		if (keep)
			i++;
		else
			json_array_remove(v, i);
	}
}

/* Filter below v; false: v itself has to go.  path: where v stands. */
static bool filter_value(struct filter *f, json_t *v, struct keypath *path)
{
	bool covered = keypats_cover(f->keep, path);
	bool container = json_is_object(v) || json_is_array(v);
	if ((f->drop && keypats_cover(f->drop, path)) ||
		(!covered && !(container && keypats_lead(f->keep, path)))) {
		f->skipped++;
		return false;
	}
	if (json_is_string(v) && f->watch) {
		const char *why = f->watch->secret(nearest_name(path), json_string_value(v));
		if (why)
			name_withheld(f, path, why);
		return !why;
	}
	if (json_is_array(v)) {
		filter_array(f, v, path);
	} else if (json_is_object(v)) {
		const char *key;
		json_t *child;
		void *next;
		json_object_foreach_safe(v, next, key, child)
		{
			path->seg[path->n++] = key;
			bool keep = filter_value(f, child, path);
			/* A secret may be the key itself. */
			const char *why = keep && f->watch ? f->watch->secret(NULL, key) : NULL;
			if (why) {
				path->n--;
				name_withheld(f, path, why);
				path->n++;
			}
			path->n--;
			if (!keep || why)
				json_object_del(v, key);
		}
	}
	return covered || json_object_size(v) || json_array_size(v);
}

static size_t filter_doc(struct filter *f, json_t *top)
{
	const char *key;
	json_t *child;
	void *next;
	json_object_foreach_safe(top, next, key, child)
	{
		struct keypath path = {.seg = {key}, .n = 1};
		if (!filter_value(f, child, &path))
			json_object_del(top, key);
	}
	return f->skipped;
}

size_t json_doc_filter(struct json_doc *d, const struct keypats *keep, const struct keypats *drop,
	const struct json_watch *watch)
{
	struct filter f = {.keep = keep, .drop = drop, .watch = watch};
	return filter_doc(&f, to_json(d));
}

void json_doc_keep(struct json_doc *d, const struct keypats *keep)
{
	struct filter f = {.keep = keep};
	if (!GUARD_REMOVED("seed-login-keys"))
		filter_doc(&f, to_json(d));
}

/* ---- commands ---- */

struct check {
	const struct keypats *commands;
	const struct json_watch *watch;
};

static bool names_command(const struct check *c, const struct keypath *path)
{
	for (size_t i = 0; i < c->commands->n; i++)
		if (keypat_is(&c->commands->v[i], path))
			return true;
	return false;
}

/* What is missing of the command that stands in object as value; NULL: nothing. */
static const char *command_lost(const struct check *c, const json_t *object, const json_t *value)
{
	const char *args[JSON_ARGS_MAX], *command = json_string_value(value);
	const json_t *list = command ? json_object_get(object, "args") : value;
	size_t n = 0, i = 0;
	if (!command)
		command = json_string_value(json_array_get(list, i++));
	for (; command && i < json_array_size(list) && n < ARRAY_LEN(args) - 1; i++) {
		const char *s = json_string_value(json_array_get(list, i));
		if (s)
			args[n++] = s;
	}
	const char *cwd = json_string_value(json_object_get(object, "cwd"));
	if (cwd)
		args[n++] = cwd;
	return command ? c->watch->missing(
				 c->watch->ud, command, json_is_array(list) || cwd ? args : NULL, n)
		       : NULL;
}

/* false: v held a missing command, or nothing else than what did.  An element of a list goes with
 * the first thing it loses: {"matcher": ..., "hooks": [...]} means nothing without its hooks. */
static bool check_value(const struct check *c, json_t *v, struct keypath *path, bool element)
{
	bool was_filled = json_object_size(v) || json_array_size(v), ok = true;
	if (json_is_object(v)) {
		const char *key;
		json_t *child;
		void *next;
		json_object_foreach_safe(v, next, key, child)
		{
			path->seg[path->n++] = key;
			if (!json_is_object(child) && names_command(c, path)) {
				const char *lost = command_lost(c, v, child);
				if (lost) {
					char place[512];
					c->watch->withheld(c->watch->ud,
						keypath_text(path, place, sizeof(place)), lost);
					ok = false;
				}
			} else if (!check_value(c, child, path, false)) {
				json_object_del(v, key);
				ok = ok && !element;
			}
			path->n--;
		}
	} else if (json_is_array(v)) {
		char index[24];
		size_t i = 0, n = json_array_size(v);
		for (size_t at = 0; at < n; at++) {
			snprintf(index, sizeof(index), "%zu", at);
			path->seg[path->n++] = index;
			if (check_value(c, json_array_get(v, i), path, true))
				i++;
			else
				json_array_remove(v, i);
			path->n--;
		}
	}
	return ok && (!was_filled || json_object_size(v) || json_array_size(v));
}

void json_doc_check_commands(
	struct json_doc *d, const struct keypats *commands, const struct json_watch *watch)
{
	struct check c = {.commands = commands, .watch = watch};
	struct keypath path = {.n = 0};
	check_value(&c, to_json(d), &path, false);
}

/* ---- merge ---- */

static int merge_array(json_t *to, json_t *add)
{
	size_t i, k;
	json_t *v, *w;
	json_array_foreach(add, i, v)
	{
		bool have = false;
		json_array_foreach(to, k, w)
		{
			have = have || json_equal(v, w);
		}
		if (!have && json_array_append_new(to, json_deep_copy(v)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int merge_object(json_t *to, json_t *add, bool over)
{
	const char *key;
	json_t *v;
	json_object_foreach(add, key, v)
	{
		json_t *have = json_object_get(to, key);
		int r = 0;
		if (json_is_object(have) && json_is_object(v))
			r = merge_object(have, v, over);
		else if (json_is_array(have) && json_is_array(v))
			r = merge_array(have, v);
		else if (!have || over)
			r = json_object_set_new(to, key, json_deep_copy(v)) < 0 ? -ENOMEM : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int json_doc_merge(struct json_doc *d, const struct json_doc *add, bool over)
{
	return merge_object(to_json(d), (json_t *)(uintptr_t)add, over);
}

/* ---- tokens ---- */

/* base64url (RFC 4648 5) without padding, into dst; bytes or -1. */
static ssize_t base64url(const char *s, size_t n, char *dst, size_t cap)
{
	uint32_t acc = 0;
	size_t bits = 0, o = 0;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		int v = c >= 'A' && c <= 'Z'   ? c - 'A'
			: c >= 'a' && c <= 'z' ? c - 'a' + 26
			: c >= '0' && c <= '9' ? c - '0' + 52
			: c == '-'             ? 62
			: c == '_'             ? 63
					       : -1;
		if (c == '=')
			break;
		if (v < 0 || o == cap)
			return -1;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			dst[o++] = (char)(acc >> bits & 0xff);
		}
	}
	return (ssize_t)o;
}

/* What a JSON web token claims; NULL: it is none. */
static json_t *jwt_claims(const char *token)
{
	char payload[16384];
	const char *dot = strchr(token, '.');
	const char *end = dot ? strchr(dot + 1, '.') : NULL;
	if (!end)
		return NULL;
	ssize_t n = base64url(dot + 1, (size_t)(end - dot - 1), payload, sizeof(payload));
	return n < 0 ? NULL : json_loadb(payload, (size_t)n, 0, NULL);
}

char *json_jwt_claim(const char *token, const char *object, const char *key)
{
	json_t *claims = jwt_claims(token);
	const char *text = json_string_value(json_object_get(json_object_get(claims, object), key));
	char *ret = text ? strdup(text) : NULL;
	json_decref(claims);
	return ret;
}

/* The exp claim (RFC 7519 4.1.4) of a JSON web token, 0 if there is none. */
static int64_t jwt_expires(const char *token)
{
	json_t *claims = jwt_claims(token);
	int64_t exp = json_integer_value(json_object_get(claims, "exp"));
	json_decref(claims);
	return exp;
}

/* The value at a place, where "*" of pattern stands for the key that path has there. */
static json_t *value_at(json_t *top, const struct keypat *pat, const struct keypath *path)
{
	json_t *v = top;
	for (size_t i = 0; i < pat->n && v; i++) {
		bool star = streq(pat->seg[i], "*") && i < path->n;
		v = json_object_get(v, star ? path->seg[i] : pat->seg[i]);
	}
	return v;
}

static int64_t seconds_of(double t)
{
	if (t < 0 || t > 1e15)
		return 0;
	return t > 1e11 ? (int64_t)(t / 1000) : (int64_t)t;
}

static int64_t expiry(json_t *top, const char *text, const struct keypat *pat,
	const struct keypath *path, const char *token)
{
	if (!text)
		return 0;
	if (streq(text, "jwt"))
		return jwt_expires(token);
	json_t *v = value_at(top, pat, path);
	return seconds_of(json_number_value(v));
}

struct token_walk {
	json_t *top;
	const struct keypat *pattern, *expires;
	const char *expires_text;
	bool (*fn)(void *ud, const struct json_token *t);
	void *ud;
	size_t kept;
	bool drop_root;
};

static void walk_tokens(struct token_walk *w, json_t *v, struct keypath *path)
{
	if (json_is_string(v)) {
		const char *s = json_string_value(v);
		if (!*s || !keypat_is(w->pattern, path))
			return;
		struct json_token t = {.root = path->seg[0],
			.token = s,
			.expires = expiry(w->top, w->expires_text, w->expires, path, s)};
		if (w->fn(w->ud, &t))
			w->kept++;
		else
			w->drop_root = true;
		return;
	}
	const char *key;
	json_t *child;
	json_object_foreach(v, key, child)
	{
		path->seg[path->n++] = key;
		walk_tokens(w, child, path);
		path->n--;
	}
}

size_t json_doc_tokens(struct json_doc *d, const struct keypat *pattern, const char *expires_text,
	const struct keypat *expires, bool (*fn)(void *ud, const struct json_token *t), void *ud)
{
	struct token_walk w = {.top = to_json(d),
		.pattern = pattern,
		.expires = expires,
		.expires_text = expires_text,
		.fn = fn,
		.ud = ud};
	const char *key;
	json_t *child;
	void *next;
	json_object_foreach_safe(w.top, next, key, child)
	{
		struct keypath path = {.seg = {key}, .n = 1};
		size_t before = w.kept;
		w.drop_root = false;
		walk_tokens(&w, child, &path);
		bool each = streq(pattern->seg[0], "*") && !pattern->literal[0];
		if (w.drop_root || (each && w.kept == before))
			json_object_del(w.top, key);
	}
	return w.kept;
}

/* base64url without padding; free() it.  NULL: out of memory. */
static char *to_base64url(const char *s, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *dst = malloc(n * 4 / 3 + 4);
	size_t o = 0, bits = 0;
	uint32_t acc = 0;
	for (size_t i = 0; dst && i < n; i++) {
		acc = acc << 8 | (unsigned char)s[i];
		for (bits += 8; bits >= 6; bits -= 6)
			dst[o++] = digits[acc >> (bits - 6) & 63];
	}
	if (dst && bits)
		dst[o++] = digits[acc << (6 - bits) & 63];
	if (dst)
		dst[o] = '\0';
	return dst;
}

/* The payload of a token with another end; free() it.  NULL: it has none that can be read. */
static char *jwt_until(const char *dot, const char *last, int64_t exp)
{
	char payload[16384];
	ssize_t n = base64url(dot + 1, (size_t)(last - dot - 1), payload, sizeof(payload));
	json_t *claims = n < 0 ? NULL : json_loadb(payload, (size_t)n, 0, NULL);
	if (!claims || json_object_set_new(claims, "exp", json_integer(exp)) < 0) {
		json_decref(claims);
		return NULL;
	}
	_cleanup_free_ char *text = json_dumps(claims, JSON_COMPACT);
	json_decref(claims);
	return text ? to_base64url(text, strlen(text)) : NULL;
}

static void unsign(json_t *v, void *ud)
{
	static const char dead[] = "bm9uZQ"; /* base64url of "none" */
	const int64_t exp = *(const int64_t *)ud;
	const char *s = json_string_value(v), *dot = strchr(s, '.'), *last = strrchr(s, '.');
	_cleanup_free_ char *body = exp && dot && last > dot ? jwt_until(dot, last, exp) : NULL;
	char *t = NULL;
	int n;
	if (body)
		n = asprintf(&t, "%.*s.%s.%s", (int)(dot - s), s, body, dead);
	else
		n = asprintf(&t, "%.*s%s", last ? (int)(last - s + 1) : 0, s, last ? dead : "");
	json_string_set(v, n < 0 ? "" : t);
	free(n < 0 ? NULL : t);
}

static void put(json_t *v, void *ud)
{
	json_string_set(v, ud);
}

static void each_string(json_t *v, const struct keypats *pats, struct keypath *path,
	void (*fn)(json_t *v, void *ud), void *ud)
{
	if (json_is_string(v) && keypats_cover(pats, path))
		fn(v, ud);
	const char *key;
	json_t *child;
	json_object_foreach(v, key, child)
	{
		path->seg[path->n++] = key;
		each_string(child, pats, path, fn, ud);
		path->n--;
	}
}

void json_doc_unsign(struct json_doc *d, const struct keypats *tokens, int64_t exp)
{
	struct keypath path = {.n = 0};
	each_string(to_json(d), tokens, &path, unsign, &exp);
}

void json_doc_put(struct json_doc *d, const struct keypats *strings, char *value)
{
	struct keypath path = {.n = 0};
	each_string(to_json(d), strings, &path, put, value);
}

/* ---- single places ---- */

/* The object that holds the last key of a place, which *ret_key is then; NULL: there is none. */
static json_t *holder(json_t *top, const char *place, bool make, char *key, size_t cap)
{
	for (;;) {
		size_t n = strcspn(place, ".");
		if (n == 0 || n >= cap || !json_is_object(top))
			return NULL;
		memcpy(key, place, n);
		key[n] = '\0';
		if (!place[n])
			return top;
		json_t *next = json_object_get(top, key);
		if (!next && make && json_object_set_new(top, key, json_object()) == 0)
			next = json_object_get(top, key);
		top = next;
		place += n + 1;
	}
}

static json_t *at(const struct json_doc *d, const char *place)
{
	char key[128];
	json_t *in = holder((json_t *)(uintptr_t)d, place, false, key, sizeof(key));
	return in ? json_object_get(in, key) : NULL;
}

const char *json_doc_at(const struct json_doc *d, const char *place)
{
	return json_string_value(at(d, place));
}

static int set_at(struct json_doc *d, const char *place, json_t *value)
{
	char key[128];
	json_t *in = holder(to_json(d), place, true, key, sizeof(key));
	if (!in || !value) {
		json_decref(value);
		return -EINVAL;
	}
	return json_object_set_new(in, key, value) < 0 ? -EINVAL : 0;
}

int json_doc_set_at(struct json_doc *d, const char *place, const char *value)
{
	return set_at(d, place, json_string(value));
}

int64_t json_doc_time_at(const struct json_doc *d, const char *place, const char *token)
{
	return streq(place, "jwt") ? jwt_expires(token)
				   : seconds_of(json_number_value(at(d, place)));
}

int json_doc_set_time_at(struct json_doc *d, const char *place, int64_t seconds)
{
	double was = json_number_value(at(d, place));
	return set_at(d, place, json_integer(was > 0 && was < 1e11 ? seconds : seconds * 1000));
}
