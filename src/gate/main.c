/* gate/main.c - bawn-gate; see gate.h */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/escape.h"
#include "base/fd.h"
#include "confine/jail.h"
#include "gate/scan.h"

#define SECRETS_MAX ((size_t)64 << 20)

static int confine(struct err *err)
{
	static const int calls[] = {SYS_flistxattr, SYS_fgetxattr, SYS_dup};
	const struct jail_dir d = {GATE_DIR_FD, JAIL_READ};
	if (GUARD_REMOVED("gate-jail"))
		return 0;
	return jail_enter_with(&(struct jail){.dirs = &d,
				       .n_dirs = 1,
				       .calls = calls,
				       .n_calls = ARRAY_LEN(calls),
				       .cpu_s = 3600,
				       .files = GATE_DEPTH_MAX + 64,
				       .memory = (uint64_t)4 << 30,
				       .file_size = (uint64_t)256 << 20},
		err);
}

/* What a sealed memfd holds, in memory; NULL: it is none. */
static const char *map_all(int fd, size_t max, size_t *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		(size_t)st.st_size > max)
		return NULL;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	*ret = (size_t)st.st_size;
	return p == MAP_FAILED ? NULL : p;
}

static int take_secrets(struct scan *s, struct err *err)
{
	struct blob_iter it;
	struct blob_view v;
	const char *name = "a known secret";
	size_t n = 0;
	int more, k = 0;
	const char *all = map_all(GATE_SECRETS_FD, SECRETS_MAX, &n);
	if (!all)
		return 0; /* none were given */
	blob_iter_init(&it, all, n);
	while (k >= 0 && (more = blob_next(&it, &v)) > 0) {
		if (v.tag == GATE_TAG_NAME && blob_str(&v)) {
			name = blob_str(&v);
		} else if (v.tag == GATE_TAG_VALUE) {
			k = gate_set_add(s->set, name, v.data, v.len);
			s->t.too_short += k > 0;
		} else {
			k = -EBADMSG;
		}
	}
	return k < 0 || more < 0 ? err_sys(err, k < 0 ? -k : EBADMSG, "the known secrets") : 0;
}

static int run(struct scan *s, struct arena *a, struct err *err)
{
	static struct gate_request req;
	size_t n = 0;
	const char *data = map_all(0, GATE_REQUEST_MAX, &n);
	if (!data)
		return err_set(err, EINVAL, "bawn-gate is started by bawn");
	int r = confine(err);
	if (r == 0)
		r = gate_request_read(a, data, n, &req, err);
	s->req = &req;
	if (r == 0 && gate_set_begin(s->set) < 0)
		r = err_set(err, ENOMEM, "out of memory");
	s->set->now = (int64_t)req.now;
	for (size_t i = 0; r == 0 && i < req.harmless.n; i++)
		if (gate_set_harmless(s->set, req.harmless.v[i], strlen(req.harmless.v[i])) < 0)
			r = err_set(err, ENOMEM, "out of memory");
	if (r == 0)
		r = take_secrets(s, err);
	return r == 0 ? scan_tree(s, GATE_DIR_FD, err) : r;
}

int main(void)
{
	static struct gate_set set;
	static struct scan s = {.set = &set};
	struct arena a = {0};
	struct err err = {0};
	char text[800];
	int r = run(&s, &a, &err);
	if (r < 0) {
		struct blob fail = {0};
		blob_put_str(&fail, GATE_TAG_FAILED, escape_text(text, sizeof(text), err.msg));
		fd_write_all(1, fail.data, fail.n);
		return 1;
	}
	blob_put(&s.out, GATE_TAG_TOTALS, &s.t, sizeof(s.t));
	if (s.out.failed || fd_write_all(1, s.out.data, s.out.n) < 0)
		return 1;
	return s.t.n_found > 0;
}
