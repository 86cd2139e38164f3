/* probe-res.c - class RES: taking more than a fair share */
#include <sched.h>
#include <sys/resource.h>

#include "probe.h"

static int nice_up(void *ctx)
{
	(void)ctx;
	return result(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 5));
}

static int nice_negative(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return probe_in_child(nice_up, NULL);
}

static int fifo_child(void *ctx)
{
	(void)ctx;
	struct sched_param s = {.sched_priority = 1};
	return result(sched_setscheduler(0, SCHED_FIFO, &s));
}

static int fifo(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return probe_in_child(fifo_child, NULL);
}

static int raise_limit(const struct probe *p, char **argv)
{
	(void)argv;
	struct rlimit l;
	if (getrlimit((__rlimit_resource_t)p->arg[0], &l) < 0)
		return errno;
	if (l.rlim_max == RLIM_INFINITY) {
		probe_say("there is no limit");
		return 0;
	}
	l.rlim_cur = ++l.rlim_max;
	return result(setrlimit((__rlimit_resource_t)p->arg[0], &l));
}

/* Real-time input and output, which starves all others. */
static int io_realtime(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return result(syscall(SYS_ioprio_set, 1, 0, 1 << 13));
}

const struct probe probes_res[] = {
	{"nice", "RES-05", .run = nice_negative},
	{"sched-fifo", "RES-05", .run = fifo},
	{"io-realtime", "RES-05", .run = io_realtime},
	{"raise-rtprio", "RES-05", .run = raise_limit, .arg = {RLIMIT_RTPRIO}},
	{"raise-nice", "RES-05", .run = raise_limit, .arg = {RLIMIT_NICE}},
	{"raise-nproc", "RES-01", .run = raise_limit, .arg = {RLIMIT_NPROC}},
	{"raise-nofile", "RES-06", .run = raise_limit, .arg = {RLIMIT_NOFILE}},
	{0},
};
