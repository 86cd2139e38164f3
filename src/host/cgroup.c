/* host/cgroup.c - see cgroup.h
 *
 * Theory of operation.  A group with controllers switched on for its children may have no processes
 * of its own (the root aside).  So one is fit if it has them switched on already, or if nobody but
 * bawn is in it: then bawn's processes go into a child first.  That is what `systemd-run --user
 * --scope -p Delegate=yes bawn run ...` gives.  The kernel lets a process be moved by whoever may
 * write cgroup.procs of the target and of the nearest group above both; as the new one lies below a
 * group that is ours or above ours, that is the group it is made in.
 */
#include "host/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"

#define PREFIX "bawn-"
#define CPU_PERIOD 100000u /* us */
#define END_TRIES 200      /* 5 ms each: the killed are gone long before */

/* ---- reading and writing ---- */

static int write_at(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t n = strlen(text);
	if (fd < 0)
		return -errno;
	return write(fd, text, n) == (ssize_t)n ? 0 : -errno;
}

static char *read_at(struct arena *a, int dir, const char *name)
{
	struct err ignored = {0};
	char *text = NULL;
	return file_read(a, dir, name, 1 << 20, &text, &ignored) < 0 ? NULL : text;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = text; p && *p;) {
		size_t k = strcspn(p, " \n");
		if (k == n && strncmp(p, word, n) == 0)
			return true;
		p += k;
		p += strspn(p, " \n");
	}
	return false;
}

/* ---- where we are ---- */

/* The first mount of a cgroup2 tree: what of the tree it shows, and where. */
static bool find_mount(char *mountinfo, char **ret_root, char **ret_point)
{
	for (char *line; (line = strsep(&mountinfo, "\n"));) {
		char *field[5] = {0};
		const char *type = strstr(line, " - ");
		if (!type || !has_prefix(type, " - cgroup2 "))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(field) && line; i++)
			field[i] = strsep(&line, " ");
		if (!field[4])
			continue;
		path_unescape(field[3]);
		path_unescape(field[4]);
		*ret_root = field[3];
		*ret_point = field[4];
		return true;
	}
	return false;
}

/* "0::/path" */
static char *own_line(char *text)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (has_prefix(line, "0::/"))
			return line + 3;
	return NULL;
}

int cgroup_find(struct arena *a, const char *proc, char **ret_own, char **ret_top, struct err *err)
{
	char *root = NULL, *point = NULL;
	char *text = read_at(a, AT_FDCWD, arena_printf(a, "%s/self/cgroup", proc));
	char *mounts = read_at(a, AT_FDCWD, arena_printf(a, "%s/self/mountinfo", proc));
	char *own = text ? own_line(text) : NULL;
	if (!own || !mounts || !find_mount(mounts, &root, &point))
		return -ENOTSUP;
	/* outside of what is shown to us ("/../..."), or what the mount shows */
	if (!path_within(own, root) || strstr(own, "/.."))
		return -ENOTSUP;
	const char *rest = own + (streq(root, "/") ? 0 : strlen(root));
	*ret_top = arena_dup(a, point);
	*ret_own = streq(rest, "/") || !*rest ? *ret_top : arena_printf(a, "%s%s", point, rest);
	return arena_check(a, err);
}

/* ---- making one ---- */

struct place {
	struct arena *a;
	const struct cgroup_limits *l;
	int dir;
	bool root; /* the tree's own: it may have processes and children with controllers */
};

static bool needed(const struct cgroup_limits *l, const char *controller)
{
	return (l->memory && streq(controller, "memory")) || (l->cpus && streq(controller, "cpu"));
}

static const char *const controllers[] = {"memory", "cpu", "pids"};

/* The parent of a process, 0: it is gone. */
static pid_t parent_of(struct arena *a, const char *pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	char *text = read_at(a, AT_FDCWD, path);
	const char *p = text ? strrchr(text, ')') : NULL; /* a name may have any other in it */
	return p && p[1] && p[2] ? (pid_t)strtol(p + 3, NULL, 10) : 0;
}

/* Is every process in it a bawn, or a helper that we have started? */
static bool only_bawn(const struct place *p, const char *procs)
{
	struct stat own, st;
	char link[64];
	char *text = arena_dup(p->a, procs);
	if (!text || stat("/proc/self/exe", &own) < 0)
		return false;
	for (char *line; (line = strsep(&text, "\n"));) {
		if (!*line)
			continue;
		snprintf(link, sizeof(link), "/proc/%.20s/exe", line);
		bool same = stat(link, &st) == 0 && st.st_ino == own.st_ino &&
			st.st_dev == own.st_dev;
		pid_t parent = same ? 0 : parent_of(p->a, line);
		if (!same && parent != getpid() && parent != 0)
			return false;
	}
	return true;
}

/* bawn's processes in it go into a child: those with controllers may have none. */
static int move_aside(const struct place *p, const char *procs)
{
	char name[48];
	snprintf(name, sizeof(name), PREFIX "self-%d", (int)getpid());
	if (mkdirat(p->dir, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int self = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self < 0)
		return -errno;
	for (char *line, *rest = arena_dup(p->a, procs); rest && (line = strsep(&rest, "\n"));) {
		int r = *line ? write_at(self, "cgroup.procs", line) : 0;
		if (r < 0 && r != -ESRCH)
			return r;
	}
	return 0;
}

/* Nobody may be in it: with the controllers of processors and processes the kernel would let them
 * stay, and the group become one of threads, of which none is a sandbox's. */
static const char *make_room(const struct place *p)
{
	static const char others[] = "other programs are in the control group that is yours";
	const char *procs = read_at(p->a, p->dir, "cgroup.procs");
	if (!procs)
		return others;
	if (p->root || !*procs)
		return NULL;
	return only_bawn(p, procs) && move_aside(p, procs) == 0 ? NULL : others;
}

/* NULL: the controllers that are needed work in its children; else why not. */
static const char *unfit(const struct place *p)
{
	char *there = read_at(p->a, p->dir, "cgroup.controllers");
	char *on = read_at(p->a, p->dir, "cgroup.subtree_control");
	if (!there || !on || faccessat(p->dir, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
		faccessat(p->dir, ".", W_OK, AT_EACCESS) < 0)
		return "no control group here may be changed by you";
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
		if (needed(p->l, controllers[i]) && !has_word(there, controllers[i]))
			return "the control group that is yours lacks the controller";
	const char *why = make_room(p);
	for (size_t i = 0; i < ARRAY_LEN(controllers) && !why; i++) {
		char plus[16];
		snprintf(plus, sizeof(plus), "+%s", controllers[i]);
		bool wanted = needed(p->l, controllers[i]) ||
			(p->l->pids && streq(controllers[i], "pids") && has_word(there, "pids"));
		if (wanted && !has_word(on, controllers[i]) &&
			write_at(p->dir, "cgroup.subtree_control", plus) < 0 &&
			needed(p->l, controllers[i]))
			why = "the control group that is yours won't give its controllers to a "
			      "child";
	}
	return why;
}

/* Empty ones of a bawn that was killed: its pid is nobody's any more. */
static void collect(const struct place *p)
{
	int fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	if (!d && fd >= 0)
		close(fd);
	while (d && (de = readdir(d))) {
		const char *pid = strrchr(de->d_name, '-');
		pid_t n = has_prefix(de->d_name, PREFIX) && pid ? (pid_t)strtol(pid + 1, NULL, 10)
								: 0;
		if (n > 0 && kill(n, 0) < 0 && errno == ESRCH)
			unlinkat(p->dir, de->d_name, AT_REMOVEDIR); /* fails where it isn't empty */
	}
	if (d)
		closedir(d);
}

static int set_limits(int dir, const struct cgroup_limits *l, struct err *err)
{
	char text[64];
	int r = 0;
	if (l->memory) {
		snprintf(text, sizeof(text), "%" PRIu64, l->memory);
		r = write_at(dir, "memory.max", text);
		/* no swap beside it; a kernel without swap has no such file */
		if (r == 0)
			r = write_at(dir, "memory.swap.max", "0");
		if (r == -ENOENT)
			r = 0;
		if (r < 0)
			return err_sys(err, -r, "limit the sandbox's memory");
	}
	if (l->cpus) {
		snprintf(text, sizeof(text), "%" PRIu64 " %u", l->cpus * CPU_PERIOD / 1000,
			CPU_PERIOD);
		r = write_at(dir, "cpu.max", text);
		if (r < 0)
			return err_sys(err, -r, "limit the sandbox's processors");
	}
	if (l->pids) { /* RLIMIT_NPROC holds too: this one is where there is a controller */
		snprintf(text, sizeof(text), "%" PRIu64, l->pids + 1);
		write_at(dir, "pids.max", text);
	}
	return 0;
}

static int make_in(const struct place *p, const char *path, const char *id, struct cgroup *ret,
	struct err *err)
{
	char *name = arena_printf(p->a, PREFIX "%s-%d", id, (int)getpid());
	if (!name)
		return err_set(err, ENOMEM, "out of memory");
	collect(p);
	if (mkdirat(p->dir, name, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "make a control group in %s", path);
	struct cgroup c = {.path = path_join(p->a, path, name), .ours = true};
	c.dir = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = c.dir < 0 ? err_sys(err, errno, "open %s/%s", path, name)
			  : set_limits(c.dir, p->l, err);
	if (r < 0) {
		cgroup_end(&c);
		return r;
	}
	*ret = c;
	return 0;
}

int cgroup_make(struct arena *a, const char *own, const char *top, const char *id,
	const struct cgroup_limits *l, struct cgroup *ret, struct err *err)
{
	const char *why = NULL;
	char *path = arena_dup(a, own);
	for (;;) {
		_cleanup_close_ int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
					       : -1;
		if (dir < 0)
			return err_sys(err, errno, "open the control group %s", own);
		/* the root of all groups has no type; a namespace's root is like any other */
		const struct place p = {.a = a,
			.l = l,
			.dir = dir,
			.root = faccessat(dir, "cgroup.type", F_OK, 0) < 0};
		const char *w = unfit(&p);
		if (!w)
			return make_in(&p, path, id, ret, err);
		if (!why || !streq(w, "no control group here may be changed by you"))
			why = w;
		if (streq(path, top) || !strchr(path + 1, '/'))
			return err_set(err, ENOTSUP, "%s", why);
		*strrchr(path, '/') = '\0';
	}
}

int cgroup_open(
	struct arena *a, const char *top, const char *path, struct cgroup *ret, struct err *err)
{
	struct cgroup c = {.path = arena_printf(a, "%s%s", top, path)};
	c.dir = c.path ? open(c.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (c.dir < 0)
		return err_sys(err, errno, "open the control group %s", path);
	*ret = c;
	return 0;
}

int cgroup_enter(const struct cgroup *c, pid_t pid, struct err *err)
{
	char text[24];
	snprintf(text, sizeof(text), "%d", (int)pid);
	int r = write_at(c->dir, "cgroup.procs", text);
	return r < 0 ? err_sys(err, -r, "put the sandbox into its control group") : 0;
}

/* ---- the end ---- */

uint64_t cgroup_oom_kills(const struct cgroup *c)
{
	static const char key[] = "oom_kill ";
	_cleanup_(arena_free) struct arena a = {0};
	char *text = c->dir >= 0 ? read_at(&a, c->dir, "memory.events") : NULL;
	for (char *line; text && (line = strsep(&text, "\n"));)
		if (has_prefix(line, key))
			return strtoull(line + sizeof(key) - 1, NULL, 10);
	return 0;
}

void cgroup_end(struct cgroup *c)
{
	if (c->dir >= 0) {
		write_at(c->dir, "cgroup.kill", "1");
		close(c->dir);
	}
	for (int i = 0; c->ours && c->path && rmdir(c->path) < 0 && errno == EBUSY && i < END_TRIES;
		i++)
		poll(NULL, 0, 5);
	*c = CGROUP_NONE;
}
