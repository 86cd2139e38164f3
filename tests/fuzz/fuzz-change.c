/* tests/fuzz/fuzz-change.c - bawn-change's wire formats: request, result, ledger. */
#include <stdint.h>
#include <stdlib.h>

#include "change/ledger.h"
#include "change/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct change_request q, asked = {0};
	struct change_result r;
	struct ledger l;
	if (change_request_read(&a, data, n, &q, NULL) == 0) {
		/* what was accepted is written and read again as the same */
		struct blob b = {0}, c = {0};
		struct change_request again;
		if (change_request_write(&b, &q) < 0 ||
			change_request_read(&a, b.data, b.n, &again, NULL) < 0 ||
			change_request_write(&c, &again) < 0 || b.n != c.n ||
			memcmp(b.data, c.data, b.n) != 0)
			abort();
		blob_free(&b);
		blob_free(&c);
	}
	strv_add(&a, &asked.paths, "a");
	if (change_result_read(&a, data, n, &asked, &r, NULL) == 0)
		for (size_t i = 0; i < r.n; i++)
			if (!change_selected(&asked.paths, r.v[i].path) ||
				!change_plain(r.v[i].path) || r.v[i].group > strlen(r.v[i].path))
				abort();
	if (ledger_read(&a, data, n, &l) == 0)
		for (size_t i = 1; i < l.n; i++)
			if (strcmp(l.v[i - 1].path, l.v[i].path) >= 0)
				abort();
	arena_free(&a);
	return 0;
}
