/* copy/jail.c - the receiver outside, before it reads the first byte of the stream.
 *
 * One directory to write in is all that is left to it.
 */
#include <sys/syscall.h>

#include "confine/jail.h"
#include "copy/copy.h"

static const int calls[] = {
	SYS_read,
	SYS_write,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_openat2,
	SYS_mkdirat,
	SYS_unlinkat,
	SYS_symlinkat,
	SYS_renameat2,
	SYS_fchmod,
	SYS_utimensat,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_exit,
	SYS_exit_group,
	SYS_rt_sigreturn,
	SYS_clock_gettime,
	SYS_umask,
	SYS_restart_syscall,
#ifdef SYS_renameat
	SYS_renameat,
#endif
};

int copy_jail(int dir, struct err *err)
{
	if (GUARD_REMOVED("copy-jail"))
		return 0;
	const struct jail_dir d = {dir, JAIL_DROP};
	return jail_enter_with(&(struct jail){.dirs = &d,
				       .n_dirs = 1,
				       .calls = calls,
				       .n_calls = ARRAY_LEN(calls),
				       .narrow = true,
				       .file_size = COPY_BYTES_MAX},
		err);
}
