/* tests/fuzz/fuzz-callback.c - the request by which a browser brings a code back: what is taken of
 * it is a printable text, and it was asked with our state.
 */
#include <stdlib.h>
#include <string.h>

#include "login/callback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct callback_want want = {
		.host = "localhost", .port = 1455, .path = "/callback", .state = "s"};
	char code[CALLBACK_CODE_MAX] = "", again[CALLBACK_CODE_MAX] = "";
	enum callback_kind k = callback_read((const char *)data, n, &want, code);
	if (k != CALLBACK_CODE && k != CALLBACK_DENIED)
		return 0;
	check(memchr(code, 0, sizeof(code)) != NULL);
	for (const char *p = code; *p; p++)
		check(*p > ' ' && *p <= '~');
	check(k != CALLBACK_CODE || *code);
	check(memmem(data, n, "/callback?", 10) && memmem(data, n, "state=", 6));
	/* what stands behind it changes nothing */
	char *more = malloc(n + 3);
	check(more != NULL);
	memcpy(more, data, n);
	memcpy(more + n, "GET", 3);
	check(callback_read(more, n + 3, &want, again) == k && strcmp(code, again) == 0);
	free(more);
	return 0;
}
