/* layer/unpack.h - a layer's directory gives its tar again.
 */
#ifndef BAWN_LAYER_UNPACK_H
#define BAWN_LAYER_UNPACK_H

#include "layer/layer.h"
#include "layer/output.h"

/* dir holds fs/, frame and perhaps kept/.  The caller ends out. */
int unpack(int dir, struct output *out, struct layer_counts *c, struct err *err);

#endif
