/* egress/dns-wire.h - DNS messages (RFC 1035, EDNS: RFC 6891): parse one question, build an answer.
 *
 * Pure.  The question comes from the agent and is hostile.
 */
#ifndef BAWN_EGRESS_DNS_WIRE_H
#define BAWN_EGRESS_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_TYPE_A 1
#define DNS_TYPE_PTR 12
#define DNS_TYPE_AAAA 28
#define DNS_CLASS_IN 1
/* The most that dns_build() writes: header, question, one A record, OPT. */
#define DNS_ANSWER_MAX 512
/* Seconds an answer may be cached. */
#define DNS_TTL 30

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_BADVERS = 16,
};

struct dns_query {
	uint16_t id;
	uint16_t flags; /* of the question, host order */
	uint16_t qtype, qclass;
	bool edns;
	uint8_t edns_version;
	bool text_ok;   /* name below is exact: no label held a dot or a NUL */
	char name[256]; /* labels joined with dots, as they came; "" is the root */
	size_t name_len;
	size_t question_len; /* bytes of the question section; 0 when it couldn't be parsed */
};

/* Returns the rcode the question deserves by its form (DNS_NOERROR when well formed), or -1 when
 * it must not be answered at all (shorter than a header, or itself an answer). */
int dns_parse(const uint8_t *p, size_t n, struct dns_query *ret);

/* Build the answer to q, which was parsed from p.  addr: host order, NULL for none.  Returns its
 * length, at most DNS_ANSWER_MAX. */
size_t dns_build(uint8_t out[static DNS_ANSWER_MAX], const uint8_t *p, const struct dns_query *q,
	int rcode, const uint32_t *addr);

#endif
