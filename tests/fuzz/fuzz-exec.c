/* tests/fuzz/fuzz-exec.c - the command that a program inside asks pid 1 to start
 * (plan/wire-exec.h), and the attribute that owners are kept in.
 */
#include <stdint.h>
#include <stdlib.h>

#include "init/owner-attr.h"
#include "plan/wire-exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct wire_exec w = {0};
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
