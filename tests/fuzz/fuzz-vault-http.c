/* tests/fuzz/fuzz-vault-http.c - heads of both sides: what was read and written anew reads as the
 * same again, and nothing is found before it is whole.  What goes up has no Authorization but ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vault/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

#define BEARER "Bearer sk-first-0123456789"
#define BASIC "Basic bWU6c2stc2Vjb25kLTAxMjM0NTY3ODk=" /* me:sk-second-0123456789 */

/* Two secrets for one header. */
static const struct vault_config *config(void)
{
	static struct vault_config c;
	static struct blob b;
	static struct credential_host host = {.name = "a.example", .port = 443};
	const struct credential v[] = {{.secret = "one",
					       .hosts = &host,
					       .n_hosts = 1,
					       .header = "authorization",
					       .before = "Bearer ",
					       .after = "",
					       .shape = "{20}",
					       .file = "x"},
		{.secret = "two",
			.hosts = &host,
			.n_hosts = 1,
			.header = "authorization",
			.before = "",
			.after = "",
			.basic_user = "me",
			.shape = "{20}",
			.file = "x"}};
	const char one[] = "sk-first-0123456789", two[] = "sk-second-0123456789";
	if (c.credentials.n)
		return &c;
	check(vault_config_credential(&b, &v[0], one, strlen(one), "stand-in-one") == 0);
	check(vault_config_credential(&b, &v[1], two, strlen(two), "stand-in-two") == 0);
	check(config_read(&c, b.data, b.n, NULL) == 0);
	return &c;
}

static void inject(const struct h1_head *h)
{
	static struct h1_head again;
	struct buf b = {0};
	bool injected = false, renews = false;
	size_t found = 0;
	check(!config_barred(config(), h, "a.example", 443));
	check(config_inject(config(), h, "a.example", 443, &b, &injected, &renews) == 0);
	if (h1_request(buf_data(&b), b.n, &again) > 0)
		for (size_t i = 0; i < again.n; i++) {
			const struct http_span v = again.f[i].value;
			if (!http_is(again.f[i].name, "authorization"))
				continue;
			found++;
			check((v.n == strlen(BEARER) && memcmp(v.p, BEARER, v.n) == 0) ||
				(v.n == strlen(BASIC) && memcmp(v.p, BASIC, v.n) == 0));
		}
	check(found <= 1 && (!found || injected));
	buf_free(&b);
}

static void requests(const char *p, size_t n)
{
	static struct h1_head h, again;
	struct buf b = {0};
	ssize_t r = h1_request(p, n, &h);
	if (r <= 0)
		return;
	check((size_t)r <= n && h1_request(p, (size_t)r - 1, &again) == 0);
	inject(&h);
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
