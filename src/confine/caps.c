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

/* What an emulated root has over the files of the sandbox's one user (confine/emulate.h). */
#define FILE_CAPS (1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_FSETID)

static int capget_self(struct __user_cap_data_struct d[static 2])
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &h, d) < 0 ? -errno : 0;
}

/* Of the first word; the second, in which there is nothing for us, becomes empty. */
static int capset_self(uint32_t permitted, uint32_t effective, uint32_t inheritable)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {
		{.permitted = permitted, .effective = effective, .inheritable = inheritable}};
	return syscall(SYS_capset, &h, d) < 0 ? -1 : 0;
}

static bool is_empty(const struct __user_cap_data_struct *d)
{
	return (d->effective | d->permitted | d->inheritable) == 0;
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

/* Nothing is in any set but these, permitted and inheritable. */
static int prove(uint32_t left, struct err *err)
{
	struct __user_cap_data_struct d[2] = {{0}};
	int r = capget_self(d);
	if (r < 0)
		return err_sys(err, -r, "capget");
	for (int i = 0; i < 2; i++) {
		uint32_t may = i ? 0 : left;
		if (d[i].effective | (d[i].permitted & ~may) | (d[i].inheritable & ~may))
			return err_set(err, ENOTRECOVERABLE,
				"capabilities are left: effective %08x permitted %08x "
				"inheritable %08x in word %d",
				d[i].effective, d[i].permitted, d[i].inheritable, i);
	}
	for (unsigned long cap = 0; cap <= CAP_MAX; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (has < 0)
			break;
		/* The ambient set is a subset of the permitted one: judged by the test above. */
		if (has)
			return err_set(err, ENOTRECOVERABLE,
				"capability %lu is left in the bounding set", cap);
	}
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	if (bits < 0 || (bits & SECURE_BITS) != SECURE_BITS)
		return err_set(err, ENOTRECOVERABLE, "the secure bits are not locked");
	return 0;
}

int caps_prove(struct err *err)
{
	return GUARD_REMOVED("caps") ? 0 : prove(0, err);
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
	if (capset_self(0, 0, 0) < 0)
		return err_sys(err, errno, "capset");
	return caps_prove(err);
}

int caps_keep_files(struct err *err)
{
	static const unsigned long keep[] = {CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID};
	struct __user_cap_data_struct d[2] = {{0}};
	int r = capget_self(d);
	if (r == 0 && capset_self(d[0].permitted, d[0].effective, FILE_CAPS) < 0)
		r = -errno;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(keep); i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, keep[i], 0, 0) < 0)
			r = -errno;
	if (r < 0)
		return err_sys(err, -r, "keep the capabilities over files");
	if (prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) < 0)
		return err_sys(err, errno, "lock the secure bits");
	r = drop_bounding(err);
	if (r < 0)
		return r;
	if (capset_self(FILE_CAPS, 0, FILE_CAPS) < 0)
		return err_sys(err, errno, "capset");
	return prove(FILE_CAPS, err);
}

/* The ambient set is what the permitted and the inheritable one have in common, at most. */
int caps_give_up(void)
{
	if (GUARD_REMOVED("agent-caps"))
		return 0;
	struct __user_cap_data_struct d[2] = {{0}};
	if (capset_self(0, 0, 0) < 0)
		return -errno;
	int r = capget_self(d);
	if (r < 0)
		return r;
	return is_empty(&d[0]) && is_empty(&d[1]) ? 0 : -ENOTRECOVERABLE;
}

int caps_use_files(void)
{
	return capset_self(FILE_CAPS, FILE_CAPS, FILE_CAPS) < 0 ? -errno : 0;
}
