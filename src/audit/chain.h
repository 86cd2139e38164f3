/* audit/chain.h - what makes a change of the audit log show: every line is numbered and carries the
 * SHA-256 of the line before it; a head record beside the log carries that of the last.
 *
 * Shared by the writer (audit.c) and `bawn log --verify` (verify.c).  A line ends with
 *
 *	,"n":NUMBER,"prev":"64 hex digits"}
 *
 * Numbers begin at 1 and go on across rotation.  The head record is PATH.head: one line of text of
 * a fixed size, written over in place under an exclusive flock(2) of that file, which is also the
 * lock of the log.
 */
#ifndef BAWN_AUDIT_CHAIN_H
#define BAWN_AUDIT_CHAIN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/sha256.h"

/* The log and what it was rotated to: PATH, PATH.1 ... */
#define AUDIT_FILES 4
#define AUDIT_FILE_MAX (INT64_C(16) << 20) /* rotated past it */

struct chain_head {
	uint64_t n;                  /* number of the last line; 0: none yet */
	uint64_t size;               /* of the log's file behind that line */
	uint64_t first[AUDIT_FILES]; /* number of the first line of each file; 0: none */
	char hash[SHA256_HEX + 1];   /* of the last line */
};

/* What the first line of all carries as prev. */
#define CHAIN_NONE "0000000000000000000000000000000000000000000000000000000000000000"

/* 1; 0 when there is nothing in it (*ret is the beginning of a chain); -EBADMSG when it is no head
 * record, or -errno. */
int chain_head_read(int fd, struct chain_head *ret);
int chain_head_write(int fd, const struct chain_head *h); /* 0 or -errno */

/* Number and prev of a line (without its newline); false when it carries none. */
bool chain_line(const char *line, size_t n, uint64_t *ret_n, char ret_prev[static SHA256_HEX + 1]);

/* "PATH", "PATH.1" ...; false when it doesn't fit. */
bool chain_file(char *dst, size_t cap, const char *path, unsigned int i);

#endif
