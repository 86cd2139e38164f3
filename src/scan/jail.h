/* scan/jail.h - bawn-scan confines itself before it reads anything of the workspace.
 */
#ifndef BAWN_SCAN_JAIL_H
#define BAWN_SCAN_JAIL_H

#include "base/err.h"

/* dirs: descriptors (O_PATH) below which reading stays possible; see confine/jail.h. */
int scan_jail(const int *dirs, size_t n, struct err *err);

#endif
