/* confine/landlock.c - see landlock.h.
 *
 * Owns: the access rights of each ABI, the ruleset.  Must not: decide which paths.
 *
 * Theory of operation.  A ruleset says which rights it handles; a handled right is refused wherever
 * no rule grants it, and a right that is not handled is not checked.  So all rights that the kernel
 * knows are handled, and each rule grants what its kind of path needs.  The ABI only ever grows:
 * one fall-through switch takes away what an older kernel doesn't know.  Headers of the oldest
 * supported distribution end at ABI 2, so the numbers of the kernel's interface stand here.
 *
 * REFER (ABI 2) is granted with write: it is what lets a file be renamed or linked from one
 * directory to another; without it git, npm and editors get EXDEV.  Device nodes can never be made.
 */
#include "confine/landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* linux/landlock.h, by the ABI that brought them */
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_CHAR (UINT64_C(1) << 6)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_MAKE_FIFO (UINT64_C(1) << 10)
#define FS_MAKE_BLOCK (UINT64_C(1) << 11)
#define FS_MAKE_SYM (UINT64_C(1) << 12)
#define FS_REFER (UINT64_C(1) << 13)           /* 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)        /* 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15)       /* 5 */
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)        /* 6 */

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct path_beneath_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

#define READ_RIGHTS (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define WRITE_RIGHTS                                                                               \
	(READ_RIGHTS | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |              \
		FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER | FS_TRUNCATE | \
		FS_IOCTL_DEV)
#define ALL_RIGHTS (WRITE_RIGHTS | FS_MAKE_CHAR | FS_MAKE_BLOCK)
/* What a rule on something else than a directory may grant. */
#define FILE_RIGHTS (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

int landlock_abi(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	return r < 0 ? -errno : (int)r;
}

/* The attributes this kernel understands, and how many bytes of them; false on ABI 1. */
static bool attributes(int abi, struct ruleset_attr *ret, size_t *ret_size)
{
	*ret = (struct ruleset_attr){
		.fs = ALL_RIGHTS, .scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL};
	*ret_size = sizeof(*ret);
	switch (abi) {
	case 1:
		return false;
	case 2:
		ret->fs &= ~FS_TRUNCATE;
		/* fall through */
	case 3:
	case 4:
		ret->fs &= ~FS_IOCTL_DEV;
		/* fall through */
	case 5:
		ret->scoped = 0;
		*ret_size = abi < 4 ? sizeof(ret->fs) : sizeof(ret->fs) + sizeof(ret->net);
		/* fall through */
	default:
		return true;
	}
}

static int allow_beneath(int ruleset, int fd, uint64_t rights)
{
	struct path_beneath_attr a = {.allowed = rights, .fd = fd};
	return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &a, 0) < 0 ? -errno : 0;
}

static int add_rule(int ruleset, const struct land_rule *rule, uint64_t handled, struct err *err)
{
	_cleanup_close_ int fd = open(rule->path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "Landlock rule for %s", rule->path);
	uint64_t rights = (rule->write ? WRITE_RIGHTS : READ_RIGHTS) & handled;
	if (!S_ISDIR(st.st_mode))
		rights &= FILE_RIGHTS;
	int r = allow_beneath(ruleset, fd, rights);
	return r < 0 ? err_sys(err, -r, "Landlock rule for %s", rule->path) : 0;
}

int landlock_build(const struct land_rule *rules, size_t n, struct err *err)
{
	int abi = landlock_abi();
	struct ruleset_attr a;
	size_t size;
	if (abi < 0 || !attributes(abi, &a, &size)) {
		err_hint(err,
			"Landlock needs Linux 5.19 with CONFIG_SECURITY_LANDLOCK and "
			"\"landlock\" in the kernel's lsm= list; to run without it: "
			"--allow-degraded landlock");
		return err_set(err, EOPNOTSUPP,
			abi == 1 ? "this kernel's Landlock (ABI 1) would break renames"
				 : "this kernel has no Landlock");
	}
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
	if (fd < 0)
		return err_sys(err, errno, "create a Landlock ruleset");
	for (size_t i = 0; i < n; i++) {
		int r = add_rule(fd, &rules[i], a.fs, err);
		if (r < 0)
			return r;
	}
	return TAKE_FD(fd);
}

/* The rights of that list which this kernel's rulesets can speak of. */
static uint64_t known(uint64_t rights)
{
	struct ruleset_attr a;
	size_t size;
	return attributes(landlock_abi(), &a, &size) ? rights & a.fs : 0;
}

int landlock_allow_open(int ruleset, int fd, struct err *err)
{
	struct stat st;
	uint64_t rights = 0;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || flags & O_PATH || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		return 0;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		rights = FS_READ_FILE;
		break;
	case O_WRONLY:
		rights = FS_WRITE_FILE | FS_TRUNCATE;
		break;
	case O_RDWR:
		rights = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
		break;
	default: /* neither: for ioctl alone */
		return 0;
	}
	int r = allow_beneath(ruleset, fd, known(rights));
	/* pipes, sockets and files in memory alone are behind no mount, and never refused */
	return r < 0 && r != -EBADFD ? err_sys(err, -r, "Landlock rule for descriptor %d", fd) : 0;
}

int landlock_enter(int fd, struct err *err)
{
	if (GUARD_REMOVED("landlock"))
		return 0;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, errno, "enter the Landlock ruleset");
	return 0;
}

static int prove_file(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == EACCES)
		return 0;
	return err_set(err, ENOTRECOVERABLE, "Landlock does not hold: opening %s for writing: %s",
		path, fd < 0 ? strerror(errno) : "succeeded");
}

static int prove_dir(const char *path, struct err *err)
{
	_cleanup_close_ int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "%s", path);
	int e = mkdirat(dir, ".bawn-proof", 0700) < 0 ? errno : 0;
	if (e == EACCES)
		return 0;
	if (e == 0)
		unlinkat(dir, ".bawn-proof", AT_REMOVEDIR);
	/* The mount answers before Landlock does.  A Landlock domain refuses every change of a
	 * mount; this one changes nothing where it is let through. */
	if (e == EROFS && mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 &&
		errno == EPERM)
		return 0;
	return err_set(err, ENOTRECOVERABLE, "Landlock does not hold: writing below %s: %s", path,
		e == EROFS ? "only its mount is read-only" : (e ? strerror(e) : "succeeded"));
}

int landlock_prove(const char *forbidden, struct err *err)
{
	if (GUARD_REMOVED("landlock"))
		return 0;
	struct stat st;
	if (stat(forbidden, &st) < 0)
		return err_sys(err, errno, "%s", forbidden);
	return S_ISDIR(st.st_mode) ? prove_dir(forbidden, err) : prove_file(forbidden, err);
}
