/* registry/http.h - one request to a registry and its answer, with libcurl.
 *
 * Owns: what an answer may be: how long its head and its body, how slow, of which protocol.  Must
 * not: know of tokens, follow a redirect, or try again by itself; session.h does.
 */
#ifndef BAWN_REGISTRY_HTTP_H
#define BAWN_REGISTRY_HTTP_H

#include <stdint.h>

#include "base/err.h"
#include "registry/challenge.h"

#define HTTP_URL_MAX 8192
#define HTTP_TEXT_MAX ((size_t)64 * 1024) /* of a body that is not what was asked for */

struct http;

struct http_setup {
	char *trust; /* certificates, PEM; NULL: none */
	size_t trust_n;
	const char *proxy;    /* "" or NULL: none */
	const char *no_proxy; /* NULL */
	unsigned int stall;   /* seconds */
	bool tls;             /* https alone */
	bool local;           /* the registry itself is on loopback */
};

struct http_call {
	const char *method; /* GET, HEAD, POST, PUT */
	const char *url;
	const char *auth;   /* the value of Authorization; NULL */
	const char *accept; /* NULL */
	const char *type;   /* Content-Type of what is sent; NULL */
	const char *text;   /* sent as it is; NULL */
	int file;           /* or this file's size bytes; -1: nothing */
	int64_t size;
	int64_t from; /* GET from this byte on; 0: all */
	/* 2xx: the body goes there instead of to http_answer.text; max: bytes.  fn: -errno. */
	int (*sink)(void *ud, const char *data, size_t n);
	void *ud;
	int64_t want; /* what its length must be, from `from` on; -1: anything */
	int64_t max;
	bool elsewhere; /* the URL came from another host's redirect: no address of this machine */
};

struct http_answer {
	unsigned int status;
	char type[256];
	char location[HTTP_URL_MAX];
	char digest[160];    /* Docker-Content-Digest */
	int64_t begins;      /* where a 206 begins; -1: it doesn't say */
	int64_t retry_after; /* seconds; 0: it doesn't say */
	int64_t modified;    /* Last-Modified, seconds since 1970; -1: it doesn't say */
	struct challenge challenge;
	bool bad_challenge;
	bool elsewhere; /* of another host than the registry's: what it wants to know is not told */
	char *text;     /* text_n bytes and a NUL; http_answer_free() */
	size_t text_n;
};

int http_open(const struct http_setup *setup, struct http **ret, struct err *err);
void http_close(struct http *h);

/* 0 with *ret, whatever the status is.  -EAGAIN: no answer, or not all of it, in a way that may
 * pass (refused, broken off, stalled); other -errno: it won't.  *ret is to be freed in each case.
 */
int http_do(struct http *h, const struct http_call *call, struct http_answer *ret, struct err *err);
void http_answer_free(struct http_answer *w);

/* rel, which may be absolute, as seen from base, into ret.  -EINVAL: no URL, one with a user name,
 * or neither http nor https; -EPROTO: http, and base is https. */
int http_resolve(const char *base, const char *rel, char ret[static HTTP_URL_MAX]);
/* url becomes where a redirection leads; said in err where that is nowhere to go. */
int http_follow(char url[static HTTP_URL_MAX], const struct http_answer *w, struct err *err);
/* Have both the same scheme, host and port? */
bool http_same_origin(const char *a, const char *b);
/* The host of a URL, lower case; "" if there is none. */
void http_host(const char *url, char *ret, size_t cap);
bool http_is_loopback(const char *host);
/* s with everything but unreserved bytes as %XX, behind what is in dst.  -E2BIG. */
int http_add_escaped(char *dst, size_t cap, const char *s);

#endif
