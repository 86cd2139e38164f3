/* cli/doctor-kernel.c - doctor: system calls, filters, limits.
 */
#include "cli/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <linux/magic.h>

#include "base/path.h"
#include "confine/landlock.h"

static void check_seccomp(struct doctor_result *r)
{
	/* getppid() = EPERM, all else allowed: the answer proves that the filter is in force */
	struct sock_filter prog[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog f = {.len = ARRAY_LEN(prog), .filter = prog};
	errno = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f) < 0) {
		doctor_fail(r, "a filter can't be loaded: %s", strerror(errno));
		doctor_remedy(r, "use a kernel with CONFIG_SECCOMP_FILTER");
		return;
	}
	if (syscall(SYS_getppid) != -1 || errno != EPERM) {
		doctor_fail(r, "a filter was loaded, but isn't in force");
		return;
	}
	char jit[16] = "";
	doctor_read_line("/proc/sys/net/core/bpf_jit_enable", jit, sizeof(jit));
	if (jit[0] == '0') {
		doctor_warn(r, "filters are in force, but interpreted");
		doctor_remedy(r,
			"each system call is faster with sudo sysctl -w "
			"net.core.bpf_jit_enable=1");
		return;
	}
	doctor_ok(r, "a filter is in force once loaded");
}

static void check_landlock(struct doctor_result *r)
{
	int abi = landlock_abi();
	if (abi >= 2) {
		doctor_ok(r, "ABI %d", abi);
		return;
	}
	if (abi == 1)
		doctor_fail(r, "ABI 1, which forbids every rename between directories");
	else
		doctor_fail(r, "not there: %s", strerror(-abi));
	doctor_remedy(r,
		"%s, or start with bawn run --allow-degraded landlock (the mounts alone "
		"then keep files apart)",
		abi == -EOPNOTSUPP ? "add landlock to the lsm= boot parameter"
				   : "use Linux 5.19 or newer with CONFIG_SECURITY_LANDLOCK");
}

static int try_clone3(void)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	siginfo_t si;
	return waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED) < 0 ? -errno : 0;
}

static int try_openat2(void)
{
	int fd = path_openat2(AT_FDCWD, "/proc", O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	return fd < 0 ? fd : close(fd);
}

static int try_close_range(void)
{
	return syscall(SYS_close_range, 100u, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static int try_pidfd_open(void)
{
	return syscall(SYS_pidfd_open, getpid(), 0) < 0 ? -errno : 0;
}

static void check_calls(struct doctor_result *r)
{
	static const struct {
		const char *name, *since;
		int (*fn)(void);
	} calls[] = {
		{"clone3", "5.3", try_clone3},
		{"pidfd_open", "5.3", try_pidfd_open},
		{"openat2", "5.6", try_openat2},
		{"close_range", "5.11", try_close_range},
	};
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int e = calls[i].fn();
		if (e == 0)
			continue;
		doctor_fail(r, "%s: %s", calls[i].name, strerror(-e));
		doctor_remedy(r,
			"Linux %s or newer is needed; in a container, start it with "
			"--security-opt seccomp=unconfined",
			calls[i].since);
		return;
	}
	doctor_ok(r, "clone3, pidfd, openat2, close_range");
}

/* Our place in the one cgroup v2 hierarchy: "0::/path". */
static bool own_cgroup(char *dst, size_t cap)
{
	char line[512];
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (has_prefix(line, "0::"))
			return snprintf(dst, cap, "/sys/fs/cgroup%s", line + 3) < (int)cap;
	}
	return false;
}

static void check_cgroup(struct doctor_result *r)
{
	char dir[600], file[640], have[256] = "";
	struct statfs fs;
	const char *why = NULL;
	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
		!own_cgroup(dir, sizeof(dir)))
		why = "no cgroup v2";
	else if (access(dir, W_OK) < 0)
		why = "not delegated to you";
	if (!why) {
		snprintf(file, sizeof(file), "%s/cgroup.controllers", dir);
		doctor_read_line(file, have, sizeof(have));
		if (!strstr(have, "memory") || !strstr(have, "pids"))
			why = "delegated, but without the memory and pids controllers";
	}
	if (!why) {
		doctor_ok(r, "delegated: %s", have);
		return;
	}
	doctor_ok(r, "%s: --pids works by a resource limit instead", why);
}

static void check_core(struct doctor_result *r)
{
	char line[256] = "";
	struct rlimit one = {1, 1};
	doctor_read_line("/proc/sys/kernel/core_pattern", line, sizeof(line));
	if (setrlimit(RLIMIT_CORE, &one) < 0)
		doctor_fail(r, "RLIMIT_CORE can't be set to 1: %s", strerror(errno));
	else if (line[0] == '@') {
		doctor_fail(r, "a handler is set that no limit keeps out (%s)", line);
		doctor_remedy(r,
			"as root: sysctl kernel.core_pattern=core, or start with bawn run "
			"--allow-degraded core");
	} else if (line[0] == '|')
		doctor_ok(r, "a handler is set (%s); a limit of 1 keeps it out", line);
	else
		doctor_ok(r, "no handler is set; a limit of 1 keeps dumps out");
}

const struct doctor_check doctor_kernel_checks[] = {
	{"seccomp", "system call filter", check_seccomp, false},
	{"landlock", "Landlock", check_landlock, false},
	{"calls", "system calls", check_calls, false},
	{"cgroup", "cgroup v2", check_cgroup, false},
	{"core", "core dumps", check_core, false},
	{0},
};
