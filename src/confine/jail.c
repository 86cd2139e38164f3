/* confine/jail.c - see jail.h
 *
 * The filter is written out by hand: the list is short, and a library would cost more than it
 * saves in a helper whose whole life is a few milliseconds.
 */
#include "confine/jail.h"

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
#error "the helpers need the seccomp architecture of this machine here"
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

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                   \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                     \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |                        \
		LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

#define ARG0_LOW (offsetof(struct seccomp_data, args)) /* both architectures are little-endian */

/* The second half: what making one more thread takes (scan/par.c); clone itself is looked at. */
static const int usual[] = {
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

static uint64_t access_of(enum jail_right right)
{
	switch (right) {
	case JAIL_DEVICES:
		return FS_READ | FS_WRITE | LANDLOCK_ACCESS_FS_MAKE_CHAR;
	case JAIL_LAYER:
		return FS_READ | FS_WRITE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
			LANDLOCK_ACCESS_FS_MAKE_FIFO;
	case JAIL_WRITE:
		return FS_READ | FS_WRITE;
	case JAIL_DROP:
		return LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
			LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REMOVE_FILE;
	case JAIL_FILE:
		return LANDLOCK_ACCESS_FS_READ_FILE;
	default:
		return FS_READ;
	}
}

static int set_landlock(const struct jail *j, struct err *err)
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
	for (size_t i = 0; i < j->n_dirs; i++) {
		struct landlock_path_beneath_attr p = {.parent_fd = j->dirs[i].fd,
			.allowed_access = access_of(j->dirs[i].right) & all};
		if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0) < 0)
			return err_sys(err, errno, "landlock_add_rule");
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, errno, "landlock_restrict_self");
	return 0;
}

static int set_seccomp(const struct jail *j, struct err *err)
{
	struct sock_filter f[ARRAY_LEN(usual) + JAIL_CALLS_MAX + 24];
	const size_t n_usual = j->narrow ? 0 : ARRAY_LEN(usual), total = n_usual + j->n_calls;
	unsigned short n = 0;
	if (j->n_calls > JAIL_CALLS_MAX)
		return err_set(err, EINVAL, "too many system calls for a jail");
#define ADD(...) (f[n++] = (struct sock_filter)__VA_ARGS__)
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < total; i++)
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(unsigned int)(i < n_usual ? usual[i] : j->calls[i - n_usual]),
			(unsigned char)(total - i + 5), 0));
	/* clone3's flags are in memory, out of a filter's sight: glibc then takes clone */
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 4, 0));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG0_LOW));
	/* threads are for those who read a lot */
	ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, j->narrow ? 0 : CLONE_THREAD, 2, 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef ADD
	struct sock_fprog prog = {.len = n, .filter = f};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return err_sys(err, errno, "seccomp");
	return 0;
}

static int set_limits(const struct jail *j, struct err *err)
{
	const struct {
		int what;
		rlim_t value;
	} limits[] = {
		{RLIMIT_AS, j->memory ? j->memory : RLIM_INFINITY},
		{RLIMIT_CPU, j->cpu_s ? j->cpu_s : RLIM_INFINITY},
		{RLIMIT_FSIZE, j->file_size ? j->file_size : RLIM_INFINITY},
		{RLIMIT_CORE, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit l = {limits[i].value, limits[i].value};
		if ((SANITIZED && limits[i].what == RLIMIT_AS) || limits[i].value == RLIM_INFINITY)
			continue;
		if (setrlimit(RLIMIT_KIND(limits[i].what), &l) < 0 && errno != EPERM)
			return err_sys(err, errno, "setrlimit");
	}
	if (!j->files)
		return 0;
	/* what is open already stays */
	int next = dup(0);
	if (next < 0)
		return err_sys(err, errno, "dup");
	close(next);
	struct rlimit files = {(rlim_t)next + j->files, (rlim_t)next + j->files};
	if (setrlimit(RLIMIT_KIND(RLIMIT_NOFILE), &files) < 0 && errno != EPERM)
		return err_sys(err, errno, "setrlimit");
	return 0;
}

int jail_enter_with(const struct jail *j, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "no_new_privs");
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, errno, "prctl(PR_SET_DUMPABLE)");
	int r = set_limits(j, err);
	if (r == 0)
		r = set_landlock(j, err);
	return r < 0 || SANITIZED ? r : set_seccomp(j, err);
}
