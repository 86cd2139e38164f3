/* image/answer.c - one request, one answer; see image.h.  Pure. */
#include "image/request.h"
#include "json/value.h"

/* What each asks for is said in front of a message. */
static const char *const what[IMAGE_OPS] = {
	[IMAGE_READ_ARCHIVE] = "manifest.json",
	[IMAGE_READ_LAYOUT] = "index.json",
	[IMAGE_READ_MANIFEST] = "the manifest",
	[IMAGE_READ_CONFIG] = "the configuration",
	[IMAGE_EDIT_CONFIG] = "the configuration",
};

static int edit(struct arena *a, const struct image_request *req, struct json_value *doc, FILE *out,
	struct err *err)
{
	int r = image_config_edit(a, doc, &req->lines, err);
	size_t n;
	_cleanup_free_ char *text = r < 0 ? NULL : json_value_print(doc, &n);
	if (r == 0 && !text)
		r = err_set(err, ENOMEM, "out of memory");
	if (r == 0)
		line_put(out, "doc", text);
	return r;
}

static int read_doc(struct arena *a, const struct image_request *req, struct json_value *doc,
	FILE *out, struct err *err)
{
	if (req->op == IMAGE_READ_ARCHIVE)
		return image_archive_read(a, doc, out, err);
	if (req->op == IMAGE_EDIT_CONFIG)
		return edit(a, req, doc, out, err);
	if (req->op == IMAGE_READ_CONFIG)
		return image_config_read(a, req, doc, out, err);
	if (!req->platform.os || !req->platform.arch)
		return err_set(err, EINVAL, "no platform is asked for");
	return req->op == IMAGE_READ_LAYOUT ? image_layout_read(a, doc, &req->platform, out, err)
					    : image_manifest_read(a, doc, &req->platform, out, err);
}

int image_answer(struct arena *a, const struct image_request *req, FILE *out, struct err *err)
{
	_cleanup_json_ struct json_value *doc = NULL;
	if (req->op >= IMAGE_WRITE_MANIFEST)
		return image_write(a, req, out, err);
	int r = 0;
	if (!req->doc && req->op == IMAGE_EDIT_CONFIG)
		r = (doc = json_value_object()) ? 0 : err_set(err, ENOMEM, "out of memory");
	else
		r = json_value_parse(req->doc ? req->doc : "", req->n_doc, &doc, err);
	if (r < 0)
		return err_prefix(err, "%s", what[req->op]);
	return read_doc(a, req, doc, out, err);
}
