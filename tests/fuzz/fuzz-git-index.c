/* tests/fuzz/fuzz-git-index.c - the git index, both hash lengths, and its split form. */
#include <stdint.h>
#include <stdlib.h>

#include "scan/git-index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int each(void *ctx, const char *path, uint32_t mode, const unsigned char *object)
{
	size_t *sum = ctx;
	if (!*path)
		abort();
	*sum += strlen(path) + mode + object[0] + object[19];
	return 0;
}

static void unseen(void *ctx, const char *path)
{
	size_t *sum = ctx;
	if (path && !*path)
		abort();
	*sum += path ? strlen(path) : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char odd[32] = "";
	size_t all = 0;
	if (git_index_odd(data, n, odd, sizeof(odd)) > 0 && strlen(odd) >= sizeof(odd))
		abort();
	all += git_index_untracked(data, n);
	char shared[GIT_INDEX_SHARED_MAX];
	git_index_unseen(data, n, NULL, 0, unseen, &all);
	if (git_index_shared(data, n, shared))
		git_index_unseen(data, n, data, n, unseen, &all);
	for (size_t hash = 20; hash <= 32; hash += 12) {
		struct git_index_query q[] = {{.path = ".env"}, {.path = "a", .dir = true},
			{.path = "a/b.key"}, {.path = "a/b.key"}, {.path = ""}, {.path = "z"}};
		struct git_index_split split = {0};
		int r = git_index_lookup(data, n, hash, q, ARRAY_LEN(q), NULL, &split, NULL);
		for (size_t i = 0; i < ARRAY_LEN(q); i++)
			if (q[i].found && (r < 0 || !*q[i].path))
				abort();
		git_index_lookup(data, n, hash, q, ARRAY_LEN(q), &split, NULL, NULL);
		git_index_split_free(&split);
		size_t sum = 0;
		split = (struct git_index_split){0};
		git_index_each(data, n, hash, each, &sum, &split, NULL);
		git_index_split_free(&split);
	}
	return 0;
}
