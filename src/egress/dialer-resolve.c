/* egress/dialer-resolve.c - the resolver helper and a small cache of what it said.
 *
 * Owns: bawn-resolve's process and socket.  It is started at the first question and ends by itself
 * when idle; that is not an error.  One question per name is under way at a time.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "egress/dialer-int.h"

enum { TTL_MAX_S = 30, TTL_MIN_S = 1, TTL_FAILED_S = 2, MAX_TRIES = 2 };

static int start(struct dialer *d)
{
	int sv[2];
	struct err err = {0};
	if (!d->c.resolver_path)
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	_cleanup_close_ int ours = sv[0];
	_cleanup_close_ int theirs = sv[1];
	char *argv[] = {(char[]){"bawn-resolve"}, NULL};
	/* one that outlives its first client must not hold that one's */
	int fds[] = {-1, -1, d->c.fix_sandbox ? -1 : STDERR_FILENO, theirs};
	struct proc_spawn how = {
		.path = d->c.resolver_path, .argv = argv, .fds = fds, .nfds = (int)ARRAY_LEN(fds)};
	int r = proc_spawn(&how, &d->resolver, &err);
	if (r < 0)
		return r;
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)DIALER_EV_RESOLVER << 56};
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, ours, &e) < 0) {
		r = -errno;
		proc_kill(&d->resolver);
		return r;
	}
	d->resolver_sock = TAKE_FD(ours);
	return 0;
}

void resolve_stop(struct dialer *d)
{
	if (d->resolver_sock >= 0)
		close(d->resolver_sock);
	d->resolver_sock = -1;
	proc_kill(&d->resolver);
}

static int send_question(struct dialer *d, struct cache_entry *e)
{
	struct resolve_ask_msg m = {.magic = RESOLVE_MAGIC, .id = e->id};
	if (d->resolver_sock < 0) {
		int r = start(d);
		if (r < 0)
			return r;
	}
	e->tries++;
	snprintf(m.name, sizeof(m.name), "%s", e->name);
	return send(d->resolver_sock, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT) ==
			(ssize_t)sizeof(m)
		? 0
		: -errno;
}

static void done(struct dialer *d, struct cache_entry *e, uint8_t status, uint32_t ttl)
{
	e->state = CACHE_DONE;
	e->status = status;
	if (status != RESOLVE_OK)
		ttl = TTL_FAILED_S;
	e->expires = d->now +
		(uint64_t)MIN(MAX(ttl, (uint32_t)TTL_MIN_S), (uint32_t)TTL_MAX_S) * 1000;
	dial_resolved(d, e);
}

/* An entry to use for a new name: free, expired, or the one that expires first. */
static struct cache_entry *make_entry(struct dialer *d)
{
	struct cache_entry *best = NULL;
	for (unsigned i = 0; i < DIALER_CACHE; i++) {
		struct cache_entry *e = &d->cache[i];
		if (e->state == CACHE_FREE)
			return e;
		if (e->state == CACHE_DONE && (!best || e->expires < best->expires))
			best = e;
	}
	return best;
}

const struct cache_entry *resolve_lookup(struct dialer *d, const char *name)
{
	if (!d->cache)
		d->cache = calloc(DIALER_CACHE, sizeof(*d->cache));
	if (!d->cache)
		return NULL;
	for (unsigned i = 0; i < DIALER_CACHE; i++) {
		struct cache_entry *e = &d->cache[i];
		if (e->state == CACHE_FREE || !streq(e->name, name))
			continue;
		if (e->state == CACHE_PENDING || d->now < e->expires)
			return e;
		e->state = CACHE_FREE;
	}
	struct cache_entry *e = make_entry(d);
	if (!e)
		return NULL;
	*e = (struct cache_entry){.state = CACHE_PENDING, .id = ++d->next_id};
	snprintf(e->name, sizeof(e->name), "%s", name);
	if (send_question(d, e) < 0) {
		e->state = CACHE_FREE;
		return NULL;
	}
	return e;
}

/* The helper is gone: idle, or something ended it.  Ask again what it left open. */
static void restart(struct dialer *d)
{
	resolve_stop(d);
	for (unsigned i = 0; i < DIALER_CACHE; i++) {
		struct cache_entry *e = &d->cache[i];
		if (e->state != CACHE_PENDING)
			continue;
		if (e->tries >= MAX_TRIES || send_question(d, e) < 0)
			done(d, e, RESOLVE_FAILED, 0);
	}
}

void resolve_event(struct dialer *d)
{
	struct resolve_reply_msg m;
	if (d->resolver_sock < 0)
		return;
	ssize_t n = recv(d->resolver_sock, &m, sizeof(m), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(m) || m.magic != RESOLVE_MAGIC || m.n > RESOLVE_MAX_ADDRS) {
		restart(d);
		return;
	}
	for (unsigned i = 0; i < DIALER_CACHE; i++) {
		struct cache_entry *e = &d->cache[i];
		if (e->state != CACHE_PENDING || e->id != m.id)
			continue;
		e->n = m.n;
		for (unsigned k = 0; k < m.n; k++)
			e->addr[k].ip = m.addr[k];
		done(d, e, m.n ? m.status : RESOLVE_NO_NAME, m.ttl);
		return;
	}
}
