/* probe-sec.c - class SEC: system calls that the filter refuses */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "probe.h"

static int io_uring(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct io_uring_params params = {0};
	return result(syscall(SYS_io_uring_setup, 4, &params));
}

static int bpf(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	union bpf_attr a;
	memset(&a, 0, sizeof(a));
	a.map_type = BPF_MAP_TYPE_ARRAY;
	a.key_size = a.value_size = 4;
	a.max_entries = 1;
	return result(syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)));
}

static int perf(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(a),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.exclude_kernel = 1};
	return result(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0));
}

static int add_key(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return result(syscall(SYS_add_key, "user", "bawn-probe", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int request_key(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	long r = syscall(SYS_request_key, "user", "bawn-probe-none", NULL, 0);
	return reached(r, ENOKEY);
}

#ifdef __x86_64__
/* Where the kernel has no way in for i386 (ia32_emulation=off, some hypervisors), it is a fault. */
static void no_way_in(int sig)
{
	(void)sig;
	static const char said[] = "int80: ENOSYS: the kernel has no such way in\n";
	_exit(write(1, said, sizeof(said) - 1) < 0);
}
#endif

/* getpid(2) as a program for i386 makes it: number 20, by interrupt. */
static int int80(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
#ifdef __x86_64__
	long r;
	signal(SIGSEGV, no_way_in);
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	r = (int)r;
	probe_say("getpid gave %ld", r);
	return r < 0 ? (int)-r : 0;
#else
	return ENOTSUP;
#endif
}

static int ptrace_child(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	int r = result(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

static int unknown(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	int e = result(syscall(1000));
	/* Anything else keeps libraries from falling back. */
	if (e != ENOSYS) {
		probe_say("%s instead of ENOSYS", strerrorname_np(e));
		return 0;
	}
	return e;
}

/* A filter of the program's own that allows everything: the stricter one must win. */
static int nested(void *ctx)
{
	(void)ctx;
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog prog = {.len = 1, .filter = allow};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
	probe_say("nested filter: %s", r < 0 ? strerrorname_np(errno) : "installed");
	return result(syscall(SYS_unshare, 0x10000000L));
}

static int nested_allow(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return probe_in_child(nested, NULL);
}

static int set_mm(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	/* Asks for the size of the structure: needs no capability. */
	unsigned int size = 0;
	return result(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
}

static int personality(const struct probe *p, char **argv)
{
	(void)argv;
	long r = syscall(SYS_personality, p->arg[0]);
	int e = result(r);
	if (e == 0)
		syscall(SYS_personality, r);
	return e;
}

static int modify_ldt(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
#ifdef SYS_modify_ldt
	char buf[64];
	return result(syscall(SYS_modify_ldt, 0, buf, sizeof(buf)));
#else
	return ENOTSUP;
#endif
}

static int syslog_read(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	static char buf[4096];
	return result(syscall(SYS_syslog, 3, buf, sizeof(buf)));
}

static int handle(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct {
		unsigned int bytes;
		int type;
		unsigned char data[128];
	} h = {.bytes = sizeof(h.data)};
	int mount_id;
	if (syscall(SYS_name_to_handle_at, -100, ".", &h, &mount_id, 0) < 0)
		probe_say("name_to_handle_at: %s", strerrorname_np(errno));
	return result(syscall(SYS_open_by_handle_at, -100, &h, 0));
}

#define CALL(name_, id_, nr_, reached_, ...)                                                       \
	{                                                                                          \
		.name = name_, .id = id_, .run = probe_call, .nr = nr_, .reached = reached_,       \
		.arg = { __VA_ARGS__ }                                                             \
	}

#define NONE ((long)(intptr_t) "/nonexistent")

const struct probe probes_sec[] = {
	{"io_uring_setup", "SEC-01", .run = io_uring},
	CALL("io_uring_enter", "SEC-01", SYS_io_uring_enter, EBADF, 1 << 20, 0, 0, 0, 0, 0),
	CALL("io_uring_register", "SEC-01", SYS_io_uring_register, EBADF, 1 << 20, 0, 0, 0),
	{"int80", "SEC-03", .run = int80},
	CALL("x32", "SEC-03", 0x40000000L + 39, 0, 0),
	{"bpf", "SEC-06", .run = bpf},
	{"perf_event_open", "SEC-06", .run = perf},
	CALL("userfaultfd", "SEC-06", SYS_userfaultfd, 0, 1 /* UFFD_USER_MODE_ONLY */),
	CALL("kexec_load", "SEC-06", SYS_kexec_load, EINVAL, 0, 0, 0, -1),
	CALL("kexec_file_load", "SEC-06", SYS_kexec_file_load, EINVAL, -1, -1, 0, 0, 0x7fffffff),
	CALL("init_module", "SEC-06", SYS_init_module, ENOEXEC, 0, 0, 0),
	CALL("finit_module", "SEC-06", SYS_finit_module, EINVAL, -1, 0, 0x7fffffff),
	CALL("delete_module", "SEC-06", SYS_delete_module, ENOENT, NONE, 0x800),
#ifdef SYS_iopl
	CALL("iopl", "SEC-06", SYS_iopl, 0, 0),
	CALL("ioperm", "SEC-06", SYS_ioperm, 0, 0x3ff, 1, 0),
#endif
	CALL("swapon", "SEC-06", SYS_swapon, ENOENT, NONE, 0),
	CALL("swapoff", "SEC-06", SYS_swapoff, ENOENT, NONE),
	CALL("reboot", "SEC-06", SYS_reboot, EINVAL, 0, 0, 0, 0),
	CALL("acct", "SEC-06", SYS_acct, ENOENT, NONE),
	CALL("nfsservctl", "SEC-06", SYS_nfsservctl, 0, 0, 0, 0),
	CALL("lookup_dcookie", "SEC-06", SYS_lookup_dcookie, EINVAL, 0, 0, 0),
	{"add_key", "SEC-06", .run = add_key},
	{"request_key", "SEC-06", .run = request_key},
	CALL("keyctl", "SEC-06", SYS_keyctl, 0, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0),
	{"open_by_handle_at", "FS-20", .run = handle},
	{"syslog", "PROC-05", .run = syslog_read},
	CALL("quotactl", "MNT-09", SYS_quotactl, EINVAL, 0x7fffffff, 0, 0, 0),
	CALL("fanotify_init", "SEC-06", SYS_fanotify_init, 0, 0x200 /* FAN_REPORT_FID */, 0),
	CALL("move_pages", "SEC-06", SYS_move_pages, 0, 0, 0, 0, 0, 0, 0),
	CALL("memfd_secret", "SEC-06", SYS_memfd_secret, 0, 0),
	CALL("vhangup", "SEC-06", SYS_vhangup, 0, 0),
	CALL("kcmp", "SEC-06", SYS_kcmp, ESRCH, -1, -1, 0, 0, 0),
	{"ptrace", "SEC-07", .run = ptrace_child},
	{"unknown", "SEC-09", .run = unknown},
	{"nested-allow", "SEC-11", .run = nested_allow},
	{"set_mm", "SEC-13", .run = set_mm},
	{"read-implies-exec", "SEC-13", .run = personality, .arg = {0x0400000}},
	{"uname26", "SEC-13", .run = personality, .arg = {0x0020000}},
	{"modify_ldt", "SEC-13", .run = modify_ldt},
#ifdef SYS_arch_prctl
	CALL("map-vdso", "SEC-13", SYS_arch_prctl, EEXIST, 0x2003 /* ARCH_MAP_VDSO_64 */, 0),
#endif
	{0},
};
