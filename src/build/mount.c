/* build/mount.c - see mount.h */
#include <limits.h>
#include <strings.h>

#include "base/text.h"
#include "build/buf.h"
#include "build/mount.h"

struct field {
	char *key, *value; /* value NULL: no "=" */
};

/* The next field of a line of comma-separated values (RFC 4180: quotes around a whole field). */
static int next_field(struct arena *a, const char **p, struct field *ret, struct err *err)
{
	_cleanup_buf_ struct buf b = {0};
	if (**p == '"') {
		for (++*p; **p != '"' || (*p)[1] == '"'; ++*p) {
			if (!**p)
				return err_set(err, EINVAL, "there is no matching double quote");
			*p += **p == '"';
			buf_char(&b, **p);
		}
		++*p;
		if (**p && **p != ',')
			return err_set(err, EINVAL, "a quoted value goes on behind its quote");
	} else {
		size_t n = strcspn(*p, ",");
		buf_add(&b, *p, n);
		*p += n;
	}
	*p += **p == ',';
	ret->key = buf_take(a, &b);
	if (!ret->key)
		return err_set(err, ENOMEM, "out of memory");
	ret->value = strchr(ret->key, '=');
	if (ret->value)
		*ret->value++ = '\0';
	for (char *c = ret->key; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	return 0;
}

static int number(
	const struct field *f, int base, unsigned int max, unsigned int *ret, struct err *err)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(f->value, &end, base);
	if (!*f->value || *end || errno || v > max || strchr(f->value, '-'))
		return err_set(err, EINVAL, "%s=%.60s is no number that fits", f->key, f->value);
	*ret = (unsigned int)v;
	return 0;
}

static int size(const struct field *f, uint64_t *ret, struct err *err)
{
	static const char units[] = "bkmgt";
	char *end;
	errno = 0;
	unsigned long long v = strtoull(f->value, &end, 10);
	const char *unit = *end ? strchr(units, *end | 0x20) : units;
	if (end == f->value || errno || !unit ||
		(*end && end[1] && strcasecmp(end + 1, "b") != 0) || strchr(f->value, '-') ||
		v > UINT64_MAX >> (10 * (unit - units)))
		return err_set(err, EINVAL, "size=%.60s is no size", f->value);
	*ret = (uint64_t)v << (10 * (unit - units));
	return 0;
}

static int word(const struct field *f, const char *const *words, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (streq(f->value, words[i]))
			return (int)i;
	return err_set(err, EINVAL, "%s=%.60s is not supported", f->key, f->value);
}

static int set_type(struct df_mount *m, const struct field *f, struct err *err)
{
	static const char *const types[] = {"bind", "cache", "tmpfs", "secret"};
	int r = word(f, types, ARRAY_LEN(types), err);
	if (r >= 0)
		m->type = (enum df_mount_type)r;
	return r;
}

static int set_sharing(struct df_mount *m, const struct field *f, struct err *err)
{
	static const char *const ways[] = {"shared", "private", "locked"};
	int r = word(f, ways, ARRAY_LEN(ways), err);
	if (r >= 0)
		m->sharing = (enum df_sharing)r;
	return r;
}

static int set_mode(struct df_mount *m, const struct field *f, struct err *err)
{
	m->has_mode = true;
	return number(f, 8, 07777, &m->mode, err);
}

static int set_uid(struct df_mount *m, const struct field *f, struct err *err)
{
	m->has_owner = true;
	return number(f, 10, INT_MAX, &m->uid, err);
}

static int set_gid(struct df_mount *m, const struct field *f, struct err *err)
{
	m->has_owner = true;
	return number(f, 10, INT_MAX, &m->gid, err);
}

static int set_size(struct df_mount *m, const struct field *f, struct err *err)
{
	return size(f, &m->size, err);
}

#define T(type) (1u << DF_MOUNT_##type)
#define ALL_TYPES (T(BIND) | T(CACHE) | T(TMPFS) | T(SECRET))

struct key {
	const char *name;
	unsigned int types;
	size_t text; /* offset of the text, or 0 and: */
	size_t flag; /* offset of the bool, or 0 and: */
	int (*set)(struct df_mount *m, const struct field *f, struct err *err);
};

#define TEXT(f) offsetof(struct df_mount, f), 0, NULL
#define FLAG(f) 0, offsetof(struct df_mount, f), NULL
#define FN(f) 0, 0, f

static const struct key keys[] = {
	{"type", ALL_TYPES, FN(set_type)},
	{"target", ALL_TYPES, TEXT(target)},
	{"dst", ALL_TYPES, TEXT(target)},
	{"destination", ALL_TYPES, TEXT(target)},
	{"source", T(BIND) | T(CACHE) | T(SECRET), TEXT(source)},
	{"src", T(BIND) | T(CACHE) | T(SECRET), TEXT(source)},
	{"from", T(BIND) | T(CACHE), TEXT(from)},
	{"id", T(CACHE) | T(SECRET), TEXT(id)},
	{"env", T(SECRET), TEXT(env)},
	{"sharing", T(CACHE), FN(set_sharing)},
	{"ro", T(BIND) | T(CACHE), FLAG(read_only)},
	{"readonly", T(BIND) | T(CACHE), FLAG(read_only)},
	{"rw", T(BIND) | T(CACHE), FLAG(read_write)},
	{"readwrite", T(BIND) | T(CACHE), FLAG(read_write)},
	{"required", T(SECRET), FLAG(required)},
	{"mode", T(CACHE) | T(SECRET), FN(set_mode)},
	{"uid", T(CACHE) | T(SECRET), FN(set_uid)},
	{"gid", T(CACHE) | T(SECRET), FN(set_gid)},
	{"size", T(TMPFS), FN(set_size)},
};

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (streq(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int set_flag(struct df_mount *m, const struct key *k, const struct field *f, struct err *err)
{
	bool yes = !f->value || streq(f->value, "true") || streq(f->value, "1");
	if (!yes && !streq(f->value, "false") && !streq(f->value, "0"))
		return err_set(err, EINVAL, "%s is true or false, nothing else", f->key);
	*(bool *)((char *)m + k->flag) = yes;
	return 0;
}

static int take(struct arena *a, struct df_mount *m, struct field *f, const struct expand *e,
	struct err *err)
{
	const struct key *k = find_key(f->key);
	if (!k)
		return err_set(err, EINVAL, "\"%.60s\" is not known", f->key);
	if (!(k->types & 1u << m->type))
		return err_set(err, EINVAL, "\"%s\" is nothing for this type of mount", f->key);
	if (f->value && e && expand_word(a, e, f->value, &f->value, NULL, err) < 0)
		return -err->code;
	if (k->flag)
		return set_flag(m, k, f, err);
	if (!f->value || !*f->value)
		return err_set(err, EINVAL, "%s wants a value", f->key);
	if (k->set)
		return !e && strchr(f->value, '$') ? 0 : k->set(m, f, err);
	*(const char **)((char *)m + k->text) = f->value;
	return 0;
}

static int check(struct df_mount *m, struct err *err)
{
	bool named = m->id || m->source;
	if (m->type == DF_MOUNT_CACHE && m->source && !m->from)
		return err_set(err, EINVAL,
			"the source= of a cache is where it begins, and wants a from=");
	if (m->type != DF_MOUNT_SECRET && !m->target)
		return err_set(err, EINVAL, "there is no target=");
	if (m->type == DF_MOUNT_SECRET && !named && !m->target)
		return err_set(err, EINVAL, "a secret has an id=");
	return 0;
}

int df_mount_parse(struct arena *a, const char *spec, const struct expand *e, struct df_mount *ret,
	struct err *err)
{
	struct df_mount m = {.type = DF_MOUNT_BIND};
	struct field f;
	struct err own = {0};
	err = err ? err : &own;
	/* the type first, wherever it stands: what else there may be hangs on it */
	for (const char *p = spec; *p;) {
		int r = next_field(a, &p, &f, err);
		if (r >= 0 && streq(f.key, "type"))
			r = take(a, &m, &f, e, err);
		if (r < 0)
			return r;
	}
	for (const char *p = spec; *p;) {
		int r = next_field(a, &p, &f, err);
		if (r >= 0)
			r = take(a, &m, &f, e, err);
		if (r < 0)
			return r;
	}
	int r = check(&m, err);
	if (r >= 0)
		*ret = m;
	return r;
}
