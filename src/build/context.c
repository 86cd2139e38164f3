/* build/context.c - where a build takes its files from: a directory, what is on standard input, or
 * what a URL names; and the Dockerfile and .dockerignore in it; see build.h
 *
 * Theory: what is elsewhere is fetched as ADD fetches it (remote.h).  An archive is unpacked, by
 * the confined process that reads layers, into a directory of the store that goes with the build.
 * What is in there is a stranger's: nothing of it is opened but beneath it.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "build/remote.h"

#define STDIN_MAX ((int64_t)16 << 30)

static int oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

/* A directory for it, in the store. */
static int begin_given(struct build *b, struct err *err)
{
	int r = build_hold(b, err);
	return r < 0 ? r : templates_begin(&b->store, &b->given, err);
}

/* ---- standard input ---- */

static int spool(int to, struct err *err)
{
	_cleanup_free_ char *room = malloc(1 << 16);
	int64_t all = 0;
	ssize_t n = room ? 1 : -ENOMEM;
	while (n > 0) {
		n = fd_read_full(STDIN_FILENO, room, 1 << 16);
		all += MAX(n, (ssize_t)0);
		if (all > STDIN_MAX)
			return err_set(err, EFBIG, "standard input has more than 16 GiB");
		int r = n > 0 ? fd_write_all(to, room, (size_t)n) : 0;
		if (r < 0)
			return err_sys(err, -r, "keep what comes on standard input");
	}
	return n < 0 ? err_sys(err, (int)-n, "read standard input") : 0;
}

/* The file that holds it, in b->given, and there no more. */
static int take_stdin(struct build *b, struct err *err)
{
	static const char name[] = "stdin";
	if (isatty(STDIN_FILENO)) {
		err_hint(err, "an archive of it, as in: tar -c . | bawn build -");
		return err_set(err, EINVAL, "the context is to come on standard input, a terminal");
	}
	int r = begin_given(b, err);
	if (r < 0)
		return r;
	int fd = openat(
		b->given.dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(b->given.dir, name, 0) < 0)
		r = err_sys(err, errno, "keep what comes on standard input");
	if (r == 0)
		r = spool(fd, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_sys(err, errno, "read what came on standard input");
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int text_of(struct build *b, int fd, char **ret, size_t *ret_n, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "it is no file");
	if (st.st_size > (off_t)DF_FILE_MAX)
		return err_set(err, EFBIG, "it is longer than 1 MiB");
	char *text = arena_alloc(&b->a, (size_t)st.st_size + 1);
	ssize_t n = text ? fd_pread_full(fd, text, (size_t)st.st_size, 0) : -ENOMEM;
	if (n < 0)
		return err_sys(err, (int)-n, "read it");
	*ret = text;
	*ret_n = (size_t)n;
	return 0;
}

/* An archive becomes the context; anything else is a Dockerfile, and the context empty. */
static int take_given(struct build *b, int fd, char **ret_text, size_t *ret_n, struct err *err)
{
	static const char empty[] = "empty";
	enum build_archive kind = build_archive_kind(fd);
	int r = kind == BUILD_ARCHIVE_NONE ? 0
					   : build_archive_unpack(b, fd, b->given.dir, kind, err);
	if (r < 0)
		return r;
	b->foreign = true;
	b->unpacked = r > 0;
	if (!b->unpacked && b->opt.file)
		return err_set(err, EINVAL, "--file names a file of an archive, which this is not");
	if (!b->unpacked)
		r = text_of(b, fd, ret_text, ret_n, err);
	if (r < 0)
		return r;
	if (!b->unpacked && mkdirat(b->given.dir, empty, 0700) < 0)
		return err_sys(err, errno, "create an empty context");
	b->context = openat(b->given.dir, b->unpacked ? "fs" : empty,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return b->context < 0 ? err_sys(err, errno, "open the context") : 0;
}

static int open_stdin(struct build *b, char **ret_text, size_t *ret_n, struct err *err)
{
	if (b->opt.file && streq(b->opt.file, "-"))
		return err_set(
			err, EINVAL, "standard input can't be both the Dockerfile and the context");
	_cleanup_close_ int fd = take_stdin(b, err);
	int r = fd < 0 ? fd : take_given(b, fd, ret_text, ret_n, err);
	return fd >= 0 && r < 0 ? err_prefix(err, "standard input"), r : r;
}

/* ---- elsewhere ---- */

static int take_remote(
	struct build *b, struct build_remote *m, char **ret_text, size_t *ret_n, struct err *err)
{
	struct build_copy c;
	if (m->git) {
		b->foreign = true;
		b->context = build_remote_git_copy(b, m, &c, err);
		return MIN(b->context, 0);
	}
	char *path = path_join(&b->a, m->dir, BUILD_REMOTE_DATA);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0)
		return path ? err_sys(err, errno, "open it") : oom(err);
	return take_given(b, fd, ret_text, ret_n, err);
}

static int open_remote(struct build *b, char **ret_text, size_t *ret_n, struct err *err)
{
	struct build_remote m = {0};
	char shown[400];
	escape_text(shown, sizeof(shown), b->opt.context);
	int r = build_remote_parse(b, b->opt.context, &m, err);
	if (r < 0)
		return err_prefix(err, "the context %s", shown), r;
	r = begin_given(b, err);
	if (r < 0)
		return r;
	char *dir = arena_printf(&b->a, "%s/tmp/%s/remote", b->store.dir, b->given.name);
	r = dir ? build_remote_get(b, dir, &m, err) : oom(err);
	if (r < 0)
		return err_prefix(err, "the context"), r;
	r = take_remote(b, &m, ret_text, ret_n, err);
	return r < 0 ? err_prefix(err, "the context %s", shown), r : 0;
}

/* ---- a directory ---- */

static int open_directory(struct build *b, struct err *err)
{
	char shown[400];
	b->context = open(b->opt.context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->context >= 0)
		return 0;
	return err_sys(err, errno, "open the context %s",
		escape_text(shown, sizeof(shown), b->opt.context));
}

/* ---- the files in it ---- */

/* A file of the context, links followed in there; -ENOENT. */
static int read_foreign(
	struct build *b, const char *path, char **ret, size_t *ret_n, struct err *err)
{
	char shown[400];
	_cleanup_close_ int fd = path_openat2(b->context, path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
		RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	escape_text(shown, sizeof(shown), path);
	if (fd < 0)
		return err_sys(err, -fd, "open %s of the context", shown);
	int r = text_of(b, fd, ret, ret_n, err);
	return r < 0 ? err_prefix(err, "%s", shown) : 0;
}

static int read_file(struct build *b, const char *path, char **ret, size_t *ret_n, struct err *err)
{
	if (b->foreign)
		return read_foreign(b, path, ret, ret_n, err);
	ssize_t n = file_read(&b->a, AT_FDCWD, path, DF_FILE_MAX, ret, err);
	*ret_n = n < 0 ? 0 : (size_t)n;
	return n < 0 ? (int)n : 0;
}

static int read_stdin(struct build *b, char **ret, size_t *ret_n, struct err *err)
{
	struct buf text = {0};
	char room[4096];
	size_t n;
	while ((n = fread(room, 1, sizeof(room), stdin)) > 0)
		buf_add(&text, room, n);
	*ret_n = text.n;
	*ret = buf_take(&b->a, &text);
	return *ret ? 0 : err_set(err, EFBIG, "standard input is longer than 1 MiB");
}

static int read_dockerfile(struct build *b, char *text, size_t n, struct err *err)
{
	char shown[600];
	const char *file = b->opt.file, *name = "Dockerfile";
	int r = 0;
	if (!text && file && streq(file, "-")) {
		r = read_stdin(b, &text, &n, err);
	} else if (!text) {
		const char *path = file ? file
			: b->foreign    ? "Dockerfile"
					: path_join(&b->a, b->opt.context, "Dockerfile");
		r = path ? read_file(b, path, &text, &n, err) : oom(err);
		if (r == -ENOENT)
			err_hint(err, "-f FILE names another file");
		name = path ? escape_text(shown, sizeof(shown),
				      has_prefix(path, "./") ? path + 2 : path)
			    : NULL;
	}
	if (r < 0)
		return r;
	name = arena_dup(&b->a, name);
	return name ? dockerfile_parse(&b->a, name, text, n, &b->d, err) : oom(err);
}

/* NAME.dockerignore beside the Dockerfile, or .dockerignore in the context. */
static int read_ignore(struct build *b, struct err *err)
{
	static const char none[] = "**/.git";
	char *text = NULL, *path = NULL;
	struct err ignored = {0};
	size_t n = 0;
	int r = -ENOENT;
	if (b->opt.file && !streq(b->opt.file, "-")) {
		path = arena_printf(&b->a, "%s.dockerignore", b->opt.file);
		r = path ? read_file(b, path, &text, &n, &ignored) : -ENOMEM;
	}
	if (r == -ENOENT) {
		path = arena_dup(&b->a, ".dockerignore");
		ssize_t k = b->foreign
			? read_foreign(b, path, &text, &n, &ignored)
			: file_read(&b->a, b->context, path, DF_FILE_MAX, &text, &ignored);
		n = b->foreign || k < 0 ? n : (size_t)k;
		r = (int)MIN(k, (ssize_t)0);
	}
	if (r < 0 && r != -ENOENT) {
		*err = ignored;
		return r;
	}
	const bool said = r == 0, git = b->foreign && !b->unpacked;
	b->has_ignore = said || git;
	r = said ? ignore_parse(&b->a, path, text, n, &b->ignore, err) : 0;
	/* what git keeps for itself is none of the files */
	return r == 0 && git ? ignore_add(&b->a, &b->ignore, none, strlen(none), err) : r;
}

int build_context_open(struct build *b, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	int r = streq(b->opt.context, "-")  ? open_stdin(b, &text, &n, err)
		: remote_is(b->opt.context) ? open_remote(b, &text, &n, err)
					    : open_directory(b, err);
	if (r == 0)
		r = read_dockerfile(b, text, n, err);
	return r == 0 ? read_ignore(b, err) : r;
}
