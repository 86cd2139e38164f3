/* tests/fuzz/fuzz-why.c - names that are questions (policy/why-name.h): what is understood can be
 * asked again by the same name.
 */
#include <stdlib.h>

#include "policy/why-name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char name[HOST_NAME_MAX_LEN + 1], again[HOST_NAME_MAX_LEN + 1];
	struct target t, u;
	if (host_canonical((const char *)data, n, name) < 0)
		return 0;
	if (why_name_parse(name, &t) < 0)
		return 0;
	if (!why_name_is(name) || t.port == 0 || why_name_format(&t, again) < 0)
		abort();
	if (why_name_parse(again, &u) < 0 || u.is_addr != t.is_addr || u.port != t.port ||
		!streq(u.name, t.name) || memcmp(&u.addr, &t.addr, sizeof(u.addr)) != 0)
		abort();
	return 0;
}
