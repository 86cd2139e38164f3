/* change-world.c - see change-world.h */
#include "change-world.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "base/tree.h"

char world_helper[PATH_MAX];

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *build = getenv("BAWN_BUILDDIR");
	snprintf(world_helper, sizeof(world_helper), "%s/bawn-change", build ? build : ".");
	if (world_helper[0] != '/' && !realpath("bawn-change", world_helper))
		return -1;
	strcpy(w->dir, "/tmp/bawn-test-change-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	umask(022);
	snprintf(w->base, sizeof(w->base), "%s/base", w->dir);
	snprintf(w->up, sizeof(w->up), "%s/up", w->dir);
	snprintf(w->low, sizeof(w->low), "%s/low", w->dir);
	snprintf(w->trash, sizeof(w->trash), "%s/trash", w->dir);
	snprintf(w->ledger, sizeof(w->ledger), "%s/state/landed", w->dir);
	if (mkdir(w->base, 0755) < 0 || mkdir(w->up, 0755) < 0 || mkdir(w->low, 0755) < 0 ||
		mkdir(w->trash, 0700) < 0 || mkdir(world_path(w->dir, "state"), 0700) < 0)
		return -1;
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;
	tree_remove(AT_FDCWD, w->dir, NULL);
	arena_free(&w->a);
	free(w);
	return 0;
}

char *world_path(const char *dir, const char *name)
{
	static char p[2][PATH_MAX];
	static int k;
	k = !k;
	snprintf(p[k], PATH_MAX, "%s/%s", dir, name);
	return p[k];
}

static char *with_parents(const char *dir, const char *name)
{
	char *p = world_path(dir, name);
	for (char *s = p + strlen(dir) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(p, 0755);
		*s = '/';
	}
	return p;
}

void world_put(const char *dir, const char *name, const void *data, size_t n, mode_t mode)
{
	char *p = with_parents(dir, name);
	int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n || fchmod(fd, mode) < 0)
		fail_msg("write %s: %s", p, strerror(errno));
	close(fd);
}

void world_text(const char *dir, const char *name, const char *text)
{
	world_put(dir, name, text, strlen(text), 0644);
}

void world_link(const char *dir, const char *name, const char *to)
{
	assert_return_code(symlink(to, with_parents(dir, name)), errno);
}

void world_whiteout(const char *dir, const char *name)
{
	assert_return_code(mknod(with_parents(dir, name), S_IFCHR, makedev(0, 0)), errno);
}

void world_dir(const char *dir, const char *name, bool opaque)
{
	char *p = with_parents(dir, name);
	assert_return_code(mkdir(p, 0755), errno);
	if (opaque)
		assert_return_code(setxattr(p, "user.overlay.opaque", "y", 1, 0), errno);
}

void world_start(struct world *w)
{
	struct timespec t;
	usleep(15000); /* past the resolution of a file system's clock */
	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	w->since[w->n_since++] = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	usleep(15000);
}

struct change_request world_request(struct world *w, enum change_op op, bool lower)
{
	struct change_request q = {.op = op,
		.base = w->base,
		.since = w->since,
		.n_since = w->n_since,
		.ledger = w->ledger,
		.trash = w->trash};
	strv_add(&w->a, &q.uppers, w->up);
	if (lower)
		strv_add(&w->a, &q.uppers, w->low);
	return q;
}

int world_run(struct world *w, const struct change_request *q, int text_fd)
{
	struct job job = JOB_NONE;
	w->err = (struct err){0};
	w->res = (struct change_result){0};
	int r = change_start(world_helper, q, text_fd, NULL, &job, &w->err);
	if (r == 0)
		r = change_collect(&job, q, &w->a, &w->res, &w->err);
	job_end(&job, false);
	return r;
}

void world_must(struct world *w, const struct change_request *q, int text_fd)
{
	if (world_run(w, q, text_fd) < 0)
		fail_msg("%s (%s)", w->err.msg, w->err.hint);
}

const struct change_item *world_item(const struct world *w, const char *path)
{
	for (size_t i = 0; i < w->res.n; i++)
		if (streq(w->res.v[i].path, path))
			return &w->res.v[i];
	return NULL;
}

int world_sh(const struct world *w, const char *script)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (chdir(w->dir) < 0)
			_exit(126);
		setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
		setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
		execl("/bin/bash", "bash", "-c", script, (char *)NULL);
		_exit(127);
	}
	int st = -1;
	waitpid(pid, &st, 0);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128;
}

void world_sh_ok(const struct world *w, const char *script)
{
	int r = world_sh(w, script);
	if (r)
		fail_msg("exit %d: %s", r, script);
}

void world_inside(struct world *w, bool lower, const char *script)
{
	_cleanup_free_ char *all = NULL;
	if (asprintf(&all,
		    "mkdir -p work m; cat >inside.sh <<'END_OF_SCRIPT'\nset -e\ncd "
		    "m\n%s\nEND_OF_SCRIPT\n"
		    "unshare -Urm bash -c 'mount -t overlay -o "
		    "userxattr,lowerdir=%sbase,upperdir=up,"
		    "workdir=work o m && setpriv --no-new-privs bash inside.sh && "
		    "rm -rf merged && cp -a m merged'",
		    script, lower ? "low:" : "") < 0)
		fail_msg("out of memory");
	world_sh_ok(w, all);
}
