/* store/ref.c - see ref.h */
#include "store/ref.h"

#include "base/escape.h"

#define HEX_DIGITS 64
#define SHA256 "sha256:"
#define DEFAULT_TAG "latest"
#define LIBRARY "library/"

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool ref_is_hex(const char *s)
{
	return strlen(s) == HEX_DIGITS && strspn(s, "0123456789abcdef") == HEX_DIGITS;
}

const char *ref_digest_hex(const char *digest)
{
	if (!has_prefix(digest, SHA256))
		return NULL;
	const char *hex = digest + sizeof(SHA256) - 1;
	return ref_is_hex(hex) ? hex : NULL;
}

/* Words of letters and digits, between them ".", "_", "__" or any number of "-". */
static bool path_ok(const char *p)
{
	for (;;) {
		if (!is_lower(*p))
			return false;
		while (is_lower(*p))
			p++;
		if (!*p)
			return true;
		if (*p == '.' || *p == '/')
			p++;
		else if (*p == '_')
			p += p[1] == '_' ? 2 : 1;
		else if (*p == '-')
			p += strspn(p, "-");
		else
			return false;
	}
}

static bool tag_ok(const char *t)
{
	size_t n = strlen(t);
	if (n == 0 || n > REF_TAG_MAX || (!is_word(t[0]) && t[0] != '_'))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_word(t[i]) && t[i] != '_' && t[i] != '.' && t[i] != '-')
			return false;
	return true;
}

static bool port_ok(const char *p)
{
	size_t n = strlen(p);
	if (n == 0 || n > 5 || strspn(p, "0123456789") != n)
		return false;
	long port = strtol(p, NULL, 10);
	return port > 0 && port <= 65535;
}

/* Labels of letters, digits and inner "-", or an IPv6 address in brackets; a port or none. */
static bool host_ok(const char *h)
{
	const char *end;
	if (h[0] == '[') {
		size_t n = strspn(h + 1, "0123456789abcdefABCDEF:.");
		if (n < 2 || h[n + 1] != ']')
			return false;
		end = h + n + 2;
	} else {
		const char *p = h;
		end = h + strcspn(h, ":");
		do {
			const char *label = p;
			while (p < end && (is_word(*p) || *p == '-'))
				p++;
			if (p == label || *label == '-' || p[-1] == '-')
				return false;
		} while (p < end && *p == '.' && p++);
		if (p != end)
			return false;
	}
	return !*end || (*end == ':' && port_ok(end + 1));
}

/* Does what stands before the first slash name a host? */
static bool names_host(const char *s, size_t n)
{
	return memchr(s, '.', n) || memchr(s, ':', n) || (n == 9 && memcmp(s, "localhost", 9) == 0);
}

static int refuse(const char *text, const char *why, struct err *err)
{
	char shown[200];
	escape_text(shown, sizeof(shown), text);
	if (strlen(shown) > 150)
		memcpy(shown + 147, "...", 4);
	err_hint(err,
		"a template is named [HOST[:PORT]/]NAME[:TAG], as in debian:12 or "
		"localhost:5000/team/tools:v1");
	return err_set(err, EINVAL, "'%s' can't be a template's name: %s", shown, why);
}

static const char *why_not_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return "capital letters may stand in the tag alone";
	return "it has to be words of a-z and 0-9, parted by . _ - or /";
}

/* Cut off "@sha256:..." and ":TAG"; what is left of name is HOST/PATH. */
static const char *cut(char *name, struct ref *r)
{
	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		r->digest = at + 1;
		if (!ref_digest_hex(r->digest))
			return "behind @ there has to be sha256: and 64 hex digits";
	}
	char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');
	if (colon && (!slash || colon > slash)) {
		*colon = '\0';
		r->tag = colon + 1;
		if (!tag_ok(r->tag))
			return "a tag is at most 128 of a-z A-Z 0-9 _ . -, and begins with none of "
			       "the last two";
	}
	return NULL;
}

int ref_parse(struct arena *a, const char *text, struct ref *ret, struct err *err)
{
	struct ref r = {0};
	if (!*text)
		return refuse(text, "it is empty", err);
	if (strlen(text) > REF_MAX)
		return refuse(text, "it is too long", err);
	char *name = arena_dup(a, text);
	if (!name)
		return err_set(err, ENOMEM, "out of memory");
	const char *why = cut(name, &r);
	if (why)
		return refuse(text, why, err);
	if (ref_is_hex(name))
		return refuse(text, "64 hex digits are an ID", err);
	size_t first = strcspn(name, "/");
	if (name[first] && names_host(name, first)) {
		name[first] = '\0';
		r.host = streq(name, "index." REF_HOST) ? arena_dup(a, REF_HOST) : name;
		r.path = name + first + 1;
		if (!host_ok(name))
			return refuse(text, "what stands before the first / is no host", err);
	} else {
		r.host = arena_dup(a, REF_HOST);
		r.path = name;
	}
	if (!path_ok(r.path))
		return refuse(text, why_not_path(r.path), err);
	if (r.host && streq(r.host, REF_HOST) && !strchr(r.path, '/'))
		r.path = arena_printf(a, LIBRARY "%s", r.path);
	if (!r.tag && !r.digest)
		r.tag = arena_dup(a, DEFAULT_TAG);
	int e = arena_check(a, err);
	if (e < 0)
		return e;
	if (strlen(r.host) + 1 + strlen(r.path) > REF_NAME_MAX)
		return refuse(text, "it is too long", err);
	*ret = r;
	return 0;
}

/* name, then the tag and the digest. */
static char *with_rest(struct arena *a, const char *name, const struct ref *r)
{
	return !name ? NULL
		     : arena_printf(a, "%s%s%s%s%s", name, r->tag ? ":" : "", r->tag ? r->tag : "",
			       r->digest ? "@" : "", r->digest ? r->digest : "");
}

char *ref_full(struct arena *a, const struct ref *r)
{
	return with_rest(a, arena_printf(a, "%s/%s", r->host, r->path), r);
}

char *ref_familiar_name(struct arena *a, const struct ref *r)
{
	if (!streq(r->host, REF_HOST))
		return arena_printf(a, "%s/%s", r->host, r->path);
	const char *rest = has_prefix(r->path, LIBRARY) ? r->path + sizeof(LIBRARY) - 1 : r->path;
	/* what would read as a host, or lose a part, keeps its library/ */
	return arena_dup(a, strchr(rest, '/') || ref_is_hex(rest) ? r->path : rest);
}

char *ref_familiar(struct arena *a, const struct ref *r)
{
	return with_rest(a, ref_familiar_name(a, r), r);
}

char *ref_key(struct arena *a, const struct ref *r)
{
	return r->digest ? arena_printf(a, "%s/%s@%s", r->host, r->path, r->digest)
			 : arena_printf(a, "%s/%s:%s", r->host, r->path, r->tag);
}

const char *ref_shown(struct arena *a, const char *key)
{
	struct ref r;
	const char *shown = ref_parse(a, key, &r, NULL) < 0 ? NULL : ref_familiar(a, &r);
	return shown ? shown : key;
}

int ref_check_new(const struct ref *ref, struct err *err)
{
	const bool plain = ref->tag && streq(ref->tag, "latest") && streq(ref->host, REF_HOST);
	if (!plain || (!streq(ref->path, "library/host") && !streq(ref->path, "library/scratch")))
		return 0;
	err_hint(err, "host is this machine's root, and scratch, in a Dockerfile, an empty one");
	return err_set(err, EINVAL, "no template can be called %s", strrchr(ref->path, '/') + 1);
}
