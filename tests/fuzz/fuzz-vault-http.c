/* tests/fuzz/fuzz-vault-http.c - heads of both sides: what was read and written anew reads as the
 * same again, and nothing is found before it is whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vault/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void requests(const char *p, size_t n)
{
	static struct h1_head h, again;
	struct buf b = {0};
	ssize_t r = h1_request(p, n, &h);
	if (r <= 0)
		return;
	check((size_t)r <= n && h1_request(p, (size_t)r - 1, &again) == 0);
	check(h1_put_request(&b, &h, "a.example", 443, NULL, NULL) == 0);
	check(buf_add(&b, "\r\n", 2) == 0);
	ssize_t w = h1_request(buf_data(&b), b.n, &again);
	/* one that only just fitted may not, with what we add */
	if (w == -EMSGSIZE && (r > H1_REQUEST_MAX - 512 || h.n > H1_FIELDS_MAX - 4)) {
		buf_free(&b);
		return;
	}
	check(w == (ssize_t)b.n && again.length == h.length && again.chunked == h.chunked);
	check(again.target.n == h.target.n && again.websocket == h.websocket);
	check(memcmp(again.target.p, h.target.p, h.target.n) == 0);
	check(h1_host_is(&again, "a.example", 443));
	buf_free(&b);
}

static void responses(const char *p, size_t n)
{
	static struct h1_head h, again;
	struct buf b = {0};
	ssize_t r = h1_response(p, n, &h);
	if (r <= 0)
		return;
	check((size_t)r <= n);
	enum h1_framing f = h.chunked ? H1_CHUNKED : h.length >= 0 ? H1_LENGTH : H1_NO_BODY;
	check(h1_put_response(&b, &h, f, h.close) == 0);
	ssize_t w = h1_response(buf_data(&b), b.n, &again);
	if (w != -EMSGSIZE)
		check(w == (ssize_t)b.n && again.status == h.status && again.length == h.length &&
			again.chunked == h.chunked);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	requests((const char *)data, n);
	responses((const char *)data, n);
	return 0;
}
