/* scan/jail.c - see jail.h
 *
 * The filter is written out by hand: the list is short, and a library would cost more than it
 * saves in a helper whose whole life is a few milliseconds.
 */
#include "scan/jail.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "bawn-scan needs the seccomp architecture of this machine here"
#endif

/* A build with AddressSanitizer maps terabytes and looks for leaks with ptrace at the end: there,
 * only Landlock is tested. */
#ifdef BAWN_ASAN
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* Newer rights than the headers of Debian 12 name (Landlock ABI 3 and 5). */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)

#define ARG0_LOW (offsetof(struct seccomp_data, args)) /* both architectures are little-endian */

/* The second half: what making one more thread takes (scan/par.c); clone itself is looked at. */
static const int allowed[] = {
	SYS_read,
	SYS_pread64,
	SYS_write,
	SYS_pwrite64,
	SYS_writev,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_getdents64,
	SYS_openat2,
	SYS_readlinkat,
	SYS_lseek,
	SYS_ftruncate,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_exit,
	SYS_exit_group,
	SYS_rt_sigreturn,
	SYS_clock_gettime,
	SYS_getrandom,
	SYS_fcntl,
	SYS_restart_syscall,
	SYS_futex,
	SYS_mprotect,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_rt_sigprocmask,
};

static int set_landlock(const int *dirs, size_t n, struct err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0; /* bawn decides at start whether a machine without Landlock will do */
	uint64_t all = (UINT64_C(1) << 13) - 1; /* ABI 1 */
	if (abi >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL_DEV;
	struct landlock_ruleset_attr attr = {.handled_access_fs = all};
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return err_sys(err, errno, "landlock_create_ruleset");
	for (size_t i = 0; i < n; i++) {
		struct landlock_path_beneath_attr p = {.parent_fd = dirs[i],
			.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
				LANDLOCK_ACCESS_FS_READ_DIR};
		if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0) < 0)
			return err_sys(err, errno, "landlock_add_rule");
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, errno, "landlock_restrict_self");
	return 0;
}

static int set_seccomp(struct err *err)
{
	struct sock_filter f[ARRAY_LEN(allowed) + 24];
	unsigned short n = 0;
#define ADD(...) (f[n++] = (struct sock_filter)__VA_ARGS__)
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)allowed[i],
			(unsigned char)(ARRAY_LEN(allowed) - i + 5), 0));
	/* clone3's flags are in memory, out of a filter's sight: glibc then takes clone */
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 4, 0));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG0_LOW));
	ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 2, 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef ADD
	struct sock_fprog prog = {.len = n, .filter = f};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return err_sys(err, errno, "seccomp");
	return 0;
}

int scan_jail(const int *dirs, size_t n, struct err *err)
{
	static const struct {
		int what;
		rlim_t value;
	} limits[] = {
		{RLIMIT_AS, (rlim_t)2 << 30},
		{RLIMIT_CPU, 60},
		{RLIMIT_FSIZE, (rlim_t)256 << 20},
		{RLIMIT_CORE, 0},
	};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "no_new_privs");
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, errno, "prctl(PR_SET_DUMPABLE)");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit l = {limits[i].value, limits[i].value};
		if (SANITIZED && limits[i].what == RLIMIT_AS)
			continue;
		if (setrlimit(RLIMIT_KIND(limits[i].what), &l) < 0 && errno != EPERM)
			return err_sys(err, errno, "setrlimit");
	}
	/* what is open already stays; 64 more */
	int next = dup(0);
	if (next < 0)
		return err_sys(err, errno, "dup");
	close(next);
	struct rlimit files = {(rlim_t)next + 64, (rlim_t)next + 64};
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 && errno != EPERM)
		return err_sys(err, errno, "setrlimit");
	int r = set_landlock(dirs, n, err);
	return r < 0 || SANITIZED ? r : set_seccomp(err);
}
