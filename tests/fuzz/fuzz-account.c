/* tests/fuzz/fuzz-account.c - /etc/passwd, behind the first NUL /etc/group, behind the second a
 * USER.
 *
 * What comes of it stands in a plan: nothing there may be what account.h doesn't let through.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/path.h"
#include "host/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	char *s = calloc(1, n + 3);
	if (!s)
		return 0;
	memcpy(s, data, n);
	char *group = s + strlen(s) + 1,
	     *user = group < s + n + 1 ? group + strlen(group) + 1 : group;
	if (user > s + n + 2)
		user = s + n + 2;
	struct account_files f = {.passwd = s, .group = group};
	struct host_identity id = {.uid = 1000, .gid = 1000, .full_name = "", .shell = "/bin/sh"};
	account_identity(&a, &f, &id);
	expect(account_path(id.home) && account_path(id.shell) && !path_within(id.home, "/run"));
	expect(*id.user && strlen(id.user) <= 32 && !strpbrk(id.user, ":/\n") && *id.user != '-');
	expect(*id.group && !strpbrk(id.group, ":/\n"));
	expect(account_uid(&a, s, user, &id) >= -1);
	if (!f.has_account) {
		char *more = account_add(&a, s, "x:x:1000:1000::/h:/s\n");
		struct account_files g = {.passwd = more};
		account_identity(&a, &g, &id);
		expect(g.has_account && streq(id.user, "x") && streq(id.home, "/h"));
	}
	free(s);
	arena_free(&a);
	return 0;
}
