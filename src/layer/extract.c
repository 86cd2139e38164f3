/* layer/extract.c - see extract.h.
 *
 * Theory: each entry names a place below fs/.  The directory it lies in is opened (openat2, no link
 * followed, never above), everything else is done by name in that directory: what is there goes
 * (extract-clear.c), the new thing is made with O_EXCL or its like, so that nothing that is there
 * is ever opened for writing or written through.
 *
 * Whiteouts of a layer mean the layers below, never what the same tar has, whichever comes first
 * (OCI image specification, "Whiteouts").  So a whiteout makes a device only where the name is
 * free; where a directory has it, that becomes opaque; and a directory that takes the name of a
 * whiteout, or of anything else, is opaque, as what it would merge with is gone.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "layer/attr.h"
#include "layer/extract-in.h"

static int fail(struct err *err, int code, const char *what, const struct extract *x)
{
	return err_sys(err, code, "%s %s", what, extract_shown(x->path));
}

static int on_fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct extract *x = ctx;
	return x->in->fill(x->in->ctx, ret, ret_n, err);
}

static int on_meta(void *ctx, const void *data, size_t n, struct err *err)
{
	struct extract *x = ctx;
	x->meta += n;
	if (x->meta > x->in->limits.meta)
		return err_set(err, E2BIG,
			"the tar has more than %llu bytes that are no file's content",
			(unsigned long long)x->in->limits.meta);
	return frame_bytes(x->frame, data, n, err);
}

/* ---- kinds --------------------------------------------------------------------------------------
 */

static int put_dir(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	int was = name[0] ? extract_clear(x, parent, x->path, name, true, err) : CLEAR_DIR;
	if (was < 0)
		return was;
	if (was != CLEAR_DIR && mkdirat(parent, name, attr_first_mode(e)) < 0)
		return fail(err, errno, "make the directory", x);
	_cleanup_close_ int fd = place_open(parent, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fail(err, -fd, "open the directory", x);
	int r = attr_set(fd, e, was != CLEAR_DIR, x->c, err);
	if (r == 0 && was == CLEAR_REPLACED)
		r = attr_set_opaque(fd, err);
	return r == 0 ? extract_remember_time(x, x->path, e, err) : r;
}

static int write_at(int fd, const void *data, size_t n, uint64_t offset)
{
	const char *p = data;
	while (n) {
		ssize_t k = pwrite(fd, p, n, (off_t)offset);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		p += k;
		n -= (size_t)k;
		offset += (uint64_t)k;
	}
	return 0;
}

static int put_content(struct extract *x, int fd, const struct tar_entry *e, struct err *err)
{
	const void *data;
	uint64_t offset, end = 0;
	size_t n;
	int r = 0;
	for (size_t i = 0; r == 0 && i < e->n_segs; i++)
		r = frame_content(x->frame, x->path, e->segs[i].offset, e->segs[i].n, err);
	while (r == 0 && (r = tar_data(x->tar, &data, &n, &offset, err)) > 0) {
		r = x->in->shape ? 0 : write_at(fd, data, n, offset);
		if (r < 0)
			return fail(err, -r, "write", x);
		end = offset + n;
	}
	if (r == 0 && (end < e->size || x->in->shape) && ftruncate(fd, (off_t)e->size) < 0)
		return fail(err, errno, "write", x);
	return r;
}

/* Nearly all names are free. */
static int make_file(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL;
	int fd = place_open(parent, name, flags, attr_first_mode(e));
	if (fd == -EEXIST) {
		int r = extract_clear(x, parent, x->path, name, false, err);
		if (r < 0)
			return r;
		fd = place_open(parent, name, flags, attr_first_mode(e));
	}
	return fd < 0 ? fail(err, -fd, "make the file", x) : fd;
}

static int put_file(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	if (e->size > x->in->limits.bytes - x->c->size && !GUARD_REMOVED("layer-bytes"))
		return err_set(err, EFBIG, "the files of the tar have more than %llu bytes",
			(unsigned long long)x->in->limits.bytes);
	x->c->size += e->size;
	_cleanup_close_ int fd = make_file(x, parent, name, e, err);
	if (fd < 0)
		return fd;
	int r = put_content(x, fd, e, err);
	return r == 0 ? attr_set(fd, e, true, x->c, err) : r;
}

static int set_link_time(int parent, const char *name, const struct tar_entry *e)
{
	const struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT}, {.tv_sec = e->mtime, .tv_nsec = e->mtime_ns}};
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int put_symlink(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	if (!e->link[0])
		return err_set(err, EBADMSG, "the tar has a symbolic link without a target: %s",
			extract_shown(x->path));
	int r = extract_clear(x, parent, x->path, name, false, err);
	if (r < 0)
		return r;
	if (symlinkat(e->link, parent, name) < 0)
		return fail(err, errno, "make the symbolic link", x);
	r = set_link_time(parent, name, e);
	return r < 0 ? fail(err, -r, "set the time of", x) : 0;
}

static int put_fifo(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	int r = extract_clear(x, parent, x->path, name, false, err);
	if (r < 0)
		return r;
	if (mknodat(parent, name, S_IFIFO | attr_disk_mode(e->mode, false), 0) < 0)
		return fail(err, errno, "make the FIFO", x);
	r = set_link_time(parent, name, e);
	return r < 0 ? fail(err, -r, "set the time of", x) : 0;
}

/* What a hard link is to, which must be an earlier entry of this tar. */
static int find_target(struct extract *x, const char *target, const struct tar_entry *e,
	int *ret_dir, struct err *err)
{
	char shown[400];
	size_t n;
	struct stat st;
	const char *base = place_base(target, &n);
	char dir[TAR_PATH_MAX + 1];
	memcpy(dir, target, n);
	dir[n] = 0;
	snprintf(shown, sizeof(shown), "%s", extract_shown(e->link));
	_cleanup_close_ int fd = place_open(x->fs, dir, O_PATH | O_DIRECTORY, 0);
	bool there = fd >= 0 && base[0] && fstatat(fd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		!extract_is_whiteout(&st);
	if (!there) {
		err_set(err, ENOENT,
			"the tar has %s as a hard link to %s, which is not in it before",
			extract_shown(x->path), shown);
		err_hint(err, "a layer has hard links among its own files only");
		return -ENOENT;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(err, EPERM, "the tar has %s as a hard link to a directory, %s",
			extract_shown(x->path), shown);
	*ret_dir = TAKE_FD(fd);
	return 0;
}

static int put_hard(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	char target[TAR_PATH_MAX + 1];
	int fd = -1, r = place_clean(e->link, x->in->limits.depth, target, err);
	if (r == 0)
		r = find_target(x, target, e, &fd, err);
	_cleanup_close_ int dir = fd;
	if (r < 0 || streq(target, x->path))
		return r;
	r = extract_clear(x, parent, x->path, name, false, err);
	if (r < 0)
		return r;
	size_t n;
	if (linkat(dir, place_base(target, &n), parent, name, 0) < 0)
		return fail(err, errno, "make the hard link", x);
	return 0;
}

static int put_node(
	struct extract *x, int parent, const char *name, const struct tar_entry *e, struct err *err)
{
	_cleanup_close_ int fd = make_file(x, parent, name, e, err);
	return fd < 0 ? fd : attr_set(fd, e, true, x->c, err);
}

/* ---- whiteouts ----------------------------------------------------------------------------------
 */

static int mark_whiteouts(int parent, struct err *err)
{
	_cleanup_close_ int fd = place_open(parent, "", O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? err_sys(err, -fd, "open a directory") : attr_set_whiteouts(fd, err);
}

static int put_whiteout(struct extract *x, int parent, const char *name, struct err *err)
{
	struct stat st;
	if (!name[0] || streq(name, ".") || streq(name, ".."))
		return err_set(err, EPERM, "the tar has a whiteout of nothing: %s",
			extract_shown(x->path));
	if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0)
		return mark_whiteouts(parent, err);
	if (errno != EEXIST) {
		err_sys(err, errno, "make the whiteout %s", extract_shown(x->path));
		err_hint(err,
			"templates need a file system where an ordinary user may make "
			"character devices 0/0, as ext4, xfs, btrfs and tmpfs do");
		return -err->code;
	}
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, errno, "look at", x);
	if (!S_ISDIR(st.st_mode))
		return 0;
	_cleanup_close_ int fd = place_open(parent, name, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? fail(err, -fd, "open", x) : attr_set_opaque(fd, err);
}

static int put_opaque(int parent, struct err *err)
{
	_cleanup_close_ int fd = place_open(parent, "", O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? err_sys(err, -fd, "open a directory") : attr_set_opaque(fd, err);
}

/* Of what stands in the tar and has no place in the tree, the bytes still are the tar's. */
static int pass_over(struct extract *x, struct err *err)
{
	const void *data;
	uint64_t offset;
	size_t n;
	int r;
	while ((r = tar_data(x->tar, &data, &n, &offset, err)) > 0) {
		r = on_meta(x, data, n, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* ---- entries ------------------------------------------------------------------------------------
 */

/* Is it aufs's own, or where a whiteout can't be?  1: to be passed over. */
static int check_name(struct extract *x, const char *base, struct err *err)
{
	for (const char *p = x->path; p < base; p = strchr(p, '/') + 1) {
		if (has_prefix(p, WHITEOUT_META))
			return 1;
		if (has_prefix(p, WHITEOUT))
			return err_set(err, EPERM, "the tar has something below a whiteout: %s",
				extract_shown(x->path));
	}
	return has_prefix(base, WHITEOUT_META) && !streq(base, WHITEOUT_OPAQUE);
}

static int put(
	struct extract *x, int parent, const char *base, const struct tar_entry *e, struct err *err)
{
	switch (e->type) {
	case TAR_FILE:
		return put_file(x, parent, base, e, err);
	case TAR_DIR:
		return put_dir(x, parent, base, e, err);
	case TAR_SYMLINK:
		return put_symlink(x, parent, base, e, err);
	case TAR_HARD:
		return put_hard(x, parent, base, e, err);
	case TAR_FIFO:
		return put_fifo(x, parent, base, e, err);
	default:
		return put_node(x, parent, base, e, err);
	}
}

static int one_entry(struct extract *x, const struct tar_entry *e, struct err *err)
{
	size_t n;
	if (++x->c->entries > x->in->limits.entries)
		return err_set(err, E2BIG, "the tar has more than %llu entries",
			(unsigned long long)x->in->limits.entries);
	int r = place_clean(e->path, x->in->limits.depth, x->path, err);
	if (r < 0)
		return r;
	const char *base = place_base(x->path, &n);
	if (!base[0] && e->type != TAR_DIR)
		return err_set(
			err, EPERM, "the tar has the root as something else than a directory");
	r = check_name(x, base, err);
	if (r < 0)
		return r;
	if (r == 1) {
		x->c->skipped++;
		layer_note(x->c, "%s: left out, as only aufs knows it", extract_shown(x->path));
		return pass_over(x, err);
	}
	int parent = extract_parent(x, x->path, n, e, err);
	if (parent < 0)
		return parent;
	if (!has_prefix(base, WHITEOUT))
		return put(x, parent, base, e, err);
	r = streq(base, WHITEOUT_OPAQUE) ? put_opaque(parent, err)
					 : put_whiteout(x, parent, base + strlen(WHITEOUT), err);
	return r == 0 ? pass_over(x, err) : r;
}

static int run(struct extract *x, struct err *err)
{
	struct tar_entry e;
	int r;
	while ((r = tar_next(x->tar, &e, err)) > 0) {
		r = one_entry(x, &e, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = extract_set_times(x, err);
	return r == 0 ? frame_end(x->frame, err) : r;
}

static int begin(struct extract *x, int frame, struct err *err)
{
	if (mkdirat(x->in->dir, "fs", 0755) < 0)
		return err_sys(err, errno, "make a layer's directory");
	x->fs = place_open(x->in->dir, "fs", O_RDONLY | O_DIRECTORY, 0);
	if (x->fs < 0)
		return err_sys(err, -x->fs, "open a layer's directory");
	if ((x->in->shape || x->in->mark) && attr_set_implied(x->fs, err) < 0)
		return -err->code;
	x->frame = frame_begin(frame, err);
	x->tar = tar_new(&(struct tar_ops){.fill = on_fill, .meta = on_meta, .ctx = x});
	return x->frame && x->tar ? 0 : err_set(err, ENOMEM, "out of memory");
}

int extract(const struct extract_in *in, struct layer_counts *c, struct err *err)
{
	struct extract *x = calloc(1, sizeof(*x));
	if (!x)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int frame = place_open(in->dir, "frame", O_WRONLY | O_CREAT | O_EXCL, 0600);
	x->in = in;
	x->c = c;
	x->fs = x->kept = x->parent = -1;
	int r = frame < 0 ? err_sys(err, -frame, "make a layer's frame") : begin(x, frame, err);
	if (r == 0)
		r = run(x, err);
	extract_forget_parent(x);
	tar_free(x->tar);
	frame_free(x->frame);
	arena_free(&x->arena);
	if (x->kept >= 0)
		close(x->kept);
	if (x->fs >= 0)
		close(x->fs);
	free(x);
	return r;
}
