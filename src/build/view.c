/* build/view.c - see view.h
 *
 * Theory: overlayfs wants a mount, a mount wants a user namespace, and a process can't leave one:
 * so a child does the work.  There it is still the same user, with capabilities over its own files
 * alone (modes without r for the owner are read all the same).  The mounts are attached nowhere,
 * or, where the kernel is older, on directories of a tmpfs that goes with the child.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "build/view.h"
#include "init/init-overlay.h"

struct verdict {
	int code;
	struct err err;
	size_t n;
};

static int put(const char *file, const char *text)
{
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static int enter(struct err *err)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		err_hint(err, "bawn doctor says what is missing for user namespaces");
		return err_sys(err, errno, "create a user namespace for the build");
	}
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	int r = put("/proc/self/uid_map", map);
	if (r == 0)
		put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (r == 0)
		r = put("/proc/self/gid_map", map);
	if (r == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = -errno;
	return r < 0 ? err_sys(err, -r, "set a user namespace up for the build") : 0;
}

static int add_layers(struct overlay *o, const struct view *v, const char *empty, const char *point)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < v->lowers.n; i++)
		r = overlay_add(o, v->lowers.v[i]);
	/* overlayfs wants one at least, and two where nothing is written, not the same twice */
	if (r == 0 && o->n == 0)
		r = overlay_add(o, point);
	if (r == 0 && o->n == 1 && !v->upper)
		r = overlay_add(o, empty);
	if (r == 0 && v->upper) {
		char *pair = NULL;
		if (asprintf(&pair, "%s\n%s", v->upper, v->work) < 0)
			return -ENOMEM;
		r = overlay_open_upper(o, pair);
		free(pair);
	}
	return r;
}

/* point: a directory to mount on, where the kernel can't have a mount that is attached nowhere. */
static int mount_view(const struct view *v, const char *empty, const char *point, struct err *err)
{
	struct overlay o = OVERLAY_NONE;
	int r = add_layers(&o, v, empty, point);
	int fd = r < 0 ? r : overlay_tree(&o, 0);
	if (fd == -EOPNOTSUPP) {
		fd = open(point, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : overlay_mount(&o, fd, 0);
		if (fd >= 0)
			close(fd);
		fd = r < 0 ? r : open(point, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd = fd == -1 ? -errno : fd;
	}
	overlay_release(&o);
	if (fd == -EINVAL)
		err_hint(err,
			"the kernel refuses some file systems for it, NFS or another overlay for "
			"one: " FILE_UPPER_HINT);
	return fd < 0 ? err_sys(err, -fd, "mount the layers of a stage") : fd;
}

struct points {
	char *empty, *v[VIEW_MAX];
};

static int make_points(
	struct arena *a, const char *scratch, size_t n, struct points *ret, struct err *err)
{
	ret->empty = path_join(a, scratch, "empty");
	for (size_t i = 0; i < n; i++)
		ret->v[i] = arena_printf(a, "%s/view-%zu", scratch, i);
	if (a->failed)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i <= n; i++)
		if (mkdir(i ? ret->v[i - 1] : ret->empty, 0700) < 0 && errno != EEXIST)
			return err_sys(err, errno, "create a directory in %s", scratch);
	return 0;
}

static void remove_points(const struct points *p, size_t n)
{
	for (size_t i = 0; i <= n; i++)
		rmdir(i ? p->v[i - 1] : p->empty);
}

static int child(const struct points *p, const struct view *v, size_t n, view_fn fn, void *ctx,
	struct buf *out, struct err *err)
{
	int roots[VIEW_MAX];
	int r = enter(err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = roots[i] = mount_view(&v[i], p->empty, p->v[i], err);
	return r < 0 ? r : fn(ctx, roots, out, err);
}

static void child_main(
	int to, const struct points *p, const struct view *v, size_t n, view_fn fn, void *ctx)
{
	struct buf out = {0};
	struct verdict verdict = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(0);
	verdict.code = child(p, v, n, fn, ctx, &out, &verdict.err);
	if (verdict.code >= 0 && out.failed)
		verdict.code = err_set(&verdict.err, ENOMEM, "out of memory");
	verdict.n = out.n;
	if (fd_write_all(to, &verdict, sizeof(verdict)) == 0)
		fd_write_all(to, out.s, out.n);
	_exit(0);
}

/* What the child says, and the end of it. */
static int hear(struct arena *a, int from, pid_t pid, char **ret, struct err *err)
{
	struct verdict verdict;
	char *text = NULL;
	int status;
	ssize_t n = fd_read_full(from, &verdict, sizeof(verdict));
	if (n == sizeof(verdict)) {
		text = arena_alloc(a, verdict.n + 1);
		if (text && fd_read_full(from, text, verdict.n) != (ssize_t)verdict.n)
			n = 0;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(verdict))
		return err_set(err, EIO, "the process that writes a layer was killed");
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	if (verdict.code < 0) {
		if (err)
			*err = verdict.err;
		return verdict.code;
	}
	if (ret)
		*ret = text;
	return verdict.code;
}

int view_run(struct arena *a, const char *scratch, const struct view *v, size_t n, view_fn fn,
	void *ctx, char **ret, struct err *err)
{
	struct points p = {0};
	int ends[2];
	if (n > VIEW_MAX)
		return err_set(err, E2BIG, "more than %d stages in one instruction", VIEW_MAX);
	int r = make_points(a, scratch, n, &p, err);
	if (r == 0 && pipe2(ends, O_CLOEXEC) < 0)
		r = err_sys(err, errno, "pipe");
	if (r < 0)
		return r;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child_main(ends[1], &p, v, n, fn, ctx);
	close(ends[1]);
	r = pid < 0 ? err_sys(err, errno, "fork") : hear(a, ends[0], pid, ret, err);
	close(ends[0]);
	remove_points(&p, n);
	return r;
}
