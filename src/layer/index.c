/* layer/index.c - see index.h.
 *
 * A plain file is not read but for its headers: an archive of half a gigabyte takes a millisecond.
 */
#include "layer/index.h"

#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "layer/place.h"
#include "layer/tar.h"

struct source {
	int fd, spool;
	struct input *in;
	uint64_t at, size; /* of a plain file */
	unsigned char buf[TAR_BLOCK * 8];
};

static int fill_file(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct source *s = ctx;
	ssize_t n = fd_pread_full(s->fd, s->buf, sizeof(s->buf), (off_t)s->at);
	if (n < 0)
		return err_sys(err, (int)-n, "read the archive");
	s->at += (uint64_t)n;
	*ret = s->buf;
	*ret_n = (size_t)n;
	return 0;
}

static int skip_file(void *ctx, uint64_t n, struct err *err)
{
	struct source *s = ctx;
	if (n > s->size - MIN(s->at, s->size))
		return err_set(err, EBADMSG, "the archive ends in the middle of a file");
	s->at += n;
	return 0;
}

static int fill_spooled(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct source *s = ctx;
	int r = input_fill(s->in, ret, ret_n, err);
	if (r == 0 && *ret_n)
		r = fd_write_all(s->spool, *ret, *ret_n);
	return r < 0 && (!err || !err->code) ? err_sys(err, -r, "unpack the archive") : r;
}

static int one_entry(struct tar *t, const struct tar_entry *e, struct result *res, struct err *err)
{
	char clean[TAR_PATH_MAX + 1], name[4 * sizeof(clean)], target[4 * sizeof(clean)];
	int r = place_clean(e->path, LAYER_LIMITS.depth, clean, err);
	if (r < 0)
		return r;
	escape_text(name, sizeof(name), clean);
	if (e->type == TAR_DIR) {
		say(res, "dir %s\n", name);
	} else if (e->type == TAR_SYMLINK || e->type == TAR_HARD) {
		say(res, "link %s\t", name);
		say(res, "%s\n", escape_text(target, sizeof(target), e->link));
	} else if (e->type == TAR_FILE) {
		if (e->n_segs > 1 || (e->n_segs && e->segs[0].n != e->size))
			return err_set(err, EBADMSG, "the archive has a sparse file: %s", name);
		say(res, "file %llu %llu %s\n", (unsigned long long)tar_position(t),
			(unsigned long long)e->size, name);
	}
	return tar_skip(t, err);
}

static int run(struct source *s, struct result *res, struct err *err)
{
	const struct tar_ops file = {.fill = fill_file, .skip = skip_file, .ctx = s},
			     spooled = {.fill = fill_spooled, .ctx = s};
	struct tar *t = tar_new(s->in ? &spooled : &file);
	struct tar_entry e;
	unsigned int n = 0;
	int r = t ? 1 : err_set(err, ENOMEM, "out of memory");
	while (r > 0 && (r = tar_next(t, &e, err)) > 0) {
		if (++n > INDEX_ENTRIES_MAX)
			r = err_set(err, E2BIG, "the archive has more than %d entries",
				INDEX_ENTRIES_MAX);
		if (r > 0)
			r = one_entry(t, &e, res, err);
		r = r == 0 ? 1 : r;
	}
	tar_free(t);
	if (r == 0)
		say(res, "in %d\n", s->in ? s->spool : s->fd);
	return r;
}

int index_tar(int fd, int spool, struct result *res, struct err *err)
{
	struct source s = {.fd = fd, .spool = spool};
	struct stat st;
	unsigned char magic[INPUT_MAGIC] = {0};
	bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	ssize_t n = file ? fd_pread_full(fd, magic, sizeof(magic), 0) : 0;
	s.size = (uint64_t)st.st_size;
	if (n < 0)
		return err_sys(err, (int)-n, "read the archive");
	if (!file || input_format(magic, (size_t)n) != LAYER_TAR) {
		int r = input_open(fd, file, 0, INPUT_TO_END, &s.in, err);
		if (r < 0)
			return r;
	}
	return run(&s, res, err);
}
