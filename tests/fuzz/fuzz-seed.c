/* tests/fuzz/fuzz-seed.c - what seed parses: the first byte says which format the rest is. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "seed/git.h"
#include "seed/imports.h"
#include "json/json.h"
#include "seed/merge.h"
#include "seed/secret.h"
#include "seed/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void withheld(void *ud, const char *place, const char *why)
{
	(void)ud, (void)place, (void)why;
}

static const char *missing(void *ud, const char *command, const char *const *args, size_t n)
{
	(void)ud;
	bool lost = strchr(command, 'x');
	for (size_t i = 0; args && i < n; i++)
		lost = lost || strchr(args[i], 'x');
	return lost ? "x" : NULL;
}

static const struct json_watch watch = {.withheld = withheld,
	.secret = secret_value,
	.secret_name = secret_name,
	.missing = missing};

static struct keypats patterns(struct arena *a, const char *one, const char *two)
{
	struct keypats p = {.v = arena_alloc(a, 2 * sizeof(*p.v)), .n = 2};
	if (!p.v || keypat_parse(a, one, &p.v[0]) < 0 || keypat_parse(a, two, &p.v[1]) < 0)
		abort();
	return p;
}

/* What the filter writes, it must read again, and unchanged. */
static void toml(struct arena *a, const char *s, size_t n)
{
	struct keypats keep = patterns(a, "a*", "m.*.k"), drop = patterns(a, "ab", "*.*.z");
	struct toml_doc d, again;
	if (toml_doc_parse(a, s, n, &keep, &drop, &watch, &d, NULL) < 0)
		return;
	toml_doc_check_commands(&d, &keep, &watch);
	char *text = toml_doc_text(&d);
	if (!text || toml_doc_parse(a, text, strlen(text), NULL, NULL, NULL, &again, NULL) < 0 ||
		strcmp(text, toml_doc_text(&again)) != 0)
		abort();
	toml_doc_merge(&d, &again, true);
}

static void json(struct arena *a, const char *s, size_t n)
{
	struct keypats keep = patterns(a, "a*", "m.*.k"), drop = patterns(a, "ab", "*.*.z");
	struct json_doc *d, *again;
	if (json_doc_parse(s, n, &d, NULL) < 0)
		return;
	json_doc_filter(d, &keep, &drop, &watch);
	json_doc_check_commands(d, &keep, &watch);
	json_doc_unsign(d, &keep, 4000000000);
	char *text = json_doc_text(d);
	if (!text || json_doc_parse(text, strlen(text), &again, NULL) < 0)
		abort();
	json_doc_merge(d, again, true);
	json_doc_free(again);
	json_doc_free(d);
	free(text);
}

/* A template's settings: what comes of them can be read again, has no key twice, and says what we
 * say. */
static void merge(struct arena *a, enum seed_format format, const char *s, size_t n)
{
	struct seed_merge m = {.format = format,
		.base = arena_dupn(a, s, n),
		.n = n,
		.top = format == SEED_TOML ? "a = 7\n[b.c]\nd = 8\n" : "{\"a\": 7}",
		.all = format == SEED_TOML ? "a = 7\nm = 9\n[e]\nf = 1\n" : "{\"a\": 7, \"m\": 9}"};
	struct toml_doc d;
	struct json_doc *j;
	int64_t v = 0;
	if (memchr(s, 0, n) || seed_merge_one(a, &m, NULL) < 0)
		return;
	if (format == SEED_TOML) {
		if (toml_doc_parse(a, m.text, strlen(m.text), NULL, NULL, NULL, &d, NULL) < 0 ||
			toml_doc_open(&d, NULL) < 0)
			abort();
		return;
	}
	if (json_doc_parse(m.text, strlen(m.text), &j, NULL) < 0)
		abort();
	if (!json_doc_object(j, "a") && (!json_doc_integer(j, "a", &v) || v != 7) &&
		!strstr(m.text, "\"a\": ["))
		abort();
	json_doc_free(j);
}

static void request(struct arena *a, const char *s, size_t n)
{
	struct blob answer = {0};
	seed_merge_answer(a, s, n, &answer);
	blob_free(&answer);
}

static bool import(void *ud, const char *path)
{
	size_t *n = ud;
	*n = strlen(path);
	if (*n == 0 || *n >= PATH_MAX || strpbrk(path, "\n\t"))
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0 || n > 1 << 16)
		return 0;
	struct arena a = {0};
	struct seed_report report = {.a = &a};
	struct seed_git_out out;
	const char *s = (const char *)data + 1, *why;
	size_t at, len;
	switch (data[0]) {
	case 't':
		toml(&a, s, n - 1);
		break;
	case 'j':
		json(&a, s, n - 1);
		break;
	case 'T':
		merge(&a, SEED_TOML, s, n - 1);
		break;
	case 'J':
		merge(&a, SEED_JSON, s, n - 1);
		break;
	case 'm':
		request(&a, s, n - 1);
		break;
	case 'i':
		seed_imports_each(s, n - 1, import, &at);
		break;
	case 'g':
		seed_git_filter(&report, s, n - 1, "/w", true, &out, NULL);
		break;
	default:
		if (secret_find(s, n - 1, &at, &len, &why) && (at + len > n - 1 || len == 0))
			abort();
	}
	arena_free(&a);
	return 0;
}
