/* sandbox/loop.c - the supervisor while the agent runs: one epoll, one switch; see launch.h.
 *
 * Signals sent to bawn reach the agent.  A second SIGTERM, or ten seconds after the first, kills
 * it; so does the end of bawn-init, whatever caused that.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "base/fd.h"
#include "sandbox/launch.h"

#define GRACE_SECONDS 10
#define DRAIN_MS 2000
#define LAST_WORDS_MS 100

static int watch(struct sandbox *s, int fd, enum tag tag, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = tag};
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* The terminal's three descriptors change what they wait for; regular files can't be watched. */
static void rewatch(struct sandbox *s)
{
	struct terminal *t = &s->term;
	const struct {
		int fd;
		enum tag tag;
		uint32_t want;
	} rows[] = {{t->in, TAG_IN, terminal_want_in(t)}, {t->out, TAG_OUT, terminal_want_out(t)},
		{t->master, TAG_MASTER, terminal_want_master(t)}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct epoll_event ev = {.events = rows[i].want, .data.u64 = rows[i].tag};
		if (rows[i].fd < 0)
			continue;
		if (!rows[i].want)
			epoll_ctl(s->epoll, EPOLL_CTL_DEL, rows[i].fd, NULL);
		else if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, rows[i].fd, &ev) < 0 && errno == ENOENT)
			epoll_ctl(s->epoll, EPOLL_CTL_ADD, rows[i].fd, &ev);
	}
}

static int set_up(struct sandbox *s, struct err *err)
{
	sigset_t set;
	session_signals(&set);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->deadlines = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->signals < 0 || s->timer < 0 || s->deadlines < 0)
		return err_sys(err, errno, "set up the supervisor");
	fd_set_nonblock(s->control);
	int r = watch(s, s->control, TAG_CONTROL, EPOLLIN);
	if (r == 0)
		r = watch(s, s->init.pidfd, TAG_INIT, EPOLLIN);
	if (r == 0)
		r = watch(s, dialer_fd(s->dialer), TAG_DIALER, EPOLLIN);
	if (r == 0)
		r = watch(s, s->signals, TAG_SIGNAL, EPOLLIN);
	if (r == 0)
		r = watch(s, s->timer, TAG_TIMER, EPOLLIN);
	if (r == 0)
		r = watch(s, s->deadlines, TAG_DEADLINE, EPOLLIN);
	if (r == 0 && s->watch.fd >= 0)
		r = watch(s, s->watch.fd, TAG_WATCH, EPOLLIN);
	if (r == 0 && s->followed >= 0)
		r = watch(s, s->followed, TAG_FOLLOWED, EPOLLIN);
	if (r == 0 && s->server)
		r = watch(s, s->server->listener, TAG_SERVER, EPOLLIN);
	for (size_t i = 0; r == 0 && i < s->n_listeners; i++)
		r = watch(s, s->listeners[i], TAG_LISTENER, EPOLLIN);
	if (r < 0)
		return err_sys(err, -r, "set up the supervisor");
	r = vault_watch(s, err);
	return r < 0 ? r : ports_watch(s, err);
}

int sandbox_follow(struct sandbox *s, int fd, struct err *err)
{
	if (s->epoll >= 0 && s->followed >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->followed, NULL);
	s->followed = fd;
	if (s->epoll < 0 || fd < 0)
		return 0;
	int r = watch(s, fd, TAG_FOLLOWED, EPOLLIN);
	return r < 0 ? err_sys(err, -r, "set up the supervisor") : 0;
}

void sandbox_kill_agent(struct sandbox *s)
{
	s->result.killed = true;
	if (!s->exited)
		s->result.code = 128 + SIGKILL;
	s->exited = true;
	proc_kill(&s->init);
}

static void start_grace(struct sandbox *s)
{
	struct itimerspec it = {.it_value.tv_sec = GRACE_SECONDS};
	timerfd_settime(s->timer, 0, &it, NULL);
}

/* Nobody types to the supervisor of a lasting sandbox: whoever signals it wants it to end. */
static void on_server_signal(struct sandbox *s, int sig)
{
	if (sig != SIGTERM && sig != SIGHUP && sig != SIGINT && sig != SIGQUIT)
		return;
	server_stop(s, s->term_requests++ > 0 ? 0 : GRACE_SECONDS);
}

static void exited(struct sandbox *s, const struct control_msg *m)
{
	s->exited = true;
	s->result.code = m->value & 255;
	s->result.user_us = m->user_us;
	s->result.system_us = m->system_us;
}

static void on_server_control(struct sandbox *s, const struct control_msg *m, int fd)
{
	if (m->kind != CONTROL_ENDED) {
		server_control(s, m, fd);
		return;
	}
	server_ended(s);
	s->exited = true;
	s->result.code = s->server->end_code;
}

/* Nothing inside runs from here until sandbox_thaw(). */
int sandbox_freeze(struct sandbox *s)
{
	struct control_msg m;
	if (s->frozen) {
		s->frozen++;
		return 0;
	}
	if (sandbox_send(s, CONTROL_FREEZE, 1) < 0)
		return -EPIPE;
	for (;;) {
		struct pollfd p = {.fd = s->control, .events = POLLIN};
		int fd = -1;
		size_t n_fds = 0;
		if (poll(&p, 1, 2000) <= 0 ||
			fd_recv(s->control, &m, sizeof(m), &fd, 1, &n_fds) != sizeof(m))
			return -ETIME;
		if (m.magic == CONTROL_MAGIC && m.kind == CONTROL_FROZEN && m.value) {
			s->frozen = 1;
			return 0;
		}
		if (m.magic == CONTROL_MAGIC && m.kind == CONTROL_CONNECTED)
			ports_connected(s, &m, n_fds ? fd : -1);
		else if (m.magic == CONTROL_MAGIC && s->server)
			on_server_control(s, &m, n_fds ? fd : -1);
		else if (m.magic == CONTROL_MAGIC && m.kind == CONTROL_EXITED)
			exited(s, &m);
		if (s->exited)
			return -EPIPE;
	}
}

void sandbox_thaw(struct sandbox *s)
{
	if (s->frozen && --s->frozen == 0)
		sandbox_send(s, CONTROL_FREEZE, 0);
}

/* We stop, with the terminal as it was, and back when we are continued.  Everything inside waits
 * with us: what ran on would find nobody who watches the guards and decides about connections. */
static void suspend(struct sandbox *s)
{
	int r = sandbox_freeze(s);
	if (r == -ETIME) /* it would run on with nobody to watch it */
		sandbox_kill_agent(s);
	if (r < 0)
		return;
	terminal_drain(&s->term, 20);
	terminal_stop(&s->term);
	raise(SIGSTOP);
	terminal_start(&s->term, NULL);
	terminal_resize(&s->term);
	sandbox_thaw(s);
}

/* The agent stopped (Ctrl-Z): so do we.  Where it has no terminal nobody can have asked for that,
 * and stopping would be a way to get rid of us; SIGCONT to us continues it. */
static void on_stopped(struct sandbox *s)
{
	/* Asked to end: stopping would stop the grace period's clock too, and an agent that stops
	 * itself on SIGTERM would never end. */
	if (s->term_requests)
		sandbox_send(s, CONTROL_SIGNAL, SIGCONT);
	else if (s->term.raw)
		suspend(s);
	else
		s->agent_stopped = true;
}

static void on_signals(struct sandbox *s)
{
	struct signalfd_siginfo si;
	while (read(s->signals, &si, sizeof(si)) == sizeof(si)) {
		int sig = (int)si.ssi_signo;
		if (s->server) {
			on_server_signal(s, sig);
			continue;
		}
		if (sig == SIGWINCH) {
			terminal_resize(&s->term);
			continue;
		}
		if (sig == SIGTSTP) {
			suspend(s);
			continue;
		}
		if ((sig == SIGTERM || sig == SIGHUP) && s->term_requests++ > 0) {
			sandbox_kill_agent(s);
			return;
		}
		if (sig == SIGTERM || sig == SIGHUP)
			start_grace(s);
		sandbox_send(s, CONTROL_SIGNAL, sig);
		if (s->agent_stopped && s->term_requests) /* so that it can act on it */
			sandbox_send(s, CONTROL_SIGNAL, SIGCONT);
		s->agent_stopped &= sig != SIGCONT;
	}
}

static int on_control(struct sandbox *s, struct err *err)
{
	struct control_msg m;
	int fd = -1;
	size_t n_fds = 0;
	ssize_t n = fd_recv(s->control, &m, sizeof(m), &fd, 1, &n_fds);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->control, NULL);
		return 0; /* the pidfd says what happened */
	}
	if (n != sizeof(m) || m.magic != CONTROL_MAGIC)
		return err_set(err, EBADMSG, "bawn-init sent a malformed message");
	if (m.kind == CONTROL_CONNECTED)
		ports_connected(s, &m, n_fds ? fd : -1);
	else if (s->server)
		on_server_control(s, &m, n_fds ? fd : -1);
	else if (m.kind == CONTROL_EXITED)
		exited(s, &m);
	else if (m.kind == CONTROL_STOPPED)
		on_stopped(s);
	return 0;
}

static int run_reapply(struct sandbox *s, struct err *err)
{
	struct blob b = {0};
	int status, r = watch_rows(s->plan, &b, err);
	_cleanup_close_ int rows = r < 0 ? r : fd_memfd_sealed("bawn-guards", b.data, b.n, err);
	blob_free(&b);
	if (rows < 0)
		return rows;
	r = sandbox_run_mode(s, "reapply", NULL, rows, s->term.raw ? -1 : 2, &status, err);
	return r < 0 ? r : status ? err_set(err, EIO, "status %d", status) : 0;
}

/* The host replaced a guarded file, and the kernel took the guard on it away: put it back before
 * the agent can use the gap, or end the run. */
static void replaced(struct sandbox *s, const char *path)
{
	struct err err = {0};
	if (!path || GUARD_REMOVED("watch"))
		return;
	int r = sandbox_freeze(s);
	if (r == -EPIPE)
		return;
	if (r == 0) {
		watch_renew(&s->watch);
		r = run_reapply(s, &err);
	}
	if (r == 0)
		sandbox_thaw(s);
	else
		sandbox_kill_agent(s);
	if (s->config.hooks.replaced)
		s->config.hooks.replaced(s->config.hooks.ctx, path, r == 0);
}

static int wait_ms(const struct sandbox *s)
{
	int terminal = terminal_wait_ms(&s->term), shares = watch_wait_ms(&s->watch);
	return terminal < 0 || (shares >= 0 && shares < terminal) ? shares : terminal;
}

/* Without a relay nothing gets out: that is safe, but it has to be said. */
static void relay_ended(struct sandbox *s)
{
	char line[256];
	int status = 0;
	struct rlimit files;
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, dialer_fd(s->dialer), NULL);
	if (s->relay.pid > 0)
		proc_wait(&s->relay, &status);
	if (s->exited || !s->config.hooks.message)
		return;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < dialer_relay_fds())
		snprintf(line, sizeof(line),
			"the sandbox has no network: for that, the limit of open files (ulimit -n) "
			"has to be %u at least, and is %u",
			dialer_relay_fds(), (unsigned int)files.rlim_max);
	else
		snprintf(line, sizeof(line),
			"the network relay ended (status %d); the sandbox has no network now",
			status);
	s->config.hooks.message(s->config.hooks.ctx, line);
}

/* The first use of the network: the relay takes over. */
int sandbox_need_relay(struct sandbox *s, struct err *err)
{
	if (!s->n_listeners)
		return 0; /* a second event of the same round */
	/* The relay will hold the same sockets: closing ours would not end our watch. */
	for (size_t i = 0; i < s->n_listeners; i++)
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listeners[i], NULL);
	return sandbox_start_relay(s, err);
}

/* The time that the agent was given is over. */
static void on_timer(struct sandbox *s)
{
	uint64_t ticks;
	if (read(s->timer, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	if (s->server && !s->server->ending)
		server_timer(s);
	else
		sandbox_kill_agent(s);
}

static int on_event(struct sandbox *s, uint64_t key, struct err *err)
{
	unsigned int slot = (unsigned int)(key >> 32);
	switch ((enum tag)(key & 0xffffffff)) {
	case TAG_CONTROL:
		return on_control(s, err);
	case TAG_DIALER:
		if (dialer_dispatch(s->dialer) < 0)
			relay_ended(s);
		return 0;
	case TAG_SIGNAL:
		on_signals(s);
		return 0;
	case TAG_TIMER:
		on_timer(s);
		return 0;
	case TAG_DEADLINE:
		deadlines_due(s);
		return 0;
	case TAG_SERVER:
		if (s->server)
			server_accept(s);
		else
			visitor_accept(s);
		return 0;
	case TAG_CLIENT:
		if (s->server)
			server_client_event(s, slot);
		else
			visitor_event(s);
		return 0;
	case TAG_SESSION:
		server_master_event(s, slot);
		return 0;
	case TAG_WATCH:
		replaced(s, watch_read(&s->watch));
		return 0;
	case TAG_LISTENER:
		return sandbox_need_relay(s, err);
	case TAG_PORT:
		ports_accept(s, slot);
		return 0;
	case TAG_PORT_CONNECT:
		ports_connect_event(s, slot);
		return 0;
	case TAG_PORT_TIMER:
		ports_tick(s);
		return 0;
	case TAG_VAULT:
		vault_event(s, slot);
		return 0;
	case TAG_FOLLOWED:
		s->config.hooks.followed(s->config.hooks.ctx);
		return 0;
	case TAG_IN:
	case TAG_OUT:
	case TAG_MASTER:
	case TAG_INIT:
		return 0;
	}
	return 0;
}

/* Take the last word of bawn-init before it is reaped. */
static int finish(struct sandbox *s, struct err *err)
{
	struct control_msg m;
	while (!s->exited && recv(s->control, &m, sizeof(m), MSG_DONTWAIT) == sizeof(m))
		if (m.magic != CONTROL_MAGIC)
			break;
		else if (s->server)
			on_server_control(s, &m, -1);
		else if (m.kind == CONTROL_EXITED)
			exited(s, &m);
	/* Once it has said EXITED nothing runs inside; sandbox_free() reaps it. */
	int status = 0;
	if (s->init.pid > 0 && !s->exited)
		proc_wait(&s->init, &status);
	if (s->relay.pid > 0)
		dialer_finish(s->dialer, LAST_WORDS_MS);
	vault_drain(s);
	s->result.timeout = s->deadline.hit;
	if (s->server) {
		server_before_account(s);
		server_last_account(s);
	}
	terminal_drain(&s->term, DRAIN_MS);
	terminal_stop(&s->term);
	if (!s->exited)
		return err_set(err, EIO, "bawn-init ended unexpectedly (status %d)", status);
	return 0;
}

int sandbox_loop(struct sandbox *s, struct err *err)
{
	int r = set_up(s, err);
	if (r < 0)
		return r;
	if (s->server)
		server_first(s, s->first_client, TAKE_FD(s->first_master), s->first_detached);
	else
		deadline_start(s, &s->deadline, s->config.timeout_ms);
	terminal_resize(&s->term);
	if (s->config.hooks.started)
		s->config.hooks.started(s->config.hooks.ctx);
	bool ended = false;
	while (!ended && !s->exited && s->init.pid > 0) {
		terminal_pump(&s->term);
		rewatch(s);
		struct epoll_event ev[16];
		int n = epoll_wait(s->epoll, ev, ARRAY_LEN(ev), wait_ms(s));
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "epoll_wait");
		terminal_look(&s->term);
		replaced(s, watch_look(&s->watch));
		for (int i = 0; i < n && s->init.pid > 0; i++) {
			r = on_event(s, ev[i].data.u64, err);
			if (r < 0)
				return r;
			ended |= ev[i].data.u64 == TAG_INIT;
		}
	}
	return finish(s, err);
}
