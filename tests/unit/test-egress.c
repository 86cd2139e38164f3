/* tests/unit/test-egress.c - the relay's pure parts: DNS, names, ClientHello, HTTP heads, NFLOG,
 * and the dialer's proxy variables.
 */
#include "unit.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include "base/macro.h"
#include "egress/dialer-int.h"
#include "egress/dns-wire.h"
#include "egress/http-head.h"
#include "egress/names.h"
#include "egress/nflog.h"
#include "egress/tls-hello.h"
#include "net/netns.h"

/* ---- DNS ---- */

#define QUESTION "\3www\7Example\3com\0\0\1\0\1"
#define HEADER_Q "\x12\x34\1\0\0\1\0\0\0\0\0\0"

static int parse(const char *p, size_t n, struct dns_query *q)
{
	return dns_parse((const uint8_t *)p, n, q);
}
#define PARSE(lit, q) parse((lit), sizeof(lit) - 1, (q))

static void test_dns_question(void **state)
{
	(void)state;
	struct dns_query q;
	uint8_t out[DNS_ANSWER_MAX];
	static const char p[] = HEADER_Q QUESTION;
	uint32_t addr = 0xc6120001;
	assert_int_equal(PARSE(p, &q), DNS_NOERROR);
	assert_string_equal(q.name, "www.Example.com");
	assert_true(q.text_ok);
	assert_int_equal(q.qtype, DNS_TYPE_A);
	size_t n = dns_build(out, (const uint8_t *)p, &q, DNS_NOERROR, &addr);
	assert_int_equal(n, sizeof(p) - 1 + 16);
	assert_memory_equal(out, "\x12\x34\x81\x80\0\1\0\1\0\0\0\0", 12);
	assert_memory_equal(out + 12, QUESTION, sizeof(QUESTION) - 1);
	assert_memory_equal(out + n - 4, "\xc6\x12\0\1", 4);
	n = dns_build(out, (const uint8_t *)p, &q, DNS_NXDOMAIN, NULL);
	assert_int_equal(n, sizeof(p) - 1);
	assert_int_equal(out[3] & 15, DNS_NXDOMAIN);
}

static void test_dns_malformed(void **state)
{
	(void)state;
	struct dns_query q;
	assert_int_equal(PARSE("\x12\x34\1\0\0\1\0\0\0\0\0", &q), -1); /* 11 bytes */
	assert_int_equal(PARSE("\x12\x34\x80\0\0\1\0\0\0\0\0\0" QUESTION, &q), -1);
	assert_int_equal(PARSE("\x12\x34\x28\0\0\1\0\0\0\0\0\0" QUESTION, &q), DNS_NOTIMP);
	assert_int_equal(PARSE("\x12\x34\1\0\0\0\0\0\0\0\0\0", &q), DNS_FORMERR);
	assert_int_equal(PARSE("\x12\x34\1\0\0\2\0\0\0\0\0\0" QUESTION QUESTION, &q), DNS_FORMERR);
	assert_int_equal(PARSE("\x12\x34\1\0\0\1\0\1\0\0\0\0" QUESTION, &q), DNS_FORMERR);
	assert_int_equal(PARSE(HEADER_Q "\3www", &q), DNS_FORMERR);
	assert_int_equal(PARSE(HEADER_Q "\xc0\x0c\0\1\0\1", &q), DNS_FORMERR); /* pointer loop */
	assert_int_equal(PARSE(HEADER_Q "\3www\xc0\x0c\0\1\0\1", &q), DNS_FORMERR);
	assert_int_equal(PARSE(HEADER_Q "\x40"
					"aaa\0\0\1\0\1",
				 &q),
		DNS_FORMERR);
	assert_int_equal(PARSE(HEADER_Q "\3www\0\0\1", &q), DNS_FORMERR);
	/* a promise of a record that doesn't come */
	assert_int_equal(PARSE("\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION, &q), DNS_FORMERR);
	/* DNS-08: a dot or a NUL inside a label is no host name */
	assert_int_equal(PARSE(HEADER_Q "\3w.w\3com\0\0\1\0\1", &q), DNS_NOERROR);
	assert_false(q.text_ok);
	assert_int_equal(PARSE(HEADER_Q "\3w\0w\3com\0\0\1\0\1", &q), DNS_NOERROR);
	assert_false(q.text_ok);
	/* 255 bytes on the wire pass, 256 don't */
	char big[600] = {0};
	memcpy(big, HEADER_Q, 12);
	size_t at = 12;
	for (int i = 0; i < 4; i++) {
		big[at] = (char)(i < 3 ? 63 : 61);
		memset(big + at + 1, 'a', (size_t)big[at]);
		at += 1 + (size_t)big[at];
	}
	memcpy(big + at, "\0\0\1\0\1", 5);
	assert_int_equal(parse(big, at + 5, &q), DNS_NOERROR);
	assert_int_equal(q.name_len, 253);
	big[12 + 3 * 64] = 62;
	memcpy(big + at, "a\0\0\1\0\1", 6);
	assert_int_equal(parse(big, at + 6, &q), DNS_FORMERR);
}

static void test_dns_edns(void **state)
{
	(void)state;
	struct dns_query q;
	uint8_t out[DNS_ANSWER_MAX];
#define OPT(version) "\0\0\x29\x04\xd0\0" version "\0\0\0\0"
	static const char ok[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION OPT("\0");
	static const char bad[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION OPT("\1");
	static const char two[] = "\x12\x34\1\0\0\1\0\0\0\0\0\2" QUESTION OPT("\0") OPT("\0");
	assert_int_equal(PARSE(ok, &q), DNS_NOERROR);
	assert_true(q.edns);
	size_t n = dns_build(out, (const uint8_t *)ok, &q, DNS_NOERROR, NULL);
	assert_int_equal(n, sizeof(ok) - 1);
	assert_int_equal(out[11], 1);
	assert_int_equal(PARSE(bad, &q), DNS_BADVERS);
	n = dns_build(out, (const uint8_t *)bad, &q, DNS_BADVERS, NULL);
	assert_int_equal(out[3] & 15, 0);
	assert_int_equal(out[n - 6], 1); /* the upper bits of the rcode */
	assert_int_equal(PARSE(two, &q), DNS_FORMERR);
}

/* ---- names ---- */

static void test_names(void **state)
{
	(void)state;
	bool is_new;
	names_init(42);
	int a = names_intern("a.example", NAMES_EXACT, 1, &is_new);
	assert_true(is_new);
	assert_int_equal(names_intern("a.example", NAMES_EXACT, 2, &is_new), a);
	assert_false(is_new);
	assert_int_equal(names_find_addr(names_addr(a)), a);
	assert_string_equal(names_text(a), "a.example");
	assert_int_equal(names_find_addr(NETNS_SYNTH_NET), -1);
	assert_int_equal(names_find_addr(names_addr(a) + 1), -1);
	assert_int_equal(names_find_addr(0x01010101), -1);
}

/* OWN-11 */
static void test_names_flood(void **state)
{
	(void)state;
	char name[64];
	bool is_new;
	names_init(7);
	int keep = names_intern("keep.example", NAMES_EXACT, 0, &is_new);
	uint32_t addr = names_addr(keep);
	int used = names_intern("used.other", NAMES_OTHER, 0, &is_new);
	names_ref(used);
	/* one that came to be allowed while it had an address of the other pool */
	int came = names_intern("came.other", NAMES_OTHER, 0, &is_new);
	assert_int_equal(names_intern("came.other", NAMES_WILDCARD, 0, &is_new), came);
	for (int i = 2; i < NAMES_MAX_OTHER; i++) {
		snprintf(name, sizeof(name), "x%d.other", i);
		assert_true(names_intern(name, NAMES_OTHER, 10, &is_new) >= NAMES_MAX_KNOWN);
	}
	assert_int_equal(names_intern("one.more", NAMES_OTHER, 20, &is_new), -1);
	/* an allowed one still gets in, and the old ones stay where they are */
	assert_true(names_intern("second.example", NAMES_EXACT, 20, &is_new) >= 0);
	assert_int_equal(names_find_addr(addr), keep);
	/* after a while without use they are recycled, but none that a flow uses */
	for (int i = 0; i < NAMES_MAX_OTHER - 2; i++) {
		snprintf(name, sizeof(name), "y%d.other", i);
		int k = names_intern(name, NAMES_OTHER, 10 + NAMES_RECYCLE_S, &is_new);
		assert_true(k >= NAMES_MAX_KNOWN);
		assert_int_not_equal(k, used);
		assert_int_not_equal(k, came);
		assert_true(is_new);
	}
	assert_int_equal(names_intern("x1.other", NAMES_OTHER, 10 + NAMES_RECYCLE_S, &is_new), -1);
	assert_int_equal(names_intern("used.other", NAMES_OTHER, 99, &is_new), used);
	assert_int_equal(names_intern("keep.example", NAMES_EXACT, 99, &is_new), keep);
	/* the known pool has an end too, and is never recycled */
	int made = 0;
	for (int i = 0; i < NAMES_MAX_KNOWN; i++) {
		snprintf(name, sizeof(name), "w%d.example", i);
		made += names_intern(name, NAMES_WILDCARD, 100000, &is_new) >= 0;
	}
	assert_int_equal(made, NAMES_MAX_KNOWN - NAMES_RESERVED - 2);
	for (int i = 0; i < NAMES_MAX_KNOWN; i++) {
		snprintf(name, sizeof(name), "z%d.example", i);
		made += names_intern(name, NAMES_EXACT, 100000, &is_new) >= 0;
	}
	assert_int_equal(made, NAMES_MAX_KNOWN - 2);
	assert_int_equal(names_find_addr(addr), keep);
	assert_string_equal(names_text(keep), "keep.example");
}

/* ---- TLS ---- */

static uint8_t scratch[TLS_HELLO_MAX];

/* A ClientHello as one handshake message (no record header). */
static size_t make_hello(uint8_t *p, const char *exts, size_t exts_n)
{
	size_t n = 0, body = 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2 + exts_n;
	const uint8_t head[] = {1, 0, (uint8_t)(body >> 8), (uint8_t)body, 3, 3};
	memcpy(p, head, sizeof(head));
	n = sizeof(head);
	memset(p + n, 7, 32);
	n += 32;
	const uint8_t mid[] = {0, 0, 2, 0x13, 1, 1, 0, (uint8_t)(exts_n >> 8), (uint8_t)exts_n};
	memcpy(p + n, mid, sizeof(mid));
	n += sizeof(mid);
	memcpy(p + n, exts, exts_n);
	return n + exts_n;
}

/* Cut msg into records of at most piece bytes. */
static size_t make_records(uint8_t *out, const uint8_t *msg, size_t n, size_t piece)
{
	size_t o = 0;
	for (size_t at = 0; at < n;) {
		size_t k = MIN(piece, n - at);
		const uint8_t head[] = {22, 3, 1, (uint8_t)(k >> 8), (uint8_t)k};
		memcpy(out + o, head, 5);
		memcpy(out + o + 5, msg + at, k);
		o += 5 + k;
		at += k;
	}
	return o;
}

#define SNI_EXT                                                                                    \
	"\0\0\0\x0e\0\x0c\0\0\x09"                                                                 \
	"a.example"
#define ECH_EXT "\xfe\x0d\0\3\0\1\2"

static int sni_of(const char *exts, size_t n, size_t piece, char *sni)
{
	uint8_t msg[1024], rec[8192];
	size_t k = make_records(rec, msg, make_hello(msg, exts, n), piece);
	/* every prefix needs more, and none is past its end (a copy of just that length) */
	for (size_t i = 0; i < k; i++) {
		uint8_t *copy = malloc(i + 1);
		memcpy(copy, rec, i);
		int r = tls_hello_sni(copy, i, scratch, sni);
		free(copy);
		if (r != 0)
			return r == 1 ? -1000 : r;
	}
	return tls_hello_sni(rec, k, scratch, sni);
}
#define SNI_OF(lit, piece) sni_of((lit), sizeof(lit) - 1, (piece), sni)

static void test_tls(void **state)
{
	(void)state;
	char sni[256];
	static const size_t pieces[] = {4096, 100, 7, 3, 1}; /* TLS-03 */
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		assert_int_equal(SNI_OF(SNI_EXT, pieces[i]), 1);
		assert_string_equal(sni, "a.example");
		assert_int_equal(SNI_OF(ECH_EXT SNI_EXT, pieces[i]), 1);
		assert_string_equal(sni, "a.example");
	}
	/* TLS-02: no name, or only an encrypted one */
	assert_int_equal(SNI_OF("", 4096), 1);
	assert_string_equal(sni, "");
	assert_int_equal(SNI_OF(ECH_EXT, 4096), 1);
	assert_string_equal(sni, "");
}

static void test_tls_malformed(void **state)
{
	(void)state;
	char sni[256];
	assert_int_equal(SNI_OF(SNI_EXT SNI_EXT, 4096), -EBADMSG);
	assert_int_equal(SNI_OF("\0\0\0\x0e\0\x0c\1\0\x09"
				"a.example",
				 4096),
		-EBADMSG);
	assert_int_equal(SNI_OF("\0\0\0\x0e\0\x0c\0\0\x0a"
				"a.example",
				 4096),
		-EBADMSG);
	assert_int_equal(SNI_OF("\0\0\0\x0e\0\x0c\0\0\x09"
				"a\0example",
				 4096),
		-EBADMSG);
	assert_int_equal(SNI_OF("\0\0\0\x05\0\x03\0\0\0", 4096), -EBADMSG);
	assert_int_equal(SNI_OF("\0\0\0", 4096), -EBADMSG);
	assert_int_equal(SNI_OF("\0\0\0\x16\0\x14\0\0\x09"
				"a.example\0\0\x05"
				"b.com",
				 4096),
		-EBADMSG);
#define HELLO(lit) tls_hello_sni((const uint8_t *)(lit), sizeof(lit) - 1, scratch, sni)
	assert_int_equal(HELLO("SSH-2.0"), -EBADMSG);
	assert_int_equal(HELLO("\x80\x2e\1\3\1"), -EBADMSG); /* SSLv2 */
	assert_int_equal(HELLO("\x16\2"), -EBADMSG);
	assert_int_equal(HELLO("\x16\3\1\0\0"), -EBADMSG);
	assert_int_equal(HELLO("\x16\3\1\0\4\2\0\0\0"), -EBADMSG); /* a ServerHello */
	assert_int_equal(HELLO("\x16\3\1\0\4\1\1\0\0"), -EMSGSIZE);
	assert_int_equal(HELLO("\x16\3\1\0\1\1\x15\3\1\0\2\2\0"), -EBADMSG); /* an alert between */
	uint8_t *big = calloc(1, TLS_HELLO_MAX);
	memcpy(big, "\x16\3\1\x40\0\1\0\x3f\xfc", 9);
	assert_int_equal(tls_hello_sni(big, TLS_HELLO_MAX, scratch, sni), -EMSGSIZE);
	free(big);
}

/* ---- HTTP ---- */

static char seen_host[256];

static int64_t next(struct http_state *s, const char *p, size_t n)
{
	/* a copy of just that length, for ASan */
	char *copy = malloc(n + 1);
	memcpy(copy, p, n);
	int64_t r = http_next(s, copy, n, "a.example", seen_host);
	free(copy);
	return r;
}

static int64_t first(const char *p)
{
	struct http_state s = {0};
	return next(&s, p, strlen(p));
}
#define H "Host: a.example\r\n"

static void test_http_good(void **state)
{
	(void)state;
	static const char *const good[] = {
		"GET / HTTP/1.1\r\n" H "\r\n",
		"GET / HTTP/1.0\r\nhOST:A.EXAMPLE.:80 \r\n\r\n",
		"GET http://a.example/x HTTP/1.1\r\n" H "\r\n",
		"OPTIONS * HTTP/1.1\r\n" H "\r\n",
		"GET /?q=\xc3\xa4 HTTP/1.1\r\n" H "X: \xc3\xa4 \t y\r\nEmpty:\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(first(good[i]), strlen(good[i]));
		struct http_state s = {0};
		for (size_t k = 0; k < strlen(good[i]); k++)
			assert_int_equal(next(&s, good[i], k), 0);
	}
}

static void test_http_bad(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\n" H H "\r\n",
		"GET / HTTP/1.1\r\n" H "Host: b.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
		"GET / HTTP/1.1\r\n" H " folded\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "X: a\r\n\tfolded\r\n\r\n",
		"GET / HTTP/1.1\n" H "\r\n",
		"GET / HTTP/1.1\r\nHost: a.example\n\r\n",
		"GET / HTTP/1.1\r\nX: a\rb\r\n" H "\r\n",
		"GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Content-Length: 9999999999999999999\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n",
		"POST / HTTP/1.1\r\n" H
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer_Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "CONTENT_LENGTH: 1\r\n\r\n",
		"CONNECT a.example:80 HTTP/1.1\r\n" H "\r\n",
		"GET  / HTTP/1.1\r\n" H "\r\n",
		"GET / HTTP/1.1 \r\n" H "\r\n",
		"GET / HTTP/2.0\r\n" H "\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET / \r\n" H "\r\n",
		"GET /\r\n" H "\r\n",
		"GET a.example HTTP/1.1\r\n" H "\r\n",
		"GET https://a.example/ HTTP/1.1\r\n" H "\r\n",
		"G(T / HTTP/1.1\r\n" H "\r\n",
		"\r\nGET / HTTP/1.1\r\n" H "\r\n",
		"GET / HTTP/1.1\r\n" H "X\r\n\r\n",
		"GET / HTTP/1.1\r\n" H ": x\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "X: \x01\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (first(bad[i]) != -EBADMSG)
			fail_msg("%zu: %s", i, bad[i]);
	struct http_state s = {0};
	static const char nul[] = "GET / HTTP/1.1\r\nX: a\0b\r\n" H "\r\n";
	assert_int_equal(next(&s, nul, sizeof(nul) - 1), -EBADMSG);
}

static void test_http_other_host(void **state)
{
	(void)state;
	static const char *const other[] = {
		"GET / HTTP/1.1\r\nHost: b.example\r\n",
		"GET / HTTP/1.1\r\nHost: a.example:8080\r\n",
		"GET / HTTP/1.1\r\nHost: a.example@b.example\r\n",
		"GET / HTTP/1.1\r\nHost: a.example b.example\r\n",
		"GET / HTTP/1.1\r\nHost:\r\n",
		"GET / HTTP/1.1\r\nHost: xa.example\r\n",
		"GET / HTTP/1.1\r\nHost: a.example.b\r\n",
		"GET http://b.example/ HTTP/1.1\r\n" H,
		"GET http://a.example:81/ HTTP/1.1\r\n" H,
		"GET http://u@a.example/ HTTP/1.1\r\n" H,
		"GET http://a.example\\@b/ HTTP/1.1\r\n" H,
	};
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (first(other[i]) != -EPERM)
			fail_msg("%zu: %s", i, other[i]);
	first("GET / HTTP/1.1\r\nHost: b.example\r\n");
	assert_string_equal(seen_host, "b.example");
}

/* Walk a whole byte stream as the pump does; the number of requests, or the error. */
static int64_t walk(const char *p, size_t n)
{
	struct http_state s = {0};
	while (n) {
		int64_t r = next(&s, p, n);
		if (r <= 0)
			return r < 0 ? r : -EAGAIN;
		if ((uint64_t)r > n)
			return -ERANGE;
		p += r;
		n -= (size_t)r;
	}
	return s.phase == HTTP_HEAD ? (int64_t)s.requests : -EAGAIN;
}
#define WALK(lit) walk((lit), sizeof(lit) - 1)
#define CHUNKED "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
#define GET "GET / HTTP/1.1\r\n" H "\r\n"

static void test_http_framing(void **state)
{
	(void)state;
	assert_int_equal(WALK(GET GET GET), 3);
	assert_int_equal(WALK("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello" GET), 2);
	/* OWN-10: what looks like a body to one may be a request to another */
	assert_int_equal(WALK("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"
			      "GET / HTTP/1.1\r\nHost: evil\r\n\r\n"),
		-EPERM);
	assert_int_equal(WALK(CHUNKED "5\r\nhello\r\n0\r\n\r\n" GET), 2);
	assert_int_equal(
		WALK(CHUNKED "5;ext=1\r\nhello\r\n00A\r\n0123456789\r\n0\r\nT: x\r\n\r\n" GET), 2);
	assert_int_equal(WALK(CHUNKED "5\r\nhelloX0\r\n\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED "5\nhello\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED "0x5\r\nhello\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED " 5\r\nhello\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED "\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED "1111111111111111\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED "0\r\nHost: evil\r\n\r\n"), -EBADMSG);
	assert_int_equal(WALK(CHUNKED "0\r\n\r\nGET / HTTP/1.1\r\nHost: evil\r\n\r\n"), -EPERM);
	char *big = calloc(1, HTTP_HEAD_MAX + 100);
	memset(big, 'a', HTTP_HEAD_MAX + 99);
	memcpy(big, "GET /", 5);
	struct http_state s = {0};
	assert_int_equal(next(&s, big, HTTP_HEAD_MAX), -EMSGSIZE);
	free(big);
}

static void test_http_upgrade(void **state)
{
	(void)state;
	struct http_state s = {0};
	static const char ws[] = "GET / HTTP/1.1\r\n" H "Upgrade: WebSocket\r\n\r\n";
	static const char h2c[] = "GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\n\r\n";
	assert_int_equal(next(&s, ws, sizeof(ws) - 1), sizeof(ws) - 1);
	assert_int_equal(s.phase, HTTP_UPGRADE_WAIT);
	assert_int_equal(next(&s, GET, sizeof(GET) - 1), 0);
	assert_int_equal(http_upgrade_answer(&s, "HTTP/1.1 10", 11), 0);
	assert_int_equal(http_upgrade_answer(&s, "HTTP/1.1 101", 12), 1);
	assert_int_equal(s.phase, HTTP_RAW);
	s = (struct http_state){0};
	next(&s, ws, sizeof(ws) - 1);
	assert_int_equal(http_upgrade_answer(&s, "HTTP/1.1 200", 12), 1);
	assert_int_equal(s.phase, HTTP_HEAD);
	/* only the first request of a connection can be upgraded */
	assert_int_equal(next(&s, ws, sizeof(ws) - 1), -EBADMSG);
	s = (struct http_state){0};
	next(&s, h2c, sizeof(h2c) - 1);
	assert_int_equal(http_upgrade_answer(&s, "HTTP/1.1 101", 12), -EPERM);
}

/* ---- NFLOG ---- */

struct packets {
	size_t n;
	struct nflog_packet p[4];
};

static void collect(void *ctx, const struct nflog_packet *p)
{
	struct packets *all = ctx;
	if (all->n < ARRAY_LEN(all->p))
		all->p[all->n] = *p;
	all->n++;
}

static size_t make_log(uint8_t *out, const void *packet, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + n), .nla_type = NFULA_PAYLOAD};
	struct nlmsghdr h = {.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET};
	struct nfgenmsg g = {0};
	size_t o = 0;
	h.nlmsg_len = (uint32_t)(sizeof(h) + sizeof(g) + sizeof(a) + n);
	memcpy(out, &h, sizeof(h));
	o += sizeof(h);
	memcpy(out + o, &g, sizeof(g));
	o += sizeof(g);
	memcpy(out + o, &a, sizeof(a));
	o += sizeof(a);
	memcpy(out + o, packet, n);
	o += n;
	while (o % 4)
		out[o++] = 0;
	return o;
}

static void test_nflog(void **state)
{
	(void)state;
	uint8_t v4[28] = {0x45, [9] = IPPROTO_UDP, [16] = 8, 8, 4, 4, [22] = 0, 53};
	uint8_t v6[56] = {0x60, [6] = IPPROTO_HOPOPTS, [24] = 0x20, 1, [40] = IPPROTO_UDP,
		0, [50] = 0x1f, 0x90};
	uint8_t buf[512];
	size_t n = make_log(buf, v4, sizeof(v4));
	n += make_log(buf + n, v6, sizeof(v6));
	struct packets all = {0};
	assert_int_equal(nflog_parse(buf, n, collect, &all), 2);
	assert_int_equal(all.p[0].proto, IPPROTO_UDP);
	assert_int_equal(all.p[0].port, 53);
	assert_memory_equal(
		all.p[0].dst.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x08\x08\x04\x04", 16);
	assert_int_equal(all.p[1].proto, IPPROTO_UDP);
	assert_int_equal(all.p[1].port, 8080);
	/* cut anywhere: fewer packets, never a byte past the end */
	for (size_t i = 0; i < n; i++) {
		uint8_t *copy = malloc(i + 1);
		memcpy(copy, buf, i);
		all.n = 0;
		assert_true(nflog_parse(copy, i, collect, &all) < 2);
		free(copy);
	}
	n = make_log(buf, "\x45", 1);
	assert_int_equal(nflog_parse(buf, n, collect, &all), 0);
}

/* ---- proxy variables ---- */

static void test_proxy(void **state)
{
	(void)state;
	struct proxy p;
	proxy_parse(NULL, &p);
	assert_false(p.set);
	proxy_parse("http://us%65r:pa%3ass@Proxy.Corp:3128/", &p);
	assert_true(p.set);
	assert_string_equal(p.bad, "");
	assert_string_equal(p.host, "proxy.corp");
	assert_int_equal(p.port, 3128);
	assert_string_equal(p.auth, "dXNlcjpwYTpzcw==");
	proxy_parse("10.0.0.1:8080", &p);
	assert_string_equal(p.host, "10.0.0.1");
	assert_int_equal(p.port, 8080);
	proxy_parse("http://[::1]:3128", &p);
	assert_string_equal(p.host, "::1");
	assert_int_equal(p.port, 3128);
	static const char *const bad[] = {"socks5://x:1", "https://x", "http://", "http://x:0",
		"http://x:99999", "http://x y", "http://[::1", "http://[::1]x"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		proxy_parse(bad[i], &p);
		if (!p.set || !p.bad[0])
			fail_msg("%s is taken", bad[i]);
	}
	assert_true(proxy_exempt("*", "a.example", 443));
	assert_true(proxy_exempt("x, .example", "a.example", 443));
	assert_true(proxy_exempt("example", "a.example", 443));
	assert_true(proxy_exempt("a.example:443", "a.example", 443));
	assert_true(proxy_exempt("::1", "::1", 443));
	assert_false(proxy_exempt("a.example:80", "a.example", 443));
	assert_false(proxy_exempt("ample", "a.example", 443));
	assert_false(proxy_exempt("", "a.example", 443));
	assert_false(proxy_exempt(NULL, "a.example", 443));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_question),
		cmocka_unit_test(test_dns_malformed),
		cmocka_unit_test(test_dns_edns),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_flood),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_malformed),
		cmocka_unit_test(test_http_good),
		cmocka_unit_test(test_http_bad),
		cmocka_unit_test(test_http_other_host),
		cmocka_unit_test(test_http_framing),
		cmocka_unit_test(test_http_upgrade),
		cmocka_unit_test(test_nflog),
		cmocka_unit_test(test_proxy),
	};
	return cmocka_run_group_tests_name("egress parsers", tests, NULL, NULL);
}
