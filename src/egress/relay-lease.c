/* egress/relay-lease.c - connections that the supervisor need not be asked for again.
 *
 * Owns: the page (egress/lease.h), which of its slots was given for what, and how often each was
 * used, which the supervisor is told once a second.  Must not: decide; a slot comes with an answer
 * to a question, and the supervisor empties it when another policy counts.
 *
 * The server is on this machine, so the handshake is over when connect(2) returns.  Where it isn't,
 * or fails, the supervisor is asked as ever: it knows what to say, and waits.
 */
#include "egress/relay.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "egress/lease.h"
#include "egress/names.h"

enum { NO_SLOT = 0xff };

/* A kind, name and port for which a slot was given. */
struct given {
	uint8_t kind, slot; /* NO_SLOT: not by this policy */
	uint16_t port;
	int16_t name;
	uint32_t used; /* times, not told yet */
};

static const struct lease_page *page;
static struct given given[LEASE_SLOTS];
static unsigned n_given, n_used;

int lease_init(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return -errno;
	/* what could be cut short would end us when it is read */
	if (!(seals & F_SEAL_SHRINK))
		return -EPERM;
	void *map = mmap(NULL, sizeof(*page), PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	close(fd);
	page = map;
	return 0;
}

const struct lease_page *lease_page(void)
{
	return page;
}

static struct given *find(const struct flow *f)
{
	for (unsigned i = 0; i < n_given; i++)
		if (given[i].kind == f->kind && given[i].port == f->port &&
			given[i].name == f->name)
			return &given[i];
	return NULL;
}

void lease_take(const struct flow *f, uint8_t slot)
{
	if (!page || slot == 0 || slot > LEASE_SLOTS)
		return;
	struct given *g = find(f);
	if (!g && n_given < LEASE_SLOTS) {
		g = &given[n_given++];
		*g = (struct given){.kind = f->kind, .port = f->port, .name = f->name};
		if (f->name >= 0)
			names_ref(f->name);
	}
	if (g)
		g->slot = (uint8_t)(slot - 1);
}

/* A connected socket, or -1.  has_data: what is to be sent is here. */
static int dial(const union lease_slot *s, bool has_data)
{
	const sa_family_t family = __atomic_load_n(&s->any.sa_family, __ATOMIC_ACQUIRE);
	int one = 1, zero = 0;
	if (family == AF_UNSPEC)
		return -1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* as the dialer does; a default that paces only costs on loopback */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", strlen("reno"));
	/* The handshake's last acknowledgement goes with the data, and the server wakes once, when
	 * there is something to read.  It counts for that one only (tcp(7)). */
	if (has_data)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &zero, sizeof(zero));
	/* Done at once is only the address of nothing, recalled this moment; a handshake is under
	 * way first, and over when it is asked for again. */
	if (connect(fd, &s->any, LEASE_ADDR_LEN) < 0 && errno == EINPROGRESS &&
		connect(fd, &s->any, LEASE_ADDR_LEN) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void tell(struct given *g)
{
	if (!g->used || !tell_again(g->kind, g->name, g->port, g->used))
		return;
	g->used = 0;
	n_used--;
}

int lease_connect(const struct flow *f)
{
	struct given *g = n_given ? find(f) : NULL;
	if (!g || g->slot == NO_SLOT)
		return -1;
	int fd = dial(&page->slot[g->slot], f->sniff != SNIFF_NONE);
	if (fd >= 0) {
		n_used += g->used == 0;
		g->used++;
	} else {
		tell(g); /* before the question: what was reached, and then perhaps no more */
	}
	return fd;
}

void lease_drop_all(void)
{
	for (unsigned i = 0; i < n_given; i++)
		given[i].slot = NO_SLOT;
}

void lease_tick(void)
{
	for (unsigned i = 0; n_used && i < n_given; i++)
		tell(&given[i]);
}

bool lease_any_pending(void)
{
	return n_used > 0;
}
