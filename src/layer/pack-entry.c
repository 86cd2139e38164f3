/* layer/pack-entry.c - one entry of a tar that is made: its header, its content, and when a
 * directory is adopted, what has to be changed on disk for it to be a layer's.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "layer/pack-in.h"

static const char *shown(const struct packer *k)
{
	static char text[512];
	return escape_text(text, sizeof(text), k->path);
}

static int fail(const struct packer *k, int code, const char *what, struct err *err)
{
	return err_sys(err, code, "%s %s", what, shown(k));
}

static int put_bytes(struct packer *k, const void *data, size_t n, struct err *err)
{
	int r = output_put(k->p->out, data, n, err);
	return r == 0 && k->p->frame ? frame_bytes(k->p->frame, data, n, err) : r;
}

static int put_head(struct packer *k, const struct tar_entry *e, struct err *err)
{
	k->head.n = 0;
	int r = tar_put(&k->head, e, err);
	k->c->entries++;
	return r < 0 ? r : put_bytes(k, k->head.data, k->head.n, err);
}

static int put_content(struct packer *k, int fd, uint64_t size, struct err *err)
{
	static const char zeros[TAR_BLOCK];
	int r = 0;
	if (!size)
		return 0;
	r = output_put_file(k->p->out, fd, 0, size, err);
	if (r < 0)
		return err_prefix(err, "%s", shown(k));
	if (k->p->frame)
		r = frame_content(k->p->frame, k->path, 0, size, err);
	return r == 0 ? put_bytes(k, zeros, tar_padding(size), err) : r;
}

/* The owner of what says nothing of one. */
static struct pack_owner owner_of(const struct packer *k, size_t layer)
{
	const char *home = k->p->home;
	const size_t n = home ? strlen(home) : 0;
	if (home && layer < k->p->home_dirs && strncmp(k->path, home, n) == 0 &&
		(!k->path[n] || k->path[n] == '/'))
		return k->p->home_owner;
	return k->p->owners[layer];
}

/* What is no file and no directory has no attributes: whose it is, is known otherwise. */
static void ask_known(
	const struct packer *k, int dir, size_t layer, const char *name, struct tar_entry *e)
{
	struct link_owner o;
	if (attr_link_owner(dir, name, &e->uid, &e->gid))
		return;
	if (!k->p->known || !k->p->known[layer] ||
		!link_owners_find(k->p->known[layer], k->path, &o))
		return;
	e->uid = o.uid;
	e->gid = o.gid;
	if (e->type == TAR_FIFO)
		e->mode = o.mode;
}

static struct tar_entry begin(const struct packer *k, size_t layer, const struct stat *st)
{
	const struct pack_owner owner = owner_of(k, layer);
	return (struct tar_entry){
		.path = k->path,
		.uid = owner.uid,
		.gid = owner.gid,
		.mode = st->st_mode & 07777,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
	};
}

static int set_attr(int fd, const char *name, const void *value, size_t n)
{
	return fsetxattr(fd, name, value, n, 0) < 0 ? -errno : 0;
}

/* On disk as layer.h has it: fd's mode and what is kept in attributes.  The inode is open, its
 * owner may write it while that goes on. */
static int make_layers(
	struct packer *k, int fd, const struct stat *st, const struct tar_entry *e, struct err *err)
{
	bool dir = S_ISDIR(st->st_mode), owner = !k->attrs->has_owner && (e->uid || e->gid);
	mode_t now = st->st_mode & 07777, want = attr_disk_mode(now, dir);
	unsigned char ids[12];
	char text[16];
	int r = 0;
	if (now == want && !owner)
		return 0;
	if (fchmod(fd, want | 0600) < 0)
		return fail(k, errno, "set the mode of", err);
	if (owner)
		r = set_attr(fd, ATTR_OWNER, ids, attr_owner_put(ids, e->uid, e->gid));
	if (r == 0 && now != want) {
		int n = snprintf(text, sizeof(text), "%o", e->mode);
		r = set_attr(fd, ATTR_MODE, text, (size_t)n);
	}
	if (r < 0)
		return fail(k, -r, "set attributes of", err);
	return fchmod(fd, want) < 0 ? fail(k, errno, "set the mode of", err) : 0;
}

static int put_file(struct packer *k, int dir, size_t layer, const char *name, struct err *err)
{
	struct stat st;
	int opened;
	_cleanup_close_ int fd = pack_open(dir, name, O_RDONLY, &st, &opened);
	pack_close_again(opened, &st);
	if (fd < 0)
		return fail(k, -fd, "open", err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EIO, "%s was changed while it was read", shown(k));
	struct tar_entry e = begin(k, layer, &st);
	int r = attr_get(fd, &st, k->attrs, &e, err);
	if (r < 0)
		return err_prefix(err, "%s", shown(k));
	e.size = e.type == TAR_FILE ? (uint64_t)st.st_size : 0;
	if (k->p->frame)
		r = make_layers(k, fd, &st, &e, err);
	if (r == 0)
		r = put_head(k, &e, err);
	k->c->size += e.size;
	return r == 0 ? put_content(k, fd, e.size, err) : r;
}

static int put_symlink(struct packer *k, int dir, size_t layer, const char *name,
	const struct stat *st, struct err *err)
{
	char target[TAR_PATH_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));
	if (n < 0 || (size_t)n == sizeof(target))
		return fail(k, n < 0 ? errno : ENAMETOOLONG, "read the link", err);
	target[n] = 0;
	struct tar_entry e = begin(k, layer, st);
	e.type = TAR_SYMLINK;
	e.link = target;
	ask_known(k, dir, layer, name, &e);
	return put_head(k, &e, err);
}

/* With owner and mode: who unpacks it may set them anew by the link's own header, as Docker does.
 */
static int put_hard(struct packer *k, int dir, size_t layer, const char *name, const char *first,
	const struct stat *seen, struct err *err)
{
	struct tar_entry e = begin(k, layer, seen);
	if (S_ISREG(seen->st_mode)) {
		struct stat st;
		int opened;
		_cleanup_close_ int fd = pack_open(dir, name, O_RDONLY, &st, &opened);
		pack_close_again(opened, &st);
		int r = fd < 0 ? fail(k, -fd, "open", err) : attr_get(fd, &st, k->attrs, &e, err);
		if (r < 0)
			return r;
	} else {
		ask_known(k, dir, layer, name, &e);
	}
	e.type = TAR_HARD;
	e.link = first;
	e.n_xattrs = 0;
	return put_head(k, &e, err);
}

int pack_other(struct packer *k, int dir, size_t layer, const char *name, const struct stat *st,
	struct err *err)
{
	const char *first = st->st_nlink > 1 ? links_first(&k->links, st, k->path) : NULL;
	if (first)
		return put_hard(k, dir, layer, name, first, st, err);
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return put_file(k, dir, layer, name, err);
	case S_IFLNK:
		return put_symlink(k, dir, layer, name, st, err);
	case S_IFIFO: {
		struct tar_entry e = begin(k, layer, st);
		e.type = TAR_FIFO;
		ask_known(k, dir, layer, name, &e);
		return put_head(k, &e, err);
	}
	default:
		k->c->skipped++;
		layer_note(k->c, "%s: left out, as it is a %s", shown(k),
			S_ISSOCK(st->st_mode) ? "socket" : "device");
		if (k->p->frame && unlinkat(dir, name, 0) < 0)
			return fail(k, errno, "remove", err);
		return 0;
	}
}

int pack_dir(struct packer *k, int fd, size_t layer, const struct stat *st, struct err *err)
{
	char path[TAR_PATH_MAX + 2];
	struct tar_entry e = begin(k, layer, st);
	int r = attr_get(fd, st, k->attrs, &e, err);
	if (r < 0)
		return err_prefix(err, "%s", shown(k));
	if (k->p->frame)
		r = make_layers(k, fd, st, &e, err);
	if (r < 0)
		return r;
	if (!k->path_n) {
		/* the root of an upper directory is bawn's making, that of a whole tree is not */
		bool plain = e.mode == 0755 && !e.uid && !e.gid && !e.n_xattrs;
		if (!k->p->squash || plain)
			return 0;
	}
	snprintf(path, sizeof(path), "%s/", k->path_n ? k->path : ".");
	e.path = path;
	return put_head(k, &e, err);
}

int pack_whiteout(struct packer *k, const char *name, struct err *err)
{
	char path[TAR_PATH_MAX + 300];
	size_t n = k->path_n - (name ? strlen(name) : 0); /* of the directory, with its slash */
	snprintf(path, sizeof(path), "%.*s%s%s%s", (int)n, k->path, !name && n ? "/" : "",
		name ? WHITEOUT : WHITEOUT_OPAQUE, name ? name : "");
	struct tar_entry e = {.type = TAR_FILE, .path = path};
	if (strlen(path) > TAR_PATH_MAX)
		return fail(k, ENAMETOOLONG, "write a whiteout of", err);
	return put_head(k, &e, err);
}
