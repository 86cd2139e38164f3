/* cli/admin.c - what the helpers that are commands say, and where their directories are; see
 * admin.h
 */
#include "cli/admin.h"

#include <stdarg.h>

#include "base/fd.h"

int admin_fail(const struct err *err)
{
	fprintf(stderr, "bawn: %s\n", err->msg);
	if (err->hint[0])
		fprintf(stderr, "bawn: %s\n", err->hint);
	return ADMIN_FAILED;
}

int admin_said(int code)
{
	struct err err = {0};
	return fd_flush_stdout(&err) < 0 ? admin_fail(&err) : code;
}

int admin_usage(const char *usage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("bawn: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nbawn: usage: %s\n", usage);
	return ADMIN_USAGE;
}

int admin_help(const struct admin_help *h)
{
	printf("Usage: %s\n\n%s\n\nOptions:\n", h->usage, h->text);
	options_help(h->rows, stdout);
	printf("\nExamples:\n%s", h->examples);
	return admin_said(0);
}

int admin_dirs_find(struct arena *a, struct admin_dirs *ret, struct err *err)
{
	int r = path_xdg_find(a, &ret->xdg, err);
	return r < 0 ? r : path_install_find(a, BAWN_LIBEXECDIR, BAWN_DATADIR, &ret->install, err);
}
