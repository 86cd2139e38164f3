/* egress/dialer.c - the supervisor's end of the relay's socket: questions in, verdicts and sockets
 * out.
 *
 * Owns: the dialer object, its epoll set, the queue of answers.  Must not: trust a field of a
 * message: names are canonicalised again, kinds and ports checked, flow numbers only echoed.
 *
 * The verdict falls here and nowhere else, on the name and port that are then dialled; the name is
 * resolved once, and the address that was checked is the one connected to.  When the relay doesn't
 * take its answers, or too much is under way, its questions are left in the socket.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/arena.h"
#include "base/escape.h"
#include "base/fd.h"
#include "egress/dialer-int.h"
#include "net/netns.h"
#include "policy/why-name.h"

enum { EVENTS = 64, ASK_BATCH = 128, QUEUE_CAP = DIALER_MAX_QUEUE + DIALER_MAX_JOBS };

void dialer_update_now(struct dialer *d)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	d->now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void dialer_wake_at(struct dialer *d, uint64_t ms)
{
	if (d->armed && d->armed <= ms)
		return;
	struct itimerspec t = {.it_value = {.tv_sec = (time_t)(ms / 1000),
				       .tv_nsec = (long)(ms % 1000) * 1000000}};
	timerfd_settime(d->timer, TFD_TIMER_ABSTIME, &t, NULL);
	d->armed = ms;
}

/* ---- answers ---- */

static int send_answer(struct dialer *d, const struct answer *a)
{
	size_t n = (a->fds[0] >= 0) + (size_t)(a->fds[1] >= 0);
	return fd_send(d->c.relay_sock, &a->msg, sizeof(a->msg), a->fds, n);
}

static void answer_close(const struct answer *a)
{
	for (size_t i = 0; i < ARRAY_LEN(a->fds); i++)
		if (a->fds[i] >= 0)
			close(a->fds[i]);
}

void dialer_watch_relay(struct dialer *d)
{
	bool busy = d->q_len >= DIALER_MAX_QUEUE || d->n_jobs >= DIALER_MAX_JOBS;
	uint32_t want = (busy ? 0u : EPOLLIN) | (d->q_len ? EPOLLOUT : 0u);
	if (want == d->relay_events)
		return;
	struct epoll_event e = {.events = want, .data.u64 = (uint64_t)DIALER_EV_RELAY << 56};
	epoll_ctl(d->epoll, EPOLL_CTL_MOD, d->c.relay_sock, &e);
	d->relay_events = want;
}

/* Its descriptors are taken over. */
static void post(struct dialer *d, const struct answer *a)
{
	if (d->q_len == 0 && send_answer(d, a) != -EAGAIN) {
		answer_close(a);
		return;
	}
	if (!d->queue)
		d->queue = calloc(QUEUE_CAP, sizeof(*d->queue));
	if (!d->queue || d->q_len == QUEUE_CAP) {
		answer_close(a); /* the relay's own timeout ends the flow */
		return;
	}
	d->queue[(d->q_head + d->q_len++) % QUEUE_CAP] = *a;
}

/* fd is taken over. */
static void answer(
	struct dialer *d, uint32_t flow, enum egress_answer what, const char *text, int fd)
{
	static struct answer a;
	a = (struct answer){
		.msg = {.magic = EGRESS_MAGIC, .flow = flow, .answer = (uint8_t)what, .sniff = 1},
		.fds = {fd, -1}};
	snprintf(a.msg.text, sizeof(a.msg.text), "%s", text);
	post(d, &a);
}

unsigned dialer_relay_fds(void)
{
	return EGRESS_FDS_MIN;
}

void dialer_post(struct dialer *d, enum egress_answer what)
{
	answer(d, 0, what, "", -1);
	dialer_watch_relay(d);
}

static void flush_queue(struct dialer *d)
{
	while (d->q_len) {
		struct answer *a = &d->queue[d->q_head];
		if (send_answer(d, a) == -EAGAIN)
			return;
		answer_close(a);
		d->q_head = (d->q_head + 1) % QUEUE_CAP;
		d->q_len--;
	}
}

/* ---- jobs ---- */

static struct job *job_new(struct dialer *d, uint32_t flow)
{
	unsigned slot = 0;
	while (slot < DIALER_MAX_JOBS && d->jobs[slot])
		slot++;
	struct job *j = NULL;
	if (slot < DIALER_MAX_JOBS && d->spare)
		j = TAKE_PTR(d->spare);
	else if (slot < DIALER_MAX_JOBS)
		j = malloc(sizeof(*j));
	if (!j)
		return NULL;
	/* not the arrays of addresses: n_addr and n_started say what is set */
	memset(j, 0, offsetof(struct job, target));
	j->target[0] = j->name[0] = j->dial[0] = j->connect[0] = j->auth[0] = '\0';
	j->n_addr = j->n_started = j->n_failed = j->reached = 0;
	j->last_error = 0;
	j->next_start = j->deadline = 0;
	j->proxy_fd = -1;
	j->flow = flow;
	j->id = ++d->gen << 16 | slot;
	d->jobs[slot] = j;
	d->n_jobs++;
	return j;
}

static void job_free(struct dialer *d, struct job *j)
{
	dial_release(j);
	d->jobs[j->id & 0xffff] = NULL;
	d->n_jobs--;
	if (d->spare)
		free(j);
	else
		d->spare = j;
}

/* The socket that the relay gets for a connected one, or -1: the job has failed. */
static int through_vault(struct dialer *d, struct job *j, int fd)
{
	const struct dialer_vault *v = &d->c.vault;
	struct err err = {0};
	int instead = -1;
	if (!v->flow || !j->by_name)
		return fd;
	int r = v->flow(v->ctx, j->name, j->ask_port, j->verdict.raw, fd, &instead, &err);
	if (r > 0)
		return fd;
	if (r == 0)
		return instead;
	close(fd);
	dialer_failed(d, j, "%s", err.msg);
	return -1;
}

void dialer_open(struct dialer *d, struct job *j, int fd)
{
	const int up = fd;
	fd = through_vault(d, j, fd);
	if (fd < 0)
		return;
	struct answer a = {.msg = {.magic = EGRESS_MAGIC,
				   .flow = j->flow,
				   .answer = EGRESS_ANSWER_OPEN,
				   .sniff = 1,
				   .private_addr = j->private_addr,
				   .vaulted = fd != up,
				   .max_upload = upload_limit(d, j)},
		.fds = {fd, -1}};
	if (fd == up && a.msg.max_upload == 0)
		a.msg.lease = lease_give(d, j);
	allow_note(d, j->target, j->verdict.rule, 1);
	unreached_no_more(d, j->target);
	post(d, &a);
	job_free(d, j);
}

void dialer_failed(struct dialer *d, struct job *j, const char *fmt, ...)
{
	char why[300], text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	allow_note(d, j->target, j->verdict.rule, 1);
	unreached_note(d, j->target, why);
	snprintf(text, sizeof(text), "bawn: %s is allowed, but can't be reached: %s\n", j->target,
		why);
	answer(d, j->flow, EGRESS_ANSWER_FAILED, text, -1);
	job_free(d, j);
}

static void deny(struct dialer *d, uint32_t flow, const char *target, const char *reason,
	uint32_t rule, const char *fix)
{
	char text[1024];
	deny_note(d, target, reason, rule, fix, 1);
	deny_text(d, text, sizeof(text), target, reason, rule, fix);
	answer(d, flow, EGRESS_ANSWER_DENIED, text, -1);
}

void dialer_refused(struct dialer *d, struct job *j, const char *reason, const char *fix)
{
	deny(d, j->flow, j->target, reason, j->verdict.rule, fix);
	job_free(d, j);
}

/* ---- verdicts ---- */

const struct dialer_override *dialer_override_of(
	const struct dialer *d, const char *name, uint16_t port)
{
	for (size_t i = 0; i < d->c.n_overrides; i++) {
		const struct dialer_override *o = &d->c.overrides[i];
		if ((!o->host[0] || streq(o->host, name)) && (!o->port || o->port == port))
			return o;
	}
	return NULL;
}

/* Names under which clouds serve credentials. */
static bool is_metadata_name(const char *name)
{
	static const char *const list[] = {"metadata.google.internal", "metadata.goog", "metadata",
		"instance-data", "instance-data.ec2.internal"};
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (streq(list[i], name))
			return true;
	return false;
}

/* Dial host, which is an address or a name. */
static void set_destination(struct job *j, const char *host)
{
	if (host_addr_parse(host, &j->addr[0]) == 0)
		j->n_addr = 1;
	else
		snprintf(j->dial, sizeof(j->dial), "%s", host);
}

/* Over the host's proxy where one is set.  False when it can't be used and the flow was answered.
 */
static bool set_proxy(struct dialer *d, struct job *j, const char *host)
{
	const struct proxy *p = j->ask_port == 80 ? &d->http : &d->https;
	if (!p->set || proxy_exempt(d->c.no_proxy, host, j->ask_port))
		return true;
	if (p->bad[0]) {
		dialer_failed(d, j, "%s", p->bad);
		return false;
	}
	j->via_proxy = j->explicit_addr = true;
	snprintf(j->connect, sizeof(j->connect), "%s", j->target);
	snprintf(j->auth, sizeof(j->auth), "%s", p->auth);
	j->port = p->port;
	j->n_addr = 0;
	j->dial[0] = '\0';
	set_destination(j, p->host);
	return true;
}

/* A name of the internet that no rule knows: a person may decide, where there is one. */
static bool may_ask(const struct dialer *d, const struct egress_verdict *v, const char *name)
{
	if (d->c.ask_ms == 0 || egress_offline(d->c.egress))
		return false;
	if (v->action == EGRESS_ALLOW || (v->rule != EGRESS_NO_RULE && !GUARD_REMOVED("ask-deny")))
		return false;
	return !host_name_special(name) && !is_metadata_name(name);
}

void dialer_judge_name(struct dialer *d, uint32_t flow, const char *name, uint16_t port)
{
	char target[300], fix[300];
	dialer_format_target(target, sizeof(target), name, port);
	struct egress_verdict v = egress_match(d->c.egress, name, port);
	bool offline = egress_offline(d->c.egress);
	if (v.action != EGRESS_ALLOW || offline) {
		/* a name of the user's own network has a private address, most likely */
		dialer_fix_name(fix, sizeof(fix),
			host_name_special(name) ? "--allow-private" : "--allow", name, port);
		deny(d, flow, target, dialer_deny_reason(&v, offline, fix), v.rule, fix);
		return;
	}
	if (is_metadata_name(name) && !v.private_ok) {
		deny(d, flow, target, "a cloud's metadata service", v.rule, "");
		return;
	}
	const struct dialer_vault *vault = &d->c.vault;
	const char *why = vault->refuse ? vault->refuse(vault->ctx, name, port, v.raw) : NULL;
	if (why) {
		deny(d, flow, target, why, v.rule, "");
		return;
	}
	struct job *j = job_new(d, flow);
	if (!j) {
		answer(d, flow, EGRESS_ANSWER_FAILED, "bawn: too much under way\n", -1);
		return;
	}
	j->verdict = v;
	j->port = j->ask_port = port;
	memcpy(j->target, target, sizeof(target));
	snprintf(j->name, sizeof(j->name), "%s", name);
	j->by_name = true;
	const struct dialer_override *o = dialer_override_of(d, name, port);
	if (o) {
		j->explicit_addr = o->to_host[0] != '\0';
		if (o->to_port)
			j->port = o->to_port;
	}
	set_destination(j, j->explicit_addr ? o->to_host : name);
	if (o || set_proxy(d, j, name))
		dial_start(d, j);
}

static void ask_name(struct dialer *d, const struct egress_ask_msg *m)
{
	char name[HOST_NAME_MAX_LEN + 1], target[300];
	if (!memchr(m->name, '\0', sizeof(m->name)) || m->port == 0 ||
		host_canonical(m->name, strlen(m->name), name) < 0) {
		answer(d, m->flow, EGRESS_ANSWER_DENIED, "bawn: refused: not a host name\n", -1);
		return;
	}
	if (why_name_is(name)) { /* before any rule is asked, or a person */
		static char text[sizeof(((struct egress_answer_msg *)NULL)->text)];
		dialer_why(d, name, text, sizeof(text));
		answer(d, m->flow, EGRESS_ANSWER_DENIED, text, -1);
		return;
	}
	struct egress_verdict v = egress_match(d->c.egress, name, m->port);
	if (d->c.hooks.asks && v.action == EGRESS_ALLOW && m->why == EGRESS_WHY_NONE)
		d->c.hooks.asks(d->c.hooks.ctx, name, m->port, (uint16_t)m->count);
	dialer_format_target(target, sizeof(target), name, m->port);
	/* why: the relay will refuse it whatever we say */
	if (m->why == EGRESS_WHY_NONE && may_ask(d, &v, name) &&
		ask_hold(d, m->flow, name, m->port, target))
		return;
	dialer_judge_name(d, m->flow, name, m->port);
}

static void ask_addr(struct dialer *d, const struct egress_ask_msg *m)
{
	struct host_addr a = {.ip = m->addr};
	char target[300], host[INET6_ADDRSTRLEN + 8], fix[320], reason[160];
	dialer_format_addr(target, sizeof(target), &a, m->port);
	if (m->port == 0) {
		answer(d, m->flow, EGRESS_ANSWER_DENIED, "bawn: refused: port 0\n", -1);
		return;
	}
	struct egress_verdict v = egress_match_addr(d->c.egress, &a, m->port);
	bool offline = egress_offline(d->c.egress);
	if (v.action != EGRESS_ALLOW || offline) {
		dialer_fix_addr(fix, sizeof(fix), &a, m->port);
		deny(d, m->flow, target, dialer_deny_reason(&v, offline, fix), v.rule, fix);
		return;
	}
	const char *range = host_addr_special(&a);
	if (range && streq(range, "loopback")) {
		/* nftables never sends one here: the relay isn't itself */
		deny(d, m->flow, target, "loopback inside is the sandbox's own", v.rule, "");
		return;
	}
	struct job *j = job_new(d, m->flow);
	if (!j) {
		answer(d, m->flow, EGRESS_ANSWER_FAILED, "bawn: too much under way\n", -1);
		return;
	}
	j->verdict = v;
	j->explicit_addr = v.exact;
	j->by_addr = true;
	j->asked = a;
	j->port = j->ask_port = m->port;
	memcpy(j->target, target, sizeof(target));
	host_addr_format(&a, host, sizeof(host));
	const char *why = dial_refused(j, &a);
	if (why) {
		snprintf(reason, sizeof(reason),
			"a rule for a network leaves out its special addresses (%s)", why);
		dialer_fix_addr(fix, sizeof(fix), &a, m->port);
		dialer_refused(d, j, reason, fix);
		return;
	}
	j->addr[0] = a;
	j->n_addr = 1;
	if (range || set_proxy(d, j, host))
		dial_start(d, j);
}

static void ask_host_port(struct dialer *d, const struct egress_ask_msg *m)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	char target[64], fix[64];
	bool listed = false;
	snprintf(target, sizeof(target), "host port %" PRIu16, m->port);
	for (size_t i = 0; i < d->c.n_host_ports; i++)
		listed |= d->c.host_ports[i] == m->port;
	if (!listed || m->port == 0) {
		snprintf(fix, sizeof(fix), "--host-port %" PRIu16, m->port);
		deny(d, m->flow, target, "not given by --host-port", EGRESS_NO_RULE, fix);
		return;
	}
	struct job *j = job_new(d, m->flow);
	if (!j) {
		answer(d, m->flow, EGRESS_ANSWER_FAILED, "bawn: too much under way\n", -1);
		return;
	}
	j->verdict = (struct egress_verdict){.action = EGRESS_ALLOW, .rule = EGRESS_NO_RULE};
	j->explicit_addr = true;
	j->port = j->ask_port = m->port;
	snprintf(j->target, sizeof(j->target), "%s", target);
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
		if (host_addr_parse(loopback[i], &j->addr[j->n_addr]) == 0)
			j->n_addr++;
	dial_start(d, j);
}

/* ---- published ports ---- */

/* Which published port, as the relay is told it. */
static uint32_t port_key(uint16_t host, uint16_t inside)
{
	return (uint32_t)host << 16 | inside;
}

void dialer_port_open(
	struct dialer *d, uint16_t host, uint16_t inside, const char *target, int inner, int outer)
{
	const struct answer a = {.msg = {.magic = EGRESS_MAGIC,
					 .flow = port_key(host, inside),
					 .answer = EGRESS_ANSWER_PORT},
		.fds = {inner, outer}};
	dialer_update_now(d);
	allow_note(d, target, EGRESS_NO_RULE, 1);
	post(d, &a);
	d->relay_heard = true;
	dialer_watch_relay(d);
}

void dialer_port_cut(struct dialer *d, uint16_t host, uint16_t inside)
{
	answer(d, port_key(host, inside), EGRESS_ANSWER_CUT, "", -1);
	dialer_watch_relay(d);
}

/* ---- another policy ---- */

/* A connection that was being made by rules that count no more. */
static void judge_again(struct dialer *d, struct job *j)
{
	char fix[320];
	struct egress_verdict v = {.action = EGRESS_ALLOW, .rule = EGRESS_NO_RULE};
	if (j->by_name) {
		v = egress_match(d->c.egress, j->name, j->ask_port);
		dialer_fix_name(fix, sizeof(fix), "--allow", j->name, j->ask_port);
	} else if (j->by_addr) {
		v = egress_match_addr(d->c.egress, &j->asked, j->ask_port);
		j->explicit_addr |= v.exact;
		dialer_fix_addr(fix, sizeof(fix), &j->asked, j->ask_port);
	}
	/* what may be private now, or no more, counts for the addresses not yet dialled */
	j->verdict = v;
	if (v.action == EGRESS_ALLOW)
		return;
	const char *why = dialer_deny_reason(&v, egress_offline(d->c.egress), fix);
	dialer_refused(d, j, why, fix);
}

int dialer_policy(
	struct dialer *d, const struct egress *e, const void *table, size_t n, struct err *err)
{
	if (n > EGRESS_POLICY_MAX) {
		err_hint(
			err, "it counts from the sandbox's next start: bawn stop it, and start it");
		return err_set(
			err, E2BIG, "the policy is too large to be changed in a running sandbox");
	}
	int fd = fd_memfd_sealed("bawn-egress", table, n, err);
	if (fd < 0)
		return fd;
	dialer_update_now(d);
	lease_recall(d);
	allow_flush(d); /* their rules' numbers are the old table's */
	d->n_allowed = 0;
	d->c.egress = e;
	for (unsigned i = 0; i < DIALER_MAX_JOBS; i++)
		if (d->jobs[i])
			judge_again(d, d->jobs[i]);
	answer(d, 0, EGRESS_ANSWER_POLICY, "", fd);
	ask_judge_again(d);
	dialer_watch_relay(d);
	return 0;
}

/* ---- messages of the relay ---- */

/* 0, or -EPROTO */
static int handle(struct dialer *d, const struct egress_ask_msg *m)
{
	switch ((enum egress_ask)m->kind) {
	case EGRESS_ASK_NAME:
		ask_name(d, m);
		return 0;
	case EGRESS_ASK_ADDR:
		ask_addr(d, m);
		return 0;
	case EGRESS_ASK_HOST_PORT:
		ask_host_port(d, m);
		return 0;
	case EGRESS_TELL_DENIED:
		tell_denied(d, m);
		return 0;
	case EGRESS_TELL_END:
		live_ended(d, m);
		return 0;
	case EGRESS_TELL_OPEN:
		live_open(d, m);
		return 0;
	case EGRESS_TELL_LISTED:
		live_listed(d, m);
		return 0;
	case EGRESS_TELL_AGAIN:
		lease_told(d, m);
		return 0;
	case EGRESS_PORT:
		break;
	}
	return -EPROTO;
}

static int relay_event(struct dialer *d, uint32_t events)
{
	struct egress_ask_msg m;
	if (events & EPOLLOUT)
		flush_queue(d);
	for (int i = 0; i < ASK_BATCH; i++) {
		if (d->q_len >= DIALER_MAX_QUEUE || d->n_jobs >= DIALER_MAX_JOBS)
			break;
		/* descriptors are not expected: with no room for them the kernel drops them */
		ssize_t n = recv(d->c.relay_sock, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return -EPIPE;
		if (n != (ssize_t)sizeof(m) || m.magic != EGRESS_MAGIC)
			return -EPROTO;
		d->relay_heard = true;
		int r = handle(d, &m);
		if (r < 0)
			return r;
	}
	return 0;
}

int dialer_dispatch(struct dialer *d)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(d->epoll, ev, EVENTS, 0), r = 0;
	uint64_t ticks;
	dialer_update_now(d);
	for (int i = 0; i < n && r == 0; i++) {
		uint64_t key = ev[i].data.u64;
		switch ((enum dialer_event)(key >> 56)) {
		case DIALER_EV_RELAY:
			r = relay_event(d, ev[i].events);
			break;
		case DIALER_EV_RESOLVER:
			resolve_event(d);
			break;
		case DIALER_EV_TIMER:
			if (read(d->timer, &ticks, sizeof(ticks)) > 0) {
				d->armed = 0;
				dial_tick(d);
				ask_tick(d);
			}
			break;
		case DIALER_EV_JOB:
			dial_event(d, (uint32_t)key, (unsigned)(key >> 32 & 0xff));
			break;
		}
	}
	dialer_watch_relay(d);
	return r;
}

int dialer_fd(const struct dialer *d)
{
	return d->epoll;
}

static int add_fd(struct dialer *d, int fd, enum dialer_event kind)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)kind << 56};
	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int dialer_new(const struct dialer_config *c, struct dialer **ret, struct err *err)
{
	struct dialer *d = first_calloc(sizeof(*d));
	if (!d)
		return err_sys(err, ENOMEM, "dialer");
	d->c = *c;
	d->resolver = PROC_NONE;
	d->resolver_sock = -1;
	d->relay_events = EPOLLIN;
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	proxy_parse(c->http_proxy, &d->http);
	proxy_parse(c->https_proxy, &d->https);
	if (d->epoll < 0 || d->timer < 0 || fd_set_nonblock(c->relay_sock) < 0 ||
		add_fd(d, c->relay_sock, DIALER_EV_RELAY) < 0 ||
		add_fd(d, d->timer, DIALER_EV_TIMER) < 0) {
		int e = errno;
		d->c.relay_sock = -1; /* still the caller's */
		dialer_free(d);
		return err_sys(err, e, "dialer");
	}
	dialer_update_now(d);
	*ret = d;
	return 0;
}

void dialer_finish(struct dialer *d, int ms)
{
	struct pollfd p = {.fd = d->c.relay_sock, .events = POLLIN};
	shutdown(d->c.relay_sock, SHUT_WR);
	while (poll(&p, 1, ms) > 0 && relay_event(d, EPOLLIN) == 0)
		;
	dialer_update_now(d);
	allow_flush(d);
}

void dialer_free(struct dialer *d)
{
	if (!d)
		return;
	dialer_update_now(d);
	allow_flush(d);
	for (unsigned i = 0; i < DIALER_MAX_JOBS; i++)
		if (d->jobs[i])
			job_free(d, d->jobs[i]);
	while (d->q_len) {
		answer_close(&d->queue[d->q_head]);
		d->q_head = (d->q_head + 1) % QUEUE_CAP;
		d->q_len--;
	}
	free(d->spare);
	free(d->queue);
	free(d->cache);
	resolve_stop(d);
	ask_free(d);
	deny_free(d);
	unreached_free(d);
	live_free(d);
	lease_free(d);
	const int fds[] = {d->c.relay_sock, d->timer, d->epoll};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	first_free(d);
}
