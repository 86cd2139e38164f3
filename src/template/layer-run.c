/* template/layer-run.c - see layer-run.h */
#include "template/layer-run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/proc.h"

#define RESULT_MAX ((size_t)64 << 20)
#define PULSE_MS 150
#define FIRST_LOWER 4

struct call {
	const char *helper;
	char *const *argv;
	int *fds; /* fds[at] gets the result */
	int nfds, at;
	const struct layer_pulse *pulse;
};

/* Room for what is read, at most RESULT_MAX. */
static int grow(char **buf, size_t n, size_t *cap)
{
	if (n < *cap)
		return 0;
	if (n >= RESULT_MAX)
		return -EFBIG;
	size_t more = *cap ? *cap * 2 : 65536;
	char *p = realloc(*buf, more + 1);
	if (!p)
		return -ENOMEM;
	*buf = p;
	*cap = more;
	return 0;
}

static int read_result(int fd, const struct layer_pulse *pulse, char **ret, size_t *ret_n)
{
	_cleanup_free_ char *buf = NULL;
	size_t n = 0, cap = 0;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int k = poll(&p, 1, pulse ? PULSE_MS : -1);
		if (k < 0 && errno != EINTR)
			return -errno;
		if (pulse)
			pulse->fn(pulse->ctx);
		if (k <= 0)
			continue;
		int r = grow(&buf, n, &cap);
		if (r < 0)
			return r;
		ssize_t got = read(fd, buf + n, cap - n);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	if (!buf)
		return -EBADMSG;
	buf[n] = '\0';
	*ret = TAKE_PTR(buf);
	*ret_n = n;
	return 0;
}

/* "error TEXT", "hint TEXT": escaped by the helper already. */
static int said(char *text, struct err *err)
{
	const char *error = NULL;
	int code = EBADMSG;
	for (char *line; (line = strsep(&text, "\n"));) {
		if (has_prefix(line, "error "))
			error = line + 6;
		else if (has_prefix(line, "hint "))
			err_hint(err, "%s", line + 5);
		else if (streq(line, "no-tar"))
			code = ENOEXEC;
	}
	return error ? err_set(err, code, "%s", error)
		     : err_set(err, EBADMSG, "bawn-layer has ended without a result");
}

/* Run it; the result's text is in arena. */
static int run(struct arena *a, const struct call *c, char **ret, size_t *ret_n, struct err *err)
{
	struct proc proc = PROC_NONE;
	char *text = NULL;
	size_t n = 0;
	int p[2], status = 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = p[0], wr = p[1];
	c->fds[c->at] = wr;
	int r = proc_spawn(&(struct proc_spawn){.path = c->helper,
				   .argv = c->argv,
				   .fds = c->fds,
				   .nfds = c->nfds,
				   .die_with_parent = SIGKILL},
		&proc, err);
	if (r < 0)
		return r;
	close(TAKE_FD(wr));
	r = read_result(rd, c->pulse, &text, &n);
	if (r < 0 || proc_wait(&proc, &status) < 0) {
		proc_kill(&proc);
		free(text);
		return err_set(err, EBADMSG, "bawn-layer has ended without a result");
	}
	char *copy = arena_dupn(a, text, n);
	free(text);
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	if (status == 128 + SIGKILL || status == 128 + SIGXCPU || status == 128 + SIGSYS)
		return err_set(err, EBADMSG, "bawn-layer was killed (signal %d)", status - 128);
	if (status != 0)
		return said(copy, err);
	*ret = copy;
	*ret_n = n;
	return 0;
}

int layer_run_read(const char *helper, struct arena *a, const struct layer_source *from, int dir,
	const int *lower, size_t n_lower, const struct layer_pulse *pulse,
	struct template_layer *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "read", offset[40], length[40], *text;
	char implied[] = "implied=1", *argv[] = {name, mode, NULL, NULL, NULL, NULL};
	size_t argc = 2;
	int fds[FIRST_LOWER + TEMPLATE_LAYERS_MAX] = {from->fd, -1, -1, dir};
	size_t n;
	snprintf(offset, sizeof(offset), "offset=%" PRIu64, from->offset);
	snprintf(length, sizeof(length), "length=%" PRIu64, from->length);
	if (from->part) {
		argv[argc++] = offset;
		argv[argc++] = length;
	}
	if (from->implied)
		argv[argc++] = implied;
	n_lower = MIN(n_lower, (size_t)TEMPLATE_LAYERS_MAX);
	for (size_t i = 0; i < n_lower; i++)
		fds[FIRST_LOWER + i] = lower[i];
	struct call c = {helper, argv, fds, FIRST_LOWER + (int)n_lower, 1, pulse};
	int r = run(a, &c, &text, &n, err);
	return r < 0 ? r : template_layer_result(a, text, n, "application/octet-stream", ret, err);
}

int layer_run_write(const char *helper, struct arena *a, int dir, int out, const char *how,
	const struct layer_pulse *pulse, struct template_layer *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "write", *text, *arg = arena_dup(a, how);
	char *argv[] = {name, mode, arg, NULL};
	int fds[] = {-1, out, -1, dir, -1};
	size_t n;
	struct call c = {helper, argv, fds, ARRAY_LEN(fds), 4, pulse};
	int r = arg ? run(a, &c, &text, &n, err) : err_set(err, ENOMEM, "out of memory");
	return r < 0 ? r : template_layer_result(a, text, n, "application/octet-stream", ret, err);
}

static int start_write(
	const char *helper, int dir, int out, int result, struct proc *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "write", how[] = "none";
	char *argv[] = {name, mode, how, NULL};
	int fds[] = {-1, out, -1, dir, result};
	return proc_spawn(&(struct proc_spawn){.path = helper,
				  .argv = argv,
				  .fds = fds,
				  .nfds = ARRAY_LEN(fds),
				  .die_with_parent = SIGKILL},
		ret, err);
}

int layer_run_check(const char *helper, struct arena *a, int dir, int making,
	const struct layer_pulse *pulse, struct template_layer *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "check", *text, written[4096] = "";
	char *argv[] = {name, mode, NULL};
	struct proc proc = PROC_NONE;
	struct err other = {0};
	size_t n;
	int p[2], status = 0;
	_cleanup_close_ int result = memfd_create("bawn-write", MFD_CLOEXEC);
	if (result < 0 || pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = p[0], wr = p[1];
	int r = start_write(helper, dir, wr, result, &proc, err);
	close(TAKE_FD(wr));
	if (r < 0)
		return r;
	int fds[] = {rd, -1, -1, making, dir};
	struct call c = {helper, argv, fds, ARRAY_LEN(fds), 1, pulse};
	r = run(a, &c, &text, &n, &other);
	close(TAKE_FD(rd)); /* it ends, too, where the reader did */
	if (proc_wait(&proc, &status) < 0)
		proc_kill(&proc);
	/* what it can't write is its own to say; that nobody reads on is the reader's */
	if (status && fd_pread_full(result, written, sizeof(written) - 1, 0) > 0 &&
		!strstr(written, strerror(EPIPE)))
		return said(written, err);
	if (r < 0 || status) {
		if (err && r < 0)
			*err = other;
		return r < 0 ? r : err_set(err, EBADMSG, "its tar could not be written");
	}
	return template_layer_result(a, text, n, "application/octet-stream", ret, err);
}

int layer_run_adopt(const char *helper, struct arena *a, int dir, const char *owner, int links,
	struct template_layer *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "adopt", *text, *arg = arena_dup(a, owner);
	char *argv[] = {name, mode, arg, NULL};
	int fds[] = {links, -1, -1, dir};
	size_t n;
	struct call c = {helper, argv, fds, ARRAY_LEN(fds), 1, NULL};
	int r = arg ? run(a, &c, &text, &n, err) : err_set(err, ENOMEM, "out of memory");
	return r < 0 ? r : template_layer_result(a, text, n, "application/octet-stream", ret, err);
}

int layer_run_links(
	const char *helper, struct arena *a, int dir, struct link_owners **ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "links", *text;
	char *argv[] = {name, mode, NULL};
	_cleanup_close_ int out = memfd_create("bawn-links", MFD_CLOEXEC);
	int fds[] = {-1, out, -1, dir, -1};
	struct call c = {helper, argv, fds, ARRAY_LEN(fds), 4, NULL};
	size_t n;
	int r = out < 0 ? err_sys(err, errno, "memfd_create") : run(a, &c, &text, &n, err);
	off_t size = r < 0 ? -1 : lseek(out, 0, SEEK_END);
	if (r < 0)
		return r;
	if (size < 0 || (size_t)size > RESULT_MAX)
		return err_set(err, EFBIG, "a layer has too many links");
	_cleanup_free_ char *list = malloc((size_t)size + 1);
	if (!list)
		return err_set(err, ENOMEM, "out of memory");
	ssize_t got = fd_pread_full(out, list, (size_t)size, 0);
	return got != size ? err_set(err, EIO, "read the owners of links")
			   : link_owners_parse(list, (size_t)size, ret, err);
}

/* ---- the index of an archive ---- */

static bool number(char **p, uint64_t *ret)
{
	char *end;
	errno = 0;
	if (**p < '0' || **p > '9')
		return false;
	*ret = strtoull(*p, &end, 10);
	if (errno || *end != ' ' || *ret > INT64_MAX)
		return false;
	*p = end + 1;
	return true;
}

/* 1: a member; 0: something else that may stand there. */
static int parse_line(char *line, struct archive *v, struct archive_member *ret)
{
	struct archive_member m = {0};
	if (has_prefix(line, "file ")) {
		char *p = line + 5;
		if (!number(&p, &m.offset) || !number(&p, &m.size) || !*p)
			return -EBADMSG;
		m.name = p;
	} else if (has_prefix(line, "link ")) {
		m.target = line + 5;
		m.name = strsep(&m.target, "\t");
		if (!m.target)
			return -EBADMSG;
	} else {
		v->in_copy |= streq(line, "in 3");
		return has_prefix(line, "dir ") || has_prefix(line, "in ") ? 0 : -EBADMSG;
	}
	*ret = m;
	return 1;
}

static int by_name(const void *x, const void *y)
{
	const struct archive_member *a = x, *b = y;
	int k = strcmp(a->name, b->name);
	/* names lie in one text, in the order of the archive */
	return k ? k : a->name < b->name ? -1 : a->name > b->name;
}

static int parse_index(struct arena *a, char *text, size_t n, struct archive *ret, struct err *err)
{
	struct archive v = {0};
	size_t cap = 0, kept = 0;
	if (n == 0 || text[n - 1] != '\n' || memchr(text, '\0', n))
		return err_set(err, EBADMSG, "malformed result of bawn-layer");
	text[n - 1] = '\0';
	for (char *line; (line = strsep(&text, "\n"));) {
		v.v = arena_grow(a, v.v, v.n, &cap, sizeof(*v.v));
		if (!v.v)
			return err_set(err, ENOMEM, "out of memory");
		int k = parse_line(line, &v, &v.v[v.n]);
		if (k < 0)
			return err_set(err, EBADMSG, "malformed result of bawn-layer");
		v.n += (size_t)k;
	}
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), by_name);
	for (size_t i = 0; i < v.n; i++)
		if (i + 1 == v.n || !streq(v.v[i].name, v.v[i + 1].name))
			v.v[kept++] = v.v[i];
	v.n = kept;
	*ret = v;
	return 0;
}

int layer_run_index(const char *helper, struct arena *a, int from, int copy,
	const struct layer_pulse *pulse, struct archive *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "index", *text;
	char *argv[] = {name, mode, NULL};
	int fds[] = {from, -1, -1, copy};
	size_t n;
	struct call c = {helper, argv, fds, ARRAY_LEN(fds), 1, pulse};
	int r = run(a, &c, &text, &n, err);
	return r < 0 ? r : parse_index(a, text, n, ret, err);
}

static const struct archive_member *find_plain(const struct archive *v, const char *name)
{
	size_t lo = 0, hi = v->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int k = strcmp(v->v[mid].name, name);
		if (k == 0)
			return &v->v[mid];
		if (k < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* dir(name)/target without "." and "..", as text; false: it leads out, or is too long. */
static bool resolve(const char *name, const char *target, char *ret, size_t cap)
{
	char path[1100];
	const char *slash = strrchr(name, '/');
	int dir = slash ? (int)(slash - name) : 0;
	if (target[0] == '/' ||
		snprintf(path, sizeof(path), "%.*s/%s", dir, name, target) >= (int)sizeof(path))
		return false;
	size_t n = 0;
	for (const char *p = path; *p;) {
		size_t part = strcspn(p, "/");
		if (part == 2 && p[0] == '.' && p[1] == '.') {
			if (n == 0)
				return false;
			while (n > 0 && ret[--n] != '/')
				;
		} else if (part > 0 && !(part == 1 && p[0] == '.')) {
			if (n + part + 2 > cap)
				return false;
			if (n)
				ret[n++] = '/';
			memcpy(ret + n, p, part);
			n += part;
		}
		p += part + (p[part] == '/');
	}
	ret[n] = '\0';
	return n > 0;
}

const struct archive_member *archive_find(const struct archive *v, const char *name)
{
	char path[1100];
	const struct archive_member *m = find_plain(v, name);
	if (!m || !m->target)
		return m;
	/* a hard link names its target from the top, a symbolic one from where it stands */
	if (resolve(m->name, m->target, path, sizeof(path)))
		m = find_plain(v, path);
	else
		m = NULL;
	return m && !m->target ? m : NULL;
}
