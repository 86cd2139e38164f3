/* change/compare.c - are two places the same, and has the host's changed meanwhile
 *
 * Theory of "meanwhile": the kernel keeps no copy of what a file was when the sandbox first saw it,
 * but nothing that a user can call sets an inode's ctime back.  So a file of the host whose ctime
 * is past the start of the sandbox has been changed since, unless the ledger says that it was we
 * who landed it.  A file that was copied up (the overlay marks it) in a later session, after which
 * the host's has not been touched, was taken from what the host has now: then the start of that
 * session counts.  Both err on the side of a conflict, except where the host moves a whole
 * directory over another: the files in it keep their ctime.
 */
#include "change/change.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/file.h"

uint64_t stat_ctime_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
}

int entry_open(const struct change *c, const struct entry *e, const char *path)
{
	struct stat st;
	_cleanup_close_ int fd = place_open(layer_fd(c, e->layer), path, O_RDONLY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_ino != e->st.st_ino)
		return -ESTALE;
	if (e->layer >= 0 && is_foreign(fd))
		return -EMEDIUMTYPE;
	return TAKE_FD(fd);
}

ssize_t entry_link(const struct change *c, const struct entry *e, const char *path,
	char ret[static TARGET_MAX])
{
	const char *name;
	_cleanup_close_ int dir = place_parent(layer_fd(c, e->layer), path, &name);
	if (dir < 0)
		return dir;
	ssize_t n = readlinkat(dir, name, ret, TARGET_MAX - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return n;
}

/* Where data is at or behind pos; size when there is none. */
static uint64_t next_data(int fd, uint64_t pos, uint64_t size)
{
	off_t p = lseek(fd, (off_t)pos, SEEK_DATA);
	if (p < 0)
		return errno == ENXIO ? size : pos;
	return MIN((uint64_t)p, size);
}

int same_content(int a, int b, uint64_t size)
{
	static char x[65536], y[65536];
	for (uint64_t pos = 0; pos < size;) {
		uint64_t p = next_data(a, pos, size), q = next_data(b, pos, size);
		pos = MIN(p, q);
		size_t n = (size_t)MIN(size - pos, sizeof(x));
		if (n == 0)
			break;
		ssize_t i = pread(a, x, n, (off_t)pos), k = pread(b, y, n, (off_t)pos);
		if (i < 0 || k < 0)
			return -errno;
		if (i != k || i == 0)
			return i == k; /* both shorter than they said */
		if (memcmp(x, y, (size_t)i) != 0)
			return 0;
		pos += (size_t)i;
	}
	return 1;
}

/* When was this one copied up?  0: it was not, or that can't be told. */
static uint64_t copied_up_at(const struct change *c, const struct item *it)
{
	struct file_statx x;
	if (it->now.layer < 0 || it->pub.type != CHANGE_FILE || it->pub.old_type != CHANGE_FILE)
		return 0;
	_cleanup_close_ int fd = entry_open(c, &it->now, it->pub.path);
	if (fd < 0 || !is_copied_up(fd) || file_statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) < 0 ||
		!(x.stx_mask & STATX_BTIME))
		return 0;
	return (uint64_t)x.stx_btime.tv_sec * 1000000000u + x.stx_btime.tv_nsec;
}

bool host_changed(const struct change *c, const struct item *it)
{
	const struct change_request *req = c->req;
	if (it->was.layer == LAYER_NONE || it->pub.old_type == CHANGE_DIR)
		return false;
	uint64_t changed = stat_ctime_ns(&it->was.st), base = req->since[0];
	if (changed <= base || ledger_has(&c->ledger, it->pub.path, &it->was.st))
		return false;
	uint64_t copied = copied_up_at(c, it);
	for (size_t i = 1; i < req->n_since && req->since[i] <= copied; i++)
		base = req->since[i];
	return changed > base;
}
