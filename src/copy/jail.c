/* copy/jail.c - the receiver outside, before it reads the first byte of the stream.
 *
 * Landlock leaves it one directory to write in; the filter leaves it no socket, no exec, no process
 * and no signal.  The filter is written out by hand, as the list is short.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "copy/copy.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "bawn-copy needs the seccomp architecture of this machine here"
#endif

#ifdef BAWN_ASAN
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* Newer rights than the headers of Debian 12 name (Landlock ABI 3 and 5). */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)

static const int allowed[] = {
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

static int set_landlock(int dir, struct err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0; /* the filter and openat2's own rules stand alone then */
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
	struct landlock_path_beneath_attr p = {.parent_fd = dir,
		.allowed_access = LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
			LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REMOVE_FILE};
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0) < 0)
		return err_sys(err, errno, "landlock_add_rule");
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, errno, "landlock_restrict_self");
	return 0;
}

static int set_seccomp(struct err *err)
{
	struct sock_filter f[ARRAY_LEN(allowed) + 8];
	unsigned short n = 0;
#define ADD(...) (f[n++] = (struct sock_filter)__VA_ARGS__)
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)allowed[i],
			(unsigned char)(ARRAY_LEN(allowed) - i), 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef ADD
	struct sock_fprog prog = {.len = n, .filter = f};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return err_sys(err, errno, "seccomp");
	return 0;
}

int copy_jail(int dir, struct err *err)
{
	if (GUARD_REMOVED("copy-jail"))
		return 0;
	const struct rlimit none = {0, 0}, size = {COPY_BYTES_MAX, COPY_BYTES_MAX};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "no_new_privs");
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, errno, "prctl(PR_SET_DUMPABLE)");
	/* a lower limit that there is already stays */
	if ((setrlimit(RLIMIT_KIND(RLIMIT_CORE), &none) < 0 ||
		    setrlimit(RLIMIT_KIND(RLIMIT_FSIZE), &size) < 0) &&
		errno != EPERM)
		return err_sys(err, errno, "setrlimit");
	int r = set_landlock(dir, err);
	return r < 0 || SANITIZED ? r : set_seccomp(err);
}
