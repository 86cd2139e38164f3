/* cli/pack-args.h - a pack_request from long options, for bawn-admin's subcommands.
 */
#ifndef BAWN_CLI_PACK_ARGS_H
#define BAWN_CLI_PACK_ARGS_H

#include <getopt.h>

#include "policy/pack.h"

struct pack_args {
	struct arena *a;
	struct pack_request req;
	struct strv beside, policies, allow, deny, allow_private;
	uint16_t host_ports[16];
	bool no_policy;
};

/* Rows for a getopt_long(3) table; their values start at PACK_ARG_FIRST. */
enum {
	PACK_ARG_FIRST = 0x1000,
	PACK_ARG_POLICY = PACK_ARG_FIRST,
	PACK_ARG_BESIDE,
	PACK_ARG_NO_POLICY,
	PACK_ARG_ALLOW,
	PACK_ARG_DENY,
	PACK_ARG_PRIVATE,
	PACK_ARG_SYSCALLS,
	PACK_ARG_HOST_PORT,
	PACK_ARG_OFFLINE,
	PACK_ARG_LEARN,
	PACK_ARG_END
};
#define PACK_ARGS_OPTIONS                                                                          \
	{"policy", required_argument, NULL, PACK_ARG_POLICY},                                      \
		{"beside", required_argument, NULL, PACK_ARG_BESIDE},                              \
		{"no-policy", no_argument, NULL, PACK_ARG_NO_POLICY},                              \
		{"allow", required_argument, NULL, PACK_ARG_ALLOW},                                \
		{"deny", required_argument, NULL, PACK_ARG_DENY},                                  \
		{"allow-private", required_argument, NULL, PACK_ARG_PRIVATE},                      \
		{"syscalls", required_argument, NULL, PACK_ARG_SYSCALLS},                          \
		{"host-port", required_argument, NULL, PACK_ARG_HOST_PORT},                        \
		{"learn", no_argument, NULL, PACK_ARG_LEARN},                                      \
	{                                                                                          \
		"offline", no_argument, NULL, PACK_ARG_OFFLINE                                     \
	}

/* One option of the above.  0 or -EINVAL. */
int pack_args_take(struct pack_args *p, int opt, char *value, struct err *err);
/* Point the request at what was collected. */
void pack_args_finish(struct pack_args *p);

#endif
