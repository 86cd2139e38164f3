/* System call policies: the grammar, and what the compiled program answers.
 *
 * The program is run here by a small interpreter of classic BPF, so that every call can be asked
 * for with any arguments on any machine.
 */
#include "unit.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/arena.h"
#include "base/file.h"
#include "confine/seccomp-compile.h"

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

struct program {
	struct sock_filter *v;
	size_t n;
};

static char dir[] = "/tmp/bawn-test-XXXXXX";

static const char *shipped(const char *name)
{
	static char path[4096];
	const char *src = getenv("BAWN_SRCDIR");
	snprintf(path, sizeof(path), "%s/policies/syscalls/%s.yaml", src ? src : ".", name);
	return path;
}

static struct program compile(const char *path)
{
	struct program p;
	struct err err = {0};
	if (seccomp_compile_policy(path, &p.v, &p.n, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static uint32_t load(const struct seccomp_data *d, uint32_t at)
{
	uint32_t v;
	assert_true(at % 4 == 0 && at + sizeof(v) <= sizeof(*d));
	memcpy(&v, (const char *)d + at, sizeof(v));
	return v;
}

static bool jump(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return a & k;
	default:
		fail_msg("jump %u", code);
		return false;
	}
}

static uint32_t run(const struct program *p, const struct seccomp_data *d)
{
	uint32_t a = 0;
	for (size_t pc = 0; pc < p->n; pc++) {
		const struct sock_filter *f = &p->v[pc];
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			assert_int_equal(f->code, BPF_LD | BPF_W | BPF_ABS);
			a = load(d, f->k);
			break;
		case BPF_ALU:
			assert_int_equal(f->code, BPF_ALU | BPF_AND | BPF_K);
			a &= f->k;
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				pc += f->k;
			else
				pc += jump(f->code, a, f->k) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return f->k;
		default:
			fail_msg("instruction %u", f->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

#define ALLOW (-1)
/* -1: allowed; else the errno. */
static int ask(const struct program *p, long nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data d = {.nr = (int)nr, .arch = ARCH, .args = {a0, a1, a2}};
	uint32_t r = run(p, &d);
	if (r == SECCOMP_RET_ALLOW)
		return ALLOW;
	assert_int_equal(r & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
	return (int)(r & SECCOMP_RET_DATA);
}

#define HIGH (UINT64_C(1) << 32)

static const struct {
	const char *call;
	uint64_t arg[3];
	int answer;
} verdicts[] = {
	{"read", {0}, ALLOW},
	{"clone", {SIGCHLD}, ALLOW},
	{"clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}, ALLOW},
	{"clone", {CLONE_NEWUSER}, EPERM},
	{"clone", {CLONE_NEWNS}, EPERM},
	{"clone", {CLONE_NEWNET | SIGCHLD}, EPERM},
	{"clone", {CLONE_NEWPID}, EPERM},
	{"clone", {CLONE_NEWIPC}, EPERM},
	{"clone", {CLONE_NEWUTS}, EPERM},
	{"clone", {CLONE_NEWCGROUP}, EPERM},
	{"clone", {CLONE_NEWUSER | HIGH}, EPERM},
	{"clone3", {0}, ENOSYS},
	{"unshare", {CLONE_FS}, ALLOW},
	{"unshare", {CLONE_NEWUSER}, EPERM},
	{"unshare", {CLONE_NEWTIME}, EPERM},
	{"setns", {0}, EPERM},
	{"mount", {0}, EPERM},
	{"open_tree_attr", {0}, EPERM},
	{"statmount", {0}, ENOSYS},
	{"io_uring_setup", {0}, EPERM},
	{"bpf", {0}, EPERM},
	{"ptrace", {0}, EPERM},
	{"socket", {AF_UNIX, SOCK_STREAM, 0}, ALLOW},
	{"socket", {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0}, ALLOW},
	{"socket", {AF_INET, SOCK_STREAM, 0}, ALLOW},
	{"socket", {AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP}, ALLOW},
	{"socket", {AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP}, ALLOW},
	{"socket", {AF_INET, SOCK_STREAM, IPPROTO_UDP}, EPERM},
	{"socket", {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}, EPERM},
	{"socket", {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6}, EPERM},
	{"socket", {AF_INET, SOCK_RAW, IPPROTO_TCP}, EPERM},
	{"socket", {AF_INET | HIGH, SOCK_RAW, IPPROTO_TCP}, EAFNOSUPPORT},
	{"socket", {AF_INET, SOCK_PACKET, 0}, EPERM},
	{"socket", {AF_INET, SOCK_STREAM, 262}, EPROTONOSUPPORT},
	{"socket", {AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP}, EPROTONOSUPPORT},
	{"socket", {AF_NETLINK, SOCK_RAW, 0}, ALLOW},
	{"socket", {AF_NETLINK, SOCK_RAW, 12}, EPERM},
	{"socket", {AF_NETLINK, SOCK_RAW, 15}, EPERM},
	{"socket", {AF_VSOCK, SOCK_STREAM, 0}, EAFNOSUPPORT},
	{"socket", {AF_VSOCK | HIGH, SOCK_STREAM, 0}, EAFNOSUPPORT},
	{"socket", {AF_PACKET, SOCK_RAW, 0}, EAFNOSUPPORT},
	{"socket", {AF_ALG, SOCK_SEQPACKET, 0}, EAFNOSUPPORT},
	{"socket", {AF_X25, SOCK_SEQPACKET, 0}, EAFNOSUPPORT},
	{"socketpair", {AF_UNIX, SOCK_STREAM, 0}, ALLOW},
	{"socketpair", {AF_TIPC, SOCK_STREAM, 0}, EPERM},
	{"socketpair", {AF_INET, SOCK_STREAM, 0}, EOPNOTSUPP},
	{"socketpair", {AF_INET6, SOCK_DGRAM, 0}, EOPNOTSUPP},
	{"ioctl", {0, TCGETS, 0}, ALLOW},
	{"ioctl", {0, TIOCSTI, 0}, EPERM},
	{"ioctl", {0, TIOCSTI | HIGH, 0}, EPERM},
	{"ioctl", {0, TIOCSTI | 0xffffffff00000000, 0}, EPERM},
	{"ioctl", {0, TIOCLINUX, 0}, EPERM},
	{"ioctl", {0, TIOCSETD | HIGH << 7, 0}, EPERM},
	{"ioctl", {0, TIOCCONS, 0}, EPERM},
	{"ioctl", {0, TIOCSCTTY, 0}, ALLOW},
	/* steals a terminal, but from CAP_SYS_ADMIN of the host alone; Go passes it always */
	{"ioctl", {0, TIOCSCTTY, 1}, ALLOW},
	{"prctl", {15 /* PR_SET_NAME */}, ALLOW},
	{"prctl", {35 /* PR_SET_MM */}, EPERM},
	{"prctl", {35 | HIGH}, EPERM},
	{"personality", {0}, ALLOW},
	{"personality", {0xffffffff}, ALLOW},
	{"personality", {0x0400000}, EPERM},
	{"personality", {0x0020000}, EPERM},
	{"personality", {0x0040000}, EPERM},
	{"mknodat", {0, 0, 0010644}, ALLOW},
	{"mknodat", {0, 0, 0020644}, EPERM},
	{"mknodat", {0, 0, 0060644}, EPERM},
	{"mknodat", {0, 0, 0140644}, ALLOW},
	{"prlimit64", {0, 4, 0}, ALLOW},
	{"prlimit64", {0, 4, 0x7fff0000}, 0},
	{"prlimit64", {0, 4 | HIGH, 0x7fff0000}, 0},
	{"prlimit64", {0, 7, 0x7fff0000}, ALLOW},
};

static void check_verdicts(const char *policy)
{
	struct program p = compile(shipped(policy));
	bool debug = streq(policy, "debug");
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		const uint64_t *a = verdicts[i].arg;
		int nr = seccomp_syscall_resolve_name(verdicts[i].call);
		if (nr < 0 && streq(verdicts[i].call, "statmount"))
			nr = 457;
		if (nr < 0 && streq(verdicts[i].call, "open_tree_attr"))
			nr = 467;
		assert_true(nr >= 0);
		bool more = debug &&
			(streq(verdicts[i].call, "ptrace") ||
				(streq(verdicts[i].call, "personality") && a[0] == 0x40000));
		int want = more ? ALLOW : verdicts[i].answer;
		int got = ask(&p, nr, a[0], a[1], a[2]);
		if (got != want)
			fail_msg("%s: %s(%#llx, %#llx, %#llx): %d instead of %d", policy,
				verdicts[i].call, (unsigned long long)a[0],
				(unsigned long long)a[1], (unsigned long long)a[2], got, want);
	}
	free(p.v);
}

static void test_verdicts(void **state)
{
	(void)state;
	check_verdicts("default");
	check_verdicts("debug");
}

/* What nobody has heard of does not exist, for each number, and for other architectures. */
static void test_unknown(void **state)
{
	(void)state;
	struct program p = compile(shipped("default"));
	for (long nr = 470; nr < 5000; nr++)
		assert_int_equal(ask(&p, nr, 0, 0, 0), ENOSYS);
	assert_int_equal(ask(&p, -1, 0, 0, 0), ENOSYS);
	assert_int_equal(ask(&p, INT32_MAX, 0, 0, 0), ENOSYS);
#ifdef __x86_64__
	for (int nr = 0; nr < 600; nr++) {
		assert_int_equal(ask(&p, 0x40000000 | nr, 0, 0, 0), ENOSYS);
		struct seccomp_data d = {.nr = nr, .arch = AUDIT_ARCH_I386};
		assert_int_equal(run(&p, &d), SECCOMP_RET_ERRNO | ENOSYS);
	}
#endif
	free(p.v);
}

/* Every call that libseccomp knows is in the policy: none is refused by being forgotten. */
static void test_complete(void **state)
{
	(void)state;
	struct arena a = {0};
	struct seccomp_policy policy;
	struct err err = {0};
	if (seccomp_policy_read(&a, shipped("default"), NULL, NULL, &policy, &err) < 0)
		fail_msg("%s", err.msg);
	for (int nr = 0; nr < 600; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		bool found = !name;
		for (size_t i = 0; !found && i < policy.n; i++)
			found = streq(policy.calls[i].call, name);
		if (!found)
			fail_msg("%s stands nowhere in default.yaml", name);
		free(name);
	}
	arena_free(&a);
}

/* What the four agents were seen to make at their start and a refusal of which breaks them. */
static void test_agents(void **state)
{
	(void)state;
	static const char *const used[] = {"vfork", "fork", "pidfd_open", "close_range",
		"inotify_init1", "inotify_add_watch", "flock", "statx", "sched_setscheduler",
		"pkey_alloc", "copy_file_range", "rseq", "epoll_pwait2", "timerfd_create",
		"eventfd2", "sched_setaffinity", "madvise", "mprotect", "memfd_create", "futex",
		"getrandom", "sendmmsg", "recvmmsg", "wait4", "waitid", "execve", "execveat",
		"membarrier", "getcpu", "sysinfo", "capget", "setsid", "signalfd4"};
	struct program p = compile(shipped("default"));
	for (size_t i = 0; i < ARRAY_LEN(used); i++) {
		int nr = seccomp_syscall_resolve_name(used[i]);
		if (nr >= 0 && ask(&p, nr, 0, 0, 0) != ALLOW)
			fail_msg("%s is refused", used[i]);
	}
	free(p.v);
}

/* libseccomp's own parts and the search tree must agree with a plain reading of the policy. */
static void test_tree(void **state)
{
	(void)state;
	struct arena a = {0};
	struct seccomp_policy policy;
	struct err err = {0};
	assert_int_equal(seccomp_policy_read(&a, shipped("default"), NULL, NULL, &policy, &err), 0);
	struct program p = compile(shipped("default"));
	for (size_t i = 0; i < policy.n; i++) {
		const struct policy_call *c = &policy.calls[i];
		int nr = seccomp_syscall_resolve_name(c->call);
		if (c->n_conds || nr < 0)
			continue;
		/* Arguments that no deny_if matches. */
		int got = ask(&p, nr, 0, 0, 0);
		if (got != (c->allow ? ALLOW : c->error))
			fail_msg("%s: %d", c->call, got);
	}
	free(p.v);
	arena_free(&a);
}

static const char *write_policy(const char *name, const char *text)
{
	static char path[4096];
	struct err err = {0};
	snprintf(path, sizeof(path), "%s/%s.yaml", dir, name);
	if (file_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, false, &err) < 0)
		fail_msg("%s", err.msg);
	return path;
}

static const struct {
	const char *text, *message;
} bad[] = {
	{"alow: []\n", "x.yaml:1:1: unknown key \"alow\""},
	{"allow: read\n", "x.yaml:1:8: expected a list"},
	{"allow:\n- name: a\n  calls: [no_such]\n", "x.yaml:3:11: unknown system call \"no_such\""},
	{"allow:\n- name: a\n  calls: [read, read]\n", "x.yaml:3:17: \"read\" stands at line 3"},
	{"allow:\n- name: a\n  calls: [read]\ndeny:\n- name: b\n  calls: [read]\n  reason: x\n",
		"x.yaml:6:11: \"read\" stands at line 3"},
	{"allow:\n- calls: [read]\n", "the key \"name\" is missing"},
	{"deny:\n- name: a\n  calls: [read]\n", "the key \"reason\" is missing"},
	{"deny:\n- name: a\n  calls: [read]\n  reason: x\n  errno: EWHAT\n",
		"x.yaml:5:10: \"EWHAT\" is no errno"},
	{"deny:\n- name: a\n  call: read\n  reason: x\n", "x.yaml:3:3: unknown key \"call\""},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n", "the key \"when\" is missing"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: [\"arg6 == 1\"]\n",
		"x.yaml:5:10: malformed condition"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: [\"arg1 & 0xf == 16\"]\n",
		"malformed condition"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: [\"arg1 != 3\"]\n",
		"malformed condition"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: [\"arg1 == 1 2\"]\n",
		"malformed condition"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: [\"arg1 == -1\"]\n",
		"malformed condition"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: [\"arg1 in 1\", \"arg1 in "
	 "2\"]\n",
		"arg1 has two conditions"},
	{"deny_if:\n- name: a\n  call: ioctl\n  reason: x\n  when: []\n", "1 to 3 conditions"},
	{"extends: x\n", "deeper than 4 files"},
	{"extends: ../x\n", "takes the name of a policy"},
	{"extends: nothing\n", "nothing.yaml"},
	{"- allow\n", "expected a map"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sock_filter *v = NULL;
		size_t n = 0;
		struct err err = {0};
		int r = seccomp_compile_policy(write_policy("x", bad[i].text), &v, &n, &err);
		if (r >= 0 || v || !strstr(err.msg, bad[i].message))
			fail_msg("%s gave %d \"%s\" instead of \"%s\"", bad[i].text, r, err.msg,
				bad[i].message);
	}
}

/* A policy that says nothing allows nothing. */
static void test_empty(void **state)
{
	(void)state;
	struct program p = compile(write_policy("empty", "summary: nothing\n"));
	for (long nr = 0; nr < 600; nr++)
		assert_int_equal(ask(&p, nr, 0, 0, 0), ENOSYS);
	free(p.v);
}

static void test_extends(void **state)
{
	(void)state;
	write_policy("base",
		"allow:\n- name: a\n  calls: [read, write]\n"
		"allow_if:\n- name: d\n  call: socket\n  when: [\"arg0 == 1\"]\n  reason: x\n"
		"deny:\n- name: b\n  calls: [bpf, ptrace]\n  reason: x\n"
		"deny_if:\n- name: c\n  call: read\n  when: [\"arg0 == 7\"]\n  reason: x\n");
	struct program p = compile(write_policy("child",
		"extends: base\nallow:\n- name: x\n  calls: [ptrace, read]\n"
		"deny:\n- name: y\n  calls: [write, socket]\n  reason: x\n"));
	assert_int_equal(ask(&p, SYS_ptrace, 0, 0, 0), ALLOW);
	assert_int_equal(ask(&p, SYS_bpf, 0, 0, 0), EPERM);
	assert_int_equal(ask(&p, SYS_read, 0, 0, 0), ALLOW);
	assert_int_equal(ask(&p, SYS_read, 7, 0, 0), EPERM); /* conditional denials stay */
	assert_int_equal(ask(&p, SYS_write, 0, 0, 0), EPERM);
	assert_int_equal(ask(&p, SYS_socket, 1, 0, 0), EPERM);
	free(p.v);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	static const char *const names[] = {"x", "empty", "base", "child"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s.yaml", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_extends),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
