/* egress/dialer-unreached.c - what was allowed, and could not be reached.
 *
 * Owns: the table of such targets.  The agent sees a broken connection and can't know that it was
 * not a rule; one entry a target, and the last reason. Those past the table's end are not told.
 */
#include "egress/dialer-int.h"

static struct unreached *find(const struct dialer *d, const char *target)
{
	for (unsigned i = 0; i < d->n_unreached; i++)
		if (streq(d->unreached[i].target, target))
			return &d->unreached[i];
	return NULL;
}

void unreached_note(struct dialer *d, const char *target, const char *why)
{
	if (!d->unreached)
		d->unreached = calloc(DIALER_MAX_UNREACHED, sizeof(*d->unreached));
	struct unreached *x = d->unreached ? find(d, target) : NULL;
	const bool fresh = !x;
	if (fresh && (!d->unreached || d->n_unreached == DIALER_MAX_UNREACHED))
		return;
	if (fresh) {
		x = &d->unreached[d->n_unreached++];
		snprintf(x->target, sizeof(x->target), "%s", target);
	}
	snprintf(x->reason, sizeof(x->reason), "%s", why);
	x->reached = false;
	x->count++;
	if (fresh && d->c.hooks.unreached)
		d->c.hooks.unreached(d->c.hooks.ctx, x->target, x->reason);
}

void unreached_no_more(struct dialer *d, const char *target)
{
	struct unreached *x = find(d, target);
	if (x)
		x->reached = true;
}

void dialer_each_unreached(
	const struct dialer *d, void (*fn)(void *ctx, const struct dialer_denial *x), void *ctx)
{
	for (unsigned i = 0; i < d->n_unreached; i++) {
		const struct unreached *x = &d->unreached[i];
		if (!x->reached)
			fn(ctx, &(struct dialer_denial){x->target, x->reason, "", "", x->count});
	}
}

void unreached_free(struct dialer *d)
{
	free(d->unreached);
	d->unreached = NULL;
	d->n_unreached = 0;
}
