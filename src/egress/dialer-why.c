/* egress/dialer-why.c - the agent asks why: a connection to a name of policy/why-name.h is answered
 * with a verdict in words, and never made.
 *
 * Nothing is changed, looked up or connected by it.  What the agent learns is no more than a denied
 * connection would tell it: the rule, the name of the policy and the line it stands in, and the
 * command for the person outside; no path of the host, and nothing of the command line.
 */
#include <inttypes.h>

#include "base/escape.h"
#include "base/path.h"
#include "egress/dialer-int.h"
#include "policy/path-glob.h"
#include "policy/why-name.h"

/* A question costs as little as a denial; still, nobody needs many. */
enum { WHY_PER_S = 20, WHY_BURST = 200 };

bool dialer_why_take(struct dialer *d)
{
	uint64_t max = (uint64_t)WHY_BURST * 1000;
	d->why_tokens = d->why_last ? MIN(max, d->why_tokens + (d->now - d->why_last) * WHY_PER_S)
				    : max;
	d->why_last = d->now ? d->now : 1;
	if (d->why_tokens < 1000 && !GUARD_REMOVED("why-rate"))
		return false;
	d->why_tokens -= MIN(d->why_tokens, (uint64_t)1000);
	return true;
}

void dialer_rule_inside(const struct dialer *d, uint32_t rule, char *dst, size_t cap)
{
	struct egress_rule r;
	dst[0] = '\0';
	if (rule == EGRESS_NO_RULE || egress_rule(d->c.egress, rule, &r) < 0)
		return;
	const char *verb = r.deny ? "deny" : "allow";
	const char *base = path_base(r.file);
	size_t n = strlen(base);
	if (n > 5 && streq(base + n - 5, ".yaml"))
		n -= 5;
	if (!r.line)
		snprintf(dst, cap, "%s %s", r.file, r.text);
	else
		snprintf(dst, cap, "policy %.*s, line %" PRIu32 ": %s %s", (int)n, base, r.line,
			verb, r.text);
}

/* The command for the person, where one would help. */
static void command(const struct dialer *d, const char *fix, char *dst, size_t cap)
{
	static const struct {
		const char *option, *command;
	} live[] = {{"--allow ", "allow"}, {"--allow-private ", "allow --private"}};
	dst[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(live) && d->c.fix_sandbox; i++)
		if (has_prefix(fix, live[i].option)) {
			snprintf(dst, cap, "bawn policy %s %s --sandbox %s", live[i].command,
				fix + strlen(live[i].option), d->c.fix_sandbox);
			return;
		}
	if (*fix)
		snprintf(dst, cap, "bawn run %s (and the rest of the command as before)", fix);
}

struct verdict {
	bool allowed;
	const char *why;
	uint32_t rule;
	char fix[900]; /* the option that would allow it, or "" */
};

/* The connection is allowed: the request, too? */
static void judge_request(const struct dialer *d, const struct why_question *q, struct verdict *v)
{
	const struct dialer_vault *vault = &d->c.vault;
	char host[300], rule[700], word[800];
	if (!vault->judge || q->to.is_addr)
		return;
	struct http_verdict h = vault->judge(
		vault->ctx, q->to.name, q->to.port, q->method, q->path);
	if (h.action == EGRESS_ALLOW && h.rule == EGRESS_NO_RULE)
		return; /* nobody looks at requests there */
	v->rule = h.rule;
	v->allowed = h.action == EGRESS_ALLOW;
	v->why = v->allowed ? "a rule allows this request" : h.why;
	if (v->allowed || h.rule != EGRESS_NO_RULE)
		return;
	if (q->to.port == 443)
		snprintf(host, sizeof(host), "%s", q->to.name);
	else
		dialer_format_target(host, sizeof(host), q->to.name, q->to.port);
	if (request_as_rule(q->method, host, q->path, strlen(q->path), rule, sizeof(rule)))
		snprintf(v->fix, sizeof(v->fix), "--allow %s",
			escape_shell(word, sizeof(word), rule));
}

static void judge_address(const struct target *t, const struct egress_verdict *e, struct verdict *v)
{
	const char *range = host_addr_special(&t->addr);
	v->why = "a rule allows it";
	if (range && !e->exact && (streq(range, "metadata") || !e->private_ok)) {
		v->why = "a rule for a network leaves out its special addresses";
		v->allowed = false;
	}
}

/* A verdict and its reason, as the connection itself would get them, but for what only its address
 * would show. */
static void judge(const struct dialer *d, const struct why_question *q, struct verdict *v)
{
	const struct target *t = &q->to;
	const struct dialer_vault *vault = &d->c.vault;
	struct egress_verdict e = t->is_addr ? egress_match_addr(d->c.egress, &t->addr, t->port)
					     : egress_match(d->c.egress, t->name, t->port);
	const char *range = t->is_addr ? host_addr_special(&t->addr) : NULL;
	const bool offline = egress_offline(d->c.egress);
	v->rule = e.rule;
	if (t->is_addr)
		dialer_fix_addr(v->fix, sizeof(v->fix), &t->addr, t->port);
	else
		dialer_fix_name(v->fix, sizeof(v->fix),
			host_name_special(t->name) ? "--allow-private" : "--allow", t->name,
			t->port);
	if (range && streq(range, "loopback")) {
		v->why = "loopback inside is the sandbox's own";
		v->rule = EGRESS_NO_RULE;
		snprintf(v->fix, sizeof(v->fix), "--host-port %" PRIu16, t->port);
		return;
	}
	if (e.action != EGRESS_ALLOW || offline) {
		v->why = dialer_deny_reason(&e, offline, v->fix);
		return;
	}
	v->allowed = true;
	if (t->is_addr) {
		judge_address(t, &e, v);
	} else {
		v->why = e.private_ok
			? "a rule allows it, at a private address too"
			: "a rule allows it, unless its address turns out to be a private one";
		const char *why = vault->refuse ? vault->refuse(vault->ctx, t->name, t->port, e.raw)
						: NULL;
		v->fix[0] = '\0';
		if (why) {
			v->allowed = false;
			v->why = why;
		} else if (q->method[0]) {
			judge_request(d, q, v);
		}
	}
	if (v->allowed)
		v->fix[0] = '\0';
}

/* "example.com:443", "GET example.com:443/path" */
static void format_question(char *dst, size_t cap, const struct why_question *q)
{
	char raw[WHY_METHOD_MAX + WHY_PATH_MAX + 340], place[300];
	if (q->to.is_addr)
		dialer_format_addr(place, sizeof(place), &q->to.addr, q->to.port);
	else
		dialer_format_target(place, sizeof(place), q->to.name, q->to.port);
	snprintf(raw, sizeof(raw), "%s%s%s%s", q->method, q->method[0] ? " " : "", place, q->path);
	escape_text(dst, cap, raw);
}

void dialer_why(struct dialer *d, const char *name, char *dst, size_t cap)
{
	struct why_question q;
	struct verdict v = {.rule = EGRESS_NO_RULE};
	char target[900], rule[400], cmd[1200];
	if (!dialer_why_take(d)) {
		snprintf(dst, cap, "bawn-why: too many questions; wait a second\n");
		return;
	}
	if (why_name_parse(name, &q) < 0) {
		snprintf(
			dst, cap, "bawn-why: not a question; use: bawn-why [METHOD] HOST[:PORT]\n");
		return;
	}
	judge(d, &q, &v);
	format_question(target, sizeof(target), &q);
	dialer_rule_inside(d, v.rule, rule, sizeof(rule));
	command(d, v.fix, cmd, sizeof(cmd));
	int n = snprintf(
		dst, cap, "%s: %s\nbecause: %s\n", v.allowed ? "allowed" : "denied", target, v.why);
	if (n > 0 && (size_t)n < cap && *rule)
		n += snprintf(dst + n, cap - (size_t)n, "by: %s\n", rule);
	if (n > 0 && (size_t)n < cap && *cmd) {
		int k = snprintf(dst + n, cap - (size_t)n, "to allow it, on the host: %s\n", cmd);
		if (k < 0 || (size_t)(n + k) >= cap) /* half a command must not be pasted */
			dst[n] = '\0';
	}
}
