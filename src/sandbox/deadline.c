/* sandbox/deadline.c - --timeout: how long a session may take.
 *
 * Kept by the supervisor, so that it holds for a session that nobody watches as well.
 */
#include <signal.h>
#include <sys/timerfd.h>

#include "sandbox/launch.h"

#define GRACE_NS 10000000000u
#define NS 1000000000u

static void sooner(const struct deadline *d, uint64_t *at)
{
	if (d->at && (!*at || d->at < *at))
		*at = d->at;
}

static void rearm(struct sandbox *s)
{
	uint64_t at = 0;
	sooner(&s->deadline, &at);
	for (size_t i = 0; s->server && i < SERVER_SESSIONS; i++)
		if (s->server->live[i].open)
			sooner(&s->server->live[i].deadline, &at);
	struct itimerspec it = {
		.it_value = {.tv_sec = (time_t)(at / NS), .tv_nsec = (long)(at % NS)}};
	timerfd_settime(s->deadlines, TFD_TIMER_ABSTIME, &it, NULL);
}

void deadline_start(struct sandbox *s, struct deadline *d, uint32_t ms)
{
	*d = (struct deadline){.at = ms ? sandbox_now() + ms * UINT64_C(1000000) : 0};
	if (ms)
		rearm(s);
}

/* The signal that is due, 0: none. */
static int due(struct deadline *d, uint64_t now)
{
	if (!d->at || now < d->at)
		return 0;
	d->at = d->hit ? 0 : now + GRACE_NS;
	int sig = d->hit ? SIGKILL : SIGTERM;
	d->hit = true;
	return sig;
}

void deadlines_due(struct sandbox *s)
{
	uint64_t ticks;
	if (read(s->deadlines, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	const uint64_t now = sandbox_now();
	for (size_t i = 0; s->server && i < SERVER_SESSIONS; i++) {
		struct live *l = &s->server->live[i];
		int sig = l->open ? due(&l->deadline, now) : 0;
		if (sig)
			server_signal(s, l, sig);
	}
	int sig = due(&s->deadline, now);
	if (sig == SIGKILL)
		sandbox_kill_agent(s);
	else if (sig)
		sandbox_send(s, CONTROL_SIGNAL, sig);
	rearm(s);
}
