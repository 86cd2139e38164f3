/* init/init-below.c - see init-below.h
 *
 * Mounts that a user namespace was made with are locked together: a directory in which the host has
 * something mounted can't be had without that (open_tree says EINVAL), so it comes along as well.
 * This is looked at then only: the list of all mounts is long.
 */
#include "init/init-below.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/path.h"
#include "base/statx.h"

/* What the kernel says of itself, and takes. */
static const char *const kernels[] = {"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2",
	"debugfs", "tracefs", "securityfs", "selinuxfs", "smackfs", "bpf", "configfs", "mqueue",
	"fusectl", "pstore", "efivarfs", "binfmt_misc", "hugetlbfs", "rpc_pipefs", "nfsd", "nsfs",
	"resctrl", "binder", "functionfs"};

static bool is_kernels(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(kernels); i++)
		if (streq(type, kernels[i]))
			return true;
	return false;
}

/* Is what is mounted at point also dir, or a directory above it? */
static bool holds(const char *point, const char *dir)
{
	char up[PATH_MAX];
	struct file_statx x, at;
	/* of a server that doesn't answer, what is known */
	const int how = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	if (file_statx(AT_FDCWD, point, how, STATX_INO, &x) < 0 ||
		(size_t)snprintf(up, sizeof(up), "%s", dir) >= sizeof(up))
		return false;
	for (;;) {
		if (file_statx(AT_FDCWD, *up ? up : "/", how, STATX_INO, &at) == 0 &&
			at.stx_ino == x.stx_ino && at.stx_dev_major == x.stx_dev_major &&
			at.stx_dev_minor == x.stx_dev_minor)
			return true;
		char *slash = strrchr(up, '/');
		if (!slash)
			return false;
		*slash = '\0';
	}
}

static int refuse(const char *point, const char *why, struct err *err)
{
	char shown[512];
	escape_text(shown, sizeof(shown), point);
	err_hint(err, "unmount it, or start in a directory that it is not below");
	return err_set(err, EPERM, "%s is mounted in what comes along, and %s", shown, why);
}

int mounts_below_ok(const char *dir, struct err *err)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return err_sys(err, errno, "open /proc/self/mountinfo");
	char *line = NULL;
	size_t cap = 0;
	int r = 0;
	while (r == 0 && getline(&line, &cap, f) > 0) {
		char *field[5], *save, *dash = strstr(line, " - ");
		char *type = dash ? dash + 3 : NULL;
		if (!type)
			continue;
		type[strcspn(type, " \n")] = '\0';
		*dash = '\0';
		size_t n = 0;
		for (char *p = strtok_r(line, " ", &save); p && n < ARRAY_LEN(field);
			p = strtok_r(NULL, " ", &save))
			field[n++] = p;
		if (n < ARRAY_LEN(field))
			continue;
		path_unescape(field[4]);
		if (!path_within(field[4], dir) || streq(field[4], dir))
			continue;
		if (is_kernels(type))
			r = refuse(field[4], "shows this machine instead of files", err);
		else if (holds(field[4], dir))
			r = refuse(field[4], "holds that directory itself", err);
	}
	free(line);
	fclose(f);
	return r;
}
