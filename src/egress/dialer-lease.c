/* egress/dialer-lease.c - what the relay may connect to by itself (egress/lease.h).
 *
 * Owns: the page.  Must not: give an address that wasn't judged and connected to a moment ago, or
 * one on the way to which the vault, a proxy or a person may stand.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "egress/dialer-int.h"
#include "egress/lease.h"

#ifndef F_SEAL_FUTURE_WRITE /* linux/fcntl.h, since 5.1 */
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static bool has_port(const struct lease_page *p, uint16_t port)
{
	for (unsigned i = 0; i < p->n_ports; i++)
		if (p->port[i] == port)
			return true;
	return false;
}

static bool add_port(struct lease_page *p, uint16_t port)
{
	if (has_port(p, port))
		return true;
	if (p->n_ports == LEASE_MAX_PORTS)
		return false;
	p->port[p->n_ports++] = port;
	return true;
}

/* The port that it leads to, where that is one of this machine, given by address; 0: else. */
static uint16_t port_of(const struct dialer_override *o)
{
	struct host_addr a;
	if (host_addr_parse(o->to_host, &a) < 0 || !dial_is_loopback(&a))
		return 0;
	return o->to_port ? o->to_port : o->port;
}

/* The ports of the user's options; false: none, or more than there is room for. */
static bool add_ports(const struct dialer_config *c, struct lease_page *p)
{
	for (size_t i = 0; i < c->n_host_ports; i++)
		if (!add_port(p, c->host_ports[i]))
			return false;
	for (size_t i = 0; i < c->n_overrides; i++) {
		const uint16_t port = port_of(&c->overrides[i]);
		if (port && !add_port(p, port))
			return false;
	}
	return p->n_ports > 0;
}

int dialer_lease_fd(struct dialer *d)
{
	struct lease_page page = {0};
	/* who learns wants to know of every connection */
	if (d->leases || d->c.hooks.asks || !add_ports(&d->c, &page))
		return -1;
	_cleanup_close_ int fd = memfd_create("bawn-leases", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, sizeof(page)) < 0)
		return -1;
	void *map = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	memcpy(map, &page, sizeof(page));
	/* a kernel that can't leaves the relay without */
	if (fcntl(fd, F_ADD_SEALS,
		    F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		munmap(map, sizeof(page));
		return -1;
	}
	d->leases = map;
	return TAKE_FD(fd);
}

/* The vault never stands on the way of these (vault_flow). */
static bool goes_as_it_is(const struct job *j)
{
	return !j->by_name || j->ask_port == 80 || j->verdict.raw;
}

static void set_family(union lease_slot *s, sa_family_t family)
{
	__atomic_store_n(&s->any.sa_family, family, __ATOMIC_RELEASE);
}

uint8_t lease_give(struct dialer *d, const struct job *j)
{
	const struct host_addr *a = &j->addr[j->reached];
	/* what a name stands for (j->dial) may be another address the next time */
	if (!d->leases || !j->explicit_addr || j->by_addr || j->via_proxy || j->dial[0] ||
		!goes_as_it_is(j) || !dial_is_loopback(a) || !has_port(d->leases, j->port))
		return 0;
	struct sockaddr_storage to;
	const socklen_t len = dial_sockaddr(a, j->port, &to);
	const size_t head = sizeof(sa_family_t); /* behind it ::1 and 127.0.0.0/8 differ */
	for (unsigned i = 0; i < LEASE_SLOTS; i++) {
		union lease_slot *s = &d->leases->slot[i];
		const bool fresh = s->v4.sin_port == 0;
		if (fresh)
			memcpy(s->bytes + head, (uint8_t *)&to + head, len - head);
		else if (memcmp(s->bytes + head, (uint8_t *)&to + head, len - head) != 0)
			continue;
		set_family(s, to.ss_family);
		return (uint8_t)(i + 1);
	}
	return 0;
}

void lease_recall(struct dialer *d)
{
	for (unsigned i = 0; d->leases && i < LEASE_SLOTS; i++)
		if (!GUARD_REMOVED("lease-recall"))
			set_family(&d->leases->slot[i], AF_UNSPEC);
}

/* Could one have been given for it? */
static bool has_override(const struct dialer *d, const char *name, uint16_t port)
{
	const struct dialer_override *o = dialer_override_of(d, name, port);
	return o && port_of(o);
}

void lease_told(struct dialer *d, const struct egress_ask_msg *m)
{
	char name[HOST_NAME_MAX_LEN + 1], target[300];
	struct egress_verdict v = {.rule = EGRESS_NO_RULE};
	if (!d->leases || m->count == 0)
		return;
	if (m->flow == EGRESS_ASK_HOST_PORT) {
		snprintf(target, sizeof(target), "host port %" PRIu16, m->port);
		if (!has_port(d->leases, m->port))
			return;
	} else if (memchr(m->name, '\0', sizeof(m->name)) &&
		host_canonical(m->name, strlen(m->name), name) == 0 &&
		has_override(d, name, m->port)) {
		dialer_format_target(target, sizeof(target), name, m->port);
		v = egress_match(d->c.egress, name, m->port);
		if (v.action != EGRESS_ALLOW)
			return; /* said by a relay that is another's, or no more by this policy */
	} else {
		return;
	}
	allow_note(d, target, v.rule, m->count);
	unreached_no_more(d, target);
}

void lease_free(struct dialer *d)
{
	if (d->leases)
		munmap(d->leases, sizeof(*d->leases));
	d->leases = NULL;
}
