/* scan/par.h - the same small work over a range, by two threads.
 *
 * For thousands of lstat(2) calls: a second thread halves the time.  It is made inside the jail, so
 * it is confined like its maker.  fn must only write to its own part of the range.
 */
#ifndef BAWN_SCAN_PAR_H
#define BAWN_SCAN_PAR_H

#include <stdint.h>

typedef void (*par_fn)(void *ctx, uint32_t begin, uint32_t end);

/* fn over [0, n); in one go when n is small or no thread can be had. */
void par_run(par_fn fn, void *ctx, uint32_t n);

#endif
