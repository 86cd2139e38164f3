/* image/request.c - see request.h: the record form of a request, and its check */
#include "image/request.h"

enum tag {
	TAG_OP = 1,
	TAG_DOC,
	TAG_PASSWD,
	TAG_OS,
	TAG_ARCH,
	TAG_VARIANT,
	TAG_LINE,
	TAG_END,
	TAG_LEVEL
};

int image_request_write(struct blob *b, const struct image_request *req)
{
	blob_put_u64(b, TAG_OP, req->op);
	if (req->doc)
		blob_put(b, TAG_DOC, req->doc, req->n_doc);
	if (req->passwd)
		blob_put(b, TAG_PASSWD, req->passwd, req->n_passwd);
	blob_put_opt(b, TAG_OS, req->platform.os);
	blob_put_opt(b, TAG_ARCH, req->platform.arch);
	blob_put_opt(b, TAG_VARIANT, req->platform.variant);
	if (req->platform.level)
		blob_put_u64(b, TAG_LEVEL, req->platform.level);
	for (size_t i = 0; i < req->lines.n; i++)
		blob_put_str(b, TAG_LINE, req->lines.v[i]);
	blob_put_u64(b, TAG_END, 0);
	return b->failed ? -ENOMEM : 0;
}

static int get_text(const struct blob_view *v, const char **ret)
{
	*ret = blob_str(v);
	return *ret ? 0 : -EBADMSG;
}

static int get_line(struct arena *a, const struct blob_view *v, struct strv *lines)
{
	const char *line = blob_str(v);
	if (!line || !strchr(line, ' ') || lines->n == IMAGE_LINES_MAX)
		return -EBADMSG;
	return strv_add(a, lines, line);
}

static int get(struct arena *a, const struct blob_view *v, struct image_request *req)
{
	uint64_t op = 0;
	switch (v->tag) {
	case TAG_OP:
		if (blob_u64(v, &op) < 0 || op == 0 || op >= IMAGE_OPS)
			return -EBADMSG;
		req->op = (enum image_op)op;
		return 0;
	case TAG_DOC:
		req->doc = v->data;
		req->n_doc = v->len;
		return req->n_doc <= IMAGE_DOC_MAX ? 0 : -EBADMSG;
	case TAG_PASSWD:
		req->passwd = v->data;
		req->n_passwd = v->len;
		return 0;
	case TAG_OS:
		return get_text(v, &req->platform.os);
	case TAG_ARCH:
		return get_text(v, &req->platform.arch);
	case TAG_VARIANT:
		return get_text(v, &req->platform.variant);
	case TAG_LEVEL:
		if (blob_u64(v, &op) < 0 || op > 9)
			return -EBADMSG;
		req->platform.level = (unsigned int)op;
		return 0;
	case TAG_LINE:
		return get_line(a, v, &req->lines);
	default:
		return -EBADMSG;
	}
}

int image_request_read(
	struct arena *a, const void *data, size_t n, struct image_request *ret, struct err *err)
{
	struct image_request req = {0};
	struct blob_iter it;
	struct blob_view v;
	bool done = false;
	int r;
	blob_iter_init(&it, data, n);
	while ((r = blob_next(&it, &v)) > 0) {
		done = v.tag == TAG_END;
		r = done ? 0 : get(a, &v, &req);
		if (done || r < 0)
			break;
	}
	if (r < 0 || !done || !req.op)
		return err_set(err, EBADMSG, "malformed request");
	*ret = req;
	return arena_check(a, err);
}
