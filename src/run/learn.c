/* run/learn.c - what one run connected to, and the smallest policy that allows it again; see run.h.
 *
 * Owns: the table of hosts, the words of the policy.  Must not: widen: only what was connected to
 * is learnt, name by name, without a wildcard; nothing by address, and no name that needs a private
 * one, as only a person knows what in their network is meant.
 *
 * The names come from inside.  They are canonical by the time the dialer tells of them, and are
 * looked at again here, as they become a file of rules.
 */
#include "run/run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "policy/write.h"
#include "run/learn-request.h"
#include "run/learn-who.h"
#include "vault/vault.h"

enum { LEARN_MAX = 4096, DENIED_MAX = 256 };

struct learnt {
	char *host;
	uint16_t port;
	bool asked;
	uint64_t times, flows, up, down;
	char *who; /* the program that was the first to connect there; NULL: not known */
	struct learn_requests *requests; /* NULL: nobody looks at them there */
};

struct refused {
	char *target, *reason;
	uint64_t times;
};

struct run_learn {
	struct learnt v[LEARN_MAX];
	size_t n;
	struct refused denied[DENIED_MAX];
	size_t n_denied;
	uint64_t lost;          /* hosts past LEARN_MAX */
	uint64_t lost_requests; /* that the vault could not tell of */
};

int run_learn_begin(struct run *r, struct err *err)
{
	r->learn = arena_alloc(&r->arena, sizeof(*r->learn));
	if (!r->learn)
		return err_set(err, ENOMEM, "out of memory");
	memset(r->learn, 0, sizeof(*r->learn));
	return 0;
}

/* "example.com:443" of the dialer; NULL for what is no name and port. */
static struct learnt *find(struct run *r, const char *target)
{
	struct run_learn *l = r->learn;
	char name[HOST_NAME_MAX_LEN + 1];
	const char *colon = strrchr(target, ':');
	char *end;
	if (!colon || host_canonical(target, (size_t)(colon - target), name) < 0)
		return NULL;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end || end == colon + 1 || port == 0 || port > 65535)
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].port == port && streq(l->v[i].host, name))
			return &l->v[i];
	char *host = l->n < LEARN_MAX ? arena_dup(&r->arena, name) : NULL;
	if (!host) {
		l->lost++;
		return NULL;
	}
	l->v[l->n] = (struct learnt){.host = host, .port = (uint16_t)port};
	return &l->v[l->n++];
}

static void note_denied(struct run *r, const struct dialer_denial *d)
{
	struct run_learn *l = r->learn;
	if (d->count > 1 || l->n_denied == DENIED_MAX)
		return; /* it was told when it was new */
	struct refused x = {.target = arena_dup(&r->arena, d->target),
		.reason = arena_dup(&r->arena, d->reason)};
	if (x.target && x.reason)
		l->denied[l->n_denied++] = x;
}

void run_learn_asks(void *run, const char *name, uint16_t port, uint16_t client)
{
	struct run *r = run;
	char target[300], who[LEARN_WHO_LEN];
	snprintf(target, sizeof(target), "%s:%u", name, port);
	struct learnt *x = find(r, target);
	/* the first one is meant: whoever comes later is not looked for */
	if (!x || x->asked)
		return;
	x->asked = true;
	if (learn_who(sandbox_init_pid(r->sandbox), port, client, who, sizeof(who)) == 0)
		x->who = arena_dup(&r->arena, who);
}

void run_learn_verdict(struct run *r, bool allowed, const struct dialer_denial *d)
{
	if (!r->learn)
		return;
	if (!allowed) {
		note_denied(r, d);
		return;
	}
	struct learnt *x = find(r, d->target);
	if (x)
		x->times += d->count;
}

void run_learn_flow(struct run *r, const char *target, uint64_t up, uint64_t down)
{
	struct learnt *x = r->learn ? find(r, target) : NULL;
	if (!x)
		return;
	x->flows++;
	x->up += up;
	x->down += down;
}

void run_learn_request(struct run *r, const struct sandbox_http *h)
{
	char target[300];
	if (!r->learn)
		return;
	r->learn->lost_requests += h->lost;
	if (!*h->method || (h->why != VAULT_WHY_NONE && h->why != VAULT_WHY_UPSTREAM))
		return;
	snprintf(target, sizeof(target), "%s:%u", h->name, h->port);
	struct learnt *x = find(r, target);
	if (x && !x->requests) {
		x->requests = arena_alloc(&r->arena, sizeof(*x->requests));
		if (x->requests)
			memset(x->requests, 0, sizeof(*x->requests));
	}
	if (x && x->requests)
		learn_request_add(&r->arena, x->requests, h->method, h->path,
			strlen(h->path) >= sizeof(((struct vault_tell_msg *)0)->path) - 1);
}

/* ---- what becomes of it ---- */

enum kind { FRESH, KNOWN, LEFT, UNUSED };

/* A rule of today's that allows it, or learn's own; what needs "private" is left to a person. */
static enum kind kind_of(
	const struct run *r, const struct learnt *x, struct egress_rule *ret_rule, bool *ret_raw)
{
	const struct pack *pack = r->live.fd >= 0 ? &r->live : &r->pack;
	struct egress_verdict v = egress_match(pack->egress, x->host, x->port);
	*ret_rule = (struct egress_rule){.text = "", .file = ""};
	*ret_raw = v.raw;
	if (!x->times) /* asked for, and refused */
		return UNUSED;
	/* denied in the meantime, or of a private network */
	if (v.action != EGRESS_ALLOW || v.private_ok || host_name_special(x->host))
		return LEFT;
	egress_rule(pack->egress, v.rule, ret_rule);
	return streq(ret_rule->file, PACK_LEARN_FILE) ? FRESH : KNOWN;
}

/* Names of one domain beside each other: by their labels from the last. */
static int by_labels(const void *pa, const void *pb)
{
	const struct learnt *a = pa, *b = pb;
	size_t i = strlen(a->host), k = strlen(b->host);
	while (i && k && a->host[i - 1] == b->host[k - 1]) {
		i--;
		k--;
	}
	if (i && k) { /* a dot comes first, so that what lies below a name follows it */
		char x = a->host[i - 1], y = b->host[k - 1];
		return x == '.' ? -1 : y == '.' ? 1 : x < y ? -1 : 1;
	}
	if (i != k)
		return i < k ? -1 : 1;
	return (int)a->port - b->port;
}

static void used(FILE *f, const struct learnt *x)
{
	char who[4 * LEARN_WHO_LEN];
	fprintf(f, "  # %" PRIu64 " connection%s", x->times, x->times == 1 ? "" : "s");
	if (x->flows)
		fprintf(f, ", %" PRIu64 " bytes up, %" PRIu64 " down", x->up, x->down);
	else
		fprintf(f, ", none came about");
	if (x->who)
		fprintf(f, ", first by %s", escape_text(who, sizeof(who), x->who));
}

/* What today's policies let be sent stays the limit. */
static void put_rule(
	const struct run *r, FILE *f, const struct learnt *x, const struct learn_glob *g, bool raw)
{
	const struct pack *pack = r->live.fd >= 0 ? &r->live : &r->pack;
	const uint64_t limit = http_max_upload(pack->http, x->host, x->port);
	const bool limited = limit != UINT64_MAX;
	fprintf(f, "  - %s\"%s%s%s", raw || limited ? "host: " : "", g ? g->methods : "",
		g ? " " : "", x->host);
	if (x->port != 443)
		fprintf(f, ":%u", x->port);
	fprintf(f, "%s\"%s\n", g ? g->path : "", raw ? "\n    raw: true" : "");
	if (limited) {
		fputs("    max-upload: ", f);
		write_size(f, limit);
		fputc('\n', f);
	}
}

/* Where requests were looked at, a line for each kind of them. */
static void put_requests(struct run *r, FILE *f, const struct learnt *x)
{
	struct learn_requests *l = x->requests;
	learn_requests_fold(&r->arena, l);
	for (size_t i = 0; i < l->n; i++) {
		fprintf(f, "  # %" PRIu64 " request%s\n", l->v[i].times,
			l->v[i].times == 1 ? "" : "s");
		put_rule(r, f, x, &l->v[i], false);
	}
	if (l->unsaid)
		fprintf(f, "  # and requests to %s that no rule can say\n", x->host);
}

/* One line a port, each with what used it; together they are the smallest set. */
static void put_rules(struct run *r, FILE *f, enum kind kind)
{
	struct egress_rule rule;
	char file[300];
	bool raw, any = false;
	for (size_t i = 0; i < r->learn->n; i++) {
		const struct learnt *x = &r->learn->v[i];
		if (kind_of(r, x, &rule, &raw) != kind)
			continue;
		if (!any)
			fprintf(f, "  # ---- %s ----\n",
				kind == FRESH ? "not allowed by today's policies"
					      : "allowed already, by the rule named");
		any = true;
		used(f, x);
		if (kind == KNOWN)
			fprintf(f, "; %s%s%.0u",
				escape_text(file, sizeof(file), path_base(rule.file)),
				rule.line ? ":" : "", rule.line);
		fputc('\n', f);
		if (x->requests && x->requests->n && !raw)
			put_requests(r, f, x);
		else
			put_rule(r, f, x, NULL, raw);
	}
}

static bool goes_there(const struct run *r, const struct credential *c)
{
	struct egress_rule rule;
	bool raw;
	for (size_t i = 0; i < r->learn->n; i++) {
		const struct learnt *x = &r->learn->v[i];
		if (credential_goes_to(c, x->host, x->port) && kind_of(r, x, &rule, &raw) < LEFT)
			return true;
	}
	return false;
}

/* The policy is to be used in the place of today's: keys that stay outside by those must not come
 * inside for want of them. */
static void put_credentials(struct run *r, FILE *f)
{
	const struct pack *pack = r->live.fd >= 0 ? &r->live : &r->pack;
	bool any = false;
	for (size_t i = 0; pack->credentials && i < pack->credentials->n; i++) {
		const struct credential *c = &pack->credentials->v[i];
		if (!goes_there(r, c))
			continue;
		if (!any)
			fputs("credentials:\n", f);
		any = true;
		write_credential(&r->arena, f, c);
	}
}

/* A comment is one line, whatever was asked for. */
static void put_left(const struct run *r, FILE *f)
{
	struct egress_rule rule;
	char target[400], reason[400];
	bool raw, any = false;
	for (size_t i = 0; i < r->learn->n; i++) {
		const struct learnt *x = &r->learn->v[i];
		if (kind_of(r, x, &rule, &raw) != LEFT)
			continue;
		if (!any)
			fprintf(f,
				"# Not learnt, as it may be private; it needs a rule of yours:\n");
		any = true;
		fprintf(f, "#   %s:%u\n", x->host, x->port);
	}
	for (size_t i = 0; i < r->learn->n_denied; i++) {
		const struct refused *x = &r->learn->denied[i];
		fprintf(f, "%s#   %s: %s\n", i ? "" : "# Denied while learning, too:\n",
			escape_text(target, sizeof(target), x->target),
			escape_text(reason, sizeof(reason), x->reason));
	}
	if (r->learn->lost)
		fprintf(f, "# More than %d hosts: the rest is not here.\n", LEARN_MAX);
	if (r->learn->lost_requests)
		fprintf(f,
			"# %" PRIu64 " requests were too many to be told of: they are not here.\n",
			r->learn->lost_requests);
}

struct run_learn_sum run_learn_sum(const struct run *r)
{
	struct run_learn_sum sum = {0};
	struct egress_rule rule;
	bool raw;
	for (size_t i = 0; i < r->learn->n; i++) {
		enum kind k = kind_of(r, &r->learn->v[i], &rule, &raw);
		sum.fresh += k == FRESH;
		sum.known += k == KNOWN;
		sum.left += k == LEFT;
	}
	return sum;
}

char *run_learn_yaml(struct run *r, struct err *err)
{
	struct run_learn *l = r->learn;
	const struct run_learn_sum sum = run_learn_sum(r);
	const char *name = r->pack.profile.name;
	char *text = NULL, *copy = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (f) {
		qsort(l->v, l->n, sizeof(*l->v), by_labels);
		fprintf(f,
			"# Learnt by bawn " PACKAGE_VERSION
			" from one run of %s: what it connected to, and no more.\n"
			"# Look at each line before you use it.  What it changes: bawn policy diff "
			"profile:%s FILE\n"
			"summary: Learnt from a run of %s\n"
			"allow:%s\n",
			name, name, name, sum.fresh + sum.known ? "" : " []");
		put_rules(r, f, FRESH);
		put_rules(r, f, KNOWN);
		put_credentials(r, f);
		put_left(r, f);
		bool failed = ferror(f);
		failed |= fclose(f) != 0;
		copy = failed ? NULL : arena_dup(&r->arena, text);
		free(text);
	}
	if (!copy)
		err_set(err, ENOMEM, "out of memory");
	return copy;
}
