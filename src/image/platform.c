/* image/platform.c - which of several images is for a machine; see image.h */
#include "base/escape.h"
#include "image/request.h"

const struct image_platform image_here = {
	.os = "linux",
#if defined(__x86_64__)
	.arch = "amd64",
#elif defined(__aarch64__)
	.arch = "arm64",
#else
#error "the name that images have for this architecture is needed here"
#endif
};

static bool word_ok(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= 32 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == n;
}

static const char *common_name(const char *arch)
{
	return streq(arch, "x86_64") ? "amd64" : streq(arch, "aarch64") ? "arm64" : arch;
}

int image_platform_parse(
	struct arena *a, const char *text, struct image_platform *ret, struct err *err)
{
	struct image_platform p = {.os = "linux"};
	char shown[100];
	char *rest = arena_dup(a, text);
	if (!rest)
		return err_set(err, ENOMEM, "out of memory");
	if (strchr(rest, '/'))
		p.os = strsep(&rest, "/");
	p.arch = common_name(strsep(&rest, "/"));
	p.variant = rest;
	if (word_ok(p.os) && word_ok(p.arch) && (!rest || word_ok(rest))) {
		*ret = p;
		return 0;
	}
	err_hint(err, "OS/ARCH[/VARIANT], as in linux/amd64 or linux/arm64/v8");
	return err_set(err, EINVAL, "'%s' is no platform", escape_text(shown, sizeof(shown), text));
}

/* What a variant that isn't said stands for. */
static const char *variant_of(const struct image_platform *p)
{
	if (p->variant && *p->variant)
		return p->variant;
	return streq(p->arch, "arm64") ? "v8" : streq(p->arch, "amd64") ? "v1" : "";
}

int image_platform_fits(const struct image_platform *want, const struct image_platform *have)
{
	if (!have->os || !have->arch)
		return 1;
	if (!streq(want->os, have->os) || !streq(want->arch, common_name(have->arch)))
		return 0;
	/* an exact one is best; a machine's later variants are more than it may have */
	if (streq(variant_of(want), variant_of(have)))
		return 3;
	return want->variant || streq(want->arch, "amd64") ? 0 : 2;
}

char *image_platform_text(struct arena *a, const struct image_platform *p)
{
	char os[40], arch[40], variant[40];
	return arena_printf(a, "%s/%s%s%s", escape_text(os, sizeof(os), p->os ? p->os : "?"),
		escape_text(arch, sizeof(arch), p->arch ? p->arch : "?"),
		p->variant && *p->variant ? "/" : "",
		escape_text(variant, sizeof(variant), p->variant ? p->variant : ""));
}
