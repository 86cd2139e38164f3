/* init/init-owner.c - the owners that an emulated root gives to files, kept beside the files.
 *
 * Theory of operation.  With one user nothing can belong to anybody else, so chown(2) changes
 * nothing; but an image that is made from what was written shall have the owners that were meant.
 * The emulation's filter tells of each chown (SECCOMP_RET_USER_NOTIF), and a thread of pid 1 puts
 * uid and gid into the attribute user.rootlesscontainers of the file.
 *
 * A thread of pid 1, as that is what no process inside can kill, stop or trace, and what every
 * other process descends from, as Yama wants it of whoever reads another's memory.  It has the
 * three capabilities over files that the emulated root has, and nothing else; pid 1's other thread
 * has none, and does not wait for it.
 *
 * The call itself is never let through (no CONTINUE): the answer is always success, whatever
 * becomes of the attribute.  What is read of the other process, its path above all, may change
 * while it is read; it is read once, resolved here, and opens nothing to the caller that the caller
 * could not write an attribute to itself.  Nothing is allocated: pid 1 forks meanwhile.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "confine/caps.h"
#include "init/init.h"
#include "init/owner-attr.h"

#define LISTENERS 512
#define NOTIF_BYTES 512 /* the kernel's structures may be longer than ours */

static int post = -1; /* where new programs send their listeners; the thread has the other end */

#define PLACE_MAX 32

static const char *place(int fd, char buf[static PLACE_MAX])
{
	snprintf(buf, PLACE_MAX, "/proc/self/fd/%d", fd);
	return buf;
}

/* fd: O_PATH.  What is none: false. */
static bool kept_owner(int fd, struct owner *ret)
{
	char path[PLACE_MAX];
	unsigned char value[64];
	ssize_t n = getxattr(place(fd, path), OWNER_ATTR, value, sizeof(value));
	*ret = owner_get(value, n < 0 ? 0 : (size_t)n);
	return n >= 0;
}

/* As the kernel does it where there are several users: no program stays set-ID through a chown. */
static void drop_set_id(int fd)
{
	char path[PLACE_MAX], text[MODE_BYTES];
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	ssize_t n = getxattr(place(fd, path), MODE_ATTR, text, sizeof(text) - 1);
	text[MAX(n, (ssize_t)0)] = '\0';
	unsigned long kept = n > 0 ? strtoul(text, NULL, 8) : 0;
	mode_t mode = st.st_mode & 07777;
	if (mode & 06000)
		(void)chmod(path, mode & ~mode_set_id(mode));
	if (kept & mode_set_id((mode_t)kept)) {
		kept &= ~(unsigned long)mode_set_id((mode_t)kept);
		n = snprintf(text, sizeof(text), "%lo", kept & 07777);
		setxattr(path, MODE_ATTR, text, (size_t)n, 0);
	}
}

/* Links, sockets and the like can't have such an attribute. */
static void keep_owner(int fd, struct owner o)
{
	char path[PLACE_MAX];
	unsigned char value[OWNER_BYTES];
	struct owner old;
	if (o.uid == OWNER_UNCHANGED || o.gid == OWNER_UNCHANGED) {
		kept_owner(fd, &old);
		if (o.uid == OWNER_UNCHANGED)
			o.uid = old.uid;
		if (o.gid == OWNER_UNCHANGED)
			o.gid = old.gid;
	}
	setxattr(place(fd, path), OWNER_ATTR, value, owner_put(value, &o), 0);
	drop_set_id(fd);
}

/* Every file looks as if it were the sandbox's user's.  Who copies a file with its owner, as
 * useradd and sed do it with the file they write anew, gives that one: it means no owner.  A
 * program that does so by a descriptor only copies what it has seen there; these do it by names,
 * too. */
static bool is_copy(const struct seccomp_notif *n, const struct owner *o)
{
	static const char *const copiers[] = {"cp", "mv", "tar", "bsdtar", "cpio", "rsync"};
	char path[32], comm[17] = "";
	if (o->uid != getuid() || o->gid != getgid())
		return false;
	if (n->data.nr == SYS_fchown)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/comm", n->pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t k = fd < 0 ? 0 : read(fd, comm, sizeof(comm) - 1);
	comm[k > 0 ? k - 1 : 0] = '\0'; /* its line feed */
	for (size_t i = 0; i < ARRAY_LEN(copiers); i++)
		if (streq(comm, copiers[i]))
			return true;
	return false;
}

/* shadow+ and shadow-, as the programs of shadow(5) write it anew, are what shadow is. */
static void keep_like_original(int fd)
{
	char path[PLACE_MAX], name[PATH_MAX];
	struct owner o;
	ssize_t n = readlink(place(fd, path), name, sizeof(name));
	if (n < 2 || n == sizeof(name) || !strchr("+-", name[n - 1]))
		return;
	name[n - 1] = '\0';
	_cleanup_close_ int original = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (original >= 0 && kept_owner(original, &o))
		keep_owner(fd, o);
}

/* ---- which file ---- */

/* A descriptor of the process, or its working directory. */
static int open_theirs(uint32_t pid, int fd)
{
	char path[48];
	if (fd == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%u/cwd", pid);
	else
		snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	return fd < 0 && fd != AT_FDCWD ? -1 : open(path, O_PATH | O_CLOEXEC);
}

/* The string at that address there.  Not past a page at once: the next may not be mapped. */
static bool read_string(uint32_t pid, uint64_t address, char to[static PATH_MAX])
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	_cleanup_close_ int mem = open(path, O_RDONLY | O_CLOEXEC);
	for (size_t n = 0; mem >= 0 && n < PATH_MAX;) {
		size_t part = MIN((size_t)PATH_MAX - n, 4096 - (address + n) % 4096);
		ssize_t k = pread(mem, to + n, part, (off_t)(address + n));
		if (k <= 0)
			return false;
		if (memchr(to + n, '\0', (size_t)k))
			return true;
		n += (size_t)k;
	}
	return false;
}

static int open_path(uint32_t pid, int dirfd, uint64_t address, int flags)
{
	char path[PATH_MAX];
	if (!read_string(pid, address, path))
		return -1;
	if (!*path)
		return flags & AT_EMPTY_PATH ? open_theirs(pid, dirfd) : -1;
	_cleanup_close_ int dir = *path == '/' ? -1 : open_theirs(pid, dirfd);
	if (*path != '/' && dir < 0)
		return -1;
	/* a magic link would be one of ours */
	return path_openat2(*path == '/' ? AT_FDCWD : dir, path,
		O_PATH | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0u), 0,
		RESOLVE_NO_MAGICLINKS);
}

static int open_target(const struct seccomp_notif *n, struct owner *ret)
{
	const __u64 *a = n->data.args;
	switch (n->data.nr) {
	case SYS_fchown:
		*ret = (struct owner){(uint32_t)a[1], (uint32_t)a[2]};
		return open_theirs(n->pid, (int)a[0]);
	case SYS_fchownat:
		*ret = (struct owner){(uint32_t)a[2], (uint32_t)a[3]};
		return open_path(n->pid, (int)a[0], a[1], (int)a[4]);
#ifdef SYS_chown
	case SYS_chown:
	case SYS_lchown:
		*ret = (struct owner){(uint32_t)a[1], (uint32_t)a[2]};
		return open_path(
			n->pid, AT_FDCWD, a[0], n->data.nr == SYS_lchown ? AT_SYMLINK_NOFOLLOW : 0);
#endif
	default:
		return -1;
	}
}

/* What is mounted in the root, the workspace above all, is the host's: nothing is put there.  0
 * where it can't be told. */
static uint64_t mount_of(int fd, const char *path)
{
	struct statx st;
	int r = file_statx(fd, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st);
	return r < 0 || !(st.stx_mask & STATX_MNT_ID) ? 0 : st.stx_mnt_id;
}

/* ---- the thread ---- */

static uint64_t root_mount;

/* The C libraries don't agree on the type of the request. */
static long notif(int listener, unsigned long request, void *what)
{
	return syscall(SYS_ioctl, listener, request, what);
}

/* One call: its file's attribute, then success. */
static void serve(int listener)
{
	union {
		struct seccomp_notif n;
		struct seccomp_notif_resp r;
		char room[NOTIF_BYTES];
	} in = {0}, out = {0};
	struct owner o;
	if (notif(listener, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return;
	_cleanup_close_ int fd = open_target(&in.n, &o);
	/* still the process that asked, or its number may be another's by now */
	if (fd >= 0 && root_mount && mount_of(fd, "") == root_mount &&
		!(o.uid == OWNER_UNCHANGED && o.gid == OWNER_UNCHANGED)) {
		bool copy = is_copy(&in.n, &o);
		if (notif(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &in.n.id) < 0)
			return;
		if (copy)
			keep_like_original(fd);
		else
			keep_owner(fd, o);
	}
	out.r.id = in.n.id;
	notif(listener, SECCOMP_IOCTL_NOTIF_SEND, &out);
}

static void *owner_thread(void *from)
{
	static struct pollfd p[1 + LISTENERS];
	size_t n = 1;
	p[0] = (struct pollfd){.fd = (int)(intptr_t)from, .events = POLLIN};
	root_mount = mount_of(AT_FDCWD, "/");
	(void)caps_use_files(); /* of this thread; without, some owners are not kept */
	for (;;) {
		/* new ones wait while there is no room */
		p[0].events = n < ARRAY_LEN(p) ? POLLIN : 0;
		if (poll(p, n, -1) < 0)
			continue;
		for (size_t i = n; --i > 0;) {
			if (p[i].revents & POLLIN)
				serve(p[i].fd);
			else if (p[i].revents) { /* nobody has that filter any more */
				close(p[i].fd);
				p[i] = p[--n];
			}
		}
		char byte;
		int fd = -1;
		size_t got = 0;
		if (p[0].revents && fd_recv(p[0].fd, &byte, 1, &fd, 1, &got) == 1 && got == 1)
			p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return NULL;
}

int owner_post(void)
{
	int pair[2];
	pthread_t thread;
	if (post >= 0)
		return post;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	if (pthread_create(&thread, NULL, owner_thread, (void *)(intptr_t)pair[0]) != 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	pthread_detach(thread);
	post = pair[1];
	return post;
}
