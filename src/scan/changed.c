/* scan/changed.c - see changed.h
 *
 * What counts is the ctime, which nothing inside can set.  Directories wait in a list of paths
 * below the root and are opened beneath it one by one: depth costs neither stack nor descriptors.
 */
#include "scan/changed.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "base/file.h"
#include "base/path.h"

#define ENTRIES_MAX 2000000u
#define DIRS_MAX 200000u
#define SAFE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

struct count {
	struct arena arena;
	struct strv dirs;
	uint64_t since, entries;
	struct scan_changed *to;
};

static uint64_t ns(const struct file_statx_time *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + t->tv_nsec;
}

static void look(struct count *c, const char *dir, int fd, const char *name)
{
	struct file_statx x;
	if (file_statx(fd, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_CTIME | STATX_BTIME, &x) <
		0)
		return; /* gone meanwhile */
	if (S_ISDIR(x.stx_mode)) {
		if (streq(name, ".git"))
			return;
		if (c->dirs.n >= DIRS_MAX || strlen(dir) + strlen(name) + 2 > PATH_MAX)
			c->to->whole = false;
		else
			strv_push(&c->arena, &c->dirs, path_join(&c->arena, dir, name));
	} else if (ns(&x.stx_ctime) >= c->since) {
		c->to->files++;
		c->to->fresh += (x.stx_mask & STATX_BTIME) && ns(&x.stx_btime) >= c->since;
	}
}

static void look_in(struct count *c, const char *dir, int root)
{
	int fd = path_openat2(root, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, SAFE);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		if (fd >= 0)
			close(fd);
		c->to->whole &= fd == -ENOENT;
		return;
	}
	for (struct dirent *de; (de = readdir(d));) {
		if (streq(de->d_name, ".") || streq(de->d_name, ".."))
			continue;
		if (c->entries++ >= ENTRIES_MAX) {
			c->to->whole = false;
			break;
		}
		look(c, dir, dirfd(d), de->d_name);
	}
	closedir(d);
}

int scan_changed_count(
	const char *root, uint64_t since_ns, struct scan_changed *ret, struct err *err)
{
	*ret = (struct scan_changed){.whole = true};
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, errno, "open %s", root);
	struct count c = {.since = since_ns, .to = ret};
	strv_add(&c.arena, &c.dirs, ".");
	for (size_t i = 0; i < c.dirs.n && c.dirs.v[i]; i++)
		look_in(&c, c.dirs.v[i], fd);
	int r = arena_check(&c.arena, err);
	arena_free(&c.arena);
	return r;
}
