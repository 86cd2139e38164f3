/* layer/index.h - what an archive of images has in it, and where.
 */
#ifndef BAWN_LAYER_INDEX_H
#define BAWN_LAYER_INDEX_H

#include "layer/result.h"

#define INDEX_ENTRIES_MAX 100000

/* The tar on fd; its plain bytes go to `spool` where fd itself does not have them at an offset. */
int index_tar(int fd, int spool, struct result *res, struct err *err);

#endif
