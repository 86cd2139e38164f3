/* egress/relay-tell.c - what the relay tells the supervisor.
 *
 * Owns: the questions that wait for room in the socket, and the two tables that turn floods of
 * refusals and of ended flows into one message a second each.  Must not: decide anything.
 *
 * The first refusal of a kind goes out at once, so that it can be shown while it happens; the same
 * again is counted.  When more kinds than the table holds come within a second, they are counted
 * in one entry (EGRESS_WHY_LIMIT).
 */
#include "egress/relay.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "egress/names.h"

enum { N_DENIED = 64, N_ENDS = 64 };

struct denied {
	uint8_t why, proto;
	uint16_t port;
	uint32_t count; /* not told yet */
	struct in6_addr addr;
	char name[256], seen[256];
};

struct ended {
	uint8_t kind;
	uint16_t port;
	int16_t name;
	uint32_t count;
	uint64_t up, down, ms;
	struct in6_addr addr;
};

static struct denied denied[N_DENIED];
static struct ended ended[N_ENDS];
static unsigned n_denied, n_ended;
static uint32_t lost; /* refusals the table had no room for */
static struct flow *unsent_head, **unsent_tail = &unsent_head;
static bool watching;
static struct egress_ask_msg msg;

static bool send_msg(void)
{
	msg.magic = EGRESS_MAGIC;
	ssize_t n = send(relay.super, &msg, sizeof(msg), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == (ssize_t)sizeof(msg))
		return true;
	if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
		relay_die(NULL);
	return false;
}

static void watch_writable(bool on)
{
	if (on == watching)
		return;
	struct epoll_event e = {.events = EPOLLIN | (on ? EPOLLOUT : 0u),
		.data.u64 = (uint64_t)RELAY_EV_SUPER << 32};
	epoll_ctl(relay.epoll, EPOLL_CTL_MOD, relay.super, &e);
	watching = on;
}

static bool send_ask(const struct flow *f)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = f->kind;
	msg.why = f->doomed ? EGRESS_WHY_SNI : EGRESS_WHY_NONE;
	msg.port = f->port;
	msg.flow = f->id;
	msg.count = f->kind == EGRESS_ASK_NAME ? f->from : 1;
	msg.addr = f->addr;
	if (f->name >= 0)
		snprintf(msg.name, sizeof(msg.name), "%s", names_text(f->name));
	return send_msg();
}

void tell_ask(struct flow *f)
{
	if (!unsent_head && send_ask(f))
		return;
	f->unsent = true;
	f->unsent_next = NULL;
	*unsent_tail = f;
	unsent_tail = &f->unsent_next;
	watch_writable(true);
}

void tell_forget(struct flow *f)
{
	if (!f->unsent)
		return;
	for (struct flow **p = &unsent_head; *p; p = &(*p)->unsent_next) {
		if (*p != f)
			continue;
		*p = f->unsent_next;
		if (unsent_tail == &f->unsent_next)
			unsent_tail = p;
		break;
	}
	f->unsent = false;
}

void tell_writable(void)
{
	while (unsent_head && send_ask(unsent_head)) {
		struct flow *f = unsent_head;
		unsent_head = f->unsent_next;
		f->unsent = false;
	}
	if (!unsent_head) {
		unsent_tail = &unsent_head;
		watch_writable(false);
	}
}

static bool send_denied(const struct denied *d, uint32_t count)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = EGRESS_TELL_DENIED;
	msg.why = d->why;
	msg.port = d->port;
	msg.flow = d->proto;
	msg.count = count;
	msg.addr = d->addr;
	memcpy(msg.name, d->name, sizeof(msg.name));
	memcpy(msg.seen, d->seen, sizeof(msg.seen));
	return send_msg();
}

void tell_denied(enum egress_why why, const char *name, const struct in6_addr *addr, uint16_t port,
	uint8_t proto, const char *seen)
{
	static const struct in6_addr none;
	if (!addr)
		addr = &none;
	for (unsigned i = 0; i < n_denied; i++) {
		struct denied *d = &denied[i];
		if (d->why == why && d->port == port && d->proto == proto &&
			memcmp(&d->addr, addr, sizeof(*addr)) == 0 && streq(d->name, name) &&
			streq(d->seen, seen)) {
			d->count++;
			return;
		}
	}
	if (n_denied == N_DENIED) {
		lost++;
		return;
	}
	struct denied *d = &denied[n_denied++];
	memset(d, 0, sizeof(*d));
	d->why = (uint8_t)why;
	d->port = port;
	d->proto = proto;
	d->addr = *addr;
	snprintf(d->name, sizeof(d->name), "%s", name);
	/* printable: it ends up in messages */
	size_t o = 0;
	for (; seen[o] && o + 1 < sizeof(d->seen); o++)
		d->seen[o] = seen[o] > 0x20 && seen[o] < 0x7f ? seen[o] : '?';
	d->count = send_denied(d, 1) ? 0 : 1;
}

bool tell_open(const struct flow *f, uint32_t place)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = EGRESS_TELL_OPEN;
	msg.flow = f->kind | (uint32_t)f->from << 16;
	msg.port = f->port;
	msg.count = place;
	msg.addr = f->addr;
	msg.up = f->bytes[CLIENT];
	msg.down = f->bytes[UPSTREAM];
	msg.ms = relay.now - f->start;
	if (f->name >= 0)
		snprintf(msg.name, sizeof(msg.name), "%s", names_text(f->name));
	return send_msg();
}

void tell_listed(uint32_t open)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = EGRESS_TELL_LISTED;
	msg.count = open;
	(void)send_msg();
}

bool tell_again(uint8_t kind, int name, uint16_t port, uint32_t count)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = EGRESS_TELL_AGAIN;
	msg.flow = kind;
	msg.port = port;
	msg.count = count;
	if (name >= 0)
		snprintf(msg.name, sizeof(msg.name), "%s", names_text(name));
	return send_msg();
}

static bool send_ended(const struct ended *e)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = EGRESS_TELL_END;
	msg.flow = e->kind;
	msg.port = e->port;
	msg.count = e->count;
	msg.addr = e->addr;
	msg.up = e->up;
	msg.down = e->down;
	msg.ms = e->ms;
	if (e->name >= 0)
		snprintf(msg.name, sizeof(msg.name), "%s", names_text(e->name));
	return send_msg();
}

static void flush_ended(void)
{
	unsigned done = 0;
	while (done < n_ended && send_ended(&ended[done]))
		done++;
	memmove(ended, ended + done, (n_ended - done) * sizeof(ended[0]));
	n_ended -= done;
}

void tell_end(const struct flow *f)
{
	if (f->kind == EGRESS_ASK_NAME && !f->allowed)
		return;
	struct ended *e = NULL;
	for (unsigned i = 0; i < n_ended && !e; i++) {
		struct ended *x = &ended[i];
		if (x->kind == f->kind && x->port == f->port && x->name == f->name &&
			memcmp(&x->addr, &f->addr, sizeof(x->addr)) == 0)
			e = x;
	}
	if (!e && n_ended == N_ENDS)
		flush_ended();
	if (!e && n_ended < N_ENDS) {
		e = &ended[n_ended++];
		*e = (struct ended){
			.kind = f->kind, .port = f->port, .name = f->name, .addr = f->addr};
	}
	if (!e) /* the supervisor doesn't read: keep the sum at least */
		e = &ended[N_ENDS - 1];
	e->count++;
	e->up += f->bytes[CLIENT];
	e->down += f->bytes[UPSTREAM];
	e->ms += relay.now - f->start;
}

void tell_tick(void)
{
	unsigned keep = 0;
	for (unsigned i = 0; i < n_denied; i++) {
		struct denied *d = &denied[i];
		bool quiet = d->count == 0;
		if (!quiet && send_denied(d, d->count))
			d->count = 0;
		if (quiet)
			continue;
		if (keep != i)
			denied[keep] = *d;
		keep++;
	}
	n_denied = keep;
	if (lost) {
		struct denied d = {.why = EGRESS_WHY_LIMIT};
		if (send_denied(&d, lost))
			lost = 0;
	}
	flush_ended();
}

bool tell_any_pending(void)
{
	return n_denied || n_ended || lost;
}
