/* init/init-below.h - what the host has mounted below a directory that comes along. */
#ifndef BAWN_INIT_BELOW_H
#define BAWN_INIT_BELOW_H

#include "base/err.h"

/* May all that is mounted below dir come along with it?  Not what shows the machine instead of
 * files (/proc), nor dir itself or what is above it once more.  0, or -errno with a remedy. */
int mounts_below_ok(const char *dir, struct err *err);

#endif
