/* audit/audit.h - the audit log: JSON Lines, one event per line, append only, chained.
 *
 * Every line has: time (RFC 3339, UTC, microseconds), sandbox, event, then the event's own fields,
 * then its number and the hash of the line before it (chain.h).
 * The table of events and their fields is audit/events.h.  Values that come from inside are escaped
 * by the JSON writer; no value is ever a secret (credentials are named, not shown).
 */
#ifndef BAWN_AUDIT_AUDIT_H
#define BAWN_AUDIT_AUDIT_H

#include <stdint.h>

#include "base/err.h"

struct audit;

/* Open path for append, and its head record PATH.head, creating both 0600.  Past 16 MiB it is
 * rotated to PATH.1, of which three are kept.  sandbox: the name put into every line. */
int audit_open(const char *path, const char *sandbox, struct audit **ret, struct err *err);

struct audit_field {
	const char *key;
	const char *str; /* NULL: num is meant */
	int64_t num;
};

/* One line with these fields (written with one write(2) under the log's lock).  Events past the
 * rate cap (1,000 a second) are counted and reported by one "dropped" event, as is what could not
 * be written.  0 or -errno; a full disk is reported once and never stops the run. */
int audit_emit(struct audit *a, const char *event, const struct audit_field *f, size_t n);
void audit_close(struct audit *a);

#endif
