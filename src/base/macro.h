/* base/macro.h - cleanup attributes and the handful of macros every room uses.
 *
 * Owns: _cleanup_*, TAKE_FD, TAKE_PTR, ARRAY_LEN, streq.  Must not: include anything of ours.
 */
#ifndef BAWN_BASE_MACRO_H
#define BAWN_BASE_MACRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* What setrlimit() takes first: an enum with glibc, an int with musl. */
#ifdef __GLIBC__
#define RLIMIT_KIND(n) ((__rlimit_resource_t)(n))
#else
#define RLIMIT_KIND(n) (n)
#endif
#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(fd_closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

/* Move an owned value out of a variable whose cleanup would otherwise release it. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) take_ = (p);                                                         \
		(p) = NULL;                                                                        \
		take_;                                                                             \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int take_ = (fd);                                                                  \
		(fd) = -1;                                                                         \
		take_;                                                                             \
	})

/* A test build (configure --enable-mutations) leaves out the guards whose names stand in the file
 * "mutation" beside the executable, "one" or "one+other"; see tests/mutations.  Elsewhere this is
 * the constant 0. */
#ifdef BAWN_MUTATIONS
bool mutation_removed(const char *name);
#define GUARD_REMOVED(name) mutation_removed(name)
#else
#define GUARD_REMOVED(name) (0)
#endif

/* The instants between which state on disk changes.  A test build kills itself at the N-th of them,
 * where the file "crash" beside the executable says N, and leaves the file "crashed" there. */
#ifdef BAWN_MUTATIONS
void mutation_step(void);
#define CRASH_STEP() mutation_step()
#else
#define CRASH_STEP() ((void)0)
#endif

#endif
