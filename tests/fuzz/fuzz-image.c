/* tests/fuzz/fuzz-image.c - the JSON of images: whatever it holds, the answer has the form that its
 * readers want, and no name in it leads out of an archive.  The first byte chooses what is read.
 */
#include <stdlib.h>
#include <string.h>

#include "image/ask.h"
#include "store/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_line(struct arena *a, enum image_op op, const struct image_line *l)
{
	struct image_desc d;
	struct template_info t;
	struct ref ref;
	struct err err = {0};
	const char *v = l->value;
	if (op == IMAGE_READ_ARCHIVE && (streq(l->key, "image") || streq(l->key, "layer")))
		check(v[0] != '/' && !streq(v, "..") && !has_prefix(v, "../") &&
			!strstr(v, "/../"));
	else if (streq(l->key, "name"))
		check(ref_parse(a, v, &ref, &err) == 0);
	else if (streq(l->key, "info"))
		check(template_info_parse(a, l->value, strlen(v), &t, &err) == 0);
	else if (!streq(l->key, "kind") && !streq(l->key, "bad-name") && !streq(l->key, "doc"))
		check(image_desc_parse(a, v, &d) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct err err = {0};
	struct image_lines lines;
	char *text = NULL;
	size_t len = 0;
	if (n == 0 || n > 100000)
		return 0;
	struct image_request req = {.op = (enum image_op)(1 + data[0] % IMAGE_EDIT_CONFIG),
		.doc = (const char *)data + 1,
		.n_doc = n - 1,
		.platform = {.os = "linux", .arch = "amd64", .level = 3}};
	/* what stands behind a line of four dashes is an image's passwd file */
	const char *rest = memmem(data, n, "\n----\n", 6);
	if (rest) {
		req.n_doc = (size_t)(rest - (const char *)data) - (rest > (const char *)data);
		req.passwd = rest + 6;
		req.n_passwd = n - (size_t)(rest + 6 - (const char *)data);
	}
	FILE *f = open_memstream(&text, &len);
	check(f != NULL);
	int r = image_answer(&a, &req, f, &err);
	if (r == 0)
		fputs("done -\n", f);
	fclose(f);
	check(r == 0 || (err.msg[0] && !memchr(err.msg, '\n', strlen(err.msg))));
	if (r == 0) {
		check(image_lines_parse(&a, text, len, &lines, &err) == 0);
		for (size_t i = 0; i < lines.n; i++)
			check_line(&a, req.op, &lines.v[i]);
	}
	/* and as a request, which is one of our own making, but is read by a confined process */
	image_request_read(&a, data, n, &req, &err);
	free(text);
	arena_free(&a);
	return 0;
}
