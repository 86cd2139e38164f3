/* secret/secret-buf.c - the memory of a secret, and what may be one. */
#include <sys/mman.h>

#include "base/fd.h"
#include "secret/secret.h"

int secret_buf_alloc(struct secret_buf *ret, struct err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = (SECRET_BUF_ROOM + page) / page * page;
	void *v = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (v == MAP_FAILED)
		return err_sys(err, errno, "memory for a secret");
	if (mlock(v, n) < 0) {
		int saved = errno;
		munmap(v, n);
		err_hint(err, "raise the limit on locked memory (ulimit -l) by %zu KiB", n / 1024);
		return err_sys(err, saved, "lock memory for a secret");
	}
	if ((madvise(v, n, MADV_DONTDUMP) < 0 || madvise(v, n, MADV_WIPEONFORK) < 0) &&
		errno != EINVAL) { /* a kernel or an emulation without them */
		int saved = errno;
		munmap(v, n);
		return err_sys(err, saved, "keep a secret out of core dumps");
	}
	*ret = (struct secret_buf){.v = v, .mapped = n};
	return 0;
}

void secret_buf_free(struct secret_buf *b)
{
	if (b->v) {
		explicit_bzero(b->v, b->mapped);
		munmap(b->v, b->mapped);
	}
	*b = (struct secret_buf){0};
}

static int too_long(struct err *err)
{
	return err_set(err, E2BIG, "a secret is %d bytes at most", SECRET_MAX);
}

int secret_buf_read(struct secret_buf *b, int fd, struct err *err)
{
	ssize_t n = fd_read_full(fd, b->v, SECRET_MAX + 2);
	if (n < 0)
		return err_sys(err, (int)-n, "read the secret");
	b->n = (size_t)n;
	if (b->n > 0 && b->v[b->n - 1] == '\n')
		b->n--;
	if (b->n > 0 && b->v[b->n - 1] == '\r')
		b->n--;
	b->v[b->n] = '\0';
	return b->n > SECRET_MAX ? too_long(err) : 0;
}

int secret_check_value(const char *v, size_t n, struct err *err)
{
	if (n == 0)
		return err_set(err, EINVAL, "the secret is empty");
	if (n > SECRET_MAX)
		return too_long(err);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)v[i];
		const char *what = c == '\n' || c == '\r' ? "more than one line"
			: c == '\0'                       ? "a NUL byte"
			: c < ' ' || c == 0x7f            ? "a control byte"
							  : NULL;
		if (what)
			return err_set(err, EINVAL,
				"the secret has %s; it goes into a header, which can't hold that",
				what);
	}
	if (v[0] == ' ' || v[n - 1] == ' ')
		return err_set(err, EINVAL, "the secret begins or ends with a space");
	return 0;
}
