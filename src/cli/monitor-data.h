/* cli/monitor-data.h - what bawn monitor shows, as clients of the running supervisors see it:
 * questions (questions.h), open connections and denials.
 */
#ifndef BAWN_CLI_MONITOR_DATA_H
#define BAWN_CLI_MONITOR_DATA_H

#include "cli/questions.h"

#define MONITOR_FLOWS 512
#define MONITOR_DENIALS 256
#define MONITOR_DENIALS_EACH 64 /* of one sandbox */

struct monitor_flow {
	char box[80], target[330];
	char rule[600];   /* "" where none allows it (a published port) */
	char process[96]; /* "curl[1234]", or "" */
	uint64_t up, down, ms;
	uint16_t from; /* its port inside */
};

struct monitor_denial {
	char box[80], target[340], reason[640], fix[640];
	uint64_t count;
};

struct monitor_data {
	struct questions ask;
	struct monitor_flow flow[MONITOR_FLOWS];
	struct monitor_denial denial[MONITOR_DENIALS];
	size_t n_flow, n_denial;
	uint64_t open; /* connections, also those there is no room for */
};

/* only: n names; 0: all that run.  What can't be had of one sandbox is left out: it has ended, or
 * is in ask.silent.  0 or -errno. */
int monitor_read(
	struct run *r, char *const *only, size_t n, struct monitor_data *ret, struct err *err);
/* As one object. */
void monitor_json(struct json_out *j, const struct monitor_data *d);

#endif
