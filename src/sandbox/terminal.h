/* sandbox/terminal.h - the caller's terminal while the agent owns it.
 *
 * Owns: raw mode and its undoing (also when bawn is killed: a guard process waits for that), both
 * directions between terminal and pty, the filter on what the agent draws, the title.
 */
#ifndef BAWN_SANDBOX_TERMINAL_H
#define BAWN_SANDBOX_TERMINAL_H

#include <stdint.h>
#include <termios.h>

#include "base/proc.h"
#include "sandbox/term-filter.h"

#define TERMINAL_KEYS_MAX 16  /* keys that detach */
#define TERMINAL_HELD_MAX 255 /* bytes of them, as a terminal may send them */
#define TERMINAL_LOG_MAX (16u << 20)

struct terminal {
	int in;     /* descriptor 0 when it is the terminal, else -1 */
	int out;    /* an open file description of our own, non-blocking; -1: none */
	int master; /* the agent's pty; -1: the agent has none */
	struct termios saved;
	bool raw;   /* in raw mode: the agent owns the terminal */
	bool plain; /* it takes no sequences (TERM=dumb, an editor's shell window): none of ours */
	bool eof;   /* the pty has no writer left */
	struct term_filter filter;
	char to_tty[8192], to_agent[4096];
	size_t n_tty, n_agent;
	int log;          /* gets what the agent draws, unfiltered; -1: nobody wants it */
	size_t logged;    /* bytes, since it was begun */
	const char *keys; /* that detach when typed in a row; NULL: none */
	size_t matched;   /* of them, held back */
	char held[TERMINAL_HELD_MAX];
	size_t n_held;
	uint8_t held_at[TERMINAL_KEYS_MAX]; /* where in held each begins */
	bool detach;                        /* they were typed */
	int guard_pipe; /* closing it without a byte makes the guard restore the terminal */
	int guard_pid;
};

void terminal_clear(struct terminal *t);
/* tty_fds: which of 0-2 are the terminal; master: taken over. */
int terminal_open(
	struct terminal *t, unsigned int tty_fds, int master, bool clipboard, struct err *err);
/* Raw mode on (where descriptor 0 is the terminal and we are in its foreground). */
int terminal_start(struct terminal *t, struct err *err);
/* A shell that brings a running job to the foreground says so to nobody, so it has to be looked
 * after: how long poll() may wait meanwhile (-1: for ever), and the look. */
int terminal_wait_ms(const struct terminal *t);
void terminal_look(struct terminal *t);
/* Raw mode off and every mode the agent set undone; for suspending and for the end. */
void terminal_stop(struct terminal *t);
void terminal_close(struct terminal *t);

/* epoll interest at this moment, for each descriptor (EPOLLIN/EPOLLOUT bits, 0: none). */
uint32_t terminal_want_in(const struct terminal *t);
uint32_t terminal_want_out(const struct terminal *t);
uint32_t terminal_want_master(const struct terminal *t);
/* Move what can be moved without blocking. */
void terminal_pump(struct terminal *t);
/* After the end: everything the agent wrote goes out, at most ms milliseconds long. */
void terminal_drain(struct terminal *t, int ms);
void terminal_resize(struct terminal *t);
/* A session taken up again: the modes (text of term_filter_redo()) in which its program believes
 * its terminal is, and a size that makes it draw everything.  True: the size is not the terminal's
 * own yet, terminal_resize() is due in a moment. */
bool terminal_take_up(struct terminal *t, const char *modes);
void terminal_title(struct terminal *t, const char *text);

#endif
