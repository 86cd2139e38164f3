/* tests/fuzz/fuzz-frame.c - a layer's frame, damaged in any way: an error, or bytes;
 * read as the tar that it is of. */
#include <stdint.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "layer/frame-owners.h"
#include "layer/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define BYTES_MAX ((uint64_t)1 << 24)

static int on_bytes(void *ctx, const void *data, size_t n, struct err *err)
{
	uint64_t *sum = ctx;
	*sum += n;
	if (n && !data)
		abort();
	return *sum > BYTES_MAX ? err_set(err, EFBIG, "enough") : 0;
}

static int on_content(
	void *ctx, const char *path, uint64_t offset, uint64_t n, struct err *err _unused_)
{
	uint64_t *sum = ctx;
	if (strncmp(path, "fs/", 3) != 0 && strncmp(path, "kept/", 5) != 0)
		abort();
	*sum += (offset ^ n) & 1;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t sum = 0;
	int fd = memfd_create("frame", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, data, n) < 0)
		abort();
	frame_read(fd, &(struct frame_ops){on_bytes, on_content, &sum}, NULL);
	struct link_owners *owners;
	struct link_owner one;
	if (frame_owners_read(fd, &owners, NULL) == 0) {
		link_owners_find(owners, "usr/link", &one);
		link_owners_free(owners);
	}
	close(fd);
	return 0;
}
