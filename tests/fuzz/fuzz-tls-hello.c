/* tests/fuzz/fuzz-tls-hello.c - a ClientHello: what is decided on a prefix stays decided. */
#include <stdlib.h>
#include <string.h>

#include "egress/tls-hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t scratch[TLS_HELLO_MAX];
	char whole[256], part[256];
	int r = tls_hello_sni(data, n, scratch, whole);
	if (r > 0 && strlen(whole) > 255)
		abort();
	size_t half = n / 2;
	int h = tls_hello_sni(data, half, scratch, part);
	if (h > 0 && (r != h || strcmp(whole, part) != 0))
		abort();
	return 0;
}
