/* tests/fuzz/fuzz-glob.c - a pattern and, behind the first NUL or newline, a path. */
#include <stdint.h>
#include <stdlib.h>

#include "scan/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	char *s = malloc(n + 1);
	if (!s)
		return 0;
	memcpy(s, data, n);
	s[n] = '\0';
	size_t k = strcspn(s, "\n");
	const char *path = k < n ? s + k + 1 : "";
	s[MIN(k, n)] = '\0';
	for (int fold = 0; fold < 2; fold++) {
		struct glob_set set = {.fold = fold};
		if (glob_set_add(&a, &set, s, NULL) < 0)
			continue;
		bool literal;
		glob_set_match(&set, path, false, &literal);
		glob_set_match(&set, path, true, NULL);
	}
	free(s);
	arena_free(&a);
	return 0;
}
