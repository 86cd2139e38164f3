/* store/line.c - see line.h */
#include "store/line.h"

char *line_unescape(char *s)
{
	char *to = s;
	for (const char *p = s; *p; p++) {
		if (*p != '\\') {
			*to++ = *p;
			continue;
		}
		p++;
		if (*p != 'n' && *p != 'r' && *p != '\\')
			return NULL;
		*to++ = *p == 'n' ? '\n' : *p == 'r' ? '\r' : '\\';
	}
	*to = '\0';
	return s;
}

void line_put(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s ", key);
	for (const char *p = value; *p; p++) {
		if (*p == '\n' || *p == '\r' || *p == '\\')
			fputc('\\', f);
		fputc(*p == '\n' ? 'n' : *p == '\r' ? 'r' : *p, f);
	}
	fputc('\n', f);
}
