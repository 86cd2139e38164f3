/* egress/dialer-deny.c - what was denied, in words, and how often.
 *
 * Owns: the table of denials and of allowed targets.  A flood of one denial is one entry with a
 * count; more kinds than the table holds are counted together.
 */
#include <arpa/inet.h>
#include <inttypes.h>

#include "egress/dialer-int.h"

/* ---- words ---- */

void dialer_format_target(char *dst, size_t cap, const char *name, uint16_t port)
{
	snprintf(dst, cap, "%s:%" PRIu16, name, port);
}

void dialer_format_addr(char *dst, size_t cap, const struct host_addr *a, uint16_t port)
{
	char s[INET6_ADDRSTRLEN + 8];
	host_addr_format(a, s, sizeof(s));
	bool v6 = !host_addr_is_v4(a);
	if (port)
		snprintf(dst, cap, "%s%s%s:%" PRIu16, v6 ? "[" : "", s, v6 ? "]" : "", port);
	else
		snprintf(dst, cap, "%s", s);
}

void dialer_fix_name(char *dst, size_t cap, const char *option, const char *host, uint16_t port)
{
	if (port == 443)
		snprintf(dst, cap, "%s %s", option, host);
	else
		snprintf(dst, cap, "%s %s:%" PRIu16, option, host, port);
}

void dialer_fix_addr(char *dst, size_t cap, const struct host_addr *a, uint16_t port)
{
	char s[80];
	const char *special = host_addr_special(a);
	dialer_format_addr(s, sizeof(s), a, port == 443 ? 0 : port);
	snprintf(dst, cap, "--allow %s", s);
	if (special && streq(special, "metadata")) /* tools ask there unasked: nothing to propose */
		dst[0] = '\0';
}

const char *dialer_deny_reason(const struct egress_verdict *v, bool offline, char *fix)
{
	if (!offline && v->rule == EGRESS_NO_RULE)
		return *fix
			? "no rule allows it"
			: "a cloud metadata service hands out credentials, and no rule allows it";
	*fix = '\0'; /* deny wins over every --allow */
	return offline ? "this run is offline" : "a rule denies it";
}

void deny_rule_text(const struct dialer *d, uint32_t rule, char *dst, size_t cap)
{
	struct egress_rule r;
	dst[0] = '\0';
	if (rule == EGRESS_NO_RULE || egress_rule(d->c.egress, rule, &r) < 0)
		return;
	const char *verb = r.deny ? "deny" : "allow";
	if (r.line)
		snprintf(dst, cap, "%s:%" PRIu32 ": %s %s", r.file, r.line, verb, r.text);
	else
		snprintf(dst, cap, "%s %s", r.file, r.text);
}

/* ---- the tables ---- */

static void show(const struct dialer *d, bool allowed, const struct dialer_denial *x)
{
	if (d->c.hooks.verdict)
		d->c.hooks.verdict(d->c.hooks.ctx, allowed, x);
}

/* The whole command that would allow it, or "" where none would. */
static char *whole_fix(const struct dialer *d, const char *fix)
{
	char *s = NULL;
	const char *before = d->c.fix_prefix ? d->c.fix_prefix : "bawn run";
	const char *after = d->c.fix_suffix ? d->c.fix_suffix : "";
	if (!fix[0])
		return strdup("");
	/* A sandbox that lasts can be told while it runs. */
	static const struct {
		const char *option, *command;
	} live[] = {{"--allow ", "allow"}, {"--allow-private ", "allow --private"}};
	for (size_t i = 0; i < ARRAY_LEN(live) && d->c.fix_sandbox; i++)
		if (has_prefix(fix, live[i].option))
			return asprintf(&s, "bawn policy %s %s --sandbox %s", live[i].command,
				       fix + strlen(live[i].option), d->c.fix_sandbox) < 0
				? NULL
				: s;
	return asprintf(&s, "%s %s%s%s", before, fix, after[0] ? " " : "", after) < 0 ? NULL : s;
}

void deny_note(struct dialer *d, const char *target, const char *reason, uint32_t rule,
	const char *fix, uint32_t count)
{
	for (unsigned i = 0; i < d->n_denials; i++) {
		struct denial *x = &d->denials[i];
		if (streq(x->target, target) && streq(x->reason, reason)) {
			x->count += count;
			return;
		}
	}
	char text[600];
	deny_rule_text(d, rule, text, sizeof(text));
	struct denial *x = &d->overflow;
	if (d->n_denials < DIALER_MAX_DENIALS) {
		struct denial fresh = {.target = strdup(target),
			.reason = strdup(reason),
			.rule = strdup(text),
			.fix = whole_fix(d, fix)};
		if (fresh.target && fresh.reason && fresh.rule && fresh.fix) {
			x = &d->denials[d->n_denials++];
			*x = fresh;
		} else {
			free(fresh.target);
			free(fresh.reason);
			free(fresh.rule);
			free(fresh.fix);
		}
	}
	x->count += count;
	if (x == &d->overflow && x->count > count)
		return;
	if (x == &d->overflow)
		show(d, false,
			&(struct dialer_denial){.target = "other targets",
				.reason = "too many to list",
				.rule = "",
				.fix = "",
				.count = x->count});
	else
		show(d, false,
			&(struct dialer_denial){.target = x->target,
				.reason = x->reason,
				.rule = x->rule,
				.fix = x->fix,
				.count = x->count});
}

uint64_t upload_limit(const struct dialer *d, const struct job *j)
{
	uint32_t rule;
	const struct dialer_vault *v = &d->c.vault;
	return j->by_name && v->limit ? v->limit(v->ctx, j->name, j->ask_port, &rule) : 0;
}

void deny_upload(struct dialer *d, const struct egress_ask_msg *m, const char *target)
{
	char name[HOST_NAME_MAX_LEN + 1], reason[160];
	uint32_t rule = EGRESS_NO_RULE;
	const struct dialer_vault *v = &d->c.vault;
	if (host_canonical(m->name, strnlen(m->name, sizeof(m->name)), name) < 0)
		return;
	const uint64_t most = v->limit ? v->limit(v->ctx, name, m->port, &rule) : 0;
	snprintf(reason, sizeof(reason),
		"the policy lets a run send %" PRIu64
		" bytes there (max-upload), and they are used up",
		most);
	deny_note(d, target, reason, rule, "", MAX(m->count, 1u));
}

static void tell_allowed(struct dialer *d, struct allowed *a)
{
	char text[600];
	deny_rule_text(d, a->rule, text, sizeof(text));
	show(d, true,
		&(struct dialer_denial){.target = a->target,
			.reason = "allowed",
			.rule = text,
			.fix = "",
			.count = a->count});
	a->count = 0;
	a->told = d->now;
}

void allow_note(struct dialer *d, const char *target, uint32_t rule, uint32_t count)
{
	struct allowed *a = NULL;
	if (!d->c.hooks.verdict)
		return;
	if (!d->allowed)
		d->allowed = calloc(DIALER_MAX_ALLOWED, sizeof(*d->allowed));
	if (!d->allowed)
		return;
	for (unsigned i = 0; i < d->n_allowed && !a; i++)
		if (d->allowed[i].rule == rule && streq(d->allowed[i].target, target))
			a = &d->allowed[i];
	if (!a) {
		if (d->n_allowed == DIALER_MAX_ALLOWED) {
			allow_flush(d);
			d->n_allowed = 0;
		}
		a = &d->allowed[d->n_allowed++];
		a->count = a->told = 0;
		a->rule = rule;
		snprintf(a->target, sizeof(a->target), "%s", target);
	}
	a->count += count;
	if (a->told == 0 || d->now - a->told >= 1000)
		tell_allowed(d, a);
}

void allow_flush(struct dialer *d)
{
	for (unsigned i = 0; i < d->n_allowed; i++)
		if (d->allowed[i].count)
			tell_allowed(d, &d->allowed[i]);
}

void deny_text(const struct dialer *d, char *dst, size_t cap, const char *target,
	const char *reason, uint32_t rule, const char *fix)
{
	char by[600];
	dialer_rule_inside(d, rule, by, sizeof(by));
	int n = snprintf(dst, cap, "bawn: %s is refused: %s%s%s%s.\n", target, reason,
		by[0] ? " (" : "", by, by[0] ? ")" : "");
	if (!fix[0] || n <= 0 || (size_t)n >= cap)
		return;
	char *command = whole_fix(d, fix);
	int k = command
		? snprintf(dst + n, cap - (size_t)n, "To allow it, on the host: %s\n", command)
		: -1;
	if (k < 0 || (size_t)(n + k) >= cap) /* half a command must not be pasted */
		snprintf(dst + n, cap - (size_t)n,
			"To allow it, on the host, add to the command: %s\n", fix);
	free(command);
}

static int by_count(const void *a, const void *b)
{
	const struct denial *x = *(const struct denial *const *)a;
	const struct denial *y = *(const struct denial *const *)b;
	return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->target, y->target);
}

void dialer_each_denial(
	const struct dialer *d, void (*fn)(void *ctx, const struct dialer_denial *x), void *ctx)
{
	const struct denial *order[DIALER_MAX_DENIALS];
	for (unsigned i = 0; i < d->n_denials; i++)
		order[i] = &d->denials[i];
	qsort(order, d->n_denials, sizeof(order[0]), by_count);
	for (unsigned i = 0; i < d->n_denials; i++) {
		const struct denial *x = order[i];
		fn(ctx, &(struct dialer_denial){x->target, x->reason, x->rule, x->fix, x->count});
	}
	if (d->overflow.count)
		fn(ctx,
			&(struct dialer_denial){
				"other targets", "too many to list", "", "", d->overflow.count});
}

bool dialer_denial(const struct dialer *d, unsigned i, struct dialer_denial *ret)
{
	if (i >= d->n_denials)
		return false;
	const struct denial *x = &d->denials[d->n_denials - 1 - i];
	*ret = (struct dialer_denial){x->target, x->reason, x->rule, x->fix, x->count};
	return true;
}

void deny_free(struct dialer *d)
{
	for (unsigned i = 0; i < d->n_denials; i++) {
		free(d->denials[i].target);
		free(d->denials[i].reason);
		free(d->denials[i].rule);
		free(d->denials[i].fix);
	}
	d->n_denials = 0;
	free(d->allowed);
	d->allowed = NULL;
}

void dialer_denied(
	struct dialer *d, const char *target, const char *reason, uint32_t rule, const char *fix)
{
	dialer_update_now(d);
	deny_note(d, target, reason, rule, fix, 1);
}
