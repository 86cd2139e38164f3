/* confine/emulate.c - see emulate.h.
 *
 * Owns: which calls are answered.  Must not: decide who is root.
 *
 * Theory of operation.  All filters run at each call and the strictest action counts: an errno (0
 * is one) before a notification, that before "allow".  Between two errnos the newest filter's
 * counts.  So what the sandbox's filter allows, this one can answer; where it refuses with EPERM,
 * this one can make it an answer of success, upon which nothing happens (device nodes); and nothing
 * that it says makes the kernel do what the first filter refuses.
 *
 * What is not in the table costs nothing: the kernel remembers which numbers both filters allow
 * whatever their arguments (kernel/seccomp.c, seccomp_cache_prepare()).
 */
#include "confine/emulate.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "root's emulation needs the seccomp architecture of this machine here"
#endif

#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define WAIT_KILLABLE SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#else
#define WAIT_KILLABLE (1u << 5)
#endif

#define ANSWER_0 (SECCOMP_RET_ERRNO | 0)

/* Done, where there is nothing to do; getgroups answers that there are none, and fills nothing. */
static const uint32_t answered[] = {
	SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset, SYS_getgroups};

/* Who one becomes, and is: root, unless a listener says otherwise. */
static const uint32_t identities[] = {SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid,
	SYS_setresuid, SYS_setresgid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid};

/* An owner is given. */
static const uint32_t owners[] = {
	SYS_fchown,
	SYS_fchownat,
#ifdef SYS_chown
	SYS_chown,
	SYS_lchown,
#endif
};

/* Whose a file is, and of which mode, is asked; what it is told to be is a listener's to say. */
static const uint32_t asked[] = {
	SYS_newfstatat,
	SYS_fstat,
	SYS_statx,
#ifdef SYS_stat
	SYS_stat,
	SYS_lstat,
#endif
};

#ifndef SYS_fchmodat2 /* Linux 6.6; one number everywhere */
#define SYS_fchmodat2 452
#endif

/* A mode is given: the kernel's to do, but a listener keeps what the old one was meant to be. */
static const uint32_t modes[] = {
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchmodat2,
#ifdef SYS_chmod
	SYS_chmod,
#endif
};

/* What a program may do is said and asked by these, and removed: a listener's to keep, where the
 * attribute is that one. */
static const uint32_t attributes[] = {
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_fsetxattr,
	SYS_getxattr,
	SYS_lgetxattr,
	SYS_fgetxattr,
	SYS_removexattr,
	SYS_lremovexattr,
	SYS_fremovexattr,
};

/* Daemons give capabilities up by these.  There are none left that they could give up. */
static const uint32_t controls[] = {PR_SET_KEEPCAPS, PR_CAPBSET_DROP};

struct program {
	struct sock_filter *v;
	size_t n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->v[p->n++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

static void put_return(struct program *p, uint32_t action)
{
	put(p, BPF_RET | BPF_K, action, 0, 0);
}

static void put_load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* If it is one of these: action. */
static void put_any(struct program *p, const uint32_t *v, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++) /* to the return behind the last */
		put(p, BPF_JMP | BPF_JEQ | BPF_K, v[i], (uint8_t)(n - 1 - i), i + 1 == n);
	put_return(p, action);
}

/* Call nr, whose argument arg, under the mask, is one of these two: action, else allow.  The low
 * half of an argument comes first on both architectures. */
static void put_argument(struct program *p, uint32_t nr, unsigned int arg, uint32_t mask,
	const uint32_t v[2], uint32_t action)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 6);
	put_load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
	put(p, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, v[0], 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, v[1], 0, 1);
	put_return(p, action);
	put_return(p, SECCOMP_RET_ALLOW);
}

size_t emulate_program(struct sock_filter ret[static EMULATE_INSNS], bool told)
{
	static const uint32_t devices[] = {S_IFCHR, S_IFBLK};
	struct program p = {.v = ret};
	uint32_t tell = told ? SECCOMP_RET_USER_NOTIF : ANSWER_0;
	put_load(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	put_return(&p, SECCOMP_RET_ALLOW); /* the first filter has refused it */
	put_load(&p, offsetof(struct seccomp_data, nr));
	put_any(&p, answered, ARRAY_LEN(answered), ANSWER_0);
	put_any(&p, identities, ARRAY_LEN(identities), tell);
	put_any(&p, owners, ARRAY_LEN(owners), tell);
	if (told)
		put_any(&p, asked, ARRAY_LEN(asked), tell);
	if (told)
		put_any(&p, modes, ARRAY_LEN(modes), tell);
	if (told)
		put_any(&p, attributes, ARRAY_LEN(attributes), tell);
	/* a notification would not come through: the first filter has an errno for these */
	put_argument(&p, SYS_mknodat, 2, S_IFMT, devices, ANSWER_0);
#ifdef SYS_mknod
	put_argument(&p, SYS_mknod, 1, S_IFMT, devices, ANSWER_0);
#endif
	put_argument(&p, SYS_prctl, 0, UINT32_MAX, controls, ANSWER_0);
	put_return(&p, SECCOMP_RET_ALLOW);
	return p.n;
}

int emulate_enter(int *ret_listener)
{
	struct sock_filter v[EMULATE_INSNS];
	struct sock_fprog prog = {
		.len = (unsigned short)emulate_program(v, ret_listener != NULL), .filter = v};
	const unsigned flags = ret_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	/* no signal between question and answer: stat(2) knows no EINTR.  (Linux 5.19) */
	const unsigned quiet = ret_listener ? WAIT_KILLABLE : 0;
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | quiet, &prog);
	if (r < 0 && errno == EINVAL && quiet)
		r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (r < 0)
		return -errno;
	if (ret_listener)
		*ret_listener = (int)r;
	return 0;
}

int emulate_prove(void)
{
	/* a number that can't be ours, and one that is */
	bool holds = syscall(SYS_setuid, 0) == 0 && syscall(SYS_getuid) == 0 &&
		syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_getegid) == 0;
	return holds ? 0 : -ENOTRECOVERABLE;
}
