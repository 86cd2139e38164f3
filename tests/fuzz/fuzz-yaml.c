/* tests/fuzz/fuzz-yaml.c - bytes as YAML, as a profile and as an egress policy. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/read.h"
#include "policy/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct err err = {0};
	struct yaml_node *root = NULL;
	struct profile p;
	struct egress_file f;
	if (yaml_parse(&a, "fuzz", (const char *)data, n, &root, &err) == 0) {
		if (!root)
			abort();
		if (profile_parse(&a, "fuzz", "fuzz", root, &p, &err) < 0 && !err.msg[0])
			abort();
		if (egress_file_parse(&a, "fuzz", root, &f, &err) < 0 && !err.msg[0])
			abort();
	} else if (!err.msg[0]) {
		abort();
	}
	arena_free(&a);
	return 0;
}
