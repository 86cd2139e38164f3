/* scan/par.c - see par.h */
#include "scan/par.h"

#include <pthread.h>
#include <stddef.h>

#define PAR_LEAST 1000 /* below it a thread costs more than it saves (about 60 us) */

struct half {
	par_fn fn;
	void *ctx;
	uint32_t begin, end;
};

static void *upper(void *arg)
{
	const struct half *h = arg;
	h->fn(h->ctx, h->begin, h->end);
	return NULL;
}

void par_run(par_fn fn, void *ctx, uint32_t n)
{
	struct half h = {fn, ctx, n / 2, n};
	pthread_t t;
	if (n < PAR_LEAST || pthread_create(&t, NULL, upper, &h) != 0) {
		fn(ctx, 0, n);
		return;
	}
	fn(ctx, 0, n / 2);
	pthread_join(t, NULL);
}
