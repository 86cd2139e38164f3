/* policy/lint-rule.c - what is odd about one rule by itself; see lint.h.  What rule_suspicious()
 * says is not said again.
 */
#include "policy/lint.h"

/* A deny that nothing inside can run into: what it names never comes as far as the rules. */
static const char *never_asked(const struct rule *r)
{
	if (r->kind == EGRESS_NET) {
		const char *special = host_addr_special(&r->net);
		bool v4 = host_addr_is_v4(&r->net);
		if (!special)
			return NULL;
		if (streq(special, "loopback") && r->bits >= (v4 ? 104 : 128))
			return "loopback inside is the sandbox's own";
		if (streq(special, "benchmarking") && v4 && r->bits >= 111)
			return "198.18.0.0/15 stands for host names inside";
		return NULL;
	}
	size_t n = strlen(r->name);
	if (streq(r->name, "localhost") || (n > 10 && streq(r->name + n - 10, ".localhost")))
		return "localhost inside is the sandbox's own";
	return NULL;
}

/* An allow whose addresses are refused, all or some, for want of "private". */
static const char *lacks_private(const struct rule *r, char *buf, size_t cap)
{
	if (r->private_ok || r->deny)
		return NULL;
	if (r->kind != EGRESS_NET) {
		if (!strchr(r->name, '.') || !host_name_special(r->name))
			return NULL;
		snprintf(buf, cap,
			"%s is a name of private networks, whose addresses are refused without "
			"\"private: true\"",
			r->name);
		return buf;
	}
	static const char *const ranges[] = {"10.0.0.0", "100.64.0.0", "127.0.0.0", "169.254.0.0",
		"172.16.0.0", "192.168.0.0", "fc00::", "fe80::"};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		struct rule in = {.kind = EGRESS_NET, .bits = 128};
		/* one that lies in the range itself means it (rules_mark_given) */
		if (host_addr_parse(ranges[i], &in.net) < 0 || !rule_covers_host(r, &in) ||
			host_addr_special(&r->net))
			continue;
		snprintf(buf, cap,
			"a part of it is %s, which stays refused; give such networks singly",
			host_addr_special(&in.net));
		return buf;
	}
	return NULL;
}

const char *lint_rule(const struct rule *r, const struct psl *psl, char *buf, size_t cap)
{
	if (r->deny) {
		const char *why = never_asked(r);
		if (!why)
			return NULL;
		snprintf(buf, cap, "never denies anything: %s", why);
		return buf;
	}
	bool wild = r->kind == EGRESS_ONE || r->kind == EGRESS_ANY;
	if (wild && strchr(r->name, '.') && psl_has(psl, r->name)) {
		snprintf(buf, cap,
			"anyone can have a name below %s (a public suffix), so data can leave "
			"through it; name the hosts",
			r->name);
		return buf;
	}
	return lacks_private(r, buf, cap);
}
