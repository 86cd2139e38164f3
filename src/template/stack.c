/* template/stack.c - a template put together layer by layer; see template.h */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/path.h"
#include "store/ref.h"
#include "store/write-back.h"
#include "template/template.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PASSWD_MAX ((size_t)1 << 20)

int template_work_init(struct template_work *w, struct arena *a, struct templates *t,
	const char *libexec, struct err *err)
{
	*w = (struct template_work){.a = a, .t = t, .follow = -1};
	w->layer_helper = path_join(a, libexec, "bawn-layer");
	w->image_helper = path_join(a, libexec, "bawn-image");
	return arena_check(a, err);
}

void template_follow(struct template_work *w, int fd, uint64_t from)
{
	w->follow = fd;
	w->follow_from = from;
	w->follow_base = w->progress.done;
}

void template_pulse(void *work)
{
	struct template_work *w = work;
	off_t at = w->follow < 0 ? -1 : lseek(w->follow, 0, SEEK_CUR);
	if (at >= 0 && (uint64_t)at > w->follow_from)
		w->progress.done = w->follow_base + (uint64_t)at - w->follow_from;
	progress_show(&w->progress);
}

static bool in_stack(const struct template_stack *s, const char *diff)
{
	return strv_has(&s->diffs, diff);
}

/* Its fs/ below those that follow. */
static int add_lower(struct template_work *w, struct template_stack *s, const char *diff,
	int making, struct err *err)
{
	char *path = template_layer_fs(w->t, w->a, diff);
	int fd = making >= 0 ? openat(making, "fs", DIR_FLAGS) : path ? open(path, DIR_FLAGS) : -1;
	if (fd < 0)
		return err_sys(err, errno, "open layer %.12s", diff);
	s->lower[s->n_lower++] = fd;
	return strv_add(w->a, &s->diffs, diff) < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
}

static int check_digests(
	const struct template_layer *l, const char *diff, const char *blob, struct err *err)
{
	if (!streq(l->diff, diff) && !GUARD_REMOVED("layer-diff"))
		return err_set(err, EBADMSG,
			"its content has the digest %.12s, not %.12s as its image says", l->diff,
			diff);
	size_t n = blob ? strlen(blob) : 0;
	if (n &&
		(l->blobs.n == 0 || strncmp(l->blobs.v[0], blob, n) != 0 ||
			l->blobs.v[0][n] != ' '))
		return err_set(err, EBADMSG, "its bytes have another digest than %.19s", blob);
	return 0;
}

static int read_layer(struct template_work *w, struct template_stack *s, const char *diff,
	const char *blob, const struct layer_source *from, struct template_making *m,
	struct err *err)
{
	int topmost[TEMPLATE_LAYERS_MAX];
	struct layer_pulse p = {template_pulse, w};
	for (size_t i = 0; i < s->n_lower; i++)
		topmost[i] = s->lower[s->n_lower - 1 - i];
	struct write_back *back = write_back_begin(m->dir);
	int r = layer_run_read(
		w->layer_helper, w->a, from, m->dir, topmost, s->n_lower, &p, &m->layer, err);
	write_back_end(back);
	if (r == 0)
		r = check_digests(&m->layer, diff, blob, err);
	return r < 0 ? err_prefix(err, "layer %.12s", diff) : 0;
}

int template_stack_add(struct template_work *w, struct template_stack *s, const char *diff,
	const char *blob, const struct layer_source *from, struct err *err)
{
	struct template_making m;
	if (s->n_lower == TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "more than %d layers", TEMPLATE_LAYERS_MAX);
	if (template_layer_have(w->t, diff))
		return add_lower(w, s, diff, -1, err);
	if (in_stack(s, diff)) /* the same once more, being made already */
		return strv_add(w->a, &s->diffs, diff) < 0 ? err_set(err, ENOMEM, "out of memory")
							   : 0;
	if (!s->making)
		s->making = arena_alloc(w->a, TEMPLATE_LAYERS_MAX * sizeof(*s->making));
	if (!s->making)
		return err_set(err, ENOMEM, "out of memory");
	int r = templates_begin(w->t, &m, err);
	if (r < 0)
		return r;
	r = read_layer(w, s, diff, blob, from, &m, err);
	if (r == 0)
		r = add_lower(w, s, diff, m.dir, err);
	if (r < 0)
		templates_abandon(w->t, &m);
	else
		s->making[s->n++] = m;
	return r;
}

/* ---- /etc/passwd of the image ---- */

static bool is_opaque(int dir)
{
	char v;
	ssize_t n = fgetxattr(dir, "user.overlay.opaque", &v, 1);
	return n == 1 && v == 'y';
}

/* 1: it is decided (*ret the file, or -1 for none); 0: look further below. */
static int passwd_in(int fs, int *ret)
{
	_cleanup_close_ int etc = path_openat2(fs, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	*ret = -1;
	if (etc < 0)
		return etc == -ENOENT ? 0 : 1;
	int fd = path_openat2(etc, "passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd == -ENOENT)
		return is_opaque(etc);
	*ret = fd < 0 ? -1 : fd;
	return 1;
}

ssize_t template_passwd(struct arena *a, const int *lower, size_t n, char **ret)
{
	int found = -1;
	struct stat st;
	for (size_t i = n; i-- > 0;)
		if (passwd_in(lower[i], &found))
			break;
	_cleanup_close_ int fd = found;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		(uint64_t)st.st_size > PASSWD_MAX)
		return 0;
	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	ssize_t got = text ? fd_read_full(fd, text, (size_t)st.st_size) : -ENOMEM;
	if (got > 0)
		*ret = text;
	return MAX(got, (ssize_t)0);
}

/* ---- commit ---- */

static bool same(const struct strv *a, const struct strv *b)
{
	bool all = a->n == b->n;
	for (size_t i = 0; all && i < a->n; i++)
		all = streq(a->v[i], b->v[i]);
	return all;
}

static int sum_sizes(
	struct template_work *w, const struct strv *diffs, uint64_t *ret, struct err *err)
{
	struct template_layer l;
	*ret = 0;
	for (size_t i = 0; i < diffs->n; i++) {
		int r = template_layer_read(w->t, w->a, diffs->v[i], &l, err);
		if (r < 0)
			return r;
		*ret += l.size;
	}
	return 0;
}

int template_stack_commit(struct template_work *w, struct template_stack *s, const char *config,
	size_t n, const struct image_platform *p, char ret_id[static 65], struct err *err)
{
	struct template_info info = {0};
	char *passwd = NULL;
	ssize_t n_passwd = template_passwd(w->a, s->lower, s->n_lower, &passwd);
	int r = image_read_config(w->image_helper, w->a, config, n, p, passwd,
		passwd ? (size_t)n_passwd : 0, &info, err);
	if (r < 0)
		return r;
	if (!same(&info.layers, &s->diffs))
		return err_set(err, EINVAL, "the configuration names other layers than there are");
	r = templates_commit_layers(w->t, w->a, s->making, s->n, err);
	if (r == 0)
		r = sum_sizes(w, &s->diffs, &info.size, err);
	return r < 0 ? r : templates_commit(w->t, w->a, config, n, &info, ret_id, err);
}

void template_stack_free(struct template_work *w, struct template_stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		templates_abandon(w->t, &s->making[i]);
	for (size_t i = 0; i < s->n_lower; i++)
		close(s->lower[i]);
	*s = (struct template_stack){0};
}
