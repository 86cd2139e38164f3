/* egress/jail-filter.c - see jail-filter.h
 *
 * Compiled here by hand: first the calls of which only some may pass, then a compare per call of
 * the table, in its order.  EPERM rather than death for what isn't allowed, because the jail's
 * proof, and a C library that probes, must survive their refusal; an arch that isn't ours kills.
 */
#include "egress/jail-filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "egress/lease.h"

#if defined(__x86_64__)
#define JAIL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define JAIL_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define JAIL_ARCH AUDIT_ARCH_RISCV64
#else
#error "no seccomp architecture known for this machine"
#endif

enum { MAX_CALLS = 96 };

/* All machines above are little-endian: the lower half of an argument comes first.  Of an int the
 * kernel looks at no more. */
#define ARG(n) (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n))
#define ARG_HIGH(n) (ARG(n) + 4)
#define NUMBER (uint32_t) offsetof(struct seccomp_data, nr)
#define DENY (uint32_t)(SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA))

struct program {
	struct sock_filter *f;
	size_t n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->f[p->n++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

static void load(struct program *p, uint32_t at)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

static void end(struct program *p, uint32_t how)
{
	put(p, BPF_RET | BPF_K, how, 0, 0);
}

/* The next instruction only where the loaded word is k; else the one behind it. */
static void only_if(struct program *p, uint32_t k)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
}

/* Refused where the word at `at` isn't k. */
static void must_be(struct program *p, uint32_t at, uint32_t k)
{
	load(p, at);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	end(p, DENY);
}

/* Where the loaded number isn't that of the call, skips what is put until skip_end(). */
static size_t skip_unless(struct program *p, uint32_t call)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 0);
	return p->n;
}

static void skip_end(struct program *p, size_t from)
{
	p->f[from - 1].jf = (uint8_t)(p->n - from);
}

/* Stream sockets of the internet, as relay-lease.c makes them. */
static void sockets(struct program *p)
{
	size_t s = skip_unless(p, SYS_socket);
	must_be(p, ARG(1), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
	must_be(p, ARG(2), 0);
	load(p, ARG(0));
	only_if(p, AF_INET);
	end(p, SECCOMP_RET_ALLOW);
	only_if(p, AF_INET6);
	end(p, SECCOMP_RET_ALLOW);
	end(p, DENY);
	skip_end(p, s);
}

/* To an address that stands in a slot of the page, and nowhere else. */
static void connects(struct program *p, const struct lease_page *page)
{
	const uint64_t base = (uint64_t)(uintptr_t)page->slot;
	const uint32_t slot = (LEASE_SLOTS - 1) * LEASE_SLOT_BYTES;
	size_t s = skip_unless(p, SYS_connect);
	if (!GUARD_REMOVED("relay-connect")) {
		must_be(p, ARG(2), LEASE_ADDR_LEN);
		must_be(p, ARG_HIGH(1), (uint32_t)(base >> 32));
		load(p, ARG(1));
		put(p, BPF_ALU | BPF_AND | BPF_K, ~slot, 0, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)base, 1, 0);
		end(p, DENY);
	}
	end(p, SECCOMP_RET_ALLOW);
	skip_end(p, s);
}

/* A socket that isn't connected yet must not become so by sending, nor over a source route. */
static void no_detours(struct program *p)
{
	static const struct {
		uint32_t level, option;
	} options[] = {{IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_CONGESTION},
		{IPPROTO_TCP, TCP_QUICKACK}, {SOL_SOCKET, SO_LINGER}, {SOL_SOCKET, SO_KEEPALIVE}};
	const struct {
		uint32_t call, flags;
	} sends[] = {{SYS_sendto, ARG(3)}, {SYS_sendmsg, ARG(2)}};
	size_t s;
	for (size_t i = 0; i < ARRAY_LEN(sends) && !GUARD_REMOVED("relay-connect"); i++) {
		s = skip_unless(p, sends[i].call);
		load(p, sends[i].flags);
		put(p, BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1);
		end(p, DENY);
		load(p, NUMBER); /* the rest of the program goes on with it */
		skip_end(p, s);
	}
	s = skip_unless(p, SYS_setsockopt);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		load(p, ARG(1));
		put(p, BPF_JMP | BPF_JEQ | BPF_K, options[i].level, 0, 3);
		load(p, ARG(2));
		only_if(p, options[i].option);
		end(p, SECCOMP_RET_ALLOW);
	}
	end(p, DENY);
	skip_end(p, s);
}

/* sendto and sendmsg on one descriptor are refused, on others allowed.  The other calls that could
 * write, or give it another number, are not to be in the table. */
static void mute(struct program *p, int fd)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 4);
	load(p, ARG(0));
	only_if(p, (uint32_t)fd);
	end(p, DENY);
	end(p, SECCOMP_RET_ALLOW);
}

int jail_filter(const struct jail *j, struct sock_filter f[static JAIL_FILTER_MAX])
{
	struct program p = {.f = f};
	if (j->n_calls > MAX_CALLS)
		return -E2BIG;
	load(&p, (uint32_t)offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, JAIL_ARCH, 1, 0);
	end(&p, SECCOMP_RET_KILL_PROCESS);
	load(&p, NUMBER);
	if (j->leases) {
		sockets(&p);
		connects(&p, j->leases);
		no_detours(&p);
	}
	if (j->mute_fd && !GUARD_REMOVED("relay-mute"))
		mute(&p, j->mute_fd);
	/* x32 calls have bit 30 set: no number of the table equals one, they fall through */
	for (size_t i = 0; i < j->n_calls; i++)
		put(&p, BPF_JMP | BPF_JEQ | BPF_K, j->calls[i], (uint8_t)(j->n_calls - i), 0);
	end(&p, DENY);
	end(&p, SECCOMP_RET_ALLOW);
	return (int)p.n;
}
