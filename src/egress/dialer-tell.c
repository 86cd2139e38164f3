/* egress/dialer-tell.c - what the relay tells without asking: what it has refused by itself;
 * in words, for the hooks.
 *
 * Must not: trust a field of a message; names are shown escaped.
 */
#include <arpa/inet.h>
#include <inttypes.h>

#include "base/escape.h"
#include "egress/dialer-int.h"
#include "net/netns.h"

static const char listener_reason[] = "a connection straight to bawn's own listener";

static void format_packet(char *dst, size_t cap, const struct egress_ask_msg *m)
{
	static const struct {
		uint8_t proto;
		const char *name;
	} names[] = {{IPPROTO_ICMP, "icmp"}, {IPPROTO_ICMPV6, "icmpv6"}, {IPPROTO_SCTP, "sctp"},
		{IPPROTO_DCCP, "dccp"}, {IPPROTO_UDP, "udp"}, {IPPROTO_UDPLITE, "udplite"},
		{IPPROTO_TCP, "tcp"}};
	struct host_addr a = {.ip = m->addr};
	char addr[INET6_ADDRSTRLEN + 12], proto[16];
	snprintf(proto, sizeof(proto), "protocol-%u", m->flow & 0xff);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].proto == m->flow)
			snprintf(proto, sizeof(proto), "%s", names[i].name);
	dialer_format_addr(addr, sizeof(addr), &a, m->port);
	snprintf(dst, cap, "%s %s", proto, addr);
}

/* TCP that nftables has reset: an address no rule names, or the relay's own port. */
static void tell_tcp(struct dialer *d, const struct egress_ask_msg *m)
{
	struct host_addr a = {.ip = m->addr};
	char target[80], fix[100];
	const char *range = host_addr_special(&a);
	if (m->port == NETNS_RELAY_PORT && range && streq(range, "loopback")) {
		deny_note(d, "relay", listener_reason, EGRESS_NO_RULE, "", MAX(m->count, 1u));
		return;
	}
	struct egress_verdict v = egress_match_addr(d->c.egress, &a, m->port);
	dialer_format_addr(target, sizeof(target), &a, m->port);
	dialer_fix_addr(fix, sizeof(fix), &a, m->port);
	const char *why = dialer_deny_reason(&v, egress_offline(d->c.egress), fix);
	deny_note(d, target, why, v.rule, fix, MAX(m->count, 1u));
}

/* A name of the user's own network, most likely: say which option knows such names. */
static void tell_special(struct dialer *d, const struct egress_ask_msg *m)
{
	char name[HOST_NAME_MAX_LEN + 1], fix[300];
	if (host_canonical(m->name, strnlen(m->name, sizeof(m->name)), name) < 0)
		return;
	/* its port is not known yet; these are what is asked for most */
	snprintf(fix, sizeof(fix), "--allow-private %s:80,443", name);
	deny_note(d, name, "not a name of the internet, and no rule names it", EGRESS_NO_RULE, fix,
		MAX(m->count, 1u));
}

void tell_denied(struct dialer *d, const struct egress_ask_msg *m)
{
	char raw[256], name[300], seen[300], target[320], reason[600];
	const char *why = NULL;
	snprintf(raw, sizeof(raw), "%.*s", (int)sizeof(m->name) - 1, m->name);
	escape_text(name, sizeof(name), raw);
	snprintf(raw, sizeof(raw), "%.*s", (int)sizeof(m->seen) - 1, m->seen);
	escape_text(seen, sizeof(seen), raw);
	dialer_format_target(target, sizeof(target), name, m->port);
	switch ((enum egress_why)m->why) {
	case EGRESS_WHY_SNI:
		if (seen[0])
			snprintf(reason, sizeof(reason), "its TLS handshake names %s", seen);
		else
			why = "it doesn't begin with a TLS handshake that names the host";
		break;
	case EGRESS_WHY_HOST:
		if (seen[0])
			snprintf(reason, sizeof(reason), "an HTTP request on it names %s", seen);
		else
			why = "what is sent isn't well-formed HTTP/1";
		break;
	case EGRESS_WHY_UDP:
	case EGRESS_WHY_PROTO:
		if (m->flow == IPPROTO_TCP) {
			tell_tcp(d, m);
			return;
		}
		format_packet(target, sizeof(target), m);
		why = "only TCP leaves the sandbox";
		break;
	case EGRESS_WHY_LISTENER:
		snprintf(target, sizeof(target), "relay");
		why = listener_reason;
		break;
	case EGRESS_WHY_LIMIT:
		snprintf(target, sizeof(target), m->port == 53 ? "name server" : "connections");
		why = m->port == 53 ? "too many questions a second" : "too many at once";
		break;
	case EGRESS_WHY_SPECIAL:
		tell_special(d, m);
		return;
	case EGRESS_WHY_QUERY:
		snprintf(target, sizeof(target), "name server");
		why = "too many different names";
		break;
	case EGRESS_WHY_UPLOAD:
		deny_upload(d, m, target);
		return;
	case EGRESS_WHY_NONE:
	default:
		return;
	}
	deny_note(d, target, why ? why : reason, EGRESS_NO_RULE, "", MAX(m->count, 1u));
}
