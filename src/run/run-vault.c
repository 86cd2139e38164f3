/* run/run-vault.c - the vault of a run: what it is told, what goes through it, what it tells; see
 * run.h and sandbox/vault.h.
 */
#include "base/blob.h"
#include "base/escape.h"
#include "base/fd.h"
#include "run/credential.h"
#include "vault/vault.h"

#include <inttypes.h>
#include <sys/mman.h>

enum { BLOB_SLACK = 8192 }; /* what stands beside the secret of a credential, at most */

static const struct pack *policy_of(const struct run *r)
{
	return r->live.fd >= 0 ? &r->live : &r->pack;
}

static size_t n_active(const struct run *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_credentials; i++)
		n += r->credentials[i].active;
	return n;
}

bool run_vault_wanted(const struct run *r)
{
	return (n_active(r) || http_rules_any(policy_of(r)->http)) && !r->opt.offline;
}

/* All memory that it will need at once, so that no copy of a secret is left behind. */
static int reserve(struct blob *b, const struct run *r)
{
	size_t n = 1 << 20;
	for (size_t i = 0; i < r->n_credentials; i++)
		n += r->credentials[i].value.n + BLOB_SLACK;
	_cleanup_free_ char *zero = calloc(1, n);
	int k = zero ? blob_put(b, 0, zero, n) : -ENOMEM;
	b->n = 0;
	return k;
}

static int configure(struct run *r, bool renew, struct err *err)
{
	struct blob b = {0};
	int k = reserve(&b, r);
	for (size_t i = 0; i < r->n_credentials && k == 0; i++) {
		const struct run_credential *c = &r->credentials[i];
		if (c->active)
			k = vault_config_credential(
				&b, c->c, c->value.v, c->value.n, c->placeholder);
		const struct run_login *l = c->active && c->from_login
			? run_login_of(r, c->c->secret)
			: NULL;
		if (k == 0 && l && !l->dead)
			k = vault_config_renews(&b, l->former.v, l->former.n);
	}
	if (k == 0 && policy_of(r)->http)
		k = vault_config_rules(&b, policy_of(r)->http);
	if (k == 0)
		k = renew ? sandbox_vault_renew(r->sandbox, b.data, b.n, err)
			  : sandbox_vault(r->sandbox, b.data, b.n, err);
	else
		err_sys(err, -k, "tell the vault its credentials");
	if (b.data)
		explicit_bzero(b.data, b.cap);
	blob_free(&b);
	run_credentials_drop(r);
	return k;
}

int run_vault_configure(struct run *r, struct err *err)
{
	return configure(r, false, err);
}

int run_vault_renew(struct run *r, struct err *err)
{
	if (!sandbox_has_vault(r->sandbox))
		return 0;
	int k = run_credentials_again(r, policy_of(r), err);
	return k < 0 ? k : configure(r, true, err);
}

int run_vault_start(struct run *r, struct err *err)
{
	int k = 0;
	r->ca = run_vault_wanted(r);
	if (r->opt.dry_run || !r->ca)
		run_credentials_drop(r);
	else
		k = run_vault_configure(r, err);
	return k;
}

/* What seeding has found counts, too. */
int run_vault_ready(struct run *r, struct err *err)
{
	bool found = false;
	for (size_t i = 0; i < r->n_credentials; i++)
		found |= r->credentials[i].seeded && !r->credentials[i].active;
	int k = 0;
	if (r->logins.n && !r->opt.offline && !r->opt.dry_run) {
		k = run_logins_start(r, err);
		found = true;
	}
	if (k == 0 && found)
		k = run_credentials_fetch(r, err);
	if (k == 0 && found)
		k = run_vault_start(r, err);
	if (k == 0)
		k = run_credentials_note(r, err);
	if (k == 0 && r->ca && !r->opt.dry_run)
		k = sandbox_vault_certificate(r->sandbox, &r->arena, &r->ca_pem, err);
	return k;
}

int run_vault_again(struct run *r, struct err *err)
{
	if (!sandbox_has_vault(r->sandbox))
		return 0;
	int k = run_credentials_again(r, policy_of(r), err);
	if (k == 0)
		k = run_vault_configure(r, err);
	return k < 0 ? k : run_credentials_note(r, err);
}

int run_vault_keys(struct run *r, int fd, struct session_msg *answer, struct err *err)
{
	enum { ALL_MAX = 1 << 20 };
	bool changed = false, logins = false;
	char *all = mmap(NULL, ALL_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return err_set(err, ENOMEM, "out of memory");
	ssize_t n = fd_pread_full(fd, all, ALL_MAX - 1, 0);
	answer->value = sandbox_has_vault(r->sandbox);
	for (char *p = all; answer->value && n > 0 && p < all + n; p += strlen(p) + 1)
		changed |= *p == '@' ? (logins |= run_logins_take(r, p + 1))
				     : run_credentials_adopt(r, p);
	explicit_bzero(all, ALL_MAX);
	munmap(all, ALL_MAX);
	if (n < 0)
		return err_sys(err, (int)-n, "read the keys");
	int k = logins && !r->opt.offline ? run_logins_start(r, err) : 0;
	return k == 0 && changed ? run_vault_again(r, err) : k;
}

/* ---- what goes through it ---- */

enum sandbox_terminated run_vault_terminated(void *ctx, const char *name, uint16_t port)
{
	const struct run *r = ctx;
	const struct http_rules *http = policy_of(r)->http;
	if (http_rules_apply(http, name, port))
		return SANDBOX_RULES;
	for (size_t i = 0; i < r->n_credentials; i++)
		if (r->credentials[i].active && credential_goes_to(r->credentials[i].c, name, port))
			return SANDBOX_CREDENTIAL;
	return SANDBOX_END_TO_END;
}

/* Where the vault is on the way it counts; the relay does elsewhere. */
uint64_t run_vault_max_upload(void *ctx, const char *name, uint16_t port, uint32_t *ret_rule)
{
	const struct http_rules *http = policy_of(ctx)->http;
	const uint64_t most = http_max_upload(http, name, port);
	*ret_rule = http_max_upload_rule(http, name, port);
	return most == UINT64_MAX ? 0 : most;
}

struct http_verdict run_vault_judge(
	void *ctx, const char *name, uint16_t port, const char *method, const char *target)
{
	return http_decide(
		policy_of(ctx)->http, name, port, method, strlen(method), target, strlen(target));
}

/* ---- what it tells ---- */

static const char *credential_name(const struct run *r, const struct sandbox_http *h)
{
	for (size_t i = 0; i < r->n_credentials && h->injected; i++)
		if (r->credentials[i].active &&
			credential_goes_to(r->credentials[i].c, h->name, h->port))
			return r->credentials[i].c->secret;
	return "";
}

/* "api.github.com/repos/x", "api.test:8443/x" */
static const char *place(const struct sandbox_http *h, char *dst, size_t n)
{
	if (h->port == 443)
		snprintf(dst, n, "%s%s", h->name, h->path);
	else
		snprintf(dst, n, "%s:%" PRIu16 "%s", h->name, h->port, h->path);
	return dst;
}

static void note_request(struct run *r, const struct sandbox_http *h)
{
	char target[1600];
	struct audit_field f[] = {{.key = "method", .str = h->method},
		{.key = "target", .str = place(h, target, sizeof(target))},
		{.key = "status", .num = h->status}, {.key = "credential"}, {.key = "reason"}};
	f[3].str = credential_name(r, h);
	f[4].str = h->why ? h->text : "";
	run_audit(r, "request", f, ARRAY_LEN(f));
}

/* The policy by which the request could have its credential. */
static void name_wider(const struct run *r, const struct sandbox_http *h, char *dst, size_t n)
{
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct credential *c = r->credentials[i].c;
		if (r->credentials[i].active && c->beyond &&
			credential_goes_to(c, h->name, h->port))
			snprintf(dst, n, "--policy %s", c->beyond);
	}
}

static void note_refusal(struct run *r, const struct sandbox_http *h)
{
	static const char *const reasons[] = {[VAULT_WHY_TLS] = "its TLS handshake failed",
		[VAULT_WHY_MALFORMED] = "what is sent isn't well-formed HTTP/1",
		[VAULT_WHY_HOST] = "a request on it names another host",
		[VAULT_WHY_RULE] = "no rule allows this request",
		[VAULT_WHY_BUDGET] = "the policy's max-upload is used up",
		[VAULT_WHY_LIMIT] = "too many connections at once"};
	char target[1700], where[1600], reason[1200], fix[1800] = "", word[1700];
	const char *why = h->why < ARRAY_LEN(reasons) ? reasons[h->why] : NULL;
	place(h, where, sizeof(where));
	if (*h->method && h->why != VAULT_WHY_UNTRUSTED)
		snprintf(target, sizeof(target), "%s %s", h->method, where);
	else
		snprintf(target, sizeof(target), "%s:%" PRIu16, h->name, h->port);
	if (h->why == VAULT_WHY_RULE && h->rule == EGRESS_NO_RULE && *h->method) {
		/* a path that was cut off would be another one */
		bool whole = strlen(h->path) < sizeof(((struct vault_tell_msg *)0)->path) - 1;
		if (whole)
			snprintf(fix, sizeof(fix), "--allow %s",
				escape_shell(word, sizeof(word), target));
	}
	if (h->why == VAULT_WHY_REQUESTS)
		name_wider(r, h, fix, sizeof(fix));
	if (h->why == VAULT_WHY_RULE && h->rule != EGRESS_NO_RULE)
		why = "a rule denies this request";
	const bool detail = *h->text && h->why != VAULT_WHY_RULE;
	/* what the agent is told of the policy is what the fix says */
	const size_t n = h->why == VAULT_WHY_REQUESTS ? strcspn(h->text, ";") : strlen(h->text);
	snprintf(reason, sizeof(reason), "%s%s%.*s", why ? why : "", why && detail ? ": " : "",
		detail || !why ? (int)n : 0, h->text);
	const uint32_t rule = h->why == VAULT_WHY_BUDGET
		? http_max_upload_rule(policy_of(r)->http, h->name, h->port)
		: h->rule;
	sandbox_denied(r->sandbox, target, reason, rule, fix);
}

void run_vault_told(void *ctx, const struct sandbox_http *h)
{
	struct run *r = ctx;
	run_logins_answered(r, h);
	if (h->lost) {
		const struct audit_field f[] = {{.key = "what", .str = "requests not in this log"},
			{.key = "count", .num = h->lost}};
		run_audit(r, "limit", f, ARRAY_LEN(f));
	}
	run_learn_request(r, h);
	if (h->why == VAULT_WHY_NONE || h->why == VAULT_WHY_UPSTREAM)
		note_request(r, h);
	else
		note_refusal(r, h);
}
