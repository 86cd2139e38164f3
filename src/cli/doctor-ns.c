/* cli/doctor-ns.c - doctor: namespaces and mounts, tried as the ordinary user.
 *
 * Theory of operation.  Where user namespaces are restricted the refusal comes at different
 * moments, and the moment tells the remedy: a limit of 0 or a missing kernel option refuses the
 * clone; seccomp of a container refuses it with EPERM; Ubuntu's AppArmor lets the clone and the
 * uid_map through and refuses the first privileged act, the mount.  So each step is made and named.
 */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/fd.h"

#define APPARMOR_SWITCH "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
#define APPARMOR_REMEDY                                                                            \
	"bawn doctor --apparmor | sudo tee /etc/apparmor.d/bawn >/dev/null && "                    \
	"sudo apparmor_parser -r /etc/apparmor.d/bawn"

static bool sysctl_is(const char *path, char c)
{
	char line[64];
	return doctor_read_line(path, line, sizeof(line)) && line[0] == c && line[1] == '\0';
}

/* One write(2), as the files of /proc want it. */
static bool put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* This one id, mapped to itself. */
static bool put_map(const char *path, unsigned int id)
{
	char text[64];
	snprintf(text, sizeof(text), "%u %u 1", id, id);
	return put(path, text);
}

static void why_no_clone(struct doctor_result *r, int e)
{
	doctor_fail(r, "a user namespace can't be made: %s", strerror(e));
	if (sysctl_is("/proc/sys/user/max_user_namespaces", '0'))
		doctor_remedy(r,
			"sudo sysctl -w user.max_user_namespaces=15000 (to keep it, a file "
			"in /etc/sysctl.d); inside a bawn sandbox it is 0 on purpose");
	else if (sysctl_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
		doctor_remedy(r,
			"sudo sysctl -w kernel.unprivileged_userns_clone=1 (to keep it, a "
			"file in /etc/sysctl.d)");
	else if (e == ENOSPC || e == EUSERS)
		doctor_remedy(r,
			"too many user namespaces exist, or they are nested too deep: sudo "
			"sysctl -w user.max_user_namespaces=15000");
	else if (e == EINVAL || e == ENOSYS)
		doctor_remedy(r, "this kernel has no user namespaces (CONFIG_USER_NS)");
	else
		doctor_remedy(r,
			"a seccomp filter or security module forbids it; in a container, "
			"start it with --security-opt seccomp=unconfined");
}

static void why_no_right(struct doctor_result *r, const char *what, int e)
{
	doctor_fail(r, "the namespace is made, but %s is refused: %s", what, strerror(e));
	if (sysctl_is(APPARMOR_SWITCH, '1'))
		doctor_remedy(r,
			"AppArmor restricts user namespaces here; allow them for bawn "
			"alone: " APPARMOR_REMEDY);
	else
		doctor_remedy(r,
			"a security module or a container's filter forbids it; in a "
			"container, start it with --security-opt seccomp=unconfined "
			"--security-opt apparmor=unconfined");
}

bool doctor_enter_userns(struct doctor_result *r, int flags)
{
	unsigned int uid = geteuid(), gid = getegid();
	if (unshare(CLONE_NEWUSER) < 0) {
		why_no_clone(r, errno);
		return false;
	}
	if (!put("/proc/self/setgroups", "deny") || !put_map("/proc/self/uid_map", uid) ||
		!put_map("/proc/self/gid_map", gid)) {
		why_no_right(r, "writing uid_map", errno);
		return false;
	}
	if (flags && unshare(flags) < 0) {
		why_no_right(r, "a further namespace", errno);
		return false;
	}
	return true;
}

/* Every mount below is made in a private tree of its own. */
static bool enter_mountns(struct doctor_result *r, int flags)
{
	if (!doctor_enter_userns(r, CLONE_NEWNS | flags))
		return false;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m") < 0) {
		why_no_right(r, "a mount", errno);
		return false;
	}
	return true;
}

static void check_userns(struct doctor_result *r)
{
	if (!enter_mountns(r, 0))
		return;
	char n[32] = "?";
	doctor_read_line("/proc/sys/user/max_user_namespaces", n, sizeof(n));
	doctor_ok(r, "made, mapped and mounted in as uid %u (limit %s)", geteuid(), n);
}

static void check_other_ns(struct doctor_result *r)
{
	static const struct {
		int flag;
		const char *name;
	} ns[] = {{CLONE_NEWPID, "pid"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"},
		{CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWNET, "net"}};
	if (!doctor_enter_userns(r, 0))
		return;
	for (size_t i = 0; i < ARRAY_LEN(ns); i++) {
		if (unshare(ns[i].flag) == 0)
			continue;
		doctor_fail(r, "no %s namespace: %s", ns[i].name, strerror(errno));
		doctor_remedy(r, "use a kernel with CONFIG_%s_NS", ns[i].name);
		return;
	}
	doctor_ok(r, "pid, ipc, uts, cgroup, net");
}

/* In its own user namespace bawn sets the limit of nested ones to 0. */
static void check_nesting_off(struct doctor_result *r)
{
	if (!doctor_enter_userns(r, 0))
		return;
	if (!put("/proc/sys/user/max_user_namespaces", "0")) {
		doctor_warn(r, "max_user_namespaces can't be set inside: %s", strerror(errno));
		doctor_remedy(r, "nested user namespaces are then refused by seccomp alone");
		return;
	}
	if (unshare(CLONE_NEWUSER) == 0) {
		doctor_fail(r, "a nested user namespace could be made with the limit at 0");
		return;
	}
	doctor_ok(r, "nested user namespaces can be switched off");
}

/* The calls that pin and mask: clone a mount, move it onto a file, make it read-only. */
static void check_mount_calls(struct doctor_result *r)
{
	if (!enter_mountns(r, 0))
		return;
	/* no descriptor may stay open for writing: read-only would be refused as busy */
	if (mknod("/tmp/file", S_IFREG | 0600, 0) < 0 || symlink("elsewhere", "/tmp/link") < 0) {
		doctor_fail(r, "a file in a fresh tmpfs can't be made: %s", strerror(errno));
		return;
	}
	const char *call = "open_tree";
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/tmp/link",
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		goto failed;
	call = "move_mount";
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/file", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		goto failed;
	call = "mount_setattr";
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/tmp", 0, &attr, sizeof(attr)) < 0)
		goto failed;
	struct stat st;
	if (lstat("/tmp/file", &st) < 0 || !S_ISLNK(st.st_mode)) {
		doctor_fail(r, "a link mounted over a file isn't seen there");
		return;
	}
	if (mkdir("/tmp/x", 0700) == 0) {
		doctor_fail(r, "a mount that was made read-only can be written");
		return;
	}
	doctor_ok(r, "open_tree, move_mount, mount_setattr; a link mounted over a file");
	return;
failed:
	doctor_fail(r, "%s: %s", call, strerror(errno));
	doctor_remedy(r,
		"Linux 5.12 or newer is needed; in a container, start it with "
		"--security-opt seccomp=unconfined");
}

/* As pid 1 of a new pid namespace; the child's errno is its exit status. */
static void check_proc(struct doctor_result *r)
{
	if (!enter_mountns(r, CLONE_NEWPID))
		return;
	pid_t pid = fork();
	if (pid == 0) {
		const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
		mkdir("/tmp/proc", 0700);
		_exit(mount("proc", "/tmp/proc", "proc", flags, NULL) < 0 ? errno : 0);
	}
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) {
		doctor_fail(r, "no process in a new pid namespace: %s", strerror(errno));
		return;
	}
	if (WEXITSTATUS(status) == 0) {
		doctor_ok(r, "a fresh /proc can be mounted");
		return;
	}
	doctor_fail(r, "a fresh /proc is refused: %s", strerror(WEXITSTATUS(status)));
	doctor_remedy(r,
		"the outer /proc is partly covered, as in a container: start that with "
		"--security-opt systempaths=unconfined (docker) or --security-opt "
		"unmask=ALL (podman)");
}

static void check_overlay(struct doctor_result *r)
{
	if (!enter_mountns(r, 0))
		return;
	mkdir("/tmp/l", 0700);
	mkdir("/tmp/u", 0700);
	mkdir("/tmp/w", 0700);
	mkdir("/tmp/m", 0700);
	if (mount("overlay", "/tmp/m", "overlay", 0,
		    "lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w,userxattr") == 0) {
		doctor_ok(r, "works without privilege");
		return;
	}
	doctor_warn(r, "refused: %s", strerror(errno));
	doctor_remedy(r,
		"toolchains in your home are then read-only inside (Linux 5.11 with "
		"overlayfs is needed)");
}

static void check_xattr(struct doctor_result *r)
{
	if (!enter_mountns(r, 0))
		return;
	int fd = open("/tmp/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0 && fsetxattr(fd, "user.bawn", "1", 1, 0) == 0)
		doctor_ok(r, "tmpfs keeps user.* attributes");
	else
		doctor_ok(r, "not on tmpfs (Linux 6.6 has them): overlays are kept on disk");
}

const struct doctor_check doctor_ns_checks[] = {
	{"userns", "user namespace", check_userns, false},
	{"namespaces", "other namespaces", check_other_ns, true},
	{"nesting", "nesting switched off", check_nesting_off, true},
	{"mounts", "mount calls", check_mount_calls, true},
	{"proc", "own /proc", check_proc, true},
	{"overlay", "overlay", check_overlay, true},
	{"xattr", "tmpfs attributes", check_xattr, true},
	{0},
};
