/* confine/caps.c - see caps.h.
 *
 * Owns: the calling thread's capability sets and secure bits.  Must not: know users or namespaces.
 */
#include "confine/caps.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* The kernel's 64-bit sets have room for no more. */
#define CAP_MAX 63

#define SECURE_BITS                                                                                \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
		SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |                          \
		SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int capget_self(struct __user_cap_data_struct d[static 2])
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &h, d) < 0 ? -errno : 0;
}

static int drop_bounding(struct err *err)
{
	for (unsigned long cap = 0; cap <= CAP_MAX; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL && cap > 0)
			return 0; /* past the kernel's last */
		return err_sys(err, errno, "drop capability %lu from the bounding set", cap);
	}
	return 0;
}

int caps_drop_all(struct err *err)
{
	if (GUARD_REMOVED("caps"))
		return 0;
	if (prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) < 0)
		return err_sys(err, errno, "lock the secure bits");
	int r = drop_bounding(err);
	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, errno, "clear the ambient capabilities");
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	if (syscall(SYS_capset, &h, none) < 0)
		return err_sys(err, errno, "capset");
	return caps_prove(err);
}

int caps_prove(struct err *err)
{
	if (GUARD_REMOVED("caps"))
		return 0;
	struct __user_cap_data_struct d[2] = {{0}};
	int r = capget_self(d);
	if (r < 0)
		return err_sys(err, -r, "capget");
	for (int i = 0; i < 2; i++)
		if (d[i].effective | d[i].permitted | d[i].inheritable)
			return err_set(err, ENOTRECOVERABLE,
				"capabilities are left: effective %08x permitted %08x "
				"inheritable %08x in word %d",
				d[i].effective, d[i].permitted, d[i].inheritable, i);
	for (unsigned long cap = 0; cap <= CAP_MAX; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (has < 0)
			break;
		/* The ambient set is a subset of the permitted one: empty by the test above. */
		if (has)
			return err_set(err, ENOTRECOVERABLE,
				"capability %lu is left in the bounding set", cap);
	}
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	if (bits < 0 || (bits & SECURE_BITS) != SECURE_BITS)
		return err_set(err, ENOTRECOVERABLE, "the secure bits are not locked");
	return 0;
}
