/* egress/names.h - the name table: which synthetic address stands for which name.
 *
 * Owns: the two pools.  A name that some rule allows keeps its address for the relay's life, and
 * the address is never given to another name.  A name that no rule allows gets one out of a
 * separate pool, which is recycled after NAMES_RECYCLE_S without use and no flow; when nothing can
 * be recycled there is no address (the caller answers NXDOMAIN).  So a flood of names never moves
 * an allowed one, and memory is bounded.  Fixed tables, touched only as far as used.
 */
#ifndef BAWN_EGRESS_NAMES_H
#define BAWN_EGRESS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#define NAMES_MAX_KNOWN 8192
#define NAMES_RESERVED 2048
#define NAMES_MAX_OTHER 4096
#define NAMES_RECYCLE_S 60

/* seed: random, so that collisions can't be prepared. */
void names_init(uint32_t seed);

/* What allows a name.  Names below wildcards, which an agent can make up without end, leave the
 * last NAMES_RESERVED known addresses to those that a rule names. */
enum names_kind { NAMES_OTHER, NAMES_WILDCARD, NAMES_EXACT };
/* The index of name (canonical), made when it is new; *ret_new says so.  -1 when the pool is full.
 * now: seconds. */
int names_intern(const char *name, enum names_kind kind, uint32_t now, bool *ret_new);
/* (A name that came to be allowed keeps the address it has, and that is its own from then on.) */

/* Host order. */
uint32_t names_addr(int idx);
/* The index an address stands for, or -1. */
int names_find_addr(uint32_t addr);
const char *names_text(int idx);

/* A flow uses the name: it isn't recycled until names_unref(). */
void names_ref(int idx);
void names_unref(int idx, uint32_t now);

#endif
