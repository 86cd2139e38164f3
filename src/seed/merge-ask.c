/* seed/merge-ask.c - the caller's side of bawn-merge; see merge.h */
#include "base/job.h"
#include "seed/merge.h"
#include "seed/merge-wire.h"

#define TIMEOUT_MS 30000

static void does_not_count(struct seed_copy *c, const struct seed_merge *m, const char *why)
{
	seed_say(c->report, SEED_NOTICE, "~/%s of the template does not count: %s", m->rel, why);
}

/* What the template has; how many files there are. */
static size_t read_bases(struct seed_copy *c, struct seed_merge *m, size_t n)
{
	size_t found = 0, left = SEED_MERGE_MAX / 2;
	for (size_t i = 0; i < n; i++) {
		char *text;
		m[i].base = NULL;
		if (m[i].text)
			continue;
		ssize_t k = seed_read_below(c, m[i].rel, MIN(SEED_FILE_MAX, left), &text);
		if (k == -EFBIG)
			does_not_count(c, &m[i], "it is too large");
		else if (k < 0 && k != -ENOENT && k != -ENOTDIR)
			does_not_count(
				c, &m[i], k == -EINVAL ? "it is no file" : strerror((int)-k));
		if (k < 0)
			continue;
		m[i].base = text;
		m[i].n = (size_t)k;
		left -= (size_t)k;
		found++;
	}
	return found;
}

/* The next file's part of the answer. */
static bool take(struct seed_copy *c, struct seed_merge *m, struct blob_iter *it)
{
	struct blob_view v;
	const char *s = blob_next(it, &v) > 0 ? blob_str(&v) : NULL;
	if (!s)
		return false;
	if (v.tag == MERGE_TEXT)
		m->text = arena_dup(c->a, s);
	else
		does_not_count(c, m, s);
	return v.tag == MERGE_TEXT || v.tag == MERGE_BAD;
}

static int ask(
	struct seed_copy *c, const char *helper, struct seed_merge *m, size_t n, struct err *err)
{
	struct blob rq = {0};
	struct job job = JOB_NONE;
	char *answer = NULL;
	size_t size = 0;
	for (size_t i = 0; i < n; i++) {
		if (!m[i].base)
			continue;
		blob_put_u64(&rq, MERGE_FORMAT, m[i].format == SEED_TOML);
		blob_put(&rq, MERGE_BASE, m[i].base, m[i].n + 1);
		blob_put_opt(&rq, MERGE_TOP, m[i].top);
		blob_put_str(&rq, MERGE_ALL, m[i].all);
	}
	int r = job_start(helper, "bawn-merge", &rq, NULL, 0, &job, err);
	blob_free(&rq);
	if (r < 0)
		return r;
	r = job_read(&job, SEED_MERGE_MAX, TIMEOUT_MS, c->a, &answer, &size);
	job_end(&job, r == 0);
	struct blob_iter it;
	blob_iter_init(&it, answer, r == 0 ? size : 0);
	/* A file that ends its reader is one more that can't be read. */
	for (size_t i = 0; i < n; i++)
		if (m[i].base && !take(c, &m[i], &it))
			does_not_count(c, &m[i], "reading it failed");
	return 0;
}

int seed_merge_all(
	struct seed_copy *c, const char *helper, struct seed_merge *m, size_t n, struct err *err)
{
	int r = c->below && read_bases(c, m, n) ? ask(c, helper, m, n, err) : 0;
	for (size_t i = 0; i < n && r == 0; i++)
		if (!m[i].text)
			m[i].text = arena_dup(c->a, m[i].all);
	return r < 0 ? r : arena_check(c->a, err);
}
