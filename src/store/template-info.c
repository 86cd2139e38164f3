/* store/template-info.c - see template-info.h */
#include "store/template-info.h"

#include <inttypes.h>

#include "base/escape.h"
#include "store/line.h"
#include "store/ref.h"

#define VERSION 1

enum kind { TEXT, LIST, HEXES, NUMBER, DIGEST };

struct field {
	const char *key;
	enum kind kind;
	size_t at;
};

#define F(type, kind, key, member)                                                                 \
	{                                                                                          \
		key, kind, offsetof(struct type, member)                                           \
	}
static const struct field template_fields[] = {
	F(template_info, HEXES, "layer", layers),
	F(template_info, LIST, "env", env),
	F(template_info, TEXT, "user", user),
	F(template_info, TEXT, "workdir", workdir),
	F(template_info, LIST, "entrypoint", entrypoint),
	F(template_info, LIST, "shell", shell),
	F(template_info, LIST, "onbuild", onbuild),
	F(template_info, LIST, "cmd", cmd),
	F(template_info, TEXT, "arch", arch),
	F(template_info, TEXT, "os", os),
	F(template_info, TEXT, "variant", variant),
	F(template_info, TEXT, "created", created),
	F(template_info, NUMBER, "size", size),
	F(template_info, LIST, "passwd", passwd),
	{0},
};

static const struct field layer_fields[] = {
	F(template_layer, NUMBER, "size", size),
	F(template_layer, NUMBER, "tar", tar),
	F(template_layer, NUMBER, "entries", entries),
	F(template_layer, NUMBER, "skipped", skipped),
	F(template_layer, LIST, "blob", blobs),
	F(template_layer, LIST, "note", notes),
	{0},
};

/* A result has these in front; its skipped and the rest are those of a layer. */
static const struct field result_diff = F(template_layer, DIGEST, "diff", diff);
#undef F

/* ---- reading ---- */

static bool number(const char *s, uint64_t *ret)
{
	char *end;
	errno = 0;
	if (*s < '0' || *s > '9')
		return false;
	*ret = strtoull(s, &end, 10);
	return !*end && !errno;
}

static bool set(struct arena *a, void *of, const struct field *f, char *value)
{
	void *at = (char *)of + f->at;
	switch (f->kind) {
	case TEXT:
		if (*(char **)at)
			return false;
		*(char **)at = value;
		return true;
	case DIGEST:
		if (*(char **)at || !ref_digest_hex(value))
			return false;
		*(char **)at = value + strlen(value) - 64;
		return true;
	case HEXES:
		if (!ref_is_hex(value))
			return false;
		/* fallthrough */
	case LIST:
		strv_push(a, at, value);
		return true;
	case NUMBER:
		return number(value, at);
	}
	return false;
}

static int read_line(struct arena *a, void *of, const struct field *fields,
	const struct field *more, char *line, unsigned int nr, struct err *err)
{
	char shown[64];
	char *key = strsep(&line, " ");
	const struct field *f = more && streq(more->key, key) ? more : fields;
	while (f->key && !streq(f->key, key))
		f++;
	/* what bawn-layer says is fit to be shown as it stands (\xHH in it), and not unescaped */
	if (f->key && line && (more || line_unescape(line)) && set(a, of, f, line))
		return 0;
	escape_text(shown, sizeof(shown), key);
	return err_set(err, EINVAL, "line %u: %s '%s'", nr,
		f->key ? "malformed value of" : "unknown key", shown);
}

/* Whole lines of text, without a NUL among them. */
static int whole(char *text, size_t n, struct err *err)
{
	if (n == 0 || memchr(text, '\0', n) || text[n - 1] != '\n')
		return err_set(err, EINVAL, "it is cut short or no text");
	text[n - 1] = '\0';
	return 0;
}

static int read_lines(struct arena *a, void *of, const struct field *fields,
	const struct field *more, char *text, unsigned int nr, struct err *err)
{
	int r = 0;
	for (char *line; r == 0 && (line = strsep(&text, "\n"));)
		r = read_line(a, of, fields, more, line, ++nr, err);
	return r < 0 ? r : arena_check(a, err);
}

static int read_head(char **text, const char *magic, struct err *err)
{
	uint64_t v = 0;
	char *first = strsep(text, "\n");
	size_t n = strlen(magic);
	if (strncmp(first, magic, n) != 0 || first[n] != ' ' || !number(first + n + 1, &v) || !v)
		return err_set(err, EINVAL, "line 1: it isn't %s", magic);
	if (v > VERSION)
		return err_set(err, EPROTO,
			"a later version of bawn has written it (format %" PRIu64
			", this one knows %d)",
			v, VERSION);
	return 0;
}

static int read_file(struct arena *a, void *of, const struct field *fields, const char *magic,
	char *text, size_t n, struct err *err)
{
	int r = whole(text, n, err);
	if (r == 0)
		r = read_head(&text, magic, err);
	return r < 0 ? r : read_lines(a, of, fields, NULL, text, 1, err);
}

int template_info_parse(
	struct arena *a, char *text, size_t n, struct template_info *ret, struct err *err)
{
	struct template_info t = {0};
	int r = read_file(a, &t, template_fields, "bawn-template", text, n, err);
	if (r == 0 && t.layers.n > TEMPLATE_LAYERS_MAX)
		r = err_set(err, EINVAL, "it has more than %d layers", TEMPLATE_LAYERS_MAX);
	if (r == 0)
		*ret = t;
	return r;
}

int template_layer_parse(
	struct arena *a, char *text, size_t n, struct template_layer *ret, struct err *err)
{
	struct template_layer l = {0};
	int r = read_file(a, &l, layer_fields, "bawn-layer", text, n, err);
	if (r == 0)
		*ret = l;
	return r;
}

/* "sha256:HEX BYTES", a type behind it or none. */
static char *check_blob(struct arena *a, char *blob, const char *media)
{
	uint64_t n;
	char *rest = arena_dup(a, blob);
	const char *digest = rest ? strsep(&rest, " ") : "";
	const char *bytes = rest ? strsep(&rest, " ") : NULL;
	if (!bytes || !ref_digest_hex(digest) || !number(bytes, &n) || (rest && strchr(rest, ' ')))
		return NULL;
	return rest ? blob : arena_printf(a, "%s %s", blob, media);
}

int template_layer_result(struct arena *a, char *text, size_t n, const char *media,
	struct template_layer *ret, struct err *err)
{
	struct template_layer l = {0};
	int r = whole(text, n, err);
	if (r == 0)
		r = read_lines(a, &l, layer_fields, &result_diff, text, 0, err);
	for (size_t i = 0; r == 0 && i < l.blobs.n; i++)
		if (!(l.blobs.v[i] = check_blob(a, l.blobs.v[i], media)))
			r = err_set(err, EINVAL, "malformed blob");
	if (r == 0 && !l.diff)
		r = err_set(err, EINVAL, "it has no diff");
	if (r == 0)
		*ret = l;
	return r < 0 ? err_prefix(err, "the layer reader's result") : 0;
}

/* ---- writing ---- */

static char *text_of(const void *of, const struct field *fields, const char *magic, size_t *ret_n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_n);
	if (!f)
		return NULL;
	fprintf(f, "%s %d\n", magic, VERSION);
	for (const struct field *d = fields; d->key; d++) {
		const void *at = (const char *)of + d->at;
		const struct strv *list = at;
		if (d->kind == NUMBER)
			fprintf(f, "%s %" PRIu64 "\n", d->key, *(const uint64_t *)at);
		else if (d->kind == TEXT && *(char *const *)at)
			line_put(f, d->key, *(char *const *)at);
		for (size_t i = 0; (d->kind == LIST || d->kind == HEXES) && i < list->n; i++)
			line_put(f, d->key, list->v[i]);
	}
	bool bad = ferror(f);
	if (fclose(f) == 0 && !bad)
		return text;
	free(text);
	return NULL;
}

char *template_info_text(const struct template_info *t, size_t *ret_n)
{
	return text_of(t, template_fields, "bawn-template", ret_n);
}

char *template_layer_text(const struct template_layer *l, size_t *ret_n)
{
	return text_of(l, layer_fields, "bawn-layer", ret_n);
}
