/* seed/merge-main.c - bawn-merge: one request on 0, one answer on 1 (merge.h).
 *
 * It needs nothing of the file system: it confines itself before it looks at the request.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "confine/jail.h"
#include "json/json.h"
#include "seed/merge.h"

static int jail(struct err *err)
{
	static const int calls[] = {SYS_read, SYS_pread64, SYS_write, SYS_close, SYS_fstat,
		SYS_newfstatat, SYS_lseek, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
		SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_clock_gettime, SYS_getrandom,
		SYS_restart_syscall, SYS_futex};
	if (GUARD_REMOVED("merge-jail"))
		return 0;
	return jail_enter_with(&(struct jail){.calls = calls,
				       .n_calls = ARRAY_LEN(calls),
				       .narrow = true,
				       .cpu_s = 10,
				       .files = 1,
				       .memory = UINT64_C(1) << 30,
				       .file_size = 1},
		err);
}

int main(void)
{
	static struct arena a;
	struct err err = {0};
	struct stat st;
	struct blob answer = {0};
	json_doc_free(json_doc_new()); /* jansson seeds its tables from a file */
	if (jail(&err) < 0 || fstat(0, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		(uint64_t)st.st_size > UINT64_C(2) * SEED_MERGE_MAX)
		return 1;
	char *buf = arena_alloc(&a, (size_t)st.st_size);
	if (!buf || fd_pread_full(0, buf, (size_t)st.st_size, 0) != st.st_size)
		return 1;
	if (seed_merge_answer(&a, buf, (size_t)st.st_size, &answer) < 0 || answer.failed)
		return 1;
	return fd_write_all(1, answer.data, answer.n) < 0;
}
