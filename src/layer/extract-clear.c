/* layer/extract-clear.c - what had an entry's name before: removed, or, where it has content that
 * the tar has to be put together from, moved to kept/.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "layer/extract-in.h"

bool extract_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int keep(struct extract *x, int parent, const char *path, const char *name, struct err *err)
{
	char to[32];
	if (x->kept < 0) {
		if (mkdirat(x->in->dir, "kept", 0700) < 0)
			return err_sys(err, errno, "make a directory of the layer");
		x->kept = place_open(x->in->dir, "kept", O_PATH | O_DIRECTORY, 0);
		if (x->kept < 0)
			return err_sys(err, -x->kept, "open a directory of the layer");
	}
	snprintf(to, sizeof(to), "%llu", (unsigned long long)x->n_kept++);
	if (renameat(parent, name, x->kept, to) < 0)
		return err_sys(err, errno, "move %s away", extract_shown(path));
	return frame_kept(x->frame, path, to, err);
}

int extract_clear(struct extract *x, int parent, const char *path, const char *name, bool keep_dir,
	struct err *err)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? CLEAR_FREE
				       : err_sys(err, errno, "look at %s", extract_shown(path));
	/* extract_parent() holds the directory above this one: not this one, nor what is below */
	if (S_ISDIR(st.st_mode)) {
		if (keep_dir)
			return CLEAR_DIR;
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
			return CLEAR_REPLACED;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return err_sys(err, errno, "remove %s", extract_shown(path));
	} else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		if (unlinkat(parent, name, 0) < 0)
			return err_sys(err, errno, "remove %s", extract_shown(path));
		return CLEAR_REPLACED;
	}
	int r = keep(x, parent, path, name, err);
	return r < 0 ? r : CLEAR_REPLACED;
}
