/* image/ask.c - asking bawn-image to read; see image.h */
#include "image/ask.h"

#include "base/job.h"
#include "store/ref.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define TIMEOUT_MS 120000

int image_bad_answer(struct err *err)
{
	err_hint(err, "is there enough memory?");
	return err_set(err, EBADMSG, "bawn-image has ended without an answer");
}

/* A failure that it has said. */
static int failed(const struct image_lines *l, struct err *err)
{
	int code = EINVAL;
	const char *error = NULL, *hint = NULL;
	for (size_t i = 0; i < l->n; i++) {
		if (streq(l->v[i].key, "errno"))
			code = (int)strtol(l->v[i].value, NULL, 10);
		else if (streq(l->v[i].key, "error"))
			error = l->v[i].value;
		else if (streq(l->v[i].key, "hint"))
			hint = l->v[i].value;
	}
	if (!error)
		return image_bad_answer(err);
	if (hint)
		err_hint(err, "%s", hint);
	return err_set(err, code == ENOEXEC || code == ENOMEM ? code : EINVAL, "%s", error);
}

int image_lines_parse(
	struct arena *a, char *text, size_t n, struct image_lines *ret, struct err *err)
{
	struct image_lines l = {0};
	size_t cap = 0;
	bool error = false;
	if (n == 0 || memchr(text, '\0', n) || text[n - 1] != '\n')
		return image_bad_answer(err);
	text[n - 1] = '\0';
	for (char *line; (line = strsep(&text, "\n"));) {
		char *key = strsep(&line, " ");
		l.v = arena_grow(a, l.v, l.n, &cap, sizeof(*l.v));
		if (!l.v)
			return err_set(err, ENOMEM, "out of memory");
		if (!line || !line_unescape(line))
			return image_bad_answer(err);
		l.v[l.n++] = (struct image_line){key, line};
		error |= streq(key, "error");
	}
	if (error)
		return failed(&l, err);
	if (!streq(l.v[l.n - 1].key, "done"))
		return image_bad_answer(err);
	l.n--;
	*ret = l;
	return 0;
}

int image_ask(const char *helper, struct arena *a, const struct image_request *req,
	struct image_lines *ret, struct err *err)
{
	struct blob b = {0};
	struct job job = JOB_NONE;
	char *text = NULL;
	size_t n = 0;
	if (req->n_doc > IMAGE_DOC_MAX)
		return err_set(err, EFBIG, "a document of more than %zu MB", IMAGE_DOC_MAX >> 20);
	int r = image_request_write(&b, req) < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
	if (r == 0)
		r = job_start(helper, "bawn-image", &b, NULL, 0, &job, err);
	if (r == 0 && job_read(&job, ANSWER_MAX, TIMEOUT_MS, a, &text, &n) < 0)
		r = image_bad_answer(err);
	job_end(&job, false);
	if (r == 0)
		r = image_lines_parse(a, text, n, ret, err);
	blob_free(&b);
	return r;
}

int image_desc_parse(struct arena *a, const char *text, struct image_desc *ret)
{
	struct image_desc d = {0};
	char *rest = arena_dup(a, text), *end;
	d.digest = rest ? strsep(&rest, " ") : NULL;
	char *size = rest ? strsep(&rest, " ") : NULL;
	d.media = rest;
	if (!d.media || !ref_digest_hex(d.digest) || *size < '0' || *size > '9')
		return -EBADMSG;
	errno = 0;
	d.size = strtoull(size, &end, 10);
	if (*end || errno)
		return -EBADMSG;
	*ret = d;
	return 0;
}

/* ---- reading ---- */

int image_read_archive(const char *helper, struct arena *a, const char *doc, size_t n,
	struct image_saved **ret, size_t *ret_n, struct err *err)
{
	struct image_request req = {.op = IMAGE_READ_ARCHIVE, .doc = doc, .n_doc = n};
	struct image_lines l;
	struct image_saved *v = NULL;
	size_t found = 0, cap = 0;
	int r = image_ask(helper, a, &req, &l, err);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		const char *key = l.v[i].key;
		if (streq(key, "image")) {
			v = arena_grow(a, v, found, &cap, sizeof(*v));
			if (!v)
				return err_set(err, ENOMEM, "out of memory");
			v[found++] = (struct image_saved){.config = l.v[i].value};
		} else if (found && streq(key, "layer")) {
			strv_push(a, &v[found - 1].layers, l.v[i].value);
		} else if (found && streq(key, "name")) {
			strv_push(a, &v[found - 1].names, l.v[i].value);
		} else if (!streq(key, "bad-name")) {
			return image_bad_answer(err);
		}
	}
	if (r == 0)
		r = arena_check(a, err);
	if (r < 0)
		return r;
	*ret = v;
	*ret_n = found;
	return 0;
}

int image_read_layout(const char *helper, struct arena *a, const char *doc, size_t n,
	const struct image_platform *p, struct image_desc **ret, size_t *ret_n, struct err *err)
{
	struct image_request req = {
		.op = IMAGE_READ_LAYOUT, .doc = doc, .n_doc = n, .platform = *p};
	struct image_lines l;
	struct image_desc *v = NULL;
	size_t found = 0, cap = 0;
	int r = image_ask(helper, a, &req, &l, err);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		if (streq(l.v[i].key, "manifest")) {
			v = arena_grow(a, v, found, &cap, sizeof(*v));
			if (!v)
				return err_set(err, ENOMEM, "out of memory");
			if (image_desc_parse(a, l.v[i].value, &v[found++]) < 0)
				return image_bad_answer(err);
		} else if (found && streq(l.v[i].key, "name")) {
			strv_push(a, &v[found - 1].names, l.v[i].value);
		} else {
			return image_bad_answer(err);
		}
	}
	if (r == 0)
		r = arena_check(a, err);
	if (r < 0)
		return r;
	*ret = v;
	*ret_n = found;
	return 0;
}

int image_read_manifest(const char *helper, struct arena *a, const char *doc, size_t n,
	const struct image_platform *p, struct image_manifest *ret, struct err *err)
{
	struct image_request req = {
		.op = IMAGE_READ_MANIFEST, .doc = doc, .n_doc = n, .platform = *p};
	struct image_manifest m = {0};
	struct image_lines l;
	size_t cap = 0;
	int r = image_ask(helper, a, &req, &l, err);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		const char *key = l.v[i].key, *value = l.v[i].value;
		struct image_desc *to = streq(key, "config") ? &m.config
			: streq(key, "chosen")               ? &m.chosen
							     : NULL;
		if (streq(key, "kind")) {
			m.index = streq(value, "index");
			continue;
		}
		if (streq(key, "layer")) {
			m.layer = arena_grow(a, m.layer, m.n, &cap, sizeof(*m.layer));
			if (!m.layer)
				return err_set(err, ENOMEM, "out of memory");
			to = &m.layer[m.n++];
		}
		if (!to || image_desc_parse(a, value, to) < 0)
			return image_bad_answer(err);
	}
	if (r == 0)
		r = arena_check(a, err);
	if (r == 0 && !(m.index ? m.chosen.digest : m.config.digest))
		r = image_bad_answer(err);
	if (r == 0)
		*ret = m;
	return r;
}

int image_read_config(const char *helper, struct arena *a, const char *doc, size_t n,
	const struct image_platform *p, const char *passwd, size_t n_passwd,
	struct template_info *ret, struct err *err)
{
	struct image_request req = {.op = IMAGE_READ_CONFIG,
		.doc = doc,
		.n_doc = n,
		.passwd = passwd,
		.n_passwd = n_passwd};
	struct image_lines l;
	if (p)
		req.platform = *p;
	int r = image_ask(helper, a, &req, &l, err);
	if (r < 0)
		return r;
	if (l.n != 1 || !streq(l.v[0].key, "info"))
		return image_bad_answer(err);
	return template_info_parse(a, l.v[0].value, strlen(l.v[0].value), ret, err);
}
