/* tests/fuzz/fuzz-relay-msg.c - what a relay that was taken over may send to the dialer: any fields
 * of the right size (anything else ends the run).  Nothing may be opened.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "egress/dialer.h"
#include "egress/proto.h"
#include "policy/egress-build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct egress *no_rules(void)
{
	static struct egress e;
	static void *table;
	size_t table_n;
	struct rules rules = {0};
	if (!table &&
		(egress_build(&rules, false, &table, &table_n, NULL) < 0 ||
			egress_view(&e, table, table_n) < 0))
		abort();
	return &e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	int sv[2];
	struct dialer *d;
	struct egress_ask_msg m;
	struct egress_answer_msg a;
	if (n > 4 * sizeof(m) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return 0;
	/* what no rule knows is held, to be let go with the dialer */
	struct dialer_config c = {.relay_sock = sv[0], .egress = no_rules(), .ask_ms = 1000};
	if (dialer_new(&c, &d, NULL) < 0)
		abort();
	/* a list is asked for once the relay has said something, and read whatever came */
	struct dialer_flow flow;
	bool stale;
	m = (struct egress_ask_msg){.magic = EGRESS_MAGIC, .kind = EGRESS_TELL_END};
	send(sv[1], &m, sizeof(m), MSG_DONTWAIT);
	dialer_dispatch(d);
	dialer_flows(d, &stale);
	for (size_t at = 0; at < n; at += sizeof(m)) {
		memset(&m, 0, sizeof(m));
		memcpy(&m, data + at, MIN(sizeof(m), n - at));
		m.magic = EGRESS_MAGIC;
		m.kind %= EGRESS_TELL_LISTED + 1;
		if (send(sv[1], &m, sizeof(m), MSG_DONTWAIT) < 0)
			break;
	}
	dialer_dispatch(d);
	for (unsigned i = 0; dialer_flow(d, i, &flow); i++)
		for (const char *p = flow.target; *p; p++)
			if ((unsigned char)*p < 0x20 || i >= EGRESS_LIST_MAX)
				abort();
	for (;;) {
		int fd;
		size_t n_fds = 0;
		ssize_t k = recv(sv[1], &a, 0, MSG_PEEK | MSG_DONTWAIT);
		if (k < 0 || fd_recv(sv[1], &a, sizeof(a), &fd, 1, &n_fds) <= 0)
			break;
		if (n_fds || a.answer == EGRESS_ANSWER_OPEN)
			abort();
	}
	dialer_free(d);
	close(sv[1]);
	return 0;
}
