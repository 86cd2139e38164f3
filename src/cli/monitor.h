/* cli/monitor.h - what the files of bawn monitor share.
 *
 *   cmd-monitor    options, JSON, the terminal: entered, left, put right whatever ends us
 *   monitor-keys   keys, what is selected, answers
 *   monitor-draw   the screen
 *   monitor-data   what is shown, from the supervisors
 */
#ifndef BAWN_CLI_MONITOR_H
#define BAWN_CLI_MONITOR_H

#include "base/proc.h"
#include "cli/monitor-data.h"

enum {
	MONITOR_MAX_ROWS = 200,
	MONITOR_MAX_COLS = 400,
	MONITOR_MIN_ROWS = 10,
	MONITOR_MIN_COLS = 40,
	MONITOR_TALL = 18, /* rows, from which on all panes are shown at once */
	MONITOR_PANE_ROWS = MONITOR_FLOWS
};

enum pane_kind { PANE_WAITING, PANE_OPEN, PANE_DENIED, PANE_BOXES, N_PANES };

/* A pane's rows are places in its list of the data; what is selected is kept by its key. */
struct pane {
	uint16_t row[MONITOR_PANE_ROWS];
	size_t n, at;
	char key[512]; /* "": nothing is selected */
};

struct monitor {
	struct run *r;
	bool json, once, plain;
	char **only;
	size_t n_only;
	struct monitor_data data;
	struct pane pane[N_PANES];
	enum pane_kind focus;
	uint64_t moved; /* ms: the question that is selected became it, not by a key */
	bool help, detail, editing;
	char filter[64];
	int esc;         /* of a key's sequence: 0 nothing, 1 ESC, 2 ESC [ */
	uint64_t esc_ms; /* when that was */
	char seq[16];
	bool pasting;
	char word[MONITOR_MAX_COLS]; /* the last line: what became of an answer */
	struct proc child;           /* the answer under way */
	int rows, cols;
	char shown[MONITOR_MAX_ROWS][MONITOR_MAX_COLS];
};

static inline uint64_t monitor_ms(void)
{
	return run_now() / 1000000;
}

/* monitor-draw.c */
void draw_measure(struct monitor *m);
void draw(struct monitor *m);
/* Row i of a pane's list, for cols columns. */
void draw_row(
	const struct monitor *m, enum pane_kind p, size_t i, size_t cols, char *dst, size_t cap);

/* monitor-keys.c */
/* New data: which rows there are now, and which is selected. */
void keys_renew(struct monitor *m);
/* False: quit. */
bool keys_input(struct monitor *m);
/* ESC alone, when nothing has followed; ms until it counts, or -1. */
int keys_wait(struct monitor *m);
void keys_answered(struct monitor *m);

#endif
