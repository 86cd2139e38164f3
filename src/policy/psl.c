/* policy/psl.c - see psl.h.  The format: publicsuffix.org/list, "Specification". */
#include "policy/psl.h"

#include <fcntl.h>

#include "base/file.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int psl_parse(struct arena *a, char *text, struct psl *ret)
{
	size_t lines = 1;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	struct psl p = {.v = arena_alloc(a, lines * sizeof(*p.v))};
	if (!p.v)
		return -ENOMEM;
	for (char *line; text && (line = strsep(&text, "\n"));) {
		/* a line counts up to the first white space */
		line[strcspn(line, " \t\r")] = '\0';
		if (*line && strncmp(line, "//", 2) != 0)
			p.v[p.n++] = line;
	}
	if (p.n)
		qsort(p.v, p.n, sizeof(*p.v), by_text);
	*ret = p;
	return 0;
}

void psl_load(struct arena *a, const char *path, struct psl *ret)
{
	char *text = NULL;
	struct err ignored = {0};
	*ret = (struct psl){0};
	if (file_read(a, AT_FDCWD, path, PSL_MAX, &text, &ignored) > 0)
		psl_parse(a, text, ret);
}

static bool has_line(const struct psl *p, const char *line)
{
	return p->n && bsearch(&line, p->v, p->n, sizeof(*p->v), by_text);
}

bool psl_has(const struct psl *p, const char *name)
{
	char line[300];
	const char *dot = strchr(name, '.');
	if (strlen(name) > sizeof(line) - 3)
		return false;
	snprintf(line, sizeof(line), "!%s", name);
	if (has_line(p, line)) /* an exception to a wildcard */
		return false;
	if (has_line(p, name))
		return true;
	if (!dot)
		return false;
	snprintf(line, sizeof(line), "*%s", dot);
	return has_line(p, line);
}
