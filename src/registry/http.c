/* registry/http.c - see http.h
 *
 * Theory: one easy handle, HTTP/1.1; no redirects, decoding, or variables of the environment.  How
 * slow an answer may be is counted here and not by libcurl, because the time in which the reader of
 * a blob is slow is not the registry's.
 */
#include "registry/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "net/routed-here.h"

enum { HEAD_MAX = 64 * 1024, STALL_BYTES = 1024, AFTER_UPLOAD = 10 };

struct http {
	CURL *easy;
	struct http_setup setup;
	char error[CURL_ERROR_SIZE];

	/* of the call that is made */
	const struct http_call *call;
	struct http_answer *w;
	struct err *err;
	size_t head_n;
	int64_t at, sent; /* the next byte of the body, in the whole; of the file */
	bool begun, cut, stalled, bad_address;
	bool here;  /* the registry is on this machine, under an address that others see, too */
	int failed; /* -errno of the sink, or of a body that is not what it should be */
	int64_t mark_ms;
	curl_off_t mark_bytes;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the head ---- */

static void copy(char *dst, size_t cap, const char *s, size_t n)
{
	if (n < cap) {
		memcpy(dst, s, n);
		dst[n] = '\0';
	}
}

static void header(struct http_answer *w, const char *name, size_t n, const char *v, size_t v_n)
{
#define IS(text) (n == strlen(text) && strncasecmp(name, text, n) == 0)
	if (IS("content-type"))
		copy(w->type, sizeof(w->type), v, strcspn(v, "; \t\r\n"));
	else if (IS("location"))
		copy(w->location, sizeof(w->location), v, v_n);
	else if (IS("docker-content-digest"))
		copy(w->digest, sizeof(w->digest), v, v_n);
	else if (IS("www-authenticate"))
		w->bad_challenge |= challenge_add(&w->challenge, v, v_n) < 0;
	else if (IS("content-range") && v_n > 6 && strncasecmp(v, "bytes ", 6) == 0 &&
		v[6] >= '0' && v[6] <= '9' && strspn(v + 6, "0123456789") < 16)
		w->begins = strtoll(v + 6, NULL, 10);
#undef IS
}

static size_t on_header(char *p, size_t size, size_t n, void *ud)
{
	struct http *h = ud;
	char line[HTTP_URL_MAX + 64];
	n *= size;
	h->head_n += n;
	if (h->head_n > HEAD_MAX) {
		h->failed = err_set(h->err, EMSGSIZE, "the head of its answer has no end");
		return 0;
	}
	if (h->begun) /* what stands behind a body in chunks */
		return n;
	if (n > 5 && memcmp(p, "HTTP/", 5) == 0) { /* what a 1xx has said doesn't count */
		*h->w = (struct http_answer){.begins = -1};
		return n;
	}
	const char *colon = memchr(p, ':', n);
	if (!colon || n >= sizeof(line) || memchr(p, '\0', n))
		return n;
	memcpy(line, p, n);
	line[n] = '\0';
	size_t name = (size_t)(colon - p), end = n, from = name + 1;
	while (end > from && strchr(" \t\r\n", line[end - 1]))
		end--;
	while (from < end && strchr(" \t", line[from]))
		from++;
	line[end] = '\0';
	header(h->w, line, name, line + from, end - from);
	return n;
}

/* ---- the body ---- */

/* Before the first byte of it. */
static int begin_body(struct http *h)
{
	const struct http_call *c = h->call;
	long status = 0;
	curl_off_t length = -1;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	h->w->status = (unsigned int)status;
	h->begun = true;
	if (!c->sink || status / 100 != 2)
		return 0;
	h->at = status == 206 ? h->w->begins : 0;
	if (status == 206 && h->at != c->from)
		return err_set(h->err, EBADMSG, "it sends another part than it was asked for");
	if (c->want >= 0 && length >= 0 && length != c->want - h->at)
		return err_set(h->err, EBADMSG, "it sends %lld bytes where %lld are due",
			(long long)length, (long long)(c->want - h->at));
	if (length > c->max)
		return err_set(h->err, EFBIG, "it sends %lld bytes, and %lld are the most",
			(long long)length, (long long)c->max);
	return 0;
}

static int keep_text(struct http_answer *w, const char *p, size_t n)
{
	n = MIN(n, HTTP_TEXT_MAX - w->text_n);
	char *more = realloc(w->text, w->text_n + n + 1);
	if (!more)
		return -ENOMEM;
	w->text = more;
	memcpy(w->text + w->text_n, p, n);
	w->text_n += n;
	w->text[w->text_n] = '\0';
	return 0;
}

static int hand_on(struct http *h, const char *p, size_t n)
{
	const struct http_call *c = h->call;
	const int64_t most = c->want >= 0 ? c->want : c->max;
	if ((int64_t)n > most - h->at)
		return err_set(h->err, EFBIG, "it sends more than the %lld bytes that are %s",
			(long long)most, c->want >= 0 ? "due" : "the most");
	/* one that knows no parts sends all of it again */
	size_t known = h->at < c->from ? (size_t)MIN(c->from - h->at, (int64_t)n) : 0;
	int64_t before = now_ms();
	int r = n > known ? c->sink(c->ud, p + known, n - known) : 0;
	h->mark_ms += now_ms() - before;
	h->at += (int64_t)n;
	return r;
}

static size_t on_body(char *p, size_t size, size_t n, void *ud)
{
	struct http *h = ud;
	n *= size;
	if (!h->begun)
		h->failed = begin_body(h);
	if (h->failed == 0 && h->call->sink && h->w->status / 100 == 2) {
		h->failed = hand_on(h, p, n);
	} else if (h->failed == 0) {
		h->failed = keep_text(h->w, p, n);
		h->cut = h->w->text_n == HTTP_TEXT_MAX;
	}
	return h->failed < 0 || h->cut ? 0 : n;
}

static size_t on_send(char *p, size_t size, size_t n, void *ud)
{
	struct http *h = ud;
	size_t left = (size_t)MIN((int64_t)(size * n), h->call->size - h->sent);
	ssize_t k = fd_pread_full(h->call->file, p, left, h->sent);
	if (k < 0 || (size_t)k != left) {
		h->failed = err_set(h->err, EIO, "what is pushed can't be read");
		return CURL_READFUNC_ABORT;
	}
	h->sent += k;
	return (size_t)k;
}

/* libcurl asks for it when it has to begin again: on a connection that had just been closed. */
static int on_seek(void *ud, curl_off_t at, int whence)
{
	struct http *h = ud;
	if (whence != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	h->sent = at;
	return CURL_SEEKFUNC_OK;
}

static int on_progress(
	void *ud, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	struct http *h = ud;
	(void)down_all;
	(void)up_all;
	int64_t now = now_ms(), most = (int64_t)h->setup.stall * 1000;
	if (down + up - h->mark_bytes >= STALL_BYTES) {
		h->mark_bytes = down + up;
		h->mark_ms = now;
	}
	/* a registry may look through what it was given before it answers */
	if (h->call->file >= 0 && h->sent == h->call->size)
		most *= AFTER_UPLOAD;
	h->stalled = now - h->mark_ms > most;
	return h->stalled;
}

/* ---- where to ---- */

/* This machine, or what only it can see, by the range alone. */
static bool is_near(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		uint32_t ip = ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr);
		return ip >> 24 == 127 || ip >> 24 == 0 || ip >> 16 == 0xa9fe;
	}
	const struct in6_addr *ip = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(ip))
		return ip->s6_addr[12] == 127 || ip->s6_addr[12] == 0 ||
			(ip->s6_addr[12] == 0xa9 && ip->s6_addr[13] == 0xfe);
	return IN6_IS_ADDR_LOOPBACK(ip) || IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_LINKLOCAL(ip);
}

static bool has_proxy(const struct http *h)
{
	return h->setup.proxy && *h->setup.proxy;
}

/* Nothing is sent to this machine because a registry elsewhere says so. One that is on it, under an
 * address that others see, may name that. */
static bool is_barred(const struct http *h, const struct sockaddr *a)
{
	if (!h->call->elsewhere || h->setup.local || has_proxy(h) ||
		GUARD_REMOVED("registry-redirect"))
		return false;
	return is_near(a) || (!h->here && net_routed_here(a));
}

static curl_socket_t on_socket(void *ud, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http *h = ud;
	(void)purpose;
	if (is_barred(h, &a->addr)) {
		h->bad_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* Before the request goes out: is the registry on this machine? */
static int on_connected(void *ud, char *there, char *own, int port, int own_port)
{
	struct http *h = ud;
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	(void)own;
	(void)port;
	(void)own_port;
	if (h->call->elsewhere)
		return CURL_PREREQFUNC_OK;
	if (has_proxy(h))
		h->here = false;
	else if (inet_pton(AF_INET, there, &to.sin_addr) == 1)
		h->here = net_routed_here((const struct sockaddr *)&to);
	else
		h->here = inet_pton(AF_INET6, there, &to6.sin6_addr) == 1 &&
			net_routed_here((const struct sockaddr *)&to6);
	return CURL_PREREQFUNC_OK;
}

/* ---- set-up ---- */

int http_open(const struct http_setup *setup, struct http **ret, struct err *err)
{
	struct http *h = calloc(1, sizeof(*h));
	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		!(h->easy = curl_easy_init())) {
		free(h);
		return err_set(err, ENOMEM, "out of memory");
	}
	h->setup = *setup;
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	free(h);
}

static CURLcode set_common(struct http *h)
{
	CURL *e = h->easy;
	CURLcode r = CURLE_OK;
#define SET(what, value)                                                                           \
	if (r == CURLE_OK)                                                                         \
	r = curl_easy_setopt(e, what, value)
	SET(CURLOPT_ERRORBUFFER, h->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, h->setup.tls ? "https" : "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_HTTP_TRANSFER_DECODING, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_FILETIME, 1L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_USERAGENT, "bawn");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CAPATH, NULL);
	struct curl_blob trust = {
		.data = h->setup.trust, .len = h->setup.trust_n, .flags = CURL_BLOB_NOCOPY};
	if (h->setup.trust_n)
		SET(CURLOPT_CAINFO_BLOB, &trust);
	SET(CURLOPT_PROXY, h->setup.proxy ? h->setup.proxy : "");
	SET(CURLOPT_NOPROXY, h->setup.no_proxy ? h->setup.no_proxy : "");
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)h->setup.stall);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, h);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, h);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, h);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
	SET(CURLOPT_OPENSOCKETDATA, h);
	SET(CURLOPT_PREREQFUNCTION, on_connected);
	SET(CURLOPT_PREREQDATA, h);
	return r;
}

static CURLcode set_call(struct http *h, const struct http_call *c)
{
	CURL *e = h->easy;
	char range[32];
	CURLcode r = CURLE_OK;
	SET(CURLOPT_URL, c->url);
	if (streq(c->method, "HEAD"))
		SET(CURLOPT_NOBODY, 1L);
	if (c->file >= 0) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_READFUNCTION, on_send);
		SET(CURLOPT_READDATA, h);
		SET(CURLOPT_SEEKFUNCTION, on_seek);
		SET(CURLOPT_SEEKDATA, h);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->size);
	} else if (c->text) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(c->text));
		SET(CURLOPT_POSTFIELDS, c->text);
	}
	SET(CURLOPT_CUSTOMREQUEST, c->method);
	snprintf(range, sizeof(range), "%lld-", (long long)c->from);
	if (c->from > 0)
		SET(CURLOPT_RANGE, range);
	return r;
#undef SET
}

static bool add(struct curl_slist **list, const char *name, const char *value)
{
	_cleanup_free_ char *line = NULL;
	if (!value)
		return true;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return false;
	struct curl_slist *more = curl_slist_append(*list, line);
	explicit_bzero(line, strlen(line));
	if (more)
		*list = more;
	return more != NULL;
}

static void erase(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

/* ---- one call ---- */

static int judge(struct http *h, CURLcode r, struct err *err)
{
	char why[CURL_ERROR_SIZE * 2];
	escape_text(why, sizeof(why), *h->error ? h->error : curl_easy_strerror(r));
	if (h->failed < 0)
		return h->failed;
	if (r == CURLE_OK || h->cut)
		return 0;
	if (h->stalled)
		return err_set(err, EAGAIN, "next to nothing has come for %u s", h->setup.stall);
	if (h->bad_address) {
		err_set(err, EPERM, "it leads to an address of this machine");
		return -EPERM;
	}
	switch (r) {
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		return err_set(err, EAGAIN, "it broke off: %s", why);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, EAGAIN, "no connection within %u s", h->setup.stall);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		err_hint(err,
			"is this machine connected, and that name meant?  bawn template ls "
			"lists what is here");
		return err_set(err, EHOSTUNREACH, "%s", why);
	case CURLE_COULDNT_CONNECT:
		err_hint(err,
			"is that the registry, and this machine connected?  Behind a proxy, "
			"set https_proxy");
		return err_set(err, ECONNREFUSED, "%s", why);
	case CURLE_PEER_FAILED_VERIFICATION:
		err_hint(err,
			"where it is to be trusted, name its authority: a line "
			"\"ca HOST FILE\" in the file registries, bawn-template(1)");
		return err_set(err, EKEYREJECTED, "its certificate is not trusted: %s", why);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(err, EPROTO, "it does not answer in HTTP/1.1: %s", why);
	default:
		return err_set(err, EPROTO, "%s", why);
	}
}

/* What came is all that was due. */
static int whole(struct http *h, struct err *err)
{
	const struct http_call *c = h->call;
	long status = 0;
	curl_off_t after = 0, modified = -1;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &after);
	h->w->status = (unsigned int)status;
	h->w->retry_after = after;
	curl_easy_getinfo(h->easy, CURLINFO_FILETIME_T, &modified);
	h->w->modified = modified;
	if (status < 100 || status > 599)
		return err_set(err, EPROTO, "it answers with status %ld", status);
	if (c->sink && status / 100 == 2 && !h->begun) {
		int r = begin_body(h);
		if (r < 0)
			return r;
	}
	if (c->sink && status / 100 == 2 && c->want >= 0 && h->at < c->want)
		return err_set(err, EAGAIN, "it broke off after %lld of %lld bytes",
			(long long)h->at, (long long)c->want);
	return 0;
}

int http_do(struct http *h, const struct http_call *call, struct http_answer *ret, struct err *err)
{
	struct curl_slist *list = NULL;
	*ret = (struct http_answer){.begins = -1};
	h->call = call;
	h->w = ret;
	h->err = err;
	h->head_n = 0;
	h->at = h->sent = 0;
	h->begun = h->cut = h->stalled = h->bad_address = false;
	h->failed = 0;
	h->mark_ms = now_ms();
	h->mark_bytes = 0;
	h->error[0] = '\0';
	curl_easy_reset(h->easy);
	CURLcode r = set_common(h);
	if (r == CURLE_OK)
		r = set_call(h, call);
	bool ok = add(&list, "Authorization", call->auth) && add(&list, "Accept", call->accept) &&
		add(&list, "Content-Type",
			call->type           ? call->type
				: call->text ? ""
					     : NULL) &&
		add(&list, "Expect", "");
	if (r == CURLE_OK && ok)
		r = curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, list);
	if (r != CURLE_OK || !ok) {
		erase(list);
		return err_set(err, ENOSYS, "libcurl can't do this: %s", curl_easy_strerror(r));
	}
	r = curl_easy_perform(h->easy);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	erase(list);
	int k = judge(h, r, err);
	return k < 0 ? k : whole(h, err);
}

void http_answer_free(struct http_answer *w)
{
	if (w->text)
		explicit_bzero(w->text, w->text_n); /* it may be a token */
	free(w->text);
	*w = (struct http_answer){0};
}
