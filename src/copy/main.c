/* copy/main.c - bawn-copy: one end of a copy; see copy.h.
 *
 *   bawn-copy [-l] send PATH                 the stream goes to 1
 *   bawn-copy [-xfo] [-b BASE] receive PATH  the stream comes from 0, what becomes of it goes to 1
 *
 * -l COPY_FOLLOW, -x COPY_EXACT, -f COPY_FRESH, -o COPY_OUTSIDE.  Started by bawn alone; inside it
 * comes as an open file, as a template need not have it.  Without -b the content of a directory
 * goes there.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>

#include "base/fd.h"
#include "copy/copy.h"

static int fail(int status, const struct err *err)
{
	struct copy_status s = {.magic = COPY_MAGIC, .kind = COPY_DONE, .error = err->code};
	int n = snprintf(s.text, sizeof(s.text), "%s", err->msg);
	/* the remedy stands behind the NUL */
	if (n >= 0 && (size_t)n + 1 < sizeof(s.text))
		snprintf(s.text + n + 1, sizeof(s.text) - (size_t)n - 1, "%s", err->hint);
	fd_write_all(status, &s, sizeof(s));
	return 2;
}

static int receive(const char *path, const char *base, unsigned int flags)
{
	struct err err = {0};
	const char *top;
	int dir = copy_destination(path, base, flags, &top, &err);
	if (dir < 0)
		return fail(1, &err);
	copy_end_well();
	if ((flags & COPY_OUTSIDE) && copy_jail(dir, &err) < 0)
		return fail(1, &err);
	int r = copy_receive(0, dir, top, 1, flags);
	return r < 0 ? 2 : r;
}

int main(int argc, char **argv)
{
	static const struct {
		int letter;
		unsigned int flag;
	} letters[] = {
		{'l', COPY_FOLLOW}, {'x', COPY_EXACT}, {'f', COPY_FRESH}, {'o', COPY_OUTSIDE}};
	struct err err = {0};
	const char *base = NULL;
	unsigned int flags = 0;
	opterr = 0;
	for (int c; (c = getopt(argc, argv, "+lxfob:")) != -1;) {
		if (c == 'b')
			base = optarg;
		for (size_t i = 0; i < ARRAY_LEN(letters); i++)
			if (letters[i].letter == c)
				flags |= letters[i].flag;
		if (c == '?')
			return 2;
	}
	if (argc - optind != 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* inside, 2 is the program itself */
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		dup2(null, 2);
	if (streq(argv[optind], "send"))
		return copy_send(argv[optind + 1], 1, flags, &err) < 0 ? 2 : 0;
	return streq(argv[optind], "receive") ? receive(argv[optind + 1], base, flags) : 2;
}
