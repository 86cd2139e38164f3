/* audit/events.h - the one table of audit events and their fields; bawn-log(1) shows the same.
 *
 * Every line also has time, sandbox and event (audit.h).  Strings unless marked as numbers.  A new
 * event is one row here and one row in the man page; a test compares the two, and another one
 * checks every line that the test suite's runs have written.
 */
#ifndef BAWN_AUDIT_EVENTS_H
#define BAWN_AUDIT_EVENTS_H

#include "base/macro.h"

struct audit_event_field {
	const char *key; /* NULL ends the list */
	bool number;
	bool optional;
};

#define AUDIT_FIELDS_MAX 9

struct audit_event {
	const char *name;
	/* How a person reads it: {key} is the field's value; a part in [...] is left out when one
	 * of its fields is absent or empty. */
	const char *show;
	/* Never dropped by the rate cap: happens a bounded number of times a run. */
	bool keep;
	struct audit_event_field fields[AUDIT_FIELDS_MAX];
};

extern const struct audit_event audit_events[];
extern const size_t audit_n_events;

const struct audit_event *audit_event_find(const char *name); /* NULL: unknown */
const struct audit_event_field *audit_event_field(const struct audit_event *e, const char *key);

#endif
