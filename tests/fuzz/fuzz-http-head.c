/* tests/fuzz/fuzz-http-head.c - a client's byte stream: no head without the right Host passes, and
 * it makes no difference in which pieces it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "egress/http-head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct end {
	int64_t error;
	size_t passed;
	uint32_t requests;
};

/* Walk the stream with at most `window` bytes in sight at first. */
static struct end walk(const char *p, size_t n, size_t window)
{
	struct http_state s = {0};
	struct end e = {0};
	char seen[256];
	while (e.passed < n) {
		size_t left = n - e.passed, see = window < left ? window : left;
		int64_t r = 0;
		for (; r == 0 && see <= left; see += see < left ? 1 : left + 1)
			r = http_next(&s, p + e.passed, see, "a.example", seen);
		if (s.phase == HTTP_UPGRADE_WAIT && r == 0)
			s.phase = HTTP_HEAD;
		else if (r == 0)
			break;
		if (r < 0) {
			e.error = r;
			break;
		}
		e.passed = (uint64_t)r > left ? n : e.passed + (size_t)r;
	}
	e.requests = s.requests;
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	if (n > 2048)
		return 0;
	struct end whole = walk(p, n, n), bytes = walk(p, n, 1);
	/* cut small, an error may be seen earlier or later, but the same bytes pass */
	if (whole.passed != bytes.passed || whole.requests != bytes.requests)
		abort();
	if (whole.requests && !memmem(p, whole.passed, "a", 1) && !memmem(p, whole.passed, "A", 1))
		abort();
	return 0;
}
