/* build/archive.c - archives: what ADD unpacks, and a context on standard input; see build.h */
#include "base/fd.h"
#include "build/build.h"
#include "template/layer-run.h"

enum build_archive build_archive_kind(int fd)
{
	unsigned char head[512] = {0};
	ssize_t n = fd_pread_full(fd, head, sizeof(head), 0);
	if (n >= 265 && memcmp(head + 257, "ustar", 5) == 0)
		return BUILD_ARCHIVE_PLAIN;
	/* what begins as one of bawn-layer's formats does; it looks closer */
	static const char *const packed[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd", "\3757zXZ", "BZh"};
	for (size_t i = 0; n >= 6 && i < ARRAY_LEN(packed); i++)
		if (memcmp(head, packed[i], strlen(packed[i])) == 0)
			return BUILD_ARCHIVE_PACKED;
	return BUILD_ARCHIVE_NONE;
}

int build_archive_unpack(struct build *b, int fd, int dir, enum build_archive kind, struct err *err)
{
	const struct layer_source from = {.fd = fd, .implied = true};
	struct template_layer layer;
	struct err why = {0};
	char *helper = path_join(&b->a, b->install.libexec, "bawn-layer");
	int r = helper ? layer_run_read(helper, &b->a, &from, dir, NULL, 0, NULL, &layer, &why)
		       : err_set(&why, ENOMEM, "out of memory");
	/* something else that is compressed is a file like any other */
	if (r == -ENOEXEC && kind == BUILD_ARCHIVE_PACKED)
		return 0;
	if (r < 0)
		*err = why;
	return r < 0 ? r : 1;
}
