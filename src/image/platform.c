/* image/platform.c - which of several images is for a machine; see image.h */
#include "base/escape.h"
#include "image/cpu.h"
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
	/* what it can run says this machine's processor, of another's architecture nobody */
	p.level = streq(p.arch, image_here.arch) ? cpu_level() : 0;
	if (word_ok(p.os) && word_ok(p.arch) && (!rest || word_ok(rest))) {
		*ret = p;
		return 0;
	}
	err_hint(err, "OS/ARCH[/VARIANT], as in linux/amd64 or linux/arm64/v8");
	return err_set(err, EINVAL, "'%s' is no platform", escape_text(shown, sizeof(shown), text));
}

struct image_platform image_machine(void)
{
	struct image_platform p = image_here;
	p.level = cpu_level();
	return p;
}

/* What a variant that isn't said stands for. */
static const char *variant_of(const struct image_platform *p)
{
	if (p->variant && *p->variant)
		return p->variant;
	return streq(p->arch, "arm64") ? "v8" : streq(p->arch, "amd64") ? "v1" : "";
}

/* "v3": 3; 0: it is no level. */
static unsigned int level_of(const char *variant)
{
	const bool is = variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && !variant[2];
	return is ? (unsigned int)(variant[1] - '0') : 0;
}

/* Up to where want goes. */
static unsigned int most(const struct image_platform *want)
{
	return want->variant && *want->variant ? level_of(want->variant) : MAX(want->level, 1u);
}

int image_platform_fits(const struct image_platform *want, const struct image_platform *have)
{
	if (!have->os || !have->arch)
		return 1;
	if (!streq(want->os, have->os) || !streq(want->arch, common_name(have->arch)))
		return 0;
	if (streq(want->arch, "amd64")) { /* the highest that can run is best */
		const struct image_platform known = {.arch = want->arch, .variant = have->variant};
		unsigned int n = level_of(variant_of(&known));
		return n && n <= most(want) ? 1 + (int)n : 0;
	}
	/* an exact one is best; a machine's later variants are more than it may have */
	const struct image_platform known = {.arch = want->arch, .variant = have->variant};
	if (streq(variant_of(want), variant_of(&known)))
		return 3;
	return want->variant ? 0 : 2;
}

bool image_platform_beyond(const struct image_platform *want, const struct image_platform *have)
{
	return want->arch && streq(want->arch, "amd64") && have->os && have->arch &&
		streq(want->os, have->os) && streq(common_name(have->arch), "amd64") &&
		have->variant && level_of(have->variant) > most(want);
}

void image_platform_hint(const struct image_platform *want, bool beyond, struct err *err)
{
	if (beyond && !want->variant)
		err_hint(err,
			"this machine's processor can run up to linux/amd64/v%u; to have another "
			"here nevertheless, name it: --platform linux/amd64/vN",
			most(want));
	else
		err_hint(err, "have it made for %s/%s", want->os, want->arch);
}

char *image_platform_text(struct arena *a, const struct image_platform *p)
{
	char os[40], arch[40], variant[40];
	return arena_printf(a, "%s/%s%s%s", escape_text(os, sizeof(os), p->os ? p->os : "?"),
		escape_text(arch, sizeof(arch), p->arch ? p->arch : "?"),
		p->variant && *p->variant ? "/" : "",
		escape_text(variant, sizeof(variant), p->variant ? p->variant : ""));
}
