/* init/init-renet.c - `bawn-init renet`: another set of nftables rules in a running sandbox.
 *
 * Started by the supervisor when the literal addresses of its policy have changed: it enters the
 * sandbox's user and network namespace (not its pid namespace: nothing inside sees it), replaces
 * the rules in one transaction, and is gone.  Between the old and the new there is no instant
 * without.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "init/init.h"
#include "net/apply.h"

/* Descriptors: 2 errors, 3 the batch, 4 pidfd of the sandbox's pid 1. */
enum { RENET_FD_BATCH = 3, RENET_FD_PID = 4 };

static int renet(const void *batch, size_t n, struct err *err)
{
	if (setns(RENET_FD_PID, CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return err_sys(err, errno, "enter the sandbox's network namespace");
	int r = net_replace_nft(batch, n, err);
	return MIN(r, 0);
}

int renet_main(void)
{
	struct err err = {0};
	struct stat st;
	prctl(PR_SET_DUMPABLE, 0);
	if (fstat(RENET_FD_BATCH, &st) < 0)
		return 125;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, RENET_FD_BATCH, 0);
	if (p == MAP_FAILED || renet(p, (size_t)st.st_size, &err) < 0) {
		dprintf(2, "bawn: %s\n", err.msg);
		return 125;
	}
	return 0;
}
