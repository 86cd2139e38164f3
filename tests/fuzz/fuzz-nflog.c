/* tests/fuzz/fuzz-nflog.c - netlink datagrams with logged packets. */
#include <stdlib.h>

#include "egress/nflog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void count(void *ctx, const struct nflog_packet *p)
{
	size_t *k = ctx;
	*k += p->port ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t k = 0;
	if (nflog_parse(data, n, count, &k) > n)
		abort();
	return 0;
}
