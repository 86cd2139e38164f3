/* scan/job.c - the supervisor's side of bawn-scan, see request.h
 *
 * The helper gets the request as a sealed memfd (0), the result pipe (1), its cache file (3) and
 * the record of what was masked (4).  Only these two are writable for it, and only through the
 * descriptors.
 */
#include "scan/request.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/path.h"
#include "scan/result.h"

#define RESULT_MAX ((size_t)64 << 20)

/* fd, if it is a file of ours that nobody else could have written. */
static int trusted(int fd)
{
	struct stat st;
	if (fd >= 0 &&
		(fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
			(st.st_mode & 0022))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What was masked by any start, in any workspace: no cache, as it can't be found out again. */
static int open_record(const char *data_dir)
{
	struct arena a = {0};
	char *path = path_join(&a, data_dir, "masked");
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = path ? open(path, flags, 0600) : -1;
	if (path && fd < 0 && errno == ENOENT && file_mkdir_private(data_dir, NULL) == 0)
		fd = open(path, flags, 0600);
	arena_free(&a);
	return trusted(fd);
}

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
	return trusted(fd);
}

int scan_start(const char *helper, const char *cache_dir, const char *data_dir,
	const struct scan_request *req, struct job *ret, struct err *err)
{
	struct blob b = {0};
	_cleanup_close_ int cache = cache_dir ? open_cache(cache_dir, req) : -1;
	_cleanup_close_ int record = data_dir && !req->end ? open_record(data_dir) : -1;
	const int more[] = {cache, record};
	scan_request_write(&b, req);
	int r = job_start(helper, "bawn-scan", &b, more, ARRAY_LEN(more), ret, err);
	blob_free(&b);
	return r;
}

int scan_collect(struct job *job, const struct scan_request *req, int timeout_ms, struct arena *a,
	struct scan_result *ret, struct err *err)
{
	char *buf = NULL;
	size_t n = 0;
	int r = job_read(job, RESULT_MAX, timeout_ms, a, &buf, &n);
	if (r == -EBADF)
		return err_set(err, EINVAL, "no scan is running");
	if (r == -ETIME) {
		job_end(job, false);
		err_hint(err, "is it on a slow network file system? work on a local copy");
		return err_set(err, ETIME, "looking through the workspace took more than %d s",
			timeout_ms / 1000);
	}
	if (r < 0)
		return err_sys(err, -r, "read the result of bawn-scan");
	return scan_result_read(a, buf, n, req, ret, err);
}
