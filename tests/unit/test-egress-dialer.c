/* tests/unit/test-egress-dialer.c - the dialer, with this test as the relay; bawn-resolve is the
 * real one and reads this machine's /etc/hosts.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "egress-pack.h"
#include "egress/dialer-int.h"
#include "egress/lease.h"

static uint16_t port; /* of a listener on 127.0.0.1 */
static int listener;
static char own_name[HOST_NAME_MAX_LEN + 1];
static struct pack pack;
static int pack_fd;

struct world {
	struct dialer *d;
	int relay; /* our end */
	unsigned n_verdicts;
	uint64_t n_allowed; /* connections, of those */
};

static void on_verdict(void *ctx, bool allowed, const struct dialer_denial *x)
{
	struct world *w = ctx;
	assert_non_null(x->target);
	w->n_allowed += allowed ? x->count : 0;
	w->n_verdicts++;
}

static const char *resolver(void)
{
	static char path[4096];
	const char *dir = getenv("BAWN_BUILDDIR");
	snprintf(path, sizeof(path), "%s/bawn-resolve", dir ? dir : ".");
	return path;
}

static void open_world(struct world *w, struct dialer_config c)
{
	int sv[2];
	struct err err = {0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	*w = (struct world){.relay = sv[1]};
	c.relay_sock = sv[0];
	c.egress = pack.egress;
	c.resolver_path = resolver();
	c.fix_prefix = "bawn run test";
	c.hooks = (struct dialer_hooks){.ctx = w, .verdict = on_verdict};
	if (dialer_new(&c, &w->d, &err) < 0)
		fail_msg("%s", err.msg);
}

static void close_world(struct world *w)
{
	dialer_free(w->d);
	if (w->relay >= 0)
		close(w->relay);
}

static void ask(
	struct world *w, enum egress_ask kind, const char *name, const char *addr, uint16_t p)
{
	struct egress_ask_msg m = {
		.magic = EGRESS_MAGIC, .kind = (uint8_t)kind, .port = p, .flow = 77, .count = 1};
	struct host_addr a;
	snprintf(m.name, sizeof(m.name), "%s", name);
	if (addr) {
		assert_int_equal(host_addr_parse(addr, &a), 0);
		m.addr = a.ip;
	}
	assert_int_equal(send(w->relay, &m, sizeof(m), 0), (ssize_t)sizeof(m));
}

static struct egress_answer_msg got;

/* Run the dialer until its answer comes; the kind of answer, the socket in *ret_fd (or -1). */
static int answer(struct world *w, int *ret_fd)
{
	struct pollfd p[] = {
		{.fd = dialer_fd(w->d), .events = POLLIN}, {.fd = w->relay, .events = POLLIN}};
	size_t n_fds = 0;
	int fd = -1;
	while (poll(p, 2, 20000) > 0) {
		if (p[0].revents)
			assert_int_equal(dialer_dispatch(w->d), 0);
		if (!p[1].revents)
			continue;
		assert_int_equal(
			fd_recv(w->relay, &got, sizeof(got), &fd, 1, &n_fds), (ssize_t)sizeof(got));
		assert_int_equal(got.magic, EGRESS_MAGIC);
		assert_int_equal(got.flow, 77);
		if (ret_fd)
			*ret_fd = n_fds ? fd : -1;
		else if (n_fds)
			close(fd);
		return got.answer;
	}
	fail_msg("no answer");
	return 0;
}

static int ask_name(struct world *w, const char *name, uint16_t p)
{
	ask(w, EGRESS_ASK_NAME, name, NULL, p);
	return answer(w, NULL);
}

static void test_denied(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, (struct dialer_config){0});
	assert_int_equal(ask_name(&w, "no.example", 8443), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "no rule allows it"));
	assert_non_null(strstr(got.text, "bawn run test --allow no.example:8443\n"));
	assert_int_equal(ask_name(&w, "no.example", 443), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "--allow no.example\n"));
	assert_int_equal(ask_name(&w, "stats.allowed.example", 443), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "policy test, line 2: deny stats.allowed.example"));
	assert_null(strstr(got.text, "To allow"));
	close_world(&w);
}

/* Is there an answer now, without waiting for one? */
static bool waits(struct world *w)
{
	struct pollfd p = {.fd = w->relay, .events = POLLIN};
	assert_int_equal(dialer_dispatch(w->d), 0);
	return poll(&p, 1, 0) == 0;
}

/* --ask: what no rule knows waits; a no, and the end of its time, are a denial like any other. */
static void test_ask(void **state)
{
	(void)state;
	struct world w;
	struct dialer_question q;
	open_world(&w, (struct dialer_config){.ask_ms = 300});
	/* never asked */
	assert_int_equal(ask_name(&w, "stats.allowed.example", 443), EGRESS_ANSWER_DENIED);
	assert_int_equal(ask_name(&w, "db.internal", 443), EGRESS_ANSWER_DENIED);
	assert_int_equal(ask_name(&w, "metadata.google.internal", 80), EGRESS_ANSWER_DENIED);
	ask(&w, EGRESS_ASK_ADDR, "", "192.0.2.1", 443);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	assert_false(dialer_question(w.d, 0, &q));
	/* two connections, one question; a no ends both, and the name is not asked for again */
	ask(&w, EGRESS_ASK_NAME, "no.example", NULL, 443);
	ask(&w, EGRESS_ASK_NAME, "no.example", NULL, 443);
	assert_true(waits(&w));
	assert_true(dialer_question(w.d, 0, &q));
	assert_string_equal(q.target, "no.example:443");
	assert_int_equal(q.flows, 2);
	assert_false(dialer_question(w.d, 1, &q));
	assert_int_equal(dialer_question_refuse(w.d, 99), -ENOENT);
	assert_int_equal(dialer_question_refuse(w.d, 1), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "no rule allows it"));
	assert_int_equal(ask_name(&w, "no.example", 443), EGRESS_ANSWER_DENIED);
	/* another port is another question; nobody answers */
	ask(&w, EGRESS_ASK_NAME, "no.example", NULL, 8443);
	assert_true(waits(&w));
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "no.example:8443 is refused: no rule allows it"));
	assert_false(dialer_question(w.d, 0, &q));
	close_world(&w);
}

/* What waits is bounded: connections to a name, and names; the rest is denied at once. */
static void test_ask_bounds(void **state)
{
	(void)state;
	struct world w;
	struct dialer_question q;
	char name[64];
	open_world(&w, (struct dialer_config){.ask_ms = 60000});
	for (int i = 0; i < DIALER_ASK_FLOWS; i++)
		ask(&w, EGRESS_ASK_NAME, "same.example", NULL, 443);
	assert_true(waits(&w));
	assert_int_equal(ask_name(&w, "same.example", 443), EGRESS_ANSWER_DENIED);
	for (int i = 1; i < DIALER_ASK_NAMES; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		ask(&w, EGRESS_ASK_NAME, name, NULL, 443);
	}
	assert_true(waits(&w));
	assert_int_equal(ask_name(&w, "more.example", 443), EGRESS_ANSWER_DENIED);
	assert_true(dialer_question(w.d, DIALER_ASK_NAMES - 1, &q));
	assert_false(dialer_question(w.d, DIALER_ASK_NAMES, &q));
	close_world(&w);
}

static uint64_t most;

static uint64_t limit(void *ctx, const char *name, uint16_t p, uint32_t *ret_rule)
{
	(void)ctx;
	(void)name;
	(void)p;
	*ret_rule = EGRESS_NO_RULE;
	return most;
}

/* Rules on what is sent change behind those on who may be reached: who waited is held to both. */
static void test_ask_ruled(void **state)
{
	(void)state;
	static const struct test_rule fresh[] = {{.text = "asked.example:80"}};
	const struct dialer_override o = {"asked.example", 80, "127.0.0.1", port};
	struct world w;
	struct pack p;
	struct err err = {0};
	assert_int_equal(pack_open_fd(test_pack(fresh, ARRAY_LEN(fresh), false), &p, &err), 0);
	open_world(&w,
		(struct dialer_config){
			.overrides = &o, .n_overrides = 1, .ask_ms = 60000, .vault.limit = limit});
	int leases = dialer_lease_fd(w.d);
	assert_true(leases >= 0);
	close(leases);
	ask(&w, EGRESS_ASK_NAME, "asked.example", NULL, 80);
	assert_true(waits(&w));
	most = 0;
	assert_int_equal(dialer_policy(w.d, p.egress, p.egress_table, p.egress_bytes, &err), 0);
	most = 1000;
	assert_int_equal(dialer_dispatch(w.d), 0);
	assert_int_equal(recv(w.relay, &got, sizeof(got), 0), (ssize_t)sizeof(got));
	assert_int_equal(got.answer, EGRESS_ANSWER_POLICY);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_OPEN);
	assert_int_equal(got.max_upload, 1000);
	assert_int_equal(got.lease, 0);
	close_world(&w);
	pack_close(&p);
}

/* A question is answered, and is no event. */
static void test_why(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, (struct dialer_config){.fix_sandbox = "box"});
	assert_int_equal(ask_name(&w, "443.stats.allowed.example.why.bawn.invalid", 80),
		EGRESS_ANSWER_DENIED);
	assert_string_equal(got.text,
		"denied: stats.allowed.example:443\nbecause: a rule denies it\n"
		"by: policy test, line 2: deny stats.allowed.example\n");
	assert_int_equal(
		ask_name(&w, "8443.no.example.why.bawn.invalid", 80), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text,
		"\nto allow it, on the host: bawn policy allow no.example:8443 --sandbox box\n"));
	for (int i = 0; i < 300; i++)
		ask_name(&w, "443.no.example.why.bawn.invalid", 80);
	assert_non_null(strstr(got.text, "too many questions"));
	assert_int_equal(w.n_verdicts, 0);
	assert_int_equal(ask_name(&w, "no.example", 443), EGRESS_ANSWER_DENIED);
	assert_int_equal(w.n_verdicts, 1);
	close_world(&w);
}

static void note(void *ctx, const struct dialer_denial *x)
{
	char *out = ctx;
	size_t n = strlen(out);
	snprintf(out + n, 4096 - n, "%s %llu;", x->target, (unsigned long long)x->count);
}

/* RES-07: a flood is one event and one line. */
static void test_counted(void **state)
{
	(void)state;
	struct world w;
	char list[4096] = "", name[64];
	open_world(&w, (struct dialer_config){0});
	ask_name(&w, "once.example", 443);
	for (int i = 0; i < 50; i++)
		ask_name(&w, "often.example", 443);
	assert_int_equal(w.n_verdicts, 2);
	dialer_each_denial(w.d, note, list);
	assert_string_equal(list, "often.example:443 50;once.example:443 1;");
	for (int i = 0; i < DIALER_MAX_DENIALS + 100; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		ask_name(&w, name, 443);
	}
	assert_int_equal(w.n_verdicts, DIALER_MAX_DENIALS + 1);
	assert_int_equal(w.d->overflow.count, 102);
	close_world(&w);
}

/* Nothing that the relay says is believed. */
static void test_distrust(void **state)
{
	(void)state;
	static const char *const names[] = {"", "allowed.example\n", "a b", "allowed.example@x",
		"127.0.0.1", "allowed..example", "-x.example"};
	struct world w;
	open_world(&w, (struct dialer_config){0});
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(ask_name(&w, names[i], 443), EGRESS_ANSWER_DENIED);
	assert_int_equal(ask_name(&w, own_name, 0), EGRESS_ANSWER_DENIED);
	ask(&w, EGRESS_ASK_HOST_PORT, "", NULL, 22);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "--host-port 22"));
	struct egress_ask_msg m = {.magic = EGRESS_MAGIC, .kind = EGRESS_ASK_NAME, .flow = 77};
	memset(m.name, 'a', sizeof(m.name)); /* no NUL */
	m.port = 443;
	send(w.relay, &m, sizeof(m), 0);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	m.kind = EGRESS_TELL_DENIED;
	m.why = EGRESS_WHY_SNI;
	memset(m.seen, '\033', sizeof(m.seen));
	send(w.relay, &m, sizeof(m), 0);
	assert_int_equal(dialer_dispatch(w.d), 0);
	m.kind = 99;
	send(w.relay, &m, sizeof(m), 0);
	assert_int_equal(dialer_dispatch(w.d), -EPROTO);
	close_world(&w);

	open_world(&w, (struct dialer_config){0});
	send(w.relay, &m, sizeof(m) - 1, 0);
	assert_int_equal(dialer_dispatch(w.d), -EPROTO);
	close_world(&w);

	open_world(&w, (struct dialer_config){0});
	close(w.relay);
	w.relay = -1;
	assert_int_equal(dialer_dispatch(w.d), -EPIPE);
	close_world(&w);
}

/* DNS-05: an allowed name that means this machine. */
static void test_private_address(void **state)
{
	(void)state;
	struct world w;
	char fix[400];
	open_world(&w, (struct dialer_config){0});
	assert_int_equal(ask_name(&w, own_name, 8080), EGRESS_ANSWER_DENIED);
	snprintf(fix, sizeof(fix), "--allow-private %s:8080", own_name);
	assert_non_null(strstr(got.text, "loopback"));
	assert_non_null(strstr(got.text, fix));
	/* the rule says private: true (the port has a listener) */
	assert_int_equal(ask_name(&w, own_name, port), EGRESS_ANSWER_OPEN);
	/* an address needs a rule that gives it */
	ask(&w, EGRESS_ASK_ADDR, "", "127.0.0.2", port);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	ask(&w, EGRESS_ASK_ADDR, "", "169.254.169.254", 80);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "a cloud metadata service hands out credentials"));
	assert_null(strstr(got.text, "--allow"));
	/* NET-09: allowed by name, and still not */
	assert_int_equal(ask_name(&w, "metadata.google.internal", 80), EGRESS_ANSWER_DENIED);
	assert_non_null(strstr(got.text, "metadata"));
	close_world(&w);
}

static int n_unreached, n_listed;

static void on_unreached(void *ctx, const char *target, const char *why)
{
	(void)ctx;
	n_unreached++;
	assert_string_equal(target, "nothing.allowed.example:443");
	assert_true(*why);
}

static void list_unreached(void *ctx, const struct dialer_denial *x)
{
	n_listed++;
	*(uint64_t *)ctx = x->count;
}

/* Told once, listed at the end, and not where it was reached after all. */
static void test_unreached(void **state)
{
	(void)state;
	struct world w;
	uint64_t count = 0;
	open_world(&w, (struct dialer_config){0});
	w.d->c.hooks.unreached = on_unreached;
	n_unreached = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			ask_name(&w, "nothing.allowed.example", 443), EGRESS_ANSWER_FAILED);
	assert_int_equal(n_unreached, 1);
	dialer_each_unreached(w.d, list_unreached, &count);
	assert_int_equal(n_listed, 1);
	assert_int_equal(count, 3);
	unreached_no_more(w.d, "nothing.allowed.example:443");
	dialer_each_unreached(w.d, list_unreached, &count);
	assert_int_equal(n_listed, 1);
	/* a flood of names is no flood of memory */
	w.d->c.hooks.unreached = NULL;
	for (int i = 0; i < 1000; i++) {
		char name[40];
		snprintf(name, sizeof(name), "%d.example:443", i);
		unreached_note(w.d, name, "x");
	}
	n_listed = 0;
	dialer_each_unreached(w.d, list_unreached, &count);
	assert_int_equal(n_listed, DIALER_MAX_UNREACHED - 1);
	close_world(&w);
}

static void test_no_name(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, (struct dialer_config){0});
	assert_int_equal(ask_name(&w, "nothing.allowed.example", 443), EGRESS_ANSWER_FAILED);
	assert_non_null(strstr(got.text, "can't be reached"));
	close_world(&w);
}

static void test_override(void **state)
{
	(void)state;
	const struct dialer_override o[] = {
		{"a.allowed.example", 443, "127.0.0.1", port},
		{"b.allowed.example", 443, "127.0.0.1", 1},
		{"c.allowed.example", 0, "localhost", port},
		{"no.example", 443, "127.0.0.1", port},
	};
	struct world w;
	open_world(&w, (struct dialer_config){.overrides = o, .n_overrides = ARRAY_LEN(o)});
	assert_int_equal(ask_name(&w, "A.allowed.example.", 443), EGRESS_ANSWER_OPEN);
	assert_int_equal(ask_name(&w, "b.allowed.example", 443), EGRESS_ANSWER_FAILED);
	assert_non_null(strstr(got.text, "refused"));
	assert_int_equal(ask_name(&w, "c.allowed.example", 443), EGRESS_ANSWER_OPEN);
	/* an override says where to, not that it may */
	assert_int_equal(ask_name(&w, "no.example", 443), EGRESS_ANSWER_DENIED);
	close_world(&w);
}

static void test_host_port(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, (struct dialer_config){.host_ports = &port, .n_host_ports = 1});
	ask(&w, EGRESS_ASK_HOST_PORT, "", NULL, port);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_OPEN);
	close_world(&w);
}

/* What the relay is given of the page: it can read, and nobody can be made to write. */
static const struct lease_page *map_leases(struct world *w)
{
	int fd = dialer_lease_fd(w->d);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(mmap(NULL, LEASE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
		MAP_FAILED);
	const struct lease_page *p = mmap(NULL, LEASE_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect((void *)p, LEASE_PAGE_BYTES, PROT_READ | PROT_WRITE), -1);
	close(fd);
	return p;
}

static const struct sockaddr_in *leased(const struct lease_page *p)
{
	assert_int_equal(got.answer, EGRESS_ANSWER_OPEN);
	return got.lease ? &p->slot[got.lease - 1].v4 : NULL;
}

/* What the user's own options give by address may be connected to again without asking. */
static void test_leases_given(void **state)
{
	(void)state;
	const struct dialer_override o[] = {
		{"raw.allowed.example", 443, "127.0.0.1", port},
		{"a.allowed.example", 443, "127.0.0.1", port},
		{"b.allowed.example", 80, "127.0.0.1", port},
		{"named.allowed.example", 443, "localhost", port},
	};
	struct world w;
	struct err err = {0};
	open_world(&w,
		(struct dialer_config){.overrides = o,
			.n_overrides = ARRAY_LEN(o),
			.host_ports = &port,
			.n_host_ports = 1});
	const struct lease_page *p = map_leases(&w);
	assert_int_equal(dialer_lease_fd(w.d), -1); /* there is one relay */
	/* where the vault could stand on the way, each is asked for */
	ask_name(&w, "a.allowed.example", 443);
	assert_null(leased(p));
	ask_name(&w, "raw.allowed.example", 443);
	const struct sockaddr_in *a = leased(p);
	assert_non_null(a);
	assert_int_equal(a->sin_family, AF_INET);
	assert_int_equal(ntohs(a->sin_port), port);
	assert_int_equal(ntohl(a->sin_addr.s_addr), INADDR_LOOPBACK);
	/* the same address is the same slot */
	ask_name(&w, "b.allowed.example", 80);
	assert_ptr_equal(leased(p), a);
	ask(&w, EGRESS_ASK_HOST_PORT, "", NULL, port);
	answer(&w, NULL);
	assert_ptr_equal(leased(p), a);
	/* by a name, which may be another address tomorrow */
	ask_name(&w, "named.allowed.example", 443);
	assert_null(leased(p));
	/* by a rule that says "private", not by an option */
	ask_name(&w, own_name, port);
	assert_null(leased(p));
	for (unsigned i = 1; i < LEASE_SLOTS; i++)
		assert_int_equal(p->slot[i].any.sa_family, AF_UNSPEC);
	/* other rules: from then on there is nobody to connect to, and nothing else is forgotten */
	assert_int_equal(
		dialer_policy(w.d, pack.egress, pack.egress_table, pack.egress_bytes, &err), 0);
	assert_int_equal(a->sin_family, AF_UNSPEC);
	assert_int_equal(ntohs(a->sin_port), port);
	close_world(&w);
	munmap((void *)p, LEASE_PAGE_BYTES);
}

/* Of what wasn't asked for the relay gives the number; it is believed no more than anything. */
static void test_leases_counted(void **state)
{
	(void)state;
	struct world w;
	struct egress_ask_msg m = {.magic = EGRESS_MAGIC,
		.kind = EGRESS_TELL_AGAIN,
		.flow = EGRESS_ASK_HOST_PORT,
		.port = port,
		.count = 40};
	open_world(&w, (struct dialer_config){.host_ports = &port, .n_host_ports = 1});
	send(w.relay, &m, sizeof(m), 0); /* before there are any */
	assert_int_equal(dialer_dispatch(w.d), 0);
	assert_int_equal(w.n_verdicts, 0);
	const struct lease_page *p = map_leases(&w);
	ask(&w, EGRESS_ASK_HOST_PORT, "", NULL, port);
	answer(&w, NULL);
	assert_int_equal(w.n_allowed, 1);
	/* not there for a while, and then again */
	char target[64];
	uint64_t count = 0;
	snprintf(target, sizeof(target), "host port %u", port);
	unreached_note(w.d, target, "x");
	n_listed = 0;
	dialer_each_unreached(w.d, list_unreached, &count);
	assert_int_equal(n_listed, 1);
	send(w.relay, &m, sizeof(m), 0);
	assert_int_equal(dialer_dispatch(w.d), 0);
	dialer_each_unreached(w.d, list_unreached, &count);
	assert_int_equal(n_listed, 1);
	m.count = 0;
	send(w.relay, &m, sizeof(m), 0);
	m.count = 5;
	m.flow = EGRESS_ASK_NAME;
	memset(m.name, 'a', sizeof(m.name)); /* no NUL */
	send(w.relay, &m, sizeof(m), 0);
	snprintf(m.name, sizeof(m.name), "\033[2J");
	send(w.relay, &m, sizeof(m), 0);
	snprintf(m.name, sizeof(m.name), "no.example"); /* as if it had been allowed */
	send(w.relay, &m, sizeof(m), 0);
	snprintf(m.name, sizeof(m.name), "a.allowed.example"); /* it is, but no option's */
	m.port = 443;
	send(w.relay, &m, sizeof(m), 0);
	m.flow = EGRESS_ASK_HOST_PORT;
	m.port = (uint16_t)(port + 1);
	send(w.relay, &m, sizeof(m), 0);
	assert_int_equal(dialer_dispatch(w.d), 0);
	dialer_finish(w.d, 0);
	assert_int_equal(w.n_allowed, 41);
	close_world(&w);
	munmap((void *)p, LEASE_PAGE_BYTES);
}

/* No such option: no page, and so no socket that the relay could make. */
static void test_no_leases(void **state)
{
	(void)state;
	static const struct dialer_override none[] = {
		{"a.allowed.example", 0, "127.0.0.1", 0}, /* any port */
		{"a.allowed.example", 443, "localhost", 443},
		{"a.allowed.example", 443, "192.0.2.1", 443},
		{"a.allowed.example", 443, "", 443},
	};
	struct dialer_override many[LEASE_MAX_PORTS + 1];
	struct world w;
	open_world(&w, (struct dialer_config){0});
	assert_int_equal(dialer_lease_fd(w.d), -1);
	close_world(&w);
	open_world(&w, (struct dialer_config){.overrides = none, .n_overrides = ARRAY_LEN(none)});
	assert_int_equal(dialer_lease_fd(w.d), -1);
	close_world(&w);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct dialer_override){"", 80, "127.0.0.1", (uint16_t)(i + 1)};
	open_world(&w, (struct dialer_config){.overrides = many, .n_overrides = ARRAY_LEN(many)});
	assert_int_equal(dialer_lease_fd(w.d), -1);
	close_world(&w);
	open_world(
		&w, (struct dialer_config){.overrides = many, .n_overrides = ARRAY_LEN(many) - 1});
	int fd = dialer_lease_fd(w.d);
	assert_true(fd >= 0);
	close(fd);
	close_world(&w);
}

/* Be the proxy: take the CONNECT, answer, and see what the relay is given. */
static void test_proxy(void **state)
{
	(void)state;
	char url[64], head[1024];
	struct world w;
	int fd = -1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		close(fd); /* of earlier tests */
	snprintf(url, sizeof(url), "http://u:p@127.0.0.1:%u", port);
	open_world(&w, (struct dialer_config){.https_proxy = url, .no_proxy = "other"});
	ask(&w, EGRESS_ASK_NAME, "x.allowed.example", NULL, 443);
	for (int i = 0; i < 500 && fd < 0; i++) {
		assert_int_equal(dialer_dispatch(w.d), 0);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		usleep(10000);
	}
	assert_true(fd >= 0);
	dialer_dispatch(w.d);
	ssize_t n = recv(fd, head, sizeof(head) - 1, 0);
	assert_true(n > 0);
	head[n] = '\0';
	assert_string_equal(head,
		"CONNECT x.allowed.example:443 HTTP/1.1\r\nHost: x.allowed.example:443\r\n"
		"Proxy-Authorization: Basic dTpw\r\n\r\n");
	static const char ok[] = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nFIRST";
	send(fd, ok, sizeof(ok) - 1, 0);
	int up = -1;
	assert_int_equal(answer(&w, &up), EGRESS_ANSWER_OPEN);
	n = recv(up, head, sizeof(head), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(head, "FIRST", 5);
	close(up);
	close(fd);
	fd = -1;
	ask(&w, EGRESS_ASK_NAME, "x.allowed.example", NULL, 443);
	for (int i = 0; i < 500 && fd < 0; i++) {
		assert_int_equal(dialer_dispatch(w.d), 0);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		usleep(10000);
	}
	static const char no[] = "HTTP/1.1 407 Proxy\033[31m Authentication\r\n\r\n";
	send(fd, no, sizeof(no) - 1, 0);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_FAILED);
	assert_non_null(strstr(got.text, "407 Proxy\\x1b[31m"));
	close(fd);
	/* denied is denied, proxy or not */
	assert_int_equal(ask_name(&w, "no.example", 443), EGRESS_ANSWER_DENIED);
	close_world(&w);
	open_world(&w, (struct dialer_config){.https_proxy = "socks5://localhost:1"});
	assert_int_equal(ask_name(&w, "x.allowed.example", 443), EGRESS_ANSWER_FAILED);
	close_world(&w);
}

/* The resolver goes when it isn't needed, and comes back. */
static void test_resolver_idle(void **state)
{
	(void)state;
	struct world w;
	struct timespec t0, t;
	open_world(&w, (struct dialer_config){0});
	assert_int_equal(ask_name(&w, own_name, port), EGRESS_ANSWER_OPEN);
	assert_true(w.d->resolver_sock >= 0);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	do {
		struct pollfd p = {.fd = dialer_fd(w.d), .events = POLLIN};
		poll(&p, 1, 500);
		dialer_dispatch(w.d);
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while (w.d->resolver_sock >= 0 && t.tv_sec - t0.tv_sec < RESOLVE_IDLE_S + 3);
	assert_int_equal(w.d->resolver_sock, -1);
	assert_int_equal(w.d->resolver.pid, -1);
	free(w.d->cache);
	w.d->cache = NULL;
	assert_int_equal(ask_name(&w, own_name, port), EGRESS_ANSWER_OPEN);
	/* killed in between: asked again */
	free(w.d->cache);
	w.d->cache = NULL;
	ask(&w, EGRESS_ASK_NAME, own_name, NULL, port);
	kill(w.d->resolver.pid, SIGSTOP);
	dialer_dispatch(w.d);
	kill(w.d->resolver.pid, SIGKILL);
	assert_int_equal(answer(&w, NULL), EGRESS_ANSWER_OPEN);
	close_world(&w);
}

/* A name, other than localhost, that /etc/hosts gives to 127.0.0.0/8. */
static bool find_own_name(void)
{
	char line[1024];
	_cleanup_fclose_ FILE *f = fopen("/etc/hosts", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *save, *ip = strtok_r(line, " \t\n", &save), *name;
		while (ip && has_prefix(ip, "127.") && (name = strtok_r(NULL, " \t\n", &save)))
			if (!has_prefix(name, "localhost") &&
				host_canonical(name, strlen(name), own_name) == 0)
				return true;
	}
	return false;
}

static int setup(void **state)
{
	(void)state;
	static char port_rule[300], closed_rule[300];
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
	socklen_t len = sizeof(a);
	if (!find_own_name()) {
		print_message("/etc/hosts gives no name but localhost to 127.0.0.0/8\n");
		exit(77);
	}
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 64) < 0 ||
		getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		return -1;
	port = ntohs(a.sin_port);
	snprintf(port_rule, sizeof(port_rule), "%s:%u", own_name, port);
	snprintf(closed_rule, sizeof(closed_rule), "%s:8080", own_name);
	const struct test_rule rules[] = {
		{.text = "**.allowed.example:443"},
		{.text = "stats.allowed.example", .deny = true},
		{.text = closed_rule},
		{.text = port_rule, .private_ok = true},
		{.text = "metadata.google.internal:80"},
		{.text = "b.allowed.example:80"},
		{.text = "raw.allowed.example:443", .raw = true},
		{.text = "named.allowed.example:443", .raw = true},
	};
	struct err err = {0};
	pack_fd = test_pack(rules, ARRAY_LEN(rules), false);
	return pack_open_fd(pack_fd, &pack, &err);
}

static int teardown(void **state)
{
	(void)state;
	pack_close(&pack);
	close(listener);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_ask_bounds),
		cmocka_unit_test(test_ask_ruled),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_distrust),
		cmocka_unit_test(test_private_address),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_unreached),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_host_port),
		cmocka_unit_test(test_leases_given),
		cmocka_unit_test(test_leases_counted),
		cmocka_unit_test(test_no_leases),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_resolver_idle),
	};
	return cmocka_run_group_tests_name("dialer", tests, setup, teardown);
}
