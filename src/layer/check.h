/* layer/check.h - is a layer's tree what its tar says?
 */
#ifndef BAWN_LAYER_CHECK_H
#define BAWN_LAYER_CHECK_H

#include "base/err.h"

/* want: the tree that extract() has made with `shape`; have: the layer's own.  -EBADMSG with the
 * first name that is too much, absent, or something else. */
int check_tree(int want, int have, struct err *err);

#endif
