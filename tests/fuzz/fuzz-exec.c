/* tests/fuzz/fuzz-exec.c - the command that a program inside asks pid 1 to start
 * (plan/wire-exec.h), and the attributes that owners are kept in.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/name-owners.h"
#include "init/owner-attr.h"
#include "plan/wire-exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void name_owners(const uint8_t *data, size_t n)
{
	static char list[NAME_OWNERS_MAX];
	uint32_t uid, gid;
	n = MIN(n, sizeof(list));
	memcpy(list, data, n);
	name_owners_find(list, n, "link", &uid, &gid);
	n = name_owners_set(list, n, "a", 1, 2);
	if (n && (!name_owners_find(list, n, "a", &uid, &gid) || uid != 1 || gid != 2))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct wire_exec w = {0};
	name_owners(data, n);
	struct owner o = owner_get(data, n), back;
	unsigned char b[OWNER_BYTES];
	back = owner_get(b, owner_put(b, &o));
	if (back.uid != o.uid || back.gid != o.gid)
		abort();
	if (wire_exec_read(data, n, &w, NULL) < 0) {
		if (w.argv || w.env)
			abort();
		return 0;
	}
	size_t sum = strlen(w.cwd) + strlen(w.exe);
	for (uint32_t i = 0; i < w.head.n_argv; i++)
		sum += strlen(w.argv[i]);
	for (uint32_t i = 0; i < w.head.n_env; i++)
		sum += strlen(w.env[i]);
	if (w.argv[w.head.n_argv] || w.env[w.head.n_env] || sum > n)
		abort();
	wire_exec_free(&w);
	return 0;
}
