/* tests/fuzz/fuzz-host.c - host names and addresses out of hostile bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/egress.h"
#include "policy/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char name[HOST_NAME_MAX_LEN + 1], again[HOST_NAME_MAX_LEN + 1], text[64];
	if (host_canonical((const char *)data, n, name) == 0) {
		/* canonical is a fixed point, and never an address */
		struct host_addr a;
		if (host_canonical(name, strlen(name), again) < 0 || strcmp(name, again) != 0 ||
			host_addr_parse(name, &a) == 0)
			abort();
	}
	char *s = malloc(n + 1);
	if (!s)
		return 0;
	memcpy(s, data, n);
	s[n] = '\0';
	struct host_addr a, b;
	if (host_addr_parse(s, &a) == 0) {
		host_addr_format(&a, text, sizeof(text));
		if (host_addr_parse(text, &b) < 0 || memcmp(&a, &b, sizeof(a)) != 0)
			abort();
		host_addr_special(&a);
	}
	struct target t;
	if (target_parse(s, &t, NULL) == 0 && !t.is_addr && !t.name[0])
		abort();
	free(s);
	return 0;
}
