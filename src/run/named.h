/* run/named.h - places in a directory that something of the user's leads to: links in the home,
 * PATH and other variables.
 */
#ifndef BAWN_RUN_NAMED_H
#define BAWN_RUN_NAMED_H

#include "scan/request.h"

/* Those within root (absolute, resolved), for the end of a run or before changes land: some
 * thousand entries of the home are looked at, and no file is opened.  0 or -ENOMEM. */
int run_named_find(struct arena *a, const char *home, const char *root, struct scan_named **ret,
	size_t *ret_n);

#endif
