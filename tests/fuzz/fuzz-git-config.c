/* tests/fuzz/fuzz-git-config.c - git config text: parse, and merge it as an agent's copy.
 *
 * Whatever the copy says, nothing that is not plain may be in the merged text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "scan/git-config.h"
#include "scan/named.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char real[] = "[core]\n\tbare = false\n[remote \"o\"] url = https://a.b/c\n"
			   "\tfetch = +refs/heads/*:refs/remotes/o/*\n# end";

static void check_merged(struct arena *a, struct git_config_text text)
{
	struct git_config c;
	if (git_config_parse(a, text.p, text.n, &c, NULL) < 0)
		abort();
	for (size_t i = 0; i < c.n; i++)
		if (!git_config_plain(&c.v[i]))
			abort();
}

/* It is looked up below the root, by this name. */
static void named(void *ctx, const char *rel, const char *why, unsigned int flags)
{
	(void)ctx;
	(void)flags;
	if (!*rel || *rel == '/' || !*why)
		abort();
	for (const char *p = rel; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2]))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct git_config_text copy = {(const char *)data, n}, out;
	struct git_config_text base = {real, sizeof(real) - 1};
	struct strv kept, dropped;
	struct git_config c;
	if (git_config_parse(&a, copy.p, copy.n, &c, NULL) == 0)
		for (size_t i = 0; i < c.n; i++)
			if (c.v[i].start > c.v[i].end || c.v[i].end > n ||
				(i && c.v[i].start < c.v[i - 1].end))
				abort();
	const struct named_from from = {&a, "/ws", "/ws/.git", "/home/u"};
	if (git_config_parse(&a, copy.p, copy.n, &c, NULL) == 0)
		for (size_t i = 0; i < c.n; i++)
			named_by_git(&from, c.v[i].key, c.v[i].value, named, NULL);
	if (git_config_merge(&a, base, copy, base, &out, &kept, &dropped, NULL) == 0 && out.p)
		check_merged(&a, out);
	/* and as the host's own file, with a harmless change to carry over */
	struct git_config_text add = {"[user]\n\tname = x\n", 17}, none = {"", 0};
	git_config_merge(&a, none, add, copy, &out, &kept, &dropped, NULL);
	arena_free(&a);
	return 0;
}
