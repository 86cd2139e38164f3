/* policy/rule.h - one egress rule as a person writes it, parsed; and what is suspicious about it.
 *
 * Grammar: HOST | *.HOST | **.HOST | ** | ADDRESS | CIDR, each with :PORT[,PORT...] behind it;
 * IPv6 with ports as [ADDRESS]:PORT or [CIDR]:PORT.  An allow without a port means 443; a deny
 * without a port means every port.  With methods before a name ("GET,HEAD HOST") or a path behind
 * it ("HOST/PATH", with wildcards) the rule is about requests: http-rule.h.
 */
#ifndef BAWN_POLICY_RULE_H
#define BAWN_POLICY_RULE_H

#include "base/arena.h"
#include "policy/egress-table.h"

#define RULE_PORTS_MAX 16

struct rule {
	enum egress_kind kind;
	bool deny, private_ok, raw;
	const char *name; /* canonical, behind the wildcard; "" for "**" */
	struct host_addr net;
	uint8_t bits; /* 0-128; v4 stands at 96 and up */
	uint16_t ports[RULE_PORTS_MAX];
	uint16_t n_ports; /* 0: every port */
	/* Of requests: path is a glob in canonical form, or NULL: a rule on connections alone. */
	const char *path;
	const char *methods; /* ",GET,HEAD,"; "": any */
	uint64_t max_upload; /* bytes; 0: no limit */
	const char *text;    /* as written */
	const char *file;    /* or "--allow" ... */
	uint32_t line, col;
};

struct rules {
	struct rule *v;
	size_t n, cap;
};

/* Parse text.  deny, private_ok and raw are set by the caller before, file, line and col after.
 * 0 or -EINVAL with what is wrong and, where it can be told, what was meant. */
int rule_parse(struct arena *a, const char *text, struct rule *rule, struct err *err);

/* The part of it about requests: *ret_host is what is left, HOST[:PORT...]; text itself where there
 * is no such part. */
int rule_request(struct arena *a, const char *text, struct rule *rule, const char **ret_host,
	struct err *err);
/* "50MB" to bytes; never 0. */
int rule_size(const char *text, uint64_t *ret, struct err *err);

/* Append; 0 or -errno. */
int rule_add(struct arena *a, struct rules *rules, const struct rule *rule, struct err *err);

/* A sentence about a rule that is allowed but wider or weaker than it may look (*.com, *.github.io,
 * a metadata address), in buf; NULL when there is none. */
const char *rule_suspicious(const struct rule *rule, char *buf, size_t cap);

/* Does a cover every host of b (ports apart)? */
bool rule_covers_host(const struct rule *a, const struct rule *b);
bool rule_covers_ports(const struct rule *a, const struct rule *b);
/* Does a mean every request that b means, as far as that is easily told?  Are they the same? */
bool rule_covers_requests(const struct rule *a, const struct rule *b);
bool rule_same_requests(const struct rule *a, const struct rule *b);
/* The first method that is none of the usual ones (up to its comma), or NULL. */
const char *rule_odd_method(const struct rule *rule);

#endif
