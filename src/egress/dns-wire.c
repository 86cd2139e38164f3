/* egress/dns-wire.c - see dns-wire.h
 *
 * A question section never needs compression, so a pointer there is malformed; that rules out
 * pointer loops.  The additional section is walked only to find the OPT record.
 */
#include "egress/dns-wire.h"

#include <string.h>

enum { HEADER = 12, TYPE_OPT = 41, FLAG_QR = 0x8000, FLAG_RD = 0x0100, FLAG_RA = 0x0080 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Length of the name at p[at..n), its text in q->name; 0 if malformed. */
static size_t parse_qname(const uint8_t *p, size_t n, size_t at, struct dns_query *q)
{
	size_t start = at, o = 0;
	q->text_ok = true;
	for (;;) {
		if (at >= n)
			return 0;
		size_t len = p[at++];
		if (len == 0)
			break;
		/* 255 bytes on the wire, RFC 1035 2.3.4, so the text fits 253 and a NUL */
		if (len > 63 || at + len > n || at + len + 1 - start > 255)
			return 0;
		if (o)
			q->name[o++] = '.';
		memcpy(q->name + o, p + at, len);
		if (memchr(p + at, '.', len) || memchr(p + at, '\0', len))
			q->text_ok = false;
		o += len;
		at += len;
	}
	q->name[o] = '\0';
	q->name_len = o;
	return at - start;
}

/* Skip the name of a record outside the question; pointers end it.  0 if malformed. */
static size_t skip_name(const uint8_t *p, size_t n, size_t at)
{
	size_t start = at;
	while (at < n && at - start < 256) {
		size_t len = p[at];
		if (len == 0)
			return at + 1 - start;
		if ((len & 0xc0) == 0xc0)
			return at + 2 <= n ? at + 2 - start : 0;
		if (len > 63)
			return 0;
		at += 1 + len;
	}
	return 0;
}

static int parse_additional(
	const uint8_t *p, size_t n, size_t at, unsigned count, struct dns_query *q)
{
	for (unsigned i = 0; i < count; i++) {
		size_t k = skip_name(p, n, at);
		if (k == 0 || at + k + 10 > n)
			return DNS_FORMERR;
		const uint8_t *rr = p + at + k;
		size_t rdlen = get16(rr + 8);
		if (at + k + 10 + rdlen > n)
			return DNS_FORMERR;
		if (get16(rr) == TYPE_OPT) {
			/* root name, only one of them (RFC 6891 6.1.1) */
			if (q->edns || k != 1)
				return DNS_FORMERR;
			q->edns = true;
			q->edns_version = rr[5];
		}
		at += k + 10 + rdlen;
	}
	return q->edns && q->edns_version != 0 ? DNS_BADVERS : DNS_NOERROR;
}

int dns_parse(const uint8_t *p, size_t n, struct dns_query *ret)
{
	if (n < HEADER)
		return -1;
	memset(ret, 0, offsetof(struct dns_query, name));
	ret->name[0] = '\0';
	ret->name_len = ret->question_len = 0;
	ret->id = get16(p);
	ret->flags = get16(p + 2);
	if (ret->flags & FLAG_QR)
		return -1;
	if ((ret->flags >> 11 & 0xf) != 0)
		return DNS_NOTIMP;
	/* one question, no answers, no authority (that would be an update) */
	if (get16(p + 4) != 1 || get16(p + 6) != 0 || get16(p + 8) != 0)
		return DNS_FORMERR;
	size_t k = parse_qname(p, n, HEADER, ret);
	if (k == 0 || HEADER + k + 4 > n) {
		ret->name[0] = '\0';
		ret->name_len = 0;
		return DNS_FORMERR;
	}
	ret->qtype = get16(p + HEADER + k);
	ret->qclass = get16(p + HEADER + k + 2);
	ret->question_len = k + 4;
	return parse_additional(p, n, HEADER + k + 4, get16(p + 10), ret);
}

size_t dns_build(uint8_t out[static DNS_ANSWER_MAX], const uint8_t *p, const struct dns_query *q,
	int rcode, const uint32_t *addr)
{
	memset(out, 0, HEADER);
	put16(out, q->id);
	put16(out + 2,
		FLAG_QR | FLAG_RA | (q->flags & (FLAG_RD | 0x7800)) | ((unsigned)rcode & 0xf));
	size_t o = HEADER;
	if (q->question_len) {
		put16(out + 4, 1);
		memcpy(out + o, p + HEADER, q->question_len);
		o += q->question_len;
	}
	if (addr && rcode == DNS_NOERROR) {
		put16(out + 6, 1);
		put16(out + o, 0xc000 | HEADER);
		put16(out + o + 2, DNS_TYPE_A);
		put16(out + o + 4, DNS_CLASS_IN);
		put16(out + o + 6, 0);
		put16(out + o + 8, DNS_TTL);
		put16(out + o + 10, 4);
		put16(out + o + 12, *addr >> 16);
		put16(out + o + 14, *addr & 0xffff);
		o += 16;
	}
	if (q->edns) {
		put16(out + 10, 1);
		memset(out + o, 0, 11);
		put16(out + o + 1, TYPE_OPT);
		put16(out + o + 3, 1232);
		out[o + 5] = (uint8_t)(rcode >> 4);
		o += 11;
	}
	return o;
}
