/* registry/ops.c - see ops.h
 *
 * Theory: what comes is hashed as it passes, and what it must be is known before: a blob by its
 * digest and size, a manifest by its digest where one was named, and else by what the registry says
 * of it.  A blob that breaks off is asked for from there on.  A push is a question, a place to put
 * it, and one PUT; where that fails in a way that may pass, all three again.
 */
#include "registry/ops.h"

#include "base/fd.h"
#include "base/sha256.h"

static const char accept_manifests[] = "application/vnd.oci.image.index.v1+json, "
				       "application/vnd.docker.distribution.manifest.list.v2+json, "
				       "application/vnd.oci.image.manifest.v1+json, "
				       "application/vnd.docker.distribution.manifest.v2+json";

#define DIGEST_MAX (sizeof("sha256:") + SHA256_HEX)
/* So much further, and the tries count anew. */
#define PROGRESS ((int64_t)1 << 20)

/* ---- where what comes goes ---- */

struct into {
	struct sha256 sum;
	int64_t n;
	struct err *err;
};

static int sink(void *ud, const char *data, size_t n)
{
	struct into *to = ud;
	int r = fd_write_all(OPS_DATA_FD, data, n);
	if (r == -EPIPE)
		return err_set(to->err, EPIPE, "what reads it has ended");
	if (r == -ENOSPC || r == -EDQUOT)
		err_hint(to->err, "bawn template prune, or XDG_DATA_HOME on a larger disk");
	if (r < 0)
		return err_sys(to->err, -r, "keep what came");
	sha256_add(&to->sum, data, n);
	to->n += (int64_t)n;
	return 0;
}

static char *digest_of(struct arena *a, struct into *to)
{
	char hex[SHA256_HEX + 1];
	return arena_printf(a, "sha256:%s", sha256_end(&to->sum, hex));
}

static bool is_digest(const char *s)
{
	static const char prefix[] = "sha256:";
	return has_prefix(s, prefix) && strlen(s) == strlen(prefix) + SHA256_HEX &&
		strspn(s + strlen(prefix), "0123456789abcdef") == SHA256_HEX;
}

/* ---- pull ---- */

static int get_manifest(
	struct session *s, struct arena *a, struct registry_answer *ret, struct err *err)
{
	const struct registry_request *q = s->q;
	struct http_answer w = {0};
	struct into to = {.err = err};
	sha256_begin(&to.sum);
	struct http_call call = {.method = "GET",
		.url = arena_printf(a, "%s/v2/%s/manifests/%s", q->base, q->repo, q->ref),
		.accept = accept_manifests,
		.file = -1,
		.sink = sink,
		.ud = &to,
		.want = -1,
		.max = REGISTRY_MANIFEST_MAX};
	int r = call.url ? -EAGAIN : -ENOMEM;
	/* a sink that has taken bytes can't be asked to forget them: it is small, so it waits */
	while (r == -EAGAIN) {
		http_answer_free(&w);
		r = session_call(s, &call, false, &w, err);
		if (r == -EAGAIN && (to.n > 0 || !session_again(s, 0)))
			break;
	}
	ret->status = w.status;
	ret->digest = digest_of(a, &to);
	ret->type = arena_dup(a, w.type);
	ret->size = to.n;
	const char *due = is_digest(q->ref) ? q->ref : *w.digest ? w.digest : NULL;
	if (r == 0 && due && ret->digest && !streq(due, ret->digest) &&
		!GUARD_REMOVED("registry-digest"))
		r = err_set(err, EBADMSG, "the manifest has not the digest %.71s",
			is_digest(due) ? due : "that is said");
	http_answer_free(&w);
	return r;
}

static int get_blob(
	struct session *s, struct arena *a, struct registry_answer *ret, struct err *err)
{
	const struct registry_request *q = s->q;
	struct http_answer w = {0};
	struct into to = {.err = err};
	int64_t had = 0;
	sha256_begin(&to.sum);
	struct http_call call = {.method = "GET",
		.url = arena_printf(a, "%s/v2/%s/blobs/%s", q->base, q->repo, q->digest),
		.file = -1,
		.sink = sink,
		.ud = &to,
		.want = q->size,
		.max = q->size};
	if (!call.url)
		return err_set(err, ENOMEM, "out of memory");
	for (;;) {
		call.from = to.n;
		int r = session_call(s, &call, false, &w, err);
		ret->status = w.status;
		http_answer_free(&w);
		if (to.n - had >= PROGRESS) {
			s->left = q->tries;
			had = to.n;
		}
		bool passes = r == -EAGAIN || (r == -ECONNREFUSED && to.n > 0);
		if (r < 0 && !(passes && session_again(s, 0)))
			return r;
		if (r == 0)
			break;
	}
	ret->digest = digest_of(a, &to);
	ret->size = to.n;
	if (ret->digest && !streq(ret->digest, q->digest) && !GUARD_REMOVED("registry-digest")) {
		err_hint(err,
			"the registry, or what is between it and here, has changed it; nothing "
			"was kept");
		return err_set(err, EBADMSG, "its content is not what its digest says");
	}
	return 0;
}

/* ---- push ---- */

/* 1: it is there; 0: not. */
static int have(struct session *s, struct arena *a, struct err *err)
{
	const struct registry_request *q = s->q;
	struct http_answer w = {0};
	const char *url = arena_printf(a, "%s/v2/%s/blobs/%s", q->base, q->repo, q->digest);
	struct http_call call = {.method = "HEAD", .url = url, .file = -1};
	int r = url ? session_call(s, &call, true, &w, err) : -ENOMEM;
	if (r == 0)
		r = w.status == 200;
	http_answer_free(&w);
	return r;
}

/* Where an upload goes, in arena; 1: mounted, there is nothing to send. */
static int begin_upload(struct session *s, struct arena *a, char **ret, struct err *err)
{
	const struct registry_request *q = s->q;
	static char at[HTTP_URL_MAX];
	struct http_answer w = {0};
	const char *path = arena_printf(a, "%s/v2/%s/blobs/uploads/", q->base, q->repo);
	const char *url = path && q->from
		? arena_printf(a, "%s?mount=%s&from=%s", path, q->digest, q->from)
		: path;
	struct http_call call = {.method = "POST", .url = url, .text = "", .file = -1};
	int r = url ? session_call(s, &call, false, &w, err) : -ENOMEM;
	if (r == 0 && w.status == 201 && q->from)
		r = 1;
	else if (r == 0 && (w.status != 202 || !*w.location))
		r = err_set(err, EPROTO, "it names no place to upload to (status %u)", w.status);
	if (r == 0 && http_resolve(url, w.location, at) < 0) {
		err_hint(err, "a registry behind a proxy has to be told its own https URL");
		r = err_set(err, EPERM, "it names a place to upload to that is not safe to use");
	}
	if (r == 0 && !(*ret = arena_dup(a, at)))
		r = err_set(err, ENOMEM, "out of memory");
	http_answer_free(&w);
	return r;
}

static int upload(struct session *s, struct arena *a, const char *at, struct err *err)
{
	const struct registry_request *q = s->q;
	struct http_answer w = {0};
	const char *url = arena_printf(
		a, "%s%sdigest=%s", at, strchr(at, '?') ? "&" : "?", q->digest);
	struct http_call call = {.method = "PUT",
		.url = url,
		.type = "application/octet-stream",
		.file = OPS_DATA_FD,
		.size = q->size};
	int64_t tries = s->left;
	s->left = 1; /* the whole of it again, not the PUT alone */
	int r = url ? session_call(s, &call, false, &w, err) : -ENOMEM;
	s->left = tries;
	bool again = r == -EAGAIN || (r < 0 && (w.status >= 500 || w.status == 429));
	int64_t after = w.retry_after;
	http_answer_free(&w);
	if (!again)
		return r;
	return session_again(s, after) ? -EAGAIN : r == -EAGAIN ? -EIO : r;
}

static int push_blob(
	struct session *s, struct arena *a, struct registry_answer *ret, struct err *err)
{
	for (;;) {
		char *at = NULL;
		int r = have(s, a, err);
		ret->status = r > 0 ? 200 : 201;
		if (r == 0)
			r = begin_upload(s, a, &at, err);
		if (r == 0)
			r = upload(s, a, at, err);
		if (r != -EAGAIN)
			return MIN(r, 0);
	}
}

static int push_manifest(
	struct session *s, struct arena *a, struct registry_answer *ret, struct err *err)
{
	const struct registry_request *q = s->q;
	struct http_answer w = {0};
	char text[65536];
	struct into sum = {0};
	const char *url = arena_printf(a, "%s/v2/%s/manifests/%s", q->base, q->repo, q->ref);
	struct http_call call = {
		.method = "PUT", .url = url, .type = q->type, .file = OPS_DATA_FD, .size = q->size};
	sha256_begin(&sum.sum);
	for (ssize_t n; sum.n < q->size; sum.n += n) {
		n = fd_pread_full(OPS_DATA_FD, text,
			(size_t)MIN((int64_t)sizeof(text), q->size - sum.n), sum.n);
		if (n <= 0)
			return err_set(err, EIO, "the manifest can't be read");
		sha256_add(&sum.sum, text, (size_t)n);
	}
	ret->digest = digest_of(a, &sum);
	int r = url && ret->digest ? session_call(s, &call, false, &w, err) : -ENOMEM;
	if (r == 0 && *w.digest && !streq(w.digest, ret->digest))
		r = err_set(err, EBADMSG, "it has taken the manifest under another digest");
	ret->status = w.status;
	http_answer_free(&w);
	return r;
}

static int have_or_mount(
	struct session *s, struct arena *a, struct registry_answer *ret, struct err *err)
{
	char *at;
	int r = have(s, a, err);
	if (r == 0 && s->q->from) {
		r = begin_upload(s, a, &at, err);
		/* where it can't be mounted an upload has begun, which the registry forgets */
		if (r < 0)
			r = 0;
	}
	ret->status = r > 0 ? 200 : 404;
	return MIN(r, 0);
}

/* ---- all ---- */

static bool good_repo(const char *s)
{
	return s && *s && strlen(s) < 256 && *s != '/' && !strstr(s, "..") && !strstr(s, "//") &&
		!s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-/")];
}

static bool good_ref(const char *s)
{
	if (!s || is_digest(s))
		return s;
	return *s && *s != '.' && *s != '-' && strlen(s) <= 128 &&
		!s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static int check(const struct registry_request *q, struct err *err)
{
	const bool manifest = q->op == REGISTRY_MANIFEST || q->op == REGISTRY_PUSH_MANIFEST;
	bool ok = good_repo(q->repo) && (!q->from || good_repo(q->from)) && q->base &&
		(has_prefix(q->base, "https://") || has_prefix(q->base, "http://"));
	if (manifest)
		ok = ok && good_ref(q->ref);
	else
		ok = ok && q->digest && is_digest(q->digest);
	ok = ok && q->size <= REGISTRY_BLOB_MAX && (q->op != REGISTRY_PUSH_MANIFEST || q->type);
	return ok ? 0 : err_set(err, EINVAL, "bawn-registry is asked for what can't be");
}

int ops_do(struct session *s, struct arena *a, struct registry_answer *ret, struct err *err)
{
	int r = check(s->q, err);
	if (r < 0)
		return r;
	switch (s->q->op) {
	case REGISTRY_MANIFEST:
		return get_manifest(s, a, ret, err);
	case REGISTRY_BLOB:
		return get_blob(s, a, ret, err);
	case REGISTRY_HAVE:
		return have_or_mount(s, a, ret, err);
	case REGISTRY_PUSH_BLOB:
		return push_blob(s, a, ret, err);
	case REGISTRY_PUSH_MANIFEST:
		return push_manifest(s, a, ret, err);
	default:
		return err_set(err, EINVAL, "bawn-registry is asked for what can't be");
	}
}
