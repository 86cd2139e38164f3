/* run/run-case.c - is what is guarded reached by other spellings of its name?  See run.h.
 *
 * Masks and pins are mounts, and a mount lies on one entry of the kernel's cache of names.  A file
 * system of this kernel's that ignores case has one entry for all spellings, so that the mount lies
 * on them all.  On a share (CIFS, 9p, virtiofs, NFS and the like, of Windows or macOS) it is the
 * server that ignores case: each spelling has an entry of its own here, past the mount, and .ENV
 * reads what .env holds, .GIT/config is the config of the host's git.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/dir-record.h"
#include "base/escape.h"
#include "base/fd.h"
#include "run/run.h"

enum { ASK_MAX = 16 };

/* In the other case; false without letters. */
static bool respell(const char *name, char ret[static NAME_MAX + 1])
{
	size_t n = 0;
	bool other = false;
	for (; name[n] && n < NAME_MAX; n++) {
		unsigned char c = (unsigned char)name[n];
		ret[n] = (char)(islower(c) ? toupper(c) : tolower(c));
		other |= ret[n] != name[n];
	}
	ret[n] = '\0';
	return other;
}

/* Where that name of the directory leads, as the kernel's cache of names has it. */
static bool entry_of(int dir, const char *name, char ret[static PATH_MAX])
{
	char path[32];
	_cleanup_close_ int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = fd < 0 ? fd : readlink(path, ret, PATH_MAX - 1);
	ret[MAX(n, 0)] = '\0';
	return n > 0;
}

static bool is_listed(int dir, const char *name)
{
	_Alignas(8) char buf[4096];
	ssize_t n;
	lseek(dir, 0, SEEK_SET);
	while ((n = dir_records(dir, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			o += d->d_reclen;
			if (streq(d->d_name, name))
				return true;
		}
	return false;
}

/* Has the name a second entry under another spelling, that nobody made? */
static bool has_other(int dir, const char *name)
{
	char other[NAME_MAX + 1], one[PATH_MAX], two[PATH_MAX];
	return respell(name, other) && entry_of(dir, other, two) && entry_of(dir, name, one) &&
		!streq(one, two) && !is_listed(dir, other);
}

/* Some names are asked about, as one may be none that the server can look up. */
static bool any_spelling(const char *path, char ret_name[static NAME_MAX + 1])
{
	_Alignas(8) char buf[2048];
	struct statfs fs;
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstatfs(dir, &fs) < 0)
		return false; /* others say what is wrong with it */
	switch ((uint64_t)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return false; /* case-sensitive, or one entry for all */
	default:
		break;
	}
	snprintf(ret_name, NAME_MAX + 1, ".git");
	if (has_other(dir, ret_name))
		return true;
	/* nothing may be in it yet */
	_cleanup_close_ int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(ret_name, NAME_MAX + 1, "%s", strrchr(path, '/') + 1);
	if (above >= 0 && has_other(above, ret_name))
		return true;
	lseek(dir, 0, SEEK_SET);
	ssize_t n = dir_records(dir, buf, sizeof(buf));
	int asked = 0;
	for (ssize_t o = 0; o < n && asked < ASK_MAX;) {
		const struct dir_record *d = (const struct dir_record *)(buf + o);
		char other[NAME_MAX + 1];
		o += d->d_reclen;
		asked += respell(d->d_name, other);
		snprintf(ret_name, NAME_MAX + 1, "%s", d->d_name);
		if (has_other(dir, ret_name))
			return true;
	}
	return false;
}

int run_check_case(struct run *r, struct err *err)
{
	char name[NAME_MAX + 1], shown[2 * NAME_MAX], dir[512];
	for (size_t i = r->apart ? 1 : 0; i < r->n_scans; i++) {
		if (!any_spelling(r->scans[i].path, name))
			continue;
		r->any_spelling = true;
		if (r->opt.dry_run || strv_has(&r->opt.degraded, "case"))
			continue;
		escape_text(shown, sizeof(shown), name);
		escape_text(dir, sizeof(dir), r->scans[i].path);
		err_hint(err,
			"work in a directory of this machine's own, or --workspace clone; or start "
			"without masks and protected paths that hold: --allow-degraded case");
		return err_set(err, ENOTSUP,
			"%s is on a share that ignores case: what is masked or protected could be "
			"reached by other spellings, as %s can",
			dir, shown);
	}
	return 0;
}
