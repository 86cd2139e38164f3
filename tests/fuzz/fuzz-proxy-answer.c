/* tests/fuzz/fuzz-proxy-answer.c - a proxy's answer to CONNECT: what is granted is a whole head
 * that says so, byte by byte or at once, and what is told is one line.
 */
#include <stdlib.h>
#include <string.h>

#include "egress/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char line[PROXY_LINE_MAX], again[PROXY_LINE_MAX];
	const char *p = (const char *)data;
	ssize_t r = proxy_answer(p, n, line);
	if (r > 0 &&
		((size_t)r > n || r < 12 || memcmp(p + r - 4, "\r\n\r\n", 4) != 0 ||
			memcmp(p, "HTTP/1.", 7) != 0 || memcmp(p + 8, " 2", 2) != 0))
		abort();
	if (strpbrk(line, "\r\n") || (r >= 0 && line[0]))
		abort();
	/* in pieces: no verdict before its end, and then the same */
	size_t most = n < 512 ? n : 512;
	for (size_t k = 0; k <= most; k++) {
		ssize_t q = proxy_answer(p, k, again);
		if (q == 0)
			continue;
		if (q != r || strcmp(line, again) != 0)
			abort();
		break;
	}
	return 0;
}
