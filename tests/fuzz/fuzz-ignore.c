/* tests/fuzz/fuzz-ignore.c - lines of a .dockerignore, the last one being a path. */
#include <stdint.h>
#include <stdlib.h>

#include "build/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct ignore ig = {0};
	struct err err = {0};
	char *text = arena_dupn(&a, (const char *)data, n);
	if (!text)
		return 0;
	char *path = strrchr(text, '\n');
	bool below = false;
	if (ignore_parse(&a, "f", text, path ? (size_t)(path - text) : n, &ig, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else if (path && ignore_match(&ig, path + 1, &below) && ig.n == 0) {
		abort();
	}
	arena_free(&a);
	return 0;
}
