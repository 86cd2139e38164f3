/* vault/config.c - see config.h */
#include "vault/config.h"

#include <sys/mman.h>

#include "base/arena.h"
#include "policy/request-table.h"

/* Per credential: the field's value, its parts, base64 of "user:secret", and all other forms. */
enum { SECRET_LIMIT = 16384, ROOM = 32 * SECRET_LIMIT, USER_LIMIT = 256 };
enum { FORMER_MAX = 8 }; /* as many as there are log-ins (login/login.h) */
_Static_assert(SCRUB_MAX >= CREDENTIALS_MAX * (SCRUB_FORMS + 2) + FORMER_MAX * (SCRUB_FORMS + 1),
	"room for every form");

static int make_room(struct vault_config *c, struct err *err)
{
	c->cap = (size_t)CREDENTIALS_MAX * ROOM;
	char *p = mmap(NULL, c->cap, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return err_sys(err, errno, "memory for secrets");
	if (madvise(p, c->cap, MADV_DONTDUMP) < 0 || madvise(p, c->cap, MADV_DONTFORK) < 0)
		return err_sys(err, errno, "memory for secrets");
	c->secrets = p;
	return 0;
}

static char *take(struct vault_config *c, const void *p, size_t n)
{
	if (c->cap - c->n < n + 1)
		return NULL;
	char *at = c->secrets + c->n;
	if (n)
		memcpy(at, p, n);
	c->n += n;
	return at;
}

static void base64(char *dst, const char *src, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)src[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)(unsigned char)src[i + 1] << 8;
		if (i + 2 < n)
			v |= (unsigned char)src[i + 2];
		*dst++ = digits[v >> 18];
		*dst++ = digits[v >> 12 & 63];
		*dst++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*dst++ = i + 2 < n ? digits[v & 63] : '=';
	}
}

/* "Basic " and base64 of user:secret, straight into the locked memory. */
static int basic_value(struct vault_config *c, const struct credential *cred, struct vault_key *k,
	const char *secret, size_t n)
{
	size_t user = strlen(cred->basic_user), plain = user + 1 + n, coded = (plain + 2) / 3 * 4;
	if (user > USER_LIMIT)
		return -EINVAL;
	char *p = take(c, cred->basic_user, user);
	if (!p || !take(c, ":", 1) || !take(c, secret, n) || !(k->value = take(c, "Basic ", 6)) ||
		c->cap - c->n < coded)
		return -ENOMEM;
	base64(c->secrets + c->n, p, plain);
	c->n += coded;
	k->n = 6 + coded;
	/* without what stands for the last, incomplete group, which is shared with nothing */
	return scrub_add(&c->scrub, k->value + 6, coded);
}

static int plain_value(struct vault_config *c, const struct credential *cred, struct vault_key *k,
	const char *secret, size_t n)
{
	size_t before = strlen(cred->before), after = strlen(cred->after);
	if (before > USER_LIMIT || after > USER_LIMIT)
		return -EINVAL;
	k->value = take(c, cred->before, before);
	if (!k->value || !take(c, secret, n) || !take(c, cred->after, after))
		return -ENOMEM;
	k->n = before + n + after;
	return 0;
}

/* Written straight into the locked memory. */
static int add_forms(struct vault_config *c, const char *secret, size_t n)
{
	for (unsigned int i = 0; i < SCRUB_FORMS; i++) {
		char *p = c->secrets + c->n;
		if (c->cap - c->n < 3 * n + 8)
			return -ENOMEM;
		size_t len = scrub_form(i, secret, n, p);
		c->n += len;
		int r = len ? scrub_add(&c->scrub, p, len) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_secret(struct vault_config *c, const struct blob_view *v, struct err *err)
{
	if (c->credentials.n == 0)
		return err_set(err, EBADMSG, "a secret without a credential");
	const struct credential *cred = &c->credentials.v[c->credentials.n - 1];
	struct vault_key *k = &c->key[c->credentials.n - 1];
	if (k->value || v->len > SECRET_LIMIT)
		return err_set(err, EBADMSG, "the secret %s is too long", cred->secret);
	for (uint32_t i = 0; i < v->len; i++)
		if ((unsigned char)v->data[i] < 0x20 || v->data[i] == 0x7f)
			return err_set(err, EINVAL,
				"the secret %s has a byte that no header can carry", cred->secret);
	char *secret = take(c, v->data, v->len);
	int r = secret ? scrub_add(&c->scrub, secret, v->len) : -ENOMEM;
	if (r == 0)
		r = cred->basic_user ? basic_value(c, cred, k, secret, v->len)
				     : plain_value(c, cred, k, secret, v->len);
	if (r == 0)
		r = add_forms(c, secret, v->len);
	if (r == -EINVAL) {
		err_set(err, EINVAL, "the secret %s is too short, or its header too long",
			cred->secret);
		err_hint(err, "a secret has at least %d bytes", SCRUB_MIN_LEN);
		return r;
	}
	return r < 0 ? err_sys(err, -r, "the secret %s", cred->secret) : 0;
}

static int read_former(struct vault_config *c, const struct blob_view *v, struct err *err)
{
	char *p = v->len <= SECRET_LIMIT ? take(c, v->data, v->len) : NULL;
	return p && scrub_add(&c->scrub, p, v->len) == 0 && add_forms(c, p, v->len) == 0
		? 0
		: err_set(err, EBADMSG, "a former secret is too long");
}

static int read_record(struct vault_config *c, const struct blob_view *v, struct err *err)
{
	int r;
	switch (v->tag) {
	case VAULT_TAG_CREDENTIAL:
		r = credential_get(&c->arena, v, &c->credentials);
		break;
	case VAULT_TAG_SECRET:
		return read_secret(c, v, err);
	case VAULT_TAG_PLACEHOLDER:
		if (c->credentials.n == 0 || !blob_str(v))
			return err_set(err, EBADMSG, "a placeholder without a credential");
		c->key[c->credentials.n - 1].placeholder = blob_str(v);
		return 0;
	case VAULT_TAG_RENEWS:
		if (c->credentials.n == 0)
			return err_set(err, EBADMSG, "what is to be renewed is no credential");
		c->key[c->credentials.n - 1].renews = true;
		return 0;
	case VAULT_TAG_FORMER:
		return read_former(c, v, err);
	case VAULT_TAG_RULE:
		r = http_rule_get(&c->arena, v, &c->rules);
		break;
	default:
		r = -EBADMSG;
	}
	return r < 0 ? err_sys(err, -r, "the vault's configuration") : 0;
}

static void erase_secrets(char *data, size_t n)
{
	struct blob_iter it;
	struct blob_view v;
	blob_iter_init(&it, data, n);
	while (blob_next(&it, &v) > 0)
		if (v.tag == VAULT_TAG_SECRET || v.tag == VAULT_TAG_FORMER)
			explicit_bzero(data + (v.data - data), v.len);
}

int config_read(struct vault_config *c, char *data, size_t n, struct err *err)
{
	struct blob_iter it;
	struct blob_view v;
	int r = make_room(c, err), more;
	blob_iter_init(&it, data, n);
	while (r == 0 && (more = blob_next(&it, &v)) != 0)
		r = more < 0 ? err_set(err, EBADMSG, "the vault's configuration is malformed")
			     : read_record(c, &v, err);
	erase_secrets(data, n);
	for (size_t i = 0; r == 0 && i < c->credentials.n; i++)
		if (!c->key[i].value)
			r = err_set(err, EBADMSG, "a credential without a secret");
	scrub_ready(&c->scrub);
	/* no more than can be locked without a privilege is a fault of the limit's, not ours: what
	 * isn't locked may reach the swap space */
	if (r == 0 && c->n)
		(void)mlock(c->secrets, c->n);
	return r;
}

void config_erase(struct vault_config *c)
{
	if (c->secrets) {
		explicit_bzero(c->secrets, c->n);
		munmap(c->secrets, c->cap);
	}
	arena_free(&c->arena);
	*c = (struct vault_config){0};
}

/* ---- a request ---- */

struct filter {
	const struct vault_config *c;
	bool *seen; /* by credential: the request has its field */
	const bool *goes;
	bool ruled, injects;
};

/* Of one of these names? */
static bool one_of(struct http_span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (http_names(name, names[i]))
			return true;
	return false;
}

/* Another method or path than those that rules are held against. */
static bool overrides(struct http_span name)
{
	static const char *const names[] = {"x-http-method-override", "x-http-method",
		"x-method-override", "x-original-method", "x-forwarded-method", "x-original-url",
		"x-original-uri", "x-rewrite-url", "x-override-url", "x-forwarded-uri",
		"x-http-destinationurl"};
	return one_of(name, names, ARRAY_LEN(names));
}

/* A part of what is there: that a secret in it was cut would be the asker's choice. */
static bool asks_for_parts(struct http_span name)
{
	static const char *const names[] = {"range", "if-range", "request-range"};
	return one_of(name, names, ARRAY_LEN(names)) && !GUARD_REMOVED("vault-parts");
}

static bool keep_field(const void *arg, const struct h1_field *f)
{
	const struct filter *q = arg;
	for (size_t i = 0; i < q->c->credentials.n; i++) {
		if (!q->goes[i] || !http_names(f->name, q->c->credentials.v[i].header))
			continue;
		/* of all that it might be */
		for (; i < q->c->credentials.n; i++)
			q->seen[i] |= q->goes[i] &&
				http_names(f->name, q->c->credentials.v[i].header);
		return false;
	}
	/* rules would be of no use beside these */
	return !(q->ruled && overrides(f->name)) && !(q->injects && asks_for_parts(f->name));
}

/* ---- which of several ---- */

/* What "Basic " and its base64 say, as far as it fits; bytes of dst. */
static size_t basic_text(struct http_span v, char *dst, size_t cap)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const struct http_span kind = {v.p, 5};
	uint32_t bits = 0;
	size_t n = 0, have = 0;
	if (v.n < 6 || !http_is(kind, "basic") || v.p[5] != ' ')
		return 0;
	for (size_t i = 6; i < v.n && n < cap; i++) {
		const char *d = v.p[i] ? strchr(digits, v.p[i]) : NULL;
		if (!d)
			break;
		bits = bits << 6 | (uint32_t)(d - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			dst[n++] = (char)(bits >> have & 0xff);
		}
	}
	return n;
}

/* Has the request put the placeholder there, plain or as a part of basic authentication? */
static bool names_it(const struct vault_config *c, size_t i, const struct h1_head *h)
{
	char text[2048];
	const char *p = c->key[i].placeholder;
	for (size_t k = 0; p && k < h->n; k++) {
		const struct http_span v = h->f[k].value;
		if (!http_names(h->f[k].name, c->credentials.v[i].header))
			continue;
		const size_t n = basic_text(v, text, sizeof(text));
		if (memmem(v.p, v.n, p, strlen(p)) || memmem(text, n, p, strlen(p)))
			return true;
	}
	return false;
}

/* The credentials that go there; of several for one header that whose placeholder stands in it, or
 * the first. */
static void choose(const struct vault_config *c, const struct h1_head *h, const char *name,
	uint16_t port, bool ret[static CREDENTIALS_MAX])
{
	const struct credential *v = c->credentials.v;
	for (size_t i = 0; i < c->credentials.n; i++)
		ret[i] = credential_goes_to(&v[i], name, port) || GUARD_REMOVED("vault-hosts");
	for (size_t i = 0; i < c->credentials.n; i++)
		for (size_t k = i + 1; ret[i] && k < c->credentials.n; k++) {
			if (!ret[k] || !streq(v[i].header, v[k].header))
				continue;
			const bool other = names_it(c, k, h) && !names_it(c, i, h);
			ret[other ? i : k] = false;
		}
}

static bool asks_for(const struct h1_head *h, const struct credential *c)
{
	for (size_t i = 0; i < h->n; i++)
		if (http_names(h->f[i].name, c->header))
			return true;
	return c->always;
}

const struct credential *config_barred(
	const struct vault_config *c, const struct h1_head *h, const char *name, uint16_t port)
{
	bool use[CREDENTIALS_MAX];
	choose(c, h, name, port, use);
	for (size_t i = 0; i < c->credentials.n; i++) {
		const struct credential *cred = &c->credentials.v[i];
		if (use[i] && cred->requests.n && asks_for(h, cred) &&
			!credential_sends(cred, name, port, h->method.p, h->method.n, h->target.p,
				h->target.n))
			return cred;
	}
	return NULL;
}

int config_inject(const struct vault_config *c, const struct h1_head *h, const char *name,
	uint16_t port, struct buf *out, bool *ret_injected, bool *ret_renews)
{
	bool goes[CREDENTIALS_MAX], sends[CREDENTIALS_MAX], seen[CREDENTIALS_MAX] = {false};
	bool use[CREDENTIALS_MAX], any = false, renews = false;
	struct filter q = {.c = c,
		.seen = seen,
		.goes = goes,
		.ruled = http_rules_apply(&c->rules, name, port)};
	choose(c, h, name, port, use);
	for (size_t i = 0; i < c->credentials.n; i++) {
		const struct credential *cred = &c->credentials.v[i];
		goes[i] = credential_goes_to(cred, name, port) || GUARD_REMOVED("vault-hosts");
		/* a request that may not carry it goes without, and with no other in its place */
		sends[i] = use[i] &&
			(credential_sends(cred, name, port, h->method.p, h->method.n, h->target.p,
				 h->target.n) ||
				GUARD_REMOVED("vault-requests") || GUARD_REMOVED("vault-hosts"));
		q.ruled |= goes[i] && cred->requests.n > 0;
		q.injects |= sends[i] && asks_for(h, cred);
	}
	int r = h1_put_request(out, h, name, port, keep_field, &q);
	for (size_t i = 0; i < c->credentials.n && r == 0; i++) {
		const struct credential *cred = &c->credentials.v[i];
		if (!sends[i] || (!seen[i] && !cred->always))
			continue;
		any = true;
		renews |= c->key[i].renews;
		r = buf_addf(out, "%s: ", cred->header);
		r = r < 0 ? r : buf_add(out, c->key[i].value, c->key[i].n);
		r = r < 0 ? r : buf_add(out, "\r\n", 2);
	}
	r = r < 0 ? r : buf_add(out, "\r\n", 2);
	if (r == 0) {
		*ret_injected = any;
		*ret_renews = renews;
	}
	return r;
}

bool config_trailers_ok(
	const struct vault_config *c, const char *name, uint16_t port, struct http_span lines)
{
	struct http_span line, key, value;
	size_t at = 0;
	bool ruled = http_rules_apply(&c->rules, name, port);
	for (size_t i = 0; i < c->credentials.n; i++)
		ruled |= c->credentials.v[i].requests.n > 0 &&
			credential_goes_to(&c->credentials.v[i], name, port);
	while (http_next_line(lines.p, lines.n, &at, &line) > 0) {
		if (line.n == 0)
			return true;
		if (http_split_field(line, &key, &value) < 0 || (ruled && overrides(key)))
			return false;
		for (size_t i = 0; i < c->credentials.n; i++)
			if (credential_goes_to(&c->credentials.v[i], name, port) &&
				http_names(key, c->credentials.v[i].header))
				return false;
	}
	return true;
}
