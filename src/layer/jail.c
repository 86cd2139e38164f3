/* layer/jail.c - see jail.h.
 *
 * Decompressing takes a thread, so the calls are confine/jail.c's usual ones and these.  mknodat
 * makes whiteouts and FIFOs; a device other than 0/0 is the kernel's to refuse.
 */
#include "layer/jail.h"

#include <sys/syscall.h>

#include "layer/layer.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const int calls[] = {
	SYS_fgetxattr,
	SYS_flistxattr,
	SYS_fchmodat2,
	/* from here on, where something is made */
	SYS_fsetxattr,
	SYS_fremovexattr,
	SYS_fchmod,
	SYS_utimensat,
	SYS_mkdirat,
	SYS_mknodat,
	SYS_symlinkat,
	SYS_linkat,
	SYS_unlinkat,
	SYS_renameat2,
#ifdef SYS_renameat
	SYS_renameat,
#endif
};
enum { READING = 3 };

int layer_jail(const int *dirs, size_t n, bool write, uint64_t file_size, struct err *err)
{
	struct jail_dir d[LAYER_DIRS_MAX + 1];
	if (GUARD_REMOVED("layer-jail"))
		return 0;
	for (size_t i = 0; i < n; i++)
		d[i] = (struct jail_dir){dirs[i], write && i == 0 ? JAIL_LAYER : JAIL_READ};
	return jail_enter_with(&(struct jail){.dirs = d,
				       .n_dirs = n,
				       .calls = calls,
				       .n_calls = write ? ARRAY_LEN(calls) : READING,
				       .cpu_s = 3600,
				       .files = 2 * LAYER_DIRS_MAX + 32,
				       .memory = (uint64_t)4 << 30,
				       .file_size = file_size},
		err);
}
