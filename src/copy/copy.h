/* copy/copy.h - files and directories across the wall, as one stream between two processes.
 *
 * bawn-copy sends at one end and receives at the other; one of the two runs inside, as a session
 * with the same walls as any other, and what it sends may be anything.  The receiver outside
 * therefore trusts nothing: it writes below one directory only, follows no link, and is confined
 * (jail.c).
 *
 * The stream: struct copy_head, then n_name bytes of a path below what is copied ("" is that
 * itself), then n_data bytes: a link's target or a piece of a file.  Native byte order: one
 * machine, one build.
 *
 *   DIR, LINK              one record
 *   FILE, DATA..., CLOSE   a file
 *   SKIP                   name: a message; what it is about was left out
 *   FAIL                   name: why there is nothing more
 *   END
 */
#ifndef BAWN_COPY_COPY_H
#define BAWN_COPY_COPY_H

#include <stdint.h>

#include "base/err.h"

#define COPY_MAGIC 0x62776e63u
#define COPY_NAME_MAX 4096
#define COPY_DATA_MAX (256u << 10)
/* What one copy may amount to: a sender inside has no end. */
#define COPY_BYTES_MAX (UINT64_C(64) << 30)
#define COPY_ENTRIES_MAX 1000000u

enum copy_kind {
	COPY_DIR = 1,
	COPY_FILE,
	COPY_DATA,
	COPY_CLOSE,
	COPY_LINK,
	COPY_SKIP,
	COPY_FAIL,
	COPY_END
};

struct copy_head {
	uint32_t magic, kind;
	uint32_t mode;           /* permission bits */
	uint32_t n_name, n_data; /* bytes that follow */
	uint32_t bad;            /* CLOSE: it could not be read to its end */
	int64_t mtime_s;
	uint32_t mtime_ns, pad;
};

/* What the receiver says on its standard output, to bawn. */
enum copy_status_kind { COPY_PROGRESS = 1, COPY_NOTE, COPY_DONE };

struct copy_status {
	uint32_t magic, kind;
	uint64_t files, bytes;
	uint32_t skipped;
	int32_t error;   /* DONE: errno of what ended it, 0 */
	char text[1024]; /* NOTE, DONE: foreign text */
};

enum copy_flag {
	COPY_FOLLOW = 1,  /* send: a link that is named is followed (not one that is found) */
	COPY_EXACT = 2,   /* receive: the sender's modes and times, not the umask's */
	COPY_FRESH = 4,   /* receive: what is there already stays */
	COPY_OUTSIDE = 8, /* receive: on the host: no link on the way, none that leads out */
};

/* Send path to descriptor to.  0, or -errno where the stream could not be written. */
int copy_send(const char *path, int to, unsigned int flags, struct err *err);

/* Where something called base goes that is copied to path: into it where it is a directory, else in
 * its place.  base NULL: the content of a directory goes into the directory path.  *ret_top: its
 * name there, in path or base; NULL: the directory itself.  The directory's descriptor, or -errno.
 */
int copy_destination(const char *path, const char *base, unsigned int flags, const char **ret_top,
	struct err *err);

/* Receive from a stream into directory dir as top, say so on status.  0, 1 where something was left
 * out, or -errno; COPY_DONE has been said in any case. */
int copy_receive(int from, int dir, const char *top, int status, unsigned int flags);

/* SIGTERM from here on ends a receiver without leaving half a file. */
void copy_end_well(void);

/* Confine this process to writing below dir, for good. */
int copy_jail(int dir, struct err *err);

#endif
