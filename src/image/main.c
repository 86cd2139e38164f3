/* image/main.c - bawn-image: one request on 0, one answer on 1 (image.h).
 *
 * It needs nothing of the file system: it confines itself before it looks at the request.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "confine/jail.h"
#include "image/request.h"
#include "json/value.h"

#define REQUEST_MAX ((size_t)64 << 20)

static int jail(struct err *err)
{
	static const int calls[] = {SYS_read, SYS_pread64, SYS_write, SYS_close, SYS_fstat,
		SYS_newfstatat, SYS_lseek, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
		SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_clock_gettime, SYS_getrandom,
		SYS_restart_syscall, SYS_futex};
	if (GUARD_REMOVED("image-jail"))
		return 0;
	return jail_enter_with(&(struct jail){.calls = calls,
				       .n_calls = ARRAY_LEN(calls),
				       .narrow = true,
				       .cpu_s = 60,
				       .files = 1,
				       .memory = UINT64_C(2) << 30,
				       .file_size = 1},
		err);
}

static int read_request(struct arena *a, struct image_request *req, struct err *err)
{
	struct stat st;
	if (fstat(0, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		(size_t)st.st_size > REQUEST_MAX)
		return err_set(err, EINVAL, "bawn-image is started by bawn");
	char *buf = arena_alloc(a, (size_t)st.st_size);
	if (!buf)
		return err_set(err, ENOMEM, "out of memory");
	if (fd_pread_full(0, buf, (size_t)st.st_size, 0) != st.st_size)
		return err_set(err, EIO, "read the request");
	return image_request_read(a, buf, (size_t)st.st_size, req, err);
}

int main(void)
{
	static struct arena a;
	struct image_request req;
	struct err err = {0};
	char *text = NULL;
	size_t n = 0;
	json_value_free(json_value_object()); /* jansson seeds its tables from a file */
	FILE *out = open_memstream(&text, &n);
	int r = out ? jail(&err) : err_sys(&err, errno, "memory");
	if (r == 0)
		r = read_request(&a, &req, &err);
	if (r == 0)
		r = image_answer(&a, &req, out, &err);
	if (out && fclose(out) < 0 && r == 0)
		r = err_set(&err, ENOMEM, "out of memory");
	if (r < 0) {
		free(text);
		text = NULL;
		if ((out = open_memstream(&text, &n))) {
			fprintf(out, "errno %d\n", -r);
			line_put(out, "error", err.msg);
			if (err.hint[0])
				line_put(out, "hint", err.hint);
			if (fclose(out) < 0)
				return 1;
		}
	}
	if (!text || fd_write_all(1, text, n) < 0)
		return 1;
	return r < 0 || fd_write_all(1, "done -\n", 7) < 0;
}
