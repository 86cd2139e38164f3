/* tests/fuzz/fuzz-dockerfile.c - a Dockerfile: parse, show places, expand every word, mounts. */
#include <stdint.h>
#include <stdlib.h>

#include "build/dockerfile.h"
#include "build/expand.h"
#include "build/mount.h"
#include "build/remote-url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *get(void *ctx, const char *name, size_t n)
{
	(void)ctx;
	return n == 1 ? NULL : *name == 'e' ? "" : "some value/with *";
}

/* What ADD may name elsewhere: a name is one file's, a ref no option. */
static void remote(struct arena *a, const char *word)
{
	char *name = NULL, *url, *ref, *dir;
	if (remote_url_name(a, word, &name) == 0 && name &&
		(!*name || strchr(name, '/') || streq(name, ".") || streq(name, "..")))
		abort();
	if (remote_git_parse(a, word, &url, &ref, &dir) == 0 &&
		(!has_prefix(url, "http") || (ref && (*ref == '-' || !*ref)) || (dir && !*dir)))
		abort();
	if (remote_is(word))
		remote_is_repository(word);
}

static void use(struct arena *a, struct dockerfile *d, const struct df_inst *i)
{
	struct expand e = {.escape = d->escape, .get = get};
	struct strv words;
	char *out;
	for (size_t k = 0; k < i->n_words; k++) {
		struct err err = {0};
		size_t at = 0;
		if (i->words[k].at > i->line->n)
			abort();
		if (expand_word(a, &e, i->words[k].s, &out, &at, &err) < 0 &&
			(!err.msg[0] || at > strlen(i->words[k].s)))
			abort();
		expand_words(a, &e, i->words[k].s, &words, NULL, NULL);
		remote(a, i->words[k].s);
	}
	for (size_t k = 0; k < i->n_pairs; k++)
		if (i->pairs[k].value)
			expand_word(a, &e, i->pairs[k].value, &out, NULL, NULL);
	for (size_t k = 0; k < i->n_flags; k++) {
		struct df_mount m;
		if (streq(i->flags[k].name, "mount"))
			df_mount_parse(a, i->flags[k].value, &e, &m, NULL);
	}
	e.plain_quotes = true;
	for (size_t k = 0; k < i->n_docs; k++)
		expand_word(a, &e, i->docs[k].text, &out, NULL, NULL);
	if (!df_source(a, i))
		abort();
	if (i->sub)
		use(a, d, i->sub);
}

/* What an ONBUILD keeps is one instruction again, with the same heredocs (the escape character is
 * a backslash then, which may make something else of it). */
static void keep(struct arena *a, const struct dockerfile *d, const struct df_inst *i)
{
	struct dockerfile again;
	struct err err = {0};
	char *text = i->kind == DF_ONBUILD && d->escape == '\\' ? df_trigger(a, i) : NULL;
	if (!text)
		return;
	int r = dockerfile_parse_trigger(a, "t", text, &again, &err);
	if (r < 0 && !err.msg[0])
		abort();
	if (r < 0 || again.v[0]->kind != i->sub->kind || again.v[0]->n_docs != i->sub->n_docs)
		abort();
	for (size_t k = 0; k < i->sub->n_docs; k++)
		if (again.v[0]->docs[k].n != i->sub->docs[k].n)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct dockerfile d;
	struct err err = {0};
	int r = dockerfile_parse(&a, "f", (const char *)data, n, &d, &err);
	if (r < 0 && !err.msg[0])
		abort();
	if (r < 0 && d.text && !df_excerpt(&a, &d))
		abort();
	for (size_t i = 0; r >= 0 && i < d.n_inst; i++)
		use(&a, &d, d.v[i]), keep(&a, &d, d.v[i]);
	arena_free(&a);
	return 0;
}
