/* layer/unpack.c - see unpack.h. */
#include "layer/unpack.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "layer/frame.h"
#include "layer/place.h"

struct unpack {
	int dir;
	struct output *out;
	struct layer_counts *c;
};

static int on_bytes(void *ctx, const void *data, size_t n, struct err *err)
{
	struct unpack *u = ctx;
	return output_put(u->out, data, n, err);
}

static int on_content(void *ctx, const char *path, uint64_t offset, uint64_t n, struct err *err)
{
	struct unpack *u = ctx;
	char shown[512];
	_cleanup_close_ int fd = place_open(u->dir, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(
			err, -fd, "the layer's file %s", escape_text(shown, sizeof(shown), path));
	u->c->size += n;
	int r = output_put_file(u->out, fd, offset, n, err);
	return r < 0 ? err_prefix(err, "%s", escape_text(shown, sizeof(shown), path)) : 0;
}

int unpack(int dir, struct output *out, struct layer_counts *c, struct err *err)
{
	struct unpack u = {dir, out, c};
	_cleanup_close_ int frame = place_open(dir, "frame", O_RDONLY, 0);
	if (frame < 0)
		return err_sys(err, -frame, "open a layer's frame");
	return frame_read(frame, &(struct frame_ops){on_bytes, on_content, &u}, err);
}
