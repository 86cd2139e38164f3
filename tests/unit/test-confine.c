/* The light half of confine, on the kernel: filter, Landlock, capabilities, limits.
 *
 * Each test works in children, as nothing here can be undone.
 */
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/macro.h"
#include "child.h"
#include "confine/caps.h"
#include "confine/emulate.h"
#include "confine/landlock.h"
#include "confine/limits.h"
#include "confine/seccomp-compile.h"
#include "confine/seccomp-load.h"

static struct sock_filter *filter[2];
static size_t filter_n[2];
enum { DEFAULT, DEBUG };

static int in_child(void (*fn)(void *), void *ctx)
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fn(ctx);
		_exit(0);
	}
	int st;
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void load(int which)
{
	struct err err = {0};
	if (seccomp_load_filter(filter[which], filter_n[which] * sizeof(*filter[0]), &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		_exit(1);
	}
}

/* ---- the filter ---- */

static void load_and_prove(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	CHECK(seccomp_prove(&err) == -ENOTRECOVERABLE);
	double a = now_us();
	load(DEFAULT);
	double b = now_us();
	CHECK(seccomp_prove(&err) == 0);
	double c = now_us();
	printf("# load %.0f us, prove %.1f us, %zu instructions\n", b - a, c - b, filter_n[0]);
	fflush(stdout);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void test_prove(void **state)
{
	(void)state;
	assert_int_equal(in_child(load_and_prove, NULL), 0);
}

static void load_bad(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	CHECK(seccomp_load_filter(filter[0], 0, &err) == -EINVAL);
	CHECK(seccomp_load_filter(filter[0], 13, &err) == -EINVAL);
	CHECK(seccomp_load_filter(filter[0], (size_t)8 * 70000, &err) == -EINVAL);
	struct sock_filter no_return = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	CHECK(seccomp_load_filter(&no_return, sizeof(no_return), &err) == -EINVAL);
}

static void test_load_bad(void **state)
{
	(void)state;
	assert_int_equal(in_child(load_bad, NULL), 0);
}

/* The attack probe under the filter alone (no namespace, no capability dropped): each of these
 * works on an ordinary machine for root, and this errno is the filter's. */
static const struct {
	const char *probe;
	const char *refusal;
} refused[] = {
	{"io_uring_setup", "EPERM"},
	{"io_uring_enter", "EPERM"},
	{"io_uring_register", "EPERM"},
	{"x32", "ENOSYS"},
#ifdef __x86_64__
	{"int80", "ENOSYS"},
	{"iopl", "EPERM"},
	{"ioperm", "EPERM"},
	{"modify_ldt", "EPERM"},
	{"map-vdso", "EPERM"},
#endif
	{"bpf", "EPERM"},
	{"perf_event_open", "EPERM"},
	{"userfaultfd", "EPERM"},
	{"kexec_load", "EPERM"},
	{"kexec_file_load", "EPERM"},
	{"init_module", "EPERM"},
	{"finit_module", "EPERM"},
	{"delete_module", "EPERM"},
	{"swapon", "EPERM"},
	{"swapoff", "EPERM"},
	{"reboot", "EPERM"},
	{"acct", "EPERM"},
	{"nfsservctl", "ENOSYS"},
	{"lookup_dcookie", "EPERM"},
	{"add_key", "EPERM"},
	{"request_key", "EPERM"},
	{"keyctl", "EPERM"},
	{"open_by_handle_at", "EPERM"},
	{"syslog", "EPERM"},
	{"quotactl", "EPERM"},
	{"fanotify_init", "EPERM"},
	{"move_pages", "EPERM"},
	{"memfd_secret", "EPERM"},
	{"vhangup", "EPERM"},
	{"kcmp", "EPERM"},
	{"ptrace", "EPERM"},
	{"unknown", "ENOSYS"},
	{"nested-allow", "EPERM"},
	{"set_mm", "EPERM"},
	{"read-implies-exec", "EPERM"},
	{"uname26", "EPERM"},
	{"unshare-user", "EPERM"},
	{"unshare-mnt", "EPERM"},
	{"unshare-pid", "EPERM"},
	{"unshare-net", "EPERM"},
	{"unshare-ipc", "EPERM"},
	{"unshare-uts", "EPERM"},
	{"unshare-cgroup", "EPERM"},
	{"unshare-time", "EPERM"},
	{"unshare-user-net", "EPERM"},
	{"clone-user", "EPERM"},
	{"clone-mnt", "EPERM"},
	{"clone-pid", "EPERM"},
	{"clone-net", "EPERM"},
	{"clone-ipc", "EPERM"},
	{"clone-uts", "EPERM"},
	{"clone-cgroup", "EPERM"},
	{"clone-user-high", "EPERM"},
	{"clone3-user", "ENOSYS"},
	{"clone3-plain", "ENOSYS"},
	{"nft-flush", "EPERM"},
	{"setns-net", "EPERM"},
	{"setns-mnt", "EPERM"},
	{"no-new-privs", "EPERM"},
	{"sethostname", "EPERM"},
	{"setdomainname", "EPERM"},
	{"clock_settime", "EPERM"},
	{"settimeofday", "EPERM"},
	{"adjtimex", "EPERM"},
	{"chroot", "EPERM"},
	{"pivot_root", "EPERM"},
	{"fsopen", "EPERM"},
	{"fsconfig", "EPERM"},
	{"fsmount", "EPERM"},
	{"fspick", "EPERM"},
	{"open_tree", "EPERM"},
	{"move_mount", "EPERM"},
	{"mount-tmpfs", "EPERM"},
	{"mount-proc", "EPERM"},
	{"ping", "EPERM"},
	{"ping6", "EPERM"},
	{"raw-icmp", "EPERM"},
	{"raw-tcp", "EPERM"},
	{"raw-high", "EAFNOSUPPORT"},
	{"packet", "EAFNOSUPPORT"},
	{"inet-packet", "EPERM"},
	{"xdp", "EAFNOSUPPORT"},
	{"vsock", "EAFNOSUPPORT"},
	{"vsock-high", "EAFNOSUPPORT"},
	{"alg", "EAFNOSUPPORT"},
	{"families", "EAFNOSUPPORT"},
	{"inet-protocols", "EPERM"},
	{"mptcp", "EPROTONOSUPPORT"},
	{"sctp", "EPROTONOSUPPORT"},
	{"udplite", "EPROTONOSUPPORT"},
	{"netlinks", "EPERM"},
	{"mknod-char", "EPERM"},
	{"mknod-block", "EPERM"},
	{"mknod-whiteout", "EPERM"},
	{"ptrace-init", "EPERM"},
	{"vm-read-init", "EPERM"},
	{"vm-write-init", "EPERM"},
	{"pidfd_getfd-init", "EPERM"},
	{"tiocsti", "EPERM"},
	{"tiocsti-high", "EPERM"},
	{"tiocsti-sign", "EPERM"},
	{"tioclinux", "EPERM"},
	{"tioclinux-high", "EPERM"},
	{"tiocsetd", "EPERM"},
	{"tioccons", "EPERM"},
};

struct probing {
	const char *probe;
	int which, out;
};

static void exec_probe(void *ctx)
{
	const struct probing *p = ctx;
	const char *build = getenv("BAWN_BUILDDIR");
	char path[4096];
	snprintf(path, sizeof(path), "%s/tests/probe", build ? build : ".");
	dup2(p->out, 1);
	load(p->which);
	execl(path, "probe", p->probe, (char *)NULL);
	CHECK(false); /* exec failed */
}

static int probe(const char *name, int which, char *ret, size_t cap)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	struct probing p = {name, which, fds[1]};
	int st = in_child(exec_probe, &p);
	close(fds[1]);
	ssize_t n = read(fds[0], ret, cap - 1);
	close(fds[0]);
	ret[n > 0 ? n : 0] = 0;
	return st;
}

static void test_refused(void **state)
{
	(void)state;
	int failed = 0;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		char got[512], want[128];
		int st = probe(refused[i].probe, DEFAULT, got, sizeof(got));
		snprintf(want, sizeof(want), "%s: %s", refused[i].probe, refused[i].refusal);
		if (st == 0 && has_prefix(got, want))
			continue;
		fprintf(stderr, "wanted \"%s\", got %d \"%s\"\n", want, st, got);
		failed++;
	}
	assert_int_equal(failed, 0);
}

/* The debug policy gives debuggers back what they need and nothing else. */
static void test_debug(void **state)
{
	(void)state;
	char got[512];
	assert_int_equal(probe("ptrace", DEBUG, got, sizeof(got)), 1);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		static const char *const differs[] = {"ptrace", "perf_event_open", "kcmp",
			"ptrace-init", "vm-read-init", "vm-write-init"};
		bool skip_it = false;
		for (size_t k = 0; k < ARRAY_LEN(differs); k++)
			skip_it = skip_it || streq(differs[k], refused[i].probe);
		if (!skip_it && probe(refused[i].probe, DEBUG, got, sizeof(got)) != 0)
			fail_msg("%s", got);
	}
}

static void ordinary(void *ctx)
{
	load(DEFAULT);
	execl("/bin/sh", "sh", "-c", (const char *)ctx, (char *)NULL);
	CHECK(false); /* exec failed */
}

/* Ordinary programs don't notice. */
static void test_ordinary(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"x=$(printf 'b\\na\\n' | sort | head -n 1); [ \"$x\" = a ]",
		"ulimit -c 0", /* answered with success, see policies/syscalls/default.yaml */
		"d=$(mktemp -d) && mkfifo $d/f && ln -s f $d/l && mv $d/f $d/g && rm -r $d",
		"sleep 0 & wait; kill -0 $$",
		"getent hosts localhost >/dev/null",
		"nice -n 5 uname -a >/dev/null; id >/dev/null; date >/dev/null",
	};
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (in_child(ordinary, (void *)(uintptr_t)scripts[i]) != 0)
			fail_msg("%s", scripts[i]);
}

static void measure(void *ctx)
{
	(void)ctx;
	enum { N = 200000 };
	double a = now_us();
	for (int i = 0; i < N; i++)
		syscall(SYS_getppid);
	double b = now_us();
	load(DEFAULT);
	double c = now_us();
	for (int i = 0; i < N; i++)
		syscall(SYS_getppid);
	double d = now_us();
	printf("# getppid: %.0f ns, with the filter %.0f ns\n", (b - a) * 1e3 / (double)N,
		(d - c) * 1e3 / (double)N);
	fflush(stdout);
}

static void test_speed(void **state)
{
	(void)state;
	assert_int_equal(in_child(measure, NULL), 0);
}

/* ---- limits ---- */

static void limits(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	struct rlimit l;
	CHECK(limits_apply(77, &err) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur == 1 && l.rlim_max == 1);
	CHECK(getrlimit(RLIMIT_RTPRIO, &l) == 0 && l.rlim_cur == 0 && l.rlim_max == 0);
	CHECK(getrlimit(RLIMIT_NICE, &l) == 0 && l.rlim_max == 0);
	CHECK(getrlimit(RLIMIT_NPROC, &l) == 0 && l.rlim_cur == 77 && l.rlim_max == 77);
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_max <= 1u << 20);
	/* The filter keeps the core limit there, whatever a program tries (OWN-04). */
	load(DEFAULT);
	l = (struct rlimit){0, 0};
	CHECK(setrlimit(RLIMIT_CORE, &l) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur == 1 && l.rlim_max == 1);
	l = (struct rlimit){0, 0};
#ifdef SYS_setrlimit /* the C library takes prlimit64(2) */
	CHECK(syscall(SYS_setrlimit, RLIMIT_CORE, &l) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur == 1 && l.rlim_max == 1);
#endif
	l = (struct rlimit){64, 64};
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur == 64);
}

static void no_core_allowed(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	struct rlimit zero = {0, 0};
	CHECK(setrlimit(RLIMIT_CORE, &zero) == 0);
	int r = limits_apply(0, &err);
	/* root may raise it again */
	CHECK(r == 0 || (r == -EPERM && strstr(err.hint, "ulimit")));
}

static void tiny_nofile(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	struct rlimit l;
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
	l.rlim_cur = 20;
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	CHECK(limits_apply(0, &err) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= MIN(1024u, l.rlim_max));
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(in_child(limits, NULL), 0);
	assert_int_equal(in_child(no_core_allowed, NULL), 0);
	assert_int_equal(in_child(tiny_nofile, NULL), 0);
}

/* ---- capabilities ---- */

#define NO_USERNS 77

static void caps(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(NO_USERNS);
	CHECK(caps_prove(&err) == -ENOTRECOVERABLE);
	double a = now_us();
	CHECK(caps_drop_all(&err) == 0);
	printf("# caps_drop_all %.1f us\n", now_us() - a);
	fflush(stdout);
	CHECK(caps_prove(&err) == 0);
	/* libcap is not in the program; here it is the second opinion. */
	cap_t now = cap_get_proc();
	CHECK(now);
	char *text = cap_to_text(now, NULL);
	CHECK(text && streq(text, "="));
	for (cap_value_t c = 0; c < cap_max_bits(); c++)
		CHECK(cap_get_bound(c) == 0 && cap_get_ambient(c) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) < 0);
	CHECK(cap_set_secbits(0) < 0);
	CHECK(sethostname("x", 1) < 0 && errno == EPERM);
	cap_free(text);
	cap_free(now);
}

/* A process that is root by emulation, and beside it one that is not. */
static void root(void *ctx)
{
	(void)ctx;
	struct err err = {0};
	own_namespaces(0, 1000);
	CHECK(caps_keep_files(&err) == 0);
	cap_t now = cap_get_proc();
	char *text = cap_to_text(now, NULL);
	CHECK(text && strstr(text, "cap_dac_override,cap_fowner,cap_fsetid=ip"));
	for (cap_value_t c = 0; c < cap_max_bits(); c++) {
		bool file = c == CAP_DAC_OVERRIDE || c == CAP_FOWNER || c == CAP_FSETID;
		CHECK(cap_get_bound(c) == 0 && cap_get_ambient(c) == file);
	}
	CHECK(cap_set_secbits(0) < 0);
	load(DEFAULT);
	if (fork() == 0) {
		CHECK(caps_give_up() == 0);
		CHECK(caps_prove(&err) == 0);
		CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_FOWNER, 0, 0) < 0);
		CHECK(caps_use_files() == -EPERM);
		_exit(0);
	}
	int st;
	CHECK(wait(&st) > 0 && st == 0);
	CHECK(caps_use_files() == 0 && emulate_prove() == -ENOTRECOVERABLE);
	CHECK(emulate_enter(NULL) == 0 && emulate_prove() == 0);
	cap_free(text);
	cap_free(now);
}

static void emulation(void *ctx)
{
	root(ctx);
	uid_t u[4] = {7, 7, 7, 7};
	gid_t groups[4] = {7, 7, 7, 7};
	/* answered, and nothing else */
	CHECK(getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0);
	CHECK(getgroups(4, groups) == 0 && groups[0] == 7);
	CHECK(syscall(SYS_setresuid, 5, 5, 5) == 0 && syscall(SYS_setgroups, 3, NULL) == 0);
	CHECK(chown("/", 5, 5) == 0 && fchown(-1, 5, 5) == 0);
	CHECK(mknod("/nowhere/x", S_IFCHR | 0600, 0x103) == 0);
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_CAPBSET_DROP, CAP_CHOWN) == 0);
	CHECK(syscall(SYS_capset, NULL, NULL) == 0);
	/* told in truth: these fill memory */
	CHECK(getresuid(&u[0], &u[1], &u[2]) == 0 && u[0] == 1000 && u[1] == 1000 && u[2] == 1000);
	CHECK(u[3] == 7);
	/* refused by the first filter, and not by the kernel */
	CHECK(syscall(SYS_mount, 0, 0, 0, 0, 0) < 0 && errno == EPERM);
	CHECK(syscall(SYS_keyctl, -1, 0, 0) < 0 && errno == EPERM);
	CHECK(syscall(SYS_clone3, 0, 0) < 0 && errno == ENOSYS);
	CHECK(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
	/* the kernel's */
	CHECK(mknod("/nowhere/x", S_IFIFO | 0600, 0) < 0 && errno == ENOENT);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void test_emulation(void **state)
{
	(void)state;
	int st = in_child(emulation, NULL);
	if (st == NO_NAMESPACES)
		skip();
	assert_int_equal(st, 0);
}

static void test_caps(void **state)
{
	(void)state;
	int st = in_child(caps, NULL);
	if (st == NO_USERNS)
		skip();
	assert_int_equal(st, 0);
}

/* ---- Landlock ---- */

static char dir[] = "/tmp/bawn-test-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];
	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static bool can_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Descriptors that are held from before: one to read, one to write, and what gets no rule. */
enum { GIVEN_IN, GIVEN_OUT, GIVEN_PIPE, GIVEN_DIR, GIVEN_NONE, GIVEN };
static int given[GIVEN];

static void give(int ruleset)
{
	struct err err = {0};
	int pipes[2];
	CHECK(can_write(in_dir("in")) && can_write(in_dir("out")) && pipe(pipes) == 0);
	given[GIVEN_IN] = open(in_dir("in"), O_RDONLY | O_CLOEXEC);
	given[GIVEN_OUT] = open(in_dir("out"), O_WRONLY | O_CLOEXEC);
	given[GIVEN_PIPE] = pipes[0];
	given[GIVEN_DIR] = open(in_dir("work2"), O_RDONLY | O_CLOEXEC);
	given[GIVEN_NONE] = 999;
	for (size_t i = 0; i < GIVEN; i++)
		CHECK(landlock_allow_open(ruleset, given[i], &err) == 0);
}

static int again(int fd, int flags)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = open(path, flags | O_CLOEXEC);
	return r < 0 ? -errno : (close(r), 0);
}

static void check_given(void)
{
	CHECK(again(given[GIVEN_IN], O_RDONLY) == 0 && again(given[GIVEN_PIPE], O_RDONLY) == 0);
	CHECK(again(given[GIVEN_IN], O_WRONLY) == -EACCES);
	CHECK(again(given[GIVEN_IN], O_RDONLY | O_TRUNC) == -EACCES || landlock_abi() < 3);
	CHECK(again(given[GIVEN_OUT], O_WRONLY | O_TRUNC) == 0);
	CHECK(again(given[GIVEN_OUT], O_RDWR) == -EACCES);
	CHECK(again(given[GIVEN_DIR], O_RDONLY) == -EACCES);
}

static void landlock(void *ctx)
{
	(void)ctx;
	char work[128], ro[128];
	struct err err = {0};
	snprintf(work, sizeof(work), "%s", in_dir("work"));
	snprintf(ro, sizeof(ro), "%s", in_dir("ro"));
	const struct land_rule rules[] = {{work, true}, {ro, false}, {"/dev", true},
		{"/usr", false}, {"/lib", false}, {"/bin", false}};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	double a = now_us();
	int fd = landlock_build(rules, ARRAY_LEN(rules), &err);
	CHECK(fd >= 0);
	/* Nothing holds yet, and the proof says so. */
	CHECK(landlock_prove(dir, &err) == -ENOTRECOVERABLE);
	CHECK(landlock_prove(in_dir("work2/f"), &err) == -ENOTRECOVERABLE);
	give(fd);
	double b = now_us();
	CHECK(landlock_enter(fd, &err) == 0);
	CHECK(landlock_prove(dir, &err) == 0);
	CHECK(landlock_prove(in_dir("work2/f"), &err) == 0);
	check_given();
	printf("# Landlock ABI %d: with proofs %.0f us\n", landlock_abi(), now_us() - b + (b - a));
	fflush(stdout);

	CHECK(can_write(in_dir("work/new")) && unlink(in_dir("work/new")) == 0);
	CHECK(!can_write(in_dir("work2/new")) && errno == EACCES); /* FS-31 */
	CHECK(!can_read(in_dir("work2/f")) && errno == EACCES);
	CHECK(can_read(in_dir("ro/f")));
	CHECK(!can_write(in_dir("ro/f")) && errno == EACCES);
	CHECK(truncate(in_dir("ro/f"), 0) < 0 || landlock_abi() < 3);
	CHECK(unlink(in_dir("ro/f")) < 0 && errno == EACCES);
	/* FS-32: tools rename and link between directories. */
	CHECK(can_write(in_dir("work/a/x")));
	CHECK(rename(in_dir("work/a/x"), in_dir("work/b/x")) == 0);
	CHECK(link(in_dir("work/b/x"), in_dir("work/a/y")) == 0);
	CHECK(unlink(in_dir("work/b/x")) == 0 && unlink(in_dir("work/a/y")) == 0);
	CHECK(rename(in_dir("ro/f"), in_dir("work/f")) < 0);
	CHECK(mknod(in_dir("work/null"), S_IFCHR | 0600, 0x103) < 0);
	CHECK(mkfifo(in_dir("work/p"), 0600) == 0 && unlink(in_dir("work/p")) == 0);
	/* Terminals opened inside can still be asked their size. */
	int tty = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct winsize ws;
	CHECK(tty < 0 || ioctl(tty, TIOCGWINSZ, &ws) == 0);
}

static void make_tree(void)
{
	static const char *const dirs[] = {"work", "work/a", "work/b", "work2", "ro"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(in_dir(dirs[i]), 0700), 0);
	assert_true(can_write(in_dir("work2/f")) && can_write(in_dir("ro/f")));
}

static void remove_tree(void)
{
	static const char *const gone[] = {
		"in", "out", "work2/f", "ro/f", "work/a", "work/b", "work", "work2", "ro", ""};
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_int_equal(remove(in_dir(gone[i])), 0);
}

static void test_landlock(void **state)
{
	(void)state;
	if (landlock_abi() < 2)
		skip();
	assert_non_null(mkdtemp(dir));
	make_tree();
	int st = in_child(landlock, NULL);
	remove_tree();
	assert_int_equal(st, 0);
}

static void test_landlock_missing_path(void **state)
{
	(void)state;
	if (landlock_abi() < 2)
		skip();
	struct err err = {0};
	const struct land_rule rule = {"/nonexistent", true};
	assert_int_equal(landlock_build(&rule, 1, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent"));
}

static int compile_policies(void **state)
{
	(void)state;
	static const char *const names[] = {"default", "debug"};
	const char *src = getenv("BAWN_SRCDIR");
	for (int i = 0; i < 2; i++) {
		char path[4096];
		struct err err = {0};
		snprintf(path, sizeof(path), "%s/policies/syscalls/%s.yaml", src ? src : ".",
			names[i]);
		if (seccomp_compile_policy(path, &filter[i], &filter_n[i], &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			return -1;
		}
	}
	return 0;
}

static int free_policies(void **state)
{
	(void)state;
	free(filter[0]);
	free(filter[1]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prove),
		cmocka_unit_test(test_load_bad),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_debug),
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_speed),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_emulation),
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_landlock_missing_path),
	};
	return cmocka_run_group_tests(tests, compile_policies, free_policies);
}
