/* registry/login.c - Docker's config.json and what its helpers answer: who we are to a registry.
 *
 * Pure.  Of both only what was asked for is taken; none of it is ever in an error.
 */
#include "json/json.h"
#include "registry/ops.h"

/* The key under which Docker keeps what is for docker.io. */
static const char docker_key[] = "index.docker.io";

/* Where s stands in keys of auths: "https://HOST/v1/" is HOST, as Docker takes it. */
static bool is_host(const char *key, const char *host)
{
	const char *scheme = strstr(key, "://");
	const char *s = scheme ? scheme + 3 : key;
	size_t n = strcspn(s, "/");
	bool same = strlen(host) == n && strncmp(s, host, n) == 0;
	/* one that is for a part of a host is not for all of it */
	const char *rest = s + n;
	return same &&
		(!*rest || streq(rest, "/") || streq(rest, "/v1/") || streq(rest, "/v2/") ||
			streq(rest, "/v1") || streq(rest, "/v2"));
}

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;
	return p ? (int)(p - digits) : -1;
}

/* "USER:PASSWORD" in base64. */
static int take_auth(const char *text, struct registry_secrets *ret)
{
	char plain[sizeof(ret->user) + sizeof(ret->pass)];
	size_t n = 0;
	unsigned int bits = 0, have = 0;
	int r = -EBADMSG;
	for (; *text && *text != '='; text++) {
		int d = digit(*text);
		if (*text == '\n' ||
			*text == '\r') /* as base64(1) writes it, and Docker takes it */
			continue;
		if (d < 0 || n + 1 >= sizeof(plain))
			goto end;
		bits = bits << 6 | (unsigned int)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			plain[n++] = (char)(bits >> have & 0xff);
		}
	}
	plain[n] = '\0';
	const char *colon = strchr(plain, ':');
	if (text[strspn(text, "=\r\n")] || !colon || strlen(plain) != n)
		goto end;
	size_t user = (size_t)(colon - plain), pass = n - user - 1;
	if (user >= sizeof(ret->user) || pass >= sizeof(ret->pass))
		goto end;
	memcpy(ret->user, plain, user);
	ret->user[user] = '\0';
	memcpy(ret->pass, colon + 1, pass + 1);
	r = 0;
end:
	explicit_bzero(plain, sizeof(plain));
	return r;
}

static bool take(char *dst, size_t cap, const char *s)
{
	return !s || (size_t)snprintf(dst, cap, "%s", s) < cap;
}

struct find {
	const char *host;
	const char *key; /* as it stands there */
};

static void on_key(void *ud, const char *key)
{
	struct find *f = ud;
	if (!f->key && is_host(key, f->host))
		f->key = key;
}

static const char *key_for(const struct json_doc *d, const char *host)
{
	struct find f = {.host = host};
	json_doc_each_key(d, on_key, &f);
	if (!f.key && streq(host, "docker.io")) {
		f.host = docker_key;
		json_doc_each_key(d, on_key, &f);
	}
	return f.key;
}

static bool good_helper(const char *s)
{
	return *s && strlen(s) < 64 && *s != '-' &&
		!s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static int find_helper(struct arena *a, const struct json_doc *d, const char *host,
	struct registry_answer *ret, struct err *err)
{
	const struct json_doc *helpers = json_doc_object(d, "credHelpers");
	const char *key = helpers ? key_for(helpers, host) : NULL;
	const char *name = key ? json_doc_string(helpers, key) : json_doc_string(d, "credsStore");
	if (!name || !*name)
		return 0;
	if (!good_helper(name))
		return err_set(err, EINVAL, "the helper that it names has no helper's name");
	ret->helper = arena_dup(a, name);
	return ret->helper ? 0 : err_set(err, ENOMEM, "out of memory");
}

int login_find(struct arena *a, const char *text, size_t n, const char *host,
	struct registry_secrets *ret, struct registry_answer *ret_answer, struct err *err)
{
	_cleanup_(json_doc_freep) struct json_doc *d = NULL;
	size_t blank = 0;
	while (blank < n && strchr(" \t\r\n", text[blank]) && text[blank])
		blank++;
	if (blank == n) /* nobody has logged in yet */
		return 0;
	int r = json_doc_parse(text, n, &d, err);
	if (r == 0)
		r = find_helper(a, d, host, ret_answer, err);
	if (r < 0 || ret_answer->helper)
		return r;
	const struct json_doc *auths = json_doc_object(d, "auths");
	const char *key = auths ? key_for(auths, host) : NULL;
	const struct json_doc *mine = key ? json_doc_object(auths, key) : NULL;
	if (!mine)
		return 0;
	const char *auth = json_doc_string(mine, "auth");
	bool ok = take(
		ret->identity, sizeof(ret->identity), json_doc_string(mine, "identitytoken"));
	if (auth && *auth)
		ok &= take_auth(auth, ret) == 0;
	else
		ok &= take(ret->user, sizeof(ret->user), json_doc_string(mine, "username")) &&
			take(ret->pass, sizeof(ret->pass), json_doc_string(mine, "password"));
	return ok ? 0 : err_set(err, EBADMSG, "what it says of this registry is malformed");
}

int login_helper(const char *text, size_t n, struct registry_secrets *ret, struct err *err)
{
	_cleanup_(json_doc_freep) struct json_doc *d = NULL;
	if (json_line_parse(text, n, &d) < 0)
		return err_set(err, EBADMSG, "what it answers is no JSON object");
	const char *user = json_doc_string(d, "Username"), *pass = json_doc_string(d, "Secret");
	if (!user || !pass || !*pass)
		return err_set(err, EBADMSG, "it answers without a name and a password");
	/* what isn't a person's password but a token that stands for one */
	bool token = streq(user, "<token>");
	bool ok = token ? take(ret->identity, sizeof(ret->identity), pass)
			: take(ret->user, sizeof(ret->user), user) &&
			take(ret->pass, sizeof(ret->pass), pass);
	return ok ? 0 : err_set(err, EBADMSG, "it answers with more than can be");
}
