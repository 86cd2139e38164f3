/* tests/fuzz/fuzz-dns.c - a DNS question; whatever it is, the answer fits and is an answer. */
#include <stdlib.h>
#include <string.h>

#include "egress/dns-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct dns_query q;
	uint8_t out[DNS_ANSWER_MAX];
	uint32_t addr = 0xc6120001;
	if (n > 65535)
		return 0;
	int r = dns_parse(data, n, &q);
	if (r < 0)
		return 0;
	if (strlen(q.name) > 253 || q.question_len > n)
		abort();
	size_t k = dns_build(out, data, &q, r, &addr);
	if (k < 12 || k > sizeof(out) || !(out[2] & 0x80) || memcmp(out, data, 2) != 0)
		abort();
	return 0;
}
