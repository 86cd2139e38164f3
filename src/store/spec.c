/* store/spec.c - see spec.h */
#include "store/spec.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/file.h"
#include "store/line.h"

#define MAX_BYTES (1 << 20)
#define FILE_NAME "spec"

static const char magic[] = "bawn-sandbox ";

enum kind { TEXT, LIST, FLAG, NUMBER, TIME };

static const struct field {
	const char *key;
	enum kind kind;
	size_t at;
} fields[] = {
#define F(kind, key, member)                                                                       \
	{                                                                                          \
		key, kind, offsetof(struct spec, member)                                           \
	}
	F(TEXT, "name", name),
	F(TEXT, "profile", profile),
	F(LIST, "entered", profiles),
	F(TEXT, "template", template),
	F(TEXT, "digest", digest),
	F(TEXT, "mode", mode),
	F(TEXT, "workspace", workspace),
	F(TEXT, "branch", branch),
	F(LIST, "path", paths),
	F(LIST, "allow", allow),
	F(LIST, "deny", deny),
	F(LIST, "allow-private", allow_private),
	F(LIST, "policy", policy),
	F(LIST, "mask", mask),
	F(LIST, "allow-exec", allow_exec),
	F(LIST, "expose-key", expose_key),
	F(LIST, "host-port", host_port),
	F(LIST, "connect-to", connect_to),
	F(LIST, "allow-degraded", degraded),
	F(LIST, "publish", publish),
	F(FLAG, "offline", offline),
	F(FLAG, "no-login", no_login),
	F(FLAG, "bare-home", bare_home),
	F(FLAG, "clipboard", clipboard),
	F(NUMBER, "ask", ask),
	F(NUMBER, "pids", pids),
	F(NUMBER, "memory", memory),
	F(NUMBER, "cpus", cpus),
	F(LIST, "layer", layers),
	F(TEXT, "pending", pending),
	F(LIST, "tag", tags),
	F(TEXT, "base", base),
	F(TIME, "created", created),
	F(TIME, "used", used),
#undef F
};

static bool name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(!first && (c == '.' || c == '_' || c == '-'));
}

int spec_name_check(const char *name, struct err *err)
{
	char shown[128];
	size_t n = strlen(name);
	bool ok = n >= SPEC_NAME_MIN && n <= SPEC_NAME_MAX && name_char(name[0], true);
	for (size_t i = 1; ok && i < n; i++)
		ok = name_char(name[i], false);
	if (ok && !streq(name, "default"))
		return 0;
	escape_text(shown, sizeof(shown), name);
	err_hint(err, "2 to 64 of a-z A-Z 0-9 . _ -, the first a letter or a digit");
	return err_set(err, EINVAL, "'%s' can't be a sandbox's name", shown);
}

/* ---- reading ---- */

static bool number(const char *s, uint64_t max, uint64_t *ret)
{
	char *end;
	errno = 0;
	if (*s < '0' || *s > '9')
		return false;
	*ret = strtoull(s, &end, 10);
	return !*end && !errno && *ret <= max;
}

static bool set(struct arena *a, struct spec *s, const struct field *f, char *value)
{
	void *at = (char *)s + f->at;
	uint64_t n = 0;
	switch (f->kind) {
	case TEXT:
		if (*(char **)at)
			return false;
		*(char **)at = value;
		return true;
	case LIST:
		strv_push(a, at, value);
		return true;
	case FLAG:
		*(bool *)at = true;
		return streq(value, "yes");
	case NUMBER:
		return number(value, UINT64_MAX, at);
	case TIME:
		if (!number(value, INT64_MAX, &n))
			return false;
		*(int64_t *)at = (int64_t)n;
		return true;
	}
	return false;
}

static int read_line(struct arena *a, struct spec *s, char *line, unsigned int nr, struct err *err)
{
	char shown[64];
	char *key = strsep(&line, " ");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!streq(fields[i].key, key))
			continue;
		if (line && line_unescape(line) && set(a, s, &fields[i], line))
			return 0;
		return err_set(err, EINVAL, FILE_NAME ":%u: malformed value of %s", nr, key);
	}
	escape_text(shown, sizeof(shown), key);
	return err_set(err, EINVAL, FILE_NAME ":%u: unknown key '%s'", nr, shown);
}

/* The version that a first line gives, 0: it is none of ours. */
static uint64_t version_of(const char *line)
{
	uint64_t v = 0;
	return line && has_prefix(line, magic) && number(line + sizeof(magic) - 1, UINT32_MAX, &v)
		? v
		: 0;
}

static int check(const struct spec *s, struct err *err)
{
	static const char *const modes[] = {"direct", "cow", "clone", "none"};
	bool known = false;
	for (size_t i = 0; s->mode && i < ARRAY_LEN(modes); i++)
		known |= streq(s->mode, modes[i]);
	if (!s->name || !s->profile || !s->template || !known ||
		(!s->workspace && !streq(s->mode, "none")))
		return err_set(err, EINVAL, FILE_NAME ": it is incomplete");
	return spec_name_check(s->name, err);
}

int spec_read(int dirfd, struct arena *a, struct spec *ret, struct err *err)
{
	struct spec s = {0};
	char *text;
	ssize_t n = file_read(a, dirfd, FILE_NAME, MAX_BYTES, &text, err);
	if (n < 0)
		return (int)n;
	if ((size_t)n != strlen(text) || n == 0 || text[n - 1] != '\n')
		return err_set(err, EINVAL, FILE_NAME ": it is cut short or no text");
	text[n - 1] = '\0';
	uint64_t version = version_of(strsep(&text, "\n"));
	if (version > SPEC_VERSION) {
		err_hint(err, "use that bawn, or remove the sandbox with it");
		return err_set(err, EPROTO,
			"a later version of bawn has written it (format %" PRIu64
			", this one knows %d)",
			version, SPEC_VERSION);
	}
	if (version == 0)
		return err_set(err, EINVAL, FILE_NAME ":1: it doesn't describe a sandbox");
	unsigned int nr = 1;
	for (char *line; (line = strsep(&text, "\n"));) {
		int r = read_line(a, &s, line, ++nr, err);
		if (r < 0)
			return r;
	}
	int r = check(&s, err);
	if (r == 0)
		r = arena_check(a, err);
	if (r == 0)
		*ret = s;
	return r;
}

/* ---- writing ---- */

static void put_field(FILE *f, const struct spec *s, const struct field *d)
{
	const void *at = (const char *)s + d->at;
	const struct strv *list = at;
	switch (d->kind) {
	case TEXT:
		if (*(char *const *)at)
			line_put(f, d->key, *(char *const *)at);
		break;
	case LIST:
		for (size_t i = 0; i < list->n; i++)
			line_put(f, d->key, list->v[i]);
		break;
	case FLAG:
		if (*(const bool *)at)
			line_put(f, d->key, "yes");
		break;
	case NUMBER:
		if (*(const uint64_t *)at)
			fprintf(f, "%s %" PRIu64 "\n", d->key, *(const uint64_t *)at);
		break;
	case TIME:
		if (*(const int64_t *)at > 0)
			fprintf(f, "%s %" PRId64 "\n", d->key, *(const int64_t *)at);
		break;
	}
}

int spec_write(int dirfd, const struct spec *s, struct err *err)
{
	int r = check(s, err);
	if (r < 0)
		return r;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return err_sys(err, errno, "memory for a sandbox's description");
	fprintf(f, "%s%d\n", magic, SPEC_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		put_field(f, s, &fields[i]);
	r = fclose(f) == 0 ? 0 : err_sys(err, errno, "memory for a sandbox's description");
	if (r == 0)
		r = file_write_atomic(dirfd, FILE_NAME, text, n, 0600, true, err);
	free(text);
	return r;
}
