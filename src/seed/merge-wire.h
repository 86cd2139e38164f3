/* seed/merge-wire.h - what stands in a request to bawn-merge and in its answer, file by file.
 */
#ifndef BAWN_SEED_MERGE_WIRE_H
#define BAWN_SEED_MERGE_WIRE_H

enum {
	MERGE_FORMAT = 1, /* u64, 1: TOML; each file begins with it */
	MERGE_BASE,       /* bytes, a NUL behind them */
	MERGE_TOP,        /* string; need not be there */
	MERGE_ALL,        /* string */
	/* the answer: one of these for each */
	MERGE_TEXT,
	MERGE_BAD, /* why base does not count */
};

#endif
