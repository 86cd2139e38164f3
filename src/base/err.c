/* base/err.c - see err.h */
#include "base/err.h"

#include <stdarg.h>

/* A message goes to a terminal, and may quote what somebody typed, or what a file holds: whoever
 * makes it escapes what is foreign (escape_text), and what was forgotten moves no cursor. */
static void no_controls(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0; /* in UTF-8 */
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f || c1)
			*p = '?';
		if (c1)
			p[1] = '?';
	}
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	if (!err)
		return -code;

	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	no_controls(err->msg);
	err->code = code;
	return -code;
}

/* What is the same whatever it stopped. */
static const char *remedy(int code)
{
	switch (code) {
	case EMFILE:
		return "the limit of open files is too low: ulimit -n 1024 raises it, as far "
		       "as ulimit -Hn allows";
	case ENOSPC:
	case EDQUOT:
		return "make room there: df -h shows which disk is full, df -ih which has no "
		       "file left";
	default:
		return "";
	}
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
	if (!err)
		return -code;

	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->msg))
		snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", strerror(code));
	no_controls(err->msg);
	if (!err->hint[0])
		err_hint(err, "%s", remedy(code));
	err->code = code;
	return -code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	if (!err)
		return -EIO;

	char old[sizeof(err->msg)];
	memcpy(old, err->msg, sizeof(old));
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->msg))
		snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %.700s", old);
	no_controls(err->msg);
	return -(err->code ? err->code : EIO);
}

void err_hint(struct err *err, const char *fmt, ...)
{
	if (!err)
		return;

	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	no_controls(err->hint);
}
