/* sandbox/watch.c - see watch.h */
#include "sandbox/watch.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/share.h"
#include "plan/wire.h"

#define LOOK_MS 250

static bool is_guard(const struct mount_op *m)
{
	return m->flags & MOUNT_GUARD;
}

static int watch_parent(int fd, const char *path)
{
	char dir[PATH_MAX];
	size_t n = (size_t)(strrchr(path, '/') - path);
	if (n == 0 || n >= sizeof(dir))
		return -1;
	memcpy(dir, path, n);
	dir[n] = '\0';
	/* The inside can't rename or remove a guarded name (EBUSY): what is seen here is the host.
	 */
	return inotify_add_watch(fd, dir,
		IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW);
}

static struct watch_id id_of(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return (struct watch_id){0};
	return (struct watch_id){st.st_dev, st.st_ino};
}

static bool any_on_share(const struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		_cleanup_close_ int fd = open(w->path[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && share_is(fd))
			return true;
	}
	return false;
}

/* Without memory for it they are looked at as any other: by inotify. */
static void note_ids(struct watch *w)
{
	w->id = any_on_share(w) ? calloc(w->n, sizeof(*w->id)) : NULL;
	for (size_t i = 0; w->id && i < w->n; i++)
		w->id[i] = id_of(w->path[i]);
}

int watch_wait_ms(const struct watch *w)
{
	return w->id ? LOOK_MS : -1;
}

const char *watch_look(struct watch *w)
{
	struct timespec t;
	const char *found = NULL;
	if (!w->id || clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		return NULL;
	uint64_t now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	if (now - w->looked < LOOK_MS)
		return NULL;
	w->looked = now;
	for (size_t i = 0; i < w->n; i++) {
		struct watch_id is = id_of(w->path[i]);
		if (is.ino == w->id[i].ino && is.dev == w->id[i].dev)
			continue;
		found = is.ino && !found ? w->path[i] : found;
		w->id[i] = is;
	}
	return found;
}

int watch_start(struct watch *w, const struct plan *p, struct err *err)
{
	*w = (struct watch){.fd = -1};
	size_t guards = 0;
	for (size_t i = 0; i < p->n_mounts; i++)
		guards += is_guard(&p->mounts[i]);
	if (!guards)
		return 0;
	size_t cap = MIN(guards, (size_t)WATCH_MAX);
	w->wd = calloc(cap, sizeof(*w->wd));
	w->path = calloc(cap, sizeof(*w->path));
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0 && (errno == EMFILE || errno == ENOSPC)) {
		err_hint(err,
			"this user's inotify instances are all in use: end some of what runs, "
			"raise the limit (sudo sysctl fs.inotify.max_user_instances=1024), or run "
			"with --workspace cow, which needs none");
		return err_sys(err, EMFILE, "watch the guarded files");
	}
	if (!w->wd || !w->path || w->fd < 0)
		return err_sys(err, w->fd < 0 ? errno : ENOMEM, "watch the guarded files");
	for (size_t i = 0; i < p->n_mounts; i++) {
		if (!is_guard(&p->mounts[i]))
			continue;
		int wd = w->n < cap ? watch_parent(w->fd, p->mounts[i].dst) : -1;
		if (wd < 0) {
			w->unwatched++;
			continue;
		}
		w->wd[w->n] = wd;
		w->path[w->n++] = p->mounts[i].dst;
	}
	note_ids(w);
	return 0;
}

void watch_renew(struct watch *w)
{
	if (GUARD_REMOVED("watch-renew"))
		return;
	for (size_t i = 0; i < w->n; i++) {
		/* the same directory has the same number; one that is gone is seen to come back */
		int wd = watch_parent(w->fd, w->path[i]);
		if (wd >= 0)
			w->wd[i] = wd;
	}
}

static const char *guarded(const struct watch *w, int wd, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->wd[i] == wd && streq(path_base(w->path[i]), name))
			return w->path[i];
	return NULL;
}

const char *watch_read(struct watch *w)
{
	_Alignas(struct inotify_event) char buf[8192];
	const char *found = NULL;
	ssize_t n;
	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *e = (const struct inotify_event *)(void *)p;
			if ((e->mask & IN_Q_OVERFLOW) && w->n)
				found = w->path[0]; /* events were lost: look at all of them */
			else if (e->len && !found)
				found = guarded(w, e->wd, e->name);
			p += sizeof(*e) + e->len;
		}
	}
	return found;
}

int watch_rows(const struct plan *p, struct blob *ret, struct err *err)
{
	struct plan rows = {.hostname = "-", .cwd = "/", .exe = "/", .argv = p->argv};
	struct mount_op *m = calloc(p->n_mounts + 1, sizeof(*m));
	if (!m)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->n_mounts; i++)
		if (is_guard(&p->mounts[i]))
			m[rows.n_mounts++] = p->mounts[i];
	rows.mounts = m;
	int r = wire_write(&rows, (struct wire_bytes){.p = ""}, 0, 0, ret, err);
	free(m);
	return r;
}

/* The kernel takes some 13 ms to close an inotify descriptor, as it waits for every processor to
 * pass by (fsnotify_destroy_group, synchronize_srcu), and whoever waits for us would wait for that.
 * A socket that is in flight over itself is closed by the kernel's collector instead, with whatever
 * is in flight beside it (unix(7), "garbage collector"): at once for us on kernels that have it in
 * a worker, as slow as close(2) on others. */
static void close_later(int fd)
{
	int sv[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv) == 0) {
		const int fds[] = {fd, sv[0], sv[1]};
		fd_send(sv[0], "x", 1, fds, ARRAY_LEN(fds));
		close(sv[0]);
		close(sv[1]);
	}
	close(fd);
}

void watch_stop(struct watch *w)
{
	if (w->fd >= 0)
		close_later(w->fd);
	free(w->wd);
	free(w->path);
	free(w->id);
	*w = (struct watch){.fd = -1};
}
