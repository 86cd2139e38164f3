/* gate/scan.h - inside bawn-gate: from bytes to findings.
 */
#ifndef BAWN_GATE_SCAN_H
#define BAWN_GATE_SCAN_H

#include "gate/gate.h"
#include "gate/match.h"

#define GATE_DEPTH_MAX 256 /* of directories */
#define GATE_NEST_MAX 5    /* archives within archives */
/* What one file may become when it is unpacked: beyond, it is told as not looked into. */
#define GATE_UNPACKED_MAX (UINT64_C(4) << 30)
#define GATE_PATH_MAX 8192

struct scan_window {
	unsigned char *b;
	size_t cap;
};

struct scan {
	struct gate_set *set;
	const struct gate_request *req;
	struct blob out;
	struct gate_totals t;
	struct scan_window window[GATE_NEST_MAX + 1];
	unsigned char *text; /* attributes, targets of links */

	const char *path;    /* what is being looked at */
	const char *member;  /* of it; "" */
	uint64_t told, line; /* of this file: how many, and where the last one was */
	uint64_t unpacked;
};

/* Where bytes come from: at most n into buf; 0 at the end, -errno. */
struct scan_source {
	ssize_t (*read)(void *ctx, void *buf, size_t n);
	void *ctx;
};

/* known: a known secret, which counts everywhere. */
void scan_found(struct scan *s, uint64_t line, const char *what, bool known);
void scan_unseen(struct scan *s, const char *why);
/* n bytes of a name, a target, an attribute. */
void scan_bytes(struct scan *s, enum gate_manner how, const void *v, size_t n, const char *where);
/* All of a source; nest: how many archives it is in.  0 or -errno. */
int scan_stream(struct scan *s, const struct scan_source *from, unsigned int nest);

/* archive.c: is what begins so one that can be unpacked?  NULL: no; else what it is. */
const char *archive_kind(const unsigned char *head, size_t n, bool *ret_known);
/* Look into it: head[0..n) has been read already. */
int archive_scan(struct scan *s, const struct scan_source *from, const unsigned char *head,
	size_t n, unsigned int nest);

/* walk.c: all below dir. */
int scan_tree(struct scan *s, int dir, struct err *err);

#endif
