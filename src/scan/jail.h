/* scan/jail.h - bawn-scan and bawn-change confine themselves before they read anything of the
 * workspace.
 */
#ifndef BAWN_SCAN_JAIL_H
#define BAWN_SCAN_JAIL_H

#include <stdint.h>

#include "base/err.h"

/* dirs: descriptors (O_PATH) below which reading stays possible.  no_new_privs, Landlock (skipped
 * where the kernel has none: the seccomp filter stands alone then), rlimits, a seccomp allow-list
 * without sockets, exec, ptrace, signals or new processes (threads can be made). */
int scan_jail(const int *dirs, size_t n, struct err *err);

/* The same with more: directories that may be written, further system calls. */
enum jail_right {
	JAIL_READ,
	JAIL_WRITE,   /* also make, write, rename and remove files, links and directories */
	JAIL_DEVICES, /* also device files: an overlay's whiteouts */
};

struct jail_dir {
	int fd;
	enum jail_right right;
};

struct jail {
	const struct jail_dir *dirs;
	size_t n_dirs;
	const int *calls;
	size_t n_calls;             /* at most JAIL_CALLS_MAX */
	unsigned int cpu_s, files;  /* seconds; descriptors beside those that are open */
	uint64_t memory, file_size; /* bytes; 0: no limit */
};
#define JAIL_CALLS_MAX 48
int jail_enter_with(const struct jail *j, struct err *err);

#endif
