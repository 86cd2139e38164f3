/* init/init-net.c - the network namespace, in a thread beside the mounts; see init.h.
 *
 * The listening sockets made here belong to the sandbox's namespace for ever; they go to the relay,
 * which stands outside and needs no privilege to accept from them.
 */
#include <fcntl.h>
#include <sched.h>

#include "base/fd.h"
#include "base/proc.h"
#include "init/init.h"
#include "net/apply.h"
#include "net/netns.h"

static int hand_over(const struct wire_early *p, struct err *err)
{
	int fds[NETNS_FD_HOST_PORTS + ARRAY_LEN(p->head.host_ports)];
	size_t n = NETNS_FD_HOST_PORTS + p->head.n_host_ports;
	if (n > FD_PASS_MAX)
		return err_set(err, E2BIG, "too many --host-port listeners");
	int r = net_listeners(p->head.host_ports, p->head.n_host_ports, fds, err);
	if (r < 0)
		return r;
	char one = 'L';
	r = fd_send(INIT_FD_HANDOVER, &one, 1, fds, n);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	return r < 0 ? err_sys(err, -r, "hand the listening sockets to the relay") : 0;
}

static int set_up(struct net_stage *s)
{
	struct err *err = &s->err;
	if (unshare(CLONE_NEWNET) < 0) {
		err_hint(err, "see: bawn doctor");
		return err_sys(err, errno, "create a network namespace");
	}
	while (sem_wait(&s->told) < 0)
		;
	const struct wire_early *p = s->early;
	int r = net_apply_rtnl(p->rtnl.p, p->rtnl.n, err);
	if (r < 0)
		return r;
	bool tracked = false;
	if (!GUARD_REMOVED("nftables")) {
		r = net_apply_nft(p->nft.p, p->nft.n, err);
		if (r < 0)
			return r;
		tracked = r > 0;
	}
	r = net_sysctls_at(s->proc, tracked, err);
	if (r < 0)
		return r;
	if (!GUARD_REMOVED("nftables")) {
		r = net_prove(err); /* before anyone listens for what it provokes */
		if (r < 0)
			return r;
	}
	r = hand_over(p, err);
	if (r < 0)
		return r;
	s->netns = openat(s->proc, "thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return s->netns < 0 ? err_sys(err, errno, "open the new network namespace") : 0;
}

static void *run(void *arg)
{
	struct net_stage *s = arg;
	if (set_up(s) == 0)
		s->err.code = 0;
	atomic_store(&s->done, true);
	return NULL;
}

int net_stage_start(struct net_stage *s, struct err *err)
{
	*s = (struct net_stage){.netns = -1};
	sem_init(&s->told, 0, 0);
	/* The main thread may be in the new root before the other has even begun: both hold on to
	 * the /proc that is here now, whose sysctls can be written. */
	s->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->proc < 0)
		return err_sys(err, errno, "open /proc");
	int r = pthread_create(&s->thread, NULL, run, s);
	return r ? err_sys(err, r, "start the network thread") : 0;
}

void net_stage_tell(struct net_stage *s, const struct wire_early *early)
{
	s->early = early;
	sem_post(&s->told);
}

void net_stage_aside(const struct net_stage *s)
{
	cpu_set_t all, others;
	/* a thread that has ended may stand for the caller itself */
	if (atomic_load(&s->done) || !proc_other_cpus(&all, &others))
		return;
	pthread_setaffinity_np(s->thread, sizeof(others), &others);
	pthread_setaffinity_np(s->thread, sizeof(all), &all);
}

int net_stage_join(struct net_stage *s, struct err *err)
{
	pthread_join(s->thread, NULL);
	close(s->proc);
	if (s->netns < 0) {
		if (err)
			*err = s->err;
		return -(s->err.code ? s->err.code : EIO);
	}
	if (setns(s->netns, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "enter the network namespace");
	close(s->netns);
	close(INIT_FD_HANDOVER);
	return 0;
}
