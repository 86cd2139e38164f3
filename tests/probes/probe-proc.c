/* probe-proc.c - class PROC, and crashes */
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "probe.h"

/* Opened for writing is enough: nothing is written. */
static int writable(const struct probe *p, char **argv)
{
	(void)argv;
	int fd = open(p->path, O_WRONLY | O_CLOEXEC);
	int e = result(fd);
	if (fd >= 0)
		close(fd);
	return e;
}

/* Bytes that say anything: not empty, not all zeros as the kernel shows addresses. */
static int readable(const struct probe *p, char **argv)
{
	(void)argv;
	char buf[4096];
	int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	int e = n < 0 ? errno : (n == 0 ? ENODATA : 0);
	if (fd >= 0)
		close(fd);
	if (e == 0 && n > 16 && strspn(buf, "0") >= 16)
		e = ENODATA;
	if (e == 0)
		probe_say("%zd bytes", n);
	return e;
}

static int follow(const struct probe *p, char **argv)
{
	(void)argv;
	char buf[256];
	ssize_t n = readlink(p->path, buf, sizeof(buf) - 1);
	if (n < 0)
		return errno;
	buf[n] = 0;
	probe_say("%s", buf);
	return 0;
}

static int list_fds(const struct probe *p, char **argv)
{
	(void)argv;
	int fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char buf[1024];
	long n = fd < 0 ? -1 : syscall(SYS_getdents64, fd, buf, sizeof(buf));
	int e = result(n);
	if (fd >= 0)
		close(fd);
	return e;
}

static int ptrace_init(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return result(ptrace(PTRACE_SEIZE, 1, NULL, NULL));
}

static int vm_read(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	char buf[8];
	struct iovec local = {buf, sizeof(buf)}, remote = {(void *)0x400000, sizeof(buf)};
	return reached(process_vm_readv(1, &local, 1, &remote, 1, 0), EFAULT);
}

static int vm_write(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	char buf[8] = "";
	struct iovec local = {buf, sizeof(buf)}, remote = {(void *)1, sizeof(buf)};
	return reached(process_vm_writev(1, &local, 1, &remote, 1, 0), EFAULT);
}

static int steal_fd(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	long pidfd = syscall(SYS_pidfd_open, 1, 0);
	if (pidfd < 0)
		return errno;
	int e = EBADF;
	for (long fd = 0; fd < 16 && e == EBADF; fd++)
		e = result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
	return e;
}

/* The value 1 has to be there and has to stay: 0 would run a piped core_pattern's program. */
static int core_limit(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	static const rlim_t wanted[] = {0, RLIM_INFINITY};
	struct rlimit l;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		l = (struct rlimit){wanted[i], wanted[i]};
		(void)setrlimit(RLIMIT_CORE, &l);
		(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &l, NULL);
#ifdef SYS_setrlimit
		(void)syscall(SYS_setrlimit, RLIMIT_CORE, &l);
#endif
		if (getrlimit(RLIMIT_CORE, &l) < 0)
			return errno;
		if (l.rlim_cur != 1 || l.rlim_max != 1) {
			probe_say("the limit is %llu", (unsigned long long)l.rlim_cur);
			return 0;
		}
	}
	return EPERM;
}

static int crash(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
		if (setrlimit(RLIMIT_CORE, &l) < 0) {
			l = (struct rlimit){0, 0};
			(void)setrlimit(RLIMIT_CORE, &l);
		}
		abort();
	}
	int st;
	waitpid(pid, &st, 0);
	return WCOREDUMP(st) ? 0 : EPERM;
}

static int exists(const struct probe *p, char **argv)
{
	(void)argv;
	return result(access(p->path, F_OK));
}

#define WRITE(n, path_)                                                                            \
	{                                                                                          \
		.name = n, .id = "PROC-04", .run = writable, .path = path_                         \
	}
#define READ(n, id_, path_)                                                                        \
	{                                                                                          \
		.name = n, .id = id_, .run = readable, .path = path_                               \
	}
#define EXISTS(n, path_)                                                                           \
	{                                                                                          \
		.name = n, .id = "PROC-06", .run = exists, .path = path_                           \
	}

const struct probe probes_proc[] = {
	READ("init-environ", "PROC-02", "/proc/1/environ"),
	{"init-mem", "PROC-02", .run = writable, .path = "/proc/1/mem"},
	READ("init-maps", "PROC-02", "/proc/1/maps"),
	{"init-fd", "PROC-02", .run = list_fds, .path = "/proc/1/fd"},
	{"init-exe", "PROC-02", .run = follow, .path = "/proc/1/exe"},
	{"init-root", "PROC-02", .run = follow, .path = "/proc/1/root"},
	{"init-cwd", "PROC-02", .run = follow, .path = "/proc/1/cwd"},
	READ("init-stack", "PROC-02", "/proc/1/auxv"),
	WRITE("core_pattern", "/proc/sys/kernel/core_pattern"),
	WRITE("modprobe", "/proc/sys/kernel/modprobe"),
	WRITE("max_user_namespaces", "/proc/sys/user/max_user_namespaces"),
	WRITE("unprivileged-ports", "/proc/sys/net/ipv4/ip_unprivileged_port_start"),
	WRITE("ping-range", "/proc/sys/net/ipv4/ping_group_range"),
	WRITE("drop_caches", "/proc/sys/vm/drop_caches"),
	WRITE("binfmt_misc", "/proc/sys/fs/binfmt_misc/register"),
	WRITE("sysrq-trigger", "/proc/sysrq-trigger"),
	WRITE("uid_map", "/proc/1/uid_map"),
	READ("kcore", "PROC-05", "/proc/kcore"),
	READ("kmsg", "PROC-05", "/proc/kmsg"),
	READ("dev-kmsg", "PROC-05", "/dev/kmsg"),
	READ("dev-mem", "PROC-05", "/dev/mem"),
	READ("keys", "PROC-05", "/proc/keys"),
	READ("timer_list", "PROC-05", "/proc/timer_list"),
	READ("sched_debug", "PROC-05", "/proc/sched_debug"),
	READ("kallsyms", "PROC-05", "/proc/kallsyms"),
	EXISTS("sys-firmware", "/sys/firmware"),
	EXISTS("sys-kernel", "/sys/kernel/debug"),
	EXISTS("sys-bpf", "/sys/fs/bpf"),
	EXISTS("sys-cgroup", "/sys/fs/cgroup"),
	EXISTS("sys-net", "/sys/class/net/eth0"),
	{"ptrace-init", "PROC-09", .run = ptrace_init},
	{"vm-read-init", "PROC-09", .run = vm_read},
	{"vm-write-init", "PROC-09", .run = vm_write},
	{"pidfd_getfd-init", "OWN-06", .run = steal_fd},
	{"core-limit", "OWN-04", .run = core_limit},
	{"crash", "PROC-10", .run = crash},
	{0},
};
