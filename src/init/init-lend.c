/* init/init-lend.c - `bawn-init lend PATH`: one more read-only directory of the host for a sandbox
 * that runs: the program of a tool that was not there when it was started.
 *
 * Theory of operation.  Nothing of the host can be reached from the sandbox's mount namespace, and
 * nothing can be cloned in the host's without privilege.  A child in a user and mount namespace of
 * its own clones the directory, sets the flags, and hands the detached mount over; this process,
 * which is still outside, enters the sandbox's namespaces and puts it there.  Both see no process
 * of the sandbox's, nor are they seen.  Landlock of what runs inside holds for it as for all else
 * there: read and execute.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/path.h"
#include "init/init.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* Descriptors: 2 errors, 3 pidfd of the sandbox's pid 1. */
enum { LEND_FD_PID = 3 };

/* In namespaces of our own: the mount, detached. */
static int clone_mount(const char *path, struct err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	_cleanup_close_ int at = path_openat2(
		AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	if (at < 0)
		return err_sys(err, -at, "open %s", path);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_sys(err, errno, "make namespaces");
	/* the descriptor is of the old namespace's mount: find the same place in the copy */
	_cleanup_close_ int here = path_openat2(
		AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
	_cleanup_close_ int tree = here < 0 ? -1
					    : (int)syscall(SYS_open_tree, here, "",
						      AT_EMPTY_PATH | OPEN_TREE_CLONE | O_CLOEXEC);
	if (tree < 0)
		return err_sys(err, errno, "clone %s", path);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "make %s read-only", path);
	return TAKE_FD(tree);
}

static int say(const struct err *err)
{
	dprintf(2, "bawn: %s\n", err->msg);
	return 125;
}

_noreturn_ static void child(int sock, const char *path)
{
	struct err err = {0};
	int tree = clone_mount(path, &err);
	if (tree >= 0 && fd_send(sock, "M", 1, &tree, 1) < 0)
		tree = err_set(&err, EPIPE, "hand the mount over");
	_exit(tree < 0 ? say(&err) : 0);
}

/* The mount, from the child. */
static int receive_mount(const char *path, struct err *err)
{
	int pair[2], tree = -1, status = 0;
	char byte;
	size_t n = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "socketpair");
	pid_t pid = fork();
	if (pid == 0)
		child(pair[1], path);
	close(pair[1]);
	if (pid > 0 && fd_recv(pair[0], &byte, 1, &tree, 1, &n) != 1)
		n = 0;
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (n == 1)
		return tree;
	return err_set(err, EIO, "%s can't be lent", path);
}

static int make_entry(int at, const char *word, bool dir)
{
	int r = dir ? mkdirat(at, word, 0755) : mknodat(at, word, S_IFREG | 0644, 0);
	return r < 0 && errno != EEXIST ? -errno : 0;
}

/* The root is read-only to all inside, and stays it: what is missing there is made by way of a
 * clone that nobody else sees.  The root's own file system alone: what the host lends is not
 * written to. */
static int make_in_root(int at, const char *word, bool dir)
{
	struct stat root, st;
	struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};
	if (fstatat(AT_FDCWD, "/", &root, 0) < 0 || fstat(at, &st) < 0 || st.st_dev != root.st_dev)
		return -EROFS;
	_cleanup_close_ int tree = (int)syscall(
		SYS_open_tree, at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | O_CLOEXEC);
	if (tree < 0 ||
		syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return make_entry(tree, word, dir);
}

/* The place for it: directories as needed, and a file where it is one.  O_PATH descriptor. */
static int make_point(const char *path, bool dir, struct err *err)
{
	char word[256];
	int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (const char *p = path + 1; at >= 0 && *p;) {
		size_t n = strcspn(p, "/");
		bool last = p[n] == '\0';
		if (n == 0 || n >= sizeof(word))
			break;
		memcpy(word, p, n);
		word[n] = '\0';
		int e = make_entry(at, word, !last || dir);
		if (e == -EROFS)
			e = make_in_root(at, word, !last || dir);
		int next = path_openat2(
			at, word, O_PATH | O_CLOEXEC | (last && !dir ? 0 : O_DIRECTORY), 0, INSIDE);
		close(at);
		at = next;
		if (next < 0)
			return err_sys(err, e < 0 ? -e : -next, "make a place for %s", path);
		p += n + !last;
	}
	return at < 0 ? err_sys(err, errno, "make a place for %s", path) : at;
}

static int lend(const char *path, struct err *err)
{
	struct stat st;
	_cleanup_close_ int tree = receive_mount(path, err);
	if (tree < 0)
		return tree;
	if (fstat(tree, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (setns(LEND_FD_PID, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_sys(err, errno, "enter the sandbox's mount namespace");
	umask(022);
	_cleanup_close_ int point = make_point(path, S_ISDIR(st.st_mode), err);
	if (point < 0)
		return point;
	if (syscall(SYS_move_mount, tree, "", point, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, errno, "mount %s", path);
	return 0;
}

int lend_main(const char *path)
{
	struct err err = {0};
	prctl(PR_SET_DUMPABLE, 0);
	if (*path != '/')
		err_set(&err, EINVAL, "bawn-init is started by bawn, not by hand");
	return err.code || lend(path, &err) < 0 ? say(&err) : 0;
}
