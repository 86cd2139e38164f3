/* template/tar-out.c - see tar-out.h */
#include "template/tar-out.h"

#include <inttypes.h>

#include "base/fd.h"

#define OCTAL_SIZE_MAX ((UINT64_C(1) << 33) - 1)

/* ustar's header, as POSIX 1003.1 pax(1) has it. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag,
		linkname[100], magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8],
		prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a tar header is one block");

static int out(const struct tar_out *t, const void *data, size_t n, struct err *err)
{
	int r = fd_write_all(t->fd, data, n);
	if (r == 0)
		return 0;
	if (r == -ENOSPC || r == -EDQUOT)
		err_hint(err, "make room there, or write it elsewhere");
	return err_sys(err, -r, "write the archive");
}

static void put_size(char *to, uint64_t size)
{
	if (size <= OCTAL_SIZE_MAX) {
		snprintf(to, 12, "%011" PRIo64, size);
		return;
	}
	for (int i = 11; i >= 0; i--, size >>= 8)
		to[i] = (char)(size & 0xff);
	to[0] = (char)0x80;
}

static int put_header(const struct tar_out *t, const char *name, char type, unsigned int mode,
	uint64_t size, struct err *err)
{
	struct header h = {.typeflag = type};
	unsigned int sum = 0;
	size_t n = strlen(name);
	if (n >= TAR_NAME_MAX)
		return err_set(err, ENAMETOOLONG, "a name too long for an archive: %s", name);
	memcpy(h.name, name, n);
	snprintf(h.mode, sizeof(h.mode), "%07o", mode);
	snprintf(h.uid, sizeof(h.uid), "%07o", 0);
	snprintf(h.gid, sizeof(h.gid), "%07o", 0);
	put_size(h.size, size);
	snprintf(h.mtime, sizeof(h.mtime), "%011o", 0);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	memset(h.chksum, ' ', sizeof(h.chksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	snprintf(h.chksum, sizeof(h.chksum), "%06o", sum);
	h.chksum[7] = ' ';
	return out(t, &h, sizeof(h), err);
}

int tar_out_head(const struct tar_out *t, const char *name, uint64_t size, struct err *err)
{
	return put_header(t, name, '0', 0644, size, err);
}

int tar_out_pad(const struct tar_out *t, uint64_t size, struct err *err)
{
	static const char zeros[TAR_BLOCK];
	return out(t, zeros, (size_t)(-size % TAR_BLOCK), err);
}

int tar_out_dir(const struct tar_out *t, const char *name, struct err *err)
{
	return put_header(t, name, '5', 0755, 0, err);
}

int tar_out_file(
	const struct tar_out *t, const char *name, const void *data, size_t n, struct err *err)
{
	int r = tar_out_head(t, name, n, err);
	if (r == 0)
		r = out(t, data, n, err);
	return r < 0 ? r : tar_out_pad(t, n, err);
}

int tar_out_end(const struct tar_out *t, struct err *err)
{
	static const char zeros[2 * TAR_BLOCK];
	return out(t, zeros, sizeof(zeros), err);
}
