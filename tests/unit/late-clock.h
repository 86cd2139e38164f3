/* tests/unit/late-clock.h - a relay whose clock its test puts forward.
 *
 * relay-late is bawn-relay with late_clock_gettime() in place of clock_gettime().  It adds the
 * milliseconds that stand in the page behind LATE_CLOCK_FD, which it maps before main(): once the
 * jail is closed it could not.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { LATE_CLOCK_FD = 7 };

typedef _Atomic uint64_t late_clock;
