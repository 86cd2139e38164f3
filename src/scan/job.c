/* scan/job.c - the supervisor's side of bawn-scan, see request.h
 *
 * The helper gets the request as a sealed memfd (0), the result pipe (1) and its cache file (3).
 * Only the cache file is writable for it, and only through that descriptor.
 */
#include "scan/request.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "scan/result.h"

#define RESULT_MAX ((size_t)64 << 20)

/* One cache file per workspace and set of patterns; -1 is fine (a full walk). */
static int open_cache(const char *cache_dir, const struct scan_request *req)
{
	struct arena a = {0};
	struct blob b = {0};
	char hex[33];
	/* The root and the patterns make the key, and nothing that differs between start and end.
	 */
	struct scan_request key = {.root = req->root, .mask = req->mask, .protect = req->protect};
	int fd = -1;
	if (scan_request_write(&b, &key) == 0) {
		digest_hex(digest_of(b.data, b.n), hex);
		char *dir = path_join(&a, cache_dir, "scan");
		char *path = dir ? path_join(&a, dir, hex) : NULL;
		const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
		if (path)
			fd = open(path, flags, 0600);
		if (path && fd < 0 && errno == ENOENT && file_mkdir_private(dir, NULL) == 0)
			fd = open(path, flags, 0600);
	}
	blob_free(&b);
	arena_free(&a);
	struct stat st;
	if (fd >= 0 &&
		(fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
			(st.st_mode & 0022))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int scan_start(const char *helper, const char *cache_dir, const struct scan_request *req,
	struct scan_job *ret, struct err *err)
{
	struct blob b = {0};
	int p[2];
	if (scan_request_write(&b, req) < 0) {
		blob_free(&b);
		return err_set(err, ENOMEM, "out of memory");
	}
	_cleanup_close_ int request = fd_memfd_sealed("bawn-scan", b.data, b.n, err);
	blob_free(&b);
	if (request < 0)
		return request;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = p[0], wr = p[1];
	_cleanup_close_ int cache = cache_dir ? open_cache(cache_dir, req) : -1;
	const int fds[] = {request, wr, -1, cache};
	char name[] = "bawn-scan";
	char *const argv[] = {name, NULL};
	struct scan_job job = SCAN_JOB_NONE;
	int r = proc_spawn(&(struct proc_spawn){.path = helper,
				   .argv = argv,
				   .fds = fds,
				   .nfds = ARRAY_LEN(fds),
				   .die_with_parent = SIGKILL},
		&job.proc, err);
	if (r < 0)
		return r;
	job.fd = TAKE_FD(rd);
	*ret = job;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Everything up to end of file, in a doubling buffer. */
static int read_all(int fd, int timeout_ms, char **ret, size_t *ret_n)
{
	size_t cap = 65536, n = 0;
	int64_t end = now_ms() + timeout_ms;
	char *buf = malloc(cap);
	int r = buf ? 0 : -ENOMEM;
	while (r == 0) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		int k = left > 0 ? poll(&pfd, 1, (int)left) : 0;
		if (k <= 0) {
			r = k == 0 ? -ETIME : errno == EINTR ? 0 : -errno;
			continue;
		}
		if (n == cap) {
			char *p = cap < RESULT_MAX ? realloc(buf, cap * 2) : NULL;
			if (!p) {
				r = -EFBIG;
				break;
			}
			buf = p;
			cap *= 2;
		}
		ssize_t got = read(fd, buf + n, cap - n);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			r = -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	if (r < 0) {
		free(buf);
		return r;
	}
	*ret = buf;
	*ret_n = n;
	return 0;
}

int scan_collect(struct scan_job *job, const struct scan_request *req, int timeout_ms,
	struct arena *a, struct scan_result *ret, struct err *err)
{
	_cleanup_free_ char *buf = NULL;
	size_t n = 0;
	if (job->fd < 0)
		return err_set(err, EINVAL, "no scan is running");
	int r = read_all(job->fd, timeout_ms, &buf, &n);
	close(TAKE_FD(job->fd));
	if (r == -ETIME) {
		scan_job_end(job, false);
		err_hint(err, "is it on a slow network file system? work on a local copy");
		return err_set(err, ETIME, "looking through the workspace took more than %d s",
			timeout_ms / 1000);
	}
	if (r < 0)
		return err_sys(err, -r, "read the result of bawn-scan");
	char *copy = arena_dupn(a, buf ? buf : "", n);
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	return scan_result_read(a, copy, n, req, ret, err);
}

void scan_job_end(struct scan_job *job, bool wait)
{
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	if (wait && job->proc.pid > 0)
		proc_wait(&job->proc, NULL);
	else
		proc_kill(&job->proc);
	job->proc = PROC_NONE;
}
