/* plan/sudo.h - how a program inside asks pid 1 for another identity: bawn-sudo's one request.
 *
 * A sandbox with an image's root has one user, as whom everything runs.  Being root there is an
 * emulation (confine/emulate.h), which only pid 1 can begin, and which what it is put on can't
 * leave: so a program becomes root, or the user again, by being started by pid 1.
 *
 * SOCK_SEQPACKET at SUDO_SOCKET.  The client sends one struct sudo_request with SUDO_FDS
 * descriptors.  pid 1 looks at nothing but its size and forks; the fork, the keeper, reads the
 * command (plan/wire-exec.h), starts it, and talks with the client from then on: replies one way,
 * signals for the command's process group the other.  A client that goes away without DETACH takes
 * the command with it.
 */
#ifndef BAWN_PLAN_SUDO_H
#define BAWN_PLAN_SUDO_H

#include <stdint.h>

#define SUDO_DIR "/run/bawn"
#define SUDO_SOCKET SUDO_DIR "/sudo.sock"
#define SUDO_MAGIC 0x62776e73u

enum sudo_flag {
	SUDO_ROOT = 1,     /* as root; without: as the sandbox's user */
	SUDO_TTY = 2,      /* descriptors 0-2 are one terminal, nobody's yet: the command's own */
	SUDO_DETACH = 4,   /* it goes on without its client */
	SUDO_ANY_FLAG = 7, /* all of the above */
};

/* What comes along, in this order: the command in a memfd, its directory, its 0, 1 and 2. */
enum sudo_fd { SUDO_FD_COMMAND, SUDO_FD_CWD, SUDO_FD_STDIO, SUDO_FDS = SUDO_FD_STDIO + 3 };

struct sudo_request {
	uint32_t magic;
	uint32_t flags;
};

enum sudo_kind {
	SUDO_STARTED = 1, /* the command's execve succeeded; value: its pid */
	SUDO_FAILED,      /* it did not; value: errno, text: why */
	SUDO_STOPPED,     /* value: the signal */
	SUDO_EXITED,      /* value: as wait(2) has it */
	SUDO_SIGNAL,      /* client to keeper; value: the signal */
};

struct sudo_message {
	uint32_t kind;
	int32_t value;
	char text[504];
};

#endif
