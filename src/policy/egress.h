/* policy/egress.h - compiled egress rules and the one place that decides.
 *
 * Pure: no system calls.  A struct egress is a view onto the records of a pack (pack.h); looking a
 * name up costs a few hash probes however many rules there are.
 *
 * Rule grammar (bawn-policy(5)): HOST | *.HOST (one label) | **.HOST (any depth, one or more)
 * | ADDRESS | CIDR, each with an optional :PORT[,PORT...] ("[v6]:PORT"); no port means 443; deny
 * wins over allow whatever the order; nothing allowed means nothing reachable.
 */
#ifndef BAWN_POLICY_EGRESS_H
#define BAWN_POLICY_EGRESS_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"

/* A DNS name in the one form used everywhere (DNS, SNI, Host, rules): lower case LDH labels and
 * underscores, punycode as it came, no trailing dot, 1-253 bytes (RFC 1035 2.3.4, RFC 5890). */
#define HOST_NAME_MAX_LEN 253

/* Canonicalise raw (n bytes, no NUL needed).  0, or -EINVAL for anything that is not a host name:
 * empty or 64-byte label, other bytes (NUL, space, CR, LF, "@", "\\", non-ASCII), a label that
 * starts or ends with "-", an all-numeric last label (it would be an address). */
int host_canonical(const char *raw, size_t n, char ret[static HOST_NAME_MAX_LEN + 1]);

/* A canonical name that has no place on the internet: of one label, or below a suffix of private
 * networks.  Only a rule that names one gives it an address inside. */
bool host_name_special(const char *name);

/* An address as both families have it; v4 is kept v4-mapped (RFC 4291 2.5.5.2). */
struct host_addr {
	struct in6_addr ip;
};
int host_addr_parse(
	const char *s, struct host_addr *ret); /* strict text forms only; 0 or -EINVAL */
void host_addr_format(const struct host_addr *a, char *dst, size_t cap);
bool host_addr_is_v4(const struct host_addr *a);
/* Private, loopback, link-local, CGNAT, multicast, metadata, documentation, NAT64/6to4/Teredo that
 * embed such, unspecified, reserved: never dialled unless the rule says so.  Returns a short name
 * of the range ("loopback", "link-local", ...) or NULL for a public address. */
const char *host_addr_special(const struct host_addr *a);

enum egress_action { EGRESS_DENY, EGRESS_ALLOW };

struct egress_verdict {
	enum egress_action action;
	bool private_ok; /* the rule's "private: true" / --allow-private */
	bool raw;        /* the rule says "raw": no TLS or HTTP sniffing on 443 / 80 */
	bool exact;      /* egress_match_addr(): a rule gives this very address */
	uint32_t rule;   /* index for egress_rule(), or EGRESS_NO_RULE */
};
#define EGRESS_NO_RULE UINT32_MAX

/* Where a rule came from and what it says, for "by which rule". */
struct egress_rule {
	const char *text; /* as written: "**.claude.ai:443" */
	const char *file; /* policy file, or "--allow", "--deny", ... */
	uint32_t line;    /* 1-based; 0 for the command line */
	bool deny;
};

struct egress; /* opaque; made by pack_open(), lives as long as the pack */

/* name: canonical.  Deny wins.  Never fails. */
struct egress_verdict egress_match(const struct egress *e, const char *name, uint16_t port);
/* Would any port of this name be allowed?  (Which pool its synthetic address comes from.) */
bool egress_name_known(const struct egress *e, const char *name);
/* Is one of the rules that allow some port of this name the name itself, not a wildcard? */
bool egress_name_exact(const struct egress *e, const char *name);
struct egress_verdict egress_match_addr(
	const struct egress *e, const struct host_addr *a, uint16_t port);
int egress_rule(const struct egress *e, uint32_t rule, struct egress_rule *ret);
uint32_t egress_n_rules(const struct egress *e);
bool egress_offline(const struct egress *e);

#endif
