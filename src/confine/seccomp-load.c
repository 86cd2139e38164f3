/* confine/seccomp-load.c - see seccomp-load.h.
 *
 * Owns: the installed filter.  Must not: know policies or libseccomp.
 */
#include "confine/seccomp-load.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Behind each row, what the kernel itself would answer.  guard: the rule's name in
 * policies/syscalls, by which a test build leaves it out. */
static const struct {
	const char *guard, *name;
	long nr;
	long arg[3];
	int with_filter;
} proofs[] = {
	{"syscall-clone3", "clone3", SYS_clone3, {0, 0, 0}, ENOSYS},  /* EINVAL */
	{"syscall-keyring", "keyctl", SYS_keyctl, {-1, 0, 0}, EPERM}, /* EOPNOTSUPP */
	{"syscall-mount", "mount", SYS_mount, {0, 0, 0}, EPERM},      /* EFAULT */
	{"syscall-io-uring", "io_uring_setup", SYS_io_uring_setup, {0, 0, 0}, EPERM}, /* EFAULT */
	{"syscall-tiocsti", "ioctl(TIOCSTI)", SYS_ioctl, {-1, TIOCSTI, 0}, EPERM},    /* EBADF */
	{"syscall-socket-family-high", "socket(AF_PACKET)", SYS_socket, {AF_PACKET, -1, 0},
		EAFNOSUPPORT}, /* EINVAL, for the type */
};

int seccomp_load_filter(const void *prog, size_t bytes, struct err *err)
{
	if (GUARD_REMOVED("seccomp"))
		return 0;
	size_t n = bytes / sizeof(struct sock_filter);
	if (n == 0 || n > BPF_MAXINSNS || bytes % sizeof(struct sock_filter))
		return err_set(
			err, EINVAL, "the system call filter has a bad size (%zu bytes)", bytes);
	/* The program is only read, but sock_fprog has no const. */
	struct sock_fprog p = {.len = (unsigned short)n, .filter = (void *)(uintptr_t)prog};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) < 0) {
		err_hint(err, "the kernel needs CONFIG_SECCOMP_FILTER; see: bawn doctor");
		return err_sys(err, errno, "install the system call filter");
	}
	return 0;
}

int seccomp_prove(struct err *err)
{
	if (GUARD_REMOVED("seccomp"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		if (GUARD_REMOVED(proofs[i].guard))
			continue;
		const long *a = proofs[i].arg;
		long r = syscall(proofs[i].nr, a[0], a[1], a[2], 0, 0);
		int e = r < 0 ? errno : 0;
		if (e != proofs[i].with_filter)
			return err_set(err, ENOTRECOVERABLE,
				"the system call filter does not hold: %s: %s", proofs[i].name,
				e ? strerror(e) : "succeeded");
	}
	return 0;
}
