/* sandbox/policy.c - another policy for a running sandbox.
 *
 * First the addresses that nftables lets through to the relay, by a helper that enters the
 * sandbox's network namespace from outside; then the supervisor's own decisions and the relay's
 * table.  In between nothing is open that only one of them allows: a connection needs both.
 */
#include "sandbox/launch.h"

static int replace_rules(struct sandbox *s, const struct pack *pack, struct err *err)
{
	_cleanup_close_ int batch = fd_memfd_sealed("bawn-nft", pack->nft, pack->nft_bytes, err);
	if (batch < 0)
		return batch;
	int status, r = sandbox_run_mode(s, "renet", NULL, batch, -1, &status, err);
	if (r == 0 && status)
		r = err_set(err, EIO, "the addresses it may reach could not be changed (status %d)",
			status);
	return r;
}

int sandbox_policy(
	struct sandbox *s, const struct pack *now, const struct pack *pack, struct err *err)
{
	if (pack->nft_bytes != now->nft_bytes || memcmp(pack->nft, now->nft, now->nft_bytes) != 0) {
		int r = replace_rules(s, pack, err);
		if (r < 0)
			return r;
	}
	int r = dialer_policy(s->dialer, pack->egress, pack->egress_table, pack->egress_bytes, err);
	if (r < 0) {
		struct err ignored = {0};
		replace_rules(s, now, &ignored);
	}
	return r;
}
