/* gate/wire.c - request, secrets and result of bawn-gate, and its caller's side; see gate.h */
#include "gate/gate.h"

#include "base/job.h"

#define RESULT_MAX ((size_t)64 << 20)

int gate_request_write(struct blob *b, const struct gate_request *r)
{
	blob_put_u64(b, GATE_TAG_NOW, r->now);
	blob_put_strv(b, GATE_TAG_ALLOW, &r->allow);
	return blob_put_strv(b, GATE_TAG_HARMLESS, &r->harmless);
}

int gate_request_read(
	struct arena *a, const void *data, size_t n, struct gate_request *ret, struct err *err)
{
	struct gate_request r = {0};
	struct blob_iter it;
	struct blob_view v;
	int more, k = 0;
	blob_iter_init(&it, data, n);
	while (k == 0 && (more = blob_next(&it, &v)) > 0)
		k = v.tag == GATE_TAG_NOW            ? blob_u64(&v, &r.now)
			: v.tag == GATE_TAG_ALLOW    ? blob_strv(a, &v, &r.allow)
			: v.tag == GATE_TAG_HARMLESS ? blob_strv(a, &v, &r.harmless)
						     : -EBADMSG;
	if (k < 0 || more < 0)
		return err_set(err, EBADMSG, "a malformed request to bawn-gate");
	*ret = r;
	return 0;
}

int gate_secrets_put(struct blob *b, const char *name, const void *v, size_t n)
{
	blob_put_str(b, GATE_TAG_NAME, name);
	return blob_put(b, GATE_TAG_VALUE, v, n);
}

int gate_result_put(struct blob *b, uint32_t tag, const struct gate_item *it)
{
	const char *const s[] = {it->path, it->member, it->what};
	blob_put_u64(b, GATE_TAG_LINE, it->line);
	return blob_put_strs(b, tag, s, ARRAY_LEN(s));
}

static int read_item(
	struct arena *a, const struct blob_view *v, uint64_t line, struct gate_items *list)
{
	size_t pos = 0;
	struct gate_item it = {.path = blob_strs_next(v, &pos),
		.member = blob_strs_next(v, &pos),
		.what = blob_strs_next(v, &pos),
		.line = line};
	if (!it.what || list->n >= 2 * GATE_FOUND_MAX)
		return -EBADMSG;
	struct gate_item *grown = arena_grow(a, list->v, list->n, &list->cap, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->v = grown;
	list->v[list->n++] = it;
	return 0;
}

int gate_result_read(
	struct arena *a, const void *data, size_t n, struct gate_result *ret, struct err *err)
{
	struct gate_result r = {0};
	struct blob_iter it;
	struct blob_view v;
	uint64_t line = 0;
	bool whole = false;
	int more, k = 0;
	blob_iter_init(&it, data, n);
	while (k == 0 && !whole && (more = blob_next(&it, &v)) > 0) {
		struct gate_totals t;
		if (v.tag == GATE_TAG_LINE) {
			k = blob_u64(&v, &line);
		} else if (v.tag == GATE_TAG_FOUND || v.tag == GATE_TAG_ALLOWED ||
			v.tag == GATE_TAG_UNSEEN) {
			k = read_item(a, &v, line,
				v.tag == GATE_TAG_FOUND             ? &r.found
					: v.tag == GATE_TAG_ALLOWED ? &r.allowed
								    : &r.unseen);
		} else if (v.tag == GATE_TAG_FAILED && blob_str(&v)) {
			return err_set(err, EIO, "%.600s", blob_str(&v));
		} else if (v.tag == GATE_TAG_TOTALS && v.len == sizeof(t)) {
			memcpy(&t, v.data, sizeof(t));
			r.n_found = t.n_found;
			r.n_allowed = t.n_allowed;
			r.n_unseen = t.n_unseen;
			r.files = t.files;
			r.bytes = t.bytes;
			r.too_short = t.too_short;
			whole = true;
		} else {
			k = -EBADMSG;
		}
	}
	if (k < 0 || !whole || r.n_found < r.found.n || (r.n_found && !r.found.n) ||
		r.n_allowed < r.allowed.n || r.n_unseen < r.unseen.n)
		return err_set(err, EBADMSG, "bawn-gate answered nonsense, or was cut short");
	*ret = r;
	return 0;
}

int gate_run(const char *helper, const struct gate_request *req, int dir, int secrets,
	struct arena *a, struct gate_result *ret, struct err *err)
{
	struct blob b = {0};
	struct job job = JOB_NONE;
	const int more[] = {dir, secrets};
	char *buf = NULL;
	size_t n = 0;
	int status = 0;
	gate_request_write(&b, req);
	int r = job_start(helper, "bawn-gate", &b, more, ARRAY_LEN(more), &job, err);
	blob_free(&b);
	if (r < 0)
		return r;
	r = job_read(&job, RESULT_MAX, -1, a, &buf, &n);
	if (r < 0) {
		job_end(&job, false);
		return err_sys(err, -r, "read the result of bawn-gate");
	}
	r = proc_wait(&job.proc, &status);
	job_end(&job, true);
	if (r == 0 && status >= 128) {
		err_hint(err,
			"it has limits of time and memory; take large archives out of the sandbox");
		return err_set(err, EIO, "bawn-gate was ended by signal %d: not all was looked at",
			status - 128);
	}
	return gate_result_read(a, buf, n, ret, err);
}
