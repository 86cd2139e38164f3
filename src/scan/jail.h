/* scan/jail.h - bawn-scan confines itself before it reads anything of the workspace.
 */
#ifndef BAWN_SCAN_JAIL_H
#define BAWN_SCAN_JAIL_H

#include "base/err.h"

/* dirs: descriptors (O_PATH) below which reading stays possible.  no_new_privs, Landlock (skipped
 * where the kernel has none: the seccomp filter stands alone then), rlimits, a seccomp allow-list
 * without sockets, exec, ptrace, signals or new processes (threads can be made). */
int scan_jail(const int *dirs, size_t n, struct err *err);

#endif
