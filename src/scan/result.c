/* scan/result.c - see result.h */
#include "scan/result.h"

#include "base/path.h"

enum tag { TAG_ITEM = 1, TAG_DONE, TAG_ERROR };

struct wire_item {
	uint32_t kind, type, flags, per;
};

struct wire_done {
	uint64_t n_items, n_dirs, n_files, cached;
};

int scan_result_put(struct blob *b, const struct scan_item *it)
{
	const char *detail = it->detail ? it->detail : "";
	size_t np = strlen(it->path) + 1, nd = strlen(detail) + 1;
	size_t n = sizeof(struct wire_item) + np + nd + it->n_text;
	char *buf = blob_put_space(b, TAG_ITEM, n);
	if (!buf)
		return -ENOMEM;
	struct wire_item w = {
		.kind = it->kind, .type = it->type, .flags = it->flags, .per = it->per};
	memcpy(buf, &w, sizeof(w));
	memcpy(buf + sizeof(w), it->path, np);
	memcpy(buf + sizeof(w) + np, detail, nd);
	if (it->n_text)
		memcpy(buf + sizeof(w) + np + nd, it->text, it->n_text);
	return 0;
}

int scan_result_done(struct blob *b, const struct scan_result *totals)
{
	struct wire_done d = {.n_items = totals->n,
		.n_dirs = totals->n_dirs,
		.n_files = totals->n_files,
		.cached = totals->cached};
	return blob_put(b, TAG_DONE, &d, sizeof(d));
}

int scan_result_error(struct blob *b, const struct err *err)
{
	return blob_put_str(b, TAG_ERROR, err->msg);
}

/* Absolute, no empty, "." or ".." component. */
static bool plain_path(const char *p)
{
	if (p[0] != '/' || !p[1])
		return false;
	while (*p) {
		p++;
		size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return true;
}

static bool asked_for(const struct scan_request *req, const struct scan_item *it)
{
	if (it->kind == SCAN_GIT_CONFIG || it->kind == SCAN_GIT_KEPT ||
		it->kind == SCAN_GIT_DROPPED) {
		for (size_t i = 0; i < req->n_git; i++)
			if (streq(it->path, req->git[i].real))
				return true;
		return false;
	}
	if (path_within(it->path, req->root))
		return true;
	for (size_t i = 0; i < req->git_dirs.n; i++)
		if (path_within(it->path, req->git_dirs.v[i]))
			return true;
	return false;
}

static int read_item(
	const struct blob_view *v, const struct scan_request *req, struct scan_item *ret)
{
	struct wire_item w;
	if (v->len < sizeof(w) + 2)
		return -EBADMSG;
	memcpy(&w, v->data, sizeof(w));
	const char *p = v->data + sizeof(w), *end = v->data + v->len;
	const char *detail = memchr(p, 0, (size_t)(end - p));
	const char *text = detail ? memchr(detail + 1, 0, (size_t)(end - detail - 1)) : NULL;
	if (!text || w.kind == 0 || w.kind >= SCAN_KINDS || w.type == 0 || w.type >= SCAN_TYPES ||
		(w.flags & ~(uint32_t)(SCAN_NEW | SCAN_AUTO)) || w.per > 99)
		return -EBADMSG;
	struct scan_item it = {.kind = w.kind,
		.type = w.type,
		.flags = w.flags,
		.per = w.per,
		.path = p,
		.detail = detail + 1,
		.text = text + 1,
		.n_text = (size_t)(end - text - 1)};
	if (it.n_text && it.kind != SCAN_GIT_CONFIG)
		return -EBADMSG;
	if (!plain_path(it.path) || !asked_for(req, &it))
		return -EBADMSG;
	*ret = it;
	return 0;
}

int scan_result_read(struct arena *a, const void *data, size_t n, const struct scan_request *req,
	struct scan_result *ret, struct err *err)
{
	struct scan_result out = {0};
	struct blob_iter it;
	struct blob_view v;
	size_t cap = 0;
	bool done = false;
	int r;
	blob_iter_init(&it, data, n);
	while ((r = blob_next(&it, &v)) > 0 && !done) {
		struct wire_done d;
		if (v.tag == TAG_ERROR && blob_str(&v))
			return err_set(err, EIO, "looking through the workspace: %s", blob_str(&v));
		if (v.tag == TAG_DONE && v.len == sizeof(d)) {
			memcpy(&d, v.data, sizeof(d));
			done = d.n_items == out.n;
			out.n_dirs = d.n_dirs;
			out.n_files = d.n_files;
			out.cached = d.cached == 1;
			if (!done)
				break;
			continue;
		}
		struct scan_item *p = arena_grow(a, out.v, out.n, &cap, sizeof(*p));
		if (!p)
			return err_set(err, ENOMEM, "out of memory");
		out.v = p;
		if (v.tag != TAG_ITEM || read_item(&v, req, &out.v[out.n]) < 0) {
			done = false;
			break;
		}
		out.n++;
	}
	if (r != 0 || !done)
		return err_set(err, EBADMSG, "the workspace scan gave a malformed result");
	*ret = out;
	return 0;
}
