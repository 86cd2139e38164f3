/* layer/extract.h - a tar's entries become a layer's tree.
 *
 * Owns: the tree below the directory's fs/, the frame beside it.  Must not: follow a link, or reach
 * anything but the directory.
 */
#ifndef BAWN_LAYER_EXTRACT_H
#define BAWN_LAYER_EXTRACT_H

#include "layer/layer.h"
#include "layer/tar.h"

struct extract_in {
	int dir;          /* empty */
	const int *lower; /* the fs/ of layers below, topmost first */
	size_t n_lower;
	struct layer_limits limits;
	bool shape; /* without content, for check_tree() */
	bool mark;  /* what is implied is marked as such (attr_set_implied()); so with shape */
	int (*fill)(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err);
	void *ctx;
};
/* The umask has to be 0.  c's tar is the caller's to know; its notes the caller's to free, also
 * after a failure. */
int extract(const struct extract_in *in, struct layer_counts *c, struct err *err);

#endif
