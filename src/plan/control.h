/* plan/control.h - the one fixed-size message kind between the supervisor and bawn-init, each way.
 *
 * SOCK_SEQPACKET; a message of any other size ends the run.  bawn-init waits for EARLY, makes the
 * network and the first mounts, and waits for PLAN; it sends READY (with the pty master as
 * SCM_RIGHTS where one was asked for) once every guard is set and proven, then STARTED, then
 * EXITED; or ERROR at any time before STARTED.  The supervisor sends GO once, where the plan says
 * that the agent waits for it, then SIGNALs.
 *
 * A session is one program started for the user: the plan's is session 0.  In a sandbox that lasts
 * (wire_head.lasting) the supervisor may EXEC more of them, each answered by STARTED or FAILED and
 * later by EXITED; the sandbox stays, also without any, until END.  In any other the end of session
 * 0 ends it.
 *
 * CONNECT asks for a connection to a server inside (a published port).  It is made without waiting:
 * the socket comes back at once, connecting, and whoever asked waits for it.
 */
#ifndef BAWN_PLAN_CONTROL_H
#define BAWN_PLAN_CONTROL_H

#include <stdint.h>

#define CONTROL_MAGIC 0x62776e31u
#define CONTROL_STAMPS 12

enum control_kind {
	CONTROL_READY = 1, /* guards are proven; stamps are filled */
	CONTROL_STARTED,   /* the agent's execve succeeded */
	CONTROL_ERROR,     /* value: errno; text: message, NUL, remedy */
	CONTROL_EXITED,    /* value: exit code, or 128+n */
	CONTROL_EARLY,     /* carries the memfd of plan/wire.h's early form; first of all */
	CONTROL_PLAN,      /* carries the plan's; then */
	CONTROL_GO,        /* start the agent */
	CONTROL_SIGNAL,    /* value: send this signal to the agent */
	CONTROL_FREEZE,    /* stop (value 1) or continue (value 0) every process but pid 1 */
	CONTROL_FROZEN,    /* done */
	CONTROL_STOPPED,   /* the agent stopped itself (job control); value: the signal */
	CONTROL_EXEC,      /* carries plan/wire-exec.h's memfd, then descriptors 0-2 where they are
			    * not the session's pty */
	CONTROL_FAILED,    /* EXEC did not: value: errno, text as for ERROR */
	CONTROL_END,       /* kill all that runs; answered by ENDED, and pid 1 ends */
	CONTROL_ENDED,
	CONTROL_CONNECT,   /* value: port, CONTROL_CONNECT_V6; session: a number that comes back */
	CONTROL_CONNECTED, /* carries the socket; or value: errno */
};

#define CONTROL_CONNECT_V6 0x10000 /* to ::1 instead of 127.0.0.1 */

struct control_msg {
	uint32_t magic;
	uint32_t kind;
	int32_t value;
	uint32_t session; /* STARTED, FAILED, EXITED, STOPPED, EXEC, SIGNAL */
	uint32_t n_stamps;
	uint32_t pad;
	uint64_t user_us, system_us;     /* EXITED: processor time of the session */
	uint64_t stamps[CONTROL_STAMPS]; /* CLOCK_MONOTONIC, ns, in the order of enum control_stamp
					  */
	char text[1280];
};

enum control_stamp {
	STAMP_MAIN,     /* bawn-init runs */
	STAMP_TOLD,     /* the early form is here */
	STAMP_IDENTITY, /* id maps written */
	STAMP_EARLY,    /* the rows that are every sandbox's are laid */
	STAMP_PLAN,     /* the plan is here */
	STAMP_NET,      /* network thread done (beside the next two), netns joined */
	STAMP_MOUNTS,   /* mount rows applied */
	STAMP_ROOT,     /* old root gone */
	STAMP_CONFINED, /* guards set and proven */
	STAMP_EXEC,     /* agent started */
};

#endif
