/* gate/match.h - what of a text is a secret; pure, no system calls.
 *
 * Owns: the forms in which a known secret is looked for, the formats of keys, what makes an
 * assignment suspect.  Must not: know of files, print or keep a value.
 *
 * Two kinds of things are found: secrets that are known (gate_set_add), as they are and as base64,
 * hexadecimal, percent-encoded, in JSON's and in UTF-16's writing; and what by its form is one.
 */
#ifndef BAWN_GATE_MATCH_H
#define BAWN_GATE_MATCH_H

#include <stdint.h>

#include "base/arena.h"

/* A known secret that is shorter can't be told from other text. */
#define GATE_KNOWN_MIN 8
#define GATE_KNOWN_MAX 16384
#define GATE_NEEDLES_MAX 60000
/* What gate_match() looks at before and behind a place, known secrets aside. */
#define GATE_BEHIND 256
#define GATE_AHEAD 8192

enum gate_manner {
	GATE_PLAIN,   /* configuration and prose: NAME=value, "name": "value", name: value */
	GATE_CODE,    /* a program: values are in quotes */
	GATE_GIT,     /* git's configuration: as plain, and any password in a URL counts */
	GATE_LENIENT, /* a file that is there for credentials: any value counts */
	GATE_BINARY,  /* known secrets and formats alone */
	GATE_OBJECT,  /* likewise, but keys with which libraries test themselves are none */
};

struct gate_needle {
	const unsigned char *v;
	uint32_t n;
	uint16_t next;    /* of those that begin with the same two bytes, 0: none */
	uint16_t token;   /* its row in the table of formats, else GATE_NO_TOKEN */
	bool folds;       /* line ends within it don't count: base64, hexadecimal */
	bool harmless;    /* a placeholder: no secret, whatever it looks like */
	const char *kind; /* what it is, in words */
};

struct gate_set {
	struct arena arena;
	struct gate_needle *needles; /* needles[0] is none */
	size_t n, cap, longest;
	int64_t now;           /* seconds: web tokens that ended before are none; 0: all count */
	uint64_t pairs[1024];  /* which two bytes begin something */
	uint16_t first[65536]; /* needle, by its first two bytes */
};

/* 0 or -ENOMEM.  The set is large: not for a stack. */
int gate_set_begin(struct gate_set *s);
void gate_set_free(struct gate_set *s);
/* Look for the n bytes v as name ("the secret anthropic").  1: it is too short to be looked for; 0;
 * -E2BIG, -ENOMEM. */
int gate_set_add(struct gate_set *s, const char *name, const void *v, size_t n);
/* v is no secret, although it looks like one. */
int gate_set_harmless(struct gate_set *s, const void *v, size_t n);

/* at: where in the buffer; kind: static or in the set's arena; known: it is one of the set's. */
typedef void (*gate_hit_fn)(void *ctx, size_t at, const char *kind, bool known);

/* Look at what begins in buf[from..to); buf[0..end) may be looked at.  Where more text follows,
 * end - to has to be at least gate_ahead(), and from GATE_BEHIND unless the text begins there. */
void gate_match(const struct gate_set *s, enum gate_manner how, const unsigned char *buf,
	size_t from, size_t to, size_t end, gate_hit_fn fn, void *ctx);
size_t gate_ahead(const struct gate_set *s);

/* ---- what looks like one (looks.c) ---- */

/* n bytes that somebody has drawn by lot, as far as that can be seen. */
bool gate_looks_random(const unsigned char *v, size_t n);
/* The same of what has a service's prefix and length: few others have them. */
bool gate_looks_drawn(const unsigned char *v, size_t n);
/* "changeme", "xxxx", "$TOKEN", "example": stands where a secret would. */
bool gate_is_stand_in(enum gate_manner how, const unsigned char *v, size_t n);
/* A web token at buf[at..end): its length, 0 where it is none or of the past. */
size_t gate_web_token(const unsigned char *buf, size_t at, size_t end, int64_t now);
/* "://" at at: NULL, or what is wrong with the URL. */
const char *gate_url(enum gate_manner how, const unsigned char *buf, size_t at, size_t end);
/* '=' or ':' at at: NULL, or what stands behind it; *ret where. */
const char *gate_assignment(
	enum gate_manner how, const unsigned char *buf, size_t at, size_t end, size_t *ret);
/* "password" before at, in a file for credentials: ".netrc", XML. */
bool gate_password_word(const unsigned char *buf, size_t at, size_t end);
/* "-----BEGIN" at at, with a private key behind it. */
const char *gate_private_key(const unsigned char *buf, size_t at, size_t end);

/* Does a file that begins so hold private keys in binary: DER, OpenPGP, Java?  NULL: no. */
const char *gate_binary_key(const unsigned char *b, size_t n);

#endif
