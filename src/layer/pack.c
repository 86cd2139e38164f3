/* layer/pack.c - see pack.h: the walk.
 *
 * Theory: a directory of the result is a list of directories, topmost first.  All their names are
 * read, the topmost of each counts.  What is no directory is written at once; then each directory
 * below is gone through.  While that happens none of the descriptors of the one above is open, so
 * that depth and the number of layers cost no descriptors.
 */
#include "layer/pack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "layer/pack-in.h"

#ifndef SYS_fchmodat2 /* Linux 6.6; one number everywhere */
#define SYS_fchmodat2 452
#endif

/* The directories that one of the result is merged from: indices into p->dirs. */
struct stack {
	size_t *v, n;
	bool cut; /* nothing below shows through */
};

static bool is_whiteout(int dir, const char *name, const struct stat *st)
{
	char v[2];
	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	if (!S_ISREG(st->st_mode) || st->st_size != 0)
		return false;
	/* as overlayfs makes them where it lies on another overlay */
	_cleanup_close_ int fd = place_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
	return fd >= 0 && fgetxattr(fd, "user.overlay.whiteout", v, sizeof(v)) >= 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool excluded(const struct packer *k)
{
	const char *path = k->path;
	return k->n_exclude &&
		bsearch(&path, k->exclude, k->n_exclude, sizeof(*k->exclude), by_text);
}

static int read_excludes(struct packer *k, struct err *err)
{
	const char *p = k->p->exclude, *end = p + k->p->exclude_n;
	size_t n = 0;
	if (k->p->exclude_n && end[-1] != 0)
		return err_set(err, EINVAL, "the list of names to leave out is cut off");
	for (const char *q = p; q < end; q += strlen(q) + 1)
		n++;
	k->exclude = calloc(n + 1, sizeof(*k->exclude));
	if (!k->exclude)
		return err_set(err, ENOMEM, "out of memory");
	for (; p < end; p += strlen(p) + 1)
		k->exclude[k->n_exclude++] = p + strspn(p, "/");
	qsort(k->exclude, n, sizeof(*k->exclude), by_text);
	return 0;
}

static int push(struct packer *k, const char *name, size_t *ret_was, struct err *err)
{
	size_t n = strlen(name), was = k->path_n;
	char shown[400];
	if (was + n + 3 > TAR_PATH_MAX)
		return err_set(err, ENAMETOOLONG,
			"a name of more than %d bytes, which no layer can "
			"have: %s",
			TAR_PATH_MAX, escape_text(shown, sizeof(shown), k->path));
	if (was)
		k->path[k->path_n++] = '/';
	memcpy(k->path + k->path_n, name, n + 1);
	k->path_n += n;
	*ret_was = was;
	return 0;
}

static void pop(struct packer *k, size_t was)
{
	k->path_n = was;
	k->path[was] = 0;
}

/* One directory of the result while it is gone through. */
struct level {
	const struct stack *from;
	int *fds;
	struct stat *st; /* as they were found */
	int *opened;     /* those that had to be opened up; -1 */
	struct names names;
	struct stack *subs; /* by name; v is NULL where it is no directory */
};

int pack_open(int dir, const char *name, int flags, struct stat *ret, int *ret_opened)
{
	*ret_opened = -1;
	int fd = place_open(dir, name, flags | O_NONBLOCK, 0);
	if (fd >= 0)
		return fstat(fd, ret) < 0 ? (close(fd), -EIO) : fd;
	if (fd != -EACCES)
		return fd;
	/* by an O_PATH descriptor, so that no link can come between */
	_cleanup_close_ int at = place_open(dir, name, O_PATH, 0);
	if (at < 0 || fstat(at, ret) < 0)
		return -EACCES;
	mode_t mode = ret->st_mode & 07777;
	bool is_dir = S_ISDIR(ret->st_mode);
	if (syscall(SYS_fchmodat2, at, "", mode | (is_dir ? 0700 : 0400), AT_EMPTY_PATH) < 0)
		return -EACCES;
	fd = place_open(dir, name, flags | O_NONBLOCK, 0);
	*ret_opened = TAKE_FD(at);
	return fd;
}

void pack_close_again(int opened, const struct stat *st)
{
	if (opened < 0)
		return;
	syscall(SYS_fchmodat2, opened, "", st->st_mode & 07777, AT_EMPTY_PATH);
	close(opened);
}

static int level_open(struct packer *k, struct level *l, struct err *err)
{
	size_t n = l->from->n;
	char shown[512];
	l->fds = malloc(n * sizeof(*l->fds));
	l->opened = malloc(n * sizeof(*l->opened));
	l->st = calloc(n, sizeof(*l->st));
	for (size_t i = 0; l->fds && l->opened && i < n; i++)
		l->fds[i] = l->opened[i] = -1;
	if (!l->fds || !l->opened || !l->st)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		l->fds[i] = pack_open(k->p->dirs[l->from->v[i]], k->path, O_RDONLY | O_DIRECTORY,
			&l->st[i], &l->opened[i]);
		if (l->fds[i] < 0)
			return err_sys(err, -l->fds[i], "open %s",
				escape_text(shown, sizeof(shown), k->path_n ? k->path : "/"));
	}
	return 0;
}

static void level_close_fds(struct level *l)
{
	for (size_t i = 0; l->fds && i < l->from->n; i++) {
		if (l->fds[i] >= 0)
			close(l->fds[i]);
		l->fds[i] = -1;
	}
}

static void level_free(struct packer *k, struct level *l)
{
	level_close_fds(l);
	for (size_t i = 0; l->opened && l->st && i < l->from->n; i++) {
		if (!k->p->frame)
			pack_close_again(l->opened[i], &l->st[i]);
		else if (l->opened[i] >= 0)
			close(l->opened[i]); /* what is adopted has another mode now */
	}
	for (size_t i = 0; l->subs && i < l->names.n; i++)
		free(l->subs[i].v);
	free(l->subs);
	free(l->fds);
	free(l->opened);
	free(l->st);
	names_free(&l->names);
}

/* Which directories the one at name is merged from, the topmost being that of from->v[at]. */
static int stack_of(const struct level *l, const char *name, size_t at, struct stack *ret)
{
	struct stat st;
	ret->v = malloc(l->from->n * sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = at; i < l->from->n && !ret->cut; i++) {
		if (fstatat(l->fds[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			ret->cut = true;
			break;
		}
		int opened;
		_cleanup_close_ int fd = pack_open(
			l->fds[i], name, O_RDONLY | O_DIRECTORY, &st, &opened);
		pack_close_again(opened, &st);
		ret->v[ret->n++] = l->from->v[i];
		ret->cut = fd >= 0 && attr_is_opaque(fd);
	}
	return 0;
}

/* A name that means a whiteout in a tar can't be in one as what it is. */
static int reserved(
	struct packer *k, int dir, const char *name, const struct stat *st, struct err *err)
{
	char shown[512];
	escape_text(shown, sizeof(shown), k->path);
	if (k->p->frame && S_ISDIR(st->st_mode))
		return err_set(err, EPERM,
			"%s: a layer can't have a directory whose name begins "
			"with \"" WHITEOUT "\"",
			shown);
	k->c->skipped++;
	layer_note(k->c, "%s: left out, as its name would mean a whiteout", shown);
	return k->p->frame && unlinkat(dir, name, 0) < 0 ? err_sys(err, errno, "remove %s", shown)
							 : 0;
}

/* What is no directory is written, a directory remembered. */
static int one_name(struct packer *k, struct level *l, size_t i, struct err *err)
{
	const struct name *e = &l->names.v[i];
	int dir = l->fds[e->layer];
	struct stat st;
	if (fstatat(dir, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "look at what is packed");
	if (has_prefix(e->name, WHITEOUT))
		return reserved(k, dir, e->name, &st, err);
	if (S_ISDIR(st.st_mode))
		return stack_of(l, e->name, e->layer, &l->subs[i]) < 0
			? err_set(err, ENOMEM, "out of memory")
			: 0;
	if (!is_whiteout(dir, e->name, &st))
		return pack_other(k, dir, l->from->v[e->layer], e->name, &st, err);
	return k->p->squash ? 0 : pack_whiteout(k, e->name, err);
}

static int walk(struct packer *k, const struct stack *from, unsigned int depth, struct err *err);

static int each_name(
	struct packer *k, struct level *l, unsigned int depth, bool dirs, struct err *err)
{
	size_t was = 0; /* push() sets it, which gcc -O1 does not see */
	int r = 0;
	for (size_t i = 0; r == 0 && i < l->names.n; i++) {
		if (dirs && !l->subs[i].n)
			continue;
		r = push(k, l->names.v[i].name, &was, err);
		if (r < 0)
			break;
		if (dirs)
			r = walk(k, &l->subs[i], depth + 1, err);
		else if (!excluded(k))
			r = one_name(k, l, i, err);
		pop(k, was);
	}
	return r;
}

static int level_go(struct packer *k, struct level *l, unsigned int depth, struct err *err)
{
	int r = level_open(k, l, err);
	if (r == 0)
		r = pack_dir(k, l->fds[0], l->from->v[0], &l->st[0], err);
	if (r == 0 && l->from->cut && !k->p->squash)
		r = pack_whiteout(k, NULL, err);
	for (size_t i = 0; r == 0 && i < l->from->n; i++)
		r = names_read(l->fds[i], i, &l->names, err);
	if (r < 0)
		return r;
	names_settle(&l->names);
	l->subs = calloc(l->names.n + 1, sizeof(*l->subs));
	if (!l->subs)
		return err_set(err, ENOMEM, "out of memory");
	r = each_name(k, l, depth, false, err);
	if (r == 0 && k->p->frame)
		attr_forget_links(l->fds[0]);
	level_close_fds(l);
	return r == 0 ? each_name(k, l, depth, true, err) : r;
}

static int walk(struct packer *k, const struct stack *from, unsigned int depth, struct err *err)
{
	struct level l = {.from = from};
	char shown[512];
	if (depth > k->p->depth)
		return err_set(err, ENAMETOOLONG, "directories in one another, more than %u: %s",
			k->p->depth, escape_text(shown, sizeof(shown), k->path));
	int r = level_go(k, &l, depth, err);
	level_free(k, &l);
	return r;
}

static int run(struct packer *k, struct err *err)
{
	static const char end[2 * TAR_BLOCK];
	struct stack root = {.n = 0};
	int r = read_excludes(k, err);
	root.v = calloc(k->p->n_dirs + 1, sizeof(*root.v));
	if (r == 0 && (!root.v || !k->attrs))
		r = err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < k->p->n_dirs && !root.cut; i++) {
		root.v[root.n++] = i;
		root.cut = attr_is_opaque(k->p->dirs[i]);
	}
	if (r == 0)
		r = walk(k, &root, 0, err);
	free(root.v);
	if (r == 0)
		r = output_put(k->p->out, end, sizeof(end), err);
	return r == 0 && k->p->frame ? frame_bytes(k->p->frame, end, sizeof(end), err) : r;
}

int pack(const struct pack *p, struct layer_counts *c, struct err *err)
{
	struct packer *k = calloc(1, sizeof(*k));
	if (!k)
		return err_set(err, ENOMEM, "out of memory");
	k->p = p;
	k->c = c;
	k->attrs = malloc(sizeof(*k->attrs));
	int r = run(k, err);
	links_free(&k->links);
	free(k->exclude);
	free(k->attrs);
	free(k->head.data);
	free(k);
	return r;
}

static bool get_id(const char **p, char end, uint32_t *ret)
{
	char *stop;
	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	unsigned long long v = strtoull(*p, &stop, 10);
	if (errno || v > TAR_ID_MAX || (*stop != end && (end != ',' || *stop)))
		return false;
	*ret = (uint32_t)v;
	*p = stop + (*stop != 0);
	return true;
}

int pack_home(char *text, struct pack *p, struct err *err)
{
	char *name = strrchr(text, ':'), *dirs;
	if (!name)
		return err_set(err, EINVAL, "the home's owner is not UID:GID:DIRS:NAME");
	*name++ = '\0';
	dirs = strrchr(text, ':');
	if (!dirs || !*name || *name == '/')
		return err_set(err, EINVAL, "the home's owner is not UID:GID:DIRS:NAME");
	*dirs++ = '\0';
	p->home = name;
	p->home_dirs = strtoul(dirs, NULL, 10);
	return pack_owners(text, &p->home_owner, 1, err);
}

int pack_owners(const char *text, struct pack_owner *ret, size_t n, struct err *err)
{
	struct pack_owner o = {0, 0};
	for (size_t i = 0; i < n; i++) {
		if ((i == 0 || *text) &&
			(!get_id(&text, ':', &o.uid) || !get_id(&text, ',', &o.gid)))
			return err_set(err, EINVAL, "the owners are not UID:GID[,UID:GID]...");
		ret[i] = o;
	}
	return 0;
}
