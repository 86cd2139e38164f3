/* base/arena.h - memory that is freed all at once, and string lists that live in it.
 *
 * Plans, profiles and facts are built once and thrown away whole; they own one arena each.
 * Allocation failure returns NULL / -ENOMEM and poisons the arena (arena_failed), so that a
 * builder may check once at its end.
 */
#ifndef BAWN_BASE_ARENA_H
#define BAWN_BASE_ARENA_H

#include "base/err.h"

struct arena {
	struct arena_chunk *head;
	bool failed;
};

struct strv {
	char **v; /* n strings, then NULL (v itself is NULL while empty) */
	size_t n;
	size_t cap;
};

/* n zeroed bytes out of those that the program has without asking for them, as long as there are
 * any; then calloc(3)'s.  musl maps and unmaps whatever is larger than a page or two by itself, and
 * each such call costs a start more than the work that is done in the memory.  From any thread.
 * NULL: out of memory. */
void *first_calloc(size_t n);
void first_free(void *p); /* the first ones are never used again */
/* The same for memory whose size the caller keeps, had bytes, which can so be had again if nothing
 * came after it: made n bytes long (in its place then; what is added is not zeroed; NULL: out of
 * memory, p is as it was), and given back.  p may be NULL, with 0. */
void *first_grow(void *p, size_t had, size_t n);
void first_give(void *p, size_t had);
/* Have the first n bytes of it mapped in one call.  A program that is about to use them meets no
 * page fault in them then, which costs up to 30 us each where the kernel is itself a guest without
 * hardware's help.  What does not work is no matter. */
void first_ahead(size_t n);

void *arena_alloc(struct arena *a, size_t n); /* zeroed, 16-byte aligned */
/* Room for one more in an array of n elements of size bytes: v itself while n < *cap, else a copy
 * twice as long (v stays as it is, until the arena goes).  NULL: out of memory, *cap unchanged. */
void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size);
char *arena_dup(struct arena *a, const char *s);
char *arena_dupn(struct arena *a, const char *s, size_t n);
char *arena_join(struct arena *a, const char *one, const char *two, const char *three);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);
void arena_free(struct arena *a);
int arena_check(const struct arena *a, struct err *err); /* -ENOMEM once anything failed */

/* Append a copy of s (strv_add) or s itself (strv_push).  0 or -ENOMEM. */
int strv_add(struct arena *a, struct strv *v, const char *s);
int strv_push(struct arena *a, struct strv *v, char *s);
int strv_addf(struct arena *a, struct strv *v, const char *fmt, ...) _printf_(3, 4);
bool strv_has(const struct strv *v, const char *s);
/* The value of "KEY=value" in an environment-like list, or NULL. */
const char *strv_env_get(const struct strv *v, const char *key);
/* Set KEY=value, replacing an earlier one. */
int strv_env_set(struct arena *a, struct strv *v, const char *key, const char *value);

#endif
