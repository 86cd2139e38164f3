/* egress/relay-upload.c - how much was sent to a host, where a rule limits it ("max-upload").
 *
 * Owns: one account for each name and port with a limit, for the relay's life; names that are
 * allowed keep their index as long.  Must not: know what a rule is: the supervisor says the limit
 * with each connection that it opens, and the latest counts.
 */
#include "egress/relay.h"

enum { ACCOUNTS = 1024 };

static struct account {
	uint64_t most, spent;
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

uint64_t upload_left(int account)
{
	const struct account *a = &accounts[account];
	if (GUARD_REMOVED("max-upload"))
		return UINT64_MAX;
	return a->most > a->spent ? a->most - a->spent : 0;
}

void upload_spend(int account, uint64_t n)
{
	accounts[account].spent += n;
}
