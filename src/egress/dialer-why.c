/* egress/dialer-why.c - the agent asks why: a connection to a name of policy/why-name.h is answered
 * with a verdict in words, and never made.
 *
 * Nothing is changed, looked up or connected by it.  What the agent learns is no more than a denied
 * connection would tell it: the rule, the name of the policy and the line it stands in, and the
 * command for the person outside; no path of the host, and nothing of the command line.
 */
#include <inttypes.h>

#include "base/path.h"
#include "egress/dialer-int.h"
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

/* A verdict and its reason, as the connection itself would get them, but for what only its address
 * would show.  fix: the option that would allow it. */
static bool judge(const struct dialer *d, const struct target *t, const char **ret_why,
	uint32_t *ret_rule, char *fix, size_t cap)
{
	struct egress_verdict v = t->is_addr ? egress_match_addr(d->c.egress, &t->addr, t->port)
					     : egress_match(d->c.egress, t->name, t->port);
	const char *range = t->is_addr ? host_addr_special(&t->addr) : NULL;
	const bool offline = egress_offline(d->c.egress);
	*ret_rule = v.rule;
	if (t->is_addr)
		dialer_fix_addr(fix, cap, &t->addr, t->port);
	else
		dialer_fix_name(fix, cap,
			host_name_special(t->name) ? "--allow-private" : "--allow", t->name,
			t->port);
	if (range && streq(range, "loopback")) {
		*ret_why = "loopback inside is the sandbox's own";
		*ret_rule = EGRESS_NO_RULE;
		snprintf(fix, cap, "--host-port %" PRIu16, t->port);
		return false;
	}
	if (v.action != EGRESS_ALLOW || offline) {
		*ret_why = dialer_deny_reason(&v, offline, fix);
		return false;
	}
	if (range && !v.exact && (streq(range, "metadata") || !v.private_ok)) {
		*ret_why = "a rule for a network leaves out its special addresses";
		return false;
	}
	*ret_why = t->is_addr ? "a rule allows it"
		: v.private_ok
		? "a rule allows it, at a private address too"
		: "a rule allows it, unless its address turns out to be a private one";
	*fix = '\0';
	return true;
}

void dialer_why(struct dialer *d, const char *name, char *dst, size_t cap)
{
	struct target t;
	char host[INET6_ADDRSTRLEN + 8], fix[340], rule[400], cmd[600], brackets = 0;
	uint32_t r = EGRESS_NO_RULE;
	const char *why = NULL;
	if (!dialer_why_take(d)) {
		snprintf(dst, cap, "bawn-why: too many questions; wait a second\n");
		return;
	}
	if (why_name_parse(name, &t) < 0) {
		snprintf(dst, cap, "bawn-why: not a question; use: bawn-why HOST[:PORT]\n");
		return;
	}
	bool allowed = judge(d, &t, &why, &r, fix, sizeof(fix));
	if (t.is_addr) {
		host_addr_format(&t.addr, host, sizeof(host));
		brackets = (char)!host_addr_is_v4(&t.addr);
	}
	dialer_rule_inside(d, r, rule, sizeof(rule));
	command(d, fix, cmd, sizeof(cmd));
	int n = snprintf(dst, cap, "%s: %s%s%s:%" PRIu16 "\nbecause: %s\n",
		allowed ? "allowed" : "denied", brackets ? "[" : "", t.is_addr ? host : t.name,
		brackets ? "]" : "", t.port, why);
	if (n > 0 && (size_t)n < cap && *rule)
		n += snprintf(dst + n, cap - (size_t)n, "by: %s\n", rule);
	if (n > 0 && (size_t)n < cap && *cmd) {
		int k = snprintf(dst + n, cap - (size_t)n, "to allow it, on the host: %s\n", cmd);
		if (k < 0 || (size_t)(n + k) >= cap) /* half a command must not be pasted */
			dst[n] = '\0';
	}
}
