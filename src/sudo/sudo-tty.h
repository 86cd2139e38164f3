/* sudo/sudo-tty.h - the command's own terminal, and what passes between it and the caller's.
 */
#ifndef BAWN_SUDO_TTY_H
#define BAWN_SUDO_TTY_H

#include <poll.h>
#include <termios.h>

#include "base/err.h"

struct sudo_tty {
	int master, slave;
	struct termios before;
	bool raw;   /* the caller's terminal is */
	bool ended; /* nothing more comes from the command */
	size_t n;   /* typed and not yet taken */
	char typed[4096];
};

/* 0-2 are all one's terminal: a new one like it.  0 or -errno. */
int sudo_tty_open(struct sudo_tty *t, struct err *err);
/* Raw, where we are in the foreground: what is typed is the command's.  And back. */
void sudo_tty_take(struct sudo_tty *t);
void sudo_tty_release(struct sudo_tty *t);
/* The caller's size. */
void sudo_tty_resize(struct sudo_tty *t);
void sudo_tty_polls(const struct sudo_tty *t, struct pollfd p[static 2]);
void sudo_tty_events(struct sudo_tty *t, const struct pollfd p[static 2]);
/* What the command has left behind, at its end. */
void sudo_tty_drain(struct sudo_tty *t);

#endif
