/* change/starts.c - see state.h */
#include "change/starts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/blob.h"
#include "base/fd.h"
#include "base/file.h"
#include "change/result.h"

#define NAME "changes"
#define FILE_MAX ((size_t)16 << 20)
#define SINCE_MAX 4096

enum tag { TAG_SINCE = 1, TAG_MASKED, TAG_HOOKS, TAG_END, TAG_SETTINGS };

static int get_masked(struct arena *a, const struct blob_view *v, struct change_starts *s)
{
	size_t pos = 0;
	const char *p;
	while ((p = blob_strs_next(v, &pos)))
		if (!change_plain(p) || strv_add(a, &s->masked, p) < 0)
			return -EBADMSG;
	return 0;
}

static int get_since(struct arena *a, const struct blob_view *v, struct change_starts *s)
{
	if (v->len == 0 || v->len % sizeof(uint64_t) || v->len > SINCE_MAX * sizeof(uint64_t))
		return -EBADMSG;
	s->since = arena_alloc(a, v->len);
	if (!s->since)
		return -ENOMEM;
	memcpy(s->since, v->data, v->len);
	s->n_since = v->len / sizeof(uint64_t);
	return 0;
}

int change_starts_read(int box, struct arena *a, struct change_starts *ret, struct err *err)
{
	struct change_starts s = {0};
	struct blob_iter it;
	struct blob_view v;
	struct stat st;
	char *text;
	bool done = false;
	int r = 0;
	if (fstatat(box, NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ENOENT : err_sys(err, errno, "read the sandbox's starts");
	ssize_t n = file_read(a, box, NAME, FILE_MAX, &text, err);
	if (n < 0)
		return (int)n;
	blob_iter_init(&it, text, (size_t)n);
	while (!done && r == 0 && (r = blob_next(&it, &v)) > 0) {
		r = 0;
		if (v.tag == TAG_SINCE)
			r = get_since(a, &v, &s);
		else if (v.tag == TAG_MASKED)
			r = get_masked(a, &v, &s);
		else if (v.tag == TAG_HOOKS)
			r = (s.hooks = arena_dup(a, blob_str(&v) ? blob_str(&v) : "")) ? 0
										       : -ENOMEM;
		else if (v.tag == TAG_SETTINGS)
			r = blob_strv(a, &v, &s.settings);
		else if (v.tag == TAG_END)
			done = true;
		else
			r = -EBADMSG;
	}
	if (r < 0 || !done || !s.n_since || (s.hooks && !change_plain(s.hooks)) ||
		s.settings.n % 2) {
		err_hint(err,
			"its changes can be shown and discarded; to land them, copy them "
			"with bawn cp");
		return err_set(err, EBADMSG, "the record of the sandbox's starts is damaged");
	}
	*ret = s;
	return 0;
}

/* With too many, one in the middle goes: that can only make more conflicts. */
static int add_start(struct arena *a, struct change_starts *s)
{
	struct timespec t;
	uint64_t *v = arena_alloc(a, (s->n_since + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	if (s->n_since)
		memcpy(v, s->since, s->n_since * sizeof(*v));
	if (s->n_since == SINCE_MAX)
		memmove(v + 1, v + 2, (--s->n_since - 1) * sizeof(*v));
	/* a clock that was set back must not make an early start look late */
	while (s->n_since && v[s->n_since - 1] > now)
		s->n_since--;
	v[s->n_since++] = now;
	s->since = v;
	return 0;
}

int change_starts_begin(int box, const struct strv *masked, const char *hooks,
	const struct strv *settings, struct err *err)
{
	struct arena a = {0};
	struct change_starts s = {0};
	struct blob b = {.max = FILE_MAX};
	int r = change_starts_read(box, &a, &s, err);
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		r = add_start(&a, &s);
	for (size_t i = 0; r == 0 && i < masked->n; i++)
		if (!strv_has(&s.masked, masked->v[i]))
			r = strv_add(&a, &s.masked, masked->v[i]);
	if (r == 0) {
		blob_put(&b, TAG_SINCE, s.since, s.n_since * sizeof(*s.since));
		if (s.masked.n)
			blob_put_strs(&b, TAG_MASKED, (const char *const *)s.masked.v, s.masked.n);
		if (hooks)
			blob_put_str(&b, TAG_HOOKS, hooks);
		blob_put_strv(&b, TAG_SETTINGS, settings);
		blob_put_u64(&b, TAG_END, 0);
		r = b.failed ? -ENOMEM
			     : file_write_atomic(box, NAME, b.data, b.n, 0600, false, err);
	}
	blob_free(&b);
	arena_free(&a);
	return r == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : r;
}

#define HALF DIRECT_INDEX ".tmp"
#define INDEX_MAX ((off_t)512 << 20)

static int copy_all(int in, int out, off_t size)
{
	static char buf[1 << 16];
	while (size > 0) {
		ssize_t n = syscall(SYS_copy_file_range, in, NULL, out, NULL, (size_t)size, 0);
		if (n == 0)
			return 0;
		if (n < 0)
			break;
		size -= n;
	}
	ssize_t n = 0;
	while (size > 0 && (n = fd_read_full(in, buf, sizeof(buf))) > 0) {
		int r = fd_write_all(out, buf, (size_t)n);
		if (r < 0)
			return r;
		size -= n;
	}
	return n < 0 ? (int)n : 0;
}

int change_direct_begin(int box, const char *git_index, struct err *err)
{
	const struct strv none = {0};
	struct stat st;
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, r = 0;
	_cleanup_close_ int in = git_index
		? open(git_index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
		: -1;
	/* the index first: what happens between the two is then listed rather than missed */
	if (in >= 0 && fstat(in, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= INDEX_MAX) {
		_cleanup_close_ int out = openat(box, HALF, flags, 0600);
		if (out < 0)
			return err_sys(err, errno, "copy git's index");
		r = copy_all(in, out, st.st_size);
		if (r == 0 && renameat(box, HALF, box, DIRECT_INDEX) < 0)
			r = -errno;
		if (r < 0) {
			unlinkat(box, HALF, 0);
			return err_sys(err, -r, "copy git's index");
		}
	} else {
		unlinkat(box, DIRECT_INDEX, 0);
	}
	return change_starts_begin(box, &none, NULL, &none, err);
}
