/* scan/request.c - see request.h: the record form of a request, and its check */
#include "scan/request.h"

#include "base/path.h"
#include "scan/glob.h"

enum tag {
	TAG_FLAGS = 1,
	TAG_ROOT,
	TAG_GIT_DIR,
	TAG_GIT_DIRS,
	TAG_MASK,
	TAG_PROTECT,
	TAG_SINCE,
	TAG_GIT,
	TAG_END,
	TAG_HOOKS,
	TAG_HOME,
	TAG_SETTINGS,
	TAG_NAMED,
};

#define FLAG_END 1u
#define FLAG_FULL 2u
#define GIT_MAX 4096
#define NAMED_MAX 4096

int scan_request_write(struct blob *b, const struct scan_request *req)
{
	blob_put_u64(b, TAG_FLAGS, (req->end ? FLAG_END : 0) | (req->full ? FLAG_FULL : 0));
	blob_put_str(b, TAG_ROOT, req->root);
	blob_put_opt(b, TAG_GIT_DIR, req->git_dir);
	blob_put_strv(b, TAG_GIT_DIRS, &req->git_dirs);
	blob_put_strv(b, TAG_MASK, &req->mask);
	blob_put_strv(b, TAG_PROTECT, &req->protect);
	blob_put_opt(b, TAG_HOOKS, req->hooks);
	blob_put_u64(b, TAG_SINCE, req->since_ns);
	for (size_t i = 0; i < req->n_git; i++) {
		const char *s[] = {req->git[i].real, req->git[i].base, req->git[i].copy};
		blob_put_strs(b, TAG_GIT, s, ARRAY_LEN(s));
	}
	blob_put_opt(b, TAG_HOME, req->home);
	blob_put_strv(b, TAG_SETTINGS, &req->settings);
	for (size_t i = 0; i < req->n_named; i++) {
		const struct scan_named *p = &req->named[i];
		const char how[] = {
			(char)('A' + p->per), p->flat ? 'f' : '-', p->asked ? 'a' : '-', '\0'};
		const char *s[] = {p->path, p->why, how};
		blob_put_strs(b, TAG_NAMED, s, ARRAY_LEN(s));
	}
	blob_put_u64(b, TAG_END, 0);
	return b->failed ? -ENOMEM : 0;
}

static int get_git(
	struct arena *a, const struct blob_view *v, struct scan_request *req, size_t *cap)
{
	struct strv s = {0};
	if (blob_strv(a, v, &s) < 0 || s.n != 3 || req->n_git == GIT_MAX)
		return -EBADMSG;
	struct scan_git_config *p = arena_grow(a, req->git, req->n_git, cap, sizeof(*p));
	if (!p)
		return -ENOMEM;
	req->git = p;
	req->git[req->n_git++] = (struct scan_git_config){
		.real = s.v[0], .base = s.v[1], .copy = s.v[2]};
	return 0;
}

static int get_named(
	struct arena *a, const struct blob_view *v, struct scan_request *req, size_t *cap)
{
	struct strv s = {0};
	if (blob_strv(a, v, &s) < 0 || s.n != 3 || strlen(s.v[2]) != 3 ||
		req->n_named == NAMED_MAX || !req->root || !path_within(s.v[0], req->root))
		return -EBADMSG;
	struct scan_named *p = arena_grow(a, req->named, req->n_named, cap, sizeof(*p));
	if (!p)
		return -ENOMEM;
	req->named = p;
	req->named[req->n_named++] = (struct scan_named){.path = s.v[0],
		.why = s.v[1],
		.per = (unsigned int)(unsigned char)s.v[2][0] - 'A',
		.flat = s.v[2][1] == 'f',
		.asked = s.v[2][2] == 'a'};
	return 0;
}

int scan_request_read(
	struct arena *a, const void *data, size_t n, struct scan_request *ret, struct err *err)
{
	struct scan_request req = {0};
	struct blob_iter it;
	struct blob_view v;
	uint64_t flags = 0, end;
	bool done = false;
	size_t cap = 0, cap_named = 0;
	int r;
	blob_iter_init(&it, data, n);
	while ((r = blob_next(&it, &v)) > 0 && !done) {
		switch (v.tag) {
		case TAG_FLAGS:
			r = blob_u64(&v, &flags);
			break;
		case TAG_ROOT:
			req.root = blob_str(&v);
			break;
		case TAG_GIT_DIR:
			req.git_dir = blob_str(&v);
			break;
		case TAG_GIT_DIRS:
			r = blob_strv(a, &v, &req.git_dirs);
			break;
		case TAG_MASK:
			r = blob_strv(a, &v, &req.mask);
			break;
		case TAG_PROTECT:
			r = blob_strv(a, &v, &req.protect);
			break;
		case TAG_HOOKS:
			req.hooks = blob_str(&v);
			break;
		case TAG_SINCE:
			r = blob_u64(&v, &req.since_ns);
			break;
		case TAG_GIT:
			r = get_git(a, &v, &req, &cap);
			break;
		case TAG_HOME:
			req.home = blob_str(&v);
			break;
		case TAG_SETTINGS:
			r = blob_strv(a, &v, &req.settings);
			break;
		case TAG_NAMED:
			r = get_named(a, &v, &req, &cap_named);
			break;
		case TAG_END:
			r = blob_u64(&v, &end);
			done = true;
			break;
		default:
			r = -EBADMSG;
		}
		if (r < 0)
			break;
	}
	if (r < 0 || !done || !req.root || req.root[0] != '/')
		return err_set(err, EBADMSG, "malformed scan request");
	req.end = flags & FLAG_END;
	req.full = flags & FLAG_FULL;
	r = arena_check(a, err);
	if (r == 0)
		*ret = req;
	return r;
}

int scan_request_check(const struct scan_request *req, struct err *err)
{
	struct arena a = {0};
	struct glob_set mask = {.fold = true}, protect = {0};
	int r = 0;
	for (size_t i = 0; r == 0 && i < req->mask.n; i++)
		r = glob_set_add(&a, &mask, req->mask.v[i], err);
	for (size_t i = 0; r == 0 && i < req->protect.n; i++)
		r = glob_set_add(&a, &protect, req->protect.v[i], err);
	arena_free(&a);
	return r;
}
