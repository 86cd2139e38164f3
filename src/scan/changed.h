/* scan/changed.h - how many files of a directory changed since a moment.
 *
 * Owns: counting alone, in the caller's process: names and times are read, no content, and no link
 * is followed.  git is not asked.  What was removed can't be seen this way.
 */
#ifndef BAWN_SCAN_CHANGED_H
#define BAWN_SCAN_CHANGED_H

#include <stdint.h>

#include "base/err.h"

struct scan_changed {
	uint64_t files; /* files and links that changed or are new */
	uint64_t fresh; /* of these, new by their time of birth */
	bool whole;     /* all was looked at: no limit was reached */
};

/* Below root (absolute), but in no directory .git.  since_ns: CLOCK_REALTIME.  0 or -errno. */
int scan_changed_count(
	const char *root, uint64_t since_ns, struct scan_changed *ret, struct err *err);

#endif
