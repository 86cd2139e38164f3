/* registry/fetch.c - what ADD of a Dockerfile names by a URL: anybody's server, not a registry; see
 * ops.h
 *
 * Theory: a GET that says nothing of who we are, and where it leads, each place looked at before it
 * is asked.  It is done inside a sandbox (run/step.h): whom it may reach, that sandbox's policy
 * says, at each step on the way.  What breaks off begins anew, as nobody knows whether two halves
 * are of one whole.
 */
#include "registry/ops.h"

#include <unistd.h>

#include "base/fd.h"

enum { REDIRECTS = 10 };

struct into {
	int64_t n;
	struct err *err;
};

static int sink(void *ud, const char *data, size_t n)
{
	struct into *to = ud;
	int r = fd_write_all(OPS_DATA_FD, data, n);
	if (r == -ENOSPC || r == -EDQUOT)
		err_hint(to->err, "bawn template prune, or XDG_DATA_HOME on a larger disk");
	if (r < 0)
		return err_sys(to->err, -r, "keep what came");
	to->n += (int64_t)n;
	return 0;
}

/* Where the answer w leads from url. */
static int refused(const struct http_answer *w, struct err *err)
{
	switch (w->status) {
	case 401:
	case 403:
		return err_set(err, EACCES, "it refuses this (%u)", w->status);
	case 404:
	case 410:
		return err_set(err, ENOENT, "there is no such thing (%u)", w->status);
	default:
		if (w->status >= 500)
			err_hint(err, "that is the server's own trouble: try again later");
		return err_set(err, EPROTO, "it answers with status %u", w->status);
	}
}

/* What helps with a registry is of no use here. */
static int own_hint(int r, struct err *err)
{
	if (r == -EKEYREJECTED)
		err_hint(err, "SSL_CERT_FILE names a file of authorities that are to be trusted");
	else if (r != -ENOSPC && r != -EDQUOT)
		err->hint[0] = '\0';
	return r;
}

/* From the beginning; 0 with an answer of 200 whose body is on 4. */
static int once(struct session *s, struct into *to, struct http_answer *w, struct err *err)
{
	static char url[HTTP_URL_MAX];
	struct http_call c = {.method = "GET",
		.url = url,
		.accept = "*/*",
		.file = -1,
		.sink = sink,
		.ud = to,
		.want = -1,
		.max = s->q->size};
	int r = http_resolve(s->q->url, s->q->url, url);
	if (r < 0)
		return err_set(err, EINVAL, "it is no URL that can be asked");
	to->n = 0;
	if (ftruncate(OPS_DATA_FD, 0) < 0 || lseek(OPS_DATA_FD, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "keep what came");
	for (int i = 0; i <= REDIRECTS; i++) {
		c.elsewhere = i > 0 && !http_same_origin(url, s->q->url);
		r = http_do(s->http, &c, w, err);
		if (r < 0)
			return own_hint(r, err);
		if (w->status == 200)
			return 0;
		bool leads = w->status / 100 == 3 && w->status != 300 && w->status != 304;
		if (!leads)
			return refused(w, err);
		r = http_follow(url, w, err);
		if (r < 0)
			return r;
		http_answer_free(w);
	}
	return err_set(err, ELOOP, "it leads on and on: more than %d redirects", REDIRECTS);
}

int fetch_do(struct session *s, struct registry_answer *ret, struct err *err)
{
	struct into to = {.err = err};
	struct http_answer w = {0};
	if (!s->q->url || s->q->size <= 0)
		return err_set(err, EINVAL, "bawn-registry is asked for what can't be");
	for (;;) {
		*err = (struct err){0};
		int r = once(s, &to, &w, err);
		/* of what was closed before a word came the policy is the likeliest cause */
		bool passes = (r == -EAGAIN && w.status) || w.status == 429 || w.status >= 500;
		int64_t after = w.retry_after, modified = w.modified;
		ret->status = w.status;
		http_answer_free(&w);
		if (r < 0 && passes && session_again(s, after))
			continue;
		if (r < 0)
			return r;
		ret->size = to.n;
		ret->modified = MAX(modified, INT64_C(0));
		return 0;
	}
}
