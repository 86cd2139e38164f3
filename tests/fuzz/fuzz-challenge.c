/* tests/fuzz/fuzz-challenge.c - WWW-Authenticate: what is taken of it stands in it, ends, and has
 * no control byte; what is refused changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *s, size_t cap)
{
	check(memchr(s, 0, cap) != NULL);
	for (; *s; s++)
		check((unsigned char)*s >= ' ' || *s == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct challenge c, was, twice;
	memset(&c, 0, sizeof(c));
	was = c;
	int r = challenge_add(&c, (const char *)data, n);
	if (r < 0) {
		check(memcmp(&c, &was, sizeof(c)) == 0);
		return 0;
	}
	check_text(c.realm, sizeof(c.realm));
	check_text(c.service, sizeof(c.service));
	check_text(c.error, sizeof(c.error));
	check(c.bearer || !*c.realm);
	/* a second header can add a scheme, and never change what the first has said */
	twice = c;
	if (challenge_add(&twice, (const char *)data, n) == 0)
		check(memcmp(&c, &twice, sizeof(c)) == 0);
	return 0;
}
