/* tests/fuzz/fuzz-why.c - names that are questions (policy/why-name.h): what is understood can be
 * asked again by the same name.
 */
#include <stdlib.h>

#include "policy/why-name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char name[HOST_NAME_MAX_LEN + 1], again[HOST_NAME_MAX_LEN + 1];
	struct why_question q, u;
	if (host_canonical((const char *)data, n, name) < 0)
		return 0;
	if (why_name_parse(name, &q) < 0)
		return 0;
	if (!why_name_is(name) || q.to.port == 0 || why_name_format(&q, again) < 0)
		abort();
	if (why_name_parse(again, &u) < 0 || u.to.is_addr != q.to.is_addr ||
		u.to.port != q.to.port || !streq(u.to.name, q.to.name) ||
		!streq(u.method, q.method) || !streq(u.path, q.path) ||
		memcmp(&u.to.addr, &q.to.addr, sizeof(u.to.addr)) != 0)
		abort();
	return 0;
}
