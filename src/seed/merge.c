/* seed/merge.c - reading a template's settings and merging into them; see merge.h.  Pure. */
#include "seed/merge.h"

#include "json/json.h"
#include "seed/merge-wire.h"
#include "seed/toml.h"

static int merge_toml(struct arena *a, struct seed_merge *m, struct err *err)
{
	struct toml_doc base, add;
	const char *const texts[] = {m->top, m->all};
	int r = toml_doc_parse(a, m->base, m->n, NULL, NULL, NULL, &base, err);
	if (r == 0)
		r = toml_doc_open(&base, err);
	for (size_t i = 0; i < ARRAY_LEN(texts) && r == 0; i++) {
		if (!texts[i])
			continue;
		r = toml_doc_parse(a, texts[i], strlen(texts[i]), NULL, NULL, NULL, &add, err);
		if (r == 0)
			r = toml_doc_open(&add, err);
		if (r == 0)
			toml_doc_merge(&base, &add, texts[i] == m->top);
	}
	if (r < 0)
		return r;
	m->text = toml_doc_text(&base);
	return m->text ? arena_check(a, err) : err_set(err, ENOMEM, "out of memory");
}

static int merge_json(struct arena *a, struct seed_merge *m, struct err *err)
{
	_cleanup_(json_doc_freep) struct json_doc *base = NULL;
	const char *const texts[] = {m->top, m->all};
	int r = json_doc_parse(m->base, m->n, &base, err);
	for (size_t i = 0; i < ARRAY_LEN(texts) && r == 0; i++) {
		_cleanup_(json_doc_freep) struct json_doc *add = NULL;
		if (!texts[i])
			continue;
		r = json_doc_parse(texts[i], strlen(texts[i]), &add, err);
		if (r == 0)
			r = json_doc_merge(base, add, texts[i] == m->top);
	}
	if (r < 0)
		return r;
	_cleanup_free_ char *text = json_doc_text(base);
	m->text = text ? arena_dup(a, text) : NULL;
	return m->text ? 0 : err_set(err, ENOMEM, "out of memory");
}

int seed_merge_one(struct arena *a, struct seed_merge *m, struct err *err)
{
	if (m->n == strspn(m->base, " \t\r\n")) {
		m->base = m->format == SEED_TOML ? "" : "{}"; /* made, and never filled */
		m->n = strlen(m->base);
	}
	return m->format == SEED_TOML ? merge_toml(a, m, err) : merge_json(a, m, err);
}

/* The records of one file, behind MERGE_FORMAT. */
static bool take(struct seed_merge *m, const struct blob_view *v)
{
	switch (v->tag) {
	case MERGE_BASE: /* with a NUL behind it that does not count */
		m->base = v->len && !v->data[v->len - 1] ? v->data : NULL;
		m->n = v->len - 1;
		return m->base != NULL;
	case MERGE_TOP:
		return (m->top = blob_str(v)) != NULL;
	case MERGE_ALL:
		return (m->all = blob_str(v)) != NULL;
	default:
		return false;
	}
}

static int answer_one(struct arena *a, struct seed_merge *m, struct blob *answer)
{
	struct err err = {0};
	if (!m->base || !m->all)
		return -EBADMSG;
	if (seed_merge_one(a, m, &err) == 0)
		blob_put_str(answer, MERGE_TEXT, m->text);
	else
		blob_put_str(answer, MERGE_BAD, err.msg);
	return 0;
}

int seed_merge_answer(struct arena *a, const char *request, size_t n, struct blob *answer)
{
	struct blob_iter it;
	struct blob_view v;
	struct seed_merge m = {0};
	uint64_t format;
	bool any = false;
	int more, r = 0;
	blob_iter_init(&it, request, n);
	while (r == 0 && (more = blob_next(&it, &v)) > 0) {
		if (v.tag != MERGE_FORMAT) {
			r = any && take(&m, &v) ? 0 : -EBADMSG;
			continue;
		}
		r = any ? answer_one(a, &m, answer) : 0;
		any = true;
		if (blob_u64(&v, &format) < 0)
			r = -EBADMSG;
		m = (struct seed_merge){.format = format ? SEED_TOML : SEED_JSON};
	}
	if (r == 0 && more < 0)
		r = -EBADMSG;
	return r == 0 && any ? answer_one(a, &m, answer) : r;
}
