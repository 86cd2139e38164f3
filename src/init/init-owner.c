/* init/init-owner.c - the owners that an emulated root gives to files, kept beside the files, and
 * what it sees of them, and of modes that a file can't have on disk.
 *
 * Theory of operation.  With one user nothing can belong to anybody else, so chown(2) changes
 * nothing; but an image that is made from what was written shall have the owners that were meant.
 * The emulation's filter tells of each chown (SECCOMP_RET_USER_NOTIF), and a thread of pid 1 puts
 * uid and gid into the attribute user.rootlesscontainers of the file.  It tells of each stat, too:
 * a root that sees another owner than it gave takes that one along (cp -p, tar, sed -i), or does
 * not trust the file (cron, logrotate).  The user sees one owner, its own.
 * What an image says of a mode and no disk has (set-ID bits above all) is kept beside the file,
 * too, in user.bawn.mode, and that root sees it: it gives what it sees to copies, and finds what it
 * wants to take away.  It does nothing: all mounts are nosuid.  When that root gives a file a mode,
 * the attribute goes before the kernel does it, as the mode on disk may stay the same.
 *
 * A thread of pid 1, as that is what no process inside can kill, stop or trace, and what every
 * other process descends from, as Yama wants it of whoever reads another's memory.  It has the
 * three capabilities over files that the emulated root has, and nothing else; pid 1's other thread
 * has none, and does not wait for it.
 *
 * A chown by that root is never let through (no CONTINUE): the answer is always success,
 * whatever becomes of the attribute.  That of a program which has given root up is
 * (ids_ended()): without CAP_CHOWN, and with one user mapped, the kernel gives no file to
 * anybody.  A stat is, where this has no answer, or not the kernel's: it is no call that
 * anything inside is kept from, so nothing depends on what was looked at being what is asked
 * about.  What is read of the other process, its path above all, may change while it is read; it
 * is read once, resolved here, and opens nothing to the caller that the caller could not write
 * an attribute to, or stat, itself.  What is written there, is where the caller wants it in its
 * own memory.  Nothing is allocated: pid 1 forks meanwhile.
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
#include "base/name-owners.h"
#include "base/path.h"
#include "confine/caps.h"
#include "confine/limits.h"
#include "init/init.h"
#include "init/owner-attr.h"
#include "init/theirs-ids.h"
#include "init/theirs.h"

#ifndef SYS_fchmodat2 /* Linux 6.6; one number everywhere */
#define SYS_fchmodat2 452
#endif
#define LISTENERS 512
/* Who waits for the other runs where it has run (Linux 6.6). */
#define NOTIF_SET_FLAGS _IOW('!', 4, uint64_t)
#define NOTIF_SYNC_WAKE_UP 1UL
#define NOTIF_BYTES 512 /* the kernel's structures may be longer than ours */

static int post = -1; /* where new programs send their listeners; the thread has the other end */

#define PLACE_MAX 32

static const char *place(int fd, char buf[static PLACE_MAX])
{
	snprintf(buf, PLACE_MAX, "/proc/self/fd/%d", fd);
	return buf;
}

/* What is mounted in the root, the workspace above all, is the host's, but for /run: nothing is put
 * there.  0 where it can't be told. */
static uint64_t mount_of(int fd, const char *path)
{
	struct file_statx st;
	int r = file_statx(fd, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st);
	return r < 0 || !(st.stx_mask & STATX_MNT_ID) ? 0 : st.stx_mnt_id;
}

static uint64_t root_mount, run_mount;

/* Of the sandbox's own files, those that services look at the owners of. */
static bool is_ours(int fd)
{
	uint64_t m = mount_of(fd, "");
	return m && (m == root_mount || m == run_mount);
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

/* ---- what a program may do ---- */

#define CAPS_NAME "security.capability"
#define CAPS_ATTR "user.bawn.xattr." CAPS_NAME /* layer/attr.h: ATTR_OTHER */
#define CAPS_BYTES 20                          /* VFS_CAP_REVISION_2, as setcap writes it */

static bool is_caps_call(int nr)
{
	static const int calls[] = {SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_getxattr,
		SYS_lgetxattr, SYS_fgetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr};
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (nr == calls[i])
			return true;
	return false;
}

static int caps_target(const struct seccomp_notif *n)
{
	const __u64 *a = n->data.args;
	switch (n->data.nr) {
	case SYS_fsetxattr:
	case SYS_fgetxattr:
	case SYS_fremovexattr:
		return (int)a[0] < 0 ? -1 : theirs_fd(n->pid, (int)a[0]);
	case SYS_lsetxattr:
	case SYS_lgetxattr:
	case SYS_lremovexattr:
		return theirs_path(n->pid, AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW);
	default:
		return theirs_path(n->pid, AT_FDCWD, a[0], 0);
	}
}

/* Capabilities of a file are kept as an image's are (layer/attr.h); they do nothing here.  false:
 * it is the kernel's to answer. */
static bool caps_answer(
	const struct seccomp_notif *n, int fd, int mem, struct seccomp_notif_resp *r)
{
	const uint64_t at = n->data.args[2], size = n->data.args[3];
	unsigned char value[CAPS_BYTES];
	char path[PLACE_MAX];
	struct stat st;
	ssize_t k;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	place(fd, path);
	switch (n->data.nr) {
	case SYS_setxattr:
	case SYS_lsetxattr:
	case SYS_fsetxattr:
		if (size != sizeof(value) ||
			pread(mem, value, sizeof(value), (off_t)at) != sizeof(value) ||
			value[3] != 2)
			r->error = -EINVAL;
		else if (setxattr(path, CAPS_ATTR, value, sizeof(value), 0) < 0)
			r->error = -errno;
		return true;
	case SYS_removexattr:
	case SYS_lremovexattr:
	case SYS_fremovexattr:
		if (removexattr(path, CAPS_ATTR) < 0)
			r->error = -errno;
		return true;
	default:
		k = getxattr(path, CAPS_ATTR, value, sizeof(value));
		if (k < 0)
			return false;
		if (size && size < (uint64_t)k)
			r->error = -ERANGE;
		else if (size && pwrite(mem, value, (size_t)k, (off_t)at) != k)
			r->error = -EFAULT;
		else
			r->val = k;
		return true;
	}
}

/* As the kernel does it: a file that is given away can do no more than any. */
static void drop_caps(int fd)
{
	char path[PLACE_MAX];
	removexattr(place(fd, path), CAPS_ATTR);
}

/* A link or a FIFO can have no attribute: the directory that it is in says whose it is. */
static bool is_elsewhere(mode_t mode)
{
	return S_ISLNK(mode) || S_ISFIFO(mode);
}

static char list[NAME_OWNERS_MAX]; /* what a directory says; of one thread */

/* The directory that fd is in, its list and fd's name, in path.  -1: none of ours. */
static int open_list(int fd, char path[static PATH_MAX], const char **ret_name, size_t *ret_n)
{
	char at[PLACE_MAX];
	ssize_t n = readlink(place(fd, at), path, PATH_MAX - 1);
	path[MAX(n, (ssize_t)0)] = '\0';
	char *name = strrchr(path, '/');
	if (!name || !name[1])
		return -1;
	*name++ = '\0';
	int dir = path_openat2(AT_FDCWD, *path ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS);
	if (dir >= 0 && !is_ours(dir)) {
		close(dir);
		return -1;
	}
	n = dir < 0 ? -1 : getxattr(place(dir, at), NAME_OWNERS_ATTR, list, sizeof(list));
	*ret_n = (size_t)MAX(n, (ssize_t)0);
	*ret_name = name;
	return dir;
}

static void kept_elsewhere(int fd, struct owner *ret)
{
	char path[PATH_MAX];
	const char *name;
	size_t n;
	_cleanup_close_ int dir = open_list(fd, path, &name, &n);
	if (dir >= 0)
		name_owners_find(list, n, name, &ret->uid, &ret->gid);
}

/* A lower layer's is copied up for that. */
static void keep_elsewhere(int fd, struct owner o)
{
	char path[PATH_MAX], at[PLACE_MAX];
	struct owner old = {0};
	const char *name;
	size_t n;
	_cleanup_close_ int dir = open_list(fd, path, &name, &n);
	if (dir < 0)
		return;
	name_owners_find(list, n, name, &old.uid, &old.gid);
	n = name_owners_set(list, n, name, o.uid == OWNER_UNCHANGED ? old.uid : o.uid,
		o.gid == OWNER_UNCHANGED ? old.gid : o.gid);
	if (n && setxattr(place(dir, at), NAME_OWNERS_ATTR, list, n, 0) == 0) {
		/* for its ctime alone */
		const int r = fchownat(fd, "", OWNER_UNCHANGED, OWNER_UNCHANGED, AT_EMPTY_PATH);
		(void)r;
	}
}

/* Sockets and the like can't have such an attribute. */
static void keep_owner(int fd, struct owner o)
{
	char path[PLACE_MAX];
	unsigned char value[OWNER_BYTES];
	struct owner old;
	struct stat st;
	if (fstat(fd, &st) == 0 && is_elsewhere(st.st_mode)) {
		keep_elsewhere(fd, o);
		return;
	}
	if (o.uid == OWNER_UNCHANGED || o.gid == OWNER_UNCHANGED) {
		kept_owner(fd, &old);
		if (o.uid == OWNER_UNCHANGED)
			o.uid = old.uid;
		if (o.gid == OWNER_UNCHANGED)
			o.gid = old.gid;
	}
	setxattr(place(fd, path), OWNER_ATTR, value, owner_put(value, &o), 0);
	drop_set_id(fd);
	drop_caps(fd);
}

/* What a call is about. */
struct asked {
	uint64_t answer; /* where a struct stat or statx is to be put; 0: an owner is given */
	bool statx;
	bool chmod;    /* a mode is given */
	uint32_t mask; /* of a statx */
	struct owner o;
};

/* The file, or -1. */
static int open_target(const struct seccomp_notif *n, struct asked *ret)
{
	const __u64 *a = n->data.args;
	*ret = (struct asked){0};
	switch (n->data.nr) {
	case SYS_fchown:
		ret->o = (struct owner){(uint32_t)a[1], (uint32_t)a[2]};
		return (int)a[0] < 0 ? -1 : theirs_fd(n->pid, (int)a[0]); /* no AT_FDCWD here */
	case SYS_fchownat:
		ret->o = (struct owner){(uint32_t)a[2], (uint32_t)a[3]};
		return theirs_path(n->pid, (int)a[0], a[1], (int)a[4]);
	case SYS_fchmod:
		ret->chmod = true;
		return (int)a[0] < 0 ? -1 : theirs_fd(n->pid, (int)a[0]);
	case SYS_fchmodat:
	case SYS_fchmodat2:
		ret->chmod = true;
		return theirs_path(
			n->pid, (int)a[0], a[1], n->data.nr == SYS_fchmodat2 ? (int)a[3] : 0);
	case SYS_fstat:
		ret->answer = a[1];
		return (int)a[0] < 0 ? -1 : theirs_fd(n->pid, (int)a[0]);
	case SYS_newfstatat:
		ret->answer = a[2];
		return theirs_path(n->pid, (int)a[0], a[1], (int)a[3]);
	case SYS_statx:
		ret->answer = a[4];
		ret->statx = true;
		ret->mask = (uint32_t)a[3];
		return theirs_path(n->pid, (int)a[0], a[1], (int)a[2]);
#ifdef SYS_chown
	case SYS_chown:
	case SYS_lchown:
		ret->o = (struct owner){(uint32_t)a[1], (uint32_t)a[2]};
		return theirs_path(
			n->pid, AT_FDCWD, a[0], n->data.nr == SYS_lchown ? AT_SYMLINK_NOFOLLOW : 0);
	case SYS_chmod:
		ret->chmod = true;
		return theirs_path(n->pid, AT_FDCWD, a[0], 0);
	case SYS_stat:
	case SYS_lstat:
		ret->answer = a[1];
		return theirs_path(
			n->pid, AT_FDCWD, a[0], n->data.nr == SYS_lstat ? AT_SYMLINK_NOFOLLOW : 0);
#endif
	default:
		return -1;
	}
}

/* ---- who asks whose a file is ---- */

/* A RUN of a Dockerfile, as root.  Nobody else is there then, though all processes have the number
 * that most images' own user has, 1000: userdel and usermod would take that user to be busy.  They
 * pass over processes whose root they can't look at. */
static bool built;

void owner_built(void)
{
	built = true;
}

/* What is kept beside it; without, what an image that is made of this says: root's, but what lies
 * in a home, unless a Dockerfile's RUN has made it so. */
static bool seen_owner(int fd, mode_t mode, struct owner *ret)
{
	char path[PLACE_MAX], name[sizeof("/home/")] = "";
	if (kept_owner(fd, ret))
		return true;
	*ret = (struct owner){0, 0};
	if (is_elsewhere(mode))
		kept_elsewhere(fd, ret);
	if (ret->uid || ret->gid || built)
		return true;
	return readlink(place(fd, path), name, sizeof(name) - 1) < 0 || !streq(name, "/home/");
}

static mode_t seen_mode(int fd, mode_t disk)
{
	char path[PLACE_MAX], text[MODE_BYTES];
	ssize_t n = getxattr(place(fd, path), MODE_ATTR, text, sizeof(text));
	return n > 0 ? mode_meant(text, (size_t)n, disk) : disk;
}

/* It gets another mode. */
static void forget_mode(int fd)
{
	char path[PLACE_MAX];
	removexattr(place(fd, path), MODE_ATTR);
}

/* The kernel's own answer with that owner, into the memory mem of who asked.  false: it is the
 * kernel's to answer: of what is not ours all but what the user has. */
static bool answer(int fd, int mem, const struct asked *q, bool ours)
{
	struct owner o;
	union {
		struct stat st;
		struct file_statx stx;
	} u;
	size_t n = q->statx ? sizeof(u.stx) : sizeof(u.st);
	if (mem < 0)
		return false;
	if (q->statx) {
		if (file_statx(fd, "", AT_EMPTY_PATH, q->mask, &u.stx) < 0 ||
			!(ours || u.stx.stx_uid == getuid()) || !seen_owner(fd, u.stx.stx_mode, &o))
			return false;
		u.stx.stx_uid = o.uid;
		u.stx.stx_gid = o.gid;
		u.stx.stx_mode = (uint16_t)seen_mode(fd, u.stx.stx_mode);
	} else {
		/* the C libraries have the kernel's on the machines that we have */
		if (syscall(SYS_newfstatat, fd, "", &u.st, AT_EMPTY_PATH) < 0 ||
			!(ours || u.st.st_uid == getuid()) || !seen_owner(fd, u.st.st_mode, &o))
			return false;
		u.st.st_uid = o.uid;
		u.st.st_gid = o.gid;
		u.st.st_mode = seen_mode(fd, u.st.st_mode);
	}
	return pwrite(mem, &u, n, (off_t)q->answer) == (ssize_t)n;
}

/* ---- the thread ---- */

/* The C libraries don't agree on the type of the request. */
static long notif(int listener, unsigned long request, void *what)
{
	return syscall(SYS_ioctl, listener, request, what);
}

/* A call about an attribute, which is mostly not the one that is kept. */
static void serve_caps(int listener, const struct seccomp_notif *n, struct seccomp_notif_resp *r)
{
	bool mine = theirs_says(n->pid, n->data.args[1], CAPS_NAME);
	_cleanup_close_ int fd = mine ? caps_target(n) : -1;
	_cleanup_close_ int mem = fd >= 0 && is_ours(fd) ? theirs_memory(n->pid) : -1;
	uint64_t id = n->id;
	if (mem >= 0 && notif(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0)
		return;
	if (mem < 0 || !caps_answer(n, fd, mem, r))
		r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	notif(listener, SECCOMP_IOCTL_NOTIF_SEND, r);
}

/* One call.  False: none can be received here any more. */
static bool serve(int listener)
{
	union {
		struct seccomp_notif n;
		struct seccomp_notif_resp r;
		char room[NOTIF_BYTES];
	} in, out;
	struct asked q;
	memset(&in, 0, sizeof(in)); /* the kernel's may be longer than the headers' */
	memset(&out, 0, sizeof(out));
	if (notif(listener, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return errno == ENOENT || errno == EINTR || errno == EAGAIN; /* who asked is gone */
	out.r.id = in.n.id;
	bool who = ids_is_call(in.n.data.nr);
	if (who && notif(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &in.n.id) < 0)
		return true; /* its number may be another's by now */
	if (who ? !ids_answer(&in.n, &out.r) : ids_ended(in.n.pid))
		out.r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (who || out.r.flags) {
		notif(listener, SECCOMP_IOCTL_NOTIF_SEND, &out);
		return true;
	}
	if (is_caps_call(in.n.data.nr)) {
		serve_caps(listener, &in.n, &out.r);
		return true;
	}
	_cleanup_close_ int fd = open_target(&in.n, &q);
	bool ours = fd >= 0 && is_ours(fd);
	/* what is mounted for a RUN is root's, too */
	bool told = ours || (built && fd >= 0 && q.answer);
	_cleanup_close_ int mem = told && q.answer ? theirs_memory(in.n.pid) : -1;
	/* still the process that asked? */
	if (told && notif(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &in.n.id) < 0)
		return true;
	if (q.chmod && ours)
		forget_mode(fd);
	if (built && q.answer && fd == -EACCES)
		out.r.error = fd;
	else if (q.chmod || (q.answer && !(told && answer(fd, mem, &q, ours))))
		out.r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (ours && !q.answer && !(q.o.uid == OWNER_UNCHANGED && q.o.gid == OWNER_UNCHANGED))
		keep_owner(fd, q.o);
	notif(listener, SECCOMP_IOCTL_NOTIF_SEND, &out);
	return true;
}

static void *owner_thread(void *from)
{
	static struct pollfd p[1 + LISTENERS];
	size_t n = 1;
	p[0] = (struct pollfd){.fd = (int)(intptr_t)from, .events = POLLIN};
	root_mount = mount_of(AT_FDCWD, "/");
	run_mount = mount_of(AT_FDCWD, "/run");
	limits_short_turns();   /* who asks waits for us */
	(void)caps_use_files(); /* of this thread; without, some owners are not kept */
	for (;;) {
		/* new ones wait while there is no room */
		p[0].events = n < ARRAY_LEN(p) ? POLLIN : 0;
		if (poll(p, n, -1) < 0)
			continue;
		for (size_t i = n; --i > 0;) {
			if (p[i].revents & POLLIN && serve(p[i].fd))
				continue;
			if (p[i].revents) { /* nobody has that filter any more */
				close(p[i].fd);
				p[i] = p[--n];
			}
		}
		char byte;
		int fd = -1;
		size_t got = 0;
		if (p[0].revents && fd_recv(p[0].fd, &byte, 1, &fd, 1, &got) == 1 && got == 1) {
			notif(fd, NOTIF_SET_FLAGS, (void *)NOTIF_SYNC_WAKE_UP);
			p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
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
