/* tests/fuzz/fuzz-git-index.c - the git index, both hash lengths, and its split form. */
#include <stdint.h>
#include <stdlib.h>

#include "scan/git-index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	for (size_t hash = 20; hash <= 32; hash += 12) {
		struct git_index_query q[] = {{.path = ".env"}, {.path = "a", .dir = true},
			{.path = "a/b.key"}, {.path = "a/b.key"}, {.path = ""}, {.path = "z"}};
		struct git_index_split split = {0};
		int r = git_index_lookup(data, n, hash, q, ARRAY_LEN(q), NULL, &split, NULL);
		for (size_t i = 0; i < ARRAY_LEN(q); i++)
			if (q[i].found && (r < 0 || !*q[i].path))
				abort();
		git_index_lookup(data, n, hash, q, ARRAY_LEN(q), &split, NULL, NULL);
		free(split.deleted);
	}
	return 0;
}
