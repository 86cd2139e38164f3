/* egress/relay-live.c - what the supervisor changes while the relay runs.
 *
 * Owns: the policy that takes the place of the pack's, and which flows a change ends.  Must not:
 * map anything: the jail forbids it.
 *
 * Theory of operation.  The new table comes in a memfd and is read into one of two regions of
 * address space that were set aside before the jail; the other holds the one in use, so a table
 * that is cut short or malformed changes nothing.  Names keep their synthetic addresses, and a name
 * that comes to be allowed keeps the one it has.  Whoever waits for a verdict gets the
 * supervisor's, which decides by the new rules already; a flow that is open ends only where the new
 * rules deny it.
 */
#include <sys/mman.h>

#include "base/fd.h"
#include "egress/names.h"
#include "egress/relay.h"
#include "policy/egress-table.h"

static uint8_t *regions[2];
static struct egress views[2];
static unsigned next;

int live_init(void)
{
	for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
		regions[i] = mmap(NULL, EGRESS_POLICY_MAX, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (regions[i] == MAP_FAILED)
			return -errno;
		madvise(regions[i], EGRESS_POLICY_MAX, MADV_NOHUGEPAGE);
	}
	return 0;
}

static bool denied_now(const struct flow *f, uint32_t key)
{
	struct egress_verdict v;
	const struct host_addr a = {.ip = f->addr};
	(void)key;
	if (f->kind == EGRESS_ASK_NAME)
		v = egress_match(relay.egress, names_text(f->name), f->port);
	else if (f->kind == EGRESS_ASK_ADDR)
		v = egress_match_addr(relay.egress, &a, f->port);
	else
		return false;
	return v.action != EGRESS_ALLOW || egress_offline(relay.egress) ||
		(f->private_addr && !v.private_ok);
}

void live_policy(int fd)
{
	_cleanup_close_ int owned = fd;
	if (owned < 0)
		return;
	/* not read(2): the jail has no use for that but here */
	ssize_t n = fd_pread_full(owned, regions[next], EGRESS_POLICY_MAX, 0);
	if (n <= 0 || egress_view(&views[next], regions[next], (size_t)n) < 0)
		relay_die("a malformed policy"); /* without a relay nothing gets out */
	relay.egress = &views[next];
	lease_drop_all();
	next = !next;
	madvise(regions[next], EGRESS_POLICY_MAX, MADV_DONTNEED);
	if (!GUARD_REMOVED("live-cut"))
		flow_cut(denied_now, 0);
}

void live_port(const struct egress_answer_msg *m, const int *fds, size_t n_fds)
{
	if (n_fds == 2)
		flow_port(m->flow, fds[0], fds[1]);
	else if (n_fds == 1)
		close(fds[0]);
}

static bool through(const struct flow *f, uint32_t key)
{
	return f->kind == EGRESS_PORT && f->key == key;
}

void live_cut_port(uint32_t key)
{
	flow_cut(through, key);
}
