/* build/say.c - what a build prints, on standard error; see build.h */
#include <stdarg.h>

#include "base/escape.h"
#include "build/build.h"

#define LINE_MAX_SHOWN 300

void build_say(struct build *b, const char *fmt, ...)
{
	va_list ap;
	if (b->opt.quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(stderr);
}

/* "[2/5] CACHED RUN make": the step before anything that it prints itself. */
void build_say_step(struct build *b, const char *what, bool cached)
{
	char shown[4 * LINE_MAX_SHOWN + 8], text[LINE_MAX_SHOWN + 4];
	snprintf(text, sizeof(text), "%.*s%s", LINE_MAX_SHOWN, what,
		strlen(what) > LINE_MAX_SHOWN ? "..." : "");
	escape_text(shown, sizeof(shown), text);
	build_say(b, "%s[%zu/%zu]%s %s%s\n", b->terminal ? "\033[1m" : "", b->step, b->steps,
		b->terminal ? "\033[0m" : "", cached ? "CACHED " : "", shown);
}
