/* registry/session.c - see session.h
 *
 * Theory: a call goes out with the token there is.  At 401 the registry's challenge is answered,
 * once: Bearer by asking the endpoint that it names, Basic by name and password.  A redirect of a
 * GET is followed by hand, at most five times, and who we are is told to no other origin than the
 * registry's.  No secret is ever in an error: of a registry's own words only the message is shown.
 */
#include "registry/session.h"

#include <strings.h>
#include <sys/types.h>
#include <time.h>

#include "base/escape.h"
#include "json/json.h"

enum { REDIRECTS = 5, WAIT_MAX = 30, FORM_MAX = 40000 };

/* ---- who we are ---- */

static void base64(const char *text, char *dst, size_t cap)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text), o = 0;
	for (size_t i = 0; i < n && o + 5 <= cap; i += 3) {
		unsigned int v = (unsigned int)p[i] << 16;
		v |= i + 1 < n ? (unsigned int)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		dst[o++] = digits[v >> 18];
		dst[o++] = digits[v >> 12 & 63];
		dst[o++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		dst[o++] = i + 2 < n ? digits[v & 63] : '=';
	}
	dst[o] = '\0';
}

static void basic_auth(const struct registry_secrets *s, char *dst, size_t cap)
{
	char both[sizeof(s->user) + sizeof(s->pass) + 1];
	snprintf(both, sizeof(both), "%s:%s", s->user, s->pass);
	size_t n = (size_t)snprintf(dst, cap, "Basic ");
	base64(both, dst + n, cap - n);
	explicit_bzero(both, sizeof(both));
}

/* Where a token may be asked for: by TLS; without it only where the registry itself is asked so,
 * and then on its own host or this machine. */
static int check_realm(const struct session *s, const char *realm, struct err *err)
{
	char url[HTTP_URL_MAX], host[512], own[512], shown[300];
	escape_text(shown, sizeof(shown), realm);
	int r = http_resolve(s->q->base, realm, url);
	if (r == 0 && has_prefix(url, "http://")) {
		http_host(url, host, sizeof(host));
		http_host(s->q->base, own, sizeof(own));
		if (!http_is_loopback(host) && !streq(host, own))
			r = -EPROTO;
	}
	if (r == 0)
		return 0;
	return err_set(err, EPERM, "it wants tokens to be asked for at \"%s\", which is %s", shown,
		r == -EPROTO ? "not safe: no https" : "no place for that");
}

static int add_field(char *form, size_t cap, const char *key, const char *value)
{
	size_t n = strlen(form);
	if (!*value)
		return 0;
	if (n + strlen(key) + 3 > cap)
		return -E2BIG;
	snprintf(form + n, cap - n, "%s%s=", n ? "&" : "", key);
	return http_add_escaped(form, cap, value);
}

static int add_scope(const struct session *s, char *form, size_t cap)
{
	char scope[1200];
	snprintf(scope, sizeof(scope), "repository:%s:%s", s->q->repo,
		s->push ? "pull,push" : "pull");
	int r = add_field(form, cap, "scope", scope);
	if (r == 0 && s->push && s->q->from) {
		snprintf(scope, sizeof(scope), "repository:%s:pull", s->q->from);
		r = add_field(form, cap, "scope", scope);
	}
	return r;
}

static bool is_token(const char *t)
{
	size_t n = 0;
	for (; t[n]; n++)
		if (t[n] <= ' ' || t[n] > '~')
			return false;
	return n > 0 && n < SECRETS_TOKEN_MAX;
}

static int take_token(struct session *s, const struct http_answer *w, struct err *err)
{
	_cleanup_(json_doc_freep) struct json_doc *d = NULL;
	const char *token = NULL;
	if (w->text && json_line_parse(w->text, w->text_n, &d) == 0) {
		token = json_doc_string(d, "token");
		if (!token || !*token)
			token = json_doc_string(d, "access_token");
	}
	if (!token || !is_token(token))
		return err_set(err, EBADMSG, "the endpoint of tokens has given none");
	snprintf(s->secrets->bearer, sizeof(s->secrets->bearer), "%s", token);
	return 0;
}

/* Ask for a token: by GET with name and password or nothing, by POST with a refresh token. */
static int ask_token(struct session *s, const struct challenge *c, struct err *err)
{
	static char form[FORM_MAX], url[HTTP_URL_MAX], auth[2 * SECRETS_TOKEN_MAX];
	struct http_answer w;
	const bool identity = *s->secrets->identity;
	char host[512];
	form[0] = auth[0] = '\0';
	int r = check_realm(s, c->realm, err);
	if (r < 0)
		return r;
	http_resolve(s->q->base, c->realm, url);
	if (identity &&
		(add_field(form, FORM_MAX, "grant_type", "refresh_token") < 0 ||
			add_field(form, FORM_MAX, "client_id", "bawn") < 0 ||
			add_field(form, FORM_MAX, "refresh_token", s->secrets->identity) < 0))
		r = -E2BIG;
	if (r == 0)
		r = add_field(form, FORM_MAX, "service", c->service);
	if (r == 0)
		r = add_scope(s, form, FORM_MAX);
	size_t n = strlen(url);
	if (r == 0 && !identity &&
		(size_t)snprintf(url + n, sizeof(url) - n, "%s%s", strchr(url, '?') ? "&" : "?",
			form) >= sizeof(url) - n)
		r = -E2BIG;
	if (r < 0)
		return err_set(err, E2BIG, "what it wants to be asked for a token is too long");
	if (!identity && registry_secrets_any(s->secrets))
		basic_auth(s->secrets, auth, sizeof(auth));
	struct http_call call = {.method = identity ? "POST" : "GET",
		.url = url,
		.auth = *auth ? auth : NULL,
		.text = identity ? form : NULL,
		.type = identity ? "application/x-www-form-urlencoded" : NULL,
		.file = -1,
		.elsewhere = !http_same_origin(url, s->q->base)};
	r = http_do(s->http, &call, &w, err);
	http_host(url, host, sizeof(host));
	if (r < 0)
		err_prefix(err, "a token from %s", host);
	else if (w.status != 200)
		r = session_refused(s, &w, err) < 0 ? err_prefix(err, "a token from %s", host) : 0;
	else
		r = take_token(s, &w, err);
	http_answer_free(&w);
	explicit_bzero(form, sizeof(form));
	explicit_bzero(auth, sizeof(auth));
	return r;
}

/* 0: ask again; 1: nothing more can be said. */
static int answer_challenge(struct session *s, const struct http_answer *w, struct err *err)
{
	const struct challenge *c = &w->challenge;
	if (w->bad_challenge && !c->bearer && !c->basic)
		return err_set(
			err, EBADMSG, "what it wants to know (WWW-Authenticate) is malformed");
	if (c->bearer && *c->realm && !s->asked) {
		s->asked = true;
		s->secrets->bearer[0] = '\0';
		return ask_token(s, c, err);
	}
	if (!c->bearer && c->basic && !s->basic && registry_secrets_any(s->secrets)) {
		s->basic = true;
		return 0;
	}
	return 1;
}

static const char *auth_of(const struct session *s, char *dst, size_t cap)
{
	if (s->basic)
		basic_auth(s->secrets, dst, cap);
	else if (*s->secrets->bearer)
		snprintf(dst, cap, "Bearer %s", s->secrets->bearer);
	else
		return NULL;
	return dst;
}

/* ---- what was refused ---- */

struct words {
	char code[64], text[300];
};

static int first_error(void *ud, const struct json_doc *item)
{
	struct words *w = ud;
	const char *code = json_doc_string(item, "code"), *text = json_doc_string(item, "message");
	escape_text(w->code, sizeof(w->code), code ? code : "");
	escape_text(w->text, sizeof(w->text), text ? text : "");
	return 1;
}

static void own_words(const struct http_answer *w, struct words *ret)
{
	_cleanup_(json_doc_freep) struct json_doc *d = NULL;
	*ret = (struct words){0};
	if (w->text && json_line_parse(w->text, w->text_n, &d) == 0)
		json_doc_each(d, "errors", first_error, ret);
}

static void hint_login(const struct session *s, struct err *err)
{
	const char *host = s->q->host ? s->q->host : "HOST";
	char name[300];
	snprintf(name, sizeof(name), "registry.%s", host);
	for (char *p = name; *p; p++)
		if (*p == ':')
			*p = '_';
	if (registry_secrets_any(s->secrets))
		err_hint(err,
			"the name and password that are kept for %s don't serve: renew them by "
			"docker login %s, or bawn secret set %s (USER:PASSWORD)",
			host, host, name);
	else
		err_hint(err,
			"where an account is needed: docker login %s, or bawn secret set %s "
			"(USER:PASSWORD)",
			host, name);
}

int session_refused(const struct session *s, const struct http_answer *w, struct err *err)
{
	struct words own;
	own_words(w, &own);
	const char *colon = *own.text ? ": "
		: *own.code           ? ": "
				      : "",
		   *text = *own.text ? own.text : own.code;
	switch (w->status) {
	case 401:
	case 403:
		if (w->elsewhere)
			return err_set(err, EACCES, "the place that it leads to refuses this (%u)",
				w->status);
		hint_login(s, err);
		return err_set(err, EACCES, "it refuses this (%u)%s%s", w->status, colon, text);
	case 404:
		err_hint(err,
			"look at the name and the tag; one that is private is said to be absent "
			"to whoever is not logged in");
		return err_set(err, ENOENT, "there is no such thing (404)%s%s", colon, text);
	case 429:
		if (w->retry_after > 0)
			err_hint(err,
				"it says to come again in %lld s; being logged in, or a mirror "
				"in the file registries, helps: bawn-template(1)",
				(long long)w->retry_after);
		else
			err_hint(err,
				"come again later; being logged in, or a mirror in the file "
				"registries, helps: bawn-template(1)");
		return err_set(err, EBUSY, "too many requests (429)%s%s", colon, text);
	default:
		if (w->status >= 500)
			err_hint(err, "that is the registry's own trouble: try again later");
		return err_set(
			err, EPROTO, "it answers with status %u%s%s", w->status, colon, text);
	}
}

/* ---- calls ---- */

bool session_again(struct session *s, int64_t seconds)
{
	if (s->left <= 1 || seconds > WAIT_MAX)
		return false;
	s->left--;
	/* half a second, one, two, four ... where nobody says how long */
	int64_t nth = s->q->tries - s->left, ms = seconds > 0 ? seconds * 1000 : 250 << MIN(nth, 5);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
	return true;
}

/* One call and where it leads. */
static int call_once(
	struct session *s, const struct http_call *call, struct http_answer *ret, struct err *err)
{
	static char url[HTTP_URL_MAX], auth[2 * SECRETS_TOKEN_MAX];
	struct http_call c = *call;
	snprintf(url, sizeof(url), "%s", call->url);
	c.url = url;
	for (int i = 0; i <= REDIRECTS; i++) {
		c.elsewhere = !http_same_origin(url, s->q->base);
		c.auth = !c.elsewhere || GUARD_REMOVED("registry-auth-origin")
			? auth_of(s, auth, sizeof(auth))
			: NULL;
		int r = http_do(s->http, &c, ret, err);
		explicit_bzero(auth, sizeof(auth));
		ret->elsewhere = c.elsewhere;
		if (r < 0 || ret->status < 300 || ret->status > 308 || ret->status == 304 ||
			(!streq(c.method, "GET") && !streq(c.method, "HEAD")))
			return r;
		r = http_follow(url, ret, err);
		if (r < 0)
			return r;
		http_answer_free(ret);
	}
	return err_set(err, ELOOP, "it leads on and on: more than %d redirects", REDIRECTS);
}

int session_call(struct session *s, const struct http_call *call, bool missing,
	struct http_answer *ret, struct err *err)
{
	struct err why = {0};
	for (;;) {
		why = (struct err){0};
		int r = call_once(s, call, ret, &why);
		if (r == 0 && (ret->status / 100 == 2 || (missing && ret->status == 404))) {
			s->asked = false; /* this token serves; another may be due in an hour */
			return 0;
		}
		/* a host that the registry only leads to says nothing of where we say who we are */
		if (r == 0 && ret->status == 401 &&
			(!ret->elsewhere || GUARD_REMOVED("registry-challenge-origin"))) {
			r = answer_challenge(s, ret, &why);
			if (r == 0) {
				http_answer_free(ret);
				continue;
			}
			r = MIN(r, 0);
		}
		bool passes = r == -EAGAIN ||
			(r == 0 && (ret->status == 429 || ret->status >= 500));
		/* what a sink has got can't be taken back */
		if (passes && !(r == -EAGAIN && call->sink) &&
			session_again(s, r == 0 ? ret->retry_after : 0)) {
			http_answer_free(ret);
			continue;
		}
		if (r == 0)
			r = session_refused(s, ret, &why);
		if (err)
			*err = why;
		return r;
	}
}
