/* egress/relay-upload.c - how much was sent to a host, where a rule limits it ("max-upload").
 *
 * Owns: one account for each name and port with a limit, for the relay's life; names that are
 * allowed keep their index as long.  Must not: know what a rule is: the supervisor says the limit
 * with each connection that it opens, and the latest counts.
 *
 * Where the vault is on the way it counts what goes upstream, and answers a request that would be
 * too much.  A host may come to be such a one while the sandbox runs (a secret is set), or be so no
 * more: neither knows what passed by the other.  So here all is counted, and what has gone end to
 * end makes the limit of this account hold for the vault's connections, too.
 */
#include "egress/relay.h"

enum { ACCOUNTS = 1024 };

static struct account {
	uint64_t most, spent, vaulted;
	int16_t name;
	uint16_t port;
} accounts[ACCOUNTS];
static int n_accounts;

int upload_account(int name, uint16_t port, uint64_t most)
{
	int i = 0;
	while (i < n_accounts && !(accounts[i].name == name && accounts[i].port == port))
		i++;
	if (i == ACCOUNTS)
		return -1;
	if (i == n_accounts)
		accounts[n_accounts++] = (struct account){.name = (int16_t)name, .port = port};
	accounts[i].most = most;
	return i;
}

uint64_t upload_left(int account, bool vaulted)
{
	const struct account *a = &accounts[account];
	const uint64_t all = a->spent + a->vaulted;
	if (GUARD_REMOVED("max-upload") || (vaulted && a->spent == 0))
		return UINT64_MAX;
	return a->most > all ? a->most - all : 0;
}

void upload_spend(int account, uint64_t n, bool vaulted)
{
	*(vaulted ? &accounts[account].vaulted : &accounts[account].spent) += n;
}
