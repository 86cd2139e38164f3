/* seed/report.c - see report.h */
#include "seed/report.h"

#include <stdarg.h>

#include "base/escape.h"

const char *seed_kind_name(enum seed_kind kind)
{
	static const char *const names[SEED_KINDS] = {
		[SEED_NOTICE] = "notice",
		[SEED_ENV] = "env",
		[SEED_VARIABLE] = "variable",
		[SEED_WITHHELD] = "withheld",
		[SEED_LEFT] = "left",
		[SEED_SKIPPED] = "skipped",
		[SEED_HOOKS] = "hooks",
		[SEED_SETTING] = "setting",
		[SEED_LOGIN] = "login",
		[SEED_FRESH] = "fresh",
		[SEED_KEY] = "key",
		[SEED_READS] = "reads",
		[SEED_RENEW] = "renew",
	};
	return names[kind];
}

void seed_say(struct seed_report *r, enum seed_kind kind, const char *fmt, ...)
{
	char raw[4096], safe[4096];
	const bool exact = kind == SEED_ENV || kind == SEED_VARIABLE || kind == SEED_KEY ||
		kind == SEED_RENEW || kind == SEED_SETTING;
	char *whole = raw;
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (exact && n >= (int)sizeof(raw) && (whole = arena_alloc(r->a, (size_t)n + 1))) {
		va_start(ap, fmt);
		vsnprintf(whole, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	if (!whole)
		return;

	struct seed_record *v = arena_grow(r->a, r->v, r->n, &r->cap, sizeof(*v));
	if (!v)
		return;
	r->v = v;
	const char *text = exact ? whole : escape_text(safe, sizeof(safe), raw);
	r->v[r->n++] = (struct seed_record){.kind = kind, .text = arena_dup(r->a, text)};
}

const char *seed_duration(int64_t s, char *dst, size_t cap)
{
	if (s >= 2 * 86400)
		snprintf(dst, cap, "%lld days", (long long)(s / 86400));
	else if (s >= 2 * 3600)
		snprintf(dst, cap, "%lld h", (long long)(s / 3600));
	else
		snprintf(dst, cap, "%lld min", (long long)(s / 60));
	return dst;
}
